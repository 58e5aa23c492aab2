//! What an input of the tariff machine leaves behind: rows with their values and their operator.

use dlt645::Operator;
use tariff::machine::Why;
use tariff::meter::{Detail, Kept};

use super::reactive::Reactive;
use super::{CHANNELS, DEMANDS, RATES};
use crate::book::{self, Capacities, VALUES};
use crate::store::{Store, StoreError};

/// No values of the instant.
pub(super) const NO_VALUES: [u8; VALUES] = [0xFF; VALUES];

/// Writes rows and remembers the first failure.
pub(super) struct Keeper<'a, S> {
    store: &'a mut S,
    capacities: &'a Capacities,
    values: &'a [u8; VALUES],
    /// Whose period a settlement or a demand reset ends.
    reactive: &'a mut Reactive,
    /// Who asked for what remote control does, and for all else.
    by: [Operator; 2],
    result: Result<bool, StoreError>,
}

impl<'a, S: Store> Keeper<'a, S> {
    pub(super) fn new(
        store: &'a mut S,
        capacities: &'a Capacities,
        values: &'a [u8; VALUES],
        reactive: &'a mut Reactive,
        by: [Operator; 2],
    ) -> Self {
        Self {
            store,
            capacities,
            values,
            reactive,
            by,
            result: Ok(false),
        }
    }

    pub(super) fn keep(&mut self, row: &Kept<'_, CHANNELS, RATES, DEMANDS>) {
        let [remote, other] = self.by;
        let operator = match row.detail {
            Detail::Relay(Why::Remote) => remote,
            _ => other,
        };
        let operator = operator.line();
        let ended = self.reactive.keep(row, self.capacities, self.store);
        let written = book::write(self.store, self.capacities, row, self.values, operator);
        if self.result.is_ok() {
            self.result = ended.and(written).map(|()| true);
        }
    }

    /// True when a row was kept or something else asks for the state to be stored.
    pub(super) fn done(self, else_changed: bool) -> Result<bool, StoreError> {
        self.result.map(|kept| kept || else_changed)
    }
}
