//! What can be written: switch times, tables of both sets, prices and tiers that wait, settlement days, demand, load
//! records, freezes, limits, holidays, rest days, terms of fee control. A table is taken when all of them together are good, and stored before it counts.

use dlt645::{DataId, Err645, FreezePattern, Operator, Stamp, Value};
use heapless::Vec;
use meter_proto::outbox::OutboxStore;
use tariff::Money;
use tariff::Price;
use tariff::calendar::{Holiday, Slot, Zone};
use tariff::civil::Date;
use tariff::combine::{ActiveWord, ReactiveWord};
use tariff::freeze::Pattern;
use tariff::plan::Broken;
use tariff::sets::Table;
use tariff::settlement::SettlementDay;
use tariff::tier::{Reset, Tier};

use super::digits;
use crate::clock;
use crate::management::ManagementCore;
use crate::settings::Settings;
use crate::store::Store;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Writes a parameter of the tariff; `None` when the identifier is none of them. The password was checked.
    /// Who programs what is kept first.
    pub(super) fn program(
        &mut self,
        id: DataId,
        operator: Operator,
        data: &[u8],
    ) -> Option<Result<(), Err645>> {
        let by = (id, operator);
        match id.0 {
            0x0400_0106..=0x0400_0109 => Some(self.program_switch(by, data)),
            0x0400_1001..=0x0400_1005 => Some(self.program_limit(by, data)),
            _ => {
                let mut settings = self.account().settings().clone();
                if let Some(done) = self.program_fee(&mut settings.fee, id, data) {
                    return Some(done.and_then(|()| self.take_settings(settings, Some(by))));
                }
                let spare_is_second =
                    |core: &Self, table| !core.account().meter().running().second(table);
                let taken = match id.di2() {
                    0 => self.parameter_of(&mut settings, id, data),
                    1 | 2 => {
                        let [first, second] = &mut settings.tables;
                        let tables = if id.di2() == 1 { first } else { second };
                        match id.0 & 0xFFFF {
                            0 => zones(data).map(|zones| tables.zones = zones),
                            table @ 1..=8 => day_table(&mut tables.slots, table as u8, data),
                            _ => return None,
                        }
                    }
                    3 if id.di1() == 0 => {
                        let [first, _] = &mut settings.tables;
                        holiday(&mut first.holidays, id.di0(), data)
                    }
                    5 if id.di1() == 2 => {
                        let [first, second] = &mut settings.tables;
                        let is_second = spare_is_second(self, Table::Prices);
                        let tables = if is_second { second } else { first };
                        prices(&mut tables.prices, id.di0(), data)
                    }
                    6 if id.0 & 0xFFFF == 0x0BFF => {
                        let reset = settings.tables.first()?.reset;
                        let [first, second] = &mut settings.tables;
                        let is_second = spare_is_second(self, Table::Tiers);
                        let tables = if is_second { second } else { first };
                        tiers(data, reset).map(|tiers| tables.tiers = tiers)
                    }
                    _ => return None,
                };
                Some(taken.and_then(|()| self.take_settings(settings, Some(by))))
            }
        }
    }

    fn take_settings(
        &mut self,
        settings: Settings,
        by: Option<(DataId, Operator)>,
    ) -> Result<(), Err645> {
        settings.parameters().map_err(|broken| match broken {
            Broken::ZoneCount => Err645::ZONES,
            Broken::SlotCount => Err645::SLOTS,
            Broken::RateNumber | Broken::PriceCount => Err645::TARIFFS,
            _ => Err645::OTHER,
        })?;
        if let Some(by) = by {
            self.note(by)?;
        }
        self.program_settings(settings).map_err(|_| Err645::OTHER)
    }

    fn note(&mut self, (id, operator): (DataId, Operator)) -> Result<(), Err645> {
        self.note_programming(id, operator)
            .map_err(|_| Err645::OTHER)
    }

    /// The switch of a table; all zero or a past time takes a waiting one back.
    fn program_switch(&mut self, by: (DataId, Operator), data: &[u8]) -> Result<(), Err645> {
        let table = usize::from(by.0.di0()).checked_sub(6);
        let table = table.and_then(|nth| Table::ALL.get(nth)).copied();
        let table = table.ok_or(Err645::OTHER)?;
        let at_s = if data == [0; 5] {
            0
        } else {
            self.stamp_s(data)?
        };
        self.note(by)?;
        self.arm(table, at_s).map_err(|_| Err645::OTHER)
    }

    fn program_limit(&mut self, by: (DataId, Operator), data: &[u8]) -> Result<(), Err645> {
        let (id, _) = by;
        let Ok(Value::Number(number)) = id.value(data) else {
            return Err(Err645::OTHER);
        };
        let amount = Money::from_hundredths(number.mantissa.into());
        let mut limits = self.account().machine().purse().limits();
        let place = match id.di0() {
            1 => &mut limits.alarm_1,
            2 => &mut limits.alarm_2,
            3 => &mut limits.overdraft,
            4 => &mut limits.hoard,
            _ => &mut limits.close_allow,
        };
        *place = amount;
        if !self.account().machine().is_prepaid() {
            return Err(Err645::NOT_AUTHORISED);
        }
        self.note(by)?;
        match self.set_limits(limits) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Err645::NOT_AUTHORISED),
            Err(_) => Err(Err645::OTHER),
        }
    }

    /// UTC seconds of YYMMDDhhmm.
    pub(super) fn stamp_s(&self, data: &[u8]) -> Result<i64, Err645> {
        let &[minute, hour, day, month, year] = data else {
            return Err(Err645::OTHER);
        };
        let stamp = Stamp::from_line([0, minute, hour, day, month, year]);
        let ms = stamp.and_then(|at| clock::from_stamp(at, self.utc_offset_min()));
        ms.map(|ms| (ms / 1000) as i64).ok_or(Err645::OTHER)
    }

    /// Group 0400.
    fn parameter_of(&self, settings: &mut Settings, id: DataId, data: &[u8]) -> Result<(), Err645> {
        let refused = Err645::OTHER;
        let nth = usize::from(id.di0());
        match (id.0, data) {
            (0x0400_0103 | 0x0400_0104, &[minutes]) => {
                let minutes = digits(minutes).ok_or(refused)?;
                let [period, slip] = &mut settings.demand;
                *(if nth == 3 { period } else { slip }) = minutes;
                Ok(())
            }
            // Fewer holidays; more come one by one.
            (0x0400_0205, &[low, high]) => {
                let (low, high) = digits(low).zip(digits(high)).ok_or(refused)?;
                let count = usize::from(high) * 100 + usize::from(low);
                let [first, _] = &mut settings.tables;
                if count > first.holidays.len() {
                    return Err(refused);
                }
                first.holidays.truncate(count);
                Ok(())
            }
            (0x0400_0601, &[word @ 0..=0x0F]) => {
                settings.words.shown = ActiveWord(word);
                Ok(())
            }
            (0x0400_0602 | 0x0400_0603, &[word]) => {
                let place = settings.words.reactive.get_mut(nth - 2).ok_or(refused)?;
                *place = ReactiveWord(word);
                Ok(())
            }
            (0x0400_0601, _) => Err(refused),
            (0x0400_0801, &[work_days]) => {
                let [first, _] = &mut settings.tables;
                first.work_days = work_days & 0x7F;
                Ok(())
            }
            (0x0400_0802, &[table]) => {
                let [first, _] = &mut settings.tables;
                first.rest_table = digits(table).ok_or(refused)?;
                Ok(())
            }
            (0x0400_0901, &[mode]) => {
                settings.load_mode = mode & 0x3F;
                Ok(())
            }
            (0x0400_0902..=0x0400_0906, &[mode]) => {
                *settings.freeze_modes.get_mut(nth - 2).ok_or(refused)? = mode;
                Ok(())
            }
            (0x0400_0A01, &[minute, hour, day, month]) => {
                let year = (self.calendar().year % 100) as u8;
                let start = [minute, hour, day, month, super::serial(year)];
                settings.load_start_s = self.stamp_s(&start)?;
                Ok(())
            }
            (0x0400_0A02..=0x0400_0A07, &[low, high]) => {
                let [low, high] = [low, high].map(digits);
                let minutes = low
                    .zip(high)
                    .map(|(low, high)| u16::from(high) * 100 + u16::from(low));
                *settings.load_min.get_mut(nth - 2).ok_or(refused)? = minutes.ok_or(refused)?;
                Ok(())
            }
            (0x0400_0B01..=0x0400_0B03, &[hour, day]) => {
                let place = settings.settlement.get_mut(nth - 1).ok_or(refused)?;
                let (day, hour) = digits(day).zip(digits(hour)).ok_or(refused)?;
                *place = SettlementDay::try_new(day, hour);
                if place.is_some() || (day, hour) == (99, 99) {
                    Ok(())
                } else {
                    Err(refused)
                }
            }
            (0x0400_1201, start) => {
                settings.hourly.0 = self.stamp_s(start)?;
                Ok(())
            }
            (0x0400_1202, &[minutes]) => {
                settings.hourly.1 = digits(minutes).ok_or(refused)?;
                Ok(())
            }
            (0x0400_1203, &[minute, hour]) => {
                settings.daily_min = of_day(minute, hour).ok_or(refused)?;
                Ok(())
            }
            (0x0400_1204, &[minute, hour, day, month]) => {
                let fields = [month, day, hour, minute].map(digits);
                let [Some(month), Some(day), Some(hour), Some(minute)] = fields else {
                    return Err(refused);
                };
                settings.timed =
                    pattern(FreezePattern::new(month, day, hour, minute).ok_or(refused)?);
                Ok(())
            }
            _ => Err(Err645::NOT_AUTHORISED),
        }
    }

    /// Function 16: freezes now, or sets the pattern of the timed freeze.
    pub(super) fn freeze_order(&mut self, order: FreezePattern) -> Result<(), Err645> {
        if order == FreezePattern::Now {
            return self.freeze_now().map_err(|_| Err645::OTHER);
        }
        let mut settings = self.account().settings().clone();
        settings.timed = pattern(order);
        self.take_settings(settings, None)
    }
}

