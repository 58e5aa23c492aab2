//! A bill being made: charge by charge, each line with what it came from.

use super::bill::Line;
use super::plan::{Charge, Failed, Item, Of, Usage};
use crate::decimal::Decimal;
use crate::power_factor::{self, Standard};

/// A bill being made.
pub(super) struct Work<'a> {
    pub(super) usage: &'a Usage,
    pub(super) lines: Vec<Line>,
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
    pub(super) fn join(&mut self, item: &Item, first: usize) -> Result<(), Failed> {
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

    pub(super) fn charge(&mut self, item: &Item) -> Result<(), Failed> {
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
