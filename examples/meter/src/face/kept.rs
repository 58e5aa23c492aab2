//! What the meter kept: purchases and refunds (class 03), freezes (05), load records (06), trips and closings (1D, 1E).

use dlt645::{DataId, Err645, FreezeWriter, Stamp, encode_load_block};
use meter_proto::outbox::OutboxStore;
use tariff::freeze::Kind;
use tariff::purse::Purchase;
use tariff::{Money, Rounding};

use super::registers::energy;
use super::{Column, Out, amperes, hertz, serial, tenths, thousandths, volts};
use crate::book::{Held, MeterRow, VALUES};
use crate::clock;
use crate::management::ManagementCore;
use crate::store::Store;

/// Parts of a freeze in their order (DI1).
const PARTS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0A, 0x10];
/// Longest part: demands of the total and four rates.
const LONGEST_PART: usize = 8 * 5;
/// Any money, any count of three bytes.
const MONEY: u32 = 0x0090_0200;
pub(super) const COUNT: u32 = 0x0330_0000;
/// Longest load block.
const BLOCK: usize = 103;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Purchases 033301nn to 033306nn, the last refund 03340001.
    pub(super) fn purse_record(&self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let purse = self.account().machine().purse();
        match (id.di2(), id.di1(), id.di0()) {
            (0x33, item, nth @ 1..) => {
                let newest = purse.purchases().iter().rev();
                let purchase = newest.copied().nth(usize::from(nth) - 1);
                let purchase = purchase.ok_or(Err645::NO_DATA)?;
                match item {
                    1..=6 => self.purchase_item(&purchase, item, out),
                    0xFF => (1..=6).try_for_each(|item| self.purchase_item(&purchase, item, out)),
                    _ => Err(Err645::NO_DATA),
                }
            }
            (0x34, 0, 1) => {
                let refund = purse.last_refund().ok_or(Err645::NO_DATA)?;
                out.put(&self.minute(self.moment_of(refund.at_s)))?;
                out.put(&four_digits(refund.count))?;
                let amounts = [refund.amount, refund.before, refund.after];
                amounts
                    .into_iter()
                    .try_for_each(|amount| money(amount, out))
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    fn purchase_item(
        &self,
        purchase: &Purchase,
        item: u8,
        out: &mut Out<'_>,
    ) -> Result<(), Err645> {
        match item {
            1 => out.put(&self.minute(self.moment_of(purchase.at_s))),
            2 => out.put(&four_digits(purchase.count)),
            3 => money(purchase.amount, out),
            4 => money(purchase.before, out),
            5 => money(purchase.after, out),
            _ => money(purchase.cumulative, out),
        }
    }

    /// Trips (1D) and closings (1E): how many, and the record of one. The operator is who asked for it, 0 where the
    /// meter did it by itself.
    pub(super) fn relay_record(&mut self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let kind = if id.di3() == 0x1D {
            Kind::Trip
        } else {
            Kind::Close
        };
        match (id.di2(), id.di1(), id.di0()) {
            (0, 0, 1) => {
                let count = self.account().meter().kept(kind).min(999_999);
                out.number(COUNT, count as i32)
            }
            (0, 0xFF, nth @ 1..) => {
                let held = self.row(kind, nth)?;
                let words = &self.account().settings().words;
                self.second(held.row.snapshot.at, out)?;
                out.put(&held.operator)?;
                [1, 2, 5, 6, 7, 8]
                    .into_iter()
                    .try_for_each(|di2| out.energy(energy(words, &held.row.snapshot, di2, 0)?))
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    /// A freeze, whole (FF) or one of its parts.
    pub(super) fn frozen(&mut self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let kind = Kind::of_freeze(id.di2()).ok_or(Err645::NO_DATA)?;
        let Held { row, values, .. } = self.row(kind, id.di0())?;
        let [timed, instant, agreed, hourly, daily] = self.account().settings().freeze_modes;
        let mode = match kind {
            Kind::Timed => timed,
            Kind::Instant => instant,
            Kind::Hourly => hourly,
            Kind::Daily => daily,
            _ => agreed,
        };
        if id.di1() != 0xFF {
            return self.part(kind, id.di1(), mode, (&row, &values), out);
        }
        let room = out.bytes.get_mut(out.len..).ok_or(Err645::OTHER)?;
        let mut writer = FreezeWriter::new(room);
        let parts: &[u8] = match kind {
            Kind::Hourly => &PARTS[..3],
            Kind::DailyPurse => return Err(Err645::NO_DATA),
            _ => &PARTS,
        };
        for di1 in parts {
            let mut bytes = [0; LONGEST_PART];
            let mut part = Out {
                bytes: &mut bytes,
                len: 0,
            };
            // An excluded part is its separator only.
            let length = match self.part(kind, *di1, mode, (&row, &values), &mut part) {
                Ok(()) => part.len,
                Err(_) => 0,
            };
            writer.part(bytes.get(..length).unwrap_or_default());
        }
        out.len += writer.finish().map_err(|_| Err645::OTHER)?;
        Ok(())
    }

    fn part(
        &self,
        kind: Kind,
        di1: u8,
        mode: u8,
        (row, values): (&MeterRow, &[u8; VALUES]),
        out: &mut Out<'_>,
    ) -> Result<(), Err645> {
        let snapshot = &row.snapshot;
        let wanted = |bit: u32| {
            if mode & 1 << bit == 0 {
                Err(Err645::NO_DATA)
            } else {
                Ok(())
            }
        };
        let rates = self.account().rates();
        let words = &self.account().settings().words;
        match (kind, di1) {
            (_, 0) => out.put(&self.minute(snapshot.at)),
            (Kind::DailyPurse, 2) => {
                out.put(&four_digits(snapshot.purchases))?;
                money(snapshot.balance, out)?;
                money(-snapshot.balance, out)
            }
            (Kind::DailyPurse, _) => Err(Err645::NO_DATA),
            (Kind::Hourly, 1 | 2) => {
                wanted(u32::from(di1) - 1)?;
                out.energy(energy(words, snapshot, di1, 0)?)
            }
            (Kind::Hourly, _) => Err(Err645::NO_DATA),
            (_, 1..=8) => {
                wanted(u32::from(di1).min(5) - 1)?;
                (0..=rates).try_for_each(|rate| out.energy(energy(words, snapshot, di1, rate)?))
            }
            (_, 9 | 0x0A) => {
                wanted(u32::from(di1) - 4)?;
                self.demands_in(snapshot, usize::from(di1) - 9, 0..=rates, out)
            }
            (_, 0x10) => {
                wanted(7)?;
                out.put(values.get(17..41).unwrap_or_default())
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    /// Blocks of the load record: the oldest, from a time on, or the newest.
    pub(super) fn load(
        &mut self,
        id: DataId,
        rest: &[u8],
        out: &mut Out<'_>,
    ) -> Result<(), Err645> {
        let class = id.di2();
        if id.di1() != 0 || class > 6 {
            return Err(Err645::NO_DATA);
        }
        let (&blocks, from) = rest.split_first().ok_or(Err645::OTHER)?;
        let newest = self.account().meter().kept(Kind::Load);
        let capacity = u32::from(self.account().capacities().load);
        let oldest = newest.saturating_sub(capacity) + 1;
        let (mut number, from_s, blocks) = match (id.di0(), from) {
            (0, _) => (oldest, i64::MIN, blocks),
            (1, &[minute, hour, day, month, year]) => {
                let stamp = Stamp::from_line([0, minute, hour, day, month, year]);
                let from = stamp.and_then(|at| clock::from_stamp(at, self.utc_offset_min()));
                let from_ms = from.ok_or(Err645::OTHER)?;
                (oldest, (from_ms / 1000) as i64, blocks)
            }
            (2, _) => (newest, i64::MIN, 1),
            _ => return Err(Err645::NO_DATA),
        };
        let mut left = blocks;
        while left > 0 && number <= newest && out.bytes.len() - out.len >= BLOCK {
            let found = self.numbered_row(Kind::Load, number)?;
            number += 1;
            let Some(Held { row, values, .. }) = found else {
                continue;
            };
            if row.snapshot.at.utc_s < from_s {
                continue;
            }
            left -= u8::from(self.block(class, &row, &values, out)?);
        }
        // An answer without blocks is one that the meter has nothing for.
        if out.len == 0 {
            return Err(Err645::NO_DATA);
        }
        Ok(())
    }

    /// True when the record holds the class asked for (0 is all) and its block was written.
    fn block(
        &self,
        class: u8,
        row: &MeterRow,
        values: &[u8; VALUES],
        out: &mut Out<'_>,
    ) -> Result<bool, Err645> {
        let tariff::meter::Detail::Classes(recorded) = row.detail else {
            return Ok(false);
        };
        let asked = match class {
            0 => 0x3F,
            class => 1 << (class - 1),
        };
        let classes = recorded & asked;
        if classes == 0 {
            return Ok(false);
        }
        let mut bytes = [0; 32];
        let mut registers = Out {
            bytes: &mut bytes,
            len: 0,
        };
        let words = &self.account().settings().words;
        for di2 in 1..=8 {
            registers.energy(energy(words, &row.snapshot, di2, 0)?)?;
        }
        let (energies, quadrants) = bytes.split_at(16);
        let (voltages, rest) = values.split_at(17);
        let (powers, rest) = rest.split_at(24);
        let (factors, demands) = rest.split_at(8);
        let mut parts = [voltages, powers, factors, energies, quadrants, demands];
        for (number, part) in parts.iter_mut().enumerate() {
            if classes & 1 << number == 0 {
                *part = &[];
            }
        }
        let at = row.snapshot.at;
        let ms = u64::try_from(at.utc_s).unwrap_or(0).saturating_mul(1000);
        let at = clock::stamp(ms, self.utc_offset_min());
        let room = out.bytes.get_mut(out.len..).ok_or(Err645::OTHER)?;
        out.len += encode_load_block(at, parts, room).map_err(|_| Err645::OTHER)?;
        Ok(true)
    }
}

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// The values of the instant that stand behind a row; all FF before the first.
    pub(crate) fn line_values(&self) -> [u8; VALUES] {
        let mut bytes = [0xFF; VALUES];
        if self.values().window > 0 {
            // There is room, and what does not fit its digits was cut to them.
            let _ = self.put_values(&mut Out {
                bytes: &mut bytes,
                len: 0,
            });
        }
        bytes
    }

    fn put_values(&self, out: &mut Out<'_>) -> Result<(), Err645> {
        let values = self.values();
        let phases = &values.phase;
        let mut each =
            |id: u32, column: Column| phases.iter().try_for_each(|p| out.number(id, column(p)));
        each(0x0201_0100, volts)?;
        each(0x0202_0100, amperes)?;
        out.number(0x0280_0002, hertz(values.frequency_mhz))?;
        let mut each = |id: u32, total: i32, column: Column| {
            out.number(id, total)?;
            phases.iter().try_for_each(|p| out.number(id, column(p)))
        };
        each(0x0203_0000, tenths(values.active_mw), |p| {
            tenths(p.active_mw)
        })?;
        each(0x0204_0000, tenths(values.reactive_mvar), |p| {
            tenths(p.reactive_mvar)
        })?;
        each(0x0206_0000, thousandths(values.power_factor_ppm), |p| {
            thousandths(p.power_factor_ppm)
        })?;
        // Demand: forward active, combined reactive 1.
        let account = self.account();
        let demands = [
            (0x0203_0000, account.meter().present_demand(0)),
            (0x0204_0000, account.present_reactive(0)),
        ];
        demands.into_iter().try_for_each(|(id, peak)| {
            let demand = peak.map_or(0, |peak| peak.ten_thousandths_kw());
            out.number(id, demand.clamp(-799_999, 799_999) as i32)
        })
    }
}

/// An amount of money, cut to 0.01; what is below zero shows as zero.
fn money(amount: Money, out: &mut Out<'_>) -> Result<(), Err645> {
    let hundredths = amount.hundredths(Rounding::Trunc).clamp(0, 99_999_999);
    out.number(MONEY, hundredths as i32)
}

/// A count of two bytes, which rolls over.
fn four_digits(count: u32) -> [u8; 2] {
    let count = count % 10_000;
    [(count % 100) as u8, (count / 100) as u8].map(serial)
}
