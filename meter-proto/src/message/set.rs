//! Kinds 3 and 5: a layout announced once, then values without their points.

use heapless::Vec;

use super::Sample;
use crate::fields::fields;
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
fields!(element SetEntry { 0 point, 1 exponent, 2 modulus });

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

fields!(SetDefinition { 0 number, 1 hash, 2 interval_s, 3 entries });

/// A column whose marks differ from the common ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetException {
    /// Which column, from 0.
    pub column: u16,
    /// Its marks.
    pub quality: Quality,
}
fields!(element SetException { 0 column, 1 quality });

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

fields!(SetSnapshot { 0 number, 1 quality, 2 mantissas, 3 exceptions });
