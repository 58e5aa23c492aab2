//! Frames on a serial line: `COBS( header 4 | body | CRC-32C 4 ) 00`.
//!
//! Header: flags, sequence, acknowledged sequence, kind. The check covers header and body, least significant byte
//! first. Zero occurs at the end of a frame only, so one damaged byte costs one frame (two if it became a zero). An
//! idle line may repeat 00.
//!
//! [`encode`] and [`Receiver`] make and read frames; [`Endpoint`] gets bodies across, once and in order: stop and wait
//! with the flags 1 acknowledgement valid, 2 reset, 4 boot, 8 reset seen. A frame without a body has kind 0.

mod endpoint;
#[cfg(feature = "embedded-io")]
mod shell;

pub use endpoint::{Endpoint, Timing};
#[cfg(feature = "embedded-io")]
pub use shell::{SerialLink, ShellError};

use crate::error::Error;
use crate::link::crc32c;

/// Bytes of header and check around a body.
pub const OVERHEAD: usize = 8;

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version 1 in the high nibble, flags in the low one.
    pub flags: u8,
    /// Sequence of this frame.
    pub seq: u8,
    /// Sequence of the last frame that came in order.
    pub ack: u8,
    /// What the body is, by agreement of both ends.
    pub kind: u8,
}

impl Header {
    /// A header of version 1.
    #[must_use]
    pub const fn new(flags: u8, seq: u8, ack: u8, kind: u8) -> Self {
        Self {
            flags: 0x10 | flags & 0x0F,
            seq,
            ack,
            kind,
        }
    }

    const fn bytes(self) -> [u8; 4] {
        [self.flags, self.seq, self.ack, self.kind]
    }
}

/// The most bytes that a frame with a body of this length has on the line.
#[must_use]
pub const fn frame_len(body: usize) -> usize {
    let inner = body + OVERHEAD;
    inner + inner.div_ceil(254) + 1
}

/// Writes a frame, returns its length on the line.
///
/// # Errors
/// [`Error::BufferFull`]; [`frame_len`] bytes are always enough.
pub fn encode(header: Header, body: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    let capacity = out.len();
    let header = header.bytes();
    let check = crc32c_of(&header, body).to_le_bytes();
    // Consistent overhead byte stuffing: each block is its length + 1 and up to 254 bytes that are not zero.
    let (mut code_at, mut code, mut at) = (0usize, 1u8, 1usize);
    for byte in header.iter().chain(body).chain(&check) {
        if code == 0xFF {
            put(out, code_at, code)?;
            (code_at, code, at) = (at, 1, at + 1);
        }
        if *byte == 0 {
            put(out, code_at, code)?;
            (code_at, code, at) = (at, 1, at + 1);
        } else {
            put(out, at, *byte)?;
            at += 1;
            code += 1;
        }
    }
    put(out, code_at, code)?;
    put(out, at, 0)?;
    if at < capacity {
        Ok(at + 1)
    } else {
        Err(Error::BufferFull { capacity })
    }
}

fn crc32c_of(header: &[u8], body: &[u8]) -> u32 {
    let mut digest = crate::link::CRC_32C.digest();
    digest.update(header);
    digest.update(body);
    digest.finalize()
}

fn put(out: &mut [u8], at: usize, byte: u8) -> Result<(), Error> {
    let capacity = out.len();
    *out.get_mut(at).ok_or(Error::BufferFull { capacity })? = byte;
    Ok(())
}

/// What a receiver refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames whose check or stuffing is wrong.
    pub damaged: u32,
    /// Frames longer than the buffer.
    pub too_long: u32,
}

/// Collects bytes of a line into frames; `N` bytes hold header, body and check.
#[derive(Clone, Debug)]
pub struct Receiver<const N: usize> {
    buffer: [u8; N],
    len: usize,
    /// Bytes left in the block, 0 before a code byte.
    block: u8,
    /// Whether a zero follows the block unless the frame ends.
    zero: bool,
    state: State,
    counters: Counters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    Collecting,
    TooLong,
    Damaged,
}

impl<const N: usize> Default for Receiver<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Receiver<N> {
    /// A receiver at the beginning of a frame.
    #[must_use]
    pub const fn new() -> Self {
        let counters = Counters {
            damaged: 0,
            too_long: 0,
        };
        Self {
            buffer: [0; N],
            len: 0,
            block: 0,
            zero: false,
            state: State::Empty,
            counters,
        }
    }

