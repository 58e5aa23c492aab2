//! Frames on the SPI: four bytes and their CRC-8 each way, the answer one frame behind its request.

use crc::{CRC_8_SMBUS, Crc};

/// Polynomial 07, nothing inverted. (On the UART the chip takes the bits of each byte in the other order.)
const CRC8: Crc<u8> = Crc::<u8>::new(&CRC_8_SMBUS);

/// Bytes of a frame.
pub const LEN: usize = 5;

/// A request: register to read next, half register to write, its 16 bits.
#[must_use]
pub fn request(read: u8, write: u8, data: u16) -> [u8; LEN] {
    let [low, high] = data.to_le_bytes();
    let crc = CRC8.checksum(&[read, write, low, high]);
    [read, write, low, high, crc]
}

/// The register that an answer carries; the CRC that belongs there and the one found when they differ.
pub fn answer(frame: [u8; LEN]) -> Result<u32, (u8, u8)> {
    let [a, b, c, d, found] = frame;
    let expected = CRC8.checksum(&[a, b, c, d]);
    if expected == found {
        Ok(u32::from_le_bytes([a, b, c, d]))
    } else {
        Err((expected, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of a logic analyser on a real STPM32 (reading V1 rms), as posted in the vendor's forum.
    #[test]
    fn frames_of_a_real_bus() {
        assert_eq!(request(0x48, 0xFF, 0xFFFF), [0x48, 0xFF, 0xFF, 0xFF, 0x24]);
        assert_eq!(request(0xFF, 0xFF, 0xFFFF), [0xFF, 0xFF, 0xFF, 0xFF, 0xDE]);
        assert_eq!(answer([0xA0, 0x00, 0x00, 0x04, 0xE3]), Ok(0x0400_00A0));
        assert_eq!(answer([0xA0, 0x00, 0x00, 0x04, 0x81]), Err((0xE3, 0x81)));
    }
}
