//! Sealed messages: a receiver of one key and direction.

use core::ffi::c_void;

use ::security::link::{OpenError, Opener};
use ::security::replay::ReplayWindow;

use super::engine::{Engine, EngineKey};
use super::handshake::mtr_session;
use super::key::mtr_key;
use super::link::{direction, suite};
use crate::border::call;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_opener.
pub const MTR_OPENER_SIZE: usize = 480;
/// Bytes of the stored window of an mtr_opener.
pub const MTR_WINDOW_LEN: usize = 16;

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

/// A receiver and its engine.
#[derive(Debug)]
pub struct Receiving {
    engine: Engine,
    opener: Opener<EngineKey>,
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
    // SAFETY: forwarded contract of this function.
    unsafe {
        open(
            opener,
            (core::ptr::null(), 0),
            (ext, ext_len),
            (envelope, envelope_len),
            opened,
        )
    }
}

/// As mtr_opener_open, for the short form in a frame of `address`: the six bytes of the meter's address, most significant
/// first. MTR_ERR_LENGTH for another length.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_opener_open_short(
    opener: *mut mtr_opener,
    address: *const u8,
    address_len: usize,
    ext: *const u8,
    ext_len: usize,
    envelope: *mut u8,
    envelope_len: usize,
    opened: *mut mtr_opened,
) -> mtr_result {
    if address_len == 0 {
        return mtr_result::MTR_ERR_LENGTH;
    }
    // SAFETY: forwarded contract of this function.
    unsafe {
        open(
            opener,
            (address, address_len),
            (ext, ext_len),
            (envelope, envelope_len),
            opened,
        )
    }
}

/// Opens the short form in a frame of an address, or without one the long form.
///
/// # Safety
/// The rules of the header; rows are pointers and lengths.
unsafe fn open(
    opener: *mut mtr_opener,
    address: (*const u8, usize),
    ext: (*const u8, usize),
    envelope: (*mut u8, usize),
    opened: *mut mtr_opened,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((receiving, _entered), address, ext, envelope, opened) = unsafe {
            (
                border.enter(opener)?,
                border.slice(address.0, address.1)?,
                border.slice(ext.0, ext.1)?,
                border.buffer(envelope.0, envelope.1)?,
                border.place(opened)?,
            )
        };
        let Receiving { engine, opener } = receiving;
        let found = match address {
            [] => opener.open_on(engine, ext, envelope),
            address => {
                let address = address.try_into().map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
                opener.open_short_on(engine, address, ext, envelope)
            }
        };
        let found = found.map_err(|error| match error {
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
