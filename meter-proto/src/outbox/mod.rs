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

mod alarms;
#[cfg(feature = "std")]
mod file;
#[cfg(feature = "embedded-storage")]
mod flash;
#[cfg(feature = "embedded-storage")]
mod flash_format;
mod memory;
mod refused;
mod session;
mod store;

use heapless::Vec;

use crate::compact;
use crate::error::Error;
use crate::message::{Acknowledgement, Content, Event, Head, Stream, StreamState};
use crate::time::Stamp;

use alarms::Alarms;
#[cfg(feature = "std")]
pub use file::{FileError, FileFlash};
#[cfg(feature = "embedded-storage")]
pub use flash::{FlashStore, FlashStoreError};
pub use memory::{MemoryFull, MemoryStore};
pub use refused::Refused;
pub use session::{Session, SessionEvent};
pub use store::{Key, OutboxStore, Policy, Quota, policy};

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
    /// Sent before everything else that was not sent yet, in this order.
    front: Vec<Key, IN_FLIGHT>,
    alarms: Alarms,
    /// Streams that refused a record since they last had room, one bit each; and those not told of yet.
    full: u8,
    full_news: u8,
    dropped: u32,
    unreadable: u32,
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
            front: Vec::new(),
            alarms: Alarms::default(),
            full: 0,
            full_news: 0,
            dropped: 0,
            unreadable: 0,
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

    /// The store, for looking at its state.
    #[must_use]
    pub const fn look(&self) -> &S {
        &self.store
    }

    /// Records given up because their stream was full (streams 3 and 4).
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Records that the store could not give, or that did not fit the caller's buffer: they are passed over.
    #[must_use]
    pub const fn unreadable(&self) -> u32 {
        self.unreadable
    }

    /// A stream that keeps its records and has become full: told once until it has room again. The application raises
    /// an event ([`Event::STORE_FULL`]).
    pub fn poll_full(&mut self) -> Option<Stream> {
        let slot = u8::try_from(self.full_news.trailing_zeros()).ok()?;
        self.full_news &= self.full_news.wrapping_sub(1);
        (slot < 8).then_some(Stream(slot))
    }

    fn note_full(&mut self, stream: Stream) {
        let bit = stream_bit(stream);
        self.full_news |= bit & !self.full;
        self.full |= bit;
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

    /// As [`Outbox::push`] for an event, and remembers it while it is raised and waits: such alarms are sent first
    /// after an outage.
    ///
    /// # Errors
    /// [`Refused`]; nothing was stored then and no number used.
    pub fn push_event(
        &mut self,
        node: u16,
        stamp: Stamp,
        event: &Event,
        scratch: &mut [u8],
    ) -> Result<Key, Refused<S::Error>> {
        let key = self.push(Stream::EVENT, node, stamp, event, scratch)?;
        self.note_alarm(node, event, key);
        Ok(key)
    }

    /// Remembers an event that was stored under this name by other means than [`Outbox::push_event`].
    pub fn note_alarm(&mut self, node: u16, event: &Event, key: Key) {
        self.alarms.note(node, event, key);
    }

    /// After a start: finds the alarms among the events that wait.
    ///
    /// # Errors
    /// The store's own.
    pub fn recover_alarms(&mut self, scratch: &mut [u8]) -> Result<(), S::Error> {
        let mut after = None;
        while let Some(key) = self.store.next(Stream::EVENT, after)? {
            let len = self.store.read(key, scratch)?.unwrap_or(0);
            if let Some((head, event)) = scratch
                .get(..len)
                .and_then(|bytes| compact::decode_as::<Event>(bytes).ok())
            {
                self.alarms.note(head.node, &event, key);
            }
            after = Some(key);
        }
        Ok(())
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
        let key = self.next_key(stream).ok_or(Refused::NoNumber)?;
        let len = write(key, scratch).map_err(Refused::Message)?;
        let bytes = scratch
            .get(..len)
            .ok_or(Refused::Message(Error::BufferFull {
                capacity: scratch.len(),
            }))?;
        self.push_written(key, bytes)?;
        Ok(key)
    }

    /// The name that the next record of this stream gets; `None` when the stream is not stored or all numbers of this
    /// boot are used. Nothing is used up.
    #[must_use]
    pub fn next_key(&self, stream: Stream) -> Option<Key> {
        Some(Key {
            stream,
            boot: self.boot,
            seq: self.number(stream)?,
        })
    }

    /// Stores a message that was written whole under the name that [`Outbox::next_key`] told.
    ///
    /// # Errors
    /// [`Refused`], [`Refused::NoNumber`] also for another name; nothing was stored then and no number used.
    pub fn push_written(&mut self, key: Key, bytes: &[u8]) -> Result<(), Refused<S::Error>> {
        if self.next_key(key.stream) != Some(key) {
            return Err(Refused::NoNumber);
        }
        self.make_room(key.stream, bytes.len())?;
        self.store.append(key, bytes).map_err(Refused::Store)?;
        if let Some(next) = self.next_seq.get_mut(usize::from(key.stream.0)) {
            *next = key.seq.checked_add(1).unwrap_or(0);
        }
        Ok(())
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
        let needed = u32::try_from(bytes).unwrap_or(u32::MAX);
        loop {
            let usage = self.store.usage(stream).map_err(Refused::Store)?;
            let within = usage.records < quota.records
                && usage
                    .bytes
                    .checked_add(needed)
                    .is_some_and(|together| together <= quota.bytes);
            if within && self.store.has_room(stream, bytes).map_err(Refused::Store)? {
                return Ok(());
            }
            match policy(stream) {
                Policy::Refuse => {
                    self.note_full(stream);
                    return Err(Refused::Full);
                }
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
        while !self.front.is_empty() {
            let key = self.front.remove(0);
            if let Some(transmit) = self.launch(now, key, out)? {
                return Ok(Some(transmit));
            }
        }
        for stream in ORDER {
            let slot = usize::from(stream.0);
            // Passes over what was sent ahead of its turn and what cannot be read; goes on there at the next call.
            for _ in 0..=IN_FLIGHT {
                let after = self.sent.get(slot).copied().flatten();
                let Some(key) = self.store.next(stream, after)? else {
                    break;
                };
                let sent = self.launch(now, key, out)?;
                if let Some(last) = self.sent.get_mut(slot) {
                    *last = Some(key);
                }
                if sent.is_some() {
                    return Ok(sent);
                }
            }
        }
        Ok(None)
    }

    /// Reads a record that is not in flight and puts it there.
    fn launch(&mut self, now: u64, key: Key, out: &mut [u8]) -> Result<Option<Transmit>, S::Error> {
        if self.in_flight.iter().any(|flight| flight.key == key) {
            return Ok(None);
        }
        let Some(len) = self.store.read(key, out)? else {
            self.unreadable = self.unreadable.saturating_add(1);
            return Ok(None);
        };
        let flight = Flight {
            key,
            sent: now,
            due: now.saturating_add(wait(self.timing, 0)),
            tries: 0,
        };
        let launched = self.in_flight.push(flight).is_ok();
        Ok(launched.then_some(Transmit {
            key,
            len,
            repeat: false,
        }))
    }

    /// The record to hand out to a reader who asks for one at a time and acknowledges each: the oldest of the first
    /// stream that has any, in the order of [`Outbox::poll_transmit`]. Nothing is marked as sent.
    ///
    /// # Errors
    /// The store's own.
    pub fn oldest(&mut self, out: &mut [u8]) -> Result<Option<(Key, usize)>, S::Error> {
        for stream in ORDER {
            let mut after = None;
            while let Some(key) = self.store.next(stream, after)? {
                if let Some(len) = self.store.read(key, out)? {
                    return Ok(Some((key, len)));
                }
                after = Some(key);
            }
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
                self.alarms.forget(key);
                self.full &= !stream_bit(key.stream);
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

    /// After a new connection: everything unacknowledged is sent again, the alarms that are still raised first, then
    /// from the oldest on.
    pub fn handle_reconnect(&mut self) {
        self.in_flight.clear();
        self.sent = [None; 6];
        self.front.clear();
        for key in &self.alarms.raised() {
            if self.front.push(*key).is_err() {
                break;
            }
        }
    }

    /// Sends a waiting record ahead of all others that were not sent yet, behind those hurried before: for the fresh
    /// snapshot after an outage. `false` when too many are hurried; it goes in its turn then.
    pub fn hurry(&mut self, key: Key) -> bool {
        self.front.contains(&key) || self.front.push(key).is_ok()
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

const fn stream_bit(stream: Stream) -> u8 {
    if stream.0 < 8 { 1 << stream.0 } else { 0 }
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
