//! Kernels for cores that multiply 32 by 32 bits into 64.
//!
//! Sums wrap only when a sample lies outside of 24 bits, and then they are thrown away.

use super::{Phasor, Seen, Square, pairs};

#[inline(always)]
const fn multiply_add(sum: i64, a: i32, b: i32) -> i64 {
    sum.wrapping_add((a as i64).wrapping_mul(b as i64))
}

/// Upper half of a product, rounded down.
#[inline(always)]
pub(crate) const fn high(a: i32, b: i32) -> i32 {
    ((a as i64).wrapping_mul(b as i64) >> 32) as i32
}

/// Squares and sum of one channel; the sums of its pairs of samples go to `channel` of `seen` for [`detect`].
/// `single` samples come one by one before pairs begin; the last "pair" of an odd number is one sample.
#[inline(never)]
pub(crate) fn squares<S, const N: usize>(
    sets: &[S],
    pick: impl Fn(&S) -> i32,
    margin: u32,
    single: usize,
    channel: usize,
    seen: &mut [Seen<N>],
) -> Square {
    let mut squares = 0;
    let (sum, reach) = pairs(sets, margin, single, channel, seen, |set| {
        let x = pick(set);
        squares = multiply_add(squares, x, x);
        x
    });
    Square {
        squares,
        sum,
        reach,
    }
}

/// Σ y e^(-jθ) of every channel; of two at most, whose sums stay in registers.
pub(crate) fn detect<const N: usize>(seen: &[Seen<N>]) -> [Phasor; N] {
    const { assert!(N <= 2) }
    let (mut first, mut second) = (Phasor::default(), Phasor::default());
    for &Seen { cos, sums, sin } in seen {
        let [y, z] = core::array::from_fn(|channel| sums.get(channel).copied().unwrap_or(0));
        first.re = multiply_add(first.re, y, cos);
        second.re = multiply_add(second.re, z, cos);
        first.im = multiply_add(first.im, y, sin);
        second.im = multiply_add(second.im, z, sin);
    }
    core::array::from_fn(|channel| {
        let Phasor { re, im } = if channel == 0 { first } else { second };
        Phasor {
            re,
            im: im.wrapping_neg(),
        }
    })
}

/// Σ u·i, and Σ u·i with each u one set older.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Products {
    straight: i64,
    delayed: i64,
}

impl Products {
    /// Adds one set; `last` is the voltage before it.
    #[inline(always)]
    pub fn one(&mut self, last: i32, x: i32, y: i32) {
        self.straight = multiply_add(self.straight, x, y);
        self.delayed = multiply_add(self.delayed, last, y);
    }

    /// Adds sets; `last` is the voltage before the first. Voltages and currents come from slices of their own,
    /// of equal length: one is the other shifted where a channel is held back.
    #[inline(always)]
    pub fn run<S>(
        &mut self,
        voltages: &[S],
        currents: &[S],
        mut last: i32,
        u: impl Fn(&S) -> i32,
        i: impl Fn(&S) -> i32,
    ) {
        let mut sums = *self;
        let mut next = |voltage, current| {
            let x = u(voltage);
            sums.one(last, x, i(current));
            last = x;
        };
        let (us, u_rest) = voltages.as_chunks::<2>();
        let (is, i_rest) = currents.as_chunks::<2>();
        for ([a, b], [c, d]) in us.iter().zip(is) {
            next(a, c);
            next(b, d);
        }
        for (voltage, current) in u_rest.iter().zip(i_rest) {
            next(voltage, current);
        }
        *self = sums;
    }

    /// Both sums.
    pub const fn sums(&self) -> (i64, i64) {
        (self.straight, self.delayed)
    }
}
