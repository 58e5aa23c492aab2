//! The envelope, version 1: one sealed message in 16 + n + tag bytes.
//!
//! ```text
//! 0      version 1 (high nibble) | suite (low nibble)
//! 1      bit 0 direction | bits 1..3 class | bit 6 short form | bits 4, 5, 7 zero
//! 2..3   key epoch
//! 4..9   device address, most significant byte first
//! 10..15 counter, 48 bits
//! 16..   ciphertext, then tag
//! ```
//! The associated data is the header and `ext`: what the transport already says, such as a topic.
//! The short form for slow lines sends bytes 0 and 1, the low 16 bits of the counter, ciphertext and
//! tag; the receiver rebuilds the header, bit 6 still set.
//!
//! The functions here know nothing of freshness; [`crate::link`] adds it.

use core::fmt;

use crate::ccm::{self, CcmError};
use crate::counter::{MAX_COUNTER, SendNumber};
use crate::engine::{Block128, EngineError, copy, xor};
use crate::key::{LinkKey, Secret};
use crate::replay::Freshness;
use crate::suite::Suite;

/// Bytes before the ciphertext in the long form.
pub const HEADER_LEN: usize = 16;
/// Bytes before the ciphertext in the short form.
pub const SHORT_HEADER_LEN: usize = 4;
/// Most bytes that an envelope adds to a message.
pub const MAX_OVERHEAD: usize = HEADER_LEN + 16;

const VERSION: u8 = 1;
const SHORT: u8 = 0x40;
const RESERVED: u8 = 0xB0;

/// Which way a message goes. Each has its own key, so a message cannot be reflected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// Towards the device.
    ToDevice = 0,
    /// From the device.
    FromDevice = 1,
}

impl Direction {
    /// The bit in the header and in derivations.
    pub const fn bit(self) -> u8 {
        self as u8
    }
}

/// What kind of message an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// Readings.
    Data = 0,
    /// Orders.
    Command = 1,
    /// Answers to orders and receipts.
    Acknowledge = 2,
    /// Key management.
    Key = 3,
    /// Firmware blocks.
    Firmware = 4,
    /// Events and audit records.
    Event = 5,
}

impl Class {
    /// The class of a number; 6 and 7 are refused.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Data,
            1 => Self::Command,
            2 => Self::Acknowledge,
            3 => Self::Key,
            4 => Self::Firmware,
            5 => Self::Event,
            _ => return None,
        })
    }

    /// The number in the header, 0 to 5.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// How a receiver judges the counter of this class.
    pub const fn freshness(self) -> Freshness {
        match self {
            Self::Command | Self::Key | Self::Firmware => Freshness::Rising,
            Self::Data | Self::Acknowledge | Self::Event => Freshness::Window,
        }
    }
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// What protects the message.
    pub suite: Suite,
    /// Which way it goes.
    pub direction: Direction,
    /// What it carries.
    pub class: Class,
    /// Whether it travels in the short form.
    pub short: bool,
    /// Epoch of the key.
    pub epoch: u16,
    /// The six address bytes of the device, most significant first.
    pub address: [u8; 6],
    /// The number of the message under its key, at most 48 bits.
    pub counter: u64,
}

