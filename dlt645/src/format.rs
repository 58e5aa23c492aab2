//! Formats of items: bytes to values and back (section 7 of the fact sheet).

use serial_line::bcd;

use crate::data_id::DataId;
use crate::freeze::Freeze;
use crate::layout::Layout;
use crate::load_record::LoadBlocks;
use crate::record::Record;
use crate::time::Stamp;
use crate::unit::Unit;
use crate::value::{Number, Text, Value, ValueError};
use serial_line::cursor::{Cursor, Writer};

/// How the value of an item stands in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Packed digits, with the sign in the top bit where `signed`.
    Number {
        /// Length, 1 to 4.
        bytes: u8,
        /// Digits behind the decimal point.
        decimals: u8,
        /// The top bit is the sign.
        signed: bool,
        /// The unit.
        unit: Unit,
    },
    /// XX.XXXX and then YYMMDDhhmm: 8 bytes.
    Demand {
        /// The top bit of the number is the sign.
        signed: bool,
        /// The unit.
        unit: Unit,
    },
    /// YYMMDDWW: 4 bytes.
    DateWeekday,
    /// hhmmss: 3 bytes.
    TimeOfDay,
    /// YYMMDDWWhhmmss: 7 bytes.
    DateWeekdayTime,
    /// YYMMDDhhmm: 5 bytes.
    MinuteStamp,
    /// DDhh: 2 bytes.
    DayHour,
    /// YYMMDDhhmmss: 6 bytes.
    SecondStamp,
    /// YYMMDDhh: 4 bytes; five bytes are taken for YYMMDDhhmm.
    HourStamp,
    /// MMDDhhmm: 4 bytes.
    MonthMinute,
    /// MMDDhh: 3 bytes.
    MonthHour,
    /// hhmm: 2 bytes.
    HourMinute,
    /// MMDDNN: 3 bytes, the start of a year zone and its day table.
    Zone,
    /// hhmmNN: 3 bytes, the start of a slot of the day and its tariff.
    Slot,
    /// YYMMDDNN: 4 bytes, a public holiday and its day table.
    Holiday,
    /// A data identifier: 4 bytes.
    Id,
    /// A data identifier and the number of the screen: 5 bytes; four bytes are taken for one without the number.
    Screen,
    /// A binary word, low byte first, at most 4 bytes.
    Bits {
        /// Length.
        bytes: u8,
    },
    /// A number that only names something, two digits a byte.
    Digits {
        /// Length, at most 9.
        bytes: u8,
    },
    /// Characters, last first.
    Text {
        /// Length.
        bytes: u8,
    },
    /// Bytes.
    Raw {
        /// Length.
        bytes: u8,
    },
    /// A binary field of a security exchange, sent from its last byte to its first.
    Binary {
        /// Length.
        bytes: u8,
    },
    /// Several fields in a row, see [`Record`].
    Record(Layout),
    /// All parts of a freeze, each closed by AA, see [`Freeze`].
    Freeze,
    /// Blocks of the load record, see [`LoadBlocks`].
    LoadBlocks,
    /// Bytes of any number: the length is the meter's.
    Opaque,
}

pub(crate) const fn number(bytes: u8, decimals: u8, unit: Unit) -> Format {
    Format::Number {
        bytes,
        decimals,
        signed: false,
        unit,
    }
}

pub(crate) const fn signed(bytes: u8, decimals: u8, unit: Unit) -> Format {
    Format::Number {
        bytes,
        decimals,
        signed: true,
        unit,
    }
}

pub(crate) const fn record(layout: Layout) -> Format {
    Format::Record(layout)
}

impl Format {
    /// A number for each format, to tell them apart while compiling.
    pub(crate) const fn key(self) -> u32 {
        let (tag, a, b, signed) = match self {
            Format::Number {
                bytes,
                decimals,
                signed,
                unit,
            } => (1, bytes * 16 + decimals, unit as u8, signed),
            Format::Demand { signed, unit } => (2, 0, unit as u8, signed),
            Format::DateWeekday => (3, 0, 0, false),
            Format::TimeOfDay => (4, 0, 0, false),
            Format::DateWeekdayTime => (5, 0, 0, false),
            Format::MinuteStamp => (6, 0, 0, false),
            Format::DayHour => (7, 0, 0, false),
            Format::SecondStamp => (8, 0, 0, false),
            Format::HourStamp => (9, 0, 0, false),
            Format::MonthMinute => (10, 0, 0, false),
            Format::MonthHour => (11, 0, 0, false),
            Format::HourMinute => (12, 0, 0, false),
            Format::Zone => (13, 0, 0, false),
            Format::Slot => (14, 0, 0, false),
            Format::Holiday => (15, 0, 0, false),
            Format::Id => (16, 0, 0, false),
            Format::Screen => (17, 0, 0, false),
            Format::Bits { bytes } => (18, bytes, 0, false),
            Format::Digits { bytes } => (19, bytes, 0, false),
            Format::Text { bytes } => (20, bytes, 0, false),
            Format::Raw { bytes } => (21, bytes, 0, false),
            Format::Binary { bytes } => (22, bytes, 0, false),
            Format::Record(layout) => (23, layout as u8, 0, false),
            Format::Freeze => (24, 0, 0, false),
            Format::LoadBlocks => (25, 0, 0, false),
            Format::Opaque => (26, 0, 0, false),
        };
        tag << 24 | (a as u32) << 16 | (b as u32) << 8 | signed as u32
    }

