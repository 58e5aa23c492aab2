//! NOR flash in memory that can lose its power at any step.
//!
//! A step is one word programmed or one page erased. [`Flash::cut`] says at which step the power
//! goes and how; from then on every operation fails until [`Flash::restore`]. Bits can only be
//! cleared by a write and set by an erase, as in the real part.

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

use crate::Rng;

/// Where the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Ahead of step `n` (the first is 0): nothing of it happens.
    Before(u64),
    /// In step `n`: some bits of the word are programmed, or the page is partly erased.
    Inside(u64),
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError {
    /// The power is gone; the operation did nothing, or only a part.
    PowerLost,
    /// The address or length does not fit the word or page size.
    NotAligned,
    /// The range ends behind the flash.
    OutOfBounds,
}

impl core::fmt::Display for FlashError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            FlashError::PowerLost => "the power is gone",
            FlashError::NotAligned => "address or length is not a multiple of the word or page",
            FlashError::OutOfBounds => "the range ends behind the flash",
        })
    }
}

impl core::error::Error for FlashError {}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            FlashError::PowerLost => NorFlashErrorKind::Other,
            FlashError::NotAligned => NorFlashErrorKind::NotAligned,
            FlashError::OutOfBounds => NorFlashErrorKind::OutOfBounds,
        }
    }
}

/// The flash: pages of `PAGE` bytes, programmed in words of `WORD` bytes.
#[derive(Clone, Debug)]
pub struct Flash<const PAGE: usize = 4096, const WORD: usize = 4> {
    bytes: Vec<u8>,
    erases: Vec<u32>,
    steps: u64,
    cut: Option<Cut>,
    lost: bool,
    rng: Rng,
}

impl<const PAGE: usize, const WORD: usize> Flash<PAGE, WORD> {
    /// An erased flash of so many pages; `seed` decides what a torn word holds.
    pub fn new(pages: usize, seed: u64) -> Self {
        Flash {
            bytes: vec![0xFF; pages * PAGE],
            erases: vec![0; pages],
            steps: 0,
            cut: None,
            lost: false,
            rng: Rng::new(seed),
        }
    }

    /// Plans the power cut, counted from the steps done so far: `Cut::Before(0)` is the next step.
    pub fn cut(&mut self, cut: Cut) {
        self.cut = Some(match cut {
            Cut::Before(n) => Cut::Before(self.steps + n),
            Cut::Inside(n) => Cut::Inside(self.steps + n),
        });
    }

    /// Brings the power back and forgets the planned cut; torn contents stay.
    pub fn restore(&mut self) {
        self.lost = false;
        self.cut = None;
    }

    /// True between a cut and [`Flash::restore`].
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Words programmed and pages erased so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How often each page was erased: the wear.
    pub fn erases(&self) -> &[u32] {
        &self.erases
    }

