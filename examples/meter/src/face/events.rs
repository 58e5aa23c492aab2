//! Events over DL/T 645: totals and last record of class 03, items of the classes 10 to 1F.
//!
//! The book keeps the last time of each condition with the total energies. Fields that it does not have (values of each
//! phase, ampere-hours, the largest unbalance) are sent as FF, which the standard calls absent; older records answer ERR
//! bit 1.

use dlt645::{DataId, Err645};
use meter_proto::outbox::OutboxStore;
use metrology::event::Condition;

use super::{Out, serial};
use crate::clock;
use crate::events::{Energies, Entry};
use crate::management::ManagementCore;
use crate::store::Store;

/// A condition in the two groups of identifiers.
struct Row {
    condition: Condition,
    /// DI2 of class 03; 0 when it has none.
    record: u8,
    /// Class of its items; 0 when it has none.
    class: u8,
    /// Item of the end time; the energies at the end follow.
    end: u8,
    /// Absent bytes of the record between its times and its energies, and behind them.
    between: usize,
    behind: usize,
}

#[rustfmt::skip]
const ROWS: [Row; 16] = [
    row(Condition::VoltageLost,        0x01, 0x10, 0x25, 0, 103),
    row(Condition::UnderVoltage,       0x02, 0x11, 0x25, 0, 103),
    row(Condition::OverVoltage,        0x03, 0x12, 0x25, 0, 103),
    row(Condition::PhaseBroken,        0x04, 0x13, 0x25, 0, 103),
    row(Condition::AllVoltagesLost,    0x05, 0x00, 0x00, 0, 0),
    row(Condition::VoltageOrder,       0x07, 0x14, 0x12, 0, 48),
    row(Condition::CurrentOrder,       0x08, 0x15, 0x12, 0, 48),
    row(Condition::VoltageUnbalance,   0x09, 0x16, 0x13, 2, 48),
    row(Condition::CurrentUnbalance,   0x0A, 0x17, 0x13, 2, 48),
    row(Condition::CurrentLost,        0x0B, 0x18, 0x21, 0, 87),
    row(Condition::OverCurrent,        0x0C, 0x19, 0x21, 0, 87),
    row(Condition::CurrentInterrupted, 0x0D, 0x1A, 0x21, 0, 87),
    row(Condition::Reverse,            0x0E, 0x1B, 0x12, 0, 48),
    row(Condition::Overload,           0x0F, 0x1C, 0x12, 0, 48),
    row(Condition::PowerDown,          0x11, 0x00, 0x00, 0, 0),
    row(Condition::PowerFactorLow,     0x00, 0x1F, 0x06, 0, 0),
];

const fn row(
    condition: Condition,
    record: u8,
    class: u8,
    end: u8,
    between: usize,
    behind: usize,
) -> Row {
    Row {
        condition,
        record,
        class,
        end,
        between,
        behind,
    }
}

