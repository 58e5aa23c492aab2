//! Kind 6: a register or a quantity over time, compressed.

use heapless::Vec;

use super::{Head, SetDefinition};
use crate::error::{Error, Rule};
use crate::fields::fields;
use crate::point::PointId;
use crate::quantity::Quantity;
use crate::series;
use crate::value::{Quality, Value};

/// Values of a profile, one behind the other, whose marks differ from good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QualityRun {
    /// First of them, from 0.
    pub first: u16,
    /// How many, at least 1.
    pub count: u16,
    /// Their marks.
    pub quality: Quality,
}

fields!(element QualityRun { 0 first, 1 count, 2 quality });

/// Kind 6, up: equally spaced values of one point, or of the columns of a set.
///
/// The last value belongs to the time of the head less `age_s`, every other one to `step_s` before its follower. The
/// point of a set is [`PointId::set`]; its `exponent` and `codec` are 0 and each column brings its own codec, see
/// [`Profile::columns`]. A missing value repeats its predecessor and lies in a run with [`Quality::MISSING`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Profile {
    /// What was measured.
    pub point: PointId,
    /// Power of ten of the values.
    pub exponent: i8,
    /// Seconds from the last value to the time of the head, 0 for a profile that is sent when it is full.
    pub age_s: u32,
    /// Seconds from value to value, at least 1.
    pub step_s: u32,
    /// How many values, at least 1.
    pub count: u16,
    /// How `data` is written, see [`series`].
    pub codec: u8,
    /// The values, at most 1,024 bytes.
    pub data: Vec<u8, 1024>,
    /// Marks of values that are not good: ascending, without overlap, at most 16.
    pub runs: Vec<QualityRun, 16>,
}

fields!(Profile {
    0 point,
    1 exponent,
    2 age_s,
    3 step_s,
    4 count,
    5 codec,
    6 data,
    7 runs,
} where check);

impl Profile {
    /// Compresses the values of a point, the shortest of nine codings. `step_s` is seconds from value to value.
    ///
    /// # Errors
    /// [`Error::Broken`] without values or step, [`Error::BufferFull`] when the data takes more than 1,024 bytes.
    pub fn try_new(
        point: PointId,
        exponent: i8,
        step_s: u32,
        values: impl Iterator<Item = i64> + Clone,
    ) -> Result<Self, Error> {
        let count = values.clone().take(usize::from(u16::MAX) + 1).count();
        let count = u16::try_from(count).map_err(|_| Rule::Count)?;
        let mut data = Vec::new();
        data.resize_default(1024).map_err(|_| Rule::Count)?;
        let (coding, len) = series::encode(values, &mut data)?;
        data.truncate(len);
        let profile = Self {
            point,
            exponent,
            age_s: 0,
            step_s,
            count,
            codec: coding.codec(),
            data,
            runs: Vec::new(),
        };
        profile.check().map(|()| profile)
    }

    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self.count == 0 || self.step_s == 0 {
            return Err(Rule::Count.into());
        }
        let mut free = 0u32; // the first value that no run has yet
        for run in &self.runs {
            let end = u32::from(run.first) + u32::from(run.count);
            if u32::from(run.first) < free || run.count == 0 || end > u32::from(self.count) {
                return Err(Rule::Ranges.into());
            }
            free = end;
        }
        Ok(())
    }

    /// Seconds since 1970 of the first value.
    #[must_use]
    pub fn first_time(&self, head: &Head) -> u64 {
        let back = u64::from(self.step_s).wrapping_mul(u64::from(self.count.saturating_sub(1)));
        let seconds = head.stamp.seconds().saturating_sub(u64::from(self.age_s));
        seconds.saturating_sub(back)
    }

    /// The values of a point with their exponent and marks, oldest first.
    ///
    /// # Errors
    /// [`Error::BadValue`] for an unknown codec; the iterator ends with an error where the data is no series.
    pub fn values(&self) -> Result<impl Iterator<Item = Result<Value, Error>> + '_, Error> {
        let series = series::Decoder::new(self.codec, usize::from(self.count), &self.data)?;
        Ok(series.zip(0u16..).map(|(mantissa, index)| {
            Ok(Value {
                mantissa: mantissa?,
                exponent: self.exponent,
                quality: self.quality_of(index),
            })
        }))
    }

    fn quality_of(&self, index: u16) -> Quality {
        let run = self.runs.iter().find(|run| {
            index
                .checked_sub(run.first)
                .is_some_and(|into| into < run.count)
        });
        run.map_or(Quality::GOOD, |run| run.quality)
    }

    /// Point, exponent and series of each column of a set: in `data` each has its codec (u8), its length (varint) and
    /// its bytes, in the order of the definition.
    ///
    /// # Errors
    /// [`Error::Broken`] when the profile is not of this set. The iterator ends with an error where the data is no
    /// chain of columns.
    pub fn columns<'a>(
        &'a self,
        set: &'a SetDefinition,
    ) -> Result<impl Iterator<Item = Result<(PointId, i8, series::Decoder<'a>), Error>> + 'a, Error>
    {
        if self.point.set_number() != Some(set.number) {
            return Err(Rule::Reference.into());
        }
        let mut chain = crate::compact::Reader::new(&self.data);
        let mut left = set.entries.len();
        let mut entries = set.entries.iter();
        Ok(core::iter::from_fn(move || {
            let entry = entries.next()?;
            let mut read = || {
                use crate::fields::Source;
                let (codec, data) = (chain.byte(0)?, chain.bytes()?);
                left = left.saturating_sub(1);
                if left == 0 {
                    chain.end()?;
                }
                let series = series::Decoder::new(codec, usize::from(self.count), data)?;
                Ok((entry.point, entry.exponent, series))
            };
            let column = read();
            if column.is_err() {
                entries = [].iter();
            }
            Some(column)
        }))
    }

    /// Appends a column of a set profile.
    ///
    /// # Errors
    /// [`Error::Broken`] when the values are not `count`, [`Error::BufferFull`] when the data takes too much.
    pub fn push_column(&mut self, values: impl Iterator<Item = i64> + Clone) -> Result<(), Error> {
        if values.clone().count() != usize::from(self.count) {
            return Err(Rule::Count.into());
        }
        let mut room = [0; 1024];
        let (coding, len) = series::encode(values, &mut room)?;
        let mut prefix = [0; 4];
        let mut out = crate::compact::Writer::new(&mut prefix);
        {
            use crate::fields::Sink;
            out.byte(0, coding.codec())?;
            out.unsigned(0, len as u64)?;
        }
        let used = out.len();
        let full = Error::BufferFull { capacity: 1024 };
        if self.data.len() + used + len > self.data.capacity() {
            return Err(full);
        }
        let prefix = prefix.get(..used).ok_or(full)?;
        let series = room.get(..len).ok_or(full)?;
        self.data.extend_from_slice(prefix).map_err(|_| full)?;
        self.data.extend_from_slice(series).map_err(|_| full)
    }

    /// A profile of a set, its columns to be pushed.
    #[must_use]
    pub const fn of_set(set: u16, step_s: u32, count: u16) -> Self {
        Self {
            point: PointId::set(set),
            exponent: 0,
            age_s: 0,
            step_s,
            count,
            codec: 0,
            data: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Whether this is a profile of a set.
    #[must_use]
    pub const fn is_of_set(&self) -> bool {
        self.point.quantity().id() == Quantity::SET.id()
    }
}
