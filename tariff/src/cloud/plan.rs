//! A plan: which charges a bill has, in which order, rounded where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bill::{Bill, Line, Round};
use super::tiers::Tiers;
use super::work::Work;
use crate::decimal::Decimal;
use crate::price::Rounding;

/// What a period measured, by names that the plan's items use: `import`, `peak`, `export`,
/// `demand`, `days`, `area`. Energies are kilowatt hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage(BTreeMap<String, Decimal>);

impl Usage {
    /// Nothing measured.
    #[must_use]
    pub fn new() -> Self {
        Usage::default()
    }

    /// The same with one quantity set.
    #[must_use]
    pub fn with(mut self, name: &str, value: Decimal) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a quantity.
    pub fn set(&mut self, name: &str, value: Decimal) {
        self.0.insert(name.to_owned(), value);
    }

    /// A quantity.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Decimal> {
        self.0.get(name).copied()
    }
}

/// The lines that a percentage or a limit looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Of {
    /// All lines before it.
    All,
    /// The lines of these items.
    Items(Vec<String>),
}

/// How an item is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Charge {
    /// A fixed amount.
    Fixed(Decimal),
    /// A quantity at a price; a negative price is a credit.
    PerUnit {
        /// Name in [`Usage`].
        quantity: String,
        /// Price of a unit.
        price: Decimal,
    },
    /// A quantity over tiers, behind the running total `before` of the tier period.
    Tiered {
        /// Name in [`Usage`].
        quantity: String,
        /// Name of the running total in [`Usage`]; nothing before without a name.
        before: Option<String>,
        /// The tiers.
        tiers: Tiers,
    },
    /// A fixed amount chosen by the tier that a quantity reaches.
    ByTier {
        /// Name in [`Usage`].
        quantity: String,
        /// Bounds, and an amount for each tier in place of the price.
        tiers: Tiers,
    },
    /// Contract demand: the contract value up to `allowed` times it, what lies above times `factor`
    /// (China: 1.05 and 2).
    Contract {
        /// Name of the greatest demand in [`Usage`].
        demand: String,
        /// Contract value.
        contract: Decimal,
        /// Part of the contract that is charged once: 1.05.
        allowed: Decimal,
        /// Weight of what lies above: 2.
        factor: Decimal,
        /// Price of a unit.
        price: Decimal,
    },
    /// Demand with a ratchet: at least `share` of the greatest demand of past months.
    Ratchet {
        /// Name of this month's demand in [`Usage`].
        demand: String,
        /// Name of the greatest demand of the months looked back at.
        past: String,
        /// Part of it that counts: 0.8.
        share: Decimal,
        /// Price of a unit.
        price: Decimal,
    },
    /// A price that is cut once another quantity reaches a bound per unit (China: demand price less
    /// 10 % from 260 kWh a kVA).
    CutFrom {
        /// Name of the quantity charged in [`Usage`].
        quantity: String,
        /// Price of a unit.
        price: Decimal,
        /// Name of the quantity that decides.
        decides: String,
        /// Bound from which the price is cut.
        bound: Decimal,
        /// What is left of the price: 0.9.
        share: Decimal,
    },
    /// Power-factor adjustment of other lines, (83) Shui Dian Cai 215.
    PowerFactor {
        /// Name of the active energy in [`Usage`].
        active: String,
        /// Name of the reactive energy in [`Usage`].
        reactive: String,
        /// Standard: 90, 85 or 80.
        standard: u8,
        /// The lines adjusted.
        of: Of,
    },
    /// A share of other lines: tax, fund, discount (negative).
    Percent {
        /// The share: 0.08.
        rate: Decimal,
        /// Of which lines.
        of: Of,
    },
    /// Raises other lines to at least this amount.
    Minimum {
        /// The amount.
        amount: Decimal,
        /// Of which lines.
        of: Of,
    },
    /// Lowers other lines to at most a quantity at a price (heat: never more than the area charge).
    Cap {
        /// Name in [`Usage`].
        quantity: String,
        /// Price of a unit.
        price: Decimal,
        /// Rounds the limit.
        round: Option<Round>,
        /// Of which lines.
        of: Of,
    },
}

impl Charge {
    /// A quantity at one price.
    #[must_use]
    pub fn per_unit(quantity: &str, price: Decimal) -> Self {
        Charge::PerUnit {
            quantity: quantity.to_owned(),
            price,
        }
    }

