//! Freezes read in one piece (class 05 with DI1 = FF, section 13.1 of the fact sheet).

use core::fmt;

use crate::format::Format;
use crate::layout::Layout;
use crate::value::{Value, ValueError};
use serial_line::cursor::Writer;

/// Closes each part. No decimal field holds this byte, so the parts are found by it.
pub(crate) const SEPARATOR: u8 = 0xAA;

/// DI1 of the parts in their order.
const ORDER: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0A, 0x10];

/// The format of the part with this DI1.
pub(crate) const fn part_format(di1: u8) -> Option<Format> {
    Some(match di1 {
        0x00 => Format::MinuteStamp,
        0x01 | 0x02 => Format::Record(Layout::ActiveEnergies),
        0x03 | 0x04 => Format::Record(Layout::CombinedEnergies),
        0x05..=0x08 => Format::Record(Layout::ReactiveEnergies),
        0x09 | 0x0A => Format::Record(Layout::Demands),
        0x10 => Format::Record(Layout::Powers),
        _ => return None,
    })
}

/// A whole freeze as sent: its parts, each closed by AA. An hourly freeze has three parts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freeze<'a>(pub &'a [u8]);

impl<'a> Freeze<'a> {
    /// The parts in their order, those that the mode word excludes included. Bytes behind the last AA are left out;
    /// [`Freeze::is_whole`] tells whether there are none.
    pub fn parts(&self) -> impl Iterator<Item = FreezePart<'a>> + use<'a> {
        let mut rest = self.0;
        ORDER.into_iter().map_while(move |di1| {
            let end = rest.iter().position(|byte| *byte == SEPARATOR)?;
            let (data, tail) = rest.split_at_checked(end)?;
            rest = tail.get(1..).unwrap_or_default();
            Some(FreezePart { di1, data })
        })
    }

    /// Whether the data are parts and nothing else.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let len: usize = self.parts().map(|part| part.data.len() + 1).sum();
        len == self.0.len() && !self.0.is_empty()
    }
}

/// One part of a freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreezePart<'a> {
    /// DI1: 00 time, 01 forward active and so on, see [`DataId::item`](crate::DataId::item).
    pub di1: u8,
    /// Its bytes; none where the mode word excludes it.
    pub data: &'a [u8],
}

impl<'a> FreezePart<'a> {
    /// The time or the record of the part; `None` where the mode word excludes it.
    ///
    /// # Errors
    /// Those of [`Format::decode`].
    pub fn value(&self) -> Result<Option<Value<'a>>, ValueError> {
        if self.data.is_empty() {
            return Ok(None);
        }
        let format = part_format(self.di1).ok_or(ValueError::Unknown)?;
        format.decode(self.data).map(Some)
    }
}

/// DI1 and value of each part.
impl fmt::Display for Freeze<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for part in self.parts() {
            write!(f, "{separator}{:02X}: ", part.di1)?;
            match part.value() {
                Ok(Some(value)) => write!(f, "{value}")?,
                Ok(None) => f.write_str("excluded")?,
                Err(err) => write!(f, "({err})")?,
            }
            separator = " | ";
        }
        Ok(())
    }
}

/// Builds a whole freeze in a caller's buffer.
#[derive(Debug)]
pub struct FreezeWriter<'a> {
    writer: Writer<'a>,
    available: usize,
}

impl<'a> FreezeWriter<'a> {
    /// Begins in an empty buffer.
    #[must_use]
    pub const fn new(out: &'a mut [u8]) -> Self {
        let available = out.len();
        FreezeWriter {
            writer: Writer::new(out),
            available,
        }
    }

    /// The next part, in the order 00, 01 to 0A, 10; no bytes where the mode word excludes it.
    pub fn part(&mut self, data: &[u8]) -> &mut Self {
        self.writer.put(data).put(&[SEPARATOR]);
        self
    }

    /// The length of the freeze.
    ///
    /// # Errors
    /// [`ValueError::Length`] if the buffer is too small.
    pub fn finish(self) -> Result<usize, ValueError> {
        let available = self.available;
        self.writer.finish().map_err(|expected| ValueError::Length {
            expected,
            found: available,
        })
    }
}
