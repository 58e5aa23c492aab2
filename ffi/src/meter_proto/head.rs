//! What every message has in common: its head, its kind, its name.

use core::ffi::c_char;

use ::meter_proto::compact;
use ::meter_proto::error::Error;
use ::meter_proto::form;
use ::meter_proto::json;
use ::meter_proto::message::{Content, Head, Stream};
use ::meter_proto::outbox::Key;
use ::meter_proto::time::Stamp;

use super::value::language_of;
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Stream of messages of a connection, which are not stored.
pub const MTR_STREAM_SESSION: u8 = 0;
/// Stream of legal registers and profiles.
pub const MTR_STREAM_LEGAL: u8 = 1;
/// Stream of events and alarms.
pub const MTR_STREAM_EVENT: u8 = 2;
/// Stream of telemetry: when it is full, the oldest record makes room.
pub const MTR_STREAM_TELEMETRY: u8 = 3;
/// Stream of diagnostics: when it is full, the newest record is dropped.
pub const MTR_STREAM_DIAGNOSTIC: u8 = 4;
/// Stream of prepaid movements and command results.
pub const MTR_STREAM_LEDGER: u8 = 5;

/// Kind of a message: values that describe themselves; mtr_proto_snapshot_read.
pub const MTR_KIND_SNAPSHOT: u8 = 4;
/// Kind of a message: values over time; mtr_proto_profile_read.
pub const MTR_KIND_PROFILE: u8 = 6;
/// Kind of a message: an event; mtr_proto_event_read.
pub const MTR_KIND_EVENT: u8 = 7;
/// Kind of a message: what the receiver has; mtr_proto_acknowledgement_read.
pub const MTR_KIND_ACKNOWLEDGEMENT: u8 = 8;
/// Kind of a message: a command; mtr_proto_command_read.
pub const MTR_KIND_COMMAND: u8 = 10;
/// Kind of a message: the result of a command; mtr_proto_command_result_read.
pub const MTR_KIND_COMMAND_RESULT: u8 = 11;

/// Clock quality, low nibble of `clk`: never set, the time counts from the start of the device.
pub const MTR_CLOCK_NEVER_SET: u8 = 0;
/// Clock quality: running on since the last setting.
pub const MTR_CLOCK_HOLDOVER: u8 = 1;
/// Clock quality: network time of a cell, within a second.
pub const MTR_CLOCK_NETWORK: u8 = 2;
/// Clock quality: within 100 ms.
pub const MTR_CLOCK_SYNCHRONISED: u8 = 3;
/// Clock quality: the legal clock of the metering core.
pub const MTR_CLOCK_LEGAL: u8 = 4;
/// Clock quality: the legal clock, verified today.
pub const MTR_CLOCK_LEGAL_VERIFIED: u8 = 5;
/// High nibble of `clk` for a time in milliseconds; without it the time counts seconds.
pub const MTR_CLOCK_MILLISECONDS: u8 = 0x30;

/// What stands before every body. Device, stream, boot and number are the key of the record for ever.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_head {
    /// When the record was made, for values of an interval its end: since 1970-01-01T00:00:00Z in the resolution that
    /// the high nibble of `clk` states (0 seconds, 3 milliseconds, 6 microseconds).
    pub time: u64,
    /// Boots of the device, stored ahead of use.
    pub boot: u32,
    /// Number within stream and boot, from 1; 0 for messages that are not stored.
    pub seq: u32,
    /// Which device behind the sender this is about, 0 the sender itself.
    pub node: u16,
    /// MTR_STREAM_...
    pub stream: u8,
    /// High nibble resolution, low nibble MTR_CLOCK_...
    pub clk: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_head {}

impl From<mtr_proto_head> for Head {
    fn from(given: mtr_proto_head) -> Self {
        Head {
            node: given.node,
            stream: Stream(given.stream),
            boot: given.boot,
            seq: given.seq,
            stamp: Stamp {
                time: given.time,
                clk: given.clk,
            },
        }
    }
}

impl From<Head> for mtr_proto_head {
    fn from(own: Head) -> Self {
        mtr_proto_head {
            time: own.stamp.time,
            boot: own.boot,
            seq: own.seq,
            node: own.node,
            stream: own.stream.0,
            clk: own.stamp.clk,
        }
    }
}

/// The name of a record of this device.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_key {
    /// The boot.
    pub boot: u32,
    /// The number.
    pub seq: u32,
    /// MTR_STREAM_...
    pub stream: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_key {}

impl From<mtr_proto_key> for Key {
    fn from(given: mtr_proto_key) -> Self {
        Key {
            stream: Stream(given.stream),
            boot: given.boot,
            seq: given.seq,
        }
    }
}

impl From<Key> for mtr_proto_key {
    fn from(own: Key) -> Self {
        mtr_proto_key {
            boot: own.boot,
            seq: own.seq,
            stream: own.stream.0,
        }
    }
}

/// Why a message cannot be written.
pub(super) fn unwritten(error: Error) -> mtr_result {
    match error {
        Error::BufferFull { .. } | Error::TooMany { .. } => mtr_result::MTR_ERR_LENGTH,
        _ => mtr_result::MTR_ERR_VALUE,
    }
}

/// Why bytes are no message that can be read.
fn unread(error: Error) -> mtr_result {
    match error {
        Error::OtherKind { .. } | Error::UnknownKind { .. } => mtr_result::MTR_ERR_IDENTIFIER,
        _ => mtr_result::MTR_ERR_FRAME,
    }
}

/// A body of one kind out of a compact message.
pub(super) fn read<C: Content>(bytes: &[u8]) -> Checked<(Head, C)> {
    compact::decode_as(bytes).map_err(unread)
}

/// A snapshot needs no list in memory.
pub(super) fn read_samples(bytes: &[u8]) -> Checked<(Head, compact::SnapshotReader<'_>)> {
    compact::SnapshotReader::new(bytes).map_err(unread)
}

/// Kind and head of a message, in the compact or the CBOR form, whether the kind is known or not; the body is not looked
/// at. MTR_ERR_FRAME when the bytes are neither.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_peek(
    bytes: *const u8,
    len: usize,
    kind: *mut u8,
    head: *mut mtr_proto_head,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, kind, head) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(kind)?,
                border.place(head)?,
            )
        };
        let (found, own) = form::peek(bytes).map_err(unread)?;
        kind.write(found);
        head.write(own.into());
        Ok(())
    })
}

/// A whole message of any kind as JSON for people, names in a language (MTR_LANG_...): UTF-8 and a NUL to `text`, its
/// length without the NUL into `text_len`. Needs some 10 KiB of stack. MTR_ERR_FRAME when the bytes are no message,
/// MTR_ERR_IDENTIFIER for a kind that this release does not know, MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH
/// when the text does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_json(
    bytes: *const u8,
    len: usize,
    lang: u32,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, text, text_len) = unsafe {
            (
                border.slice(bytes, len)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let language = language_of(lang)?;
        let message = form::decode(bytes).map_err(unread)?;
        let (end, room) = text.split_last_mut().ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let written = json::encode(&message, language, room)
            .map_err(unwritten)?
            .len();
        match room.get_mut(written) {
            Some(place) => *place = 0,
            None => *end = 0,
        }
        text_len.write(written);
        Ok(())
    })
}
