//! Messages that wait on the caller's flash until the receiver has them.

use core::ffi::c_void;

use ::meter_proto::compact;
use ::meter_proto::message::{Head, Stream};
use ::meter_proto::outbox::{
    FlashStore, FlashStoreError, Key, Outbox, Quota, Refused, Timing, Transmit,
};

use super::head::read;
use super::{mtr_proto_acknowledgement, mtr_proto_key};
use crate::border::{Checked, Plain, call};
use crate::flash::{Chip, ChipError, mtr_flash};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_outbox.
pub const MTR_OUTBOX_SIZE: usize = 3424;
/// Most pages of MTR_FLASH_PAGE bytes of an mtr_outbox.
pub const MTR_OUTBOX_PAGES: usize = 64;
/// Longest message that an mtr_outbox keeps.
pub const MTR_OUTBOX_MESSAGE_MAX: usize = 2000;
const _: () = assert!(MTR_OUTBOX_MESSAGE_MAX == FlashStore::<Chip, MTR_OUTBOX_PAGES>::RECORD_MAX);
/// Streams, MTR_STREAM_SESSION to MTR_STREAM_LEDGER.
pub const MTR_STREAMS: usize = 6;

/// What stands behind an mtr_outbox.
pub type Waiting = Outbox<FlashStore<Chip, MTR_OUTBOX_PAGES>>;

type Failed = FlashStoreError<ChipError>;

/// Messages kept on the caller's flash until the receiver says that it has committed them. Opaque.
///
/// The loop: mtr_outbox_next names the next record; write a message with that name in its head; mtr_outbox_push makes it
/// durable. Send what mtr_outbox_poll_transmit gives, and ask again when the time of mtr_outbox_poll_timeout has come;
/// hand in acknowledgements. A record is on the flash before it is sent for the first time and goes when it is
/// acknowledged: a power cut at any write loses nothing, and the receiver drops by their names what comes twice.
/// `now` is milliseconds of any clock that never goes back.
///
/// The callbacks of the flash run inside the calls on the outbox, but not in mtr_outbox_next, mtr_outbox_poll_timeout and
/// mtr_outbox_look.
pub struct mtr_outbox {
    _opaque: [u8; 0],
}

/// What one stream may hold.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_quota {
    /// Pages of its own: 0, or 2 and more. MTR_STREAM_SESSION has none.
    pub pages: u32,
    /// Most records that wait.
    pub records: u32,
    /// Most bytes of their messages: those of one page less than it has, because a page is freed as a whole.
    pub bytes: u32,
}

/// How an outbox keeps and repeats. Begin with mtr_outbox_defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_outbox_setup {
    /// Number of this start of the device, stored durably before it is used and greater than every one before.
    pub boot: u32,
    /// Milliseconds before the first repeat; doubled with each.
    pub first_ms: u32,
    /// The longest wait, milliseconds.
    pub longest_ms: u32,
    /// By stream.
    pub stream: [mtr_quota; MTR_STREAMS],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_outbox_setup {}

fn stored(error: Failed) -> mtr_result {
    match error {
        FlashStoreError::Flash(_) => mtr_result::MTR_ERR_CALLBACK,
        FlashStoreError::Full => mtr_result::MTR_ERR_FULL,
        FlashStoreError::TooLong { .. } => mtr_result::MTR_ERR_LENGTH,
        FlashStoreError::Layout => mtr_result::MTR_ERR_PARAMETER,
        // What was written does not read back.
        _ => mtr_result::MTR_ERR_STATE,
    }
}

fn refused(error: Refused<Failed>) -> mtr_result {
    match error {
        Refused::Full | Refused::Dropped => mtr_result::MTR_ERR_FULL,
        Refused::Store(error) => stored(error),
        // No number is left, or another name than the next.
        _ => mtr_result::MTR_ERR_PARAMETER,
    }
}

/// Name of a compact message; MTR_ERR_FRAME when the bytes are none.
fn name(bytes: &[u8]) -> Checked<Key> {
    let (
        _,
        Head {
            stream, boot, seq, ..
        },
    ) = compact::peek(bytes).map_err(|_| mtr_result::MTR_ERR_FRAME)?;
    Ok(Key { stream, boot, seq })
}

/// Usual settings: repeats after 5 seconds up to 5 minutes, `pages` pages of MTR_FLASH_PAGE bytes shared out evenly among
/// the five stored streams, as many records as fit. MTR_ERR_PARAMETER below 10 and above MTR_OUTBOX_PAGES pages.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_defaults(
    boot: u32,
    pages: u32,
    setup: *mut mtr_outbox_setup,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let setup = unsafe { border.place(setup) }?;
        if pages < 10 || pages as usize > MTR_OUTBOX_PAGES {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let each = pages / 5;
        let quota = mtr_quota {
            pages: each,
            records: u32::MAX,
            bytes: each
                .saturating_sub(1)
                .saturating_mul(MTR_OUTBOX_MESSAGE_MAX as u32),
        };
        let none = mtr_quota {
            pages: 0,
            records: 0,
            bytes: 0,
        };
        setup.write(mtr_outbox_setup {
            boot,
            first_ms: 5_000,
            longest_ms: 300_000,
            stream: [none, quota, quota, quota, quota, quota],
        });
        Ok(())
    })
}

