//! The oscillator of the synchronous detector: one cosine and sine for every pair of samples.
//!
//! Lines between 64 points of a sine with the bow put back are right to a millionth, cheaper than a rotation
//! by 64-bit products, and do not drift. What rounding to 15 bits takes off one value is added to the next:
//! so it turns into noise far above the fundamental.

use crate::kernel::Turn;

/// sin(2πk/64) · [`AMPLITUDE`], Q8, and a quarter more for the cosine and the line beyond the last point.
#[rustfmt::skip]
const SINE: [i32; 81] = [
    0, 411063, 818168, 1217394, 1604895, 1976940, 2329946, 2660513, 2965459,
    3241845, 3487011, 3698594, 3874559, 4013209, 4113209, 4173598, 4193792, 4173598,
    4113209, 4013209, 3874559, 3698594, 3487011, 3241845, 2965459, 2660513, 2329946,
    1976940, 1604895, 1217394, 818168, 411063, 0, -411063, -818168, -1217394,
    -1604895, -1976940, -2329946, -2660513, -2965459, -3241845, -3487011, -3698594, -3874559,
    -4013209, -4113209, -4173598, -4193792, -4173598, -4113209, -4013209, -3874559, -3698594,
    -3487011, -3241845, -2965459, -2660513, -2329946, -1976940, -1604895, -1217394, -818168,
    -411063, 0, 411063, 818168, 1217394, 1604895, 1976940, 2329946, 2660513,
    2965459, 3241845, 3487011, 3698594, 3874559, 4013209, 4113209, 4173598, 4193792,
];
/// One less than the limit of [`Turn`]: the lines may exceed it by a part of a unit.
const AMPLITUDE: i32 = Turn::LIMIT - 1;
/// Amplitude of the fundamental of [`Oscillator::turn`], Q16: a millionth below [`AMPLITUDE`].
pub(crate) const AMPLITUDE_Q16: i64 = ((AMPLITUDE as i64) << 16) - 1074;
/// Half the square of an angle of 2π/64, Q20: what a line loses of a sine, times the distances to its ends.
const BOW: i32 = 5053;
/// Half a unit of the values, Q8.
const HALF: i32 = 1 << 7;

/// Phase and what it advances by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oscillator {
    /// Phase at the middle of the open pair (or at the sample) that comes next, 2^-32 turn.
    phase: u32,
    /// Turn of one sample.
    step: u32,
    /// The value there.
    now: Turn,
    /// What rounding left of the last values, Q8.
    left: Turn,
    /// Only the second sample of the pair is still to come.
    half: bool,
}

impl Oscillator {
    /// Phase zero at an edge that lies `1 − weight` (Q16) before the next sample; `odd` tells that this sample
    /// is the second of its pair.
    pub fn new(step: u32, weight: u32, odd: bool, paired: bool) -> Self {
        // From the edge to the sample, and on or back to the middle of its pair.
        let middle = match (paired, odd) {
            (false, _) => 0,
            (true, false) => 1 << 15,
            (true, true) => -(1 << 15),
        };
        let distance = (1 << 16) - i64::from(weight) + middle;
        let mut oscillator = Self {
            phase: ((i64::from(step) * distance) >> 16) as u32,
            step,
            now: Turn { cos: 0, sin: 0 },
            left: Turn {
                cos: HALF,
                sin: HALF,
            },
            half: paired && odd,
        };
        // Half of what `between` does not see.
        oscillator.advance(1 << 13);
        oscillator
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
        self.now
    }

    /// Goes on by one sample.
    pub fn skip(&mut self, paired: bool) {
        if !paired {
            self.advance(self.step);
        } else if self.half {
            self.advance(self.step.wrapping_mul(2));
            self.half = false;
        } else {
            self.half = true;
        }
    }

    /// Goes on by `samples` and writes one value for each of them, or for each pair; returns how many.
    pub fn fill(&mut self, samples: usize, paired: bool, turns: &mut [Turn]) -> usize {
        let single = self.single(samples, paired);
        let rest = samples - single;
        let mut places = turns.iter_mut();
        for place in places.by_ref().take(single) {
            *place = self.now;
            self.skip(paired);
        }
        // A copy stays in registers.
        let mut oscillator = *self;
        let step = self.step.wrapping_mul(2);
        for place in places.by_ref().take(rest / 2) {
            *place = oscillator.now;
            oscillator.advance(step);
        }
        *self = oscillator;
        if rest % 2 == 1 {
            if let Some(place) = places.next() {
                *place = self.now;
            }
            self.half = true;
        }
        single + rest.div_ceil(2)
    }

