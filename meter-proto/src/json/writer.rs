//! Appends JSON to the caller's bytes.

use core::fmt::{self, Write};

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Names, Sink};
use crate::language::Language;
use crate::point::PointId;
use crate::time::Stamp;
use crate::value::{Digits, Quality, Value};

/// Integers up to here are read exactly by every reader of JSON.
const EXACT: u64 = 1 << 53;

/// An open object or array.
#[derive(Clone, Copy)]
struct Level {
    /// Names of the fields, `None` in an array.
    names: Option<Names>,
    /// Key of the first field.
    base: u8,
    empty: bool,
}

pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    language: Language,
    levels: heapless::Vec<Level, 6>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(language: Language, out: &'a mut [u8]) -> Self {
        Self {
            out,
            len: 0,
            language,
            levels: heapless::Vec::new(),
        }
    }

    /// What was written.
    pub(super) fn text(self) -> Result<&'a str, Error> {
        let capacity = self.out.len();
        let text = self.out.get(..self.len);
        text.and_then(|text| core::str::from_utf8(text).ok())
            .ok_or(Error::BufferFull { capacity })
    }

    fn print(&mut self, what: fmt::Arguments<'_>) -> Result<(), Error> {
        let capacity = self.out.len();
        self.write_fmt(what)
            .map_err(|_| Error::BufferFull { capacity })
    }

    fn push(&mut self, text: &str) -> Result<(), Error> {
        self.print(format_args!("{text}"))
    }

    fn quoted(&mut self, what: impl fmt::Display) -> Result<(), Error> {
        let mut text = Escaped(self);
        let failed = write!(text, "{what}").is_err();
        if failed {
            return Err(Error::BufferFull {
                capacity: self.out.len(),
            });
        }
        Ok(())
    }

    /// A text in quotes.
    fn string(&mut self, what: impl fmt::Display) -> Result<(), Error> {
        self.push("\"")?;
        self.quoted(what)?;
        self.push("\"")
    }

    /// The comma between neighbours, and the name of this one.
    fn begin(&mut self, key: u8) -> Result<(), Error> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        let (names, base, comma) = (level.names, level.base, !level.empty);
        level.empty = false;
        if comma {
            self.push(",")?;
        }
        let Some(names) = names else {
            return Ok(());
        };
        let own = key.wrapping_sub(base);
        let name = names.iter().find(|(key, _)| *key == own);
        match name {
            Some((_, name)) => self.print(format_args!("\"{name}\":")),
            None => self.print(format_args!("\"{key}\":")),
        }
    }

    /// A field that is only for reading.
    pub(super) fn note(&mut self, name: &str, what: impl fmt::Display) -> Result<(), Error> {
        self.print(format_args!(",\"{name}\":"))?;
        self.string(what)
    }

    pub(super) fn open(&mut self, base: u8, names: Names) -> Result<(), Error> {
        self.push("{")?;
        self.level(Some(names), base)
    }

    fn level(&mut self, names: Option<Names>, base: u8) -> Result<(), Error> {
        let level = Level {
            names,
            base,
            empty: true,
        };
        let position = self.len;
        self.levels
            .push(level)
            .map_err(|_| Error::TooDeep { position })
    }

    fn close(&mut self, end: &str) -> Result<(), Error> {
        self.levels.pop();
        self.push(end)
    }

    /// Other names for the fields that follow in the open object.
    pub(super) fn rename(&mut self, names: Names) {
        if let Some(level) = self.levels.last_mut() {
            level.names = Some(names);
        }
    }

    /// Another first key for the open object.
    pub(super) fn rebase(&mut self, base: u8) {
        if let Some(level) = self.levels.last_mut() {
            level.base = base;
        }
    }

    fn integer(&mut self, magnitude: u64, number: impl fmt::Display) -> Result<(), Error> {
        if magnitude < EXACT {
            self.print(format_args!("{number}"))
        } else {
            self.string(number)
        }
    }

    fn marks(&mut self, quality: Quality) -> Result<(), Error> {
        self.push("[")?;
        for (at, name) in quality.names(self.language).enumerate() {
            if at > 0 {
                self.push(",")?;
            }
            self.string(name)?;
        }
        self.push("]")
    }
}

