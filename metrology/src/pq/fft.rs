//! The transform of 2,048 real points, in place, in 32-bit integers.
//!
//! Radix 4 over pairs of points as complex numbers, a quarter at each of the five stages, so that nothing can
//! overflow: points of at most 2^28 stay below 2^28.5 in magnitude. Rounding is below one unit in all. The bins stay
//! where the stages leave them ([`place_of`]).

use super::resample::{Buffer, POINTS};
use super::trig::{STEPS, cosine_step, sine_step};

/// Complex numbers.
const LENGTH: usize = POINTS / 2;

type Complex = [i32; 2];

/// Product with a Q30 factor, over 4.
#[inline]
fn quarter(value: i32, factor: i32) -> i32 {
    ((i64::from(value) * i64::from(factor) + (1 << 31)) >> 32) as i32
}

/// Product of two Q30 numbers of magnitude one; two units of error at most.
#[inline]
fn product(x: Complex, y: Complex) -> Complex {
    // The halves of cos and sin come out rounded to Q28: four times that.
    [
        (quarter(x[0], y[0]) - quarter(x[1], y[1])) << 2,
        (quarter(x[0], y[1]) + quarter(x[1], y[0])) << 2,
    ]
}

/// z times (c - j s), over 4.
#[inline]
fn turned([re, im]: Complex, c: i32, s: i32) -> Complex {
    [
        quarter(re, c) + quarter(im, s),
        quarter(im, c) - quarter(re, s),
    ]
}

/// Transforms pairs of points; bin k afterwards holds amplitude and angle of k cycles in the window, in the
/// unit of the points: a cosine of amplitude A gives [A, 0], a sine [0, -A]. Bin 0 holds the mean and the
/// amplitude at half the point rate.
pub(crate) fn transform(data: &mut Buffer) {
    stage::<LENGTH>(data);
    stage::<{ LENGTH / 4 }>(data);
    stage::<{ LENGTH / 16 }>(data);
    stage::<{ LENGTH / 64 }>(data);
    for block in data.as_chunks_mut::<4>().0 {
        last(block);
    }
    split(data);
}

/// One stage over blocks of a length that the compiler knows, which keeps the four places of a butterfly in
/// reach of one address.
fn stage<const SIZE: usize>(data: &mut Buffer) {
    // A turn has 2,048 steps in the table.
    let (fourth, stride) = (SIZE / 4, STEPS / SIZE);
    for j in 0..fourth {
        let first = [cosine_step(j * stride), sine_step(j * stride)];
        let second = product(first, first);
        let factors = [first, second, product(second, first)];
        for block in data.as_chunks_mut::<SIZE>().0 {
            butterfly(block, j, &factors);
        }
    }
}

#[inline]
fn butterfly<const SIZE: usize>(block: &mut [Complex; SIZE], j: usize, factors: &[Complex; 3]) {
    let fourth = SIZE / 4;
    let at = |part: usize| block.get(part * fourth + j).copied().unwrap_or_default();
    let (a, b, c, d) = (at(0), at(1), at(2), at(3));
    let [s0, s1] = both(a, c);
    let [s2, s3] = both(b, d);
    let [[c1, w1], [c2, w2], [c3, w3]] = *factors;
    let mut put = |part: usize, value: Complex| {
        if let Some(place) = block.get_mut(part * fourth + j) {
            *place = value;
        }
    };
    put(0, [(s0[0] + s2[0] + 2) >> 2, (s0[1] + s2[1] + 2) >> 2]);
    put(2, turned([s0[0] - s2[0], s0[1] - s2[1]], c2, w2));
    put(1, turned([s1[0] + s3[1], s1[1] - s3[0]], c1, w1));
    put(3, turned([s1[0] - s3[1], s1[1] + s3[0]], c3, w3));
}

/// Sum and difference.
#[inline]
fn both(x: Complex, y: Complex) -> [Complex; 2] {
    [[x[0] + y[0], x[1] + y[1]], [x[0] - y[0], x[1] - y[1]]]
}

