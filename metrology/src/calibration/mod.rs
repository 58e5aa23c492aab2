//! The constants of one meter: checked once, shared read-only by every block.
//!
//! Sign of the phase terms: the measured current lies `delay_ns · f` of a turn behind the true one and
//! `angle` ahead of it (the lead of a current transformer). The meter turns it back by their difference.

pub(crate) mod constants;
mod error;
mod parameters;
mod stored;

use crate::compensation::{Curve, lag};
use crate::division::rounded_div;
use crate::sample::FULL_SCALE;

pub(crate) use error::bad;
pub use error::{CalibrationError, Rule};
pub use parameters::{
    DcPower, NeutralParameters, Parameters, PhaseParameters, Policy, Stamp, Sync, Window,
};

/// Gain of exactly one in the Q2.30 format of all gains.
pub(crate) const UNITY: u32 = Gain::ONE.to_bits();
/// A gain: unsigned, 2 bits before and 30 behind the point. The constants take 2^-4 to just below 4.
pub type Gain = fixed::types::U2F30;
/// Samples of history that whole-sample delays may reach back.
pub(crate) const HISTORY: usize = 12;

/// Checked constants with what follows from them; one per meter, shared read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration<const PHASES: usize> {
    parameters: Parameters<PHASES>,
    pub(crate) derived: [Derived; PHASES],
    /// Raw units of one register step.
    pub(crate) quantum: i128,
    /// Samples per decimated sample of detectors, 1 to 20.
    pub(crate) decimation: u32,
}

/// What follows from one phase's constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Derived {
    /// Whole samples by which voltage and current are held back.
    pub voltage_hold: usize,
    pub current_hold: usize,
    /// False when neither delay nor angle is set: the second product sum is then not needed.
    pub delayed: bool,
    /// Power offset in raw units per sample.
    pub offset: i128,
}

fn within(
    name: &'static str,
    phase: Option<u8>,
    value: impl Into<i64>,
    min: i64,
    max: i64,
) -> Result<(), CalibrationError> {
    if (min..=max).contains(&value.into()) {
        Ok(())
    } else {
        Err(bad(name, phase, Rule::Range { min, max }))
    }
}

