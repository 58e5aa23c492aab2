//! The meter's side: questions come in, callbacks of the caller answer.

use core::ffi::c_void;

use ::dlt645::{
    Address, Application, Authority, Control, DataId, DataId1997, ElementRefused, Err645, Message,
    MeterElement, Operator, Password, Protection, SecurityErr, Slave, SlaveEvent, Stamp, Subject,
    level_of,
};

use super::{
    mtr_dlt645_address, mtr_dlt645_authority, mtr_dlt645_control, mtr_dlt645_refusals, mtr_stamp,
};
use crate::border::{Plain, call};
use crate::line::mtr_timing;
use crate::result::mtr_result;

/// Bytes of storage of an mtr_dlt645_slave, without the buffer for answers that lies behind it.
pub const MTR_DLT645_SLAVE_SIZE: usize = 912;

/// ERR: other error.
pub const MTR_DLT645_ERR_OTHER: u8 = 0x01;
/// ERR: no such data.
pub const MTR_DLT645_ERR_NO_DATA: u8 = 0x02;
/// ERR: wrong password, not authorised, or not writable.
pub const MTR_DLT645_ERR_NOT_AUTHORISED: u8 = 0x04;
/// ERR: the rate cannot be changed.
pub const MTR_DLT645_ERR_RATE: u8 = 0x08;
/// The answer of mtr_dlt645_application.other for a function that the meter does not know: it stays silent.
pub const MTR_DLT645_SILENT: i32 = -1;

/// A meter on a half-duplex line. Opaque.
///
/// The loop: hand in bytes with mtr_dlt645_slave_handle_bytes until it has taken all; send what
/// mtr_dlt645_slave_poll_transmit gives; when the time of mtr_dlt645_slave_poll_timeout has passed, call
/// mtr_dlt645_slave_handle_timeout and look at poll_transmit again: the answer waits for the turnaround time.
pub struct mtr_dlt645_slave {
    _opaque: [u8; 0],
}

/// What the meter does: callbacks with a context. They run inside mtr_dlt645_slave_handle_bytes and
/// mtr_dlt645_slave_handle_timeout only, on the caller's thread and stack, and must return; calls on the same slave
/// from there answer MTR_ERR_BUSY. `read` is needed; a callback that is NULL refuses. Pointers that a callback gets
/// are valid until it returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_application {
    /// Handed to every callback as it is.
    pub context: *mut c_void,
    /// The meter's own full address.
    pub address: mtr_dlt645_address,
    /// Writes the value of `id` to `out` (at most `capacity` bytes) as it goes on the line, low byte first and without
    /// 33H, and its length to `len`; `rest` is what a request of class 06 adds. Answers 0, or the bits of ERR.
    pub read: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: u32,
            rest: *const u8,
            rest_len: usize,
            out: *mut u8,
            capacity: usize,
            len: *mut usize,
        ) -> u8,
    >,
    /// Sets `id` to `data`. Checking the password is the callback's, unless the slave has a guard. Answers 0, or the
    /// bits of ERR.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: u32,
            authority: *const mtr_dlt645_authority,
            data: *const u8,
            len: usize,
        ) -> u8,
    >,
    /// Carries out an order of function 1C. Answers 0, or the bits of ERR.
    pub control: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            authority: *const mtr_dlt645_authority,
            control: *const mtr_dlt645_control,
        ) -> u8,
    >,
    /// Function 03: takes `data`, writes the answer behind the identifier to `out` and its length to `out_len`.
    /// Answers 0, or the bits of SERR.
    pub security: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: u32,
            operator_code: u32,
            data: *const u8,
            len: usize,
            out: *mut u8,
            capacity: usize,
            out_len: *mut usize,
        ) -> u16,
    >,
    /// Function 08: somebody tells the time.
    pub set_time: Option<unsafe extern "C" fn(context: *mut c_void, time: *const mtr_stamp)>,
    /// Function 15: a new address; answers 1 when it was taken.
    pub write_address:
        Option<unsafe extern "C" fn(context: *mut c_void, address: mtr_dlt645_address) -> u8>,
    /// The meter's clock: fills in `time` and answers 1, or answers 0 when it does not know the time. With it orders
    /// that have expired are refused by the slave itself.
    pub clock: Option<unsafe extern "C" fn(context: *mut c_void, time: *mut mtr_stamp) -> u8>,
    /// Every other function (16 to 1B, 1D, protected blocks): takes the plain data of the request, writes the data of
    /// the answer to `out` and its length to `out_len`. Answers 0, the bits of ERR, or MTR_DLT645_SILENT.
    pub other: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            function: u8,
            data: *const u8,
            len: usize,
            out: *mut u8,
            capacity: usize,
            out_len: *mut usize,
        ) -> i32,
    >,
    /// The meter's secure element: writes the plain form of `protected_data` to `out` (at most `capacity` bytes) and its
    /// length to `out_len`, if its MAC is right and the identity authentication of the reader is still valid. Answers 0,
    /// anything else to refuse. With it the slave opens what comes under `level` MTR_DLT645_CIPHER or MTR_DLT645_MAC, and
    /// `write`, `control` and `other` get the plain request; the level of its authority tells how it came. `function` is
    /// 0x14, 0x1A, 0x1B or 0x1C, `id` what is written, 0 for orders.
    pub open: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            level: u8,
            function: u8,
            id: u32,
            protected_data: *const u8,
            len: usize,
            out: *mut u8,
            capacity: usize,
            out_len: *mut usize,
        ) -> i32,
    >,
    /// The password level, 0 to 9, that a write of `id` needs; asked only of a slave with a guard. Without it the levels
    /// are those of the standard.
    pub level: Option<unsafe extern "C" fn(context: *mut c_void, id: u32) -> u8>,
    /// As `read`, for the two-byte identifiers of 1997.
    pub read_1997: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: u16,
            out: *mut u8,
            capacity: usize,
            len: *mut usize,
        ) -> u8,
    >,
    /// As `write`, for 1997; the password has PA in its low byte.
    pub write_1997: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: u16,
            password: u32,
            data: *const u8,
            len: usize,
        ) -> u8,
    >,
}

