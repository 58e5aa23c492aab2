//! Identifiers and values of the 1997 edition (section 16 of the fact sheet).
//!
//! An identifier is a class (DI1), a row and an item (the nibbles of DI0). F as item is all items of a row, F as row that
//! item of all rows, FF the whole class.

use core::fmt;

use crate::data_id::DataId1997;
use crate::data_table::{Access, Lang};
use crate::format::{Format, number};
use crate::freeze::SEPARATOR;
use crate::quirks::Quirks;
use crate::unit::Unit;
use crate::value::{Value, ValueError};

/// The item is a tariff, and the class has kin for the last two months.
const TARIFFS: u8 = 0x01;
/// The item is a phase, 0 the total.
const PHASES: u8 = 0x02;
const WRITABLE: u8 = 0x04;
const UNREADABLE: u8 = 0x08;

#[derive(Debug, Clone, Copy)]
struct Row {
    code: u16,
    /// Highest row and item; the lowest are those of the code.
    last: u8,
    flags: u8,
    format: Format,
}

#[derive(Clone, Copy)]
struct Rule {
    row: Row,
    en: &'static str,
    zh: &'static str,
}

const fn item(code: u16, last: u8, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let row = Row {
        code,
        last,
        flags: 0,
        format,
    };
    Rule { row, en, zh }
}

/// Total and 14 tariffs of one row.
const fn tariffs(code: u16, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let mut rule = item(code, code as u8 | 0x0E, format, en, zh);
    rule.row.flags = TARIFFS;
    rule
}

/// A phase item up to 3.
const fn phases(code: u16, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let mut rule = item(code, code as u8 & 0xF0 | 0x03, format, en, zh);
    rule.row.flags = PHASES;
    rule
}

const fn one(code: u16, format: Format, en: &'static str, zh: &'static str) -> Rule {
    item(code, code as u8, format, en, zh)
}

impl Rule {
    const fn rw(mut self) -> Self {
        self.row.flags |= WRITABLE;
        self
    }

    const fn write_only(mut self) -> Self {
        self.row.flags |= WRITABLE | UNREADABLE;
        self
    }
}

const KWH: Format = number(4, 2, Unit::KilowattHour);
const KVARH: Format = number(4, 2, Unit::KilovarHour);
const KW: Format = number(3, 4, Unit::Kilowatt);
const KVAR: Format = number(3, 4, Unit::Kilovar);
const COUNT: Format = number(2, 0, Unit::None);
const NUMBER: Format = number(1, 0, Unit::None);
const MINUTE: Format = number(1, 0, Unit::Minute);
const MINUTES: Format = number(3, 0, Unit::Minute);
const WHEN: Format = Format::MonthMinute;
const BITS: Format = Format::Bits { bytes: 1 };
const DIGITS: Format = Format::Digits { bytes: 6 };

