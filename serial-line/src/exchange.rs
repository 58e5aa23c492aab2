//! Deadlines of one question and its answer on a half-duplex line.

/// How a line and its meters behave in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Microseconds one character takes on the wire; 0 where the wire does not count (TCP).
    pub byte_us: u32,
    /// Milliseconds from the end of the request to the first byte of the answer, at most.
    pub answer_ms: u32,
    /// Milliseconds between two bytes of one frame, at most.
    pub gap_ms: u32,
    /// Milliseconds a meter waits before it answers, at least.
    pub turnaround_ms: u32,
    /// How often a question is put before it counts as unanswered; 0 is taken as 1.
    pub tries: u8,
}

impl Timing {
    /// A serial line at `baud` bit/s, 11 bits to a character (8E1).
    ///
    /// DL/T 645 allows a meter 500 ms to answer and 500 ms between bytes; the answer gets twice that because field
    /// meters overrun it. A meter waits the 20 ms the standard asks for.
    #[must_use]
    pub const fn rs485(baud: u32) -> Self {
        let baud = if baud == 0 { 2400 } else { baud };
        Timing {
            byte_us: 11_000_000 / baud,
            answer_ms: 1000,
            gap_ms: 500,
            turnaround_ms: 20,
            tries: 3,
        }
    }

    /// A stream through TCP or a radio gateway, where whole seconds pass.
    #[must_use]
    pub const fn tcp() -> Self {
        Timing {
            byte_us: 0,
            answer_ms: 3000,
            gap_ms: 2000,
            turnaround_ms: 0,
            tries: 3,
        }
    }

    /// Milliseconds that `bytes` characters take on the wire, rounded up.
    #[must_use]
    pub const fn wire_ms(&self, bytes: usize) -> u64 {
        (bytes as u64 * self.byte_us as u64).div_ceil(1000)
    }
}

/// Which deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// No byte came in answer.
    Answer,
    /// An answer began and broke off.
    Gap,
}

/// The running deadline of one side of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exchange {
    deadline: Option<(u64, Expiry)>,
    /// Noise without end must not keep a question open: no gap is awaited past this.
    limit: Option<u64>,
}

/// More characters than any answer has.
const ANSWER_BYTES: usize = 512;
/// Gaps that an answer may have besides.
const ANSWER_GAPS: u64 = 8;

impl Exchange {
    /// No deadline running.
    #[must_use]
    pub const fn new() -> Self {
        Exchange {
            deadline: None,
            limit: None,
        }
    }

    /// A request of `request_len` characters goes out from `now` on: wait for its answer.
    pub fn request_sent(&mut self, now: u64, request_len: usize, timing: &Timing) {
        let wait = timing
            .wire_ms(request_len)
            .saturating_add(u64::from(timing.answer_ms));
        let at = now.saturating_add(wait);
        self.deadline = Some((at, Expiry::Answer));
        let gaps = ANSWER_GAPS * u64::from(timing.gap_ms);
        self.limit = Some(
            at.saturating_add(timing.wire_ms(ANSWER_BYTES))
                .saturating_add(gaps),
        );
    }

    /// Bytes arrived at `now` and a frame is not complete: wait for the next byte, though not for ever after a request.
    pub fn bytes_seen(&mut self, now: u64, timing: &Timing) {
        let at = now.saturating_add(u64::from(timing.gap_ms));
        let at = self.limit.map_or(at, |limit| at.min(limit));
        self.deadline = Some((at, Expiry::Gap));
    }

    /// Nothing is awaited any more.
    pub fn stop(&mut self) {
        self.deadline = None;
        self.limit = None;
    }

    /// When to call [`Exchange::expired`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.deadline.map(|(at, _)| at)
    }

    /// The deadline that has passed at `now`, which then no longer runs.
    pub fn expired(&mut self, now: u64) -> Option<Expiry> {
        let (at, expiry) = self.deadline?;
        if now < at {
            return None;
        }
        self.deadline = None;
        Some(expiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_clock_starts_when_the_request_has_left() {
        let timing = Timing::rs485(2400);
        let mut exchange = Exchange::new();
        exchange.request_sent(1000, 20, &timing);
        // 20 characters of 4.583 ms are 92 ms.
        assert_eq!(exchange.poll_timeout(), Some(1000 + 92 + 1000));
        assert_eq!(exchange.expired(2091), None);
        exchange.bytes_seen(2091, &timing);
        assert_eq!(exchange.expired(2590), None);
        assert_eq!(exchange.expired(2591), Some(Expiry::Gap));
        assert_eq!(exchange.expired(9999), None);
    }

    #[test]
    fn noise_without_end_does_not_keep_a_question_open() {
        let timing = Timing::rs485(9600);
        let mut exchange = Exchange::new();
        exchange.request_sent(0, 16, &timing);
        let mut now = 0;
        while exchange.expired(now).is_none() {
            exchange.bytes_seen(now, &timing);
            now += 100;
            assert!(now < 10_000);
        }
    }
}
