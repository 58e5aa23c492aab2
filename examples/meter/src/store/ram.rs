//! Flash in memory, for boards without a flash controller of their own.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

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
