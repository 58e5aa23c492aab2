//! What a receiver has committed.

use ::meter_proto::compact;
use ::meter_proto::message::{Acknowledgement, Gap, Stream};

use super::head::{read, unwritten};
use super::mtr_proto_head;
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Most gaps of one acknowledgement.
pub const MTR_GAPS_MAX: usize = 8;

/// A run of missing records.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_gap {
    /// First missing number.
    pub first: u32,
    /// Last missing number, not below `first`.
    pub last: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_gap {}

/// Everything of `boot` up to `contiguous` is committed for ever, and above it as far as the last gap reaches, except
/// what lies in the gaps.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_acknowledgement {
    /// The boot whose records are meant.
    pub boot: u32,
    /// Highest number up to which nothing is missing, 0 for none.
    pub contiguous: u32,
    /// Missing runs above it, ascending.
    pub gap: [mtr_proto_gap; MTR_GAPS_MAX],
    /// How many of them, at most MTR_GAPS_MAX.
    pub gaps: u8,
    /// MTR_STREAM_...
    pub stream: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_acknowledgement {}

impl mtr_proto_acknowledgement {
    /// MTR_ERR_LENGTH for too many gaps.
    pub(super) fn own(&self) -> Checked<Acknowledgement> {
        let gaps = self
            .gap
            .get(..usize::from(self.gaps))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let mut own = Acknowledgement {
            stream: Stream(self.stream),
            boot: self.boot,
            contiguous: self.contiguous,
            gaps: heapless::Vec::new(),
        };
        for gap in gaps {
            let gap = Gap {
                first: gap.first,
                last: gap.last,
            };
            own.gaps.push(gap).map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        }
        Ok(own)
    }

    fn new(own: &Acknowledgement) -> Self {
        let mut out = mtr_proto_acknowledgement {
            boot: own.boot,
            contiguous: own.contiguous,
            gap: [mtr_proto_gap { first: 0, last: 0 }; MTR_GAPS_MAX],
            gaps: 0,
            stream: own.stream.0,
        };
        for (place, gap) in out.gap.iter_mut().zip(&own.gaps) {
            (place.first, place.last) = (gap.first, gap.last);
            out.gaps += 1;
        }
        out
    }
}

/// Writes an acknowledgement to `out` of `capacity` bytes (128 are enough), and its length into `len`. MTR_ERR_LENGTH
/// when it does not fit or there are too many gaps.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_acknowledgement_write(
    head: *const mtr_proto_head,
    acknowledgement: *const mtr_proto_acknowledgement,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (head, told, out, len) = unsafe {
            (
                border.given(head)?,
                border.given(acknowledgement)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let written = compact::encode_as(&(*head).into(), &told.own()?, out);
        len.write(written.map_err(unwritten)?);
        Ok(())
    })
}

/// Reads an acknowledgement; then mtr_outbox_handle_acknowledgement. MTR_ERR_FRAME when the bytes are no compact message,
/// MTR_ERR_IDENTIFIER when it is of another kind.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_acknowledgement_read(
    bytes: *const u8,
    len: usize,
    head: *mut mtr_proto_head,
    acknowledgement: *mut mtr_proto_acknowledgement,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, head, acknowledgement) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(head)?,
                border.place(acknowledgement)?,
            )
        };
        let (own, found) = read::<Acknowledgement>(bytes)?;
        head.write(own.into());
        acknowledgement.write(mtr_proto_acknowledgement::new(&found));
        Ok(())
    })
}
