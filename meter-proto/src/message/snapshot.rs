//! Kind 4: values that describe themselves.

use heapless::Vec;

use crate::error::Error;
use crate::fields::{Fields, Sink, Source};
use crate::point::PointId;
use crate::value::Value;

/// One value of one point. In the compact form: point as varint, meta byte, mantissa as zigzag varint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sample {
    /// What was measured.
    pub point: PointId,
    /// What it was.
    pub value: Value,
}

impl Sample {
    /// A sample.
    #[must_use]
    pub const fn new(point: PointId, value: Value) -> Self {
        Self { point, value }
    }

    pub(crate) fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.item()?;
        sink.unsigned(0, self.point.bits())?;
        sink.value(0, &self.value)?;
        sink.end_item()
    }

    pub(crate) fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            point: PointId::from_bits(source.u64(0)?),
            value: source.value(0)?,
        })
    }
}

/// Kind 4, up: values of one moment, at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The values, in the sender's order.
    pub samples: Vec<Sample, 64>,
}

impl Snapshot {
    /// The first value of this point.
    #[must_use]
    pub fn value(&self, point: PointId) -> Option<Value> {
        self.samples
            .iter()
            .find(|sample| sample.point == point)
            .map(|sample| sample.value)
    }
}

/// Collects up to 64 samples; more are dropped, so check the length where that can happen.
impl FromIterator<Sample> for Snapshot {
    fn from_iter<I: IntoIterator<Item = Sample>>(samples: I) -> Self {
        Self {
            samples: samples.into_iter().take(64).collect(),
        }
    }
}

impl Fields for Snapshot {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.list(0, self.samples.len())?;
        for sample in &self.samples {
            sample.write(sink)?;
        }
        sink.end_list();
        Ok(())
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            samples: source.items(0, Sample::read)?,
        })
    }
}
