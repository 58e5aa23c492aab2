//! Records of programming over the line: 033000nn, 033005nn to 033010nn, and clock settings (033004nn) and demand
//! resets (033002nn) from the rows of the tariff. The newest is 01; 00 asks how many.

use dlt645::{DataId, Err645};
use meter_proto::outbox::OutboxStore;
use tariff::civil::Moment;
use tariff::freeze::Kind;
use tariff::meter::Detail;
use tariff::profile::Small;

use super::kept::COUNT;
use super::tables::{price, tier_item};
use super::{Out, serial};
use crate::management::ManagementCore;
use crate::programmed::{Group, IDS};
use crate::settings::Settings;
use crate::store::Store;

/// Places for slots of a day table, day tables and zones of a set, holidays, in the records of the standard.
const SLOTS: usize = 14;
const TABLES: u8 = 8;
const ZONES: usize = 14;
const HOLIDAYS: usize = 254;
/// Tables of tiers in the record.
const LADDERS: usize = 8;
/// Demands of a reset that are not formed: all of three phases; bytes of each.
const NO_DEMANDS: usize = 18;
const DEMAND: usize = 8;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Group 0330.
    pub(super) fn programming_record(
        &mut self,
        id: DataId,
        out: &mut Out<'_>,
    ) -> Result<(), Err645> {
        match (id.di1(), id.di0()) {
            (2, 0) => out.number(COUNT, self.kept(Kind::DemandReset)),
            (4, 0) => out.number(COUNT, self.kept(Kind::ClockSet)),
            (2, nth) => {
                let held = self.row(Kind::DemandReset, nth)?;
                self.second(held.row.snapshot.at, out)?;
                out.put(&held.operator)?;
                for channel in 0..2 {
                    self.demands_in(&held.row.snapshot, channel, 0..=0, out)?;
                }
                let quadrants = self.reactive_ended(Kind::DemandReset, held.row.number);
                for (di2, quantity) in (5..).zip(2..6) {
                    match &quadrants {
                        Ok(held) => self.demand_of(di2, held, quantity, 0..=0, out)?,
                        // Periods that were cleared are not kept.
                        Err(_) => out.put(&[0xFF; DEMAND])?,
                    }
                }
                (0..NO_DEMANDS).try_for_each(|_| out.put(&[0xFF; DEMAND]))
            }
            (4, nth) => {
                let held = self.row(Kind::ClockSet, nth)?;
                let Detail::ClockSet { before_s } = held.row.detail else {
                    return Err(Err645::OTHER);
                };
                out.put(&held.operator)?;
                self.second(self.moment_of(before_s), out)?;
                self.second(held.row.snapshot.at, out)
            }
            (group, nth) => {
                let group = Group::from_di1(group).ok_or(Err645::NO_DATA)?;
                if nth == 0 {
                    let count = self.programmed_count(group)?;
                    return out.number(COUNT, count.min(999_999) as i32);
                }
                let found = self.programmed(group, nth)?;
                self.second(self.moment_of(found.at_s), out)?;
                out.put(&found.operator.line())?;
                let Some(before) = &found.before else {
                    let ids = found.ids.iter().map(|id| id.0.to_le_bytes());
                    let absent = core::iter::repeat([0xFF; 4]);
                    return ids.chain(absent).take(IDS).try_for_each(|id| out.put(&id));
                };
                content(group, before, out)
            }
        }
    }

    fn kept(&self, kind: Kind) -> i32 {
        self.account().meter().kept(kind).min(999_999) as i32
    }

    /// Second to year of an instant.
    pub(super) fn second(&self, at: Moment, out: &mut Out<'_>) -> Result<(), Err645> {
        out.put(&[serial((at.second_of_day() % 60) as u8)])?;
        out.put(&self.minute(at))
    }
}

/// What stood in a group of parameters.
fn content(group: Group, before: &Settings, out: &mut Out<'_>) -> Result<(), Err645> {
    let [first, _] = &before.tables;
    let each =
        |put: &mut dyn FnMut(&Small) -> Result<(), Err645>| before.tables.iter().try_for_each(put);
    match group {
        Group::Any => Err(Err645::OTHER),
        Group::DayTables => each(&mut |set| {
            (1..=TABLES).try_for_each(|table| {
                let slots = set.slots.iter().filter(|slot| slot.table == table);
                let rows = slots.map(|slot| {
                    let (hour, minute) = ((slot.start / 60) as u8, (slot.start % 60) as u8);
                    [slot.rate, minute, hour].map(serial)
                });
                filled(rows, SLOTS, out)
            })
        }),
        Group::Zones => each(&mut |set| {
            let rows = set.zones.iter().map(|zone| {
                let (month, day) = ((zone.start / 100) as u8, (zone.start % 100) as u8);
                [zone.table, day, month].map(serial)
            });
            filled(rows, ZONES, out)
        }),
        Group::RestDays => out.put(&[serial(first.rest_table)]),
        Group::Holidays => {
            let rows = first.holidays.iter().map(|holiday| {
                let (date, year) = (holiday.date, (holiday.date.year() % 100) as u8);
                [holiday.table, date.day(), date.month(), year].map(serial)
            });
            let rows = rows.chain(core::iter::repeat([0; 4])).take(HOLIDAYS);
            rows.into_iter().try_for_each(|row| out.put(&row))
        }
        Group::ActiveWord => out.put(&[before.words.shown.0]),
        Group::ReactiveWord1 | Group::ReactiveWord2 => {
            let [one, two] = before.words.reactive;
            let is_first = group == Group::ReactiveWord1;
            out.put(&[if is_first { one.0 } else { two.0 }])
        }
        Group::SettlementDays => before.settlement.iter().try_for_each(|day| {
            out.put(&day.map_or([0x99; 2], |day| [day.hour(), day.day()].map(serial)))
        }),
        Group::Prices => each(&mut |set| {
            set.prices
                .iter()
                .try_for_each(|of_rate| price(of_rate, out))
        }),
        Group::Tiers => {
            each(&mut |set| {
                (0..6).try_for_each(|number| tier_item(set, false, number, out))?;
                (0..7).try_for_each(|number| tier_item(set, true, number, out))?;
                // The days are those of the first set.
                out.put(&super::tables::reset_days(first.reset))
            })?;
            (2..LADDERS).try_for_each(|_| out.put(&[0xFF; 70]))
        }
    }
}

/// Rows of a table; the last one repeats in places that are free.
fn filled(
    rows: impl Iterator<Item = [u8; 3]>,
    places: usize,
    out: &mut Out<'_>,
) -> Result<(), Err645> {
    let (mut last, mut count) = ([0; 3], 0);
    for row in rows {
        (last, count) = (row, count + 1);
        out.put(&row)?;
    }
    (count..places).try_for_each(|_| out.put(&last))
}
