//! Why an order was not executed, with the result code of each reason.

use core::fmt;

/// Why an order was not executed, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Refusal {
    /// Not an envelope that the key of this gate opens.
    Tag = 16,
    /// A genuine envelope of another class.
    Class = 17,
    /// This port may not carry orders now.
    Port = 18,
    /// The counter of the envelope is not above the last one.
    Replayed = 19,
    /// The session is closed or too old.
    Session = 20,
    /// The order is for another device.
    Address = 21,
    /// The message is no order.
    Malformed = 22,
    /// The clock is not trusted, so no deadline can be checked.
    ClockUnsafe = 23,
    /// The deadline is past.
    DeadlinePast = 24,
    /// The number is not above the last one of this operator role, or the numbers in memory were damaged.
    NumberUsed = 25,
    /// No more operator roles can be kept.
    TooManyRoles = 26,
    /// This core does not execute orders of this kind.
    NotThisCore = 27,
    /// Hold power forbids opening the relay.
    HoldPower = 28,
    /// The customer number differs.
    Customer = 29,
    /// A recharge with this purchase count was done before, or a refund with this refund count.
    RechargeRepeated = 30,
    /// The count is not the one that the order needs: the next one, to close or to clear the present one.
    RechargeCount = 31,
    /// The amount is zero, above the limit of one recharge or, to be given back, above the balance; not zero
    /// where the order moves no money.
    Amount = 32,
    /// The balance would rise above the hoarding limit.
    Hoarding = 33,
    /// The key is the factory's and the device is sealed.
    FactoryKey = 34,
    /// No account is open, or fee control is already in the mode that was asked for.
    Account = 35,
}

impl Refusal {
    const ALL: [Self; 20] = [
        Self::Tag,
        Self::Class,
        Self::Port,
        Self::Replayed,
        Self::Session,
        Self::Address,
        Self::Malformed,
        Self::ClockUnsafe,
        Self::DeadlinePast,
        Self::NumberUsed,
        Self::TooManyRoles,
        Self::NotThisCore,
        Self::HoldPower,
        Self::Customer,
        Self::RechargeRepeated,
        Self::RechargeCount,
        Self::Amount,
        Self::Hoarding,
        Self::FactoryKey,
        Self::Account,
    ];

    /// The result byte of an answer, 16 to 35.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The refusal of a result byte.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "this is not an envelope that the key opens",
            Self::Class => "the envelope is not of class command",
            Self::Port => "this port may not carry orders now",
            Self::Replayed => "the envelope was seen before",
            Self::Session => "the session is closed or too old",
            Self::Address => "the order is for another device",
            Self::Malformed => "the message is no order",
            Self::ClockUnsafe => "the clock is not trusted",
            Self::DeadlinePast => "the deadline of the order is past",
            Self::NumberUsed => "the order number is not above the last one of this role",
            Self::TooManyRoles => "no more operator roles can be kept",
            Self::NotThisCore => "this core does not execute orders of this kind",
            Self::HoldPower => "hold power forbids opening the relay",
            Self::Customer => "the customer number differs",
            Self::RechargeRepeated => "this recharge was done before",
            Self::RechargeCount => "the purchase count is not the next one",
            Self::Amount => "the amount is zero or above the limit of one recharge",
            Self::Hoarding => "the balance would rise above the hoarding limit",
            Self::FactoryKey => "the key of the order is the factory's",
            Self::Account => "no account is open, or fee control is in that mode already",
        })
    }
}

impl core::error::Error for Refusal {}
