//! Kernels for cores that multiply 32 by 32 bits into 64.
//!
//! Sums wrap only when a sample lies outside of 24 bits, and then they are thrown away.

use super::{Phasor, Square, Turn, magnitude};

#[inline(always)]
const fn multiply_add(sum: i64, a: i32, b: i32) -> i64 {
    sum.wrapping_add((a as i64).wrapping_mul(b as i64))
}

/// Squares of one channel, and the sums of its pairs of samples for [`detect`]; the last "pair" of an odd
/// number is one sample.
pub(crate) fn squares<S>(
    sets: &[S],
    pick: impl Fn(&S) -> i32,
    margin: u32,
    single: usize,
    sums: &mut [i32],
) -> Square {
    let (mut squares, mut reach) = (0, 0);
    let mut next = |set| {
        let x = pick(set);
        squares = multiply_add(squares, x, x);
        reach |= magnitude(x).wrapping_add(margin);
        x
    };
    let (first, pairs) = sets.split_at_checked(single).unwrap_or((sets, &[]));
    let (alone, joined) = sums.split_at_mut_checked(single).unwrap_or_default();
    for (set, place) in first.iter().zip(alone) {
        *place = next(set);
    }
    // Two at a time: four spill registers, and leave a tail that costs more than they spare.
    let (two, one) = pairs.as_chunks::<2>();
    for ([a, b], place) in two.iter().zip(joined.iter_mut()) {
        *place = next(a).wrapping_add(next(b));
    }
    if let (Some(set), Some(place)) = (one.first(), joined.get_mut(two.len())) {
        *place = next(set);
    }
    Square { squares, reach }
}

/// Σ y e^(-jθ), and Σ y.
pub(crate) fn detect(sums: &[i32], turns: &[Turn]) -> (Phasor, i32) {
    // Not unrolled: four pairs at a time do not fit the registers.
    let (mut re, mut im, mut sum) = (0, 0, 0_i32);
    for (&y, turn) in sums.iter().zip(turns) {
        re = multiply_add(re, y, turn.cos);
        im = multiply_add(im, y, turn.sin);
        sum = sum.wrapping_add(y);
    }
    (
        Phasor {
            re,
            im: im.wrapping_neg(),
        },
        sum,
    )
}

/// Σ u·i, and Σ u·i with each u one set older; `last` is the u before the first set. Voltages and currents
/// come from slices of their own, of equal length: one is the other shifted where a channel is held back.
pub(crate) fn products<S>(
    voltages: &[S],
    currents: &[S],
    mut last: i32,
    u: impl Fn(&S) -> i32,
    i: impl Fn(&S) -> i32,
) -> (i64, i64) {
    let (mut straight, mut delayed) = (0, 0);
    let mut next = |voltage, current| {
        let (x, y) = (u(voltage), i(current));
        straight = multiply_add(straight, x, y);
        delayed = multiply_add(delayed, last, y);
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
    (straight, delayed)
}
