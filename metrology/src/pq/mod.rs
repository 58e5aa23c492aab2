//! Power quality.
mod event;
mod half_cycle;
mod tracker;
pub(crate) mod trig;
mod window;

pub use event::{Event, EventChanges, EventKind, Events, Reference, Thresholds};
pub use half_cycle::{HalfCycle, HalfCycles, level};
pub use tracker::{Edge, Lock, Span, Tracker};
pub use window::{Finished, Marks, Window, Windows, cycles_of};
