//! The oscillator of the synchronous detector: one cosine and sine for every pair of samples.
//!
//! A vector of 30 bits that turns by a constant angle from one value to the next. It starts anew at every edge, so
//! what rounding makes of its length and angle within a cycle stays below a millionth. What rounding to 15 bits
//! takes off one value is added to the next: so it turns into noise far above the fundamental.

use crate::kernel::{Seen, Turn, high};

/// One less than the limit of [`Turn`]: what is left of the last value comes on top.
const AMPLITUDE: i32 = Turn::LIMIT - 1;
/// Amplitude of the fundamental of [`Oscillator::turn`], Q16.
pub(crate) const AMPLITUDE_Q16: i64 = (AMPLITUDE as i64) << 16;
/// Bits of the vector below those of a [`Turn`].
const FINE: u32 = 15;
/// Half a unit of the values.
const HALF: i32 = 1 << (FINE - 1);

/// The vector and what it turns by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oscillator {
    /// At the middle of the open pair (or at the sample) that comes next.
    vector: Turn,
    /// From one value to the next.
    rotation: Rotation,
    /// What rounding left of the last values.
    left: Turn,
    /// Only the second sample of the pair is still to come.
    half: bool,
}

impl Oscillator {
    /// Phase zero at an edge that lies `1 − weight` (Q16) before the next sample; `odd` tells that this sample
    /// is the second of its pair. `step` is the turn of one sample, 2^-32; at most an eighth of a turn.
    pub fn new(step: u32, weight: u32, odd: bool, paired: bool) -> Self {
        // From the edge to the sample, and on or back to the middle of its pair.
        let middle = match (paired, odd) {
            (false, _) => 0,
            (true, false) => 1 << 15,
            (true, true) => -(1 << 15),
        };
        let distance = (1 << 16) - i64::from(weight) + middle;
        let start = Rotation::by(((i64::from(step) * distance) >> 16) as i32);
        let vector = Turn {
            cos: AMPLITUDE << FINE,
            sin: 0,
        };
        let left = Turn {
            cos: HALF,
            sin: HALF,
        };
        Self {
            vector: start.applied(vector),
            rotation: Rotation::by((if paired { step.wrapping_mul(2) } else { step }) as i32),
            left,
            half: paired && odd,
        }
    }

    /// Samples that come one by one before pairs begin, of a run of `samples`.
    pub fn single(&self, samples: usize, paired: bool) -> usize {
        if paired {
            usize::from(self.half).min(samples)
        } else {
            samples
        }
    }

    /// The value for the next sample.
    pub const fn turn(&self) -> Turn {
        Turn {
            cos: self.vector.cos.wrapping_add(self.left.cos) >> FINE,
            sin: self.vector.sin.wrapping_add(self.left.sin) >> FINE,
        }
    }

    /// Goes on by one sample.
    pub fn skip(&mut self, paired: bool) {
        if !paired || self.half {
            self.advance();
            self.half = false;
        } else {
            self.half = true;
        }
    }

    /// Goes on by `samples` and writes one value for each of them, or for each pair; returns how many.
    pub fn fill<const N: usize>(
        &mut self,
        samples: usize,
        paired: bool,
        seen: &mut [Seen<N>],
    ) -> usize {
        let single = self.single(samples, paired);
        let rest = samples - single;
        let whole = if paired { single + rest / 2 } else { samples };
        let (places, next) = seen.split_at_mut_checked(whole).unwrap_or_default();
        // A copy stays in registers.
        let mut oscillator = *self;
        for place in places {
            place.show(oscillator.turn());
            oscillator.advance();
        }
        *self = oscillator;
        self.half = paired && rest % 2 == 1;
        if let (true, Some(place)) = (self.half, next.first_mut()) {
            place.show(self.turn());
        }
        whole + usize::from(self.half)
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.left.cos = self.vector.cos.wrapping_add(self.left.cos) & ((1 << FINE) - 1);
        self.left.sin = self.vector.sin.wrapping_add(self.left.sin) & ((1 << FINE) - 1);
        self.vector = self.rotation.applied(self.vector);
    }
}

/// A rotation by less than a quarter of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rotation {
    /// Cosine less one, Q31: so that small angles keep all bits.
    cos_less_one: i32,
    /// Q31.
    sin: i32,
}

