//! Tables and switch times of both sets, settlement days, demand, freezes and load records as parameters (class 04).

use dlt645::{DataId, Err645};
use meter_proto::outbox::OutboxStore;
use tariff::Price;
use tariff::freeze::Pattern;
use tariff::profile::Small;
use tariff::sets::Table;
use tariff::tier::Reset;

use super::{Out, serial};
use crate::management::ManagementCore;
use crate::store::Store;

/// Any price, and any energy.
const PRICE: u32 = 0x0405_0101;
const ENERGY: u32 = 0x0001_0000;
/// Limits, prices and yearly days of a table of tiers.
const LIMITS: usize = 6;
const PRICES: usize = 7;
const DAYS: usize = 6;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// The tables of the set that runs (`false`) or waits.
    pub(super) fn set(&self, table: Table, spare: bool) -> &Small {
        let [first, second] = &self.account().settings().tables;
        let second_runs = self.account().meter().running().second(table);
        if second_runs != spare { second } else { first }
    }

    /// Group 0400 as far as the tariff knows it; `None` for the others.
    pub(super) fn tariff_parameter(
        &self,
        id: DataId,
        out: &mut Out<'_>,
    ) -> Option<Result<(), Err645>> {
        let settings = self.account().settings();
        let [first, _] = &settings.tables;
        let [period, slip] = settings.demand;
        let nth = usize::from(id.di0());
        Some(match id.0 {
            0x0400_0103 => out.put(&[serial(period)]),
            0x0400_0104 => out.put(&[serial(slip)]),
            0x0400_0106..=0x0400_0109 => {
                let table = Table::ALL.get(nth - 6).copied()?;
                let waiting = self.account().meter().running().waiting(table);
                let at = waiting.map(|at_s| self.minute(self.moment_of(at_s)));
                out.put(&at.unwrap_or([0; 5]))
            }
            0x0400_0201 => out.put(&[serial(first.zones.len() as u8)]),
            0x0400_0202 => {
                let tables = first.slots.iter().map(|slot| slot.table).max();
                out.put(&[serial(tables.unwrap_or(0))])
            }
            0x0400_0203 => {
                let of = |table| first.slots.iter().filter(move |slot| slot.table == table);
                let most = (1..=8).map(|table| of(table).count()).max();
                out.put(&[serial(most.unwrap_or(0) as u8)])
            }
            0x0400_0204 => out.put(&[serial(self.account().rates())]),
            0x0400_0205 => {
                let count = first.holidays.len();
                out.put(&[count % 100, count / 100].map(|two| serial(two as u8)))
            }
            0x0400_0207 => {
                let tiers = &self.set(Table::Tiers, false).tiers;
                out.put(&[serial(tiers.len().saturating_sub(1) as u8)])
            }
            0x0400_0601 => out.put(&[settings.words.shown.0]),
            0x0400_0602 | 0x0400_0603 => out.put(&[settings.words.reactive.get(nth - 2)?.0]),
            0x0400_0801 => out.put(&[first.work_days]),
            0x0400_0802 => out.put(&[serial(first.rest_table)]),
            0x0400_0901 => out.put(&[settings.load_mode]),
            0x0400_0902..=0x0400_0906 => out.put(&[*settings.freeze_modes.get(nth - 2)?]),
            0x0400_0A01 => {
                let [minute, hour, day, month, _] =
                    self.minute(self.moment_of(settings.load_start_s));
                out.put(&[minute, hour, day, month])
            }
            0x0400_0A02..=0x0400_0A07 => {
                let minutes = *settings.load_min.get(nth - 2)?;
                out.put(&[serial((minutes % 100) as u8), serial((minutes / 100) as u8)])
            }
            0x0400_0B01..=0x0400_0B03 => {
                let day = settings.settlement.get(nth - 1)?;
                out.put(&day.map_or([0x99; 2], |day| [day.hour(), day.day()].map(serial)))
            }
            0x0400_1201 => out.put(&self.minute(self.moment_of(settings.hourly.0))),
            0x0400_1202 => out.put(&[serial(settings.hourly.1)]),
            0x0400_1203 => {
                let minute = settings.daily_min;
                out.put(&[minute % 60, minute / 60].map(|two| serial(two as u8)))
            }
            0x0400_1204 => {
                let any = 99;
                let of_day = |minute: u16| [(minute % 60) as u8, (minute / 60) as u8];
                let [minute, hour, day, month] = match settings.timed {
                    None => [any; 4],
                    Some(Pattern::Hourly { minute }) => [minute, any, any, any],
                    Some(Pattern::Daily { minute }) => {
                        let [minute, hour] = of_day(minute);
                        [minute, hour, any, any]
                    }
                    Some(Pattern::Monthly { day, minute }) => {
                        let [minute, hour] = of_day(minute);
                        [minute, hour, day, any]
                    }
                    Some(Pattern::Yearly { month, day, minute }) => {
                        let [minute, hour] = of_day(minute);
                        [minute, hour, day, month]
                    }
                };
                out.put(&[minute, hour, day, month].map(serial))
            }
            _ => return None,
        })
    }

    /// Groups 0401 to 0406: zones, day tables, holidays, prices, tiers.
    pub(super) fn table(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let settings = self.account().settings();
        let [first, second] = &settings.tables;
        let absent = Err645::NO_DATA;
        match (id.di2(), id.di1(), id.di0()) {
            (set @ 1..=2, 0, 0) => {
                let tables = if set == 1 { first } else { second };
                for zone in &tables.zones {
                    let (month, day) = ((zone.start / 100) as u8, (zone.start % 100) as u8);
                    out.put(&[zone.table, day, month].map(serial))?;
                }
                Ok(())
            }
            (set @ 1..=2, 0, table @ 1..=8) => {
                let tables = if set == 1 { first } else { second };
                for slot in tables.slots.iter().filter(|slot| slot.table == table) {
                    let (hour, minute) = ((slot.start / 60) as u8, (slot.start % 60) as u8);
                    out.put(&[slot.rate, minute, hour].map(serial))?;
                }
                if out.len == 0 { Err(absent) } else { Ok(()) }
            }
            (3, 0, nth @ 1..) => {
                let holiday = first.holidays.get(usize::from(nth) - 1).ok_or(absent)?;
                let date = holiday.date;
                let year = (date.year() % 100) as u8;
                out.put(&[holiday.table, date.day(), date.month(), year].map(serial))
            }
            (5, which @ 1..=2, rate) => {
                let prices = &self.set(Table::Prices, which == 2).prices;
                match rate {
                    0xFF => prices.iter().try_for_each(|of_rate| price(of_rate, out)),
                    0 => Err(absent),
                    rate => {
                        let found = prices.get(usize::from(rate) - 1).ok_or(absent)?;
                        price(found, out)
                    }
                }
            }
            // Limits and prices of set 1 and 2, one by one; the older identifiers.
            (6, which @ 0..=3, nth) => {
                let tables = if which < 2 { first } else { second };
                let most = if which % 2 == 0 { LIMITS } else { PRICES };
                let numbers = match usize::from(nth) {
                    0xFF => 0..most,
                    nth if (1..=most).contains(&nth) => nth - 1..nth,
                    _ => return Err(absent),
                };
                for number in numbers {
                    tier_item(tables, which % 2 == 1, number, out)?;
                }
                Ok(())
            }
            (6, which @ 0x0A..=0x0B, 0xFF) => {
                let tables = self.set(Table::Tiers, which == 0x0B);
                for number in 0..LIMITS {
                    tier_item(tables, false, number, out)?;
                }
                for number in 0..PRICES {
                    tier_item(tables, true, number, out)?;
                }
                out.put(&reset_days(first.reset))
            }
            _ => Err(absent),
        }
    }
}

