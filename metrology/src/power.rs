//! Quantities of one window, from its sums.
//!
//! Active power is wide band, reactive power that of the fundamental (IEC 62053-24: Q1 = U1 I1 sin φ1,
//! positive when the current lags). Everything is an exact integer in millionths of its unit, rounded to
//! nearest once.

use crate::angle::{angle_of, sin_cos};
use crate::calibration::{Calibration, DcPower, Derived, PhaseParameters};
use crate::compensation::Correction;
use crate::division::{divided, rounded_div};
use crate::energy::Portion;
use crate::oscillator::AMPLITUDE_Q16;
use crate::quantities::{Flags, Quantities, power_factor};
use crate::rms::{apparent_raw, mean_micro, rms_micro, root_micro, square_root};
use crate::window::{PhaseSums, Sums};

/// A closed window as the meter hands it over.
pub(crate) struct Closed<'a, const PHASES: usize> {
    pub sums: &'a Sums<PHASES>,
    pub cycles: u16,
    /// All its cycles ended at crossings one period apart.
    pub synchronous: bool,
    pub number: u64,
    /// Temperature above the reference, millikelvin.
    pub warmth_mk: i32,
}

/// A voltage and a current: constants, what follows from them, and sums.
pub(crate) struct Pair<'a> {
    pub constants: &'a PhaseParameters,
    pub derived: &'a Derived,
    pub sums: &'a PhaseSums,
}

/// Angle of the fundamental per sample, 2^-32 turn, and frequency in millihertz.
pub(crate) struct Rotation {
    pub turn: u32,
    pub frequency_mhz: u32,
}

/// Q30 weights of the two product sums that turn the phase error back (gains included):
/// u(t − r) = α u[n] + β u[n − 1] with β = sin r / sin w, α = cos r − β cos w, exact at the fundamental.
pub(crate) struct Weights {
    pub straight: i64,
    pub delayed: i64,
}

impl Weights {
    /// Delays the voltage by the angle `rest` of the fundamental, whose samples are `turn` apart (2^-32 turn).
    pub fn turning(rest: i128, turn: u32, gain: i128) -> Self {
        let (sin_r, cos_r) = sin_cos(rest as u32);
        let (sin_w, cos_w) = sin_cos(turn);
        let beta = rounded_signed(i128::from(sin_r) << 30, i128::from(sin_w));
        let alpha = i128::from(cos_r) - ((beta * i128::from(cos_w) + (1 << 29)) >> 30);
        let scaled = |weight: i128| ((weight * gain + (1 << 29)) >> 30) as i64;
        Self {
            straight: scaled(alpha),
            delayed: scaled(beta),
        }
    }
}

