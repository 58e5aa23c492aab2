//! The side that wants the file.

use heapless::Vec;

use super::FileStore;
use crate::message::{BlockRange, FileBlock, FileNeed, FileOffer, FileStatus};

/// Pages put together at once; blocks of others push the oldest out, which is then asked for again.
const OPEN_PAGES: usize = 4;
/// Blocks of a page at most: 64 KiB in blocks of 256 bytes.
const PAGE_BLOCKS: u32 = 256;
const WORDS: usize = PAGE_BLOCKS as usize / 32;
/// Blocks asked for at once.
const ASKED: u32 = 32;

/// What the application is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverEvent {
    /// All blocks are here: judge the content, then call [`Receiver::handle_verdict`].
    Arrived,
}

/// A page under way: which of its blocks are written.
#[derive(Clone, Copy, Debug)]
struct OpenPage {
    page: u32,
    written: [u32; WORDS],
}

impl OpenPage {
    fn has(&self, block: u32) -> bool {
        let word = self.written.get((block / 32) as usize);
        word.is_some_and(|word| word >> (block % 32) & 1 == 1)
    }

    fn set(&mut self, block: u32) {
        if let Some(word) = self.written.get_mut((block / 32) as usize) {
            *word |= 1 << (block % 32);
        }
    }

    fn count(&self) -> u32 {
        self.written.iter().map(|word| word.count_ones()).sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No file.
    Idle,
    Receiving,
    /// All here; the flag says whether the application knows.
    Arrived(bool),
    /// To be told to the offerer, once.
    Told(FileStatus),
}

/// Puts one file together in a [`FileStore`].
#[derive(Debug)]
pub struct Receiver<S> {
    store: S,
    offer: Option<FileOffer>,
    /// A file that was refused.
    refused: Option<u32>,
    state: State,
    /// All pages below are whole.
    floor: u32,
    open: Vec<OpenPage, OPEN_PAGES>,
    /// Blocks of the last need that have not come.
    awaited: u32,
    repeat_ms: u64,
    /// When a need goes out again.
    due: u64,
}

impl<S: FileStore> Receiver<S> {
    /// A receiver over a store that may hold a part of a file. `repeat_ms` is how long it waits for blocks that it
    /// asked for.
    ///
    /// # Errors
    /// The store's own.
    pub fn new(mut store: S, repeat_ms: u64) -> Result<Self, S::Error> {
        let offer = store.offer()?;
        let mut receiver = Self {
            store,
            state: offer.as_ref().map_or(State::Idle, |_| State::Receiving),
            offer,
            refused: None,
            floor: 0,
            open: Vec::new(),
            awaited: 0,
            repeat_ms,
            due: 0,
        };
        receiver.advance()?;
        Ok(receiver)
    }

    /// The file under way.
    #[must_use]
    pub const fn offer(&self) -> Option<&FileOffer> {
        self.offer.as_ref()
    }

    /// The store, for judging the content.
    pub const fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Bytes known to be whole, counted from the beginning, and of the whole file.
    #[must_use]
    pub fn progress(&self) -> (u32, u32) {
        let size = self.offer.as_ref().map_or(0, |offer| offer.size);
        (
            self.floor.saturating_mul(self.store.page_size()).min(size),
            size,
        )
    }

    /// Takes an offer. The same file as before goes on where it was; another one is begun if `wanted`, and what was
    /// there is forgotten.
    ///
    /// # Errors
    /// The store's own; the offer will come again.
    pub fn handle_offer(
        &mut self,
        now: u64,
        offer: &FileOffer,
        wanted: bool,
    ) -> Result<(), S::Error> {
        self.due = now;
        if self.offer.as_ref() == Some(offer) {
            return Ok(());
        }
        let page = self.store.page_size();
        let fits = offer.check().is_ok()
            && offer.size <= self.store.capacity()
            && page.is_multiple_of(u32::from(offer.block_size))
            && page / u32::from(offer.block_size) <= PAGE_BLOCKS;
        if !wanted || !fits {
            self.refused = Some(offer.number);
            return Ok(());
        }
        self.forget()?;
        self.store.begin(Some(offer))?;
        self.offer = Some(offer.clone());
        self.state = State::Receiving;
        Ok(())
    }

    fn forget(&mut self) -> Result<(), S::Error> {
        self.offer = None;
        self.state = State::Idle;
        (self.floor, self.awaited, self.refused) = (0, 0, None);
        self.open.clear();
        self.store.begin(None)
    }

    /// Takes a block; one that was not asked for, does not fit the offer or is here already changes nothing.
    ///
    /// # Errors
    /// The store's own; the page is asked for again.
    pub fn handle_block(&mut self, now: u64, block: &FileBlock) -> Result<(), S::Error> {
        let Some(offer) = self
            .offer
            .as_ref()
            .filter(|offer| offer.number == block.number)
        else {
            return Ok(());
        };
        let block_size = u32::from(offer.block_size);
        let left = offer.size.saturating_sub(block.offset);
        let right_len = left > 0 && left.min(block_size) as usize == block.data.len();
        if self.state != State::Receiving || !right_len || !block.offset.is_multiple_of(block_size)
        {
            return Ok(());
        }
        let page_size = self.store.page_size();
        let (Some(page), Some(place)) = (
            block.offset.checked_div(page_size),
            (block.offset.checked_rem(page_size)).and_then(|into| into.checked_div(block_size)),
        ) else {
            return Ok(());
        };
        let in_page = (offer.size - page * page_size)
            .min(page_size)
            .div_ceil(block_size);
        if page < self.floor || self.store.is_whole(page)? {
            return Ok(());
        }
        let index = match self.open.iter().position(|open| open.page == page) {
            Some(index) => index,
            None => self.open_page(page)?,
        };
        let Some(open) = self.open.get_mut(index).filter(|open| !open.has(place)) else {
            return Ok(());
        };
        if let Err(error) = self.store.write(block.offset, &block.data) {
            // What stands there is not known: the page begins anew.
            self.close_page(index);
            return Err(error);
        }
        open.set(place);
        if open.count() == in_page {
            self.close_page(index);
            self.store.mark_whole(page)?;
            self.advance()?;
        }
        self.awaited = self.awaited.saturating_sub(1);
        self.due = if self.awaited == 0 {
            now
        } else {
            now.saturating_add(self.repeat_ms)
        };
        Ok(())
    }

