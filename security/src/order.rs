//! Orders and their acknowledgements: the messages inside envelopes of class command and
//! acknowledge.
//!
//! ```text
//! order 20   kind 1 | flags 1 (zero) | deadline 6 (BCD ss mm hh DD MM YY) | order number 8 | operator code 4
//! recharge   the same, then amount 4 | purchase count 4 | customer number 6                       = 34
//! answer 20  order number 8 | result 1 | relay feedback 1 | kind 1 | zero 1 | last number of this role 8
//! purse      the same, then balance 8 | purchase count 4                                          = 32
//! ```
//! Numbers stand most significant byte first.

use core::fmt;

mod answer;
mod moment;

pub use answer::{AckError, OrderAck, Outcome, PurseState, RelayFeedback};
pub use moment::Moment;

/// Length of an order without purse fields.
pub const ORDER_LEN: usize = 20;
/// Length of an order with purse fields.
pub const RECHARGE_LEN: usize = 34;
/// Length of an answer without purse fields.
pub const ACK_LEN: usize = 20;
/// Length of an answer with purse fields.
pub const PURSE_ACK_LEN: usize = 32;

/// What an order asks for. Relay and alarm codes are those of DL/T 645 control 1CH; the purse codes 01
/// and 02 are byte DI1 of its identifiers 0701xxFF, those from 04 on are this project's (03 stays free:
/// initialising a purse is no order).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Open account: the first recharge.
    OpenAccount = 0x01,
    /// Recharge.
    Recharge = 0x02,
    /// Close the account; amount 0, the stored purchase count.
    CloseAccount = 0x04,
    /// Give money back, under the refund count.
    Refund = 0x05,
    /// Correct upwards: a recharge that mends a mistake, under the purchase count.
    CorrectUp = 0x06,
    /// Correct downwards: a refund that mends a mistake, under the refund count.
    CorrectDown = 0x07,
    /// Change to local fee control; the amount is what the purse begins with, count 0.
    ToLocal = 0x08,
    /// Change to remote fee control, which clears the purse; amount 0, the stored purchase count.
    ToRemote = 0x09,
    /// Open the relay: supply off.
    Open = 0x1A,
    /// Permit the user to close the relay.
    PermitClose = 0x1B,
    /// Close the relay now.
    CloseNow = 0x1C,
    /// Alarm on.
    AlarmOn = 0x2A,
    /// Alarm off.
    AlarmOff = 0x2B,
    /// Hold power: the relay stays closed whatever the purse says.
    HoldPower = 0x3A,
    /// End of hold power.
    HoldOff = 0x3B,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::OpenAccount,
        Self::Recharge,
        Self::CloseAccount,
        Self::Refund,
        Self::CorrectUp,
        Self::CorrectDown,
        Self::ToLocal,
        Self::ToRemote,
        Self::Open,
        Self::PermitClose,
        Self::CloseNow,
        Self::AlarmOn,
        Self::AlarmOff,
        Self::HoldPower,
        Self::HoldOff,
    ];

    /// The kind of a code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether the order carries purse fields.
    pub const fn is_purse(self) -> bool {
        matches!(
            self,
            Self::OpenAccount
                | Self::Recharge
                | Self::CloseAccount
                | Self::Refund
                | Self::CorrectUp
                | Self::CorrectDown
                | Self::ToLocal
                | Self::ToRemote
        )
    }

    /// Whether the order adds to the purse under the purchase count.
    pub(crate) const fn pays_in(self) -> bool {
        matches!(self, Self::OpenAccount | Self::Recharge | Self::CorrectUp)
    }

    /// Whether the order takes from the purse under the refund count.
    pub(crate) const fn pays_out(self) -> bool {
        matches!(self, Self::Refund | Self::CorrectDown)
    }
}

/// What a purse order adds: a recharge, or what [`Kind`] says of amount and count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recharge {
    /// Amount in hundredths of the currency unit.
    pub amount: u32,
    /// Purchase count after this recharge: the stored count + 1; of a refund its refund count.
    pub count: u32,
    /// Customer number, packed BCD, most significant byte first.
    pub customer: [u8; 6],
}

/// One order. A relay order has no purse fields and a purse order always has them; both are checked
/// when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    kind: Kind,
    deadline: Moment,
    number: u64,
    operator: [u8; 4],
    recharge: Option<Recharge>,
}

impl Order {
    /// An order without purse fields; `None` for a purse kind or number 0.
    pub const fn try_new(
        kind: Kind,
        deadline: Moment,
        number: u64,
        operator: [u8; 4],
    ) -> Option<Self> {
        if kind.is_purse() || number == 0 {
            return None;
        }
        Some(Self {
            kind,
            deadline,
            number,
            operator,
            recharge: None,
        })
    }