impl Rotation {
    /// By an angle in 2^-32 turn, up to 3/16 of a turn either way; error below 1e-8.
    fn by(turn: i32) -> Self {
        /// π/2 − 3/2, Q32.
        const BEYOND: i32 = 304_067_908;
        // A turn in 2^-32 is 2π in Q30 but for the factor π/2.
        let angle_q30 = turn
            .wrapping_add(turn >> 1)
            .wrapping_add(high(turn, BEYOND));
        let square_q30 = high(angle_q30, angle_q30).wrapping_mul(4);
        // Series of sine and 1 − cosine: each factor is 1 − x²/d times the next one. The d are given as 2^32/d.
        let series = |parts: [i32; 5]| {
            parts.iter().fold(1 << 30, |factor: i32, &part| {
                let next = high(high(square_q30, part), factor).wrapping_mul(4);
                (1_i32 << 30).wrapping_sub(next)
            })
        };
        // 110, 72, 42, 20, 6 and 132, 90, 56, 30, 12.
        let sine = series([
            39_045_157,
            59_652_323,
            102_261_126,
            214_748_364,
            715_827_882,
        ]);
        let versine = series([32_537_631, 47_721_858, 76_695_844, 143_165_576, 357_913_941]);
        Self {
            // x²/2 in Q31 is x² in Q30.
            cos_less_one: high(square_q30, versine).wrapping_mul(-4),
            sin: high(angle_q30, sine).wrapping_mul(8),
        }
    }

    #[inline(always)]
    fn applied(&self, v: Turn) -> Turn {
        let cos = high(v.cos, self.cos_less_one).wrapping_sub(high(v.sin, self.sin));
        let sin = high(v.sin, self.cos_less_one).wrapping_add(high(v.cos, self.sin));
        Turn {
            cos: v.cos.wrapping_add(cos.wrapping_mul(2)),
            sin: v.sin.wrapping_add(sin.wrapping_mul(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn values_are_those_of_a_sine_at_every_rate() {
        // From 600 Hz to 64 kHz, also where a cycle is a whole number of values.
        for count in [12_u64, 32, 64, 80, 97, 128, 800] {
            let step = ((1_u64 << 31) / count) as u32;
            let (mut re, mut im) = (0.0, 0.0);
            // As the meter has it: anew at every edge, wherever it lies.
            for weight in (0..1 << 16).step_by(6553) {
                let mut oscillator = Oscillator::new(step, weight, false, true);
                for n in 0..count {
                    let samples = 2.0 * n as f64 + 1.5 - f64::from(weight) / 65_536.0;
                    let angle =
                        samples * f64::from(step) / 4_294_967_296.0 * core::f64::consts::TAU;
                    let turn = oscillator.turn();
                    let (cos, sin) = (f64::from(turn.cos), f64::from(turn.sin));
                    re += cos * angle.cos() + sin * angle.sin();
                    im += cos * angle.sin() - sin * angle.cos();
                    for (got, want) in [(sin, angle.sin()), (cos, angle.cos())] {
                        assert!((got - 16_382.0 * want).abs() < 1.6, "{turn:?} {angle}");
                        assert!(got.abs() <= f64::from(Turn::LIMIT));
                    }
                    oscillator.skip(true);
                    oscillator.skip(true);
                }
            }
            let amplitude = AMPLITUDE_Q16 as f64 / 65_536.0 * 11.0 * count as f64;
            let (error, skew) = (re / amplitude - 1.0, im / amplitude);
            std::println!("{count}: {error:.1e} {skew:.1e}");
            assert!(error.abs() < 2e-6, "{count}: {error:.1e}");
            assert!(skew.abs() < 3e-5, "{count}: {skew:.1e}");
        }
    }

    #[test]
    fn values_do_not_depend_on_how_a_run_is_cut() {
        for (paired, odd) in [(false, false), (true, false), (true, true)] {
            let start = Oscillator::new(26_843_546, 12_345, odd, paired);
            let whole = {
                let mut oscillator = start;
                (0..101)
                    .map(|_| {
                        let turn = oscillator.turn();
                        oscillator.skip(paired);
                        turn
                    })
                    .collect::<Vec<_>>()
            };
            let mut oscillator = start;
            let mut at = 0;
            for length in [1, 2, 3, 7, 20, 31, 37] {
                let mut seen = [Seen::<1>::ZERO; 64];
                let single = oscillator.single(length, paired);
                let count = oscillator.fill(length, paired, &mut seen);
                let mut place = 0;
                while place < length {
                    let y = if place < single {
                        place
                    } else {
                        single + (place - single) / 2
                    };
                    assert!(y < count);
                    assert_eq!(
                        (seen[y].cos, seen[y].sin),
                        (whole[at + place].cos, whole[at + place].sin),
                        "{paired} {odd} {length} {place}"
                    );
                    place += 1;
                }
                at += length;
            }
        }
    }
}
