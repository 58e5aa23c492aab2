//! A log that shows when a line was changed, taken out, moved or cut off.

use ::security::log::{Head, LogError};

use super::key::mtr_key;
use crate::border::{Plain, call};
use crate::result::mtr_result;

/// Bytes of a log's name.
pub const MTR_LOG_NAME_LEN: usize = 4;

/// Where a log ends. It is stored with each line, in the same record; as bytes: the number, most significant byte first,
/// and the MAC.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_log_head {
    /// Number of the last line; 0: none yet.
    pub number: u64,
    /// MAC over everything up to it.
    pub mac: [u8; 16],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_log_head {}

impl From<Head> for mtr_log_head {
    fn from(own: Head) -> Self {
        let bytes = own.to_bytes();
        let (_, mac) = bytes.split_at(bytes.len() - 16);
        mtr_log_head {
            number: own.number(),
            mac: mac.try_into().unwrap_or_default(),
        }
    }
}

impl From<&mtr_log_head> for Head {
    fn from(given: &mtr_log_head) -> Self {
        let mut bytes = [0; Head::LEN];
        let (number, mac) = bytes.split_at_mut(8);
        number.copy_from_slice(&given.number.to_be_bytes());
        mac.copy_from_slice(&given.mac);
        Head::from_bytes(&bytes)
    }
}

fn code(error: LogError) -> mtr_result {
    match error {
        LogError::Key => mtr_result::MTR_ERR_PARAMETER,
        LogError::TooLong => mtr_result::MTR_ERR_LENGTH,
        LogError::Engine(_) => mtr_result::MTR_ERR_CALLBACK,
        _ => mtr_result::MTR_ERR_SEAL,
    }
}

/// The head of an empty log under `key` (MTR_PURPOSE_AUDIT) with a name of MTR_LOG_NAME_LEN bytes. MTR_ERR_PARAMETER for
/// the key of another purpose, MTR_ERR_LENGTH for another name, MTR_ERR_CALLBACK when the engine fails.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_log_begin(
    key: *const mtr_key,
    name: *const u8,
    name_len: usize,
    head: *mut mtr_log_head,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (key, name, head) = unsafe {
            (
                border.object(key)?,
                border.slice(name, name_len)?,
                border.place(head)?,
            )
        };
        let name = <[u8; MTR_LOG_NAME_LEN]>::try_from(name);
        let name = name.map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        let mut engine = key.engine;
        let own = Head::begin(&mut engine, &key.handle, name).map_err(code)?;
        head.write(own.into());
        Ok(())
    })
}

/// The head after one more line. Write line and new head in one record; only then does the new head count. Send heads
/// away, sealed, at least hourly: against one of them a log that was cut off shows. Errors as mtr_log_begin.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_log_append(
    key: *const mtr_key,
    head: *const mtr_log_head,
    line: *const u8,
    len: usize,
    after: *mut mtr_log_head,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (key, head, line, after) = unsafe {
            (
                border.object(key)?,
                border.given(head)?,
                border.slice(line, len)?,
                border.place(after)?,
            )
        };
        let mut engine = key.engine;
        let own = Head::from(head).append(&mut engine, &key.handle, line);
        after.write(own.map_err(code)?.into());
        Ok(())
    })
}

/// Checks that a line, with the head that was `stored` with it, follows `head`: begin with a head that is trusted, go on
/// with the stored ones. MTR_ERR_SEAL when it does not; other errors as mtr_log_begin.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_log_check(
    key: *const mtr_key,
    head: *const mtr_log_head,
    line: *const u8,
    len: usize,
    stored: *const mtr_log_head,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (key, head, line, stored) = unsafe {
            (
                border.object(key)?,
                border.given(head)?,
                border.slice(line, len)?,
                border.given(stored)?,
            )
        };
        let mut engine = key.engine;
        let lines = [(line, Head::from(stored))];
        Head::from(head)
            .check(&mut engine, &key.handle, lines)
            .map_err(code)?;
        Ok(())
    })
}