    /// What was refused so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes one byte; returns header and body when it ends a good frame.
    pub fn handle_byte(&mut self, byte: u8) -> Option<(Header, &[u8])> {
        if byte == 0 {
            return self.end();
        }
        if self.state == State::Empty {
            (self.state, self.len, self.block, self.zero) = (State::Collecting, 0, 0, false);
        }
        if self.block == 0 {
            if self.zero {
                self.store(0);
            }
            self.block = byte - 1;
            self.zero = byte != 0xFF;
        } else {
            self.block -= 1;
            self.store(byte);
        }
        None
    }

    fn store(&mut self, byte: u8) {
        match self.buffer.get_mut(self.len) {
            Some(slot) if self.state == State::Collecting => {
                *slot = byte;
                self.len += 1;
            }
            Some(_) => {}
            None => self.state = State::TooLong,
        }
    }

    fn end(&mut self) -> Option<(Header, &[u8])> {
        if self.state == State::Collecting && self.block != 0 {
            self.state = State::Damaged;
        }
        match core::mem::replace(&mut self.state, State::Empty) {
            State::Empty => None,
            State::TooLong => {
                self.counters.too_long = self.counters.too_long.saturating_add(1);
                None
            }
            State::Damaged => {
                self.counters.damaged = self.counters.damaged.saturating_add(1);
                None
            }
            State::Collecting => {
                let good = checked(self.buffer.get(..self.len)?);
                if good.is_none() {
                    self.counters.damaged = self.counters.damaged.saturating_add(1);
                }
                good
            }
        }
    }
}

fn checked(frame: &[u8]) -> Option<(Header, &[u8])> {
    let (content, check) = frame.split_last_chunk::<4>()?;
    let (&[flags, seq, ack, kind], body) = content.split_first_chunk::<4>()?;
    let good = crc32c(content) == u32::from_le_bytes(*check) && flags >> 4 == 1;
    good.then_some((
        Header {
            flags,
            seq,
            ack,
            kind,
        },
        body,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    fn receive<const N: usize>(receiver: &mut Receiver<N>, line: &[u8]) -> Vec<(Header, Vec<u8>)> {
        line.iter()
            .filter_map(|byte| receiver.handle_byte(*byte).map(|(h, b)| (h, b.to_vec())))
            .collect()
    }

    #[test]
    fn every_length_and_many_zeros_round_trip() {
        for len in 0..600usize {
            for pattern in [0u8, 1, 0xFF, 7] {
                let body: Vec<u8> = (0..len)
                    .map(|at| {
                        if pattern == 7 {
                            (at % 256) as u8
                        } else {
                            pattern
                        }
                    })
                    .collect();
                let header = Header::new(1, len as u8, 0, 4);
                let mut line = std::vec![0xEE; frame_len(len)];
                let end = encode(header, &body, &mut line).unwrap_or(0);
                assert!(line[..end - 1].iter().all(|byte| *byte != 0));
                let mut receiver: Receiver<608> = Receiver::new();
                assert_eq!(
                    receive(&mut receiver, &line[..end]),
                    [(header, body.clone())]
                );
                assert_eq!(
                    encode(header, &body, &mut line[..end - 1]),
                    Err(Error::BufferFull { capacity: end - 1 })
                );
            }
        }
    }

    #[test]
    fn a_damaged_byte_costs_two_frames_at_most() {
        let header = Header::new(0, 1, 2, 3);
        let mut one = [0; 64];
        let len = encode(header, b"\x00register\x00", &mut one).unwrap_or(0);
        let line: Vec<u8> = one[..len].repeat(3);
        for at in 0..line.len() {
            for change in [0x01, 0x80, line[at]] {
                let mut damaged = line.clone();
                damaged[at] ^= change;
                damaged.push(0); // The idle line ends a frame whose own end was hit.
                let mut receiver: Receiver<64> = Receiver::new();
                let got = receive(&mut receiver, &damaged);
                assert!(!got.is_empty() && got.iter().all(|(_, body)| body == b"\x00register\x00"));
                assert!(got.len() == 3 || receiver.counters() != Counters::default());
            }
        }
    }

    #[test]
    fn a_frame_that_does_not_fit_is_counted_and_the_next_one_read() {
        let header = Header::new(0, 1, 2, 3);
        let (mut long, mut short) = ([0; 128], [0; 32]);
        let long_len = encode(header, &[5; 100], &mut long).unwrap_or(0);
        let short_len = encode(header, &[5; 8], &mut short).unwrap_or(0);
        let mut receiver: Receiver<16> = Receiver::new();
        assert!(receive(&mut receiver, &long[..long_len]).is_empty());
        assert_eq!(receiver.counters().too_long, 1);
        assert_eq!(receive(&mut receiver, &short[..short_len]).len(), 1);
    }
}
