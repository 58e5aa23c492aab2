//! The JSON form, for people: the fields of the CBOR form under their names, never sent between devices.
//!
//! ```
//! use meter_proto::language::Language;
//! use meter_proto::message::{Head, Message, Sample, Snapshot};
//! use meter_proto::point::{Phase, PointId};
//! use meter_proto::quantity::Quantity;
//! use meter_proto::time::{ClockQuality, Stamp};
//! use meter_proto::value::Value;
//! use meter_proto::json;
//!
//! let point = PointId::new(Quantity::VOLTAGE).phase(Phase::L1);
//! let snapshot: Snapshot = [Sample::new(point, Value::new(2300, -1))].into_iter().collect();
//! let stamp = Stamp::from_seconds(1_795_219_200, ClockQuality::LEGAL);
//! let message = Message::new(Head::session(5, stamp), snapshot);
//! let mut out = [0; 512];
//! let text = json::encode(&message, Language::English, &mut out)?;
//! assert!(text.ends_with(
//!     r#""body":{"samples":[{"point":129,"name":"Voltage L1","unit":"V","value":"230.0"}]}}"#
//! ));
//! assert_eq!(json::decode(text.as_bytes())?, message);
//! # Ok::<(), meter_proto::error::Error>(())
//! ```
//!
//! Nothing is lost: the text reads back to the same message. Values are texts with all their digits (`230.0`,
//! `12345678e1`), with marks an object `{"number": .., "marks": [..]}`; integers beyond 2^53 are texts, because most
//! readers of JSON would round them; bytes are hex; devices have their text form; a point brings its name and unit, a
//! stamp its UTC time, both only for reading. A reader passes over names it does not know and refuses a name that stands
//! twice.

mod check;
mod reader;
mod writer;

use crate::error::Error;
use crate::fields::{Fields, Names, Sink, Source};
use crate::language::Language;
use crate::message::{Body, Event, Ext, Head, Message, additions};
use reader::Reader;
use writer::Writer;

/// Names at the top level.
const TOP: Names = &[(0, "kind"), (7, "body"), (8, "ext")];

/// Names of the parts of a stamp.
const STAMP: Names = &[(0, "time"), (1, "clk")];

/// Writes a message; names of points and marks are in this language.
///
/// # Errors
/// [`Error::BufferFull`].
pub fn encode<'a>(
    message: &Message,
    language: Language,
    out: &'a mut [u8],
) -> Result<&'a str, Error> {
    additions::check(&message.ext)?;
    let kind = message.body.kind();
    let mut writer = Writer::new(language, out);
    writer.open(0, TOP)?;
    writer.byte(0, kind)?;
    writer.note("message", Body::name(kind))?;
    writer.rename(Head::NAMES);
    message.head.write(0, &mut writer)?;
    writer.rename(TOP);
    writer.group(7, Body::fields(kind))?;
    writer.rebase(0);
    message.body.write(&mut writer)?;
    match &message.body {
        Body::Command(command) => writer.note("meaning", &command.body)?,
        Body::Event(event) => {
            if let Some(name) = Event::code_name(event.code, language) {
                writer.note("meaning", name)?;
            }
        }
        _ => {}
    }
    writer.end_group()?;
    if !message.ext.is_empty() {
        writer.bytes(8, &message.ext)?;
    }
    writer.end_group()?;
    writer.text()
}

/// Reads a message that was written by [`encode`], or by hand.
///
/// # Errors
/// Any of [`Error`]; positions count bytes of the text.
pub fn decode(text: &[u8]) -> Result<Message, Error> {
    check::check(text)?;
    let mut reader = Reader::new(text, TOP)?;
    let kind = reader.byte(0)?;
    let ext: Ext = if reader.present(8)? {
        reader.bytes_up_to(8)?
    } else {
        Ext::new()
    };
    additions::check(&ext)?;
    reader.rename(Head::NAMES);
    let head = Head::read(0, &mut reader)?;
    reader.rename(TOP);
    reader.group(7, Body::fields(kind))?;
    reader.rebase(0);
    let body = Body::read(kind, &mut reader)?;
    Ok(Message { head, body, ext })
}
