//! Bytes of a block in, values out.

use super::{Coding, ESCAPE, ESCAPED_BITS, Prediction, unzigzag};
use crate::compact::Reader;
use crate::error::Error;
use crate::fields::Source;

/// Gives the values of a block one by one.
///
/// The last value comes only when the block ends with it as it must: padding of zeros and no byte more. After an error
/// nothing follows.
#[derive(Clone, Debug)]
pub struct Decoder<'b> {
    coding: Coding,
    prediction: Prediction,
    left: usize,
    reader: Reader<'b>,
    /// Bits taken from the reader and not used yet, in the high end; zeros behind them.
    bits: u64,
    held: u32,
}

impl<'b> Decoder<'b> {
    /// Begins to read a block of `count` values, at least one, of codec 0 to 2.
    ///
    /// # Errors
    /// [`Error::BadValue`] for another codec or order, or no values; [`Error::Truncated`].
    pub fn new(codec: u8, count: usize, data: &'b [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(data);
        let coding = match codec {
            0 => Coding::VARINT,
            1 => Coding::DELTA,
            2 => {
                let head = reader.byte(0)?;
                Coding::rice(head >> 5, head & 0x1F)?
            }
            _ => return Err(Error::BadValue { position: 0 }),
        };
        if count == 0 {
            return Err(Error::BadValue { position: 0 });
        }
        Ok(Self {
            coding,
            prediction: Prediction::default(),
            left: count,
            reader,
            bits: 0,
            held: 0,
        })
    }

    /// How the block is written.
    #[must_use]
    pub const fn coding(&self) -> Coding {
        self.coding
    }

    /// Reads to the end and keeps nothing: whether the block is good.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(mut self) -> Result<(), Error> {
        self.try_for_each(|value| value.map(drop))
    }

    fn value(&mut self) -> Result<i64, Error> {
        let residual = match self.coding.k {
            Some(k) if !self.coding.is_literal(self.prediction.count) => {
                unzigzag(u64::from(self.rice(u32::from(k))?))
            }
            _ => self.reader.signed(0, 64)?,
        };
        let expected = self.prediction.expected(self.coding.order);
        let value = expected.wrapping_add(residual);
        if !self.coding.allows(value) {
            return Err(Error::BadValue {
                position: self.reader.position(),
            });
        }
        self.prediction.follow(value);
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.end()?;
        }
        Ok(value)
    }

    fn rice(&mut self, k: u32) -> Result<u32, Error> {
        self.fill(ESCAPE);
        let ones = self.bits.leading_ones();
        if ones < ESCAPE {
            self.take(ones + 1)?;
            let low = self.take(k)?;
            Ok(ones << k | low)
        } else {
            self.take(ESCAPE)?;
            let residual = self.take(ESCAPED_BITS)?;
            if residual >> k < ESCAPE {
                return Err(Error::BadNumber {
                    position: self.reader.position(),
                });
            }
            Ok(residual)
        }
    }

    /// Tries to hold at least `count` bits.
    fn fill(&mut self, count: u32) {
        while self.held < count
            && let Ok(byte) = self.reader.byte(0)
        {
            self.bits |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
    }

    /// The next `count` bits, at most 32.
    fn take(&mut self, count: u32) -> Result<u32, Error> {
        if count == 0 {
            return Ok(0);
        }
        self.fill(count);
        self.held = self.held.checked_sub(count).ok_or(Error::Truncated {
            position: self.reader.position(),
        })?;
        let taken = (self.bits >> (64 - count)) as u32;
        self.bits <<= count;
        Ok(taken)
    }

    fn end(&self) -> Result<(), Error> {
        let position = self.reader.position();
        if self.held >= 8 {
            // Whole bytes were taken ahead of need.
            let whole = (self.held / 8) as usize;
            return Err(Error::TrailingBytes {
                position: position.saturating_sub(whole),
            });
        }
        if self.bits != 0 {
            return Err(Error::BadValue { position });
        }
        self.reader.end()
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<i64, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let value = self.value();
        if value.is_err() {
            self.left = 0;
        }
        Some(value)
    }
}
