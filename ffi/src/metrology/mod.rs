//! The signal chain for C: constants, samples in, quantities and energy out, pulses, calibration; power quality, safety,
//! conditions of a meter, further circuits, and the smallest meter.

mod adjust;
mod arc;
mod calls;
mod chain;
mod circuits;
mod conditions;
mod constants;
mod energy_core;
mod energy_single;
mod energy_three;
mod flicker;
mod harmonics;
mod pulse;
mod quality;
mod single;
mod thermal;
mod three;

pub use adjust::*;
pub use arc::*;
pub use chain::*;
pub use circuits::*;
pub use conditions::*;
pub use constants::*;
pub use energy_core::*;
pub use energy_single::*;
pub use energy_three::*;
pub use flicker::*;
pub use harmonics::*;
pub use pulse::*;
pub use quality::*;
pub use single::*;
pub use thermal::*;
pub use three::*;
