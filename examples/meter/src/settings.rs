//! What is programmed over the line: both sets of tables, settlement days, demand, load records, freezes; stored as
//! one record, so that a table is the old one or the new one.

mod fee;

use tariff::calendar::{Holiday, Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::combine::{ActiveWord, ReactiveWord};
use tariff::demand::Windows;
use tariff::freeze::{Every, Freezes, Pattern};
use tariff::meter::Parameters;
use tariff::plan::Broken;
use tariff::profile::Small;
use tariff::settlement::{SettlementDay, SettlementDays};
use tariff::tier::{Reset, Tier};
use tariff::{Price, Tariff};

use crate::account::SLIPS;
use crate::cursor::{Reader, Writer};

pub use fee::{FRIENDLY, Fee, TripCurrent};

/// First byte of the stored settings; version 1 had no terms of fee control, version 2 no feature words.
const VERSION: u8 = 3;
/// Most bytes of the stored settings.
pub const MAX_SETTINGS: usize = 512;
/// What is charged: forward active energy, whatever is shown.
const ACTIVE: ActiveWord = ActiveWord(0x01);

/// Feature words (04000601 to 03): what the combined registers hold. Settled periods and freezes are shown by the words
/// of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Combined active energy, as it is shown.
    pub shown: ActiveWord,
    /// Combined reactive energy 1 and 2.
    pub reactive: [ReactiveWord; 2],
}

impl Default for Words {
    /// Both directions; quadrants I and II, III and IV.
    fn default() -> Self {
        Self {
            shown: ActiveWord::BOTH,
            reactive: [ReactiveWord(0x05), ReactiveWord(0x50)],
        }
    }
}

/// Everything that the line can program.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Zones, day tables, prices and tiers, first and second set. Holidays, rest days and the reset of the tiers are
    /// those of the first.
    pub tables: [Small; 2],
    /// Settlement days.
    pub settlement: [Option<SettlementDay>; 3],
    /// Demand period and slip, minutes.
    pub demand: [u8; 2],
    /// Load records: classes that are recorded (04000901).
    pub load_mode: u8,
    /// Load records: first instant, UTC seconds.
    pub load_start_s: i64,
    /// Load records: minutes between two of each class.
    pub load_min: [u16; 6],
    /// What freezes hold: timed, instant, agreed, hourly, daily (04000902 to 06).
    pub freeze_modes: [u8; 5],
    /// Hourly freeze: first instant, UTC seconds, and minutes between two; 0 is off.
    pub hourly: (i64, u8),
    /// Minute of the daily freeze.
    pub daily_min: u16,
    /// The timed freeze.
    pub timed: Option<Pattern>,
    /// Terms of fee control.
    pub fee: Fee,
    /// Feature words.
    pub words: Words,
}

impl Settings {
    /// Of a new meter: the same tables in both sets, settlement and freezes at midnight, demand over 15 minutes
    /// sliding by one, load records every quarter of an hour.
    #[must_use]
    pub fn new(tables: Small) -> Self {
        Self {
            tables: [tables.clone(), tables],
            settlement: SettlementDays::monthly().0,
            demand: [15, 1],
            load_mode: 0x3F,
            load_start_s: 0,
            load_min: [15; 6],
            freeze_modes: [0xFF, 0xFF, 0xFF, 0x03, 0xFF],
            hourly: (0, 60),
            daily_min: 0,
            timed: None,
            fee: Fee::default(),
            words: Words::default(),
        }
    }

