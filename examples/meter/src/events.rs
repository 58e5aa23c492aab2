//! The book of events: how often and how long each condition held, and the last time with its energies.
//!
//! The metering core judges the conditions ([`metrology::event`]); the management core sees which hold, stamps them with
//! its calendar, takes the registers, and keeps one record for each condition and phase. A record is written when its
//! condition begins and when it ends. What a power cut costs: nothing; the metering core keeps which conditions hold,
//! and a record that was not written yet is written after the start.

use metrology::event::{Condition, Conditions};

use crate::cursor::{Reader, Writer};
use crate::records::{EVENTS, VERSION};
use crate::store::{Key, Store, StoreError};

/// Records: nine conditions of three phases, eight of the meter.
const SLOTS: usize = 35;
/// Bytes of a record.
const RECORD_LEN: usize = 49;

/// Forward and reverse active, combined reactive 1 and 2; hundredths of a kilowatthour or kilovarhour.
pub type Energies = [u32; 4];

/// What is known of one condition of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// How often it began.
    pub count: u32,
    /// How long it held, all times that ended, seconds.
    pub total_s: u32,
    /// When it began last, UTC seconds; 0 when it never did.
    pub begin_s: u32,
    /// When it ended last, UTC seconds; 0 while it holds.
    pub end_s: u32,
    /// Energies at the last beginning.
    pub begin: Energies,
    /// Energies at the last end; 0 while it holds.
    pub end: Energies,
}

impl Entry {
    /// Whether it holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.begin_s != 0 && self.end_s == 0
    }

    /// Time that it held, the present one included, minutes.
    #[must_use]
    pub const fn minutes(&self, utc_s: u32) -> u32 {
        let now = if self.holds() {
            utc_s.saturating_sub(self.begin_s)
        } else {
            0
        };
        self.total_s.saturating_add(now) / 60
    }

    fn encode(&self) -> Option<[u8; RECORD_LEN]> {
        let mut record = [0; RECORD_LEN];
        let mut w = Writer::new(&mut record);
        w.u8(VERSION);
        for number in [self.count, self.total_s, self.begin_s, self.end_s] {
            w.u32(number);
        }
        for number in self.begin.into_iter().chain(self.end) {
            w.u32(number);
        }
        w.finish().map(|_| record)
    }

    fn decode(record: &[u8]) -> Option<Self> {
        let mut r = Reader::new(record);
        if r.u8()? != VERSION {
            return None;
        }
        let mut entry = Self {
            count: r.u32()?,
            total_s: r.u32()?,
            begin_s: r.u32()?,
            end_s: r.u32()?,
            ..Self::default()
        };
        for number in entry.begin.iter_mut().chain(&mut entry.end) {
            *number = r.u32()?;
        }
        Some(entry)
    }
}

/// All records.
#[derive(Clone, Debug)]
pub struct EventBook {
    entries: [Entry; SLOTS],
    /// Bit k: record k must be written.
    unwritten: u64,
}

impl EventBook {
    /// Reads what is stored. A record that cannot be read begins anew: events are no legal values.
    pub fn start<S: Store>(store: &mut S) -> Self {
        let mut entries = [Entry::default(); SLOTS];
        for (entry, key) in entries.iter_mut().zip(EVENTS..) {
            let mut record = [0; RECORD_LEN];
            if let Ok(Some(length)) = store.read(key, &mut record) {
                let record = record.get(..length).unwrap_or_default();
                *entry = Entry::decode(record).unwrap_or_default();
            }
        }
        Self {
            entries,
            unwritten: 0,
        }
    }

    /// What is known of a condition; of one of the whole meter at phase 0.
    #[must_use]
    pub fn entry(&self, condition: Condition, phase: usize) -> Option<&Entry> {
        self.entries.get(slot(condition, phase)?)
    }

    /// Conditions that hold as far as the book knows.
    #[must_use]
    pub fn holding(&self) -> Conditions {
        // The places of the book are those of the bits.
        let bits = self
            .entries
            .iter()
            .enumerate()
            .fold(0, |bits, (slot, entry)| {
                bits | u64::from(entry.holds()) << slot
            });
        Conditions::from_bits(bits).unwrap_or_default()
    }

    /// Takes the conditions that hold now and writes what changed.
    ///
    /// # Errors
    /// [`StoreError`]; what was not written is tried again with the next call.
    pub fn update<S: Store>(
        &mut self,
        active: Conditions,
        utc_s: u32,
        energies: Energies,
        store: &mut S,
    ) -> Result<(), StoreError> {
        for condition in Condition::ALL {
            for phase in 0..3 {
                let Some(slot) = slot(condition, phase) else {
                    continue;
                };
                let Some(entry) = self.entries.get_mut(slot) else {
                    continue;
                };
                let holds = active.contains(condition, phase);
                if holds == entry.holds() {
                    continue;
                }
                if holds {
                    entry.count = entry.count.saturating_add(1);
                    entry.begin_s = utc_s.max(1);
                    entry.end_s = 0;
                    (entry.begin, entry.end) = (energies, [0; 4]);
                } else {
                    // A calendar that was set back ends an event no earlier than it began.
                    entry.end_s = utc_s.max(entry.begin_s);
                    entry.total_s = entry.total_s.saturating_add(entry.end_s - entry.begin_s);
                    entry.end = energies;
                }
                self.unwritten |= 1 << slot;
            }
        }
        let mut failed = Ok(());
        for (slot, (entry, key)) in self.entries.iter().zip(EVENTS..).enumerate() {
            if self.unwritten & 1 << slot == 0 {
                continue;
            }
            let Some(record) = entry.encode() else {
                continue;
            };
            match store.write(key, &record) {
                Ok(()) => self.unwritten &= !(1 << slot),
                Err(error) => failed = Err(error),
            }
        }
        failed
    }
}

/// Place of a record; the order is that of the bits of [`Conditions`].
fn slot(condition: Condition, phase: usize) -> Option<usize> {
    let number = condition as usize;
    match (condition.is_per_phase(), phase) {
        (true, 0..3) => Some(number * 3 + phase),
        (false, 0) => Some(number + 18),
        _ => None,
    }
}

/// Keys of all records, for tests and tools.
#[must_use]
pub const fn keys() -> core::ops::Range<Key> {
    EVENTS..EVENTS + SLOTS as Key
}
