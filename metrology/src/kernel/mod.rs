//! Sums over blocks of samples: the only code that runs for every sample of every channel.
//!
//! Two forms of the same three sums, equal bit for bit: [`wide`] multiplies 32 by 32 bits into 64, one
//! instruction on an ARMv7-M; [`split`] works with the low words of products, because a Cortex-M0 has no
//! such instruction and calls a function of about fifty for it. Both are compiled everywhere, so that the
//! tests compare them; the target picks one.
//!
//! Samples come as they stand in the caller's block: `pick` names the channel of a set.
#![cfg_attr(
    not(test),
    allow(dead_code, reason = "the target uses one of the two forms")
)]

pub(crate) mod split;
pub(crate) mod wide;

// ARMv6-M has neither compare-and-swap nor the long multiplication, and is the only such target.
#[cfg(all(target_arch = "arm", not(target_has_atomic = "32")))]
pub(crate) use split::{Products, detect, high, squares};
#[cfg(not(all(target_arch = "arm", not(target_has_atomic = "32"))))]
pub(crate) use wide::{Products, detect, high, squares};

/// Most sets in one call of a kernel: sums of half products then stay inside 32 bits.
pub(crate) const CHUNK: usize = 64;
/// Most sums of pairs, or single samples, in one call of [`detect`]: a chunk may begin and end inside a pair.
pub(crate) const PAIRS: usize = CHUNK / 2 + 1;

/// One value of the oscillator: cosine and sine, at most [`Turn::LIMIT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    pub cos: i32,
    pub sin: i32,
}

impl Turn {
    /// Largest magnitude. One less than 2^14: then 64 full-scale half products stay inside 32 bits.
    pub const LIMIT: i32 = (1 << 14) - 1;
}

/// A real and an imaginary sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Phasor {
    pub re: i64,
    pub im: i64,
}

/// A value of the oscillator, and the sums of a pair of samples of every channel that it meets.
///
/// In this order the detector holds only one of the oscillator's parts at a time, for want of registers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen<const N: usize> {
    pub cos: i32,
    pub sums: [i32; N],
    pub sin: i32,
}

impl<const N: usize> Seen<N> {
    pub const ZERO: Self = Self {
        cos: 0,
        sums: [0; N],
        sin: 0,
    };

    /// Lets the oscillator be seen here.
    pub fn show(&mut self, turn: Turn) {
        (self.cos, self.sin) = (turn.cos, turn.sin);
    }
}

/// What [`squares`] finds in one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Square {
    /// Σx².
    pub squares: i64,
    /// Σx.
    pub sum: i32,
    /// Coarse squares of pairs and the margin, joined by "or"; see [`Square::suspect`].
    reach: u32,
}

impl Square {
    /// Whether some sample may have reached the level of the [`margin`]; [`reaches`] then tells. If one lies
    /// outside of 24 bits, the sums may have wrapped.
    pub const fn suspect(self) -> bool {
        self.reach >= REACHED
    }
}

/// Bits that a coarse sample drops: its square and that of a second one then fit a word, whatever the sample.
const COARSE: u32 = 16;
/// More than the coarse squares of two samples of 24 bits.
const REACHED: u32 = 1 << 16;

/// Adds the coarse square of a sample: one instruction on cores that multiply upper half words.
///
/// A pair of samples is looked at together, which spares half of the joining: it is suspect from 70 % of the level
/// on, when both samples are so large.
#[inline(always)]
const fn coarse(x: i32, sum: u32) -> u32 {
    let h = x >> COARSE;
    sum.wrapping_add(h.wrapping_mul(h) as u32)
}

/// Writes the sums of pairs of samples to `channel` of `seen`: the first `single` samples come alone, and so does the
/// last one of an odd number. Returns the sum of all, and the coarse squares of pairs joined by "or".
#[inline(always)]
fn pairs<S, const N: usize>(
    sets: &[S],
    margin: u32,
    single: usize,
    channel: usize,
    seen: &mut [Seen<N>],
    mut pick: impl FnMut(&S) -> i32,
) -> (i32, u32) {
    let channel = channel.min(N - 1);
    let (mut sum, mut reach) = (0_i32, 0);
    let (first, paired) = sets.split_at_checked(single).unwrap_or((sets, &[]));
    let (alone, joined) = seen.split_at_mut_checked(single).unwrap_or_default();
    let (whole, last) = paired.as_chunks::<2>();
    let (joined, end) = joined.split_at_mut_checked(whole.len()).unwrap_or_default();
    let mut one = |set, place: &mut Seen<N>| {
        let x = pick(set);
        reach |= coarse(x, margin);
        sum = sum.wrapping_add(x);
        place.sums[channel] = x;
    };
    for (set, place) in first.iter().zip(alone) {
        one(set, place);
    }
    if let (Some(set), Some(place)) = (last.first(), end.first_mut()) {
        one(set, place);
    }
    let mut two = |[a, b]: &[S; 2], place: &mut Seen<N>| {
        let (a, b) = (pick(a), pick(b));
        reach |= coarse(b, coarse(a, margin));
        let pair = a.wrapping_add(b);
        sum = sum.wrapping_add(pair);
        place.sums[channel] = pair;
    };
    for (pair, place) in whole.iter().zip(joined) {
        two(pair, place);
    }
    (sum, reach)
}

/// Added to the coarse square of a sample from `level` on, it gives [`REACHED`] or more.
pub(crate) const fn margin(level: i32) -> u32 {
    let level = level.unsigned_abs() >> COARSE;
    REACHED.saturating_sub(level.saturating_mul(level))
}

/// Whether some sample reaches a level.
#[inline(never)]
pub(crate) fn reaches<S>(sets: &[S], pick: impl Fn(&S) -> i32, level: i32) -> bool {
    let level = level.unsigned_abs();
    sets.iter().any(|set| pick(set).unsigned_abs() >= level)
}

#[cfg(test)]
mod tests;
