//! The parts of the platform, put together.

use anyhow::Context;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};

use crate::alarms::Alarms;
use crate::auth;
use crate::billing::Billing;
use crate::broker::Broker;
use crate::config::Config;
use crate::diagnostics::{Counters, Refusals};
use crate::history::History;
use crate::keys::KeyService;
use crate::live::Live;
use crate::store::{Alarm, Audit, Device, Role, SqliteStore, Store, User};

/// A wall clock: UTC milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Something that open pages want to know at once.
#[derive(Debug, Clone)]
pub enum Change {
    /// Values, state or orders of this device changed.
    Device(String),
    /// An alarm was raised, cleared or acknowledged.
    Alarm(Alarm),
}

/// Everything the handlers need.
pub struct Platform {
    /// Settings.
    pub config: Config,
    /// Wall clock.
    pub clock: Clock,
    /// Business data.
    pub store: Arc<dyn Store>,
    /// What was measured.
    pub history: History,
    /// Keys.
    pub keys: KeyService,
    /// The present.
    pub live: Live,
    /// What was refused and how much was taken.
    pub counters: Arc<Counters>,
    /// The last refusals in words.
    pub refusals: Refusals,
    /// Rules and what they raised.
    pub alarms: Alarms,
    /// Prices and today's bills.
    pub billing: Billing,
    registry: RwLock<Arc<BTreeMap<String, Device>>>,
    changes: broadcast::Sender<Change>,
    broker: OnceLock<Arc<dyn Broker>>,
    pub(crate) order_waits: Notify,
    /// Held while a message for a gateway is sealed and handed over.
    pub(crate) down_turn: tokio::sync::Mutex<()>,
}

impl Platform {
    /// Opens the databases and makes the first users. Returns the password of `admin` if one was drawn.
    pub(crate) fn open(
        config: Config,
        clock: Clock,
    ) -> anyhow::Result<(Arc<Self>, Option<String>)> {
        std::fs::create_dir_all(&config.data_dir)
            .with_context(|| format!("{} cannot be made", config.data_dir.display()))?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(
            &config.data_dir.join(crate::BUSINESS_FILE),
        )?);
        let keys = KeyService::open(
            &config.data_dir.join(crate::ROOT_KEY_FILE),
            Arc::clone(&store),
        )?;
        let history = History::open(
            &config.data_dir.join(crate::HISTORY_FILE),
            config.offset_minutes,
        )?;
        let first_password = accounts(&config, store.as_ref())?;
        let registry = store
            .devices()?
            .into_iter()
            .map(|device| (device.id.clone(), device))
            .collect();
        let platform = Self {
            live: Live::rebuild(history.latest()?),
            alarms: Alarms::open(store.as_ref())?,
            billing: Billing::new(&config)?,
            config,
            clock,
            store,
            history,
            keys,
            counters: Arc::default(),
            refusals: Refusals::default(),
            registry: RwLock::new(Arc::new(registry)),
            changes: broadcast::channel(1024).0,
            broker: OnceLock::new(),
            order_waits: Notify::new(),
            down_turn: tokio::sync::Mutex::default(),
        };
        Ok((Arc::new(platform), first_password))
    }

    pub(crate) fn connect(&self, broker: Arc<dyn Broker>) {
        // Set once, right after the broker started.
        let _ = self.broker.set(broker);
    }

    /// The broker, once it runs.
    pub fn broker(&self) -> Option<&Arc<dyn Broker>> {
        self.broker.get()
    }

    /// All devices.
    pub fn devices(&self) -> Arc<BTreeMap<String, Device>> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the devices again from the store.
    pub fn refresh_devices(&self) -> crate::store::Result<()> {
        let fresh: BTreeMap<_, _> = self
            .store
            .devices()?
            .into_iter()
            .map(|device| (device.id.clone(), device))
            .collect();
        if *self.devices() != fresh {
            *self
                .registry
                .write()
                .unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        }
        Ok(())
    }

    /// The device that hangs at this number of this gateway; 0 is the gateway itself.
    pub fn device_at(&self, gateway: &str, node: u16) -> Option<Device> {
        let devices = self.devices();
        if node == 0 {
            return devices.get(gateway).cloned();
        }
        devices
            .values()
            .find(|device| device.node == Some(node) && device.gateway.as_deref() == Some(gateway))
            .cloned()
    }

    /// Tells open pages. Nobody listening is no error.
    pub fn tell(&self, change: Change) {
        let _ = self.changes.send(change);
    }

    /// Listens to what open pages are told.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Counts a refusal and keeps its reason for the page.
    pub fn refuse(&self, counter: &std::sync::atomic::AtomicU64, text: &str) {
        Counters::count(counter);
        self.refusals.keep((self.clock)(), text);
        tracing::warn!("refused: {text}");
    }

    /// Adds a line to the audit list; a failure is logged, it does not stop what was audited.
    pub fn audit(&self, actor: &str, action: &str, object: &str, detail: &str) {
        let line = Audit {
            time: (self.clock)(),
            actor: actor.into(),
            action: action.into(),
            object: object.into(),
            detail: detail.into(),
        };
        if let Err(error) = self.store.audit(&line) {
            tracing::error!(%error, "the audit list cannot be written");
        }
    }
}

/// Makes the first users, or sets the given passwords.
fn accounts(config: &Config, store: &dyn Store) -> anyhow::Result<Option<String>> {
    if let Some(password) = &config.reader_password {
        store.put_mqtt_password(auth::topics::READER, &auth::hash_password(password)?)?;
    }
    let present = store.user("admin")?;
    let (password, drawn) = match (&present, &config.admin_password) {
        (Some(user), Some(given)) if auth::verify(given, &user.password_hash) => return Ok(None),
        (_, Some(given)) => (given.clone(), None),
        (Some(_), None) => return Ok(None),
        (None, None) => {
            let drawn = auth::readable_password();
            (drawn.clone(), Some(drawn))
        }
    };
    store.put_user(&User {
        name: "admin".into(),
        tenant: crate::TENANT.into(),
        role: Role::Admin,
        password_hash: auth::hash_password(&password)?,
    })?;
    Ok(drawn)
}

/// Starts what runs beside requests: order resending, and the watch for silent devices.
pub(crate) fn background(
    platform: &Arc<Platform>,
    stopped: &watch::Receiver<bool>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let watch = {
        let (platform, mut stopped) = (Arc::clone(platform), stopped.clone());
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            loop {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    _ = tick.tick() => {}
                }
                let platform = Arc::clone(&platform);
                let watched = tokio::task::spawn_blocking(move || {
                    platform.refresh_devices()?;
                    crate::alarms::watch_silence(&platform)
                });
                if let Ok(Err(error)) = watched.await {
                    tracing::error!(%error, "the watch for silent devices failed");
                }
            }
        })
    };
    let orders = tokio::spawn(crate::orders::resend_loop(
        Arc::clone(platform),
        stopped.clone(),
    ));
    vec![watch, orders]
}
