//! Data identifiers and the two orders in which they travel (section 17.2 of the fact sheet).

use core::fmt;

/// Which byte of an identifier goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdOrder {
    /// 90 1F: the 2004 text.
    HighFirst,
    /// 1F 90: the 2018 text.
    #[default]
    LowFirst,
}

/// A data identifier, the known first byte high: 901F.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId(pub u16);

impl DataId {
    /// 901F: present data.
    pub const PRESENT: DataId = DataId(0x901F);
    /// 810A: read address.
    pub const READ_ADDRESS: DataId = DataId(0x810A);
    /// A017: valve.
    pub const VALVE: DataId = DataId(0xA017);
    /// A018: write address.
    pub const WRITE_ADDRESS: DataId = DataId(0xA018);

    /// From two bytes in line order. The byte that is a known first byte (90, 91, 81 to 85, A0, A1, D1 to D4) is the
    /// high one; if both or none are, `dialogue` decides, the order seen in the rest of the exchange.
    #[must_use]
    pub fn from_line(bytes: [u8; 2], dialogue: IdOrder) -> (Self, IdOrder) {
        let [first, second] = bytes;
        let order = match (is_first_byte(first), is_first_byte(second)) {
            (true, false) => IdOrder::HighFirst,
            (false, true) => IdOrder::LowFirst,
            _ => dialogue,
        };
        let id = match order {
            IdOrder::HighFirst => u16::from_be_bytes(bytes),
            IdOrder::LowFirst => u16::from_le_bytes(bytes),
        };
        (DataId(id), order)
    }

    /// Two bytes in line order.
    #[must_use]
    pub const fn line(self, order: IdOrder) -> [u8; 2] {
        match order {
            IdOrder::HighFirst => self.0.to_be_bytes(),
            IdOrder::LowFirst => self.0.to_le_bytes(),
        }
    }

    /// Whether both are the same pair of bytes in any order: requests and answers of one dialogue may differ in it.
    #[must_use]
    pub const fn same_pair(self, other: DataId) -> bool {
        self.0 == other.0 || self.0 == other.0.swap_bytes()
    }
}

const fn is_first_byte(byte: u8) -> bool {
    matches!(byte, 0x90 | 0x91 | 0x81..=0x85 | 0xA0 | 0xA1 | 0xD1..=0xD4)
}

impl fmt::Display for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_told_apart() {
        assert_eq!(
            DataId::from_line([0x90, 0x1F], IdOrder::LowFirst),
            (DataId(0x901F), IdOrder::HighFirst)
        );
        assert_eq!(
            DataId::from_line([0x1F, 0x90], IdOrder::HighFirst),
            (DataId(0x901F), IdOrder::LowFirst)
        );
        // D2 91: both are known first bytes.
        assert_eq!(
            DataId::from_line([0xD2, 0x91], IdOrder::HighFirst).0,
            DataId(0xD291)
        );
        assert_eq!(
            DataId::from_line([0xD2, 0x91], IdOrder::LowFirst).0,
            DataId(0x91D2)
        );
    }
}
