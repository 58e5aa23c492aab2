//! Reads fields by their keys through minicbor.

use minicbor::Decoder;
use minicbor::data::Type;

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Names, Source};
use crate::message::{Ext, additions};
use crate::value::{Quality, Value};

/// Reads bytes that [`check`](super::check::check) has accepted: structure is known to be whole, types and ranges are not.
#[derive(Clone)]
pub(super) struct Reader<'b> {
    decoder: Decoder<'b>,
    /// Behind the first byte of the open map.
    map: usize,
    entries: u64,
    /// Where the entry behind the one read last stands, and its number: fields mostly come in order.
    next: (usize, u64),
    /// Fields left in the open element.
    element: Option<u64>,
    in_list: bool,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Result<Self, Error> {
        let mut reader = Self {
            decoder: Decoder::new(bytes),
            map: 0,
            entries: 0,
            next: (0, 0),
            element: None,
            in_list: false,
        };
        reader.open_map()?;
        Ok(reader)
    }

    fn open_map(&mut self) -> Result<(), Error> {
        let position = self.decoder.position();
        let entries = self
            .decoder
            .map()
            .ok()
            .flatten()
            .ok_or(Error::BadType { position })?;
        self.map = self.decoder.position();
        self.entries = entries;
        self.next = (self.map, 0);
        Ok(())
    }

    /// Goes into the map under this key; the way back is not needed.
    pub(super) fn enter(&mut self, key: u8) -> Result<(), Error> {
        self.seek(key)?;
        self.open_map()
    }

    /// Stands behind the key, or says that the map has none.
    fn find(&mut self, key: u8) -> Result<bool, Error> {
        let (start, first) = self.next;
        self.decoder.set_position(start);
        let mut index = first;
        for _ in 0..self.entries {
            if index == self.entries {
                index = 0;
                self.decoder.set_position(self.map);
            }
            let position = self.decoder.position();
            let found = self.decoder.u8().map_err(|_| Error::BadType { position })?;
            index += 1;
            let value = self.decoder.position();
            if found == key {
                self.decoder
                    .skip()
                    .map_err(|_| Error::BadType { position })?;
                self.next = (self.decoder.position(), index);
                self.decoder.set_position(value);
                return Ok(true);
            }
            self.decoder
                .skip()
                .map_err(|_| Error::BadType { position: value })?;
        }
        Ok(false)
    }

    fn has(&mut self, key: u8) -> Result<bool, Error> {
        let next = self.next;
        let found = self.find(key)?;
        self.next = next;
        Ok(found)
    }

    /// Stands before the field: by key in a map, in order in a list.
    fn seek(&mut self, key: u8) -> Result<(), Error> {
        if let Some(left) = &mut self.element {
            let position = self.decoder.position();
            *left = left.checked_sub(1).ok_or(Error::BadType { position })?;
            return Ok(());
        }
        if self.in_list || self.find(key)? {
            Ok(())
        } else {
            Err(Error::MissingKey { key })
        }
    }

    fn bytes(&mut self, key: u8) -> Result<&'b [u8], Error> {
        self.take(key, Decoder::bytes)
    }

    /// The additions, none when the key is absent.
    pub(super) fn ext(&mut self) -> Result<Ext, Error> {
        if !self.has(8)? {
            return Ok(Ext::new());
        }
        let ext: Ext = self.bytes_up_to(8)?;
        additions::check(&ext)?;
        Ok(ext)
    }

    fn take<T>(
        &mut self,
        key: u8,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, Error> {
        self.seek(key)?;
        let position = self.decoder.position();
        read(&mut self.decoder).map_err(|_| Error::BadType { position })
    }
}

impl<'b> Source<'b> for Reader<'b> {
    fn position(&self) -> usize {
        self.decoder.position()
    }

    fn byte(&mut self, key: u8) -> Result<u8, Error> {
        Ok(self.unsigned(key, 8)? as u8)
    }

    fn signed_byte(&mut self, key: u8) -> Result<i8, Error> {
        Ok(self.signed(key, 8)? as i8)
    }

    fn unsigned(&mut self, key: u8, bits: u32) -> Result<u64, Error> {
        let number = self.take(key, Decoder::u64)?;
        if number.checked_shr(bits).unwrap_or(0) != 0 {
            return Err(Error::BadNumber {
                position: self.position(),
            });
        }
        Ok(number)
    }

    fn signed(&mut self, key: u8, bits: u32) -> Result<i64, Error> {
        let number = self.take(key, Decoder::i64)?;
        let sign = number >> (bits.clamp(1, 64) - 1);
        if sign != 0 && sign != -1 {
            return Err(Error::BadNumber {
                position: self.position(),
            });
        }
        Ok(number)
    }

    fn bytes_up_to<const N: usize>(&mut self, key: u8) -> Result<heapless::Vec<u8, N>, Error> {
        let bytes = self.bytes(key)?;
        heapless::Vec::from_slice(bytes).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn text_up_to<const N: usize>(&mut self, key: u8) -> Result<heapless::String<N>, Error> {
        let text = self.take(key, Decoder::str)?;
        heapless::String::try_from(text).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    fn device(&mut self, key: u8) -> Result<DeviceId, Error> {
        let bytes = self.bytes(key)?;
        let bad = Error::BadValue {
            position: self.position(),
        };
        let (namespace, content) = bytes.split_first().ok_or(bad)?;
        DeviceId::try_new(*namespace, content).map_err(|_| bad)
    }

    fn value(&mut self, key: u8) -> Result<Value, Error> {
        let own_array = self.element.is_none();
        if own_array {
            let fields = self.take(key, Decoder::array)?.unwrap_or(0);
            self.element = Some(fields);
        }
        let mut read = || {
            let mantissa = self.signed(0, 64)?;
            let exponent = self.signed_byte(0)?;
            let quality = if self.element == Some(0) {
                Quality::GOOD
            } else {
                self.quality(0)?
            };
            Ok(Value {
                mantissa,
                exponent,
                quality,
            })
        };
        let value = read();
        if own_array {
            self.element = None;
        }
        value
    }

    fn present(&mut self, key: u8) -> Result<bool, Error> {
        if !self.has(key)? {
            return Ok(false);
        }
        let position = self.decoder.position();
        match self.decoder.datatype() {
            Ok(Type::Null) => Ok(false),
            Ok(_) => Ok(true),
            Err(_) => Err(Error::BadType { position }),
        }
    }

    fn list(&mut self, key: u8, capacity: usize) -> Result<usize, Error> {
        let len = if self.has(key)? {
            self.take(key, Decoder::array)?.unwrap_or(0)
        } else {
            0
        };
        self.in_list = true;
        match usize::try_from(len) {
            Ok(len) if len <= capacity => Ok(len),
            _ => Err(Error::TooMany {
                position: self.position(),
                capacity,
            }),
        }
    }

    fn item(&mut self, _: Names) -> Result<(), Error> {
        let position = self.position();
        let fields = self
            .decoder
            .array()
            .ok()
            .flatten()
            .ok_or(Error::BadType { position })?;
        self.element = Some(fields);
        Ok(())
    }

    fn end_item(&mut self) -> Result<(), Error> {
        // Fields that a later release appended.
        for _ in 0..self.element.take().unwrap_or(0) {
            let position = self.position();
            self.decoder
                .skip()
                .map_err(|_| Error::BadType { position })?;
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Error> {
        self.in_list = false;
        Ok(())
    }
}
