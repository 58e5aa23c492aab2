//! Values inside values: fields of records, parts of freezes, blocks of load records.

use core::ffi::c_char;

use ::dlt645::{DataId, Field, FreezeWriter, Stamp, Value, encode_load_block};

use super::value::{language, number, refused};
use super::{mtr_number, mtr_stamp};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;
use crate::text;

/// Most data bytes of one block of a load record, all classes together.
pub const MTR_DLT645_LOAD_MAX: usize = 250;

/// Where a value stands in the data of an answer. Numbers that a value has no use for are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_place {
    /// The identifier of the answer, DI3 highest.
    pub id: u32,
    /// Which item of a block.
    pub nth: u32,
    /// Which part of a whole freeze (class 05 with DI1 FF: 0 time, 1 forward active and so on, 11 powers), or which block
    /// of a load record (class 06).
    pub part: u32,
    /// Which class of a load record: 1 voltage, current and frequency, 2 power, 3 power factor, 4 energy, 5 quadrants,
    /// 6 demand; 0 the time of the block.
    pub class_number: u32,
    /// Which field of a record, such as an event record (class 03) or a record of a freeze.
    pub field: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_place {}

/// What stands at a place: a field of a record, or a value that is none.
enum Found<'a> {
    Field(Field<'a>),
    Value(Value<'a>),
}

impl<'a> Found<'a> {
    fn value(&self) -> Checked<Value<'a>> {
        match self {
            Found::Field(field) => field.value().map_err(refused),
            Found::Value(value) => Ok(*value),
        }
    }
}

fn nth<I: Iterator>(mut row: I, at: u32) -> Checked<I::Item> {
    row.nth(at as usize).ok_or(mtr_result::MTR_MORE)
}

fn find<'a>(place: &mtr_dlt645_place, data: &'a [u8]) -> Checked<Found<'a>> {
    let id = DataId(place.id);
    let values = id.values(data).map_err(refused)?;
    let (_, value) = nth(values, place.nth)?;
    // What the mode word of the meter excludes is absent.
    let absent = mtr_result::MTR_ERR_VALUE;
    let value = match value.map_err(refused)? {
        Value::Freeze(freeze) => {
            let part = nth(freeze.parts(), place.part)?;
            part.value().map_err(refused)?.ok_or(absent)?
        }
        Value::Load(blocks) => {
            // DI2 says which class was asked for.
            let [_, _, class, _] = place.id.to_le_bytes();
            let block = nth(blocks.blocks(class), place.part)?.map_err(refused)?;
            match u8::try_from(place.class_number) {
                Ok(0) => Value::Stamp(block.at().map_err(refused)?),
                Ok(class) => {
                    let record = block.record(class).map_err(refused)?;
                    Value::Record(record.ok_or(absent)?)
                }
                Err(_) => return Err(mtr_result::MTR_MORE),
            }
        }
        value => value,
    };
    match value {
        Value::Record(record) => Ok(Found::Field(nth(record.fields(), place.field)?)),
        _ if place.field == 0 => Ok(Found::Value(value)),
        _ => Err(mtr_result::MTR_MORE),
    }
}

/// The number at a place in the `len` data bytes of an answer (behind the identifier, without the 33H); of a maximum
/// demand its peak. MTR_ERR_IDENTIFIER: not in the catalogue; MTR_ERR_VALUE: the data do not have the format of the
/// identifier, the meter leaves this part out or marks it as absent, or it is no number; MTR_MORE: there are fewer items,
/// parts or fields.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_part_number(
    place: *const mtr_dlt645_place,
    data: *const u8,
    len: usize,
    found: *mut mtr_number,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (place, data, found) = unsafe {
            (
                border.given(place)?,
                border.slice(data, len)?,
                border.place(found)?,
            )
        };
        found.write(number(find(place, data)?.value()?)?);
        Ok(())
    })
}

/// The time at a place: of an instant, a date (its time is 0) or a maximum demand. Codes as mtr_dlt645_part_number;
/// MTR_ERR_VALUE also when it is no time, or there was no demand.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_part_stamp(
    place: *const mtr_dlt645_place,
    data: *const u8,
    len: usize,
    found: *mut mtr_stamp,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (place, data, found) = unsafe {
            (
                border.given(place)?,
                border.slice(data, len)?,
                border.place(found)?,
            )
        };
        let stamp = match find(place, data)?.value()? {
            Value::Stamp(stamp) | Value::Instant(stamp) | Value::DateTime { stamp, .. } => stamp,
            Value::Demand {
                at: Some(stamp), ..
            } => stamp,
            Value::Date {
                year, month, day, ..
            } => Stamp {
                year,
                month,
                day,
                ..Stamp::default()
            },
            _ => return Err(mtr_result::MTR_ERR_VALUE),
        };
        found.write(stamp.into());
        Ok(())
    })
}

