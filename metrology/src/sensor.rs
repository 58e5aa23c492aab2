//! Current sensors whose signal is not the current: the integrator behind a Rogowski coil.
//!
//! Shunts and current transformers give the current itself; their small errors are constants of the
//! calibration (gain, angle, [`Curve`](crate::Curve), [`Drift`](crate::Drift)).

use crate::angle::sin_cos;
use crate::calibration::{CalibrationError, Rule, bad};
use crate::division::rounded_div;
use crate::sample::{FULL_SCALE, Sample};

/// Half of the weights by which the integral over one sample interval follows from the ten samples around it
/// (a trapezoid has one half and zeros), Q30: least maximum error up to 0.6 of half the sample rate.
const WEIGHTS: [i64; 5] = [
    620_992_189,
    -115_444_400,
    42_161_863,
    -13_390_711,
    2_553_166,
];
/// Samples in the taps.
const TAPS: usize = 10;
/// Bits of fraction in the integrator's states.
const FRACTION: u32 = 30;

/// Constants of an integrator: what the rate of change of a current was, the current is again.
///
/// ```text
///                    ten taps          leaky sum
/// x = di/dt ──> Σ c_k (x[n−k] + …) ──> y ──┬─> current, a quarter of x at the nominal frequency
///                                      ^   │
///                                      └ − servo: holds the mean at zero
/// ```
/// The taps are symmetrical, so the phase is that of the ideal integrator at every frequency, except for a
/// delay of [`Rogowski::DELAY`] whole samples that belongs into `PhaseParameters::delay_ns`. Their amplitude
/// errs by less than 0.01 % below 0.1, 0.07 % below 0.6 of half the sample rate: order 40 of 60 Hz at 8 kHz.
///
/// The servo is a low-pass and a second integrator in the feedback. It removes offsets of the converter
/// wholly, and its effect on the phase falls with the cube of frequency: below 0.0001° at 45 Hz, where a plain
/// leak with the same time constant of about 3 s would shift by 0.1° and more.
///
/// The gain of a quarter leaves room: no signal of the nominal frequency saturates the output, not even a
/// square wave of full scale from rest. The scale of the current channel in `Parameters::current_na` is that
/// of the integrated counts, four times that of the coil's counts at the nominal frequency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rogowski {
    /// Weights with the gain, Q30.
    taps: [i32; 5],
    /// The servo's rate is 2^-leak per sample, 0.5 to 1 per second.
    leak: u32,
}

/// The servo works 2^10 times in the time of its rate, about once a millisecond.
const SERVO: u32 = 10;

impl Rogowski {
    /// Whole samples by which the integral comes late.
    pub const DELAY: u32 = 4;

    /// An integrator for this sample rate (600,000 to 64,000,000 mHz) and nominal frequency (40,000 to
    /// 75,000 mHz).
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] for a rate or frequency outside its range.
    pub fn try_new(sample_rate_mhz: u32, nominal_mhz: u32) -> Result<Self, CalibrationError> {
        for (name, value, min, max) in [
            ("sample_rate_mhz", sample_rate_mhz, 600_000, 64_000_000),
            ("nominal_mhz", nominal_mhz, 40_000, 75_000),
        ] {
            if !(min..=max).contains(&i64::from(value)) {
                return Err(bad(name, None, Rule::Range { min, max }));
            }
        }
        let leak = (sample_rate_mhz / 1000)
            .next_power_of_two()
            .trailing_zeros();
        // Half the angle of the nominal frequency per sample, w/2.
        let half = ((u64::from(nominal_mhz) << 31) / u64::from(sample_rate_mhz.max(1))) as u32;
        let (sine, _) = sin_cos(half);
        let sine = i128::from(sine);
        let mut sum = 0;
        for (weight, k) in WEIGHTS.iter().zip(0_u32..) {
            let (_, cosine) = sin_cos(half.wrapping_mul(2 * k + 1));
            sum += i128::from(*weight) * i128::from(cosine);
        }
        // The gain of taps and sum is Σ c_k cos((k + 1/2) w) / sin(w/2); the servo lifts it by
        // 1 + 4 (2^-leak / w)², where w² is 4 sin²(w/2).
        let square = (1_i128 << (120 - 2 * leak)).checked_div(sine * sine);
        let lift = (1 << 60) + square.unwrap_or(0);
        let mut taps = [0; 5];
        for (tap, weight) in taps.iter_mut().zip(WEIGHTS) {
            // Q30: weight Q30 · sine Q30 / (4 · sum Q60 · lift Q60).
            let gained = rounded_div((i128::from(weight) * sine) << 60, lift);
            *tap = rounded_div(gained << 28, sum) as i32;
        }
        Ok(Self { taps, leak })
    }

    /// The delay as a constant of the calibration, nanoseconds.
    #[must_use]
    pub const fn delay_ns(sample_rate_mhz: u32) -> i32 {
        let rate = if sample_rate_mhz == 0 {
            1
        } else {
            sample_rate_mhz as i64
        };
        let delay = (Self::DELAY as i64 * 1_000_000_000_000 + rate / 2) / rate;
        if delay > i32::MAX as i64 {
            i32::MAX
        } else {
            delay as i32
        }
    }

    /// Integrates the currents of a block in place, each phase with its own state.
    pub fn integrate<const PHASES: usize>(
        &self,
        states: &mut [Integrator; PHASES],
        block: &mut [Sample<PHASES>],
    ) {
        for sample in block {
            for (state, current) in states.iter_mut().zip(&mut sample.i) {
                *current = state.next(self, *current);
            }
        }
    }
}

