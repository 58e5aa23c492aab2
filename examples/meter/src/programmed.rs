//! Who programmed what, and what was programmed before: records 033000nn and 033005nn to 033010nn in a [`Store`], a
//! ring for each of them. The number of the newest is how often it was done.

use dlt645::{DataId, Operator};
use heapless::Vec;

use crate::cursor::{Reader, Writer};
use crate::records::PROGRAMMED;
use crate::settings::{MAX_SETTINGS, Settings};
use crate::store::{Key, Store, StoreError};

/// Identifiers in one record 033000nn.
pub const IDS: usize = 10;
/// First byte of a record.
const VERSION: u8 = 1;
/// Most bytes of a record.
const LONGEST: usize = 1 + 4 + 8 + 4 + 1 + 4 * IDS + MAX_SETTINGS;

/// A group of parameters with records of their own, by DI1 of 0330xxnn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Everything that was programmed, by identifier.
    Any = 0x00,
    /// Day tables.
    DayTables = 0x05,
    /// Zones.
    Zones = 0x06,
    /// Table of rest days, and which they are.
    RestDays = 0x07,
    /// Public holidays.
    Holidays = 0x08,
    /// Feature word of combined active energy.
    ActiveWord = 0x09,
    /// Feature word of combined reactive energy 1.
    ReactiveWord1 = 0x0A,
    /// Feature word of combined reactive energy 2.
    ReactiveWord2 = 0x0B,
    /// Settlement days.
    SettlementDays = 0x0C,
    /// Rate prices.
    Prices = 0x0F,
    /// Tiers.
    Tiers = 0x10,
}

impl Group {
    const ALL: [Self; 11] = [
        Self::Any,
        Self::DayTables,
        Self::Zones,
        Self::RestDays,
        Self::Holidays,
        Self::ActiveWord,
        Self::ReactiveWord1,
        Self::ReactiveWord2,
        Self::SettlementDays,
        Self::Prices,
        Self::Tiers,
    ];

    /// The group of DI1.
    #[must_use]
    pub fn from_di1(di1: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|group| *group as u8 == di1)
    }

    /// The group of its own that a parameter belongs to.
    #[must_use]
    pub const fn of(id: DataId) -> Option<Self> {
        Some(match (id.0 >> 8, id.di0()) {
            (0x04_0100 | 0x04_0200, 0) => Self::Zones,
            (0x04_0100 | 0x04_0200, _) => Self::DayTables,
            (0x04_0008, _) => Self::RestDays,
            (0x04_0300, _) | (0x04_0002, 5) => Self::Holidays,
            (0x04_0006, 1) => Self::ActiveWord,
            (0x04_0006, 2) => Self::ReactiveWord1,
            (0x04_0006, 3) => Self::ReactiveWord2,
            (0x04_000B, _) => Self::SettlementDays,
            (0x04_0501 | 0x04_0502, _) => Self::Prices,
            (0x04_0600..=0x04_06FF, _) => Self::Tiers,
            _ => return None,
        })
    }
}

/// One record.
#[derive(Clone, Debug)]
pub struct Programmed {
    /// 1 for the first of its group.
    pub number: u32,
    /// When, UTC seconds.
    pub at_s: i64,
    /// Who.
    pub operator: Operator,
    /// What; of [`Group::Any`] several.
    pub ids: Vec<DataId, IDS>,
    /// What was in force before; none in [`Group::Any`].
    pub before: Option<Settings>,
}

impl Programmed {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        if r.u8()? != VERSION {
            return None;
        }
        let (number, at_s, operator) = (r.u32()?, r.i64()?, r.u32()?);
        let mut ids = Vec::new();
        for _ in 0..r.u8()? {
            ids.push(DataId(r.u32()?)).ok()?;
        }
        let before = r.rest();
        Some(Self {
            number,
            at_s,
            operator: Operator(operator),
            ids,
            before: (!before.is_empty())
                .then(|| Settings::decode(before))
                .flatten(),
        })
    }

    fn encode(&self, into: &mut [u8]) -> Option<usize> {
        let mut w = Writer::new(into);
        w.u8(VERSION);
        w.u32(self.number);
        w.i64(self.at_s);
        w.u32(self.operator.0);
        w.u8(self.ids.len() as u8);
        self.ids.iter().for_each(|id| w.u32(id.0));
        let length = w.finish()?;
        let Some(settings) = &self.before else {
            return Some(length);
        };
        let more = settings.encode(into.get_mut(length..)?)?;
        Some(length + more)
    }
}

