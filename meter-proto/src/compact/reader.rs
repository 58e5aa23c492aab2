//! Reads fields in order.

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Names, Source};
use crate::message::{Ext, additions};
use crate::value::{Quality, Value};

/// The one place that takes bytes from a received message.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'b> {
    /// What is not read yet.
    rest: &'b [u8],
    /// Length of the whole message.
    len: usize,
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
        }
    }

    #[inline]
    fn at(&self) -> usize {
        self.len.wrapping_sub(self.rest.len())
    }

    /// The additions, which end the message.
    pub(super) fn ext(&mut self) -> Result<Ext, Error> {
        let ext: Ext = self.bytes_up_to(0)?;
        self.end()?;
        additions::check(&ext)?;
        Ok(ext)
    }

    /// Refuses bytes behind the end.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::TrailingBytes {
                position: self.at(),
            })
        }
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Error> {
        let len = self.varint(32)?;
        let parts = usize::try_from(len)
            .ok()
            .and_then(|len| self.rest.split_at_checked(len));
        let (bytes, rest) = parts.ok_or(Error::Truncated { position: self.len })?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn pull(&mut self) -> Result<u8, Error> {
        let (byte, rest) = self
            .rest
            .split_first()
            .ok_or(Error::Truncated { position: self.len })?;
        self.rest = rest;
        Ok(*byte)
    }

    /// A number of at most `bits` bits, 7 at least.
    #[inline]
    fn varint(&mut self, bits: u32) -> Result<u64, Error> {
        match self.short_varint(bits) {
            Some(short) => Ok(u64::from(short)),
            None => self.long_varint(u64::MAX >> (64 - bits.min(64))),
        }
    }

    /// A number of one or two bytes, as most are; `None` when it is longer or wrong.
    #[inline]
    fn short_varint(&mut self, bits: u32) -> Option<u32> {
        let (value, rest) = match *self.rest {
            [byte @ 0..=0x7F, ref rest @ ..] => (u32::from(byte), rest),
            [low, high @ 1..=0x7F, ref rest @ ..] if bits >= 14 => {
                (u32::from(low & 0x7F) | u32::from(high) << 7, rest)
            }
            _ => return None,
        };
        self.rest = rest;
        Some(value)
    }

    /// A number of three or four bytes; `None` when it has another length or is wrong.
    #[inline(never)]
    fn medium_varint(&mut self) -> Option<u32> {
        let (digits, rest) = match *self.rest {
            [
                a @ 0x80..=0xFF,
                b @ 0x80..=0xFF,
                c @ 1..=0x7F,
                ref rest @ ..,
            ] => ([a, b, c, 0], rest),
            [
                a @ 0x80..=0xFF,
                b @ 0x80..=0xFF,
                c @ 0x80..=0xFF,
                d @ 1..=0x7F,
                ref rest @ ..,
            ] => ([a, b, c, d], rest),
            _ => return None,
        };
        self.rest = rest;
        let [a, b, c, d] = digits;
        let [a, b, c] = [a & 0x7F, b & 0x7F, c & 0x7F];
        Some(u32::from(a) | u32::from(b) << 7 | u32::from(c) << 14 | u32::from(d) << 21)
    }

    /// A number of at most ten bytes and not above `max`.
    #[inline(never)]
    fn long_varint(&mut self, max: u64) -> Result<u64, Error> {
        let bad = Error::BadNumber {
            position: self.at(),
        };
        let mut bytes = self.rest;
        let mut value = 0u64;
        // Four bytes at a time, because small cores shift 64 bits slowly.
        for group in [0, 28, 56] {
            let mut part = 0u32;
            for shift in [0, 7, 14, 21] {
                let Some((byte, rest)) = bytes.split_first() else {
                    return Err(Error::Truncated { position: self.len });
                };
                bytes = rest;
                part |= u32::from(byte & 0x7F) << shift;
                // The tenth byte is the last and holds one bit.
                if group == 56 && shift == 7 && *byte > 1 {
                    return Err(bad);
                }
                if *byte < 0x80 {
                    value |= u64::from(part) << group;
                    // A zero behind a continuation is a second spelling.
                    if *byte == 0 || value > max {
                        return Err(bad);
                    }
                    self.rest = bytes;
                    return Ok(value);
                }
            }
            value |= u64::from(part) << group;
        }
        Err(bad)
    }
}

impl<'b> Source<'b> for Reader<'b> {
    #[inline]
    fn position(&self) -> usize {
        self.at()
    }

    #[inline]
    fn byte(&mut self, _: u8) -> Result<u8, Error> {
        self.pull()
    }

    #[inline]
    fn signed_byte(&mut self, _: u8) -> Result<i8, Error> {
        Ok(self.pull()? as i8)
    }

    #[inline]
    fn unsigned(&mut self, _: u8, bits: u32) -> Result<u64, Error> {
        self.varint(bits)
    }

    #[inline]
    fn signed(&mut self, _: u8, bits: u32) -> Result<i64, Error> {
        // In 32 bits, because small cores are slow with 64.
        let short = match self.short_varint(bits) {
            None if bits >= 28 => self.medium_varint(),
            short => short,
        };
        if let Some(zigzag) = short {
            return Ok(i64::from((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32)));
        }
        let zigzag = self.long_varint(u64::MAX >> (64 - bits.min(64)))?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    fn bytes_up_to<const N: usize>(&mut self, _: u8) -> Result<heapless::Vec<u8, N>, Error> {
        let bytes = self.bytes()?;
        heapless::Vec::from_slice(bytes).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn text_up_to<const N: usize>(&mut self, _: u8) -> Result<heapless::String<N>, Error> {
        let position = self.at();
        let text = core::str::from_utf8(self.bytes()?).map_err(|_| Error::BadText { position })?;
        heapless::String::try_from(text).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn device(&mut self, _: u8) -> Result<DeviceId, Error> {
        let namespace = self.pull()?;
        let content = self.bytes()?;
        DeviceId::try_new(namespace, content).map_err(|_| Error::BadValue {
            position: self.at(),
        })
    }

    #[inline]
    fn value(&mut self, key: u8) -> Result<Value, Error> {
        let meta = self.pull()?;
        let exponent = if meta >> 4 == 8 {
            let exponent = self.pull()? as i8;
            if (-7..=7).contains(&exponent) {
                return Err(Error::BadValue {
                    position: self.at(),
                }); // It has a nibble: no second spelling.
            }
            exponent
        } else {
            Value::nibble_exponent(meta)
        };
        let quality = if meta & 0x0F == 15 {
            let several = self.quality(key)?;
            if several.nibble() != 15 {
                return Err(Error::BadValue {
                    position: self.at(),
                });
            }
            several
        } else {
            Quality::of_nibble(meta & 0x0F)
        };
        Ok(Value {
            mantissa: self.signed(key, 64)?,
            exponent,
            quality,
        })
    }

    #[inline]
    fn present(&mut self, _: u8) -> Result<bool, Error> {
        match self.pull()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error::BadValue {
                position: self.at(),
            }),
        }
    }

    #[inline]
    fn list(&mut self, _: u8, capacity: usize) -> Result<usize, Error> {
        let position = self.at();
        let len = self.varint(32)?;
        match usize::try_from(len) {
            Ok(len) if len <= capacity => Ok(len),
            _ => Err(Error::TooMany { position, capacity }),
        }
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
