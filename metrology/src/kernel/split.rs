//! Kernels for cores that multiply 32 by 32 bits into 32 only.
//!
//! A sample is h · 2^12 + l with 0 <= l < 2^12 and |h| <= 2^11. Of its products only those of the h are
//! formed as they are; products of whole samples and of a sample with an h wrap at 2^32. What the l add is
//! below 2^31 for a chunk, so the wrapped sums tell it exactly once the upper parts are known, and no l is
//! ever cut out. One sum or two to a loop, because eight registers hold no more.

use super::{CHUNK, Phasor, Seen, Square, pairs};

/// Bits of l.
const CUT: u32 = 12;

/// High, middle and low half products put together.
const fn joined(high: i32, middle: i32, low: i32) -> i64 {
    ((high as i64) << (2 * CUT))
        .wrapping_add((middle as i64) << CUT)
        .wrapping_add(low as i64)
}

/// See [`wide`](super::wide::high): by four products of half words.
#[inline]
pub(crate) const fn high(a: i32, b: i32) -> i32 {
    let (a_high, a_low) = (a >> 16, a & 0xFFFF);
    let (b_high, b_low) = (b >> 16, b & 0xFFFF);
    let low = (a_low as u32).wrapping_mul(b_low as u32) >> 16;
    // At most 2^31 − 2^16 in magnitude, and the carry fits beside it.
    let middle = a_high.wrapping_mul(b_low).wrapping_add(low as i32);
    let other = a_low.wrapping_mul(b_high).wrapping_add(middle & 0xFFFF);
    a_high
        .wrapping_mul(b_high)
        .wrapping_add(middle >> 16)
        .wrapping_add(other >> 16)
}

/// See [`wide`](super::wide::squares).
#[inline(never)]
pub(crate) fn squares<S, const N: usize>(
    sets: &[S],
    pick: impl Fn(&S) -> i32,
    margin: u32,
    single: usize,
    channel: usize,
    seen: &mut [Seen<N>],
) -> Square {
    let (mut squared, mut crossed, mut wrapped) = (0_i32, 0_i32, 0_i32);
    for set in sets {
        let x = pick(set);
        let h = x >> CUT;
        crossed = crossed.wrapping_add(h.wrapping_mul(x));
        squared = squared.wrapping_add(h.wrapping_mul(h));
        wrapped = wrapped.wrapping_add(x.wrapping_mul(x));
    }
    // Σ h·x = 2^12 Σ h² + Σ h·l, and Σ x² = 2^24 Σ h² + 2^13 Σ h·l + Σ l².
    let middle = crossed.wrapping_sub(squared << CUT).wrapping_mul(2);
    let low = wrapped
        .wrapping_sub(squared << (2 * CUT))
        .wrapping_sub(middle << CUT);

    let (sum, reach) = pairs(sets, margin, single, channel, seen, pick);
    Square {
        squares: joined(squared, middle, low),
        sum,
        reach,
    }
}

/// See [`wide`](super::wide::detect).
pub(crate) fn detect<const N: usize>(seen: &[Seen<N>]) -> [Phasor; N] {
    const { assert!(N <= 2) }
    let mut phasors = [Phasor::default(); N];
    // Half products with the oscillator have 26 bits: half a chunk of them fits.
    for seen in seen.chunks(CHUNK / 2) {
        let mut add = |channel: usize, re: i64, im: i64| {
            if let Some(phasor) = phasors.get_mut(channel) {
                phasor.re = phasor.re.wrapping_add(re);
                phasor.im = phasor.im.wrapping_sub(im);
            }
        };
        // Each sum by its own loop, so that no register holds which one it is.
        let re = correlated(seen, |seen| (of::<N, 0>(seen), seen.cos));
        let im = correlated(seen, |seen| (of::<N, 0>(seen), seen.sin));
        add(0, re, im);
        if N == 2 {
            let re = correlated(seen, |seen| (of::<N, 1>(seen), seen.cos));
            let im = correlated(seen, |seen| (of::<N, 1>(seen), seen.sin));
            add(1, re, im);
        }
    }
    phasors
}