    /// A purse order; `None` for another kind or number 0.
    pub const fn try_purse(
        kind: Kind,
        deadline: Moment,
        number: u64,
        operator: [u8; 4],
        recharge: Recharge,
    ) -> Option<Self> {
        if !kind.is_purse() || number == 0 {
            return None;
        }
        Some(Self {
            kind,
            deadline,
            number,
            operator,
            recharge: Some(recharge),
        })
    }

    /// What it asks for.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The last second in which it may be executed, in the meter's calendar.
    pub const fn deadline(&self) -> Moment {
        self.deadline
    }

    /// Its number; rises within the operator role.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Operator code.
    pub const fn operator(&self) -> [u8; 4] {
        self.operator
    }

    /// Operator role: the high byte of the operator code. Numbers are counted per role.
    pub const fn role(&self) -> u8 {
        self.operator[0]
    }

    /// Purse fields, present exactly for purse kinds.
    pub const fn recharge(&self) -> Option<&Recharge> {
        self.recharge.as_ref()
    }

    /// Purse values as far as they belong into the answer to this order.
    pub(crate) fn purse_part(&self, purse: Option<PurseState>) -> Option<PurseState> {
        purse.filter(|_| self.kind.is_purse())
    }

    /// Reads 20 or 34 bytes.
    ///
    /// # Errors
    /// [`OrderError`], all variants.
    pub fn parse(bytes: &[u8]) -> Result<Self, OrderError> {
        let found = bytes.len();
        let length = OrderError::Length { found };
        let (head, rest) = bytes.split_first_chunk::<ORDER_LEN>().ok_or(length)?;
        let [
            kind,
            flags,
            s,
            m,
            h,
            d,
            mo,
            y,
            n0,
            n1,
            n2,
            n3,
            n4,
            n5,
            n6,
            n7,
            o0,
            o1,
            o2,
            o3,
        ] = *head;
        let kind = Kind::from_code(kind).ok_or(OrderError::Kind { found: kind })?;
        if rest.len()
            != if kind.is_purse() {
                RECHARGE_LEN - ORDER_LEN
            } else {
                0
            }
        {
            return Err(length);
        }
        if flags != 0 {
            return Err(OrderError::Flags { found: flags });
        }
        let deadline = Moment::from_bcd([s, m, h, d, mo, y]).ok_or(OrderError::Deadline)?;
        let number = u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]);
        if number == 0 {
            return Err(OrderError::Number);
        }
        let recharge = rest.first_chunk::<14>().map(|purse| {
            let [a0, a1, a2, a3, c0, c1, c2, c3, customer @ ..] = *purse;
            Recharge {
                amount: u32::from_be_bytes([a0, a1, a2, a3]),
                count: u32::from_be_bytes([c0, c1, c2, c3]),
                customer,
            }
        });
        Ok(Self {
            kind,
            deadline,
            number,
            operator: [o0, o1, o2, o3],
            recharge,
        })
    }

    /// Length of [`Order::encode`]: 20 or 34 bytes.
    pub const fn encoded_len(&self) -> usize {
        if self.recharge.is_some() {
            RECHARGE_LEN
        } else {
            ORDER_LEN
        }
    }

    /// The order as bytes, of which [`Order::encoded_len`] count.
    pub fn encode(&self) -> [u8; RECHARGE_LEN] {
        let mut out = [0; RECHARGE_LEN];
        let [s, m, h, d, mo, y] = self.deadline.to_bcd();
        let head = [self.kind.code(), 0, s, m, h, d, mo, y];
        let purse = self
            .recharge
            .map(|r| (r.amount.to_be_bytes(), r.count.to_be_bytes(), r.customer));
        let (amount, count, customer) = purse.unwrap_or_default();
        let number = self.number.to_be_bytes();
        let parts = head.iter().chain(&number).chain(&self.operator);
        for (to, from) in out
            .iter_mut()
            .zip(parts.chain(&amount).chain(&count).chain(&customer))
        {
            *to = *from;
        }
        out
    }
}

/// Why bytes are not an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderError {
    /// 20 bytes, or 34 for purse kinds.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// No such kind.
    Kind {
        /// The code given.
        found: u8,
    },
    /// The flags byte is reserved and must be zero.
    Flags {
        /// The byte given.
        found: u8,
    },
    /// The deadline is no calendar second.
    Deadline,
    /// Number 0 is not used.
    Number,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "an order has 20 bytes and a purse order 34, not {found}")
            }
            Self::Kind { found } => write!(f, "there is no order of kind {found:02X}"),
            Self::Flags { found } => write!(
                f,
                "order flags are reserved and must be zero, not {found:02X}"
            ),
            Self::Deadline => f.write_str("the deadline is no calendar second"),
            Self::Number => f.write_str("order number 0 is not used"),
        }
    }
}

impl core::error::Error for OrderError {}