    /// The tables of the first set, checked.
    ///
    /// # Errors
    /// The broken rule.
    pub fn tariff(&self) -> Result<Tariff<'_>, Broken> {
        let [first, _] = &self.tables;
        first.tariff()
    }

    /// What the tariff machine goes by, checked.
    ///
    /// # Errors
    /// The broken rule of either set.
    pub fn parameters(&self) -> Result<Parameters<'_>, Broken> {
        let [first, second] = &self.tables;
        let at = |utc_s| Moment { utc_s, offset_s: 0 };
        let mut load = [None; 6];
        for (number, (every, minutes)) in load.iter_mut().zip(self.load_min).enumerate() {
            if self.load_mode & 1 << number != 0 {
                *every = Every::try_new(at(self.load_start_s), minutes);
            }
        }
        let [period, slip] = self.demand.map(u16::from);
        Ok(Parameters {
            active: ACTIVE,
            settlement: SettlementDays(self.settlement),
            // A pair that is no window, as between two writes, gives no demand.
            windows: Windows::sliding(period, slip).filter(|w| usize::from(w.slips()) <= SLIPS),
            freezes: Freezes {
                timed: self.timed,
                hourly: Every::try_new(at(self.hourly.0), self.hourly.1.into()),
                daily: Some(Pattern::Daily {
                    minute: self.daily_min,
                }),
            },
            load,
            terms: self.fee.terms(),
            mode: self.fee.mode_switch(),
            ..Parameters::of(first.sets(second)?)
        })
    }

    /// Writes the stored form; its length.
    pub(crate) fn encode(&self, into: &mut [u8]) -> Option<usize> {
        let mut w = Writer::new(into);
        w.u8(VERSION);
        for tables in &self.tables {
            w.u8(tables.zones.len() as u8);
            for zone in &tables.zones {
                w.u16(zone.start);
                w.u8(zone.table);
            }
            w.u8(tables.slots.len() as u8);
            for slot in &tables.slots {
                w.u8(slot.table);
                w.u16(slot.start);
                w.u8(slot.rate);
            }
            w.u8(tables.holidays.len() as u8);
            for holiday in &tables.holidays {
                w.u32(holiday.date.days() as u32);
                w.u8(holiday.table);
            }
            w.put(&[
                tables.work_days,
                tables.rest_table,
                tables.prices.len() as u8,
            ]);
            for price in &tables.prices {
                w.u32(price.ten_thousandths());
            }
            w.u8(tables.tiers.len() as u8);
            for tier in &tables.tiers {
                w.u64(tier.up_to_wh);
                w.u32(tier.price.ten_thousandths());
            }
            w.put(&match tables.reset {
                Reset::Yearly { month, day, hour } => [month, day, hour],
                Reset::Monthly { day, hour } => [0, day, hour],
                _ => return None,
            });
        }
        for day in self.settlement {
            w.put(&day.map_or([0, 0], |day| [day.day(), day.hour()]));
        }
        w.put(&self.demand);
        w.u8(self.load_mode);
        w.i64(self.load_start_s);
        self.load_min.iter().for_each(|minutes| w.u16(*minutes));
        w.put(&self.freeze_modes);
        w.i64(self.hourly.0);
        w.u8(self.hourly.1);
        w.u16(self.daily_min);
        let (kind, month, day, minute) = match self.timed {
            None => (0, 0, 0, 0),
            Some(Pattern::Hourly { minute }) => (1, 0, 0, minute.into()),
            Some(Pattern::Daily { minute }) => (2, 0, 0, minute),
            Some(Pattern::Monthly { day, minute }) => (3, 0, day, minute),
            Some(Pattern::Yearly { month, day, minute }) => (4, month, day, minute),
        };
        w.put(&[kind, month, day]);
        w.u16(minute);
        self.fee.encode(&mut w);
        let [first, second] = self.words.reactive;
        w.put(&[self.words.shown.0, first.0, second.0]);
        w.finish()
    }

    /// Takes the stored form back; `None` when it is damaged or its tables are not good.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if !(1..=VERSION).contains(&version) {
            return None;
        }
        let first = tables(&mut r)?;
        let mut settings = Self::new(first);
        let [_, second] = &mut settings.tables;
        *second = tables(&mut r)?;
        for day in &mut settings.settlement {
            let [of_month, hour] = r.take()?;
            *day = SettlementDay::try_new(of_month, hour);
        }
        settings.demand = r.take()?;
        settings.load_mode = r.u8()?;
        settings.load_start_s = r.i64()?;
        for minutes in &mut settings.load_min {
            *minutes = r.u16()?;
        }
        settings.freeze_modes = r.take()?;
        settings.hourly = (r.i64()?, r.u8()?);
        settings.daily_min = r.u16()?;
        let [kind, month, day] = r.take()?;
        let minute = r.u16()?;
        settings.timed = match kind {
            0 => None,
            1 => Some(Pattern::Hourly {
                minute: minute.try_into().ok()?,
            }),
            2 => Some(Pattern::Daily { minute }),
            3 => Some(Pattern::Monthly { day, minute }),
            4 => Some(Pattern::Yearly { month, day, minute }),
            _ => return None,
        };
        if version > 1 {
            settings.fee = Fee::decode(&mut r)?;
        }
        if version > 2 {
            let [shown, first, second] = r.take()?;
            settings.words = Words {
                shown: ActiveWord(shown),
                reactive: [ReactiveWord(first), ReactiveWord(second)],
            };
        }
        r.end()?;
        settings.parameters().is_ok().then_some(settings)
    }
}

fn tables(r: &mut Reader<'_>) -> Option<Small> {
    let mut tables = Small::new();
    for _ in 0..r.u8()? {
        let (start, table) = (r.u16()?, r.u8()?);
        tables.zones.push(Zone { start, table }).ok()?;
    }
    for _ in 0..r.u8()? {
        let (table, start, rate) = (r.u8()?, r.u16()?, r.u8()?);
        tables.slots.push(Slot { table, start, rate }).ok()?;
    }
    for _ in 0..r.u8()? {
        let (date, table) = (Date::from_days(r.u32()?.into()), r.u8()?);
        tables.holidays.push(Holiday { date, table }).ok()?;
    }
    let [work_days, rest_table, prices] = r.take()?;
    (tables.work_days, tables.rest_table) = (work_days, rest_table);
    for _ in 0..prices {
        let price = Price::from_ten_thousandths(r.u32()?);
        tables.prices.push(price).ok()?;
    }
    for _ in 0..r.u8()? {
        let (up_to_wh, price) = (r.u64()?, Price::from_ten_thousandths(r.u32()?));
        tables.tiers.push(Tier { up_to_wh, price }).ok()?;
    }
    let [month, day, hour] = r.take()?;
    tables.reset = match month {
        0 => Reset::Monthly { day, hour },
        month => Reset::Yearly { month, day, hour },
    };
    Some(tables)
}

