//! What is kept and programmed through the management core: rows of the book, settings, switches, freezes by order.

use dlt645::{DataId, Err645, Operator};
use meter_proto::outbox::OutboxStore;
use tariff::civil::Moment;
use tariff::freeze::Kind;
use tariff::purse::Limits;
use tariff::sets::Table;

use super::ManagementCore;
use crate::account::{ReactiveMaxima, ended};
use crate::book::{self, Held};
use crate::clock;
use crate::programmed::{self, Group, Programmed};
use crate::settings::Settings;
use crate::store::{Store, StoreError};

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Now by the management calendar, as the tariff takes it.
    pub(crate) fn moment(&self) -> Moment {
        clock::tariff_moment(self.utc_ms(), self.config.utc_offset_min)
    }

    /// An instant with the offset of this meter.
    pub(crate) fn moment_of(&self, utc_s: i64) -> Moment {
        Moment {
            utc_s,
            ..self.moment()
        }
    }

    /// The newest row of a kind for 1, the one before for 2.
    ///
    /// # Errors
    /// ERR bit 1 when there is none.
    pub(crate) fn row(&mut self, kind: Kind, nth: u8) -> Result<Held, Err645> {
        let nth = u32::from(nth);
        let is_kept = (1..=u32::from(self.account.capacities().of(kind))).contains(&nth);
        let newest = self.account.meter().kept(kind);
        let number = (newest + 1).checked_sub(nth).filter(|_| is_kept);
        let number = number.ok_or(Err645::NO_DATA)?;
        self.numbered_row(kind, number)?.ok_or(Err645::NO_DATA)
    }

    /// The row of a kind with this number; `None` when it is not kept.
    pub(crate) fn numbered_row(&mut self, kind: Kind, number: u32) -> Result<Option<Held>, Err645> {
        let capacities = *self.account.capacities();
        book::read(&mut self.store, &capacities, kind, number).map_err(|_| Err645::OTHER)
    }

    /// Reactive maxima of the period that a row ended.
    ///
    /// # Errors
    /// ERR bit 1 when none are kept.
    pub(crate) fn reactive_ended(
        &mut self,
        kind: Kind,
        number: u32,
    ) -> Result<ReactiveMaxima, Err645> {
        let capacities = *self.account.capacities();
        let found = ended(&mut self.store, &capacities, kind, number);
        found.map_err(|_| Err645::OTHER)?.ok_or(Err645::NO_DATA)
    }

    /// Keeps who is about to program what; on a failure nothing is programmed.
    pub(crate) fn note_programming(
        &mut self,
        id: DataId,
        operator: Operator,
    ) -> Result<(), StoreError> {
        let kept = self.account.capacities().events;
        let what = (id, operator, self.moment().utc_s);
        let done = programmed::write(&mut self.store, kept, what, self.account.settings());
        self.noted(done)
    }

    /// How often a group was programmed.
    pub(crate) fn programmed_count(&mut self, group: Group) -> Result<u32, Err645> {
        let kept = self.account.capacities().events;
        programmed::newest(&mut self.store, kept, group).map_err(|_| Err645::OTHER)
    }

    /// The newest record of programming a group for 1.
    pub(crate) fn programmed(&mut self, group: Group, nth: u8) -> Result<Programmed, Err645> {
        let kept = self.account.capacities().events;
        let found = programmed::read(&mut self.store, kept, group, nth);
        found.map_err(|_| Err645::OTHER)?.ok_or(Err645::NO_DATA)
    }

    /// Takes settings that were checked.
    pub(crate) fn program_settings(&mut self, settings: Settings) -> Result<(), StoreError> {
        let done = self.account.program(settings, &mut self.store);
        self.noted(done)
    }

    /// Programs the switch of a table at a UTC second.
    pub(crate) fn arm(&mut self, table: Table, at_s: i64) -> Result<(), StoreError> {
        let (at, now) = (self.moment_of(at_s), self.moment());
        let done = self.account.arm(table, at, now, &mut self.store);
        self.noted(done)
    }

    /// Sets the limits of the purse; `Ok(false)` without one.
    pub(crate) fn set_limits(&mut self, limits: Limits) -> Result<bool, StoreError> {
        let now = self.moment();
        let done = self.account.set_limits(limits, now, &mut self.store);
        self.next_wish_ms = self.now_ms;
        self.noted(done)
    }

    /// Freezes now.
    pub(crate) fn freeze_now(&mut self) -> Result<(), StoreError> {
        self.keep_now(None)
    }

    /// Clears maximum demand; what was held is kept.
    pub(crate) fn clear_demand(&mut self, operator: Operator) -> Result<(), StoreError> {
        self.keep_now(Some(operator))
    }

    fn keep_now(&mut self, clear_demand: Option<Operator>) -> Result<(), StoreError> {
        let (now, values) = (self.moment(), self.line_values());
        let done = self
            .account
            .keep_now(now, clear_demand, &values, &mut self.store);
        self.noted(done)
    }

    /// Counts a failure of the store.
    pub(super) fn noted<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.counts.store_failures = self.counts.store_failures.saturating_add(1);
        }
        result
    }
}
