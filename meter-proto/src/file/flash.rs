//! A file on NOR flash.
//!
//! ```text
//! head page | pages of marks: one word each | content
//! ```
//!
//! The head is the offer as a compact message with its length and check; it is written last when a file begins and
//! erased first, so it stands only over clean marks. A mark is written when the page it speaks of is whole; a torn mark
//! counts, because all before it was durable. A page without a mark is erased before it is filled.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use super::FileStore;
use crate::compact;
use crate::link::crc32c;
use crate::message::{FileOffer, Head};
use crate::time::{ClockQuality, Stamp};

/// Room for length, check and offer.
const HEAD_MAX: usize = 512;
const HEAD_PREFIX: usize = 8;
/// Flash is written in pieces of this length; a multiple of every word in use.
const PIECE: usize = 64;

/// Why the flash did not take or give a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlashFileError<E> {
    /// The flash itself.
    Flash(E),
    /// The range is too small, not aligned, or its words are larger than 64 bytes.
    Layout,
    /// Outside the content, or not at a multiple of a word.
    Range,
}

impl<E: fmt::Debug> fmt::Display for FlashFileError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash failed: {error:?}"),
            Self::Layout => f.write_str("the range of the file does not fit the flash"),
            Self::Range => f.write_str("outside the file"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for FlashFileError<E> {}

/// A [`FileStore`] on a range of NOR flash.
#[derive(Debug)]
pub struct FlashFile<F> {
    flash: F,
    start: u32,
    mark_pages: u32,
    content_pages: u32,
}

type Failed<F> = FlashFileError<<F as embedded_storage::nor_flash::ErrorType>::Error>;

impl<F: NorFlash> FlashFile<F> {
    const PAGE: u32 = F::ERASE_SIZE as u32;
    const UNIT: usize = if F::READ_SIZE > F::WRITE_SIZE {
        F::READ_SIZE
    } else {
        F::WRITE_SIZE
    };

    /// Uses `pages` erase pages from offset `start` on: one for the head, a few for marks, the rest for content.
    ///
    /// # Errors
    /// [`FlashFileError::Layout`].
    pub fn try_new(flash: F, start: u32, pages: u32) -> Result<Self, Failed<F>> {
        let marks_in_page = (Self::PAGE as usize / Self::UNIT.max(1)) as u32;
        let rest = pages.saturating_sub(1);
        // Each page of marks serves so many pages of content.
        let mark_pages = rest.div_ceil(marks_in_page.saturating_add(1));
        let end = pages
            .checked_mul(Self::PAGE)
            .and_then(|len| start.checked_add(len));
        let fits = end.is_some_and(|end| end as usize <= flash.capacity())
            && start.is_multiple_of(Self::PAGE)
            && Self::PAGE as usize >= HEAD_MAX
            && PIECE.is_multiple_of(Self::UNIT.max(1))
            && rest > mark_pages;
        if !fits {
            return Err(FlashFileError::Layout);
        }
        Ok(Self {
            flash,
            start,
            mark_pages,
            content_pages: rest.saturating_sub(mark_pages),
        })
    }

    /// The flash, for looking at its state.
    pub const fn flash(&self) -> &F {
        &self.flash
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn page_at(&self, page: u32) -> u32 {
        self.start.saturating_add(page.saturating_mul(Self::PAGE))
    }

    fn mark_at(&self, page: u32) -> u32 {
        self.page_at(1)
            .saturating_add(page.saturating_mul(Self::UNIT as u32))
    }

    fn content_at(&self, offset: u32) -> u32 {
        self.page_at(self.mark_pages.saturating_add(1))
            .saturating_add(offset)
    }

    fn erase(&mut self, from: u32, pages: u32) -> Result<(), Failed<F>> {
        let end = from.saturating_add(pages.saturating_mul(Self::PAGE));
        self.flash.erase(from, end).map_err(FlashFileError::Flash)
    }

    /// Writes bytes, filled up to a whole word.
    fn put(&mut self, mut at: u32, bytes: &[u8]) -> Result<(), Failed<F>> {
        for part in bytes.chunks(PIECE) {
            let mut piece = [0xFF; PIECE];
            let padded = part.len().next_multiple_of(Self::UNIT);
            let (Some(place), true) = (piece.get_mut(..part.len()), padded <= PIECE) else {
                return Err(FlashFileError::Layout);
            };
            place.copy_from_slice(part);
            let piece = piece.get(..padded).unwrap_or_default();
            self.flash.write(at, piece).map_err(FlashFileError::Flash)?;
            at = at.saturating_add(padded as u32);
        }
        Ok(())
    }

    /// Reads bytes that begin at a multiple of a word.
    fn fetch(&mut self, mut at: u32, out: &mut [u8]) -> Result<(), Failed<F>> {
        for part in out.chunks_mut(PIECE) {
            let mut piece = [0; PIECE];
            let padded = part.len().next_multiple_of(Self::UNIT);
            let whole = piece.get_mut(..padded).ok_or(FlashFileError::Layout)?;
            self.flash.read(at, whole).map_err(FlashFileError::Flash)?;
            for (to, from) in part.iter_mut().zip(whole) {
                *to = *from;
            }
            at = at.saturating_add(padded as u32);
        }
        Ok(())
    }
}

impl<F: NorFlash> FileStore for FlashFile<F> {
    type Error = Failed<F>;

    fn capacity(&self) -> u32 {
        self.content_pages.saturating_mul(Self::PAGE)
    }

    fn page_size(&self) -> u32 {
        Self::PAGE
    }

    fn offer(&mut self) -> Result<Option<FileOffer>, Self::Error> {
        let mut head = [0; HEAD_MAX];
        self.fetch(self.start, &mut head)?;
        let offer = head
            .split_first_chunk::<HEAD_PREFIX>()
            .and_then(|(prefix, rest)| {
                let [a, b, c, d, e, f, g, h] = *prefix;
                let bytes = rest.get(..u32::from_le_bytes([a, b, c, d]) as usize)?;
                let whole = crc32c(bytes) == u32::from_le_bytes([e, f, g, h]);
                let offer = compact::decode_as::<FileOffer>(bytes).ok()?.1;
                whole.then_some(offer)
            });
        Ok(offer)
    }

    fn begin(&mut self, offer: Option<&FileOffer>) -> Result<(), Self::Error> {
        self.erase(self.start, 1)?;
        let Some(offer) = offer else {
            return Ok(());
        };
        self.erase(self.page_at(1), self.mark_pages)?;
        let mut head = [0xFF; HEAD_MAX];
        let (prefix, rest) = head
            .split_first_chunk_mut::<HEAD_PREFIX>()
            .ok_or(FlashFileError::Layout)?;
        let session = Head::session(0, Stamp::from_seconds(0, ClockQuality::NEVER_SET));
        let len = compact::encode_as(&session, offer, rest).map_err(|_| FlashFileError::Layout)?;
        let check = crc32c(rest.get(..len).unwrap_or_default());
        let numbers = (len as u32)
            .to_le_bytes()
            .into_iter()
            .chain(check.to_le_bytes());
        for (place, byte) in prefix.iter_mut().zip(numbers) {
            *place = byte;
        }
        self.put(
            self.start,
            head.get(..HEAD_PREFIX + len).unwrap_or_default(),
        )
    }

    fn is_whole(&mut self, page: u32) -> Result<bool, Self::Error> {
        let mut mark = [0xFF; PIECE];
        let at = self.mark_at(page);
        let mark = mark.get_mut(..Self::UNIT).ok_or(FlashFileError::Layout)?;
        self.flash.read(at, mark).map_err(FlashFileError::Flash)?;
        Ok(page < self.content_pages && mark.iter().any(|byte| *byte != 0xFF))
    }

    fn clear_page(&mut self, page: u32) -> Result<(), Self::Error> {
        if page >= self.content_pages {
            return Err(FlashFileError::Range);
        }
        self.erase(self.content_at(page.saturating_mul(Self::PAGE)), 1)
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), Self::Error> {
        let end = u32::try_from(data.len())
            .ok()
            .and_then(|len| offset.checked_add(len));
        if end.is_none_or(|end| end > self.capacity()) {
            return Err(FlashFileError::Range);
        }
        self.put(self.content_at(offset), data)
    }

    fn mark_whole(&mut self, page: u32) -> Result<(), Self::Error> {
        if page >= self.content_pages {
            return Err(FlashFileError::Range);
        }
        let mark = [0; PIECE];
        let mark = mark.get(..Self::UNIT).unwrap_or_default();
        self.flash
            .write(self.mark_at(page), mark)
            .map_err(FlashFileError::Flash)
    }

    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error> {
        let end = u32::try_from(out.len())
            .ok()
            .and_then(|len| offset.checked_add(len));
        let aligned = (offset as usize).is_multiple_of(Self::UNIT.max(1));
        if !aligned || end.is_none_or(|end| end > self.capacity()) {
            return Err(FlashFileError::Range);
        }
        self.fetch(self.content_at(offset), out)
    }
}