    /// Length of a value in bytes; of a format of several lengths the least or the usual one.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Format::Number { bytes, .. }
            | Format::Bits { bytes }
            | Format::Digits { bytes }
            | Format::Text { bytes }
            | Format::Binary { bytes }
            | Format::Raw { bytes } => bytes as usize,
            Format::Demand { .. } => 8,
            Format::DateWeekdayTime => 7,
            Format::SecondStamp => 6,
            Format::MinuteStamp | Format::Screen => 5,
            Format::DateWeekday
            | Format::HourStamp
            | Format::MonthMinute
            | Format::Holiday
            | Format::Id => 4,
            Format::TimeOfDay | Format::MonthHour | Format::Zone | Format::Slot => 3,
            Format::DayHour | Format::HourMinute => 2,
            Format::Record(layout) => layout.shape().fixed as usize,
            Format::Freeze | Format::LoadBlocks | Format::Opaque => 0,
        }
    }

    /// Whether a value may have `len` bytes.
    #[must_use]
    #[inline]
    pub const fn fits(self, len: usize) -> bool {
        match self {
            // First, as most values are numbers.
            Format::Number { bytes, .. } => len == bytes as usize,
            Format::Freeze | Format::LoadBlocks | Format::Opaque => true,
            Format::Record(layout) => layout.shape().fits(len),
            _ => len == self.len(),
        }
    }

    /// The form in which some meters send the same item.
    const fn alternative(self) -> Option<Format> {
        match self {
            Format::HourStamp => Some(Format::MinuteStamp),
            Format::Screen => Some(Format::Id),
            Format::Record(Layout::QualityOfPhase) => {
                Some(Format::Record(Layout::ShortQualityOfPhase))
            }
            _ => None,
        }
    }

    /// The format in which a value of `len` bytes stands: this one or the other known form of the item.
    pub(crate) const fn of_len(self, len: usize) -> Option<Format> {
        if self.fits(len) {
            return Some(self);
        }
        match self.alternative() {
            Some(other) if other.fits(len) => Some(other),
            _ => None,
        }
    }

    /// Fields that are no decimal digits: FF is a value there.
    const fn is_binary(self) -> bool {
        matches!(
            self,
            Format::Bits { .. }
                | Format::Raw { .. }
                | Format::Binary { .. }
                | Format::Opaque
                | Format::Record(_)
                | Format::Freeze
                | Format::LoadBlocks
        )
    }

    /// Whether a value may have no bytes at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value in `field`, the whole of it. All bytes FF: [`Value::Absent`]. The fields of records are looked at
    /// when they are asked for.
    ///
    /// # Errors
    /// [`ValueError::Length`], [`ValueError::Digit`].
    pub fn decode(self, field: &[u8]) -> Result<Value<'_>, ValueError> {
        let short = ValueError::Length {
            expected: self.len(),
            found: field.len(),
        };
        let format = self.of_len(field.len()).ok_or(short)?;
        if !format.is_binary() && field.iter().all(|byte| *byte == 0xFF) {
            return Ok(Value::Absent);
        }
        let mut fields = Fields {
            cursor: Cursor::new(field),
            at: 0,
            short,
        };
        Ok(match format {
            Format::Number {
                decimals,
                signed,
                unit,
                ..
            } => Value::Number(Number {
                mantissa: mantissa(field, signed)?,
                decimals,
                unit,
            }),
            Format::Demand { signed, unit } => {
                let peak = fields.cursor.take(3).ok_or(short)?;
                let peak = Number {
                    mantissa: mantissa(peak, signed)?,
                    decimals: 4,
                    unit,
                };
                fields.at = 3;
                // No demand since the last clearing: all zero.
                let never = fields.cursor.rest().iter().all(|byte| *byte == 0);
                Value::Demand {
                    peak,
                    at: if never {
                        None
                    } else {
                        Some(fields.minute_stamp()?)
                    },
                }
            }
            Format::DateWeekday => {
                let (weekday, day, month, year) =
                    (fields.two()?, fields.two()?, fields.two()?, fields.two()?);
                Value::Date {
                    year,
                    month,
                    day,
                    weekday,
                }
            }
            Format::TimeOfDay => {
                let (second, minute, hour) = (fields.two()?, fields.two()?, fields.two()?);
                Value::Time {
                    hour,
                    minute,
                    second,
                }
            }
            Format::DateWeekdayTime => {
                let (second, minute, hour) = (fields.two()?, fields.two()?, fields.two()?);
                let (weekday, day, month, year) =
                    (fields.two()?, fields.two()?, fields.two()?, fields.two()?);
                Value::DateTime {
                    stamp: Stamp {
                        year,
                        month,
                        day,
                        hour,
                        minute,
                        second,
                    },
                    weekday,
                }
            }
            Format::MinuteStamp => Value::Stamp(fields.minute_stamp()?),
            Format::DayHour => {
                let (hour, day) = (fields.two()?, fields.two()?);
                Value::DayHour { day, hour }
            }
            Format::Bits { .. } => {
                let mut bits = [0; 4];
                for (to, from) in bits.iter_mut().zip(field) {
                    *to = *from;
                }
                Value::Bits(u32::from_le_bytes(bits))
            }
            Format::Digits { .. } => Value::Digits(bcd::decode(field)?),
            Format::Text { .. } => Value::Text(Text(field)),
            Format::Raw { .. } | Format::Opaque => Value::Raw(field),
            Format::Binary { .. } => Value::Binary(field),
            Format::SecondStamp => {
                let second = fields.two()?;
                Value::Instant(Stamp {
                    second,
                    ..fields.minute_stamp()?
                })
            }
            Format::HourStamp => {
                let (hour, day) = (fields.two()?, fields.two()?);
                let (month, year) = (fields.two()?, fields.two()?);
                Value::Stamp(Stamp {
                    year,
                    month,
                    day,
                    hour,
                    ..Stamp::default()
                })
            }
            Format::MonthMinute | Format::MonthHour => {
                let minute = if format.len() == 4 { fields.two()? } else { 0 };
                let (hour, day, month) = (fields.two()?, fields.two()?, fields.two()?);
                Value::Yearly {
                    month,
                    day,
                    hour,
                    minute,
                }
            }
            Format::HourMinute => {
                let (minute, hour) = (fields.two()?, fields.two()?);
                Value::HourMinute { hour, minute }
            }
            Format::Zone => {
                let (table, day, month) = (fields.two()?, fields.two()?, fields.two()?);
                Value::Zone { month, day, table }
            }
            Format::Slot => {
                let (tariff, minute, hour) = (fields.two()?, fields.two()?, fields.two()?);
                Value::Slot {
                    hour,
                    minute,
                    tariff,
                }
            }
            Format::Holiday => {
                let (table, day) = (fields.two()?, fields.two()?);
                let (month, year) = (fields.two()?, fields.two()?);
                Value::Holiday {
                    year,
                    month,
                    day,
                    table,
                }
            }
            Format::Id => Value::Id(fields.id()?),
            Format::Screen => Value::Screen {
                id: fields.id()?,
                screen: fields.cursor.byte().ok_or(short)?,
            },
            Format::Record(layout) => Value::Record(Record::new(layout, field)),
            Format::Freeze => Value::Freeze(Freeze(field)),
            Format::LoadBlocks => Value::Load(LoadBlocks::new(field)),
        })
    }

    /// Writes `value` to the front of `out` and returns its length. Records, freezes and load blocks are copied; build
    /// them with [`RecordWriter`](crate::RecordWriter) and its kin.
    ///
    /// # Errors
    /// [`ValueError::Kind`] if the value is of another kind or has other decimals or another unit,
    /// [`ValueError::Range`] if it has too many digits, [`ValueError::Length`] if `out` or a text does not suit.
    pub fn encode(self, value: &Value<'_>, out: &mut [u8]) -> Result<usize, ValueError> {
        let (format, len) = match *value {
            Value::Record(record) => (self.of_len(record.bytes().len()), record.bytes().len()),
            Value::Freeze(Freeze(bytes)) => (Some(self), bytes.len()),
            Value::Load(blocks) => (Some(self), blocks.bytes().len()),
            Value::Raw(bytes) if self == Format::Opaque => (Some(self), bytes.len()),
            Value::Id(_) if self == Format::Screen => (self.of_len(4), 4),
            Value::Stamp(stamp) if self == Format::HourStamp && stamp.minute != 0 => {
                (self.of_len(5), 5)
            }
            _ => (Some(self), self.len()),
        };
        let format = format.ok_or(ValueError::Kind)?;
        let found = out.len();
        let field = out.get_mut(..len).ok_or(ValueError::Length {
            expected: len,
            found,
        })?;
        let two = |value| bcd::byte_of(value).ok_or(ValueError::Range);
        match (format, value) {
            (_, Value::Absent) if format.is_binary() => return Err(ValueError::Kind),
            (_, Value::Absent) => field.fill(0xFF),
            (
                Format::Number {
                    decimals,
                    signed,
                    unit,
                    ..
                },
                Value::Number(number),
            ) => {
                if number.decimals != decimals || number.unit != unit {
                    return Err(ValueError::Kind);
                }
                put_mantissa(number.mantissa, signed, field)?;
            }
            (Format::Demand { signed, unit }, Value::Demand { peak, at }) => {
                if peak.decimals != 4 || peak.unit != unit {
                    return Err(ValueError::Kind);
                }
                let (number, stamp) = field.split_at_mut_checked(3).ok_or(ValueError::Kind)?;
                put_mantissa(peak.mantissa, signed, number)?;
                put(stamp, at.map_or(Ok([0; 5]), minute_line)?);
            }
            (
                Format::DateWeekday,
                Value::Date {
                    year,
                    month,
                    day,
                    weekday,
                },
            ) => {
                put(
                    field,
                    [two(*weekday)?, two(*day)?, two(*month)?, two(*year)?],
                );
            }
            (
                Format::TimeOfDay,
                Value::Time {
                    hour,
                    minute,
                    second,
                },
            ) => {
                put(field, [two(*second)?, two(*minute)?, two(*hour)?]);
            }
            (Format::DateWeekdayTime, Value::DateTime { stamp, weekday }) => {
                let [second, minute, hour, day, month, year] =
                    stamp.line().ok_or(ValueError::Range)?;
                put(
                    field,
                    [second, minute, hour, two(*weekday)?, day, month, year],
                );
            }
            (Format::MinuteStamp, Value::Stamp(stamp)) => put(field, minute_line(*stamp)?),
            (Format::DayHour, Value::DayHour { day, hour }) => {
                put(field, [two(*hour)?, two(*day)?])
            }
            (Format::Bits { bytes }, Value::Bits(bits)) => {
                if bytes < 4 && bits >> (bytes * 8) != 0 {
                    return Err(ValueError::Range);
                }
                put(field, bits.to_le_bytes());
            }
            (Format::Digits { .. }, Value::Digits(digits)) => {
                bcd::encode(*digits, field).map_err(|_| ValueError::Range)?;
            }
            (Format::Text { .. }, Value::Text(Text(bytes)))
            | (Format::Raw { .. } | Format::Opaque, Value::Raw(bytes))
            | (Format::Binary { .. }, Value::Binary(bytes))
            | (Format::Freeze, Value::Freeze(Freeze(bytes))) => copy(bytes, field)?,
            (Format::Record(layout), Value::Record(record)) if record.layout() == layout => {
                copy(record.bytes(), field)?;
            }
            (Format::LoadBlocks, Value::Load(blocks)) => copy(blocks.bytes(), field)?,
            (Format::SecondStamp, Value::Instant(stamp)) => {
                put(field, stamp.line().ok_or(ValueError::Range)?);
            }
            (Format::HourStamp, Value::Stamp(stamp)) => {
                let [_, _, hour, day, month, year] = stamp.line().ok_or(ValueError::Range)?;
                put(field, [hour, day, month, year]);
            }
            (
                Format::MonthMinute,
                Value::Yearly {
                    month,
                    day,
                    hour,
                    minute,
                },
            ) => {
                put(
                    field,
                    [two(*minute)?, two(*hour)?, two(*day)?, two(*month)?],
                );
            }
            (
                Format::MonthHour,
                Value::Yearly {
                    month, day, hour, ..
                },
            ) => {
                put(field, [two(*hour)?, two(*day)?, two(*month)?]);
            }
            (Format::HourMinute, Value::HourMinute { hour, minute }) => {
                put(field, [two(*minute)?, two(*hour)?]);
            }
            (Format::Zone, Value::Zone { month, day, table }) => {
                put(field, [two(*table)?, two(*day)?, two(*month)?]);
            }
            (
                Format::Slot,
                Value::Slot {
                    hour,
                    minute,
                    tariff,
                },
            ) => {
                put(field, [two(*tariff)?, two(*minute)?, two(*hour)?]);
            }
            (
                Format::Holiday,
                Value::Holiday {
                    year,
                    month,
                    day,
                    table,
                },
            ) => {
                put(field, [two(*table)?, two(*day)?, two(*month)?, two(*year)?]);
            }
            (Format::Id, Value::Id(id)) => put(field, id.line()),
            (Format::Screen, Value::Screen { id, screen }) => {
                let [d0, d1, d2, d3] = id.line();
                put(field, [d0, d1, d2, d3, *screen]);
            }
            _ => return Err(ValueError::Kind),
        }
        Ok(len)
    }
}

