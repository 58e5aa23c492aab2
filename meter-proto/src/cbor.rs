//! The CBOR form: maps with integer keys, definite lengths, every number as short as possible.
//!
//! Top level: 0 kind, 1 node, 2 stream, 3 boot, 4 seq, 5 time, 6 clk, 7 body, 8 ext (absent when empty). The body is a
//! map by the keys of its type; a list is an array, its elements of several fields are arrays. A value is an array
//! [mantissa, exponent] or, when it has marks, [mantissa, exponent, marks]; in an element of a list these stand
//! without an array of their own. A device is a byte string, namespace first. An absent option and an
//! empty list have no key.
//!
//! Readers pass over unknown keys up to 127 and over elements appended to lists' elements, and refuse duplicate keys,
//! indefinite lengths, tags, floats, numbers longer than necessary and trailing bytes.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Fields, Names, Sink, Source};
use crate::message::{Body, Content, Ext, Head, Message, additions};
use crate::value::{Quality, Value};

/// Levels of nesting that a message of this standard can have, with two to spare for later releases.
const LEVELS: usize = 6;

/// Writes a message, returns its length in bytes.
///
/// # Errors
/// [`Error::BufferFull`].
pub fn encode(message: &Message, out: &mut [u8]) -> Result<usize, Error> {
    write_message(
        message.body.kind(),
        &message.head,
        &message.ext,
        out,
        |writer| message.body.write(writer),
    )
}

/// Writes a body without building a [`Message`], returns the length in bytes.
///
/// # Errors
/// [`Error::BufferFull`].
pub fn encode_as<C: Content>(head: &Head, body: &C, out: &mut [u8]) -> Result<usize, Error> {
    write_message(C::KIND, head, &[], out, |writer| body.write(0, writer))
}

fn write_message(
    kind: u8,
    head: &Head,
    ext: &[u8],
    out: &mut [u8],
    body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
) -> Result<usize, Error> {
    additions::check(ext)?;
    let mut writer = Writer::new(out);
    let top = writer.begin_map()?;
    writer.byte(0, kind)?;
    head.write(0, &mut writer)?;
    writer.key(7)?;
    let outer = core::mem::take(&mut writer.entries);
    let inner = writer.begin_map()?;
    body(&mut writer)?;
    writer.end_map(inner);
    writer.entries = outer;
    if !ext.is_empty() {
        writer.bytes(8, ext)?;
    }
    writer.end_map(top);
    Ok(writer.out.len)
}

/// Reads a whole message.
///
/// # Errors
/// Any of [`Error`]; [`Error::UnknownKind`] says that the message may be skipped and counted.
pub fn decode(bytes: &[u8]) -> Result<Message, Error> {
    let (kind, head, mut reader) = open(bytes)?;
    let ext = reader.ext()?;
    reader.enter(7)?;
    Ok(Message {
        head,
        body: Body::read(kind, &mut reader)?,
        ext,
    })
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
    reader.ext()?;
    reader.enter(7)?;
    Ok((head, C::read(0, &mut reader)?))
}

/// Kind and head of a CBOR message, whether the kind is known or not.
///
/// # Errors
/// [`Error::UnknownForm`] or what is wrong with the bytes.
pub fn peek(bytes: &[u8]) -> Result<(u8, Head), Error> {
    open(bytes).map(|(kind, head, _)| (kind, head))
}

fn open(bytes: &[u8]) -> Result<(u8, Head, Reader<'_>), Error> {
    match bytes.first() {
        None => return Err(Error::Truncated { position: 0 }),
        Some(0xA0..=0xB7) => {}
        Some(found) => return Err(Error::UnknownForm { found: *found }),
    }
    check(bytes)?;
    let mut reader = Reader::new(bytes)?;
    let kind = reader.byte(0)?;
    let head = Head::read(0, &mut reader)?;
    Ok((kind, head, reader))
}

/// One open array or map of the check.
#[derive(Clone, Copy)]
struct Level {
    /// Items still to come, keys and values counted.
    left: u64,
    /// Keys seen, bit per key; `None` for an array.
    keys: Option<u128>,
}

