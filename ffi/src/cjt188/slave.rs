//! The meter's side: questions come in, callbacks of the caller answer.

use core::ffi::c_void;

use ::cjt188::{
    Address, Application, DataId, Dialect, Function, IdOrder, MeterType, Quantity, RefusalForm,
    Slave, SlaveEvent, Status, ValveOrder,
};

use super::frame::order_of;
use super::{mtr_cjt188_address, mtr_cjt188_quantity, mtr_cjt188_refusals, mtr_cjt188_status};
use crate::border::{Plain, call};
use crate::line::mtr_timing;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_cjt188_slave.
pub const MTR_CJT188_SLAVE_SIZE: usize = 448;

/// The answer of mtr_cjt188_application.write and vendor for what the meter does not know: it stays silent.
pub const MTR_CJT188_SILENT: i32 = -1;

/// Identifiers of answers stand in the order of the request.
pub const MTR_CJT188_ORDER_OF_REQUEST: u8 = 2;
/// A refusal holds the running number and ST, as the text has it.
pub const MTR_CJT188_REFUSAL_SERIAL: u8 = 0;
/// A refusal holds ST.
pub const MTR_CJT188_REFUSAL_STATUS: u8 = 1;
/// A refusal holds the first byte of ST.
pub const MTR_CJT188_REFUSAL_BYTE: u8 = 2;

/// A meter on a half-duplex line. Opaque.
///
/// The loop is that of mtr_dlt645_slave: hand in bytes with mtr_cjt188_slave_handle_bytes until it has taken all; send
/// what mtr_cjt188_slave_poll_transmit gives; when the time of mtr_cjt188_slave_poll_timeout has passed, call
/// mtr_cjt188_slave_handle_timeout and look at poll_transmit again: the answer waits for the turnaround time.
pub struct mtr_cjt188_slave {
    _opaque: [u8; 0],
}

/// What the meter does: callbacks with a context. They run inside mtr_cjt188_slave_handle_bytes and
/// mtr_cjt188_slave_handle_timeout only, on the caller's thread and stack, and must return; calls on the same slave from
/// there answer MTR_ERR_BUSY. `read` is needed; of the others `write` and `vendor` stay silent when they are NULL, the
/// rest refuses. Pointers that a callback gets are valid until it returns. A callback answers 0 when it is done, and
/// another number to refuse with ST in `status`, which begins as zeros.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_application {
    /// Handed to every callback as it is.
    pub context: *mut c_void,
    /// The meter's own address.
    pub address: mtr_cjt188_address,
    /// The meter's type. Requests to it and to MTR_CJT188_ANY are heard.
    pub meter_type: u8,
    /// Another type whose requests are heard; the same once more when there is none.
    pub also_hears: u8,
    /// Writes the data of `id` behind the running number to `out` (at most `capacity` bytes) and their length to `len`;
    /// see mtr_cjt188_encode_value.
    pub read: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: u16,
            out: *mut u8,
            capacity: usize,
            len: *mut usize,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
    /// Moves the valve (MTR_CJT188_OPEN, MTR_CJT188_CLOSE) and fills in ST after the order.
    pub valve: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            valve: u8,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
    /// Fills in the version of the key.
    pub key_version: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            version: *mut u8,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
    /// Takes a new address; the answer still goes out under the old one. Put it into `address` of this structure before
    /// the next call.
    pub write_address: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            address: mtr_cjt188_address,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
    /// Sets what the motor shows.
    pub synchronise: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            total: *const mtr_cjt188_quantity,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
    /// Every other write: takes what stands behind the running number (see mtr_cjt188_decode), writes what is to stand
    /// there in the answer to `out`, usually nothing, and its length to `out_len`. Also answers MTR_CJT188_SILENT.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            function: u8,
            id: u16,
            data: *const u8,
            len: usize,
            out: *mut u8,
            capacity: usize,
            out_len: *mut usize,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
    /// The vendor's own function: takes all data of the request and writes all data of the answer. Also answers
    /// MTR_CJT188_SILENT.
    pub vendor: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            data: *const u8,
            len: usize,
            out: *mut u8,
            capacity: usize,
            out_len: *mut usize,
            status: *mut mtr_cjt188_status,
        ) -> i32,
    >,
}

// SAFETY: integers, a raw pointer and nullable functions, of which any address is a value.
unsafe impl Plain for mtr_cjt188_application {}

const ZEROS: mtr_cjt188_status = mtr_cjt188_status { bytes: [0; 2] };

/// An answer of a callback with the ST it filled in.
fn done<T>(answer: i32, value: T, status: mtr_cjt188_status) -> Result<T, Status> {
    match answer {
        0 => Ok(value),
        _ => Err(Status(status.bytes)),
    }
}

