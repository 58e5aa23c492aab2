//! Kinds 3 and 5: a layout announced once, then values without their points.

use heapless::Vec;

use super::Sample;
use crate::error::Error;
use crate::fields::{Fields, Sink, Source};
use crate::point::PointId;
use crate::value::{Quality, Value};

/// One column of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetEntry {
    /// What is measured.
    pub point: PointId,
    /// Power of ten of its mantissas.
    pub exponent: i8,
    /// Where a register starts again from 0, in its own steps; 0 for values that do not roll over.
    pub modulus: u64,
}

/// Kind 3, up or down: the layout of set snapshots, at most 128 columns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetDefinition {
    /// The device's number of the set.
    pub number: u16,
    /// Names the layout everywhere: see [`SetDefinition::layout_hash`].
    pub hash: u32,
    /// How often the set is reported, seconds; 0 on change.
    pub interval_s: u32,
    /// The columns.
    pub entries: Vec<SetEntry, 128>,
}

impl SetDefinition {
    /// A definition with its hash.
    #[must_use]
    pub fn new(number: u16, interval_s: u32, entries: Vec<SetEntry, 128>) -> Self {
        let mut set = Self {
            number,
            hash: 0,
            interval_s,
            entries,
        };
        set.hash = set.layout_hash();
        set
    }

    /// 32-bit FNV-1a over the columns: per column point (8 bytes), exponent (1), modulus (8), little endian.
    #[must_use]
    pub fn layout_hash(&self) -> u32 {
        let mut hash = 0x811C_9DC5u32;
        let mut feed = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
            }
        };
        for entry in &self.entries {
            feed(&entry.point.bits().to_le_bytes());
            feed(&entry.exponent.to_le_bytes());
            feed(&entry.modulus.to_le_bytes());
        }
        hash
    }

    /// The samples of a set snapshot of this set; `None` if it belongs to another set or has another length.
    pub fn samples<'a>(
        &'a self,
        snapshot: &'a SetSnapshot,
    ) -> Option<impl Iterator<Item = Sample> + 'a> {
        if snapshot.number != self.number || snapshot.mantissas.len() != self.entries.len() {
            return None;
        }
        let columns = self.entries.iter().zip(&snapshot.mantissas).enumerate();
        Some(columns.map(|(column, (entry, mantissa))| {
            let exception = snapshot
                .exceptions
                .iter()
                .find(|exception| usize::from(exception.column) == column);
            let quality = exception.map_or(snapshot.quality, |exception| exception.quality);
            Sample::new(
                entry.point,
                Value {
                    mantissa: *mantissa,
                    exponent: entry.exponent,
                    quality,
                },
            )
        }))
    }
}

impl Fields for SetDefinition {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.unsigned(0, u64::from(self.number))?;
        sink.unsigned(1, u64::from(self.hash))?;
        sink.unsigned(2, u64::from(self.interval_s))?;
        sink.list(3, self.entries.len())?;
        for entry in &self.entries {
            sink.item()?;
            sink.unsigned(0, entry.point.bits())?;
            sink.signed_byte(0, entry.exponent)?;
            sink.unsigned(0, entry.modulus)?;
            sink.end_item()?;
        }
        sink.end_list();
        Ok(())
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            number: source.u16(0)?,
            hash: source.u32(1)?,
            interval_s: source.u32(2)?,
            entries: source.items(3, |source| {
                Ok(SetEntry {
                    point: PointId::from_bits(source.u64(0)?),
                    exponent: source.signed_byte(0)?,
                    modulus: source.u64(0)?,
                })
            })?,
        })
    }
}

/// A column whose marks differ from the common ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetException {
    /// Which column, from 0.
    pub column: u16,
    /// Its marks.
    pub quality: Quality,
}

/// Kind 5, up: the mantissas of a set in the order of its definition, at most 128, and at most 16 exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetSnapshot {
    /// The set.
    pub number: u16,
    /// The marks of every column that is no exception.
    pub quality: Quality,
    /// The mantissas.
    pub mantissas: Vec<i64, 128>,
    /// The exceptions.
    pub exceptions: Vec<SetException, 16>,
}

impl Fields for SetSnapshot {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.unsigned(0, u64::from(self.number))?;
        sink.quality(1, self.quality)?;
        sink.list(2, self.mantissas.len())?;
        for mantissa in &self.mantissas {
            sink.signed(0, *mantissa)?;
        }
        sink.end_list();
        sink.list(3, self.exceptions.len())?;
        for exception in &self.exceptions {
            sink.item()?;
            sink.unsigned(0, u64::from(exception.column))?;
            sink.quality(0, exception.quality)?;
            sink.end_item()?;
        }
        sink.end_list();
        Ok(())
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            number: source.u16(0)?,
            quality: source.quality(1)?,
            mantissas: source.numbers(2, |source| source.signed(0, 64))?,
            exceptions: source.items(3, |source| {
                Ok(SetException {
                    column: source.u16(0)?,
                    quality: source.quality(0)?,
                })
            })?,
        })
    }
}
