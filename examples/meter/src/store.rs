//! The one seam to whatever keeps bytes when the power is off.
//!
//! Both cores hand out whole, versioned records under a [`Key`]; a [`Store`] keeps the newest whole record of
//! each key. Power may go at any moment: after it, a read gives the record before or after the write that was
//! cut, never a mixture.
//!
//! | store | where | how a write becomes whole |
//! |---|---|---|
//! | [`FlashStore`] | flash of a chip, simulated flash | journal with a check sum per record |
//! | `host::files::FileStore` | a folder | new file, flush, rename |

use embassy_futures::block_on;
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use embedded_storage_async::nor_flash as waiting;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

/// Longest record, bytes.
pub const MAX_RECORD: usize = 1024;

/// Name of a record; the plan of all names is in [`crate::records`].
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

/// Records on flash.
///
/// A removed record is an empty one: flash that cannot be written twice can then be used as well.
pub struct FlashStore<F: NorFlash> {
    map: MapStorage<Key, Waiting<F>, Cache<Uncached, Uncached, Uncached, Key>>,
    buffer: [u8; MAX_RECORD + 64],
}

impl<F: NorFlash> core::fmt::Debug for FlashStore<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FlashStore")
    }
}

impl<F: NorFlash> FlashStore<F> {
    /// Uses `range` of `flash`: at least two erase pages, aligned to them.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the range is too small or not aligned.
    pub fn try_new(flash: F, range: core::ops::Range<u32>) -> Result<Self, StoreError> {
        let config = MapConfig::try_new(range).map_err(|_| StoreError::Full)?;
        Ok(Self {
            map: MapStorage::new(Waiting(flash), config, Cache::new_uncached()),
            buffer: [0; MAX_RECORD + 64],
        })
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.map.destroy().0.0
    }
}

impl<F: NorFlash> Store for FlashStore<F> {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let found = block_on(self.map.fetch_item::<&[u8]>(&mut self.buffer, &key))
            .map_err(|_| StoreError::Read)?;
        let Some(record) = found.filter(|record| !record.is_empty()) else {
            return Ok(None);
        };
        let length = record.len();
        into.get_mut(..length)
            .ok_or(StoreError::TooLong { found: length })?
            .copy_from_slice(record);
        Ok(Some(length))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        if record.len() > MAX_RECORD {
            return Err(StoreError::TooLong {
                found: record.len(),
            });
        }
        block_on(self.map.store_item(&mut self.buffer, &key, &record)).map_err(
            |error| match error {
                sequential_storage::Error::FullStorage => StoreError::Full,
                _ => StoreError::Write,
            },
        )
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        let kept = block_on(self.map.fetch_item::<&[u8]>(&mut self.buffer, &key))
            .map_err(|_| StoreError::Read)?;
        if kept.is_none_or(<[u8]>::is_empty) {
            Ok(())
        } else {
            self.write(key, &[])
        }
    }
}

/// Flash that is an array in memory: `N` bytes in pages of 2 KiB, words of four bytes.
///
/// Bits are only cleared by a write, as in a chip. It stands for the flash controller that a real board has.
#[derive(Clone, Debug)]
pub struct RamFlash<const N: usize> {
    bytes: [u8; N],
}

impl<const N: usize> Default for RamFlash<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> RamFlash<N> {
    /// Erased flash.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0xFF; N] }
    }

    fn part(&mut self, offset: u32, length: usize) -> Result<&mut [u8], OutOfRange> {
        let start = usize::try_from(offset).map_err(|_| OutOfRange)?;
        let end = start.checked_add(length).ok_or(OutOfRange)?;
        self.bytes.get_mut(start..end).ok_or(OutOfRange)
    }
}

/// An access beyond the end of a [`RamFlash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl NorFlashError for OutOfRange {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::OutOfBounds
    }
}

impl<const N: usize> ErrorType for RamFlash<N> {
    type Error = OutOfRange;
}

impl<const N: usize> ReadNorFlash for RamFlash<N> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), OutOfRange> {
        bytes.copy_from_slice(self.part(offset, bytes.len())?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        N
    }
}

impl<const N: usize> NorFlash for RamFlash<N> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 2048;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), OutOfRange> {
        let length = to
            .checked_sub(from)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or(OutOfRange)?;
        self.part(from, length)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), OutOfRange> {
        for (cell, byte) in self.part(offset, bytes.len())?.iter_mut().zip(bytes) {
            *cell &= byte;
        }
        Ok(())
    }
}

/// A flash whose operations end before they return, for a store that would wait for others.
struct Waiting<F>(F);

impl<F: NorFlash> ErrorType for Waiting<F> {
    type Error = F::Error;
}

impl<F: NorFlash> waiting::ReadNorFlash for Waiting<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> waiting::NorFlash for Waiting<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.0.write(offset, bytes)
    }
}
