//! What is measured: one small number per measurement point.

use core::fmt;

use crate::quantity::Quantity;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$cdoc:meta])* $const:ident = $value:literal $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u8);
        impl $name {
            $($(#[$cdoc])* pub const $const: Self = Self($value);)*
            /// The English name, `None` for a number without one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

numbered! {
    /// Which conductor or pair of conductors, bits 7-10 of a point.
    Phase {
        /// Total or none.
        TOTAL = 0 "total";
        /// First phase.
        L1 = 1 "L1";
        /// Second phase.
        L2 = 2 "L2";
        /// Third phase.
        L3 = 3 "L3";
        /// Neutral.
        N = 4 "N";
        /// Between first and second phase.
        L1L2 = 5 "L1-L2";
        /// Between second and third phase.
        L2L3 = 6 "L2-L3";
        /// Between third and first phase.
        L3L1 = 7 "L3-L1";
        /// Direct current.
        DC = 8 "DC";
        /// Earth.
        EARTH = 9 "earth";
    }
}
numbered! {
    /// Direction of energy flow or quadrant, bits 11-13 of a point.
    Direction {
        /// Net, or the first combination of a meter.
        NET = 0 "net";
        /// Import, forward.
        IMPORT = 1 "import";
        /// Export, reverse.
        EXPORT = 2 "export";
        /// Quadrant I.
        QUADRANT_1 = 3 "quadrant I";
        /// Quadrant II.
        QUADRANT_2 = 4 "quadrant II";
        /// Quadrant III.
        QUADRANT_3 = 5 "quadrant III";
        /// Quadrant IV.
        QUADRANT_4 = 6 "quadrant IV";
        /// The second combination of a meter.
        COMBINATION_2 = 7 "second combination";
    }
}
numbered! {
    /// How the value was formed, bits 20-23 of a point.
    Statistic {
        /// Instantaneous value, or the running register.
        NATURAL = 0 "";
        /// Mean of the interval.
        MEAN = 1 "mean";
        /// Minimum of the interval.
        MINIMUM = 2 "minimum";
        /// Maximum of the interval.
        MAXIMUM = 3 "maximum";
        /// Running demand.
        RUNNING_DEMAND = 4 "running demand";
        /// Maximum demand.
        MAXIMUM_DEMAND = 5 "maximum demand";
        /// Difference over the interval.
        DIFFERENCE = 6 "difference";
        /// Since the start of the day.
        DAY = 7 "since start of day";
        /// Since the start of the month.
        MONTH = 8 "since start of month";
        /// Since the start of the year.
        YEAR = 9 "since start of year";
        /// When the maximum occurred.
        TIME_OF_MAXIMUM = 10 "time of maximum";
        /// A limit or setting.
        LIMIT = 11 "limit";
    }
}

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
/// With quantity 127 the point is foreign: bit 7 tells OBIS (0) or data identifier (1), the code stands from bit 8.
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
pub enum Foreign {
    /// OBIS code A-B:C.D.E*F.
    Obis([u8; 6]),
    /// DL/T 645 data identifier DI3..DI0.
    DataId(u32),
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
        Self(Quantity::FOREIGN.id() as u64 | 1 << 7 | (id as u64) << 8)
    }

    /// The foreign code, if this is a foreign point.
    #[must_use]
    pub const fn foreign(self) -> Option<Foreign> {
        if self.quantity().id() != Quantity::FOREIGN.id() {
            return None;
        }
        if self.0 >> 7 & 1 == 1 {
            return Some(Foreign::DataId((self.0 >> 8) as u32));
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

/// The English name, for instance `Active energy import, tariff 2`.
impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.foreign() {
            Some(Foreign::Obis([a, b, c, d, e, g])) => {
                return write!(f, "OBIS {a}-{b}:{c}.{d}.{e}*{g}");
            }
            Some(Foreign::DataId(id)) => return write!(f, "DI {id:08X}"),
            None => {}
        }
        let parts = self.parts();
        write!(f, "{}", parts.quantity)?;
        if parts.phase != Phase::TOTAL {
            match parts.phase.name() {
                Some(name) => write!(f, " {name}")?,
                None => write!(f, " phase {}", parts.phase.0)?,
            }
        }
        if parts.direction != Direction::NET {
            write!(f, " {}", parts.direction.name().unwrap_or(""))?;
        }
        if parts.tariff != 0 {
            write!(f, ", tariff {}", parts.tariff)?;
        }
        if parts.statistic != Statistic::NATURAL {
            match parts.statistic.name() {
                Some(name) => write!(f, ", {name}")?,
                None => write!(f, ", statistic {}", parts.statistic.0)?,
            }
        }
        match parts.harmonic {
            0 => {}
            1 => f.write_str(", fundamental")?,
            62 => f.write_str(", harmonics")?,
            63 => f.write_str(", interharmonics")?,
            order => write!(f, ", order {order}")?,
        }
        match parts.settlement {
            0 => {}
            days @ 64..=153 => write!(f, ", {} days ago", days - 63)?,
            months @ 160..=207 => write!(f, ", {} months ago", months - 159)?,
            number => write!(f, ", settlement {number}")?,
        }
        if parts.channel != 0 {
            write!(f, ", channel {}", parts.channel)?;
        }
        Ok(())
    }
}
