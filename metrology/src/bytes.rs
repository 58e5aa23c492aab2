//! The one reader and the one writer of stored bytes: little-endian words, CRC-32C at the end.

use crc::{Crc, NoTable};

/// Writes into a caller's buffer; running over the end is remembered, never a panic.
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    pub fn new(out: &'a mut [u8]) -> Self {
        Self {
            out,
            at: 0,
            full: false,
        }
    }

    pub fn put(&mut self, bytes: &[u8]) {
        match self
            .out
            .get_mut(self.at..)
            .and_then(|rest| rest.get_mut(..bytes.len()))
        {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            None => self.full = true,
        }
    }

    /// Appends the check sum; the length, or nothing when the buffer was too short.
    pub fn finish(mut self, crc: &Crc<u32, NoTable>) -> Option<usize> {
        let sum = crc.checksum(self.out.get(..self.at)?);
        self.put(&sum.to_le_bytes());
        (!self.full).then_some(self.at)
    }
}

/// Splits off and checks the check sum: the body, or (computed, found).
pub(crate) fn checked_body<'a>(
    bytes: &'a [u8],
    crc: &Crc<u32, NoTable>,
) -> Result<&'a [u8], (u32, u32)> {
    match bytes.split_last_chunk::<4>() {
        Some((body, sum)) => {
            let (computed, found) = (crc.checksum(body), u32::from_le_bytes(*sum));
            if computed == found {
                Ok(body)
            } else {
                Err((computed, found))
            }
        }
        None => Err((0, 0)),
    }
}

/// Reads words from a checked body.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
        }
    }

    pub fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    pub fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.bytes().map(|[byte]| byte)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.bytes().map(i32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    pub fn i128(&mut self) -> Option<i128> {
        self.bytes().map(i128::from_le_bytes)
    }
}
