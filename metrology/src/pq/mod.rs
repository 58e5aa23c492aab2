//! Power quality by the methods of IEC 61000-4-30, 61000-4-7 and 61000-4-15, in integers.
//!
//! ```text
//! frames -> Tracker -> Span (phase, edge) -> HalfCycles -> Events, RapidChanges, Capture
//!                        |                      `-> Windows (10/12 cycles) -> Aggregator (3 s, 10 min, 2 h)
//!                        |-> Resampler -> Spectrum (harmonics, groups, THD), Sequences (unbalance)
//!                        `-> Orders (low orders, no buffer)
//! frames -> Flicker (Pinst, Pst), LongTerm (Plt)
//! ```
//!
//! Each machine can be used alone and owns no more memory than it needs; [`Analyzer`] joins those of the first
//! line. A frame is one simultaneous sample of all channels, counts of at most 24 bits. Levels are rms values in
//! counts with 8 fractional bits; positions and durations are samples with 16. Nothing here knows volts: the
//! calibration's unit of a count does.
//!
//! ```
//! use metrology::pq::{Analyzer, EventKind, Setup, Thresholds};
//!
//! // One voltage at 4 kHz; 3,000,000 counts are its declared rms value.
//! let mut analyzer = Analyzer::<1>::new(Setup {
//!     sample_rate_mhz: 4_000_000,
//!     nominal_mhz: 50_000,
//!     thresholds: Thresholds::new(3_000_000 << 8),
//!     voltages: 0b1,
//! });
//! // A second of square wave, at half its height for five cycles.
//! let height = |n: i32| if (2000..2400).contains(&n) { 1_500_000 } else { 3_000_000 };
//! let frames: Vec<[i32; 1]> = (0..4000).map(|n| [if n / 40 % 2 == 0 { height(n) } else { -height(n) }]).collect();
//! let mut rest = &frames[..];
//! let mut dips = Vec::new();
//! while !rest.is_empty() {
//!     let step = analyzer.process(rest);
//!     dips.extend(step.events.ended[EventKind::Dip as usize]);
//!     rest = &rest[step.span.used..];
//! }
//! let [dip] = dips[..] else { panic!() };
//! assert!((dip.extreme >> 8).abs_diff(1_500_000) < 3000);
//! // 100 ms, to a cycle.
//! assert!(analyzer.microseconds(dip.duration).abs_diff(100_000) <= 20_000);
//! ```
//!
//! `docs/power-quality.md` lists definitions, limits and measured errors.

mod aggregate;
mod analyzer;
mod capture;
mod clock;
mod event;
mod fft;
mod flicker;
mod half_cycle;
mod interpolation;
mod orders;
mod rapid_change;
mod resample;
mod spectrum;
mod tracker;
pub(crate) mod trig;
mod unbalance;
mod window;

pub use aggregate::{Aggregate, Aggregates, Aggregator};
pub use analyzer::{Analyzer, Setup, Step};
pub use capture::{Capture, Frozen};
pub use event::{Event, EventChanges, EventKind, Events, Reference, Thresholds};
pub use flicker::{Classifier, Flicker, Lamp, LongTerm};
pub use half_cycle::{HalfCycle, HalfCycles, level};
pub use orders::{OrderWindow, Orders, Selection};
pub use rapid_change::{RapidChange, RapidChanges};
pub use resample::{Buffer, EMPTY_BUFFER, POINTS, Resampler, Sampled};
pub use spectrum::{Grouping, Spectrum};
pub use tracker::{Edge, Lock, Span, Tracker};
pub use unbalance::{Phasor, Sequences, line_to_line_ppm};
pub use window::{Finished, Marks, Window, Windows, cycles_of};
