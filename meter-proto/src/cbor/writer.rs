//! Writes maps, elements and values through minicbor.

use minicbor::Encoder;

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Names, Sink};
use crate::value::Value;

/// The caller's bytes as minicbor wants them.
pub(super) struct Output<'a> {
    bytes: &'a mut [u8],
    pub(super) len: usize,
}

impl minicbor::encode::Write for Output<'_> {
    type Error = Error;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let capacity = self.bytes.len();
        let room = self
            .bytes
            .get_mut(self.len..)
            .and_then(|room| room.get_mut(..bytes.len()));
        room.ok_or(Error::BufferFull { capacity })?
            .copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }
}

/// Appends to the caller's bytes. Maps and elements have at most 23 entries, so their first byte is patched when they end.
pub(super) struct Writer<'a> {
    pub(super) out: Output<'a>,
    /// Entries of the open map.
    pub(super) entries: u8,
    /// Where the open element began and how many fields it has.
    element: Option<(usize, u8)>,
    in_list: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self {
            out: Output { bytes, len: 0 },
            entries: 0,
            element: None,
            in_list: false,
        }
    }

    pub(super) fn begin_map(&mut self) -> Result<usize, Error> {
        let place = self.out.len;
        minicbor::encode::Write::write_all(&mut self.out, &[0xA0])?;
        Ok(place)
    }

    pub(super) fn end_map(&mut self, place: usize) {
        debug_assert!(self.entries <= 23);
        if let Some(first) = self.out.bytes.get_mut(place) {
            *first = 0xA0 | self.entries & 0x1F;
        }
    }

    /// Writes one item, in a map with its key before it.
    fn put(
        &mut self,
        key: u8,
        write: impl FnOnce(&mut Encoder<&mut Output<'_>>) -> Encoded,
    ) -> Result<(), Error> {
        self.key(key)?;
        write(&mut Encoder::new(&mut self.out)).map_err(|error| self.full(&error))
    }

    fn full(&self, error: &minicbor::encode::Error<Error>) -> Error {
        error.as_write().copied().unwrap_or(Error::BufferFull {
            capacity: self.out.bytes.len(),
        })
    }

    pub(super) fn key(&mut self, key: u8) -> Result<(), Error> {
        if let Some((_, fields)) = &mut self.element {
            *fields += 1;
            return Ok(());
        }
        if self.in_list {
            return Ok(());
        }
        self.entries += 1;
        Encoder::new(&mut self.out)
            .u8(key)
            .map(|_| ())
            .map_err(|error| self.full(&error))
    }
}

type Encoded = Result<(), minicbor::encode::Error<Error>>;

impl Sink for Writer<'_> {
    fn byte(&mut self, key: u8, value: u8) -> Result<(), Error> {
        self.unsigned(key, u64::from(value))
    }

    fn signed_byte(&mut self, key: u8, value: i8) -> Result<(), Error> {
        self.signed(key, i64::from(value))
    }

    fn unsigned(&mut self, key: u8, value: u64) -> Result<(), Error> {
        self.put(key, |encoder| encoder.u64(value).map(|_| ()))
    }

    fn signed(&mut self, key: u8, value: i64) -> Result<(), Error> {
        self.put(key, |encoder| encoder.i64(value).map(|_| ()))
    }

    fn bytes(&mut self, key: u8, value: &[u8]) -> Result<(), Error> {
        self.put(key, |encoder| encoder.bytes(value).map(|_| ()))
    }

    fn text(&mut self, key: u8, value: &str) -> Result<(), Error> {
        self.put(key, |encoder| encoder.str(value).map(|_| ()))
    }

    fn device(&mut self, key: u8, value: &DeviceId) -> Result<(), Error> {
        let mut bytes: heapless::Vec<u8, 17> = heapless::Vec::new();
        bytes.extend(
            core::iter::once(value.namespace() as u8).chain(value.content().iter().copied()),
        );
        self.bytes(key, &bytes)
    }

    fn value(&mut self, key: u8, value: &Value) -> Result<(), Error> {
        if self.element.is_none() {
            self.put(key, |encoder| {
                encoder
                    .array(if value.quality.is_good() { 2 } else { 3 })
                    .map(|_| ())
            })?;
            let mut encoder = Encoder::new(&mut self.out);
            let mut write = || {
                encoder.i64(value.mantissa)?.i8(value.exponent)?;
                if !value.quality.is_good() {
                    encoder.u16(value.quality.bits())?;
                }
                Ok(())
            };
            return write().map_err(|error| self.full(&error));
        }
        self.signed(key, value.mantissa)?;
        self.signed_byte(key, value.exponent)?;
        if value.quality.is_good() {
            Ok(())
        } else {
            self.quality(key, value.quality)
        }
    }

    fn present(&mut self, _: u8, _: bool) -> Result<(), Error> {
        Ok(()) // An absent option has no key.
    }

    fn list(&mut self, key: u8, len: usize) -> Result<(), Error> {
        if len > 0 {
            self.put(key, |encoder| encoder.array(len as u64).map(|_| ()))?;
        }
        self.in_list = true;
        Ok(())
    }

    fn item(&mut self, _: Names) -> Result<(), Error> {
        self.element = Some((self.out.len, 0));
        minicbor::encode::Write::write_all(&mut self.out, &[0x80])
    }

    fn end_item(&mut self) -> Result<(), Error> {
        if let Some((place, fields)) = self.element.take() {
            debug_assert!(fields <= 23);
            if let Some(first) = self.out.bytes.get_mut(place) {
                *first = 0x80 | fields & 0x1F;
            }
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Error> {
        self.in_list = false;
        Ok(())
    }
}
