//! Conditions of a meter (DL/T 614): lost, under- and over-voltage, broken phase, lost current, over-current,
//! overload, reversal, unbalance, order of the phases, loss of all voltages, power down.
//!
//! ```text
//! Quantities ─> Observation ─> Monitor (Limits: begin, end, delay, gate) ─> Changes: what began, what ended
//! ```
//!
//! The monitor owns no clock and keeps no records: [`Changes`] say what began and what ended with one window, the caller
//! stamps them and takes the registers that a record needs (DL/T 645 class 03). A condition that held when the power
//! went goes on with [`Monitor::resume`] and is not counted twice.
//!
//! ```
//! use metrology::event::{Condition, Limits, Monitor, Observation, PhaseObservation};
//!
//! let limits = Limits::dlt614(220_000_000, 5_000_000, 60_000_000);
//! let mut monitor = Monitor::<1>::new();
//! let line = PhaseObservation { voltage_uv: 150_000_000, current_ua: 2_000_000, ..Default::default() };
//! let window = Observation { phase: [line], elapsed_ms: 200, ..Observation::default() };
//! // 68 % of the nominal voltage with current: lost, once it has held for 60 s.
//! let begun = (0..300).find(|_| !monitor.update(&limits, &window).begun.is_empty());
//! assert_eq!(begun, Some(299));
//! assert!(monitor.active().contains(Condition::VoltageLost, 0));
//! ```

mod condition;
mod limits;
mod monitor;
mod observation;

pub use condition::{Condition, Conditions};
pub use limits::{Limit, Limits};
pub use monitor::{Changes, Monitor};
pub use observation::{Observation, PhaseObservation};
