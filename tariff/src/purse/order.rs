//! What is asked of a purse and what it answers: purchases, refunds, refusals.

use super::{Change, Customer};
use crate::price::Money;

/// An accepted purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Purchase count after it.
    pub count: u32,
    /// UTC seconds when it was accepted.
    pub at_s: i64,
    /// The amount.
    pub amount: Money,
    /// Balance ahead of it.
    pub before: Money,
    /// Balance after it.
    pub after: Money,
    /// All purchases up to and with it.
    pub cumulative: Money,
}

/// Money that went back to the customer: a refund, or a correction downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Refund count after it; refunds have a count of their own.
    pub count: u32,
    /// UTC seconds when it was accepted.
    pub at_s: i64,
    /// The amount, above zero.
    pub amount: Money,
    /// Balance ahead of it.
    pub before: Money,
    /// Balance after it.
    pub after: Money,
}

/// A recharge or a refund as ordered: the caller has checked its seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recharge {
    /// Customer number.
    pub customer: Customer,
    /// Purchase count after it (refund count for a refund): one more than the meter's.
    pub count: u32,
    /// The amount, above zero.
    pub amount: Money,
}

/// The answer to a recharge or refund that is in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer<T = Purchase> {
    /// Booked now; store the state before this is answered.
    Done(T, Change),
    /// Was booked before under the same count; nothing happened now. Compare the amount.
    AlreadyDone(T),
}

/// Why an input was refused; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The account is not open, or open already.
    Account,
    /// Another customer number.
    Customer,
    /// The count was used already and its record is gone.
    Repeated,
    /// The count is not the next one.
    Count {
        /// The count that would be accepted.
        expected: u32,
        /// The count that came.
        found: u32,
    },
    /// The hoarding limit would be passed.
    Hoard,
    /// Not above zero, more than the balance, or more than can be held.
    Amount,
}

impl Refusal {
    /// The SERR word of DL/T 645.
    pub const fn serr(self) -> u16 {
        match self {
            Refusal::Account | Refusal::Amount => 1,
            Refusal::Repeated => 1 << 1,
            Refusal::Customer => 1 << 4,
            Refusal::Count { .. } => 1 << 5,
            Refusal::Hoard => 1 << 6,
        }
    }
}

/// SERR word of [`Answer::AlreadyDone`]: bit 1, repeated recharge.
pub const SERR_REPEATED: u16 = 1 << 1;

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Refusal::Account => f.write_str("the account is not in the state for this"),
            Refusal::Customer => f.write_str("the customer number is another one"),
            Refusal::Repeated => f.write_str("the purchase count was used already"),
            Refusal::Count { expected, found } => {
                write!(f, "the purchase count is {found}, expected {expected}")
            }
            Refusal::Hoard => f.write_str("the hoarding limit would be passed"),
            Refusal::Amount => f.write_str("the amount cannot be booked"),
        }
    }
}

impl core::error::Error for Refusal {}
