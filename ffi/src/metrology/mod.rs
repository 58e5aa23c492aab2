//! The signal chain for C: constants, samples in, quantities and energy out, pulses, calibration, power quality.

mod adjust;
mod calls;
mod chain;
mod constants;
mod pulse;
mod quality;
mod single;
mod three;

pub use adjust::*;
pub use chain::*;
pub use constants::*;
pub use pulse::*;
pub use quality::*;
pub use single::*;
pub use three::*;