/// The same with the length it says it wrote; more than there is room for is a refusal.
fn written(
    answer: i32,
    len: usize,
    capacity: usize,
    status: mtr_cjt188_status,
) -> Result<usize, Status> {
    done(answer, len, status).and_then(|len| {
        if len <= capacity {
            Ok(len)
        } else {
            Err(Status(status.bytes))
        }
    })
}

impl Application for mtr_cjt188_application {
    fn meter_type(&self) -> MeterType {
        MeterType(self.meter_type)
    }

    fn address(&self) -> Address {
        self.address.into()
    }

    fn hears(&self, meter_type: MeterType) -> bool {
        let own = [MeterType(self.meter_type), MeterType(self.also_hears)];
        own.contains(&meter_type) || meter_type == MeterType::ANY
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        let read = self.read.ok_or(Status::default())?;
        let (mut len, mut status) = (0, ZEROS);
        // SAFETY: the caller's function keeps to the header; the pointers are live for the call.
        let answer = unsafe {
            read(
                self.context,
                id.0,
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
                &raw mut status,
            )
        };
        written(answer, len, out.len(), status)
    }

    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        let valve = self.valve.ok_or(Status::default())?;
        let mut status = ZEROS;
        // SAFETY: as in `read`.
        let answer = unsafe { valve(self.context, order.code(), &raw mut status) };
        done(answer, Status(status.bytes), status)
    }

    fn key_version(&mut self) -> Result<u8, Status> {
        let key_version = self.key_version.ok_or(Status::default())?;
        let (mut version, mut status) = (0, ZEROS);
        // SAFETY: as in `read`.
        let answer = unsafe { key_version(self.context, &raw mut version, &raw mut status) };
        done(answer, version, status)
    }

    fn write_address(&mut self, address: Address) -> Result<(), Status> {
        let write = self.write_address.ok_or(Status::default())?;
        let mut status = ZEROS;
        // SAFETY: as in `read`.
        let answer = unsafe { write(self.context, address.into(), &raw mut status) };
        done(answer, (), status)
    }

    fn synchronise(&mut self, total: Quantity) -> Result<(), Status> {
        let synchronise = self.synchronise.ok_or(Status::default())?;
        let (total, mut status) = (mtr_cjt188_quantity::from(total), ZEROS);
        // SAFETY: as in `read`.
        let answer = unsafe { synchronise(self.context, &raw const total, &raw mut status) };
        done(answer, (), status)
    }

    fn write(
        &mut self,
        function: Function,
        id: DataId,
        data: &[u8],
        out: &mut [u8],
    ) -> Option<Result<usize, Status>> {
        let write = self.write?;
        let (mut len, mut status) = (0, ZEROS);
        // SAFETY: as in `read`.
        let answer = unsafe {
            write(
                self.context,
                function.0,
                id.0,
                data.as_ptr(),
                data.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
                &raw mut status,
            )
        };
        (answer != MTR_CJT188_SILENT).then(|| written(answer, len, out.len(), status))
    }

    fn vendor(&mut self, data: &[u8], out: &mut [u8]) -> Option<Result<usize, Status>> {
        let vendor = self.vendor?;
        let (mut len, mut status) = (0, ZEROS);
        // SAFETY: as in `read`.
        let answer = unsafe {
            vendor(
                self.context,
                data.as_ptr(),
                data.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
                &raw mut status,
            )
        };
        (answer != MTR_CJT188_SILENT).then(|| written(answer, len, out.len(), status))
    }
}

/// What a slave did with a frame.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_cjt188_slave_event_kind {
    /// A request was answered.
    MTR_CJT188_SLAVE_ANSWERED = 1,
    /// A request was answered with a refusal.
    MTR_CJT188_SLAVE_REFUSED = 2,
    /// A frame for this meter said nothing known, or was a broadcast; no answer.
    MTR_CJT188_SLAVE_NOT_ANSWERED = 3,
    /// An event of a later version of this library.
    MTR_CJT188_SLAVE_OTHER = 255,
}

/// What a slave did with a frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_slave_event {
    /// What happened.
    pub kind: mtr_cjt188_slave_event_kind,
    /// The function of the request.
    pub function: u8,
}

/// Makes a slave in `storage` of `size` bytes (at least MTR_CJT188_SLAVE_SIZE, aligned to MTR_ALIGN) and puts its handle
/// into `slave`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_init(
    storage: *mut c_void,
    size: usize,
    timing: *const mtr_timing,
    slave: *mut *mut mtr_cjt188_slave,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, timing) =
            unsafe { (border.storage(storage, size, slave)?, border.given(timing)?) };
        storage.fill(Slave::new((*timing).into()));
        Ok(())
    })
}