impl<const PHASES: usize> Calibration<PHASES> {
    /// Checks the constants and works out what follows from them.
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] names the first parameter that breaks a rule.
    pub fn try_new(parameters: Parameters<PHASES>) -> Result<Self, CalibrationError> {
        let p = &parameters;
        if PHASES != 1 && PHASES != 3 {
            return Err(bad("PHASES", None, Rule::PhaseCount));
        }
        let u32_max = i64::from(u32::MAX);
        let phases = PHASES as i64;
        within(
            "sample_rate_mhz",
            None,
            p.sample_rate_mhz,
            600_000,
            64_000_000,
        )?;
        within("nominal_mhz", None, p.nominal_mhz, 40_000, 75_000)?;
        within("voltage_nv", None, p.voltage_nv, 1, u32_max)?;
        within("current_na", None, p.current_na, 1, u32_max)?;
        within("saturation", None, p.saturation, 1, FULL_SCALE.into())?;
        within("sync_level", None, p.sync_level, 1, FULL_SCALE.into())?;
        within("energy_step_mwh", None, p.energy_step_mwh, 1, 1_000_000)?;
        // A step then gives at most 16.8 pulses, and the remainder times both numbers fits.
        let most = (1 << 24) / i64::from(p.energy_step_mwh);
        within("pulses_per_kwh", None, p.pulses_per_kwh, 1, most)?;
        within("pulses_per_kvarh", None, p.pulses_per_kvarh, 1, most)?;
        within("start_average_ms", None, p.start_average_ms, 1, 60_000)?;
        within("reference_mdeg", None, p.reference_mdeg, -100_000, 200_000)?;
        if !p.stamp.plausible() {
            return Err(bad("stamp.date", None, Rule::Date));
        }
        if let Sync::Voltage(channel) | Sync::Current(channel) = p.sync {
            within("sync", None, channel, 0, phases - 1)?;
        }
        if let Sync::Fixed(frequency_uhz) = p.sync {
            within("sync", None, frequency_uhz, 40_000_000, 75_000_000)?;
        }
        if let Window::Cycles(cycles) = p.window {
            within("window", None, cycles, 1, 600)?;
        }
        if let Some(neutral) = &p.neutral {
            within(
                "neutral.gain",
                None,
                neutral.gain.to_bits(),
                1 << 26,
                u32_max,
            )?;
            within("neutral.offset", None, neutral.offset, -(1 << 20), 1 << 20)?;
        }
        // One raw unit is 2^-30 count² (after the gains) times one sample interval:
        // step [mWh] · 3.6 J/mWh · fs · 2^30 / (1e-18 · nV · nA).
        let count_square = u128::from(p.voltage_nv) * u128::from(p.current_na);
        let quantum = u128::from(p.energy_step_mwh)
            .checked_mul(3_600_000_000_000_000)
            .and_then(|q| q.checked_mul(u128::from(p.sample_rate_mhz)))
            .and_then(|q| q.checked_mul(1 << 30))
            .map(|q| (q + count_square / 2) / count_square)
            .filter(|q| (1 << 36..1 << 106).contains(q))
            .and_then(|q| i128::try_from(q).ok())
            .ok_or(bad("energy_step_mwh", None, Rule::Unrepresentable))?;
        let mut derived = [Derived::NONE; PHASES];
        for (index, (phase, derived)) in (0..).zip(p.phase.iter().zip(&mut derived)) {
            *derived = Derived::try_new(p, phase, index)?;
        }
        let decimation = (p.sample_rate_mhz / 1_600_000).clamp(1, 20);
        Ok(Self {
            parameters,
            derived,
            quantum,
            decimation,
        })
    }

    /// The constants as given.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters<PHASES> {
        &self.parameters
    }
}

impl Derived {
    /// Whole samples by which voltage and current are held back.
    pub const fn hold(&self) -> (usize, usize) {
        (self.voltage_hold, self.current_hold)
    }

    pub const NONE: Self = Self {
        voltage_hold: 0,
        current_hold: 0,
        delayed: false,
        offset: 0,
    };

    /// Checks the constants of one voltage and one current; `index` is the phase or circuit they belong to.
    pub fn try_new<const PHASES: usize>(
        p: &Parameters<PHASES>,
        phase: &PhaseParameters,
        index: u8,
    ) -> Result<Self, CalibrationError> {
        let at = Some(index);
        let u32_max = i64::from(u32::MAX);
        let offset = 1 << 20;
        within(
            "voltage_gain",
            at,
            phase.voltage_gain.to_bits(),
            1 << 26,
            u32_max,
        )?;
        within(
            "current_gain",
            at,
            phase.current_gain.to_bits(),
            1 << 26,
            u32_max,
        )?;
        within("voltage_offset", at, phase.voltage_offset, -offset, offset)?;
        within("current_offset", at, phase.current_offset, -offset, offset)?;
        within("angle", at, phase.angle, -(1 << 29), 1 << 29)?;
        let lag = lag(phase.delay_ns, phase.angle.into(), p.nominal_mhz);
        let samples = lag * i128::from(p.sample_rate_mhz);
        let whole = rounded_div(samples, p.nominal_mhz.into()) >> 32;
        let history = HISTORY as i128;
        if !(-history..history).contains(&whole) {
            return Err(bad("delay_ns", at, Rule::TooLate));
        }
        let count_square = i128::from(p.voltage_nv) * i128::from(p.current_na);
        Ok(Self {
            voltage_hold: usize::try_from(whole).unwrap_or(0),
            current_hold: usize::try_from(-whole).unwrap_or(0),
            delayed: phase.delay_ns != 0 || phase.angle != 0 || phase.curve != Curve::NONE,
            offset: rounded_div(
                i128::from(phase.power_offset_uw) * (1_000_000_000_000 << 30),
                count_square,
            ),
        })
    }
}