    /// A quantity over tiers that begin with the bill.
    #[must_use]
    pub fn tiered(quantity: &str, tiers: Tiers) -> Self {
        Charge::Tiered {
            quantity: quantity.to_owned(),
            before: None,
            tiers,
        }
    }

    /// A share of all lines before.
    #[must_use]
    pub const fn percent_of_all(rate: Decimal) -> Self {
        Charge::Percent { rate, of: Of::All }
    }
}

/// A charge with its name and rounding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Name on the bill.
    pub name: String,
    /// How it is charged.
    pub charge: Charge,
    /// Rounds each of its lines; exact without.
    pub round: Option<Round>,
    /// All its lines become one, rounded once.
    pub joined: bool,
}

impl Item {
    /// An item whose lines stay exact.
    #[must_use]
    pub fn new(name: &str, charge: Charge) -> Self {
        Item {
            name: name.to_owned(),
            charge,
            round: None,
            joined: false,
        }
    }

    /// The same with its lines (tiers) joined into one before rounding.
    #[must_use]
    pub const fn joined(mut self) -> Self {
        self.joined = true;
        self
    }

    /// The same with each line rounded.
    #[must_use]
    pub fn rounded(mut self, round: Round) -> Self {
        self.round = Some(round);
        self
    }
}

/// Why a plan gives no bill. Nothing is charged in part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failed {
    /// The usage has no such quantity.
    NoSuchQuantity {
        /// The item.
        item: String,
        /// The name it looks for.
        quantity: String,
    },
    /// A quantity that is split or compared is negative or finer than a thousandth.
    Quantity {
        /// The item.
        item: String,
        /// The quantity.
        quantity: String,
    },
    /// No power factor is held to this standard.
    Standard {
        /// The item.
        item: String,
        /// The standard asked for.
        standard: u8,
    },
    /// An amount does not fit its 128 bits and 18 places.
    TooLarge {
        /// The item.
        item: String,
    },
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::NoSuchQuantity { item, quantity } => {
                write!(
                    f,
                    "{item} needs the quantity {quantity}, which was not measured"
                )
            }
            Failed::Quantity { item, quantity } => {
                write!(
                    f,
                    "{item} needs {quantity} in whole thousandths, not negative"
                )
            }
            Failed::Standard { item, standard } => {
                write!(
                    f,
                    "{item} names standard {standard}; there are 90, 85 and 80"
                )
            }
            Failed::TooLarge { item } => write!(f, "an amount of {item} does not fit"),
        }
    }
}

impl std::error::Error for Failed {}

/// Charges in order. Immutable once used: a bill names the plan that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Name and version.
    pub name: String,
    /// The items, in the order of the bill; percentages look at what comes before them.
    pub items: Vec<Item>,
    /// Rounds the total; the sum of the lines without.
    pub round: Option<Round>,
}

impl Plan {
    /// A plan whose total is the sum of its lines.
    #[must_use]
    pub fn new(name: &str, items: impl IntoIterator<Item = Item>) -> Self {
        Plan {
            name: name.to_owned(),
            items: items.into_iter().collect(),
            round: None,
        }
    }

    /// The same with the total rounded.
    #[must_use]
    pub fn rounded(mut self, round: Round) -> Self {
        self.round = Some(round);
        self
    }

    /// Prices one period.
    ///
    /// # Errors
    /// [`Failed`] names the item.
    pub fn bill(&self, usage: &Usage) -> Result<Bill, Failed> {
        let mut work = Work {
            usage,
            lines: Vec::new(),
        };
        for item in &self.items {
            let first = work.lines.len();
            work.charge(item)?;
            if item.joined {
                work.join(item, first)?;
            }
        }
        let lines = work.lines;
        let sum = |of: fn(&Line) -> Decimal| {
            let mut amounts = lines.iter().map(of);
            amounts
                .try_fold(Decimal::ZERO, Decimal::checked_add)
                .ok_or_else(|| Failed::TooLarge {
                    item: self.name.clone(),
                })
        };
        let exact = sum(|line| line.exact)?;
        let subtotal = sum(|line| line.amount)?;
        Ok(Bill {
            plan: self.name.clone(),
            exact,
            subtotal,
            total: self.round.map_or(subtotal, |round| round.apply(subtotal)),
            lines,
        })
    }
}

/// The rounding of most bills: 0.01, ties away from zero.
impl Default for Round {
    fn default() -> Self {
        Round::places(2, Rounding::HalfUp)
    }
}
