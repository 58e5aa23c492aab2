//! What the Chinese meter protocols share on a half-duplex line.
//!
//! * [`bcd`]: packed decimal digits, low byte first, checked.
//! * [`cursor`]: fields off a row of outside bytes and into a buffer, every step checked.
//! * [`sum8`]: the 8-bit sum that closes a frame.
//! * [`preamble_len`], [`PREAMBLE`]: the FE bytes that wake a receiver.
//! * [`Timing`], [`Exchange`]: how long to wait for an answer and between two bytes.
//!
//! The crate owns no clock: `now` is milliseconds of any monotonic clock.
#![no_std]

pub mod bcd;
pub mod cursor;
mod exchange;

pub use exchange::{Exchange, Expiry, Timing};

/// The byte that masters and many meters send in front of a frame.
pub const PREAMBLE: u8 = 0xFE;

/// The checksum of both protocols: sum of all bytes, modulo 256.
///
/// ```
/// assert_eq!(serial_line::sum8(&[0x68, 0xFF, 0x02]), 0x69);
/// ```
#[must_use]
pub fn sum8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Number of preamble bytes at the head of `bytes`.
#[must_use]
pub fn preamble_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == PREAMBLE).count()
}
