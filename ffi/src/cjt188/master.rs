//! The reader's side.

use core::ffi::c_void;

use ::cjt188::{Address, AskError, DataId, Event, Function, Master, MeterType, ValveOrder};

use super::frame::order_of;
use super::{
    MTR_CJT188_CLOSE, MTR_CJT188_OPEN, mtr_cjt188_address, mtr_cjt188_refusals, mtr_cjt188_status,
    mtr_cjt188_value,
};
use crate::border::{Checked, call};
use crate::line::mtr_timing;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_cjt188_master.
pub const MTR_CJT188_MASTER_SIZE: usize = 608;

/// A reader on a half-duplex line: one question at a time, repeats. Opaque.
///
/// The loop is that of mtr_dlt645_master: ask; send what mtr_cjt188_master_poll_transmit gives; hand in bytes with
/// mtr_cjt188_master_handle_bytes, and when the time of mtr_cjt188_master_poll_timeout has passed call
/// mtr_cjt188_master_handle_timeout; after each of the two look at poll_transmit and mtr_cjt188_master_poll_event again.
/// Every question ends in exactly one event. `now` is milliseconds of any clock that never goes back.
pub struct mtr_cjt188_master {
    _opaque: [u8; 0],
}

/// What an mtr_cjt188_event tells, and which of its fields then hold something.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_cjt188_event_kind {
    /// The answer to a read or a write: `meter_type`, `address`, `function`, `id`, `data`; after a write also `status`
    /// where the meter sends it.
    MTR_CJT188_DATA = 1,
    /// The answer to mtr_cjt188_master_read_address: `meter_type`, `address`.
    MTR_CJT188_ADDRESS = 2,
    /// The answer to mtr_cjt188_master_vendor: `meter_type`, `address`, `data`.
    MTR_CJT188_VENDOR = 3,
    /// The meter refused: `function`, `data` (one to three bytes), `status`.
    MTR_CJT188_REFUSED = 4,
    /// Nobody answered: asked `tries` times.
    MTR_CJT188_TIMED_OUT = 5,
    /// An event of a later version of this library.
    MTR_CJT188_OTHER = 255,
}
use mtr_cjt188_event_kind as Kind;

/// How a question ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_event {
    /// What happened; decides which of the other fields hold something. The rest is 0.
    pub kind: mtr_cjt188_event_kind,
    /// The meter.
    pub address: mtr_cjt188_address,
    /// The meter's type.
    pub meter_type: u8,
    /// The function, bits 5 to 0 of the control code.
    pub function: u8,
    /// How often was asked.
    pub tries: u8,
    /// 1: `status` was sent.
    pub has_status: u8,
    /// ST; the second byte is 0 where the meter sends one.
    pub status: mtr_cjt188_status,
    /// The identifier.
    pub id: u16,
    /// The data behind identifier and running number; inside the master, valid until its next call.
    pub data: *const u8,
    /// Number of data bytes.
    pub data_len: usize,
}

impl mtr_cjt188_event {
    fn new(event: Event<'_>) -> Self {
        let status = event
            .refusal()
            .map(|refusal| refusal.status)
            .or(event.status());
        let mut out = mtr_cjt188_event {
            kind: Kind::MTR_CJT188_OTHER,
            address: mtr_cjt188_address { digits: [0; 7] },
            meter_type: 0,
            function: 0,
            tries: 0,
            has_status: status.is_some().into(),
            status: mtr_cjt188_status {
                bytes: status.unwrap_or_default().0,
            },
            id: 0,
            data: core::ptr::null(),
            data_len: 0,
        };
        let mut from = |kind, meter_type: MeterType, address: Address, data: &[u8]| {
            out.kind = kind;
            (out.meter_type, out.address) = (meter_type.0, address.into());
            (out.data, out.data_len) = (data.as_ptr(), data.len());
        };
        match event {
            Event::Data {
                meter_type,
                address,
                function,
                id,
                data,
            } => {
                from(Kind::MTR_CJT188_DATA, meter_type, address, data);
                (out.function, out.id) = (function.0, id.0);
            }
            Event::Address {
                meter_type,
                address,
            } => from(Kind::MTR_CJT188_ADDRESS, meter_type, address, &[]),
            Event::Vendor {
                meter_type,
                address,
                data,
            } => from(Kind::MTR_CJT188_VENDOR, meter_type, address, data),
            Event::Refused { function, data } => {
                (out.kind, out.function) = (Kind::MTR_CJT188_REFUSED, function.0);
                (out.data, out.data_len) = (data.as_ptr(), data.len());
            }
            Event::TimedOut { tries } => {
                (out.kind, out.tries) = (Kind::MTR_CJT188_TIMED_OUT, tries);
            }
            _ => {}
        }
        out
    }
}

