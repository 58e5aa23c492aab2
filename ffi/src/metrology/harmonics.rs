//! Harmonics of one channel (IEC 61000-4-7) and the unbalance of three, behind the analyser of three voltages.

use core::ffi::c_void;

use ::metrology::pq::{
    Buffer, EMPTY_BUFFER, Grouping, Phasor, Resampler, Sampled, Sequences, Spectrum, cycles_of,
};

use super::quality::{frames_of, mtr_frame3, mtr_quality3};
use crate::border::{Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_harmonics.
pub const MTR_HARMONICS_SIZE: usize = 9568;
/// Orders of a window.
pub const MTR_ORDERS: usize = 50;
/// Frames that are taken apart at a time.
const PIECE: usize = 32;

/// Harmonics of one channel over the windows of 10 or 12 cycles. Opaque.
///
/// It follows an mtr_quality3: after each mtr_quality3_process give it the frames that were taken, of the voltages or of
/// three currents sampled with them.
pub struct mtr_harmonics {
    _opaque: [u8; 0],
}

/// The harmonics of one window; order h stands at place h - 1. Rms values in counts with 8 fractional bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_harmonics_window {
    /// Rms of the order's line alone.
    pub line_q8: [u32; MTR_ORDERS],
    /// Rms with the lines beside it: the harmonic subgroup.
    pub subgroup_q8: [u32; MTR_ORDERS],
    /// Rms of what lies between the order and the next one: the interharmonic centred subgroup.
    pub between_q8: [u32; MTR_ORDERS],
    /// Real part of the order's phasor, against the oscillator of the analyser.
    pub re_q8: [i32; MTR_ORDERS],
    /// Imaginary part.
    pub im_q8: [i32; MTR_ORDERS],
    /// Mean value.
    pub mean_q8: i32,
    /// Total distortion of orders 2 to 40 by subgroups, parts per million of the fundamental; 0 without one.
    pub thds_ppm: u32,
    /// The same by lines, orders 2 to 50.
    pub thd_ppm: u32,
    /// Highest order that the sample rate allows, at most 50; those above read 0.
    pub highest_order: u32,
    /// 1: a sample reached the end of the converter's range.
    pub overrange: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_harmonics_window {}

/// Unbalance of three voltages or currents.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_unbalance {
    /// Negative sequence, parts per million of the positive one.
    pub negative_ppm: u32,
    /// Zero sequence, parts per million of the positive one.
    pub zero_ppm: u32,
    /// 1: the phases rotate the other way.
    pub reversed: u32,
}

/// The points of a channel, and what makes them.
#[derive(Debug)]
pub struct Harmonics {
    resampler: Resampler<1>,
    buffer: [Buffer; 1],
}

fn window(points: &mut Buffer, sampled: Sampled) -> mtr_harmonics_window {
    let spectrum = Spectrum::transform(points, sampled);
    let mut out = mtr_harmonics_window {
        line_q8: [0; MTR_ORDERS],
        subgroup_q8: [0; MTR_ORDERS],
        between_q8: [0; MTR_ORDERS],
        re_q8: [0; MTR_ORDERS],
        im_q8: [0; MTR_ORDERS],
        mean_q8: spectrum.dc(),
        thds_ppm: spectrum.thd_ppm(Grouping::Subgroup, 40).unwrap_or(0),
        thd_ppm: spectrum.thd_ppm(Grouping::Line, 50).unwrap_or(0),
        highest_order: spectrum.highest_order().into(),
        overrange: sampled.overrange.into(),
    };
    let places = out.line_q8.iter_mut().zip(&mut out.subgroup_q8);
    for (order, (line, subgroup)) in (1..).zip(places) {
        *line = spectrum.harmonic(order, Grouping::Line);
        *subgroup = spectrum.harmonic(order, Grouping::Subgroup);
    }
    let places = out.re_q8.iter_mut().zip(&mut out.im_q8);
    for (order, ((re, im), between)) in (1..).zip(places.zip(&mut out.between_q8)) {
        let phasor = spectrum.phasor(order);
        (*re, *im) = (phasor.re, phasor.im);
        *between = spectrum.interharmonic_subgroup(order);
    }
    out
}

