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

mod check;
mod reader;
mod writer;

use crate::error::Error;
use crate::fields::{Fields, Sink, Source};
use crate::message::{Body, Content, Head, Message, additions};
use reader::Reader;
use writer::Writer;

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
    check::check(bytes)?;
    let mut reader = Reader::new(bytes)?;
    let kind = reader.byte(0)?;
    let head = Head::read(0, &mut reader)?;
    Ok((kind, head, reader))
}