/// Walks over the one item that the bytes are, without recursion, and refuses everything this form does not allow.
fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut levels = [Level {
        left: 0,
        keys: None,
    }; LEVELS];
    let mut depth = 0usize; // levels in use
    let mut at = 0usize;
    loop {
        let position = at;
        let (major, number, after) = header(bytes, at)?;
        at = after;
        let is_key = match depth.checked_sub(1).and_then(|top| levels.get_mut(top)) {
            Some(Level {
                left,
                keys: Some(keys),
            }) if *left % 2 == 0 => {
                if major != 0 || number > 127 {
                    return Err(Error::BadType { position });
                }
                if *keys >> number & 1 == 1 {
                    return Err(Error::DuplicateKey {
                        position,
                        key: number as u8,
                    });
                }
                *keys |= 1 << number;
                true
            }
            _ => false,
        };
        match major {
            0 | 1 => {}
            2 | 3 => {
                let len = usize::try_from(number).ok();
                let end = len
                    .and_then(|len| at.checked_add(len))
                    .filter(|end| *end <= bytes.len());
                let end = end.ok_or(Error::Truncated {
                    position: bytes.len(),
                })?;
                if major == 3
                    && bytes
                        .get(at..end)
                        .is_none_or(|text| core::str::from_utf8(text).is_err())
                {
                    return Err(Error::BadText { position });
                }
                at = end;
            }
            4 | 5 => {
                let (left, keys) = if major == 4 {
                    (Some(number), None)
                } else {
                    (number.checked_mul(2), Some(0))
                };
                // Every item takes a byte at least: a larger number is a lie that would only cost time.
                let left = left.filter(|left| *left <= (bytes.len() - at.min(bytes.len())) as u64);
                let left = left.ok_or(Error::Truncated {
                    position: bytes.len(),
                })?;
                // The item itself is counted off its own level before the new one opens.
                if let Some(level) = depth.checked_sub(1).and_then(|top| levels.get_mut(top)) {
                    level.left = level.left.saturating_sub(1);
                }
                *levels.get_mut(depth).ok_or(Error::TooDeep { position })? = Level { left, keys };
                depth += 1;
            }
            7 if matches!(number, 20..=22) && !is_key => {}
            _ => return Err(Error::BadType { position }),
        }
        if major != 4
            && major != 5
            && let Some(level) = depth.checked_sub(1).and_then(|top| levels.get_mut(top))
        {
            level.left = level.left.saturating_sub(1);
        }
        while depth
            .checked_sub(1)
            .and_then(|top| levels.get(top))
            .is_some_and(|level| level.left == 0)
        {
            depth -= 1;
        }
        if depth == 0 {
            return if at < bytes.len() {
                Err(Error::TrailingBytes { position: at })
            } else {
                Ok(())
            };
        }
    }
}

/// Major type, argument and the place behind an item's first bytes.
fn header(bytes: &[u8], position: usize) -> Result<(u8, u64, usize), Error> {
    let first = *bytes.get(position).ok_or(Error::Truncated { position })?;
    let at = position + 1;
    let (major, short) = (first >> 5, first & 0x1F);
    let width = match short {
        0..=23 => return Ok((major, u64::from(short), at)),
        // Two-byte simple values and floats are not part of this form.
        24..=27 if major < 6 => 1usize << (short - 24),
        _ => return Err(Error::BadType { position }),
    };
    let raw = bytes
        .get(at..)
        .and_then(|rest| rest.get(..width))
        .ok_or(Error::Truncated {
            position: bytes.len(),
        })?;
    let number = raw
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let shortest = match width {
        1 => number >= 24,
        2 => number > 0xFF,
        4 => number > 0xFFFF,
        _ => number > 0xFFFF_FFFF,
    };
    if shortest {
        Ok((major, number, at + width))
    } else {
        Err(Error::BadNumber { position })
    }
}

/// The caller's bytes as minicbor wants them.
struct Output<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl minicbor::encode::Write for Output<'_> {
    type Error = Error;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let capacity = self.bytes.len();
        let room = self
            .bytes
            .get_mut(self.len..)
            .and_then(|room| room.get_mut(..bytes.len()));
        room.ok_or(Error::BufferFull { capacity })?
            .copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }
}