/// Ascending by code.
const SOURCE: [Rule; LEN] = [
    tariffs(0x9010, KWH, "forward active energy", "正向有功电能"),
    tariffs(0x9020, KWH, "reverse active energy", "反向有功电能"),
    tariffs(0x9110, KVARH, "forward reactive energy", "正向无功电能"),
    tariffs(0x9120, KVARH, "reverse reactive energy", "反向无功电能"),
    tariffs(0x9130, KVARH, "Q1 reactive energy", "第一象限无功电能"),
    tariffs(0x9140, KVARH, "Q4 reactive energy", "第四象限无功电能"),
    tariffs(0x9150, KVARH, "Q2 reactive energy", "第二象限无功电能"),
    tariffs(0x9160, KVARH, "Q3 reactive energy", "第三象限无功电能"),
    tariffs(
        0xA010,
        KW,
        "forward active maximum demand",
        "正向有功最大需量",
    ),
    tariffs(
        0xA020,
        KW,
        "reverse active maximum demand",
        "反向有功最大需量",
    ),
    tariffs(
        0xA110,
        KVAR,
        "forward reactive maximum demand",
        "正向无功最大需量",
    ),
    tariffs(
        0xA120,
        KVAR,
        "reverse reactive maximum demand",
        "反向无功最大需量",
    ),
    tariffs(
        0xA130,
        KVAR,
        "Q1 reactive maximum demand",
        "第一象限无功最大需量",
    ),
    tariffs(
        0xA140,
        KVAR,
        "Q4 reactive maximum demand",
        "第四象限无功最大需量",
    ),
    tariffs(
        0xA150,
        KVAR,
        "Q2 reactive maximum demand",
        "第二象限无功最大需量",
    ),
    tariffs(
        0xA160,
        KVAR,
        "Q3 reactive maximum demand",
        "第三象限无功最大需量",
    ),
    tariffs(
        0xB010,
        WHEN,
        "time of the forward active maximum demand",
        "正向有功最大需量发生时间",
    ),
    tariffs(
        0xB020,
        WHEN,
        "time of the reverse active maximum demand",
        "反向有功最大需量发生时间",
    ),
    tariffs(
        0xB110,
        WHEN,
        "time of the forward reactive maximum demand",
        "正向无功最大需量发生时间",
    ),
    tariffs(
        0xB120,
        WHEN,
        "time of the reverse reactive maximum demand",
        "反向无功最大需量发生时间",
    ),
    tariffs(
        0xB130,
        WHEN,
        "time of the Q1 reactive maximum demand",
        "第一象限无功最大需量发生时间",
    ),
    tariffs(
        0xB140,
        WHEN,
        "time of the Q4 reactive maximum demand",
        "第四象限无功最大需量发生时间",
    ),
    tariffs(
        0xB150,
        WHEN,
        "time of the Q2 reactive maximum demand",
        "第二象限无功最大需量发生时间",
    ),
    tariffs(
        0xB160,
        WHEN,
        "time of the Q3 reactive maximum demand",
        "第三象限无功最大需量发生时间",
    ),
    one(0xB210, WHEN, "last programming", "最近一次编程时间"),
    one(
        0xB211,
        WHEN,
        "last demand clear",
        "最近一次最大需量清零时间",
    ),
    one(0xB212, COUNT, "number of programmings", "编程次数"),
    one(0xB213, COUNT, "number of demand clears", "最大需量清零次数"),
    one(0xB214, MINUTES, "battery time", "电池工作时间"),
    phases(0xB310, COUNT, "phase failures", "断相次数"),
    phases(0xB320, MINUTES, "time of phase failures", "断相时间累计值"),
    phases(
        0xB330,
        WHEN,
        "begin of the last phase failure",
        "最近一次断相起始时刻",
    ),
    phases(
        0xB340,
        WHEN,
        "end of the last phase failure",
        "最近一次断相结束时刻",
    ),
    phases(0xB611, number(2, 0, Unit::Volt), "voltage", "电压"),
    phases(0xB621, number(2, 2, Unit::Ampere), "current", "电流"),
    phases(0xB630, KW, "active power", "瞬时有功功率"),
    one(
        0xB634,
        number(2, 2, Unit::Kilowatt),
        "upper limit of active power",
        "正向有功功率上限值",
    ),
    one(
        0xB635,
        number(2, 2, Unit::Kilowatt),
        "upper limit of reverse power",
        "反向有功功率上限值",
    ),
    phases(
        0xB640,
        number(2, 2, Unit::Kilovar),
        "reactive power",
        "瞬时无功功率",
    ),
    phases(0xB650, number(2, 3, Unit::None), "power factor", "功率因数"),
    one(
        0xC010,
        Format::DateWeekday,
        "date and weekday",
        "日期及周次",
    )
    .rw(),
    one(0xC011, Format::TimeOfDay, "time", "时间").rw(),
    one(0xC020, BITS, "meter state", "电表运行状态字"),
    one(0xC021, BITS, "grid state", "电网状态字"),
    one(0xC022, BITS, "weekend word", "周休日状态字").rw(),
    one(
        0xC030,
        number(3, 0, Unit::PulsesPerKilowattHour),
        "active constant",
        "电表常数（有功）",
    )
    .rw(),
    one(
        0xC031,
        number(3, 0, Unit::PulsesPerKilovarHour),
        "reactive constant",
        "电表常数（无功）",
    )
    .rw(),
    one(0xC032, DIGITS, "meter number", "表号").rw(),
    one(0xC033, DIGITS, "user number", "用户号").rw(),
    one(0xC034, DIGITS, "device code", "设备码").rw(),
    one(0xC111, MINUTE, "demand period", "最大需量周期").rw(),
    one(0xC112, MINUTE, "sliding time", "滑差时间").rw(),
    one(
        0xC113,
        number(1, 0, Unit::Second),
        "cycle time of the display",
        "循显时间",
    )
    .rw(),
    one(0xC114, NUMBER, "screens", "循显项数").rw(),
    one(0xC115, NUMBER, "decimals of energy", "显示电能小数位数").rw(),
    one(
        0xC116,
        NUMBER,
        "decimals of power",
        "显示功率（最大需量）小数位数",
    )
    .rw(),
    one(
        0xC117,
        Format::DayHour,
        "automatic reading day",
        "自动抄表日期",
    )
    .rw(),
    one(
        0xC118,
        NUMBER,
        "representative day of the load curve",
        "负荷代表日",
    )
    .rw(),
    one(
        0xC119,
        number(4, 1, Unit::KilowattHour),
        "start count, active",
        "有功电能起始读数",
    )
    .rw(),
    one(
        0xC11A,
        number(4, 1, Unit::KilovarHour),
        "start count, reactive",
        "无功电能起始读数",
    )
    .rw(),
    one(
        0xC211,
        number(2, 0, Unit::Millisecond),
        "pulse width",
        "输出脉冲宽度",
    )
    .rw(),
    one(
        0xC212,
        Format::Raw { bytes: 4 },
        "password",
        "密码权限及密码",
    )
    .write_only(),
    one(0xC310, NUMBER, "year zones", "年时区数").rw(),
    one(0xC311, NUMBER, "day tables", "日时段表数").rw(),
    one(0xC312, NUMBER, "slots per day", "日时段（每日切换数）").rw(),
    one(0xC313, NUMBER, "tariffs", "费率数").rw(),
    one(0xC314, NUMBER, "public holidays", "公共假日数").rw(),
    item(
        0xC321,
        0x2E,
        Format::Zone,
        "year zone",
        "时区起始日期及日时段表号",
    )
    .rw(),
    item(
        0xC331,
        0xAA,
        Format::Slot,
        "slot of a day table",
        "时段起始时间及费率号",
    )
    .rw(),
    item(
        0xC411,
        0x1D,
        Format::Zone,
        "public holiday",
        "公共假日日期及日时段表号",
    )
    .rw(),
    one(
        0xC41E,
        NUMBER,
        "day table of weekends",
        "周休日采用的日时段表号",
    )
    .rw(),
    item(
        0xC421,
        0xED,
        Format::Zone,
        "further public holiday",
        "公共假日日期及日时段表号",
    )
    .rw(),
    one(0xC510, WHEN, "load record start", "负荷记录起始时间").rw(),
    one(
        0xC511,
        number(2, 0, Unit::Minute),
        "load record interval",
        "负荷记录间隔时间",
    )
    .rw(),
];

