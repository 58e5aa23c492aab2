//! One frame: a checked view of line bytes, and a plain value to send.
//!
//! ```text
//! 68 23 01 00 06 21 20 68 11 04 33 33 34 33 .. 16
//! |  |                 |  |  |  |           |  end
//! |  address, low first|  |  |  data + 33   checksum: sum from the first 68
//! start                |  |  length of the data
//!          second start   control code
//! ```

use core::fmt;

use serial_line::sum8;

use crate::address::Address;
use crate::control::ControlCode;

/// First and eighth byte of a frame.
pub const START: u8 = 0x68;
/// Last byte of a frame.
pub const END: u8 = 0x16;
/// Added to each data byte on the line, modulo 256.
pub const OFFSET: u8 = 0x33;
/// Bytes of a frame besides its data.
pub const OVERHEAD: usize = 12;
/// Most data bytes the standard lets a read answer carry; receivers may drop longer frames.
pub const DATA_MAX: usize = 200;
/// Most bytes of a frame with [`DATA_MAX`] data bytes.
pub const FRAME_MAX: usize = OVERHEAD + DATA_MAX;

/// Why bytes are no frame, by the first rule that fails in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// No 68 anywhere, or no second 68 seven bytes behind it.
    Start {
        /// Where a 68 was expected.
        position: usize,
        /// What stood there; nothing if the bytes ended.
        found: Option<u8>,
    },
    /// The bytes end before the frame does.
    Truncated {
        /// Bytes the frame needs from its first 68 on.
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
            FrameError::Start {
                position,
                found: Some(found),
            } => {
                write!(f, "expected 68 at byte {position} and found {found:02X}")
            }
            FrameError::Start {
                position,
                found: None,
            } => write!(f, "no 68 up to byte {position}"),
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

/// A frame found in line bytes; everything was checked, so accessors cannot fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameView<'a> {
    address: Address,
    control: ControlCode,
    line_data: &'a [u8],
    offset: usize,
}

impl<'a> FrameView<'a> {
    /// Finds the first frame in `line`: skips everything up to a 68 with a second 68 at its place, then checks
    /// length, sum and end. Bytes behind the frame are not looked at ([`FrameView::end`] tells where they begin).
    ///
    /// For a stream use [`crate::Decoder`], which goes on after a fault.
    ///
    /// # Errors
    /// The first [`FrameError`] that applies, in the order of its variants.
    pub fn parse(line: &'a [u8]) -> Result<Self, FrameError> {
        let mut fault = FrameError::Start {
            position: line.len(),
            found: None,
        };
        for (offset, byte) in line.iter().enumerate() {
            if *byte != START {
                continue;
            }
            let Some(bytes) = line.get(offset..) else {
                break;
            };
            match bytes.get(7) {
                Some(&START) => return Self::parse_at(bytes, offset),
                Some(&found) => {
                    if matches!(fault, FrameError::Start { found: None, .. }) {
                        fault = FrameError::Start {
                            position: offset + 7,
                            found: Some(found),
                        };
                    }
                }
                // The line ends before the second 68 of this candidate: nothing says yet that it is none.
                None => {
                    return Err(FrameError::Truncated {
                        expected: OVERHEAD,
                        found: bytes.len(),
                    });
                }
            }
        }
        Err(fault)
    }

