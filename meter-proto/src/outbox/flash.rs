//! Waiting records on flash, safe against a power cut at any write or erase.
//!
//! Each stream has its own pages. A page is filled from its beginning; one in which nothing waits any more is erased
//! when the stream needs room, so pages wear evenly and a stream that is stuck takes no room from another.
//!
//! Behind the head of each record one word stays erased until the record is removed. What a cut can leave:
//! - A torn record fails its check: it never was. Nothing more is written to such a page.
//! - A torn removal counts as done, or the record comes once more and the receiver drops it.
//! - A torn erase leaves a page whose head fails its check, or records that had all been removed: they come once more.
//!   No other page is touched by it, and a page is always erased before it is used.
//!
//! This is a log of its own because the queues and maps that are at hand keep one order for all records and let a
//! torn erase hide records of other pages.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use super::flash_format::{
    PAGE_HEAD, RECORD_HEAD, RecordCheck, build_page_head, build_record_head, page_number,
    parse_record_head,
};
use super::{Key, OutboxStore, Quota};
use crate::message::Stream;

/// Flash is read and written in pieces of this length; a multiple of every word in use.
const PIECE: usize = 64;
/// Streams 0 to 5; stream 0 is not stored.
const STREAMS: usize = 6;

/// Why the flash did not take or give a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlashStoreError<E> {
    /// The flash itself.
    Flash(E),
    /// No page of the stream has room and none is free of waiting records.
    Full,
    /// The record is longer than a page holds.
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The most that fits.
        capacity: usize,
    },
    /// What was written does not read back: the page is worn out.
    Worn,
    /// The pages do not fit the flash, or its words are larger than 64 bytes.
    Layout,
}

