//! What a gain or a phase error depends on: temperature and, for current transformers, the current itself.
//!
//! Both act once per window, on the weights of its sums: samples and their exact sums stay as they are.

use crate::calibration::{CalibrationError, Gain, PhaseParameters, Rule, UNITY, bad};
use crate::division::rounded_div;

/// Points of a current curve at most.
pub const CURVE_POINTS: usize = 6;
/// Largest difference to the reference temperature that is followed, millikelvin.
const SPAN_MK: i64 = 200_000;

/// How a gain follows temperature: G(T) = G0 (1 + linear·dT + square·dT²), dT from the reference temperature.
///
/// A sensor whose output grows by 20 ppm/K needs a gain that falls by 20 ppm/K: `linear_ppt: -20_000_000`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// 10^-12 per kelvin; the range is ±2147 ppm/K.
    pub linear_ppt: i32,
    /// 10^-15 per kelvin²; the range is ±2.1 ppm/K².
    pub square_ppq: i32,
}

impl Drift {
    /// No dependence.
    pub const NONE: Self = Self {
        linear_ppt: 0,
        square_ppq: 0,
    };

    /// The factor at this distance from the reference temperature, Q30; followed up to ±200 K.
    #[must_use]
    pub fn factor_q30(&self, difference_mk: i32) -> u32 {
        let dt = i128::from(i64::from(difference_mk).clamp(-SPAN_MK, SPAN_MK));
        // 10^-12/K · mK is 10^-15, 10^-15/K² · mK² is 10^-21.
        let linear = i128::from(self.linear_ppt) * dt * 1_000_000;
        let square = i128::from(self.square_ppq) * dt * dt;
        let change = rounded_div((linear + square) << 30, 1_000_000_000_000_000_000_000);
        // At most 0.43 + 0.09 away from one.
        (i128::from(UNITY) + change) as u32
    }
}

/// One point of a current curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CurvePoint {
    /// Current as measured without the curve, rms, microamperes.
    pub current_ua: u32,
    /// What the current's gain grows by here, millionths: −100,000 to 100,000.
    pub ratio_ppm: i32,
    /// Lead of the current here beyond `PhaseParameters::angle`, 2^-32 turn: ±2^27 (11°).
    pub angle: i32,
}

/// Ratio and angle of a current transformer over current, by straight lines between up to
/// [`CURVE_POINTS`] points; beyond the outer points their values hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curve {
    points: [CurvePoint; CURVE_POINTS],
    count: u8,
}

impl Curve {
    /// No correction.
    pub const NONE: Self = Self {
        points: [CurvePoint {
            current_ua: 0,
            ratio_ppm: 0,
            angle: 0,
        }; CURVE_POINTS],
        count: 0,
    };

