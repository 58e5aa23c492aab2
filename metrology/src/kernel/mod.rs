//! Sums over blocks of samples: the only code that runs for every sample of every channel.
//!
//! Two forms of the same three sums, equal bit for bit: [`wide`] multiplies 32 by 32 bits into 64, one
//! instruction on an ARMv7-M; [`split`] cuts each sample into halves of 12 bits, because a Cortex-M0 has no
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
pub(crate) use split::{detect, products, squares};
#[cfg(not(all(target_arch = "arm", not(target_has_atomic = "32"))))]
pub(crate) use wide::{detect, products, squares};

/// Most sets in one call of a kernel: sums of half products then stay inside 32 bits.
pub(crate) const CHUNK: usize = 64;
/// Most sums of pairs, or single samples, in one call of [`detect`]: a chunk may begin and end inside a pair.
pub(crate) const PAIRS: usize = CHUNK / 2 + 1;
/// Magnitude from which a sample does not fit 24 bits.
const LIMIT: u32 = 1 << 23;

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

/// What [`squares`] finds in one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Square {
    /// Σx².
    pub squares: i64,
    /// Magnitudes and the margin, joined by "or"; see [`Square::reached`].
    pub reach: u32,
}

impl Square {
    /// Whether some sample came within `margin` of 2^23, see [`margin`]. The sums are then not valid: they
    /// may have wrapped.
    pub const fn reached(self) -> bool {
        self.reach >= LIMIT
    }
}

/// Added to a magnitude, it sets bit 23 or a higher one from `level` on.
pub(crate) const fn margin(level: i32) -> u32 {
    // One count early: the magnitude below is one too small for negative samples.
    LIMIT.saturating_sub(level.unsigned_abs()).saturating_add(1)
}

/// Magnitude of a sample; of a negative one less one, which spares the carry.
#[inline(always)]
const fn magnitude(x: i32) -> u32 {
    (x ^ (x >> 31)) as u32
}

#[cfg(test)]
mod tests;
