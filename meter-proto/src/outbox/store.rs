//! Where records wait, under which names, and how many.

use crate::message::Stream;

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

    /// Whether a record of so many bytes would find room now. A store whose room is more than the sum of the quotas
    /// need not say more.
    ///
    /// # Errors
    /// The store's own.
    fn has_room(&mut self, stream: Stream, len: usize) -> Result<bool, Self::Error> {
        let _ = (stream, len);
        Ok(true)
    }
}

/// A number of records and of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Records.
    pub records: u32,
    /// Bytes of their messages.
    pub bytes: u32,
}

impl Quota {
    /// Nothing.
    pub const NONE: Self = Self {
        records: 0,
        bytes: 0,
    };
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
