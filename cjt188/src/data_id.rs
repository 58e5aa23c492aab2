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
    /// 8102: prices.
    pub const PRICES: DataId = DataId(0x8102);
    /// 8103: settlement day.
    pub const SETTLEMENT_DAY: DataId = DataId(0x8103);
    /// 8104: reading day.
    pub const READING_DAY: DataId = DataId(0x8104);
    /// 8105: purchases.
    pub const PURCHASES: DataId = DataId(0x8105);
    /// 8106: key version.
    pub const KEY_VERSION: DataId = DataId(0x8106);
    /// 810A: read address.
    pub const READ_ADDRESS: DataId = DataId(0x810A);
    /// 901F: present data.
    pub const PRESENT: DataId = DataId(0x901F);
    /// 907F: clock.
    pub const CLOCK: DataId = DataId(0x907F);
    /// 911F: present data of heat and cold.
    pub const HEAT_COLD: DataId = DataId(0x911F);
    /// A010: write prices.
    pub const WRITE_PRICES: DataId = DataId(0xA010);
    /// A011: write settlement day.
    pub const WRITE_SETTLEMENT_DAY: DataId = DataId(0xA011);
    /// A012: write reading day.
    pub const WRITE_READING_DAY: DataId = DataId(0xA012);
    /// A013: write purchase.
    pub const RECHARGE: DataId = DataId(0xA013);
    /// A014: write key.
    pub const WRITE_KEY: DataId = DataId(0xA014);
    /// A015: write time.
    pub const WRITE_TIME: DataId = DataId(0xA015);
    /// A016: synchronise motor.
    pub const SYNCHRONISE: DataId = DataId(0xA016);
    /// A017: valve.
    pub const VALVE: DataId = DataId(0xA017);
    /// A018: write address.
    pub const WRITE_ADDRESS: DataId = DataId(0xA018);
    /// A019: leave factory mode.
    pub const LEAVE_FACTORY: DataId = DataId(0xA019);

    /// D120 to D12B: the value of the settlement `months` back, 1 to 12.
    #[must_use]
    pub const fn settlement(months: u8) -> Option<Self> {
        match months {
            1..=12 => Some(DataId(0xD11F + months as u16)),
            _ => None,
        }
    }

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

    /// Whether the high byte is one with which identifiers of the standard begin.
    pub(crate) const fn has_known_first_byte(self) -> bool {
        is_first_byte((self.0 >> 8) as u8)
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
