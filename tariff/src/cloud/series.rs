//! Series of energy: sorted by rate, or priced one by one.

use std::collections::BTreeMap;

use super::schedule::{Local, Schedule};
use crate::bill::cut;
use crate::decimal::Decimal;
use crate::tier;

/// A quantity used between two instants of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Begin, UTC seconds.
    pub start_s: i64,
    /// Length, seconds.
    pub seconds: u32,
    /// Whole units of the series: watt hours, tenths of them, litres.
    pub quantity: u64,
}

/// The quantity of each rate. Spans over a change of rate or of the clock are cut there, what they
/// hold shared by time in whole units.
#[must_use]
pub fn tally(
    schedule: &impl Schedule,
    local: &impl Local,
    series: impl IntoIterator<Item = Span>,
) -> BTreeMap<u8, u64> {
    let mut rates = BTreeMap::new();
    by_rate(schedule, local, series, |rate, part| {
        *rates.entry(rate).or_insert(0) += part;
    });
    rates
}

/// The quantity of each rate and tier (both from 1), where all rates share one running total of the
/// tier period and each pair may have a price of its own.
///
/// The total begins at `before`; what comes first in time fills the lower tiers. `bounds` rise, each
/// is the last unit of its tier. The series is in the order of time and lies in one tier period.
#[must_use]
pub fn tally_by_tier(
    schedule: &impl Schedule,
    local: &impl Local,
    bounds: &[u64],
    before: u64,
    series: impl IntoIterator<Item = Span>,
) -> BTreeMap<(u8, u8), u64> {
    let (mut total, mut pairs) = (before, BTreeMap::new());
    by_rate(schedule, local, series, |rate, part| {
        for (tier, part) in tier::split(bounds.iter().copied(), total, part) {
            *pairs.entry((rate, tier)).or_insert(0) += part;
        }
        total = total.saturating_add(part);
    });
    pairs
}

/// Hands out each unbroken part of each span with its rate.
fn by_rate(
    schedule: &impl Schedule,
    local: &impl Local,
    series: impl IntoIterator<Item = Span>,
    mut part: impl FnMut(u8, u64),
) {
    for span in series {
        let next = |utc_s: i64| {
            let change = schedule.next_change(local.moment(utc_s)).utc_s;
            local
                .next_shift(utc_s)
                .map_or(change, |shift| shift.min(change))
        };
        cut(
            span.start_s,
            span.seconds,
            span.quantity,
            next,
            |utc_s, quantity| part(schedule.rate(local.moment(utc_s)), quantity),
        );
    }
}

/// Prices by the instant from which each holds; negative ones too. A late or corrected price is
/// simply set again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DynamicPrices {
    by_start: BTreeMap<i64, Decimal>,
    end_s: i64,
}

/// No price is known for a part of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPrice {
    /// First instant without a price, UTC seconds.
    pub at_s: i64,
}

impl std::fmt::Display for NoPrice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no price is known for the instant {}", self.at_s)
    }
}

impl std::error::Error for NoPrice {}

impl DynamicPrices {
    /// No price known.
    #[must_use]
    pub fn new() -> Self {
        DynamicPrices {
            by_start: BTreeMap::new(),
            end_s: i64::MIN,
        }
    }

    /// Sets the price from an instant on, for so many seconds.
    pub fn set(&mut self, start_s: i64, seconds: u32, price: Decimal) {
        self.by_start.insert(start_s, price);
        self.end_s = self.end_s.max(start_s.saturating_add(seconds.into()));
    }

    /// The exact cost of a span in watt hours at prices of a kilowatt hour; `Ok(None)` when it does
    /// not fit.
    ///
    /// # Errors
    /// [`NoPrice`]; a bill waits for late prices, it does not guess them.
    pub fn cost(&self, span: Span) -> Result<Option<Decimal>, NoPrice> {
        let (mut cost, mut missing) = (Some(Decimal::ZERO), None);
        let next = |utc_s: i64| {
            let later = (std::ops::Bound::Excluded(utc_s), std::ops::Bound::Unbounded);
            let start = self.by_start.range(later).next();
            start.map_or(i64::MAX, |(&start, _)| start).min(
                // The end of the list is a change too: behind it there is no price.
                if utc_s < self.end_s {
                    self.end_s
                } else {
                    i64::MAX
                },
            )
        };
        cut(
            span.start_s,
            span.seconds,
            span.quantity,
            next,
            |utc_s, wh| {
                let price = self.by_start.range(..=utc_s).next_back();
                match price {
                    Some((_, &price)) if utc_s < self.end_s => {
                        let part = Decimal::from_wh(wh).checked_mul(price);
                        cost = cost.zip(part).and_then(|(sum, part)| sum.checked_add(part));
                    }
                    _ => missing = missing.or(Some(NoPrice { at_s: utc_s })),
                }
            },
        );
        missing.map_or(Ok(cost), Err)
    }
}
