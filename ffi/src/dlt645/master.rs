//! The reader's side.

use core::ffi::c_void;

use ::dlt645::{
    Address, AskError, Authority, Blocks, Control, DataId, DataId1997, Edition, Event, Master,
    Operator, Order, Password, Quirks,
};

use super::{mtr_dlt645_address, mtr_dlt645_refusals, mtr_stamp};
use crate::border::{Checked, Plain, call};
use crate::line::mtr_timing;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_dlt645_master, without the buffer for long answers that lies behind it.
pub const MTR_DLT645_MASTER_SIZE: usize = 688;

/// A reader on a half-duplex line: one question at a time, repeats, answers in parts joined. Opaque.
///
/// The loop: ask with one of the functions that take `now` and an address; send what
/// mtr_dlt645_master_poll_transmit gives; hand in bytes with mtr_dlt645_master_handle_bytes, and when the time of
/// mtr_dlt645_master_poll_timeout has passed call mtr_dlt645_master_handle_timeout; after each of the two look at
/// poll_transmit and mtr_dlt645_master_poll_event again. Every question ends in exactly one event, broadcasts in none.
/// `now` is milliseconds of any clock that never goes back.
pub struct mtr_dlt645_master {
    _opaque: [u8; 0],
}

/// Who asks for a write or an order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_authority {
    /// Six packed digits of the password, 0x123456 for 123456.
    pub password: u32,
    /// Operator code, C0 in the low byte.
    pub operator_code: u32,
    /// PA: 0 to 9 plain levels, 0x98 ciphertext with MAC, 0x99 plaintext with MAC.
    pub level: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_authority {}

impl From<mtr_dlt645_authority> for Authority {
    fn from(given: mtr_dlt645_authority) -> Self {
        Authority {
            password: Password {
                level: given.level,
                digits: given.password & 0x00FF_FFFF,
            },
            operator: Operator(given.operator_code),
        }
    }
}

impl From<Authority> for mtr_dlt645_authority {
    fn from(own: Authority) -> Self {
        mtr_dlt645_authority {
            password: own.password.digits,
            operator_code: own.operator.0,
            level: own.password.level,
        }
    }
}

/// The plain block of function 1C.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_control {
    /// N1: 0x1A trip, 0x1B allow closing, 0x1C close, 0x2A alarm on, 0x2B alarm off, 0x3A keep power on, 0x3B off.
    pub order: u8,
    /// N2: 0, or a delay in steps of 5 minutes.
    pub delay: u8,
    /// 1: `expires` is the moment after which the meter must refuse; 0: never.
    pub has_expiry: u8,
    /// Read only when `has_expiry` is 1.
    pub expires: mtr_stamp,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_control {}

impl From<mtr_dlt645_control> for Control {
    fn from(given: mtr_dlt645_control) -> Self {
        Control {
            order: Order::from_code(given.order),
            delay: given.delay,
            expires: (given.has_expiry != 0).then(|| given.expires.into()),
        }
    }
}

impl From<Control> for mtr_dlt645_control {
    fn from(own: Control) -> Self {
        mtr_dlt645_control {
            order: own.order.code(),
            delay: own.delay,
            has_expiry: own.expires.is_some().into(),
            expires: own.expires.unwrap_or_default().into(),
        }
    }
}

/// How one meter departs from the standard; all 0 for none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_quirks {
    /// 1: answers may carry the full wildcard instead of the meter's address.
    pub wildcard_answers: u8,
    /// FE in front of requests beyond the usual four.
    pub extra_preamble: u8,
    /// 1: when nobody answers a read of the address, ask again by a 1997 read of 9010.
    pub answers_1997: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_quirks {}

