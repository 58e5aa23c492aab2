//! The transform of 2,048 real points, in place, in 32-bit integers.
//!
//! Radix 4 over pairs of points as complex numbers, a quarter at each of the five stages, so that nothing can
//! overflow: points of at most 2^28 stay below 2^29 in magnitude. Rounding is below one unit in all.

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
    let mut size = LENGTH;
    while size >= 4 {
        let fourth = size / 4;
        // A turn has 2,048 steps in the table.
        let stride = STEPS / size;
        for j in 0..fourth {
            let factors = [1, 2, 3].map(|m| {
                let step = m * j * stride;
                (cosine_step(step), sine_step(step))
            });
            for block in data.chunks_exact_mut(size) {
                butterfly(block, j, fourth, &factors);
            }
        }
        size = fourth;
    }
    reorder(data);
    split(data);
}

#[inline]
fn butterfly(block: &mut [Complex], j: usize, fourth: usize, factors: &[(i32, i32); 3]) {
    let places = block.get_disjoint_mut([j, j + fourth, j + 2 * fourth, j + 3 * fourth]);
    // The four places lie inside the block by its length.
    let Ok([a, b, c, d]) = places else { return };
    let sum = |x: &Complex, y: &Complex| [x[0] + y[0], x[1] + y[1]];
    let less = |x: &Complex, y: &Complex| [x[0] - y[0], x[1] - y[1]];
    let (s0, s1, s2, s3) = (sum(a, c), less(a, c), sum(b, d), less(b, d));
    let [(c1, w1), (c2, w2), (c3, w3)] = *factors;
    *a = [(s0[0] + s2[0] + 2) >> 2, (s0[1] + s2[1] + 2) >> 2];
    *b = turned([s1[0] + s3[1], s1[1] - s3[0]], c1, w1);
    *c = turned([s0[0] - s2[0], s0[1] - s2[1]], c2, w2);
    *d = turned([s1[0] - s3[1], s1[1] + s3[0]], c3, w3);
}

/// Puts the results, which lie by the reversed digits of their number in base 4, in order.
fn reorder(data: &mut Buffer) {
    for k in 0..LENGTH as u32 {
        let reversed = k.reverse_bits() >> 22;
        let digits = ((reversed & 0x155) << 1) | ((reversed & 0x2AA) >> 1);
        if digits > k {
            data.swap(k as usize, digits as usize);
        }
    }
}

/// Makes the bins of the real points out of those of the pairs.
fn split(data: &mut Buffer) {
    if let Some([re, im]) = data.first_mut() {
        (*re, *im) = ((*re + *im) >> 1, (*re - *im) >> 1);
    }
    for k in 1..=LENGTH / 2 {
        let (Some(&[ar, ai]), Some(&[br, bi])) = (data.get(k), data.get(LENGTH - k)) else {
            return;
        };
        // Even part, and odd part times -j; both doubled.
        let even = [ar + br, ai - bi];
        let odd = [ai + bi, br - ar];
        let (c, s) = (cosine_step(k), sine_step(k));
        // Over 2 in all, where the amplitude of one-sided bins wants it doubled again: over 1.
        let [tr, ti] = turned(odd, c, s).map(|v| v << 1);
        let half = [even[0] >> 1, even[1] >> 1];
        if let Some(place) = data.get_mut(k) {
            *place = [half[0] + tr, half[1] + ti];
        }
        if let Some(place) = data.get_mut(LENGTH - k) {
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
            for (got, want) in data[k].iter().zip(want) {
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
