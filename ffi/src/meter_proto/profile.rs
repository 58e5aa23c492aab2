//! Values over time, compressed.

use ::meter_proto::compact;
use ::meter_proto::message::{Profile, QualityRun};
use ::meter_proto::point::PointId;

use super::head::{read, unwritten};
use super::value::quality_of;
use super::{mtr_proto_head, mtr_proto_value};
use crate::border::{Plain, call};
use crate::result::mtr_result;

/// Most runs of marks of one profile.
pub const MTR_RUNS_MAX: usize = 16;

/// Equally spaced values of one point. The last one belongs to the time of the head less `age_s`, every other one to
/// `step_s` before its follower.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_profile {
    /// What was measured: see mtr_proto_point.
    pub point: u64,
    /// Seconds from the last value to the time of the head, 0 for a profile that is sent when it is full.
    pub age_s: u32,
    /// Seconds from value to value, at least 1.
    pub step_s: u32,
    /// Power of ten of the values.
    pub exponent: i8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_profile {}

/// Values of a profile, one behind the other, that are not good. A missing value repeats its predecessor and lies in a
/// run with MTR_QUALITY_MISSING.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_run {
    /// First of them, from 0.
    pub first: u16,
    /// How many, at least 1.
    pub count: u16,
    /// Their MTR_QUALITY_... marks.
    pub quality: u16,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_run {}

/// Compresses `count` values, oldest first, by the shortest of nine codings, and writes the message to `out` of
/// `capacity` bytes, its length into `len`. `runs` ascend without overlap. Needs some 4 KiB of stack. MTR_ERR_LENGTH when
/// the message does not fit, the series takes more than 1024 bytes, or there are more than MTR_RUNS_MAX runs;
/// MTR_ERR_VALUE without values, with `step_s` 0, for values beyond 62 bits, for runs outside the values or marks that do
/// not exist.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_profile_write(
    head: *const mtr_proto_head,
    profile: *const mtr_proto_profile,
    values: *const i64,
    count: usize,
    runs: *const mtr_proto_run,
    run_count: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (head, profile, values, runs, out, len) = unsafe {
            (
                border.given(head)?,
                border.given(profile)?,
                border.slice(values, count)?,
                border.slice(runs, run_count)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let mut body = Profile::try_new(
            PointId::from_bits(profile.point),
            profile.exponent,
            profile.step_s,
            values.iter().copied(),
        )
        .map_err(unwritten)?;
        body.age_s = profile.age_s;
        for run in runs {
            let run = QualityRun {
                first: run.first,
                count: run.count,
                quality: quality_of(run.quality)?,
            };
            body.runs
                .push(run)
                .map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        }
        body.check().map_err(unwritten)?;
        let written = compact::encode_as(&(*head).into(), &body, out);
        len.write(written.map_err(unwritten)?);
        Ok(())
    })
}

/// Reads a profile of one point: its head, what it is of, its values with their marks to `values` of `capacity` elements,
/// oldest first, their number into `count`. Needs some 2 KiB of stack. MTR_ERR_FRAME when the bytes are no compact
/// message or its series is damaged, MTR_ERR_IDENTIFIER when it is of another kind or a profile of a set, MTR_ERR_LENGTH
/// when there are more values than `capacity`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_profile_read(
    bytes: *const u8,
    len: usize,
    head: *mut mtr_proto_head,
    profile: *mut mtr_proto_profile,
    values: *mut mtr_proto_value,
    capacity: usize,
    count: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, head, profile, values, count) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(head)?,
                border.place(profile)?,
                border.places(values, capacity)?,
                border.place(count)?,
            )
        };
        let (own, body) = read::<Profile>(bytes)?;
        if body.is_of_set() {
            return Err(mtr_result::MTR_ERR_IDENTIFIER);
        }
        if usize::from(body.count) > values.len() {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        let found = body.values().map_err(|_| mtr_result::MTR_ERR_FRAME)?;
        let mut written = 0;
        for (place, value) in values.iter_mut().zip(found) {
            place.write(value.map_err(|_| mtr_result::MTR_ERR_FRAME)?.into());
            written += 1;
        }
        head.write(own.into());
        profile.write(mtr_proto_profile {
            point: body.point.bits(),
            age_s: body.age_s,
            step_s: body.step_s,
            exponent: body.exponent,
        });
        count.write(written);
        Ok(())
    })
}