/// Makes an outbox over the flash in `storage` of `size` bytes (at least MTR_OUTBOX_SIZE, aligned to MTR_ALIGN), and finds
/// what waits there: this reads the pages in use. Erased flash is an empty outbox. Needs twice MTR_OUTBOX_SIZE of stack.
/// MTR_ERR_PARAMETER when the pages do not fit, MTR_ERR_CALLBACK when a callback is missing or failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_init(
    storage: *mut c_void,
    size: usize,
    flash: *const mtr_flash,
    setup: *const mtr_outbox_setup,
    outbox: *mut *mut mtr_outbox,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, flash, setup) = unsafe {
            (
                border.storage(storage, size, outbox)?,
                *border.given(flash)?,
                *border.given(setup)?,
            )
        };
        let chip = Chip::new(flash)?;
        let layout = setup.stream.map(|stream| stream.pages as usize);
        let quotas = setup.stream.map(|stream| Quota {
            records: stream.records,
            bytes: stream.bytes,
        });
        let timing = Timing {
            first_ms: setup.first_ms.into(),
            longest_ms: setup.longest_ms.into(),
        };
        let store = FlashStore::open(chip, 0, layout).map_err(stored)?;
        storage.fill(Outbox::new(store, setup.boot, timing, quotas));
        Ok(())
    })
}

/// After mtr_outbox_init: finds the alarms among the events that wait, so that they go first after a new connection.
/// `scratch` of `capacity` bytes takes one message at a time; longer ones are passed over. MTR_ERR_CALLBACK when the flash
/// failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_recover_alarms(
    outbox: *mut mtr_outbox,
    scratch: *mut u8,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), scratch) =
            unsafe { (border.enter(outbox)?, border.buffer(scratch, capacity)?) };
        outbox.recover_alarms(scratch).map_err(stored)
    })
}

/// The name that the next record of a stream gets; nothing is used up. MTR_ERR_PARAMETER when the stream is not stored,
/// or all numbers of this boot are used.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_next(
    outbox: *const mtr_outbox,
    stream: u8,
    key: *mut mtr_proto_key,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (outbox, key) = unsafe { (border.object(outbox)?, border.place(key)?) };
        let next = outbox.next_key(Stream(stream));
        key.write(next.ok_or(mtr_result::MTR_ERR_PARAMETER)?.into());
        Ok(())
    })
}

/// Makes a message durable whose head has the name that mtr_outbox_next told: compact, of any kind. An event that is
/// raised is remembered as an alarm. Nothing was stored and no number used when the answer is another than MTR_OK:
/// MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_PARAMETER when it has another name, MTR_ERR_FULL when the
/// stream is full (see mtr_outbox_poll_full), MTR_ERR_LENGTH when it is longer than MTR_OUTBOX_MESSAGE_MAX,
/// MTR_ERR_CALLBACK when the flash failed, MTR_ERR_STATE when it does not keep what is written.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_push(
    outbox: *mut mtr_outbox,
    message: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), message) =
            unsafe { (border.enter(outbox)?, border.slice(message, len)?) };
        let key = name(message)?;
        outbox.push_written(key, message).map_err(refused)?;
        if key.stream == Stream::EVENT
            && let Ok((head, event)) = read(message)
        {
            outbox.note_alarm(head.node, &event, key);
        }
        Ok(())
    })
}

/// As mtr_outbox_push for bytes that do not show their name, such as a sealed message: `key` is what mtr_outbox_next told.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_push_sealed(
    outbox: *mut mtr_outbox,
    key: *const mtr_proto_key,
    message: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), key, message) = unsafe {
            (
                border.enter(outbox)?,
                border.given(key)?,
                border.slice(message, len)?,
            )
        };
        outbox.push_written((*key).into(), message).map_err(refused)
    })
}

/// Makes a record durable that another party has numbered, such as the metering core its stream of legal registers; such a
/// stream gets nothing from mtr_outbox_push. MTR_MORE: it waits already. Else as mtr_outbox_push.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_push_numbered(
    outbox: *mut mtr_outbox,
    key: *const mtr_proto_key,
    message: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), key, message) = unsafe {
            (
                border.enter(outbox)?,
                border.given(key)?,
                border.slice(message, len)?,
            )
        };
        let new = outbox.push_numbered((*key).into(), message);
        if new.map_err(refused)? {
            Ok(())
        } else {
            Err(mtr_result::MTR_MORE)
        }
    })
}

/// A record to put on the wire.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_transmit {
    /// Its name.
    pub key: mtr_proto_key,
    /// 1: it was sent before since the start.
    pub repeat: u8,
    /// How many bytes of the buffer.
    pub len: usize,
}

