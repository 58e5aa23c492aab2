//! Settlement: up to three days a month freeze all registers, the newest twelve periods are kept.

use crate::civil::Moment;

/// Settled periods that are kept (last byte 01 to 0C of a register's identifier).
pub const KEPT: usize = 12;

/// A register that begins anew behind its last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulus(u64);

impl Modulus {
    /// First value that is shown as zero: 1 000 000 kWh of a register of six digits. `None` for 0.
    #[must_use]
    pub const fn new(first_zero: u64) -> Option<Self> {
        if first_zero == 0 {
            None
        } else {
            Some(Modulus(first_zero))
        }
    }

    /// What was used between two readings, at most one roll-over apart; `None` when a reading is no
    /// value of such a register.
    #[must_use]
    pub const fn used(self, opening: u64, closing: u64) -> Option<u64> {
        if opening >= self.0 || closing >= self.0 {
            return None;
        }
        Some(if closing >= opening {
            closing - opening
        } else {
            self.0 - opening + closing
        })
    }
}

/// A settlement day and hour of each month (DDhh of 04000B01 to 03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettlementDay {
    day: u8,
    hour: u8,
}

impl SettlementDay {
    /// Day 1 to 28, hour 0 to 23; `None` outside, as for 9999 (not used).
    #[must_use]
    pub const fn try_new(day: u8, hour: u8) -> Option<Self> {
        if day >= 1 && day <= 28 && hour <= 23 {
            Some(SettlementDay { day, hour })
        } else {
            None
        }
    }

    /// Day of the month, 1 to 28.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Hour, 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// A number that is equal for all instants between two settlements and grows by one with each.
    fn period(self, at: Moment) -> u32 {
        let date = at.date();
        let months = u32::from(date.year()) * 12 + u32::from(date.month());
        let now = (date.day(), at.second_of_day() / 3600);
        months - u32::from(now < (self.day, u32::from(self.hour)))
    }
}

/// Which settlements lie in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The first settlement day is among them: maximum demand begins anew.
    pub first: bool,
}

/// The settlement days of a meter (04000B01 to 03); equal days settle once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementDays(pub [Option<SettlementDay>; 3]);

impl SettlementDays {
    /// No day: never settles.
    pub const NONE: Self = SettlementDays([None; 3]);

    /// 00:00 of the first, the usual default (0100, 9999, 9999).
    #[must_use]
    pub const fn monthly() -> Self {
        SettlementDays([SettlementDay::try_new(1, 0), None, None])
    }

    /// Whether a settlement falls due behind `from` and not behind `to`: one, however many days lie
    /// between them.
    #[must_use]
    pub fn passed(&self, from: Moment, to: Moment) -> Option<Passed> {
        let due =
            |day: &Option<SettlementDay>| day.is_some_and(|day| day.period(to) > day.period(from));
        let first = self.0.first().is_some_and(due);
        self.0.iter().any(due).then_some(Passed { first })
    }
}

/// The settlement days of a meter and the latest instant that was looked at.
///
/// A settlement is done once: a clock set back over it settles nothing again, one set forward or a
/// power cut over several settles once, with the registers of the first instant after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    days: SettlementDays,
    seen: Option<Moment>,
}

impl Settlement {
    /// On these days; none never settles.
    #[must_use]
    pub const fn new(days: [Option<SettlementDay>; 3]) -> Self {
        Settlement {
            days: SettlementDays(days),
            seen: None,
        }
    }

    /// Settlement 1 at 00:00 of the first, the usual default (0100, 9999, 9999).
    #[must_use]
    pub const fn monthly() -> Self {
        Settlement {
            days: SettlementDays::monthly(),
            seen: None,
        }
    }

    /// The days.
    #[must_use]
    pub const fn days(&self) -> [Option<SettlementDay>; 3] {
        self.days.0
    }