impl<const PHASES: usize> Closed<'_, PHASES> {
    pub fn rotation(&self, calibration: &Calibration<PHASES>) -> Rotation {
        let p = calibration.parameters();
        let rate = u64::from(p.sample_rate_mhz).max(1);
        let turn = if self.synchronous {
            divided(u128::from(self.cycles) << 48, self.sums.length.into())
        } else {
            divided(u128::from(p.nominal_mhz) << 32, rate.into())
        };
        let frequency_mhz = (turn * u128::from(rate) + (1 << 31)) >> 32;
        Rotation {
            turn: u32::try_from(turn).unwrap_or(u32::MAX),
            frequency_mhz: u32::try_from(frequency_mhz).unwrap_or(u32::MAX),
        }
    }

    /// The constants of every phase as they hold in this window.
    pub fn corrections(&self, calibration: &Calibration<PHASES>) -> [Correction; PHASES] {
        let p = calibration.parameters();
        core::array::from_fn(|index| {
            let (Some(constants), Some(sums)) = (p.phase.get(index), self.sums.phase.get(index))
            else {
                return Correction::NONE;
            };
            Correction::new(constants, self.warmth_mk, |gain| {
                let variance = sums
                    .i
                    .variance_q32(self.sums.length, constants.current_noise);
                rms_micro(variance, gain, p.current_na)
            })
        })
    }

    /// Weights of a phase's products while the fundamental turns so.
    pub fn weights(derived: &Derived, correction: &Correction, rotation: &Rotation) -> Weights {
        let gain = i128::from(correction.power_gain);
        if !derived.delayed {
            return Weights {
                straight: correction.power_gain as i64,
                delayed: 0,
            };
        }
        let held = derived.voltage_hold as i128 - derived.current_hold as i128;
        let rest = correction.lag(rotation.frequency_mhz) - held * i128::from(rotation.turn);
        Weights::turning(rest, rotation.turn, gain)
    }

    /// Voltage and current of a phase.
    fn pair<'a>(&'a self, calibration: &'a Calibration<PHASES>, phase: usize) -> Option<Pair<'a>> {
        Some(Pair {
            constants: calibration.parameters().phase.get(phase)?,
            derived: calibration.derived.get(phase)?,
            sums: self.sums.phase.get(phase)?,
        })
    }

    /// Active energy of a voltage and a current in raw units (count² Q30 times samples), and what of the
    /// offsets' part the next window has to take.
    pub fn active_raw(
        &self,
        calibration: &Calibration<PHASES>,
        pair: &Pair<'_>,
        correction: &Correction,
        rotation: &Rotation,
    ) -> (i128, i32) {
        let Pair {
            constants,
            derived,
            sums,
        } = pair;
        let weights = Self::weights(derived, correction, rotation);
        let mut raw = i128::from(sums.straight) * i128::from(weights.straight)
            + i128::from(sums.delayed) * i128::from(weights.delayed);
        let both = i128::from(weights.straight) + i128::from(weights.delayed);
        let length = self.sums.length;
        let mut rest = 0;
        if calibration.parameters().dc_power == DcPower::Removed {
            // Σu · Σi / N; sums and length have 16 fractional bits each.
            let product = i128::from(sums.u.sum) * i128::from(sums.i.sum);
            let mean = rounded_div(product, i128::from(length) << 16);
            raw -= mean * both;
        } else {
            // Σ (u − a)(i − b) = Σ u·i − a Σi − b Σu + a b N.
            let (a, b) = (constants.voltage_offset, constants.current_offset);
            let (a, b) = (i128::from(a), i128::from(b));
            let offsets = a * i128::from(sums.i.sum) + b * i128::from(sums.u.sum)
                - a * b * i128::from(length)
                + i128::from(sums.offset_rest);
            // Whole count² now, the fraction that an edge leaves to the next window: nothing is lost.
            let whole = (offsets + (1 << 15)) >> 16;
            rest = (offsets - (whole << 16)) as i32;
            raw -= whole * both;
        }
        let raw = raw + ((derived.offset * i128::from(length) + (1 << 15)) >> 16);
        (raw, rest)
    }

    /// Raw energy of every phase so far.
    pub fn open_raw(&self, calibration: &Calibration<PHASES>) -> [i128; PHASES] {
        let rotation = self.rotation(calibration);
        let corrections = self.corrections(calibration);
        core::array::from_fn(|phase| {
            match (self.pair(calibration, phase), corrections.get(phase)) {
                (Some(pair), Some(correction)) => {
                    self.active_raw(calibration, &pair, correction, &rotation).0
                }
                _ => 0,
            }
        })
    }

    /// Works the window out.
    pub fn quantities(
        &self,
        calibration: &Calibration<PHASES>,
    ) -> (Quantities<PHASES>, [Portion; PHASES]) {
        let p = calibration.parameters();
        let rotation = self.rotation(calibration);
        let corrections = self.corrections(calibration);
        let length = self.sums.length;
        let fundamental = Fundamental::new(calibration, &rotation, length);
        let mut quantities = Quantities {
            cycles: self.cycles,
            length_q16: length,
            number: self.number,
            flags: Flags {
                synchronous: self.synchronous,
                voltage_saturated: self.sums.saturated.u,
                current_saturated: self.sums.saturated.i,
            },
            ..Quantities::EMPTY
        };
        if self.synchronous {
            // cycles · rate [mHz] · 1000 · 2^16 / length
            let scaled = (i128::from(self.cycles) * i128::from(p.sample_rate_mhz) * 1000) << 16;
            quantities.frequency_uhz = u32::try_from(rounded_div(scaled, i128::from(length))).ok();
        }
        if let Some(neutral) = p.neutral {
            let variance = self.sums.neutral.variance_q32(length, 0);
            quantities.neutral_ua = Some(rms_micro(
                variance,
                neutral.gain.to_bits().into(),
                p.current_na,
            ));
        }
        let micro = |mean_q16: i128| power_micro(mean_q16, p.voltage_nv, p.current_na);
        let mut portions = [Portion::default(); PHASES];
        let mut reference = None;
        for (index, portion) in portions.iter_mut().enumerate() {
            let (Some(pair), Some(gains), Some(out)) = (
                self.pair(calibration, index),
                corrections.get(index),
                quantities.phase.get_mut(index),
            ) else {
                continue;
            };
            let Pair {
                constants, sums, ..
            } = pair;
            let voltage = square_root(sums.u.variance_q32(length, 0));
            let current = square_root(sums.i.variance_q32(length, constants.current_noise));
            out.voltage_uv = root_micro(voltage, gains.voltage_gain, p.voltage_nv);
            out.current_ua = root_micro(current, gains.current_gain, p.current_na);
            portion.apparent = apparent_raw(voltage, current, gains.power_gain, length);
            out.voltage_mean_uv = mean_micro(
                sums.u.mean_q16(length, constants.voltage_offset),
                gains.voltage_gain,
                p.voltage_nv,
            );
            out.current_mean_ua = mean_micro(
                sums.i.mean_q16(length, constants.current_offset),
                gains.current_gain,
                p.current_na,
            );

            (portion.active, portion.offset_rest) =
                self.active_raw(calibration, &pair, gains, &rotation);
            // Mean power in count² Q16: raw · 2^16 / length · 2^-14.
            out.active_uw = micro(rounded_div(portion.active << 2, i128::from(length)));

            let lag = gains.lag(rotation.frequency_mhz) as u32;
            let peaks = fundamental.peaks(sums);
            let (u1, i1) = peaks.magnitudes();
            out.fundamental_voltage_uv = peak_micro(u1, gains.voltage_gain, p.voltage_nv);
            out.fundamental_current_ua = peak_micro(i1, gains.current_gain, p.current_na);
            let (p1, q1, voltage_angle) = peaks.powers(lag, gains.power_gain);
            out.fundamental_active_uw = micro(p1);
            out.reactive_uvar = micro(q1);
            portion.reactive = (q1 * i128::from(length)) >> 2;
            portion.fundamental = (p1 * i128::from(length)) >> 2;
            out.angle_mdeg = millidegrees(angle_of(q1, p1));
            if let Some(angle) = voltage_angle {
                let reference = *reference.get_or_insert(angle);
                out.voltage_angle_mdeg = millidegrees(i64::from((angle - reference) as i32));
            }

            let apparent = u128::from(out.voltage_uv) * u128::from(out.current_ua);
            out.apparent_uva =
                u64::try_from(divided(apparent + 500_000, 1_000_000)).unwrap_or(u64::MAX);
            out.power_factor_ppm = power_factor(out.active_uw, out.apparent_uva);
            portion.level_uw = out
                .active_uw
                .unsigned_abs()
                .max(out.reactive_uvar.unsigned_abs());
        }
        let total = &mut quantities.total;
        for line in &quantities.phase {
            total.active_uw = total.active_uw.saturating_add(line.active_uw);
            total.reactive_uvar = total.reactive_uvar.saturating_add(line.reactive_uvar);
            total.apparent_uva = total.apparent_uva.saturating_add(line.apparent_uva);
        }
        total.power_factor_ppm = power_factor(total.active_uw, total.apparent_uva);
        (quantities, portions)
    }
}

