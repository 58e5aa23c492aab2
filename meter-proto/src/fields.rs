//! One list of fields per message serves both forms: a [`Sink`] writes it, a [`Source`] reads it.
//!
//! The compact form ignores keys and goes by order, CBOR goes by keys. Elements of lists have no keys in either.

use crate::device::DeviceId;
use crate::error::Error;
use crate::time::Stamp;
use crate::value::{Quality, Value};

/// Writes the fields of one message in one of the forms.
pub trait Sink {
    /// A raw byte.
    fn byte(&mut self, key: u8, value: u8) -> Result<(), Error>;
    /// A signed raw byte.
    fn signed_byte(&mut self, key: u8, value: i8) -> Result<(), Error>;
    /// An unsigned number.
    fn unsigned(&mut self, key: u8, value: u64) -> Result<(), Error>;
    /// A signed number.
    fn signed(&mut self, key: u8, value: i64) -> Result<(), Error>;
    /// A byte string.
    fn bytes(&mut self, key: u8, value: &[u8]) -> Result<(), Error>;
    /// Text.
    fn text(&mut self, key: u8, value: &str) -> Result<(), Error>;
    /// A device identity.
    fn device(&mut self, key: u8, value: &DeviceId) -> Result<(), Error>;
    /// A measured value; in an element of a list it is the last field.
    fn value(&mut self, key: u8, value: &Value) -> Result<(), Error>;
    /// Says whether an optional field follows under this key.
    fn present(&mut self, key: u8, present: bool) -> Result<(), Error>;
    /// Begins a list of so many elements.
    fn list(&mut self, key: u8, len: usize) -> Result<(), Error>;
    /// Begins an element of several fields.
    fn item(&mut self) -> Result<(), Error>;
    /// Ends such an element.
    fn end_item(&mut self) -> Result<(), Error>;
    /// Ends a list.
    fn end_list(&mut self);

    /// A stamp: two fields.
    fn stamp(&mut self, key: u8, value: Stamp) -> Result<(), Error> {
        self.unsigned(key, value.time)?;
        self.byte(key.wrapping_add(1), value.clk)
    }

    /// Marks.
    fn quality(&mut self, key: u8, value: Quality) -> Result<(), Error> {
        self.unsigned(key, u64::from(value.bits()))
    }
}

/// Reads the fields of one message from one of the forms.
pub trait Source<'b> {
    /// Where the next byte stands.
    fn position(&self) -> usize;
    /// A raw byte.
    fn byte(&mut self, key: u8) -> Result<u8, Error>;
    /// A signed raw byte.
    fn signed_byte(&mut self, key: u8) -> Result<i8, Error>;
    /// An unsigned number of at most `bits` bits.
    fn unsigned(&mut self, key: u8, bits: u32) -> Result<u64, Error>;
    /// A signed number of at most `bits` bits.
    fn signed(&mut self, key: u8, bits: u32) -> Result<i64, Error>;
    /// A byte string.
    fn bytes(&mut self, key: u8) -> Result<&'b [u8], Error>;
    /// Text.
    fn text(&mut self, key: u8) -> Result<&'b str, Error>;
    /// A device identity.
    fn device(&mut self, key: u8) -> Result<DeviceId, Error>;
    /// A measured value.
    fn value(&mut self, key: u8) -> Result<Value, Error>;
    /// Whether the optional field under this key follows.
    fn present(&mut self, key: u8) -> Result<bool, Error>;
    /// Begins a list, returns its length.
    fn list(&mut self, key: u8, capacity: usize) -> Result<usize, Error>;
    /// Begins an element of several fields.
    fn item(&mut self) -> Result<(), Error>;
    /// Ends such an element; elements that a later release appended are passed over in CBOR.
    fn end_item(&mut self) -> Result<(), Error>;
    /// Ends a list.
    fn end_list(&mut self);

    /// A u16.
    fn u16(&mut self, key: u8) -> Result<u16, Error> {
        Ok(self.unsigned(key, 16)? as u16)
    }

    /// A u32.
    fn u32(&mut self, key: u8) -> Result<u32, Error> {
        Ok(self.unsigned(key, 32)? as u32)
    }

    /// A u64.
    fn u64(&mut self, key: u8) -> Result<u64, Error> {
        self.unsigned(key, 64)
    }

    /// An i32.
    fn i32(&mut self, key: u8) -> Result<i32, Error> {
        Ok(self.signed(key, 32)? as i32)
    }

    /// A stamp.
    fn stamp(&mut self, key: u8) -> Result<Stamp, Error> {
        Ok(Stamp {
            time: self.u64(key)?,
            clk: self.byte(key.wrapping_add(1))?,
        })
    }

    /// Marks.
    fn quality(&mut self, key: u8) -> Result<Quality, Error> {
        let bits = self.u16(key)?;
        Quality::from_bits(bits).ok_or(Error::BadValue {
            position: self.position(),
        })
    }

    /// A byte string with a capacity.
    fn bytes_up_to<const N: usize>(&mut self, key: u8) -> Result<heapless::Vec<u8, N>, Error> {
        let bytes = self.bytes(key)?;
        heapless::Vec::from_slice(bytes).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    /// Text with a capacity in bytes.
    fn text_up_to<const N: usize>(&mut self, key: u8) -> Result<heapless::String<N>, Error> {
        let text = self.text(key)?;
        heapless::String::try_from(text).map_err(|_| Error::TooMany {
            position: self.position(),
            capacity: N,
        })
    }

    /// A list of elements of several fields.
    fn items<T, const N: usize>(
        &mut self,
        key: u8,
        mut read: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<heapless::Vec<T, N>, Error>
    where
        Self: Sized,
    {
        let len = self.list(key, N)?;
        let mut list = heapless::Vec::new();
        for _ in 0..len {
            self.item()?;
            let element = read(self)?;
            self.end_item()?;
            list.push(element).map_err(|_| Error::TooMany {
                position: self.position(),
                capacity: N,
            })?;
        }
        self.end_list();
        Ok(list)
    }

    /// A list of single numbers.
    fn numbers<T, const N: usize>(
        &mut self,
        key: u8,
        mut read: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<heapless::Vec<T, N>, Error>
    where
        Self: Sized,
    {
        let len = self.list(key, N)?;
        let mut list = heapless::Vec::new();
        for _ in 0..len {
            let element = read(self)?;
            list.push(element).map_err(|_| Error::TooMany {
                position: self.position(),
                capacity: N,
            })?;
        }
        self.end_list();
        Ok(list)
    }
}

/// The fields of one kind of message.
pub trait Fields: Sized {
    /// Writes all fields in order.
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error>;
    /// Reads all fields in order.
    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error>;
}