    /// Other days from now on: what they would have settled before counts as settled.
    pub fn set_days(&mut self, days: [Option<SettlementDay>; 3], now: Moment) {
        self.days = SettlementDays(days);
        self.seen = Some(now);
    }

    /// True once when the time has passed a settlement: freeze the registers then, before energy of
    /// the new period is counted. The first call only sets the mark.
    #[must_use]
    pub fn due(&mut self, now: Moment) -> bool {
        let Some(seen) = self.seen else {
            self.seen = Some(now);
            return false;
        };
        let due = self.days.passed(seen, now).is_some();
        if now.utc_s > seen.utc_s {
            self.seen = Some(now);
        }
        due
    }

    /// The next instant at which a settlement falls due, later than `now` and at most an hour away:
    /// settlements lie on full hours.
    #[must_use]
    pub fn next_check(now: Moment) -> Moment {
        now.plus(3600 - i64::from(now.second_of_day() % 3600))
    }
}

/// The newest [`KEPT`] of something frozen, number 1 the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History<T, const N: usize = KEPT> {
    rows: heapless::Deque<T, N>,
}

impl<T, const N: usize> History<T, N> {
    /// Nothing frozen yet.
    #[must_use]
    pub const fn new() -> Self {
        History {
            rows: heapless::Deque::new(),
        }
    }

    /// Keeps a new row; the oldest makes room.
    pub fn push(&mut self, row: T) {
        if self.rows.is_full() {
            self.rows.pop_back();
        }
        // There is room now; with N = 0 nothing is kept.
        let _ = self.rows.push_front(row);
    }

    /// Row `number` of the history, from 1.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&T> {
        self.rows.iter().nth(number.checked_sub(1)?)
    }

    /// The rows, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter()
    }
}

impl<T, const N: usize> Default for History<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{History, Modulus, Settlement, SettlementDay};
    use crate::civil::{Date, Moment};

    fn at(month: u8, day: u8, hour: u32) -> Moment {
        Moment::from_local(
            Date::try_new(2024, month, day).unwrap(),
            hour * 3600,
            28_800,
        )
    }

    #[test]
    fn each_mark_settles_once_whatever_the_clock_does() {
        let days = [
            SettlementDay::try_new(1, 0),
            SettlementDay::try_new(15, 12),
            SettlementDay::try_new(1, 0),
        ];
        let mut settlement = Settlement::new(days);
        assert!(!settlement.due(at(1, 10, 0)));
        assert!(!settlement.due(at(1, 15, 11)));
        assert!(settlement.due(at(1, 15, 12)));
        assert!(!settlement.due(at(1, 15, 12)));
        // Set back by an hour and forward again: settled already.
        assert!(!settlement.due(at(1, 15, 11)));
        assert!(!settlement.due(at(1, 15, 13)));
        // Off over three settlements: once.
        assert!(settlement.due(at(3, 1, 0)));
        assert!(!settlement.due(at(3, 1, 1)));
        settlement.set_days([SettlementDay::try_new(2, 0), None, None], at(3, 1, 2));
        assert!(!settlement.due(at(3, 1, 23)));
        assert!(settlement.due(at(3, 2, 0)));
        assert_eq!(SettlementDay::try_new(99, 99), None);
        assert_eq!(Settlement::next_check(at(3, 2, 5).plus(1)), at(3, 2, 6));
    }

    #[test]
    fn registers_roll_over_and_twelve_periods_stay() {
        let modulus = Modulus::new(1000).unwrap();
        assert_eq!(modulus.used(990, 10), Some(20));
        assert_eq!(modulus.used(10, 10), Some(0));
        assert_eq!(modulus.used(10, 1000), None);
        let mut history: History<u32> = History::new();
        (1..=14).for_each(|row| history.push(row));
        assert_eq!((history.get(1), history.get(12)), (Some(&14), Some(&3)));
        assert_eq!((history.get(0), history.get(13)), (None, None));
    }
}
