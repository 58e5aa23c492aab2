//! Quantities of one window, from its sums.
//!
//! Active power is wide band, reactive power that of the fundamental (IEC 62053-24: Q1 = U1 I1 sin φ1,
//! positive when the current lags). Everything is an exact integer in millionths of its unit, rounded to
//! nearest once.

use crate::angle::{angle_of, divided, rounded_div, sin_cos};
use crate::calibration::{Calibration, DcPower, Derived, PhaseParameters};
use crate::compensation::Correction;
use crate::energy::Portion;
use crate::oscillator::AMPLITUDE_Q16;
use crate::rms::{apparent_raw, mean_micro, rms_micro};
use crate::window::{PhaseSums, Sums};

/// What a window went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The window covers whole cycles of a measured fundamental; otherwise about nominal cycles.
    pub synchronous: bool,
    /// Bit k: voltage of phase k reached the converter's limit.
    pub voltage_saturated: u8,
    /// Bit k: current of phase k reached the converter's limit; bit 7 the neutral current.
    pub current_saturated: u8,
}

/// Quantities of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseQuantities {
    /// Voltage without its mean, rms, microvolts.
    pub voltage_uv: u64,
    /// Current without its mean, rms, microamperes.
    pub current_ua: u64,
    /// Active power, wide band, microwatts; positive is import.
    pub active_uw: i64,
    /// Reactive power of the fundamental, microvars; positive when the current lags.
    pub reactive_uvar: i64,
    /// Apparent power, product of the rms values, microvoltamperes.
    pub apparent_uva: u64,
    /// Active power of the fundamental, microwatts.
    pub fundamental_active_uw: i64,
    /// Active over apparent power with the sign of the active one, millionths; 0 without apparent power.
    pub power_factor_ppm: i32,
    /// Angle by which the fundamental current lags the voltage, millidegrees, above -180,000 to 180,000.
    pub angle_mdeg: i32,
    /// Angle by which the fundamental of this voltage leads that of the first phase, millidegrees.
    pub voltage_angle_mdeg: i32,
    /// Mean voltage, microvolts.
    pub voltage_mean_uv: i64,
    /// Mean current, microamperes.
    pub current_mean_ua: i64,
}

/// Quantities of all phases together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TotalQuantities {
    /// Sum of the active powers, microwatts.
    pub active_uw: i64,
    /// Sum of the reactive powers, microvars.
    pub reactive_uvar: i64,
    /// Arithmetic apparent power, sum of the phases', microvoltamperes.
    pub apparent_uva: u64,
    /// Active over arithmetic apparent power with the sign of the active one, millionths.
    pub power_factor_ppm: i32,
}

/// Everything one window gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantities<const PHASES: usize> {
    /// By phase.
    pub phase: [PhaseQuantities; PHASES],
    /// All phases.
    pub total: TotalQuantities,
    /// Measured neutral current, rms, microamperes, when there is such a channel.
    pub neutral_ua: Option<u64>,
    /// Frequency, microhertz, when a fundamental was found.
    pub frequency_uhz: Option<u32>,
    /// Whole cycles covered.
    pub cycles: u16,
    /// Samples covered, with 16 fractional bits.
    pub length_q16: u64,
    /// Windows closed before this one since the meter started.
    pub number: u64,
    /// What the window went through.
    pub flags: Flags,
}

impl<const PHASES: usize> Quantities<PHASES> {
    /// Before the first window.
    pub(crate) const EMPTY: Self = Self {
        phase: [PhaseQuantities {
            voltage_uv: 0,
            current_ua: 0,
            active_uw: 0,
            reactive_uvar: 0,
            apparent_uva: 0,
            fundamental_active_uw: 0,
            power_factor_ppm: 0,
            angle_mdeg: 0,
            voltage_angle_mdeg: 0,
            voltage_mean_uv: 0,
            current_mean_ua: 0,
        }; PHASES],
        total: TotalQuantities {
            active_uw: 0,
            reactive_uvar: 0,
            apparent_uva: 0,
            power_factor_ppm: 0,
        },
        neutral_ua: None,
        frequency_uhz: None,
        cycles: 0,
        length_q16: 0,
        number: 0,
        flags: Flags {
            synchronous: false,
            voltage_saturated: 0,
            current_saturated: 0,
        },
    };

