//! The smallest meter of one voltage and one current.

use core::ffi::c_void;

use ::metrology::Sample;

use super::energy_core::{self, mtr_energy_constants, mtr_energy_interval, mtr_energy_state};
use super::mtr_sample1;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_energy1.
pub const MTR_ENERGY1_SIZE: usize = 288;

/// The smallest meter of one voltage and one current: exact active energy, pulses and rms values, without
/// windows, frequency, reactive power, start threshold and curves. Opaque.
pub struct mtr_energy1 {
    _opaque: [u8; 0],
}

/// Makes the smallest meter of one voltage and one current in `storage` of `size` bytes (at least MTR_ENERGY1_SIZE, aligned to
/// MTR_ALIGN). `state` is what mtr_energy1_state gave before the power went; `state` may be NULL for a new meter.
/// MTR_ERR_PARAMETER for constants that mtr_energy_work_out cannot have given, MTR_ERR_STATE for a remainder of more than
/// a step.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_energy1_init(
    storage: *mut c_void,
    size: usize,
    constants: *const mtr_energy_constants,
    state: *const mtr_energy_state,
    core: *mut *mut mtr_energy1,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { energy_core::init(storage, size, constants, state, core) }
}

/// Takes `count` sets of samples, 64 serve best; `saturated` becomes 1 when one reached the saturation level, else 0. The
/// registers follow at once.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_energy1_process(
    core: *mut mtr_energy1,
    samples: *const mtr_sample1,
    count: usize,
    saturated: *mut u8,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { energy_core::process(core, samples.cast::<Sample<1>>(), count, saturated) }
}

/// Registers, remainders and pulses, to be read and to be stored.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_energy1_state(
    core: *const mtr_energy1,
    state: *mut mtr_energy_state,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { energy_core::state(core, state) }
}

/// The rms values since the last call, and a new interval begins. To be called before 65536 samples are in one; an
/// interval that is not whole cycles shows the ripple of the one that is cut.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_energy1_interval(
    core: *mut mtr_energy1,
    interval: *mut mtr_energy_interval,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { energy_core::interval(core, interval) }
}
