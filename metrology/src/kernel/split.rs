//! Kernels for cores that multiply 32 by 32 bits into 32 only.
//!
//! A sample is h · 2^12 + l with 0 <= l < 2^12 and |h| <= 2^11, so a product is three or four products of at
//! most 24 bits, and 64 of them fit 32 bits: (2 · 2^11 · 2^12) · 64 = 2^30. One sum to a loop, because eight
//! registers hold no more.

use super::{CHUNK, Phasor, Square, Turn, magnitude};

#[inline(always)]
const fn halves(x: i32) -> (i32, i32) {
    (x >> 12, x & 0xFFF)
}

/// High, middle and low half products put together.
const fn joined(high: i32, middle: i32, low: i32) -> i64 {
    ((high as i64) << 24)
        .wrapping_add((middle as i64) << 12)
        .wrapping_add(low as i64)
}

/// See [`wide`](super::wide::squares).
pub(crate) fn squares<S>(
    sets: &[S],
    pick: impl Fn(&S) -> i32,
    margin: u32,
    single: usize,
    sums: &mut [i32],
) -> Square {
    let (mut high, mut middle, mut low) = (0_i32, 0_i32, 0_i32);
    for set in sets {
        let (h, l) = halves(pick(set));
        high = high.wrapping_add(h.wrapping_mul(h));
        middle = middle.wrapping_add(h.wrapping_mul(l));
        low = low.wrapping_add(l.wrapping_mul(l));
    }
    let mut reach = 0;
    let mut next = |set| {
        let x = pick(set);
        reach |= magnitude(x).wrapping_add(margin);
        x
    };
    let (first, pairs) = sets.split_at_checked(single).unwrap_or((sets, &[]));
    let mut places = sums.iter_mut();
    for (set, place) in first.iter().zip(&mut places) {
        *place = next(set);
    }
    let (two, one) = pairs.as_chunks::<2>();
    for ([a, b], place) in two.iter().zip(&mut places) {
        *place = next(a).wrapping_add(next(b));
    }
    for (set, place) in one.iter().zip(places) {
        *place = next(set);
    }
    Square {
        squares: joined(high, middle.wrapping_mul(2), low),
        reach,
    }
}

/// See [`wide`](super::wide::detect).
pub(crate) fn detect(sums: &[i32], turns: &[Turn]) -> (Phasor, i32) {
    let (mut phasor, mut sum) = (Phasor::default(), 0_i32);
    // Half products with the oscillator have 26 bits: half a chunk of them fits.
    for (sums, turns) in sums.chunks(CHUNK / 2).zip(turns.chunks(CHUNK / 2)) {
        let re = correlated(sums, turns, |turn| turn.cos);
        let im = correlated(sums, turns, |turn| turn.sin);
        phasor.re = phasor.re.wrapping_add(re);
        phasor.im = phasor.im.wrapping_sub(im);
        sum = sums.iter().fold(sum, |sum, y| sum.wrapping_add(*y));
    }
    (phasor, sum)
}

fn correlated(sums: &[i32], turns: &[Turn], part: impl Fn(&Turn) -> i32) -> i64 {
    let (mut high, mut low) = (0_i32, 0_i32);
    for (&y, turn) in sums.iter().zip(turns) {
        let (h, l) = halves(y);
        let turn = part(turn);
        high = high.wrapping_add(h.wrapping_mul(turn));
        low = low.wrapping_add(l.wrapping_mul(turn));
    }
    joined(0, high, low)
}

/// See [`wide`](super::wide::products).
pub(crate) fn products<S>(
    voltages: &[S],
    currents: &[S],
    last: i32,
    u: impl Fn(&S) -> i32,
    i: impl Fn(&S) -> i32,
) -> (i64, i64) {
    let mut straight = Product::default();
    for (voltage, current) in voltages.iter().zip(currents) {
        straight.add(u(voltage), i(current));
    }
    let mut delayed = Product::default();
    if let Some((first, later)) = currents.split_first() {
        delayed.add(last, i(first));
        for (voltage, current) in voltages.iter().zip(later) {
            delayed.add(u(voltage), i(current));
        }
    }
    (straight.joined(), delayed.joined())
}

/// Half products of two channels.
#[derive(Default)]
struct Product {
    high: i32,
    middle: i32,
    low: i32,
}

impl Product {
    #[inline(always)]
    fn add(&mut self, x: i32, y: i32) {
        let ((h, l), (g, k)) = (halves(x), halves(y));
        self.high = self.high.wrapping_add(h.wrapping_mul(g));
        let middle = h.wrapping_mul(k).wrapping_add(l.wrapping_mul(g));
        self.middle = self.middle.wrapping_add(middle);
        self.low = self.low.wrapping_add(l.wrapping_mul(k));
    }

    const fn joined(&self) -> i64 {
        joined(self.high, self.middle, self.low)
    }
}
