//! Seconds of the meter's calendar, by which orders end.

/// A second of the meter's calendar. Compares in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment {
    /// Years since 2000, 0 to 99.
    year: u8,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Moment {
    /// A moment from years since 2000 (0 to 99), month 1 to 12, day 1 to 31, hour 0 to 23, minute
    /// and second 0 to 59. `None` when a field is out of its range or the month has no such day.
    pub const fn try_new(
        year: u8,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
    ) -> Option<Self> {
        let days = match month {
            2 if year.is_multiple_of(4) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if year > 99 || day == 0 || day > days || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }

    /// The moment of six BCD bytes `ss mm hh DD MM YY`.
    pub fn from_bcd(bytes: [u8; 6]) -> Option<Self> {
        let [second, minute, hour, day, month, year] = bytes.map(from_bcd);
        Self::try_new(year?, month?, day?, hour?, minute?, second?)
    }

    /// Six BCD bytes `ss mm hh DD MM YY`.
    pub fn to_bcd(self) -> [u8; 6] {
        [
            self.second,
            self.minute,
            self.hour,
            self.day,
            self.month,
            self.year,
        ]
        .map(to_bcd)
    }
}

fn from_bcd(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

const fn to_bcd(value: u8) -> u8 {
    ((value / 10 % 10) << 4) | (value % 10)
}
