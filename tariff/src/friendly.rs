//! Friendly hours: times at which a purse does not open the relay (nights, weekends, holidays).

use crate::calendar::{By, Calendar};
use crate::civil::Moment;

/// A friendly time of some weekdays, local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FriendlyHours {
    /// Weekdays on which it begins, bit 0 Sunday .. bit 6 Saturday.
    pub weekdays: u8,
    /// First minute of the day, 0..=1439.
    pub from: u16,
    /// First minute behind it; at or before `from` it runs over midnight, into the next day.
    pub until: u16,
}

impl FriendlyHours {
    fn holds(&self, at: Moment) -> bool {
        let weekday = at.date().weekday();
        let begins = |weekday: u8| self.weekdays & 1 << weekday != 0;
        let minute = at.minute_of_day();
        if self.from < self.until {
            return begins(weekday) && (self.from..self.until).contains(&minute);
        }
        begins(weekday) && minute >= self.from || begins((weekday + 6) % 7) && minute < self.until
    }
}

/// The friendly times of a meter, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Friendly<'a> {
    /// By weekday.
    pub hours: &'a [FriendlyHours],
    /// Public holidays of the calendar are friendly from midnight to midnight.
    pub holidays: bool,
}

impl Friendly<'_> {
    /// True in a friendly hour.
    #[must_use]
    pub fn holds(&self, calendar: &Calendar<'_>, at: Moment) -> bool {
        self.holidays && calendar.day_table(at.date()).1 == By::Holiday
            || self.hours.iter().any(|hours| hours.holds(at))
    }

    /// The next instant at which that may change: later than `at`, at most a day.
    #[must_use]
    pub fn next_change(&self, at: Moment) -> Moment {
        let second = at.second_of_day();
        let edges = self
            .hours
            .iter()
            .flat_map(|hours| [hours.from, hours.until]);
        let next = edges.map(|minute| u32::from(minute) * 60);
        let next = next.filter(|&edge| edge > second && edge < 86_400).min();
        at.plus(i64::from(next.unwrap_or(86_400) - second))
    }
}

#[cfg(test)]
mod tests {
    use super::{Friendly, FriendlyHours};
    use crate::calendar::{Calendar, Holiday, Slot, Zone};
    use crate::civil::{Date, Moment};

    #[test]
    fn a_night_belongs_to_the_day_it_begins_on() {
        let zones = [Zone {
            start: 101,
            table: 1,
        }];
        let slots = [Slot {
            table: 1,
            start: 0,
            rate: 1,
        }];
        let date = |day| Date::try_new(2026, 11, day).unwrap();
        let holidays = [Holiday {
            date: date(25),
            table: 1,
        }];
        let calendar = Calendar::try_new(&zones, &slots).unwrap();
        let calendar = calendar.with_holidays(&holidays).unwrap();
        // Friday from 18:00 into Saturday 10:00.
        let hours = [FriendlyHours {
            weekdays: 1 << 5,
            from: 18 * 60,
            until: 10 * 60,
        }];
        let friendly = Friendly {
            hours: &hours,
            holidays: true,
        };
        let at = |day, minute: u32| Moment::from_local(date(day), minute * 60, 28_800);
        let holds = |day, minute| friendly.holds(&calendar, at(day, minute));
        assert_eq!(date(20).weekday(), 5);
        assert!(!holds(20, 18 * 60 - 1) && holds(20, 18 * 60) && holds(20, 1439));
        assert!(holds(21, 0) && holds(21, 599) && !holds(21, 600));
        assert!(!holds(21, 18 * 60) && !holds(22, 0), "Saturday begins none");
        assert!(holds(25, 0) && holds(25, 1439) && !holds(26, 0));
        assert_eq!(friendly.next_change(at(20, 700)), at(20, 18 * 60));
        assert_eq!(friendly.next_change(at(20, 18 * 60)), at(21, 0));
        assert_eq!(friendly.next_change(at(21, 0)), at(21, 600));
    }
}
