//! One frame: checked view and value in one, as data go on the line as they are.
//!
//! ```text
//! 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16
//! |  |  |                    |  |  |        |  end
//! |  |  address, low first   |  |  data     checksum: sum from the 68
//! |  meter type              |  length
//! start                      control code
//! ```

use core::fmt;

use serial_line::sum8;

use crate::address::Address;
use crate::control::ControlCode;
use crate::meter_type::MeterType;
use serial_line::cursor::Writer;

/// First byte of a frame.
pub const START: u8 = 0x68;
/// Last byte of a frame.
pub const END: u8 = 0x16;
/// Bytes of a frame besides its data.
pub const OVERHEAD: usize = 13;
/// Most data bytes a receiver takes: twice what the standard lets a read answer carry, as 2018 heat layouts grow.
pub const DATA_MAX: usize = 128;
/// Most bytes of a frame with [`DATA_MAX`] data bytes.
pub const FRAME_MAX: usize = OVERHEAD + DATA_MAX;

/// Why bytes are no frame, by the first rule that fails in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// No 68 anywhere.
    Start {
        /// Number of bytes looked at.
        position: usize,
    },
    /// The bytes end before the frame does.
    Truncated {
        /// Bytes the frame needs from its 68 on.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// The sum disagrees.
    Checksum {
        /// Where the checksum stands.
        position: usize,
        /// Sum of the frame.
        expected: u8,
        /// Sum the frame states.
        found: u8,
    },
    /// The last byte is not 16.
    End {
        /// Where the end stands.
        position: usize,
        /// What stood there.
        found: u8,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FrameError::Start { position } => write!(f, "no 68 up to byte {position}"),
            FrameError::Truncated { expected, found } => {
                write!(f, "the frame needs {expected} bytes and {found} are there")
            }
            FrameError::Checksum {
                position,
                expected,
                found,
            } => {
                write!(
                    f,
                    "the checksum at byte {position} is {found:02X} and the bytes sum to {expected:02X}"
                )
            }
            FrameError::End { position, found } => {
                write!(f, "expected 16 at byte {position} and found {found:02X}")
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// A buffer or a length field cannot take what is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// Bytes needed.
    pub needed: usize,
    /// Bytes available.
    pub available: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes are needed and {} fit",
            self.needed, self.available
        )
    }
}

impl core::error::Error for TooLong {}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// T.
    pub meter_type: MeterType,
    /// Whom it is for, or whom it is from.
    pub address: Address,
    /// Direction, refusal, function.
    pub control: ControlCode,
    /// The data, at most 255 bytes.
    pub data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Parses the frame that begins at the first 68 of `line`; bytes behind it are not looked at.
    ///
    /// # Errors
    /// The first [`FrameError`] that applies, in the order of its variants.
    pub fn parse(line: &'a [u8]) -> Result<Self, FrameError> {
        let offset = line
            .iter()
            .position(|byte| *byte == START)
            .ok_or(FrameError::Start {
                position: line.len(),
            })?;
        let bytes = line.get(offset..).unwrap_or_default();
        let truncated = |expected| FrameError::Truncated {
            expected,
            found: bytes.len(),
        };
        let [_, kind, a0, a1, a2, a3, a4, a5, a6, control, len, tail @ ..] = bytes else {
            return Err(truncated(OVERHEAD));
        };
        let len = usize::from(*len);
        if bytes.len() < OVERHEAD {
            return Err(truncated(OVERHEAD));
        }
        let (Some((data, [found_sum, found_end, ..])), Some(summed)) =
            (tail.split_at_checked(len), bytes.get(..11 + len))
        else {
            return Err(truncated(OVERHEAD + len));
        };
        let expected = sum8(summed);
        if *found_sum != expected {
            return Err(FrameError::Checksum {
                position: offset + 11 + len,
                expected,
                found: *found_sum,
            });
        }
        if *found_end != END {
            return Err(FrameError::End {
                position: offset + 12 + len,
                found: *found_end,
            });
        }
        Ok(Frame {
            meter_type: MeterType(*kind),
            address: Address::from_line([*a0, *a1, *a2, *a3, *a4, *a5, *a6]),
            control: ControlCode(*control),
            data,
        })
    }

    /// Bytes the frame takes on the line, without a preamble.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        OVERHEAD + self.data.len()
    }

    /// Writes the frame to the front of `out`, without a preamble, and returns its length.
    ///
    /// # Errors
    /// [`TooLong`] if `out` is too small or the data exceed 255 bytes.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, TooLong> {
        let len = u8::try_from(self.data.len()).map_err(|_| TooLong {
            needed: self.data.len(),
            available: 255,
        })?;
        let available = out.len();
        let head = [START, self.meter_type.0];
        let address = self.address.line();
        let middle = [self.control.0, len];
        let sum = [&head[..], &address, &middle, self.data]
            .iter()
            .fold(0_u8, |sum, part| sum.wrapping_add(sum8(part)));
        let mut writer = Writer::new(out);
        writer
            .put(&head)
            .put(&address)
            .put(&middle)
            .put(self.data)
            .put(&[sum, END]);
        writer
            .finish()
            .map_err(|needed| TooLong { needed, available })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_byte_for_byte() {
        let line = [
            0x68, 0x10, 0x44, 0x33, 0x22, 0x11, 0x00, 0x33, 0x78, 0x01, 0x03, 0x1F, 0x90, 0x00,
            0x80, 0x16,
        ];
        let frame = Frame::parse(&line).unwrap();
        assert_eq!(frame.address.to_string(), "78330011223344");
        let mut out = [0; 20];
        assert_eq!(frame.encode(&mut out), Ok(16));
        assert_eq!(out[..16], line);
        assert_eq!(
            frame.encode(&mut out[..15]),
            Err(TooLong {
                needed: 16,
                available: 15
            })
        );
        assert_eq!(
            Frame::parse(&line[1..]),
            Err(FrameError::Start { position: 15 })
        );
        assert_eq!(
            Frame::parse(&line[..12]),
            Err(FrameError::Truncated {
                expected: 13,
                found: 12
            })
        );
        assert_eq!(
            Frame::parse(&line[..15]),
            Err(FrameError::Truncated {
                expected: 16,
                found: 15
            })
        );
    }

    extern crate std;
    use std::string::ToString;
}
