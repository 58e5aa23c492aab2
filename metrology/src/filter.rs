//! The decimating filter in front of the detector of zero crossings.

/// Ratio and scale of a decimator.
///
/// `R` samples make one output, weighted by the triangle of 2R − 1 samples (two boxcars): gain (sin(wR/2) /
/// (R sin(w/2)))² at angular frequency w, so images fold down with the square of f / fs·R. Samples lose the
/// bits that R² adds, and outputs keep 24 bits, whatever the samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    /// Samples per output, 1 to 40.
    pub samples: u32,
    /// Bits dropped from each sample: 2^shift is R² or more.
    pub shift: u32,
}

/// Bits dropped from each output: 32 to 25 with sign.
const OUTPUT_SHIFT: u32 = 7;

impl Ratio {
    pub const fn new(samples: u32) -> Self {
        Self {
            samples,
            shift: if samples < 2 {
                0
            } else {
                32 - (samples * samples - 1).leading_zeros()
            },
        }
    }

    /// What a constant of one count gives, Q16.
    pub const fn gain_q16(self) -> u32 {
        ((self.samples * self.samples) << (16 - OUTPUT_SHIFT)) >> self.shift
    }
}

/// Two running sums whose second differences are the outputs. All of it modulo 2^32: what overflows in the
/// sums cancels in the differences, which fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decimator {
    first: i32,
    second: i32,
    /// `second` at the last two outputs.
    before: [i32; 2],
}

impl Decimator {
    /// Takes samples that belong to one output.
    #[inline]
    pub fn push(&mut self, samples: impl Iterator<Item = i32>, ratio: Ratio) {
        let (mut first, mut second) = (self.first, self.second);
        for x in samples {
            first = first.wrapping_add(x >> ratio.shift);
            second = second.wrapping_add(first);
        }
        (self.first, self.second) = (first, second);
    }

    /// The output after its last sample; 24 bits and the sign.
    #[inline]
    pub fn output(&mut self) -> i32 {
        let [last, older] = self.before;
        let twice = last.wrapping_mul(2);
        let y = self.second.wrapping_sub(twice).wrapping_add(older);
        self.before = [self.second, last];
        y >> OUTPUT_SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn decimator_is_the_triangle_filter_for_any_samples() {
        for samples in [1_usize, 4, 7, 20, 40] {
            let ratio = Ratio::new(samples as u32);
            let mut signals = Vec::from([std::vec![i32::MAX; 800], std::vec![i32::MIN; 800]]);
            signals.push(
                (0..800_i32)
                    .map(|n| n.wrapping_mul(1_977_919_777))
                    .collect(),
            );
            for x in signals {
                let mut filter = Decimator::default();
                let mut before: &[i32] = &[];
                for group in x.chunks_exact(samples) {
                    filter.push(group.iter().copied(), ratio);
                    let scaled = |x: &i32| i64::from(x >> ratio.shift);
                    let rising = before.iter().zip(0..).map(|(x, j)| j * scaled(x));
                    let falling = group
                        .iter()
                        .zip(0..)
                        .map(|(x, j)| (samples as i64 - j) * scaled(x));
                    let sum = rising.sum::<i64>() + falling.sum::<i64>();
                    assert_eq!(i64::from(filter.output()), sum >> OUTPUT_SHIFT);
                    before = group;
                }
            }
        }
    }
}
