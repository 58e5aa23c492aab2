//! Values of items, exact.

use core::fmt;

use crate::data_id::DataId;
use crate::freeze::Freeze;
use crate::load_record::LoadBlocks;
use crate::record::Record;
use crate::time::Stamp;
use crate::unit::Unit;

/// Data that are no value of the item, or a value that the item cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// The data are shorter or longer than the item, or no whole number of items. Meters in the field send private
    /// lengths: pass the bytes on.
    Length {
        /// Bytes of the item.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// A nibble above 9 in a decimal field.
    Digit {
        /// Index of the byte in the item.
        position: usize,
        /// The byte found.
        found: u8,
    },
    /// The number has more digits than the item, or a sign that it cannot show.
    Range,
    /// The value is of another kind than the item, or has other decimals or another unit.
    Kind,
    /// A mark or the sum of a load block is wrong.
    Framing {
        /// Index of the byte in the data.
        position: usize,
        /// The byte found.
        found: u8,
    },
    /// The table does not know the identifier.
    Unknown,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ValueError::Length { expected, found } => {
                write!(f, "the item has {expected} bytes and {found} are there")
            }
            ValueError::Digit { position, found } => {
                write!(
                    f,
                    "byte {position} of the item is {found:02X}, not two decimal digits"
                )
            }
            ValueError::Range => f.write_str("the value does not fit into the digits of the item"),
            ValueError::Kind => f.write_str("the value is of another kind than the item"),
            ValueError::Framing { position, found } => {
                write!(
                    f,
                    "byte {position} of the load block is {found:02X}, no mark or sum of one"
                )
            }
            ValueError::Unknown => f.write_str("the identifier is not in the table"),
        }
    }
}

impl core::error::Error for ValueError {}

impl From<serial_line::bcd::BadDigit> for ValueError {
    fn from(bad: serial_line::bcd::BadDigit) -> Self {
        ValueError::Digit {
            position: bad.position,
            found: bad.found,
        }
    }
}

/// A decimal number with the digits the meter sent: `mantissa` / 10^`decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// All digits, with the sign; at most 8 of them.
    pub mantissa: i32,
    /// Digits behind the point.
    pub decimals: u8,
    /// The unit.
    pub unit: Unit,
}

/// With all its decimals and without the unit: `-12.34`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scale = 1_u32;
        for _ in 0..self.decimals.min(8) {
            scale = scale.saturating_mul(10);
        }
        let magnitude = self.mantissa.unsigned_abs();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        write!(f, "{sign}{}", magnitude / scale)?;
        match usize::from(self.decimals.min(8)) {
            0 => Ok(()),
            decimals => write!(f, ".{:0decimals$}", magnitude % scale),
        }
    }
}

/// Characters in line order, last first; reads them the right way round, without the filling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(pub &'a [u8]);

