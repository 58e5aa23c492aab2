//! Tiers of a bill: graduated, or all units at the price of the tier reached.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::plan::Broken;
use crate::tier;

/// Bounds and prices. Quantities count thousandths of the unit priced (watt hours, litres).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// Rising; each bound is the last unit of its tier.
    bounds: Vec<u64>,
    /// One more than bounds.
    prices: Vec<Decimal>,
    /// Above this total the whole quantity takes the price of the tier it ends in.
    all_units_above: Option<u64>,
}

/// The part of a quantity that lies in one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Tier, from 1.
    pub tier: u8,
    /// Thousandths.
    pub quantity: u64,
    /// Price of a unit.
    pub price: Decimal,
    /// Exact amount.
    pub exact: Decimal,
    /// All units took this price.
    pub all_units: bool,
}

impl Tiers {
    /// Graduated tiers; the last price has no bound. At most 255 prices.
    ///
    /// # Errors
    /// [`Broken::TierCount`] or [`Broken::TierOrder`].
    pub fn try_new(bounds: Vec<u64>, prices: Vec<Decimal>) -> Result<Self, Broken> {
        if prices.len() != bounds.len() + 1 || prices.len() > 255 {
            return Err(Broken::TierCount);
        }
        if !bounds.is_sorted_by(|low, high| low < high) || bounds.last() == Some(&u64::MAX) {
            return Err(Broken::TierOrder);
        }
        Ok(Tiers {
            bounds,
            prices,
            all_units_above: None,
        })
    }

    /// One price for all.
    #[must_use]
    pub fn flat(price: Decimal) -> Self {
        Tiers {
            bounds: Vec::new(),
            prices: vec![price],
            all_units_above: None,
        }
    }

    /// Above this total (thousandths) all units take the price of the tier reached; 0 means always.
    #[must_use]
    pub fn all_units_above(mut self, total: u64) -> Self {
        self.all_units_above = Some(total);
        self
    }

    /// The same tiers for a period of so many months.
    #[must_use]
    pub fn for_months(&self, months: u32) -> Self {
        let stretch = |total: u64| total.saturating_mul(months.into());
        Tiers {
            bounds: self.bounds.iter().map(|&bound| stretch(bound)).collect(),
            prices: self.prices.clone(),
            all_units_above: self.all_units_above.map(stretch),
        }
    }

    /// The same tiers with every bound moved up (households with more people).
    #[must_use]
    pub fn shifted(&self, by: u64) -> Self {
        Tiers {
            bounds: self.bounds.iter().map(|b| b.saturating_add(by)).collect(),
            ..self.clone()
        }
    }

    /// The same tiers for a household of so many people: every bound moves up by `each` (thousandths
    /// of the unit) for each person above `included`.
    #[must_use]
    pub fn for_people(&self, people: u32, included: u32, each: u64) -> Self {
        self.shifted(each.saturating_mul(people.saturating_sub(included).into()))
    }

    /// The bounds, thousandths.
    #[must_use]
    pub fn bounds(&self) -> &[u64] {
        &self.bounds
    }

    /// The tier (from 1) in which a total ends; nothing lies in the first.
    #[must_use]
    pub fn reached(&self, total: u64) -> u8 {
        let below = self.bounds.iter().filter(|&&bound| bound < total).count();
        u8::try_from(below + 1).unwrap_or(u8::MAX)
    }

    /// The price of a tier, from 1; zero for one that does not exist.
    #[must_use]
    pub fn price(&self, tier: u8) -> Decimal {
        let index = usize::from(tier).checked_sub(1);
        index
            .and_then(|index| self.prices.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// The parts of a quantity behind a running total; `None` when an amount does not fit.
    ///
    /// All-units tiers need the whole period in one call: `total` is then not looked at.
    #[must_use]
    pub fn parts(&self, total: u64, quantity: u64) -> Option<Vec<Part>> {
        let part = |tier: u8, quantity: u64, all_units: bool| {
            let price = self.price(tier);
            let amount = Decimal::try_new(quantity.into(), 3)?.checked_mul(price)?;
            Some(Part {
                tier,
                quantity,
                price,
                exact: amount,
                all_units,
            })
        };
        if self.all_units_above.is_some_and(|above| quantity > above) {
            return Some(vec![part(self.reached(quantity), quantity, true)?]);
        }
        tier::split(self.bounds.iter().copied(), total, quantity)
            .map(|(tier, quantity)| part(tier, quantity, false))
            .collect()
    }
}
