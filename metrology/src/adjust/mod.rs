//! Calibration on a production line: constants in closed form from a few load points, one phase at a time.
//!
//! | step | load | function | constants |
//! |---|---|---|---|
//! | 0 | voltage and current open | [`Bench::open`] | offsets, current noise |
//! | wiring | any load, all phases | [`wiring`] | none: refuses what cannot be |
//! | 1, 2 | Un, In, PF 1 | [`Bench::gains`] | voltage and current gain |
//! | 3 | Un, In, PF 0.5 inductive | [`Bench::phase`] | delay or angle |
//! | 3b | Un, In, PF 0.8 or 0.5 capacitive | [`Bench::check`] | none: the error must be small |
//! | 4 | Un, 1 to 5 % In, PF 1 | [`Bench::power_offset`] | power offset |
//! | 5 | a low current, where step 0 is not possible | [`Bench::current_noise`] | current noise |
//! | 7 | 3 to 6 currents, PF 0.5 | [`Bench::curve`] | curve of the current transformer |
//! | 8 | 2 or 3 temperatures | [`Bench::drift`] | temperature terms |
//! | 9 | – | `Parameters::stamp`, `Calibration::encode` | revision, date, version, CRC |
//!
//! (Step 6, reactive, is empty here: its path has no filter of its own.) Every step takes a reading made with
//! the constants so far and mends these, so steps may be repeated. A reading that cannot come from a healthy
//! meter on the stated load is refused with the value that is implausible, and changes nothing.
//!
//! ```
//! use metrology::adjust::{Bench, Load, PhaseTerm, Point, Reading};
//! use metrology::{Parameters, PhaseParameters};
//!
//! let bench = Bench::new(&Parameters::<1>::new(8_000_000, 50_000));
//! let mut phase = PhaseParameters::IDEAL;
//! // 230 V, 5 A, PF 1: the meter reads 2 % and 1 % too little.
//! let load = Load { voltage_uv: 230_000_000, current_ua: 5_000_000, active_uw: 1_150_000_000, lagging: false };
//! let reading = Reading {
//!     voltage_uv: 225_400_000,
//!     current_ua: 4_950_000,
//!     active_uw: 1_115_730_000,
//!     fundamental_uw: 1_115_730_000,
//!     ..Reading::default()
//! };
//! bench.gains(&mut phase, &Point { load, reading })?;
//! assert_eq!(phase.voltage_gain.to_bits(), 1_095_654_922); // 2^30 / 0.98
//! // The same at PF 0.5: 0.1 % too much power is 0.033 degrees or 1.8 µs too little lag.
//! let load = Load { active_uw: 575_000_000, lagging: true, ..load };
//! let reading = Reading { voltage_uv: 230_000_000, current_ua: 5_000_000, active_uw: 575_575_000, ..reading };
//! bench.phase(&mut phase, &Point { load, reading }, PhaseTerm::Delay)?;
//! assert_eq!(phase.delay_ns, -1838);
//! # Ok::<(), metrology::adjust::Fault>(())
//! ```

mod fault;
mod fit;
mod reading;
mod self_test;
mod wiring;

use crate::calibration::{Gain, Parameters, PhaseParameters};
use crate::compensation::{CURVE_POINTS, Curve, CurvePoint, Drift};
use crate::division::rounded_div;
use crate::rms::square_root;

pub use fault::{Fault, Measured};
pub use reading::{Average, Load, Reading};
pub use self_test::self_test;
pub use wiring::wiring;

use fit::{RATIO, polynomial};
use reading::{angle_from_power, off_ppm};

/// Largest plausible error of gains before calibration: sensors and dividers have a few percent.
const GAIN_LIMIT_PPM: u32 = 200_000;
/// Measured apparent power of the fundamental against U · I.
const POWER_LIMIT_PPM: u32 = 500;
/// Largest plausible phase error of sensors and filters, millidegrees: 500 µs at 60 Hz.
const ANGLE_LIMIT_MDEG: u32 = 12_000;
/// Largest plausible power offset, as a part of the load at which it is measured.
const OFFSET_PART: u64 = 50;
/// Largest plausible mean of an open channel, counts (12 % of full scale): what `current_offset` takes.
const MEAN_LIMIT: u32 = 1 << 20;
/// Largest plausible noise of an open channel, counts rms: that of 12 good bits.
const NOISE_LIMIT: u32 = 1 << 11;

