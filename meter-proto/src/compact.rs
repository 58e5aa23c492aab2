//! The compact form: varints in fixed order, byte for byte what postcard makes of the serde derives.
//!
//! ```text
//! 21 | kind | node | stream | boot | seq | time | clk | fields of the body | ext
//! ```
//!
//! First byte 0x20 + version. Bytes and signed bytes are raw, other numbers LEB128 varints (signed ones zigzag), lists
//! and byte strings have their length before them as a varint, options a byte 0 or 1. A number is never written longer
//! than necessary. Within one version nothing changes.

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Element, Fields, Names, Sink, Source};
use crate::message::{Body, Content, Ext, Head, Message, Sample, additions};
use crate::point::PointId;
use crate::value::{Quality, Value};

/// The version this release writes and reads.
pub const VERSION: u8 = 1;
/// The first byte of a compact message of [`VERSION`].
pub const FIRST_BYTE: u8 = 0x20 + VERSION;

/// Writes a message, returns its length in bytes.
///
/// # Errors
/// [`Error::BufferFull`].
pub fn encode(message: &Message, out: &mut [u8]) -> Result<usize, Error> {
    let mut writer = Writer::new(out);
    additions::check(&message.ext)?;
    writer.begin(message.body.kind(), &message.head)?;
    message.body.write(&mut writer)?;
    writer.bytes(0, &message.ext)?;
    Ok(writer.len())
}

/// Writes a body without building a [`Message`], returns the length in bytes.
///
/// # Errors
/// [`Error::BufferFull`].
pub fn encode_as<C: Content>(head: &Head, body: &C, out: &mut [u8]) -> Result<usize, Error> {
    let mut writer = Writer::new(out);
    writer.begin(C::KIND, head)?;
    body.write(0, &mut writer)?;
    writer.bytes(0, &[])?;
    Ok(writer.len())
}

/// Reads a whole message.
///
/// # Errors
/// Any of [`Error`]; [`Error::UnknownKind`] says that the message may be skipped and counted.
pub fn decode(bytes: &[u8]) -> Result<Message, Error> {
    let (kind, head, mut reader) = open(bytes)?;
    let body = Body::read(kind, &mut reader)?;
    let ext = reader.ext()?;
    Ok(Message { head, body, ext })
}

/// Reads a message of one kind without the memory for all of them.
///
/// # Errors
/// As [`decode`], and [`Error::OtherKind`].
pub fn decode_as<C: Content>(bytes: &[u8]) -> Result<(Head, C), Error> {
    let (found, head, mut reader) = open(bytes)?;
    if found != C::KIND {
        return Err(Error::OtherKind {
            expected: C::KIND,
            found,
        });
    }
    let body = C::read(0, &mut reader)?;
    reader.ext()?;
    Ok((head, body))
}

/// Kind and head of a compact message, whether the kind is known or not. The body is not looked at.
///
/// # Errors
/// [`Error::UnknownForm`], [`Error::UnknownVersion`] or what is wrong with the head.
pub fn peek(bytes: &[u8]) -> Result<(u8, Head), Error> {
    open(bytes).map(|(kind, head, _)| (kind, head))
}

fn open(bytes: &[u8]) -> Result<(u8, Head, Reader<'_>), Error> {
    let mut reader = Reader::new(bytes);
    match reader.byte(0)? {
        FIRST_BYTE => {}
        found @ 0x20..=0x2F => {
            return Err(Error::UnknownVersion {
                found: found & 0x0F,
            });
        }
        found => return Err(Error::UnknownForm { found }),
    }
    let kind = reader.byte(0)?;
    let head = Head::read(0, &mut reader)?;
    Ok((kind, head, reader))
}

/// Writes a snapshot sample by sample into the caller's buffer, without a list in memory.
///
/// The number of samples is stated first, as the layout wants it before them.
#[derive(Debug)]
pub struct SnapshotWriter<'a> {
    writer: Writer<'a>,
    missing: usize,
}

