//! How an order ended, and the message that says so.

use core::fmt;

use super::{ACK_LEN, Kind, PURSE_ACK_LEN};
use crate::gate::Refusal;

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