/// What an mtr_dlt645_event tells, and which of its fields then hold something.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_dlt645_event_kind {
    /// The whole answer to a read: `address`, `id`, `data`.
    MTR_DLT645_DATA = 1,
    /// The answer to a security exchange: `address`, `id`, `data`.
    MTR_DLT645_SECURITY = 2,
    /// The whole answer to a 1997 read: `address`, `id` (two bytes), `data`.
    MTR_DLT645_DATA_1997 = 3,
    /// The meter has the rate `rate` (bit/s) from now on: switch the port, then mtr_dlt645_master_confirm_rate.
    MTR_DLT645_RATE_CHANGED = 4,
    /// The meter was heard at `rate`.
    MTR_DLT645_RATE_CONFIRMED = 5,
    /// The meter was not heard: switch the port back to `rate`.
    MTR_DLT645_RATE_LOST = 6,
    /// The answer to mtr_dlt645_master_read_address: `address`.
    MTR_DLT645_ADDRESS = 7,
    /// The meter did what was asked: `address`, `function`.
    MTR_DLT645_DONE = 8,
    /// The meter answered an order with two words: `done`, `error`.
    MTR_DLT645_CONTROL_REPORT = 9,
    /// The meter refused: `function`, `error` (bits of ERR).
    MTR_DLT645_REFUSED = 10,
    /// The meter refused a security exchange: `error` (bits of SERR).
    MTR_DLT645_SECURITY_REFUSED = 11,
    /// Nobody answered: asked `tries` times.
    MTR_DLT645_TIMED_OUT = 12,
    /// The answer is longer than the buffer behind the master.
    MTR_DLT645_TOO_LONG = 13,
    /// An event of a later version of this library.
    MTR_DLT645_OTHER = 255,
}
use mtr_dlt645_event_kind as Kind;

/// How a question ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_event {
    /// What happened; decides which of the other fields hold something. The rest is 0.
    pub kind: mtr_dlt645_event_kind,
    /// The meter.
    pub address: mtr_dlt645_address,
    /// The function, bits 4 to 0 of the control code.
    pub function: u8,
    /// How often was asked.
    pub tries: u8,
    /// Bits of ERR or SERR, or what kept an order from being done.
    pub error: u16,
    /// What was done of an order.
    pub done: u16,
    /// The identifier.
    pub id: u32,
    /// Bits per second.
    pub rate: u32,
    /// Plain data behind the identifier, low byte first; inside the master, valid until its next call.
    pub data: *const u8,
    /// Number of data bytes.
    pub data_len: usize,
}

impl mtr_dlt645_event {
    fn new(event: Event<'_>) -> Self {
        let mut out = mtr_dlt645_event {
            kind: Kind::MTR_DLT645_OTHER,
            address: mtr_dlt645_address { digits: [0; 6] },
            function: 0,
            tries: 0,
            error: 0,
            done: 0,
            id: 0,
            rate: 0,
            data: core::ptr::null(),
            data_len: 0,
        };
        let mut answer = |kind, address: Address, id, data: &[u8]| {
            out.kind = kind;
            out.address = address.into();
            out.id = id;
            out.data = data.as_ptr();
            out.data_len = data.len();
        };
        match event {
            Event::Data { address, id, data } => answer(Kind::MTR_DLT645_DATA, address, id.0, data),
            Event::Security { address, id, data } => {
                answer(Kind::MTR_DLT645_SECURITY, address, id.0, data)
            }
            Event::Data1997 { address, id, data } => {
                answer(Kind::MTR_DLT645_DATA_1997, address, id.0.into(), data);
            }
            Event::RateChanged { address, rate } => {
                out.kind = Kind::MTR_DLT645_RATE_CHANGED;
                (out.address, out.rate) = (address.into(), rate);
            }
            Event::RateConfirmed { rate } => {
                (out.kind, out.rate) = (Kind::MTR_DLT645_RATE_CONFIRMED, rate);
            }
            Event::RateLost { rate } => (out.kind, out.rate) = (Kind::MTR_DLT645_RATE_LOST, rate),
            Event::Address(address) => {
                (out.kind, out.address) = (Kind::MTR_DLT645_ADDRESS, address.into());
            }
            Event::Done { address, function } => {
                out.kind = Kind::MTR_DLT645_DONE;
                (out.address, out.function) = (address.into(), function.0);
            }
            Event::ControlReport { done, refused } => {
                out.kind = Kind::MTR_DLT645_CONTROL_REPORT;
                (out.done, out.error) = (done, refused);
            }
            Event::Refused { function, err } => {
                out.kind = Kind::MTR_DLT645_REFUSED;
                (out.function, out.error) = (function.0, err.0.into());
            }
            Event::SecurityRefused(err) => {
                (out.kind, out.error) = (Kind::MTR_DLT645_SECURITY_REFUSED, err.0);
            }
            Event::TimedOut { tries } => {
                (out.kind, out.tries) = (Kind::MTR_DLT645_TIMED_OUT, tries)
            }
            Event::TooLong => out.kind = Kind::MTR_DLT645_TOO_LONG,
            _ => {}
        }
        out
    }
}

pub(super) fn asked(result: Result<(), AskError>) -> Checked<()> {
    result.map_err(|error| match error {
        AskError::Busy => mtr_result::MTR_ERR_BUSY,
        AskError::TooLong(_) => mtr_result::MTR_ERR_LENGTH,
        AskError::Element(_) => mtr_result::MTR_ERR_CALLBACK,
        _ => mtr_result::MTR_ERR_PARAMETER,
    })
}

