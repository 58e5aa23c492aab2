//! Values, exact and with their unit as sent.

use core::fmt;

use serial_line::bcd;

use crate::unit::Unit;

/// Data that are no reading, or a reading that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// No layout of the medium has this length.
    Length {
        /// Bytes there are.
        found: usize,
    },
    /// A nibble above 9 in a decimal field.
    Digit {
        /// Index of the byte in the data behind SER.
        position: usize,
        /// The byte found.
        found: u8,
    },
    /// A byte that is none of the codes it may be.
    Code {
        /// Index of the byte in the data behind SER.
        position: usize,
        /// The byte found.
        found: u8,
    },
    /// A number has more digits than its field.
    Range,
    /// The value is of another kind than the item, or has other decimals.
    Kind,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ValueError::Length { found } => write!(f, "no layout of this medium has {found} bytes"),
            ValueError::Digit { position, found } => {
                write!(
                    f,
                    "data byte {position} is {found:02X}, not two decimal digits"
                )
            }
            ValueError::Code { position, found } => {
                write!(f, "data byte {position} is {found:02X}, which is no code")
            }
            ValueError::Kind => f.write_str("the value is of another kind than the item"),
            ValueError::Range => f.write_str("a number does not fit into its digits"),
        }
    }
}

impl core::error::Error for ValueError {}

/// A decimal number with the digits the meter sent: `mantissa` / 10^`decimals` units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// All digits, at most 8.
    pub mantissa: u32,
    /// Digits behind the point.
    pub decimals: u8,
    /// The unit code sent; `None` where the layout has none.
    pub unit: Option<Unit>,
}

/// With all its decimals and without the unit.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u32.checked_pow(u32::from(self.decimals)).unwrap_or(1);
        let decimals = usize::from(self.decimals);
        write!(f, "{}", self.mantissa / scale)?;
        if decimals > 0 {
            write!(f, ".{:0decimals$}", self.mantissa % scale)
        } else {
            Ok(())
        }
    }
}

/// The meter's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl Stamp {
    /// From ss mm hh DD MM YY YY; `Ok(None)` if all bytes are zero, as meters without a clock send it.
    ///
    /// # Errors
    /// [`ValueError::Digit`].
    pub fn from_line(bytes: [u8; 7]) -> Result<Option<Self>, ValueError> {
        if bytes == [0; 7] {
            return Ok(None);
        }
        let mut values = [0; 7];
        for (position, (value, found)) in values.iter_mut().zip(bytes).enumerate() {
            *value = bcd::byte_value(found).ok_or(ValueError::Digit { position, found })?;
        }
        let [second, minute, hour, day, month, low, high] = values;
        let year = u16::from(high) * 100 + u16::from(low);
        Ok(Some(Stamp {
            year,
            month,
            day,
            hour,
            minute,
            second,
        }))
    }

    /// ss mm hh DD MM YY YY.
    ///
    /// # Errors
    /// [`ValueError::Range`] if a field has more digits than its place.
    pub fn line(&self) -> Result<[u8; 7], ValueError> {
        let two = |value: u8| bcd::byte_of(value).ok_or(ValueError::Range);
        let century = u8::try_from(self.year / 100).map_err(|_| ValueError::Range)?;
        Ok([
            two(self.second)?,
            two(self.minute)?,
            two(self.hour)?,
            two(self.day)?,
            two(self.month)?,
            two((self.year % 100) as u8)?,
            two(century)?,
        ])
    }
}

/// 2017-08-19 16:54:59.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stamp {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )
    }
}