impl<'a> SnapshotWriter<'a> {
    /// Begins a snapshot of `count` samples, at most 64.
    ///
    /// # Errors
    /// [`Error::TooMany`] or [`Error::BufferFull`].
    pub fn new(head: &Head, count: usize, out: &'a mut [u8]) -> Result<Self, Error> {
        let mut writer = Writer::new(out);
        writer.begin(4, head)?;
        if count > 64 {
            return Err(Error::TooMany {
                position: writer.len(),
                capacity: 64,
            });
        }
        writer.list(0, count)?;
        Ok(Self {
            writer,
            missing: count,
        })
    }

    /// Writes the next sample.
    ///
    /// # Errors
    /// [`Error::TooMany`] beyond the stated number, [`Error::BufferFull`].
    pub fn push(&mut self, sample: &Sample) -> Result<(), Error> {
        self.missing = self.missing.checked_sub(1).ok_or(Error::TooMany {
            position: self.writer.len(),
            capacity: 0,
        })?;
        sample.put_element(&mut self.writer)
    }

    /// Ends the message, returns its length in bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if fewer samples came than stated, [`Error::BufferFull`].
    pub fn finish(mut self) -> Result<usize, Error> {
        if self.missing != 0 {
            return Err(Error::Truncated {
                position: self.writer.len(),
            });
        }
        self.writer.bytes(0, &[])?;
        Ok(self.writer.len())
    }
}

/// Reads a snapshot sample by sample from the received bytes, without a list in memory.
///
/// The whole message is checked before the first sample is handed out.
#[derive(Clone, Debug)]
pub struct SnapshotReader<'b> {
    reader: Reader<'b>,
    left: usize,
}

impl<'b> SnapshotReader<'b> {
    /// Checks the message and stands before its first sample.
    ///
    /// # Errors
    /// As [`decode_as`].
    pub fn new(bytes: &'b [u8]) -> Result<(Head, Self), Error> {
        let (found, head, mut reader) = open(bytes)?;
        if found != 4 {
            return Err(Error::OtherKind { expected: 4, found });
        }
        let left = reader.list(0, 64)?;
        let samples = Self {
            reader: reader.clone(),
            left,
        };
        for _ in 0..left {
            Sample::take_element(&mut reader)?;
        }
        reader.ext()?;
        Ok((head, samples))
    }
}

impl Iterator for SnapshotReader<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        self.left = self.left.checked_sub(1)?;
        Sample::take_element(&mut self.reader).ok()
    }
}

/// Appends to the caller's bytes.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn begin(&mut self, kind: u8, head: &Head) -> Result<(), Error> {
        self.push(FIRST_BYTE)?;
        self.push(kind)?;
        head.write(0, self)
    }

    #[inline]
    fn push(&mut self, byte: u8) -> Result<(), Error> {
        let capacity = self.out.len();
        *self
            .out
            .get_mut(self.len)
            .ok_or(Error::BufferFull { capacity })? = byte;
        self.len += 1;
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let capacity = self.out.len();
        let room = self
            .out
            .get_mut(self.len..)
            .and_then(|room| room.get_mut(..bytes.len()));
        room.ok_or(Error::BufferFull { capacity })?
            .copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn varint(&mut self, mut value: u64) -> Result<(), Error> {
        let capacity = self.out.len();
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        for (count, slot) in (1..).zip(room) {
            if value < 0x80 {
                *slot = value as u8;
                self.len += count;
                return Ok(());
            }
            *slot = value as u8 | 0x80;
            value >>= 7;
        }
        Err(Error::BufferFull { capacity })
    }

    /// A good value with an exponent of one nibble and a mantissa below 2^27, written in one go while there is room
    /// for the longest of them. `false` when it is another.
    #[inline]
    fn common_value(&mut self, value: &Value) -> bool {
        let number = zigzag(value.mantissa);
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        let Some([meta, digits @ ..]) = room.first_chunk_mut::<5>() else {
            return false;
        };
        if number >= 1 << 28 || !value.is_common() {
            return false;
        }
        let (bytes, len) = short_varint(number as u32);
        *meta = (value.exponent as u8) << 4;
        *digits = bytes;
        self.len += 1 + len;
        true
    }
}

