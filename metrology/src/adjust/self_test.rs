//! The procedure against a front end whose errors are known.

use super::reading::off_ppm;
use super::{Bench, Fault, Load, Measured, PhaseTerm, Point, Reading};
use crate::angle::sin_cos;
use crate::calibration::{Gain, Parameters, PhaseParameters, UNITY};
use crate::compensation::lag;
use crate::division::rounded_div;
use crate::rms::square_root;

/// A front end and what it does to a load.
struct FrontEnd {
    /// Measured over true, Q30.
    voltage: u32,
    current: u32,
    /// Lateness of the current, nanoseconds.
    delay_ns: i32,
    /// Power that it adds, microwatts.
    offset_uw: i32,
    /// Mean square of its current noise, µA².
    noise_ua2: u64,
}

const FRONT_ENDS: [FrontEnd; 3] = [
    FrontEnd {
        voltage: UNITY,
        current: UNITY,
        delay_ns: 0,
        offset_uw: 0,
        noise_ua2: 0,
    },
    // +5 %, −5 %, 300 µs.
    FrontEnd {
        voltage: 1_127_428_915,
        current: 1_020_054_733,
        delay_ns: 300_000,
        offset_uw: -46_000,
        noise_ua2: 1_610_000,
    },
    FrontEnd {
        voltage: 1_030_792_151,
        current: 1_116_691_497,
        delay_ns: -111_000,
        offset_uw: 23_000,
        noise_ua2: 90_000,
    },
];
/// Frequency of the source, millihertz.
const FREQUENCY: u32 = 50_000;

impl FrontEnd {
    fn read(&self, phase: &PhaseParameters, load: &Load) -> Result<Point, Fault> {
        let through = |true_value: u64, sensor: u32, gain: Gain| {
            let gain = i128::from(gain.to_bits());
            let scaled = i128::from(true_value) * i128::from(sensor) * gain;
            rounded_div(scaled, 1 << 60)
        };
        let voltage = through(load.voltage_uv, self.voltage, phase.voltage_gain);
        let current = through(load.current_ua, self.current, phase.current_gain);
        let late =
            lag(self.delay_ns, 0, FREQUENCY) - lag(phase.delay_ns, phase.angle.into(), FREQUENCY);
        let angle = i128::from(load.angle().ok_or(Fault::Reference)?) + late;
        let (sine, cosine) = sin_cos(angle as u32);
        let part = |factor: i32| {
            rounded_div(voltage * current * i128::from(factor), 1_000_000 << 30) as i64
        };
        // The noise of the channel less what the constants take off, in µA².
        let count_ua2 = rounded_div(
            i128::from(phase.current_noise) * COUNT_NA * COUNT_NA,
            1_000_000 << 8,
        );
        let square = current * current + i128::from(self.noise_ua2) - count_ua2;
        let offset = i64::from(self.offset_uw) + i64::from(phase.power_offset_uw);
        let reading = Reading {
            voltage_uv: voltage as u64,
            current_ua: square_root(square.max(0).unsigned_abs()),
            active_uw: part(cosine) + offset,
            fundamental_uw: part(cosine),
            reactive_uvar: part(sine),
            voltage_mean_uv: 0,
            current_mean_ua: 0,
        };
        Ok(Point {
            load: *load,
            reading,
        })
    }
}

/// Amperes of a count in nanoamperes.
const COUNT_NA: i128 = 24_000;

/// Calibrates known front ends and compares the constants with the inverse of their errors: gains to 1 ppm,
/// phase to 0.002°, offset to 1 µW, and the remaining power errors to 10 ppm.
///
/// For the start-up of a calibration bench, or of a meter that calibrates itself.
///
/// # Errors
/// The first value that is further off, as [`Fault::Value`], [`Fault::Angle`] or [`Fault::Offset`].
pub fn self_test() -> Result<(), Fault> {
    let bench = Bench::new(&Parameters::<1>::new(8_000_000, FREQUENCY));
    let load = |current_ua: u64, active_uw: i64, lagging| Load {
        voltage_uv: 230_000_000,
        current_ua,
        active_uw,
        lagging,
    };
    let rated = load(50_000_000, 11_500_000_000, false);
    let lagging = load(50_000_000, 5_750_000_000, true);
    let leading = load(50_000_000, 9_200_000_000, false);
    let low = load(500_000, 115_000_000, false);
    for front in &FRONT_ENDS {
        let mut phase = PhaseParameters::IDEAL;
        let point = front.read(&phase, &rated)?;
        bench.gains(&mut phase, &point)?;
        let point = front.read(&phase, &lagging)?;
        bench.phase(&mut phase, &point, PhaseTerm::Delay)?;
        let point = front.read(&phase, &low)?;
        bench.power_offset(&mut phase, &point)?;
        bench.current_noise(&mut phase, &point)?;
        for (what, sensor, gain) in [
            (Measured::Voltage, front.voltage, phase.voltage_gain),
            (Measured::Current, front.current, phase.current_gain),
        ] {
            let product = u128::from(sensor) * u128::from(gain.to_bits());
            super::within(what, off_ppm(product, 1 << 60), 1)?;
        }
        let apart = lag(
            phase.delay_ns - front.delay_ns,
            phase.angle.into(),
            FREQUENCY,
        );
        let found_mdeg = rounded_div(apart * 360_000, 1 << 32) as i32;
        if found_mdeg.abs() > 2 {
            return Err(Fault::Angle {
                found_mdeg,
                limit_mdeg: 2,
            });
        }
        let found_uw = i64::from(phase.power_offset_uw) + i64::from(front.offset_uw);
        if found_uw.abs() > 1 {
            return Err(Fault::Offset {
                found_uw,
                limit_uw: 1,
            });
        }
        for load in [&rated, &lagging, &leading, &low] {
            bench.check(&front.read(&phase, load)?, 10)?;
        }
    }
    Ok(())
}