// SAFETY: integers, a raw pointer and nullable functions, of which any address is a value.
unsafe impl Plain for mtr_dlt645_application {}

/// An answer of a callback and the length it says it wrote.
fn written(err: u8, len: usize, capacity: usize) -> Result<usize, Err645> {
    match err {
        0 if len <= capacity => Ok(len),
        0 => Err(Err645::OTHER),
        bits => Err(Err645(bits)),
    }
}

fn done(err: u8) -> Result<(), Err645> {
    match err {
        0 => Ok(()),
        bits => Err(Err645(bits)),
    }
}

impl Application for mtr_dlt645_application {
    fn address(&self) -> Address {
        self.address.into()
    }

    fn read(&mut self, id: DataId, rest: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        let read = self.read.ok_or(Err645::NO_DATA)?;
        let mut len = 0;
        // SAFETY: the caller's function keeps to the header; the pointers are live for the call.
        let err = unsafe {
            read(
                self.context,
                id.0,
                rest.as_ptr(),
                rest.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        written(err, len, out.len())
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        let write = self.write.ok_or(Err645::NOT_AUTHORISED)?;
        let authority = mtr_dlt645_authority::from(*authority);
        // SAFETY: as in `read`.
        done(unsafe {
            write(
                self.context,
                id.0,
                &raw const authority,
                data.as_ptr(),
                data.len(),
            )
        })
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        let order = self.control.ok_or(Err645::NOT_AUTHORISED)?;
        let authority = mtr_dlt645_authority::from(*authority);
        let control = mtr_dlt645_control::from(*control);
        // SAFETY: as in `read`.
        done(unsafe { order(self.context, &raw const authority, &raw const control) })
    }

    fn security(
        &mut self,
        id: DataId,
        operator: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        let security = self.security.ok_or(SecurityErr::OTHER)?;
        let mut len = 0;
        // SAFETY: as in `read`.
        let err = unsafe {
            security(
                self.context,
                id.0,
                operator.0,
                data.as_ptr(),
                data.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        match err {
            0 if len <= out.len() => Ok(len),
            0 => Err(SecurityErr::OTHER),
            bits => Err(SecurityErr(bits)),
        }
    }

    fn set_time(&mut self, stamp: Stamp) {
        if let Some(set_time) = self.set_time {
            let stamp = mtr_stamp::from(stamp);
            // SAFETY: as in `read`.
            unsafe { set_time(self.context, &raw const stamp) };
        }
    }

    fn write_address(&mut self, address: Address) -> bool {
        self.write_address
            // SAFETY: as in `read`.
            .is_some_and(|write| unsafe { write(self.context, address.into()) } == 1)
    }

    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let other = self.other?;
        let mut plain = [0; ::dlt645::DATA_MAX];
        let plain_len = message.encode(&mut plain).ok()?;
        let mut len = 0;
        // SAFETY: as in `read`.
        let answer = unsafe {
            other(
                self.context,
                message.control().function().0,
                plain.as_ptr(),
                plain_len,
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        let err = u8::try_from(answer).ok()?;
        Some(written(err, len, out.len()))
    }

    fn level(&self, id: DataId) -> u8 {
        match self.level {
            // SAFETY: as in `read`.
            Some(level) => unsafe { level(self.context, id.0) },
            None => level_of(id),
        }
    }

    fn element(&mut self) -> Option<&mut dyn MeterElement> {
        self.open?;
        Some(self)
    }

    fn clock(&self) -> Option<Stamp> {
        let clock = self.clock?;
        let mut time = mtr_stamp::from(Stamp::default());
        // SAFETY: as in `read`.
        let known = unsafe { clock(self.context, &raw mut time) } == 1;
        known.then(|| time.into())
    }

    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        let read = self.read_1997.ok_or(Err645::UNKNOWN_ID_1997)?;
        let mut len = 0;
        // SAFETY: as in `read`.
        let err = unsafe {
            read(
                self.context,
                id.0,
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        written(err, len, out.len())
    }

    fn write_1997(
        &mut self,
        id: DataId1997,
        password: Password,
        data: &[u8],
    ) -> Result<(), Err645> {
        let write = self.write_1997.ok_or(Err645::PASSWORD_1997)?;
        let password = u32::from_le_bytes(password.line());
        // SAFETY: as in `read`.
        done(unsafe { write(self.context, id.0, password, data.as_ptr(), data.len()) })
    }
}

impl MeterElement for mtr_dlt645_application {
    fn open(
        &mut self,
        protection: Protection,
        subject: Subject,
        protected: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let open = self.open.ok_or(ElementRefused)?;
        let mut len = 0;
        // SAFETY: as in `read`.
        let answer = unsafe {
            open(
                self.context,
                protection as u8,
                subject.function.0,
                subject.id.map_or(0, |id| id.0),
                protected.as_ptr(),
                protected.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        if answer == 0 && len <= out.len() {
            Ok(len)
        } else {
            // What a refusing callback wrote is not to be used by mistake.
            out.fill(0);
            Err(ElementRefused)
        }
    }
}

/// What a slave did with a frame.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_dlt645_slave_event_kind {
    /// A request was answered with data or "done": `function`.
    MTR_DLT645_SLAVE_ANSWERED = 1,
    /// A request was answered with a refusal: `function`.
    MTR_DLT645_SLAVE_REFUSED = 2,
    /// A broadcast or a time was taken without an answer: `function`.
    MTR_DLT645_SLAVE_HEARD = 3,
    /// A frame for this meter said nothing the edition knows; no answer: `function`.
    MTR_DLT645_SLAVE_NOT_UNDERSTOOD = 4,
    /// The meter agreed to `rate`: send the answer at the old one, switch the port, mtr_dlt645_slave_set_timing.
    MTR_DLT645_SLAVE_SWITCH_RATE = 5,
    /// An event of a later version of this library.
    MTR_DLT645_SLAVE_OTHER = 255,
}

/// What a slave did with a frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_slave_event {
    /// What happened.
    pub kind: mtr_dlt645_slave_event_kind,
    /// Bits per second, or 0.
    pub rate: u32,
    /// The function, bits 4 to 0 of the control code, or 0.
    pub function: u8,
}

/// Makes a slave in `storage` of `size` bytes (at least MTR_DLT645_SLAVE_SIZE, aligned to MTR_ALIGN) and puts its
/// handle into `slave`. What `size` has beyond MTR_DLT645_SLAVE_SIZE is the buffer for answers: 196 bytes for answers
/// of one frame, 1026 for the longest record of the standard.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_init(
    storage: *mut c_void,
    size: usize,
    timing: *const mtr_timing,
    slave: *mut *mut mtr_dlt645_slave,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut storage, timing) =
            unsafe { (border.storage(storage, size, slave)?, border.given(timing)?) };
        let buffer = storage.buffer();
        storage.fill(Slave::new(buffer, (*timing).into()));
        Ok(())
    })
}

/// Other waiting times from now on, as after a change of the rate.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_set_timing(
    slave: *mut mtr_dlt645_slave,
    timing: *const mtr_timing,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, timing) = unsafe { (border.object_mut(slave)?, border.given(timing)?) };
        slave.set_timing((*timing).into());
        Ok(())
    })
}

