//! What is measured: one small number per measurement point.

use crate::quantity::Quantity;

mod name;
mod parts;

pub use name::PointName;
pub use parts::{Direction, Phase, Statistic};

/// The parts of a point, for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What is measured.
    pub quantity: Quantity,
    /// On which conductor.
    pub phase: Phase,
    /// In which direction.
    pub direction: Direction,
    /// Rate number of the device's own table, 0 total.
    pub tariff: u8,
    /// How it was formed.
    pub statistic: Statistic,
    /// 0 all, 1 fundamental, 2-61 order, 62 harmonics without the fundamental, 63 interharmonics.
    pub harmonic: u8,
    /// 0 now, 1-12 billing days back, 64-153 daily freeze, 160-207 monthly freeze.
    pub settlement: u8,
    /// Circuit, feeder, sensor or socket number, 0 main.
    pub channel: u8,
}

/// A measurement point: 46 bits, packed so that common points are small numbers.
///
/// | bits | field |
/// | --- | --- |
/// | 0-6 | quantity |
/// | 7-10 | phase |
/// | 11-13 | direction |
/// | 14-19 | tariff |
/// | 20-23 | statistic |
/// | 24-29 | harmonic |
/// | 30-37 | settlement |
/// | 38-45 | channel |
///
/// With quantity 127 the point is foreign: bit 7 tells OBIS (0, code in bits 8-55) from other codes (1, code in bits
/// 8-39 and its kind in bits 40-43), see [`Foreign`].
///
/// ```
/// use meter_proto::point::{Phase, PointId};
/// use meter_proto::quantity::Quantity;
/// const U1: PointId = PointId::new(Quantity::VOLTAGE).phase(Phase::L1);
/// assert_eq!(U1.bits(), 0x81);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointId(u64);

/// A code of another standard carried in a point, passed through and never computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// OBIS code A-B:C.D.E*F.
    Obis([u8; 6]),
    /// DL/T 645 data identifier DI3..DI0.
    DataId(u32),
    /// M-Bus: the first four bytes of VIF and VIFE, zeros behind the last.
    MBus([u8; 4]),
    /// Modbus: function and register address.
    Modbus {
        /// Function that reads it.
        function: u8,
        /// Address of the first register.
        address: u16,
    },
    /// ZigBee: cluster and attribute.
    ZigBee {
        /// Cluster.
        cluster: u16,
        /// Attribute.
        attribute: u16,
    },
    /// A code of a kind that this release does not know.
    Unknown {
        /// The kind, bits 40-43.
        kind: u8,
        /// The code.
        code: u32,
    },
}

impl Foreign {
    /// The point that carries this code.
    #[must_use]
    pub const fn point(self) -> PointId {
        let (kind, code) = match self {
            Self::Obis(code) => return PointId::obis(code),
            Self::DataId(id) => (0, id),
            Self::MBus(code) => (1, u32::from_be_bytes(code)),
            Self::Modbus { function, address } => (2, (function as u32) << 24 | address as u32),
            Self::ZigBee { cluster, attribute } => (3, (cluster as u32) << 16 | attribute as u32),
            Self::Unknown { kind, code } => (kind & 0x0F, code),
        };
        PointId(Quantity::FOREIGN.id() as u64 | 1 << 7 | (code as u64) << 8 | (kind as u64) << 40)
    }
}

impl PointId {
    /// The total, instantaneous, main-channel point of a quantity.
    #[must_use]
    pub const fn new(quantity: Quantity) -> Self {
        Self(quantity.id() as u64)
    }

    /// A point from its bits, as they came.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits, as they travel.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set of this number as a source of values: quantity 0 and the number from bit 7 on.
    #[must_use]
    pub const fn set(number: u16) -> Self {
        Self((number as u64) << 7)
    }

    /// The number of the set, if this is one.
    #[must_use]
    pub const fn set_number(self) -> Option<u16> {
        if self.0 & 0x7F == 0 && self.0 >> 23 == 0 {
            Some((self.0 >> 7) as u16)
        } else {
            None
        }
    }

    /// A point that carries an OBIS code which has no place in the table.
    #[must_use]
    pub const fn obis(code: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = code;
        Self(Quantity::FOREIGN.id() as u64 | u64::from_be_bytes([0, a, b, c, d, e, f, 0]))
    }

