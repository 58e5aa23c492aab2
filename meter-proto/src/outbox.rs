//! Store and forward: records are kept until the receiver says that it has committed them.
//!
//! ```text
//! push ──> store (durable) ──> poll_transmit ──> wire
//!                 ^                                │
//!                 └──── handle_acknowledgement <───┘
//! ```
//!
//! What a power cut may find, and why nothing is lost or counted twice:
//! - A record is durable in the [`OutboxStore`] before it is sent for the first time.
//! - Its name (stream, boot, seq) is part of the stored bytes. `boot` is stored ahead of use by the caller, so after a
//!   cut the next record has a greater boot and no name is used twice; numbers need no write of their own.
//! - Acknowledged records are removed from the store. If the cut comes first, they are sent again and the receiver
//!   drops them.
//!
//! What may be in flight is remembered in memory only.

use core::fmt;

use heapless::Vec;

use crate::compact;
use crate::error::Error;
use crate::message::{Acknowledgement, Content, Head, Stream, StreamState};
use crate::time::Stamp;

/// The name of a record of this device. Orders by boot, then number, within one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The stream.
    pub stream: Stream,
    /// The boot.
    pub boot: u32,
    /// The number.
    pub seq: u32,
}

/// Where records wait: a file, a flash, or memory.
pub trait OutboxStore {
    /// What can go wrong.
    type Error;

    /// Makes a record durable. When this returns an error, nothing of the record may remain.
    ///
    /// # Errors
    /// The store's own.
    fn append(&mut self, key: Key, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Forgets a record; a key that is not there is no error.
    ///
    /// # Errors
    /// The store's own.
    fn remove(&mut self, key: Key) -> Result<(), Self::Error>;

    /// The first record of the stream behind this key, or the very first.
    ///
    /// # Errors
    /// The store's own.
    fn next(&mut self, stream: Stream, after: Option<Key>) -> Result<Option<Key>, Self::Error>;

    /// Copies a record to the caller's buffer and returns its length; `None` if it is not there or does not fit.
    ///
    /// # Errors
    /// The store's own.
    fn read(&mut self, key: Key, out: &mut [u8]) -> Result<Option<usize>, Self::Error>;

    /// How many records and bytes of the stream wait.
    ///
    /// # Errors
    /// The store's own.
    fn usage(&mut self, stream: Stream) -> Result<Quota, Self::Error>;
}

/// A number of records and of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Records.
    pub records: u32,
    /// Bytes of their messages.
    pub bytes: u32,
}

/// What happens when a stream's quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The new record is refused, the application raises an event: streams 1, 2, 5 (and 0, which is not stored).
    Refuse,
    /// The oldest record makes room: stream 3.
    DropOldest,
    /// The new record is dropped: stream 4.
    DropNewest,
}

/// The policy of a stream.
#[must_use]
pub const fn policy(stream: Stream) -> Policy {
    match stream {
        Stream::TELEMETRY => Policy::DropOldest,
        Stream::DIAGNOSTIC => Policy::DropNewest,
        _ => Policy::Refuse,
    }
}

/// How long to wait for an acknowledgement, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Before the first repeat; doubled with each.
    pub first_ms: u64,
    /// The longest wait.
    pub longest_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first_ms: 5_000,
            longest_ms: 300_000,
        }
    }
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused<E> {
    /// The stream is full of unacknowledged records and never overwrites them.
    Full,
    /// The stream is full and drops the newest; counted.
    Dropped,
    /// No such stored stream, or all numbers of this boot are used.
    NoNumber,
    /// The message does not fit the buffer.
    Message(Error),
    /// The store failed; nothing was taken.
    Store(E),
}

impl<E: fmt::Display> fmt::Display for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the stream is full of unacknowledged records"),
            Self::Dropped => f.write_str("the stream is full and the newest record was dropped"),
            Self::NoNumber => f.write_str("the stream has no number for this record"),
            Self::Message(error) => write!(f, "the record cannot be written: {error}"),
            Self::Store(error) => write!(f, "the store failed: {error}"),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> core::error::Error for Refused<E> {}