/// State of one integrated channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Integrator {
    /// The last ten samples twice, so that they always stand in one row from `at` + 1 on.
    ring: [i32; 2 * TAPS],
    at: usize,
    /// The integral, counts Q30.
    sum: i64,
    /// Its slow part.
    low: i64,
    /// The integral of the slow part, as it is taken off with every sample.
    drift: i64,
    /// What the servo takes off with every sample.
    pull: i64,
    /// Samples since the servo worked.
    count: u32,
}

impl Integrator {
    /// Takes the next sample of the coil, gives the current of [`Rogowski::DELAY`] samples ago.
    ///
    /// Any sequence of samples is survived: states stop at the ends of their range.
    pub fn next(&mut self, rogowski: &Rogowski, sample: i32) -> i32 {
        let x = sample.clamp(-FULL_SCALE, FULL_SCALE);
        self.at = if self.at + 1 < TAPS { self.at + 1 } else { 0 };
        for at in [self.at, self.at + TAPS] {
            if let Some(place) = self.ring.get_mut(at) {
                *place = x;
            }
        }
        // The newest sample stands at `at` + TAPS, the ring's second half.
        let row = self.ring.get(self.at + 1..);
        let step = match row.and_then(|row| row.first_chunk::<TAPS>()) {
            Some([a, b, c, d, e, f, g, h, i, j]) => {
                let pairs = [e + f, d + g, c + h, b + i, a + j];
                let products = rogowski.taps.iter().zip(pairs);
                products
                    .map(|(tap, pair)| i64::from(*tap) * i64::from(pair))
                    .sum()
            }
            None => 0_i64,
        };
        // The servo keeps the sum below 2^61; a step has at most 2^53, the pull 2^55, and at most 64 samples
        // pass before it works again.
        self.sum += step - self.pull;
        self.count += 1;
        if self.count >> rogowski.leak.saturating_sub(SERVO) != 0 {
            self.count = 0;
            self.servo(rogowski.leak);
        }
        let current = (self.sum + (1 << (FRACTION - 1))) >> FRACTION;
        current.clamp(-i64::from(FULL_SCALE), FULL_SCALE.into()) as i32
    }

    fn servo(&mut self, leak: u32) {
        self.sum = self.sum.clamp(-(1 << 61), 1 << 61);
        let apart = self.sum.saturating_sub(self.low);
        self.low = self.low.saturating_add(rounded_shift(apart, SERVO - 2));
        let more = rounded_shift(self.low, leak + SERVO + 2);
        self.drift = self.drift.saturating_add(more);
        let pull = rounded_shift(self.low, leak).saturating_add(self.drift);
        self.pull = pull.clamp(-(1 << 55), 1 << 55);
    }
}

/// Right shift rounded to nearest; the shift is at least one.
const fn rounded_shift(value: i64, shift: u32) -> i64 {
    value.saturating_add(1 << (shift - 1)) >> shift
}
