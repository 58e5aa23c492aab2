//! Transfers between the two cores of a meter, over SPI or anything that exchanges bytes both ways at once.
//!
//! The master frames a transfer with chip select. A transfer has two phases, each begun when the slave is ready: both
//! sides exchange headers of 8 bytes, then, if either has a body, as many bytes as the longer body needs.
//!
//! | header byte | is |
//! | ---: | --- |
//! | 0 | 0xA5 |
//! | 1 | flags: 0 body follows, 1 acknowledged sequence is valid, 2 reset, 3 boot, 4 reset seen, 5 more to come |
//! | 2 | sequence of the body, or of the next one |
//! | 3 | acknowledged sequence |
//! | 4-5 | body length, least significant byte first |
//! | 6-7 | CRC-16 over bytes 0-5, least significant byte first |
//!
//! A body is followed by its CRC-32C, least significant byte first, and zeros up to the end of the phase.
//!
//! Stop and wait: each side has one body under way until the other's header acknowledges its sequence; a body that came
//! before is recognised by its sequence and not delivered again. After four vain sends the link counts as down: the side
//! says so ([`Event::Down`]) and sends headers with the reset flag until the other side answers them; the body waits.
//! After a start the boot flag tells the other side to forget the old numbering.
//!
//! ```text
//! master                                      slave
//! header = master.begin()                     header = slave.begin()
//!            <────── 8 bytes each way ──────>
//! n = master.handle_header(&theirs, &mut out) n = slave.handle_header(&theirs, &mut out)
//!            <────── n bytes each way ──────>
//! master.handle_body(&theirs)                 slave.handle_body(&theirs)
//! ```
//!
//! A body that came stays in [`Endpoint::received`] until [`Endpoint::release`]; meanwhile further bodies are not
//! acknowledged, so the other side repeats them.

#[cfg(feature = "embedded-hal")]
mod shell;

use core::fmt;

use super::stop_wait::{Flags, Head, StopAndWait};
#[cfg(feature = "embedded-hal")]
pub use shell::{MasterPins, ShellError, SlaveBus, SpiMaster, SpiSlave};

pub use super::{Event, SendError, TRIES};
use crate::link::{crc16, crc32c};

/// Length of a header.
pub const HEADER: usize = 8;
/// Bytes behind a body.
pub const CHECK: usize = 4;

const SYNC: u8 = 0xA5;
const BODY: u8 = 1;
const ACK: u8 = 1 << 1;
const RESET: u8 = 1 << 2;
const BOOT: u8 = 1 << 3;
const RESET_SEEN: u8 = 1 << 4;
const MORE: u8 = 1 << 5;

/// Why a transfer ended early. The link repeats by itself; these are for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The header is damaged, or nobody drove the line.
    BadHeader,
    /// The other side announced a body above the agreed maximum.
    TooLong {
        /// Its announced length in bytes.
        len: u16,
    },
    /// The body's check is wrong, or the phase was cut.
    BadBody,
    /// The caller's buffer is shorter than the phase.
    BufferTooSmall {
        /// Bytes needed.
        needed: usize,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadHeader => f.write_str("the header of the transfer is damaged"),
            Self::TooLong { len } => {
                write!(f, "the other side announced {len} bytes, more than agreed")
            }
            Self::BadBody => f.write_str("the body of the transfer is damaged"),
            Self::BufferTooSmall { needed } => {
                write!(f, "the transfer needs a buffer of {needed} bytes")
            }
        }
    }
}

impl core::error::Error for LinkError {}

/// What went wrong so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Damaged headers.
    pub headers: u32,
    /// Announced lengths above the maximum.
    pub lengths: u32,
    /// Damaged bodies.
    pub bodies: u32,
    /// Bodies that came again.
    pub repeats: u32,
}

/// What both sides share: one body each way, of at most `N` bytes (256 suggested; 512 where legal blocks are large).
#[derive(Clone, Debug)]
pub struct Endpoint<const N: usize> {
    core: StopAndWait<N>,
    transfer: Transfer,
    more: bool,
    counters: Counters,
}

/// What the current transfer has agreed on.
#[derive(Clone, Copy, Debug, Default)]
struct Transfer {
    ours: usize,
    theirs: usize,
    their_seq: u8,
}

impl<const N: usize> Default for Endpoint<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Endpoint<N> {
    /// The most bytes of a body phase: buffers of this length always do.
    pub const PHASE: usize = N + CHECK;

