//! Load shape at the edge: what was switched on and off, from steps of active and reactive power.
//!
//! ```text
//! window of P, Q ─> StepDetector: steady, transition, steady ─> Step (ΔP, ΔQ) ─> Pairing: on, off of which on
//!                └> RunMonitor: a machine starts and stops
//! ```
//!
//! A window is what one closes every 200 ms to some seconds. Nothing here is legal: the detectors look at rounded
//! quantities and say what probably happened. Their rates are measured in `docs/load-shape.md`.
//!
//! ```
//! use metrology::load::{Change, Pairing, StepDetector, StepLimits, Window};
//!
//! let (limits, mut steps, mut pairs) = (StepLimits::HOUSE, StepDetector::new(), Pairing::<8>::new());
//! let mut told = Vec::new();
//! for second in 0..60 {
//!     let watts = if (20..40).contains(&second) { 2_080 } else { 80 };
//!     let window = Window { active_uw: watts * 1_000_000, reactive_uvar: 0, elapsed_ms: 1_000 };
//!     if let Some(step) = steps.update(&limits, &window) {
//!         told.push(pairs.update(&limits, &step));
//!     }
//! }
//! let [Change::On { number, .. }, Change::Off { of: Some(of), .. }] = told[..] else { panic!("{told:?}") };
//! assert_eq!((of.number, of.ran_ms), (number, 20_000));
//! ```

mod pairing;
mod running;
mod step;

pub use pairing::{Change, Pairing, Switched};
pub use running::{RunLimits, RunMonitor, Running};
pub use step::{Step, StepDetector, StepLimits, Window};
