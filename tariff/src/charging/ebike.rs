//! An e-bike socket: paid in advance, priced by the hour and the power bracket.
//!
//! A minute that has begun is charged. Two rules are in use for the bracket: that of the highest
//! minute of the session, or that of each minute.

use crate::price::Rounding;

/// Most brackets.
pub const MAX_BRACKETS: usize = 16;

/// A power bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// Highest power in it, watts (inclusive); `u32::MAX` for the last.
    pub up_to_w: u32,
    /// Price of an hour, 0.01 of the currency.
    pub per_hour: u32,
}

/// Whose bracket decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// The highest minute of the session, for all of it.
    Highest,
    /// Each minute its own.
    EachMinute,
}

/// How a socket charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff<'a> {
    brackets: &'a [Bracket],
    by: By,
    /// Least charge, 0.01 of the currency.
    pub minimum: u32,
    /// Below this power a minute counts as full, watts.
    pub full_w: u32,
    /// So many full minutes in a row end the session; 0 never.
    pub full_minutes: u16,
    /// Above this power the socket cuts off, watts.
    pub limit_w: Option<u32>,
}

/// Brackets are empty, too many, not rising, or the last one has a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongBrackets;

impl core::fmt::Display for WrongBrackets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("1 to 16 power brackets rise to a last one without a bound")
    }
}

impl core::error::Error for WrongBrackets {}

impl<'a> Tariff<'a> {
    /// A tariff without least charge, end at full or power limit.
    ///
    /// # Errors
    /// [`WrongBrackets`].
    pub fn try_new(brackets: &'a [Bracket], by: By) -> Result<Self, WrongBrackets> {
        let rising = brackets.is_sorted_by(|low, high| low.up_to_w < high.up_to_w);
        let open = brackets.last().is_some_and(|last| last.up_to_w == u32::MAX);
        if !rising || !open || brackets.len() > MAX_BRACKETS {
            return Err(WrongBrackets);
        }
        Ok(Tariff {
            brackets,
            by,
            minimum: 0,
            full_w: 0,
            full_minutes: 0,
            limit_w: None,
        })
    }

    /// Bracket of a power, from 0.
    fn bracket(&self, watts: u32) -> usize {
        let found = self.brackets.iter().position(|b| watts <= b.up_to_w);
        found.unwrap_or(self.brackets.len().saturating_sub(1))
    }

    fn per_hour(&self, bracket: usize) -> u64 {
        self.brackets.get(bracket).map_or(0, |b| b.per_hour.into())
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// What was paid is used up.
    TimeUsed,
    /// The battery is full.
    Full,
    /// Unplugged.
    Unplugged,
    /// Above the power limit.
    OverPower,
    /// Ended by the user, a fault or a power cut.
    Ended,
}

/// One session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    tariff: Tariff<'a>,
    /// 0.01 of the currency.
    paid: u32,
    minutes: u32,
    highest_w: u32,
    low_minutes: u16,
    /// Watt minutes.
    energy: u64,
    /// Price-minutes of [`By::EachMinute`]: 0.01 of the currency times 60.
    each: u64,
    stop: Option<Stop>,
}

/// What a session came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Bracket of the highest minute, from 1.
    pub bracket: u8,
    /// Minutes delivered.
    pub minutes: u32,
    /// 0.01 of the currency, rounded up; at least the minimum, at most what was paid.
    pub charged: u32,
    /// 0.01 of the currency.
    pub refund: u32,
    /// 0.1 Wh, half up.
    pub energy_tenths: u64,
}

impl<'a> Session<'a> {
    /// Begins with a sum paid, 0.01 of the currency.
    #[must_use]
    pub const fn start(tariff: Tariff<'a>, paid: u32) -> Self {
        Session {
            tariff,
            paid,
            minutes: 0,
            highest_w: 0,
            low_minutes: 0,
            energy: 0,
            each: 0,
            stop: None,
        }
    }

    /// The exact charge of these minutes: 0.01 of the currency times 60.
    fn due(&self, minutes: u32, highest_w: u32, each: u64) -> u64 {
        match self.tariff.by {
            By::Highest => {
                let bracket = self.tariff.bracket(highest_w);
                self.tariff.per_hour(bracket).saturating_mul(minutes.into())
            }
            By::EachMinute => each,
        }
    }

