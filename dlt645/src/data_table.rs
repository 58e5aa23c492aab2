//! The identifier table (annex A of DL/T 645-2007 with the additions for prepayment meters).
//!
//! One rule stands for all identifiers that differ in tariff, phase, settlement or number. The source below is a
//! constant; compact rows and names are split from it while compiling, so a program that never asks for a name does
//! not carry any.

use crate::format::{Format, number};
use crate::unit::Unit;

mod event;
mod measured;
mod parameter;
mod stored;

/// Who may do what with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and written (14).
    ReadWrite,
    /// Written only.
    Write,
}

/// Language of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// DI1 may be FF.
pub(crate) const BLOCK1: u8 = 0x01;
/// DI0 may be FF.
pub(crate) const BLOCK0: u8 = 0x02;
/// Further values of DI2 stand for the same item of a phase, a kind of freeze or a class of load records;
/// `item.rs` knows which.
pub(crate) const SHIFTED: u8 = 0x04;
const WRITABLE: u8 = 0x08;
const UNREADABLE: u8 = 0x10;
/// DI1 counts the fields of a record, FF is the whole record.
pub(crate) const ITEMS: u8 = 0x20;
/// DI1 is a phase.
pub(crate) const PHASE1: u8 = 0x40;

/// What a program carries of a rule: 8 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Lowest identifier of the rule.
    pub code: u32,
    /// Highest DI1 and DI0; the lowest are those of the code.
    pub last1: u8,
    pub last0: u8,
    pub flags: u8,
    /// Index into [`FORMATS`].
    format: u8,
}

impl Row {
    #[inline]
    pub(crate) const fn format(&self) -> Format {
        // Written out, as a panic would be linked otherwise.
        let nth = self.format as usize;
        if nth < FORMATS.len() {
            FORMATS[nth]
        } else {
            Format::Opaque
        }
    }

    pub(crate) const fn access(&self) -> Access {
        if self.flags & UNREADABLE != 0 {
            Access::Write
        } else if self.flags & WRITABLE != 0 {
            Access::ReadWrite
        } else {
            Access::Read
        }
    }
}

/// Where a rule's values go in the unified standard; quantity 0 means nowhere. Phase, tariff, settlement and harmonic
/// order come from the identifier.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "meter-proto"),
    allow(dead_code, reason = "only the mapping reads it")
)]
pub(crate) struct Place {
    pub quantity: u8,
    pub direction: u8,
    pub statistic: u8,
    /// Harmonic field, or ORDER when DI0 is the order.
    pub harmonic: u8,
    pub channel: u8,
    /// Decimal exponent of the last digit in the unit of the quantity.
    pub exponent: i8,
}

/// The harmonic is DI0.
#[cfg_attr(
    not(feature = "meter-proto"),
    allow(dead_code, reason = "only the mapping reads it")
)]
pub(crate) const ORDER: u8 = 0xFF;

const NOWHERE: Place = Place {
    quantity: 0,
    direction: 0,
    statistic: 0,
    harmonic: 0,
    channel: 0,
    exponent: 0,
};

#[derive(Clone, Copy)]
struct Rule {
    row: Row,
    format: Format,
    en: &'static str,
    zh: &'static str,
    place: Place,
}

const fn item(code: u32, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let row = Row {
        code,
        last1: (code >> 8) as u8,
        last0: code as u8,
        flags: 0,
        format: 0,
    };
    Rule {
        row,
        format,
        en,
        zh,
        place: NOWHERE,
    }
}

impl Rule {
    const fn flag(mut self, flags: u8) -> Self {
        self.row.flags |= flags;
        self
    }

    const fn rw(self) -> Self {
        self.flag(WRITABLE)
    }

    const fn write_only(self) -> Self {
        self.flag(WRITABLE | UNREADABLE)
    }

    const fn di1_to(mut self, last: u8) -> Self {
        self.row.last1 = last;
        self.flag(BLOCK1)
    }

    const fn di0_to(mut self, last: u8) -> Self {
        self.row.last0 = last;
        self.flag(BLOCK0)
    }

    /// DI0 counts up to `last`; no block.
    const fn numbered(mut self, last: u8) -> Self {
        self.row.last0 = last;
        self
    }

    /// DI1 counts up to `last`; no block.
    const fn numbered_in_di1(mut self, last: u8) -> Self {
        self.row.last1 = last;
        self
    }

    const fn phases_in_di1(mut self) -> Self {
        self.row.last1 = 3;
        self.flag(PHASE1)
    }

    /// DI1 counts the fields of the record, DI0 occurrences up to `last`; FF are all of them.
    const fn items(mut self, last: u8) -> Self {
        if let Format::Record(layout) = self.format {
            self.row.last1 = layout.count();
        }
        self.row.last0 = last;
        self.flag(ITEMS | BLOCK1 | BLOCK0)
    }

    const fn shifted(self) -> Self {
        self.flag(SHIFTED)
    }

    const fn at(mut self, quantity: u8, exponent: i8) -> Self {
        self.place.quantity = quantity;
        self.place.exponent = exponent;
        self
    }

    const fn direction(mut self, direction: u8) -> Self {
        self.place.direction = direction;
        self
    }

