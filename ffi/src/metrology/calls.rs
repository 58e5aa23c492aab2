//! The calls that the chains of one and of three phases have in common, each written once for both.
//!
//! `single.rs` and `three.rs` hold the C functions, because the header is made from them; each is one line into here.

use core::ffi::c_void;

use ::metrology::Sample;

use super::{Chain, mtr_metrology_parameters, mtr_progress, mtr_quantities, mtr_registers};
use crate::border::{Border, Checked, Opaque, Plain, call};
use crate::result::mtr_result;

// SAFETY: `repr(C)` and integers only.
unsafe impl<const PHASES: usize> Plain for Sample<PHASES> {}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn init<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    storage: *mut c_void,
    size: usize,
    parameters: *const mtr_metrology_parameters,
    chain: *mut *mut O,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, given) = unsafe {
            (
                border.storage(storage, size, chain)?,
                border.given(parameters)?,
            )
        };
        storage.fill(Chain::new(given.calibration()?));
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn init_stored<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    storage: *mut c_void,
    size: usize,
    constants: *const u8,
    len: usize,
    chain: *mut *mut O,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, constants) = unsafe {
            (
                border.storage(storage, size, chain)?,
                border.slice(constants, len)?,
            )
        };
        storage.fill(Chain::stored(constants)?);
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn store_constants<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *const O,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|border| unsafe { written(border, chain, out, capacity, len, Chain::store) })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn save<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *const O,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|border| unsafe { written(border, chain, out, capacity, len, Chain::save) })
}

/// What an object writes into the caller's bytes, and its length.
///
/// # Safety
/// As [`Border::object`], [`Border::buffer`] and [`Border::place`].
pub(super) unsafe fn written<O: Opaque>(
    mut border: Border,
    object: *const O,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
    write: impl FnOnce(&O::Body, &mut [u8]) -> Checked<usize>,
) -> Checked<()> {
    // SAFETY: forwarded contract of this function.
    let (object, out, len) = unsafe {
        (
            border.object(object)?,
            border.buffer(out, capacity)?,
            border.place(len)?,
        )
    };
    len.write(write(object, out)?);
    Ok(())
}

/// # Safety
/// The rules of the header; `samples` are sets of samples as [`Sample`] lays them out.
pub(super) unsafe fn process<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *mut O,
    samples: *const Sample<PHASES>,
    count: usize,
    progress: *mut mtr_progress,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chain, samples, progress) = unsafe {
            (
                border.object_mut(chain)?,
                border.slice(samples, count)?,
                border.place(progress)?,
            )
        };
        progress.write(chain.process(samples));
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn set_temperature<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *mut O,
    mdeg: i32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let chain = unsafe { border.object_mut(chain) }?;
        chain.meter.set_temperature(&chain.calibration, mdeg);
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn quantities<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *const O,
    quantities: *mut mtr_quantities,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chain, quantities) = unsafe { (border.object(chain)?, border.place(quantities)?) };
        quantities.write(chain.quantities()?);
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn registers<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *const O,
    registers: *mut mtr_registers,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chain, registers) = unsafe { (border.object(chain)?, border.place(registers)?) };
        registers.write(chain.registers());
        Ok(())
    })
}

/// # Safety
/// The rules of the header.
pub(super) unsafe fn restore<O: Opaque<Body = Chain<PHASES>>, const PHASES: usize>(
    chain: *mut O,
    state: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chain, state) = unsafe { (border.object_mut(chain)?, border.slice(state, len)?) };
        chain.restore(state)
    })
}
