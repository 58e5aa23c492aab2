//! What can be booked, where, and why not.

use serde::{Deserialize, Serialize};

/// An account. Debits are positive, credits negative.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Account {
    /// Money taken in, by any channel.
    Cash,
    /// What a customer has bought and not yet got.
    Customer(String),
    /// What a customer's meter has; the one account that consumption may take past zero.
    Meter(String),
    /// Earned: energy, service, tax, fund by name; empty for all together.
    Revenue(String),
    /// Corrections.
    Adjustment,
    /// Held for sessions that run.
    Hold,
    /// Written off.
    BadDebt,
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Account::Cash => f.write_str("cash"),
            Account::Customer(name) => write!(f, "customer:{name}"),
            Account::Meter(name) => write!(f, "meter:{name}"),
            Account::Revenue(name) if name.is_empty() => f.write_str("revenue"),
            Account::Revenue(name) => write!(f, "revenue:{name}"),
            Account::Adjustment => f.write_str("adjustment"),
            Account::Hold => f.write_str("hold"),
            Account::BadDebt => f.write_str("bad_debt"),
        }
    }
}

/// One movement from an account to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The account that grows.
    pub debit: Account,
    /// The account that shrinks.
    pub credit: Account,
    /// Smallest units of the currency, above zero.
    pub amount: i64,
}

/// What happened, with amounts in the smallest units of the currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Operation {
    /// A customer paid.
    Sell {
        /// Who.
        customer: String,
        /// How much.
        amount: i64,
    },
    /// The meter confirmed a sale, or its token was handed out.
    Deliver {
        /// Id of the sale.
        sale: String,
    },
    /// A reading was settled; always booked, even when it takes the meter past zero.
    Consume {
        /// Who.
        customer: String,
        /// What it is earned as, with amounts.
        parts: Vec<(String, i64)>,
    },
    /// A sale is paid back: before delivery from the customer, after it from the meter's credit.
    Return {
        /// Id of the sale.
        sale: String,
    },
    /// The meter's credit is raised, or lowered by a negative amount.
    Correct {
        /// Who.
        customer: String,
        /// How much.
        amount: i64,
        /// Why, in words.
        reason: String,
    },
    /// Money is held for a session.
    Hold {
        /// Who.
        customer: String,
        /// How much.
        amount: i64,
        /// When [`super::Ledger::expire`] releases it, UTC seconds.
        expires_s: i64,
    },
    /// A session is paid from its hold, all or part; the rest is released.
    Capture {
        /// Id of the hold.
        hold: String,
        /// How much.
        amount: i64,
    },
    /// A hold is given back.
    Release {
        /// Id of the hold.
        hold: String,
    },
    /// A debt is given up.
    WriteOff {
        /// The customer's or meter's account.
        account: Account,
        /// How much.
        amount: i64,
    },
}

/// An operation as it was booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Its id.
    pub id: String,
    /// What it was.
    pub operation: Operation,
    /// What it moved.
    pub entries: Vec<Entry>,
}

/// Why an operation was not booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The id belongs to an operation with other content.
    IdReused,
    /// No sale has this id.
    NoSuchSale,
    /// The sale was delivered before.
    AlreadyDelivered,
    /// The sale was returned before.
    AlreadyReturned,
    /// The meter has used what would be given back.
    MeterBalanceTooLow,
    /// No hold has this id.
    NoSuchHold,
    /// The hold was captured or released before.
    HoldSettled,
    /// More than was held.
    HoldTooSmall,
    /// The amount is not above zero, or a balance would not fit.
    Amount,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Refusal::IdReused => "the id belongs to an operation with other content",
            Refusal::NoSuchSale => "there is no such sale",
            Refusal::AlreadyDelivered => "the sale was delivered before",
            Refusal::AlreadyReturned => "the sale was returned before",
            Refusal::MeterBalanceTooLow => "the meter has used what would be given back",
            Refusal::NoSuchHold => "there is no such hold",
            Refusal::HoldSettled => "the hold was captured or released before",
            Refusal::HoldTooSmall => "more is asked for than was held",
            Refusal::Amount => "the amount is not above zero or does not fit",
        })
    }
}

impl std::error::Error for Refusal {}
