//! Bytes in, frames out.

use serial_line::{PREAMBLE, sum8};

use crate::address::Address;
use crate::control::ControlCode;
use crate::frame::{DATA_MAX, END, FRAME_MAX, Frame, OFFSET, OVERHEAD, START};

/// What a decoder refused since it was made; each count stops at its highest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusals {
    /// Bytes outside frames, preamble bytes not counted.
    pub noise: u32,
    /// A 68 without a second 68 at its place.
    pub start: u32,
    /// A length above the limit of the decoder.
    pub length: u32,
    /// Frames with a wrong sum.
    pub checksum: u32,
    /// Frames that do not end with 16.
    pub end: u32,
    /// Frames that broke off.
    pub truncated: u32,
}

/// What one call of [`Decoder::feed`] did.
#[derive(Debug, PartialEq, Eq)]
pub struct Fed<'a> {
    /// How many of the bytes were taken; feed the rest again.
    pub used: usize,
    /// A whole frame, if one ended there.
    pub frame: Option<Frame<'a>>,
}

/// A stream decoder for any split of the bytes: skips preambles and noise, finds the end of a frame by its length
/// field alone, and resumes one byte behind the 68 of a frame that failed. Holds one frame and nothing else.
///
/// ```
/// let mut decoder = dlt645::Decoder::new();
/// let line = [0xFE, 0x68, 0x01, 0x72, 0, 0x72, 0, 0, 0x68, 0x11, 4, 0x33, 0x35, 0x34, 0x35, 0x9B, 0x16];
/// let mut rest = &line[..];
/// while !rest.is_empty() {
///     let fed = decoder.feed(rest);
///     if let Some(frame) = fed.frame {
///         assert_eq!(frame.data, [0x00, 0x02, 0x01, 0x02]);
///     }
///     rest = &rest[fed.used..];
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    buffer: [u8; FRAME_MAX],
    /// Bytes held, the first of them a 68.
    len: usize,
    /// Bytes that must be held before the next look at them: what comes byte by byte is not looked at each time.
    need: usize,
    /// Bytes of a frame handed out, dropped with the next call.
    done: usize,
    refusals: Refusals,
}

/// How far the bytes held have been understood.
enum Step {
    /// So many bytes must be there before the next look.
    Needs(usize),
    /// The bytes at the front are no frame.
    Fails(Fault),
    /// The bytes at the front are a frame of this length.
    Whole(usize),
}

enum Fault {
    Start,
    Length,
    Checksum,
    End,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// An empty decoder.
    #[must_use]
    pub const fn new() -> Self {
        let refusals = Refusals {
            noise: 0,
            start: 0,
            length: 0,
            checksum: 0,
            end: 0,
            truncated: 0,
        };
        Decoder {
            buffer: [0; FRAME_MAX],
            len: 0,
            need: 0,
            done: 0,
            refusals,
        }
    }

    /// What was refused so far.
    #[must_use]
    pub const fn refusals(&self) -> Refusals {
        self.refusals
    }

    /// Whether a frame has begun and not ended: then the byte gap is to be watched.
    #[must_use]
    pub const fn is_receiving(&self) -> bool {
        self.len > self.done
    }

    /// Forgets a frame that has begun.
    pub fn reset(&mut self) {
        self.len = 0;
        self.need = 0;
        self.done = 0;
    }

