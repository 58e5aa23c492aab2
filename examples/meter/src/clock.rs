//! Times of the parts into each other, once.
//!
//! `meter-proto` counts UTC, DL/T 645 and orders write the meter's calendar as digits, `tariff` computes with civil
//! time. The meter's calendar is UTC plus a fixed offset in minutes.

use security::order::Moment;
use tariff::civil::Date;

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
pub fn calendar(ms: u64) -> Calendar {
    let seconds = (ms / 1000).min(253_402_300_799);
    let date = Date::from_days((seconds / 86_400) as i64);
    let rest = seconds % 86_400;
    Calendar {
        year: date.year(),
        month: date.month(),
        day: date.day(),
        hour: (rest / 3600) as u8,
        minute: (rest / 60 % 60) as u8,
        second: (rest % 60) as u8,
        weekday: date.weekday(),
    }
}

/// The instant for the tables of `tariff`.
#[must_use]
pub fn tariff_moment(utc_ms: u64, utc_offset_min: i16) -> tariff::civil::Moment {
    tariff::civil::Moment {
        utc_s: i64::try_from(utc_ms / 1000).unwrap_or(i64::MAX),
        offset_s: i32::from(utc_offset_min) * 60,
    }
}

/// Now as orders write their deadline; `None` before 2000 and after 2099, when the clock cannot be right.
#[must_use]
pub fn order_moment(utc_ms: u64, utc_offset_min: i16) -> Option<Moment> {
    let now = calendar(local_ms(utc_ms, utc_offset_min));
    if now.year < 2000 || now.year > 2099 {
        return None;
    }
    Moment::try_new(
        (now.year - 2000) as u8,
        now.month,
        now.day,
        now.hour,
        now.minute,
        now.second,
    )
}

/// Now as DL/T 645 writes it, years modulo 100.
#[must_use]
pub fn stamp(utc_ms: u64, utc_offset_min: i16) -> dlt645::Stamp {
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
    let date = Date::try_new(2000 + u16::from(stamp.year), stamp.month, stamp.day)?;
    let second =
        u32::from(stamp.hour) * 3600 + u32::from(stamp.minute) * 60 + u32::from(stamp.second);
    let moment = tariff::civil::Moment::from_local(date, second, i32::from(utc_offset_min) * 60);
    u64::try_from(moment.utc_s).ok()?.checked_mul(1000)
}

/// Whether the calendar was ever set: that of the line has two digits for the year.
#[must_use]
pub fn is_set(now: tariff::civil::Moment) -> bool {
    (2000..=2099).contains(&now.date().year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_go_there_and_back() {
        // 2026-11-21T04:30:00Z
        let utc_ms = 1_795_235_400_000;
        let here = stamp(utc_ms, 480);
        assert_eq!(
            (here.year, here.month, here.day, here.hour, here.minute),
            (26, 11, 21, 12, 30)
        );
        assert_eq!(from_stamp(here, 480), Some(utc_ms));
        assert_eq!(calendar(utc_ms).weekday, 6);
        for day in 0..36_524u64 {
            let utc_ms = (10_957 + day) * 86_400_000 + 47_111_000;
            assert_eq!(from_stamp(stamp(utc_ms, -90), -90), Some(utc_ms));
        }
    }
}
