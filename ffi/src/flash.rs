//! Flash of the caller, behind callbacks.

use core::ffi::c_void;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

use crate::border::{Checked, Plain};
use crate::result::mtr_result;

/// Every write is of a multiple of so many bytes, at a multiple of so many: words of a chip that are 1, 2, 4, 8 or 16
/// bytes long. No word is written twice between two erases.
pub const MTR_FLASH_WORD: u32 = 16;
/// Bytes of a page as journal and outbox use it; see mtr_flash.
pub const MTR_FLASH_PAGE: u32 = 2048;

/// Flash of the caller. Every callback answers 0 when it is done, anything else when it is not; after a power cut what it
/// was at may be half done.
///
/// Journal and outbox work with pages of MTR_FLASH_PAGE bytes. Of longer erase pages they use the first MTR_FLASH_PAGE
/// bytes, of shorter ones, which must divide that, several at a time.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_flash {
    /// Handed to the callbacks as it is.
    pub context: *mut c_void,
    /// Reads `len` bytes at `offset`.
    pub read: Option<
        unsafe extern "C" fn(context: *mut c_void, offset: u32, bytes: *mut u8, len: usize) -> i32,
    >,
    /// Writes `len` bytes at `offset`, a multiple of MTR_FLASH_WORD both, to erased flash. Where an erase was cut the
    /// flash may only look erased: then it may be refused, or come out wrong; what is written is read back.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u32,
            bytes: *const u8,
            len: usize,
        ) -> i32,
    >,
    /// Erases the page that begins at `offset`, to FF.
    pub erase: Option<unsafe extern "C" fn(context: *mut c_void, offset: u32) -> i32>,
    /// Bytes of an erase page: a divisor of MTR_FLASH_PAGE from 128, or a multiple of MTR_FLASH_WORD above it.
    pub page: u32,
    /// Number of erase pages. A journal wants an even number of pages of MTR_FLASH_PAGE bytes, at least 4.
    pub pages: u32,
}

// SAFETY: a raw pointer, nullable functions, integers.
unsafe impl Plain for mtr_flash {}

/// The caller's flash with every callback there.
#[derive(Debug)]
pub struct Chip {
    flash: mtr_flash,
    /// Distance of two of our pages.
    stride: u32,
    /// Number of them.
    pages: u32,
}

/// A callback failed, or was asked for what the flash does not have.
#[derive(Debug)]
pub struct ChipError(NorFlashErrorKind);

impl NorFlashError for ChipError {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

const OUT: ChipError = ChipError(NorFlashErrorKind::OutOfBounds);
const FAILED: ChipError = ChipError(NorFlashErrorKind::Other);

impl Chip {
    /// MTR_ERR_CALLBACK without one of the callbacks, MTR_ERR_PARAMETER when the pages do not fit ours.
    pub fn new(flash: mtr_flash) -> Checked<Self> {
        if flash.read.is_none() || flash.write.is_none() || flash.erase.is_none() {
            return Err(mtr_result::MTR_ERR_CALLBACK);
        }
        let mtr_flash { page, pages, .. } = flash;
        let (stride, pages) = if page >= MTR_FLASH_PAGE && page.is_multiple_of(MTR_FLASH_WORD) {
            (page, pages)
        } else if page >= 128 && MTR_FLASH_PAGE.is_multiple_of(page) {
            let together = MTR_FLASH_PAGE.checked_div(page).unwrap_or_default();
            if pages.checked_rem(together) != Some(0) {
                return Err(mtr_result::MTR_ERR_PARAMETER);
            }
            (
                MTR_FLASH_PAGE,
                pages.checked_div(together).unwrap_or_default(),
            )
        } else {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        };
        // Our addresses and the caller's are 32 bits.
        stride
            .checked_mul(pages)
            .ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        Ok(Chip {
            flash,
            stride,
            pages,
        })
    }

    /// Number of our pages.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// First byte behind them.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.pages.saturating_mul(MTR_FLASH_PAGE)
    }

    /// Where a byte of ours is on the caller's flash.
    fn place(&self, offset: u32) -> u32 {
        (offset / MTR_FLASH_PAGE)
            .saturating_mul(self.stride)
            .saturating_add(offset % MTR_FLASH_PAGE)
    }

    /// The first `len` bytes from `offset` that lie in one page.
    fn step(offset: u32, len: usize) -> usize {
        let rest = MTR_FLASH_PAGE - offset % MTR_FLASH_PAGE;
        len.min(rest as usize)
    }

    fn check(&self, offset: u32, len: usize) -> Result<(), ChipError> {
        let end = u32::try_from(len)
            .ok()
            .and_then(|len| offset.checked_add(len));
        if end.is_some_and(|end| end <= self.end()) {
            Ok(())
        } else {
            Err(OUT)
        }
    }
}

impl ErrorType for Chip {
    type Error = ChipError;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.check(offset, bytes.len())?;
        let read = self.flash.read.ok_or(FAILED)?;
        let (mut offset, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (now, later) = rest
                .split_at_mut_checked(Self::step(offset, rest.len()))
                .ok_or(OUT)?;
            let place = self.place(offset);
            // SAFETY: the caller's function keeps to the header; the bytes are ours for the call.
            if unsafe { read(self.flash.context, place, now.as_mut_ptr(), now.len()) } != 0 {
                return Err(FAILED);
            }
            offset = offset.saturating_add(now.len() as u32);
            rest = later;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.end() as usize
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = MTR_FLASH_WORD as usize;
    const ERASE_SIZE: usize = MTR_FLASH_PAGE as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        self.check(from, to.checked_sub(from).ok_or(OUT)? as usize)?;
        let erase = self.flash.erase.ok_or(FAILED)?;
        let mut offset = from;
        while offset < to {
            // SAFETY: the caller's function keeps to the header.
            if unsafe { erase(self.flash.context, self.place(offset)) } != 0 {
                return Err(FAILED);
            }
            offset = offset.saturating_add(self.flash.page.min(MTR_FLASH_PAGE));
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.check(offset, bytes.len())?;
        let write = self.flash.write.ok_or(FAILED)?;
        let (mut offset, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (now, later) = rest
                .split_at_checked(Self::step(offset, rest.len()))
                .ok_or(OUT)?;
            let place = self.place(offset);
            // SAFETY: the caller's function keeps to the header; the bytes are live for the call.
            if unsafe { write(self.flash.context, place, now.as_ptr(), now.len()) } != 0 {
                return Err(FAILED);
            }
            offset = offset.saturating_add(now.len() as u32);
            rest = later;
        }
        Ok(())
    }
}
