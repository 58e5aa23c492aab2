//! Waiting records in memory.

use core::fmt;

use heapless::Vec;

use super::{Key, OutboxStore, Quota};
use crate::message::Stream;

/// An [`OutboxStore`] in memory: at most `RECORDS` records of together `BYTES` bytes. Lost with the power.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore<const RECORDS: usize, const BYTES: usize> {
    /// Ascending by key, with the place of their bytes.
    entries: Vec<(Key, usize), RECORDS>,
    /// The records one behind the other in the order of `entries`.
    bytes: Vec<u8, BYTES>,
}

/// The memory of a [`MemoryStore`] is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryFull;

impl fmt::Display for MemoryFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the memory for waiting records is used up")
    }
}

impl core::error::Error for MemoryFull {}

impl<const RECORDS: usize, const BYTES: usize> MemoryStore<RECORDS, BYTES> {
    /// An empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Index among the entries and range among the bytes.
    fn find(&self, key: Key) -> Option<(usize, core::ops::Range<usize>)> {
        let mut start = 0usize;
        for (index, (known, len)) in self.entries.iter().enumerate() {
            let end = start.saturating_add(*len);
            if *known == key {
                return Some((index, start..end));
            }
            start = end;
        }
        None
    }
}

impl<const RECORDS: usize, const BYTES: usize> OutboxStore for MemoryStore<RECORDS, BYTES> {
    type Error = MemoryFull;

    fn append(&mut self, key: Key, bytes: &[u8]) -> Result<(), MemoryFull> {
        if self.entries.is_full() || BYTES - self.bytes.len() < bytes.len() {
            return Err(MemoryFull);
        }
        let place = self
            .entries
            .iter()
            .take_while(|(known, _)| *known < key)
            .count();
        let start: usize = self.entries.iter().take(place).map(|(_, len)| *len).sum();
        self.entries
            .insert(place, (key, bytes.len()))
            .map_err(|_| MemoryFull)?;
        self.bytes
            .extend_from_slice(bytes)
            .map_err(|_| MemoryFull)?;
        if let Some(tail) = self.bytes.get_mut(start..) {
            tail.rotate_right(bytes.len());
        }
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), MemoryFull> {
        if let Some((index, range)) = self.find(key) {
            self.entries.remove(index);
            let len = range.len();
            if let Some(tail) = self.bytes.get_mut(range.start..) {
                tail.rotate_left(len);
            }
            self.bytes.truncate(self.bytes.len() - len);
        }
        Ok(())
    }

    fn next(&mut self, stream: Stream, after: Option<Key>) -> Result<Option<Key>, MemoryFull> {
        let behind = |key: &Key| key.stream == stream && after.is_none_or(|after| *key > after);
        Ok(self.entries.iter().map(|(key, _)| *key).find(behind))
    }

    fn read(&mut self, key: Key, out: &mut [u8]) -> Result<Option<usize>, MemoryFull> {
        let bytes = self.find(key).and_then(|(_, range)| self.bytes.get(range));
        Ok(bytes.and_then(|bytes| {
            out.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(bytes.len())
        }))
    }

    fn usage(&mut self, stream: Stream) -> Result<Quota, MemoryFull> {
        let of_stream = self.entries.iter().filter(|(key, _)| key.stream == stream);
        Ok(of_stream.fold(
            Quota {
                records: 0,
                bytes: 0,
            },
            |sum, (_, len)| Quota {
                records: sum.records.saturating_add(1),
                bytes: sum.bytes.saturating_add(*len as u32),
            },
        ))
    }
}