fn pattern(of: FreezePattern) -> Option<Pattern> {
    let minute_of = |hour: u8, minute: u8| u16::from(hour) * 60 + u16::from(minute);
    Some(match of {
        FreezePattern::Hourly { minute } => Pattern::Hourly { minute },
        FreezePattern::Daily { hour, minute } => Pattern::Daily {
            minute: minute_of(hour, minute),
        },
        FreezePattern::Monthly { day, hour, minute } => Pattern::Monthly {
            day,
            minute: minute_of(hour, minute),
        },
        FreezePattern::Yearly {
            month,
            day,
            hour,
            minute,
        } => Pattern::Yearly {
            month,
            day,
            minute: minute_of(hour, minute),
        },
        FreezePattern::Now => return None,
    })
}

pub(super) fn of_day(minute: u8, hour: u8) -> Option<u16> {
    let (minute, hour) = digits(minute).zip(digits(hour))?;
    (minute < 60 && hour < 24).then(|| u16::from(hour) * 60 + u16::from(minute))
}

/// Rows of three bytes; trailing repeats of the last one, with which tools fill unused places, are left out.
fn rows(data: &[u8]) -> Result<impl Iterator<Item = [u8; 3]>, Err645> {
    let (rows, rest) = data.as_chunks::<3>();
    if rows.is_empty() || !rest.is_empty() {
        return Err(Err645::OTHER);
    }
    let mut last = None;
    Ok(rows
        .iter()
        .copied()
        .filter(move |row| last.replace(*row) != Some(*row)))
}

