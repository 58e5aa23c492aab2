//! The smallest meter, for a sealed core of few KiB: what its two sizes share.

use core::ffi::c_void;

use ::metrology::{
    Calibration, ChannelInterval, Counts, EnergyConstants, EnergyCore, EnergyPhase, EnergyRegister,
    FULL_SCALE, Sample,
};

use super::mtr_metrology_parameters;
use crate::border::{Checked, Opaque, Plain, call};
use crate::result::mtr_result;

/// Most samples by which a channel can be held back.
const HOLD: u32 = 12;
/// Largest magnitude of a weight: both gains at their ends, Q30.
const WEIGHT: u64 = 1 << 35;
/// Least worth of a step or pulse: what one full-scale sample brings at most.
const STEP: i128 = 1 << 80;

/// A signed number of 128 bits: high * 2^64 + low.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_wide {
    /// Low half.
    pub low: u64,
    /// High half, with the sign.
    pub high: i64,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_wide {}

impl From<i128> for mtr_wide {
    fn from(own: i128) -> Self {
        mtr_wide {
            low: own as u64,
            high: (own >> 64) as i64,
        }
    }
}

impl From<mtr_wide> for i128 {
    fn from(given: mtr_wide) -> Self {
        (i128::from(given.high) << 64) | i128::from(given.low)
    }
}

/// What the smallest meter needs of one phase, made by mtr_energy_work_out.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_energy_phase {
    /// Weight of the product of simultaneous samples, gains included, 2^-30.
    pub straight: i64,
    /// Weight of the product with the voltage one sample older, the same.
    pub delayed: i64,
    /// Power added, raw units a sample.
    pub power_offset: i64,
    /// Counts taken off every voltage sample.
    pub voltage_offset: i32,
    /// Counts taken off every current sample.
    pub current_offset: i32,
    /// Samples by which the voltage is held back, at most 12.
    pub voltage_hold: u32,
    /// The same of the current; one of both is 0.
    pub current_hold: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_energy_phase {}

/// Constants of the smallest meter, made by mtr_energy_work_out on the bench. They have no check sum of their own: store
/// them in a record that has one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_energy_constants {
    /// By phase; a single-phase meter uses the first.
    pub phase: [mtr_energy_phase; 3],
    /// Raw units of a register step.
    pub step_raw: mtr_wide,
    /// Raw units of a pulse.
    pub pulse_raw: mtr_wide,
    /// Magnitude from which a sample counts as saturated, counts.
    pub saturation: i32,
    /// 1: the neutral current is measured.
    pub has_neutral: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_energy_constants {}

/// A register with its remainder.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_energy_register {
    /// Steps (of pulses: pulses) taken from the grid.
    pub imported: u64,
    /// Steps given to the grid.
    pub exported: u64,
    /// What is left of a step, raw units; smaller than one.
    pub remainder: mtr_wide,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_energy_register {}

/// All that must outlive a loss of power. It has no check sum of its own: store two copies in turn, each in a record
/// that has one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_energy_state {
    /// By phase; unused ones are 0.
    pub phase: [mtr_energy_register; 3],
    /// Pulses of the sum of all phases.
    pub pulses: mtr_energy_register,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_energy_state {}

/// Rms values of an interval without their means, counts with 8 fractional bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_energy_interval {
    /// Voltages; unused ones are 0.
    pub voltage_q8: [u32; 3],
    /// Currents.
    pub current_q8: [u32; 3],
    /// Neutral current; 0 where it is not measured.
    pub neutral_q8: u32,
    /// Samples of the interval; 0 before the first block.
    pub samples: u32,
}

/// Constants and state of the smallest meter.
#[derive(Debug)]
pub struct SmallMeter<const PHASES: usize> {
    constants: EnergyConstants<PHASES>,
    core: EnergyCore<PHASES>,
}

const NO_PHASE: mtr_energy_phase = mtr_energy_phase {
    straight: 0,
    delayed: 0,
    power_offset: 0,
    voltage_offset: 0,
    current_offset: 0,
    voltage_hold: 0,
    current_hold: 0,
};

const EMPTY: mtr_energy_register = mtr_energy_register {
    imported: 0,
    exported: 0,
    remainder: mtr_wide { low: 0, high: 0 },
};

impl From<&EnergyPhase> for mtr_energy_phase {
    fn from(own: &EnergyPhase) -> Self {
        let [voltage_offset, current_offset] = own.offset;
        // At most 12.
        let hold = |samples: usize| samples as u32;
        mtr_energy_phase {
            straight: own.straight,
            delayed: own.delayed,
            power_offset: own.power_offset,
            voltage_offset,
            current_offset,
            voltage_hold: hold(own.voltage_hold),
            current_hold: hold(own.current_hold),
        }
    }
}

impl mtr_energy_phase {
    /// The constants, when a calibration could have given them.
    fn own(&self) -> Checked<EnergyPhase> {
        let fits = self.voltage_hold <= HOLD
            && self.current_hold <= HOLD
            && self.straight.unsigned_abs() <= WEIGHT
            && self.delayed.unsigned_abs() <= WEIGHT
            && [self.voltage_offset, self.current_offset]
                .iter()
                .all(|offset| offset.unsigned_abs() <= 1 << 20);
        fits.then_some(EnergyPhase {
            voltage_hold: self.voltage_hold as usize,
            current_hold: self.current_hold as usize,
            straight: self.straight,
            delayed: self.delayed,
            offset: [self.voltage_offset, self.current_offset],
            power_offset: self.power_offset,
        })
        .ok_or(mtr_result::MTR_ERR_PARAMETER)
    }
}

