//! What a first byte says: one table for everything that travels.

use crate::cbor;
use crate::compact;
use crate::error::Error;
use crate::message::{Head, Message};

/// Which of the forms of the house bytes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 0x10 to 0x1F: a security envelope, 0x10 + suite. Not opened here.
    Envelope {
        /// Its suite.
        suite: u8,
    },
    /// 0x20 to 0x2F: the compact form, 0x20 + version.
    Compact {
        /// Its version.
        version: u8,
    },
    /// `{`, 0x7B: the JSON form, for people; it is never sent between devices.
    Json,
    /// 0xA0 to 0xB7: the CBOR form, a map of at most 23 entries.
    Cbor,
}

impl Form {
    /// The form by the first byte; `None` for bytes that are none of ours.
    #[must_use]
    pub const fn of(first: u8) -> Option<Self> {
        match first {
            0x10..=0x1F => Some(Self::Envelope {
                suite: first & 0x0F,
            }),
            0x20..=0x2F => Some(Self::Compact {
                version: first & 0x0F,
            }),
            b'{' => Some(Self::Json),
            0xA0..=0xB7 => Some(Self::Cbor),
            _ => None,
        }
    }
}

/// Reads a message in either form that travels.
///
/// # Errors
/// [`Error::UnknownForm`] for an envelope, for JSON (see [`json::decode`](crate::json::decode)) and for bytes of no
/// form; otherwise as [`compact::decode`] and
/// [`cbor::decode`].
pub fn decode(bytes: &[u8]) -> Result<Message, Error> {
    let first = *bytes.first().ok_or(Error::Truncated { position: 0 })?;
    match Form::of(first) {
        Some(Form::Compact { .. }) => compact::decode(bytes),
        Some(Form::Cbor) => cbor::decode(bytes),
        Some(Form::Envelope { .. } | Form::Json) | None => Err(Error::UnknownForm { found: first }),
    }
}

/// Kind and head of a message in either form, whether the kind is known or not.
///
/// # Errors
/// As [`compact::peek`] and [`cbor::peek`].
pub fn peek(bytes: &[u8]) -> Result<(u8, Head), Error> {
    match bytes.first() {
        Some(0xA0..=0xB7) => cbor::peek(bytes),
        _ => compact::peek(bytes),
    }
}

/// Reads what comes and counts what it passes over, as a receiver does that may be older than its senders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were read.
    pub read: u32,
    /// Messages of kinds that this release does not know: passed over.
    pub unknown_kinds: u32,
    /// Additions of types that this release does not know: passed over, their messages were read.
    pub unknown_additions: u32,
    /// Bytes that are no message.
    pub refused: u32,
}

impl Tally {
    /// The message, or `None` and a count.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Message> {
        let (message, counter) = match decode(bytes) {
            Ok(message) => (Some(message), &mut self.read),
            Err(Error::UnknownKind { .. }) => (None, &mut self.unknown_kinds),
            Err(_) => (None, &mut self.refused),
        };
        *counter = counter.saturating_add(1);
        if let Some(message) = &message {
            // No type of addition is given away yet.
            let unknown = message.additions().count() as u32;
            self.unknown_additions = self.unknown_additions.saturating_add(unknown);
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_at_most_one_form() {
        for first in 0..=255u8 {
            let expected = match first >> 4 {
                1 => Some(Form::Envelope { suite: first & 15 }),
                7 if first == b'{' => Some(Form::Json),
                2 => Some(Form::Compact {
                    version: first & 15,
                }),
                0xA => Some(Form::Cbor),
                0xB if first & 15 < 8 => Some(Form::Cbor),
                _ => None,
            };
            assert_eq!(Form::of(first), expected);
        }
        assert_eq!(decode(&[]), Err(Error::Truncated { position: 0 }));
        assert_eq!(
            decode(&[0x11, 1, 2]),
            Err(Error::UnknownForm { found: 0x11 })
        );
        assert_eq!(
            decode(&[0x22, 1, 2]),
            Err(Error::UnknownVersion { found: 2 })
        );
    }
}
