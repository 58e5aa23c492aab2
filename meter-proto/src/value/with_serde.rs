//! The layout of a value through serde.

use super::{Quality, Value};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

/// A tuple of two to four elements, as on the wire: meta, exponent where the nibble says so, several marks where
/// the nibble says so, mantissa.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let meta = self.meta();
        let wide = meta >> 4 == 8;
        let several = meta & 0x0F == 15;
        let mut tuple = serializer.serialize_tuple(2 + usize::from(wide) + usize::from(several))?;
        tuple.serialize_element(&meta)?;
        if wide {
            tuple.serialize_element(&self.exponent)?;
        }
        if several {
            tuple.serialize_element(&self.quality)?;
        }
        tuple.serialize_element(&self.mantissa)?;
        tuple.end()
    }
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Value;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("meta, optional exponent, optional marks, mantissa")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut missing = || A::Error::custom("value ends early");
        let meta: u8 = seq.next_element()?.ok_or_else(&mut missing)?;
        let exponent = if meta >> 4 == 8 {
            seq.next_element()?.ok_or_else(&mut missing)?
        } else {
            Value::nibble_exponent(meta)
        };
        let quality = if meta & 0x0F == 15 {
            seq.next_element()?.ok_or_else(&mut missing)?
        } else {
            Quality::of_nibble(meta & 0x0F)
        };
        let mantissa = seq.next_element()?.ok_or_else(&mut missing)?;
        Ok(Value {
            mantissa,
            exponent,
            quality,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(4, Elements)
    }
}

/// The set as a number; bits outside 1 to 14 are refused.
impl<'de> Deserialize<'de> for Quality {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = u16::deserialize(deserializer)?;
        Self::from_bits(bits).ok_or_else(|| D::Error::custom("marks out of range"))
    }
}
