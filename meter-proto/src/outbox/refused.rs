//! Why a record was not taken.

use core::fmt;

use crate::error::Error;

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
