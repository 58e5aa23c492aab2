//! A chain in a ring of stored segments.
//!
//! ```text
//! version 1 | chain u8 | mark u32 | head before the first line 24 | lines: line 36, MAC 16
//! ```
//! Each line writes its segment anew, so line and MAC are whole or absent together. The mark is the owner's: it is
//! stored with the next line.

use security::engine::Soft;
use security::key::DeviceKey;
use security::log::{Head, LogError};

use super::{Chain, Entry, LINE, SEGMENT_LINES};
use crate::records::{LOG_ASKED, LOG_LEGAL, VERSION};
use crate::store::{Key, MAX_RECORD, Store, StoreError};

/// Segments of the longer chain.
pub(super) const SEGMENTS: usize = 4;
const MAC: usize = 16;
const STEP: usize = LINE + MAC;
const HEAD: usize = 6 + Head::LEN;
/// Longest segment, bytes.
const SEGMENT: usize = HEAD + SEGMENT_LINES * STEP;
const _: () = assert!(SEGMENT <= MAX_RECORD);

/// Names of the segments of a chain.
fn segment_keys(chain: Chain) -> impl Iterator<Item = Key> {
    let first = match chain {
        Chain::Legal => LOG_LEGAL,
        Chain::Asked => LOG_ASKED,
    };
    (first..).take(chain.segments())
}

/// The lines of one segment: number before the first, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    before: u64,
    lines: u8,
}

/// One chain.
#[derive(Debug)]
pub(crate) struct Ring {
    chain: Chain,
    /// The segment that is being filled.
    current: usize,
    parts: [Part; SEGMENTS],
    head: Head,
    /// The mark of the newest line.
    mark: u32,
}

impl Ring {
    /// A chain that was not opened yet.
    pub const fn new(chain: Chain, begin: Head) -> Self {
        Self {
            chain,
            current: 0,
            parts: [Part {
                before: 0,
                lines: 0,
            }; SEGMENTS],
            head: begin,
            mark: 0,
        }
    }

    /// Finds the newest line and gives it. Segments that cannot be read are added to `damaged`: what they held is lost,
    /// which the numbers show.
    ///
    /// # Errors
    /// [`LogError::Key`].
    #[inline(never)]
    pub fn open<S: Store>(
        &mut self,
        key: &DeviceKey,
        store: &mut S,
        buffer: &mut [u8; MAX_RECORD],
        damaged: &mut u32,
    ) -> Result<Option<[u8; LINE]>, LogError> {
        self.head = Head::begin(&mut Soft, &key.soft(), self.chain.name())?;
        let mut newest = None;
        for (number, key) in segment_keys(self.chain).enumerate() {
            let Ok(length) = store.read(key, buffer) else {
                *damaged = damaged.saturating_add(1);
                continue;
            };
            let Some(record) = length.and_then(|length| buffer.get(..length)) else {
                continue;
            };
            let Some(segment) = Segment::parse(self.chain, record) else {
                *damaged = damaged.saturating_add(1);
                continue;
            };
            let part = Part {
                before: segment.before.number(),
                lines: segment.lines.len() as u8,
            };
            if let Some(place) = self.parts.get_mut(number) {
                *place = part;
            }
            if let Some((line, after)) = segment
                .last()
                .filter(|(_, after)| after.number() > self.head.number())
            {
                self.current = number;
                self.head = after;
                self.mark = segment.mark;
                newest = Some(line);
            }
        }
        Ok(newest)
    }

    /// Where the chain stands.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The mark of the newest line; 0 without one.
    pub const fn mark(&self) -> u32 {
        self.mark
    }

    /// Writes a line. It counts when this returns; after an error the line before is the newest.
    #[inline(never)]
    pub fn append<S: Store>(
        &mut self,
        key: &DeviceKey,
        store: &mut S,
        line: &[u8; LINE],
        mark: u32,
    ) -> Result<(), StoreError> {
        let after = self.after(key, line)?;
        let mut part = self.part(self.current);
        let mut current = self.current;
        let mut record = [0; SEGMENT];
        let kept = (usize::from(part.lines) < SEGMENT_LINES)
            .then(|| self.fetch(store, current, &mut record))
            .flatten();
        let filled = match kept {
            Some(filled) => filled,
            // Full, or it can no longer be read: the next one, and its oldest lines go.
            None => {
                if part.lines > 0 {
                    current = (current + 1) % self.chain.segments().max(1);
                }
                part = Part {
                    before: self.head.number(),
                    lines: 0,
                };
                put(&mut record, 0, &[VERSION, self.chain as u8]);
                put(&mut record, 6, &self.head.to_bytes());
                HEAD
            }
        };
        put(&mut record, 2, &mark.to_le_bytes());
        put(&mut record, filled, line);
        let [_, _, _, _, _, _, _, _, mac @ ..] = after.to_bytes();
        put(&mut record, filled + LINE, &mac);
        let name = self.name(current).ok_or(StoreError::Full)?;
        store.write(name, record.get(..filled + STEP).unwrap_or_default())?;
        part.lines = part.lines.saturating_add(1);
        if let Some(place) = self.parts.get_mut(current) {
            *place = part;
        }
        self.current = current;
        self.head = after;
        self.mark = mark;
        Ok(())
    }

