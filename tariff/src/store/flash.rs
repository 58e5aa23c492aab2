//! Records on flash: two journals on two halves, so that an erase that was cut loses nothing.
//!
//! The journal crate finds its way after a word that was cut, but not always after an erase that was cut: a page of
//! arbitrary bits may pass for its newest one, and records behind it are not found again, without an error. Therefore
//! every record is written to the first half, read back, and only then written to the second. At the start both are
//! compared record by record; a half that lacks records or has older ones than it should is erased and copied from the
//! other. The order of the writes tells which one is to be believed.

use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll};

use embassy_futures::block_on;
use embedded_storage::nor_flash::{ErrorType, NorFlash};
use embedded_storage_async::nor_flash as waiting;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

use super::wear::{self, Habit, Wear};
use super::{Key, MAX_RECORD, Store, StoreError};

/// Sequence number in front of a record.
const HEAD: usize = 4;
/// A key.
const KEY: usize = size_of::<Key>();
/// Head of an item of the journal: check sum, length, check sum of that.
const ITEM_HEAD: usize = 8;
/// Key, sequence number, record, rounded up to any word.
const BUFFER: usize = MAX_RECORD + 64;

type Map<'f, F> = MapStorage<Key, &'f mut Waiting<F>, Cache<Uncached, Uncached, Uncached, Key>>;

/// One of the two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

impl Half {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// How the halves compare.
enum Verdict {
    /// Nothing to do.
    Equal,
    /// A write was cut between the halves: this record is missing in the second.
    Behind(Key),
    /// This half lost records.
    Lost(Half),
}

/// Records on flash.
///
/// A removed record is an empty one: flash that cannot be written twice can then be used as well.
pub struct FlashStore<F: NorFlash> {
    flash: Waiting<F>,
    range: Range<u32>,
    /// Number of the next write.
    sequence: u32,
    buffer: [u8; BUFFER],
}

impl<F: NorFlash> core::fmt::Debug for FlashStore<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FlashStore")
    }
}

impl<F: NorFlash> FlashStore<F> {
    /// Uses `range` of `flash`: an even number of erase pages, at least four, each with room for the longest record. What
    /// a power cut left is put in order first.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the range is too small or not aligned, [`StoreError::Read`] when both halves are
    /// damaged, [`StoreError::Write`] when the flash refuses.
    pub fn try_new(flash: F, range: Range<u32>) -> Result<Self, StoreError> {
        let mut store = Self {
            flash: Waiting(flash),
            range,
            sequence: 1,
            buffer: [0; BUFFER],
        };
        for half in [Half::First, Half::Second] {
            MapConfig::<Waiting<F>>::try_new(store.range_of(half)).map_err(|_| StoreError::Full)?;
        }
        match store.compare() {
            Verdict::Equal => {}
            Verdict::Behind(key) => {
                if store.copy(key, Half::First).is_err() {
                    store.rebuild(Half::Second)?;
                }
            }
            Verdict::Lost(half) => store.rebuild(half)?,
        }
        Ok(store)
    }

    /// Bytes that a record of this length takes in one of the two halves: the journal's head, then key, sequence
    /// number and record, each rounded up to a word.
    #[must_use]
    pub const fn footprint(record: usize) -> u32 {
        let word = Self::WORD;
        let length =
            ITEM_HEAD.next_multiple_of(word) + (KEY + HEAD + record).next_multiple_of(word);
        length as u32
    }

    /// The wear of a range of this flash of so many bytes, which endures so many cycles, under these habits (records
    /// of so many bytes, so often a day), when `live` bytes of records count at a time; both without overhead.
    #[must_use]
    pub fn wear(range: u32, cycles: u32, live: &[Habit], habits: &[Habit]) -> Option<Wear> {
        // Each half takes everything; a page has a word for its begin and one for its end.
        let flash = wear::Flash {
            page: (F::ERASE_SIZE as u32).checked_sub(2 * Self::WORD as u32)?,
            pages: range / 2 / F::ERASE_SIZE as u32,
            cycles,
        };
        let on_flash = |habit: &Habit| Habit {
            bytes: Self::footprint(habit.bytes as usize),
            ..*habit
        };
        let live = live.iter().map(on_flash);
        let live = live.fold(0_u32, |sum, habit| {
            sum.saturating_add(habit.bytes.saturating_mul(habit.a_day))
        });
        wear::wear(flash, live, habits.iter().map(on_flash))
    }