    /// A side that has just started.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            core: StopAndWait::new(),
            transfer: Transfer {
                ours: 0,
                theirs: 0,
                their_seq: 0,
            },
            more: false,
            counters: Counters {
                headers: 0,
                lengths: 0,
                bodies: 0,
                repeats: 0,
            },
        }
    }

    /// Takes a body for sending. `more` tells the other side that another follows.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&mut self, body: &[u8], more: bool) -> Result<(), SendError> {
        self.core.send(body)?;
        self.more = more;
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

    /// Whether there is a reason for a transfer from this side: a body, an acknowledgement, a reset.
    #[must_use]
    pub const fn wants_transfer(&self) -> bool {
        self.core.wants_to_speak()
    }

    /// What went wrong so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        Counters {
            repeats: self.core.repeats(),
            ..self.counters
        }
    }

    /// The next thing to tell the application.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.core.poll_event()
    }

    /// The body that came, until [`Endpoint::release`].
    #[must_use]
    pub fn received(&self) -> Option<&[u8]> {
        self.core.received()
    }

    /// Makes room for the next body.
    pub fn release(&mut self) {
        self.core.release();
    }

    /// Begins a transfer: the header to exchange.
    pub fn begin(&mut self) -> [u8; HEADER] {
        let (head, len) = self.core.begin(true);
        self.transfer = Transfer {
            ours: len,
            ..Transfer::default()
        };
        self.header(head, len)
    }

    /// The header that [`Endpoint::begin`] would give now, for a side that lays it out ahead of the transfer.
    #[must_use]
    pub fn draft(&self) -> [u8; HEADER] {
        let (head, len) = self.core.draft(true);
        self.header(head, len)
    }

    fn header(&self, head: Head, len: usize) -> [u8; HEADER] {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = bit(len != 0, BODY)
            | bit(len != 0 && self.more, MORE)
            | bit(head.flags.ack, ACK)
            | bit(head.flags.reset, RESET)
            | bit(head.flags.boot, BOOT)
            | bit(head.flags.reset_seen, RESET_SEEN);
        let [low, high] = (len as u16).to_le_bytes();
        let head = [SYNC, flags, head.seq, head.ack, low, high];
        let [check_low, check_high] = crc16(&head).to_le_bytes();
        let [a, b, c, d, e, f] = head;
        [a, b, c, d, e, f, check_low, check_high]
    }

    /// Takes the other side's header, writes what this side sends in the body phase, returns the length of that phase:
    /// 0 ends the transfer.
    ///
    /// # Errors
    /// [`LinkError`]; the transfer ends.
    pub fn handle_header(
        &mut self,
        theirs: &[u8; HEADER],
        out: &mut [u8],
    ) -> Result<usize, LinkError> {
        let [sync, flags, seq, ack, low, high, check_low, check_high] = *theirs;
        if sync != SYNC
            || crc16(&[sync, flags, seq, ack, low, high])
                != u16::from_le_bytes([check_low, check_high])
        {
            self.counters.headers = self.counters.headers.saturating_add(1);
            return Err(LinkError::BadHeader);
        }
        let len = u16::from_le_bytes([low, high]);
        if usize::from(len) > N || (flags & BODY == 0) != (len == 0) {
            self.counters.lengths = self.counters.lengths.saturating_add(1);
            return Err(LinkError::TooLong { len });
        }
        let theirs = Head {
            flags: Flags {
                ack: flags & ACK != 0,
                reset: flags & RESET != 0,
                boot: flags & BOOT != 0,
                reset_seen: flags & RESET_SEEN != 0,
            },
            seq,
            ack,
        };
        // Both headers were armed at once: theirs cannot speak of the body that this transfer carries.
        self.core
            .handle_head(&theirs, u8::from(self.transfer.ours != 0));
        self.transfer.theirs = usize::from(len);
        self.transfer.their_seq = seq;
        let longer = self.transfer.ours.max(self.transfer.theirs);
        if longer == 0 {
            return Ok(0);
        }
        let phase = longer + CHECK;
        let room = out
            .get_mut(..phase)
            .ok_or(LinkError::BufferTooSmall { needed: phase })?;
        room.fill(0);
        let body = self.core.body(self.transfer.ours);
        if let Some((place, rest)) = room.split_at_mut_checked(body.len())
            && let (false, Some(check)) = (body.is_empty(), rest.first_chunk_mut::<CHECK>())
        {
            place.copy_from_slice(body);
            *check = crc32c(body).to_le_bytes();
        }
        Ok(phase)
    }

    /// Takes what the other side sent in the body phase, `theirs` being the whole phase. `true` when a new body is in
    /// [`Endpoint::received`].
    ///
    /// # Errors
    /// [`LinkError::BadBody`]; the other side will repeat.
    pub fn handle_body(&mut self, theirs: &[u8]) -> Result<bool, LinkError> {
        let len = core::mem::take(&mut self.transfer.theirs);
        if len == 0 {
            return Ok(false);
        }
        let parts = theirs
            .split_at_checked(len)
            .and_then(|(body, rest)| Some((body, rest.first_chunk::<CHECK>()?)));
        let Some((body, _)) = parts.filter(|(body, check)| crc32c(body).to_le_bytes() == **check)
        else {
            self.counters.bodies = self.counters.bodies.saturating_add(1);
            return Err(LinkError::BadBody);
        };
        Ok(self.core.handle_body(self.transfer.their_seq, body))
    }
}