/// What stands at a place as a text for people: UTF-8 and a NUL to `text` of `capacity` bytes, its length without the NUL
/// into `text_len`. Codes as mtr_dlt645_part_number; MTR_ERR_LENGTH when it does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_part_text(
    place: *const mtr_dlt645_place,
    data: *const u8,
    len: usize,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (place, data, text, text_len) = unsafe {
            (
                border.given(place)?,
                border.slice(data, len)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        text_len.write(text::write(text, &find(place, data)?.value()?)?);
        Ok(())
    })
}

/// The name of a field of a record in a language (MTR_LANG_...), with phase and number spelt out: UTF-8 and a NUL. Codes as
/// mtr_dlt645_part_number; MTR_ERR_VALUE also when there is no record at the place, MTR_ERR_PARAMETER for another
/// language, MTR_ERR_LENGTH when the name does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_part_name(
    place: *const mtr_dlt645_place,
    lang: u32,
    data: *const u8,
    len: usize,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (place, data, text, text_len) = unsafe {
            (
                border.given(place)?,
                border.slice(data, len)?,
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let lang = language(lang)?;
        let Found::Field(field) = find(place, data)? else {
            return Err(mtr_result::MTR_ERR_VALUE);
        };
        text_len.write(text::write(text, &field.name(lang))?);
        Ok(())
    })
}

/// What a set bit of a status, mode or report word means (04000501 to 04000507 and others), in a language (MTR_LANG_...):
/// UTF-8 and a NUL. MTR_ERR_IDENTIFIER for reserved bits and other identifiers, MTR_ERR_PARAMETER for another language,
/// MTR_ERR_LENGTH when it does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_bit_name(
    id: u32,
    bit: u8,
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
        let name = DataId(id).bit_name(bit, lang);
        text_len.write(text::write(
            text,
            &name.ok_or(mtr_result::MTR_ERR_IDENTIFIER)?,
        )?);
        Ok(())
    })
}

/// Writes the next part of a whole freeze, for a meter that answers class 05 with DI1 FF: `len` bytes, none where the mode
/// word excludes the part, and the byte that closes it. The parts stand one behind the other in their order. The number
/// of bytes written goes into `written`. MTR_ERR_LENGTH when it does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_freeze_part_write(
    part: *const u8,
    len: usize,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (part, out, written) = unsafe {
            (
                border.slice(part, len)?,
                border.buffer(out, capacity)?,
                border.place(written)?,
            )
        };
        let mut writer = FreezeWriter::new(out);
        writer.part(part);
        written.write(writer.finish().map_err(|_| mtr_result::MTR_ERR_LENGTH)?);
        Ok(())
    })
}

/// One block of a load record as a meter keeps it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_dlt645_load_block {
    /// When it was stored; the second is not sent.
    pub at: mtr_stamp,
    /// Data bytes of each class, in the order of mtr_dlt645_place; 0 where the mode word excludes it.
    pub lengths: [u8; 6],
    /// The data of the classes, one behind the other.
    pub data: [u8; MTR_DLT645_LOAD_MAX],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_dlt645_load_block {}

/// Writes a block of a load record, for a meter that answers class 06, to `out` of `capacity` bytes, and its length into
/// `len`. MTR_ERR_LENGTH when it does not fit or the classes have more than MTR_DLT645_LOAD_MAX bytes together,
/// MTR_ERR_PARAMETER when a field of the time is above 99 or the block would be longer than its length can tell.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_dlt645_load_block_write(
    block: *const mtr_dlt645_load_block,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (block, out, len) = unsafe {
            (
                border.given(block)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let mut rest = block.data.as_slice();
        let mut parts: [&[u8]; 6] = [&[]; 6];
        for (part, length) in parts.iter_mut().zip(block.lengths) {
            let (front, behind) = rest
                .split_at_checked(length.into())
                .ok_or(mtr_result::MTR_ERR_LENGTH)?;
            (*part, rest) = (front, behind);
        }
        let written = encode_load_block(block.at.into(), parts, out);
        len.write(written.map_err(|error| match error {
            ::dlt645::ValueError::Length { .. } => mtr_result::MTR_ERR_LENGTH,
            _ => mtr_result::MTR_ERR_PARAMETER,
        })?);
        Ok(())
    })
}
