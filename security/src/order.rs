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

use crate::gate::Refusal;

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

/// A second of the meter's calendar. Compares in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment {
    /// Years since 2000, 0 to 99.
    year: u8,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Moment {
    /// A moment from years since 2000 (0 to 99), month 1 to 12, day 1 to 31, hour 0 to 23, minute
    /// and second 0 to 59. `None` when a field is out of its range or the month has no such day.
    pub const fn try_new(
        year: u8,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
    ) -> Option<Self> {
        let days = match month {
            2 if year.is_multiple_of(4) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if year > 99 || day == 0 || day > days || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }

    /// The moment of six BCD bytes `ss mm hh DD MM YY`.
    pub fn from_bcd(bytes: [u8; 6]) -> Option<Self> {
        let [second, minute, hour, day, month, year] = bytes.map(from_bcd);
        Self::try_new(year?, month?, day?, hour?, minute?, second?)
    }

    /// Six BCD bytes `ss mm hh DD MM YY`.
    pub fn to_bcd(self) -> [u8; 6] {
        [
            self.second,
            self.minute,
            self.hour,
            self.day,
            self.month,
            self.year,
        ]
        .map(to_bcd)
    }
}

fn from_bcd(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

const fn to_bcd(value: u8) -> u8 {
    ((value / 10 % 10) << 4) | (value % 10)
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

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Executed.
    Done,
    /// Accepted and its number used up, but the effect is not known: power went between. Ask for
    /// the state and give a new order.
    Interrupted,
    /// Accepted, but the actuator did not do it.
    Failed,
    /// Not executed.
    Refused(Refusal),
}

impl Outcome {
    /// The result byte of an answer: 0 done, 1 interrupted, 2 failed, from 16 on refusals.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Interrupted => 1,
            Self::Failed => 2,
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// The outcome of a result byte.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Done),
            1 => Some(Self::Interrupted),
            2 => Some(Self::Failed),
            _ => Refusal::from_code(code).map(Self::Refused),
        }
    }
}

/// What the relay's feedback contact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RelayFeedback {
    /// No relay, or no feedback contact.
    Unknown = 0,
    /// Closed: supply on.
    Closed = 1,
    /// Open: supply off.
    Open = 2,
    /// Closing is permitted and waits for the user.
    PermittedToClose = 3,
}

impl RelayFeedback {
    /// The feedback of its byte.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Unknown,
            1 => Self::Closed,
            2 => Self::Open,
            3 => Self::PermittedToClose,
            _ => return None,
        })
    }
}

/// Purse values after an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PurseState {
    /// Balance in hundredths of the currency unit, negative when overdrawn.
    pub balance: i64,
    /// Purchase count.
    pub count: u32,
}

/// The answer to an order. It is sealed as class acknowledge, direction from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderAck {
    /// Number of the order.
    pub number: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Relay feedback at that moment.
    pub relay: RelayFeedback,
    /// What the order asked for.
    pub kind: Kind,
    /// Last number executed for the operator role of the order.
    pub last_number: u64,
    /// Purse values, for purse orders.
    pub purse: Option<PurseState>,
}

impl OrderAck {
    /// Length of [`OrderAck::encode`]: 20 or 32 bytes.
    pub const fn encoded_len(&self) -> usize {
        if self.purse.is_some() {
            PURSE_ACK_LEN
        } else {
            ACK_LEN
        }
    }

    /// The answer as bytes, of which [`OrderAck::encoded_len`] count.
    pub fn encode(&self) -> [u8; PURSE_ACK_LEN] {
        let mut out = [0; PURSE_ACK_LEN];
        let (number, last) = (self.number.to_be_bytes(), self.last_number.to_be_bytes());
        let middle = [self.outcome.code(), self.relay as u8, self.kind.code(), 0];
        let purse = self.purse.unwrap_or_default();
        let (balance, count) = (purse.balance.to_be_bytes(), purse.count.to_be_bytes());
        let parts = number
            .iter()
            .chain(&middle)
            .chain(&last)
            .chain(&balance)
            .chain(&count);
        for (to, from) in out.iter_mut().zip(parts) {
            *to = *from;
        }
        out
    }

    /// Reads 20 or 32 bytes.
    ///
    /// # Errors
    /// [`AckError`], all variants.
    pub fn parse(bytes: &[u8]) -> Result<Self, AckError> {
        let length = AckError::Length { found: bytes.len() };
        let (head, rest) = bytes.split_first_chunk::<ACK_LEN>().ok_or(length)?;
        let [
            n0,
            n1,
            n2,
            n3,
            n4,
            n5,
            n6,
            n7,
            result,
            relay,
            kind,
            zero,
            last @ ..,
        ] = *head;
        let outcome = Outcome::from_code(result).ok_or(AckError::Outcome { found: result })?;
        let relay = RelayFeedback::from_code(relay).ok_or(AckError::Relay { found: relay })?;
        let kind = Kind::from_code(kind)
            .filter(|_| zero == 0)
            .ok_or(AckError::Kind { found: kind })?;
        let purse = match rest {
            [] => None,
            [balance @ .., c0, c1, c2, c3] => {
                let balance = <[u8; 8]>::try_from(balance).map_err(|_| length)?;
                let balance = i64::from_be_bytes(balance);
                Some(PurseState {
                    balance,
                    count: u32::from_be_bytes([*c0, *c1, *c2, *c3]),
                })
            }
            _ => return Err(length),
        };
        Ok(Self {
            number: u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
            outcome,
            relay,
            kind,
            last_number: u64::from_be_bytes(last),
            purse,
        })
    }
}

/// Why bytes are not an answer to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AckError {
    /// 20 or 32 bytes.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// No such result.
    Outcome {
        /// The byte given.
        found: u8,
    },
    /// No such relay feedback.
    Relay {
        /// The byte given.
        found: u8,
    },
    /// No such kind, or the reserved byte beside it is not zero.
    Kind {
        /// The code given.
        found: u8,
    },
}

impl fmt::Display for AckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "an answer to an order has 20 or 32 bytes, not {found}")
            }
            Self::Outcome { found } => write!(f, "there is no order result {found}"),
            Self::Relay { found } => write!(f, "there is no relay feedback {found}"),
            Self::Kind { found } => write!(f, "there is no answer to an order of kind {found:02X}"),
        }
    }
}

impl core::error::Error for AckError {}
