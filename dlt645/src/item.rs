//! Look-up in the identifier table, names, and the values of an answer.

use core::fmt;

use crate::data_id::DataId;
use crate::data_table::{Access, BLOCK0, BLOCK1, LEN, Lang, NAMES_EN, NAMES_ZH, PHASES, ROWS, Row};
use crate::format::Format;
use crate::value::{Value, ValueError};

/// What the table says of an identifier: single items and blocks.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    id: DataId,
    /// The same item without its phase shift.
    base: DataId,
    phase: u8,
    nth: usize,
    row: &'static Row,
}

/// Distances of DI2 between an item and its phases A, B, C.
const PHASE_STEP: u8 = 0x14;

/// DI2 of the total and the phase, for classes 00 and 01.
fn unshifted(di2: u8) -> (u8, u8) {
    let (first, last, base) = if di2 >= 0x94 {
        (0x94, 0x9A, 0x80)
    } else {
        (0x15, 0x1E, 0x01)
    };
    let mut shift = 0;
    for phase in 1..=3 {
        if di2 >= first + shift && di2 <= last + shift {
            return (di2 - first - shift + base, phase);
        }
        shift += PHASE_STEP;
    }
    (di2, 0)
}

fn covers(row: &Row, id: DataId) -> bool {
    let first = DataId(row.code);
    let within = |byte: u8, low: u8, high: u8, block: u8| {
        (low <= byte && byte <= high) || (byte == 0xFF && row.flags & block != 0)
    };
    row.code >> 16 == id.0 >> 16
        && within(id.di1(), first.di1(), row.last1, BLOCK1)
        && within(id.di0(), first.di0(), row.last0, BLOCK0)
}

/// The last row that begins at or below `id`, if it covers it.
fn row_of(id: DataId, sought: DataId) -> Option<(usize, &'static Row)> {
    let nth = ROWS
        .partition_point(|row| row.code <= sought.0)
        .checked_sub(1)?;
    let row = ROWS.get(nth)?;
    covers(row, id).then_some((nth, row))
}

impl DataId {
    /// What the table says of this identifier; `None` for those it does not hold.
    #[must_use]
    pub fn item(self) -> Option<Item> {
        let (di2, phase) = if self.di3() <= 1 {
            unshifted(self.di2())
        } else {
            (self.di2(), 0)
        };
        let base = DataId(self.0 & 0xFF00_FFFF | u32::from(di2) << 16);
        // A block stands where its items 01 stand; one of both tries finds a row, as FF sorts behind its own row.
        let single = |byte: u8| u32::from(if byte == 0xFF { 1 } else { byte });
        let sought = DataId(base.0 & 0xFFFF_0000 | single(self.di1()) << 8 | single(self.di0()));
        let (nth, row) = row_of(base, base).or_else(|| row_of(base, sought))?;
        // Phases have neither tariffs nor a block of them.
        if phase != 0 && (row.flags & PHASES == 0 || self.di1() != 0) {
            return None;
        }
        Some(Item {
            id: self,
            base,
            phase,
            nth,
            row,
        })
    }

    /// The values in the data of an answer to this identifier, in line order; a block gives one value for each item.
    ///
    /// # Errors
    /// [`ValueError::Unknown`]; [`ValueError::Length`] if the data are no whole number of items or of more items than
    /// the block has.
    pub fn values(self, data: &[u8]) -> Result<Values<'_>, ValueError> {
        let item = self.item().ok_or(ValueError::Unknown)?;
        let len = item.format().len();
        let wrong = ValueError::Length {
            expected: len,
            found: data.len(),
        };
        let whole = !data.is_empty() && data.len().is_multiple_of(len);
        let count = data.len() / len.max(1);
        if !whole || count > item.count() {
            return Err(wrong);
        }
        Ok(Values { item, nth: 0, data })
    }

    /// The value of a single item.
    ///
    /// # Errors
    /// As [`DataId::values`], and the errors of [`Format::decode`]. Blocks are [`ValueError::Kind`].
    pub fn value(self, data: &[u8]) -> Result<Value<'_>, ValueError> {
        let item = self.item().ok_or(ValueError::Unknown)?;
        if item.is_block() {
            Err(ValueError::Kind)
        } else {
            item.format().decode(data)
        }
    }

    /// Writes a number with the decimals and the unit of the item: `mantissa` counts its last digit.
    ///
    /// # Errors
    /// [`ValueError::Unknown`], [`ValueError::Kind`] if the item is no number, and those of [`Format::encode`].
    ///
    /// ```
    /// let mut out = [0; 4];
    /// let len = dlt645::DataId(0x0001_0000).encode_number(12_345_678, &mut out)?;
    /// assert_eq!(out[..len], [0x78, 0x56, 0x34, 0x12]);   // 123456.78 kWh
    /// # Ok::<(), dlt645::ValueError>(())
    /// ```
    pub fn encode_number(self, mantissa: i32, out: &mut [u8]) -> Result<usize, ValueError> {
        let item = self.item().ok_or(ValueError::Unknown)?;
        let Format::Number { decimals, unit, .. } = item.format() else {
            return Err(ValueError::Kind);
        };
        item.format().encode(
            &Value::Number(crate::value::Number {
                mantissa,
                decimals,
                unit,
            }),
            out,
        )
    }
}

impl Item {
    /// The identifier looked up.
    #[must_use]
    pub const fn id(&self) -> DataId {
        self.id
    }

