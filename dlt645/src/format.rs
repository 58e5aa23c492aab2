//! Formats of items: bytes to values and back (section 7 of the fact sheet).

use serial_line::bcd;

use crate::cursor::{Cursor, Writer};
use crate::time::Stamp;
use crate::unit::Unit;
use crate::value::{Number, Text, Value, ValueError};

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
}

impl Format {
    /// Length of a value in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Format::Number { bytes, .. }
            | Format::Bits { bytes }
            | Format::Digits { bytes }
            | Format::Text { bytes }
            | Format::Raw { bytes } => bytes as usize,
            Format::Demand { .. } => 8,
            Format::DateWeekday => 4,
            Format::TimeOfDay => 3,
            Format::DateWeekdayTime => 7,
            Format::MinuteStamp => 5,
            Format::DayHour => 2,
        }
    }

    /// No format is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The value in `field`, which must have exactly [`Format::len`] bytes. All bytes FF: [`Value::Absent`].
    ///
    /// # Errors
    /// [`ValueError::Length`], [`ValueError::Digit`].
    pub fn decode(self, field: &[u8]) -> Result<Value<'_>, ValueError> {
        if field.len() != self.len() {
            return Err(ValueError::Length {
                expected: self.len(),
                found: field.len(),
            });
        }
        if !matches!(self, Format::Bits { .. } | Format::Raw { .. })
            && field.iter().all(|byte| *byte == 0xFF)
        {
            return Ok(Value::Absent);
        }
        let short = ValueError::Length {
            expected: self.len(),
            found: field.len(),
        };
        let mut fields = Fields {
            cursor: Cursor::new(field),
            at: 0,
            short,
        };
        Ok(match self {
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
            Format::Raw { .. } => Value::Raw(field),
        })
    }

    /// Writes `value` to the front of `out` and returns its length, always [`Format::len`].
    ///
    /// # Errors
    /// [`ValueError::Kind`] if the value is of another kind or has other decimals or another unit,
    /// [`ValueError::Range`] if it has too many digits, [`ValueError::Length`] if `out` or a text does not suit.
    pub fn encode(self, value: &Value<'_>, out: &mut [u8]) -> Result<usize, ValueError> {
        let len = self.len();
        let found = out.len();
        let field = out.get_mut(..len).ok_or(ValueError::Length {
            expected: len,
            found,
        })?;
        let two = |value| bcd::byte_of(value).ok_or(ValueError::Range);
        match (self, value) {
            (Format::Bits { .. } | Format::Raw { .. }, Value::Absent) => {
                return Err(ValueError::Kind);
            }
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
            | (Format::Raw { .. }, Value::Raw(bytes)) => {
                if bytes.len() != len {
                    return Err(ValueError::Length {
                        expected: len,
                        found: bytes.len(),
                    });
                }
                field.copy_from_slice(bytes);
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
    let [low @ .., top] = field else { return Ok(0) };
    let mut digits = [0; 4];
    for (to, from) in digits.iter_mut().zip(low) {
        *to = *from;
    }
    let negative = signed && top & 0x80 != 0;
    if let Some(place) = digits.get_mut(low.len()) {
        *place = if negative { top & 0x7F } else { *top };
    }
    let digits = digits.get(..field.len()).unwrap_or_default();
    // At most 99,999,999.
    let magnitude = bcd::decode_u32(digits)? as i32;
    Ok(if negative { -magnitude } else { magnitude })
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

fn put<const N: usize>(field: &mut [u8], bytes: [u8; N]) {
    let len = field.len().min(N);
    let _ = Writer::new(field).put(bytes.get(..len).unwrap_or_default());
}

fn minute_line(stamp: Stamp) -> Result<[u8; 5], ValueError> {
    let [_, minute, hour, day, month, year] = stamp.line().ok_or(ValueError::Range)?;
    Ok([minute, hour, day, month, year])
}