fn zones<const N: usize>(data: &[u8]) -> Result<Vec<Zone, N>, Err645> {
    let mut zones = Vec::new();
    for row in rows(data)? {
        let [Some(table), Some(day), Some(month)] = row.map(digits) else {
            return Err(Err645::OTHER);
        };
        let start = u16::from(month) * 100 + u16::from(day);
        zones
            .push(Zone { start, table })
            .map_err(|_| Err645::ZONES)?;
    }
    Ok(zones)
}

fn day_table<const N: usize>(
    slots: &mut Vec<Slot, N>,
    table: u8,
    data: &[u8],
) -> Result<(), Err645> {
    // The tables lie in the order of their numbers.
    let mut all = Vec::<Slot, N>::new();
    for slot in slots.iter().filter(|slot| slot.table < table) {
        all.push(*slot).map_err(|_| Err645::SLOTS)?;
    }
    for row in rows(data)? {
        let [rate, minute, hour] = row;
        let (rate, start) = digits(rate)
            .zip(of_day(minute, hour))
            .ok_or(Err645::OTHER)?;
        all.push(Slot { table, start, rate })
            .map_err(|_| Err645::SLOTS)?;
    }
    for slot in slots.iter().filter(|slot| slot.table > table) {
        all.push(*slot).map_err(|_| Err645::SLOTS)?;
    }
    *slots = all;
    Ok(())
}