impl Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self
            .out
            .get_mut(self.len..)
            .and_then(|room| room.get_mut(..text.len()));
        room.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Text between quotes.
struct Escaped<'w, 'a>(&'w mut Writer<'a>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' => self.0.write_str("\\\"")?,
                '\\' => self.0.write_str("\\\\")?,
                '\0'..='\x1F' => write!(self.0, "\\u{:04x}", u32::from(c))?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Bytes as hex.
struct Hex<'b>(&'b [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Sink for Writer<'_> {
    fn byte(&mut self, key: u8, value: u8) -> Result<(), Error> {
        self.unsigned(key, u64::from(value))
    }

    fn signed_byte(&mut self, key: u8, value: i8) -> Result<(), Error> {
        self.signed(key, i64::from(value))
    }

    fn unsigned(&mut self, key: u8, value: u64) -> Result<(), Error> {
        self.begin(key)?;
        self.integer(value, value)
    }

    fn signed(&mut self, key: u8, value: i64) -> Result<(), Error> {
        self.begin(key)?;
        self.integer(value.unsigned_abs(), value)
    }

    fn bytes(&mut self, key: u8, value: &[u8]) -> Result<(), Error> {
        self.begin(key)?;
        self.string(Hex(value))
    }

    fn text(&mut self, key: u8, value: &str) -> Result<(), Error> {
        self.begin(key)?;
        self.string(value)
    }

    fn device(&mut self, key: u8, value: &DeviceId) -> Result<(), Error> {
        self.begin(key)?;
        self.string(value)
    }

    fn value(&mut self, key: u8, value: &Value) -> Result<(), Error> {
        self.begin(key)?;
        if value.quality.is_good() {
            return self.string(Digits(*value));
        }
        self.push("{\"number\":")?;
        self.string(Digits(*value))?;
        self.push(",\"marks\":")?;
        self.marks(value.quality)?;
        self.push("}")
    }

    fn present(&mut self, _: u8, _: bool) -> Result<(), Error> {
        Ok(()) // An absent option has no name.
    }

    fn list(&mut self, key: u8, _: usize) -> Result<(), Error> {
        self.begin(key)?;
        self.push("[")?;
        self.level(None, 0)
    }

    fn item(&mut self, names: Names) -> Result<(), Error> {
        self.begin(0)?;
        self.open(0, names)
    }

    fn end_item(&mut self) -> Result<(), Error> {
        self.close("}")
    }

    fn end_list(&mut self) -> Result<(), Error> {
        self.close("]")
    }

    fn group(&mut self, key: u8, names: Names) -> Result<(), Error> {
        self.begin(key)?;
        self.open(key, names)
    }

    fn end_group(&mut self) -> Result<(), Error> {
        self.close("}")
    }

    fn point(&mut self, key: u8, value: PointId) -> Result<(), Error> {
        self.unsigned(key, value.bits())?;
        let named = self
            .levels
            .last()
            .is_some_and(|level| level.names.is_some());
        if !named || value == PointId::from_bits(0) {
            return Ok(());
        }
        self.note("name", value.name(self.language))?;
        match value.quantity().unit() {
            "" => Ok(()),
            unit => self.note("unit", unit),
        }
    }

    fn stamp(&mut self, key: u8, value: Stamp) -> Result<(), Error> {
        self.begin(key)?;
        self.open(0, super::STAMP)?;
        self.unsigned(0, value.time)?;
        self.byte(1, value.clk)?;
        if let Some(utc) = value.utc() {
            self.note("utc", utc)?;
        }
        self.close("}")
    }

    fn quality(&mut self, key: u8, value: Quality) -> Result<(), Error> {
        self.begin(key)?;
        self.marks(value)
    }
}
