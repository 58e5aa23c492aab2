//! Identifiers and their values.

use core::ffi::c_char;

use ::cjt188::{DataId, Lang, MeterType, Quantity, Status, StatusBits, Unit, ValueError, Valve};

use super::{mtr_cjt188_quantity, mtr_cjt188_status, mtr_cjt188_value};
use crate::border::call;
use crate::result::mtr_result;
use crate::text::{self, MTR_LANG_EN, MTR_LANG_ZH};

/// The valve is open.
pub const MTR_CJT188_VALVE_OPEN: u8 = 0;
/// The valve is closed.
pub const MTR_CJT188_VALVE_CLOSED: u8 = 1;
/// The valve does not say where it stands.
pub const MTR_CJT188_VALVE_ABNORMAL: u8 = 2;
/// The standard's place of the lower of the two valve bits in ST, from the lowest bit of the first byte.
pub const MTR_CJT188_VALVE_BIT: u8 = 0;
/// The standard's place of the battery bit.
pub const MTR_CJT188_BATTERY_BIT: u8 = 2;

/// The caller's value or the meter's data are at fault; where, is for people who read hex.
fn refused(_: ValueError) -> mtr_result {
    mtr_result::MTR_ERR_VALUE
}

/// All that the `len` bytes behind identifier and running number hold for `id`. `meter_type` is that of the answer: it
/// decides about present data. An identifier outside the table gives MTR_CJT188_RAW. MTR_ERR_VALUE: the data do not have
/// the layout of the identifier.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_decode(
    id: u16,
    meter_type: u8,
    data: *const u8,
    len: usize,
    value: *mut mtr_cjt188_value,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (data, value) = unsafe { (border.slice(data, len)?, border.place(value)?) };
        let found = DataId(id)
            .value(MeterType(meter_type), data)
            .map_err(refused)?;
        value.write(mtr_cjt188_value::new(&found)?);
        Ok(())
    })
}

/// One number of what mtr_cjt188_decode gives, from 0, with its scale and unit. MTR_ERR_VALUE as there, MTR_MORE: the
/// value has fewer numbers.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_number(
    id: u16,
    meter_type: u8,
    nth: u32,
    data: *const u8,
    len: usize,
    found: *mut mtr_cjt188_quantity,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (data, found) = unsafe { (border.slice(data, len)?, border.place(found)?) };
        let value = DataId(id)
            .value(MeterType(meter_type), data)
            .map_err(refused)?;
        let value = mtr_cjt188_value::new(&value)?;
        let mut numbers = value.number.iter().take(usize::from(value.count));
        found.write(*numbers.nth(nth as usize).ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// Writes a value as the data of an answer or a write for `id` to `out` of `capacity` bytes, and its length to `len`.
/// MTR_ERR_VALUE when the value is of another kind than the identifier, has other decimals or too many digits;
/// MTR_ERR_IDENTIFIER when the identifier is not in the table or its bytes are the maker's; MTR_ERR_LENGTH when it does
/// not fit: MTR_CJT188_DATA_MAX bytes always do.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_encode_value(
    id: u16,
    value: *const mtr_cjt188_value,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (value, out, len) = unsafe {
            (
                border.given(value)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let item = DataId(id).item().ok_or(mtr_result::MTR_ERR_IDENTIFIER)?;
        if item.layout() == ::cjt188::Layout::Raw {
            return Err(mtr_result::MTR_ERR_IDENTIFIER);
        }
        let written = item.layout().encode(&value.own()?, out);
        len.write(written.map_err(|error| match error {
            ValueError::Length { .. } => mtr_result::MTR_ERR_LENGTH,
            other => refused(other),
        })?);
        Ok(())
    })
}

/// A value as a text for people, its parts separated by commas, as `68.00 m3, 60.00 m3, 2017-08-19 16:54:59`: UTF-8 and
/// a NUL to `text` of `capacity` bytes, its length without the NUL into `text_len`. MTR_ERR_VALUE as in
/// mtr_cjt188_decode, MTR_ERR_LENGTH when it does not fit. A key is not shown.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_text(
    id: u16,
    meter_type: u8,
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
        let found = DataId(id)
            .value(MeterType(meter_type), data)
            .map_err(refused)?;
        text_len.write(text::write(text, &found)?);
        Ok(())
    })
}