    /// The raw contents.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The raw contents, to spoil them by hand.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn span(&self, offset: u32, length: usize, unit: usize) -> Result<usize, FlashError> {
        let offset = offset as usize;
        if !offset.is_multiple_of(unit) || !length.is_multiple_of(unit) {
            return Err(FlashError::NotAligned);
        }
        match offset.checked_add(length) {
            Some(end) if end <= self.bytes.len() => Ok(offset),
            _ => Err(FlashError::OutOfBounds),
        }
    }

    /// Counts a step; says whether it happens in full, or tears.
    fn step(&mut self) -> Result<bool, FlashError> {
        if self.lost {
            return Err(FlashError::PowerLost);
        }
        let now = self.steps;
        match self.cut {
            Some(Cut::Before(n)) if n == now => {
                self.lost = true;
                Err(FlashError::PowerLost)
            }
            Some(Cut::Inside(n)) if n == now => {
                self.lost = true;
                Ok(false)
            }
            _ => {
                self.steps += 1;
                Ok(true)
            }
        }
    }

    fn read_at(&self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        if self.lost {
            return Err(FlashError::PowerLost);
        }
        let at = self.span(offset, bytes.len(), 1)?;
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn write_at(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let at = self.span(offset, bytes.len(), WORD)?;
        for (i, word) in bytes.chunks(WORD).enumerate() {
            let whole = self.step()?;
            for (j, &byte) in word.iter().enumerate() {
                // A torn word has some of its bits programmed and the others not yet.
                let not_yet = if whole { 0 } else { self.rng.byte() };
                self.bytes[at + i * WORD + j] &= byte | not_yet;
            }
            if !whole {
                return Err(FlashError::PowerLost);
            }
        }
        Ok(())
    }

    fn erase_at(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        let length = (to as usize)
            .checked_sub(from as usize)
            .ok_or(FlashError::OutOfBounds)?;
        let at = self.span(from, length, PAGE)?;
        for page in at / PAGE..(at + length) / PAGE {
            let whole = self.step()?;
            let rng = &mut self.rng;
            for byte in &mut self.bytes[page * PAGE..(page + 1) * PAGE] {
                *byte |= if whole { 0xFF } else { rng.byte() };
            }
            self.erases[page] += 1;
            if !whole {
                return Err(FlashError::PowerLost);
            }
        }
        Ok(())
    }
}

impl<const PAGE: usize, const WORD: usize> ErrorType for Flash<PAGE, WORD> {
    type Error = FlashError;
}

impl<const PAGE: usize, const WORD: usize> ReadNorFlash for Flash<PAGE, WORD> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.read_at(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const PAGE: usize, const WORD: usize> NorFlash for Flash<PAGE, WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        self.erase_at(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.write_at(offset, bytes)
    }
}

impl<const PAGE: usize, const WORD: usize> MultiwriteNorFlash for Flash<PAGE, WORD> {}

impl<const PAGE: usize, const WORD: usize> embedded_storage_async::nor_flash::ReadNorFlash
    for Flash<PAGE, WORD>
{
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.read_at(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const PAGE: usize, const WORD: usize> embedded_storage_async::nor_flash::NorFlash
    for Flash<PAGE, WORD>
{
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        self.erase_at(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.write_at(offset, bytes)
    }
}

impl<const PAGE: usize, const WORD: usize> embedded_storage_async::nor_flash::MultiwriteNorFlash
    for Flash<PAGE, WORD>
{
}

#[cfg(test)]
mod tests {
    use super::{Cut, Flash, FlashError};
    use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

    type Small = Flash<64, 4>;

    #[test]
    fn bits_only_fall_until_an_erase() {
        let mut flash = Small::new(2, 1);
        flash.write(0, &[0x0F; 4]).unwrap();
        flash.write(0, &[0xFF; 4]).unwrap();
        assert_eq!(flash.bytes()[..4], [0x0F; 4]);
        flash.erase(0, 64).unwrap();
        assert_eq!(flash.bytes()[..4], [0xFF; 4]);
        assert_eq!(flash.erases(), [1, 0]);
        assert_eq!(flash.write(1, &[0; 4]), Err(FlashError::NotAligned));
        assert_eq!(flash.write(128, &[0; 4]), Err(FlashError::OutOfBounds));
    }

    #[test]
    fn power_goes_before_or_inside_a_word() {
        let mut flash = Small::new(1, 1);
        flash.cut(Cut::Before(1));
        assert_eq!(flash.write(0, &[0; 8]), Err(FlashError::PowerLost));
        assert_eq!(flash.read(0, &mut [0]), Err(FlashError::PowerLost));
        flash.restore();
        assert_eq!(flash.bytes()[..8], [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        flash.cut(Cut::Inside(0));
        assert_eq!(flash.write(4, &[0; 4]), Err(FlashError::PowerLost));
        assert!(flash.is_lost());
        assert!(flash.bytes()[4..8].iter().any(|&b| b != 0xFF && b != 0));
    }
}
