//! Records in pages of their own, for the core that must not know a panic.
//!
//! Every key owns two pages that are written in turn, so a write that is cut leaves the record before it:
//!
//! ```text
//! length u16 | key u16 | number u32 | CRC-32C of all but itself u32 | filler 4 | record
//! ```
//! A write erases a page: it suits a few records that change seldom. A legal block every 15 minutes in eight slots
//! erases each page six times a day, 22,000 times in ten years.

use crc::{CRC_32_ISCSI, Crc, Digest, NoTable};
use embedded_storage::nor_flash::NorFlash;

use super::{Key, Store, StoreError};

const HEAD: usize = 16;
/// Flash is read and written in pieces of this length, a multiple of every word in use.
const PIECE: usize = 64;
const CRC32C: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Where the newest record of a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Newest {
    second: bool,
    number: u32,
    length: usize,
}

/// Records of `K` keys on flash, two erase pages each.
#[derive(Debug)]
pub struct PageStore<F, const K: usize> {
    flash: F,
    keys: [Key; K],
    newest: [Option<Newest>; K],
}

impl<F: NorFlash, const K: usize> PageStore<F, K> {
    /// Longest record, bytes.
    pub const MAX: usize = F::ERASE_SIZE.saturating_sub(HEAD);

    /// Uses the first `2 * K` pages of `flash` and finds what lies there.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the flash is too small or its words are longer than 16 bytes, [`StoreError::Read`].
    pub fn try_new(flash: F, keys: [Key; K]) -> Result<Self, StoreError> {
        let words =
            HEAD.checked_rem(F::WRITE_SIZE) == Some(0) && HEAD.checked_rem(F::READ_SIZE) == Some(0);
        let pages = F::ERASE_SIZE.saturating_mul(2 * K);
        if !words || F::ERASE_SIZE <= HEAD || pages > flash.capacity() {
            return Err(StoreError::Full);
        }
        let mut store = Self {
            flash,
            keys,
            newest: [None; K],
        };
        for slot in 0..K {
            let first = store.inspect(slot, false)?;
            let second = store.inspect(slot, true)?;
            let newest = match (first, second) {
                // The numbers of a key follow each other, so their difference tells which is newer.
                (Some(a), Some(b)) if b.number.wrapping_sub(a.number) < 1 << 31 => Some(b),
                (Some(a), _) => Some(a),
                (None, b) => b,
            };
            if let Some(place) = store.newest.get_mut(slot) {
                *place = newest;
            }
        }
        Ok(store)
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn slot(&self, key: Key) -> Option<usize> {
        self.keys.iter().position(|known| *known == key)
    }

    fn page(slot: usize, second: bool) -> u32 {
        let page = slot.saturating_mul(2).saturating_add(second.into());
        u32::try_from(page.saturating_mul(F::ERASE_SIZE)).unwrap_or(u32::MAX)
    }

    /// Bytes of the piece that begins behind `done` bytes of a record.
    fn room(done: usize) -> usize {
        Self::MAX.saturating_sub(done).min(PIECE)
    }

    fn fetch(&mut self, page: u32, done: usize) -> Result<[u8; PIECE], StoreError> {
        let mut piece = [0; PIECE];
        let part = piece.get_mut(..Self::room(done)).unwrap_or_default();
        self.flash
            .read(behind(page, done), part)
            .map_err(|_| StoreError::Read)?;
        Ok(piece)
    }

    /// What a page holds, if it is whole.
    fn inspect(&mut self, slot: usize, second: bool) -> Result<Option<Newest>, StoreError> {
        let at = Self::page(slot, second);
        let mut head = [0; HEAD];
        self.flash
            .read(at, &mut head)
            .map_err(|_| StoreError::Read)?;
        let [l0, l1, k0, k1, n0, n1, n2, n3, c0, c1, c2, c3, ..] = head;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        let key = self.keys.get(slot).copied();
        if key != Some(u16::from_le_bytes([k0, k1])) || length > Self::MAX {
            return Ok(None);
        }
        let mut check = check_of(&head);
        let mut done = 0;
        while done < length {
            let piece = self.fetch(at, done)?;
            let part = length.saturating_sub(done).min(PIECE);
            check.update(piece.get(..part).unwrap_or_default());
            done = done.saturating_add(PIECE);
        }
        let whole = check.finalize() == u32::from_le_bytes([c0, c1, c2, c3]);
        Ok(whole.then_some(Newest {
            second,
            number: u32::from_le_bytes([n0, n1, n2, n3]),
            length,
        }))
    }

    fn put(&mut self, slot: usize, key: Key, record: &[u8]) -> Result<(), StoreError> {
        let before = self.newest.get(slot).copied().flatten();
        let next = Newest {
            second: before.is_some_and(|before| !before.second),
            number: before.map_or(1, |before| before.number.wrapping_add(1)),
            length: record.len(),
        };
        let at = Self::page(slot, next.second);
        let mut head = [0xFF; HEAD];
        let [l0, l1] = (record.len() as u16).to_le_bytes();
        let [k0, k1] = key.to_le_bytes();
        let numbers = [l0, l1, k0, k1]
            .into_iter()
            .chain(next.number.to_le_bytes());
        for (place, byte) in head.iter_mut().zip(numbers) {
            *place = byte;
        }
        let mut check = check_of(&head);
        check.update(record);
        let check = check.finalize().to_le_bytes();
        for (place, byte) in head.iter_mut().skip(8).zip(check) {
            *place = byte;
        }
        let end = at.saturating_add(F::ERASE_SIZE as u32);
        self.flash.erase(at, end).map_err(|_| StoreError::Write)?;
        for (number, part) in (0usize..).zip(record.chunks(PIECE)) {
            let mut piece = [0xFF; PIECE];
            for (place, byte) in piece.iter_mut().zip(part) {
                *place = *byte;
            }
            let done = number.saturating_mul(PIECE);
            let piece = piece.get(..Self::room(done)).unwrap_or_default();
            self.flash
                .write(behind(at, done), piece)
                .map_err(|_| StoreError::Write)?;
        }
        // The head comes last: without it the page holds nothing.
        self.flash.write(at, &head).map_err(|_| StoreError::Write)?;
        if self.inspect(slot, next.second) != Ok(Some(next)) {
            return Err(StoreError::Write);
        }
        if let Some(place) = self.newest.get_mut(slot) {
            *place = Some(next);
        }
        Ok(())
    }
}

fn behind(page: u32, done: usize) -> u32 {
    page.saturating_add((HEAD as u32).saturating_add(done as u32))
}

/// The check over length, key and number, to go on over the record.
fn check_of(head: &[u8; HEAD]) -> Digest<'static, u32, NoTable> {
    let mut check = CRC32C.digest();
    check.update(head.first_chunk::<8>().map_or(&[], |head| head));
    check
}