    fn parse_at(bytes: &'a [u8], offset: usize) -> Result<Self, FrameError> {
        let truncated = |expected| FrameError::Truncated {
            expected,
            found: bytes.len(),
        };
        let [_, a0, a1, a2, a3, a4, a5, _, control, len, tail @ ..] = bytes else {
            return Err(truncated(OVERHEAD));
        };
        let len = usize::from(*len);
        if bytes.len() < OVERHEAD {
            return Err(truncated(OVERHEAD));
        }
        let (Some((line_data, [found_sum, found_end, ..])), Some(summed)) =
            (tail.split_at_checked(len), bytes.get(..10 + len))
        else {
            return Err(truncated(OVERHEAD + len));
        };
        let expected = sum8(summed);
        if *found_sum != expected {
            return Err(FrameError::Checksum {
                position: offset + 10 + len,
                expected,
                found: *found_sum,
            });
        }
        if *found_end != END {
            return Err(FrameError::End {
                position: offset + 11 + len,
                found: *found_end,
            });
        }
        let address = Address::from_line([*a0, *a1, *a2, *a3, *a4, *a5]);
        Ok(FrameView {
            address,
            control: ControlCode(*control),
            line_data,
            offset,
        })
    }

    /// The address field.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The control code.
    #[must_use]
    pub const fn control(&self) -> ControlCode {
        self.control
    }

    /// The data bytes as on the line, with the offset.
    #[must_use]
    pub const fn line_data(&self) -> &'a [u8] {
        self.line_data
    }

    /// Index of the first 68 in the bytes that were parsed.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Index behind the frame in the bytes that were parsed.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.offset + OVERHEAD + self.line_data.len()
    }

    /// The plain data bytes, offset subtracted.
    pub fn data(&self) -> impl Iterator<Item = u8> + 'a {
        self.line_data.iter().map(|byte| byte.wrapping_sub(OFFSET))
    }

    /// The frame as a value, its plain data in `plain`.
    ///
    /// # Errors
    /// [`TooLong`] if `plain` does not hold the data; 255 bytes always do.
    pub fn unmask<'b>(&self, plain: &'b mut [u8]) -> Result<Frame<'b>, TooLong> {
        let available = plain.len();
        let data = plain.get_mut(..self.line_data.len()).ok_or(TooLong {
            needed: self.line_data.len(),
            available,
        })?;
        for (to, from) in data.iter_mut().zip(self.data()) {
            *to = from;
        }
        Ok(Frame {
            address: self.address,
            control: self.control,
            data,
        })
    }
}