/// The last stage, which turns nothing.
#[inline]
fn last(block: &mut [Complex; 4]) {
    let [a, b, c, d] = *block;
    let over4 = |v: i32| (v + 2) >> 2;
    let [s0, s1] = both(a, c);
    let [s2, s3] = both(b, d);
    *block = [
        [over4(s0[0] + s2[0]), over4(s0[1] + s2[1])],
        [over4(s1[0] + s3[1]), over4(s1[1] - s3[0])],
        [over4(s0[0] - s2[0]), over4(s0[1] - s2[1])],
        [over4(s1[0] - s3[1]), over4(s1[1] + s3[0])],
    ];
}

/// Where bin k lies: at the reversed digits of its number in base 4. Nothing is moved; readers ask here.
#[inline]
pub(crate) fn place_of(bin: usize) -> usize {
    let reversed = (bin as u32).reverse_bits() >> 22;
    (((reversed & 0x155) << 1) | ((reversed & 0x2AA) >> 1)) as usize
}

/// Makes the bins of the real points out of those of the pairs.
fn split(data: &mut Buffer) {
    if let Some([re, im]) = data.first_mut() {
        (*re, *im) = ((*re + *im) >> 1, (*re - *im) >> 1);
    }
    for k in 1..=LENGTH / 2 {
        let (low, high) = (place_of(k), place_of(LENGTH - k));
        let (Some(&[ar, ai]), Some(&[br, bi])) = (data.get(low), data.get(high)) else {
            return;
        };
        // Even part, and odd part times -j; both doubled.
        let even = [ar + br, ai - bi];
        let odd = [ai + bi, br - ar];
        let (c, s) = (cosine_step(k), sine_step(k));
        // Over 2 in all, where the amplitude of one-sided bins wants it doubled again: over 1.
        let [tr, ti] = turned(odd, c, s).map(|v| v << 1);
        let half = [even[0] >> 1, even[1] >> 1];
        if let Some(place) = data.get_mut(low) {
            *place = [half[0] + tr, half[1] + ti];
        }
        if let Some(place) = data.get_mut(high) {
            *place = [half[0] - tr, ti - half[1]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::TAU;
    extern crate std;
    use std::vec::Vec;

    fn check(points: &[i32], bound: f64) {
        let mut data = super::super::resample::EMPTY_BUFFER;
        for (n, x) in points.iter().enumerate() {
            data[n / 2][n % 2] = *x;
        }
        transform(&mut data);
        for k in [1_usize, 2, 10, 37, 255, 500, 511, 512, 513, 600, 1000, 1023] {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in points.iter().enumerate() {
                let a = TAU * ((k * n) % POINTS) as f64 / POINTS as f64;
                re += f64::from(*x) * a.cos();
                im -= f64::from(*x) * a.sin();
            }
            let want = [re, im].map(|v| v / 1024.0);
            for (got, want) in data[place_of(k)].iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < bound, "{k}: {got} {want}");
            }
        }
    }

    #[test]
    fn bins_are_those_of_the_plain_sum() {
        let noise: Vec<i32> = (0..POINTS as i32)
            .map(|n| {
                n.wrapping_mul(747_796_405)
                    .wrapping_add(29)
                    .wrapping_mul(-1_403_630_843)
                    >> 3
            })
            .collect();
        check(&noise, 8.0);
        let full = 1 << 28;
        let square: Vec<i32> = (0..POINTS)
            .map(|n| if n / 7 % 2 == 0 { full } else { -full })
            .collect();
        check(&square, 8.0);
        check(&[full; POINTS], 8.0);
        let tone: Vec<i32> = (0..POINTS)
            .map(|n| (f64::from(full) * (TAU * 10.0 * n as f64 / 2048.0).sin()).round() as i32)
            .collect();
        check(&tone, 8.0);
    }
}
