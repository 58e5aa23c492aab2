//! Records that wait for the gateway, kept in a [`Store`]: one stored record each, its name in front.

use meter_proto::message::Stream;
use meter_proto::outbox::{Key as Name, OutboxStore, Quota};

use crate::cursor::{Reader, Writer};
use crate::records::{VERSION, WAITING};
use crate::store::{Key, MAX_RECORD, Store, StoreError};

/// Version, stream, boot, number.
const HEAD: usize = 10;

/// At most `N` waiting records; their names are held in memory, so reading one touches the store once.
#[derive(Debug)]
pub struct WaitingRecords<S, const N: usize> {
    store: S,
    slots: [Option<(Name, u16)>; N],
}

impl<S: Store, const N: usize> WaitingRecords<S, N> {
    /// Finds what `store` holds under its `N` keys. Damaged ones count in `damaged` and their place
    /// is used again.
    ///
    /// # Errors
    /// [`StoreError`] other than a damaged record.
    pub fn open(mut store: S, damaged: &mut u32) -> Result<Self, StoreError> {
        let mut slots = [None; N];
        let mut buffer = [0; MAX_RECORD];
        for (number, slot) in slots.iter_mut().enumerate() {
            let key = WAITING.saturating_add(number as Key);
            match store.read(key, &mut buffer) {
                Ok(None) => {}
                Ok(Some(length)) => match buffer.get(..length).and_then(split) {
                    Some((name, bytes)) => *slot = Some((name, bytes.len() as u16)),
                    None => *damaged = damaged.saturating_add(1),
                },
                Err(StoreError::Read) => *damaged = damaged.saturating_add(1),
                Err(error) => return Err(error),
            }
        }
        Ok(Self { store, slots })
    }

    /// All waiting records.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    fn find(&self, name: Name) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.is_some_and(|(known, _)| known == name))
    }
}

fn place_of(slot: usize) -> Key {
    WAITING.saturating_add(slot as Key)
}

fn split(record: &[u8]) -> Option<(Name, &[u8])> {
    let mut r = Reader::new(record);
    if r.u8()? != VERSION {
        return None;
    }
    let name = Name {
        stream: Stream(r.u8()?),
        boot: r.u32()?,
        seq: r.u32()?,
    };
    Some((name, r.rest()))
}

impl<S: Store, const N: usize> OutboxStore for WaitingRecords<S, N> {
    type Error = StoreError;

    fn append(&mut self, key: Name, bytes: &[u8]) -> Result<(), StoreError> {
        let slot = self
            .slots
            .iter()
            .position(Option::is_none)
            .ok_or(StoreError::Full)?;
        let mut record = [0; MAX_RECORD];
        let mut w = Writer::new(&mut record);
        w.u8(VERSION);
        w.u8(key.stream.0);
        w.u32(key.boot);
        w.u32(key.seq);
        w.put(bytes);
        let length = w.finish().ok_or(StoreError::TooLong {
            found: bytes.len().saturating_add(HEAD),
        })?;
        let place = place_of(slot);
        let written = self
            .store
            .write(place, record.get(..length).unwrap_or_default());
        if written.is_err() {
            // Nothing of it may remain; if even that fails, the next start finds it and it is sent once more under
            // the same name.
            let _ = self.store.remove(place);
            return written;
        }
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = Some((key, bytes.len() as u16));
        }
        Ok(())
    }

    fn remove(&mut self, key: Name) -> Result<(), StoreError> {
        if let Some(slot) = self.find(key) {
            self.store.remove(place_of(slot))?;
            if let Some(place) = self.slots.get_mut(slot) {
                *place = None;
            }
        }
        Ok(())
    }

    fn next(&mut self, stream: Stream, after: Option<Name>) -> Result<Option<Name>, StoreError> {
        let names = self.slots.iter().flatten().map(|(name, _)| *name);
        Ok(names
            .filter(|name| name.stream == stream && after.is_none_or(|after| *name > after))
            .min())
    }

    fn read(&mut self, key: Name, out: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let Some(slot) = self.find(key) else {
            return Ok(None);
        };
        let mut record = [0; MAX_RECORD];
        let length = self.store.read(place_of(slot), &mut record)?.unwrap_or(0);
        let Some((_, bytes)) = record.get(..length).and_then(split) else {
            return Err(StoreError::Read);
        };
        Ok(out.get_mut(..bytes.len()).map(|place| {
            place.copy_from_slice(bytes);
            bytes.len()
        }))
    }

    fn usage(&mut self, stream: Stream) -> Result<Quota, StoreError> {
        let of_stream = self
            .slots
            .iter()
            .flatten()
            .filter(|(name, _)| name.stream == stream);
        Ok(of_stream.fold(
            Quota {
                records: 0,
                bytes: 0,
            },
            |sum, (_, length)| Quota {
                records: sum.records.saturating_add(1),
                bytes: sum.bytes.saturating_add(u32::from(*length)),
            },
        ))
    }
}
