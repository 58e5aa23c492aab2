//! A plan: which charges a bill has, in which order, rounded where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bill::{Bill, Line, Round};
use super::tiers::Tiers;
use crate::decimal::Decimal;
use crate::power_factor::{self, Standard};
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

/// A bill being made.
struct Work<'a> {
    usage: &'a Usage,
    lines: Vec<Line>,
}

impl Work<'_> {
    fn value(&self, item: &Item, name: &str) -> Result<Decimal, Failed> {
        self.usage
            .value(name)
            .ok_or_else(|| Failed::NoSuchQuantity {
                item: item.name.clone(),
                quantity: name.to_owned(),
            })
    }

    fn thousandths(&self, item: &Item, name: &str) -> Result<u64, Failed> {
        let units = self.value(item, name)?.in_units(3);
        units
            .and_then(|units| u64::try_from(units).ok())
            .ok_or_else(|| Failed::Quantity {
                item: item.name.clone(),
                quantity: name.to_owned(),
            })
    }

    /// Sum of the charged amounts of some lines.
    fn sum(&self, item: &Item, of: &Of) -> Result<Decimal, Failed> {
        let chosen = self.lines.iter().filter(|line| match of {
            Of::All => true,
            Of::Items(names) => names.contains(&line.item),
        });
        let mut amounts = chosen.map(|line| line.amount);
        fits(item, amounts.try_fold(Decimal::ZERO, Decimal::checked_add))
    }

    fn push(
        &mut self,
        item: &Item,
        rule: &'static str,
        tier: Option<u8>,
        quantity: Decimal,
        price: Decimal,
    ) -> Result<(), Failed> {
        let exact = fits(item, quantity.checked_mul(price))?;
        self.lines.push(Line {
            item: item.name.clone(),
            tier,
            quantity,
            price: Some(price),
            rule,
            exact,
            amount: item.round.map_or(exact, |round| round.apply(exact)),
            parts: Vec::new(),
        });
        Ok(())
    }

    /// Makes one line of all lines from `first` on.
    fn join(&mut self, item: &Item, first: usize) -> Result<(), Failed> {
        let parts = self.lines.split_off(first);
        let add = |of: fn(&Line) -> Decimal| {
            let mut values = parts.iter().map(of);
            fits(item, values.try_fold(Decimal::ZERO, Decimal::checked_add))
        };
        let (quantity, exact) = (add(|line| line.quantity)?, add(|line| line.exact)?);
        self.lines.push(Line {
            item: item.name.clone(),
            tier: None,
            quantity,
            price: None,
            rule: "sum of its parts",
            exact,
            amount: item.round.map_or(exact, |round| round.apply(exact)),
            parts,
        });
        Ok(())
    }

    fn charge(&mut self, item: &Item) -> Result<(), Failed> {
        const ONE: Decimal = Decimal::from_integer(1);
        match &item.charge {
            Charge::Fixed(amount) => self.push(item, "fixed", None, ONE, *amount),
            Charge::PerUnit { quantity, price } => {
                let quantity = self.value(item, quantity)?;
                self.push(item, "quantity at a price", None, quantity, *price)
            }
            Charge::Tiered {
                quantity,
                before,
                tiers,
            } => {
                let before = match before {
                    Some(name) => self.thousandths(item, name)?,
                    None => 0,
                };
                let quantity = self.thousandths(item, quantity)?;
                for part in fits(item, tiers.parts(before, quantity))? {
                    let rule = match part.all_units {
                        true => "all units at the tier reached",
                        false => "graduated tier",
                    };
                    let quantity = fits(item, Decimal::try_new(part.quantity.into(), 3))?;
                    self.push(item, rule, Some(part.tier), quantity, part.price)?;
                }
                Ok(())
            }
            Charge::ByTier { quantity, tiers } => {
                let tier = tiers.reached(self.thousandths(item, quantity)?);
                self.push(
                    item,
                    "fixed by tier reached",
                    Some(tier),
                    ONE,
                    tiers.price(tier),
                )
            }
            Charge::Contract {
                demand,
                contract,
                allowed,
                factor,
                price,
            } => {
                let demand = self.value(item, demand)?;
                let limit = fits(item, contract.checked_mul(*allowed))?;
                let charged = if demand <= limit {
                    *contract
                } else {
                    let above = demand.checked_sub(limit);
                    let weighed = above.and_then(|above| above.checked_mul(*factor));
                    fits(item, weighed.and_then(|above| limit.checked_add(above)))?
                };
                self.push(item, "contract demand", None, charged, *price)
            }
            Charge::Ratchet {
                demand,
                past,
                share,
                price,
            } => {
                let floor = fits(item, self.value(item, past)?.checked_mul(*share))?;
                let demand = self.value(item, demand)?.max(floor);
                self.push(item, "demand with ratchet", None, demand, *price)
            }
            Charge::CutFrom {
                quantity,
                price,
                decides,
                bound,
                share,
            } => {
                let quantity = self.value(item, quantity)?;
                let (rule, price) = if self.value(item, decides)? >= *bound {
                    (
                        "price cut from a bound",
                        fits(item, price.checked_mul(*share))?,
                    )
                } else {
                    ("quantity at a price", *price)
                };
                self.push(item, rule, None, quantity, price)
            }
            Charge::PowerFactor {
                active,
                reactive,
                standard,
                of,
            } => {
                let standard = match standard {
                    90 => Standard::P90,
                    85 => Standard::P85,
                    80 => Standard::P80,
                    _ => {
                        return Err(Failed::Standard {
                            item: item.name.clone(),
                            standard: *standard,
                        });
                    }
                };
                let active = self.thousandths(item, active)?;
                let reactive = self.thousandths(item, reactive)?;
                let percent = standard.adjustment(power_factor::hundredths(active, reactive));
                let rate = fits(item, Decimal::try_new(percent.into(), 4))?;
                let base = self.sum(item, of)?;
                self.push(item, "power-factor adjustment", None, base, rate)
            }
            Charge::Percent { rate, of } => {
                let base = self.sum(item, of)?;
                self.push(item, "share of other lines", None, base, *rate)
            }
            Charge::Minimum { amount, of } => {
                let missing = fits(item, amount.checked_sub(self.sum(item, of)?))?;
                if missing > Decimal::ZERO {
                    self.push(item, "up to the minimum", None, ONE, missing)?;
                }
                Ok(())
            }
            Charge::Cap {
                quantity,
                price,
                round,
                of,
            } => {
                let limit = fits(item, self.value(item, quantity)?.checked_mul(*price))?;
                let limit = round.map_or(limit, |round| round.apply(limit));
                let over = fits(item, limit.checked_sub(self.sum(item, of)?))?;
                if over.is_negative() {
                    self.push(item, "down to the cap", None, ONE, over)?;
                }
                Ok(())
            }
        }
    }
}

fn fits<T>(item: &Item, value: Option<T>) -> Result<T, Failed> {
    value.ok_or_else(|| Failed::TooLarge {
        item: item.name.clone(),
    })
}

/// The rounding of most bills: 0.01, ties away from zero.
impl Default for Round {
    fn default() -> Self {
        Round::places(2, Rounding::HalfUp)
    }
}