    /// Everything on flash is rounded up to this.
    const WORD: usize = if F::WRITE_SIZE > F::READ_SIZE {
        F::WRITE_SIZE
    } else {
        F::READ_SIZE
    };

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash.0
    }

    fn range_of(&self, half: Half) -> Range<u32> {
        let middle = self.range.start + self.range.end.saturating_sub(self.range.start) / 2;
        match half {
            Half::First => self.range.start..middle,
            Half::Second => middle..self.range.end,
        }
    }

    /// The journal of a half, and the buffer it works with.
    fn map(&mut self, half: Half) -> Result<(Map<'_, F>, &mut [u8; BUFFER]), StoreError> {
        let config = MapConfig::try_new(self.range_of(half)).map_err(|_| StoreError::Full)?;
        Ok((
            MapStorage::new(&mut self.flash, config, Cache::new_uncached()),
            &mut self.buffer,
        ))
    }

    /// Sequence number and length of a record, which is then in the buffer behind its number.
    fn fetch(&mut self, half: Half, key: Key) -> Result<Option<(u32, &[u8])>, StoreError> {
        let (mut map, buffer) = self.map(half)?;
        let found =
            block_on(map.fetch_item::<&[u8]>(buffer, &key)).map_err(|_| StoreError::Read)?;
        match found.map(|bytes| bytes.split_first_chunk::<HEAD>()) {
            None => Ok(None),
            Some(Some((number, record))) => Ok(Some((u32::from_le_bytes(*number), record))),
            Some(None) => Err(StoreError::Read),
        }
    }

    fn number(&mut self, half: Half, key: Key) -> Result<Option<u32>, StoreError> {
        Ok(self.fetch(half, key)?.map(|(number, _)| number))
    }

    /// The smallest key above `after`. A pass over the whole half each time: it happens at the start only.
    fn next_key(&mut self, half: Half, after: Option<Key>) -> Result<Option<Key>, StoreError> {
        let (mut map, buffer) = self.map(half)?;
        let mut items = block_on(map.fetch_all_items(buffer)).map_err(|_| StoreError::Read)?;
        let mut smallest: Option<Key> = None;
        while let Some((key, _)) =
            block_on(items.next::<&[u8]>(buffer)).map_err(|_| StoreError::Read)?
        {
            if after.is_none_or(|after| key > after) {
                smallest = Some(smallest.map_or(key, |known| known.min(key)));
            }
        }
        Ok(smallest)
    }

    fn compare(&mut self) -> Verdict {
        let mut after = None;
        let mut behind = None;
        loop {
            let Ok(first) = self.next_key(Half::First, after) else {
                return Verdict::Lost(Half::First);
            };
            let Ok(second) = self.next_key(Half::Second, after) else {
                return Verdict::Lost(Half::Second);
            };
            let Some(key) = first.into_iter().chain(second).min() else {
                return behind.map_or(Verdict::Equal, Verdict::Behind);
            };
            let Ok(first) = self.number(Half::First, key) else {
                return Verdict::Lost(Half::First);
            };
            let Ok(second) = self.number(Half::Second, key) else {
                return Verdict::Lost(Half::Second);
            };
            self.sequence = self
                .sequence
                .max(first.max(second).unwrap_or(0).saturating_add(1));
            if first < second {
                // The first half is written first: it is never behind unless it lost something.
                return Verdict::Lost(Half::First);
            }
            if first > second && behind.replace(key).is_some() {
                return Verdict::Lost(Half::Second);
            }
            after = Some(key);
        }
    }

    /// Copies a record to the other half.
    fn copy(&mut self, key: Key, from: Half) -> Result<(), StoreError> {
        let mut bytes = [0; HEAD + MAX_RECORD];
        let Some((number, record)) = self.fetch(from, key)? else {
            return Ok(());
        };
        let length = HEAD + record.len();
        let place = bytes
            .get_mut(..length)
            .ok_or(StoreError::TooLong { found: length })?;
        let (head, rest) = place
            .split_first_chunk_mut::<HEAD>()
            .ok_or(StoreError::Read)?;
        *head = number.to_le_bytes();
        rest.copy_from_slice(record);
        self.attempt(from.other(), key, number, place)
    }

    /// Erases a half and fills it from the other.
    fn rebuild(&mut self, half: Half) -> Result<(), StoreError> {
        let from = half.other();
        // Nothing is erased before the other half was read to its end.
        let mut after = None;
        while let Some(key) = self.next_key(from, after)? {
            let number = self.number(from, key)?.unwrap_or(0);
            self.sequence = self.sequence.max(number.saturating_add(1));
            after = Some(key);
        }
        block_on(self.map(half)?.0.erase_all()).map_err(|_| StoreError::Write)?;
        let mut after = None;
        while let Some(key) = self.next_key(from, after)? {
            self.copy(key, from)?;
            after = Some(key);
        }
        Ok(())
    }

    /// Writes to one half. A page whose erase was cut may look empty at both ends and not be so between: what is
    /// written there does not read back. The half is then erased and filled from the other, once.
    fn put(&mut self, half: Half, key: Key, number: u32, bytes: &[u8]) -> Result<(), StoreError> {
        match self.attempt(half, key, number, bytes) {
            Err(StoreError::Write | StoreError::Read) => {
                self.rebuild(half)?;
                self.attempt(half, key, number, bytes)
            }
            done => done,
        }
    }

    /// Writes to one half and reads back.
    fn attempt(
        &mut self,
        half: Half,
        key: Key,
        number: u32,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let (mut map, buffer) = self.map(half)?;
        block_on(map.store_item(buffer, &key, &bytes)).map_err(|error| match error {
            sequential_storage::Error::FullStorage => StoreError::Full,
            _ => StoreError::Write,
        })?;
        if self.number(half, key) == Ok(Some(number)) {
            Ok(())
        } else {
            Err(StoreError::Write)
        }
    }
}