struct Fields<'a> {
    cursor: Cursor<'a>,
    at: usize,
    short: ValueError,
}

impl Fields<'_> {
    fn two(&mut self) -> Result<u8, ValueError> {
        let byte = self.cursor.byte().ok_or(self.short)?;
        let position = self.at;
        self.at += 1;
        bcd::byte_value(byte).ok_or(ValueError::Digit {
            position,
            found: byte,
        })
    }

    fn id(&mut self) -> Result<DataId, ValueError> {
        DataId::take(&mut self.cursor).ok_or(self.short)
    }

    fn minute_stamp(&mut self) -> Result<Stamp, ValueError> {
        let (minute, hour, day) = (self.two()?, self.two()?, self.two()?);
        let (month, year) = (self.two()?, self.two()?);
        Ok(Stamp {
            year,
            month,
            day,
            hour,
            minute,
            second: 0,
        })
    }
}

fn mantissa(field: &[u8], signed: bool) -> Result<i32, ValueError> {
    // A number of more than four bytes is in no table; it reads as one of four.
    let (word, top) = match *field {
        [a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]), 24),
        [a, b, c] => (u32::from_le_bytes([a, b, c, 0]), 16),
        [a, b] => (u32::from_le_bytes([a, b, 0, 0]), 8),
        [a] => (u32::from(a), 0),
        [] => return Ok(0),
    };
    let sign = 0x80 << top;
    let negative = signed && word & sign != 0;
    let word = if negative { word & !sign } else { word };
    // At most 99,999,999.
    let Some(magnitude) = bcd::word_value(word) else {
        return Err(bad_digit(field, negative));
    };
    Ok(if negative {
        -(magnitude as i32)
    } else {
        magnitude as i32
    })
}