    /// Takes bytes until a frame ends or they run out.
    pub fn feed(&mut self, bytes: &[u8]) -> Fed<'_> {
        let mut used = 0;
        self.drop_done();
        if self.len == 0 {
            used = self.skip_to_start(bytes);
            // Most frames come in one piece and need not be gathered.
            let whole = bytes.get(used..).and_then(|rest| self.take_whole(rest));
            if let Some((address, control, len)) = whole {
                return Fed {
                    used: used + OVERHEAD + len,
                    frame: Some(Frame {
                        address,
                        control,
                        data: self.buffer.get(..len).unwrap_or_default(),
                    }),
                };
            }
        }
        let found = self.advance(bytes, &mut used);
        Fed {
            used,
            frame: found.and_then(|len| self.hand_out(len)),
        }
    }

    /// The head of the frame at the front of `rest`, its data, without the offset at the front of the buffer; `None` if there is no
    /// whole sound frame.
    fn take_whole(&mut self, rest: &[u8]) -> Option<(Address, ControlCode, usize)> {
        let Step::Whole(len) = look(rest) else {
            return None;
        };
        let frame = rest.get(..len)?;
        let [_, a0, a1, a2, a3, a4, a5, _, control, _] = *frame.first_chunk()?;
        let (line_data, _) = frame.get(10..)?.split_last_chunk::<2>()?;
        for (to, byte) in self.buffer.iter_mut().zip(line_data) {
            *to = byte.wrapping_sub(OFFSET);
        }
        let address = Address::from_line([a0, a1, a2, a3, a4, a5]);
        Some((address, ControlCode(control), line_data.len()))
    }

    fn drop_done(&mut self) {
        if self.done > 0 {
            let done = core::mem::take(&mut self.done);
            self.resume_behind(done);
        }
    }

    /// The line fell silent inside a frame: looks for a whole frame behind its 68. Call until it returns `None`;
    /// nothing is held then.
    pub fn handle_gap(&mut self) -> Option<Frame<'_>> {
        let mut found = None;
        self.drop_done();
        // Each round drops at least one held byte.
        while found.is_none() && self.is_receiving() {
            found = self.advance(&[], &mut 0);
            if found.is_none() && self.is_receiving() {
                bump(&mut self.refusals.truncated);
                self.resume_behind(1);
            }
        }
        found.and_then(|len| self.hand_out(len))
    }

    fn advance(&mut self, bytes: &[u8], used: &mut usize) -> Option<usize> {
        loop {
            if self.len >= self.need {
                match look(self.buffer.get(..self.len)?) {
                    Step::Whole(len) => return Some(len),
                    Step::Fails(fault) => {
                        match fault {
                            Fault::Start => bump(&mut self.refusals.start),
                            Fault::Length => bump(&mut self.refusals.length),
                            Fault::Checksum => bump(&mut self.refusals.checksum),
                            Fault::End => bump(&mut self.refusals.end),
                        }
                        self.resume_behind(1);
                        continue;
                    }
                    Step::Needs(need) => self.need = need,
                }
            }
            if self.len == 0 {
                *used += self.skip_to_start(bytes.get(*used..)?);
            }
            let rest = bytes.get(*used..)?;
            let end = self.need.min(self.len.saturating_add(rest.len()));
            let place = self.buffer.get_mut(self.len..end)?;
            if place.is_empty() {
                return None;
            }
            for (to, from) in place.iter_mut().zip(rest) {
                *to = *from;
            }
            *used += place.len();
            self.len = end;
        }
    }

    /// Drops `behind` bytes and everything up to the next 68.
    fn resume_behind(&mut self, behind: usize) {
        self.need = 0;
        if behind >= self.len {
            self.len = 0;
            return;
        }
        let mut kept = 0;
        // By hand: the library's move of overlapping bytes takes a kilobyte of flash.
        for from in behind..self.len {
            let byte = self.buffer.get(from).copied().unwrap_or_default();
            if kept == 0 && byte != START {
                self.refusals.noise = self
                    .refusals
                    .noise
                    .saturating_add(u32::from(byte != PREAMBLE));
            } else if let Some(to) = self.buffer.get_mut(kept) {
                *to = byte;
                kept += 1;
            }
        }
        self.len = kept;
    }

    fn skip_to_start(&mut self, bytes: &[u8]) -> usize {
        let mut skipped = 0;
        for byte in bytes {
            match *byte {
                START => break,
                PREAMBLE => {}
                _ => bump(&mut self.refusals.noise),
            }
            skipped += 1;
        }
        skipped
    }

    fn hand_out(&mut self, len: usize) -> Option<Frame<'_>> {
        self.done = len;
        let [_, a0, a1, a2, a3, a4, a5, _, control, _, data @ ..] = self.buffer.get_mut(..len)?
        else {
            return None;
        };
        let address = Address::from_line([*a0, *a1, *a2, *a3, *a4, *a5]);
        let control = ControlCode(*control);
        let (data, _) = data.split_last_chunk_mut::<2>()?;
        for byte in data.iter_mut() {
            *byte = byte.wrapping_sub(OFFSET);
        }
        Some(Frame {
            address,
            control,
            data,
        })
    }
}