/// A record that waits for its acknowledgement.
#[derive(Clone, Copy, Debug)]
struct Flight {
    key: Key,
    sent: u64,
    due: u64,
    tries: u8,
}

/// A record to put on the wire; its bytes are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Its name.
    pub key: Key,
    /// How many bytes of the buffer.
    pub len: usize,
    /// Whether it was sent before in this run.
    pub repeat: bool,
}

/// Alarms first, then money, then legal readings, then the rest.
const ORDER: [Stream; 5] = [
    Stream::EVENT,
    Stream::LEDGER,
    Stream::LEGAL,
    Stream::TELEMETRY,
    Stream::DIAGNOSTIC,
];

/// The sender's half of the exactly-once effect. At most `IN_FLIGHT` records are sent and not yet acknowledged.
///
/// All five stored streams number themselves from 1 in each boot; the caller stores `boot` ahead of use.
#[derive(Debug)]
pub struct Outbox<S, const IN_FLIGHT: usize = 16> {
    store: S,
    boot: u32,
    timing: Timing,
    quotas: [Quota; 6],
    next_seq: [u32; 6],
    /// The last record of each stream that was put in flight.
    sent: [Option<Key>; 6],
    in_flight: Vec<Flight, IN_FLIGHT>,
    dropped: u32,
}

impl<S: OutboxStore, const IN_FLIGHT: usize> Outbox<S, IN_FLIGHT> {
    /// An outbox over a store that may hold records of earlier boots; these are sent first, under their old names.
    ///
    /// `boot` is greater than every boot used before with this store and is already durable. `quotas` is indexed by
    /// stream.
    pub fn new(store: S, boot: u32, timing: Timing, quotas: [Quota; 6]) -> Self {
        Self {
            store,
            boot,
            timing,
            quotas,
            next_seq: [1; 6],
            sent: [None; 6],
            in_flight: Vec::new(),
            dropped: 0,
        }
    }

    /// The boot under which new records are numbered.
    #[must_use]
    pub const fn boot(&self) -> u32 {
        self.boot
    }

    /// The store, for reading what waits.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Records given up because their stream was full (streams 3 and 4).
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Gives a body the next name of its stream and stores it. `scratch` takes the encoded message.
    ///
    /// # Errors
    /// [`Refused`]; nothing was stored then and no number used.
    pub fn push<C: Content>(
        &mut self,
        stream: Stream,
        node: u16,
        stamp: Stamp,
        body: &C,
        scratch: &mut [u8],
    ) -> Result<Key, Refused<S::Error>> {
        self.push_with(stream, scratch, |key, out| {
            let head = Head {
                node,
                stream: key.stream,
                boot: key.boot,
                seq: key.seq,
                stamp,
            };
            compact::encode_as(&head, body, out)
        })
    }

    /// As [`Outbox::push`] for a message that the caller writes itself, for instance inside an envelope.
    ///
    /// # Errors
    /// [`Refused`]; nothing was stored then and no number used.
    pub fn push_with(
        &mut self,
        stream: Stream,
        scratch: &mut [u8],
        write: impl FnOnce(Key, &mut [u8]) -> Result<usize, Error>,
    ) -> Result<Key, Refused<S::Error>> {
        let seq = self.number(stream).ok_or(Refused::NoNumber)?;
        let key = Key {
            stream,
            boot: self.boot,
            seq,
        };
        let len = write(key, scratch).map_err(Refused::Message)?;
        let bytes = scratch
            .get(..len)
            .ok_or(Refused::Message(Error::BufferFull {
                capacity: scratch.len(),
            }))?;
        self.make_room(stream, bytes.len())?;
        self.store.append(key, bytes).map_err(Refused::Store)?;
        if let Some(next) = self.next_seq.get_mut(usize::from(stream.0)) {
            *next = seq.checked_add(1).unwrap_or(0);
        }
        Ok(key)
    }

