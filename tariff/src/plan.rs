//! A tariff: calendar, rate prices and tiers, and the one function that turns energy into lines.

use crate::calendar::{Calendar, MAX_RATES, Slot, Zone};
use crate::civil::Moment;
use crate::price::{Money, Price};
use crate::tier::{Reset, Tier, TierTotal, split};

/// Most tiers: six bounds, seven prices (04000207).
pub const MAX_TIERS: usize = 7;

/// The rule that a table breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// 1 to 14 zones.
    ZoneCount,
    /// A zone starts on a real day.
    ZoneDate,
    /// Zones rise by their start.
    ZoneOrder,
    /// At most 14 slots a table.
    SlotCount,
    /// Table 1 to 8, start before 24:00.
    SlotTime,
    /// Slots lie together by table and rise within it.
    SlotOrder,
    /// Rates are numbered 1 to 63.
    RateNumber,
    /// A table that is pointed to has at least one slot.
    NoSuchTable,
    /// At most 254 holidays.
    HolidayCount,
    /// Every rate of the calendar has a price, at most 63.
    PriceCount,
    /// At most seven tiers, at least one.
    TierCount,
    /// Tier bounds rise and the last tier has none.
    TierOrder,
    /// The reset is a real instant on day 1 to 28.
    ResetDate,
}

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Broken::ZoneCount => "a year has 1 to 14 zones",
            Broken::ZoneDate => "a zone starts on a day that does not exist",
            Broken::ZoneOrder => "zones do not rise by their start",
            Broken::SlotCount => "a day table has more than 14 slots",
            Broken::SlotTime => "a slot has a table or start out of range",
            Broken::SlotOrder => "slots do not rise within their table",
            Broken::RateNumber => "a rate number is not in 1 to 63",
            Broken::NoSuchTable => "a day table without slots is pointed to",
            Broken::HolidayCount => "there are more than 254 holidays",
            Broken::PriceCount => "a rate of the calendar has no price",
            Broken::TierCount => "there are not 1 to 7 tiers",
            Broken::TierOrder => "tier bounds do not rise to an open last tier",
            Broken::ResetDate => "the tiers are reset at an instant that does not exist",
        })
    }
}

impl core::error::Error for Broken {}

/// One line of a bill: energy at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Rate, 1..=63.
    pub rate: u8,
    /// Tier, from 1.
    pub tier: u8,
    /// Watt hours.
    pub wh: u64,
    /// The price of the rate.
    pub rate_price: Price,
    /// What the tier adds.
    pub tier_price: Price,
    /// The exact amount: energy times the sum of both prices.
    pub amount: Money,
}

impl Line {
    /// The price in force: rate price and tier price (02800020).
    pub fn price(&self) -> Price {
        self.rate_price.plus(self.tier_price)
    }
}

/// A checked tariff over borrowed tables.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'a> {
    calendar: Calendar<'a>,
    prices: &'a [Price],
    tiers: &'a [Tier],
    reset: Reset,
}

/// A tariff without tiers has this one.
pub(crate) const ONE_TIER: &[Tier] = &[Tier {
    up_to_wh: u64::MAX,
    price: Price::from_ten_thousandths(0),
}];

impl<'a> Tariff<'a> {
    /// A tariff without tiers; `prices[0]` is the price of rate 1.
    ///
    /// # Errors
    /// [`Broken::PriceCount`].
    pub fn try_new(calendar: Calendar<'a>, prices: &'a [Price]) -> Result<Self, Broken> {
        if prices.len() < usize::from(calendar.highest_rate()) || prices.len() > MAX_RATES.into() {
            return Err(Broken::PriceCount);
        }
        let reset = Reset::Monthly { day: 1, hour: 0 };
        Ok(Tariff {
            calendar,
            prices,
            tiers: ONE_TIER,
            reset,
        })
    }

