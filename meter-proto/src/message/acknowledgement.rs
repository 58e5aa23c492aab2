//! Kind 8: what has been committed.

use heapless::Vec;

use super::Stream;
use crate::fields::fields;

/// A run of missing records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Gap {
    /// First missing number.
    pub first: u32,
    /// Last missing number, not below `first`.
    pub last: u32,
}
fields!(element Gap { 0 first, 1 last });

/// Kind 8, down: everything up to `contiguous` is committed for ever.
///
/// Records above it are committed as far as the last gap reaches, except those in the gaps; what lies beyond the last
/// gap is not spoken of. A receiver that has records above `contiguous` therefore closes the list with the number
/// behind the highest one it has. Cumulative: a lost acknowledgement is made good by the next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Acknowledgement {
    /// The stream.
    pub stream: Stream,
    /// The boot whose records are meant.
    pub boot: u32,
    /// Highest number up to which nothing is missing, 0 for none.
    pub contiguous: u32,
    /// Missing runs above it, ascending, at most 8.
    pub gaps: Vec<Gap, 8>,
}

impl Acknowledgement {
    /// Whether this says that the record is committed.
    #[must_use]
    pub fn covers(&self, boot: u32, seq: u32) -> bool {
        if boot != self.boot {
            return false;
        }
        if seq <= self.contiguous {
            return true;
        }
        let reach = self.gaps.iter().map(|gap| gap.last).max().unwrap_or(0);
        seq < reach
            && !self
                .gaps
                .iter()
                .any(|gap| gap.first <= seq && seq <= gap.last)
    }
}

fields!(Acknowledgement { 0 stream, 1 boot, 2 contiguous, 3 gaps });
