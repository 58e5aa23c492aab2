//! What a reader asks for besides reads and writes: freezes, passwords, clearings, outputs, and what goes through a
//! secure element.

use core::ffi::c_void;

use ::dlt645::{
    Address, Control, DataId, Edition, ElementRefused, Function, HostElement, Message, Operator,
    Password, Protection, Subject,
};

use super::master::asked;
use super::{mtr_dlt645_address, mtr_dlt645_authority, mtr_dlt645_control, mtr_dlt645_master};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Level of a protected request: ciphertext and MAC.
pub const MTR_DLT645_CIPHER: u8 = 0x98;
/// Level of a protected request: plaintext and MAC.
pub const MTR_DLT645_MAC: u8 = 0x99;

/// The reader's secure element: a chip, a server that holds the keys, or a software one. Every callback answers 0 when it
/// is done and anything else to refuse. They run inside the call they are given to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_host_element {
    /// Handed to every callback as it is.
    pub context: *mut c_void,
    /// Writes the 24 bytes of a request for identity authentication of `meter`: cipher 1, random 1, diversifier, each from
    /// its last byte to its first as on the line.
    pub begin: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            meter: mtr_dlt645_address,
            request: *mut u8,
        ) -> i32,
    >,
    /// Writes the protected form of `plain` to `out` (at most `capacity` bytes) and its length to `out_len`: by `level`
    /// (MTR_DLT645_CIPHER, MTR_DLT645_MAC) ciphertext or plaintext and four bytes of MAC. `function` is 0x14, 0x1A, 0x1B or
    /// 0x1C, `id` what is written, 0 for orders.
    pub protect: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            level: u8,
            meter: mtr_dlt645_address,
            function: u8,
            id: u32,
            plain: *const u8,
            len: usize,
            out: *mut u8,
            capacity: usize,
            out_len: *mut usize,
        ) -> i32,
    >,
}

// SAFETY: a raw pointer and nullable functions, of which any address is a value.
unsafe impl Plain for mtr_dlt645_host_element {}

impl HostElement for mtr_dlt645_host_element {
    fn begin(&mut self, meter: Address) -> Result<[u8; 24], ElementRefused> {
        let begin = self.begin.ok_or(ElementRefused)?;
        let mut request = [0; 24];
        // SAFETY: the caller's function keeps to the header; the pointers are live for the call.
        let answer = unsafe { begin(self.context, meter.into(), request.as_mut_ptr()) };
        (answer == 0).then_some(request).ok_or(ElementRefused)
    }

    /// The answer of the meter is an event: the caller has it, and gives it to its element itself.
    fn finish(&mut self, _: Address, _: [u8; 12]) -> Result<(), ElementRefused> {
        Err(ElementRefused)
    }

    fn protect(
        &mut self,
        protection: Protection,
        subject: Subject,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let protect = self.protect.ok_or(ElementRefused)?;
        let mut len = 0;
        // SAFETY: as in `begin`.
        let answer = unsafe {
            protect(
                self.context,
                protection as u8,
                subject.meter.into(),
                subject.function.0,
                subject.id.map_or(0, |id| id.0),
                plain.as_ptr(),
                plain.len(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        (answer == 0 && len <= out.len())
            .then_some(len)
            .ok_or(ElementRefused)
    }
}

fn protection_of(level: u8) -> Checked<Protection> {
    Protection::from_level(level).ok_or(mtr_result::MTR_ERR_PARAMETER)
}

/// Freezes now or at a time (16): `month`, `day`, `hour` and `minute` as decimal numbers, 99 for any; all 99 is at once.
/// `address` may be the broadcast: then nobody answers and no event follows. Else ends in MTR_DLT645_DONE. MTR_ERR_PARAMETER
/// for a number above 99, MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_freeze(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        if [month, day, hour, minute].iter().any(|field| *field > 99) {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let message = Message::Freeze {
            month,
            day,
            hour,
            minute,
        };
        asked(master.ask(now, address.into(), &message))
    })
}

/// Gives the meter a new address (15), which it takes only with its programming button held; `address` is usually the
/// wildcard. Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_write_address(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    new_address: mtr_dlt645_address,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        let message = Message::WriteAddress(new_address.into());
        asked(master.ask(now, address.into(), &message))
    })
}

/// Changes the password `id` (18) from `old` to `new_password`, both with PA in the low byte and then six packed digits.
/// Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_change_password(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
    old: u32,
    new_password: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        let message = Message::ChangePassword {
            id: DataId(id),
            old: Password::from_line(old.to_le_bytes()),
            new: Password::from_line(new_password.to_le_bytes()),
        };
        asked(master.ask(now, address.into(), &message))
    })
}

/// As mtr_dlt645_master_change_password, in the 1997 edition (0F).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_change_password_1997(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    old: u32,
    new_password: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        let message = Message::ChangePassword1997 {
            old: Password::from_line(old.to_le_bytes()),
            new: Password::from_line(new_password.to_le_bytes()),
        };
        asked(master.ask_in(now, Edition::V1997, address.into(), &message))
    })
}

