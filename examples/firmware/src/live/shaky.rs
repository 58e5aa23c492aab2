//! Flash under the journal that breaks down once, so that the way back from a panic can be seen.
//!
//! The journal crate holds panics that nobody has seen happen. Here one happens at the worst place: within a write that
//! the journal makes, with a part of its bytes on flash. An image that is not shaky links nothing of it.

use core::sync::atomic::{AtomicU32, Ordering};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

/// Writes from [`arm`] to the one that breaks: in the middle of the second record.
const WRITES: u32 = 7;

/// Writes still to come; 0 when not armed.
static LEFT: AtomicU32 = AtomicU32::new(0);

/// From now on the writes are counted.
pub(super) fn arm() {
    LEFT.store(WRITES, Ordering::Relaxed);
}

/// A flash that may be shaky.
#[derive(Debug)]
pub(super) struct Flash<F, const SHAKY: bool>(pub F);

impl<F: NorFlash, const SHAKY: bool> ErrorType for Flash<F, SHAKY> {
    type Error = F::Error;
}

impl<F: NorFlash, const SHAKY: bool> ReadNorFlash for Flash<F, SHAKY> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash, const SHAKY: bool> NorFlash for Flash<F, SHAKY> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        if SHAKY {
            let left = LEFT.load(Ordering::Relaxed);
            LEFT.store(left.saturating_sub(1), Ordering::Relaxed);
            if left == 1 {
                let (part, _) =
                    bytes.split_at(bytes.len() / 2 / Self::WRITE_SIZE * Self::WRITE_SIZE);
                self.0.write(offset, part)?;
                panic!("the flash breaks down within a write, as the argument asked");
            }
        }
        self.0.write(offset, bytes)
    }
}