/// The side that owns the clock and chip select: decides when a transfer begins.
#[derive(Clone, Debug)]
pub struct LinkMaster<const N: usize> {
    endpoint: Endpoint<N>,
    timing: Timing,
    next: u64,
    /// Transfers begun at this time for the slave's sake.
    burst: (u64, u8),
}

/// Transfers that the data line can ask for within one millisecond: a line that sticks must not keep the master busy.
const BURST: u8 = 8;

/// Waits of the master, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long the slave may take to be ready for a phase; then the transfer is given up.
    pub ready_ms: u64,
    /// Between a body and its repeat, and between resets.
    pub repeat_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ready_ms: 2,
            repeat_ms: 20,
        }
    }
}

impl<const N: usize> LinkMaster<N> {
    /// A master that has just started.
    #[must_use]
    pub const fn new(timing: Timing) -> Self {
        Self {
            endpoint: Endpoint::new(),
            timing,
            next: 0,
            burst: (0, 0),
        }
    }

    /// What both sides share: sending, receiving, events.
    pub const fn endpoint(&mut self) -> &mut Endpoint<N> {
        &mut self.endpoint
    }

    /// The waits.
    #[must_use]
    pub const fn timing(&self) -> Timing {
        self.timing
    }

    /// The header of a transfer, if it is time for one: at once when the slave's data line says that it has something
    /// to say or when a body is new, else after the wait. Release what was received first: a full input only waits.
    pub fn poll_transfer(&mut self, now: u64, data_line: bool) -> Option<[u8; HEADER]> {
        let core = &self.endpoint.core;
        let fresh = core.is_up() && (core.owes() || core.is_fresh());
        let waited = self.endpoint.wants_transfer() && now >= self.next;
        if self.burst.0 != now {
            self.burst = (now, 0);
        }
        let asked = (data_line || fresh) && core.received().is_none() && self.burst.1 < BURST;
        if !(asked || waited) {
            return None;
        }
        self.burst.1 = self.burst.1.saturating_add(1);
        self.next = now.saturating_add(self.timing.repeat_ms);
        Some(self.endpoint.begin())
    }

    /// When [`LinkMaster::poll_transfer`] wants to be asked again, if nothing happens before.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        if self.endpoint.wants_transfer() {
            Some(self.next)
        } else {
            None
        }
    }

    /// As [`Endpoint::handle_header`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn handle_header(
        &mut self,
        theirs: &[u8; HEADER],
        out: &mut [u8],
    ) -> Result<usize, LinkError> {
        self.endpoint.handle_header(theirs, out)
    }

    /// As [`Endpoint::handle_body`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn handle_body(&mut self, theirs: &[u8]) -> Result<bool, LinkError> {
        self.endpoint.handle_body(theirs)
    }
}

/// The side that follows: arms its header before it says that it is ready.
#[derive(Clone, Debug, Default)]
pub struct LinkSlave<const N: usize> {
    endpoint: Endpoint<N>,
}

impl<const N: usize> LinkSlave<N> {
    /// A slave that has just started.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            endpoint: Endpoint::new(),
        }
    }

    /// What both sides share: sending, receiving, events.
    pub const fn endpoint(&mut self) -> &mut Endpoint<N> {
        &mut self.endpoint
    }

    /// The level of the data line: this side has something to say.
    #[must_use]
    pub const fn data_line(&self) -> bool {
        self.endpoint.wants_transfer()
    }

    /// The header to arm for the next transfer.
    ///
    /// Called once per transfer, when chip select falls or shortly before: a body sent before counts as a try.
    pub fn begin(&mut self) -> [u8; HEADER] {
        self.endpoint.begin()
    }

    /// As [`Endpoint::handle_header`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn handle_header(
        &mut self,
        theirs: &[u8; HEADER],
        out: &mut [u8],
    ) -> Result<usize, LinkError> {
        self.endpoint.handle_header(theirs, out)
    }

    /// As [`Endpoint::handle_body`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn handle_body(&mut self, theirs: &[u8]) -> Result<bool, LinkError> {
        self.endpoint.handle_body(theirs)
    }
}
