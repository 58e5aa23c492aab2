//! One list of fields per message serves both forms: a [`Sink`] writes it, a [`Source`] reads it.
//!
//! The compact form ignores keys and goes by order, CBOR goes by keys, JSON by the names of the keys. Elements of lists
//! have no keys in the first two. The list of a type is written with [`fields!`]; what a type of field looks like in
//! each form stands here as its [`Field`].

use heapless::{String, Vec};

use crate::device::DeviceId;
use crate::error::Error;
use crate::point::PointId;
use crate::time::Stamp;
use crate::value::{Quality, Value};

/// Keys with their names, as JSON shows them. Forms without names never touch them, so that they drop out at link time.
pub type Names = &'static [(u8, &'static str)];

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
    fn item(&mut self, names: Names) -> Result<(), Error>;
    /// Ends such an element.
    fn end_item(&mut self) -> Result<(), Error>;
    /// Ends a list.
    fn end_list(&mut self) -> Result<(), Error>;

    /// Begins fields that belong together and stand among the others, the first under this key.
    fn group(&mut self, _key: u8, _names: Names) -> Result<(), Error> {
        Ok(())
    }

    /// Ends such a group.
    fn end_group(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// A measurement point.
    fn point(&mut self, key: u8, value: PointId) -> Result<(), Error> {
        self.unsigned(key, value.bits())
    }

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
    /// A byte string with a capacity.
    fn bytes_up_to<const N: usize>(&mut self, key: u8) -> Result<Vec<u8, N>, Error>;
    /// Text with a capacity in bytes.
    fn text_up_to<const N: usize>(&mut self, key: u8) -> Result<String<N>, Error>;
    /// A device identity.
    fn device(&mut self, key: u8) -> Result<DeviceId, Error>;
    /// A measured value.
    fn value(&mut self, key: u8) -> Result<Value, Error>;
    /// Whether the optional field under this key follows.
    fn present(&mut self, key: u8) -> Result<bool, Error>;
    /// Begins a list, returns its length.
    fn list(&mut self, key: u8, capacity: usize) -> Result<usize, Error>;
    /// Begins an element of several fields.
    fn item(&mut self, names: Names) -> Result<(), Error>;
    /// Ends such an element; elements that a later release appended are passed over in CBOR.
    fn end_item(&mut self) -> Result<(), Error>;
    /// Ends a list.
    fn end_list(&mut self) -> Result<(), Error>;

    /// Begins fields that belong together.
    fn group(&mut self, _key: u8, _names: Names) -> Result<(), Error> {
        Ok(())
    }

    /// Ends such a group.
    fn end_group(&mut self) -> Result<(), Error> {
        Ok(())
    }

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
}

/// The fields of one kind of message, of an element of a list, or of a group.
pub trait Fields: Sized {
    /// Keys and names.
    const NAMES: Names;
    /// Writes all fields in order; `base` is added to their keys.
    fn write<S: Sink>(&self, base: u8, sink: &mut S) -> Result<(), Error>;
    /// Reads all fields in order.
    fn read<'b, S: Source<'b>>(base: u8, source: &mut S) -> Result<Self, Error>;
}

/// What can stand under a key.
pub trait Field: Sized {
    /// Writes it.
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error>;
    /// Reads it.
    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error>;
}

/// What can stand in a list.
pub trait Element: Sized {
    /// Writes it.
    fn put_element<S: Sink>(&self, sink: &mut S) -> Result<(), Error>;
    /// Reads it.
    fn take_element<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error>;
}

/// States keys and fields of a type in the order of its declaration, which is the order on the wire.
///
/// `element` makes it usable in lists, `group` beside other fields under the keys from its own on, and `where rules`
/// calls its `check` after reading and before writing.
macro_rules! fields {
    ($name:ident { $($key:literal $field:ident),* $(,)? } $(where $rules:ident)?) => {
        impl $crate::fields::Fields for $name {
            const NAMES: $crate::fields::Names = &[$(($key, stringify!($field))),*];

            #[inline]
            fn write<S: $crate::fields::Sink>(
                &self,
                base: u8,
                sink: &mut S,
            ) -> Result<(), $crate::error::Error> {
                $(self.$rules()?;)?
                $($crate::fields::Field::put(&self.$field, base.wrapping_add($key), sink)?;)*
                Ok(())
            }

            #[inline]
            fn read<'b, S: $crate::fields::Source<'b>>(
                base: u8,
                source: &mut S,
            ) -> Result<Self, $crate::error::Error> {
                let read = Self {
                    $($field: $crate::fields::Field::take(base.wrapping_add($key), source)?,)*
                };
                $(read.$rules()?;)?
                Ok(read)
            }
        }
    };
    (element $name:ident $($rest:tt)*) => {
        $crate::fields::fields!($name $($rest)*);
        impl $crate::fields::Element for $name {
            #[inline]
            fn put_element<S: $crate::fields::Sink>(
                &self,
                sink: &mut S,
            ) -> Result<(), $crate::error::Error> {
                sink.item(<Self as $crate::fields::Fields>::NAMES)?;
                $crate::fields::Fields::write(self, 0, sink)?;
                sink.end_item()
            }

            #[inline]
            fn take_element<'b, S: $crate::fields::Source<'b>>(
                source: &mut S,
            ) -> Result<Self, $crate::error::Error> {
                source.item(<Self as $crate::fields::Fields>::NAMES)?;
                let element = $crate::fields::Fields::read(0, source)?;
                source.end_item()?;
                Ok(element)
            }
        }
    };
    (group $name:ident $($rest:tt)*) => {
        $crate::fields::fields!($name $($rest)*);
        impl $crate::fields::Field for $name {
            fn put<S: $crate::fields::Sink>(
                &self,
                key: u8,
                sink: &mut S,
            ) -> Result<(), $crate::error::Error> {
                sink.group(key, <Self as $crate::fields::Fields>::NAMES)?;
                $crate::fields::Fields::write(self, key, sink)?;
                sink.end_group()
            }

            fn take<'b, S: $crate::fields::Source<'b>>(
                key: u8,
                source: &mut S,
            ) -> Result<Self, $crate::error::Error> {
                source.group(key, <Self as $crate::fields::Fields>::NAMES)?;
                let group = $crate::fields::Fields::read(key, source)?;
                source.end_group()?;
                Ok(group)
            }
        }
    };
}
pub(crate) use fields;