/// What the bytes behind and with a 68 are.
fn look(held: &[u8]) -> Step {
    match held.get(7) {
        None => return Step::Needs(8),
        Some(&START) => {}
        Some(_) => return Step::Fails(Fault::Start),
    }
    let Some(len) = held.get(9) else {
        return Step::Needs(10);
    };
    let len = usize::from(*len);
    if len > DATA_MAX {
        return Step::Fails(Fault::Length);
    }
    let whole = OVERHEAD + len;
    let Some((summed, [sum, end])) = held.get(..whole).and_then(<[u8]>::split_last_chunk) else {
        return Step::Needs(whole);
    };
    if sum8(summed) != *sum {
        Step::Fails(Fault::Checksum)
    } else if *end != END {
        Step::Fails(Fault::End)
    } else {
        Step::Whole(whole)
    }
}

fn bump(count: &mut u32) {
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [u8; 16] = [
        0x68, 0x01, 0x72, 0x00, 0x72, 0, 0, 0x68, 0x11, 0x04, 0x33, 0x35, 0x34, 0x35, 0x9B, 0x16,
    ];

    fn count_frames(decoder: &mut Decoder, line: &[u8], chunk: usize) -> usize {
        let mut frames = 0;
        for mut rest in line.chunks(chunk) {
            while !rest.is_empty() {
                let fed = decoder.feed(rest);
                frames += usize::from(fed.frame.is_some());
                rest = &rest[fed.used..];
            }
        }
        frames
    }

    #[test]
    fn any_split_with_noise_and_preamble() {
        let line = [
            &[0x00, 0x68, 0xFE, 0xFE][..],
            &READ,
            &READ,
            &[0xFE, 0x12],
            &READ,
        ]
        .concat();
        for chunk in 1..line.len() {
            let mut decoder = Decoder::new();
            assert_eq!(
                count_frames(&mut decoder, &line, chunk),
                3,
                "chunks of {chunk}"
            );
            assert!(!decoder.is_receiving());
            let expected = Refusals {
                noise: 2,
                start: 1,
                ..Refusals::default()
            };
            assert_eq!(decoder.refusals(), expected);
        }
    }

    #[test]
    fn a_good_frame_inside_a_bad_one_is_found() {
        // The first 68 claims the second one's start as its own.
        let line = [&[0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x11, 0x20][..], &READ].concat();
        let mut decoder = Decoder::new();
        assert_eq!(count_frames(&mut decoder, &line, 5), 0);
        let frame = decoder.handle_gap().unwrap();
        assert_eq!(frame.data, [0, 2, 1, 2]);
        assert!(decoder.handle_gap().is_none());
        assert_eq!(decoder.refusals().truncated, 1);

        let mut line = line;
        line.resize(12 + 0x20, 0);
        let mut decoder = Decoder::new();
        assert_eq!(count_frames(&mut decoder, &line, 100), 1);
        assert_eq!(decoder.refusals().checksum, 1);
    }

    #[test]
    fn each_fault_has_its_count() {
        let mut decoder = Decoder::new();
        for (place, value) in [(7, 0), (9, 201), (14, 0), (15, 0)] {
            let mut bad = READ;
            bad[place] = value;
            count_frames(&mut decoder, &bad, 16);
        }
        // Behind each failed frame its second 68 is tried as a start.
        let refusals = decoder.refusals();
        assert_eq!(
            (
                refusals.start,
                refusals.length,
                refusals.checksum,
                refusals.end
            ),
            (4, 1, 1, 1)
        );
    }
}
