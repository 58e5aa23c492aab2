//! Values in, bytes of a block out.

use super::{Coding, ESCAPE, ESCAPED_BITS, Prediction, choice, zigzag};
use crate::compact::Writer;
use crate::error::Error;
use crate::fields::Sink;

/// Writes a block with the shortest coding of all that are tried: both varint codecs and, for each order, three Rice
/// parameters around the mean residual. Returns the coding and the length in bytes.
///
/// The values are gone through three times. A small core that knows its data takes [`Encoder`] with the coding of
/// the day before, or with [`Coding::of_order`].
///
/// # Errors
/// [`Error::BufferFull`].
pub fn encode<I>(values: I, out: &mut [u8]) -> Result<(Coding, usize), Error>
where
    I: Iterator<Item = i64> + Clone,
{
    let coding = choice::shortest(values.clone());
    let mut encoder = Encoder::new(coding, out)?;
    for value in values {
        encoder.push(value)?;
    }
    Ok((coding, encoder.finish()?))
}

/// Writes a block value by value into the caller's bytes.
#[derive(Debug)]
pub struct Encoder<'a> {
    coding: Coding,
    prediction: Prediction,
    writer: Writer<'a>,
    /// Bits that fill no byte yet, in the low end.
    bits: u64,
    /// How many: 0 to 7.
    held: u32,
}

impl<'a> Encoder<'a> {
    /// Begins a block.
    ///
    /// # Errors
    /// [`Error::BufferFull`].
    pub fn new(coding: Coding, out: &'a mut [u8]) -> Result<Self, Error> {
        let mut writer = Writer::new(out);
        if let Some(k) = coding.k {
            writer.byte(0, coding.order << 5 | k)?;
        }
        Ok(Self {
            coding,
            prediction: Prediction::default(),
            writer,
            bits: 0,
            held: 0,
        })
    }

    /// How many values were written.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.prediction.count
    }

    /// Writes the next value.
    ///
    /// # Errors
    /// [`Error::BadValue`] for a value that the coding cannot carry: outside [`RANGE`](super::RANGE) with differences,
    /// or a residual above 32 bits in Rice codes. [`Error::BufferFull`]. The block is of no use then.
    pub fn push(&mut self, value: i64) -> Result<(), Error> {
        let refused = Error::BadValue {
            position: self.writer.len(),
        };
        if !self.coding.allows(value) {
            return Err(refused);
        }
        let residual = self.prediction.residual(self.coding.order, value);
        match self.coding.k {
            Some(k) if !self.coding.is_literal(self.prediction.count) => {
                let residual = u32::try_from(zigzag(residual)).map_err(|_| refused)?;
                self.rice(residual, u32::from(k))?;
            }
            _ => self.writer.signed(0, residual)?,
        }
        self.prediction.follow(value);
        Ok(())
    }

    fn rice(&mut self, residual: u32, k: u32) -> Result<(), Error> {
        let quotient = residual >> k;
        if quotient < ESCAPE {
            // That many ones and a zero.
            self.put((2 << quotient) - 2, quotient + 1)?;
            self.put(u64::from(residual) & ((1 << k) - 1), k)
        } else {
            self.put((1 << ESCAPE) - 1, ESCAPE)?;
            self.put(u64::from(residual), ESCAPED_BITS)
        }
    }

    /// Appends the low `count` bits, at most 32; `value` has no others.
    fn put(&mut self, value: u64, count: u32) -> Result<(), Error> {
        self.bits = self.bits << count | value;
        self.held += count;
        while self.held >= 8 {
            self.held -= 8;
            self.writer.byte(0, (self.bits >> self.held) as u8)?;
        }
        Ok(())
    }

    /// Ends the block, returns its length in bytes.
    ///
    /// # Errors
    /// [`Error::BufferFull`].
    pub fn finish(mut self) -> Result<usize, Error> {
        if self.held > 0 {
            self.put(0, 8 - self.held)?;
        }
        Ok(self.writer.len())
    }
}