#[cold]
fn bad_digit(field: &[u8], negative: bool) -> ValueError {
    let last = field.len().saturating_sub(1);
    field
        .iter()
        .enumerate()
        .find_map(|(position, byte)| {
            let sign = if negative && position == last {
                0x80
            } else {
                0
            };
            // The byte is named as it was sent, sign and all.
            bcd::byte_value(byte & !sign)
                .is_none()
                .then_some(ValueError::Digit {
                    position,
                    found: *byte,
                })
        })
        .unwrap_or(ValueError::Range)
}

fn put_mantissa(mantissa: i32, signed: bool, field: &mut [u8]) -> Result<(), ValueError> {
    if mantissa < 0 && !signed {
        return Err(ValueError::Range);
    }
    bcd::encode(u64::from(mantissa.unsigned_abs()), field).map_err(|_| ValueError::Range)?;
    if signed && let Some(top) = field.last_mut() {
        // The sign takes the bit that a leading 8 or 9 would need.
        if *top & 0x80 != 0 {
            return Err(ValueError::Range);
        }
        if mantissa < 0 {
            *top |= 0x80;
        }
    }
    Ok(())
}

fn copy(bytes: &[u8], field: &mut [u8]) -> Result<(), ValueError> {
    if bytes.len() != field.len() {
        return Err(ValueError::Length {
            expected: field.len(),
            found: bytes.len(),
        });
    }
    field.copy_from_slice(bytes);
    Ok(())
}

fn put<const N: usize>(field: &mut [u8], bytes: [u8; N]) {
    let len = field.len().min(N);
    let _ = Writer::new(field).put(bytes.get(..len).unwrap_or_default());
}

fn minute_line(stamp: Stamp) -> Result<[u8; 5], ValueError> {
    let [_, minute, hour, day, month, year] = stamp.line().ok_or(ValueError::Range)?;
    Ok([minute, hour, day, month, year])
}
