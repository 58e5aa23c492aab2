//! Calibration on a production line.

use ::metrology::PhaseParameters;
use ::metrology::adjust::{Bench, Fault, Load, PhaseTerm, Point, Reading};

use super::{mtr_metrology_parameters, mtr_phase_constants};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// The phase error goes into delay_ns: filters and converters.
pub const MTR_PHASE_AS_DELAY: u32 = 0;
/// The phase error goes into angle: current transformers.
pub const MTR_PHASE_AS_ANGLE: u32 = 1;

/// Mean values of one phase at one load point, what the meter says.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_reading {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts.
    pub active_uw: i64,
    /// Active power of the fundamental, microwatts.
    pub fundamental_uw: i64,
    /// Reactive power of the fundamental, microvars.
    pub reactive_uvar: i64,
    /// Mean voltage, microvolts.
    pub voltage_mean_uv: i64,
    /// Mean current, microamperes.
    pub current_mean_ua: i64,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_reading {}

/// A load point, what the reference says.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_load {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts; positive is import.
    pub active_uw: i64,
    /// 1: the current lags the voltage (inductive).
    pub lagging: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_load {}

fn reading(given: &mtr_reading) -> Reading {
    Reading {
        voltage_uv: given.voltage_uv,
        current_ua: given.current_ua,
        active_uw: given.active_uw,
        fundamental_uw: given.fundamental_uw,
        reactive_uvar: given.reactive_uvar,
        voltage_mean_uv: given.voltage_mean_uv,
        current_mean_ua: given.current_mean_ua,
    }
}

fn point(load: &mtr_load, read: &mtr_reading) -> Point {
    Point {
        load: Load {
            voltage_uv: load.voltage_uv,
            current_ua: load.current_ua,
            active_uw: load.active_uw,
            lagging: load.lagging != 0,
        },
        reading: reading(read),
    }
}

/// One step: constants in, constants out, nothing changed when the reading is refused.
fn step(
    parameters: &mtr_metrology_parameters,
    phase: &mtr_phase_constants,
    run: impl FnOnce(&Bench, &mut PhaseParameters) -> Result<(), Fault>,
) -> Checked<mtr_phase_constants> {
    let bench = Bench::new(&parameters.parameters::<1>()?);
    let mut own = PhaseParameters::from(phase);
    run(&bench, &mut own).map_err(|_| mtr_result::MTR_ERR_REFUSED)?;
    Ok((&own).into())
}

/// Step 0, voltage and current open: offsets and current noise of `phase` from `read`, which was made with these
/// constants; `mended` takes the new constants. MTR_ERR_REFUSED when the reading cannot be that of open channels.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_adjust_open(
    parameters: *const mtr_metrology_parameters,
    phase: *const mtr_phase_constants,
    read: *const mtr_reading,
    mended: *mut mtr_phase_constants,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (parameters, phase, read, mended) = unsafe {
            (
                border.given(parameters)?,
                border.given(phase)?,
                border.given(read)?,
                border.place(mended)?,
            )
        };
        let read = reading(read);
        mended.write(step(parameters, phase, |bench, own| {
            bench.open(own, &read)
        })?);
        Ok(())
    })
}

/// A step at a load point, from the C pointers on.
///
/// # Safety
/// The rules of the header.
unsafe fn at_load(
    parameters: *const mtr_metrology_parameters,
    phase: *const mtr_phase_constants,
    load: *const mtr_load,
    read: *const mtr_reading,
    mended: *mut mtr_phase_constants,
    run: impl FnOnce(&Bench, &mut PhaseParameters, &Point) -> Result<(), Fault>,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (parameters, phase, load, read, mended) = unsafe {
            (
                border.given(parameters)?,
                border.given(phase)?,
                border.given(load)?,
                border.given(read)?,
                border.place(mended)?,
            )
        };
        let point = point(load, read);
        mended.write(step(parameters, phase, |bench, own| {
            run(bench, own, &point)
        })?);
        Ok(())
    })
}

/// Steps 1 and 2, rated voltage and current at power factor 1: both gains. MTR_ERR_REFUSED when a gain would be more
/// than 20 % off, or the powers contradict each other.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_adjust_gains(
    parameters: *const mtr_metrology_parameters,
    phase: *const mtr_phase_constants,
    load: *const mtr_load,
    read: *const mtr_reading,
    mended: *mut mtr_phase_constants,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { at_load(parameters, phase, load, read, mended, Bench::gains) }
}

/// Step 3, the same load at power factor 0.5: the phase error, into MTR_PHASE_AS_DELAY or MTR_PHASE_AS_ANGLE.
/// MTR_ERR_REFUSED when the gains are not right yet or the error is more than 12 degrees, MTR_ERR_PARAMETER for
/// another `term`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_adjust_phase(
    parameters: *const mtr_metrology_parameters,
    phase: *const mtr_phase_constants,
    load: *const mtr_load,
    read: *const mtr_reading,
    term: u32,
    mended: *mut mtr_phase_constants,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (parameters, phase, load, read, mended) = unsafe {
            (
                border.given(parameters)?,
                border.given(phase)?,
                border.given(load)?,
                border.given(read)?,
                border.place(mended)?,
            )
        };
        let term = match term {
            MTR_PHASE_AS_DELAY => PhaseTerm::Delay,
            MTR_PHASE_AS_ANGLE => PhaseTerm::Angle,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        let point = point(load, read);
        mended.write(step(parameters, phase, |bench, own| {
            bench.phase(own, &point, term)
        })?);
        Ok(())
    })
}

/// Step 4, 1 to 5 % of the rated current at power factor 1: the power that is missing. MTR_ERR_REFUSED beyond 2 % of
/// the load.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_adjust_power_offset(
    parameters: *const mtr_metrology_parameters,
    phase: *const mtr_phase_constants,
    load: *const mtr_load,
    read: *const mtr_reading,
    mended: *mut mtr_phase_constants,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { at_load(parameters, phase, load, read, mended, Bench::power_offset) }
}
