//! Times of the parts into each other, once.
//!
//! `meter-proto` counts UTC, DL/T 645 and orders write the meter's calendar as digits, `tariff` computes with civil
//! time. The meter's calendar is UTC plus a fixed offset in minutes.

use security::order::Moment;

/// A second of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Full year.
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
    /// 0 Sunday to 6 Saturday.
    pub weekday: u8,
}

/// Milliseconds since 1970 of the meter's calendar.
#[must_use]
pub const fn local_ms(utc_ms: u64, utc_offset_min: i16) -> u64 {
    utc_ms.saturating_add_signed(utc_offset_min as i64 * 60_000)
}

/// The calendar second of a count of milliseconds since 1970; years up to 9999.
#[must_use]
pub const fn calendar(ms: u64) -> Calendar {
    let seconds = ms / 1000;
    let seconds = if seconds > 253_402_300_799 { 253_402_300_799 } else { seconds };
    let days = seconds / 86_400;
    let rest = (seconds % 86_400) as u32;
    // Years begin in March, so that the leap day is the last one; eras of 400 years have 146,097 days.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + (month <= 2) as u64;
    Calendar {
        year: year as u16,
        month: month as u8,
        day: day as u8,
        hour: (rest / 3600) as u8,
        minute: (rest / 60 % 60) as u8,
        second: (rest % 60) as u8,
        weekday: ((days + 4) % 7) as u8,
    }
}

/// Now as orders write their deadline; `None` before 2000 and after 2099, when the clock cannot be right.
#[must_use]
pub const fn order_moment(utc_ms: u64, utc_offset_min: i16) -> Option<Moment> {
    let now = calendar(local_ms(utc_ms, utc_offset_min));
    if now.year < 2000 || now.year > 2099 {
        return None;
    }
    Moment::try_new((now.year - 2000) as u8, now.month, now.day, now.hour, now.minute, now.second)
}

/// Now as DL/T 645 writes it, years modulo 100.
#[must_use]
pub const fn stamp(utc_ms: u64, utc_offset_min: i16) -> dlt645::Stamp {
    let now = calendar(local_ms(utc_ms, utc_offset_min));
    dlt645::Stamp {
        year: (now.year % 100) as u8,
        month: now.month,
        day: now.day,
        hour: now.hour,
        minute: now.minute,
        second: now.second,
    }
}

/// UTC milliseconds of a DL/T 645 stamp of the years 2000 to 2099; `None` when it is no calendar second.
#[must_use]
pub fn from_stamp(stamp: dlt645::Stamp, utc_offset_min: i16) -> Option<u64> {
    if !stamp.is_calendar() {
        return None;
    }
    let (year, month, day) = (2000 + u64::from(stamp.year), u64::from(stamp.month), u64::from(stamp.day));
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month_from_march + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    let of_day = u64::from(stamp.hour) * 3600 + u64::from(stamp.minute) * 60 + u64::from(stamp.second);
    ((days * 86_400 + of_day) * 1000).checked_add_signed(i64::from(utc_offset_min) * -60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_go_there_and_back() {
        // 2026-11-21T04:30:00Z
        let utc_ms = 1_795_235_400_000;
        let here = stamp(utc_ms, 480);
        assert_eq!((here.year, here.month, here.day, here.hour, here.minute), (26, 11, 21, 12, 30));
        assert_eq!(from_stamp(here, 480), Some(utc_ms));
        assert_eq!(calendar(utc_ms).weekday, 6);
        for day in 0..36_524u64 {
            let utc_ms = (10_957 + day) * 86_400_000 + 47_111_000;
            assert_eq!(from_stamp(stamp(utc_ms, -90), -90), Some(utc_ms));
        }
    }
}
