//! Handshakes: both sides prove that they hold a key, and a session comes of it.

use core::ffi::c_void;

use ::security::ake::{self, AkeError, M1_MAX, M2_LEN, M3_LEN, Responder, Sent};
use ::security::session::Session;
use ::security::suite::Suite;

use super::key::mtr_key;
use super::link::suite;
use crate::border::{Checked, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_host: the side that begins a handshake.
pub const MTR_HOST_SIZE: usize = 80;
/// Bytes of storage of an mtr_responder.
pub const MTR_RESPONDER_SIZE: usize = 192;
/// Bytes of storage of an mtr_session.
pub const MTR_SESSION_SIZE: usize = 64;
/// Most bytes of a message of a handshake.
pub const MTR_HANDSHAKE_MAX: usize = 34;
const _: () = assert!(
    M1_MAX <= MTR_HANDSHAKE_MAX && M2_LEN <= MTR_HANDSHAKE_MAX && M3_LEN <= MTR_HANDSHAKE_MAX
);
/// Bytes of the random number that each side gives, fresh from a source that passed its tests.
pub const MTR_RANDOM_LEN: usize = 16;

/// The host's side between its first message and the device's answer. Opaque.
pub struct mtr_host {
    _opaque: [u8; 0],
}

/// The device's side on one port: one handshake in flight, and a few a minute. Opaque.
pub struct mtr_responder {
    _opaque: [u8; 0],
}

/// What both sides agreed on. Opaque; holds secrets, mtr_session_end wipes it.
pub struct mtr_session {
    _opaque: [u8; 0],
}

fn random(bytes: &[u8]) -> Checked<[u8; 16]> {
    bytes.try_into().map_err(|_| mtr_result::MTR_ERR_LENGTH)
}

fn code(error: AkeError) -> mtr_result {
    match error {
        AkeError::Busy => mtr_result::MTR_ERR_BUSY,
        AkeError::TooOften => mtr_result::MTR_ERR_FULL,
        AkeError::Offer | AkeError::Key => mtr_result::MTR_ERR_PARAMETER,
        AkeError::Engine(_) => mtr_result::MTR_ERR_CALLBACK,
        _ => mtr_result::MTR_ERR_SEAL,
    }
}

fn give(message: &[u8], out: &mut [u8]) -> Checked<usize> {
    out.get_mut(..message.len())
        .ok_or(mtr_result::MTR_ERR_LENGTH)?
        .copy_from_slice(message);
    Ok(message.len())
}

/// Begins a handshake under `key` (MTR_PURPOSE_AUTH), offering one suite; the first message goes to `out`
/// (MTR_HANDSHAKE_MAX bytes are enough). `random_bytes` are MTR_RANDOM_LEN. The state is made in `storage` of `size`
/// bytes (at least MTR_HOST_SIZE, aligned to MTR_ALIGN). MTR_ERR_PARAMETER for another key or suite.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_host_init(
    storage: *mut c_void,
    size: usize,
    key: *const mtr_key,
    suite_number: u8,
    random_bytes: *const u8,
    random_len: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
    host: *mut *mut mtr_host,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, key, random_bytes, out, len) = unsafe {
            (
                border.storage(storage, size, host)?,
                border.object(key)?,
                border.slice(random_bytes, random_len)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let suites = [suite(suite_number)?];
        let sent = ake::start(&key.handle, &suites, random(random_bytes)?).map_err(code)?;
        len.write(give(sent.m1(), out)?);
        storage.fill(sent);
        Ok(())
    })
}

/// Checks the device's answer: the third message goes to `out`, the session is made in `storage` of `size` bytes (at
/// least MTR_SESSION_SIZE, aligned to MTR_ALIGN). `now_s` is seconds of any clock that does not go back. MTR_ERR_SEAL
/// whatever is wrong with the answer; the right one may still come.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_host_receive(
    host: *const mtr_host,
    key: *const mtr_key,
    answer: *const u8,
    answer_len: usize,
    now_s: u64,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
    storage: *mut c_void,
    size: usize,
    session: *mut *mut mtr_session,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (host, key, answer, out, len, storage) = unsafe {
            (
                border.object(host)?,
                border.object(key)?,
                border.slice(answer, answer_len)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
                border.storage(storage, size, session)?,
            )
        };
        let host: &Sent = host;
        let mut engine = key.engine;
        let (m3, session) = host
            .receive(&mut engine, &key.handle, answer, now_s)
            .map_err(code)?;
        len.write(give(&m3, out)?);
        storage.fill(session);
        Ok(())
    })
}

/// Makes the device's side of a port in `storage` of `size` bytes (at least MTR_RESPONDER_SIZE, aligned to MTR_ALIGN).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_responder_init(
    storage: *mut c_void,
    size: usize,
    responder: *mut *mut mtr_responder,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.storage(storage, size, responder) }?.fill(Responder::new(Suite::ALL));
        Ok(())
    })
}

/// Answers a first message under `key` (MTR_PURPOSE_AUTH, epoch not 0): the answer goes to `out`. MTR_ERR_SEAL whatever
/// is wrong with the message, MTR_ERR_BUSY while another handshake is in flight, MTR_ERR_FULL when there were enough in
/// this minute, MTR_ERR_PARAMETER for another key, MTR_ERR_CALLBACK when the engine fails.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_responder_answer(
    responder: *mut mtr_responder,
    key: *const mtr_key,
    message: *const u8,
    message_len: usize,
    random_bytes: *const u8,
    random_len: usize,
    now_s: u64,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((responder, _entered), key, message, random_bytes, out, len) = unsafe {
            (
                border.enter(responder)?,
                border.object(key)?,
                border.slice(message, message_len)?,
                border.slice(random_bytes, random_len)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        if out.len() < M2_LEN {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        let mut engine = key.engine;
        let answer = responder
            .answer(
                &mut engine,
                &key.handle,
                message,
                random(random_bytes)?,
                now_s,
            )
            .map_err(code)?;
        len.write(give(&answer, out)?);
        Ok(())
    })
}

/// Checks the third message and makes the session in `storage` of `size` bytes (at least MTR_SESSION_SIZE, aligned to
/// MTR_ALIGN). There is one try. MTR_ERR_SEAL whatever is wrong with the message, or when none is awaited.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_responder_finish(
    responder: *mut mtr_responder,
    key: *const mtr_key,
    message: *const u8,
    message_len: usize,
    now_s: u64,
    storage: *mut c_void,
    size: usize,
    session: *mut *mut mtr_session,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((responder, _entered), key, message, storage) = unsafe {
            (
                border.enter(responder)?,
                border.object(key)?,
                border.slice(message, message_len)?,
                border.storage(storage, size, session)?,
            )
        };
        let mut engine = key.engine;
        let session = responder
            .finish(&mut engine, &key.handle, message, now_s)
            .map_err(code)?;
        storage.fill(session);
        Ok(())
    })
}

/// Whether orders (`may_command`) and data (`may_carry`) may still go under this session, 1 or 0.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_session_age(
    session: *const mtr_session,
    now_s: u64,
    may_command: *mut u8,
    may_carry: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (session, may_command, may_carry) = unsafe {
            (
                border.object(session)?,
                border.place(may_command)?,
                border.place(may_carry)?,
            )
        };
        let session: &Session = session;
        may_command.write(session.may_command(now_s).into());
        may_carry.write(session.may_carry_data(now_s).into());
        Ok(())
    })
}

/// Wipes a session; the storage is free then. Senders, receivers and gates made of it go on.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_session_end(session: *mut mtr_session) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(session) })
}
