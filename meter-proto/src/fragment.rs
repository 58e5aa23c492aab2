//! Messages that are longer than a datagram, in at most 16 pieces.
//!
//! ```text
//! 31 | number u16, low byte first | index u8, from 0 | count u8 | piece
//! ```
//!
//! The pieces one behind the other are the message and its CRC-32C, least significant byte first; all but the last are
//! of one length. What the message is (a form of this standard, an envelope) is not looked at. A receiver puts one
//! message together per stream, in any order of its pieces, and drops what is not whole after 60 s. Only set
//! definitions, configuration and logs are ever so long; what is stored in an outbox is sent again as a whole.

use crate::error::Error;
use crate::link::crc32c;

/// The first byte of a fragment.
pub const FIRST_BYTE: u8 = 0x31;
/// Bytes before the piece.
pub const HEAD: usize = 5;
/// Most fragments of a message.
pub const FRAGMENTS_MAX: usize = 16;
/// How long a message is waited for, milliseconds from its first fragment.
pub const PATIENCE_MS: u64 = 60_000;

const CHECK: usize = 4;

/// Cuts a message into fragments.
#[derive(Clone, Debug)]
pub struct Fragmenter<'m> {
    number: u16,
    message: &'m [u8],
    check: [u8; CHECK],
    /// Bytes of every piece but the last.
    piece: usize,
    index: u8,
    count: u8,
}

impl<'m> Fragmenter<'m> {
    /// Cuts `message` so that no fragment is longer than `max` bytes. `number` differs from those of the messages
    /// before on the same stream.
    ///
    /// # Errors
    /// [`Error::TooMany`] when more than 16 fragments would be needed, [`Error::BufferFull`] when `max` holds no piece.
    pub fn new(number: u16, message: &'m [u8], max: usize) -> Result<Self, Error> {
        let piece = max
            .checked_sub(HEAD)
            .filter(|piece| *piece > 0)
            .ok_or(Error::BufferFull { capacity: max })?;
        let count = message.len().saturating_add(CHECK).div_ceil(piece);
        if count > FRAGMENTS_MAX {
            return Err(Error::TooMany {
                position: 0,
                capacity: FRAGMENTS_MAX,
            });
        }
        Ok(Self {
            number,
            message,
            check: crc32c(message).to_le_bytes(),
            piece,
            index: 0,
            count: count as u8,
        })
    }

    /// How many fragments there are.
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// Writes the next fragment, returns its length; `None` behind the last.
    ///
    /// # Errors
    /// [`Error::BufferFull`].
    pub fn next(&mut self, out: &mut [u8]) -> Result<Option<usize>, Error> {
        if self.index == self.count {
            return Ok(None);
        }
        let capacity = out.len();
        let [low, high] = self.number.to_le_bytes();
        let head = [FIRST_BYTE, low, high, self.index, self.count];
        let from = usize::from(self.index).saturating_mul(self.piece);
        let all = self.message.iter().chain(&self.check);
        let mut len = 0;
        let mut places = out.iter_mut();
        for byte in head.iter().chain(all.skip(from).take(self.piece)) {
            *places.next().ok_or(Error::BufferFull { capacity })? = *byte;
            len += 1;
        }
        self.index = self.index.saturating_add(1);
        Ok(Some(len))
    }
}

/// What is known of the message under way.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    number: u16,
    count: u8,
    /// Bit i: fragment i is here.
    here: u32,
    since: u64,
    /// Length of every piece but the last, once one of them came.
    piece: Option<usize>,
    /// Length of the last piece, once it came.
    last: Option<usize>,
}

/// Puts one message together; `N` bytes hold it and its check.
#[derive(Clone, Debug)]
pub struct Assembler<const N: usize> {
    buffer: [u8; N],
    under_way: Option<UnderWay>,
    dropped: u32,
}

