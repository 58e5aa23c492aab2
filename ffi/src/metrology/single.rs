//! The chain of one voltage and one current.

use core::ffi::c_void;

use ::metrology::{Calibration, Meter, Sample};

use super::{calls, mtr_metrology_parameters, mtr_progress, mtr_quantities, mtr_registers};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_metrology1.
pub const MTR_METROLOGY1_SIZE: usize = 1568;

/// Most bytes that mtr_metrology1_save writes.
pub const MTR_METROLOGY1_STATE_MAX: usize = 512;
const _: () = assert!(Meter::<1>::STATE_LEN <= MTR_METROLOGY1_STATE_MAX);

/// Most bytes that mtr_metrology1_store_constants writes.
pub const MTR_METROLOGY1_CONSTANTS_MAX: usize = 256;
const _: () = assert!(Calibration::<1>::ENCODED_LEN <= MTR_METROLOGY1_CONSTANTS_MAX);

/// The chain of one voltage and one current. Opaque.
pub struct mtr_metrology1 {
    _opaque: [u8; 0],
}

/// One simultaneous set of samples, counts of at most 24 bits; larger ones are limited and flagged.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_sample1 {
    /// Voltages.
    pub u: [i32; 1],
    /// Currents; positive power is import.
    pub i: [i32; 1],
    /// Neutral current; read only when the constants have such a channel.
    pub n: i32,
}

const _: () = assert!(
    size_of::<mtr_sample1>() == size_of::<Sample<1>>()
        && align_of::<mtr_sample1>() == align_of::<Sample<1>>()
);

/// Makes a chain in `storage` of `size` bytes (at least MTR_METROLOGY1_SIZE, aligned to MTR_ALIGN).
/// MTR_ERR_PARAMETER when a constant is outside its range.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_init(
    storage: *mut c_void,
    size: usize,
    parameters: *const mtr_metrology_parameters,
    chain: *mut *mut mtr_metrology1,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::init(storage, size, parameters, chain) }
}

/// As mtr_metrology1_init, with all constants as mtr_metrology1_store_constants wrote them. MTR_ERR_LENGTH or
/// MTR_ERR_STATE when they are damaged or of another version, MTR_ERR_PARAMETER when one is outside its range.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_init_stored(
    storage: *mut c_void,
    size: usize,
    constants: *const u8,
    len: usize,
    chain: *mut *mut mtr_metrology1,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::init_stored(storage, size, constants, len, chain) }
}

/// Writes all constants with version and check sum to `out` (MTR_METROLOGY1_CONSTANTS_MAX bytes are enough) and
/// their length to `len`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_store_constants(
    chain: *const mtr_metrology1,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::store_constants(chain, out, capacity, len) }
}

/// Processes `count` sets of samples and tells in `progress` what they brought; the result does not depend on how the
/// samples are cut into blocks.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_process(
    chain: *mut mtr_metrology1,
    samples: *const mtr_sample1,
    count: usize,
    progress: *mut mtr_progress,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::process(chain, samples.cast::<Sample<1>>(), count, progress) }
}

/// Tells the temperature of the sensors, millidegrees Celsius; the gains follow it where the constants say how.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_set_temperature(
    chain: *mut mtr_metrology1,
    mdeg: i32,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::set_temperature(chain, mdeg) }
}

/// The quantities of the last window; MTR_MORE before the first.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_quantities(
    chain: *const mtr_metrology1,
    quantities: *mut mtr_quantities,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::quantities(chain, quantities) }
}

/// The energy registers up to the last window that closed; the rest is carried, never lost.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_registers(
    chain: *const mtr_metrology1,
    registers: *mut mtr_registers,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::registers(chain, registers) }
}

/// Writes registers and remainders with version and check sum to `out` (MTR_METROLOGY1_STATE_MAX bytes are enough)
/// and their length to `len`: keep two copies and write them in turn, so that one is whole when the power goes.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_save(
    chain: *const mtr_metrology1,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::save(chain, out, capacity, len) }
}

/// Takes back what mtr_metrology1_save wrote. MTR_ERR_LENGTH or MTR_ERR_STATE: refused, and nothing changed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_restore(
    chain: *mut mtr_metrology1,
    state: *const u8,
    len: usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { calls::restore(chain, state, len) }
}
