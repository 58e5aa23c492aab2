//! Net metering: a bank of kilowatt hours for each period of the day, paid out once a year.

use super::bill::Round;
use crate::decimal::Decimal;

/// The bank of one time-of-use period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetBank {
    banked: Decimal,
}

/// What a month came to in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetMonth {
    /// Import less export, kilowatt hours.
    pub net: Decimal,
    /// What is billed after drawing on the bank.
    pub billed: Decimal,
    /// What the bank holds now.
    pub bank: Decimal,
    /// Amount: billed energy at the period's price.
    pub amount: Decimal,
}

impl NetBank {
    /// An empty bank.
    #[must_use]
    pub fn new() -> Self {
        NetBank::default()
    }

    /// Nets a month: a surplus goes to the bank, a need draws on it first. `None` when an amount
    /// does not fit; nothing changed then.
    pub fn month(
        &mut self,
        import: Decimal,
        export: Decimal,
        price: Decimal,
        round: Round,
    ) -> Option<NetMonth> {
        let net = import.checked_sub(export)?;
        let after = self.banked.checked_sub(net)?;
        let (billed, bank) = if after.is_negative() {
            (after.checked_neg()?, Decimal::ZERO)
        } else {
            (Decimal::ZERO, after)
        };
        let amount = round.apply(billed.checked_mul(price)?);
        self.banked = bank;
        Some(NetMonth {
            net,
            billed,
            bank,
            amount,
        })
    }

    /// What the bank holds, kilowatt hours.
    #[must_use]
    pub const fn banked(&self) -> Decimal {
        self.banked
    }

    /// Empties the bank for the yearly cash-out.
    pub const fn cash_out(&mut self) -> Decimal {
        let banked = self.banked;
        self.banked = Decimal::ZERO;
        banked
    }
}
