//! Kind 24: movements of a prepaid account.

use crate::error::{Error, Rule};
use crate::fields::{fields, newtypes};
use crate::time::Stamp;
use crate::value::Value;

/// What a movement was. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MovementKind(pub u8);

impl MovementKind {
    /// Account opened.
    pub const OPEN: Self = Self(1);
    /// Account closed.
    pub const CLOSE: Self = Self(2);
    /// Credit sold.
    pub const SALE: Self = Self(3);
    /// Credit given back, the sale undone.
    pub const RETURN: Self = Self(4);
    /// Correction, either sign.
    pub const CORRECTION: Self = Self(5);
    /// Account taken over to another meter, tariff or mode.
    pub const SWITCH: Self = Self(6);
    /// Consumption charged.
    pub const CONSUMPTION: Self = Self(7);
    /// Emergency credit drawn.
    pub const EMERGENCY: Self = Self(8);
    /// Balance asked for; nothing moved.
    pub const QUERY: Self = Self(9);
}

newtypes!(MovementKind);

/// Kind 24, up: one movement, as the purse booked it.
///
/// `count` rises by one from movement to movement of an account: a hole shows. The order number finds the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ledger {
    /// Account within the device, 0 the first.
    pub account: u32,
    /// Running number of the movement within the account, from 1.
    pub count: u32,
    /// Number of the order it follows from, 0 for the device's own movements.
    pub order: u64,
    /// Batch the order belongs to, 0 none.
    pub batch: u32,
    /// What it was.
    pub movement: MovementKind,
    /// The operator's reason code, 0 none.
    pub reason: u16,
    /// Who ordered it, 0 the device itself.
    pub operator: u32,
    /// Currency as the number of ISO 4217; 0 for an account in energy, whose unit is Wh.
    pub currency: u16,
    /// By how much the balance changed.
    pub amount: Value,
    /// Balance afterwards, negative on overdraft.
    pub balance: Value,
    /// When it was booked.
    pub booked: Stamp,
}

fields!(Ledger {
    0 account,
    1 count,
    2 order,
    3 batch,
    4 movement,
    5 reason,
    6 operator,
    7 currency,
    8 amount,
    9 balance,
    10 booked,
} where check);

impl Ledger {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self.count == 0 {
            return Err(Rule::Count.into());
        }
        Ok(())
    }
}
