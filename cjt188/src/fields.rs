//! The fields that values are made of, read and written.

use serial_line::bcd;

use crate::status::Status;
use crate::unit::Unit;
use crate::value::{Quantity, Stamp, ValueError};
use serial_line::cursor::{Cursor, Writer};

/// Reads the fields of the data behind SER and knows where it is.
pub(crate) struct Fields<'a> {
    cursor: Cursor<'a>,
    at: usize,
    len: usize,
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Fields {
            cursor: Cursor::new(data),
            at: 0,
            len: data.len(),
        }
    }

    fn take(&mut self, len: usize) -> Result<(usize, &'a [u8]), ValueError> {
        let at = self.at;
        self.at += len;
        let short = ValueError::Length { found: self.len };
        Ok((at, self.cursor.take(len).ok_or(short)?))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        self.at += N;
        let short = ValueError::Length { found: self.len };
        self.cursor.array().ok_or(short)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, ValueError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn number(&mut self, bytes: usize, decimals: u8) -> Result<Quantity, ValueError> {
        let (at, field) = self.take(bytes)?;
        let digit = |bad: bcd::BadDigit| ValueError::Digit {
            position: at + bad.position,
            found: bad.found,
        };
        Ok(Quantity {
            mantissa: bcd::decode_u32(field).map_err(digit)?,
            decimals,
            unit: None,
        })
    }

    pub(crate) fn with_unit(&mut self, bytes: usize, decimals: u8) -> Result<Quantity, ValueError> {
        let number = self.number(bytes, decimals)?;
        let unit = Some(Unit(self.byte()?));
        Ok(Quantity { unit, ..number })
    }

    /// Two digits.
    pub(crate) fn two(&mut self) -> Result<u8, ValueError> {
        let position = self.at;
        let found = self.byte()?;
        bcd::byte_value(found).ok_or(ValueError::Digit { position, found })
    }

    pub(crate) fn stamp(&mut self) -> Result<Option<Stamp>, ValueError> {
        let at = self.at;
        Stamp::from_line(self.array()?).map_err(|err| match err {
            ValueError::Digit { position, found } => ValueError::Digit {
                position: at + position,
                found,
            },
            other => other,
        })
    }

    pub(crate) fn status(&mut self) -> Result<Status, ValueError> {
        self.array().map(Status)
    }
}

pub(crate) fn put_number(
    writer: &mut Writer<'_>,
    quantity: Quantity,
    bytes: usize,
) -> Result<(), ValueError> {
    let mut field = [0; 4];
    let field = field.get_mut(..bytes).ok_or(ValueError::Range)?;
    bcd::encode(u64::from(quantity.mantissa), field).map_err(|_| ValueError::Range)?;
    writer.put(field);
    Ok(())
}

/// A missing unit is sent as 00.
pub(crate) fn put_with_unit(
    writer: &mut Writer<'_>,
    quantity: Quantity,
    bytes: usize,
) -> Result<(), ValueError> {
    put_number(writer, quantity, bytes)?;
    writer.put(&[quantity.unit.map_or(0, |unit| unit.0)]);
    Ok(())
}

/// A missing time is sent as zeros.
pub(crate) fn put_stamp(writer: &mut Writer<'_>, time: Option<Stamp>) -> Result<(), ValueError> {
    writer.put(&time.map_or(Ok([0; 7]), |time| time.line())?);
    Ok(())
}

pub(crate) fn put_two(writer: &mut Writer<'_>, value: u8) -> Result<(), ValueError> {
    writer.put(&[bcd::byte_of(value).ok_or(ValueError::Range)?]);
    Ok(())
}