/// The name of an identifier in a language (MTR_LANG_...): UTF-8 and a NUL. MTR_ERR_IDENTIFIER when it is not in the
/// table, MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH when the name does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_name(
    id: u16,
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
        let lang = match lang {
            MTR_LANG_EN => Lang::En,
            MTR_LANG_ZH => Lang::Zh,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        let item = DataId(id).item().ok_or(mtr_result::MTR_ERR_IDENTIFIER)?;
        text_len.write(text::write(text, &item.name(lang))?);
        Ok(())
    })
}

/// What a unit code says: the symbol and a NUL to `text`, and into `power` the decimal power by which a number is to be
/// multiplied (0, 1 or 2: 0x0A is 100 MWh). MTR_ERR_IDENTIFIER when the code is not in the table, MTR_ERR_LENGTH when
/// the symbol does not fit; 8 bytes are enough.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_unit(
    unit: u8,
    power: *mut u8,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (power, text, text_len) = unsafe {
            (
                border.place(power)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let (symbol, tens) = Unit(unit).symbol().ok_or(mtr_result::MTR_ERR_IDENTIFIER)?;
        text_len.write(text::write(text, &symbol)?);
        power.write(tens);
        Ok(())
    })
}

/// A number as a text with all its decimals and its unit, as `68.00 m3`: UTF-8 and a NUL. MTR_ERR_LENGTH when it does
/// not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_quantity_text(
    quantity: *const mtr_cjt188_quantity,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (quantity, text, text_len) = unsafe {
            (
                border.given(quantity)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let quantity = Quantity::from(*quantity);
        text_len.write(match quantity.unit {
            Some(unit) => text::write(text, &format_args!("{quantity} {unit}"))?,
            None => text::write(text, &quantity)?,
        });
        Ok(())
    })
}

/// Where the valve stands (MTR_CJT188_VALVE_...) and whether the battery is low (1), by the places of their bits:
/// MTR_CJT188_VALVE_BIT and MTR_CJT188_BATTERY_BIT are the standard's, makers use others. Bits beyond 15 read as 0.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_status_read(
    status: *const mtr_cjt188_status,
    valve_bit: u8,
    battery_bit: u8,
    valve: *mut u8,
    battery_low: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (status, valve, battery_low) = unsafe {
            (
                border.given(status)?,
                border.place(valve)?,
                border.place(battery_low)?,
            )
        };
        let (bits, status) = (
            StatusBits {
                valve: valve_bit,
                battery_low: battery_bit,
            },
            Status(status.bytes),
        );
        valve.write(match bits.valve(status) {
            Valve::Open => MTR_CJT188_VALVE_OPEN,
            Valve::Closed => MTR_CJT188_VALVE_CLOSED,
            Valve::Abnormal => MTR_CJT188_VALVE_ABNORMAL,
        });
        battery_low.write(bits.battery_low(status).into());
        Ok(())
    })
}

/// ST with these bits, all others zero. MTR_ERR_PARAMETER for another `valve` than MTR_CJT188_VALVE_...
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cjt188_status_write(
    valve: u8,
    battery_low: u8,
    valve_bit: u8,
    battery_bit: u8,
    status: *mut mtr_cjt188_status,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let status = unsafe { border.place(status) }?;
        let valve = match valve {
            MTR_CJT188_VALVE_OPEN => Valve::Open,
            MTR_CJT188_VALVE_CLOSED => Valve::Closed,
            MTR_CJT188_VALVE_ABNORMAL => Valve::Abnormal,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        let bits = StatusBits {
            valve: valve_bit,
            battery_low: battery_bit,
        };
        status.write(mtr_cjt188_status {
            bytes: bits.status(valve, battery_low != 0).0,
        });
        Ok(())
    })
}
