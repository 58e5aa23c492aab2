//! Identifiers and their values.

use core::ffi::c_char;

use ::dlt645::{DataId, DataId1997, Lang, Number, Stamp, Value, ValueError};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;
use crate::text::{self, MTR_LANG_EN, MTR_LANG_ZH};

/// A decimal number: `mantissa` / 10^`decimals`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_number {
    /// All digits, with the sign.
    pub mantissa: i32,
    /// Digits behind the point.
    pub decimals: u8,
}

/// A point in time by its decimal fields, as the meter says it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_stamp {
    /// Year of this century, 0 to 99.
    pub year: u8,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_stamp {}

impl From<mtr_stamp> for Stamp {
    fn from(given: mtr_stamp) -> Self {
        Stamp {
            year: given.year,
            month: given.month,
            day: given.day,
            hour: given.hour,
            minute: given.minute,
            second: given.second,
        }
    }
}

impl From<Stamp> for mtr_stamp {
    fn from(own: Stamp) -> Self {
        mtr_stamp {
            year: own.year,
            month: own.month,
            day: own.day,
            hour: own.hour,
            minute: own.minute,
            second: own.second,
        }
    }
}

pub(super) fn refused(error: ValueError) -> mtr_result {
    match error {
        ValueError::Unknown => mtr_result::MTR_ERR_IDENTIFIER,
        _ => mtr_result::MTR_ERR_VALUE,
    }
}

pub(super) fn number(value: Value<'_>) -> Checked<mtr_number> {
    match value {
        Value::Number(Number {
            mantissa, decimals, ..
        })
        | Value::Demand {
            peak: Number {
                mantissa, decimals, ..
            },
            ..
        } => Ok(mtr_number { mantissa, decimals }),
        _ => Err(mtr_result::MTR_ERR_VALUE),
    }
}

/// The number that the `len` data bytes of an answer (behind the identifier, without the 33H) hold for
/// the identifier `id` (DI3 highest): of a block the item `nth` from 0, of a single item 0; of a maximum demand
/// its peak. MTR_ERR_IDENTIFIER: not in the catalogue; MTR_ERR_VALUE: the data do not have its format, the meter
/// marked it as absent, or it is no number; MTR_MORE: the block has fewer items.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_number(
    id: u32,
    nth: u32,
    data: *const u8,
    len: usize,
    found: *mut mtr_number,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (data, found) = unsafe { (border.slice(data, len)?, border.place(found)?) };
        let mut values = DataId(id).values(data).map_err(refused)?;
        let (_, value) = values.nth(nth as usize).ok_or(mtr_result::MTR_MORE)?;
        found.write(number(value.map_err(refused)?)?);
        Ok(())
    })
}

/// As mtr_dlt645_number, for an identifier of the 1997 edition.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_number_1997(
    id: u16,
    nth: u32,
    data: *const u8,
    len: usize,
    found: *mut mtr_number,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (data, found) = unsafe { (border.slice(data, len)?, border.place(found)?) };
        let mut values = DataId1997(id).values(data).map_err(refused)?;
        let (_, value) = values.nth(nth as usize).ok_or(mtr_result::MTR_MORE)?;
        found.write(number(value.map_err(refused)?)?);
        Ok(())
    })
}

/// Any value of an answer as a text for people, as `123456.78 kWh` or `2024-05-06`: UTF-8 and a NUL to `text` of
/// `capacity` bytes, its length without the NUL into `text_len`. Items of blocks as in mtr_dlt645_number.
/// MTR_ERR_LENGTH when it does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_text(
    id: u32,
    nth: u32,
    data: *const u8,
    len: usize,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (data, text, text_len) = unsafe {
            (
                border.slice(data, len)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let mut values = DataId(id).values(data).map_err(refused)?;
        let (_, value) = values.nth(nth as usize).ok_or(mtr_result::MTR_MORE)?;
        text_len.write(text::write(text, &value.map_err(refused)?)?);
        Ok(())
    })
}

/// The name of an identifier in a language (MTR_LANG_...): UTF-8 and a NUL. MTR_ERR_IDENTIFIER when it is not in
/// the catalogue, MTR_ERR_LENGTH when the name does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_name(
    id: u32,
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
        let lang = language(lang)?;
        let item = DataId(id).item().ok_or(mtr_result::MTR_ERR_IDENTIFIER)?;
        text_len.write(text::write(text, &item.name(lang))?);
        Ok(())
    })
}

/// Writes a number as the data of an answer for `id`: `mantissa` counts the last digit that the item has (0.01 kWh
/// for energies). MTR_ERR_IDENTIFIER when it is not in the catalogue, MTR_ERR_VALUE when the item is no number or
/// has too few digits, MTR_ERR_LENGTH when `capacity` is too small.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_encode_number(
    id: u32,
    mantissa: i32,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (out, len) = unsafe { (border.buffer(out, capacity)?, border.place(len)?) };
        let item = DataId(id).item().ok_or(mtr_result::MTR_ERR_IDENTIFIER)?;
        if out.len() < item.format().len() {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        len.write(DataId(id).encode_number(mantissa, out).map_err(refused)?);
        Ok(())
    })
}

/// The language of names by its number in C.
pub(super) const fn language(lang: u32) -> Checked<Lang> {
    match lang {
        MTR_LANG_EN => Ok(Lang::En),
        MTR_LANG_ZH => Ok(Lang::Zh),
        _ => Err(mtr_result::MTR_ERR_PARAMETER),
    }
}
