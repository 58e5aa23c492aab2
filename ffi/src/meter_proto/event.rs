//! Events and alarms.

use core::ffi::c_char;

use ::meter_proto::compact;
use ::meter_proto::message::{Event, EventPhase};
use ::meter_proto::point::PointId;

use super::head::{read, unwritten};
use super::value::{NO_VALUE, language_of};
use super::{mtr_proto_head, mtr_proto_value};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;
use crate::text;

/// Phase of an event: the condition began.
pub const MTR_EVENT_RAISED: u8 = 0;
/// Phase of an event: the condition ended.
pub const MTR_EVENT_CLEARED: u8 = 1;
/// Phase of an event: it has no duration.
pub const MTR_EVENT_PULSE: u8 = 2;
/// Phase of an event: it goes on with another value.
pub const MTR_EVENT_UPDATED: u8 = 3;

/// Event: supply failed.
pub const MTR_EVENT_OUTAGE: u16 = 0x0101;
/// Event: voltage sag.
pub const MTR_EVENT_SAG: u16 = 0x0102;
/// Event: voltage above its limit.
pub const MTR_EVENT_OVER_VOLTAGE: u16 = 0x0204;
/// Event: voltage below its limit.
pub const MTR_EVENT_UNDER_VOLTAGE: u16 = 0x0205;
/// Event: meter cover opened.
pub const MTR_EVENT_COVER: u16 = 0x0401;
/// Event: magnetic field.
pub const MTR_EVENT_MAGNET: u16 = 0x0403;
/// Event: clock stepped.
pub const MTR_EVENT_CLOCK_STEP: u16 = 0x0501;
/// Event: a stream's store is full and stopped; see mtr_outbox_poll_full.
pub const MTR_EVENT_STORE_FULL: u16 = 0x0503;
/// Event: credit low.
pub const MTR_EVENT_CREDIT_LOW: u16 = 0x0601;
/// Event: relay opened.
pub const MTR_EVENT_RELAY_OPENED: u16 = 0x0701;
/// Event: relay closed.
pub const MTR_EVENT_RELAY_CLOSED: u16 = 0x0702;

// The numbers of all events are in the description of the messages; these are what most meters have.
const _: () = assert!(
    MTR_EVENT_OUTAGE == Event::OUTAGE
        && MTR_EVENT_SAG == Event::SAG
        && MTR_EVENT_OVER_VOLTAGE == Event::OVER_VOLTAGE
        && MTR_EVENT_UNDER_VOLTAGE == Event::UNDER_VOLTAGE
        && MTR_EVENT_COVER == Event::COVER
        && MTR_EVENT_MAGNET == Event::MAGNET
        && MTR_EVENT_CLOCK_STEP == Event::CLOCK_STEP
        && MTR_EVENT_STORE_FULL == Event::STORE_FULL
        && MTR_EVENT_CREDIT_LOW == Event::CREDIT_LOW
        && MTR_EVENT_RELAY_OPENED == Event::RELAY_OPENED
        && MTR_EVENT_RELAY_CLOSED == Event::RELAY_CLOSED
);

/// Something happened.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_event {
    /// The point it is about; 0 when there is none.
    pub point: u64,
    /// The value that caused it; read only when `has_value` is 1.
    pub value: mtr_proto_value,
    /// The limit it crossed; read only when `has_limit` is 1.
    pub limit: mtr_proto_value,
    /// Pairs cleared with raised.
    pub instance: u32,
    /// What happened: class in the high byte, MTR_EVENT_...
    pub code: u16,
    /// 0 debug to 7 immediate danger; from 5 on it leaves the device at once.
    pub severity: u8,
    /// MTR_EVENT_RAISED to MTR_EVENT_UPDATED.
    pub phase: u8,
    /// 1: `value` is there.
    pub has_value: u8,
    /// 1: `limit` is there.
    pub has_limit: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_event {}

impl mtr_proto_event {
    /// MTR_ERR_VALUE for marks that do not exist.
    pub(super) fn own(&self) -> Checked<Event> {
        let there = |has: u8, value: mtr_proto_value| (has != 0).then(|| value.own()).transpose();
        Ok(Event {
            code: self.code,
            severity: self.severity,
            phase: EventPhase(self.phase),
            instance: self.instance,
            point: PointId::from_bits(self.point),
            value: there(self.has_value, self.value)?,
            limit: there(self.has_limit, self.limit)?,
        })
    }
}

impl From<Event> for mtr_proto_event {
    fn from(own: Event) -> Self {
        mtr_proto_event {
            point: own.point.bits(),
            value: own.value.map_or(NO_VALUE, Into::into),
            limit: own.limit.map_or(NO_VALUE, Into::into),
            instance: own.instance,
            code: own.code,
            severity: own.severity,
            phase: own.phase.0,
            has_value: own.value.is_some().into(),
            has_limit: own.limit.is_some().into(),
        }
    }
}

/// Writes an event message to `out` of `capacity` bytes (80 are enough), and its length into `len`. MTR_ERR_LENGTH when
/// it does not fit, MTR_ERR_VALUE for marks that do not exist.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_event_write(
    head: *const mtr_proto_head,
    event: *const mtr_proto_event,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (head, event, out, len) = unsafe {
            (
                border.given(head)?,
                border.given(event)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let written = compact::encode_as(&(*head).into(), &event.own()?, out);
        len.write(written.map_err(unwritten)?);
        Ok(())
    })
}

/// Reads an event message. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of another
/// kind.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_event_read(
    bytes: *const u8,
    len: usize,
    head: *mut mtr_proto_head,
    event: *mut mtr_proto_event,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, head, event) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(head)?,
                border.place(event)?,
            )
        };
        let (own, found) = read::<Event>(bytes)?;
        head.write(own.into());
        event.write(found.into());
        Ok(())
    })
}

/// The name of an event code in a language (MTR_LANG_...): UTF-8 and a NUL. MTR_ERR_IDENTIFIER for a code without a name,
/// MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH when it does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_event_name(
    code: u16,
    lang: u32,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (text, text_len) = unsafe {
            (
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let name = Event::code_name(code, language_of(lang)?);
        text_len.write(text::write(
            text,
            &name.ok_or(mtr_result::MTR_ERR_IDENTIFIER)?,
        )?);
        Ok(())
    })
}