    /// One more minute at this power, `unplugged` during it. `Some` when the session is over; a
    /// minute that what was paid does not cover is not delivered.
    pub fn minute(&mut self, watts: u32, unplugged: bool) -> Option<Stop> {
        if self.stop.is_some() {
            return self.stop;
        }
        let minutes = self.minutes.saturating_add(1);
        let highest_w = self.highest_w.max(watts);
        let price = self.tariff.per_hour(self.tariff.bracket(watts));
        let each = self.each.saturating_add(price);
        if self.due(minutes, highest_w, each) > u64::from(self.paid) * 60 {
            self.stop = Some(Stop::TimeUsed);
            return self.stop;
        }
        (self.minutes, self.highest_w, self.each) = (minutes, highest_w, each);
        self.energy = self.energy.saturating_add(watts.into());
        self.low_minutes = match watts < self.tariff.full_w {
            true => self.low_minutes.saturating_add(1),
            false => 0,
        };
        let full = self.tariff.full_minutes;
        self.stop = if unplugged {
            Some(Stop::Unplugged)
        } else if self.tariff.limit_w.is_some_and(|limit| watts > limit) {
            Some(Stop::OverPower)
        } else if full > 0 && self.low_minutes >= full {
            Some(Stop::Full)
        } else if self.due(
            minutes.saturating_add(1),
            highest_w,
            each.saturating_add(price),
        ) > u64::from(self.paid) * 60
        {
            Some(Stop::TimeUsed)
        } else {
            None
        };
        self.stop
    }

    /// Ends a session that still runs.
    pub const fn end(&mut self) {
        if self.stop.is_none() {
            self.stop = Some(Stop::Ended);
        }
    }

    /// Why it ended; `None` while it runs.
    #[must_use]
    pub const fn stopped(&self) -> Option<Stop> {
        self.stop
    }

    /// Highest power of a delivered minute, watts.
    #[must_use]
    pub const fn highest_w(&self) -> u32 {
        self.highest_w
    }

    /// What is charged and given back as things stand.
    #[must_use]
    pub fn settlement(&self) -> Settlement {
        let due = self
            .due(self.minutes, self.highest_w, self.each)
            .div_ceil(60);
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        let charged = due.max(self.tariff.minimum).min(self.paid);
        let energy = i64::try_from(self.energy.saturating_mul(10)).unwrap_or(i64::MAX);
        Settlement {
            bracket: self.tariff.bracket(self.highest_w) as u8 + 1,
            minutes: self.minutes,
            charged,
            refund: self.paid - charged,
            energy_tenths: Rounding::HalfUp.divide(energy, 60).unsigned_abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bracket, By, Session, Stop, Tariff, WrongBrackets};

    const BRACKETS: [Bracket; 2] = [
        Bracket {
            up_to_w: 200,
            per_hour: 60,
        },
        Bracket {
            up_to_w: u32::MAX,
            per_hour: 120,
        },
    ];

    fn run(by: By, paid: u32, watts: &[u32]) -> Session<'static> {
        let tariff = Tariff::try_new(&BRACKETS, by).unwrap();
        let mut session = Session::start(tariff, paid);
        for &watts in watts {
            let _ = session.minute(watts, false);
        }
        session
    }

    #[test]
    fn the_highest_minute_or_each_minute_decides() {
        let watts = [200, 201, 100, 100];
        let highest = run(By::Highest, 100, &watts).settlement();
        assert_eq!((highest.charged, highest.bracket), (8, 2));
        let each = run(By::EachMinute, 100, &watts).settlement();
        assert_eq!(
            (each.charged, each.refund, each.energy_tenths),
            (5, 95, 100)
        );
    }

    #[test]
    fn a_higher_bracket_can_end_what_was_paid() {
        // Nine minutes at 1 a minute are paid; the tenth would make all of them cost 2.
        let mut watts = [100; 12];
        watts[9] = 500;
        let session = run(By::Highest, 12, &watts);
        assert_eq!(session.stopped(), Some(Stop::TimeUsed));
        assert_eq!(
            (session.settlement().minutes, session.highest_w()),
            (9, 100)
        );
        let used = run(By::Highest, 3, &watts);
        assert_eq!(
            (used.settlement().minutes, used.stopped()),
            (3, Some(Stop::TimeUsed))
        );
        let mut broken = run(By::Highest, 100, &watts[..2]);
        broken.end();
        assert_eq!(broken.minute(100, false), Some(Stop::Ended));
        assert_eq!(
            Tariff::try_new(&BRACKETS[..1], By::Highest),
            Err(WrongBrackets)
        );
    }

    #[test]
    fn power_above_the_limit_cuts_off() {
        let mut tariff = Tariff::try_new(&BRACKETS, By::Highest).unwrap();
        tariff.limit_w = Some(800);
        let mut session = Session::start(tariff, 100);
        assert_eq!(session.minute(800, false), None);
        assert_eq!(session.minute(801, false), Some(Stop::OverPower));
    }
}