impl Text<'_> {
    /// The characters from the first on; 00 and trailing spaces are filling.
    pub fn chars(&self) -> impl Iterator<Item = char> {
        let filling = self
            .0
            .iter()
            .take_while(|byte| matches!(**byte, 0 | b' '))
            .count();
        self.0
            .iter()
            .skip(filling)
            .rev()
            .filter(|byte| **byte != 0)
            .map(|byte| char::from(*byte))
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// The value of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the fields are decimal digits as sent; years count from 2000"
)]
pub enum Value<'a> {
    /// All bytes FF: the meter has no such item.
    Absent,
    /// A number.
    Number(Number),
    /// A maximum demand and the minute of it; no time when there was none.
    Demand { peak: Number, at: Option<Stamp> },
    /// A date; weekday 0 is Sunday.
    Date {
        year: u8,
        month: u8,
        day: u8,
        weekday: u8,
    },
    /// A time of day.
    Time { hour: u8, minute: u8, second: u8 },
    /// Date, weekday and time.
    DateTime { stamp: Stamp, weekday: u8 },
    /// An instant to the minute.
    Stamp(Stamp),
    /// A day of the month and an hour; 99 99 is unused.
    DayHour { day: u8, hour: u8 },
    /// An instant to the second.
    Instant(Stamp),
    /// A moment of every year, to the minute or the hour.
    Yearly {
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
    },
    /// A minute of the day.
    HourMinute { hour: u8, minute: u8 },
    /// The first day of a year zone and its day table.
    Zone { month: u8, day: u8, table: u8 },
    /// The start of a slot of the day and its tariff.
    Slot { hour: u8, minute: u8, tariff: u8 },
    /// A public holiday and its day table.
    Holiday {
        year: u8,
        month: u8,
        day: u8,
        table: u8,
    },
    /// An identifier.
    Id(DataId),
    /// What a screen of the display shows, and its number among the screens of that item.
    Screen { id: DataId, screen: u8 },
    /// A binary field in line order, its last byte first.
    Binary(&'a [u8]),
    /// Several fields.
    Record(Record<'a>),
    /// A whole freeze.
    Freeze(Freeze<'a>),
    /// Load records.
    Load(LoadBlocks<'a>),
    /// A binary word.
    Bits(u32),
    /// A decimal name such as an address.
    Digits(u64),
    /// Characters.
    Text(Text<'a>),
    /// Bytes.
    Raw(&'a [u8]),
}

/// For people: numbers with their unit, dates as 2024-05-06.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Absent => f.write_str("absent"),
            Value::Number(number) => with_unit(f, number),
            Value::Demand { peak, at } => {
                with_unit(f, peak)?;
                match at {
                    Some(at) => {
                        f.write_str(" at ")?;
                        minutes(f, at)
                    }
                    None => Ok(()),
                }
            }
            Value::Date {
                year, month, day, ..
            } => write!(f, "20{year:02}-{month:02}-{day:02}"),
            Value::Time {
                hour,
                minute,
                second,
            } => write!(f, "{hour:02}:{minute:02}:{second:02}"),
            Value::DateTime { stamp, .. } => {
                minutes(f, stamp)?;
                write!(f, ":{:02}", stamp.second)
            }
            Value::Stamp(stamp) => minutes(f, stamp),
            Value::DayHour { day, hour } => write!(f, "day {day:02} {hour:02}:00"),
            Value::Bits(bits) => write!(f, "{bits:04X}"),
            Value::Digits(digits) => write!(f, "{digits}"),
            Value::Text(text) => write!(f, "{text}"),
            Value::Raw(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
            Value::Binary(bytes) => bytes
                .iter()
                .rev()
                .try_for_each(|byte| write!(f, "{byte:02X}")),
            Value::Instant(at) => {
                minutes(f, at)?;
                write!(f, ":{:02}", at.second)
            }
            Value::Yearly {
                month,
                day,
                hour,
                minute,
            } => write!(f, "{month:02}-{day:02} {hour:02}:{minute:02}"),
            Value::HourMinute { hour, minute } => write!(f, "{hour:02}:{minute:02}"),
            Value::Zone { month, day, table } => {
                write!(f, "from {month:02}-{day:02} day table {table}")
            }
            Value::Slot {
                hour,
                minute,
                tariff,
            } => write!(f, "from {hour:02}:{minute:02} tariff {tariff}"),
            Value::Holiday {
                year,
                month,
                day,
                table,
            } => write!(f, "20{year:02}-{month:02}-{day:02} day table {table}"),
            Value::Id(id) => write!(f, "{id}"),
            Value::Screen { id, screen } => write!(f, "{id} screen {screen}"),
            Value::Record(record) => write!(f, "{record}"),
            Value::Freeze(freeze) => write!(f, "{freeze}"),
            Value::Load(blocks) => write!(f, "{blocks}"),
        }
    }
}

fn with_unit(f: &mut fmt::Formatter<'_>, number: Number) -> fmt::Result {
    match number.unit {
        Unit::None => write!(f, "{number}"),
        unit => write!(f, "{number} {unit}"),
    }
}

fn minutes(f: &mut fmt::Formatter<'_>, at: Stamp) -> fmt::Result {
    write!(
        f,
        "20{:02}-{:02}-{:02} {:02}:{:02}",
        at.year, at.month, at.day, at.hour, at.minute
    )
}