const LEN: usize = 74;

static ROWS: [Row; LEN] = {
    let mut rows = [SOURCE[0].row; LEN];
    let mut nth = 1;
    while nth < LEN {
        rows[nth] = SOURCE[nth].row;
        assert!(
            rows[nth - 1].code < rows[nth].code,
            "not in ascending order"
        );
        nth += 1;
    }
    rows
};

static NAMES_EN: [&str; LEN] = {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = SOURCE[nth].en;
        nth += 1;
    }
    names
};

static NAMES_ZH: [&str; LEN] = {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = SOURCE[nth].zh;
        nth += 1;
    }
    names
};

impl Row {
    const fn rows(&self) -> (u8, u8) {
        ((self.code as u8) >> 4, self.last >> 4)
    }

    const fn items(&self) -> (u8, u8) {
        (self.code as u8 & 0x0F, self.last & 0x0F)
    }

    const fn covers(&self, low: u8) -> bool {
        let ((row, last_row), (item, last_item)) = (self.rows(), self.items());
        row <= low >> 4 && low >> 4 <= last_row && item <= low & 0x0F && low & 0x0F <= last_item
    }
}

/// DI1 of the present values and how many months back: 94 is 90 a month ago.
const fn present(di1: u8) -> (u8, u8) {
    match di1 {
        0x90 | 0x91 | 0xA0 | 0xA1 | 0xB0 | 0xB1 => (di1, 0),
        0x94 | 0x95 | 0xA4 | 0xA5 | 0xB4 | 0xB5 => (di1 - 4, 1),
        0x98 | 0x99 | 0xA8 | 0xA9 | 0xB8 | 0xB9 => (di1 - 8, 2),
        other => (other, 0),
    }
}

fn rows_of(di1: u8) -> impl Iterator<Item = (usize, &'static Row)> + Clone {
    let (class, _) = present(di1);
    ROWS.iter()
        .enumerate()
        .filter(move |(_, row)| row.code >> 8 == u16::from(class))
}

/// What the 1997 table says of a single identifier.
#[derive(Debug, Clone, Copy)]
pub struct Item1997 {
    id: DataId1997,
    nth: usize,
    row: &'static Row,
}

