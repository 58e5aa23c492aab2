//! Lines that explain themselves, and their total.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::price::Rounding;

/// Where digits are dropped: to a multiple of `unit`, by a named rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// 0.01, 1, 10, 0.05: the least amount shown.
    pub unit: Decimal,
    /// How.
    pub rounding: Rounding,
}

impl Round {
    /// To so many places behind the point, at most 18.
    #[must_use]
    pub fn places(places: u8, rounding: Rounding) -> Self {
        let unit = Decimal::try_new(1, places).unwrap_or(Decimal::ZERO);
        Round { unit, rounding }
    }

    /// To a multiple of a whole number.
    #[must_use]
    pub const fn whole(unit: i64, rounding: Rounding) -> Self {
        Round {
            unit: Decimal::from_integer(unit),
            rounding,
        }
    }

    /// The rounded amount.
    #[must_use]
    pub fn apply(self, exact: Decimal) -> Decimal {
        exact.rounded_to(self.unit, self.rounding)
    }
}

/// One line: what, how much of it, at which price, and what rounding took or gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Name of the plan's item.
    pub item: String,
    /// Tier from 1, where the item has tiers.
    pub tier: Option<u8>,
    /// How much.
    pub quantity: Decimal,
    /// Price of one unit, or the rate of a percentage; several for a line with parts.
    pub price: Option<Decimal>,
    /// Which rule made the line, in words.
    pub rule: &'static str,
    /// Quantity times price.
    pub exact: Decimal,
    /// What is charged; negative is a credit.
    pub amount: Decimal,
    /// The lines that this one joins.
    pub parts: Vec<Line>,
}

impl Line {
    /// What rounding left out of the amount; `None` when it does not fit.
    #[must_use]
    pub fn remainder(&self) -> Option<Decimal> {
        self.exact.checked_sub(self.amount)
    }
}

/// A priced period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// Name and version of the plan used.
    pub plan: String,
    /// In the order of the plan.
    pub lines: Vec<Line>,
    /// Sum of the exact amounts.
    pub exact: Decimal,
    /// Sum of the charged amounts, before the plan's own rounding.
    pub subtotal: Decimal,
    /// What is to be paid; negative is owed to the customer.
    pub total: Decimal,
}

impl Bill {
    /// The sum of the lines of one item; zero without any. `None` when it does not fit.
    #[must_use]
    pub fn item(&self, name: &str) -> Option<Decimal> {
        let lines = self.lines.iter().filter(|line| line.item == name);
        lines
            .map(|line| line.amount)
            .try_fold(Decimal::ZERO, Decimal::checked_add)
    }
}
