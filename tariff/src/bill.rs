//! Prices a series of intervals with the meter's own engine: intervals in, lines out, no heap.

use crate::civil::Moment;
use crate::plan::{Line, Tariff};
use crate::price::Money;
use crate::tier::TierTotal;

/// The longest interval that is priced, in seconds: 62 days.
pub const LONGEST_S: i64 = 62 * 86_400;

/// Energy between two instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Begin; its offset holds for the whole interval.
    pub start: Moment,
    /// Length in seconds, 1 to [`LONGEST_S`].
    pub seconds: i64,
    /// Watt hours.
    pub wh: u64,
}

/// Why an interval was not priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The length is not in 1 to [`LONGEST_S`] seconds.
    Length,
    /// The interval begins before the end of the last one.
    Overlap,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::Length => "the interval is empty or longer than 62 days",
            Refused::Overlap => "the interval begins before the end of the last one",
        })
    }
}

impl core::error::Error for Refused {}

/// Prices intervals in the order of time and keeps the sums. `Copy`: a copy is a checkpoint from
/// which today's open part can be priced again and again.
#[derive(Clone, Copy, Debug)]
pub struct Biller<'a> {
    tariff: Tariff<'a>,
    tiers: TierTotal,
    end_s: Option<i64>,
    wh: u64,
    amount: Money,
}

impl<'a> Biller<'a> {
    /// Begins a bill; `tiers` is the running total of the tier period at its first instant.
    pub fn new(tariff: Tariff<'a>, tiers: TierTotal) -> Self {
        Biller {
            tariff,
            tiers,
            end_s: None,
            wh: 0,
            amount: Money::ZERO,
        }
    }

    /// Prices one interval and hands out its lines with the instant each begins at.
    ///
    /// An interval over a switching time is cut there, its energy shared by time in whole watt
    /// hours whose sum is the interval's. Inside one slot a split anywhere changes no sum.
    ///
    /// # Errors
    /// [`Refused`]; nothing is booked then.
    pub fn price(
        &mut self,
        interval: Interval,
        mut line: impl FnMut(Moment, Line),
    ) -> Result<(), Refused> {
        let Interval { start, seconds, wh } = interval;
        if !(1..=LONGEST_S).contains(&seconds) {
            return Err(Refused::Length);
        }
        if self.end_s.is_some_and(|end| start.utc_s < end) {
            return Err(Refused::Overlap);
        }
        let (mut done_s, mut done_wh) = (0, 0);
        // Every turn moves on by a second at least.
        while done_s < seconds {
            let at = start.plus(done_s);
            let next = (self
                .tariff
                .next_change(at)
                .utc_s
                .saturating_sub(start.utc_s))
            .clamp(done_s + 1, seconds);
            let until = (u128::from(wh) * next as u128 / seconds as u128) as u64;
            let amount = &mut self.amount;
            self.tariff
                .book(&mut self.tiers, at, until - done_wh, |part| {
                    *amount = *amount + part.amount;
                    line(at, part);
                });
            (done_s, done_wh) = (next, until);
        }
        self.wh = self.wh.saturating_add(wh);
        self.end_s = Some(start.utc_s.saturating_add(seconds));
        Ok(())
    }

    /// All energy so far, in watt hours.
    pub fn wh(&self) -> u64 {
        self.wh
    }

    /// The exact sum so far; round it once, by name, where it is shown.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// The running total of the tier period, to begin the next bill with.
    pub fn tiers(&self) -> TierTotal {
        self.tiers
    }
}