fn asked(result: Result<(), AskError>) -> Checked<()> {
    result.map_err(|error| match error {
        AskError::Busy => mtr_result::MTR_ERR_BUSY,
        AskError::TooLong(_) => mtr_result::MTR_ERR_LENGTH,
        AskError::Value(_) => mtr_result::MTR_ERR_VALUE,
        _ => mtr_result::MTR_ERR_PARAMETER,
    })
}

/// Makes a master in `storage` of `size` bytes (at least MTR_CJT188_MASTER_SIZE, aligned to MTR_ALIGN) and puts its
/// handle into `master`. It sends identifiers in `order` (MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST, else
/// MTR_ERR_PARAMETER); answers may come in either.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_init(
    storage: *mut c_void,
    size: usize,
    timing: *const mtr_timing,
    order: u8,
    master: *mut *mut mtr_cjt188_master,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, timing) = unsafe {
            (
                border.storage(storage, size, master)?,
                border.given(timing)?,
            )
        };
        let order = order_of(order)?;
        storage.fill(Master::new((*timing).into(), order));
        Ok(())
    })
}

/// Other waiting times from the next request on.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_set_timing(
    master: *mut mtr_cjt188_master,
    timing: *const mtr_timing,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, timing) = unsafe { (border.object_mut(master)?, border.given(timing)?) };
        master.set_timing((*timing).into());
        Ok(())
    })
}

/// How the meter that is asked next speaks: the order of identifiers (MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST, else
/// MTR_ERR_PARAMETER), how many FE go in front of a request (at most 4, which is the beginning too; more count as 4), and
/// whether its answers may carry the wildcard instead of its address (1).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_set_dialect(
    master: *mut mtr_cjt188_master,
    order: u8,
    preamble: u8,
    wildcard_answers: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        master.set_order(order_of(order)?);
        master.set_preamble(preamble.into());
        master.accept_wildcard_answers(wildcard_answers != 0);
        Ok(())
    })
}

/// Reads `id` (01): 0x901F present data, 0x911F heat and cold, 0xD120 to 0xD12B settlements, and others. Ends in
/// MTR_CJT188_DATA; see mtr_cjt188_decode. MTR_ERR_BUSY: the last question is not answered, or its event was not taken.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_read(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
    address: mtr_cjt188_address,
    id: u16,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        asked(master.read(now, MeterType(meter_type), address.into(), DataId(id)))
    })
}

/// Asks the only meter on the line for its address (03). Ends in MTR_CJT188_ADDRESS. MTR_ERR_BUSY as with
/// mtr_cjt188_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_read_address(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        asked(master.read_address(now, MeterType(meter_type)))
    })
}

/// Reads the version of the meter's key (09). Ends in MTR_CJT188_DATA. MTR_ERR_BUSY as with mtr_cjt188_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_read_key_version(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
    address: mtr_cjt188_address,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        asked(master.read_key_version(now, MeterType(meter_type), address.into()))
    })
}

