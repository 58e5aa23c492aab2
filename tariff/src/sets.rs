//! Two sets of each table and their programmed switch (04000106 to 04000109).
//!
//! Zones, day tables, rate prices and tiers switch each alone. At the switch the spare set becomes
//! the running one and the other way round; the running total of the tiers stays. A switch time that
//! has passed when it is set is none; one that passes while power is off is carried out afterwards,
//! with the energy so far on the old set.

use crate::bill::{Interval, LONGEST_S, Refused, cut};
use crate::calendar::{Slot, Zone};
use crate::civil::Moment;
use crate::plan::{Broken, Line, Tariff};
use crate::price::Price;
use crate::tier::{Tier, TierTotal};

/// A table that has two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Year zones.
    Zones = 0,
    /// Day tables.
    DayTables = 1,
    /// Rate prices.
    Prices = 2,
    /// Tiers.
    Tiers = 3,
}

impl Table {
    /// All of them, in the order of their switch times 04000106 to 04000109.
    pub const ALL: [Table; 4] = [Table::Zones, Table::DayTables, Table::Prices, Table::Tiers];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Which set of each table runs and which switches wait: the part of a state that belongs to
/// [`Sets`]. Stored in [`Running::ENCODED_LEN`] bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    second: u8,
    waiting: [Option<i64>; 4],
}

impl Running {
    /// Bytes of the stored form: sets, waiting switches, four instants in UTC seconds, little-endian.
    pub const ENCODED_LEN: usize = 34;

    /// The first set of each table, nothing waiting.
    #[must_use]
    pub const fn first() -> Self {
        Running {
            second: 0,
            waiting: [None; 4],
        }
    }

    /// True when the second set of a table runs (status word 3: bit 0 day tables, 5 zones, 10
    /// prices, 11 tiers).
    #[must_use]
    pub const fn second(&self, table: Table) -> bool {
        self.second & table.bit() != 0
    }

    /// The four bits of status word 3 (04000503).
    #[must_use]
    pub const fn status_bits(&self) -> u16 {
        (self.second(Table::DayTables) as u16)
            | (self.second(Table::Zones) as u16) << 5
            | (self.second(Table::Prices) as u16) << 10
            | (self.second(Table::Tiers) as u16) << 11
    }

    /// Programs a switch; a time that is not after `now` takes a waiting one back.
    pub fn arm(&mut self, table: Table, at: Moment, now: Moment) {
        if let Some(waiting) = self.waiting.get_mut(table as usize) {
            *waiting = (at.utc_s > now.utc_s).then_some(at.utc_s);
        }
    }

    /// The instant of a waiting switch, UTC seconds.
    #[must_use]
    pub fn waiting(&self, table: Table) -> Option<i64> {
        self.waiting.get(table as usize).copied().flatten()
    }

    /// The next switch of any table, UTC seconds.
    #[must_use]
    pub fn next_switch(&self) -> Option<i64> {
        self.waiting.iter().copied().flatten().min()
    }

    /// Carries out what is due and hands out the tables that switched, each of which is a freeze.
    pub fn switch(&mut self, now: Moment) -> impl Iterator<Item = Table> + use<> {
        let mut done = 0;
        for table in Table::ALL {
            if self.waiting(table).is_some_and(|at| at <= now.utc_s) {
                done |= table.bit();
                self.arm(table, now, now);
            }
        }
        self.second ^= done;
        Table::ALL
            .into_iter()
            .filter(move |table| done & table.bit() != 0)
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::ENCODED_LEN] {
        let mut bytes = [0; Self::ENCODED_LEN];
        let waiting = Table::ALL
            .into_iter()
            .filter(|&t| self.waiting(t).is_some());
        let waiting = waiting.fold(0, |bits, table| bits | table.bit());
        let [sets, waits, instants @ ..] = &mut bytes;
        (*sets, *waits) = (self.second, waiting);
        for (place, at) in instants.chunks_exact_mut(8).zip(self.waiting) {
            place.copy_from_slice(&at.unwrap_or(0).to_le_bytes());
        }
        bytes
    }

    /// Takes the stored form back; `None` when a bit means nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::ENCODED_LEN]) -> Option<Self> {
        let [second, waits, instants @ ..] = bytes;
        if second | waits > 0x0F {
            return None;
        }
        let mut running = Running {
            second: *second,
            waiting: [None; 4],
        };
        let places = running.waiting.iter_mut().zip(instants.chunks_exact(8));
        for (bit, (place, instant)) in places.enumerate() {
            let instant = i64::from_le_bytes(instant.try_into().ok()?);
            *place = (waits & (1 << bit) != 0).then_some(instant);
        }
        Some(running)
    }
}

