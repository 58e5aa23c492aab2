//! Stop and wait over frames: bodies arrive once and in order, whatever the line damages.

use super::{Counters, Header, Receiver, encode};
use crate::error::Error;
use crate::link::stop_wait::{Flags, Head, StopAndWait};
use crate::link::{Event, SendError};

const ACK: u8 = 1;
const RESET: u8 = 1 << 1;
const BOOT: u8 = 1 << 2;
const RESET_SEEN: u8 = 1 << 3;

/// Waits of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between a body and its repeat, and between resets, milliseconds: the time of the longest frame each way and of
    /// the other side's work.
    pub repeat_ms: u64,
}

impl Timing {
    /// For bodies of `body` bytes at `baud` bits per second (ten bits a byte), and 20 ms for the other side's work.
    #[must_use]
    pub const fn at(baud: u32, body: usize) -> Self {
        let baud = if baud == 0 { 1 } else { baud as u64 };
        let bits = (super::frame_len(body) as u64).saturating_mul(2 * 10 * 1000);
        Self {
            repeat_ms: bits.div_ceil(baud).saturating_add(20),
        }
    }
}

/// One end of a line on which both sides may speak at once.
///
/// `N` is the longest body; `M` bytes hold a received frame: `N` + 8 at least, shorter frames only otherwise.
///
/// ```text
/// bytes from the line ──> handle_bytes ──> received, poll_event
/// send ──> poll_transmit ──> bytes to the line; ask again when poll_timeout has come
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint<const N: usize, const M: usize> {
    core: StopAndWait<N>,
    receiver: Receiver<M>,
    timing: Timing,
    /// Kind of the body under way, and of the one that came.
    kind: u8,
    received_kind: u8,
    /// When the body under way, or the reset, goes out again.
    due: u64,
}

impl<const N: usize, const M: usize> Endpoint<N, M> {
    /// An end that has just started.
    #[must_use]
    pub const fn new(timing: Timing) -> Self {
        Self {
            core: StopAndWait::new(),
            receiver: Receiver::new(),
            timing,
            kind: 0,
            received_kind: 0,
            due: 0,
        }
    }

    /// Takes a body for sending; `kind` says what it is, by agreement of both ends.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&mut self, kind: u8, body: &[u8]) -> Result<(), SendError> {
        self.core.send(body)?;
        self.kind = kind;
        Ok(())
    }

    /// Whether [`Endpoint::send`] would take a body.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.core.is_idle()
    }

    /// Whether the link is known to be up.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.core.is_up()
    }

    /// The next thing to tell the application.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.core.poll_event()
    }

    /// Kind and bytes of the body that came, until [`Endpoint::release`]. Further bodies are not acknowledged
    /// meanwhile, so the other side repeats them.
    #[must_use]
    pub fn received(&self) -> Option<(u8, &[u8])> {
        self.core.received().map(|body| (self.received_kind, body))
    }

    /// Makes room for the next body.
    pub fn release(&mut self) {
        self.core.release();
    }

    /// What was refused so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.receiver.counters()
    }

    /// Bodies that came again.
    #[must_use]
    pub const fn repeats(&self) -> u32 {
        self.core.repeats()
    }

    /// Takes bytes from the line, as many or few as came.
    pub fn handle_bytes(&mut self, now: u64, bytes: &[u8]) {
        for byte in bytes {
            let Some((header, body)) = self.receiver.handle_byte(*byte) else {
                continue;
            };
            let was_up = self.core.is_up();
            let head = Head {
                flags: Flags {
                    ack: header.flags & ACK != 0,
                    reset: header.flags & RESET != 0,
                    boot: header.flags & BOOT != 0,
                    reset_seen: header.flags & RESET_SEEN != 0,
                },
                seq: header.seq,
                ack: header.ack,
            };
            self.core.handle_head(&head, 0);
            if !body.is_empty() && self.core.handle_body(header.seq, body) {
                self.received_kind = header.kind;
            }
            if !was_up && self.core.is_up() {
                // A body that waited for the other side goes at once.
                self.due = now;
            }
        }
    }

    /// Writes the next frame, returns its length; [`frame_len`](super::frame_len) of `N` bytes are always enough.
    ///
    /// # Errors
    /// [`Error::BufferFull`].
    pub fn poll_transmit(&mut self, now: u64, out: &mut [u8]) -> Result<Option<usize>, Error> {
        let needed = super::frame_len(if self.core.is_idle() { 0 } else { N });
        if out.len() < needed {
            return Err(Error::BufferFull {
                capacity: out.len(),
            });
        }
        let waits = !self.core.is_idle() || !self.core.is_up();
        let due = self.core.is_up() && self.core.is_fresh() || waits && now >= self.due;
        if !due && !self.core.owes() {
            return Ok(None);
        }
        let (head, len) = self.core.begin(due);
        if due {
            self.due = now.saturating_add(self.timing.repeat_ms);
        }
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = bit(head.flags.ack, ACK)
            | bit(head.flags.reset, RESET)
            | bit(head.flags.boot, BOOT)
            | bit(head.flags.reset_seen, RESET_SEEN);
        let kind = if len == 0 { 0 } else { self.kind };
        let header = Header::new(flags, head.seq, head.ack, kind);
        encode(header, self.core.body(len), out).map(Some)
    }

    /// When [`Endpoint::poll_transmit`] has something to repeat, if nothing happens before.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        if self.core.is_idle() && self.core.is_up() {
            None
        } else {
            Some(self.due)
        }
    }
}
