//! Maximum demand of reactive energy, now and of the periods that ended: records of their own beside the account.

use tariff::demand::{Maxima, Peak};
use tariff::freeze::Kind;
use tariff::machine::Clock;
use tariff::meter::{
    Detail, Kept, Parameters, QUANTITIES, ReactiveDemand, decode_reactive, encode_reactive,
    longest_reactive,
};

use super::{CHANNELS, DEMANDS, RATES, SLIPS};
use crate::book::Capacities;
use crate::metering::{StartError, read_record};
use crate::records::{REACTIVE, REACTIVE_ROWS};
use crate::settings::Words;
use crate::store::{Key, Store, StoreError};

const LONGEST: usize = longest_reactive(RATES);

/// Maxima of combined reactive 1 and 2 and of the quadrants I to IV.
pub type ReactiveMaxima = [Maxima<RATES>; QUANTITIES];

/// The demands that are formed, and whether the store has them.
#[derive(Debug)]
pub(super) struct Reactive {
    demand: ReactiveDemand<RATES, SLIPS>,
    is_stored: bool,
}

impl Reactive {
    /// What `store` holds.
    ///
    /// # Errors
    /// [`StartError`]: damaged maxima are never taken for none.
    pub(super) fn start<S: Store>(store: &mut S) -> Result<Self, StartError> {
        let mut buffer = [0; LONGEST];
        let demand = match read_record(store, REACTIVE, &mut buffer)? {
            None => ReactiveDemand::new(),
            Some(record) => {
                ReactiveDemand::decode(record).map_err(|_| StartError::Damaged { key: REACTIVE })?
            }
        };
        Ok(Self {
            demand,
            is_stored: true,
        })
    }

    /// Books the quadrants at the rate of the time since the last call.
    pub(super) fn book(
        &mut self,
        p: &Parameters<'_>,
        words: &Words,
        clock: Clock,
        rate: u8,
        tenths: [u64; CHANNELS],
    ) {
        let [_, _, quadrants @ ..] = tenths;
        if self
            .demand
            .book(p.windows, words.reactive, clock, rate, quadrants)
        {
            self.is_stored = false;
        }
    }

    pub(super) fn restart(&mut self) {
        self.demand.restart();
    }

    /// A row of the meter: where it ends a period of demand, what that held is kept and the next begins.
    pub(super) fn keep<S: Store>(
        &mut self,
        row: &Kept<'_, CHANNELS, RATES, DEMANDS>,
        capacities: &Capacities,
        store: &mut S,
    ) -> Result<(), StoreError> {
        if row.detail == (Detail::Settled { first: false }) {
            return Ok(());
        }
        let Some(held) = self.demand.end(row.kind, row.number) else {
            return Ok(());
        };
        self.is_stored = false;
        let Some(key) = key(row.kind, row.number, capacities) else {
            return Ok(());
        };
        let mut record = [0; LONGEST];
        let length = encode_reactive(row.number, &held, &mut record);
        store.write(key, whole(length.ok(), &record)?)
    }

    /// Stores what changed: ahead of the account, whose rows then end nothing twice.
    pub(super) fn save<S: Store>(&mut self, store: &mut S) -> Result<(), StoreError> {
        if !self.is_stored {
            let mut record = [0; LONGEST];
            let length = self.demand.encode(&mut record);
            store.write(REACTIVE, whole(length.ok(), &record)?)?;
            self.is_stored = true;
        }
        Ok(())
    }

    pub(super) const fn maxima(&self) -> &ReactiveMaxima {
        self.demand.maxima()
    }

    pub(super) fn present(&self, quantity: usize) -> Option<Peak> {
        self.demand.present(quantity)
    }
}

/// What the period held that the row of a kind with this number ended; nothing where that row ended none. `None` when
/// none of these are kept.
///
/// # Errors
/// [`StoreError`].
pub fn ended<S: Store>(
    store: &mut S,
    capacities: &Capacities,
    kind: Kind,
    number: u32,
) -> Result<Option<ReactiveMaxima>, StoreError> {
    let Some(key) = key(kind, number, capacities) else {
        return Ok(None);
    };
    let mut buffer = [0; LONGEST];
    let length = store.read(key, &mut buffer)?;
    let record = length.and_then(|length| buffer.get(..length));
    let found = match record {
        None => None,
        Some(record) => Some(decode_reactive(record).map_err(|_| StoreError::Read)?),
    };
    // The place may hold an older one.
    let held = found.filter(|(found, _)| *found == number);
    Ok(Some(
        held.map_or([Maxima::new(); QUANTITIES], |(_, held)| held),
    ))
}

fn key(kind: Kind, number: u32, capacities: &Capacities) -> Option<Key> {
    let kept = capacities.reactive.min(capacities.of(kind));
    if kept == 0 || number == 0 {
        return None;
    }
    let slot = number.wrapping_sub(1) % (u32::from(kept) + 1);
    let group = if kind == Kind::Settlement { 0 } else { 0x100 };
    Some(REACTIVE_ROWS + group + (slot as Key & 0xFF))
}

fn whole(length: Option<usize>, record: &[u8]) -> Result<&[u8], StoreError> {
    let encoded = length.and_then(|length| record.get(..length));
    encoded.ok_or(StoreError::TooLong { found: LONGEST })
}
