//! Who may change a meter: passwords, the programming button, the record of what was programmed.

use ::dlt645::{Guard, GuardRules, Password, Slave};

use super::{mtr_dlt645_slave, mtr_stamp};
use crate::border::{Checked, call};
use crate::result::mtr_result;

/// Bytes of a programming record, see mtr_dlt645_slave_poll_programming.
pub const MTR_DLT645_PROGRAMMING_LEN: usize = 50;

/// From now on requests that change something are checked before the callbacks hear of them, and three wrong passwords
/// in a row lock plain access for a day. Begins without any password; `needs_button` is 1 when the programming button
/// must be pressed too (mtr_dlt645_slave_press_button).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_set_guard(
    slave: *mut mtr_dlt645_slave,
    needs_button: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let slave = unsafe { border.object_mut(slave) }?;
        slave.set_guard(Guard::new(GuardRules {
            button: needs_button != 0,
            ..GuardRules::default()
        }));
        Ok(())
    })
}

fn guard<'s>(slave: &'s mut Slave<'static>) -> Checked<&'s mut Guard> {
    slave.guard().ok_or(mtr_result::MTR_ERR_PARAMETER)
}

/// Sets the password of a level 0 to 9, six packed digits. MTR_ERR_PARAMETER for another level or without a guard.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_set_password(
    slave: *mut mtr_dlt645_slave,
    level: u8,
    digits: u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let slave = unsafe { border.object_mut(slave) }?;
        if level > 9 || digits > 0x00FF_FFFF {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        guard(slave)?.set_password(Password { level, digits });
        Ok(())
    })
}

/// Somebody pressed the programming button: on for four hours, or off if it was on. MTR_ERR_PARAMETER without a guard.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_press_button(
    slave: *mut mtr_dlt645_slave,
    now: u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        guard(unsafe { border.object_mut(slave) }?)?.press_button(now);
        Ok(())
    })
}

/// Whether plain access is locked after wrong passwords (1) and whether the programming button holds (1). MTR_ERR_PARAMETER
/// without a guard.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_guard_state(
    slave: *mut mtr_dlt645_slave,
    now: u64,
    locked: *mut u8,
    programming: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, locked, programming) = unsafe {
            (
                border.object_mut(slave)?,
                border.place(locked)?,
                border.place(programming)?,
            )
        };
        let guard = guard(slave)?;
        locked.write(guard.is_locked(now).into());
        programming.write(guard.is_programming(now).into());
        Ok(())
    })
}

/// A programming record that has ended, once, as the data of 033000nn with the time `at`: another operator came, ten items
/// were written, or the button was released. To `out` of `capacity` bytes, MTR_DLT645_PROGRAMMING_LEN are enough, its
/// length into `len`; poll after each request, or an older one is lost. MTR_MORE: none. MTR_ERR_PARAMETER without a guard
/// or when a field of the time is above 99; MTR_ERR_LENGTH when it does not fit: the record stays.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_poll_programming(
    slave: *mut mtr_dlt645_slave,
    at: *const mtr_stamp,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slave, at, out, len) = unsafe {
            (
                border.object_mut(slave)?,
                border.given(at)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let at = ::dlt645::Stamp::from(*at);
        at.line().ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        let guard = guard(slave)?;
        if out.len() < MTR_DLT645_PROGRAMMING_LEN {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        let record = guard.poll_programming().ok_or(mtr_result::MTR_MORE)?;
        let written = record.encode(at, out);
        len.write(written.map_err(|_| mtr_result::MTR_ERR_PARAMETER)?);
        Ok(())
    })
}

/// Ends the programming record at work, as at power-down or after a quiet time, for mtr_dlt645_slave_poll_programming.
/// MTR_ERR_PARAMETER without a guard.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_end_programming(
    slave: *mut mtr_dlt645_slave,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        guard(unsafe { border.object_mut(slave) }?)?.end_programming();
        Ok(())
    })
}

/// How the meter hears and speaks: `half_byte_wildcards` 1 when A in single digits of an address stands for any (0 in the
/// beginning), `preamble` how many FE go in front of an answer, at most 4 (MTR_ERR_PARAMETER above).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_slave_set_dialect(
    slave: *mut mtr_dlt645_slave,
    half_byte_wildcards: u8,
    preamble: u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let slave = unsafe { border.object_mut(slave) }?;
        if preamble > 4 {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        slave.accept_half_byte_wildcards(half_byte_wildcards != 0);
        slave.set_preamble(preamble.into());
        Ok(())
    })
}