impl Header {
    /// Reads the header of a long-form envelope, to find the key that opens it. Nothing in it is
    /// proved before the envelope is open.
    ///
    /// # Errors
    /// [`EnvelopeError::Refused`] for too few bytes, another version, an unknown suite or class, a
    /// reserved bit, or the short form.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let head = bytes
            .first_chunk::<HEADER_LEN>()
            .ok_or(EnvelopeError::Refused)?;
        let [
            first,
            second,
            e0,
            e1,
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
        ] = *head;
        let (suite, direction, class, short) = first_bytes(first, second)?;
        if short {
            return Err(EnvelopeError::Refused);
        }
        Ok(Self {
            suite,
            direction,
            class,
            short,
            epoch: u16::from_be_bytes([e0, e1]),
            address: [a0, a1, a2, a3, a4, a5],
            counter: u64::from_be_bytes([0, 0, c0, c1, c2, c3, c4, c5]),
        })
    }

    /// Rebuilds the header of a short-form envelope from what the receiver knows: the address of the
    /// frame, the epoch in force, and the counter nearest to the last accepted one.
    ///
    /// # Errors
    /// [`EnvelopeError::Refused`] as [`Header::parse`], or for the long form.
    pub fn parse_short(
        bytes: &[u8],
        address: [u8; 6],
        epoch: u16,
        last: u64,
    ) -> Result<Self, EnvelopeError> {
        let head = bytes
            .first_chunk::<SHORT_HEADER_LEN>()
            .ok_or(EnvelopeError::Refused)?;
        let [first, second, c0, c1] = *head;
        let (suite, direction, class, short) = first_bytes(first, second)?;
        if !short {
            return Err(EnvelopeError::Refused);
        }
        let counter = nearest(last, u16::from_be_bytes([c0, c1]));
        Ok(Self {
            suite,
            direction,
            class,
            short,
            epoch,
            address,
            counter,
        })
    }

    /// The 16 header bytes: those on the wire in the long form, those under the tag in both.
    pub const fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let first = VERSION << 4 | self.suite.number();
        let short = if self.short { SHORT } else { 0 };
        let second = self.direction.bit() | self.class.number() << 1 | short;
        let [e0, e1] = self.epoch.to_be_bytes();
        let [a0, a1, a2, a3, a4, a5] = self.address;
        let [_, _, c0, c1, c2, c3, c4, c5] = self.counter.to_be_bytes();
        [
            first, second, e0, e1, a0, a1, a2, a3, a4, a5, c0, c1, c2, c3, c4, c5,
        ]
    }

    /// Bytes on the wire before the ciphertext.
    pub const fn wire_len(&self) -> usize {
        if self.short {
            SHORT_HEADER_LEN
        } else {
            HEADER_LEN
        }
    }
}

fn first_bytes(first: u8, second: u8) -> Result<(Suite, Direction, Class, bool), EnvelopeError> {
    let suite = Suite::from_number(first & 0x0F).filter(|_| first >> 4 == VERSION);
    let class = Class::from_number(second >> 1 & 7).filter(|_| second & RESERVED == 0);
    let (Some(suite), Some(class)) = (suite, class) else {
        return Err(EnvelopeError::Refused);
    };
    let direction = if second & 1 == 0 {
        Direction::ToDevice
    } else {
        Direction::FromDevice
    };
    Ok((suite, direction, class, second & SHORT != 0))
}

/// The number with these low 16 bits that lies nearest to `last`.
fn nearest(last: u64, low: u16) -> u64 {
    let same = last & !0xFFFF | u64::from(low);
    let lower = same.checked_sub(0x1_0000);
    let upper = same.checked_add(0x1_0000).filter(|n| *n <= MAX_COUNTER);
    let mut best = same;
    for other in [lower, upper].into_iter().flatten() {
        if other.abs_diff(last) < best.abs_diff(last) {
            best = other;
        }
    }
    best
}

/// A link key that an engine has loaded, and its initial value.
pub struct LinkCipher<E: Block128> {
    key: E::Key,
    iv: Secret<12>,
}

impl<E: Block128> LinkCipher<E> {
    /// Makes a link key ready for an engine.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn load(engine: &mut E, link: &LinkKey) -> Result<Self, E::Error> {
        Ok(Self {
            key: engine.load(link.key())?,
            iv: link.iv().duplicate(),
        })
    }

    /// The nonce of one message: the initial value XOR `0^6 || counter`.
    fn nonce(&self, counter: u64) -> [u8; 12] {
        let mut nonce = *self.iv.expose();
        xor(
            nonce.get_mut(4..).unwrap_or_default(),
            &counter.to_be_bytes(),
        );
        nonce
    }
}

impl<E: Block128> fmt::Debug for LinkCipher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCipher(***)")
    }
}

/// What a sender says of a message, beside its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// What protects the message.
    pub suite: Suite,
    /// Which way it goes.
    pub direction: Direction,
    /// What it carries.
    pub class: Class,
    /// Whether to send the short form.
    pub short: bool,
    /// Epoch of the key.
    pub epoch: u16,
    /// The six address bytes of the device, most significant first.
    pub address: [u8; 6],
}