    /// Stores a record that another party has numbered, for instance the metering core its stream 1. Such a stream is
    /// never given to [`Outbox::push`]. A record that waits already is not stored twice; `false` says so.
    ///
    /// # Errors
    /// [`Refused`]; nothing was stored then.
    pub fn push_numbered(&mut self, key: Key, bytes: &[u8]) -> Result<bool, Refused<S::Error>> {
        if key.seq == 0 || !ORDER.contains(&key.stream) {
            return Err(Refused::NoNumber);
        }
        let before = key.seq.checked_sub(1).map(|seq| Key { seq, ..key });
        if self
            .store
            .next(key.stream, before)
            .map_err(Refused::Store)?
            == Some(key)
        {
            return Ok(false);
        }
        self.make_room(key.stream, bytes.len())?;
        self.store.append(key, bytes).map_err(Refused::Store)?;
        // A record behind one already sent would be passed over: begin again from before it.
        if let Some(sent) = self.sent.get_mut(usize::from(key.stream.0))
            && sent.is_some_and(|last| last > key)
        {
            *sent = before;
        }
        Ok(true)
    }

    fn number(&self, stream: Stream) -> Option<u32> {
        let next = *self.next_seq.get(usize::from(stream.0))?;
        (next != 0 && ORDER.contains(&stream)).then_some(next)
    }

    fn make_room(&mut self, stream: Stream, bytes: usize) -> Result<(), Refused<S::Error>> {
        let quota = *self
            .quotas
            .get(usize::from(stream.0))
            .ok_or(Refused::NoNumber)?;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        loop {
            let usage = self.store.usage(stream).map_err(Refused::Store)?;
            let fits = usage.records < quota.records
                && usage
                    .bytes
                    .checked_add(bytes)
                    .is_some_and(|together| together <= quota.bytes);
            if fits {
                return Ok(());
            }
            match policy(stream) {
                Policy::Refuse => return Err(Refused::Full),
                Policy::DropNewest => {
                    self.dropped = self.dropped.saturating_add(1);
                    return Err(Refused::Dropped);
                }
                Policy::DropOldest => {
                    // Ends: each turn removes a record, and an empty stream cannot make room.
                    let oldest = self
                        .store
                        .next(stream, None)
                        .map_err(Refused::Store)?
                        .ok_or(Refused::Full)?;
                    self.store.remove(oldest).map_err(Refused::Store)?;
                    self.in_flight.retain(|flight| flight.key != oldest);
                    self.dropped = self.dropped.saturating_add(1);
                }
            }
        }
    }

    /// The next record to send, if one is due: repeats first, then new ones by stream (events, ledger, legal,
    /// telemetry, diagnostics) and age. Its bytes are in `out`.
    ///
    /// # Errors
    /// The store's own.
    pub fn poll_transmit(
        &mut self,
        now: u64,
        out: &mut [u8],
    ) -> Result<Option<Transmit>, S::Error> {
        // Bounded: each turn sends, or drops an entry whose record is gone.
        for _ in 0..=IN_FLIGHT {
            let due = self.in_flight.iter_mut().filter(|flight| flight.due <= now);
            let Some(flight) = due.min_by_key(|flight| (rank(flight.key.stream), flight.key))
            else {
                break;
            };
            let key = flight.key;
            flight.tries = flight.tries.saturating_add(1);
            flight.sent = now;
            flight.due = now.saturating_add(wait(self.timing, flight.tries));
            match self.store.read(key, out)? {
                Some(len) => {
                    return Ok(Some(Transmit {
                        key,
                        len,
                        repeat: true,
                    }));
                }
                None => self.in_flight.retain(|flight| flight.key != key),
            }
        }
        if self.in_flight.is_full() {
            return Ok(None);
        }
        for stream in ORDER {
            let slot = usize::from(stream.0);
            let after = self.sent.get(slot).copied().flatten();
            let Some(key) = self.next_idle(stream, after)? else {
                continue;
            };
            let Some(len) = self.store.read(key, out)? else {
                continue;
            };
            let flight = Flight {
                key,
                sent: now,
                due: now.saturating_add(wait(self.timing, 0)),
                tries: 0,
            };
            if self.in_flight.push(flight).is_err() {
                return Ok(None);
            }
            if let Some(sent) = self.sent.get_mut(slot) {
                *sent = Some(key);
            }
            return Ok(Some(Transmit {
                key,
                len,
                repeat: false,
            }));
        }
        Ok(None)
    }

