//! Keys that travel or lie in flash, wrapped under another key (AES-KW, RFC 3394).

use ::security::wrap::{self, OVERHEAD, WrapError};

use super::key::mtr_key;
use crate::border::{Checked, call};
use crate::result::mtr_result;

/// Bytes that wrapping adds.
pub const MTR_WRAP_OVERHEAD: usize = 8;
const _: () = assert!(MTR_WRAP_OVERHEAD == OVERHEAD);
/// Bytes of a wrapped secret.
pub const MTR_WRAPPED_LEN: usize = 24;

fn code(error: WrapError) -> mtr_result {
    match error {
        WrapError::Length { .. } => mtr_result::MTR_ERR_LENGTH,
        WrapError::Engine(_) => mtr_result::MTR_ERR_CALLBACK,
        _ => mtr_result::MTR_ERR_SEAL,
    }
}

/// The first `len` bytes of `out`.
fn room(out: &mut [u8], len: usize) -> Checked<&mut [u8]> {
    out.get_mut(..len).ok_or(mtr_result::MTR_ERR_LENGTH)
}

/// Wraps `secret_len` bytes (16 or a longer multiple of 8) under `key`, which should be of MTR_PURPOSE_MASTER for other
/// keys of the device and of MTR_PURPOSE_FW for keys of images: MTR_WRAP_OVERHEAD bytes more go to `out`. MTR_ERR_LENGTH
/// for another length or when they do not fit, MTR_ERR_CALLBACK when the engine fails; nothing is left in `out` then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_wrap(
    key: *const mtr_key,
    secret_bytes: *const u8,
    secret_len: usize,
    out: *mut u8,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (key, secret, out) = unsafe {
            (
                border.object(key)?,
                border.slice(secret_bytes, secret_len)?,
                border.buffer(out, capacity)?,
            )
        };
        let out = room(out, secret.len().saturating_add(OVERHEAD))?;
        out.get_mut(OVERHEAD..)
            .and_then(|body| body.get_mut(..secret.len()))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?
            .copy_from_slice(secret);
        let mut engine = key.engine;
        wrap::wrap(&mut engine, key.handle.key(), out).map_err(|error| {
            // A length is refused before anything was encrypted: the secret must not stay where cipher text belongs.
            out.fill(0);
            code(error)
        })
    })
}

/// Unwraps what mtr_key_wrap made: MTR_WRAP_OVERHEAD bytes less go to `out`, which must have room for `wrapped_len` (the
/// rest is cleared). MTR_ERR_SEAL when it was not wrapped under `key` or was changed, MTR_ERR_LENGTH and MTR_ERR_CALLBACK as
/// there; nothing is left in `out` then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_unwrap(
    key: *const mtr_key,
    wrapped: *const u8,
    wrapped_len: usize,
    out: *mut u8,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (key, wrapped, out) = unsafe {
            (
                border.object(key)?,
                border.slice(wrapped, wrapped_len)?,
                border.buffer(out, capacity)?,
            )
        };
        // The check word travels through `out` as well and is moved off at the end.
        let all = room(out, wrapped.len())?;
        all.copy_from_slice(wrapped);
        let mut engine = key.engine;
        let len = wrap::unwrap(&mut engine, key.handle.key(), all)
            .map_err(code)?
            .len();
        all.copy_within(OVERHEAD.., 0);
        all.get_mut(len..).unwrap_or_default().fill(0);
        Ok(())
    })
}