/// What turns the detector's sums into phasors.
pub(crate) struct Fundamental {
    /// The phasor is sum · 2^49 / denominator, in counts (peak) Q16.
    denominator: i128,
}

impl Fundamental {
    pub fn new<const PHASES: usize>(
        calibration: &Calibration<PHASES>,
        rotation: &Rotation,
        length: u64,
    ) -> Self {
        // Two samples that share a value of the oscillator lose the cosine of half a turn between them.
        let gain = match calibration.paired() {
            true => sin_cos(rotation.turn / 2).1,
            false => 1 << 30,
        };
        let amplitude = (AMPLITUDE_Q16 * i64::from(gain) + (1 << 29)) >> 30;
        // amplitude of the signal = 2 · sum / (amplitude · N); amplitude, N and result Q16.
        Self {
            denominator: i128::from(amplitude) * i128::from(length),
        }
    }

    /// A sum as a peak value, counts Q16.
    fn counts(&self, sum: i64) -> i128 {
        rounded_div(i128::from(sum) << 49, self.denominator)
    }

    /// Peak values of voltage and current.
    pub fn peaks(&self, sums: &PhaseSums) -> Peaks {
        let [ur, ui, ir, ii] =
            [sums.u1.re, sums.u1.im, sums.i1.re, sums.i1.im].map(|sum| self.counts(sum));
        Peaks { ur, ui, ir, ii }
    }
}