/// Seals in place. The message stands in `buf` behind room for the header ([`HEADER_LEN`] or
/// [`SHORT_HEADER_LEN`] bytes); the result is the envelope, a prefix of `buf`.
///
/// # Errors
/// [`EnvelopeError::NoRoom`] when header, message and tag do not fit in `buf`,
/// [`EnvelopeError::TooLong`], [`EnvelopeError::Engine`].
pub fn seal<'b, E: Block128>(
    engine: &mut E,
    key: &LinkCipher<E>,
    fields: &Fields,
    number: SendNumber,
    ext: &[u8],
    buf: &'b mut [u8],
    plain_len: usize,
) -> Result<&'b [u8], EnvelopeError> {
    let Fields {
        suite,
        direction,
        class,
        short,
        epoch,
        address,
    } = *fields;
    let header = Header {
        suite,
        direction,
        class,
        short,
        epoch,
        address,
        counter: number.value(),
    };
    let head = header.to_bytes();
    let overhead = header.wire_len() + suite.tag_len();
    let needed = plain_len
        .checked_add(overhead)
        .ok_or(EnvelopeError::TooLong)?;
    let available = buf.len();
    let buf = buf
        .get_mut(..needed)
        .ok_or(EnvelopeError::NoRoom { needed, available })?;
    let (wire_head, rest) = buf.split_at_mut(header.wire_len());
    let (body, tag) = rest.split_at_mut(plain_len);

    let nonce = key.nonce(header.counter);
    let full = ccm::seal(
        engine,
        &key.key,
        &nonce,
        &[&head, ext],
        body,
        suite.tag_len(),
    )?;
    copy(tag, &full);
    if header.short {
        let [first, second, .., c4, c5] = head;
        copy(wire_head, &[first, second, c4, c5]);
    } else {
        copy(wire_head, &head);
    }
    Ok(buf)
}

/// Opens in place the envelope that `header` was read from, and returns the message.
///
/// On every error the bytes behind the header are wiped.
///
/// # Errors
/// [`EnvelopeError::Refused`] for every message that is not the sealed one, whatever is wrong with
/// it; [`EnvelopeError::Engine`].
pub fn open<'b, E: Block128>(
    engine: &mut E,
    key: &LinkCipher<E>,
    header: &Header,
    ext: &[u8],
    bytes: &'b mut [u8],
) -> Result<&'b [u8], EnvelopeError> {
    let rest = bytes
        .get_mut(header.wire_len()..)
        .ok_or(EnvelopeError::Refused)?;
    let Some(body_len) = rest.len().checked_sub(header.suite.tag_len()) else {
        rest.fill(0);
        return Err(EnvelopeError::Refused);
    };
    let (body, tag) = rest.split_at_mut(body_len);
    let (nonce, head) = (key.nonce(header.counter), header.to_bytes());
    match ccm::open(engine, &key.key, &nonce, &[&head, ext], body, tag) {
        Ok(()) => Ok(body),
        Err(error) => {
            // The message is wiped already; a bare tag would only help to guess.
            tag.fill(0);
            Err(match error {
                CcmError::Engine(error) => EnvelopeError::Engine(error),
                _ => EnvelopeError::Refused,
            })
        }
    }
}

/// Why an envelope was not made or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not an envelope that this key opens. One answer for every reason, so that it tells an
    /// attacker nothing.
    Refused,
    /// The buffer is too short to seal in.
    NoRoom {
        /// Bytes that the envelope takes.
        needed: usize,
        /// Bytes that the buffer has.
        available: usize,
    },
    /// The message or `ext` is longer than an envelope can carry.
    TooLong,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl From<CcmError> for EnvelopeError {
    fn from(error: CcmError) -> Self {
        match error {
            CcmError::Engine(error) => Self::Engine(error),
            CcmError::Tag => Self::Refused,
            _ => Self::TooLong,
        }
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("this is not an envelope that the key opens"),
            Self::NoRoom { needed, available } => {
                write!(
                    f,
                    "the envelope takes {needed} bytes and the buffer has {available}"
                )
            }
            Self::TooLong => f.write_str("the message is longer than an envelope can carry"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EnvelopeError {}