/// Appends to the caller's bytes. Maps and elements have at most 23 entries, so their first byte is patched when they end.
struct Writer<'a> {
    out: Output<'a>,
    /// Entries of the open map.
    entries: u8,
    /// Where the open element began and how many fields it has.
    element: Option<(usize, u8)>,
    in_list: bool,
}

impl<'a> Writer<'a> {
    fn new(bytes: &'a mut [u8]) -> Self {
        Self {
            out: Output { bytes, len: 0 },
            entries: 0,
            element: None,
            in_list: false,
        }
    }

    fn begin_map(&mut self) -> Result<usize, Error> {
        let place = self.out.len;
        minicbor::encode::Write::write_all(&mut self.out, &[0xA0])?;
        Ok(place)
    }

    fn end_map(&mut self, place: usize) {
        debug_assert!(self.entries <= 23);
        if let Some(first) = self.out.bytes.get_mut(place) {
            *first = 0xA0 | self.entries & 0x1F;
        }
    }

    /// Writes one item, in a map with its key before it.
    fn put(
        &mut self,
        key: u8,
        write: impl FnOnce(&mut Encoder<&mut Output<'_>>) -> Encoded,
    ) -> Result<(), Error> {
        self.key(key)?;
        write(&mut Encoder::new(&mut self.out)).map_err(|error| self.full(&error))
    }

    fn full(&self, error: &minicbor::encode::Error<Error>) -> Error {
        error.as_write().copied().unwrap_or(Error::BufferFull {
            capacity: self.out.bytes.len(),
        })
    }

    fn key(&mut self, key: u8) -> Result<(), Error> {
        if let Some((_, fields)) = &mut self.element {
            *fields += 1;
            return Ok(());
        }
        if self.in_list {
            return Ok(());
        }
        self.entries += 1;
        Encoder::new(&mut self.out)
            .u8(key)
            .map(|_| ())
            .map_err(|error| self.full(&error))
    }
}

type Encoded = Result<(), minicbor::encode::Error<Error>>;

impl Sink for Writer<'_> {
    fn byte(&mut self, key: u8, value: u8) -> Result<(), Error> {
        self.unsigned(key, u64::from(value))
    }

    fn signed_byte(&mut self, key: u8, value: i8) -> Result<(), Error> {
        self.signed(key, i64::from(value))
    }

    fn unsigned(&mut self, key: u8, value: u64) -> Result<(), Error> {
        self.put(key, |encoder| encoder.u64(value).map(|_| ()))
    }

    fn signed(&mut self, key: u8, value: i64) -> Result<(), Error> {
        self.put(key, |encoder| encoder.i64(value).map(|_| ()))
    }

    fn bytes(&mut self, key: u8, value: &[u8]) -> Result<(), Error> {
        self.put(key, |encoder| encoder.bytes(value).map(|_| ()))
    }

    fn text(&mut self, key: u8, value: &str) -> Result<(), Error> {
        self.put(key, |encoder| encoder.str(value).map(|_| ()))
    }

    fn device(&mut self, key: u8, value: &DeviceId) -> Result<(), Error> {
        let mut bytes: heapless::Vec<u8, 17> = heapless::Vec::new();
        bytes.extend(
            core::iter::once(value.namespace() as u8).chain(value.content().iter().copied()),
        );
        self.bytes(key, &bytes)
    }

    fn value(&mut self, key: u8, value: &Value) -> Result<(), Error> {
        if self.element.is_none() {
            self.put(key, |encoder| {
                encoder
                    .array(if value.quality.is_good() { 2 } else { 3 })
                    .map(|_| ())
            })?;
            let mut encoder = Encoder::new(&mut self.out);
            let mut write = || {
                encoder.i64(value.mantissa)?.i8(value.exponent)?;
                if !value.quality.is_good() {
                    encoder.u16(value.quality.bits())?;
                }
                Ok(())
            };
            return write().map_err(|error| self.full(&error));
        }
        self.signed(key, value.mantissa)?;
        self.signed_byte(key, value.exponent)?;
        if value.quality.is_good() {
            Ok(())
        } else {
            self.quality(key, value.quality)
        }
    }