/// Which constant takes a phase error: at one frequency they cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhaseTerm {
    /// `PhaseParameters::delay_ns`: filters and converters, the error in degrees grows with frequency.
    Delay,
    /// `PhaseParameters::angle`: current transformers.
    Angle,
}

/// A load point with what the meter reads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The reference.
    pub load: Load,
    /// The meter.
    pub reading: Reading,
}

/// The scale of the meter under calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bench {
    voltage_nv: u32,
    current_na: u32,
    /// Frequency of the source, millihertz.
    frequency_mhz: u32,
}

impl Bench {
    /// For meters with these constants, on a source of their nominal frequency.
    #[must_use]
    pub const fn new<const PHASES: usize>(parameters: &Parameters<PHASES>) -> Self {
        Self {
            voltage_nv: parameters.voltage_nv,
            current_na: parameters.current_na,
            frequency_mhz: parameters.nominal_mhz,
        }
    }

    /// The same on a source of another frequency, millihertz.
    #[must_use]
    pub const fn at_frequency(self, frequency_mhz: u32) -> Self {
        Self {
            frequency_mhz,
            ..self
        }
    }

    /// Step 0: offsets from the means and current noise from the rms of open channels.
    ///
    /// # Errors
    /// [`Fault::Noise`] when a mean or the noise is too large to be that of an open channel.
    pub fn open(&self, phase: &mut PhaseParameters, reading: &Reading) -> Result<(), Fault> {
        let voltage = counts_q16(
            reading.voltage_mean_uv.into(),
            self.voltage_nv,
            phase.voltage_gain,
        );
        let current = counts_q16(
            reading.current_mean_ua.into(),
            self.current_na,
            phase.current_gain,
        );
        let offset = |what, old: i32, more_q16: i128| {
            let found = i64::from(old).saturating_add(rounded_div(more_q16, 1 << 16) as i64);
            let limit = MEAN_LIMIT;
            if found.unsigned_abs() > u64::from(limit) {
                return Err(Fault::Noise { what, found, limit });
            }
            Ok(found as i32)
        };
        let voltage_offset = offset(Measured::Voltage, phase.voltage_offset, voltage)?;
        let current_offset = offset(Measured::Current, phase.current_offset, current)?;
        for (what, micro, nano, gain) in [
            (
                Measured::Voltage,
                reading.voltage_uv,
                self.voltage_nv,
                phase.voltage_gain,
            ),
            (
                Measured::Current,
                reading.current_ua,
                self.current_na,
                phase.current_gain,
            ),
        ] {
            let found = (counts_q16(micro.into(), nano, gain) >> 16) as i64;
            let limit = NOISE_LIMIT;
            if found > i64::from(limit) {
                return Err(Fault::Noise { what, found, limit });
            }
        }
        let noise = self.square_q8(phase, reading.current_ua) + i128::from(phase.current_noise);
        phase.voltage_offset = voltage_offset;
        phase.current_offset = current_offset;
        phase.current_noise = u32::try_from(noise).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Steps 1 and 2: both gains from a load with PF 1.
    ///
    /// # Errors
    /// [`Fault::Reference`], [`Fault::Reversed`]; [`Fault::Value`] when a gain is more than 20 % off or the
    /// powers of the fundamental differ by more than 0.05 % from U · I; [`Fault::Angle`] when the current is
    /// more than 12° from its place.
    pub fn gains(&self, phase: &mut PhaseParameters, point: &Point) -> Result<(), Fault> {
        let Point { load, reading } = point;
        let expected = load.angle().ok_or(Fault::Reference)?;
        for (what, found, wanted) in [
            (Measured::Voltage, reading.voltage_uv, load.voltage_uv),
            (Measured::Current, reading.current_ua, load.current_ua),
        ] {
            within(what, off_ppm(found.into(), wanted.into()), GAIN_LIMIT_PPM)?;
        }
        if (reading.active_uw < 0) != (load.active_uw < 0) {
            let found_uw = reading.active_uw;
            return Err(Fault::Reversed { found_uw });
        }
        let angle =
            crate::angle::angle_of(reading.reactive_uvar.into(), reading.fundamental_uw.into());
        plausible_angle(i64::from((angle - expected) as i32))?;
        let square = |power: i64| u128::from(power.unsigned_abs()).pow(2);
        let sum = square(reading.fundamental_uw).saturating_add(square(reading.reactive_uvar));
        let product = u128::from(reading.voltage_uv) * u128::from(reading.current_ua) / 1_000_000;
        let off = off_ppm(square_root(sum).into(), product);
        within(Measured::Apparent, off, POWER_LIMIT_PPM)?;
        let voltage_gain = scaled(phase.voltage_gain, load.voltage_uv, reading.voltage_uv)?;
        phase.current_gain = scaled(phase.current_gain, load.current_ua, reading.current_ua)?;
        phase.voltage_gain = voltage_gain;
        Ok(())
    }

    /// Step 3: the phase error from the power at PF 0.5, δ = acos((1 + e) cos φ) − φ.
    ///
    /// # Errors
    /// [`Fault::Reference`] also for a load near PF 1, which says nothing about the phase;
    /// [`Fault::Value`] when U or I are more than 0.5 % off (the gains come first) or the power cannot be;
    /// [`Fault::Angle`] beyond 12°.
    pub fn phase(
        &self,
        phase: &mut PhaseParameters,
        point: &Point,
        term: PhaseTerm,
    ) -> Result<(), Fault> {
        let Point { load, reading } = point;
        for (what, found, wanted) in [
            (Measured::Voltage, reading.voltage_uv, load.voltage_uv),
            (Measured::Current, reading.current_ua, load.current_ua),
        ] {
            within(what, off_ppm(found.into(), wanted.into()), 5000)?;
        }
        let late = self.late(point, load.current_ua)?;
        self.turn_back(phase, late, term)
    }

    /// Step 3 at two frequencies: the lateness of the current at each separates the converter's delay from
    /// the transformer's lead. `self` and `other` state the frequencies.
    ///
    /// # Errors
    /// As [`Bench::phase`]; [`Fault::Points`] when the frequencies are closer than 2 Hz.
    pub fn delay_and_angle(
        &self,
        phase: &mut PhaseParameters,
        here: &Point,
        other: (&Self, &Point),
    ) -> Result<(), Fault> {
        let (there, other) = other;
        let span = i128::from(self.frequency_mhz) - i128::from(there.frequency_mhz);
        if span.abs() < 2000 {
            return Err(Fault::Points);
        }
        let late = |bench: &Self, point: &Point| bench.late(point, point.load.current_ua);
        let (first, second) = (late(self, here)?, late(there, other)?);
        // Lateness in turns is delay · f − lead; a mHz·s is a thousandth of a turn.
        let difference = i128::from(first - second) * span.signum() * 1_000_000_000_000;
        let delay_ns = rounded_div(difference, span.abs() << 32);
        let own = rounded_div(
            (delay_ns * i128::from(self.frequency_mhz)) << 32,
            1_000_000_000_000,
        );
        let mut mended = *phase;
        mended.delay_ns = fitting(i128::from(phase.delay_ns) + delay_ns)?;
        mended.angle = fitting(i128::from(phase.angle) + own - i128::from(first))?;
        *phase = mended;
        Ok(())
    }

    /// Step 3b and the last one: the errors that are left, refused beyond `limit_ppm` (power of the apparent
    /// power, so that the check means the same at every power factor).
    ///
    /// # Errors
    /// [`Fault::Reference`], [`Fault::Value`] with the first value that is off.
    pub fn check(&self, point: &Point, limit_ppm: u32) -> Result<(), Fault> {
        let Point { load, reading } = point;
        load.angle().ok_or(Fault::Reference)?;
        for (what, found, wanted) in [
            (Measured::Voltage, reading.voltage_uv, load.voltage_uv),
            (Measured::Current, reading.current_ua, load.current_ua),
        ] {
            within(what, off_ppm(found.into(), wanted.into()), limit_ppm)?;
        }
        let error = i128::from(reading.active_uw) - i128::from(load.active_uw);
        let apparent = i128::try_from(load.apparent_pw() / 1_000_000).unwrap_or(i128::MAX);
        let off = rounded_div(error * 1_000_000, apparent);
        within(
            Measured::Power,
            i64::try_from(off).unwrap_or(i64::MAX),
            limit_ppm,
        )
    }

    /// Step 4: the power that is missing at a low current.
    ///
    /// # Errors
    /// [`Fault::Reference`]; [`Fault::Offset`] beyond 2 % of the load.
    pub fn power_offset(&self, phase: &mut PhaseParameters, point: &Point) -> Result<(), Fault> {
        let Point { load, reading } = point;
        load.angle().ok_or(Fault::Reference)?;
        let found_uw = load.active_uw.saturating_sub(reading.active_uw);
        let limit_uw =
            u64::try_from(load.apparent_pw() / 1_000_000).unwrap_or(u64::MAX) / OFFSET_PART;
        if found_uw.unsigned_abs() > limit_uw {
            return Err(Fault::Offset { found_uw, limit_uw });
        }
        phase.power_offset_uw = fitting(i128::from(phase.power_offset_uw) + i128::from(found_uw))?;
        Ok(())
    }

    /// Step 5: the mean square that noise adds to a low current; never below zero.
    ///
    /// Step 0 is the better source: here what leaks from the voltage into the current looks like noise.
    ///
    /// # Errors
    /// [`Fault::Reference`]; [`Fault::Value`] when the current is more than 5 % off.
    pub fn current_noise(&self, phase: &mut PhaseParameters, point: &Point) -> Result<(), Fault> {
        let Point { load, reading } = point;
        load.angle().ok_or(Fault::Reference)?;
        let off = off_ppm(reading.current_ua.into(), load.current_ua.into());
        within(Measured::Current, off, 50_000)?;
        let noise = i128::from(phase.current_noise) + self.square_q8(phase, reading.current_ua)
            - self.square_q8(phase, load.current_ua);
        phase.current_noise = u32::try_from(noise.max(0)).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Step 7: ratio and angle of the current transformer at rising currents, PF 0.5. The readings are made
    /// without a curve ([`Curve::NONE`]).
    ///
    /// # Errors
    /// [`Fault::Points`] for fewer than 3 or more than 6 points, currents that do not rise, or a phase that
    /// has a curve already; else as [`Bench::phase`].
    pub fn curve(&self, phase: &mut PhaseParameters, points: &[Point]) -> Result<(), Fault> {
        if !(3..=CURVE_POINTS).contains(&points.len()) || phase.curve != Curve::NONE {
            return Err(Fault::Points);
        }
        let mut curve = [CurvePoint::default(); CURVE_POINTS];
        for (place, point) in curve.iter_mut().zip(points) {
            let late = self.late(point, point.reading.current_ua)?;
            let ratio = off_ppm(
                point.load.current_ua.into(),
                point.reading.current_ua.into(),
            );
            *place = CurvePoint {
                current_ua: fitting(point.reading.current_ua.into())?,
                ratio_ppm: fitting(ratio.into())?,
                angle: fitting(-i128::from(late))?,
            };
        }
        let points = curve.get(..points.len()).unwrap_or(&[]);
        phase.curve = Curve::try_new(points)?;
        Ok(())
    }

    /// Step 8: temperature terms of both gains from readings at two temperatures (linear) or three (with the
    /// square), made without temperature terms ([`Drift::NONE`]). The gains at the reference temperature are
    /// mended along.
    ///
    /// `reference_mdeg` is that of [`Parameters`]; each point is at a temperature in millidegrees.
    ///
    /// # Errors
    /// [`Fault::Points`] for another number of points, temperatures closer than 5 K, or a phase that has
    /// temperature terms already; [`Fault::Value`] when a reading is more than 5 % off.
    pub fn drift(
        &self,
        phase: &mut PhaseParameters,
        reference_mdeg: i32,
        points: &[(i32, Point)],
    ) -> Result<(), Fault> {
        if phase.voltage_drift != Drift::NONE || phase.current_drift != Drift::NONE {
            return Err(Fault::Points);
        }
        let mut mended = *phase;
        for (what, gain, drift) in [
            (
                Measured::Voltage,
                &mut mended.voltage_gain,
                &mut mended.voltage_drift,
            ),
            (
                Measured::Current,
                &mut mended.current_gain,
                &mut mended.current_drift,
            ),
        ] {
            let mut ratios = [(0_i128, 0_i128); 3];
            for (place, (mdeg, point)) in ratios.iter_mut().zip(points) {
                let (found, wanted) = match what {
                    Measured::Voltage => (point.reading.voltage_uv, point.load.voltage_uv),
                    _ => (point.reading.current_ua, point.load.current_ua),
                };
                within(what, off_ppm(found.into(), wanted.into()), 50_000)?;
                let ratio = rounded_div(i128::from(wanted) * RATIO, found.into());
                *place = (i128::from(*mdeg) - i128::from(reference_mdeg), ratio);
            }
            let used = ratios.get(..points.len()).ok_or(Fault::Points)?;
            let (base, fitted) = polynomial(used)?;
            *gain = fitting_gain(rounded_div(i128::from(gain.to_bits()) * base, RATIO))?;
            *drift = fitted;
        }
        *phase = mended;
        Ok(())
    }

    /// Angle by which the measured current is later than the true one, from the power, 2^-32 turn. The
    /// current is the reference's, or the meter's where its own error is wanted apart.
    fn late(&self, point: &Point, current_ua: u64) -> Result<i64, Fault> {
        let Point { load, reading } = point;
        let expected = load.angle().ok_or(Fault::Reference)?;
        // Within a quarter of PF 1 the cosine is too flat: 10^-5 of the power would be 0.03°.
        if expected.abs() < (1 << 32) / 24 || expected.abs() > (1 << 32) / 24 * 11 {
            return Err(Fault::Reference);
        }
        let apparent = u128::from(load.voltage_uv) * u128::from(current_ua);
        let found =
            angle_from_power(reading.active_uw, apparent, load.lagging).ok_or_else(|| {
                let active = u128::from(reading.active_uw.unsigned_abs()) * 1_000_000;
                Fault::Value {
                    what: Measured::Power,
                    found_ppm: off_ppm(active, apparent),
                    limit_ppm: POWER_LIMIT_PPM,
                }
            })?;
        let late = found - expected;
        plausible_angle(late)?;
        Ok(late)
    }

    fn turn_back(
        &self,
        phase: &mut PhaseParameters,
        late: i64,
        term: PhaseTerm,
    ) -> Result<(), Fault> {
        match term {
            PhaseTerm::Delay => {
                let ns = rounded_div(
                    i128::from(late) * 1_000_000_000_000,
                    i128::from(self.frequency_mhz) << 32,
                );
                phase.delay_ns = fitting(i128::from(phase.delay_ns) + ns)?;
            }
            PhaseTerm::Angle => {
                phase.angle = fitting(i128::from(phase.angle) - i128::from(late))?;
            }
        }
        Ok(())
    }

    /// Mean square of a current in counts², Q8.
    fn square_q8(&self, phase: &PhaseParameters, current_ua: u64) -> i128 {
        let counts = counts_q16(current_ua.into(), self.current_na, phase.current_gain);
        counts.saturating_mul(counts) >> 24
    }
}

/// Counts (Q16) of a value in millionths of its unit.
fn counts_q16(micro: i128, nano: u32, gain: Gain) -> i128 {
    let scale = i128::from(nano) * i128::from(gain.to_bits());
    rounded_div((micro * 1000) << 46, scale)
}

fn within(what: Measured, found_ppm: i64, limit_ppm: u32) -> Result<(), Fault> {
    if found_ppm.unsigned_abs() > u64::from(limit_ppm) {
        return Err(Fault::Value {
            what,
            found_ppm,
            limit_ppm,
        });
    }
    Ok(())
}

fn plausible_angle(late: i64) -> Result<(), Fault> {
    let found_mdeg = ((late * 360_000) >> 32) as i32;
    if found_mdeg.unsigned_abs() > ANGLE_LIMIT_MDEG {
        return Err(Fault::Angle {
            found_mdeg,
            limit_mdeg: ANGLE_LIMIT_MDEG,
        });
    }
    Ok(())
}

/// gain · wanted / found.
fn scaled(gain: Gain, wanted: u64, found: u64) -> Result<Gain, Fault> {
    fitting_gain(rounded_div(
        i128::from(gain.to_bits()) * i128::from(wanted),
        i128::from(found),
    ))
}

/// A gain from its bits.
fn fitting_gain(bits: i128) -> Result<Gain, Fault> {
    fitting(bits).map(Gain::from_bits)
}

/// A constant that fits its field; constants far outside it are no result of a calibration.
fn fitting<T: TryFrom<i128>>(value: i128) -> Result<T, Fault> {
    T::try_from(value).map_err(|_| Fault::Points)
}
