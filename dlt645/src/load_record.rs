//! Load records (class 06, section 13.2 of the fact sheet).

use core::fmt;

use serial_line::bcd;

use crate::format::Format;
use crate::freeze::SEPARATOR;
use crate::layout::Layout;
use crate::record::Record;
use crate::time::Stamp;
use crate::value::ValueError;
use serial_line::cursor::{Cursor, Writer};

const GOOD: u8 = 0xA0;
const WRONG: u8 = 0xE0;
const END: u8 = 0xE5;
/// V/I/f, power, power factor, energy, quadrants, demand.
const CLASSES: usize = 6;
const TIME: usize = 5;

const LAYOUTS: [Layout; CLASSES] = [
    Layout::LoadVoltages,
    Layout::Powers,
    Layout::LoadPowerFactors,
    Layout::LoadEnergies,
    Layout::LoadQuadrants,
    Layout::LoadDemands,
];

/// Blocks of a load record as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadBlocks<'a> {
    data: &'a [u8],
}

impl<'a> LoadBlocks<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        LoadBlocks { data }
    }

    /// Their bytes in line order.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.data
    }

    /// Block after block; nothing follows an error. `class` is DI2 of the request: meters that send one class leave out
    /// the separators of the others, and the class tells which one it is; 0 for all classes, or if it is not known.
    pub fn blocks(
        &self,
        class: u8,
    ) -> impl Iterator<Item = Result<LoadBlock<'a>, ValueError>> + use<'a> {
        let (whole, mut rest) = (self.data.len(), self.data);
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let from = whole - rest.len();
            let taken = LoadBlock::take(rest, class).map_err(|err| match err {
                ValueError::Framing { position, found } => ValueError::Framing {
                    position: position + from,
                    found,
                },
                other => other,
            });
            rest = match &taken {
                Ok((_, rest)) => rest,
                Err(_) => &[],
            };
            Some(taken.map(|(block, _)| block))
        })
    }
}

/// Time and records of each block, taken as blocks of all classes.
impl fmt::Display for LoadBlocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for block in self.blocks(0) {
            f.write_str(separator)?;
            match block {
                Ok(block) => write!(f, "{block}")?,
                Err(err) => write!(f, "({err})")?,
            }
            separator = " | ";
        }
        Ok(())
    }
}

/// What the meter stored at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadBlock<'a> {
    /// The meter says itself that the block is wrong (E0 E0).
    pub wrong: bool,
    /// The time as five packed bytes mm hh DD MM YY.
    time: [u8; TIME],
    parts: [&'a [u8]; CLASSES],
}

impl<'a> LoadBlock<'a> {
    fn take(bytes: &'a [u8], class: u8) -> Result<(Self, &'a [u8]), ValueError> {
        let short = ValueError::Length {
            expected: 5 + TIME,
            found: bytes.len(),
        };
        let mut cursor = Cursor::new(bytes);
        let [mark, again, len] = cursor.array().ok_or(short)?;
        if (mark != GOOD && mark != WRONG) || again != mark {
            return Err(ValueError::Framing {
                position: usize::from(mark == GOOD || mark == WRONG),
                found: if mark == GOOD || mark == WRONG {
                    again
                } else {
                    mark
                },
            });
        }
        let content = cursor.take(usize::from(len)).ok_or(ValueError::Length {
            expected: usize::from(len) + 5,
            found: bytes.len(),
        })?;
        let [sum, end] = cursor.array().ok_or(short)?;
        let counted = bytes.get(..3 + usize::from(len)).unwrap_or_default();
        let expected = counted
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        if sum != expected {
            return Err(ValueError::Framing {
                position: 3 + usize::from(len),
                found: sum,
            });
        }
        if end != END {
            return Err(ValueError::Framing {
                position: 4 + usize::from(len),
                found: end,
            });
        }
        let (time, content) = content.split_first_chunk::<TIME>().ok_or(short)?;
        let parts = split(content, class)?;
        Ok((
            LoadBlock {
                wrong: mark == WRONG,
                time: *time,
                parts,
            },
            cursor.rest(),
        ))
    }

    /// When it was stored.
    ///
    /// # Errors
    /// [`ValueError::Digit`].
    pub fn at(&self) -> Result<Stamp, ValueError> {
        let [mm, hh, dd, mo, yy] = self.time;
        Stamp::from_line([0, mm, hh, dd, mo, yy]).ok_or_else(|| {
            let position = self
                .time
                .iter()
                .position(|byte| bcd::byte_value(*byte).is_none());
            let position = position.unwrap_or_default();
            ValueError::Digit {
                position,
                found: self.time.get(position).copied().unwrap_or_default(),
            }
        })
    }