fn key(group: Group, slot: u32) -> Key {
    PROGRAMMED + ((group as Key) << 8) + slot as Key
}

/// The newest of a group for 1, the one before for 2; `None` when it is not kept. At most `kept` are.
///
/// # Errors
/// [`StoreError`].
pub fn read<S: Store>(
    store: &mut S,
    kept: u16,
    group: Group,
    nth: u8,
) -> Result<Option<Programmed>, StoreError> {
    if !(1..=kept).contains(&u16::from(nth)) {
        return Ok(None);
    }
    let Some(number) = (newest(store, kept, group)? + 1).checked_sub(nth.into()) else {
        return Ok(None);
    };
    let found = at(store, group, slot(number, kept))?;
    Ok(found.filter(|found| found.number == number && number > 0))
}

/// How many of a group there were.
///
/// # Errors
/// [`StoreError`].
pub fn newest<S: Store>(store: &mut S, kept: u16, group: Group) -> Result<u32, StoreError> {
    let mut newest = 0;
    for slot in 0..u32::from(kept) {
        let number = at(store, group, slot)?.map_or(0, |found| found.number);
        newest = newest.max(number);
    }
    Ok(newest)
}

/// Keeps what an operator is about to program: first the records, then the settings. What one operator programs within
/// a minute is one record of [`Group::Any`].
///
/// # Errors
/// [`StoreError`]: program nothing.
pub fn write<S: Store>(
    store: &mut S,
    kept: u16,
    (id, operator, at_s): (DataId, Operator, i64),
    before: &Settings,
) -> Result<(), StoreError> {
    if kept == 0 {
        return Ok(());
    }
    let last = read(store, kept, Group::Any, 1)?;
    let same = |last: &Programmed| {
        last.operator == operator
            && (last.at_s..last.at_s.saturating_add(60)).contains(&at_s)
            && !last.ids.is_full()
    };
    let mut any = match last.filter(same) {
        Some(last) => last,
        None => Programmed {
            number: newest(store, kept, Group::Any)?.wrapping_add(1),
            at_s,
            operator,
            ids: Vec::new(),
            before: None,
        },
    };
    // There is room, or the record is new.
    if !any.ids.contains(&id) {
        let _ = any.ids.push(id);
    }
    put(store, kept, Group::Any, &any)?;
    let Some(group) = Group::of(id) else {
        return Ok(());
    };
    let of_group = Programmed {
        number: newest(store, kept, group)?.wrapping_add(1),
        at_s,
        operator,
        ids: Vec::new(),
        before: Some(before.clone()),
    };
    put(store, kept, group, &of_group)
}

const fn slot(number: u32, kept: u16) -> u32 {
    number.wrapping_sub(1) % kept as u32
}

fn at<S: Store>(store: &mut S, group: Group, slot: u32) -> Result<Option<Programmed>, StoreError> {
    let mut bytes = [0; LONGEST];
    let length = store.read(key(group, slot), &mut bytes)?;
    let record = length.and_then(|length| bytes.get(..length));
    Ok(record.and_then(Programmed::decode))
}

fn put<S: Store>(
    store: &mut S,
    kept: u16,
    group: Group,
    record: &Programmed,
) -> Result<(), StoreError> {
    let mut bytes = [0; LONGEST];
    let length = record.encode(&mut bytes);
    let encoded = length.and_then(|length| bytes.get(..length));
    let encoded = encoded.ok_or(StoreError::TooLong { found: LONGEST })?;
    store.write(key(group, slot(record.number, kept)), encoded)
}
