//! Records: several fields in one answer, read one by one and built one by one.

use core::fmt;

use crate::data_table::Lang;
use crate::format::Format;
use crate::layout::{AT_END, Layout, Part, TOTAL};
use crate::value::{Value, ValueError};
use serial_line::cursor::Cursor;

/// A record as sent: its layout and its bytes, whose length suits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    layout: Layout,
    data: &'a [u8],
}

impl<'a> Record<'a> {
    /// `data` must have been found to fit.
    pub(crate) const fn new(layout: Layout, data: &'a [u8]) -> Self {
        Record { layout, data }
    }

    /// Its layout.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Its bytes in line order.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.data
    }

    /// The fields in line order.
    ///
    /// ```
    /// use dlt645::{DataId, Lang, Value};
    /// // The last power-down, 2024-05-06 07:08:09 to 07:20:00.
    /// let data = [0x09, 0x08, 0x07, 0x06, 0x05, 0x24, 0x00, 0x20, 0x07, 0x06, 0x05, 0x24];
    /// let Value::Record(record) = DataId(0x0311_0001).value(&data)? else { unreachable!() };
    /// let text: Vec<_> = record
    ///     .fields()
    ///     .map(|field| format!("{}: {}", field.name(Lang::En), field.value().unwrap()))
    ///     .collect();
    /// assert_eq!(text, ["begin: 2024-05-06 07:08:09", "end: 2024-05-06 07:20:00"]);
    /// # Ok::<(), dlt645::ValueError>(())
    /// ```
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        let shape = self.layout.shape();
        let more = self.data.len().saturating_sub(usize::from(shape.fixed));
        Fields {
            walk: Walk::new(self.layout, more / usize::from(shape.step).max(1)),
            cursor: Cursor::new(self.data),
        }
    }
}

/// Each field as `name: value`, separated by semicolons.
impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for field in self.fields() {
            write!(f, "{separator}{}: ", field.name(Lang::En))?;
            match field.value() {
                Ok(value) => write!(f, "{value}")?,
                Err(err) => write!(f, "({err})")?,
            }
            separator = "; ";
        }
        Ok(())
    }
}

/// Goes through the fields of a layout.
#[derive(Debug, Clone)]
struct Walk {
    parts: &'static [Part],
    /// Groups in the open part.
    open: usize,
    /// Which repetition of the part, and which field of it.
    turn: usize,
    place: usize,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    part: Part,
    place: usize,
    /// From 1; 0 where the group stands alone.
    number: usize,
    format: Format,
}

impl Walk {
    const fn new(layout: Layout, open: usize) -> Self {
        Walk {
            parts: layout.parts(),
            open,
            turn: 0,
            place: 0,
        }
    }

    fn next(&mut self) -> Option<Step> {
        loop {
            let (part, rest) = self.parts.split_first()?;
            let times = if part.open {
                self.open
            } else {
                usize::from(part.times)
            };
            let format = part.group.formats().get(self.place).copied();
            match format {
                Some(format) if self.turn < times => {
                    let step = Step {
                        part: *part,
                        place: self.place,
                        number: if part.times > 1 { self.turn + 1 } else { 0 },
                        format,
                    };
                    self.place += 1;
                    return Some(step);
                }
                None if self.turn + 1 < times => {
                    self.turn += 1;
                    self.place = 0;
                }
                _ => {
                    self.parts = rest;
                    self.turn = 0;
                    self.place = 0;
                }
            }
        }
    }
}

/// The fields of a record in line order.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    walk: Walk,
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let step = self.walk.next()?;
        let data = self.cursor.take(step.format.len())?;
        Some(Field { step, data })
    }
}

/// One field of a record.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    step: Step,
    data: &'a [u8],
}