/// Two sets of the four tables around one calendar of holidays and rest days, checked in every
/// combination that can run.
#[derive(Clone, Copy, Debug)]
pub struct Sets<'a> {
    base: Tariff<'a>,
    zones: [&'a [Zone]; 2],
    slots: [&'a [Slot]; 2],
    prices: [&'a [Price]; 2],
    tiers: [&'a [Tier]; 2],
}

impl<'a> Sets<'a> {
    /// The first sets are those of `first`, which also gives holidays, rest days and the reset of
    /// the tiers; the second ones may be the same tables.
    ///
    /// # Errors
    /// The first rule that a combination breaks.
    pub fn try_new(
        first: Tariff<'a>,
        zones: &'a [Zone],
        slots: &'a [Slot],
        prices: &'a [Price],
        tiers: &'a [Tier],
    ) -> Result<Self, Broken> {
        let calendar = first.calendar();
        let sets = Sets {
            base: first,
            zones: [calendar.zones(), zones],
            slots: [calendar.slots(), slots],
            prices: [first.prices(), prices],
            tiers: [first.tiers(), tiers],
        };
        for zones in sets.zones {
            for slots in sets.slots {
                let calendar = calendar.checked_with(zones, slots)?;
                for prices in sets.prices {
                    for tiers in sets.tiers {
                        Tariff::try_new(calendar, prices)?.with_tiers(tiers, first.reset())?;
                    }
                }
            }
        }
        Ok(sets)
    }

    /// The tariff that runs.
    #[must_use]
    pub fn tariff(&self, running: &Running) -> Tariff<'a> {
        let [zones, slots] = [Table::Zones, Table::DayTables].map(|t| running.second(t));
        let [prices, tiers] = [Table::Prices, Table::Tiers].map(|t| running.second(t));
        self.base.with_sets(
            pick(self.zones, zones),
            pick(self.slots, slots),
            pick(self.prices, prices),
            pick(self.tiers, tiers),
        )
    }

    /// Prices an interval over whatever switches lie in it, as [`crate::bill::Biller::price`] does
    /// with one set: each line with the instant its part begins at and the sets that ran.
    ///
    /// # Errors
    /// [`Refused::Length`]; nothing is booked then.
    pub fn price(
        &self,
        running: &mut Running,
        total: &mut TierTotal,
        interval: Interval,
        mut line: impl FnMut(Moment, Running, Line),
    ) -> Result<(), Refused> {
        let Interval { start, seconds, wh } = interval;
        if !(1..=LONGEST_S).contains(&seconds) {
            return Err(Refused::Length);
        }
        let at = |utc_s| Moment { utc_s, ..start };
        let state = core::cell::Cell::new(*running);
        let now = |utc_s| {
            let mut running = state.get();
            running.switch(at(utc_s)).for_each(drop);
            state.set(running);
            running
        };
        cut(
            start.utc_s,
            seconds as u32,
            wh,
            |utc_s| {
                let running = now(utc_s);
                let change = self.tariff(&running).next_change(at(utc_s)).utc_s;
                running
                    .next_switch()
                    .map_or(change, |next| next.min(change))
            },
            |utc_s, wh| {
                let running = now(utc_s);
                let tariff = self.tariff(&running);
                tariff.book(total, at(utc_s), wh, |part| line(at(utc_s), running, part));
            },
        );
        *running = state.get();
        Ok(())
    }
}

fn pick<T>([first, second]: [T; 2], take_second: bool) -> T {
    if take_second { second } else { first }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::{Running, Table};
    use crate::civil::Moment;

    const fn at(utc_s: i64) -> Moment {
        Moment {
            utc_s,
            offset_s: 28_800,
        }
    }

    #[test]
    fn each_table_switches_once_and_alone() {
        let mut running = Running::first();
        running.arm(Table::Prices, at(100), at(0));
        running.arm(Table::Zones, at(50), at(0));
        running.arm(Table::Tiers, at(50), at(50)); // not after now: none
        assert_eq!(running.next_switch(), Some(50));
        assert_eq!(running.switch(at(49)).count(), 0);
        assert!(running.switch(at(50)).eq([Table::Zones]));
        let bytes = running.to_bytes();
        assert_eq!(Running::from_bytes(&bytes), Some(running));
        // Off until long after the second: done at power-up, once.
        assert!(running.switch(at(5000)).eq([Table::Prices]));
        assert_eq!(running.switch(at(6000)).count(), 0);
        assert_eq!(running.status_bits(), 1 << 5 | 1 << 10);
        // Armed again: the roles go back.
        running.arm(Table::Prices, at(9000), at(8000));
        assert_eq!(
            running.switch(at(9000)).collect::<Vec<_>>(),
            [Table::Prices]
        );
        assert!(!running.second(Table::Prices));
        let mut wrong = bytes;
        wrong[0] = 0x10;
        assert_eq!(Running::from_bytes(&wrong), None);
    }
}