impl<F: NorFlash> Store for FlashStore<F> {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let Some((_, record)) = self.fetch(Half::First, key)? else {
            return Ok(None);
        };
        if record.is_empty() {
            return Ok(None);
        }
        let length = record.len();
        into.get_mut(..length)
            .ok_or(StoreError::TooLong { found: length })?
            .copy_from_slice(record);
        Ok(Some(length))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        if record.len() > MAX_RECORD {
            return Err(StoreError::TooLong {
                found: record.len(),
            });
        }
        let mut bytes = [0; HEAD + MAX_RECORD];
        let length = HEAD + record.len();
        let place = bytes.get_mut(..length).ok_or(StoreError::TooLong {
            found: record.len(),
        })?;
        let (head, rest) = place
            .split_first_chunk_mut::<HEAD>()
            .ok_or(StoreError::Write)?;
        let number = self.sequence;
        *head = number.to_le_bytes();
        rest.copy_from_slice(record);
        self.put(Half::First, key, number, place)?;
        self.sequence = number.saturating_add(1);
        self.put(Half::Second, key, number, place)
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        if self
            .fetch(Half::First, key)?
            .is_none_or(|(_, record)| record.is_empty())
        {
            Ok(())
        } else {
            self.write(key, &[])
        }
    }
}

/// A flash whose operations end before they return, for a store that would wait for others.
struct Waiting<F>(F);

/// What is there at once. Asked again after its answer it waits for ever, where the compiler's own futures would panic.
struct Now<T>(Option<T>);

impl<T> Unpin for Now<T> {}

impl<T> Future for Now<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        self.0.take().map_or(Poll::Pending, Poll::Ready)
    }
}

const fn now<T>(value: T) -> Now<T> {
    Now(Some(value))
}

impl<F: NorFlash> ErrorType for Waiting<F> {
    type Error = F::Error;
}

impl<F: NorFlash> waiting::ReadNorFlash for Waiting<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(
        &mut self,
        offset: u32,
        bytes: &mut [u8],
    ) -> impl Future<Output = Result<(), F::Error>> {
        now(self.0.read(offset, bytes))
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> waiting::NorFlash for Waiting<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), F::Error>> {
        now(self.0.erase(from, to))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> impl Future<Output = Result<(), F::Error>> {
        now(self.0.write(offset, bytes))
    }
}