    fn present(&mut self, _: u8, _: bool) -> Result<(), Error> {
        Ok(()) // An absent option has no key.
    }

    fn list(&mut self, key: u8, len: usize) -> Result<(), Error> {
        if len > 0 {
            self.put(key, |encoder| encoder.array(len as u64).map(|_| ()))?;
        }
        self.in_list = true;
        Ok(())
    }

    fn item(&mut self, _: Names) -> Result<(), Error> {
        self.element = Some((self.out.len, 0));
        minicbor::encode::Write::write_all(&mut self.out, &[0x80])
    }

    fn end_item(&mut self) -> Result<(), Error> {
        if let Some((place, fields)) = self.element.take() {
            debug_assert!(fields <= 23);
            if let Some(first) = self.out.bytes.get_mut(place) {
                *first = 0x80 | fields & 0x1F;
            }
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Error> {
        self.in_list = false;
        Ok(())
    }
}

/// Reads bytes that [`check`] has accepted: structure is known to be whole, types and ranges are not.
#[derive(Clone)]
struct Reader<'b> {
    decoder: Decoder<'b>,
    /// Behind the first byte of the open map.
    map: usize,
    entries: u64,
    /// Where the entry behind the one read last stands, and its number: fields mostly come in order.
    next: (usize, u64),
    /// Fields left in the open element.
    element: Option<u64>,
    in_list: bool,
}

impl<'b> Reader<'b> {
    fn new(bytes: &'b [u8]) -> Result<Self, Error> {
        let mut reader = Self {
            decoder: Decoder::new(bytes),
            map: 0,
            entries: 0,
            next: (0, 0),
            element: None,
            in_list: false,
        };
        reader.open_map()?;
        Ok(reader)
    }

    fn open_map(&mut self) -> Result<(), Error> {
        let position = self.decoder.position();
        let entries = self
            .decoder
            .map()
            .ok()
            .flatten()
            .ok_or(Error::BadType { position })?;
        self.map = self.decoder.position();
        self.entries = entries;
        self.next = (self.map, 0);
        Ok(())
    }

    /// Goes into the map under this key; the way back is not needed.
    fn enter(&mut self, key: u8) -> Result<(), Error> {
        self.seek(key)?;
        self.open_map()
    }

    /// Stands behind the key, or says that the map has none.
    fn find(&mut self, key: u8) -> Result<bool, Error> {
        let (start, first) = self.next;
        self.decoder.set_position(start);
        let mut index = first;
        for _ in 0..self.entries {
            if index == self.entries {
                index = 0;
                self.decoder.set_position(self.map);
            }
            let position = self.decoder.position();
            let found = self.decoder.u8().map_err(|_| Error::BadType { position })?;
            index += 1;
            let value = self.decoder.position();
            if found == key {
                self.decoder
                    .skip()
                    .map_err(|_| Error::BadType { position })?;
                self.next = (self.decoder.position(), index);
                self.decoder.set_position(value);
                return Ok(true);
            }
            self.decoder
                .skip()
                .map_err(|_| Error::BadType { position: value })?;
        }
        Ok(false)
    }

    fn has(&mut self, key: u8) -> Result<bool, Error> {
        let next = self.next;
        let found = self.find(key)?;
        self.next = next;
        Ok(found)
    }

    /// Stands before the field: by key in a map, in order in a list.
    fn seek(&mut self, key: u8) -> Result<(), Error> {
        if let Some(left) = &mut self.element {
            let position = self.decoder.position();
            *left = left.checked_sub(1).ok_or(Error::BadType { position })?;
            return Ok(());
        }
        if self.in_list || self.find(key)? {
            Ok(())
        } else {
            Err(Error::MissingKey { key })
        }
    }

    fn bytes(&mut self, key: u8) -> Result<&'b [u8], Error> {
        self.take(key, Decoder::bytes)
    }

    /// The additions, none when the key is absent.
    fn ext(&mut self) -> Result<Ext, Error> {
        if !self.has(8)? {
            return Ok(Ext::new());
        }
        let ext: Ext = self.bytes_up_to(8)?;
        additions::check(&ext)?;
        Ok(ext)
    }

