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
use core::hint::black_box;

use crate::aead::{self, AeadError, Way};
use crate::cipher::LinkCipher;
use crate::counter::{MAX_COUNTER, SendNumber};
use crate::engine::{AsyncBlock128, Block, Block128, EngineError, copy};
use crate::key::wipe;
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
        Self::of_bytes(head, false)
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
        let counter = nearest(last, u16::from_be_bytes([c0, c1]));
        let [e0, e1] = epoch.to_be_bytes();
        let [a0, a1, a2, a3, a4, a5] = address;
        let [_, _, c0, c1, c2, c3, c4, c5] = counter.to_be_bytes();
        let head = [
            first, second, e0, e1, a0, a1, a2, a3, a4, a5, c0, c1, c2, c3, c4, c5,
        ];
        Self::of_bytes(&head, true)
    }

    /// The header in its 16 bytes, if they are those of the wanted form.
    #[inline(never)]
    fn of_bytes(head: &[u8; HEADER_LEN], short: bool) -> Result<Self, EnvelopeError> {
        let [first, second, e0, e1, address @ .., c0, c1, c2, c3, c4, c5] = head;
        let suite = Suite::from_number(first & 0x0F).filter(|_| first >> 4 == VERSION);
        let form = if short { SHORT } else { 0 };
        let class =
            Class::from_number(second >> 1 & 7).filter(|_| second & (RESERVED | SHORT) == form);
        let (Some(suite), Some(class)) = (suite, class) else {
            return Err(EnvelopeError::Refused);
        };
        let direction = if second & 1 == 0 {
            Direction::ToDevice
        } else {
            Direction::FromDevice
        };
        Ok(Self {
            suite,
            direction,
            class,
            short,
            epoch: u16::from_be_bytes([*e0, *e1]),
            address: *address,
            counter: u64::from_be_bytes([0, 0, *c0, *c1, *c2, *c3, *c4, *c5]),
        })
    }

    /// The 16 header bytes: those on the wire in the long form, those under the tag in both.
    #[inline(never)]
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

    /// The message in the bytes of an envelope that was opened in place.
    pub(crate) fn body<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let end = bytes.len().saturating_sub(self.suite.tag_len());
        bytes.get(self.wire_len()..end).unwrap_or_default()
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

/// The number with these low 16 bits that lies nearest to `last`; of two equally near, the one that
/// differs from `last` in these bits only.
fn nearest(last: u64, low: u16) -> u64 {
    let same = last & !0xFFFF | u64::from(low);
    let way = low.wrapping_sub(last as u16) as i16;
    // Below 0 it wraps and is too large as well.
    let nearest = last.wrapping_add_signed(i64::from(way));
    if way == i16::MIN || nearest > MAX_COUNTER {
        same
    } else {
        nearest
    }
}

/// What a sender says of a message, beside its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
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

impl Fields {
    fn header(&self, suite: Suite, number: SendNumber) -> Header {
        let Self {
            direction,
            class,
            short,
            epoch,
            address,
        } = *self;
        Header {
            suite,
            direction,
            class,
            short,
            epoch,
            address,
            counter: number.value(),
        }
    }
}

/// Seals in place. The message stands in `buf` behind room for the header ([`HEADER_LEN`] or
/// [`SHORT_HEADER_LEN`] bytes); the result is the envelope, a prefix of `buf`. The suite is that of
/// the key.
///
/// # Errors
/// [`EnvelopeError::NoRoom`] when header, message and tag do not fit in `buf`,
/// [`EnvelopeError::TooLong`], [`EnvelopeError::Engine`].
pub fn seal<'b, E: Block128>(
    engine: &mut E,
    key: &LinkCipher<E::Key>,
    fields: &Fields,
    number: SendNumber,
    ext: &[u8],
    buf: &'b mut [u8],
    plain_len: usize,
) -> Result<&'b [u8], EnvelopeError> {
    let header = fields.header(key.suite(), number);
    let len = sealed_len(&header, plain_len)?;
    let frame = Frame::around(&header, buf, plain_len, len)?;
    let (head, nonce) = (header.to_bytes(), key.nonce(header.counter));
    let tag = key.run(engine, Way::Seal, &nonce, &[&head, ext], frame.body);
    frame.close(&header, tag)?;
    Ok(buf.get(..len).unwrap_or_default())
}

/// As [`seal`], on an engine that finishes later.
///
/// # Errors
/// As [`seal`].
pub async fn seal_async<'b, E: AsyncBlock128>(
    engine: &mut E,
    key: &LinkCipher<E::Key>,
    fields: &Fields,
    number: SendNumber,
    ext: &[u8],
    buf: &'b mut [u8],
    plain_len: usize,
) -> Result<&'b [u8], EnvelopeError> {
    let header = fields.header(key.suite(), number);
    let len = sealed_len(&header, plain_len)?;
    let frame = Frame::around(&header, buf, plain_len, len)?;
    let (head, nonce) = (header.to_bytes(), key.nonce(header.counter));
    let aad = [&head[..], ext];
    let tag = key
        .run_async(engine, Way::Seal, &nonce, &aad, frame.body)
        .await;
    frame.close(&header, tag)?;
    Ok(buf.get(..len).unwrap_or_default())
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
    key: &LinkCipher<E::Key>,
    header: &Header,
    ext: &[u8],
    bytes: &'b mut [u8],
) -> Result<&'b [u8], EnvelopeError> {
    let frame = Frame::in_bytes(header, key.suite(), bytes)?;
    let (head, nonce) = (header.to_bytes(), key.nonce(header.counter));
    let right = key.run(engine, Way::Open, &nonce, &[&head, ext], frame.body);
    judge(header, bytes, right)
}