impl<F: NorFlash, const K: usize> Store for PageStore<F, K> {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let slot = self.slot(key).ok_or(StoreError::Read)?;
        let Some(newest) = self.newest.get(slot).copied().flatten() else {
            return Ok(None);
        };
        if newest.length == 0 {
            return Ok(None);
        }
        // What lay whole at the start may have rotted since.
        if self.inspect(slot, newest.second)? != Some(newest) {
            return Err(StoreError::Read);
        }
        let found = newest.length;
        let place = into.get_mut(..found).ok_or(StoreError::TooLong { found })?;
        let at = Self::page(slot, newest.second);
        for (number, part) in (0usize..).zip(place.chunks_mut(PIECE)) {
            let piece = self.fetch(at, number.saturating_mul(PIECE))?;
            for (to, from) in part.iter_mut().zip(piece) {
                *to = from;
            }
        }
        Ok(Some(found))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        let found = record.len();
        if found > Self::MAX {
            return Err(StoreError::TooLong { found });
        }
        let slot = self.slot(key).ok_or(StoreError::Full)?;
        self.put(slot, key, record)
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        let slot = self.slot(key).ok_or(StoreError::Full)?;
        let newest = self.newest.get(slot).copied().flatten();
        if newest.is_none_or(|newest| newest.length == 0) {
            return Ok(());
        }
        self.put(slot, key, &[])
    }
}
