//! The host half: meters as programs or as threads of another program.
//!
//! ```no_run
//! use meter::host::{MeterConfig, start, system_clock};
//!
//! let meter = start(&MeterConfig::default(), system_clock())?;
//! println!("{:?} {:?}", meter.addr(), meter.status());
//! meter.shutdown();
//! # Ok::<(), meter::host::StartError>(())
//! ```

mod config;
mod electricity;
pub mod files;
pub mod line;
pub mod log;
pub mod once;
pub mod pty;
pub mod recording;
mod server;
mod status;
mod water;

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

pub use config::{KeyFile, MeterConfig, PrepaidConfig, TariffConfig, WaterConfig};
pub use server::Running;
pub use status::{Electricity, Refused, Status};

/// UTC, milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The clock of the machine.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// The clock of the machine, `speed` times as fast from now on.
#[must_use]
pub fn fast_clock(speed: u32) -> Clock {
    let system = system_clock();
    let start = system();
    Arc::new(move || start + (system() - start) * u64::from(speed.max(1)))
}

/// Why a meter does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is not good.
    #[error("{0}")]
    Config(String),
    /// The constants are not good.
    #[error("{0}")]
    Calibration(metrology::CalibrationError),
    /// A core refuses its stored state.
    #[error("{0}")]
    Core(#[from] crate::metering::StartError),
    /// The recording cannot be played.
    #[error("{0}")]
    Recording(#[from] recording::RecordingError),
    /// The folder for the state cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Data(io::Error),
    /// The address cannot be listened on.
    #[error("{at} cannot be listened on: {source}")]
    Listen {
        /// The address.
        at: String,
        /// The reason.
        source: io::Error,
    },
    /// A socket or thread cannot be made.
    #[error("a socket or thread cannot be made: {0}")]
    Socket(io::Error),
    /// There is no pseudo-terminal.
    #[error("a pseudo-terminal cannot be opened: {0}")]
    Pty(io::Error),
}

/// Starts an electricity meter.
///
/// # Errors
/// [`StartError`].
pub fn start(config: &MeterConfig, clock: Clock) -> Result<Running, StartError> {
    let listen = config.listen.as_deref();
    match config.phases {
        1 => server::start(
            electricity::ElectricityMeter::<1>::start(config, clock())?,
            listen,
            config.pty,
            clock,
        ),
        3 => server::start(
            electricity::ElectricityMeter::<3>::start(config, clock())?,
            listen,
            config.pty,
            clock,
        ),
        other => Err(StartError::Config(format!(
            "a meter has 1 or 3 phases, not {other}"
        ))),
    }
}

/// Starts a water meter.
///
/// # Errors
/// [`StartError`].
pub fn start_water(config: &WaterConfig, clock: Clock) -> Result<Running, StartError> {
    let station = water::WaterStation::start(config, clock())?;
    server::start(station, config.listen.as_deref(), config.pty, clock)
}
