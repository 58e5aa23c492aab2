//! The broker, behind a seam of our own.
//!
//! The platform asks two things of a broker: hand over what devices publish and wait for the commit before it
//! acknowledges, and carry a message down. The default is embedded into this program. A broker outside joins through
//! the same two traits: a client of it calls [`Intake::publish`] and acknowledges by hand afterwards.

use anyhow::Context;
use mqtt5::QoS;
use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::events::{
    BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, ClientPublishEvent,
    PublishAction,
};
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::{BrokerShutdownHandle, MqttBroker};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::packet::publish::PublishPacket;
use mqtt5::types::ReasonCode;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::auth;
use crate::diagnostics::Counters;
use crate::store::Store;

/// A future behind a trait object.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes what devices publish.
pub trait Intake: Send + Sync + 'static {
    /// Returns when the message is committed or refused for good. Only then does the broker acknowledge, so an
    /// acknowledged message is on disk.
    fn publish<'a>(&'a self, user: &'a str, topic: &'a str, payload: &'a [u8]) -> Boxed<'a, ()>;

    /// A client logged in (`true`) or its connection ended (`false`).
    fn presence(&self, user: &str, up: bool);
}

/// Carries messages down to devices.
pub trait Broker: Send + Sync + 'static {
    /// Publishes once, without retaining. A device that is away gets it again from our own order store, not from the
    /// broker.
    fn publish(&self, topic: String, payload: Vec<u8>) -> Boxed<'_, ()>;
}

/// Largest packet a client may send. A gateway's message is far below; more is a mistake or an attack.
const LARGEST_PACKET: usize = 64 * 1024;

/// The embedded broker.
pub struct Embedded {
    router: Arc<MessageRouter>,
    stop: BrokerShutdownHandle,
    address: SocketAddr,
    task: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Embedded {
    /// Binds and starts to serve.
    pub async fn start(
        address: SocketAddr,
        store: Arc<dyn Store>,
        intake: Arc<dyn Intake>,
        counters: Arc<Counters>,
    ) -> anyhow::Result<Arc<Self>> {
        let config = BrokerConfig {
            max_packet_size: LARGEST_PACKET,
            max_retained_messages: 100_000,
            max_retained_message_size: LARGEST_PACKET,
            shared_subscription_available: false,
            sys_topics_enabled: false,
            // Our own store keeps what must not be lost; the broker keeps nothing on disk.
            storage_config: StorageConfig {
                backend: StorageBackend::Memory,
                enable_persistence: false,
                max_queued_messages_per_client: 1_000,
                max_queued_bytes_per_client: 1024 * 1024,
                ..StorageConfig::default()
            },
            ..BrokerConfig::default()
        }
        .with_bind_address(address)
        .with_event_handler(Arc::new(Hook {
            intake,
            counters: Arc::clone(&counters),
        }));
        let mut broker = MqttBroker::with_config(config)
            .await
            .with_context(|| format!("the MQTT port {address} cannot be opened"))?
            .with_auth_provider(Arc::new(Accounts { store, counters }));
        let address = broker
            .local_addr()
            .context("the MQTT port has no address")?;
        let router = broker.router();
        let stop = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let task = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                tracing::error!(%error, "the broker ended");
            }
        });
        while !*ready.borrow() {
            ready.changed().await.context("the broker did not start")?;
        }
        Ok(Arc::new(Self {
            router,
            stop,
            address,
            task: std::sync::Mutex::new(Some(task)),
        }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and waits until they are closed.
    pub async fn shutdown(&self) {
        self.stop.shutdown();
        let task = self
            .task
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            let abort = task.abort_handle();
            if tokio::time::timeout(std::time::Duration::from_secs(3), task)
                .await
                .is_err()
            {
                abort.abort();
            }
        }
    }
}

impl Broker for Embedded {
    fn publish(&self, topic: String, payload: Vec<u8>) -> Boxed<'_, ()> {
        Box::pin(async move {
            let packet = PublishPacket::new(topic, payload, QoS::AtLeastOnce);
            self.router.route_message(&packet, None).await;
        })
    }
}

/// Hands publications to the intake and waits for it.
struct Hook {
    intake: Arc<dyn Intake>,
    counters: Arc<Counters>,
}

impl BrokerEventHandler for Hook {
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Boxed<'a, ()> {
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        if let Some(user) = event.user_id {
            self.intake.presence(&user, true);
        }
        Box::pin(async {})
    }

    fn on_client_disconnect<'a>(&'a self, event: ClientDisconnectEvent) -> Boxed<'a, ()> {
        if let Some(user) = event.user_id {
            self.intake.presence(&user, false);
        }
        Box::pin(async {})
    }

    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Boxed<'a, PublishAction> {
        Box::pin(async move {
            let user = event.user_id.as_deref().unwrap_or("");
            self.intake
                .publish(user, &event.topic, &event.payload)
                .await;
            // Others that may listen (the reader account, a second platform) still get it.
            PublishAction::Continue
        })
    }
}

/// Accounts of the broker: devices by identity, and one reader.
struct Accounts {
    store: Arc<dyn Store>,
    counters: Arc<Counters>,
}

impl Accounts {
    async fn check(&self, name: String, password: Vec<u8>) -> bool {
        let store = Arc::clone(&self.store);
        let checked = tokio::task::spawn_blocking(move || {
            let Ok(password) = String::from_utf8(password) else {
                return false;
            };
            match store.mqtt_password(&name) {
                Ok(Some(hash)) => auth::verify(&password, &hash),
                Ok(None) => false,
                Err(error) => {
                    tracing::error!(%error, "the account list cannot be read");
                    false
                }
            }
        });
        checked.await.unwrap_or(false)
    }
}

impl AuthProvider for Accounts {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        from: SocketAddr,
    ) -> Boxed<'a, mqtt5::error::Result<AuthResult>> {
        Box::pin(async move {
            let (Some(name), Some(password)) =
                (connect.username.clone(), connect.password.as_ref())
            else {
                self.counters.refused_logins.fetch_add(1, Ordering::Relaxed);
                return Ok(AuthResult::fail(ReasonCode::BadUsernameOrPassword));
            };
            if self.check(name.clone(), password.to_vec()).await {
                return Ok(AuthResult::success_with_user(name));
            }
            self.counters.refused_logins.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%name, %from, "an MQTT login was refused");
            Ok(AuthResult::fail(ReasonCode::BadUsernameOrPassword))
        })
    }

    fn authorize_publish<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        topic: &'a str,
    ) -> Boxed<'a, bool> {
        let allowed = user.is_some_and(|user| auth::topics::may_publish(user, topic));
        if !allowed {
            self.counters.refused_topics.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async move { allowed })
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        filter: &'a str,
    ) -> Boxed<'a, bool> {
        let allowed = user.is_some_and(|user| auth::topics::may_subscribe(user, filter));
        if !allowed {
            self.counters.refused_topics.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async move { allowed })
    }
}
