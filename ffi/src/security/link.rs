//! Sealed messages: a sender of one key and direction.

use core::ffi::c_void;

use ::security::counter::{CounterError, SendCounter};
use ::security::envelope::{Class, Direction, HEADER_LEN, MAX_OVERHEAD, SHORT_HEADER_LEN};
use ::security::link::{Form, SealError, Sealer};
use ::security::suite::Suite;

use super::engine::{Engine, EngineKey};
use super::gate::mtr_store;
use super::handshake::mtr_session;
use super::key::mtr_key;
use crate::border::{Checked, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_sealer.
pub const MTR_SEALER_SIZE: usize = 496;
/// Most bytes that an envelope adds to a message.
pub const MTR_ENVELOPE_OVERHEAD: usize = 32;
const _: () = assert!(MTR_ENVELOPE_OVERHEAD == MAX_OVERHEAD);
/// Bytes that an envelope of the short form adds to a message with MTR_SUITE_CCM8; with MTR_SUITE_CCM16 8 more.
pub const MTR_SHORT_OVERHEAD: usize = 12;
const _: () = assert!(MTR_SHORT_OVERHEAD == SHORT_HEADER_LEN + 8);

/// From the device to the head end.
pub const MTR_FROM_DEVICE: u8 = 0;
/// From the head end to the device.
pub const MTR_TO_DEVICE: u8 = 1;

/// AES-128-CCM with a tag of 16 bytes: every party has it.
pub const MTR_SUITE_CCM16: u8 = 1;
/// AES-128-CCM with a tag of 8 bytes, for serial lines.
pub const MTR_SUITE_CCM8: u8 = 3;

/// A sender under one key: every message gets a number of its own, for ever. Opaque; holds a key, mtr_sealer_end wipes it.
///
/// Numbers are reserved before they are used: when mtr_sealer_reservation answers MTR_OK, store its limit, and when it
/// is durable call mtr_sealer_stored. After a power cut begin with the stored limit: numbers are skipped then, none comes
/// twice.
pub struct mtr_sealer {
    _opaque: [u8; 0],
}

/// A sender and its engine.
#[derive(Debug)]
pub struct Sending {
    engine: Engine,
    sealer: Sealer<EngineKey>,
}

pub(super) fn direction(number: u8) -> Checked<Direction> {
    match number {
        MTR_FROM_DEVICE => Ok(Direction::FromDevice),
        MTR_TO_DEVICE => Ok(Direction::ToDevice),
        _ => Err(mtr_result::MTR_ERR_PARAMETER),
    }
}

pub(super) fn suite(number: u8) -> Checked<Suite> {
    Suite::from_number(number).ok_or(mtr_result::MTR_ERR_PARAMETER)
}

/// Makes a sender under the static key of `key` in `storage` of `size` bytes (at least MTR_SEALER_SIZE, aligned to
/// MTR_ALIGN). `stored_limit` is what was stored last, 0 for a new key; `block` numbers are reserved by each write.
/// MTR_ERR_PARAMETER for an unknown direction (MTR_FROM_DEVICE, MTR_TO_DEVICE) or suite (MTR_SUITE_...),
/// MTR_ERR_CALLBACK when the engine fails.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_init(
    storage: *mut c_void,
    size: usize,
    key: *const mtr_key,
    direction_number: u8,
    suite_number: u8,
    stored_limit: u64,
    block: u32,
    sealer: *mut *mut mtr_sealer,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, key) =
            unsafe { (border.storage(storage, size, sealer)?, border.object(key)?) };
        let mut engine = key.engine;
        let counter = SendCounter::boot(stored_limit, block);
        let sealer = Sealer::with_engine(
            &mut engine,
            &key.handle,
            direction(direction_number)?,
            suite(suite_number)?,
            counter,
        )
        .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        storage.fill(Sending { engine, sealer });
        Ok(())
    })
}

/// Makes a sender under the session key of `key`'s purpose; its numbers begin at 1 and need no store. Otherwise as
/// mtr_sealer_init.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_init_session(
    storage: *mut c_void,
    size: usize,
    session: *const mtr_session,
    key: *const mtr_key,
    direction_number: u8,
    sealer: *mut *mut mtr_sealer,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, session, key) = unsafe {
            (
                border.storage(storage, size, sealer)?,
                border.object(session)?,
                border.object(key)?,
            )
        };
        let mut engine = key.engine;
        let sealer = session
            .sealer(&mut engine, &key.handle, direction(direction_number)?)
            .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        storage.fill(Sending { engine, sealer });
        Ok(())
    })
}