/// Types that are one number on the wire: how they become it and what they are made of.
macro_rules! numbers {
    ($($name:ty: $method:ident, |$value:ident| $out:expr, |$source:ident, $key:ident| $in:expr;)*) => {
        $(
            impl Field for $name {
                #[inline]
                fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
                    let $value = *self;
                    sink.$method(key, $out)
                }

                #[inline]
                fn take<'b, S: Source<'b>>($key: u8, $source: &mut S) -> Result<Self, Error> {
                    $in
                }
            }
        )*
    };
}

numbers! {
    u8: byte, |value| value, |source, key| source.byte(key);
    i8: signed_byte, |value| value, |source, key| source.signed_byte(key);
    u16: unsigned, |value| u64::from(value), |source, key| source.u16(key);
    u32: unsigned, |value| u64::from(value), |source, key| source.u32(key);
    u64: unsigned, |value| value, |source, key| source.u64(key);
    i32: signed, |value| i64::from(value), |source, key| source.i32(key);
    i64: signed, |value| value, |source, key| source.signed(key, 64);
    PointId: point, |value| value, |source, key| source.u64(key).map(PointId::from_bits);
    Stamp: stamp, |value| value, |source, key| source.stamp(key);
    Quality: quality, |value| value, |source, key| source.quality(key);
}

/// Numbers with names of their own, one field wide.
macro_rules! newtypes {
    ($($name:path),* $(,)?) => {
        $(
            impl $crate::fields::Field for $name {
                #[inline]
                fn put<S: $crate::fields::Sink>(
                    &self,
                    key: u8,
                    sink: &mut S,
                ) -> Result<(), $crate::error::Error> {
                    self.0.put(key, sink)
                }

                #[inline]
                fn take<'b, S: $crate::fields::Source<'b>>(
                    key: u8,
                    source: &mut S,
                ) -> Result<Self, $crate::error::Error> {
                    $crate::fields::Field::take(key, source).map(Self)
                }
            }
        )*
    };
}
pub(crate) use newtypes;

impl Field for DeviceId {
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.device(key, self)
    }

    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        source.device(key)
    }
}

impl Field for Value {
    #[inline]
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.value(key, self)
    }

    #[inline]
    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        source.value(key)
    }
}

impl<T: Field> Field for Option<T> {
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.present(key, self.is_some())?;
        match self {
            Some(field) => field.put(key, sink),
            None => Ok(()),
        }
    }

    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        if source.present(key)? {
            T::take(key, source).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<const N: usize> Field for Vec<u8, N> {
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.bytes(key, self)
    }

    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        source.bytes_up_to(key)
    }
}

impl<const N: usize> Field for String<N> {
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.text(key, self)
    }

    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        source.text_up_to(key)
    }
}

impl<T: Element, const N: usize> Field for Vec<T, N> {
    #[inline]
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.list(key, self.len())?;
        for element in self {
            element.put_element(sink)?;
        }
        sink.end_list()
    }

    #[inline]
    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        let len = source.list(key, N)?;
        let mut list = Self::new();
        for _ in 0..len {
            let element = T::take_element(source)?;
            list.push(element).map_err(|_| Error::TooMany {
                position: source.position(),
                capacity: N,
            })?;
        }
        source.end_list()?;
        Ok(list)
    }
}

/// Lists of single numbers.
macro_rules! number_elements {
    ($($name:ty),*) => {
        $(
            impl Element for $name {
                #[inline]
                fn put_element<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
                    self.put(0, sink)
                }

                #[inline]
                fn take_element<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
                    Self::take(0, source)
                }
            }
        )*
    };
}
number_elements!(u32, i64, PointId, crate::message::ConfigKey);
