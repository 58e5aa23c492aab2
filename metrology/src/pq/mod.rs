//! Power quality.
mod event;
mod fft;
mod flicker;
mod half_cycle;
mod interpolation;
mod orders;
mod resample;
mod spectrum;
mod tracker;
pub(crate) mod trig;
mod unbalance;
mod window;

pub use event::{Event, EventChanges, EventKind, Events, Reference, Thresholds};
pub use flicker::{Classifier, Flicker, Lamp, LongTerm};
pub use half_cycle::{HalfCycle, HalfCycles, level};
pub use orders::{OrderWindow, Orders};
pub use resample::{Buffer, EMPTY_BUFFER, POINTS, Resampler, Sampled};
pub use spectrum::{Grouping, Spectrum};
pub use tracker::{Edge, Lock, Span, Tracker};
pub use unbalance::{Phasor, Sequences, line_to_line_ppm};
pub use window::{Finished, Marks, Window, Windows, cycles_of};