    fn take<T>(
        &mut self,
        key: u8,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, Error> {
        self.seek(key)?;
        let position = self.decoder.position();
        read(&mut self.decoder).map_err(|_| Error::BadType { position })
    }
}

impl<'b> Source<'b> for Reader<'b> {
    fn position(&self) -> usize {
        self.decoder.position()
    }

    fn byte(&mut self, key: u8) -> Result<u8, Error> {
        Ok(self.unsigned(key, 8)? as u8)
    }

    fn signed_byte(&mut self, key: u8) -> Result<i8, Error> {
        Ok(self.signed(key, 8)? as i8)
    }

    fn unsigned(&mut self, key: u8, bits: u32) -> Result<u64, Error> {
        let number = self.take(key, Decoder::u64)?;
        if number.checked_shr(bits).unwrap_or(0) != 0 {
            return Err(Error::BadNumber {
                position: self.position(),
            });
        }
        Ok(number)
    }

    fn signed(&mut self, key: u8, bits: u32) -> Result<i64, Error> {
        let number = self.take(key, Decoder::i64)?;
        let sign = number >> (bits.clamp(1, 64) - 1);
        if sign != 0 && sign != -1 {
            return Err(Error::BadNumber {
                position: self.position(),
            });
        }
        Ok(number)
    }

    fn bytes_up_to<const N: usize>(&mut self, key: u8) -> Result<heapless::Vec<u8, N>, Error> {
        let bytes = self.bytes(key)?;
        heapless::Vec::from_slice(bytes).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn text_up_to<const N: usize>(&mut self, key: u8) -> Result<heapless::String<N>, Error> {
        let text = self.take(key, Decoder::str)?;
        heapless::String::try_from(text).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn device(&mut self, key: u8) -> Result<DeviceId, Error> {
        let bytes = self.bytes(key)?;
        let bad = Error::BadValue {
            position: self.position(),
        };
        let (namespace, content) = bytes.split_first().ok_or(bad)?;
        DeviceId::try_new(*namespace, content).map_err(|_| bad)
    }

    fn value(&mut self, key: u8) -> Result<Value, Error> {
        let own_array = self.element.is_none();
        if own_array {
            let fields = self.take(key, Decoder::array)?.unwrap_or(0);
            self.element = Some(fields);
        }
        let mut read = || {
            let mantissa = self.signed(0, 64)?;
            let exponent = self.signed_byte(0)?;
            let quality = if self.element == Some(0) {
                Quality::GOOD
            } else {
                self.quality(0)?
            };
            Ok(Value {
                mantissa,
                exponent,
                quality,
            })
        };
        let value = read();
        if own_array {
            self.element = None;
        }
        value
    }

    fn present(&mut self, key: u8) -> Result<bool, Error> {
        if !self.has(key)? {
            return Ok(false);
        }
        let position = self.decoder.position();
        match self.decoder.datatype() {
            Ok(Type::Null) => Ok(false),
            Ok(_) => Ok(true),
            Err(_) => Err(Error::BadType { position }),
        }
    }

    fn list(&mut self, key: u8, capacity: usize) -> Result<usize, Error> {
        let len = if self.has(key)? {
            self.take(key, Decoder::array)?.unwrap_or(0)
        } else {
            0
        };
        self.in_list = true;
        match usize::try_from(len) {
            Ok(len) if len <= capacity => Ok(len),
            _ => Err(Error::TooMany {
                position: self.position(),
                capacity,
            }),
        }
    }

    fn item(&mut self, _: Names) -> Result<(), Error> {
        let position = self.position();
        let fields = self
            .decoder
            .array()
            .ok()
            .flatten()
            .ok_or(Error::BadType { position })?;
        self.element = Some(fields);
        Ok(())
    }

    fn end_item(&mut self) -> Result<(), Error> {
        // Fields that a later release appended.
        for _ in 0..self.element.take().unwrap_or(0) {
            let position = self.position();
            self.decoder
                .skip()
                .map_err(|_| Error::BadType { position })?;
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Error> {
        self.in_list = false;
        Ok(())
    }
}