impl mtr_energy_constants {
    fn of<const PHASES: usize>(own: &EnergyConstants<PHASES>) -> Self {
        let mut phase = [NO_PHASE; 3];
        for (place, own) in phase.iter_mut().zip(&own.phase) {
            *place = own.into();
        }
        mtr_energy_constants {
            phase,
            step_raw: own.step_raw.into(),
            pulse_raw: own.pulse_raw.into(),
            saturation: own.saturation,
            has_neutral: own.neutral.into(),
        }
    }

    fn own<const PHASES: usize>(&self) -> Checked<EnergyConstants<PHASES>> {
        let bad = mtr_result::MTR_ERR_PARAMETER;
        let (step_raw, pulse_raw) = (i128::from(self.step_raw), i128::from(self.pulse_raw));
        if step_raw < STEP || pulse_raw < STEP || !(1..=FULL_SCALE).contains(&self.saturation) {
            return Err(bad);
        }
        let mut phase = [NO_PHASE.own()?; PHASES];
        for (place, given) in phase.iter_mut().zip(&self.phase) {
            *place = given.own()?;
        }
        Ok(EnergyConstants {
            phase,
            neutral: self.has_neutral != 0,
            saturation: self.saturation,
            step_raw,
            pulse_raw,
        })
    }
}

impl From<&EnergyRegister> for mtr_energy_register {
    fn from(own: &EnergyRegister) -> Self {
        mtr_energy_register {
            imported: own.counts.import,
            exported: own.counts.export,
            remainder: own.remainder.into(),
        }
    }
}

impl mtr_energy_register {
    /// The register, when its remainder is less than a step.
    fn own(&self, step: i128) -> Checked<EnergyRegister> {
        let remainder = i128::from(self.remainder);
        if remainder <= -step || remainder >= step {
            return Err(mtr_result::MTR_ERR_STATE);
        }
        Ok(EnergyRegister {
            counts: Counts {
                import: self.imported,
                export: self.exported,
            },
            remainder,
        })
    }
}

/// Works the constants of the smallest meter out of all constants, on the bench: phase errors are turned back as they are
/// at the nominal frequency; curves of temperature and current are left out. `phases` is 1 or 3. MTR_ERR_PARAMETER for
/// another number, for a constant outside its range, and for steps or pulses of which one full-scale sample brings more
/// than one.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_energy_work_out(
    parameters: *const mtr_metrology_parameters,
    phases: u32,
    constants: *mut mtr_energy_constants,
) -> mtr_result {
    fn of<const PHASES: usize>(calibration: &Calibration<PHASES>) -> Checked<mtr_energy_constants> {
        let own = EnergyConstants::new(calibration).map_err(|_| mtr_result::MTR_ERR_PARAMETER)?;
        Ok(mtr_energy_constants::of(&own))
    }
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (given, constants) = unsafe { (border.given(parameters)?, border.place(constants)?) };
        constants.write(match phases {
            1 => of::<1>(&given.calibration()?)?,
            3 => of::<3>(&given.calibration()?)?,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        });
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn init<O: Opaque<Body = SmallMeter<PHASES>>, const PHASES: usize>(
    storage: *mut c_void,
    size: usize,
    constants: *const mtr_energy_constants,
    state: *const mtr_energy_state,
    core: *mut *mut O,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, constants, state) = unsafe {
            (
                border.storage(storage, size, core)?,
                border.given(constants)?,
                (!state.is_null())
                    .then(|| border.given(state))
                    .transpose()?,
            )
        };
        let constants: EnergyConstants<PHASES> = constants.own()?;
        let core = match state {
            None => EnergyCore::new(),
            Some(state) => {
                let mut registers = [EnergyRegister::default(); PHASES];
                for (place, given) in registers.iter_mut().zip(&state.phase) {
                    *place = given.own(constants.step_raw)?;
                }
                EnergyCore::resume(registers, state.pulses.own(constants.pulse_raw)?)
            }
        };
        storage.fill(SmallMeter { constants, core });
        Ok(())
    })
}

/// # Safety
/// The rules of the header; `samples` are sets of samples as [`Sample`] lays them out.
pub(super) unsafe fn process<O: Opaque<Body = SmallMeter<PHASES>>, const PHASES: usize>(
    core: *mut O,
    samples: *const Sample<PHASES>,
    count: usize,
    saturated: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (small, samples, saturated) = unsafe {
            (
                border.object_mut(core)?,
                border.slice(samples, count)?,
                border.place(saturated)?,
            )
        };
        saturated.write(small.core.process(&small.constants, samples).into());
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn state<O: Opaque<Body = SmallMeter<PHASES>>, const PHASES: usize>(
    core: *const O,
    state: *mut mtr_energy_state,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (small, state) = unsafe { (border.object(core)?, border.place(state)?) };
        let mut phase = [EMPTY; 3];
        for (place, own) in phase.iter_mut().zip(small.core.registers()) {
            *place = own.into();
        }
        state.write(mtr_energy_state {
            phase,
            pulses: small.core.pulses().into(),
        });
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn interval<O: Opaque<Body = SmallMeter<PHASES>>, const PHASES: usize>(
    core: *mut O,
    interval: *mut mtr_energy_interval,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (small, interval) = unsafe { (border.object_mut(core)?, border.place(interval)?) };
        let own = small.core.interval();
        let rms = |channels: &[ChannelInterval; PHASES]| {
            let mut all = [0; 3];
            for (place, channel) in all.iter_mut().zip(channels) {
                *place = channel.rms_q8(own.samples);
            }
            all
        };
        interval.write(mtr_energy_interval {
            voltage_q8: rms(&own.u),
            current_q8: rms(&own.i),
            neutral_q8: own.n.rms_q8(own.samples),
            samples: own.samples,
        });
        small.core.clear_interval();
        Ok(())
    })
}