const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The varint of a number below 2^28 and its length, without a loop.
const fn short_varint(value: u32) -> ([u8; 4], usize) {
    let spread =
        value & 0x7F | value << 1 & 0x7F00 | value << 2 & 0x7F_0000 | value << 3 & 0x7F00_0000;
    let (more, len) = match value {
        0..0x80 => (0, 1),
        0x80..0x4000 => (0x80, 2),
        0x4000..0x20_0000 => (0x8080, 3),
        _ => (0x80_8080, 4),
    };
    ((spread | more).to_le_bytes(), len)
}

impl Sink for Writer<'_> {
    #[inline]
    fn byte(&mut self, _: u8, value: u8) -> Result<(), Error> {
        self.push(value)
    }

    #[inline]
    fn signed_byte(&mut self, _: u8, value: i8) -> Result<(), Error> {
        self.push(value as u8)
    }

    #[inline]
    fn unsigned(&mut self, _: u8, value: u64) -> Result<(), Error> {
        self.varint(value)
    }

    #[inline]
    fn signed(&mut self, _: u8, value: i64) -> Result<(), Error> {
        self.varint(zigzag(value))
    }

    fn bytes(&mut self, _: u8, value: &[u8]) -> Result<(), Error> {
        self.varint(value.len() as u64)?;
        self.raw(value)
    }

    fn text(&mut self, key: u8, value: &str) -> Result<(), Error> {
        self.bytes(key, value.as_bytes())
    }

    fn device(&mut self, key: u8, value: &DeviceId) -> Result<(), Error> {
        self.push(value.namespace() as u8)?;
        self.bytes(key, value.content())
    }

    #[inline]
    fn value(&mut self, key: u8, value: &Value) -> Result<(), Error> {
        if self.common_value(value) {
            return Ok(());
        }
        let meta = value.meta();
        self.push(meta)?;
        if meta >> 4 == 8 {
            self.push(value.exponent as u8)?;
        }
        if meta & 0x0F == 15 {
            self.quality(key, value.quality)?;
        }
        self.signed(key, value.mantissa)
    }

    #[inline]
    fn point(&mut self, _: u8, value: PointId) -> Result<(), Error> {
        // Instantaneous values and total registers have two bytes.
        let bits = value.bits();
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        if let ([low, high, ..], 0x80..0x4000) = (room, bits) {
            (*low, *high) = (bits as u8 | 0x80, (bits >> 7) as u8);
            self.len += 2;
            return Ok(());
        }
        self.varint(bits)
    }

    #[inline]
    fn present(&mut self, _: u8, present: bool) -> Result<(), Error> {
        self.push(u8::from(present))
    }

    #[inline]
    fn list(&mut self, _: u8, len: usize) -> Result<(), Error> {
        self.varint(len as u64)
    }

    #[inline]
    fn item(&mut self, _: Names) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn end_item(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn end_list(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// The one place that takes bytes from a received message.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'b> {
    /// What is not read yet.
    rest: &'b [u8],
    /// Length of the whole message.
    len: usize,
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
        }
    }

    #[inline]
    fn at(&self) -> usize {
        self.len.wrapping_sub(self.rest.len())
    }

    /// The additions, which end the message.
    fn ext(&mut self) -> Result<Ext, Error> {
        let ext: Ext = self.bytes_up_to(0)?;
        self.end()?;
        additions::check(&ext)?;
        Ok(ext)
    }

    /// Refuses bytes behind the end.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::TrailingBytes {
                position: self.at(),
            })
        }
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Error> {
        let len = self.varint(32)?;
        let parts = usize::try_from(len)
            .ok()
            .and_then(|len| self.rest.split_at_checked(len));
        let (bytes, rest) = parts.ok_or(Error::Truncated { position: self.len })?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn pull(&mut self) -> Result<u8, Error> {
        let (byte, rest) = self
            .rest
            .split_first()
            .ok_or(Error::Truncated { position: self.len })?;
        self.rest = rest;
        Ok(*byte)
    }

    /// A number of at most `bits` bits, 7 at least.
    #[inline]
    fn varint(&mut self, bits: u32) -> Result<u64, Error> {
        // Most numbers have one or two bytes.
        match *self.rest {
            [byte @ 0..=0x7F, ref rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            [low, high @ 1..=0x7F, ref rest @ ..] if bits >= 14 => {
                self.rest = rest;
                Ok(u64::from(low & 0x7F) | u64::from(high) << 7)
            }
            _ => self.long_varint(u64::MAX >> (64 - bits.min(64))),
        }
    }

    /// A number of at most ten bytes and not above `max`.
    #[inline(never)]
    fn long_varint(&mut self, max: u64) -> Result<u64, Error> {
        let bad = Error::BadNumber {
            position: self.at(),
        };
        let mut bytes = self.rest;
        let mut value = 0u64;
        // Four bytes at a time, because small cores shift 64 bits slowly.
        for group in [0, 28, 56] {
            let mut part = 0u32;
            for shift in [0, 7, 14, 21] {
                let Some((byte, rest)) = bytes.split_first() else {
                    return Err(Error::Truncated { position: self.len });
                };
                bytes = rest;
                part |= u32::from(byte & 0x7F) << shift;
                // The tenth byte is the last and holds one bit.
                if group == 56 && shift == 7 && *byte > 1 {
                    return Err(bad);
                }
                if *byte < 0x80 {
                    value |= u64::from(part) << group;
                    // A zero behind a continuation is a second spelling.
                    if *byte == 0 || value > max {
                        return Err(bad);
                    }
                    self.rest = bytes;
                    return Ok(value);
                }
            }
            value |= u64::from(part) << group;
        }
        Err(bad)
    }
}

impl<'b> Source<'b> for Reader<'b> {
    #[inline]
    fn position(&self) -> usize {
        self.at()
    }

    #[inline]
    fn byte(&mut self, _: u8) -> Result<u8, Error> {
        self.pull()
    }

    #[inline]
    fn signed_byte(&mut self, _: u8) -> Result<i8, Error> {
        Ok(self.pull()? as i8)
    }

    #[inline]
    fn unsigned(&mut self, _: u8, bits: u32) -> Result<u64, Error> {
        self.varint(bits)
    }

    #[inline]
    fn signed(&mut self, _: u8, bits: u32) -> Result<i64, Error> {
        let zigzag = self.varint(bits)?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    fn bytes_up_to<const N: usize>(&mut self, _: u8) -> Result<heapless::Vec<u8, N>, Error> {
        let bytes = self.bytes()?;
        heapless::Vec::from_slice(bytes).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn text_up_to<const N: usize>(&mut self, _: u8) -> Result<heapless::String<N>, Error> {
        let position = self.at();
        let text = core::str::from_utf8(self.bytes()?).map_err(|_| Error::BadText { position })?;
        heapless::String::try_from(text).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn device(&mut self, _: u8) -> Result<DeviceId, Error> {
        let namespace = self.pull()?;
        let content = self.bytes()?;
        DeviceId::try_new(namespace, content).map_err(|_| Error::BadValue {
            position: self.at(),
        })
    }

    #[inline]
    fn value(&mut self, key: u8) -> Result<Value, Error> {
        let meta = self.pull()?;
        let exponent = if meta >> 4 == 8 {
            let exponent = self.pull()? as i8;
            if (-7..=7).contains(&exponent) {
                return Err(Error::BadValue {
                    position: self.at(),
                }); // It has a nibble: no second spelling.
            }
            exponent
        } else {
            Value::nibble_exponent(meta)
        };
        let quality = if meta & 0x0F == 15 {
            let several = self.quality(key)?;
            if several.nibble() != 15 {
                return Err(Error::BadValue {
                    position: self.at(),
                });
            }
            several
        } else {
            Quality::of_nibble(meta & 0x0F)
        };
        Ok(Value {
            mantissa: self.signed(key, 64)?,
            exponent,
            quality,
        })
    }

    #[inline]
    fn present(&mut self, _: u8) -> Result<bool, Error> {
        match self.pull()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error::BadValue {
                position: self.at(),
            }),
        }
    }

    #[inline]
    fn list(&mut self, _: u8, capacity: usize) -> Result<usize, Error> {
        let position = self.at();
        let len = self.varint(32)?;
        match usize::try_from(len) {
            Ok(len) if len <= capacity => Ok(len),
            _ => Err(Error::TooMany { position, capacity }),
        }
    }

    #[inline]
    fn item(&mut self, _: Names) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn end_item(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn end_list(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
