//! Pulse outputs.

use core::ffi::c_void;

use ::metrology::PulseOutput;

use crate::border::call;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_pulse.
pub const MTR_PULSE_SIZE: usize = 256;

/// A pulse output: evenly spaced pulses out of the energy of whole windows. Opaque.
pub struct mtr_pulse {
    _opaque: [u8; 0],
}

/// A change of a pulse output.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_pulse_edge {
    /// Samples after the start of the block.
    pub sample: u32,
    /// The fraction of a sample after it, 2^-16.
    pub fraction: u16,
    /// 1: a pulse begins; 0: it ends.
    pub rising: u16,
}

/// Makes a pulse output in `storage` of `size` bytes (at least MTR_PULSE_SIZE, aligned to MTR_ALIGN). Pulses last
/// `width_us`, 200 to 100000 (an S0 output 30000 and more), but never more than half their distance.
/// MTR_ERR_PARAMETER for another width or a sample rate outside 600000 to 64000000 thousandths a second.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_pulse_init(
    storage: *mut c_void,
    size: usize,
    sample_rate_mhz: u32,
    width_us: u32,
    pulse: *mut *mut mtr_pulse,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, pulse) }?;
        let output = PulseOutput::try_new(sample_rate_mhz, width_us, 0)
            .map_err(|_| mtr_result::MTR_ERR_PARAMETER)?;
        storage.fill(output);
        Ok(())
    })
}

/// Goes on to the next block of `samples` samples, after it was processed: `share` is active_share or reactive_share
/// and `length_q16` that of the block's mtr_progress. Then take the edges of the block with mtr_pulse_next.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_pulse_advance(
    pulse: *mut mtr_pulse,
    share: u64,
    length_q16: u64,
    samples: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(pulse) }?.advance(share, length_q16, samples);
        Ok(())
    })
}

/// The next edge of the block; MTR_MORE when it has no more.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_pulse_next(
    pulse: *mut mtr_pulse,
    edge: *mut mtr_pulse_edge,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (pulse, edge) = unsafe { (border.object_mut(pulse)?, border.place(edge)?) };
        let next = pulse.next_edge().ok_or(mtr_result::MTR_MORE)?;
        edge.write(mtr_pulse_edge {
            sample: next.sample,
            fraction: next.fraction,
            rising: next.rising.into(),
        });
        Ok(())
    })
}
