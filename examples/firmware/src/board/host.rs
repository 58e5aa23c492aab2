//! Files and texts of the host behind the emulator.

use cortex_m_semihosting::{nr, syscall};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Flash is moved in pieces of this length; a page is a multiple of it.
const PIECE: usize = 256;

/// A text or file of the host.
#[derive(Debug)]
pub(super) struct Host {
    handle: usize,
}

impl Host {
    /// Opens `name`, which ends with a zero byte, in a mode of [`nr::open`].
    pub(super) fn open(name: &core::ffi::CStr, mode: usize) -> Option<Self> {
        let bytes = name.to_bytes();
        // SAFETY: OPEN reads the name of the given length and its ending zero, which `CStr` holds, and writes nothing.
        let handle = unsafe { syscall!(OPEN, bytes.as_ptr(), mode, bytes.len()) };
        (handle != usize::MAX).then_some(Self { handle })
    }

    /// Reads until `into` is full or the file ends; the number of bytes.
    pub(super) fn read(&mut self, into: &mut [u8]) -> usize {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            // SAFETY: READ writes at most `rest.len()` bytes from the start of `rest`, which is borrowed alone.
            let missing = unsafe { syscall!(READ, self.handle, rest.as_mut_ptr(), rest.len()) };
            let got = rest.len().saturating_sub(missing);
            if got == 0 {
                break;
            }
            done += got;
        }
        done
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> core::fmt::Result {
        // SAFETY: WRITE only reads `bytes`.
        let missing = unsafe { syscall!(WRITE, self.handle, bytes.as_ptr(), bytes.len()) };
        if missing == 0 {
            Ok(())
        } else {
            Err(core::fmt::Error)
        }
    }

    /// Goes to a place counted from the start; `false` when there is none.
    pub(super) fn seek(&mut self, to: usize) -> bool {
        // SAFETY: SEEK touches no memory of the image beside its two arguments.
        unsafe { syscall!(SEEK, self.handle, to) == 0 }
    }
}

/// Whether the host has such a file.
#[must_use]
pub fn exists(name: &core::ffi::CStr) -> bool {
    Host::open(name, nr::open::R_BINARY).is_some_and(|file| {
        // SAFETY: CLOSE ends the use of the handle, which nobody else holds.
        let _ = unsafe { syscall!(CLOSE, file.handle) };
        true
    })
}

/// Flash kept in a file of the host, so that it outlives the emulator: `N` bytes in pages of 2 KiB, words of four bytes.
///
/// The file has its whole length from the start. As in a chip, a write clears bits and an erase sets them.
#[derive(Debug)]
pub struct HostFlash<const N: usize>(Host);

impl<const N: usize> HostFlash<N> {
    /// The flash in a file; `None` when the host has none of that name.
    #[must_use]
    pub fn open(name: &core::ffi::CStr) -> Option<Self> {
        Host::open(name, nr::open::RW_BINARY).map(Self)
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let done = self.0.seek(at) && self.0.write(bytes).is_ok();
        done.then_some(()).ok_or(NorFlashErrorKind::Other)
    }
}

impl<const N: usize> ErrorType for HostFlash<N> {
    type Error = NorFlashErrorKind;
}

impl<const N: usize> ReadNorFlash for HostFlash<N> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let whole = self.0.seek(offset as usize) && self.0.read(bytes) == bytes.len();
        whole.then_some(()).ok_or(NorFlashErrorKind::Other)
    }

    fn capacity(&self) -> usize {
        N
    }
}

impl<const N: usize> NorFlash for HostFlash<N> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 2048;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        let blank = [0xFF; PIECE];
        for at in (from as usize..to as usize).step_by(PIECE) {
            self.put(at, &blank)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (number, part) in (0usize..).zip(bytes.chunks(PIECE)) {
            let at = (offset as usize).saturating_add(number.saturating_mul(PIECE));
            let mut piece = [0; PIECE];
            let piece = piece.get_mut(..part.len()).unwrap_or_default();
            self.read(at as u32, piece)?;
            for (cell, byte) in piece.iter_mut().zip(part) {
                *cell &= byte;
            }
            self.put(at, piece)?;
        }
        Ok(())
    }
}