/// A frame with plain data, to be sent or just received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whom it is for, or whom it is from.
    pub address: Address,
    /// Direction, refusal, more to follow, function.
    pub control: ControlCode,
    /// The data bytes without the offset, at most 255.
    pub data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Parses one complete frame; its plain data go into `plain`.
    ///
    /// # Errors
    /// As [`FrameView::parse`]. A `plain` that is too small counts as [`FrameError::Truncated`]; 255 bytes suffice.
    ///
    /// ```
    /// use dlt645::{Frame, Function};
    /// let line = [0x68, 0x01, 0x72, 0x00, 0x72, 0, 0, 0x68, 0x11, 0x04, 0x33, 0x35, 0x34, 0x35, 0x9B, 0x16];
    /// let mut plain = [0; 255];
    /// let frame = Frame::parse(&line, &mut plain)?;
    /// assert_eq!(frame.address.to_string(), "000072007201");
    /// assert_eq!(frame.control.function(), Function::READ);
    /// # Ok::<(), dlt645::FrameError>(())
    /// ```
    pub fn parse(line: &[u8], plain: &'a mut [u8]) -> Result<Self, FrameError> {
        let found = plain.len();
        FrameView::parse(line)?
            .unmask(plain)
            .map_err(|short| FrameError::Truncated {
                expected: short.needed,
                found,
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
    /// [`TooLong`] if `out` is too small or the data exceed 255 bytes; `out` is then unchanged.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, TooLong> {
        let len = u8::try_from(self.data.len()).map_err(|_| TooLong {
            needed: self.data.len(),
            available: 255,
        })?;
        let needed = self.encoded_len();
        let available = out.len();
        let frame = out.get_mut(..needed).ok_or(TooLong { needed, available })?;
        let mut sum = 0_u8;
        for (place, byte) in frame.iter_mut().skip(HEAD).zip(self.data) {
            *place = byte.wrapping_add(OFFSET);
            sum = sum.wrapping_add(*place);
        }
        enclose(self.address, self.control, len, sum, frame);
        Ok(needed)
    }
}

/// Bytes in front of the data.
const HEAD: usize = 10;

/// Writes a frame whose data `put_data` writes in their place: nothing is copied.
pub(crate) fn encode_in_place(
    address: Address,
    control: ControlCode,
    out: &mut [u8],
    put_data: impl FnOnce(&mut [u8]) -> Result<usize, TooLong>,
) -> Result<usize, TooLong> {
    let available = out.len();
    let room = available.saturating_sub(OVERHEAD).min(DATA_MAX);
    let whole = |data: usize| TooLong {
        needed: OVERHEAD + data,
        available,
    };
    let place = out.get_mut(HEAD..HEAD + room).ok_or(whole(0))?;
    let len = match put_data(place) {
        Ok(len) => len,
        Err(short) if room == DATA_MAX => return Err(short),
        Err(short) => return Err(whole(short.needed)),
    };
    let frame = out.get_mut(..OVERHEAD + len).ok_or(whole(len))?;
    let mut sum = 0_u8;
    for place in frame.iter_mut().skip(HEAD).take(len) {
        *place = place.wrapping_add(OFFSET);
        sum = sum.wrapping_add(*place);
    }
    // At most DATA_MAX.
    enclose(address, control, len as u8, sum, frame);
    Ok(OVERHEAD + len)
}

/// Writes what stands around the data, whose bytes on the line sum to `sum`.
fn enclose(address: Address, control: ControlCode, len: u8, sum: u8, frame: &mut [u8]) {
    let [a0, a1, a2, a3, a4, a5] = address.line();
    let head = [START, a0, a1, a2, a3, a4, a5, START, control.0, len];
    if let Some(place) = frame.first_chunk_mut() {
        *place = head;
    }
    if let Some(place) = frame.last_chunk_mut() {
        *place = [sum.wrapping_add(sum8(&head)), END];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [u8; 16] = [
        0x68, 0x01, 0x72, 0x00, 0x72, 0, 0, 0x68, 0x11, 0x04, 0x33, 0x35, 0x34, 0x35, 0x9B, 0x16,
    ];

    #[test]
    fn a_frame_comes_back_byte_for_byte() {
        let mut plain = [0; 255];
        let frame = Frame::parse(&READ, &mut plain).unwrap();
        assert_eq!(frame.data, [0, 2, 1, 2]);
        let mut out = [0; 32];
        let len = frame.encode(&mut out).unwrap();
        assert_eq!(out[..len], READ);
        assert_eq!(
            frame.encode(&mut out[..15]),
            Err(TooLong {
                needed: 16,
                available: 15
            })
        );
    }

    #[test]
    fn faults_come_in_their_order() {
        assert_eq!(
            FrameView::parse(&[]),
            Err(FrameError::Start {
                position: 0,
                found: None
            })
        );
        assert_eq!(
            FrameView::parse(&READ[..9]),
            Err(FrameError::Truncated {
                expected: 12,
                found: 9
            })
        );
        assert_eq!(
            FrameView::parse(&READ[..15]),
            Err(FrameError::Truncated {
                expected: 16,
                found: 15
            })
        );
        let mut bad = READ;
        bad[7] = 0;
        assert_eq!(
            FrameView::parse(&bad),
            Err(FrameError::Start {
                position: 7,
                found: Some(0)
            })
        );
        let mut bad = READ;
        (bad[14], bad[15]) = (0, 0);
        assert_eq!(
            FrameView::parse(&bad),
            Err(FrameError::Checksum {
                position: 14,
                expected: 0x9B,
                found: 0
            })
        );
        bad[14] = 0x9B;
        assert_eq!(
            FrameView::parse(&bad),
            Err(FrameError::End {
                position: 15,
                found: 0
            })
        );
    }
}
