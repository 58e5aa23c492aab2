//! The platform: broker, ingest, history, billing, orders, alarms, API and page in one process.
//!
//! ```text
//! gateway ──MQTT──> broker ──> ingest ──commit──> history ──> live values ──> page (server-sent events)
//!                     │          │                               ├──> alarms
//!                     │          └── opens envelopes with keys   └──> billing (the meter's own tariff engine)
//!                     └<── acknowledgements, sealed orders <── orders <── API <── people
//! ```
//!
//! # First use
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use std::sync::Arc;
//! let gateway = cloud::provision("data".as_ref(), &cloud::Provision::new("gw-202611000100"))?;
//! let running = cloud::start(cloud::Config::new("data"), cloud::system_clock()).await?;
//! println!("open http://{}", running.http());
//! println!("gateway logs in at {} with {:?}", running.mqtt(), gateway.mqtt_password);
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//! * A message that the broker acknowledged is on disk, exactly once, whatever is killed when.
//! * An order has one number for ever; sending it again, from a browser or over a bad line, does nothing twice.
//! * Money and energy are integers with a decimal exponent up to the text on the page.
//!
//! # What it leaves to others
//! Transport encryption (a proxy in front), more than one process, and other databases: the seams are [`broker`] and
//! [`store`].

pub mod alarms;
mod api;
pub mod auth;
pub mod billing;
pub mod broker;
mod config;
pub mod diagnostics;
mod door;
pub mod history;
pub mod ingest;
pub mod keys;
pub mod live;
pub mod orders;
mod page;
mod platform;
mod provision;
pub mod store;
mod view;

use anyhow::Context;
use std::net::SocketAddr;
use std::sync::Arc;

pub use api::openapi;
pub use config::Config;
pub use door::BrokerWarnings;
pub use platform::{Clock, Platform};
pub use provision::{Provision, Provisioned, kind_of, provision};

/// File of the business data inside the data folder.
pub const BUSINESS_FILE: &str = "business.db";
/// File of the history inside the data folder.
pub const HISTORY_FILE: &str = "history.db";
/// File of the root key inside the data folder.
pub const ROOT_KEY_FILE: &str = "root.key";
/// The one tenant of the demonstration.
pub const TENANT: &str = "demo";

/// The machine's own clock, UTC milliseconds.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// A platform that serves.
pub struct Running {
    platform: Arc<Platform>,
    broker: Arc<broker::Embedded>,
    http: SocketAddr,
    stop: tokio::sync::watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    first_password: Option<String>,
}

impl Running {
    /// Where the page and the API are.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where the broker listens.
    pub fn mqtt(&self) -> SocketAddr {
        self.broker.address()
    }

    /// The password of `admin` that was drawn at this first start; `None` later, or when one was given.
    pub fn first_password(&self) -> Option<&str> {
        self.first_password.as_deref()
    }

    /// The parts behind it, for tests and for programs that embed it.
    pub fn platform(&self) -> &Arc<Platform> {
        &self.platform
    }

    /// Stops taking requests, ends connections and waits for what is under way.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        self.broker.shutdown().await;
        for task in self.tasks {
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

/// Opens the databases, starts the broker and the HTTP server, and resumes open orders.
///
/// `clock` gives UTC milliseconds; deadlines of orders and the day of the bill follow it.
pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Running> {
    let opened = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || Platform::open(config, clock)).await??
    };
    let (platform, first_password) = opened;
    let broker = broker::Embedded::start(
        config.mqtt,
        Arc::clone(&platform.store),
        Arc::new(ingest::Ingest::start(Arc::clone(&platform))),
        Arc::clone(&platform.counters),
    )
    .await?;
    platform.connect(Arc::clone(&broker) as Arc<dyn broker::Broker>);

    let listener = tokio::net::TcpListener::bind(config.http)
        .await
        .with_context(|| format!("the HTTP port {} cannot be opened", config.http))?;
    let http = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = platform::background(&platform, &stopped);
    let router = api::router(Arc::clone(&platform), stopped.clone());
    let counters = Arc::clone(&platform.counters);
    tasks.push(tokio::spawn(async move {
        let mut stopped = stopped;
        let door = door::Door::new(listener, counters);
        let service = router.into_make_service_with_connect_info::<door::Visitor>();
        let served = axum::serve(door, service).with_graceful_shutdown(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        if let Err(error) = served.await {
            tracing::error!(%error, "the HTTP server ended");
        }
    }));
    Ok(Running {
        platform,
        broker,
        http,
        stop,
        tasks,
        first_password,
    })
}