/// Makes a master in `storage` of `size` bytes (at least MTR_DLT645_MASTER_SIZE, aligned to MTR_ALIGN) and puts its
/// handle into `master`. What `size` has beyond MTR_DLT645_MASTER_SIZE is the buffer in which long answers are joined:
/// 200 bytes for answers of one frame, 1026 for the longest record of the standard.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_init(
    storage: *mut c_void,
    size: usize,
    timing: *const mtr_timing,
    master: *mut *mut mtr_dlt645_master,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut storage, timing) = unsafe {
            (
                border.storage(storage, size, master)?,
                border.given(timing)?,
            )
        };
        let buffer = storage.buffer();
        storage.fill(Master::new(buffer, (*timing).into()));
        Ok(())
    })
}

/// Other waiting times from the next request on.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_set_timing(
    master: *mut mtr_dlt645_master,
    timing: *const mtr_timing,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, timing) = unsafe { (border.object_mut(master)?, border.given(timing)?) };
        master.set_timing((*timing).into());
        Ok(())
    })
}

/// The departures of the meter that is asked next.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_set_quirks(
    master: *mut mtr_dlt645_master,
    quirks: *const mtr_dlt645_quirks,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, quirks) = unsafe { (border.object_mut(master)?, border.given(quirks)?) };
        master.set_quirks(Quirks {
            wildcard_answers: quirks.wildcard_answers != 0,
            extra_preamble: quirks.extra_preamble,
            answers_1997: quirks.answers_1997 != 0,
            ..Quirks::default()
        });
        Ok(())
    })
}

/// Reads `id` (function 11); long answers are fetched part by part (12) and joined. Ends in MTR_DLT645_DATA.
/// MTR_ERR_BUSY: the last question is not answered, or its event was not taken.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_read(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        asked(master.read(now, address.into(), DataId(id)))
    })
}

/// Reads `count` blocks of the load record (class 06), from the minute `from` on; `from` may be NULL for
/// the oldest. Ends in MTR_DLT645_DATA. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_read_blocks(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
    count: u8,
    from: *const mtr_stamp,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, from) = unsafe {
            (
                border.object_mut(master)?,
                (!from.is_null()).then(|| border.given(from)).transpose()?,
            )
        };
        let from = from.map(|stamp| (*stamp).into());
        asked(master.read_blocks(now, address.into(), DataId(id), Blocks { count, from }))
    })
}

/// Reads a 1997 identifier (01). Ends in MTR_DLT645_DATA_1997. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_read_1997(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u16,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        asked(master.read_1997(now, address.into(), DataId1997(id)))
    })
}

/// Asks the only meter on the line for its address (13). Ends in MTR_DLT645_ADDRESS. MTR_ERR_BUSY as with
/// mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_read_address(
    master: *mut mtr_dlt645_master,
    now: u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        asked(unsafe { border.object_mut(master) }?.read_address(now))
    })
}

/// Writes `len` bytes to `id` (14). Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read,
/// MTR_ERR_LENGTH above 188 bytes.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_write(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
    authority: *const mtr_dlt645_authority,
    data: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, authority, data) = unsafe {
            (
                border.object_mut(master)?,
                border.given(authority)?,
                border.slice(data, len)?,
            )
        };
        asked(master.write(now, address.into(), DataId(id), (*authority).into(), data))
    })
}

/// Writes `len` bytes to a 1997 identifier (04) under a password (PA in the low byte, then six packed digits). Ends in
/// MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read, MTR_ERR_LENGTH above 194 bytes.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_write_1997(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u16,
    password: u32,
    data: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, data) = unsafe { (border.object_mut(master)?, border.slice(data, len)?) };
        let password = Password::from_line(password.to_le_bytes());
        asked(master.write_1997(now, address.into(), DataId1997(id), password, data))
    })
}

/// Relay, alarm or keep power (1C). Ends in MTR_DLT645_DONE. An order without an expiry is never too late: a repeat
/// after a lost answer carries it out once more. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_control(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    authority: *const mtr_dlt645_authority,
    control: *const mtr_dlt645_control,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, authority, control) = unsafe {
            (
                border.object_mut(master)?,
                border.given(authority)?,
                border.given(control)?,
            )
        };
        let control = Control::from(*control);
        control.line().ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        asked(master.control(now, address.into(), (*authority).into(), control))
    })
}

