//! Where raw samples come from: a converter's ring, or the waveform registers of a metering chip.
//!
//! ```
//! use metrology::source::{self, Ring, Source, SourceError};
//! use metrology::{Calibration, Meter, Parameters, Sample};
//!
//! let mut parameters = Parameters::<1>::new(4_000_000, 50_000);
//! parameters.voltage_nv = 50_000;
//! parameters.current_na = 20_000;
//! let calibration = Calibration::try_new(parameters)?;
//! let mut meter = Meter::new(&calibration);
//!
//! // The interrupt of the converter pushes, the main loop drains.
//! let mut ring = Ring::<1, 64>::new();
//! let mut block = [Sample::ZERO; 32];
//! let mut windows = 0;
//! for n in 0..4000 {
//!     let sign = if (n / 40) % 2 == 0 { 1 } else { -1 };
//!     ring.push(Sample { u: [4_600_000 * sign], i: [500_000 * sign], n: 0 });
//!     if n % 32 == 31 {
//!         windows += source::pump(&mut meter, &calibration, &mut ring, &mut block)?.windows;
//!     }
//! }
//! assert!(windows > 0);
//! assert_eq!(meter.quantities().phase[0].voltage_uv / 1_000_000, 230);
//!
//! // Nobody drained in time: it is told once, with the number that is missing.
//! (0..70).for_each(|_| ring.push(Sample::ZERO));
//! assert_eq!(ring.fill(&mut block), Err(SourceError::Overrun { lost: 6 }));
//! assert_eq!(ring.fill(&mut block), Ok(32));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::convert::Infallible;
use core::fmt;

use crate::calibration::Calibration;
use crate::meter::{Meter, Progress};
use crate::sample::Sample;

/// Why a source has no samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError<E> {
    /// Samples were lost since the last call: energy of that time is missing and a window that was open is not whole.
    /// The next call goes on behind the gap.
    Overrun {
        /// How many, as far as the source can tell; at least 1.
        lost: u32,
    },
    /// The converter or the line to it failed.
    Device(E),
}

impl<E: fmt::Display> fmt::Display for SourceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrun { lost } => write!(f, "{lost} samples were lost before they were taken"),
            Self::Device(error) => write!(f, "the converter failed: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for SourceError<E> {}

/// A stream of simultaneous samples at a fixed rate.
pub trait Source<const PHASES: usize> {
    /// What may fail below it.
    type Error;

    /// Puts the samples that are ready into the front of `block`, oldest first, and tells how many; 0 when none is
    /// ready yet.
    ///
    /// # Errors
    /// Every variant of [`SourceError`]; nothing of `block` counts then.
    fn fill(&mut self, block: &mut [Sample<PHASES>]) -> Result<usize, SourceError<Self::Error>>;
}

/// Meters what a source has ready now, through a buffer of the caller; at most one block.
///
/// # Errors
/// Those of the source; nothing was metered then.
pub fn pump<const PHASES: usize, S: Source<PHASES>>(
    meter: &mut Meter<PHASES>,
    calibration: &Calibration<PHASES>,
    source: &mut S,
    block: &mut [Sample<PHASES>],
) -> Result<Progress, SourceError<S::Error>> {
    let count = source.fill(block)?;
    Ok(meter.process(calibration, block.get(..count).unwrap_or_default()))
}

/// A ring of `N` samples between the interrupt of a converter and the main loop.
#[derive(Clone, Copy, Debug)]
pub struct Ring<const PHASES: usize, const N: usize> {
    samples: [Sample<PHASES>; N],
    first: usize,
    count: usize,
    lost: u32,
}

impl<const PHASES: usize, const N: usize> Ring<PHASES, N> {
    /// An empty ring.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            samples: [Sample::ZERO; N],
            first: 0,
            count: 0,
            lost: 0,
        }
    }

    /// Takes the newest sample. When the ring is full this one is lost and counted: what is there stays whole.
    pub fn push(&mut self, sample: Sample<PHASES>) {
        let place = (self.first + self.count).checked_rem(N).unwrap_or(0);
        match self.samples.get_mut(place) {
            Some(place) if self.count < N => {
                *place = sample;
                self.count += 1;
            }
            _ => self.lost = self.lost.saturating_add(1),
        }
    }

    /// Samples that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<const PHASES: usize, const N: usize> Default for Ring<PHASES, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const PHASES: usize, const N: usize> Source<PHASES> for Ring<PHASES, N> {
    type Error = Infallible;

    fn fill(&mut self, block: &mut [Sample<PHASES>]) -> Result<usize, SourceError<Infallible>> {
        if self.lost > 0 {
            let lost = core::mem::take(&mut self.lost);
            return Err(SourceError::Overrun { lost });
        }
        let mut count = 0;
        for place in block {
            let Some(sample) = self.samples.get(self.first).filter(|_| self.count > 0) else {
                break;
            };
            *place = *sample;
            self.first = (self.first + 1) % N;
            self.count -= 1;
            count += 1;
        }
        Ok(count)
    }
}