impl<'a> Field<'a> {
    /// How it stands in the data.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.step.format
    }

    /// Its bytes in line order.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.data
    }

    /// Its value.
    ///
    /// # Errors
    /// Those of [`Format::decode`].
    pub fn value(&self) -> Result<Value<'a>, ValueError> {
        self.step.format.decode(self.data)
    }

    /// 1, 2, 3 for phases A, B, C; 0 elsewhere.
    #[must_use]
    pub const fn phase(&self) -> u8 {
        self.step.part.scope & 3
    }

    /// Whether it tells the state at the end of the event, where the record tells both.
    #[must_use]
    pub const fn at_end(&self) -> bool {
        self.step.part.scope & AT_END != 0
    }

    /// Which of several alike, from 1; 0 where it stands alone.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.step.number
    }

    /// The name, with phase and number spelt out.
    #[must_use]
    pub const fn name(&self, lang: Lang) -> FieldName {
        FieldName {
            part: self.step.part,
            place: self.step.place,
            number: self.step.number,
            lang,
        }
    }
}

/// The name of a field, to be displayed.
#[derive(Debug, Clone, Copy)]
pub struct FieldName {
    part: Part,
    place: usize,
    number: usize,
    lang: Lang,
}

impl FieldName {
    /// The `nth` field, from 0, of a record without open parts.
    pub(crate) fn of(layout: Layout, nth: usize, lang: Lang) -> Option<Self> {
        let (part, place) = layout.field(nth)?;
        Some(FieldName {
            part,
            place,
            number: 0,
            lang,
        })
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.part.group.names(self.lang);
        f.write_str(names.get(self.place).copied().unwrap_or_default())?;
        if self.number > 0 {
            write!(f, " {}", self.number)?;
        }
        let scope = self.part.scope;
        let (total, a, b, c, end) = match self.lang {
            Lang::En => (
                ", total",
                ", phase A",
                ", phase B",
                ", phase C",
                ", at the end",
            ),
            Lang::Zh => ("，总", "，A相", "，B相", "，C相", "，结束时"),
        };
        f.write_str(match scope & 3 {
            1 => a,
            2 => b,
            3 => c,
            _ if scope & TOTAL != 0 => total,
            _ => "",
        })?;
        f.write_str(if scope & AT_END != 0 { end } else { "" })
    }
}

/// Builds a record field by field in a caller's buffer.
///
/// ```
/// use dlt645::{DataId, Format, RecordWriter, Stamp, Value};
/// let Some(Format::Record(layout)) = DataId(0x0311_0001).item().map(|item| item.format()) else { unreachable!() };
/// let mut out = [0; 12];
/// let mut writer = RecordWriter::new(layout, 0, &mut out);
/// let at = Stamp { year: 24, month: 5, day: 6, hour: 7, minute: 8, second: 9 };
/// writer.put(&Value::Instant(at))?;
/// writer.put(&Value::Absent)?;
/// assert_eq!(writer.finish()?, 12);
/// assert_eq!(out[..6], [9, 8, 7, 6, 5, 0x24]);
/// # Ok::<(), dlt645::ValueError>(())
/// ```
#[derive(Debug)]
pub struct RecordWriter<'a> {
    walk: Walk,
    out: &'a mut [u8],
    len: usize,
    expected: usize,
}

impl<'a> RecordWriter<'a> {
    /// `open`: how many entries the open part gets (tariffs, zones, slots, points of a curve); ignored for records
    /// without one.
    #[must_use]
    pub fn new(layout: Layout, open: u8, out: &'a mut [u8]) -> Self {
        let shape = layout.shape();
        let open = open.min(shape.most);
        RecordWriter {
            walk: Walk::new(layout, usize::from(open)),
            out,
            len: 0,
            expected: usize::from(shape.fixed) + usize::from(open) * usize::from(shape.step),
        }
    }

    /// Writes the next field.
    ///
    /// # Errors
    /// [`ValueError::Length`] behind the last field or if the buffer is too small, and those of [`Format::encode`].
    pub fn put(&mut self, value: &Value<'_>) -> Result<(), ValueError> {
        let full = ValueError::Length {
            expected: self.expected,
            found: self.len,
        };
        let step = self.walk.next().ok_or(full)?;
        let place = self.out.get_mut(self.len..).ok_or(full)?;
        self.len += step.format.encode(value, place)?;
        Ok(())
    }

    /// The length of the record.
    ///
    /// # Errors
    /// [`ValueError::Length`] if fields are missing.
    pub const fn finish(self) -> Result<usize, ValueError> {
        if self.len == self.expected {
            Ok(self.len)
        } else {
            Err(ValueError::Length {
                expected: self.expected,
                found: self.len,
            })
        }
    }
}