    /// A point that carries a DL/T 645 data identifier which has no place in the table.
    #[must_use]
    pub const fn data_id(id: u32) -> Self {
        Foreign::DataId(id).point()
    }

    /// The foreign code, if this is a foreign point.
    #[must_use]
    pub const fn foreign(self) -> Option<Foreign> {
        if self.quantity().id() != Quantity::FOREIGN.id() {
            return None;
        }
        if self.0 >> 7 & 1 == 1 {
            let code = (self.0 >> 8) as u32;
            return Some(match (self.0 >> 40 & 0x0F) as u8 {
                0 => Foreign::DataId(code),
                1 => Foreign::MBus(code.to_be_bytes()),
                2 => Foreign::Modbus {
                    function: (code >> 24) as u8,
                    address: code as u16,
                },
                3 => Foreign::ZigBee {
                    cluster: (code >> 16) as u16,
                    attribute: code as u16,
                },
                kind => Foreign::Unknown { kind, code },
            });
        }
        let [_, a, b, c, d, e, f, _] = self.0.to_be_bytes();
        Some(Foreign::Obis([a, b, c, d, e, f]))
    }

    const fn put(self, shift: u32, width: u32, value: u8) -> Self {
        let mask = (1u64 << width) - 1;
        Self(self.0 & !(mask << shift) | (value as u64 & mask) << shift)
    }

    const fn bits_at(self, shift: u32, width: u32) -> u8 {
        (self.0 >> shift & ((1u64 << width) - 1)) as u8
    }

    /// The same point on this conductor.
    #[must_use]
    pub const fn phase(self, phase: Phase) -> Self {
        self.put(7, 4, phase.0)
    }

    /// The same point in this direction.
    #[must_use]
    pub const fn direction(self, direction: Direction) -> Self {
        self.put(11, 3, direction.0)
    }

    /// The same point of rate 1-63, 0 for the total.
    #[must_use]
    pub const fn tariff(self, tariff: u8) -> Self {
        self.put(14, 6, tariff)
    }

    /// The same point formed in another way.
    #[must_use]
    pub const fn statistic(self, statistic: Statistic) -> Self {
        self.put(20, 4, statistic.0)
    }

    /// The same point of harmonic order 1-61, 0 for all, 62 for all but the fundamental.
    #[must_use]
    pub const fn harmonic(self, harmonic: u8) -> Self {
        self.put(24, 6, harmonic)
    }

    /// The same point of a past settlement, 0 for now.
    #[must_use]
    pub const fn settlement(self, settlement: u8) -> Self {
        self.put(30, 8, settlement)
    }

    /// The same point of another circuit or sensor, 0 for the main one.
    #[must_use]
    pub const fn channel(self, channel: u8) -> Self {
        self.put(38, 8, channel)
    }

    /// The quantity alone.
    #[must_use]
    pub const fn quantity(self) -> Quantity {
        Quantity::from_id(self.bits_at(0, 7))
    }

    /// All parts, for reading; of a foreign point only the quantity means something.
    #[must_use]
    pub const fn parts(self) -> Parts {
        Parts {
            quantity: self.quantity(),
            phase: Phase(self.bits_at(7, 4)),
            direction: Direction(self.bits_at(11, 3)),
            tariff: self.bits_at(14, 6),
            statistic: Statistic(self.bits_at(20, 4)),
            harmonic: self.bits_at(24, 6),
            settlement: self.bits_at(30, 8),
            channel: self.bits_at(38, 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_codes_come_back() {
        for foreign in [
            Foreign::Obis([1, 65, 129, 7, 0, 255]),
            Foreign::DataId(0x0203_FF00),
            Foreign::MBus([0xFB, 0x97, 0x72, 0]),
            Foreign::Modbus {
                function: 4,
                address: 0xFFFE,
            },
            Foreign::ZigBee {
                cluster: 0x0702,
                attribute: 0x0305,
            },
            Foreign::Unknown {
                kind: 9,
                code: u32::MAX,
            },
        ] {
            assert_eq!(foreign.point().foreign(), Some(foreign));
            assert_eq!(foreign.point().quantity(), Quantity::FOREIGN);
        }
        assert_eq!(PointId::new(Quantity::VOLTAGE).foreign(), None);
        assert_eq!(PointId::set(65_535).set_number(), Some(65_535));
        assert_eq!(PointId::new(Quantity::VOLTAGE).set_number(), None);
    }
}