impl<E: fmt::Debug> fmt::Display for FlashStoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash failed: {error:?}"),
            Self::Full => f.write_str("no page of the stream has room"),
            Self::TooLong { len, capacity } => {
                write!(
                    f,
                    "a record of {len} bytes is longer than the {capacity} of a page"
                )
            }
            Self::Worn => f.write_str("the flash does not keep what was written"),
            Self::Layout => f.write_str("the pages of the streams do not fit the flash"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for FlashStoreError<E> {}

/// What is known of a page without reading it.
#[derive(Clone, Copy, Debug, Default)]
struct Page {
    /// Its number, ascending with each use; 0 for a page that is not in use.
    number: u32,
    /// Where the next record goes.
    end: u32,
    /// Records that wait, and their bytes.
    waiting: u32,
    bytes: u32,
    /// Bounds of (boot, seq) of the records that wait or waited.
    low: (u32, u32),
    high: (u32, u32),
}

impl Page {
    fn add(&mut self, key: Key, len: u32) {
        let name = (key.boot, key.seq);
        if self.waiting == 0 {
            (self.low, self.high) = (name, name);
        }
        self.low = self.low.min(name);
        self.high = self.high.max(name);
        self.waiting = self.waiting.saturating_add(1);
        self.bytes = self.bytes.saturating_add(len);
    }
}

/// A record on a page.
#[derive(Clone, Copy, Debug)]
struct Record {
    key: Key,
    len: usize,
    /// Where its head is in the flash.
    at: u32,
    /// Number of its page.
    page: u32,
    /// Check of page number, head and bytes.
    check: u32,
    done: bool,
}

/// An [`OutboxStore`] on NOR flash; holds at most `PAGES` pages, 32 bytes of memory each.
#[derive(Debug)]
pub struct FlashStore<F, const PAGES: usize> {
    flash: F,
    /// Offset of the first page.
    start: u32,
    /// First page of each stream, and the end.
    bounds: [usize; STREAMS + 1],
    pages: [Page; PAGES],
    damaged: u32,
}

type Failed<F> = FlashStoreError<<F as embedded_storage::nor_flash::ErrorType>::Error>;

impl<F: NorFlash, const PAGES: usize> FlashStore<F, PAGES> {
    const UNIT: usize = {
        let larger = if F::READ_SIZE > F::WRITE_SIZE {
            F::READ_SIZE
        } else {
            F::WRITE_SIZE
        };
        if larger > 4 { larger } else { 4 }
    };
    const PAGE: usize = F::ERASE_SIZE;
    const HEAD: usize = PAGE_HEAD.next_multiple_of(Self::UNIT);
    /// Head and done word of a record.
    const FRAME: usize = RECORD_HEAD.next_multiple_of(Self::UNIT) + Self::UNIT;

    /// The longest record in bytes.
    pub const RECORD_MAX: usize = Self::PAGE.saturating_sub(Self::HEAD + Self::FRAME);

    /// Opens the log that begins at offset `start` and gives each stream the number of pages in `layout` (stream 0
    /// none). A stream needs two pages at least, or it can never make room while a record waits; its quota should stay
    /// one page below what it has, because a page is freed as a whole.
    ///
    /// # Errors
    /// [`FlashStoreError::Layout`] or [`FlashStoreError::Flash`].
    pub fn open(flash: F, start: u32, layout: [usize; STREAMS]) -> Result<Self, Failed<F>> {
        let mut bounds = [0; STREAMS + 1];
        let mut sum = 0usize;
        for (bound, pages) in bounds.iter_mut().skip(1).zip(layout) {
            sum = sum.saturating_add(pages);
            *bound = sum;
        }
        let end = sum
            .checked_mul(Self::PAGE)
            .and_then(|len| len.checked_add(start as usize));
        let fits = end.is_some_and(|end| end <= flash.capacity() && end <= u32::MAX as usize);
        let aligned = (start as usize).is_multiple_of(Self::PAGE)
            && PIECE.is_multiple_of(Self::UNIT)
            && u16::try_from(Self::RECORD_MAX).is_ok()
            && Self::RECORD_MAX > 0;
        if sum > PAGES || !fits || !aligned || layout.first() != Some(&0) {
            return Err(FlashStoreError::Layout);
        }
        let mut store = Self {
            flash,
            start,
            bounds,
            pages: [Page::default(); PAGES],
            damaged: 0,
        };
        for stream in (0..STREAMS as u8).map(Stream) {
            for index in store.pages_of(stream) {
                store.open_page(stream, index)?;
            }
        }
        Ok(store)
    }

    /// Places where opening or reading found bytes that are no record: what a power cut tore, or what wore out.
    #[must_use]
    pub const fn damaged(&self) -> u32 {
        self.damaged
    }

    /// The flash, for looking at its state.
    pub const fn flash(&self) -> &F {
        &self.flash
    }

    /// The flash, for what else lies on it; the store's pages are not to be touched.
    pub const fn flash_mut(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn pages_of(&self, stream: Stream) -> core::ops::Range<usize> {
        let slot = usize::from(stream.0);
        let bound = |slot: usize| self.bounds.get(slot).copied().unwrap_or(0);
        bound(slot)..bound(slot.saturating_add(1))
    }

    fn page(&self, index: usize) -> Page {
        self.pages.get(index).copied().unwrap_or_default()
    }

    fn offset(&self, index: usize) -> u32 {
        self.start.saturating_add((index * Self::PAGE) as u32)
    }

    fn read_flash(&mut self, at: u32, out: &mut [u8]) -> Result<(), Failed<F>> {
        self.flash.read(at, out).map_err(FlashStoreError::Flash)
    }

    fn open_page(&mut self, stream: Stream, index: usize) -> Result<(), Failed<F>> {
        let mut head = [0; PIECE];
        let Some(head) = head.get_mut(..Self::HEAD) else {
            return Err(FlashStoreError::Layout);
        };
        self.read_flash(self.offset(index), head)?;
        let Some(number) = page_number(head, stream) else {
            return Ok(());
        };
        let mut page = Page {
            number,
            ..Page::default()
        };
        let base = self.offset(index);
        let mut at = Self::HEAD;
        // Behind the last record everything must be erased, or nothing more may be written to this page.
        let mut clean = true;
        let mut end = at;
        while at < Self::PAGE {
            let place = base.saturating_add(at as u32);
            let Some(record) = self.record(stream, number, place, Self::PAGE - at)? else {
                let mut word = [0; PIECE];
                let word = word.get_mut(..Self::UNIT).unwrap_or_default();
                self.read_flash(place, word)?;
                let erased = word.iter().all(|byte| *byte == 0xFF);
                if clean && !erased {
                    self.damaged = self.damaged.saturating_add(1);
                }
                clean &= erased;
                at += Self::UNIT;
                continue;
            };
            at += Self::span(record.len);
            end = at;
            if record.done {
                continue;
            }
            if self.is_whole(&record)? {
                page.add(record.key, record.len as u32);
            } else {
                clean = false;
                self.damaged = self.damaged.saturating_add(1);
                // Else it would be found again and again.
                self.mark_done(&record)?;
            }
        }
        page.end = if clean { end } else { Self::PAGE } as u32;
        if let Some(place) = self.pages.get_mut(index) {
            *place = page;
        }
        Ok(())
    }

    /// Bytes that a record takes on a page.
    fn span(len: usize) -> usize {
        Self::FRAME.saturating_add(len.next_multiple_of(Self::UNIT))
    }

    /// The record whose head is at `at`, if there is one that ends within `room` bytes.
    fn record(
        &mut self,
        stream: Stream,
        page: u32,
        at: u32,
        room: usize,
    ) -> Result<Option<Record>, Failed<F>> {
        let mut buffer = [0; 2 * PIECE];
        let Some(frame) = buffer
            .get_mut(..Self::FRAME)
            .filter(|_| Self::FRAME <= room)
        else {
            return Ok(None);
        };
        self.flash.read(at, frame).map_err(FlashStoreError::Flash)?;
        let Some(head) = frame.first_chunk::<RECORD_HEAD>() else {
            return Ok(None);
        };
        let Some((key, len, check)) = parse_record_head(stream, page, head) else {
            return Ok(None);
        };
        let done = frame.get(Self::FRAME - Self::UNIT..).unwrap_or_default();
        Ok((Self::span(len) <= room).then_some(Record {
            key,
            len,
            at,
            page,
            check,
            done: done.iter().any(|byte| *byte != 0xFF),
        }))
    }

    /// Gives the bytes of a record in pieces.
    fn pieces(&mut self, record: &Record, mut take: impl FnMut(&[u8])) -> Result<(), Failed<F>> {
        let mut at = record.at.saturating_add(Self::FRAME as u32);
        let mut left = record.len;
        let mut piece = [0; PIECE];
        while left > 0 {
            let len = left.min(PIECE);
            let Some(part) = piece.get_mut(..len.next_multiple_of(Self::UNIT)) else {
                break;
            };
            self.flash.read(at, part).map_err(FlashStoreError::Flash)?;
            take(part.get(..len).unwrap_or_default());
            at = at.saturating_add(PIECE as u32);
            left = left.saturating_sub(PIECE);
        }
        Ok(())
    }

    fn is_whole(&mut self, record: &Record) -> Result<bool, Failed<F>> {
        let mut check = RecordCheck::new(record.page, record.key, record.len);
        self.pieces(record, |piece| check.update(piece))?;
        Ok(check.finish() == record.check)
    }

    /// The first record of the stream's pages that wait for which `wanted` says so, in no particular order.
    fn find(
        &mut self,
        stream: Stream,
        pages: impl Fn(&Page) -> bool,
        mut wanted: impl FnMut(&Record) -> bool,
    ) -> Result<Option<Record>, Failed<F>> {
        for index in self.pages_of(stream) {
            let page = self.page(index);
            if page.waiting == 0 || !pages(&page) {
                continue;
            }
            let mut at = Self::HEAD;
            while at < page.end as usize {
                let place = self.offset(index).saturating_add(at as u32);
                let room = Self::PAGE.saturating_sub(at);
                match self.record(stream, page.number, place, room)? {
                    Some(record) if !record.done && wanted(&record) => return Ok(Some(record)),
                    Some(record) => at = at.saturating_add(Self::span(record.len)),
                    None => at = at.saturating_add(Self::UNIT),
                }
            }
        }
        Ok(None)
    }

    fn find_key(&mut self, key: Key) -> Result<Option<Record>, Failed<F>> {
        let name = (key.boot, key.seq);
        self.find(
            key.stream,
            |page| page.low <= name && name <= page.high,
            |record| record.key == key,
        )
    }

    /// The page of the stream that is being filled: the newest.
    fn newest(&self, stream: Stream) -> Option<usize> {
        self.pages_of(stream)
            .filter(|index| self.page(*index).number != 0)
            .max_by_key(|index| self.page(*index).number)
    }

    /// A page of the stream in which nothing waits, the one used longest ago.
    fn free(&self, stream: Stream) -> Option<usize> {
        self.pages_of(stream)
            .filter(|index| self.page(*index).waiting == 0)
            .min_by_key(|index| self.page(*index).number)
    }

    /// The page with room for so many bytes, if it is being filled already.
    fn open_with_room(&self, stream: Stream, span: usize) -> Option<usize> {
        self.newest(stream)
            .filter(|index| Self::PAGE.saturating_sub(self.page(*index).end as usize) >= span)
    }

    /// Erases a free page and begins it.
    fn begin_page(&mut self, stream: Stream) -> Result<usize, Failed<F>> {
        let index = self.free(stream).ok_or(FlashStoreError::Full)?;
        let newest = self.pages.iter().map(|page| page.number).max();
        let number = newest.unwrap_or(0).saturating_add(1);
        let at = self.offset(index);
        if let Some(page) = self.pages.get_mut(index) {
            *page = Page::default();
        }
        self.flash
            .erase(at, at.saturating_add(Self::PAGE as u32))
            .map_err(FlashStoreError::Flash)?;
        let mut head = [0xFF; PIECE];
        if let Some(head) = head.first_chunk_mut::<PAGE_HEAD>() {
            *head = build_page_head(number, stream);
        }
        self.flash
            .write(at, head.get(..Self::HEAD).unwrap_or_default())
            .map_err(FlashStoreError::Flash)?;
        if let Some(page) = self.pages.get_mut(index) {
            page.number = number;
            page.end = Self::HEAD as u32;
        }
        Ok(index)
    }

    /// Writes head and bytes of a record; the done word between them stays erased.
    fn write_record(&mut self, record: &Record, bytes: &[u8]) -> Result<(), Failed<F>> {
        let mut piece = [0xFF; PIECE];
        if let Some(head) = piece.first_chunk_mut::<RECORD_HEAD>() {
            *head = build_record_head(record.page, record.key, record.len, record.check);
        }
        let head = piece.get(..Self::FRAME - Self::UNIT).unwrap_or_default();
        self.flash
            .write(record.at, head)
            .map_err(FlashStoreError::Flash)?;
        let mut at = record.at.saturating_add(Self::FRAME as u32);
        for part in bytes.chunks(PIECE) {
            piece.fill(0xFF);
            if let Some(place) = piece.get_mut(..part.len()) {
                place.copy_from_slice(part);
            }
            let padded = part.len().next_multiple_of(Self::UNIT);
            self.flash
                .write(at, piece.get(..padded).unwrap_or_default())
                .map_err(FlashStoreError::Flash)?;
            at = at.saturating_add(padded as u32);
        }
        Ok(())
    }

    /// Programs the done word.
    fn mark_done(&mut self, record: &Record) -> Result<(), Failed<F>> {
        let word = [0; PIECE];
        self.flash
            .write(
                record.at.saturating_add((Self::FRAME - Self::UNIT) as u32),
                word.get(..Self::UNIT).unwrap_or_default(),
            )
            .map_err(FlashStoreError::Flash)
    }

    /// Takes a record that waits no more off the sums of its page.
    fn forget(&mut self, record: &Record) {
        if let Some(page) = self
            .pages
            .iter_mut()
            .find(|page| page.number == record.page)
        {
            page.waiting = page.waiting.saturating_sub(1);
            page.bytes = page.bytes.saturating_sub(record.len as u32);
        }
    }
}

impl<F: NorFlash, const PAGES: usize> OutboxStore for FlashStore<F, PAGES> {
    type Error = Failed<F>;

    fn append(&mut self, key: Key, bytes: &[u8]) -> Result<(), Self::Error> {
        if bytes.len() > Self::RECORD_MAX {
            return Err(FlashStoreError::TooLong {
                len: bytes.len(),
                capacity: Self::RECORD_MAX,
            });
        }
        let span = Self::span(bytes.len());
        let index = match self.open_with_room(key.stream, span) {
            Some(index) => index,
            None => self.begin_page(key.stream)?,
        };
        let page = self.page(index);
        let mut check = RecordCheck::new(page.number, key, bytes.len());
        check.update(bytes);
        let record = Record {
            key,
            len: bytes.len(),
            at: self.offset(index).saturating_add(page.end),
            page: page.number,
            check: check.finish(),
            done: false,
        };
        // Whatever becomes of the writes: this place is used.
        if let Some(page) = self.pages.get_mut(index) {
            page.end = page.end.saturating_add(span as u32);
        }
        self.write_record(&record, bytes)?;
        let room = span;
        let stands = self.record(key.stream, record.page, record.at, room)?;
        if !matches!(stands, Some(Record { done: false, .. })) || !self.is_whole(&record)? {
            // Nothing of it may remain, should it read well another time.
            let _ = self.mark_done(&record);
            if let Some(page) = self.pages.get_mut(index) {
                page.end = Self::PAGE as u32;
            }
            return Err(FlashStoreError::Worn);
        }
        if let Some(page) = self.pages.get_mut(index) {
            page.add(key, bytes.len() as u32);
        }
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), Self::Error> {
        if let Some(record) = self.find_key(key)? {
            self.mark_done(&record)?;
            self.forget(&record);
        }
        Ok(())
    }

    fn next(&mut self, stream: Stream, after: Option<Key>) -> Result<Option<Key>, Self::Error> {
        let floor = after.map(|key| (key.boot, key.seq));
        let mut best: Option<Key> = None;
        let bound = core::cell::Cell::new(None);
        self.find(
            stream,
            |page| {
                floor.is_none_or(|floor| page.high > floor)
                    && bound.get().is_none_or(|best| page.low < best)
            },
            |record| {
                let name = (record.key.boot, record.key.seq);
                if floor.is_none_or(|floor| name > floor)
                    && best.is_none_or(|best| record.key < best)
                {
                    best = Some(record.key);
                    bound.set(Some(name));
                }
                false
            },
        )?;
        Ok(best)
    }

    fn read(&mut self, key: Key, out: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        let Some(record) = self.find_key(key)? else {
            return Ok(None);
        };
        let Some(room) = out.get_mut(..record.len) else {
            return Ok(None);
        };
        let mut check = RecordCheck::new(record.page, record.key, record.len);
        let mut places = room.chunks_mut(PIECE);
        self.pieces(&record, |piece| {
            check.update(piece);
            if let Some(place) = places.next().filter(|place| place.len() == piece.len()) {
                place.copy_from_slice(piece);
            }
        })?;
        Ok((check.finish() == record.check).then_some(record.len))
    }

    fn usage(&mut self, stream: Stream) -> Result<Quota, Self::Error> {
        let pages = self.pages_of(stream).map(|index| self.page(index));
        Ok(pages.fold(Quota::NONE, |sum, page| Quota {
            records: sum.records.saturating_add(page.waiting),
            bytes: sum.bytes.saturating_add(page.bytes),
        }))
    }

    fn has_room(&mut self, stream: Stream, len: usize) -> Result<bool, Self::Error> {
        Ok(len > Self::RECORD_MAX
            || self.open_with_room(stream, Self::span(len)).is_some()
            || self.free(stream).is_some())
    }
}