/// Any identifier of three decimal bytes, and of an energy: how their numbers are written.
const COUNT: u32 = 0x1001_0001;
const ENERGY: u32 = 0x0001_0000;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Totals and the last record, class 03.
    pub(super) fn event_record(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let row = ROWS
            .iter()
            .find(|row| row.record == id.di2() && row.record != 0);
        let row = row.ok_or(Err645::NO_DATA)?;
        let phases = if row.condition.is_per_phase() { 3 } else { 1 };
        match (id.di1(), id.di0()) {
            (0, 0) => {
                for phase in 0..phases {
                    let entry = self.entry(row.condition, phase)?;
                    out.number(COUNT, whole(entry.count))?;
                    // Of power downs only the number is kept.
                    if row.condition != Condition::PowerDown {
                        out.number(COUNT, whole(entry.minutes(self.event_clock_s())))?;
                    }
                }
                Ok(())
            }
            (number, 1) => {
                let phase = if phases == 1 {
                    Some(0)
                } else {
                    usize::from(number).checked_sub(1)
                };
                let phase = phase.filter(|phase| phases == 3 || (number == 0 && *phase == 0));
                let entry = self.entry(row.condition, phase.ok_or(Err645::NO_DATA)?)?;
                self.time(entry.begin_s, out)?;
                if row.condition == Condition::AllVoltagesLost {
                    absent(3, out)?;
                }
                self.time(entry.end_s, out)?;
                if row.behind == 0 {
                    return Ok(());
                }
                absent(row.between, out)?;
                let during = if entry.holds() {
                    self.energies()
                } else {
                    entry.end
                };
                for (end, begin) in during.into_iter().zip(entry.begin) {
                    // The registers have eight digits and roll over.
                    let step = (u64::from(end) + 100_000_000 - u64::from(begin)) % 100_000_000;
                    out.number(ENERGY, step as i32)?;
                }
                absent(row.behind, out)
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    /// One item of the last record, classes 10 to 1F.
    pub(super) fn event_item(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        if id.di3() == 0x10 && id.di2() == 0 {
            return self.any_voltage_lost(id, out);
        }
        let row = ROWS.iter().find(|row| row.class == id.di3());
        let row = row.ok_or(Err645::NO_DATA)?;
        let phase = match (row.condition.is_per_phase(), id.di2()) {
            (true, 1..=3) => usize::from(id.di2()) - 1,
            (false, 0) => 0,
            _ => return Err(Err645::NO_DATA),
        };
        let entry = self.entry(row.condition, phase)?;
        match (id.di1(), id.di0()) {
            (0, 1) => out.number(COUNT, whole(entry.count)),
            (0, 2) => out.number(COUNT, whole(entry.minutes(self.event_clock_s()))),
            (1, 1) => self.time(entry.begin_s, out),
            (item @ 2..=5, 1) => energy(&entry.begin, item - 2, out),
            // The whole record.
            (0xFF, 1) => {
                self.time(entry.begin_s, out)?;
                energies(&entry.begin, out)?;
                absent(row.behind, out)?;
                // The largest unbalance has three bytes here, two in class 03.
                absent(if row.between > 0 { 3 } else { 0 }, out)?;
                self.time(entry.end_s, out)?;
                energies(&entry.end, out)?;
                absent(if row.behind > 0 { 48 } else { 0 }, out)
            }
            (item, 1) if item == row.end => self.time(entry.end_s, out),
            (item, 1) if item > row.end => energy(&entry.end, item - row.end - 1, out),
            _ => Err(Err645::NO_DATA),
        }
    }

    /// Voltage lost in any phase: 10000001 and its neighbours.
    fn any_voltage_lost(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let entries = (0..3).filter_map(|phase| self.entry(Condition::VoltageLost, phase).ok());
        let now_s = self.event_clock_s();
        match (id.di1(), id.di0()) {
            (0, 1) => out.number(
                COUNT,
                whole(
                    entries
                        .map(|entry| entry.count)
                        .fold(0, u32::saturating_add),
                ),
            ),
            (0, 2) => out.number(
                COUNT,
                whole(
                    entries
                        .map(|entry| entry.minutes(now_s))
                        .fold(0, u32::saturating_add),
                ),
            ),
            (1, 1) => self.time(entries.map(|entry| entry.begin_s).max().unwrap_or(0), out),
            (2, 1) => self.time(entries.map(|entry| entry.end_s).max().unwrap_or(0), out),
            _ => Err(Err645::NO_DATA),
        }
    }

    fn entry(&self, condition: Condition, phase: usize) -> Result<&Entry, Err645> {
        let present = phase < usize::from(self.totals().phases.max(1));
        let entry = self
            .events()
            .entry(condition, phase)
            .ok_or(Err645::NO_DATA)?;
        // A phase that the meter does not have never had an event.
        const NEVER: &Entry = &Entry {
            count: 0,
            total_s: 0,
            begin_s: 0,
            end_s: 0,
            begin: [0; 4],
            end: [0; 4],
        };
        Ok(if present { entry } else { NEVER })
    }

    /// A moment as second to year, all zero when it did not come.
    fn time(&self, utc_s: u32, out: &mut Out<'_>) -> Result<(), Err645> {
        if utc_s == 0 {
            return out.put(&[0; 6]);
        }
        let ms = clock::local_ms(u64::from(utc_s) * 1000, self.utc_offset_min());
        let at = clock::calendar(ms);
        let year = (at.year % 100) as u8;
        out.put(&[at.second, at.minute, at.hour, at.day, at.month, year].map(serial))
    }
}

/// Six digits.
fn whole(count: u32) -> i32 {
    count.min(999_999) as i32
}

fn energy(energies: &Energies, number: u8, out: &mut Out<'_>) -> Result<(), Err645> {
    let value = energies.get(usize::from(number)).ok_or(Err645::NO_DATA)?;
    out.number(ENERGY, (value % 100_000_000) as i32)
}

fn energies(energies: &Energies, out: &mut Out<'_>) -> Result<(), Err645> {
    energies
        .iter()
        .try_for_each(|value| out.number(ENERGY, (value % 100_000_000) as i32))
}

fn absent(bytes: usize, out: &mut Out<'_>) -> Result<(), Err645> {
    for _ in 0..bytes {
        out.put(&[0xFF])?;
    }
    Ok(())
}