impl Item1997 {
    /// The identifier looked up.
    #[must_use]
    pub const fn id(&self) -> DataId1997 {
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
        if self.row.flags & UNREADABLE != 0 {
            Access::Write
        } else if self.row.flags & WRITABLE != 0 {
            Access::ReadWrite
        } else {
            Access::Read
        }
    }

    /// 1, 2, 3 for phases A, B, C; 0 for totals and where there are no phases.
    #[must_use]
    pub const fn phase(&self) -> u8 {
        if self.row.flags & PHASES != 0 {
            self.id.0 as u8 & 0x0F
        } else {
            0
        }
    }

    /// The tariff of energies and demands: 0 total, 1 to 14.
    #[must_use]
    pub const fn tariff(&self) -> Option<u8> {
        if self.row.flags & TARIFFS != 0 {
            Some(self.id.0 as u8 & 0x0F)
        } else {
            None
        }
    }

    /// The month of energies and demands: 0 now, 1 last month, 2 the month before.
    #[must_use]
    pub const fn settlement(&self) -> Option<u8> {
        if self.row.flags & TARIFFS != 0 {
            Some(present((self.id.0 >> 8) as u8).1)
        } else {
            None
        }
    }

    /// The name, with phase, tariff, month and number spelt out.
    #[must_use]
    pub const fn name(&self, lang: Lang) -> Name1997 {
        Name1997 { item: *self, lang }
    }
}

/// The name of a 1997 item, to be displayed.
#[derive(Debug, Clone, Copy)]
pub struct Name1997 {
    item: Item1997,
    lang: Lang,
}

impl fmt::Display for Name1997 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name1997 { item, lang } = self;
        let en = *lang == Lang::En;
        let names = if en { &NAMES_EN } else { &NAMES_ZH };
        f.write_str(names.get(item.nth).copied().unwrap_or_default())?;
        if let Some(phase) = ["A", "B", "C"].get(usize::from(item.phase()).wrapping_sub(1)) {
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
        match item.settlement() {
            Some(1) => f.write_str(if en { ", last month" } else { "，上月" })?,
            Some(2) => f.write_str(if en {
                ", month before last"
            } else {
                "，上上月"
            })?,
            _ => {}
        }
        let (rows, items) = (item.row.rows(), item.row.items());
        let numbered = item.row.flags & (TARIFFS | PHASES) == 0;
        if numbered && rows.0 != rows.1 {
            write!(f, " {}", (item.id.0 as u8 >> 4) - rows.0 + 1)?;
        }
        if numbered && items.0 != items.1 {
            write!(f, " {}", item.id.0 as u8 & 0x0F)?;
        }
        Ok(())
    }
}

impl DataId1997 {
    /// What the table says of this single identifier; `None` for blocks and for those it does not hold.
    #[must_use]
    pub fn item(self) -> Option<Item1997> {
        let (nth, row) = rows_of(self.di1()).find(|(_, row)| row.covers(self.di0()))?;
        Some(Item1997 { id: self, nth, row })
    }

    /// Whether the identifier stands for a row, an item of all rows, or a whole class.
    #[must_use]
    pub const fn is_block(self) -> bool {
        self.di0() & 0x0F == 0x0F || self.di0() & 0xF0 == 0xF0
    }

    /// The identifiers of the table that this one stands for, ascending; of tariffs all 14, though a meter may have
    /// fewer.
    pub fn singles(self) -> impl Iterator<Item = DataId1997> + Clone {
        let (low, class) = (self.di0(), self.0 & 0xFF00);
        let within = move |nibble: u8, asked: u8| asked == 0x0F || asked == nibble;
        rows_of(self.di1()).flat_map(move |(_, row)| {
            let ((row_from, row_to), (from, to)) = (row.rows(), row.items());
            (row_from..=row_to)
                .filter(move |nibble| within(*nibble, low >> 4))
                .flat_map(move |high| {
                    (from..=to)
                        .filter(move |nibble| within(*nibble, low & 0x0F))
                        .map(move |item| DataId1997(class | u16::from(high << 4 | item)))
                })
        })
    }

