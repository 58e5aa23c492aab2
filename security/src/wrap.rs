//! AES key wrap (RFC 3394, NIST SP 800-38F mode KW) over any [`Block128`] engine: how a key travels
//! and how it lies in flash.

use core::fmt;

use crate::ct;
use crate::engine::{Block128, EngineError, copy, xor};
use crate::key::wipe;

/// Bytes that wrapping adds.
pub const OVERHEAD: usize = 8;

const INITIAL: [u8; 8] = [0xA6; 8];

/// Wraps in place: the key stands in `buf[8..]`, 16 bytes or a longer multiple of 8; the
/// whole buffer is the result.
///
/// # Errors
/// [`WrapError::Length`]; [`WrapError::Engine`], after which the buffer is wiped.
pub fn wrap<E: Block128>(engine: &mut E, kek: &E::Key, buf: &mut [u8]) -> Result<(), WrapError> {
    let found = buf.len();
    let (head, body) = parts(buf).ok_or(WrapError::Length { found })?;
    *head = INITIAL;
    let mut step = 0_u64;
    for _ in 0..6 {
        for cell in body.chunks_exact_mut(8) {
            let mut block = joined(head, cell);
            if let Err(error) = engine.encrypt(kek, core::slice::from_mut(&mut block)) {
                wipe(buf);
                return Err(WrapError::Engine(error.into()));
            }
            step = step.wrapping_add(1);
            part(&block, head, cell);
            xor(head, &step.to_be_bytes());
            wipe(&mut block);
        }
    }
    Ok(())
}

/// Unwraps in place and returns the key, which stands in `buf[8..]`. On every error the buffer is
/// wiped.
///
/// # Errors
/// [`WrapError::Length`]; [`WrapError::Integrity`] when the bytes were not wrapped under this key;
/// [`WrapError::Engine`].
pub fn unwrap<'b, E: Block128>(
    engine: &mut E,
    kek: &E::Key,
    buf: &'b mut [u8],
) -> Result<&'b mut [u8], WrapError> {
    match unwrap_steps(engine, kek, buf) {
        Ok(()) => Ok(buf.get_mut(OVERHEAD..).unwrap_or_default()),
        Err(error) => {
            wipe(buf);
            Err(error)
        }
    }
}

fn unwrap_steps<E: Block128>(
    engine: &mut E,
    kek: &E::Key,
    buf: &mut [u8],
) -> Result<(), WrapError> {
    let found = buf.len();
    let (head, body) = parts(buf).ok_or(WrapError::Length { found })?;
    let cells = u64::try_from(body.len() / 8).map_err(|_| WrapError::Length { found })?;
    let mut step = cells.wrapping_mul(6);
    for _ in 0..6 {
        for cell in body.rchunks_exact_mut(8) {
            xor(head, &step.to_be_bytes());
            step = step.wrapping_sub(1);
            let mut block = joined(head, cell);
            engine
                .decrypt(kek, &mut block)
                .map_err(|error| WrapError::Engine(error.into()))?;
            part(&block, head, cell);
            wipe(&mut block);
        }
    }
    if ct::same(head, &INITIAL) {
        Ok(())
    } else {
        Err(WrapError::Integrity)
    }
}

fn parts(buf: &mut [u8]) -> Option<(&mut [u8; 8], &mut [u8])> {
    let (head, body) = buf.split_first_chunk_mut::<OVERHEAD>()?;
    let fits = body.len() >= 16 && body.len().is_multiple_of(8);
    fits.then_some((head, body))
}

fn joined(head: &[u8; 8], cell: &[u8]) -> [u8; 16] {
    let mut block = [0; 16];
    copy(&mut block, head);
    xor(block.get_mut(8..).unwrap_or_default(), cell);
    block
}

fn part(block: &[u8; 16], head: &mut [u8; 8], cell: &mut [u8]) {
    copy(head, block);
    copy(cell, block.get(8..).unwrap_or_default());
}

/// Why a key was not wrapped or unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrapError {
    /// A wrapped key has 24 bytes or a longer multiple of 8.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Not wrapped under this key, or changed since.
    Integrity,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl fmt::Display for WrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "a wrapped key has 24, 32, .. bytes, not {found}")
            }
            Self::Integrity => f.write_str("this is not a key wrapped under the given one"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WrapError {}
