//! Which chunks of an image lie in flash: one bit each, so that a download goes on after any cut.

use core::fmt;
use core::ops::Range;

use super::Manifest;

/// The map of one download, over a copy of its bytes in RAM.
///
/// A set bit is a chunk that is missing: an erased page says that all are, and noting a chunk only
/// clears a bit, which flash can do without an erase. Write the chunk first, then the byte of
/// [`ChunkMap::note`]: a cut in between asks for the chunk once more. A download of another manifest
/// begins with an erased map and an erased slot.
#[derive(Debug)]
pub struct ChunkMap<'m> {
    bits: &'m mut [u8],
    chunks: u32,
    chunk_len: u16,
    image_len: u32,
}

/// A byte of the map to be written to flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the map in flash must be written after the chunk"]
pub struct Written {
    /// Position in the map.
    pub at: usize,
    /// Its new value: the old one with one bit cleared.
    pub byte: u8,
}

impl<'m> ChunkMap<'m> {
    /// Bytes of the map of an image.
    pub const fn len(manifest: &Manifest) -> usize {
        manifest.chunks().div_ceil(8) as usize
    }

    /// The map in `bits`, as it was read from flash.
    ///
    /// # Errors
    /// [`ChunkError::MapLength`] unless there are [`ChunkMap::len`] bytes.
    pub fn new(manifest: &Manifest, bits: &'m mut [u8]) -> Result<Self, ChunkError> {
        let (found, expected) = (bits.len(), Self::len(manifest));
        if found != expected {
            return Err(ChunkError::MapLength { found, expected });
        }
        Ok(Self {
            bits,
            chunks: manifest.chunks(),
            chunk_len: manifest.chunk_len,
            image_len: manifest.image_len,
        })
    }

    /// Where a chunk lies in the image.
    ///
    /// # Errors
    /// [`ChunkError::Number`] behind the last chunk.
    pub fn place(&self, chunk: u32) -> Result<Range<u32>, ChunkError> {
        if chunk >= self.chunks {
            return Err(ChunkError::Number {
                found: chunk,
                chunks: self.chunks,
            });
        }
        let from = chunk.saturating_mul(u32::from(self.chunk_len));
        let until = from
            .saturating_add(u32::from(self.chunk_len))
            .min(self.image_len);
        Ok(from..until)
    }

    /// Where a received chunk is to be written; `None` if it lies there already.
    ///
    /// # Errors
    /// [`ChunkError::Number`], [`ChunkError::Length`].
    pub fn wants(&self, chunk: u32, data_len: usize) -> Result<Option<Range<u32>>, ChunkError> {
        let place = self.place(chunk)?;
        let expected = place.end.saturating_sub(place.start);
        if u32::try_from(data_len) != Ok(expected) {
            return Err(ChunkError::Length {
                found: data_len,
                expected,
            });
        }
        Ok(self.is_missing(chunk).then_some(place))
    }

    /// Notes a chunk that lies in flash now.
    ///
    /// # Errors
    /// [`ChunkError::Number`].
    pub fn note(&mut self, chunk: u32) -> Result<Written, ChunkError> {
        self.place(chunk)?;
        let (at, mask) = bit(chunk);
        let number = ChunkError::Number {
            found: chunk,
            chunks: self.chunks,
        };
        let byte = self.bits.get_mut(at).ok_or(number)?;
        *byte &= !mask;
        Ok(Written { at, byte: *byte })
    }

    /// Whether a chunk has still to come.
    pub fn is_missing(&self, chunk: u32) -> bool {
        let (at, mask) = bit(chunk);
        chunk < self.chunks && self.bits.get(at).is_some_and(|byte| byte & mask != 0)
    }

    /// The chunks that have still to come, from `from` on.
    pub fn missing(&self, from: u32) -> impl Iterator<Item = u32> {
        (from..self.chunks).filter(|chunk| self.is_missing(*chunk))
    }

    /// Whether all chunks lie in flash.
    pub fn is_complete(&self) -> bool {
        self.missing(0).next().is_none()
    }
}

const fn bit(chunk: u32) -> (usize, u8) {
    ((chunk / 8) as usize, 1 << (chunk % 8))
}

/// Why a chunk or a map does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkError {
    /// The map has another length.
    MapLength {
        /// Bytes given.
        found: usize,
        /// Bytes of the map.
        expected: usize,
    },
    /// There is no such chunk.
    Number {
        /// Its number.
        found: u32,
        /// Chunks of the image.
        chunks: u32,
    },
    /// The chunk has another length.
    Length {
        /// Bytes given.
        found: usize,
        /// Bytes of this chunk.
        expected: u32,
    },
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MapLength { found, expected } => {
                write!(f, "the map of chunks has {expected} bytes, not {found}")
            }
            Self::Number { found, chunks } => {
                write!(f, "there is no chunk {found} among {chunks}")
            }
            Self::Length { found, expected } => {
                write!(f, "the chunk has {expected} bytes, not {found}")
            }
        }
    }
}

impl core::error::Error for ChunkError {}