    /// The values in the data of an answer to this identifier, in line order. In a block, rows may be separated by AA,
    /// and every row has as many tariffs as the meter.
    ///
    /// # Errors
    /// [`ValueError::Unknown`]; [`ValueError::Length`] if the data are no whole number of items or more than the block
    /// has.
    ///
    /// ```
    /// use dlt645::DataId1997;
    /// let text: Vec<_> = DataId1997(0x901F)
    ///     .values(&[0x56, 0x34, 0x12, 0, 0x56, 0x34, 0x12, 0])?
    ///     .map(|(id, value)| format!("{id} {}", value.unwrap()))
    ///     .collect();
    /// assert_eq!(text, ["9010 1234.56 kWh", "9011 1234.56 kWh"]);
    /// # Ok::<(), dlt645::ValueError>(())
    /// ```
    pub fn values(self, data: &[u8]) -> Result<Values1997<'_>, ValueError> {
        self.values_with(data, &Quirks::default())
    }

    /// As [`DataId1997::values`], for a meter that departs from the standard.
    ///
    /// # Errors
    /// Those of [`DataId1997::values`].
    pub fn values_with<'a>(
        self,
        data: &'a [u8],
        quirks: &Quirks,
    ) -> Result<Values1997<'a>, ValueError> {
        let mut values = Values1997 {
            block: self,
            nth: 0,
            items: u8::MAX,
            data,
            tenth_volts: quirks.tenth_volts_1997,
        };
        let first = self.singles().next().ok_or(ValueError::Unknown)?;
        let format = first.item().ok_or(ValueError::Unknown)?.format();
        let wrong = ValueError::Length {
            expected: format.len(),
            found: data.len(),
        };
        // A block of rows of tariffs: the length tells how many tariffs the meter has.
        if self.di0() == 0xFF && first.item().is_some_and(|item| item.tariff().is_some()) {
            let rows = rows_of(self.di1()).count();
            let bytes = data.iter().filter(|byte| **byte != SEPARATOR).count();
            let row = bytes / rows.max(1);
            if row == 0 || !row.is_multiple_of(format.len().max(1)) {
                return Err(wrong);
            }
            values.items = (row / format.len().max(1)) as u8;
        }
        let mut rest = values.clone();
        while rest.field().is_some() {}
        let whole = rest.data.is_empty() || rest.data == [SEPARATOR];
        if data.is_empty() || !whole {
            return Err(wrong);
        }
        Ok(values)
    }

    /// The value of a single item.
    ///
    /// # Errors
    /// As [`DataId1997::values`], and the errors of [`Format::decode`]. Blocks are [`ValueError::Kind`].
    pub fn value(self, data: &[u8]) -> Result<Value<'_>, ValueError> {
        match self.item() {
            Some(item) => item.format().decode(data),
            None if self.is_block() => Err(ValueError::Kind),
            None => Err(ValueError::Unknown),
        }
    }

    /// DI1, the class.
    #[must_use]
    pub const fn di1(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// DI0: row and item.
    #[must_use]
    pub const fn di0(self) -> u8 {
        self.0 as u8
    }
}

/// The values of a 1997 answer, in line order, each with its own identifier.
#[derive(Debug, Clone)]
pub struct Values1997<'a> {
    block: DataId1997,
    nth: usize,
    /// Items in each row of tariffs, the total included.
    items: u8,
    data: &'a [u8],
    tenth_volts: bool,
}

impl<'a> Values1997<'a> {
    fn field(&mut self) -> Option<(DataId1997, Format, &'a [u8])> {
        if let ([SEPARATOR, rest @ ..], true) = (self.data, self.nth > 0) {
            self.data = rest;
        }
        let items = self.items;
        let id = self
            .block
            .singles()
            .filter(|id| id.di0() & 0x0F < items)
            .nth(self.nth)?;
        let mut format = id.item()?.format();
        if self.tenth_volts && id.0 & 0xFFF0 == 0xB610 {
            format = number(2, 1, Unit::Volt);
        }
        let (field, rest) = self.data.split_at_checked(format.len())?;
        self.data = rest;
        self.nth += 1;
        Some((id, format, field))
    }
}

impl<'a> Iterator for Values1997<'a> {
    type Item = (DataId1997, Result<Value<'a>, ValueError>);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, format, field) = self.field()?;
        Some((id, format.decode(field)))
    }
}

/// All single identifiers of the 1997 table, class by class, the months back included.
pub fn catalogue_1997() -> impl Iterator<Item = Item1997> {
    const HISTORY: [u16; 3] = [0, 0x0400, 0x0800];
    ROWS.iter().flat_map(|row| {
        let months = if row.flags & TARIFFS != 0 { 3 } else { 1 };
        let (items, rows) = (row.items(), row.rows());
        HISTORY.iter().take(months).flat_map(move |back| {
            (rows.0..=rows.1).flat_map(move |high| {
                (items.0..=items.1).filter_map(move |low| {
                    DataId1997(((row.code & 0xFF00) + back) | u16::from(high << 4 | low)).item()
                })
            })
        })
    })
}
