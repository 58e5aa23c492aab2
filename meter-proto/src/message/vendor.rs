//! Kinds 64 to 127: what makers send beside the standard.

use heapless::Vec;

use crate::error::{Error, Rule};
use crate::fields::{Field, Names, Sink, Source};

/// Kinds 64 to 127: bytes that only their maker understands; relays pass them on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Vendor {
    #[cfg_attr(feature = "serde", serde(skip))]
    kind: u8,
    /// The bytes, at most 480.
    pub data: Vec<u8, 480>,
}

impl Vendor {
    /// Bytes of a kind from 64 to 127.
    ///
    /// # Errors
    /// [`Error::Broken`] for another kind.
    pub fn try_new(kind: u8, data: Vec<u8, 480>) -> Result<Self, Error> {
        if !matches!(kind, 64..=127) {
            return Err(Rule::Reference.into());
        }
        Ok(Self { kind, data })
    }

    /// The kind number, 64 to 127.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        self.kind
    }

    pub(crate) const NAMES: Names = &[(0, "data")];

    pub(crate) fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        self.data.put(0, sink)
    }

    pub(crate) fn read<'b, S: Source<'b>>(kind: u8, source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            kind,
            data: Field::take(0, source)?,
        })
    }
}
