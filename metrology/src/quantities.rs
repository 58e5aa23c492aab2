//! What one window tells, per phase and in total; and what follows from it without the samples.
//!
//! Values that the registers or every display need are worked out once per window and kept. The others are
//! methods: a meter that never asks for them pays neither memory nor instructions.

use crate::angle::sin_cos;
use crate::calibration::Calibration;
use crate::division::{divided, rounded_div};
use crate::rms::square_root;

/// Phase sequence of three voltages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sequence {
    /// The second phase lags the first by about 120 degrees.
    Positive,
    /// It leads: two phases are exchanged.
    Negative,
}

/// A vector of a diagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vector {
    /// Rms value of the fundamental, microvolts or microamperes.
    pub micro: u64,
    /// Angle by which it leads the voltage of the first phase that has one, millidegrees, above -180,000 to
    /// 180,000.
    pub angle_mdeg: i32,
}

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
    /// Fundamental of the voltage, rms, microvolts.
    pub fundamental_voltage_uv: u64,
    /// Fundamental of the current, rms, microamperes.
    pub fundamental_current_ua: u64,
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
            fundamental_voltage_uv: 0,
            fundamental_current_ua: 0,
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

    /// Total vector apparent power, √(P² + Q1²) of the total powers, microvoltamperes.
    #[must_use]
    pub fn vector_apparent_uva(&self) -> u64 {
        hypotenuse(self.total.active_uw, self.total.reactive_uvar)
    }
}

impl PhaseQuantities {
    /// Apparent power of the fundamental, U1 · I1, microvoltamperes.
    #[must_use]
    pub fn fundamental_apparent_uva(&self) -> u64 {
        product_micro(self.fundamental_voltage_uv, self.fundamental_current_ua)
    }

    /// Active power of harmonics, P − P1, microwatts; negative where a load returns it.
    #[must_use]
    pub const fn harmonic_active_uw(&self) -> i64 {
        self.active_uw.saturating_sub(self.fundamental_active_uw)
    }

    /// Displacement power factor P1 / S1 = cos φ1, millionths; 0 without a fundamental.
    #[must_use]
    pub fn displacement_factor_ppm(&self) -> i32 {
        let apparent = hypotenuse(self.fundamental_active_uw, self.reactive_uvar);
        power_factor(self.fundamental_active_uw, apparent)
    }

    /// Nonactive power N = √(S² − P²), microvoltamperes: the reactive power by the residual definition,
    /// without a sign and with the distortion.
    #[must_use]
    pub fn nonactive_uva(&self) -> u64 {
        leg(self.apparent_uva, self.active_uw.unsigned_abs())
    }

    /// Apparent power without that of the fundamental, SN = √(S² − S1²) (IEEE 1459), microvoltamperes.
    #[must_use]
    pub fn nonfundamental_apparent_uva(&self) -> u64 {
        leg(self.apparent_uva, self.fundamental_apparent_uva())
    }

    /// The voltage in a vector diagram.
    #[must_use]
    pub const fn voltage_vector(&self) -> Vector {
        Vector {
            micro: self.fundamental_voltage_uv,
            angle_mdeg: self.voltage_angle_mdeg,
        }
    }

    /// The current in a vector diagram, its phase error turned back.
    #[must_use]
    pub const fn current_vector(&self) -> Vector {
        let angle = self.voltage_angle_mdeg.saturating_sub(self.angle_mdeg);
        Vector {
            micro: self.fundamental_current_ua,
            angle_mdeg: if angle > 180_000 {
                angle - 360_000
            } else if angle <= -180_000 {
                angle + 360_000
            } else {
                angle
            },
        }
    }
}

impl Quantities<3> {
    /// Sequence of the phases: whether the positive or the negative component of the voltages' fundamentals
    /// is the larger one. Nothing while both are equal, as without voltages.
    #[must_use]
    pub fn sequence(&self) -> Option<Sequence> {
        // |U1|² − |U2|² is 2/√27 of the sum of Im(Ua Ub*) over the three pairs, in any unit.
        let [a, b, c] = self.phase.each_ref().map(PhaseQuantities::voltage_vector);
        let sum: i128 = [(a, b), (b, c), (c, a)]
            .iter()
            .map(|(from, to)| {
                let angle = i64::from(from.angle_mdeg) - i64::from(to.angle_mdeg);
                let (sin, _) = sin_cos(((angle << 32) / 360_000) as u32);
                // Voltages of some hundred kilovolts at most: 40 bits each.
                let product =
                    u128::from(from.micro.min(1 << 40)) * u128::from(to.micro.min(1 << 40));
                (product as i128) * i128::from(sin)
            })
            .sum();
        // Below a thousandth of the voltages' squares nothing is known.
        let [a, b, c] = [a, b, c].map(|vector| i128::from(vector.micro.min(1 << 40)));
        let level = (a * a + b * b + c * c) << 20;
        match sum {
            sum if sum > level => Some(Sequence::Positive),
            sum if sum < -level => Some(Sequence::Negative),
            _ => None,
        }
    }

    /// Effective apparent power 3 Ue Ie of IEEE 1459, microvoltamperes, for four wires: Ie² is the mean of the
    /// phase currents' squares with that of the neutral, Ue² (3 Σ U² + Σ Ull²) / 18.
    ///
    /// Line-to-line voltages and the current of the neutral come from [`Details`](crate::Details); a measured
    /// neutral may stand in for a computed one.
    #[must_use]
    pub fn effective_apparent_uva(&self, line_to_line_uv: [u64; 3], neutral_ua: u64) -> u64 {
        let square = |v: u64| u128::from(v.min(1 << 60)) * u128::from(v.min(1 << 60));
        let phases = |of: fn(&PhaseQuantities) -> u64| {
            self.phase.iter().map(|line| square(of(line))).sum::<u128>()
        };
        let lines: u128 = line_to_line_uv.iter().map(|v| square(*v)).sum();
        let voltage = divided(3 * phases(|line| line.voltage_uv) + lines, 18);
        let current = divided(phases(|line| line.current_ua) + square(neutral_ua), 3);
        product_micro(square_root(voltage), square_root(current)).saturating_mul(3)
    }
}

/// Product of two values in millionths, in millionths.
fn product_micro(a: u64, b: u64) -> u64 {
    let product = divided(u128::from(a) * u128::from(b) + 500_000, 1_000_000);
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// √(a² + b²).
fn hypotenuse(a: i64, b: i64) -> u64 {
    let square = |v: i64| u128::from(v.unsigned_abs()) * u128::from(v.unsigned_abs());
    square_root(square(a) + square(b))
}

/// √(long² − short²), zero where rounding made the short one longer.
fn leg(long: u64, short: u64) -> u64 {
    let square = |v: u64| u128::from(v) * u128::from(v);
    square_root(square(long).saturating_sub(square(short)))
}

/// P / S in millionths, never beyond one.
pub(crate) fn power_factor(active_uw: i64, apparent_uva: u64) -> i32 {
    let ppm = rounded_div(
        i128::from(active_uw) * i128::from(UNIT_PPM),
        i128::from(apparent_uva),
    );
    ppm.clamp(-i128::from(UNIT_PPM), UNIT_PPM.into()) as i32
}

/// One, in millionths.
const UNIT_PPM: i32 = 1_000_000;
