//! A test bench in memory: half-duplex line with faults, flash that loses power at any write,
//! virtual clock, one seed, case files.
//!
//! Everything random comes from one [`Rng`] seed, everything timed from numbers the test gives,
//! so a failure is repeated by its seed. The crate is a dev-dependency only and never published.
//!
//! | module | is |
//! |---|---|
//! | [`rng`] | a small deterministic generator |
//! | [`clock`] | a clock that moves when it is told to |
//! | [`line`] | a half-duplex line between two ends: delay, loss, bit errors, noise, echo, collisions |
//! | [`flash`] | NOR flash that loses power before or inside any word or erase |
//! | [`cut`] | runs an operation with the power cut at every step of it |
//! | [`cases`] | finds and reads case files |
//! | [`signal`] | mains waves, converters and the double-precision model of a meter's chain |
//! | [`rounds`], [`stride`] | how much a test repeats where each step is slow |
//! | [`python`] | an interpreter with a package, for independent programs |

pub mod cases;
pub mod clock;
pub mod cut;
mod effort;
pub mod flash;
pub mod line;
pub mod python;
pub mod rng;
pub mod signal;
mod skip;

pub use effort::{rounds, stride};
pub use rng::Rng;

pub use skip::skip;
