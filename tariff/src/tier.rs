//! Additive graduated tiers: energy is split by quantity at the bounds, a bound is the last unit of
//! its tier.

use crate::civil::Moment;
use crate::price::Price;

/// One tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The last watt hour of the period that belongs to this tier; `u64::MAX` for the last tier.
    pub up_to_wh: u64,
    /// What is added to the rate price.
    pub price: Price,
}

/// Splits a quantity by quantity at the bounds of its tiers, behind a running total: the number of
/// each tier (from 1) with its part, empty parts left out.
///
/// A bound is the last unit of its tier; what lies behind the last bound belongs to one tier more.
pub fn split(
    bounds: impl Iterator<Item = u64>,
    total: u64,
    quantity: u64,
) -> impl Iterator<Item = (u8, u64)> {
    let (mut total, mut left) = (total, quantity);
    (1..)
        .zip(bounds.chain([u64::MAX]))
        .map(move |(tier, bound)| {
            // The total saturates in the last tier, which takes all.
            let room = match bound {
                u64::MAX => u64::MAX,
                _ => bound.saturating_sub(total),
            };
            let part = left.min(room);
            left -= part;
            total = total.saturating_add(part);
            (tier, part)
        })
        .filter(|&(_, part)| part > 0)
}

/// When the running total of the tiers goes back to zero, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reset {
    /// On a day (1..=28) of every month at an hour (0..=23).
    Monthly {
        /// Day of the month.
        day: u8,
        /// Hour of the day.
        hour: u8,
    },
    /// On one day of the year (day 1..=28) at an hour (0..=23).
    Yearly {
        /// Month, 1..=12.
        month: u8,
        /// Day of the month.
        day: u8,
        /// Hour of the day.
        hour: u8,
    },
}

impl Reset {
    pub(crate) const fn is_real(self) -> bool {
        let (month, day, hour) = match self {
            Reset::Monthly { day, hour } => (1, day, hour),
            Reset::Yearly { month, day, hour } => (month, day, hour),
        };
        1 <= month && month <= 12 && 1 <= day && day <= 28 && hour <= 23
    }

    /// A number that is equal for all instants of one period and grows with the periods.
    pub fn period(self, at: Moment) -> u32 {
        let date = at.date();
        let now = (date.month(), date.day(), at.second_of_day() / 3600);
        let year = u32::from(date.year());
        match self {
            Reset::Monthly { day, hour } => {
                let months = year * 12 + u32::from(date.month());
                months - u32::from((now.1, now.2) < (day, u32::from(hour)))
            }
            Reset::Yearly { month, day, hour } => {
                year - u32::from(now < (month, day, u32::from(hour)))
            }
        }
    }

    /// Second of the local day at which a period may begin.
    pub(crate) fn second_of_day(self) -> u32 {
        let (Reset::Monthly { hour, .. } | Reset::Yearly { hour, .. }) = self;
        u32::from(hour) * 3600
    }
}

/// The running total of the present period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TierTotal {
    /// Watt hours of the period so far, over all rates.
    pub wh: u64,
    /// The period by [`Reset::period`]; `None` before the first energy. A clock set back does not
    /// open an old period again.
    pub period: Option<u32>,
}

impl TierTotal {
    /// Begins a new period if `at` lies in a later one than the last energy.
    pub fn turn(&mut self, reset: Reset, at: Moment) {
        let period = reset.period(at);
        if self.period.is_some_and(|last| period > last) {
            self.wh = 0;
        }
        self.period = Some(self.period.map_or(period, |last| last.max(period)));
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::split;

    #[test]
    fn a_bound_is_the_last_unit_of_its_tier() {
        let parts =
            |total, quantity| split([240, 400].into_iter(), total, quantity).collect::<Vec<_>>();
        assert_eq!(parts(0, 240), [(1, 240)]);
        assert_eq!(parts(239, 200), [(1, 1), (2, 160), (3, 39)]);
        assert_eq!(parts(500, 3), [(3, 3)]);
        assert_eq!(parts(u64::MAX, 3), [(3, 3)]);
        assert_eq!(parts(7, 0), []);
    }
}
