//! The chip of the smaller board: its own flash behind its controller.

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use crate::setup::METERING_FLASH;

/// Start and length of the flash behind the program: `boards/microbit.x` leaves it out.
const START: usize = 0x2_A000;
const LENGTH: usize = METERING_FLASH;
const _: () = assert!(START + LENGTH == 256 * 1024);
/// One page of the chip; the store sees pairs, so that the longest record fits.
const CHIP_PAGE: u32 = 1024;

const READY: usize = 0x4001_E400;
const CONFIG: usize = 0x4001_E504;
const ERASE_PAGE: usize = 0x4001_E508;
const READ_ONLY: u32 = 0;
const WRITE: u32 = 1;
const ERASE: u32 = 2;

/// The part of the chip's flash that keeps records.
#[derive(Debug)]
pub struct Flash(());

/// Flash of the metering core's records, erased: a new meter. `None` when the controller refuses.
#[must_use]
pub fn metering_flash() -> Option<Flash> {
    let mut flash = Flash(());
    flash.erase(0, LENGTH as u32).ok()?;
    Some(flash)
}

/// Why the flash refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashError(NorFlashErrorKind);

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl From<NorFlashErrorKind> for FlashError {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self(kind)
    }
}

impl ErrorType for Flash {
    type Error = FlashError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len())?;
        let from = with_exposed_provenance::<u8>(START + offset as usize);
        for (number, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: `check_read` keeps the address within the flash that is ours, readable at any time.
            *byte = unsafe { from.add(number).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        LENGTH
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 2 * CHIP_PAGE as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to)?;
        set(CONFIG, ERASE);
        for page in (from..to).step_by(CHIP_PAGE as usize) {
            set(ERASE_PAGE, START as u32 + page);
            wait();
        }
        set(CONFIG, READ_ONLY);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len())?;
        set(CONFIG, WRITE);
        for (number, word) in bytes.as_chunks().0.iter().enumerate() {
            let to = with_exposed_provenance_mut::<u32>(START + offset as usize + 4 * number);
            // SAFETY: `check_write` keeps the address aligned and within the flash behind the program, in which
            // no object of the program lies; the controller takes words while CONFIG says so.
            unsafe { to.write_volatile(u32::from_le_bytes(*word)) };
            wait();
        }
        set(CONFIG, READ_ONLY);
        Ok(())
    }
}

fn wait() {
    // SAFETY: a register of the flash controller that may be read at any time.
    while unsafe { with_exposed_provenance::<u32>(READY).read_volatile() } & 1 == 0 {}
}

fn set(register: usize, value: u32) {
    // SAFETY: callers name registers of the flash controller and erase only pages behind the program.
    unsafe { with_exposed_provenance_mut::<u32>(register).write_volatile(value) }
}