    /// Closes the page at a place of the list, without a way to panic.
    fn close_page(&mut self, index: usize) {
        let mut place = 0;
        self.open.retain(|_| {
            let kept = place != index;
            place += 1;
            kept
        });
    }

    /// Clears a page for its first block; the page longest under way makes room.
    fn open_page(&mut self, page: u32) -> Result<usize, S::Error> {
        self.store.clear_page(page)?;
        if self.open.is_full() {
            self.close_page(0);
        }
        let open = OpenPage {
            page,
            written: [0; WORDS],
        };
        // There is room now.
        let _ = self.open.push(open);
        Ok(self.open.len().saturating_sub(1))
    }

    /// Moves the floor over pages that are whole.
    fn advance(&mut self) -> Result<(), S::Error> {
        let Some(offer) = &self.offer else {
            return Ok(());
        };
        let pages = offer.size.div_ceil(self.store.page_size());
        while self.floor < pages && self.store.is_whole(self.floor)? {
            self.floor = self.floor.saturating_add(1);
        }
        if self.floor == pages && self.state == State::Receiving {
            self.state = State::Arrived(false);
        }
        Ok(())
    }

    /// What to tell the offerer now, if it is time.
    ///
    /// # Errors
    /// The store's own.
    pub fn poll_need(&mut self, now: u64) -> Result<Option<FileNeed>, S::Error> {
        let tell = |number, status| {
            Ok(Some(FileNeed {
                number,
                status,
                ranges: Vec::new(),
            }))
        };
        if let Some(number) = self.refused.take() {
            return tell(number, FileStatus::REFUSED);
        }
        let Some(number) = self.offer.as_ref().map(|offer| offer.number) else {
            return Ok(None);
        };
        if now < self.due {
            return Ok(None);
        }
        match self.state {
            State::Told(status) => {
                if status == FileStatus::BAD_CONTENT {
                    self.forget()?;
                } else {
                    // Said again when the offer comes again.
                    self.due = u64::MAX;
                }
                tell(number, status)
            }
            State::Receiving => {
                self.due = now.saturating_add(self.repeat_ms);
                let ranges = self.missing()?;
                self.awaited = ranges.iter().map(|range| range.count).sum();
                Ok((!ranges.is_empty()).then_some(FileNeed {
                    number,
                    status: FileStatus::NEEDS,
                    ranges,
                }))
            }
            State::Idle | State::Arrived(_) => Ok(None),
        }
    }

    /// The first blocks that are missing.
    fn missing(&mut self) -> Result<Vec<BlockRange, 8>, S::Error> {
        let mut ranges: Vec<BlockRange, 8> = Vec::new();
        let Some(offer) = &self.offer else {
            return Ok(ranges);
        };
        let block_size = u32::from(offer.block_size).max(1);
        let per_page = (self.store.page_size() / block_size).max(1);
        let mut asked = 0;
        let mut block = self.floor.saturating_mul(per_page);
        // Bounded: each turn passes a page or asks for a block.
        while block < offer.blocks() && asked < ASKED {
            let (page, place) = (block / per_page, block % per_page);
            if place == 0 && self.store.is_whole(page)? {
                block = block.saturating_add(per_page);
                continue;
            }
            let open = self.open.iter().find(|open| open.page == page);
            if open.is_none_or(|open| !open.has(place)) {
                let joined = match ranges.last_mut() {
                    Some(last) if last.first.saturating_add(last.count) == block => {
                        last.count = last.count.saturating_add(1);
                        true
                    }
                    _ => ranges
                        .push(BlockRange {
                            first: block,
                            count: 1,
                        })
                        .is_ok(),
                };
                if !joined {
                    break;
                }
                asked += 1;
            }
            block = block.saturating_add(1);
        }
        Ok(ranges)
    }

    /// When [`Receiver::poll_need`] has something to say, milliseconds.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        match self.state {
            _ if self.refused.is_some() => Some(0),
            State::Idle | State::Arrived(_) => None,
            State::Receiving | State::Told(_) => Some(self.due),
        }
    }

    /// What the application is to do.
    pub fn poll_event(&mut self) -> Option<ReceiverEvent> {
        if self.state != State::Arrived(false) {
            return None;
        }
        self.state = State::Arrived(true);
        Some(ReceiverEvent::Arrived)
    }

    /// What the judge says of the content: kept, or thrown away so that it can come again.
    pub fn handle_verdict(&mut self, now: u64, good: bool) {
        if matches!(self.state, State::Arrived(_)) {
            self.due = now;
            self.state = State::Told(if good {
                FileStatus::COMPLETE
            } else {
                FileStatus::BAD_CONTENT
            });
        }
    }

    /// Forgets the file, for instance after its activation.
    ///
    /// # Errors
    /// The store's own.
    pub fn clear(&mut self) -> Result<(), S::Error> {
        self.forget()
    }
}