/// Opens (MTR_CJT188_OPEN) or closes (MTR_CJT188_CLOSE) the valve. Ends in MTR_CJT188_DATA, with `status` where the meter
/// sends it. MTR_ERR_PARAMETER for another `valve`, MTR_ERR_BUSY as with mtr_cjt188_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_valve(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
    address: mtr_cjt188_address,
    valve: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        let order = match valve {
            MTR_CJT188_OPEN => ValveOrder::Open,
            MTR_CJT188_CLOSE => ValveOrder::Close,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        asked(master.valve(now, MeterType(meter_type), address.into(), order))
    })
}

/// Writes a value with the function that belongs to its identifier: prices (0xA010), settlement and reading day (0xA011,
/// 0xA012), a purchase (0xA013), a key (0xA014), the clock (0xA015), the motor (0xA016), the address (0xA018), the end of
/// the factory mode (0xA019). Ends in MTR_CJT188_DATA. A purchase is sent once only: a meter may take its repeat for a
/// second one. MTR_ERR_VALUE when the value does not suit the identifier, MTR_ERR_BUSY as with mtr_cjt188_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_write(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
    address: mtr_cjt188_address,
    id: u16,
    value: *const mtr_cjt188_value,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, value) = unsafe { (border.object_mut(master)?, border.given(value)?) };
        let value = value.own()?;
        asked(master.write(
            now,
            MeterType(meter_type),
            address.into(),
            DataId(id),
            &value,
        ))
    })
}

/// Puts any question: `len` bytes behind identifier and running number, under `function` (0x01 read, 0x04 write). Ends in
/// MTR_CJT188_DATA. MTR_ERR_LENGTH above 125 bytes, MTR_ERR_PARAMETER for a function above 0x3F, MTR_ERR_BUSY as with
/// mtr_cjt188_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_ask(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
    address: mtr_cjt188_address,
    function: u8,
    id: u16,
    data: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, data) = unsafe { (border.object_mut(master)?, border.slice(data, len)?) };
        if function > 0x3F {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        asked(master.ask(
            now,
            MeterType(meter_type),
            address.into(),
            Function(function),
            DataId(id),
            data,
        ))
    })
}

/// Puts a question of the vendor's own (2A) with these `len` bytes and nothing in front of them, once only: nobody knows
/// what a repeat would do. Ends in MTR_CJT188_VENDOR. MTR_ERR_LENGTH above MTR_CJT188_DATA_MAX bytes, MTR_ERR_BUSY as with
/// mtr_cjt188_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_vendor(
    master: *mut mtr_cjt188_master,
    now: u64,
    meter_type: u8,
    address: mtr_cjt188_address,
    data: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, data) = unsafe { (border.object_mut(master)?, border.slice(data, len)?) };
        asked(master.vendor(now, MeterType(meter_type), address.into(), data))
    })
}

/// Takes `len` bytes from the line, all of them.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_handle_bytes(
    master: *mut mtr_cjt188_master,
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

/// To be called when the time of mtr_cjt188_master_poll_timeout has passed: asks again or gives up.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_handle_timeout(
    master: *mut mtr_cjt188_master,
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
pub unsafe extern "C" fn mtr_cjt188_master_poll_transmit(
    master: *mut mtr_cjt188_master,
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
pub unsafe extern "C" fn mtr_cjt188_master_poll_event(
    master: *mut mtr_cjt188_master,
    event: *mut mtr_cjt188_event,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, event) = unsafe { (border.object_mut(master)?, border.place(event)?) };
        let happened = master.poll_event().ok_or(mtr_result::MTR_MORE)?;
        event.write(mtr_cjt188_event::new(happened));
        Ok(())
    })
}

/// When to call mtr_cjt188_master_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_master_poll_timeout(
    master: *const mtr_cjt188_master,
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
pub unsafe extern "C" fn mtr_cjt188_master_statistics(
    master: *const mtr_cjt188_master,
    refusals: *mut mtr_cjt188_refusals,
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
