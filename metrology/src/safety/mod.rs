//! Electrical safety beside the metering: leakage, overload, hot cables, series arcs.
//!
//! | hazard | machine | looks at |
//! |---|---|---|
//! | residual current (leakage) | [`ResidualSums`], [`Watch`] | samples of a residual-current transformer, or the sum of all currents |
//! | overload | [`ThermalModel`] | rms current; first order, I²t |
//! | cable overheating | [`CableMonitor`] | temperature of cable and surroundings, rms current |
//! | series arc | [`ArcDetector`] | voltage and current samples |
//! | over- and under-voltage, phase loss | [`crate::event`] | quantities of a window |
//!
//! Every machine takes values and the time that passed, and tells when its [`Level`] changes. What happens then (an
//! event, an alarm, a trip) is the caller's.
//!
//! ```
//! use metrology::safety::{Level, ThermalLimits, ThermalModel};
//!
//! // A line for 63 A with a time constant of 20 minutes.
//! let limits = ThermalLimits { rated_ua: 63_000_000, time_constant_ms: 1_200_000, ..ThermalLimits::CABLE };
//! let mut line = ThermalModel::new();
//! // Twice the rated current: warned and tripped within seven minutes.
//! let mut levels = (0..400).filter_map(|_| line.update(&limits, 126_000_000, 1_000));
//! assert_eq!(levels.next(), Some(Level::Warning));
//! assert_eq!(levels.next(), Some(Level::Alarm));
//! ```

mod arc;
mod cable;
mod residual;
mod thermal;
mod watch;

pub use arc::{ArcDetector, ArcLimits, CycleReport};
pub use cable::{CableLimits, CableMonitor, CableState, SensorFault};
pub use residual::{ResidualCurrent, ResidualSums};
pub use thermal::{ThermalLimits, ThermalModel};
pub use watch::{Level, Threshold, Watch};