/// YYMMDDNN in the place of a holiday, or in the first free one.
fn holiday<const N: usize>(
    holidays: &mut Vec<Holiday, N>,
    nth: u8,
    data: &[u8],
) -> Result<(), Err645> {
    let &[table, day, month, year] = data else {
        return Err(Err645::OTHER);
    };
    let [Some(table), Some(day), Some(month), Some(year)] = [table, day, month, year].map(digits)
    else {
        return Err(Err645::OTHER);
    };
    let date = Date::try_new(2000 + u16::from(year), month, day).ok_or(Err645::OTHER)?;
    let holiday = Holiday { date, table };
    let place = usize::from(nth).checked_sub(1).ok_or(Err645::OTHER)?;
    if let Some(place) = holidays.get_mut(place) {
        *place = holiday;
        return Ok(());
    }
    if place != holidays.len() {
        return Err(Err645::OTHER);
    }
    holidays.push(holiday).map_err(|_| Err645::OTHER)
}

fn number(id: u32, data: &[u8]) -> Result<u32, Err645> {
    match DataId(id).value(data) {
        Ok(Value::Number(number)) => u32::try_from(number.mantissa).map_err(|_| Err645::OTHER),
        _ => Err(Err645::OTHER),
    }
}

fn prices<const N: usize>(prices: &mut Vec<Price, N>, rate: u8, data: &[u8]) -> Result<(), Err645> {
    let price = |data: &[u8]| number(0x0405_0101, data).map(Price::from_ten_thousandths);
    if rate != 0xFF {
        let place = usize::from(rate).checked_sub(1);
        let place = place
            .and_then(|nth| prices.get_mut(nth))
            .ok_or(Err645::TARIFFS)?;
        *place = price(data)?;
        return Ok(());
    }
    prices.clear();
    for row in data.chunks(4) {
        prices.push(price(row)?).map_err(|_| Err645::TARIFFS)?;
    }
    Ok(())
}

/// Six limits, seven prices, six yearly days; the days are those of the running set, which alone resets.
fn tiers<const N: usize>(data: &[u8], reset: Reset) -> Result<Vec<Tier, N>, Err645> {
    let (limits, rest) = data.split_at_checked(24).ok_or(Err645::OTHER)?;
    let (prices, days) = rest.split_at_checked(28).ok_or(Err645::OTHER)?;
    let first: [u8; 3] = match reset {
        Reset::Yearly { month, day, hour } => [hour, day, month].map(super::serial),
        _ => [0x99; 3],
    };
    if days.len() != 18 || days.first_chunk() != Some(&first) {
        return Err(Err645::OTHER);
    }
    let mut tiers = Vec::new();
    let limits = limits.chunks(4).map(Some).chain([None]);
    for (limit, price) in limits.zip(prices.chunks(4)) {
        let limit = limit.map_or(Ok(0), |limit| number(0x0001_0000, limit))?;
        let up_to_wh = match limit {
            0 => u64::MAX,
            limit => u64::from(limit) * 10,
        };
        let price = Price::from_ten_thousandths(number(0x0405_0101, price)?);
        tiers
            .push(Tier { up_to_wh, price })
            .map_err(|_| Err645::TARIFFS)?;
        if up_to_wh == u64::MAX {
            break;
        }
    }
    Ok(tiers)
}
