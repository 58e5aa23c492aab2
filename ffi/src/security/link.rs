//! Sealed messages: a sender and a receiver of one key and direction.

use core::ffi::c_void;

use ::security::counter::{CounterError, SendCounter};
use ::security::envelope::{Class, Direction, HEADER_LEN, MAX_OVERHEAD};
use ::security::link::{Form, OpenError, Opener, SealError, Sealer};
use ::security::replay::ReplayWindow;
use ::security::suite::Suite;

use super::engine::{Engine, EngineKey};
use super::handshake::mtr_session;
use super::key::mtr_key;
use crate::border::{Checked, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_sealer.
pub const MTR_SEALER_SIZE: usize = 496;
/// Bytes of storage of an mtr_opener.
pub const MTR_OPENER_SIZE: usize = 480;
/// Most bytes that an envelope adds to a message.
pub const MTR_ENVELOPE_OVERHEAD: usize = 32;
const _: () = assert!(MTR_ENVELOPE_OVERHEAD == MAX_OVERHEAD);
/// Bytes of the stored window of an mtr_opener.
pub const MTR_WINDOW_LEN: usize = 16;

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

/// A receiver under one key, which takes each number once. Opaque; holds a key, mtr_opener_end wipes it.
pub struct mtr_opener {
    _opaque: [u8; 0],
}

/// A message that was opened: its tag was right and its number new.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_opened {
    /// The message, inside the envelope's own bytes.
    pub plain: *const u8,
    /// Its length.
    pub plain_len: usize,
    /// Its number under the key.
    pub counter: u64,
    /// Epoch of the key.
    pub epoch: u16,
    /// What it carries: 0 data, 1 command, 2 acknowledge, 5 event, ...
    pub class_number: u8,
}

/// A sender and its engine.
#[derive(Debug)]
pub struct Sending {
    engine: Engine,
    sealer: Sealer<EngineKey>,
}

/// A receiver and its engine.
#[derive(Debug)]
pub struct Receiving {
    engine: Engine,
    opener: Opener<EngineKey>,
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
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((sending, _entered), ext, plain, out, len) = unsafe {
            (
                border.enter(sealer)?,
                border.slice(ext, ext_len)?,
                border.slice(plain, plain_len)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let class = Class::from_number(class_number).ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        out.get_mut(HEADER_LEN..)
            .and_then(|rest| rest.get_mut(..plain.len()))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?
            .copy_from_slice(plain);
        let sealed = sending
            .sealer
            .seal_on(
                &mut sending.engine,
                Form::Long,
                class,
                ext,
                out,
                plain.len(),
            )
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

/// Makes a receiver under the static key of `key` in `storage` of `size` bytes (at least MTR_OPENER_SIZE, aligned to
/// MTR_ALIGN); it takes one suite and direction only. `window` is what mtr_opener_window gave before a restart, or no
/// bytes for a new key. MTR_ERR_PARAMETER, MTR_ERR_CALLBACK as with mtr_sealer_init, MTR_ERR_LENGTH for a window of
/// another length.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_opener_init(
    storage: *mut c_void,
    size: usize,
    key: *const mtr_key,
    direction_number: u8,
    suite_number: u8,
    window: *const u8,
    window_len: usize,
    opener: *mut *mut mtr_opener,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, key, window) = unsafe {
            (
                border.storage(storage, size, opener)?,
                border.object(key)?,
                border.slice(window, window_len)?,
            )
        };
        let window = match window {
            [] => ReplayWindow::new(),
            bytes => {
                let bytes = bytes.try_into().map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
                ReplayWindow::from_bytes(bytes)
            }
        };
        let mut engine = key.engine;
        let opener = Opener::with_engine(
            &mut engine,
            &key.handle,
            direction(direction_number)?,
            suite(suite_number)?,
        )
        .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?
        .with_window(window);
        storage.fill(Receiving { engine, opener });
        Ok(())
    })
}

/// Makes a receiver under the session key of `key`'s purpose. Otherwise as mtr_opener_init.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_opener_init_session(
    storage: *mut c_void,
    size: usize,
    session: *const mtr_session,
    key: *const mtr_key,
    direction_number: u8,
    opener: *mut *mut mtr_opener,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, session, key) = unsafe {
            (
                border.storage(storage, size, opener)?,
                border.object(session)?,
                border.object(key)?,
            )
        };
        let mut engine = key.engine;
        let opener = session
            .opener(&mut engine, &key.handle, direction(direction_number)?)
            .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        storage.fill(Receiving { engine, opener });
        Ok(())
    })
}

/// Opens an envelope in place with the `ext` of its transport; `opened` tells where the message stands. MTR_ERR_SEAL
/// whatever is wrong with it, and nothing of the message is left in `envelope` then; MTR_ERR_CALLBACK: the engine failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_opener_open(
    opener: *mut mtr_opener,
    ext: *const u8,
    ext_len: usize,
    envelope: *mut u8,
    envelope_len: usize,
    opened: *mut mtr_opened,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((receiving, _entered), ext, envelope, opened) = unsafe {
            (
                border.enter(opener)?,
                border.slice(ext, ext_len)?,
                border.buffer(envelope, envelope_len)?,
                border.place(opened)?,
            )
        };
        let found = receiving
            .opener
            .open_on(&mut receiving.engine, ext, envelope)
            .map_err(|error| match error {
                OpenError::Engine(_) => mtr_result::MTR_ERR_CALLBACK,
                _ => mtr_result::MTR_ERR_SEAL,
            })?;
        opened.write(mtr_opened {
            plain: found.plain.as_ptr(),
            plain_len: found.plain.len(),
            counter: found.header.counter,
            epoch: found.header.epoch,
            class_number: found.header.class.number(),
        });
        Ok(())
    })
}

/// Which numbers were seen, MTR_WINDOW_LEN bytes to be stored, so that none is taken again after a restart.
/// MTR_ERR_LENGTH when `capacity` is less.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_opener_window(
    opener: *const mtr_opener,
    out: *mut u8,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (receiving, out) = unsafe { (border.object(opener)?, border.buffer(out, capacity)?) };
        out.get_mut(..MTR_WINDOW_LEN)
            .ok_or(mtr_result::MTR_ERR_LENGTH)?
            .copy_from_slice(&receiving.opener.window().to_bytes());
        Ok(())
    })
}

/// Wipes a receiver and releases its keys; the storage is free then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_opener_end(opener: *mut mtr_opener) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(opener) })
}