    /// A curve through these points.
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`]: more than [`CURVE_POINTS`] points, currents that do not rise, a ratio
    /// or an angle outside its range.
    pub fn try_new(points: &[CurvePoint]) -> Result<Self, CalibrationError> {
        let mut curve = Self::NONE;
        if points.len() > CURVE_POINTS {
            let max = CURVE_POINTS as i64;
            return Err(bad("curve", None, Rule::Range { min: 0, max }));
        }
        let mut before = None;
        for (place, point) in curve.points.iter_mut().zip(points) {
            if before.is_some_and(|before| point.current_ua <= before) {
                return Err(bad("curve.current_ua", None, Rule::Rising));
            }
            before = Some(point.current_ua);
            for (name, value, max) in [
                ("curve.ratio_ppm", point.ratio_ppm, 100_000),
                ("curve.angle", point.angle, 1 << 27),
            ] {
                if i64::from(value).abs() > max {
                    return Err(bad(name, None, Rule::Range { min: -max, max }));
                }
            }
            *place = *point;
            curve.count += 1;
        }
        Ok(curve)
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &[CurvePoint] {
        self.points.get(..usize::from(self.count)).unwrap_or(&[])
    }

    /// Ratio (10^-9) and angle (2^-32 turn) at a current.
    #[must_use]
    pub fn at(&self, current_ua: u64) -> (i64, i32) {
        let points = self.points();
        let above = points.partition_point(|point| u64::from(point.current_ua) <= current_ua);
        let low = above.checked_sub(1).and_then(|low| points.get(low));
        let (low, high) = match (low, points.get(above)) {
            (Some(low), Some(high)) => (low, high),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => return (0, 0),
        };
        let span = i128::from(high.current_ua) - i128::from(low.current_ua);
        let part = i128::from(current_ua) - i128::from(low.current_ua);
        let between =
            |low: i64, high: i64| low + rounded_div(part * i128::from(high - low), span) as i64;
        (
            between(
                i64::from(low.ratio_ppm) * 1000,
                i64::from(high.ratio_ppm) * 1000,
            ),
            between(low.angle.into(), high.angle.into()) as i32,
        )
    }
}

/// The constants of one channel pair as they hold in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Correction {
    /// Q30.
    pub voltage_gain: u64,
    /// Q30.
    pub current_gain: u64,
    /// Product of both, Q30.
    pub power_gain: u64,
    /// Lateness of the current, nanoseconds.
    delay_ns: i32,
    /// Lead of the current, 2^-32 turn.
    angle: i64,
}

impl Correction {
    /// Of a phase that is not there.
    pub const NONE: Self = Self {
        voltage_gain: 0,
        current_gain: 0,
        power_gain: 0,
        delay_ns: 0,
        angle: 0,
    };

    /// At a temperature (millikelvin above the reference), for the current that `measured` gives with the
    /// current's gain at this temperature. It is asked only where there is a curve.
    pub fn new(
        phase: &PhaseParameters,
        difference_mk: i32,
        measured: impl FnOnce(u64) -> u64,
    ) -> Self {
        let at = |gain: Gain, drift: &Drift| {
            let gain = gain.to_bits();
            if *drift == Drift::NONE {
                return u64::from(gain);
            }
            (u64::from(gain) * u64::from(drift.factor_q30(difference_mk)) + (1 << 29)) >> 30
        };
        let voltage_gain = at(phase.voltage_gain, &phase.voltage_drift);
        let mut current_gain = at(phase.current_gain, &phase.current_drift);
        let mut angle = i64::from(phase.angle);
        if phase.curve != Curve::NONE {
            let (ratio_ppb, lead) = phase.curve.at(measured(current_gain));
            let scaled = i128::from(current_gain) * i128::from(1_000_000_000 + ratio_ppb);
            current_gain = rounded_div(scaled, 1_000_000_000) as u64;
            angle += i64::from(lead);
        }
        let product = u128::from(voltage_gain) * u128::from(current_gain);
        Self {
            voltage_gain,
            current_gain,
            power_gain: ((product + (1 << 29)) >> 30) as u64,
            delay_ns: phase.delay_ns,
            angle,
        }
    }

    /// Angle by which the measured current lies behind the true one at this frequency, 2^-32 turn.
    pub fn lag(&self, frequency_mhz: u32) -> i128 {
        lag(self.delay_ns, self.angle, frequency_mhz)
    }
}

/// Angle of a delay less a lead at this frequency, 2^-32 turn.
pub(crate) fn lag(delay_ns: i32, angle: i64, frequency_mhz: u32) -> i128 {
    let delay = (i128::from(delay_ns) * i128::from(frequency_mhz)) << 32;
    rounded_div(delay, 1_000_000_000_000) - i128::from(angle)
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::string::ToString;

    #[test]
    fn drift_is_the_polynomial() {
        for (linear, square) in [(25.0, 0.0), (-50.0, 0.04), (2000.0, -2.0), (0.0, 0.04)] {
            let drift = Drift {
                linear_ppt: (linear * 1e6) as i32,
                square_ppq: (square * 1e9) as i32,
            };
            for tenth in (-650..=1000).step_by(7) {
                let dt = f64::from(tenth) / 10.0;
                let want = 1.0 + linear * 1e-6 * dt + square * 1e-6 * dt * dt;
                let got = f64::from(drift.factor_q30(tenth * 100)) / f64::from(UNITY);
                assert!(
                    (got - want).abs() < 1e-9,
                    "{linear} {square} {dt} {got} {want}"
                );
            }
        }
        assert_eq!(Drift::NONE.factor_q30(i32::MIN), UNITY);
    }

    #[test]
    fn curve_runs_straight_between_points_and_holds_beyond() {
        let point = |current_ua, ratio_ppm, angle| CurvePoint {
            current_ua,
            ratio_ppm,
            angle,
        };
        let points = [
            point(50_000, 900, 3_000_000),
            point(250_000, 500, 2_000_000),
            point(1_000_000, 200, 1_000_000),
            point(5_000_000, 0, 400_000),
        ];
        let curve = Curve::try_new(&points).unwrap();
        assert_eq!(curve.points(), points);
        assert_eq!(curve.at(0), (900_000, 3_000_000));
        assert_eq!(curve.at(50_000), (900_000, 3_000_000));
        assert_eq!(curve.at(150_000), (700_000, 2_500_000));
        assert_eq!(curve.at(4_000_000), (50_000, 550_000));
        assert_eq!(curve.at(u64::MAX), (0, 400_000));
        assert_eq!(Curve::NONE.at(77), (0, 0));
        assert_eq!(
            Curve::try_new(&[point(5, 0, 0), point(5, 0, 0)])
                .unwrap_err()
                .to_string(),
            "curve.current_ua must rise from point to point"
        );
        for wrong in [point(1, 100_001, 0), point(1, 0, -(1 << 27) - 1)] {
            assert!(Curve::try_new(&[wrong]).is_err());
        }
        assert!(Curve::try_new(&[point(0, 0, 0); CURVE_POINTS + 1]).is_err());
    }
}
