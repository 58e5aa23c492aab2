//! Takes fields from text that [`check`](super::check::check) has accepted.

use core::str::FromStr;

use heapless::{String, Vec};

use super::check::{byte, end_of_value, entry, next_entry, skip_space};
use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Names, Source};
use crate::time::Stamp;
use crate::value::{Quality, Value};

/// An open object or array.
#[derive(Clone, Copy)]
struct Level {
    /// Names of the fields, `None` in an array.
    names: Option<Names>,
    /// Key of the first field.
    base: u8,
    /// In an object its first entry, in an array the next element.
    at: usize,
}

pub(super) struct Reader<'b> {
    text: &'b [u8],
    levels: Vec<Level, 6>,
    /// Where the value stands that was read last.
    position: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(text: &'b [u8], names: Names) -> Result<Self, Error> {
        let mut reader = Self {
            text,
            levels: Vec::new(),
            position: skip_space(text, 0),
        };
        reader.open(reader.position, b'{', Some(names), 0)?;
        Ok(reader)
    }

    /// Goes into the object or array that begins here.
    fn open(
        &mut self,
        at: usize,
        bracket: u8,
        names: Option<Names>,
        base: u8,
    ) -> Result<(), Error> {
        if byte(self.text, at)? != bracket {
            return Err(Error::BadType { position: at });
        }
        let at = skip_space(self.text, at + 1);
        self.levels
            .push(Level { names, base, at })
            .map_err(|_| Error::TooDeep { position: at })
    }

    pub(super) fn rename(&mut self, names: Names) {
        if let Some(level) = self.levels.last_mut() {
            level.names = Some(names);
        }
    }

    pub(super) fn rebase(&mut self, base: u8) {
        if let Some(level) = self.levels.last_mut() {
            level.base = base;
        }
    }

    /// Where the value of this key begins in the open object.
    fn find(&self, key: u8) -> Result<Option<usize>, Error> {
        let Some(Level {
            names: Some(names),
            base,
            at,
        }) = self.levels.last()
        else {
            return Ok(None);
        };
        let own = key.wrapping_sub(*base);
        match names.iter().find(|(key, _)| *key == own) {
            Some((_, name)) => self.find_name(*at, name),
            None => Ok(None),
        }
    }

    fn find_name(&self, first: usize, name: &str) -> Result<Option<usize>, Error> {
        let mut at = first;
        while byte(self.text, at)? != b'}' {
            let (end, value) = entry(self.text, at)?;
            let found = self.text.get(at + 1..end.saturating_sub(1));
            if found == Some(name.as_bytes()) {
                return Ok(Some(value));
            }
            at = next_entry(self.text, value)?;
        }
        Ok(None)
    }

    /// Where the field begins: by its name in an object, in order in an array.
    fn seek(&mut self, key: u8) -> Result<usize, Error> {
        let at = match self.levels.last_mut() {
            Some(Level {
                names: None, at, ..
            }) => {
                let own = *at;
                *at = next_entry(self.text, own)?;
                own
            }
            _ => self.find(key)?.ok_or(Error::MissingKey { key })?,
        };
        self.position = at;
        Ok(at)
    }

    /// The number or string that begins here, without quotes; not for strings with escapes.
    fn token_at(&self, at: usize) -> Result<&'b str, Error> {
        let end = end_of_value(self.text, at)?;
        let token = self.text.get(at..end).unwrap_or(&[]);
        let token = match token {
            [b'"', inside @ .., b'"'] => inside,
            token => token,
        };
        core::str::from_utf8(token).map_err(|_| Error::BadText { position: at })
    }

    fn token(&mut self, key: u8) -> Result<&'b str, Error> {
        let at = self.seek(key)?;
        self.token_at(at)
    }

    /// What stands between quotes.
    fn string(&mut self, key: u8) -> Result<&'b str, Error> {
        let at = self.seek(key)?;
        match byte(self.text, at)? {
            b'"' => self.token_at(at),
            _ => Err(Error::BadType { position: at }),
        }
    }

    fn number<T: FromStr>(&mut self, key: u8) -> Result<T, Error> {
        let token = self.token(key)?;
        let bad = Error::BadNumber {
            position: self.position,
        };
        if token.starts_with('+') {
            return Err(bad);
        }
        token.parse().map_err(|_| bad)
    }

    /// The marks whose names stand in the array that begins here.
    fn marks_at(&mut self, at: usize) -> Result<Quality, Error> {
        self.open(at, b'[', None, 0)?;
        let mut marks = Quality::GOOD;
        while let Some(mark) = self.next_element()? {
            let name = self.token_at(mark)?;
            let known = Quality::of_name(name);
            marks = marks.with(known.ok_or(Error::BadValue { position: mark })?);
        }
        self.levels.pop();
        Ok(marks)
    }

    /// Where the next element of the open array begins.
    fn next_element(&mut self) -> Result<Option<usize>, Error> {
        match self.levels.last() {
            Some(level) if byte(self.text, level.at)? != b']' => self.seek(0).map(Some),
            _ => Ok(None),
        }
    }
}

