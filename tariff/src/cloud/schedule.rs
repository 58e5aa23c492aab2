//! Which rate is in force, for calendars that no meter holds, and local time with its clock changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::Calendar;
use crate::civil::{Date, Moment};

/// Local time: the offset in force at an instant and when it changes next.
pub trait Local {
    /// The instant with its offset.
    fn moment(&self, utc_s: i64) -> Moment;
    /// The next instant at which the offset changes, later than `utc_s`; `None` when it stays.
    fn next_shift(&self, utc_s: i64) -> Option<i64>;
}

/// Offsets by the instant from which each holds; the first holds before it too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets(BTreeMap<i64, i32>);

impl Offsets {
    /// One offset in seconds for all time.
    #[must_use]
    pub fn fixed(offset_s: i32) -> Self {
        Offsets(BTreeMap::from([(i64::MIN, offset_s)]))
    }

    /// From instants (UTC seconds) with the offset in seconds that begins there.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = (i64, i32)>) -> Self {
        Offsets(changes.into_iter().collect())
    }
}

impl Local for Offsets {
    fn moment(&self, utc_s: i64) -> Moment {
        let begun = self.0.range(..=utc_s).next_back();
        let offset_s = begun
            .or_else(|| self.0.first_key_value())
            .map_or(0, |(_, &offset)| offset);
        Moment { utc_s, offset_s }
    }

    fn next_shift(&self, utc_s: i64) -> Option<i64> {
        let later = (std::ops::Bound::Excluded(utc_s), std::ops::Bound::Unbounded);
        self.0.range(later).next().map(|(&at, _)| at)
    }
}

impl Local for jiff::tz::TimeZone {
    fn moment(&self, utc_s: i64) -> Moment {
        let at = jiff::Timestamp::from_second(utc_s).unwrap_or_default();
        Moment {
            utc_s,
            offset_s: self.to_offset(at).seconds(),
        }
    }

    fn next_shift(&self, utc_s: i64) -> Option<i64> {
        let at = jiff::Timestamp::from_second(utc_s).ok()?;
        let shift = self.following(at).next()?;
        Some(shift.timestamp().as_second())
    }
}

/// A rate for each instant of local time.
pub trait Schedule {
    /// The rate in force, from 1.
    fn rate(&self, at: Moment) -> u8;
    /// The next instant at which it may change while the offset stays; later than `at`.
    fn next_change(&self, at: Moment) -> Moment;
}

impl Schedule for Calendar<'_> {
    fn rate(&self, at: Moment) -> u8 {
        Calendar::rate(self, at)
    }
    fn next_change(&self, at: Moment) -> Moment {
        Calendar::next_change(self, at)
    }
}

/// Rates by month and hour, apart for working days and weekends (the matrices of the OpenEI rate
/// database).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Rate by month (0 January) and hour, Monday to Friday.
    pub weekday: [[u8; 24]; 12],
    /// The same for Saturday, Sunday and holidays.
    pub weekend: [[u8; 24]; 12],
    /// Days that count as weekend.
    pub holidays: BTreeSet<Date>,
}

impl Schedule for Matrix {
    fn rate(&self, at: Moment) -> u8 {
        let date = at.date();
        let rest = matches!(date.weekday(), 0 | 6) || self.holidays.contains(&date);
        let table = if rest { &self.weekend } else { &self.weekday };
        let hours = table.get(usize::from(date.month()) - 1);
        let hour = usize::from(at.minute_of_day() / 60);
        hours
            .and_then(|hours| hours.get(hour))
            .copied()
            .unwrap_or(1)
    }

    fn next_change(&self, at: Moment) -> Moment {
        at.plus(3600 - i64::from(at.second_of_day() % 3600))
    }
}

/// Days of several types (colours) that begin at an hour of their own, each with its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayTypes {
    /// Second of the local day at which a day of this calendar begins (6 h: 21 600).
    pub begins_s: u32,
    /// Type of each day that is not of the first type.
    pub days: BTreeMap<Date, usize>,
    /// By type: slots as minute of the local day and rate, rising; before the first one the last holds.
    pub slots: Vec<Vec<(u16, u8)>>,
}

impl Schedule for DayTypes {
    fn rate(&self, at: Moment) -> u8 {
        let day = at.plus(-i64::from(self.begins_s)).date();
        let kind = self.days.get(&day).copied().unwrap_or(0);
        let slots = self.slots.get(kind).map_or(&[][..], Vec::as_slice);
        let minute = at.minute_of_day();
        let begun = slots.iter().rev().find(|&&(start, _)| start <= minute);
        begun.or(slots.last()).map_or(1, |&(_, rate)| rate)
    }

    fn next_change(&self, at: Moment) -> Moment {
        let second = at.second_of_day();
        let starts = self
            .slots
            .iter()
            .flatten()
            .map(|&(start, _)| u32::from(start) * 60);
        let next = starts
            .chain([self.begins_s, 86_400])
            .filter(|&start| start > second)
            .min()
            .unwrap_or(86_400);
        at.plus(i64::from(next) - i64::from(second))
    }
}