/// Security exchange (03) with any identifier and data. Ends in MTR_DLT645_SECURITY. Asked once only: a meter takes the
/// repeat of a recharge for a second one. MTR_ERR_BUSY as with mtr_dlt645_master_read, MTR_ERR_LENGTH above 192 bytes.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_security(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
    operator_code: u32,
    data: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, data) = unsafe { (border.object_mut(master)?, border.slice(data, len)?) };
        asked(master.security(
            now,
            address.into(),
            DataId(id),
            Operator(operator_code),
            data,
        ))
    })
}

/// Tells all meters the time (08). Nobody answers and no event follows. MTR_ERR_PARAMETER when a field is above 99,
/// MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_broadcast_time(
    master: *mut mtr_dlt645_master,
    now: u64,
    time: *const mtr_stamp,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, time) = unsafe { (border.object_mut(master)?, border.given(time)?) };
        let stamp = ::dlt645::Stamp::from(*time);
        stamp.line().ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        asked(master.broadcast_time(now, stamp))
    })
}

/// Changes the rate of a meter (17; 0C in 1997) from `old_rate` to `new_rate` bit/s; `edition_1997` is 1 for the older
/// edition. Ends in MTR_DLT645_RATE_CHANGED; then switch the port, set the timing, and call
/// mtr_dlt645_master_confirm_rate. MTR_ERR_PARAMETER when the edition has no such rate, MTR_ERR_BUSY as with
/// mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_change_rate(
    master: *mut mtr_dlt645_master,
    now: u64,
    edition_1997: u8,
    address: mtr_dlt645_address,
    old_rate: u32,
    new_rate: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        let edition = if edition_1997 == 0 {
            Edition::V2007
        } else {
            Edition::V1997
        };
        asked(master.change_rate(now, edition, address.into(), old_rate, new_rate))
    })
}

/// Asks at the new rate whether the meter is there. Ends in MTR_DLT645_RATE_CONFIRMED or MTR_DLT645_RATE_LOST.
/// MTR_ERR_PARAMETER when no change was agreed, MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_confirm_rate(
    master: *mut mtr_dlt645_master,
    now: u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        asked(unsafe { border.object_mut(master) }?.confirm_rate(now))
    })
}

/// Takes `len` bytes from the line, all of them.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_handle_bytes(
    master: *mut mtr_dlt645_master,
    now: u64,
    bytes: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, bytes) = unsafe { (border.object_mut(master)?, border.slice(bytes, len)?) };
        master.handle_bytes(now, bytes);
        Ok(())
    })
}

/// To be called when the time of mtr_dlt645_master_poll_timeout has passed: asks again or gives up.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_handle_timeout(
    master: *mut mtr_dlt645_master,
    now: u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(master) }?.handle_timeout(now);
        Ok(())
    })
}

/// Bytes to send now, once: `bytes` points into the master and is valid until its next call. MTR_MORE: nothing to send.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_poll_transmit(
    master: *mut mtr_dlt645_master,
    bytes: *mut *const u8,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, bytes, len) = unsafe {
            (
                border.object_mut(master)?,
                border.place(bytes)?,
                border.place(len)?,
            )
        };
        let out = master.poll_transmit().ok_or(mtr_result::MTR_MORE)?;
        bytes.write(out.as_ptr());
        len.write(out.len());
        Ok(())
    })
}

/// How the last question ended, once; the master is free for the next one then. MTR_MORE: it has not ended.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_poll_event(
    master: *mut mtr_dlt645_master,
    event: *mut mtr_dlt645_event,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, event) = unsafe { (border.object_mut(master)?, border.place(event)?) };
        let happened = master.poll_event().ok_or(mtr_result::MTR_MORE)?;
        event.write(mtr_dlt645_event::new(happened));
        Ok(())
    })
}

/// When to call mtr_dlt645_master_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_poll_timeout(
    master: *const mtr_dlt645_master,
    at: *mut u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, at) = unsafe { (border.object(master)?, border.place(at)?) };
        at.write(master.poll_timeout().ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// What came from the line and was no answer: `refusals` of frames and bytes, `ignored` good frames that answered
/// nothing that was asked.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_statistics(
    master: *const mtr_dlt645_master,
    refusals: *mut mtr_dlt645_refusals,
    ignored: *mut u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, refusals, ignored) = unsafe {
            (
                border.object(master)?,
                border.place(refusals)?,
                border.place(ignored)?,
            )
        };
        refusals.write(master.refusals().into());
        ignored.write(master.ignored());
        Ok(())
    })
}
