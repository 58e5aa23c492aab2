//! When registers are frozen and load records are due, and the names of what a meter keeps.
//!
//! ```text
//! kind         DL/T 645   due                                        usually kept
//! Settlement   last byte  settlement days                            12
//! Timed        0500       a pattern given by function 16             12
//! Instant      0501       function 16 at once                        3
//! Zones ..     0502 ..    the other set of a table took over         2
//! Hourly       0504       every 30 or 60 minutes                     254
//! Daily        0506       once a day                                 62
//! DailyPurse   0508       once a day, under local fee control        62
//! Mode         0509       local to remote fee control or back        2
//! Load         06         intervals of six classes                   as there is room
//! Trip ..      1D, 1E ..  events                                     10
//! ```

use crate::civil::Moment;
use crate::sets::Table;

/// What a kept row is. The number belongs to the stored layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A settled period.
    Settlement = 0,
    /// Frozen by a pattern.
    Timed = 1,
    /// Frozen by an order.
    Instant = 2,
    /// The other zones run.
    Zones = 3,
    /// The other day tables run.
    DayTables = 4,
    /// Frozen every hour or half hour.
    Hourly = 5,
    /// The other rate prices run.
    Prices = 6,
    /// Frozen every day.
    Daily = 7,
    /// The other tiers run.
    Tiers = 8,
    /// The purse, every day.
    DailyPurse = 9,
    /// Fee control became local or remote.
    Mode = 10,
    /// A load record.
    Load = 11,
    /// The relay was wanted open.
    Trip = 12,
    /// The relay was wanted closed.
    Close = 13,
    /// The clock was set.
    ClockSet = 14,
    /// Maximum demand was cleared by an order or by hand.
    DemandReset = 15,
    /// A purchase was booked.
    Purchase = 16,
    /// A refund was booked.
    Refund = 17,
}

impl Kind {
    /// All of them by number.
    pub const ALL: [Kind; 18] = [
        Kind::Settlement,
        Kind::Timed,
        Kind::Instant,
        Kind::Zones,
        Kind::DayTables,
        Kind::Hourly,
        Kind::Prices,
        Kind::Daily,
        Kind::Tiers,
        Kind::DailyPurse,
        Kind::Mode,
        Kind::Load,
        Kind::Trip,
        Kind::Close,
        Kind::ClockSet,
        Kind::DemandReset,
        Kind::Purchase,
        Kind::Refund,
    ];

    /// The kind of freeze that class 05 names with this DI2.
    #[must_use]
    pub const fn of_freeze(di2: u8) -> Option<Self> {
        Some(match di2 {
            0x00 => Kind::Timed,
            0x01 => Kind::Instant,
            0x02 => Kind::Zones,
            0x03 => Kind::DayTables,
            0x04 => Kind::Hourly,
            0x05 => Kind::Prices,
            0x06 => Kind::Daily,
            0x07 => Kind::Tiers,
            0x08 => Kind::DailyPurse,
            0x09 => Kind::Mode,
            _ => return None,
        })
    }

    pub(crate) const fn of_switch(table: Table) -> Self {
        match table {
            Table::Zones => Kind::Zones,
            Table::DayTables => Kind::DayTables,
            Table::Prices => Kind::Prices,
            Table::Tiers => Kind::Tiers,
        }
    }
}

/// Instants that come again, by the local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every hour at a minute.
    Hourly {
        /// 0..=59.
        minute: u8,
    },
    /// Every day at a minute of the day.
    Daily {
        /// 0..=1439.
        minute: u16,
    },
    /// Every month.
    Monthly {
        /// 1..=28.
        day: u8,
        /// Minute of the day, 0..=1439.
        minute: u16,
    },
    /// Every year.
    Yearly {
        /// 1..=12.
        month: u8,
        /// 1..=28.
        day: u8,
        /// Minute of the day, 0..=1439.
        minute: u16,
    },
}

impl Pattern {
    /// A number that grows by one at each instant of the pattern.
    fn number(self, at: Moment) -> i64 {
        let date = at.date();
        let minutes = date.days() * 1440 + i64::from(at.minute_of_day());
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        let of_month = (date.day(), at.minute_of_day());
        match self {
            Pattern::Hourly { minute } => (minutes - i64::from(minute)).div_euclid(60),
            Pattern::Daily { minute } => (minutes - i64::from(minute)).div_euclid(1440),
            Pattern::Monthly { day, minute } => {
                year * 12 + month - i64::from(of_month < (day, minute))
            }
            Pattern::Yearly {
                month: of_year,
                day,
                minute,
            } => year - i64::from((date.month(), of_month) < (of_year, (day, minute))),
        }
    }

    /// True when one of its instants lies behind `from` and not behind `to`.
    #[must_use]
    pub fn passed(self, from: Moment, to: Moment) -> bool {
        self.number(to) > self.number(from)
    }