    /// The line with this number, or the oldest that is left when it is gone; `None` when there is no such line yet.
    pub fn entry<S: Store>(&self, store: &mut S, number: u64) -> Option<Entry> {
        let used = self.parts.iter().filter(|part| part.lines > 0);
        let oldest = used.map(|part| part.before).min()?.saturating_add(1);
        let number = number.max(oldest);
        let slot = self.parts.iter().position(|part| {
            let nth = number.wrapping_sub(part.before);
            (1..=u64::from(part.lines)).contains(&nth)
        })?;
        let mut record = [0; SEGMENT];
        let filled = self.fetch(store, slot, &mut record)?;
        let segment = Segment::parse(self.chain, record.get(..filled)?)?;
        segment.entry(number)
    }

    #[inline(never)]
    fn after(&self, key: &DeviceKey, line: &[u8; LINE]) -> Result<Head, StoreError> {
        self.head
            .append(&mut Soft, &key.soft(), line)
            .map_err(|_| StoreError::Write)
    }

    fn name(&self, slot: usize) -> Option<Key> {
        segment_keys(self.chain).nth(slot)
    }

    fn part(&self, slot: usize) -> Part {
        self.parts.get(slot).copied().unwrap_or_default()
    }

    /// Reads a segment that holds what is known of it; its length.
    fn fetch<S: Store>(
        &self,
        store: &mut S,
        slot: usize,
        record: &mut [u8; SEGMENT],
    ) -> Option<usize> {
        let part = self.part(slot);
        let length = store.read(self.name(slot)?, record).ok()??;
        let segment = Segment::parse(self.chain, record.get(..length)?)?;
        let same = segment.before.number() == part.before
            && segment.lines.len() == usize::from(part.lines);
        same.then_some(length)
    }
}

/// A stored segment, read.
struct Segment<'a> {
    mark: u32,
    before: Head,
    lines: &'a [[u8; STEP]],
}

impl<'a> Segment<'a> {
    fn parse(chain: Chain, record: &'a [u8]) -> Option<Self> {
        let (&[version, code, a, b, c, d], rest) = record.split_first_chunk::<6>()?;
        let (before, rest) = rest.split_first_chunk::<{ Head::LEN }>()?;
        let (lines, left) = rest.as_chunks();
        let before = Head::from_bytes(before);
        // A number beyond the last one there can be is no number.
        let numbered = before.number().checked_add(SEGMENT_LINES as u64);
        let fits =
            version == VERSION && code == chain as u8 && left.is_empty() && numbered.is_some();
        (fits && (1..=SEGMENT_LINES).contains(&lines.len())).then_some(Self {
            mark: u32::from_le_bytes([a, b, c, d]),
            before,
            lines,
        })
    }

    /// Line and place of the nth, from 1.
    fn nth(&self, nth: usize) -> Option<([u8; LINE], Head)> {
        let bytes = self.lines.get(nth.checked_sub(1)?)?;
        let (line, mac) = bytes.split_first_chunk::<LINE>()?;
        let number = self.before.number().checked_add(nth as u64)?;
        let mut head = [0; Head::LEN];
        put(&mut head, 0, &number.to_be_bytes());
        put(&mut head, 8, mac);
        Some((*line, Head::from_bytes(&head)))
    }

    fn last(&self) -> Option<([u8; LINE], Head)> {
        self.nth(self.lines.len())
    }

    fn entry(&self, number: u64) -> Option<Entry> {
        let nth = usize::try_from(number.checked_sub(self.before.number())?).ok()?;
        let (line, after) = self.nth(nth)?;
        let before = match nth {
            1 => self.before,
            _ => self.nth(nth.checked_sub(1)?)?.1,
        };
        Some(Entry {
            before,
            after,
            line,
        })
    }
}

/// Bytes at a place, as far as there is room.
fn put(record: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in record.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}
