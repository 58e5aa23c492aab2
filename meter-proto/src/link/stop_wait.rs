//! Stop and wait: one body each way until the other side has acknowledged its sequence. What the frames look like is
//! [`spi`](super::spi)'s and [`serial`](super::serial)'s.

use super::{Event, SendError, TRIES};

/// Flags of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// The acknowledged sequence is valid.
    pub(super) ack: bool,
    /// Agree on the numbering anew.
    pub(super) reset: bool,
    /// This side has forgotten everything: its numbers name new bodies.
    pub(super) boot: bool,
    /// The other side's reset came.
    pub(super) reset_seen: bool,
}

/// What stands in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) flags: Flags,
    /// Sequence of the body, or of the next one.
    pub(super) seq: u8,
    /// Sequence that came last in order.
    pub(super) ack: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reset {
    /// After a start; the flag says whether a header went out.
    Boot(bool),
    /// After vain sends.
    Down(bool),
    None,
}

/// One body each way, of at most `N` bytes.
#[derive(Clone, Debug)]
pub(super) struct StopAndWait<const N: usize> {
    out: [u8; N],
    /// Length of the body under way, 0 for none.
    out_len: usize,
    seq: u8,
    tries: u8,
    input: [u8; N],
    in_len: usize,
    /// Sequence that came last in order.
    last: Option<u8>,
    reset: Reset,
    /// The other side's last header had the reset flag.
    answer_reset: bool,
    /// An acknowledgement or an answer to a reset is owed.
    owes: bool,
    delivered: bool,
    change: Option<Event>,
    repeats: u32,
}

impl<const N: usize> StopAndWait<N> {
    pub(super) const fn new() -> Self {
        Self {
            out: [0; N],
            out_len: 0,
            seq: 0,
            tries: 0,
            input: [0; N],
            in_len: 0,
            last: None,
            reset: Reset::Boot(false),
            answer_reset: false,
            owes: false,
            delivered: false,
            change: None,
            repeats: 0,
        }
    }

    pub(super) fn send(&mut self, body: &[u8]) -> Result<(), SendError> {
        if self.out_len != 0 {
            return Err(SendError::Busy);
        }
        match self.out.get_mut(..body.len()) {
            Some(room) if !body.is_empty() && body.len() <= usize::from(u16::MAX) => {
                room.copy_from_slice(body)
            }
            _ => return Err(SendError::Length),
        }
        (self.out_len, self.tries) = (body.len(), 0);
        Ok(())
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.out_len == 0
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self.reset, Reset::None)
    }

    pub(super) const fn owes(&self) -> bool {
        self.owes
    }

    /// Whether the body under way was never sent.
    pub(super) const fn is_fresh(&self) -> bool {
        self.out_len != 0 && self.tries == 0
    }

    pub(super) const fn wants_to_speak(&self) -> bool {
        self.out_len != 0 || self.owes || !self.is_up()
    }

    pub(super) const fn repeats(&self) -> u32 {
        self.repeats
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        if core::mem::take(&mut self.delivered) {
            return Some(Event::Delivered);
        }
        self.change.take()
    }

    pub(super) fn received(&self) -> Option<&[u8]> {
        if self.in_len == 0 {
            None
        } else {
            self.input.get(..self.in_len)
        }
    }

    pub(super) fn release(&mut self) {
        self.in_len = 0;
    }

    /// The header that [`StopAndWait::begin`] would give now, and how many bytes of [`StopAndWait::body`] with it.
    pub(super) fn draft(&self, with_body: bool) -> (Head, usize) {
        let body = with_body && self.out_len != 0;
        let vain = body && self.tries >= TRIES;
        let head = Head {
            flags: Flags {
                ack: self.last.is_some(),
                reset: vain || !self.is_up(),
                boot: matches!(self.reset, Reset::Boot(_)),
                reset_seen: self.answer_reset,
            },
            seq: self.seq,
            ack: self.last.unwrap_or(0),
        };
        let len = if head.flags.reset || !body {
            0
        } else {
            self.out_len
        };
        (head, len)
    }

    /// The header to send now, and how many bytes of [`StopAndWait::body`] with it: none without `with_body`.
    pub(super) fn begin(&mut self, with_body: bool) -> (Head, usize) {
        let (head, len) = self.draft(with_body);
        match &mut self.reset {
            Reset::Boot(sent) | Reset::Down(sent) => *sent = true,
            Reset::None if head.flags.reset => {
                self.reset = Reset::Down(true);
                self.change = Some(Event::Down);
            }
            Reset::None if len != 0 => self.tries = self.tries.saturating_add(1),
            Reset::None => {}
        }
        self.owes = false;
        (head, len)
    }

    /// The body under way.
    pub(super) fn body(&self, len: usize) -> &[u8] {
        self.out.get(..len).unwrap_or_default()
    }

    /// Takes the other side's header. `under_way` is how many of this side's
    /// sends it cannot have seen when it wrote this header.
    pub(super) fn handle_head(&mut self, theirs: &Head, under_way: u8) {
        // An acknowledgement counts only for a body that the other side may have seen.
        let seen = self.out_len != 0 && self.tries > under_way;
        if theirs.flags.ack && theirs.ack == self.seq && seen {
            (self.out_len, self.tries, self.seq) = (0, 0, self.seq.wrapping_add(1));
            self.delivered = true;
        }
        self.handle_reset(theirs);
    }

    fn handle_reset(&mut self, theirs: &Head) {
        let Flags {
            reset,
            boot,
            reset_seen,
            ..
        } = theirs.flags;
        self.answer_reset = reset;
        if reset {
            self.owes = true;
            // Only a restarted side uses a number again for another body.
            if boot || self.last != Some(theirs.seq) {
                self.last = Some(theirs.seq.wrapping_sub(1));
            }
        }
        // A restarted side has forgotten this side's numbering too: agree on it before the next body.
        if boot && self.is_up() {
            self.reset = Reset::Down(false);
        }
        let answered = match self.reset {
            Reset::Boot(sent) | Reset::Down(sent) => sent && reset_seen,
            Reset::None => false,
        };
        if answered {
            self.reset = Reset::None;
            self.tries = 0;
            self.change = Some(Event::Up);
        }
    }

    /// Takes a body that came whole. `true` when it is new and in [`StopAndWait::received`].
    pub(super) fn handle_body(&mut self, seq: u8, body: &[u8]) -> bool {
        if self.last == Some(seq) {
            self.repeats = self.repeats.saturating_add(1);
            self.owes = true;
            return false;
        }
        // Another number than the next comes from a side that lost count: it will reset after vain sends.
        let expected = self.last.is_some_and(|last| last.wrapping_add(1) == seq);
        if !expected || self.in_len != 0 {
            return false;
        }
        let Some(room) = self.input.get_mut(..body.len()) else {
            return false;
        };
        room.copy_from_slice(body);
        (self.in_len, self.last, self.owes) = (body.len(), Some(seq), true);
        true
    }
}