/// How the meter speaks from the next answer on. `order` of identifiers: MTR_CJT188_ORDER_OF_REQUEST (as in the
/// beginning), MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST; `refusal`: MTR_CJT188_REFUSAL_... (in the beginning
/// MTR_CJT188_REFUSAL_SERIAL); `address_in_data`: 1 when the answer to a read of the address repeats it behind the
/// running number; `preamble`: how many FE go in front of an answer, at most 4. MTR_ERR_PARAMETER for other numbers.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_set_dialect(
    slave: *mut mtr_cjt188_slave,
    order: u8,
    refusal: u8,
    address_in_data: u8,
    preamble: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let slave = unsafe { border.object_mut(slave) }?;
        let order: Option<IdOrder> = match order {
            MTR_CJT188_ORDER_OF_REQUEST => None,
            fixed => Some(order_of(fixed)?),
        };
        let refusal = match refusal {
            MTR_CJT188_REFUSAL_SERIAL => RefusalForm::SerialAndStatus,
            MTR_CJT188_REFUSAL_STATUS => RefusalForm::Status,
            MTR_CJT188_REFUSAL_BYTE => RefusalForm::OneByte,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        if preamble > 4 {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        slave.set_dialect(Dialect {
            order,
            address_in_data: address_in_data != 0,
            refusal,
        });
        slave.set_preamble(preamble.into());
        Ok(())
    })
}

/// Takes bytes from the line and puts their number into `used`: it stops behind a request that has an answer, so that no
/// answer is lost. Send that, then hand in the rest. MTR_ERR_CALLBACK when `read` is NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_handle_bytes(
    slave: *mut mtr_cjt188_slave,
    now: u64,
    bytes: *const u8,
    len: usize,
    application: *const mtr_cjt188_application,
    used: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((slave, _entered), bytes, application, used) = unsafe {
            (
                border.enter(slave)?,
                border.slice(bytes, len)?,
                border.given(application)?,
                border.place(used)?,
            )
        };
        application.read.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        used.write(slave.handle_bytes(now, bytes, &mut { *application }));
        Ok(())
    })
}

/// To be called when the time of mtr_cjt188_slave_poll_timeout has passed. MTR_ERR_CALLBACK when `read` is NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_handle_timeout(
    slave: *mut mtr_cjt188_slave,
    now: u64,
    application: *const mtr_cjt188_application,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((slave, _entered), application) =
            unsafe { (border.enter(slave)?, border.given(application)?) };
        application.read.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        slave.handle_timeout(now, &mut { *application });
        Ok(())
    })
}

/// The bytes of an answer that may go now, once: `bytes` points into the slave and is valid until its next call.
/// MTR_MORE: nothing to send.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_poll_transmit(
    slave: *mut mtr_cjt188_slave,
    bytes: *mut *const u8,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, bytes, len) = unsafe {
            (
                border.object_mut(slave)?,
                border.place(bytes)?,
                border.place(len)?,
            )
        };
        let out = slave.poll_transmit().ok_or(mtr_result::MTR_MORE)?;
        bytes.write(out.as_ptr());
        len.write(out.len());
        Ok(())
    })
}

/// What happened to the last frame for this meter, once. MTR_MORE: nothing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_poll_event(
    slave: *mut mtr_cjt188_slave,
    event: *mut mtr_cjt188_slave_event,
) -> mtr_result {
    use mtr_cjt188_slave_event_kind as Kind;
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, event) = unsafe { (border.object_mut(slave)?, border.place(event)?) };
        let (kind, function) = match slave.poll_event().ok_or(mtr_result::MTR_MORE)? {
            SlaveEvent::Answered(function) => (Kind::MTR_CJT188_SLAVE_ANSWERED, function.0),
            SlaveEvent::Refused(function) => (Kind::MTR_CJT188_SLAVE_REFUSED, function.0),
            SlaveEvent::NotAnswered(function) => (Kind::MTR_CJT188_SLAVE_NOT_ANSWERED, function.0),
            _ => (Kind::MTR_CJT188_SLAVE_OTHER, 0),
        };
        event.write(mtr_cjt188_slave_event { kind, function });
        Ok(())
    })
}

/// When to call mtr_cjt188_slave_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_poll_timeout(
    slave: *const mtr_cjt188_slave,
    at: *mut u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, at) = unsafe { (border.object(slave)?, border.place(at)?) };
        at.write(slave.poll_timeout().ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// What came from the line and was no request.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_slave_refusals(
    slave: *const mtr_cjt188_slave,
    refusals: *mut mtr_cjt188_refusals,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, refusals) = unsafe { (border.object(slave)?, border.place(refusals)?) };
        refusals.write(slave.refusals().into());
        Ok(())
    })
}