/// Yearly days of the tiers: the reset, and free places.
pub(super) fn reset_days(reset: Reset) -> [u8; 3 * DAYS] {
    let mut days = [0x99; 3 * DAYS];
    if let Reset::Yearly { month, day, hour } = reset {
        let [first, second, third, ..] = &mut days;
        [*first, *second, *third] = [hour, day, month].map(serial);
    }
    days
}

/// A price of a rate.
pub(super) fn price(price: &Price, out: &mut Out<'_>) -> Result<(), Err645> {
    out.number(PRICE, price.ten_thousandths().min(99_999_999) as i32)
}

/// A limit in 0.01 kWh, or a price; behind the last limit stand zeros, behind the last price it repeats.
pub(super) fn tier_item(
    tables: &Small,
    is_price: bool,
    number: usize,
    out: &mut Out<'_>,
) -> Result<(), Err645> {
    let tier = tables.tiers.get(number).or(tables.tiers.last());
    if is_price {
        let price = tier.map_or(0, |tier| tier.price.ten_thousandths());
        return out.number(PRICE, price.min(99_999_999) as i32);
    }
    let limit = tier.map_or(u64::MAX, |tier| tier.up_to_wh);
    let shown = if limit == u64::MAX { 0 } else { limit / 10 };
    out.number(ENERGY, shown.min(99_999_999) as i32)
}
