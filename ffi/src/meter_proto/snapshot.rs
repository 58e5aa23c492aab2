//! Values of one moment.

use ::meter_proto::compact::SnapshotWriter;

use super::head::{read_samples, unwritten};
use super::{mtr_proto_head, mtr_proto_sample};
use crate::border::call;
use crate::result::mtr_result;

/// Most samples of one snapshot.
pub const MTR_SAMPLES_MAX: usize = 64;

/// Writes a snapshot of `count` samples, at most MTR_SAMPLES_MAX, to `out` of `capacity` bytes, and its length into
/// `len`. A usual sample takes 3 to 8 bytes, the head some 15. MTR_ERR_LENGTH when it does not fit, MTR_ERR_VALUE for
/// marks that do not exist.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_snapshot_write(
    head: *const mtr_proto_head,
    samples: *const mtr_proto_sample,
    count: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (head, samples, out, len) = unsafe {
            (
                border.given(head)?,
                border.slice(samples, count)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let head = (*head).into();
        let mut writer = SnapshotWriter::new(&head, samples.len(), out).map_err(unwritten)?;
        for sample in samples {
            writer.push(&sample.own()?).map_err(unwritten)?;
        }
        len.write(writer.finish().map_err(unwritten)?);
        Ok(())
    })
}

/// Reads a snapshot: its head, its samples to `samples` of `capacity` elements, their number into `count`. The whole
/// message is checked before. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of
/// another kind, MTR_ERR_LENGTH when there are more samples than `capacity`; MTR_SAMPLES_MAX are always enough.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_snapshot_read(
    bytes: *const u8,
    len: usize,
    head: *mut mtr_proto_head,
    samples: *mut mtr_proto_sample,
    capacity: usize,
    count: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, head, samples, count) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(head)?,
                border.places(samples, capacity)?,
                border.place(count)?,
            )
        };
        let (own, found) = read_samples(bytes)?;
        let mut places = samples.iter_mut();
        let mut written = 0;
        for sample in found {
            let place = places.next().ok_or(mtr_result::MTR_ERR_LENGTH)?;
            place.write(sample.into());
            written += 1;
        }
        head.write(own.into());
        count.write(written);
        Ok(())
    })
}
