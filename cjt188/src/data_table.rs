//! The identifier table (section 17.3 of the fact sheet).
//!
//! The source below is a constant; rows and names are split from it while compiling, so a program that never asks for
//! a name carries none.

use core::fmt;

use crate::control::Function;
use crate::data_id::DataId;
use crate::layout::Layout;
use crate::meter_type::MeterType;
use crate::record::Value;
use crate::value::ValueError;

/// Who may do what with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Read,
    /// Written.
    Write,
}

/// Since which text an item exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// CJ/T 188-2004.
    V2004,
    /// CJ/T 188-2018.
    V2018,
}

/// Where the unit of an item comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitSource {
    /// The item has none.
    None,
    /// A unit code is sent with each value that has one; it is kept as sent.
    Sent,
    /// Yuan, or yuan for one unit of what the meter counts.
    Yuan,
}

/// Language of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    /// First identifier of the row.
    first: u16,
    /// Last identifier of the row.
    last: u16,
    function: Function,
    layout: Layout,
    unit: UnitSource,
    since: Edition,
}

#[derive(Clone, Copy)]
struct Rule {
    row: Row,
    en: &'static str,
    zh: &'static str,
}

const fn rule(
    (first, last): (u16, u16),
    function: Function,
    layout: Layout,
    unit: UnitSource,
    since: Edition,
    en: &'static str,
    zh: &'static str,
) -> Rule {
    let row = Row {
        first,
        last,
        function,
        layout,
        unit,
        since,
    };
    Rule { row, en, zh }
}

use Edition::{V2004, V2018};
use Function as F;
use Layout as L;
use UnitSource as U;

/// Ascending by identifier.
#[rustfmt::skip]
const RULES: [Rule; 24] = [
    rule((0x8102, 0x8102), F::READ, L::Prices, U::Yuan, V2004, "prices", "价格表"),
    rule((0x8103, 0x8103), F::READ, L::Day, U::None, V2004, "settlement day", "结算日"),
    rule((0x8104, 0x8104), F::READ, L::Day, U::None, V2004, "reading day", "抄表日"),
    rule((0x8105, 0x8105), F::READ, L::Purchase, U::Yuan, V2004, "purchases", "购入金额"),
    rule((0x8106, 0x8106), F::READ_KEY_VERSION, L::KeyVersion, U::None, V2004, "key version", "密钥版本号"),
    rule((0x810A, 0x810A), F::READ_ADDRESS, L::Address, U::None, V2004, "address", "地址"),
    rule((0x901F, 0x901F), F::READ, L::Present, U::Sent, V2004, "present data", "计量数据"),
    rule((0x907F, 0x907F), F::READ, L::Clock, U::None, V2018, "clock", "实时时钟"),
    rule((0x911F, 0x911F), F::READ, L::HeatCold, U::Sent, V2018, "present data of heat and cold", "冷热计量数据"),
    rule((0xA010, 0xA010), F::WRITE, L::PricesFrom, U::Yuan, V2004, "write prices", "写价格表"),
    rule((0xA011, 0xA011), F::WRITE, L::Day, U::None, V2004, "write settlement day", "写结算日"),
    rule((0xA012, 0xA012), F::WRITE, L::Day, U::None, V2004, "write reading day", "写抄表日"),
    rule((0xA013, 0xA013), F::WRITE, L::Recharge, U::Yuan, V2004, "write purchase", "写购入金额"),
    rule((0xA014, 0xA014), F::WRITE, L::Key, U::None, V2004, "write key", "写新密钥"),
    rule((0xA015, 0xA015), F::WRITE, L::Clock, U::None, V2004, "write time", "写标准时间"),
    rule((0xA016, 0xA016), F::SYNCHRONISE, L::Total, U::Sent, V2004, "synchronise motor", "写机电同步数据"),
    rule((0xA017, 0xA017), F::WRITE, L::Valve, U::None, V2004, "valve", "写阀门控制"),
    rule((0xA018, 0xA018), F::WRITE_ADDRESS, L::Address, U::None, V2004, "write address", "写地址"),
    rule((0xA019, 0xA019), F::WRITE, L::Nothing, U::None, V2004, "leave factory mode", "出厂启用"),
    rule((0xA101, 0xA107), F::WRITE, L::Raw, U::None, V2018, "setting", "参数设置"),
    rule((0xD120, 0xD12B), F::READ, L::Settled, U::Sent, V2004, "settlement value, months back:", "上月结算值，前"),
    rule((0xD200, 0xD2FF), F::READ, L::Settled, U::Sent, V2018, "settlement value, back:", "历史结算值，前"),
    rule((0xD300, 0xD3FF), F::READ, L::Freeze, U::Sent, V2018, "timed freeze, back:", "定时冻结，前"),
    rule((0xD400, 0xD4FF), F::READ, L::Freeze, U::Sent, V2018, "instant freeze, back:", "瞬时冻结，前"),
];

