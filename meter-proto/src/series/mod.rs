//! Columns of equally spaced values, as the data of a profile message (kind 6).
//!
//! | codec | is | for |
//! | ---: | --- | --- |
//! | 0 | every value as a zigzag varint | anything |
//! | 1 | the first value, then differences, as zigzag varints | values that move slowly |
//! | 2 | Rice codes of the values, their differences or second differences | interval values (order 1), registers (order 2) |
//!
//! Codec 2 begins with one byte: the order (0, 1, 2) in bits 7-5 and the parameter k in bits 4-0. As many values as the
//! order follow as zigzag varints (the first value; the first difference). Then, most significant bit first, each
//! residual in zigzag form u: the quotient u >> k as that many ones and a zero, then the low k bits. A quotient of 16 or
//! more is sixteen ones and u in 32 bits. Zeros fill the last byte.
//!
//! The number of values travels beside the data. A block has one spelling per coding: a reader refuses bits that end
//! early, padding that is not zero, bytes behind the block, numbers longer than necessary and values that left the
//! [`RANGE`] of codings with differences.
//!
//! ```
//! use meter_proto::series::{Coding, Decoder, encode};
//! // A register in steps of 0.01 kWh, each quarter of an hour.
//! let register = [12_345_678, 12_345_690, 12_345_703, 12_345_715, 12_345_727];
//! let mut data = [0; 32];
//! let (coding, len) = encode(register.iter().copied(), &mut data)?;
//! assert_eq!((coding, len), (Coding::rice(2, 0)?, 7));
//! let back: Result<Vec<i64>, _> = Decoder::new(coding.codec(), register.len(), &data[..len])?.collect();
//! assert_eq!(back?, register);
//! # Ok::<(), meter_proto::error::Error>(())
//! ```
//!
//! Neither side holds more than two values: [`Encoder`] takes them one by one as they are measured or read from
//! flash, [`Decoder`] gives them one by one.

mod choice;
mod decoder;
mod encoder;

pub use decoder::Decoder;
pub use encoder::{Encoder, encode};

use crate::error::Error;

/// Codings with differences carry values from `-RANGE` to `RANGE`, so that every difference fits 64 bits.
pub const RANGE: i64 = 1 << 62;

/// Highest order of differences.
const ORDER_MAX: u8 = 2;
/// Highest Rice parameter.
const K_MAX: u8 = 31;
/// Ones that announce a residual written in full.
const ESCAPE: u32 = 16;
/// Bits of a residual written in full.
const ESCAPED_BITS: u32 = 32;

/// How a block is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    order: u8,
    /// Rice parameter, `None` for varints.
    k: Option<u8>,
}

impl Coding {
    /// Codec 0.
    pub const VARINT: Self = Self { order: 0, k: None };
    /// Codec 1.
    pub const DELTA: Self = Self { order: 1, k: None };

    /// Codec 2 with order 0 to 2 and parameter 0 to 31.
    ///
    /// # Errors
    /// [`Error::BadValue`] outside these ranges.
    pub const fn rice(order: u8, k: u8) -> Result<Self, Error> {
        if order > ORDER_MAX || k > K_MAX {
            return Err(Error::BadValue { position: 0 });
        }
        Ok(Self { order, k: Some(k) })
    }

    /// The codec number of the profile message.
    #[must_use]
    pub const fn codec(self) -> u8 {
        match self {
            Self { k: Some(_), .. } => 2,
            Self { order: 0, .. } => 0,
            Self { .. } => 1,
        }
    }

    /// Whether the value behind `count` others is written as a varint.
    const fn is_literal(self, count: usize) -> bool {
        self.k.is_none() || count < self.order as usize
    }

    /// Whether a value may stand in a block of this coding.
    const fn allows(self, value: i64) -> bool {
        self.order == 0 || (-RANGE <= value && value <= RANGE)
    }
}

/// What the values so far say about the next one. Wraps: what one side adds the other takes away.
#[derive(Clone, Copy, Debug, Default)]
struct Prediction {
    count: usize,
    last: i64,
    difference: i64,
}

impl Prediction {
    const fn expected(&self, order: u8) -> i64 {
        match order {
            0 => 0,
            1 => self.last,
            _ => self.last.wrapping_add(self.difference),
        }
    }

    /// What is left of the next value.
    const fn residual(&self, order: u8, value: i64) -> i64 {
        value.wrapping_sub(self.expected(order))
    }

    fn follow(&mut self, value: i64) {
        // The first value is no difference.
        self.difference = if self.count == 0 {
            0
        } else {
            value.wrapping_sub(self.last)
        };
        self.last = value;
        self.count = self.count.saturating_add(1);
    }
}

/// 0, -1, 1, -2, 2 and so on as 0, 1, 2, 3, 4.
const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