    #[inline]
    fn advance(&mut self, by: u32) {
        self.phase = self.phase.wrapping_add(by);
        let bow = bow(self.phase);
        self.left.cos += sine(self.phase.wrapping_add(1 << 30), bow);
        self.left.sin += sine(self.phase, bow);
        self.now = Turn {
            cos: self.left.cos >> 8,
            sin: self.left.sin >> 8,
        };
        self.left.cos &= 0xFF;
        self.left.sin &= 0xFF;
    }
}

/// How far the phase has come from one point to the next, Q12.
const fn between(phase: u32) -> i32 {
    ((phase >> 14) & 0xFFF) as i32
}

/// What a line lacks of the sine there, in parts of the line, Q20.
const fn bow(phase: u32) -> i32 {
    let from = between(phase);
    let square = (from * ((1 << 12) - from)) >> 8;
    (square * BOW) >> 16
}

/// Sine of an angle in 2^-32 turn times [`AMPLITUDE`], Q8. A quarter turn on the bow is the same.
#[inline]
fn sine(phase: u32, bow: i32) -> i32 {
    let at = (phase >> 26) as usize;
    let (Some(&from), Some(&to)) = (SINE.get(at), SINE.get(at + 1)) else {
        return 0;
    };
    let line = from + (((to - from) * between(phase)) >> 12);
    line + (((line >> 8) * bow) >> 12)
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn values_are_those_of_a_sine_at_every_rate() {
        // Also where the pairs of a cycle are a multiple of the table's points, or the other way round.
        for pairs in [32, 64, 80, 128, 97, 8192] {
            for weight in [0, 77, 1 << 15, 54_321] {
                let step = ((1_u64 << 31) / pairs) as u32;
                let mut oscillator = Oscillator::new(step, weight, false, true);
                let (mut re, mut im) = (0.0, 0.0);
                for n in 0..10 * pairs {
                    let samples = 2.0 * n as f64 + 1.5 - f64::from(weight) / 65_536.0;
                    let angle =
                        samples * f64::from(step) / 4_294_967_296.0 * core::f64::consts::TAU;
                    let turn = oscillator.turn();
                    let (cos, sin) = (f64::from(turn.cos), f64::from(turn.sin));
                    re += cos * angle.cos() + sin * angle.sin();
                    im += cos * angle.sin() - sin * angle.cos();
                    assert!(
                        (sin - 16_382.0 * angle.sin()).abs() < 1.6,
                        "{turn:?} {angle}"
                    );
                    assert!(
                        (cos - 16_382.0 * angle.cos()).abs() < 1.6,
                        "{turn:?} {angle}"
                    );
                    oscillator.skip(true);
                    oscillator.skip(true);
                }
                let amplitude = AMPLITUDE_Q16 as f64 / 65_536.0 * 10.0 * pairs as f64;
                let (error, skew) = (re / amplitude - 1.0, im / amplitude);
                assert!(error.abs() < 2e-6, "{pairs} {weight}: {error:.1e}");
                // Half of 2^-18 turn and the cubic part that lines with a bow lack; the same for every
                // channel, so no angle between two shows it.
                assert!(skew.abs() < 3e-5, "{pairs} {weight}: {skew:.1e}");
            }
        }
    }

    #[test]
    fn values_keep_the_limit() {
        for phase in 0..1 << 20 {
            let phase = phase << 12;
            let value = sine(phase, bow(phase)).abs() + 0xFF;
            assert!(value >> 8 <= Turn::LIMIT, "{phase}");
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
                let mut turns = [Turn::default(); 64];
                let single = oscillator.single(length, paired);
                let count = oscillator.fill(length, paired, &mut turns);
                let mut place = 0;
                while place < length {
                    let y = if place < single {
                        place
                    } else {
                        single + (place - single) / 2
                    };
                    assert!(y < count);
                    assert_eq!(
                        turns[y],
                        whole[at + place],
                        "{paired} {odd} {length} {place}"
                    );
                    place += 1;
                }
                at += length;
            }
        }
    }
}
