//! The compact form: varints in fixed order, byte for byte what postcard makes of the serde derives.
//!
//! ```text
//! 21 | kind | node | stream | boot | seq | time | clk | fields of the body | ext
//! ```
//!
//! First byte 0x20 + version. Bytes and signed bytes are raw, other numbers LEB128 varints (signed ones zigzag), lists
//! and byte strings have their length before them as a varint, options a byte 0 or 1. A number is never written longer
//! than necessary. Within one version nothing changes.

use crate::error::Error;
use crate::fields::{Fields, Sink, Source};
use crate::message::{Body, Content, Head, Message, additions};

mod reader;
mod snapshot;
mod writer;

pub(crate) use reader::Reader;
pub use snapshot::{SnapshotReader, SnapshotWriter};
pub(crate) use writer::Writer;

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
