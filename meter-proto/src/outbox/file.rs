//! A file as flash, so that [`FlashStore`](super::FlashStore) keeps its records on a disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::vec;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

/// Bytes of a page.
const PAGE: usize = 4096;

/// A file of fixed length; every write and erase is on the disk when it returns.
#[derive(Debug)]
pub struct FileFlash {
    file: File,
    capacity: usize,
}

/// Why the file did not take or give bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileError(pub io::ErrorKind);

impl core::fmt::Display for FileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the file of waiting records: {}", self.0)
    }
}

impl core::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self(error.kind())
    }
}

impl NorFlashError for FileError {
    fn kind(&self) -> NorFlashErrorKind {
        match self.0 {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => {
                NorFlashErrorKind::OutOfBounds
            }
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl FileFlash {
    /// Opens the file, or makes it: so many pages of 4 KiB, erased. An existing file is never shortened.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path, pages: usize) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let capacity = pages.saturating_mul(PAGE);
        if len < capacity {
            file.seek(SeekFrom::End(0))?;
            file.write_all(&vec![0xFF; capacity - len])?;
            file.sync_all()?;
        }
        Ok(Self { file, capacity })
    }

    fn seek(&mut self, offset: u32, len: usize) -> Result<(), FileError> {
        let end = (offset as usize).checked_add(len);
        if end.is_none_or(|end| end > self.capacity) {
            return Err(FileError(io::ErrorKind::InvalidInput));
        }
        self.file.seek(SeekFrom::Start(u64::from(offset)))?;
        Ok(())
    }
}

impl ErrorType for FileFlash {
    type Error = FileError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.seek(offset, bytes.len())?;
        Ok(self.file.read_exact(bytes)?)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        for page in (from..to).step_by(PAGE) {
            self.write(page, &[0xFF; PAGE])?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        self.seek(offset, bytes.len())?;
        self.file.write_all(bytes)?;
        Ok(self.file.sync_data()?)
    }
}