    /// The same tariff with tiers over the period that `reset` ends.
    ///
    /// # Errors
    /// [`Broken::TierCount`], [`Broken::TierOrder`] or [`Broken::ResetDate`].
    pub fn with_tiers(mut self, tiers: &'a [Tier], reset: Reset) -> Result<Self, Broken> {
        if tiers.is_empty() || tiers.len() > MAX_TIERS {
            return Err(Broken::TierCount);
        }
        let rising = tiers.windows(2).all(|pair| match pair {
            [low, high] => low.up_to_wh < high.up_to_wh,
            _ => true,
        });
        if !rising || tiers.last().is_some_and(|tier| tier.up_to_wh != u64::MAX) {
            return Err(Broken::TierOrder);
        }
        if !reset.is_real() {
            return Err(Broken::ResetDate);
        }
        self.tiers = tiers;
        self.reset = reset;
        Ok(self)
    }

    /// The calendar.
    pub fn calendar(&self) -> &Calendar<'a> {
        &self.calendar
    }

    /// The price of each rate, rate 1 first.
    pub fn prices(&self) -> &'a [Price] {
        self.prices
    }

    /// The tiers; one that adds nothing without any.
    pub fn tiers(&self) -> &'a [Tier] {
        self.tiers
    }

    /// The same around tables that were checked together before.
    pub(crate) const fn with_sets(
        self,
        zones: &'a [Zone],
        slots: &'a [Slot],
        prices: &'a [Price],
        tiers: &'a [Tier],
    ) -> Self {
        Tariff {
            calendar: self.calendar.with_tables(zones, slots),
            prices,
            tiers,
            reset: self.reset,
        }
    }

    /// When the tiers begin anew.
    pub fn reset(&self) -> Reset {
        self.reset
    }

    /// The price of a rate; zero for a rate that does not exist.
    pub fn rate_price(&self, rate: u8) -> Price {
        let index = usize::from(rate).checked_sub(1);
        index
            .and_then(|index| self.prices.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// Tier (from 1) and its price for the next watt hour behind a running total.
    pub fn tier(&self, total_wh: u64) -> (u8, Price) {
        let index = self
            .tiers
            .iter()
            .take(MAX_TIERS)
            .position(|tier| total_wh < tier.up_to_wh);
        let index = index.unwrap_or(self.tiers.len().saturating_sub(1));
        let tier = index as u8 + 1;
        (tier, self.tier_price(tier))
    }

    /// What a tier (from 1) adds; zero for a tier that does not exist.
    fn tier_price(&self, tier: u8) -> Price {
        let index = usize::from(tier).checked_sub(1);
        index
            .and_then(|index| self.tiers.get(index))
            .map_or(Price::default(), |tier| tier.price)
    }

    /// The next instant at which rate or tier period may change.
    pub fn next_change(&self, at: Moment) -> Moment {
        let change = self.calendar.next_change(at);
        let to_reset = i64::from(self.reset.second_of_day()) - i64::from(at.second_of_day());
        let reset = at.plus(if to_reset > 0 {
            to_reset
        } else {
            to_reset + 86_400
        });
        if reset.utc_s < change.utc_s {
            reset
        } else {
            change
        }
    }

    /// Prices energy that began at `at`: turns the tier period if due, splits the energy by
    /// quantity at the tier bounds, adds it to `total` and hands out the lines (at most one a tier).
    pub fn book(&self, total: &mut TierTotal, at: Moment, wh: u64, mut line: impl FnMut(Line)) {
        total.turn(self.reset, at);
        let rate = self.calendar.rate(at);
        self.book_rate(total, rate, wh, &mut line);
    }

    /// [`Tariff::book`] for a rate that is known already, inside the present tier period.
    pub fn book_rate(&self, total: &mut TierTotal, rate: u8, wh: u64, mut line: impl FnMut(Line)) {
        let rate_price = self.rate_price(rate);
        let bounds = self.tiers.iter().map(|tier| tier.up_to_wh);
        for (tier, part) in split(bounds, total.wh, wh) {
            let tier_price = self.tier_price(tier);
            total.wh = total.wh.saturating_add(part);
            line(Line {
                rate,
                tier,
                wh: part,
                rate_price,
                tier_price,
                amount: rate_price.plus(tier_price).cost(part),
            });
        }
    }
}
