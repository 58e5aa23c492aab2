//! Registers at one instant.

use crate::civil::Moment;
use crate::combine::ReactiveWord;
use crate::demand::Maxima;
use crate::price::Money;

/// One direction or quadrant: its total and what of it belongs to each rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel<const RATES: usize> {
    /// Total, tenths of a watt hour or varh.
    pub total: u64,
    /// By rate, rate 1 first.
    pub by_rate: [u64; RATES],
}

impl<const RATES: usize> Default for Channel<RATES> {
    fn default() -> Self {
        Channel {
            total: 0,
            by_rate: [0; RATES],
        }
    }
}

impl<const RATES: usize> Channel<RATES> {
    /// The total for 0, else the register of a rate from 1.
    #[must_use]
    pub fn register(&self, rate: u8) -> Option<u64> {
        match rate.checked_sub(1) {
            None => Some(self.total),
            Some(index) => self.by_rate.get(usize::from(index)).copied(),
        }
    }
}

/// What is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot<const CHANNELS: usize, const RATES: usize, const DEMANDS: usize> {
    /// When.
    pub at: Moment,
    /// Charged (combined active) energy by rate, watt hours.
    pub charged: [u64; RATES],
    /// Forward active, reverse active, quadrants I to IV, as many as the meter has.
    pub channels: [Channel<RATES>; CHANNELS],
    /// Maximum demand of the first channels.
    pub demand: [Maxima<RATES>; DEMANDS],
    /// Balance of the purse.
    pub balance: Money,
    /// Purchase count.
    pub purchases: u32,
}

impl<const C: usize, const R: usize, const D: usize> Snapshot<C, R, D> {
    /// Nothing.
    #[must_use]
    pub fn empty() -> Self {
        Snapshot {
            at: Moment::default(),
            charged: [0; R],
            channels: [Channel::default(); C],
            demand: [Maxima::new(); D],
            balance: Money::ZERO,
            purchases: 0,
        }
    }

    /// A combined reactive register, tenths of a varh: the total for rate 0. `None` when the meter
    /// does not count the quadrants.
    #[must_use]
    pub fn reactive(&self, word: ReactiveWord, rate: u8) -> Option<i64> {
        let [_, _, i, ii, iii, iv] = self.channels.first_chunk::<6>()?;
        let parts = [i, ii, iii, iv].map(|channel| channel.register(rate));
        let [Some(i), Some(ii), Some(iii), Some(iv)] = parts else {
            return None;
        };
        Some(word.combine([i, ii, iii, iv]))
    }
}
