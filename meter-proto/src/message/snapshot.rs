//! Kind 4: values that describe themselves.

use heapless::Vec;

use crate::fields::fields;
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
fields!(element Sample { 0 point, 1 value });

impl Sample {
    /// A sample.
    #[must_use]
    pub const fn new(point: PointId, value: Value) -> Self {
        Self { point, value }
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

fields!(Snapshot { 0 samples });