    /// The record to hand out to a reader who asks for one at a time and acknowledges each: the oldest of the first
    /// stream that has any, in the order of [`Outbox::poll_transmit`]. Nothing is marked as sent.
    ///
    /// # Errors
    /// The store's own.
    pub fn oldest(&mut self, out: &mut [u8]) -> Result<Option<(Key, usize)>, S::Error> {
        for stream in ORDER {
            if let Some(key) = self.store.next(stream, None)? {
                return Ok(self.store.read(key, out)?.map(|len| (key, len)));
            }
        }
        Ok(None)
    }

    /// The first record behind `after` that is not in flight.
    fn next_idle(
        &mut self,
        stream: Stream,
        mut after: Option<Key>,
    ) -> Result<Option<Key>, S::Error> {
        for _ in 0..=IN_FLIGHT {
            let key = self.store.next(stream, after)?;
            if key.is_none_or(|key| self.in_flight.iter().all(|flight| flight.key != key)) {
                return Ok(key);
            }
            after = key;
        }
        Ok(None)
    }

    /// When [`Outbox::poll_transmit`] has something to repeat, milliseconds; new records need no timer.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.in_flight.iter().map(|flight| flight.due).min()
    }

    /// Removes what the receiver has committed, and hurries what it misses. Returns how many records were removed.
    ///
    /// # Errors
    /// The store's own; calling again with the same acknowledgement is harmless.
    pub fn handle_acknowledgement(
        &mut self,
        now: u64,
        told: &Acknowledgement,
    ) -> Result<u32, S::Error> {
        let mut removed = 0u32;
        let mut highest = told.contiguous;
        let mut after = told.boot.checked_sub(1).map(|boot| Key {
            stream: told.stream,
            boot,
            seq: u32::MAX,
        });
        while let Some(key) = self.store.next(told.stream, after)? {
            let reach = told
                .gaps
                .iter()
                .map(|gap| gap.last)
                .fold(told.contiguous, u32::max);
            if key.boot != told.boot || key.seq > reach {
                break;
            }
            if told.covers(key.boot, key.seq) {
                self.store.remove(key)?;
                self.in_flight.retain(|flight| flight.key != key);
                removed = removed.saturating_add(1);
                highest = highest.max(key.seq);
            }
            after = Some(key);
        }
        // Missing although a later one is there: lost, unless it was sent only just now.
        let patience = self.timing.first_ms / 4;
        for flight in &mut self.in_flight {
            let key = flight.key;
            let missing = key.stream == told.stream && key.boot == told.boot && key.seq < highest;
            if missing && flight.sent.saturating_add(patience) <= now {
                flight.due = flight.due.min(now);
            }
        }
        Ok(removed)
    }

    /// After a new connection: everything unacknowledged is sent again from the oldest on.
    pub fn handle_reconnect(&mut self) {
        self.in_flight.clear();
        self.sent = [None; 6];
    }

    /// What is held of a stream in a boot, for the registration. `last` is the highest number that waits.
    ///
    /// # Errors
    /// The store's own.
    pub fn stream_state(
        &mut self,
        stream: Stream,
        boot: u32,
    ) -> Result<Option<StreamState>, S::Error> {
        let mut after = boot.checked_sub(1).map(|boot| Key {
            stream,
            boot,
            seq: u32::MAX,
        });
        let mut state: Option<StreamState> = None;
        while let Some(key) = self
            .store
            .next(stream, after)?
            .filter(|key| key.boot == boot)
        {
            let floor = state.map_or(key.seq.saturating_sub(1), |state| state.floor);
            state = Some(StreamState {
                stream,
                boot,
                floor,
                last: key.seq,
            });
            after = Some(key);
        }
        Ok(state)
    }
}

fn rank(stream: Stream) -> usize {
    ORDER
        .iter()
        .position(|ordered| *ordered == stream)
        .unwrap_or(ORDER.len())
}

fn wait(timing: Timing, tries: u8) -> u64 {
    timing
        .first_ms
        .saturating_mul(1 << u32::from(tries.min(16)))
        .min(timing.longest_ms)
}

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