#[cfg(test)]
mod tests {
    use tariff::calendar::{Holiday, Slot, Zone};
    use tariff::civil::Date;
    use tariff::combine::{ActiveWord, ReactiveWord};
    use tariff::freeze::Pattern;
    use tariff::friendly::FriendlyHours;
    use tariff::overload::PowerLimit;
    use tariff::profile::Small;
    use tariff::tier::Tier;
    use tariff::{Money, Price};

    use super::{FRIENDLY, Fee, MAX_SETTINGS, Settings, TripCurrent, Words};

    /// Every place used.
    fn full() -> Settings {
        let mut tables = Small::new();
        for (start, table) in [(101, 1), (701, 2)] {
            tables.zones.push(Zone { start, table }).unwrap();
        }
        for nth in 0..16 {
            let (table, start, rate) = (nth / 8 + 1, u16::from(nth % 8) * 60, nth % 4 + 1);
            tables.slots.push(Slot { table, start, rate }).unwrap();
        }
        for day in 1..=8 {
            let date = Date::try_new(2026, 10, day).unwrap();
            tables.holidays.push(Holiday { date, table: 2 }).unwrap();
        }
        (tables.work_days, tables.rest_table) = (0x3E, 2);
        tables
            .prices
            .extend([1, 2, 3, 4].map(Price::from_ten_thousandths));
        for up_to_wh in [1_000, 2_000, u64::MAX] {
            let price = Price::from_ten_thousandths(5);
            tables.tiers.push(Tier { up_to_wh, price }).unwrap();
        }
        let hours = FriendlyHours {
            weekdays: 0x7F,
            from: 1320,
            until: 360,
        };
        let mut settings = Settings::new(tables);
        settings.timed = Some(Pattern::Daily { minute: 7 });
        settings.fee = Fee {
            standing: Money::from_hundredths(50),
            friendly: heapless::Vec::from_slice(&[hours; FRIENDLY]).unwrap(),
            friendly_holidays: true,
            overload: Some(PowerLimit {
                watts: 5_000,
                after_s: 60,
                reclose_s: 120,
                tries: 2,
                despite_keep_power: true,
            }),
            fallback_rate: 3,
            initial: Money::from_hundredths(1_000),
            mode: Some((1_800_000_000, true)),
            trip_current: Some(TripCurrent {
                limit_ma: 60_000,
                longest_min: 1_440,
            }),
        };
        settings.words = Words {
            shown: ActiveWord::NET,
            reactive: [ReactiveWord::FIRST, ReactiveWord::SECOND],
        };
        settings
    }

    #[test]
    fn the_fullest_settings_fit_and_come_back() {
        let (settings, mut bytes) = (full(), [0; MAX_SETTINGS]);
        let length = settings.encode(&mut bytes).unwrap();
        let read = Settings::decode(&bytes[..length]).unwrap();
        assert_eq!((&read.fee, read.words), (&settings.fee, settings.words));
        let mut again = [0; MAX_SETTINGS];
        assert_eq!(read.encode(&mut again), Some(length));
        assert_eq!(bytes, again);
        // No shorter record is one, and none with a byte behind it.
        for end in 0..length {
            assert!(Settings::decode(&bytes[..end]).is_none(), "{end}");
        }
        assert!(Settings::decode(&bytes[..=length]).is_none());
    }

    #[test]
    fn settings_of_the_first_version_have_no_terms() {
        let (mut settings, mut bytes) = (full(), [0; MAX_SETTINGS]);
        settings.fee = Fee::default();
        let length = settings.encode(&mut bytes).unwrap();
        // No flag, no charge, no credit, no rate, no friendly time.
        let first = length - (1 + 8 + 8 + 1 + 1) - 3;
        bytes[0] = 1;
        let read = Settings::decode(&bytes[..first]).unwrap();
        assert_eq!((read.fee, read.words), (Fee::default(), Words::default()));
        assert_eq!(read.tables[1].holidays.len(), 8);
        assert_eq!(read.timed, settings.timed);
        assert!(Settings::decode(&bytes[..length]).is_none());
        // The second version ends before the words.
        bytes[0] = 2;
        let read = Settings::decode(&bytes[..length - 3]).unwrap();
        assert_eq!(read.words, Words::default());
    }
}