    const fn statistic(mut self, statistic: u8) -> Self {
        self.place.statistic = statistic;
        self
    }

    const fn harmonic(mut self, harmonic: u8) -> Self {
        self.place.harmonic = harmonic;
        self
    }

    const fn channel(mut self, channel: u8) -> Self {
        self.place.channel = channel;
        self
    }
}

/// Class 00 with tariffs, settlements and phases.
const fn energy(di2: u8, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let rule = item((di2 as u32) << 16, format, en, zh)
        .di1_to(0x3F)
        .di0_to(0x0C);
    if di2 == 0 { rule } else { rule.shifted() }
}

/// Class 00 from 80 on: no tariffs.
const fn loss(di2: u8, en: &'static str, zh: &'static str) -> Rule {
    item((di2 as u32) << 16, number(4, 2, Unit::KilowattHour), en, zh)
        .di0_to(0x0C)
        .shifted()
}

/// Class 01.
const fn demand(di2: u8, signed: bool, unit: Unit, en: &'static str, zh: &'static str) -> Rule {
    item(
        0x0100_0000 | (di2 as u32) << 16,
        Format::Demand { signed, unit },
        en,
        zh,
    )
    .di1_to(0x3F)
    .di0_to(0x0C)
    .shifted()
    .statistic(5)
}

/// Class 02 by phase; `first` is 0 where a total exists.
const fn phases(di2: u8, first: u8, format: Format, en: &'static str, zh: &'static str) -> Rule {
    item(
        0x0200_0000 | (di2 as u32) << 16 | (first as u32) << 8,
        format,
        en,
        zh,
    )
    .di1_to(3)
}

/// The rules in the order of their codes.
const PARTS: [&[Rule]; 5] = [
    measured::RULES,
    event::RECORDS,
    parameter::RULES,
    stored::RULES,
    event::ITEMS,
];

pub(crate) const LEN: usize = {
    let (mut len, mut part) = (0, 0);
    while part < PARTS.len() {
        len += PARTS[part].len();
        part += 1;
    }
    len
};

#[allow(
    clippy::large_const_arrays,
    reason = "a static would keep the names in every program"
)]
const SOURCE: [Rule; LEN] = {
    let mut rules = [PARTS[0][0]; LEN];
    let (mut nth, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut place = 0;
        while place < PARTS[part].len() {
            rules[nth] = PARTS[part][place];
            assert!(
                nth == 0 || rules[nth - 1].row.code < rules[nth].row.code,
                "the table is not in ascending order"
            );
            (nth, place) = (nth + 1, place + 1);
        }
        part += 1;
    }
    rules
};

/// Which formats there are, each once, and the row's index of each rule.
#[allow(clippy::large_const_arrays, reason = "read while compiling only")]
const INTERNED: ([Format; LEN], [u8; LEN], usize) = {
    let mut formats = [Format::Opaque; LEN];
    let mut indices = [0; LEN];
    let (mut nth, mut count) = (0, 0);
    while nth < LEN {
        let mut at = 0;
        while at < count && formats[at].key() != SOURCE[nth].format.key() {
            at += 1;
        }
        if at == count {
            formats[count] = SOURCE[nth].format;
            count += 1;
        }
        indices[nth] = at as u8;
        nth += 1;
    }
    assert!(count <= 256);
    (formats, indices, count)
};

static FORMATS: [Format; INTERNED.2] = {
    let mut formats = [Format::Opaque; INTERNED.2];
    let mut nth = 0;
    while nth < INTERNED.2 {
        formats[nth] = INTERNED.0[nth];
        nth += 1;
    }
    formats
};

/// The compact rows, ascending by code.
pub(crate) static ROWS: [Row; LEN] = {
    let mut rows = [SOURCE[0].row; LEN];
    let mut nth = 0;
    while nth < LEN {
        rows[nth] = SOURCE[nth].row;
        rows[nth].format = INTERNED.1[nth];
        nth += 1;
    }
    rows
};

/// Where the rows of each class (DI3) begin; the last entry is behind all rows.
pub(crate) static CLASS_STARTS: [u16; CLASSES + 1] = {
    let mut starts = [LEN as u16; CLASSES + 1];
    let mut nth = LEN;
    let mut class = CLASSES;
    while class > 0 {
        class -= 1;
        while nth > 0 && SOURCE[nth - 1].row.code >> 24 >= class as u32 {
            nth -= 1;
        }
        starts[class] = nth as u16;
    }
    starts
};

/// One more than the highest class.
const CLASSES: usize = (SOURCE[LEN - 1].row.code >> 24) as usize + 1;

/// English names in the order of the rows.
pub(crate) static NAMES_EN: [&str; LEN] = {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = SOURCE[nth].en;
        nth += 1;
    }
    names
};

/// Chinese names in the order of the rows.
pub(crate) static NAMES_ZH: [&str; LEN] = {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = SOURCE[nth].zh;
        nth += 1;
    }
    names
};

/// Places in the unified standard in the order of the rows.
#[cfg(feature = "meter-proto")]
pub(crate) static PLACES: [Place; LEN] = {
    let mut places = [NOWHERE; LEN];
    let mut nth = 0;
    while nth < LEN {
        places[nth] = SOURCE[nth].place;
        nth += 1;
    }
    places
};
