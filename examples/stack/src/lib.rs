//! Everything in one program: the demonstration fleet, a gateway, a broker and the platform, joined by the same
//! bytes over the same sockets as when they run apart.
//!
//! ```text
//! three electricity meters ──DL/T 645 over TCP──┐
//! a water meter ──────────────CJ/T 188 over TCP─┴─> gateway ──MQTT──> broker and platform ──> page
//! ```
//!
//! Nothing here meters, converts or prices: it hands each part its configuration, its keys and one clock.

mod clock;
mod fleet;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

pub use clock::{Clock, ProgramClock};
pub use fleet::{FLEET, GATEWAY, Member, Role};

/// Real time between two notes of how far the clock came.
const CLOCK_NOTE: Duration = Duration::from_secs(1);

/// What the stack is told at its start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of everything that is kept.
    pub data_dir: PathBuf,
    /// Address of the page.
    pub http: SocketAddr,
    /// Address of the broker.
    pub mqtt: SocketAddr,
    /// Times real time.
    pub speed: u32,
    /// Password of `admin`; drawn at the first start without it.
    pub admin_password: Option<String>,
    /// Password of the listening MQTT account `reader`.
    pub reader_password: Option<String>,
}

/// The stack at work.
pub struct Running {
    cloud: cloud::Running,
    gateway: gateway::Running,
    meters: Vec<(&'static Member, meter::host::Running)>,
    password: String,
    clock: Arc<ProgramClock>,
    noting: tokio::task::JoinHandle<()>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("http", &self.http())
            .field("mqtt", &self.mqtt())
            .finish_non_exhaustive()
    }
}

impl Running {
    /// Where the page is.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.cloud.http()
    }

    /// Where the broker is.
    #[must_use]
    pub fn mqtt(&self) -> SocketAddr {
        self.cloud.mqtt()
    }

    /// The password of `admin`.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where the electricity meters answer, for people.
    #[must_use]
    pub fn meters(&self) -> String {
        let electricity = self
            .meters
            .iter()
            .filter(|(member, _)| member.is_electricity());
        let addresses: Vec<String> = electricity
            .filter_map(|(_, meter)| meter.addr())
            .map(|addr| addr.to_string())
            .collect();
        addresses.join(", ")
    }

    /// One line for programs: the addresses of everything.
    #[must_use]
    pub fn ready(&self) -> serde_json::Value {
        let meters: serde_json::Map<_, _> = self
            .meters
            .iter()
            .filter_map(|(member, meter)| {
                Some((member.id.to_owned(), meter.addr()?.to_string().into()))
            })
            .collect();
        serde_json::json!({
            "event": "ready",
            "http": format!("http://{}", self.http()),
            "mqtt": self.mqtt().to_string(),
            "meters": meters,
        })
    }

    /// The gateway's counts.
    #[must_use]
    pub fn gateway(&self) -> &gateway::Running {
        &self.gateway
    }

    /// Stops meters, gateway and platform in this order, so that what was metered is still carried as far as it gets.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn shutdown(self) -> anyhow::Result<()> {
        self.noting.abort();
        let meters = self.meters;
        tokio::task::spawn_blocking(move || {
            meters.into_iter().for_each(|(_, meter)| meter.shutdown())
        })
        .await?;
        self.gateway.shutdown().await;
        self.cloud.shutdown().await;
        self.clock.remember(0).context("the clock file")
    }
}

/// Starts everything.
///
/// # Errors
/// Ports that are taken, folders that cannot be written.
pub async fn start(options: Options) -> anyhow::Result<Running> {
    let data = &options.data_dir;
    std::fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let clock = ProgramClock::start(data, options.speed);
    let ahead_ms = 2_000 * u64::from(options.speed) * CLOCK_NOTE.as_secs();
    clock.remember(ahead_ms).context("the clock file")?;

    // The platform first: it hands out keys and the port of the broker.
    let cloud_dir = data.join("cloud");
    let (config, password) = fleet::cloud_config(&options, &cloud_dir)?;
    fleet::provision(&cloud_dir, data)?;
    let cloud = cloud::start(config, clock.clock()).await?;

    let mut meters = Vec::new();
    for member in &FLEET {
        meters.push((member, member.start(data, clock.clock())?));
    }
    let config = fleet::gateway_config(data, cloud.mqtt(), &meters, options.speed)?;
    let gateway = gateway::start(config, clock.clock()).await?;

    let clock = Arc::new(clock);
    let noting = tokio::spawn(note(Arc::clone(&clock), ahead_ms));
    Ok(Running {
        cloud,
        gateway,
        meters,
        password,
        clock,
        noting,
    })
}

/// Keeps the clock file ahead of the clock, so that a killed program does not go back either.
async fn note(clock: Arc<ProgramClock>, ahead_ms: u64) {
    let mut every = tokio::time::interval(CLOCK_NOTE);
    loop {
        every.tick().await;
        if let Err(error) = clock.remember(ahead_ms) {
            tracing::warn!(%error, "the clock file cannot be written");
        }
    }
}