/// Makes the harmonics of a channel in `storage` of `size` bytes (at least MTR_HARMONICS_SIZE, aligned to MTR_ALIGN), for
/// the sample rate and nominal frequency of the analyser. MTR_ERR_PARAMETER when one is outside its range.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_harmonics_init(
    storage: *mut c_void,
    size: usize,
    sample_rate_mhz: u32,
    nominal_mhz: u32,
    harmonics: *mut *mut mtr_harmonics,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, harmonics) }?;
        if !(600_000..=64_000_000).contains(&sample_rate_mhz)
            || !(40_000..=75_000).contains(&nominal_mhz)
        {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        storage.fill(Harmonics {
            resampler: Resampler::new(sample_rate_mhz, cycles_of(nominal_mhz)),
            buffer: [EMPTY_BUFFER],
        });
        Ok(())
    })
}

/// Takes the frames of the last mtr_quality3_process of `analyzer`, `count` of which are those it used, and of them the
/// channel 0 to 2. MTR_OK: a window ended and stands in `window`; MTR_MORE: none did. MTR_ERR_PARAMETER for another
/// number of frames or another channel; nothing is done then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_harmonics_follow(
    harmonics: *mut mtr_harmonics,
    analyzer: *const mtr_quality3,
    frames: *const mtr_frame3,
    count: usize,
    channel: u32,
    window: *mut mtr_harmonics_window,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (own, watched, frames, place) = unsafe {
            (
                border.object_mut(harmonics)?,
                border.object(analyzer)?,
                border.slice(frames_of(frames), count)?,
                border.place(window)?,
            )
        };
        let channel = usize::try_from(channel).unwrap_or(3);
        if frames.len() != watched.span.used || channel >= 3 {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let mut found = None;
        let mut span = watched.span;
        let mut rest = frames;
        while let Some(now) = rest
            .get(..rest.len().min(PIECE))
            .filter(|now| !now.is_empty())
        {
            rest = rest.get(now.len()..).unwrap_or_default();
            let mut samples = [[0]; PIECE];
            for (place, frame) in samples.iter_mut().zip(now) {
                *place = [frame.get(channel).copied().unwrap_or(0)];
            }
            // The edge lies in the last sample of the whole span.
            let mut piece = span;
            piece.used = now.len();
            piece.edge = span.edge.filter(|_| rest.is_empty());
            let taken = samples.get(..now.len()).unwrap_or_default();
            own.resampler
                .process(taken, &piece, &mut own.buffer, |[points], sampled| {
                    found = Some(self::window(points, sampled));
                });
            let turned = span.increment.wrapping_mul(now.len() as u32);
            span.phase = span.phase.wrapping_add(turned);
        }
        if let Some(rising) = watched.begins {
            own.resampler.restart(rising);
        }
        place.write(found.ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// Active and reactive power of an order (1 to 50) out of the windows of a voltage and of its current, products of counts
/// with 16 fractional bits; reactive is positive when the current lags. MTR_ERR_PARAMETER for another order.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_harmonics_power(
    voltage: *const mtr_harmonics_window,
    current: *const mtr_harmonics_window,
    order: u32,
    active: *mut i64,
    reactive: *mut i64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (voltage, current, active, reactive) = unsafe {
            (
                border.given(voltage)?,
                border.given(current)?,
                border.place(active)?,
                border.place(reactive)?,
            )
        };
        let (u, i) = (phasor(voltage, order), phasor(current, order));
        let (u, i) = u.zip(i).ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        let [ur, ui, ir, ii] = [u.re, u.im, i.re, i.im].map(i64::from);
        active.write((ur * ir).saturating_add(ui * ii));
        reactive.write((ui * ir).saturating_sub(ur * ii));
        Ok(())
    })
}

fn phasor(window: &mtr_harmonics_window, order: u32) -> Option<Phasor> {
    let at = usize::try_from(order.checked_sub(1)?).ok()?;
    Some(Phasor {
        re: *window.re_q8.get(at)?,
        im: *window.im_q8.get(at)?,
    })
}

/// Unbalance of three channels out of the fundamentals of their windows. MTR_MORE without a positive sequence.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_harmonics_unbalance(
    first: *const mtr_harmonics_window,
    second: *const mtr_harmonics_window,
    third: *const mtr_harmonics_window,
    unbalance: *mut mtr_unbalance,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (windows, unbalance) = unsafe {
            (
                [
                    border.given(first)?,
                    border.given(second)?,
                    border.given(third)?,
                ],
                border.place(unbalance)?,
            )
        };
        let own = Sequences::new(windows.map(|window| phasor(window, 1).unwrap_or_default()));
        let both = own.negative_ppm().zip(own.zero_ppm());
        let (negative_ppm, zero_ppm) = both.ok_or(mtr_result::MTR_MORE)?;
        unbalance.write(mtr_unbalance {
            negative_ppm,
            zero_ppm,
            reversed: own.is_reversed().into(),
        });
        Ok(())
    })
}