/// What must be stored before the next message: puts the limit into `limit`. MTR_MORE: nothing must.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_reservation(
    sealer: *mut mtr_sealer,
    limit: *mut u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (sending, limit) = unsafe { (border.object_mut(sealer)?, border.place(limit)?) };
        let reservation = sending.sealer.reservation().ok_or(mtr_result::MTR_MORE)?;
        limit.write(reservation.limit());
        Ok(())
    })
}

/// States that `limit`, the one that mtr_sealer_reservation gave, is durable. MTR_ERR_PARAMETER for another one.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_stored(sealer: *mut mtr_sealer, limit: u64) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let sending = unsafe { border.object_mut(sealer) }?;
        let reservation = sending.sealer.reservation();
        reservation
            .filter(|reservation| reservation.limit() == limit)
            .ok_or(mtr_result::MTR_ERR_PARAMETER)?
            .confirm();
        Ok(())
    })
}

/// Stores what must be stored before the next message: reads the reservation, writes its limit as 8 bytes (most
/// significant first) to `store`, and counts on it when the store answers that they are durable. Instead of
/// mtr_sealer_reservation and mtr_sealer_stored. MTR_MORE: nothing must; MTR_ERR_CALLBACK: the store failed, nothing changed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_reserve(
    sealer: *mut mtr_sealer,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((sending, _entered), store) = unsafe { (border.enter(sealer)?, border.given(store)?) };
        let reservation = sending.sealer.reservation().ok_or(mtr_result::MTR_MORE)?;
        store.keep(&reservation.limit().to_be_bytes())?;
        reservation.confirm();
        Ok(())
    })
}

/// Seals a message of class `class_number` (0 data, 1 command, 2 acknowledge, 5 event, ...), bound to `ext`, which is
/// not sent but must be equal where it is opened: the envelope goes to `out` (MTR_ENVELOPE_OVERHEAD bytes more than the
/// message are enough), its length to `len`. MTR_ERR_BUSY: store the limit first (mtr_sealer_reservation); MTR_ERR_FULL:
/// all numbers of this key are used, it needs a new key; MTR_ERR_LENGTH: it does not fit, and a number is skipped;
/// MTR_ERR_PARAMETER: no such class; MTR_ERR_CALLBACK: the engine failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_seal(
    sealer: *mut mtr_sealer,
    class_number: u8,
    ext: *const u8,
    ext_len: usize,
    plain: *const u8,
    plain_len: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe {
        seal(
            sealer,
            Form::Long,
            class_number,
            (ext, ext_len),
            (plain, plain_len),
            (out, capacity),
            len,
        )
    }
}

/// As mtr_sealer_seal, in the short form for slow lines: MTR_SHORT_OVERHEAD bytes more than the message with
/// MTR_SUITE_CCM8. It opens only at mtr_opener_open_short, in a frame that carries the address.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_seal_short(
    sealer: *mut mtr_sealer,
    class_number: u8,
    ext: *const u8,
    ext_len: usize,
    plain: *const u8,
    plain_len: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe {
        seal(
            sealer,
            Form::Short,
            class_number,
            (ext, ext_len),
            (plain, plain_len),
            (out, capacity),
            len,
        )
    }
}

/// # Safety
/// The rules of the header; rows are pointers and lengths.
unsafe fn seal(
    sealer: *mut mtr_sealer,
    form: Form,
    class_number: u8,
    ext: (*const u8, usize),
    plain: (*const u8, usize),
    out: (*mut u8, usize),
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((sending, _entered), ext, plain, out, len) = unsafe {
            (
                border.enter(sealer)?,
                border.slice(ext.0, ext.1)?,
                border.slice(plain.0, plain.1)?,
                border.buffer(out.0, out.1)?,
                border.place(len)?,
            )
        };
        let header = match form {
            Form::Long => HEADER_LEN,
            Form::Short => SHORT_HEADER_LEN,
        };
        let class = Class::from_number(class_number).ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        out.get_mut(header..)
            .and_then(|rest| rest.get_mut(..plain.len()))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?
            .copy_from_slice(plain);
        let sealed = sending
            .sealer
            .seal_on(&mut sending.engine, form, class, ext, out, plain.len())
            .map_err(|error| match error {
                SealError::Counter(CounterError::ReserveFirst) => mtr_result::MTR_ERR_BUSY,
                SealError::Counter(_) => mtr_result::MTR_ERR_FULL,
                SealError::Envelope(::security::envelope::EnvelopeError::Engine(_)) => {
                    mtr_result::MTR_ERR_CALLBACK
                }
                _ => mtr_result::MTR_ERR_LENGTH,
            })?;
        len.write(sealed.len());
        Ok(())
    })
}

/// Wipes a sender and releases its keys; the storage is free then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_sealer_end(sealer: *mut mtr_sealer) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(sealer) })
}
