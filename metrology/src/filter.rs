//! Conditioning of samples and the decimating filter in front of both detectors.

use crate::sample::FULL_SCALE;

/// Limits a sample to 24 bits and takes its offset off; the flag tells that it reached the saturation level.
#[inline]
pub(crate) fn conditioned(x: i32, offset: i32, saturation: i32) -> (i32, bool) {
    let limited = x.clamp(-FULL_SCALE, FULL_SCALE);
    (
        (limited - offset).clamp(-FULL_SCALE, FULL_SCALE),
        limited.abs() >= saturation,
    )
}

/// Ratio and scale shared by all decimators of a meter.
///
/// `R` samples make one output: y[k] = Σ h(kR − n) x[n] / 2^shift with the triangle h of 2R − 1 samples
/// (two boxcars). Gain at zero is R² / 2^shift, from 1 to below 4; at angular frequency w it is smaller by
/// (sin(wR/2) / (R sin(w/2)))², and images fold down with the square of f / fs·R.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    /// Samples per output, 1 to 20.
    pub samples: u32,
    /// Bits dropped from each output.
    pub shift: u32,
}

impl Ratio {
    pub const fn new(samples: u32) -> Self {
        Self {
            samples,
            shift: 2 * (31 - samples.leading_zeros()),
        }
    }
}

/// State of one decimator. The caller counts samples, because all channels run in step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decimator {
    /// Σ x of this group; at most 20 · 2^23.
    first: i32,
    /// Σ (R − j + 1) x[j] of this group; at most 210 · 2^23.
    second: i32,
    /// Rising half of the triangle, Σ j x[j], of the group before.
    rising: i64,
}

impl Decimator {
    #[inline]
    pub fn push(&mut self, x: i32) {
        self.first = self.first.wrapping_add(x);
        self.second = self.second.wrapping_add(self.first);
    }

    /// Output after the last sample of a group.
    #[inline]
    pub fn output(&mut self, ratio: Ratio) -> i32 {
        let (first, second) = (i64::from(self.first), i64::from(self.second));
        let sum = self.rising + second - first;
        self.rising = (i64::from(ratio.samples) + 1) * first - second;
        (self.first, self.second) = (0, 0);
        shifted(sum, ratio.shift)
    }

    /// Output of a group cut short after `have` samples, as if zeros followed.
    pub fn padded(&mut self, have: u32, ratio: Ratio) -> i32 {
        let missing = ratio.samples.saturating_sub(have) as i32;
        self.second = self.second.wrapping_add(self.first.wrapping_mul(missing));
        self.output(ratio)
    }

    /// The last output, when only zeros follow; leaves the filter empty.
    pub fn drained(&mut self, ratio: Ratio) -> i32 {
        let last = shifted(self.rising, ratio.shift);
        *self = Self::default();
        last
    }
}

/// Right shift rounded to nearest.
#[inline]
fn shifted(value: i64, shift: u32) -> i32 {
    if shift == 0 {
        value as i32
    } else {
        ((value + (1 << (shift - 1))) >> shift) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn decimator_is_the_triangle_filter() {
        for samples in [1_usize, 4, 7, 20] {
            let ratio = Ratio::new(samples as u32);
            let x: Vec<i32> = (0..200_i32)
                .map(|n| n.wrapping_mul(7_919_777).rem_euclid(FULL_SCALE))
                .collect();
            let mut filter = Decimator::default();
            let mut before: &[i32] = &[];
            for group in x.chunks_exact(samples) {
                group.iter().for_each(|&x| filter.push(x));
                let rising = before
                    .iter()
                    .enumerate()
                    .map(|(j, &x)| (j as i64 + 1) * i64::from(x));
                let falling = group
                    .iter()
                    .enumerate()
                    .map(|(j, &x)| (samples - 1 - j) as i64 * i64::from(x));
                let sum = rising.sum::<i64>() + falling.sum::<i64>();
                assert_eq!(filter.output(ratio), shifted(sum, ratio.shift));
                before = group;
            }
        }
    }
}