/// Clears the maximum demands (19). Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_clear_demand(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    authority: *const mtr_dlt645_authority,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, authority) = unsafe { (border.object_mut(master)?, border.given(authority)?) };
        let message = Message::ClearDemand((*authority).into());
        asked(master.ask(now, address.into(), &message))
    })
}

/// As mtr_dlt645_master_clear_demand, in the 1997 edition (10) under a password with PA in its low byte.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_clear_demand_1997(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    password: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        let message = Message::ClearDemand1997(Password::from_line(password.to_le_bytes()));
        asked(master.ask_in(now, Edition::V1997, address.into(), &message))
    })
}

/// Clears the whole meter (1A). Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_clear_meter(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    authority: *const mtr_dlt645_authority,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, authority) = unsafe { (border.object_mut(master)?, border.given(authority)?) };
        let message = Message::ClearMeter((*authority).into());
        asked(master.ask(now, address.into(), &message))
    })
}

/// Clears the event records of `id` (1B), 0xFFFFFFFF for all. Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with
/// mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_clear_events(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
    authority: *const mtr_dlt645_authority,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, authority) = unsafe { (border.object_mut(master)?, border.given(authority)?) };
        let message = Message::ClearEvents {
            id: DataId(id),
            authority: (*authority).into(),
        };
        asked(master.ask(now, address.into(), &message))
    })
}

/// What the multi-function output gives (1D): 0 second pulses, 1 demand period, 2 slot switch. Ends in MTR_DLT645_DONE.
/// MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_output(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    output: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let master = unsafe { border.object_mut(master) }?;
        asked(master.ask(now, address.into(), &Message::Output(output)))
    })
}

/// Begins the identity authentication (070000FF) that protected requests need. Ends in MTR_DLT645_SECURITY, whose 12 data
/// bytes are for the element. MTR_ERR_CALLBACK when `begin` is NULL or refuses, MTR_ERR_BUSY as with
/// mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_authenticate(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    operator_code: u32,
    element: *const mtr_dlt645_host_element,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((master, _entered), element) =
            unsafe { (border.enter(master)?, border.given(element)?) };
        asked(
            master.authenticate(now, address.into(), Operator(operator_code), &mut {
                *element
            }),
        )
    })
}

/// Writes `len` bytes to `id` under `level` MTR_DLT645_CIPHER or MTR_DLT645_MAC (14). Ends in MTR_DLT645_DONE.
/// MTR_ERR_PARAMETER for another level, MTR_ERR_CALLBACK when `protect` is NULL or refuses, MTR_ERR_LENGTH when the
/// protected form does not fit a frame, MTR_ERR_BUSY as with mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_write_protected(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    id: u32,
    level: u8,
    operator_code: u32,
    data: *const u8,
    len: usize,
    element: *const mtr_dlt645_host_element,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((master, _entered), data, element) = unsafe {
            (
                border.enter(master)?,
                border.slice(data, len)?,
                border.given(element)?,
            )
        };
        asked(master.write_protected(
            now,
            address.into(),
            DataId(id),
            protection_of(level)?,
            Operator(operator_code),
            data,
            &mut { *element },
        ))
    })
}

/// Relay, alarm or keep power under ciphertext and MAC (`function` 0x1C), or the clearing of the meter (0x1A) or of the
/// events of `id` (0x1B; not looked at otherwise). Ends in MTR_DLT645_DONE or MTR_DLT645_CONTROL_REPORT. MTR_ERR_PARAMETER
/// for another function or a time above 99, MTR_ERR_CALLBACK when `protect` is NULL or refuses, MTR_ERR_BUSY as with
/// mtr_dlt645_master_read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_order_protected(
    master: *mut mtr_dlt645_master,
    now: u64,
    address: mtr_dlt645_address,
    function: u8,
    control: *const mtr_dlt645_control,
    id: u32,
    operator_code: u32,
    element: *const mtr_dlt645_host_element,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((master, _entered), control, element) = unsafe {
            (
                border.enter(master)?,
                border.given(control)?,
                border.given(element)?,
            )
        };
        let id = match function {
            0x1A | 0x1C => None,
            0x1B => Some(DataId(id)),
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        let control = Control::from(*control);
        control.line().ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        asked(master.order_protected(
            now,
            address.into(),
            Function(function),
            control,
            id,
            Operator(operator_code),
            &mut { *element },
        ))
    })
}

/// Whether bytes came since the last question that were no good frame (1): several meters that answer an abbreviated
/// address at once damage each other.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_master_heard_damage(
    master: *const mtr_dlt645_master,
    heard: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (master, heard) = unsafe { (border.object(master)?, border.place(heard)?) };
        heard.write(master.heard_damage().into());
        Ok(())
    })
}