const LEN: usize = RULES.len();

static ROWS: [Row; LEN] = {
    let mut rows = [RULES[0].row; LEN];
    let mut nth = 0;
    while nth < LEN {
        rows[nth] = RULES[nth].row;
        nth += 1;
    }
    rows
};

const fn names(zh: bool) -> [&'static str; LEN] {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = if zh { RULES[nth].zh } else { RULES[nth].en };
        nth += 1;
    }
    names
}

static NAMES_EN: [&str; LEN] = names(false);
static NAMES_ZH: [&str; LEN] = names(true);

/// What the table says of an identifier.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    id: DataId,
    nth: usize,
    row: &'static Row,
}

impl DataId {
    /// What the table says of this identifier; `None` for those it does not hold.
    ///
    /// ```
    /// use cjt188::{DataId, Lang};
    /// let item = DataId(0xD122).item().unwrap();
    /// assert_eq!(item.name(Lang::En).to_string(), "settlement value, months back: 3");
    /// assert_eq!(item.layout().lengths(), [5, 15]);
    /// ```
    #[must_use]
    pub fn item(self) -> Option<Item> {
        ROWS.iter()
            .enumerate()
            .find(|(_, row)| (row.first..=row.last).contains(&self.0))
            .map(|(nth, row)| Item { id: self, nth, row })
    }

    /// The value in the data behind SER; identifiers outside the table give [`Value::Raw`].
    ///
    /// # Errors
    /// As [`Layout::decode`].
    pub fn value(self, meter_type: MeterType, data: &[u8]) -> Result<Value<'_>, ValueError> {
        let layout = self.item().map_or(Layout::Raw, |item| item.layout());
        layout.decode(meter_type, data)
    }

    /// Writes `value` for this identifier to the front of `out` and returns its length.
    ///
    /// # Errors
    /// As [`Layout::encode`].
    ///
    /// ```
    /// use cjt188::{DataId, Value};
    /// let mut out = [0; 1];
    /// assert_eq!(DataId(0xA011).encode_value(&Value::Day(25), &mut out), Ok(1));
    /// assert_eq!(out, [0x25]);
    /// ```
    pub fn encode_value(self, value: &Value<'_>, out: &mut [u8]) -> Result<usize, ValueError> {
        let layout = self.item().map_or(Layout::Raw, |item| item.layout());
        layout.encode(value, out)
    }
}

impl Item {
    /// The identifier looked up.
    #[must_use]
    pub const fn id(&self) -> DataId {
        self.id
    }

    /// The function that reads or writes it.
    #[must_use]
    pub const fn function(&self) -> Function {
        self.row.function
    }

    /// Whether it is read or written; reading and writing the same thing are two identifiers.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self.row.function.0 {
            0x04 | 0x15 | 0x16 => Access::Write,
            _ => Access::Read,
        }
    }

    /// What stands behind SER, in the answer to a read or in the request of a write.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.row.layout
    }

    /// Where the unit comes from.
    #[must_use]
    pub const fn unit(&self) -> UnitSource {
        self.row.unit
    }

    /// Since which text it exists.
    #[must_use]
    pub const fn since(&self) -> Edition {
        self.row.since
    }

    /// Which of its row it is, from 1; `None` where the row has one item.
    #[must_use]
    pub const fn number(&self) -> Option<u16> {
        if self.row.first == self.row.last {
            None
        } else {
            Some(self.id.0 - self.row.first + 1)
        }
    }

    /// The name, with its number where the row has several.
    #[must_use]
    pub const fn name(&self, lang: Lang) -> Name {
        Name { item: *self, lang }
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
        let (names, space) = match self.lang {
            Lang::En => (&NAMES_EN, " "),
            Lang::Zh => (&NAMES_ZH, ""),
        };
        f.write_str(names.get(self.item.nth).copied().unwrap_or_default())?;
        match self.item.number() {
            Some(number) => write!(f, "{space}{number}"),
            None => Ok(()),
        }
    }
}

/// All identifiers of the table, ascending: 806 of them.
pub fn catalogue() -> impl Iterator<Item = Item> {
    ROWS.iter().enumerate().flat_map(|(nth, row)| {
        (row.first..=row.last).map(move |code| Item {
            id: DataId(code),
            nth,
            row,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ascending_and_every_item_is_found() {
        for (row, next) in ROWS.iter().zip(ROWS.iter().skip(1)) {
            assert!(row.first <= row.last && row.last < next.first);
            assert_eq!(row.first >> 8, row.last >> 8);
        }
        let mut count = 0;
        for item in catalogue() {
            let found = item.id().item().unwrap();
            assert_eq!((found.id(), found.nth), (item.id(), item.nth));
            count += 1;
        }
        assert_eq!(count, 19 + 7 + 12 + 3 * 256);
        assert!(DataId(0xA108).item().is_none());
        assert!(DataId(0xD12C).item().is_none());
    }
}
