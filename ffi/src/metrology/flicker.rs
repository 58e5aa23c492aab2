//! Flicker (IEC 61000-4-15) and rapid voltage changes.

use core::ffi::c_void;

use ::metrology::pq::{Flicker, Lamp, LongTerm, RapidChanges};

use super::quality::{frames_of, mtr_frame3, mtr_quality3};
use crate::border::call;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_flicker.
pub const MTR_FLICKER_SIZE: usize = 2384;
/// Bytes of storage of an mtr_rapid_changes.
pub const MTR_RAPID_CHANGES_SIZE: usize = 1568;

/// Filament lamp of 60 W at 230 V, 50 Hz.
pub const MTR_LAMP_230V_50HZ: u32 = 0;
/// Filament lamp of 60 W at 120 V, 60 Hz.
pub const MTR_LAMP_120V_60HZ: u32 = 1;

/// The flickermeter of one voltage. Opaque.
///
/// Its first value is good about 15 s after the start: call mtr_flicker_restart then, and mtr_flicker_finish every ten
/// minutes.
pub struct mtr_flicker {
    _opaque: [u8; 0],
}

/// Rapid changes of three voltages that are no dips or swells (IEC 61000-4-30, 5.11). Opaque; it follows an mtr_quality3.
pub struct mtr_rapid_changes {
    _opaque: [u8; 0],
}

/// Severities that an interval ended with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_flicker_severity {
    /// Short-term severity Pst, millionths.
    pub short_ppm: u32,
    /// Long-term severity Plt of the last twelve, millionths; only with `has_long`.
    pub long_ppm: u32,
    /// 1: this was the twelfth one.
    pub has_long: u32,
}

/// A finished rapid change.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_rapid_change {
    /// Number of the half cycle that left the steady state.
    pub first: u64,
    /// Half cycles until the first one of the new steady state.
    pub half_cycles: u32,
    /// Largest difference to the steady state before, counts with 8 fractional bits.
    pub greatest_q8: u32,
    /// Difference of the steady states, the same.
    pub steady_q8: u32,
    /// Channel of the greatest difference.
    pub channel: u32,
}

/// The flickermeter, and the twelve severities of two hours.
#[derive(Debug)]
pub struct Flickering {
    flicker: Flicker,
    long: LongTerm,
}

/// Makes a flickermeter in `storage` of `size` bytes (at least MTR_FLICKER_SIZE, aligned to MTR_ALIGN). `lamp` is
/// MTR_LAMP_... MTR_ERR_PARAMETER for another one, or a sample rate outside 600000 to 64000000 thousandths a second.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_flicker_init(
    storage: *mut c_void,
    size: usize,
    sample_rate_mhz: u32,
    lamp: u32,
    flicker: *mut *mut mtr_flicker,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, flicker) }?;
        if !(600_000..=64_000_000).contains(&sample_rate_mhz) {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let lamp = match lamp {
            MTR_LAMP_230V_50HZ => Lamp::V230Hz50,
            MTR_LAMP_120V_60HZ => Lamp::V120Hz60,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        storage.fill(Flickering {
            flicker: Flicker::new(sample_rate_mhz, lamp),
            long: LongTerm::default(),
        });
        Ok(())
    })
}

/// Takes channel 0 to 2 of `count` frames. MTR_ERR_PARAMETER for another channel.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_flicker_process(
    flicker: *mut mtr_flicker,
    frames: *const mtr_frame3,
    count: usize,
    channel: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (own, frames) = unsafe {
            (
                border.object_mut(flicker)?,
                border.slice(frames_of(frames), count)?,
            )
        };
        if channel >= 3 {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        own.flicker.process(frames, channel as usize);
        Ok(())
    })
}

/// The sensation now, 2^-20: 1048576 is the threshold of perception.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_flicker_sensation(
    flicker: *const mtr_flicker,
    sensation_q20: *mut u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (own, sensation) = unsafe { (border.object(flicker)?, border.place(sensation_q20)?) };
        sensation.write(own.flicker.pinst());
        Ok(())
    })
}

/// Begins an interval anew: what was counted so far is forgotten.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_flicker_restart(flicker: *mut mtr_flicker) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(flicker) }?.flicker.restart();
        Ok(())
    })
}

/// Ends the interval of ten minutes and begins the next one. MTR_MORE when nothing was counted in it.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_flicker_finish(
    flicker: *mut mtr_flicker,
    severity: *mut mtr_flicker_severity,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (own, severity) = unsafe { (border.object_mut(flicker)?, border.place(severity)?) };
        let short_ppm = own.flicker.finish().ok_or(mtr_result::MTR_MORE)?;
        let long = own.long.update(short_ppm);
        severity.write(mtr_flicker_severity {
            short_ppm,
            long_ppm: long.unwrap_or(0),
            has_long: long.is_some().into(),
        });
        Ok(())
    })
}

/// Makes a watch over rapid changes in `storage` of `size` bytes (at least MTR_RAPID_CHANGES_SIZE, aligned to MTR_ALIGN).
/// A change begins at a difference of `threshold_q8` from the mean of the last second, usually 1 to 6 % of the declared
/// voltage, and ends `hysteresis_q8` below it, usually half of that; counts with 8 fractional bits. Bit k of `voltages`:
/// voltage k is watched, 1 to 7. MTR_ERR_PARAMETER for other voltages or a nominal frequency outside 40000 to 75000 mHz.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_rapid_changes_init(
    storage: *mut c_void,
    size: usize,
    nominal_mhz: u32,
    threshold_q8: u32,
    hysteresis_q8: u32,
    voltages: u32,
    changes: *mut *mut mtr_rapid_changes,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, changes) }?;
        if !(40_000..=75_000).contains(&nominal_mhz) || !(1..=7).contains(&voltages) {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        storage.fill(RapidChanges::new(
            nominal_mhz,
            threshold_q8,
            hysteresis_q8,
            voltages as u8,
        ));
        Ok(())
    })
}

/// Takes the half cycle that the last mtr_quality3_process of `analyzer` ended with: call it once after each that answered
/// MTR_OK. MTR_OK: a change ended and stands in `change`; MTR_MORE: none did.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_rapid_changes_follow(
    changes: *mut mtr_rapid_changes,
    analyzer: *const mtr_quality3,
    change: *mut mtr_rapid_change,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (own, watched, place) = unsafe {
            (
                border.object_mut(changes)?,
                border.object(analyzer)?,
                border.place(change)?,
            )
        };
        let half = watched.half.as_ref().ok_or(mtr_result::MTR_MORE)?;
        let open = watched.analyzer.events().open();
        let found = own.update(half, open.iter().any(Option::is_some));
        let found = found.ok_or(mtr_result::MTR_MORE)?;
        place.write(mtr_rapid_change {
            first: found.first,
            half_cycles: found.half_cycles,
            greatest_q8: found.greatest,
            steady_q8: found.steady,
            channel: found.channel.into(),
        });
        Ok(())
    })
}