impl<'b> Source<'b> for Reader<'b> {
    fn position(&self) -> usize {
        self.position
    }

    fn byte(&mut self, key: u8) -> Result<u8, Error> {
        self.number(key)
    }

    fn signed_byte(&mut self, key: u8) -> Result<i8, Error> {
        self.number(key)
    }

    fn unsigned(&mut self, key: u8, bits: u32) -> Result<u64, Error> {
        let number: u64 = self.number(key)?;
        if number.checked_shr(bits).unwrap_or(0) != 0 {
            return Err(Error::BadNumber {
                position: self.position,
            });
        }
        Ok(number)
    }

    fn signed(&mut self, key: u8, bits: u32) -> Result<i64, Error> {
        let number: i64 = self.number(key)?;
        let sign = number >> (bits.clamp(1, 64) - 1);
        if sign != 0 && sign != -1 {
            return Err(Error::BadNumber {
                position: self.position,
            });
        }
        Ok(number)
    }

    fn bytes_up_to<const N: usize>(&mut self, key: u8) -> Result<Vec<u8, N>, Error> {
        let text = self.string(key)?.as_bytes();
        let bad = Error::BadValue {
            position: self.position,
        };
        let mut bytes = Vec::new();
        for pair in text.chunks(2) {
            let [high, low] = pair else {
                return Err(bad);
            };
            let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(bad);
            let value = digit(*high)? << 4 | digit(*low)?;
            bytes.push(value as u8).map_err(|_| Error::TooMany {
                position: self.position,
                capacity: N,
            })?;
        }
        Ok(bytes)
    }

    fn text_up_to<const N: usize>(&mut self, key: u8) -> Result<String<N>, Error> {
        let text = self.string(key)?;
        let position = self.position;
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let c = if c == '\\' {
                unescape(&mut chars).ok_or(Error::BadText { position })?
            } else {
                c
            };
            out.push(c).map_err(|_| Error::TooMany {
                position,
                capacity: N,
            })?;
        }
        Ok(out)
    }

    fn device(&mut self, key: u8) -> Result<DeviceId, Error> {
        let text = self.string(key)?;
        text.parse().map_err(|_| Error::BadValue {
            position: self.position,
        })
    }

    fn value(&mut self, key: u8) -> Result<Value, Error> {
        let at = self.seek(key)?;
        let bad = Error::BadNumber { position: at };
        if byte(self.text, at)? != b'{' {
            return self.token_at(at)?.parse().map_err(|_| bad);
        }
        let first = skip_space(self.text, at + 1);
        let number = self.find_name(first, "number")?;
        let number = self.token_at(number.ok_or(Error::MissingKey { key })?)?;
        let value: Value = number.parse().map_err(|_| bad)?;
        match self.find_name(first, "marks")? {
            Some(marks) => Ok(value.with_quality(self.marks_at(marks)?)),
            None => Ok(value),
        }
    }

    fn present(&mut self, key: u8) -> Result<bool, Error> {
        match self.find(key)? {
            Some(at) => Ok(byte(self.text, at)? != b'n'), // null
            None => Ok(false),
        }
    }

    fn list(&mut self, key: u8, capacity: usize) -> Result<usize, Error> {
        let Some(start) = self.find(key)? else {
            // Absent: nothing will be taken from this level.
            let empty = Level {
                names: None,
                base: 0,
                at: self.position,
            };
            return match self.levels.push(empty) {
                Ok(()) => Ok(0),
                Err(_) => Err(Error::TooDeep {
                    position: self.position,
                }),
            };
        };
        self.open(start, b'[', None, 0)?;
        let first = self.levels.last().map_or(start, |level| level.at);
        let mut len = 0;
        while self.next_element()?.is_some() {
            len += 1;
            if len > capacity {
                return Err(Error::TooMany {
                    position: start,
                    capacity,
                });
            }
        }
        if let Some(level) = self.levels.last_mut() {
            level.at = first;
        }
        Ok(len)
    }

    fn item(&mut self, names: Names) -> Result<(), Error> {
        let at = self.seek(0)?;
        self.open(at, b'{', Some(names), 0)
    }

    fn end_item(&mut self) -> Result<(), Error> {
        self.levels.pop();
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Error> {
        self.levels.pop();
        Ok(())
    }

    fn group(&mut self, key: u8, names: Names) -> Result<(), Error> {
        let at = self.seek(key)?;
        self.open(at, b'{', Some(names), key)
    }

    fn end_group(&mut self) -> Result<(), Error> {
        self.levels.pop();
        Ok(())
    }

    fn stamp(&mut self, key: u8) -> Result<Stamp, Error> {
        self.group(key, super::STAMP)?;
        self.rebase(0);
        let stamp = Stamp {
            time: self.unsigned(0, 64)?,
            clk: self.byte(1)?,
        };
        self.end_group()?;
        Ok(stamp)
    }

    fn quality(&mut self, key: u8) -> Result<Quality, Error> {
        let at = self.seek(key)?;
        self.marks_at(at)
    }
}

/// The character behind a backslash.
fn unescape(chars: &mut core::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{C}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = code_unit(chars)?;
            if !(0xD800..0xDC00).contains(&first) {
                return char::from_u32(first);
            }
            // The first half of a pair; the second follows as an escape of its own.
            if (chars.next()?, chars.next()?) != ('\\', 'u') {
                return None;
            }
            let second = code_unit(chars)?
                .checked_sub(0xDC00)
                .filter(|it| *it < 0x400)?;
            return char::from_u32(0x1_0000 + (first - 0xD800) * 0x400 + second);
        }
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    })
}

fn code_unit(chars: &mut core::str::Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit << 4 | chars.next()?.to_digit(16)?;
    }
    Some(unit)
}
