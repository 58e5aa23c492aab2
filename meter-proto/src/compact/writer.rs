//! Writes fields in order.

use super::FIRST_BYTE;
use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Fields, Names, Sink};
use crate::message::Head;
use crate::point::PointId;
use crate::value::Value;

/// Appends to the caller's bytes.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn begin(&mut self, kind: u8, head: &Head) -> Result<(), Error> {
        self.push(FIRST_BYTE)?;
        self.push(kind)?;
        head.write(0, self)
    }

    #[inline]
    fn push(&mut self, byte: u8) -> Result<(), Error> {
        let capacity = self.out.len();
        *self
            .out
            .get_mut(self.len)
            .ok_or(Error::BufferFull { capacity })? = byte;
        self.len += 1;
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let capacity = self.out.len();
        let room = self
            .out
            .get_mut(self.len..)
            .and_then(|room| room.get_mut(..bytes.len()));
        room.ok_or(Error::BufferFull { capacity })?
            .copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn varint(&mut self, mut value: u64) -> Result<(), Error> {
        let capacity = self.out.len();
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        for (count, slot) in (1..).zip(room) {
            if value < 0x80 {
                *slot = value as u8;
                self.len += count;
                return Ok(());
            }
            *slot = value as u8 | 0x80;
            value >>= 7;
        }
        Err(Error::BufferFull { capacity })
    }

    /// A good value with an exponent of one nibble and a mantissa below 2^27, written in one go while there is room
    /// for the longest of them. `false` when it is another.
    #[inline]
    fn common_value(&mut self, value: &Value) -> bool {
        let number = zigzag(value.mantissa);
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        let Some([meta, digits @ ..]) = room.first_chunk_mut::<5>() else {
            return false;
        };
        if number >= 1 << 28 || !value.is_common() {
            return false;
        }
        let (bytes, len) = short_varint(number as u32);
        *meta = (value.exponent as u8) << 4;
        *digits = bytes;
        self.len += 1 + len;
        true
    }
}

const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The varint of a number below 2^28 and its length, without a loop.
const fn short_varint(value: u32) -> ([u8; 4], usize) {
    let spread =
        value & 0x7F | value << 1 & 0x7F00 | value << 2 & 0x7F_0000 | value << 3 & 0x7F00_0000;
    let (more, len) = match value {
        0..0x80 => (0, 1),
        0x80..0x4000 => (0x80, 2),
        0x4000..0x20_0000 => (0x8080, 3),
        _ => (0x80_8080, 4),
    };
    ((spread | more).to_le_bytes(), len)
}

impl Sink for Writer<'_> {
    #[inline]
    fn byte(&mut self, _: u8, value: u8) -> Result<(), Error> {
        self.push(value)
    }

    #[inline]
    fn signed_byte(&mut self, _: u8, value: i8) -> Result<(), Error> {
        self.push(value as u8)
    }

    #[inline]
    fn unsigned(&mut self, _: u8, value: u64) -> Result<(), Error> {
        self.varint(value)
    }

    #[inline]
    fn signed(&mut self, _: u8, value: i64) -> Result<(), Error> {
        self.varint(zigzag(value))
    }

    fn bytes(&mut self, _: u8, value: &[u8]) -> Result<(), Error> {
        self.varint(value.len() as u64)?;
        self.raw(value)
    }

    fn text(&mut self, key: u8, value: &str) -> Result<(), Error> {
        self.bytes(key, value.as_bytes())
    }

    fn device(&mut self, key: u8, value: &DeviceId) -> Result<(), Error> {
        self.push(value.namespace() as u8)?;
        self.bytes(key, value.content())
    }

    #[inline]
    fn value(&mut self, key: u8, value: &Value) -> Result<(), Error> {
        if self.common_value(value) {
            return Ok(());
        }
        let meta = value.meta();
        self.push(meta)?;
        if meta >> 4 == 8 {
            self.push(value.exponent as u8)?;
        }
        if meta & 0x0F == 15 {
            self.quality(key, value.quality)?;
        }
        self.signed(key, value.mantissa)
    }

    #[inline]
    fn point(&mut self, _: u8, value: PointId) -> Result<(), Error> {
        // Instantaneous values and total registers have two bytes.
        let bits = value.bits();
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        if let ([low, high, ..], 0x80..0x4000) = (room, bits) {
            (*low, *high) = (bits as u8 | 0x80, (bits >> 7) as u8);
            self.len += 2;
            return Ok(());
        }
        self.varint(bits)
    }

    #[inline]
    fn present(&mut self, _: u8, present: bool) -> Result<(), Error> {
        self.push(u8::from(present))
    }

    #[inline]
    fn list(&mut self, _: u8, len: usize) -> Result<(), Error> {
        self.varint(len as u64)
    }

    #[inline]
    fn item(&mut self, _: Names) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn end_item(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn end_list(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