/// The next record to send, if one is due: repeats first, then new ones by stream (events, ledger, legal, telemetry,
/// diagnostics) and age. Its bytes go to `out`; records longer than `capacity` are passed over and counted. MTR_MORE:
/// nothing is due. MTR_ERR_CALLBACK when the flash failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_poll_transmit(
    outbox: *mut mtr_outbox,
    now: u64,
    out: *mut u8,
    capacity: usize,
    transmit: *mut mtr_transmit,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), out, transmit) = unsafe {
            (
                border.enter(outbox)?,
                border.buffer(out, capacity)?,
                border.place(transmit)?,
            )
        };
        let due = outbox.poll_transmit(now, out).map_err(stored)?;
        let Transmit { key, len, repeat } = due.ok_or(mtr_result::MTR_MORE)?;
        transmit.write(mtr_transmit {
            key: key.into(),
            repeat: repeat.into(),
            len,
        });
        Ok(())
    })
}

/// When mtr_outbox_poll_transmit has something to repeat, milliseconds of the caller's clock; new records need no timer.
/// MTR_MORE: nothing is waited for.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_poll_timeout(
    outbox: *const mtr_outbox,
    at: *mut u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (outbox, at) = unsafe { (border.object(outbox)?, border.place(at)?) };
        at.write(outbox.poll_timeout().ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// Removes what the receiver has committed, hurries what it misses, and puts the number of records removed into `removed`.
/// MTR_ERR_LENGTH for too many gaps, MTR_ERR_CALLBACK when the flash failed: calling again with the same acknowledgement
/// is harmless.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_handle_acknowledgement(
    outbox: *mut mtr_outbox,
    now: u64,
    acknowledgement: *const mtr_proto_acknowledgement,
    removed: *mut u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), told, removed) = unsafe {
            (
                border.enter(outbox)?,
                border.given(acknowledgement)?,
                border.place(removed)?,
            )
        };
        let gone = outbox.handle_acknowledgement(now, &told.own()?);
        removed.write(gone.map_err(stored)?);
        Ok(())
    })
}

/// After a new connection: everything unacknowledged is sent again, the alarms that are still raised first, then from the
/// oldest on.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_handle_reconnect(outbox: *mut mtr_outbox) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(outbox) }?.handle_reconnect();
        Ok(())
    })
}

/// Sends a waiting record ahead of all others that were not sent yet, such as the fresh snapshot after an outage.
/// MTR_ERR_FULL when too many are hurried; it goes in its turn then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_hurry(
    outbox: *mut mtr_outbox,
    key: *const mtr_proto_key,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (outbox, key) = unsafe { (border.object_mut(outbox)?, border.given(key)?) };
        if outbox.hurry((*key).into()) {
            Ok(())
        } else {
            Err(mtr_result::MTR_ERR_FULL)
        }
    })
}

/// A stream that keeps its records and has become full, told once until it has room again; raise MTR_EVENT_STORE_FULL.
/// MTR_MORE: none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_poll_full(
    outbox: *mut mtr_outbox,
    stream: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (outbox, stream) = unsafe { (border.object_mut(outbox)?, border.place(stream)?) };
        stream.write(outbox.poll_full().ok_or(mtr_result::MTR_MORE)?.0);
        Ok(())
    })
}

/// The record for a reader who asks for one at a time and acknowledges each: the oldest of the first stream that has any.
/// Its name into `key`, its bytes to `out`, their number into `len`; nothing is marked as sent. Records longer than
/// `capacity` are passed over. MTR_MORE: none waits. MTR_ERR_CALLBACK when the flash failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_oldest(
    outbox: *mut mtr_outbox,
    key: *mut mtr_proto_key,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((outbox, _entered), key, out, len) = unsafe {
            (
                border.enter(outbox)?,
                border.place(key)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let oldest = outbox.oldest(out).map_err(stored)?;
        let (name, written) = oldest.ok_or(mtr_result::MTR_MORE)?;
        key.write(name.into());
        len.write(written);
        Ok(())
    })
}

/// What an outbox gave up or met since its start.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_outbox_statistics {
    /// The boot under which new records are numbered.
    pub boot: u32,
    /// Records given up because their stream was full (telemetry and diagnostics).
    pub dropped: u32,
    /// Records that could not be read or did not fit the caller's buffer.
    pub unreadable: u32,
    /// Places on the flash that are no record: what a power cut tore, or what wore out.
    pub damaged: u32,
}

/// What the outbox gave up or met since its start.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_outbox_look(
    outbox: *const mtr_outbox,
    statistics: *mut mtr_outbox_statistics,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (outbox, statistics) = unsafe { (border.object(outbox)?, border.place(statistics)?) };
        statistics.write(mtr_outbox_statistics {
            boot: outbox.boot(),
            dropped: outbox.dropped(),
            unreadable: outbox.unreadable(),
            damaged: outbox.look().damaged(),
        });
        Ok(())
    })
}