/// As [`open`], on an engine that finishes later.
///
/// # Errors
/// As [`open`].
pub async fn open_async<'b, E: AsyncBlock128>(
    engine: &mut E,
    key: &LinkCipher<E::Key>,
    header: &Header,
    ext: &[u8],
    bytes: &'b mut [u8],
) -> Result<&'b [u8], EnvelopeError> {
    let frame = Frame::in_bytes(header, key.suite(), bytes)?;
    let (head, nonce) = (header.to_bytes(), key.nonce(header.counter));
    let aad = [&head[..], ext];
    let right = key
        .run_async(engine, Way::Open, &nonce, &aad, frame.body)
        .await;
    judge(header, bytes, right)
}

fn sealed_len(header: &Header, plain_len: usize) -> Result<usize, EnvelopeError> {
    let overhead = header.wire_len().saturating_add(header.suite.tag_len());
    plain_len
        .checked_add(overhead)
        .ok_or(EnvelopeError::TooLong)
}

/// The parts of an envelope in a buffer.
struct Frame<'b> {
    head: &'b mut [u8],
    body: &'b mut [u8],
    tag: &'b mut [u8],
}

impl<'b> Frame<'b> {
    /// Room for an envelope of `needed` bytes around a message of `plain_len` bytes.
    fn around(
        header: &Header,
        buf: &'b mut [u8],
        plain_len: usize,
        needed: usize,
    ) -> Result<Self, EnvelopeError> {
        let no_room = EnvelopeError::NoRoom {
            needed,
            available: buf.len(),
        };
        let buf = buf.get_mut(..needed).ok_or(no_room)?;
        Self::split(buf, header.wire_len(), plain_len).ok_or(no_room)
    }

    /// A whole envelope. What is too short, or of another suite than the key, is wiped.
    fn in_bytes(header: &Header, suite: Suite, bytes: &'b mut [u8]) -> Result<Self, EnvelopeError> {
        let overhead = header.wire_len().saturating_add(suite.tag_len());
        match bytes.len().checked_sub(overhead) {
            Some(body_len) if header.suite == suite => {
                Self::split(bytes, header.wire_len(), body_len).ok_or(EnvelopeError::Refused)
            }
            _ => {
                if let Some(rest) = bytes.get_mut(header.wire_len()..) {
                    wipe(rest);
                }
                Err(EnvelopeError::Refused)
            }
        }
    }

    fn split(bytes: &'b mut [u8], head_len: usize, body_len: usize) -> Option<Self> {
        let (head, rest) = bytes.split_at_mut_checked(head_len)?;
        let (body, tag) = rest.split_at_mut_checked(body_len)?;
        Some(Self { head, body, tag })
    }

    /// Writes header and tag around a message that was encrypted.
    fn close(self, header: &Header, tag: Result<Block, AeadError>) -> Result<(), EnvelopeError> {
        let tag = tag.inspect_err(|_| wipe(self.body))?;
        copy(self.tag, &tag);
        let bytes = header.to_bytes();
        if header.short {
            let [first, second, .., c4, c5] = bytes;
            copy(self.head, &[first, second, c4, c5]);
        } else {
            copy(self.head, &bytes);
        }
        Ok(())
    }
}

/// The message of an envelope that was opened in place, if the tag that belongs to it is the one that
/// came.
///
/// As in [`aead::judge`] the comparison is made twice. Each finds the tag that came by itself, the one
/// from the front and the other from the end: a place that one skipped instruction moved is not the
/// place of both. It is no call of its own: where one is skipped, the verdict on an earlier message may
/// still lie on the stack.
#[inline(always)]
fn judge<'b>(
    header: &Header,
    bytes: &'b mut [u8],
    right: Result<Block, AeadError>,
) -> Result<&'b [u8], EnvelopeError> {
    let error = match right {
        Ok(mut right) => {
            let tag_len = header.suite.tag_len();
            let behind = header.wire_len().saturating_add(header.body(bytes).len());
            let first = bytes.get(behind..).unwrap_or_default();
            let first = first.len() == tag_len && aead::belongs(&right, first);
            let again = black_box(&*bytes);
            let at = again.len().saturating_sub(black_box(tag_len));
            let second = aead::belongs(&right, again.get(at..).unwrap_or_default());
            wipe(&mut right);
            if black_box(first) && black_box(second) {
                return Ok(header.body(bytes));
            }
            EnvelopeError::Refused
        }
        Err(AeadError::Engine(error)) => EnvelopeError::Engine(error),
        Err(_) => EnvelopeError::Refused,
    };
    // The tag as well: alone it would only help to guess.
    if let Some(rest) = bytes.get_mut(header.wire_len()..) {
        wipe(rest);
    }
    Err(error)
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

impl From<AeadError> for EnvelopeError {
    fn from(error: AeadError) -> Self {
        match error {
            AeadError::Engine(error) => Self::Engine(error),
            AeadError::Tag => Self::Refused,
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