    /// The record of `class` 1 to 6 (V/I/f, power, power factor, energy, quadrants, demand); `None` where the mode word
    /// excludes it or it was not asked for.
    ///
    /// # Errors
    /// [`ValueError::Length`].
    pub fn record(&self, class: u8) -> Result<Option<Record<'a>>, ValueError> {
        let nth = usize::from(class).wrapping_sub(1);
        let (Some(data), Some(layout)) = (self.parts.get(nth), LAYOUTS.get(nth)) else {
            return Ok(None);
        };
        if data.is_empty() {
            return Ok(None);
        }
        let format = Format::Record(*layout);
        if !format.fits(data.len()) {
            return Err(ValueError::Length {
                expected: format.len(),
                found: data.len(),
            });
        }
        Ok(Some(Record::new(*layout, data)))
    }
}

impl fmt::Display for LoadBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at() {
            Ok(at) => write!(f, "{}", crate::value::Value::Stamp(at))?,
            Err(err) => write!(f, "({err})")?,
        }
        for class in 1..=CLASSES as u8 {
            match self.record(class) {
                Ok(Some(record)) => write!(f, "; {record}")?,
                Ok(None) => {}
                Err(err) => write!(f, "; ({err})")?,
            }
        }
        Ok(())
    }
}

/// The parts between the separators. All six are there, or one that its class names.
fn split(content: &[u8], class: u8) -> Result<[&[u8]; CLASSES], ValueError> {
    let wrong = ValueError::Length {
        expected: CLASSES,
        found: content.iter().filter(|byte| **byte == SEPARATOR).count(),
    };
    let inner = content.strip_suffix(&[SEPARATOR]).ok_or(wrong)?;
    let mut parts: [&[u8]; CLASSES] = [&[]; CLASSES];
    let mut count = 0;
    for part in inner.split(|byte| *byte == SEPARATOR) {
        *parts.get_mut(count).ok_or(wrong)? = part;
        count += 1;
    }
    if count == CLASSES {
        return Ok(parts);
    }
    let mut found = parts.iter().filter(|part| !part.is_empty());
    let (Some(only), None) = (found.next().copied(), found.next()) else {
        return Err(wrong);
    };
    let nth = match usize::from(class).checked_sub(1) {
        Some(nth) => nth,
        // Nobody said which class was asked for: the length tells, except between energy and quadrants.
        None => {
            let fits = |layout: &Layout| usize::from(layout.shape().fixed) == only.len();
            let nth = LAYOUTS.iter().position(fits).ok_or(wrong)?;
            if LAYOUTS.iter().rposition(fits) != Some(nth) {
                return Err(wrong);
            }
            nth
        }
    };
    let mut named: [&[u8]; CLASSES] = [&[]; CLASSES];
    *named.get_mut(nth).ok_or(wrong)? = only;
    Ok(named)
}

/// Writes one block of a load record to the front of `out` and returns its length: `parts` are the bytes of the six
/// classes, empty where there are none.
///
/// # Errors
/// [`ValueError::Length`] if `out` is too small, [`ValueError::Range`] for a time above 99 or parts of more than 250
/// bytes.
pub fn encode_load_block(
    at: Stamp,
    parts: [&[u8]; 6],
    out: &mut [u8],
) -> Result<usize, ValueError> {
    let found = out.len();
    let [_, time @ ..] = at.line().ok_or(ValueError::Range)?;
    let len = TIME + parts.iter().map(|part| part.len() + 1).sum::<usize>();
    let len = u8::try_from(len).map_err(|_| ValueError::Range)?;
    let mut sum = 0_u8;
    let mut writer = Writer::new(out);
    let mut put = |bytes: &[u8], writer: &mut Writer<'_>| {
        for byte in bytes {
            sum = sum.wrapping_add(*byte);
        }
        writer.put(bytes);
    };
    put(&[GOOD, GOOD, len], &mut writer);
    put(&time, &mut writer);
    for part in parts {
        put(part, &mut writer);
        put(&[SEPARATOR], &mut writer);
    }
    writer.put(&[sum, END]);
    writer
        .finish()
        .map_err(|expected| ValueError::Length { expected, found })
}
