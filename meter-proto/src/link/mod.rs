//! Links below messages: frames on serial lines ([`serial`]) and transfers between the two cores ([`spi`]).
//!
//! Checks of both: CRC-16 (polynomial 0x1021, start 0xFFFF) over short headers, CRC-32C over bodies; computed without
//! tables, so that they cost no flash on the smallest cores.

pub mod serial;
pub mod spi;
mod stop_wait;

use core::fmt;

use crc::{CRC_16_IBM_3740, CRC_32_ISCSI, Crc, NoTable};

pub(crate) static CRC_16: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_16_IBM_3740);
pub(crate) static CRC_32C: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Sends of one body before the link counts as down: the first and three repeats.
pub const TRIES: u8 = 4;

/// The body cannot be taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// One is under way: wait for [`Event::Delivered`].
    Busy,
    /// It is empty or longer than the agreed maximum.
    Length,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "a body is under way",
            Self::Length => "the body is empty or longer than agreed",
        })
    }
}

impl core::error::Error for SendError {}

/// What a side tells its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The body under way was received by the other side.
    Delivered,
    /// The link is down; the body stays under way.
    Down,
    /// The link is up again.
    Up,
}

/// CRC-16 with polynomial 0x1021 and start 0xFFFF.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    CRC_16.checksum(bytes)
}

/// CRC-32C (Castagnoli).
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    CRC_32C.checksum(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn checks_agree_with_the_published_value_for_123456789() {
        assert_eq!(super::crc16(b"123456789"), 0x29B1);
        assert_eq!(super::crc32c(b"123456789"), 0xE306_9283);
    }
}
