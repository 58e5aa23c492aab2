//! The one seam to whatever keeps bytes when the power is off.
//!
//! A meter hands out whole, versioned records under a [`Key`]; a [`Store`] keeps the newest whole record of
//! each key. Power may go at any moment: after it, a read gives the record before or after the write that was
//! cut, never a mixture.
//!
//! [`FlashStore`] keeps them on flash, in two journals with a check sum per record, written one after the
//! other. [`wear`] tells how long that flash lasts.

mod flash;
pub mod wear;

pub use flash::FlashStore;

/// Longest record, bytes.
pub const MAX_RECORD: usize = 1280;

/// Name of a record; its owner plans the names.
pub type Key = u16;

/// Why a record could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The memory refused a write or lost its power.
    Write,
    /// The memory could not be read.
    Read,
    /// The record does not fit into [`MAX_RECORD`] or the caller's buffer.
    TooLong {
        /// Bytes of the record.
        found: usize,
    },
    /// No room is left.
    Full,
}

impl core::fmt::Display for StoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            StoreError::Write => f.write_str("the record could not be written"),
            StoreError::Read => f.write_str("the record could not be read"),
            StoreError::TooLong { found } => write!(f, "a record of {found} bytes is too long"),
            StoreError::Full => f.write_str("the store is full"),
        }
    }
}

impl core::error::Error for StoreError {}

/// Keeps the newest whole record of each key.
pub trait Store {
    /// Copies the record of `key` to the start of `into` and tells its length; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Read`], or [`StoreError::TooLong`] when `into` is too short.
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError>;

    /// Makes `record` the record of `key`. When this returns, it survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Write`], [`StoreError::Full`] or [`StoreError::TooLong`]; the old record then stays.
    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError>;

    /// Forgets the record of `key`.
    ///
    /// # Errors
    /// As [`Store::write`].
    fn remove(&mut self, key: Key) -> Result<(), StoreError>;
}

impl<S: Store + ?Sized> Store for &mut S {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        (**self).read(key, into)
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        (**self).write(key, record)
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        (**self).remove(key)
    }
}