/// Real and imaginary parts of a fundamental voltage and current, peak values in counts Q16.
pub(crate) struct Peaks {
    ur: i128,
    ui: i128,
    ir: i128,
    ii: i128,
}

impl Peaks {
    /// Squares of the peak values of voltage and current, counts² Q32.
    fn magnitudes(&self) -> (u128, u128) {
        let square = |re: i128, im: i128| (re * re + im * im).unsigned_abs();
        (square(self.ur, self.ui), square(self.ir, self.ii))
    }

    /// P1 and Q1 in count² Q16 with gains, the phase error turned back, and the angle of the voltage.
    pub fn powers(&self, lag: u32, gain_q30: u64) -> (i128, i128, Option<i64>) {
        let Self { ur, ui, ir, ii } = *self;
        // U · conj(I), rms: half the product of peaks; Q32 to Q16.
        let active = (ur * ir + ui * ii) >> 17;
        let reactive = (ui * ir - ur * ii) >> 17;
        let (sin, cos) = sin_cos(lag);
        let (sin, cos) = (i128::from(sin), i128::from(cos));
        let gained = |v: i128| {
            let q16 = (v + (1 << 29)) >> 30;
            (q16 * i128::from(gain_q30) + (1 << 29)) >> 30
        };
        let voltage = (ur != 0 || ui != 0).then(|| angle_of(ui, ur));
        (
            gained(active * cos + reactive * sin),
            gained(reactive * cos - active * sin),
            voltage,
        )
    }
}

/// Rms value of a sine from the square of its peak (counts² Q32), millionths.
fn peak_micro(square_q32: u128, gain_q30: u64, nano: u32) -> u64 {
    rms_micro(square_q32 >> 1, gain_q30, nano)
}

/// Rounded quotient for divisors of either sign; zero gives zero.
fn rounded_signed(value: i128, divisor: i128) -> i128 {
    if divisor < 0 {
        rounded_div(-value, -divisor)
    } else {
        rounded_div(value, divisor)
    }
}

/// Mean product (count² Q16) in millionths of a watt: 1 count² is 1e-12 · nV · nA µW.
pub(crate) fn power_micro(mean_q16: i128, voltage_nv: u32, current_na: u32) -> i64 {
    let scaled = mean_q16.saturating_mul(i128::from(u64::from(voltage_nv) * u64::from(current_na)));
    let micro = rounded_div(scaled, 1_000_000_000_000 << 16);
    i64::try_from(micro).unwrap_or(if micro < 0 { i64::MIN } else { i64::MAX })
}

fn millidegrees(turn: i64) -> i32 {
    ((turn * 360_000 + (1 << 31)) >> 32) as i32
}
