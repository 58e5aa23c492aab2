//! Links below messages: frames on serial lines ([`serial`]) and transfers between the two cores ([`spi`]).
//!
//! Checks of both: CRC-16 (polynomial 0x1021, start 0xFFFF) over short headers, CRC-32C over bodies; computed without
//! tables, so that they cost no flash on the smallest cores.

pub mod serial;
pub mod spi;

use crc::{CRC_16_IBM_3740, CRC_32_ISCSI, Crc, NoTable};

pub(crate) static CRC_16: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_16_IBM_3740);
pub(crate) static CRC_32C: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

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
