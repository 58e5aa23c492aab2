//! AC metrology in integers: samples to quantities and exact energy registers, without an allocator.
//!
//! ```text
//!            ┌─> zero crossings ──> whole-cycle edges, frequency
//! Sample ──> limit, offset ─┬─> squares ────────────> rms      ┐
//!            (saturation)   ├─> products, delayed ──> active   ├─> Quantities per window
//!                           ├─> synchronous detector > reactive ┘      │
//!                           └─────────────── gap-free sums ──> energy registers, pulses
//! ```
//!
//! One [`Calibration`] (checked, read-only) drives a [`Meter`] (state). Blocks of simultaneous samples go
//! in; when a window closes, [`Meter::quantities`] changes; [`Meter::registers`] is exact at any time.
//!
//! ```
//! use metrology::{Calibration, Meter, Parameters, Sample};
//!
//! // 8 kHz; a count of 24 bits is 50 µV and 20 µA here.
//! let mut parameters = Parameters::<1>::new(8_000_000, 50_000);
//! parameters.voltage_nv = 50_000;
//! parameters.current_na = 20_000;
//! let calibration = Calibration::try_new(parameters)?;
//! let mut meter = Meter::new(&calibration);
//! # let square = |n: usize| if (n / 80) % 2 == 0 { 1 } else { -1 };
//! # let block: Vec<Sample<1>> =
//! #     (0..8000).map(|n| Sample { u: [4_600_000 * square(n)], i: [500_000 * square(n)], n: 0 }).collect();
//! let progress = meter.process(&calibration, &block);
//! assert!(progress.windows > 0);
//! let line = &meter.quantities().phase[0];
//! assert_eq!((line.voltage_uv / 1_000_000, line.current_ua / 1_000), (230, 10_000));
//! # Ok::<(), metrology::CalibrationError>(())
//! ```
//!
//! # What it leaves to you
//! The converter and its clock, storage of the state bytes ([`Meter::save`]), and time: the meter counts
//! samples, never seconds.
//!
//! # Limits
//! 0.6 to 64 kHz, 40 to 75 Hz, samples of at most 24 bits (larger ones are limited and flagged). The
//! definitions and every rounding place are listed in `docs/metrology.md`.
#![no_std]

pub mod adjust;
mod angle;
mod bytes;
mod calibration;
mod circuit;
mod compensation;
mod details;
mod division;
mod energy;
mod energy_core;
pub mod event;
mod filter;
mod frequency;
#[cfg(feature = "embedded-hal")]
pub mod front_end;
mod kernel;
pub mod load;
mod meter;
mod oscillator;
mod power;
pub mod pq;
mod pulse;
mod quantities;
mod rms;
pub mod safety;
mod sample;
mod sensor;
pub mod source;
mod window;

pub use calibration::{
    Calibration, CalibrationError, DcPower, Gain, NeutralParameters, Parameters, PhaseParameters,
    Policy, Rule, Stamp, Sync, Window,
};
pub use circuit::{Circuit, CircuitCalibration, CircuitQuantities, CircuitRegisters, Circuits};
pub use compensation::{CURVE_POINTS, Curve, CurvePoint, Drift};
pub use details::{DetailedPhase, DetailedQuantities, Details};
pub use energy::{Counts, PulseShare, Readout, Registers, StateError};
pub use energy_core::{
    ChannelInterval, EnergyConstants, EnergyCore, EnergyPhase, EnergyRegister, Interval,
};
pub use meter::{Meter, Progress};
pub use pulse::{Edge, PulseOutput};
pub use quantities::{Flags, PhaseQuantities, Quantities, Sequence, TotalQuantities, Vector};
pub use rms::square_root;
pub use sample::{FULL_SCALE, Sample};
pub use sensor::{Integrator, Rogowski};