impl<const N: usize> Default for Assembler<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Assembler<N> {
    /// Nothing is under way.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: [0; N],
            under_way: None,
            dropped: 0,
        }
    }

    /// Messages given up: too old, replaced by another number, or damaged.
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Drops what has waited too long.
    pub fn handle_timeout(&mut self, now: u64) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.give_up();
        }
    }

    /// When what is under way is dropped.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let under_way = self.under_way.as_ref()?;
        Some(under_way.since.saturating_add(PATIENCE_MS))
    }

    fn give_up(&mut self) {
        if self.under_way.take().is_some() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Takes a fragment; gives the message when it was the last one missing. A fragment that came before changes
    /// nothing.
    ///
    /// # Errors
    /// What is wrong with the fragment ([`Error::UnknownForm`], [`Error::Truncated`], [`Error::BadValue`]), with its
    /// length beside the others' ([`Error::BadValue`]), a message longer than `N` ([`Error::TooMany`]), or the check
    /// of the whole ([`Error::BadNumber`]).
    pub fn handle_fragment(&mut self, now: u64, bytes: &[u8]) -> Result<Option<&[u8]>, Error> {
        self.handle_timeout(now);
        let (number, index, count, piece) = parse(bytes)?;
        let same = |under_way: &UnderWay| (under_way.number, under_way.count) == (number, count);
        if !self.under_way.as_ref().is_some_and(same) {
            self.give_up();
        }
        let mut under_way = self.under_way.unwrap_or(UnderWay {
            number,
            count,
            here: 0,
            since: now,
            piece: None,
            last: None,
        });
        if under_way.here >> index & 1 == 1 {
            return Ok(None);
        }
        let last = index + 1 == count;
        if last {
            under_way.last = Some(piece.len());
        } else if under_way.piece.is_some_and(|known| known != piece.len()) {
            return Err(Error::BadValue { position: HEAD });
        }
        let before = under_way.piece;
        if !last || count == 1 {
            under_way.piece = Some(piece.len());
        }
        let full = Error::TooMany {
            position: HEAD,
            capacity: N,
        };
        let end = |pieces: usize| under_way.piece.map(|piece| piece.saturating_mul(pieces));
        let start_of_last = end(usize::from(count) - 1);
        let total = start_of_last.map(|start| start.saturating_add(under_way.last.unwrap_or(1)));
        if total.is_some_and(|total| total > N) || piece.len() > N {
            return Err(full);
        }
        if let (Some(piece), Some(last)) = (under_way.piece, under_way.last)
            && last > piece
        {
            return Err(Error::BadValue { position: HEAD });
        }
        // The last piece may come before its place is known: it waits at the end of the buffer.
        if let (None, Some(start), Some(len), false) = (before, start_of_last, under_way.last, last)
        {
            let from = N - len.min(N);
            // It moves to the front, so the first byte goes first.
            for nth in 0..len.min(N) {
                let byte = self.buffer.get(from + nth).copied();
                if let Some((place, byte)) = self.buffer.get_mut(start + nth).zip(byte) {
                    *place = byte;
                }
            }
        }
        let at = if last {
            start_of_last.unwrap_or(N - piece.len())
        } else {
            end(usize::from(index)).unwrap_or(0)
        };
        let place = at
            .checked_add(piece.len())
            .and_then(|end| self.buffer.get_mut(at..end));
        place.ok_or(full)?.copy_from_slice(piece);
        under_way.here |= 1 << index;
        self.under_way = Some(under_way);
        if under_way.here.count_ones() < u32::from(count) {
            return Ok(None);
        }
        self.under_way = None;
        let whole = self.buffer.get(..total.unwrap_or(0));
        let parts = whole.and_then(<[u8]>::split_last_chunk::<CHECK>);
        match parts.filter(|(message, check)| crc32c(message).to_le_bytes() == **check) {
            Some((message, _)) => Ok(Some(message)),
            None => {
                self.dropped = self.dropped.saturating_add(1);
                Err(Error::BadNumber {
                    position: total.unwrap_or(0).saturating_sub(CHECK),
                })
            }
        }
    }
}

/// Number, index, count, piece.
fn parse(bytes: &[u8]) -> Result<(u16, u8, u8, &[u8]), Error> {
    let truncated = Error::Truncated {
        position: bytes.len(),
    };
    let (head, piece) = bytes.split_first_chunk::<HEAD>().ok_or(truncated)?;
    let [first, low, high, index, count] = *head;
    if first != FIRST_BYTE {
        return Err(Error::UnknownForm { found: first });
    }
    if index >= count || usize::from(count) > FRAGMENTS_MAX {
        return Err(Error::BadValue { position: HEAD });
    }
    if piece.is_empty() {
        return Err(truncated);
    }
    Ok((u16::from_le_bytes([low, high]), index, count, piece))
}
