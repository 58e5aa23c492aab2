//! Dates and times as plain decimal fields; civil arithmetic is the caller's.

use serial_line::bcd;

/// An instant to the second; formats that end earlier leave the later fields zero.
///
/// The fields are what the digits say: patterns such as month 99 (any month) are kept. [`Stamp::is_calendar`] tells
/// whether they name a real instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp {
    /// Year of this century, 0 to 99.
    pub year: u8,
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
    /// Whether the fields name a day of the calendar and a time of day. Years count from 2000, so every fourth is a
    /// leap year.
    #[must_use]
    pub const fn is_calendar(&self) -> bool {
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if self.year.is_multiple_of(4) => 29,
            2 => 28,
            _ => 0,
        };
        self.year < 100
            && self.day >= 1
            && self.day <= days
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
    }

    /// From six packed bytes ss mm hh DD MM YY, the order of function 08 and 1C; `None` if a digit is not decimal.
    #[must_use]
    pub fn from_line(bytes: [u8; 6]) -> Option<Self> {
        let [second, minute, hour, day, month, year] = bytes;
        Some(Stamp {
            year: bcd::byte_value(year)?,
            month: bcd::byte_value(month)?,
            day: bcd::byte_value(day)?,
            hour: bcd::byte_value(hour)?,
            minute: bcd::byte_value(minute)?,
            second: bcd::byte_value(second)?,
        })
    }

    /// Six packed bytes ss mm hh DD MM YY; `None` if a field is above 99.
    #[must_use]
    pub fn line(&self) -> Option<[u8; 6]> {
        Some([
            bcd::byte_of(self.second)?,
            bcd::byte_of(self.minute)?,
            bcd::byte_of(self.hour)?,
            bcd::byte_of(self.day)?,
            bcd::byte_of(self.month)?,
            bcd::byte_of(self.year)?,
        ])
    }
}
