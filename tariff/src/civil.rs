//! Civil date and time: proleptic Gregorian, local time from UTC seconds and a given offset.

/// A real date between 1970-01-01 and 9999-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Days from 1970-01-01 to 9999-12-31.
const LAST_DAY: i64 = 2_932_896;

impl Date {
    /// A date; `None` when it does not exist or lies outside 1970..=9999.
    pub const fn try_new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year < 1970 || year > 9999 || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        Some(Date { year, month, day })
    }

    /// The date so many days after 1970-01-01; clamped to the range of the type.
    pub const fn from_days(days: i64) -> Self {
        let days = if days < 0 {
            0
        } else if days > LAST_DAY {
            LAST_DAY
        } else {
            days
        };
        // Years begin in March here, so that the leap day is the last of its year.
        let z = days + 719_468;
        let era = z / 146_097;
        let of_era = z % 146_097;
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let m = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * m + 2) / 5 + 1) as u8;
        let month = (if m < 10 { m + 3 } else { m - 9 }) as u8;
        let year = (year + era * 400 + (month <= 2) as i64) as u16;
        Date { year, month, day }
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i64 {
        let year = self.year as i64 - (self.month <= 2) as i64;
        let m = (self.month as i64 + 9) % 12;
        let of_year = (153 * m + 2) / 5 + self.day as i64 - 1;
        let era = year / 400;
        let of = year % 400;
        era * 146_097 + of * 365 + of / 4 - of / 100 + of_year - 719_468
    }

    /// Year, 1970..=9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// Month, 1..=12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, 1..=31.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Month and day as the number MMDD, as zone tables order them.
    pub const fn month_day(self) -> u16 {
        self.month as u16 * 100 + self.day as u16
    }

    /// Day of the week: 0 Sunday .. 6 Saturday, the numbering of DL/T 645.
    pub const fn weekday(self) -> u8 {
        ((self.days() + 4) % 7) as u8
    }
}

/// Days of a month; 0 for a month that does not exist.
pub const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

/// An instant with the offset of its local time: what calendars are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub utc_s: i64,
    /// Seconds that local time is ahead of UTC (28 800 in China).
    pub offset_s: i32,
}

impl Moment {
    /// The instant at which local clocks of the given offset show this date and time of day.
    pub const fn from_local(date: Date, second_of_day: u32, offset_s: i32) -> Self {
        let utc_s = date.days() * 86_400 + second_of_day as i64 - offset_s as i64;
        Moment { utc_s, offset_s }
    }

    const fn local_s(self) -> i64 {
        self.utc_s.saturating_add(self.offset_s as i64)
    }

    /// The local date.
    pub const fn date(self) -> Date {
        Date::from_days(self.local_s().div_euclid(86_400))
    }

    /// Seconds since local midnight, 0..=86 399.
    pub const fn second_of_day(self) -> u32 {
        self.local_s().rem_euclid(86_400) as u32
    }

    /// Minutes since local midnight, 0..=1439.
    pub const fn minute_of_day(self) -> u16 {
        (self.second_of_day() / 60) as u16
    }

    /// The same offset so many seconds later.
    pub const fn plus(self, seconds: i64) -> Self {
        Moment {
            utc_s: self.utc_s.saturating_add(seconds),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, Moment};

    #[test]
    fn every_day_there_and_back() {
        let mut last = None;
        for days in (0..60_000).chain(2_930_000..=super::LAST_DAY) {
            let date = Date::from_days(days);
            assert_eq!(date.days(), days);
            assert_eq!(
                Date::try_new(date.year(), date.month(), date.day()),
                Some(date)
            );
            assert!(last < Some(date));
            last = Some(date);
        }
        assert_eq!(Date::try_new(2100, 2, 29), None);
        assert_eq!(Date::try_new(2024, 3, 15).map(Date::weekday), Some(5));
    }

    #[test]
    fn local_time_is_ahead_of_utc() {
        let at = Moment {
            utc_s: 1_709_222_400,
            offset_s: 28_800,
        };
        assert_eq!((at.date().month_day(), at.minute_of_day()), (301, 0));
        assert_eq!(Moment::from_local(at.date(), 0, 28_800), at);
    }
}