/// Whether the meter also answers the 1997 edition (1) or not (0, as in the beginning).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_answer_1997(
    slave: *mut mtr_dlt645_slave,
    answer: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(slave) }?.answer_1997(answer != 0);
        Ok(())
    })
}

/// Takes bytes from the line and puts their number into `used`: it stops behind a request that has an answer, so that
/// no answer is lost. Send that, then hand in the rest. MTR_ERR_CALLBACK when `read` is NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_handle_bytes(
    slave: *mut mtr_dlt645_slave,
    now: u64,
    bytes: *const u8,
    len: usize,
    application: *const mtr_dlt645_application,
    used: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, bytes, application, used) = unsafe {
            (
                border.enter(slave)?,
                border.slice(bytes, len)?,
                border.given(application)?,
                border.place(used)?,
            )
        };
        application.read.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        let (slave, _entered) = slave;
        used.write(slave.handle_bytes(now, bytes, &mut { *application }));
        Ok(())
    })
}

/// To be called when the time of mtr_dlt645_slave_poll_timeout has passed. MTR_ERR_CALLBACK when `read` is NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_handle_timeout(
    slave: *mut mtr_dlt645_slave,
    now: u64,
    application: *const mtr_dlt645_application,
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
pub unsafe extern "C" fn mtr_dlt645_slave_poll_transmit(
    slave: *mut mtr_dlt645_slave,
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
pub unsafe extern "C" fn mtr_dlt645_slave_poll_event(
    slave: *mut mtr_dlt645_slave,
    event: *mut mtr_dlt645_slave_event,
) -> mtr_result {
    use mtr_dlt645_slave_event_kind as Kind;
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, event) = unsafe { (border.object_mut(slave)?, border.place(event)?) };
        let (kind, function, rate) = match slave.poll_event().ok_or(mtr_result::MTR_MORE)? {
            SlaveEvent::Answered(function) => (Kind::MTR_DLT645_SLAVE_ANSWERED, function.0, 0),
            SlaveEvent::Refused(function) => (Kind::MTR_DLT645_SLAVE_REFUSED, function.0, 0),
            SlaveEvent::Heard(function) => (Kind::MTR_DLT645_SLAVE_HEARD, function.0, 0),
            SlaveEvent::NotUnderstood(function) => {
                (Kind::MTR_DLT645_SLAVE_NOT_UNDERSTOOD, function.0, 0)
            }
            SlaveEvent::SwitchRate(rate) => (Kind::MTR_DLT645_SLAVE_SWITCH_RATE, 0, rate),
            _ => (Kind::MTR_DLT645_SLAVE_OTHER, 0, 0),
        };
        event.write(mtr_dlt645_slave_event {
            kind,
            rate,
            function,
        });
        Ok(())
    })
}

/// When to call mtr_dlt645_slave_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_poll_timeout(
    slave: *const mtr_dlt645_slave,
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
pub unsafe extern "C" fn mtr_dlt645_slave_refusals(
    slave: *const mtr_dlt645_slave,
    refusals: *mut mtr_dlt645_refusals,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, refusals) = unsafe { (border.object(slave)?, border.place(refusals)?) };
        refusals.write(slave.refusals().into());
        Ok(())
    })
}