    /// Length of the window, milliseconds, rounded to nearest.
    #[must_use]
    pub fn duration_ms(&self, calibration: &Calibration<PHASES>) -> u32 {
        let rate = u64::from(calibration.parameters().sample_rate_mhz).max(1);
        let ms = (u128::from(self.length_q16) * 1_000_000 / u128::from(rate) + (1 << 15)) >> 16;
        u32::try_from(ms).unwrap_or(u32::MAX)
    }
}

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
struct Weights {
    straight: i64,
    delayed: i64,
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
    fn corrections(&self, calibration: &Calibration<PHASES>) -> [Correction; PHASES] {
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

    fn weights(derived: &Derived, correction: &Correction, rotation: &Rotation) -> Weights {
        let gain = i128::from(correction.power_gain);
        if !derived.delayed {
            return Weights {
                straight: correction.power_gain as i64,
                delayed: 0,
            };
        }
        let held = derived.voltage_hold as i128 - derived.current_hold as i128;
        let rest = correction.lag(rotation.frequency_mhz) - held * i128::from(rotation.turn);
        let (sin_r, cos_r) = sin_cos(rest as u32);
        let (sin_w, cos_w) = sin_cos(rotation.turn);
        let beta = rounded_signed(i128::from(sin_r) << 30, i128::from(sin_w));
        let alpha = i128::from(cos_r) - ((beta * i128::from(cos_w) + (1 << 29)) >> 30);
        let scaled = |weight: i128| ((weight * gain + (1 << 29)) >> 30) as i64;
        Weights {
            straight: scaled(alpha),
            delayed: scaled(beta),
        }
    }

    /// Voltage and current of a phase.
    fn pair<'a>(&'a self, calibration: &'a Calibration<PHASES>, phase: usize) -> Option<Pair<'a>> {
        Some(Pair {
            constants: calibration.parameters().phase.get(phase)?,
            derived: calibration.derived.get(phase)?,
            sums: self.sums.phase.get(phase)?,
        })
    }

    /// Active energy of a voltage and a current in raw units (count² Q30 times samples).
    pub fn active_raw(
        &self,
        calibration: &Calibration<PHASES>,
        pair: &Pair<'_>,
        correction: &Correction,
        rotation: &Rotation,
    ) -> i128 {
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
                - a * b * i128::from(length);
            raw -= (offsets * both + (1 << 15)) >> 16;
        }
        raw + ((derived.offset * i128::from(length) + (1 << 15)) >> 16)
    }

    /// Raw energy of every phase so far.
    pub fn open_raw(&self, calibration: &Calibration<PHASES>) -> [i128; PHASES] {
        let rotation = self.rotation(calibration);
        let corrections = self.corrections(calibration);
        core::array::from_fn(|phase| {
            match (self.pair(calibration, phase), corrections.get(phase)) {
                (Some(pair), Some(correction)) => {
                    self.active_raw(calibration, &pair, correction, &rotation)
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
            quantities.neutral_ua = Some(rms_micro(variance, neutral.gain.into(), p.current_na));
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
            out.voltage_uv = rms_micro(
                sums.u.variance_q32(length, 0),
                gains.voltage_gain,
                p.voltage_nv,
            );
            let variance = sums.i.variance_q32(length, constants.current_noise);
            out.current_ua = rms_micro(variance, gains.current_gain, p.current_na);
            let voltage = sums.u.variance_q32(length, 0);
            portion.apparent = apparent_raw(voltage, variance, gains.power_gain, length);
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

            portion.active = self.active_raw(calibration, &pair, gains, &rotation);
            // Mean power in count² Q16: raw · 2^16 / length · 2^-14.
            out.active_uw = micro(rounded_div(portion.active << 2, i128::from(length)));

            let lag = gains.lag(rotation.frequency_mhz) as u32;
            let (p1, q1, voltage_angle) = fundamental.powers(sums, lag, gains.power_gain);
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

    /// P1 and Q1 in count² Q16 with gains, the phase error turned back, and the angle of the voltage.
    pub fn powers(&self, sums: &PhaseSums, lag: u32, gain_q30: u64) -> (i128, i128, Option<i64>) {
        let counts = |sum: i64| rounded_div(i128::from(sum) << 49, self.denominator);
        let [ur, ui, ir, ii] = [sums.u1.re, sums.u1.im, sums.i1.re, sums.i1.im].map(counts);
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

/// P / S in millionths, never beyond one.
fn power_factor(active_uw: i64, apparent_uva: u64) -> i32 {
    let ppm = rounded_div(
        i128::from(active_uw) * i128::from(UNIT_PPM),
        i128::from(apparent_uva),
    );
    ppm.clamp(-i128::from(UNIT_PPM), UNIT_PPM.into()) as i32
}

/// One, in millionths.
const UNIT_PPM: i32 = 1_000_000;

fn millidegrees(turn: i64) -> i32 {
    ((turn * 360_000 + (1 << 31)) >> 32) as i32
}
