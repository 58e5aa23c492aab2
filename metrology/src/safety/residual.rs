//! Residual current: alternating part, direct part, both together.
//!
//! A smooth direct residual current blinds ordinary residual-current devices (IEC 60755: type A above 6 mA), so it is told
//! apart.

use crate::rms::square_root;
use crate::sample::Sample;

/// Residual current of one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResidualCurrent {
    /// Rms without the direct part, microamperes.
    pub ac_ua: u64,
    /// Direct part, microamperes.
    pub dc_ua: i64,
    /// Rms of both, microamperes.
    pub total_ua: u64,
}

/// Sums of one window; close it where the meter closes its own, so that it covers whole cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResidualSums {
    sum: i64,
    squares: u64,
    count: u32,
}

/// Samples a window may have: 2^16 squares of 24 bits fit 64.
const LONGEST: u32 = 1 << 16;

impl ResidualSums {
    /// An empty window.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sum: 0,
            squares: 0,
            count: 0,
        }
    }

    /// Takes one sample of the residual channel, counts of at most 24 bits with sign (larger ones are limited). A window
    /// of more than 65,536 samples keeps those it has.
    pub fn push(&mut self, counts: i32) {
        if self.count >= LONGEST {
            return;
        }
        let counts = i64::from(counts.clamp(-(1 << 23), 1 << 23));
        self.sum += counts;
        self.squares += (counts * counts).unsigned_abs();
        self.count += 1;
    }

    /// Takes the vector sum of all currents of one sample, for meters that measure every conductor with the same scale.
    pub fn push_sum<const PHASES: usize>(&mut self, sample: &Sample<PHASES>) {
        let sum = sample
            .i
            .iter()
            .fold(sample.n, |sum, i| sum.saturating_add(*i));
        self.push(sum);
    }

    /// Gives the window and starts an empty one; none without samples. `count_na` is the worth of one count, nanoamperes.
    pub fn close(&mut self, count_na: u32) -> Option<ResidualCurrent> {
        let Self {
            sum,
            squares,
            count,
        } = core::mem::take(self);
        if count == 0 {
            return None;
        }
        // mean of squares = (Σx² · N) / N²; variance takes (Σx)² / N² off. 62 + 17 + 2·20 + 40 bits.
        let n = u128::from(count);
        let worth = u128::from(count_na);
        let total = u128::from(squares) * n;
        let mean = u128::from(sum.unsigned_abs()) * u128::from(sum.unsigned_abs());
        let rms = |numerator: u128| {
            // sqrt(numerator) · worth / N in microamperes; numerator has at most 80 bits, 32 more keep the fraction.
            let root = u128::from(square_root(numerator << 32));
            let value = ((root * worth / n) >> 16) + 500;
            u64::try_from(value / 1000).unwrap_or(u64::MAX)
        };
        let dc = i128::from(sum) * i128::from(count_na);
        let half = i128::from(count) * if sum < 0 { -500 } else { 500 };
        Some(ResidualCurrent {
            ac_ua: rms(total.saturating_sub(mean)),
            dc_ua: i64::try_from((dc + half) / (i128::from(count) * 1000)).unwrap_or(0),
            total_ua: rms(total),
        })
    }
}