    /// The next instant at which it may fall due: later than `at`, at most a day.
    #[must_use]
    pub fn next_check(self, at: Moment) -> Moment {
        let (every, minute) = match self {
            Pattern::Hourly { minute } => (3600, u16::from(minute)),
            Pattern::Daily { minute }
            | Pattern::Monthly { minute, .. }
            | Pattern::Yearly { minute, .. } => (86_400, minute),
        };
        let into = i64::from(at.second_of_day()) - i64::from(minute) * 60;
        at.plus(every - into.rem_euclid(every))
    }
}

/// What is frozen when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Freezes {
    /// The timed freeze (function 16, 04001204).
    pub timed: Option<Pattern>,
    /// The hourly freeze: minutes between two of them, from the full hour on (04001202: 30 or 60).
    pub hourly: Option<Every>,
    /// The daily freeze (04001203), of the purse too.
    pub daily: Option<Pattern>,
}

/// Instants at equal distances from a first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    start_s: i64,
    minutes: u16,
}

impl Every {
    /// From `start` on every so many minutes; `None` for 0.
    #[must_use]
    pub const fn try_new(start: Moment, minutes: u16) -> Option<Self> {
        if minutes == 0 {
            return None;
        }
        Some(Every {
            start_s: start.utc_s,
            minutes,
        })
    }

    const fn length_s(self) -> i64 {
        self.minutes as i64 * 60
    }

    fn number(self, at_s: i64) -> i64 {
        // The distance is never 0; said so that no division can panic.
        at_s.saturating_sub(self.start_s)
            .checked_div_euclid(self.length_s())
            .unwrap_or(-1)
            .max(-1)
    }

    /// True when one of its instants lies behind `from` and not behind `to`.
    #[must_use]
    pub fn passed(self, from: Moment, to: Moment) -> bool {
        self.number(to.utc_s) > self.number(from.utc_s)
    }

    /// The first instant later than `at`.
    #[must_use]
    pub fn next(self, at: Moment) -> i64 {
        let next = (self.number(at.utc_s) + 1).saturating_mul(self.length_s());
        self.start_s.saturating_add(next)
    }
}

/// The six classes of load records: V/I/f, power, power factor, energy, quadrants, demand. Each is
/// recorded at its own instants (04000A02 to 07), those without one never (04000901).
pub type LoadPlan = [Option<Every>; 6];

/// The classes whose instants lie behind `from` and not behind `to`, bit 0 for the first.
#[must_use]
pub fn load_classes(plan: &LoadPlan, from: Moment, to: Moment) -> u8 {
    let due = plan
        .iter()
        .map(|every| every.is_some_and(|every| every.passed(from, to)));
    due.rev().fold(0, |bits, due| bits << 1 | u8::from(due))
}

#[cfg(test)]
mod tests {
    use super::{Every, Pattern, load_classes};
    use crate::civil::{Date, Moment};

    fn at(month: u8, day: u8, minute: u32) -> Moment {
        Moment::from_local(
            Date::try_new(2026, month, day).unwrap(),
            minute * 60,
            28_800,
        )
    }

    /// Steps of a minute against the plain reading of each pattern.
    #[test]
    fn patterns_pass_at_their_minute_only() {
        let patterns = [
            Pattern::Hourly { minute: 5 },
            Pattern::Daily { minute: 0 },
            Pattern::Monthly { day: 1, minute: 61 },
            Pattern::Yearly {
                month: 3,
                day: 1,
                minute: 1439,
            },
        ];
        let mut from = at(2, 27, 0);
        let mut count = [0; 4];
        for _ in 0..5 * 1440 {
            let to = from.plus(60);
            let (date, minute) = (to.date(), to.minute_of_day());
            let plain = [
                minute % 60 == 5,
                minute == 0,
                date.day() == 1 && minute == 61,
                date.month_day() == 301 && minute == 1439,
            ];
            for ((pattern, plain), count) in patterns.iter().zip(plain).zip(&mut count) {
                assert_eq!(pattern.passed(from, to), plain, "{pattern:?} at {to:?}");
                let next = pattern.next_check(from);
                assert!(next.utc_s > from.utc_s && (!plain || next == to));
                *count += u32::from(plain);
            }
            from = to;
        }
        assert_eq!(count, [120, 5, 1, 1]);
    }

    #[test]
    fn classes_keep_their_own_intervals() {
        let start = at(1, 1, 10);
        let mut plan = [None; 6];
        plan[0] = Every::try_new(start, 1);
        plan[3] = Every::try_new(start, 15);
        assert_eq!(
            load_classes(&plan, start.plus(-60), start.plus(-1)),
            0,
            "not begun"
        );
        assert_eq!(load_classes(&plan, start.plus(-1), start), 0b1001);
        assert_eq!(load_classes(&plan, start, start.plus(60)), 0b0001);
        assert_eq!(
            load_classes(&plan, start, start.plus(3600)),
            0b1001,
            "once after a gap"
        );
        assert_eq!(plan[3].unwrap().next(start.plus(-9000)), start.utc_s);
        assert_eq!(plan[3].unwrap().next(start), start.plus(900).utc_s);
        assert_eq!(Every::try_new(start, 0), None);
    }
}