    /// How one value stands in the data.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.row.format
    }

    /// Who may do what.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.row.access()
    }

    /// 1, 2, 3 for phases A, B, C; 0 for the total, for blocks and where there are no phases.
    #[must_use]
    pub const fn phase(&self) -> u8 {
        match self.id.di3() {
            0x02 if self.id.di2() < 0x80 && self.id.di1() != 0xFF => self.id.di1(),
            _ => self.phase,
        }
    }

    /// The tariff of classes 00 and 01: 0 total; `None` for blocks and elsewhere.
    #[must_use]
    pub const fn tariff(&self) -> Option<u8> {
        if self.is_settled() && self.id.di1() != 0xFF {
            Some(self.id.di1())
        } else {
            None
        }
    }

    /// The settlement of classes 00 and 01: 0 now, 1 to 12 back; `None` for blocks and elsewhere.
    #[must_use]
    pub const fn settlement(&self) -> Option<u8> {
        if self.is_settled() && self.id.di0() != 0xFF {
            Some(self.id.di0())
        } else {
            None
        }
    }

    /// Whether the identifier stands for several items.
    #[must_use]
    pub fn is_block(&self) -> bool {
        self.is_block1() || self.is_block0()
    }

    /// The name, with phase, tariff, settlement and number spelt out.
    #[must_use]
    pub const fn name(&self, lang: Lang) -> Name {
        Name { item: *self, lang }
    }

    #[cfg(feature = "meter-proto")]
    pub(crate) const fn nth(&self) -> usize {
        self.nth
    }

    /// Twelve settlements are kept: energies and demands, not purses and uses.
    const fn is_settled(&self) -> bool {
        self.id.di3() <= 1 && self.row.last0 == 12
    }

    const fn is_block1(&self) -> bool {
        self.id.di1() == 0xFF && self.row.last1 != 0xFF
    }

    const fn is_block0(&self) -> bool {
        self.id.di0() == 0xFF && self.row.last0 != 0xFF
    }

    const fn first(&self) -> DataId {
        DataId(self.row.code)
    }

    fn count0(&self) -> usize {
        if self.is_block0() {
            usize::from(self.row.last0 - self.first().di0()) + 1
        } else {
            1
        }
    }

    fn count(&self) -> usize {
        let count1 = if self.is_block1() {
            usize::from(self.row.last1 - self.first().di1()) + 1
        } else {
            1
        };
        count1 * self.count0()
    }

    /// The identifier of the `nth` item of the block; DI0 runs fastest.
    fn nth_id(&self, nth: usize) -> DataId {
        let (high, low) = if self.is_block0() {
            (nth / self.count0(), nth % self.count0())
        } else {
            (nth, 0)
        };
        let [mut di0, mut di1, di2, di3] = self.id.line();
        if self.is_block1() {
            di1 = self.first().di1().saturating_add(high as u8);
        }
        if self.is_block0() {
            di0 = self.first().di0().saturating_add(low as u8);
        }
        DataId::from_line([di0, di1, di2, di3])
    }
}

/// All rules of the table as their lowest identifiers, ascending.
pub fn catalogue() -> impl Iterator<Item = Item> {
    ROWS.iter()
        .take(LEN)
        .filter_map(|row| DataId(row.code).item())
}

/// How many single identifiers the table names.
#[must_use]
pub fn catalogue_count() -> usize {
    ROWS.iter()
        .map(|row| {
            let first = DataId(row.code);
            let count0 = usize::from(row.last0 - first.di0()) + 1;
            let count = (usize::from(row.last1 - first.di1()) + 1) * count0;
            // Three phases, each with the total tariff alone.
            if row.flags & PHASES != 0 {
                count + 3 * count0
            } else {
                count
            }
        })
        .sum()
}

/// The values of an answer, in line order, each with its own identifier.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    item: Item,
    nth: usize,
    data: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = (DataId, Result<Value<'a>, ValueError>);

    fn next(&mut self) -> Option<Self::Item> {
        let format = self.item.format();
        let (field, rest) = self.data.split_at_checked(format.len())?;
        self.data = rest;
        let id = self.item.nth_id(self.nth);
        self.nth += 1;
        Some((id, format.decode(field)))
    }
}

/// The name of an item, to be displayed.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    item: Item,
    lang: Lang,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { item, lang } = self;
        let names = match lang {
            Lang::En => &NAMES_EN,
            Lang::Zh => &NAMES_ZH,
        };
        f.write_str(names.get(item.nth).copied().unwrap_or_default())?;
        let phase = match item.phase() {
            1 => "A",
            2 => "B",
            3 => "C",
            _ => "",
        };
        if !phase.is_empty() {
            match lang {
                Lang::En => write!(f, ", phase {phase}")?,
                Lang::Zh => write!(f, "，{phase}相")?,
            }
        }
        if let Some(tariff) = item.tariff().filter(|tariff| *tariff > 0) {
            match lang {
                Lang::En => write!(f, ", tariff {tariff}")?,
                Lang::Zh => write!(f, "，费率{tariff}")?,
            }
        }
        if let Some(back) = item.settlement().filter(|back| *back > 0) {
            match lang {
                Lang::En => write!(f, ", settlement {back}")?,
                Lang::Zh => write!(f, "，上{back}结算日")?,
            }
        }
        let numbered =
            item.id.di3() >= 2 && item.row.last0 != item.first().di0() && item.id.di0() != 0xFF;
        let of_class_zero =
            item.id.di3() == 0 && (0x0B..=0x0D).contains(&item.base.di2()) && item.id.di0() > 0;
        if numbered || of_class_zero {
            write!(f, " {}", item.id.di0())?;
        }
        Ok(())
    }
}
