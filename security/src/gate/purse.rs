//! What a purse order is judged by.

use super::Refusal;
use crate::order::{Kind, PurseState, Recharge};

/// The purse at the moment of an order; amounts in hundredths of the currency unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurseConditions {
    /// Balance and purchase count now.
    pub state: PurseState,
    /// Refunds so far.
    pub refunds: u32,
    /// Customer number; `None` before an account is opened.
    pub customer: Option<[u8; 6]>,
    /// Highest amount of one recharge.
    pub max_amount: u32,
    /// Highest balance that a recharge may lead to.
    pub hoarding_limit: i64,
}

/// What is checked of a purse order beside the state of the relay.
pub(super) fn check(
    kind: Kind,
    recharge: &Recharge,
    purse: Option<&PurseConditions>,
) -> Result<(), Refusal> {
    let purse = match (kind, purse) {
        (Kind::ToLocal, None) => return Ok(()),
        (Kind::ToLocal, Some(_)) | (Kind::ToRemote, None) => return Err(Refusal::Account),
        (_, None) => return Err(Refusal::NotThisCore),
        (_, Some(purse)) => purse,
    };
    if purse
        .customer
        .is_some_and(|customer| customer != recharge.customer)
    {
        return Err(Refusal::Customer);
    }
    let needs_account = kind.pays_out() || matches!(kind, Kind::CloseAccount | Kind::CorrectUp);
    if needs_account && purse.customer.is_none() {
        return Err(Refusal::Account);
    }
    if !kind.pays_in() && !kind.pays_out() {
        return if recharge.count != purse.state.count {
            Err(Refusal::RechargeCount)
        } else if recharge.amount != 0 {
            Err(Refusal::Amount)
        } else {
            Ok(())
        };
    }
    let count = if kind.pays_out() {
        purse.refunds
    } else {
        purse.state.count
    };
    if recharge.count == count {
        return Err(Refusal::RechargeRepeated);
    }
    if count.checked_add(1) != Some(recharge.count) {
        return Err(Refusal::RechargeCount);
    }
    if recharge.amount == 0 || recharge.amount > purse.max_amount {
        return Err(Refusal::Amount);
    }
    let amount = i64::from(recharge.amount);
    if kind.pays_out() {
        return if amount > purse.state.balance {
            Err(Refusal::Amount)
        } else {
            Ok(())
        };
    }
    if purse.state.balance.saturating_add(amount) > purse.hoarding_limit {
        return Err(Refusal::Hoarding);
    }
    Ok(())
}