#[inline(always)]
fn of<const N: usize, const CHANNEL: usize>(seen: &Seen<N>) -> i32 {
    seen.sums.get(CHANNEL).copied().unwrap_or(0)
}

#[inline(never)]
fn correlated<const N: usize>(seen: &[Seen<N>], parts: impl Fn(&Seen<N>) -> (i32, i32)) -> i64 {
    let (mut upper, mut wrapped) = (0_i32, 0_i32);
    for seen in seen {
        let (y, turn) = parts(seen);
        upper = upper.wrapping_add((y >> CUT).wrapping_mul(turn));
        wrapped = wrapped.wrapping_add(y.wrapping_mul(turn));
    }
    joined(0, upper, wrapped.wrapping_sub(upper << CUT))
}

/// See [`wide`](super::wide::Products).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Products {
    straight: Product,
    delayed: Product,
}

impl Products {
    /// See [`wide`](super::wide::Products::one).
    #[inline]
    pub fn one(&mut self, last: i32, x: i32, y: i32) {
        self.straight.one(x, y);
        self.delayed.one(last, y);
    }

    /// See [`wide`](super::wide::Products::run).
    #[inline]
    pub fn run<S>(
        &mut self,
        voltages: &[S],
        currents: &[S],
        last: i32,
        u: impl Fn(&S) -> i32,
        i: impl Fn(&S) -> i32,
    ) {
        self.straight.run(voltages, currents, &u, &i);
        if let Some((first, later)) = currents.split_first() {
            self.delayed.one(last, i(first));
            self.delayed.run(voltages, later, u, i);
        }
    }

    /// See [`wide`](super::wide::Products::sums).
    pub const fn sums(&self) -> (i64, i64) {
        (self.straight.joined(), self.delayed.joined())
    }
}

/// Parts of Σ x·y, with x = 2^12 h + l and y = 2^12 g + k.
#[derive(Clone, Copy, Debug, Default)]
struct Product {
    /// Σ h·g.
    upper: i32,
    /// Σ x·y, wrapped.
    wrapped: i32,
    /// Σ (x + h)·(y + g), wrapped: one product tells x·g + h·y (after Karatsuba).
    crossed: i32,
}

impl Product {
    #[inline]
    fn one(&mut self, x: i32, y: i32) {
        let (h, g) = (x >> CUT, y >> CUT);
        self.upper = self.upper.wrapping_add(h.wrapping_mul(g));
        self.wrapped = self.wrapped.wrapping_add(x.wrapping_mul(y));
        let crossed = x.wrapping_add(h).wrapping_mul(y.wrapping_add(g));
        self.crossed = self.crossed.wrapping_add(crossed);
    }

    /// As many products as the shorter slice has sets.
    fn run<S>(
        &mut self,
        voltages: &[S],
        currents: &[S],
        u: impl Fn(&S) -> i32,
        i: impl Fn(&S) -> i32,
    ) {
        let mut sums = *self;
        for (voltage, current) in voltages.iter().zip(currents) {
            let (x, y) = (u(voltage), i(current));
            sums.upper = sums.upper.wrapping_add((x >> CUT).wrapping_mul(y >> CUT));
            sums.wrapped = sums.wrapped.wrapping_add(x.wrapping_mul(y));
        }
        for (voltage, current) in voltages.iter().zip(currents) {
            let (x, y) = (u(voltage), i(current));
            let crossed = x
                .wrapping_add(x >> CUT)
                .wrapping_mul(y.wrapping_add(y >> CUT));
            sums.crossed = sums.crossed.wrapping_add(crossed);
        }
        *self = sums;
    }

    const fn joined(&self) -> i64 {
        // Σ (x·g + h·y) = 2^13 Σ h·g + Σ (h·k + l·g), and Σ x·y has 2^12 Σ (h·k + l·g) and Σ l·k beside 2^24 Σ h·g.
        let crossed = self
            .crossed
            .wrapping_sub(self.wrapped)
            .wrapping_sub(self.upper);
        let middle = crossed.wrapping_sub(self.upper << (CUT + 1));
        let low = self
            .wrapped
            .wrapping_sub(self.upper << (2 * CUT))
            .wrapping_sub(middle << CUT);
        joined(self.upper, middle, low)
    }
}
