//! Health tests of a random source (NIST SP 800-90B section 4.4), at start-up and for ever after.
//!
//! The source is the chip's; conditioning it into a generator is the caller's. A source that failed
//! stays failed: no handshake and no key is made of it, while sealed data go on, because their nonces
//! are counters. There is no way back to a timer.

/// Samples that are tested before the first one counts.
pub const START_UP: u32 = 1024;
/// Samples of one window of the adaptive proportion test.
pub const WINDOW: u32 = 512;

/// Tests a source of bytes.
///
/// ```
/// use security::health::{Health, START_UP};
///
/// let mut health = Health::for_entropy(4); // at least 4 bits of entropy in a byte, says its maker
/// for sample in 0..START_UP {
///     let byte = (sample * 167 >> 3) as u8; // from the source
///     assert!(health.take(byte).is_none()); // start-up: tested and thrown away
/// }
/// assert_eq!(health.take(0x5A), Some(0x5A));
/// for _ in 0..64 {
///     health.take(0x5A); // stuck
/// }
/// assert!(health.has_failed() && health.take(0x17).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    repetitions: u32,
    proportion: u32,
    seen: u32,
    failed: bool,
    last: Option<u8>,
    run: u32,
    first: u8,
    in_window: u32,
    same: u32,
}

/// Cut-offs of the adaptive proportion test for 1 to 8 bits of entropy in a byte: one more than the
/// 1 - 2^-30 quantile of the binomial distribution over 512 samples with probability 2^-bits.
const PROPORTION: [u32; 8] = [325, 190, 114, 71, 46, 31, 22, 16];

impl Health {
    /// Tests for a source with at least so many bits of entropy in a byte, 1 to 8. A good source
    /// fails each test with a probability of about 2^-30 a sample or window.
    pub fn for_entropy(bits: u8) -> Self {
        let bits = bits.clamp(1, 8);
        let proportion = PROPORTION.get(usize::from(bits) - 1).copied();
        Self {
            // 1 + ceil(30 / H)
            repetitions: 1 + 30_u32.div_ceil(u32::from(bits)),
            proportion: proportion.unwrap_or(WINDOW),
            seen: 0,
            failed: false,
            last: None,
            run: 0,
            first: 0,
            in_window: 0,
            same: 0,
        }
    }

    /// Tests a byte of the source and hands it on if it may be used: after the start-up and as long as
    /// no test failed.
    pub fn take(&mut self, byte: u8) -> Option<u8> {
        self.count_repetitions(byte);
        self.count_proportion(byte);
        let started = self.seen >= START_UP;
        if !started {
            self.seen += 1;
        }
        (started && !self.failed).then_some(byte)
    }

    /// Fills a buffer from a source. False, with the buffer cleared, when the source failed.
    pub fn fill(&mut self, out: &mut [u8], mut source: impl FnMut() -> u8) -> bool {
        while self.seen < START_UP {
            self.take(source());
        }
        for cell in out.iter_mut() {
            match self.take(source()) {
                Some(byte) => *cell = byte,
                None => {
                    out.fill(0);
                    return false;
                }
            }
        }
        true
    }

    /// Whether a test failed. Only a restart, with its start-up tests, takes that back.
    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    fn count_repetitions(&mut self, byte: u8) {
        self.run = if self.last == Some(byte) {
            self.run.saturating_add(1)
        } else {
            1
        };
        self.last = Some(byte);
        self.failed |= self.run >= self.repetitions;
    }

    fn count_proportion(&mut self, byte: u8) {
        if self.in_window == 0 {
            (self.first, self.same) = (byte, 0);
        }
        self.same += u32::from(byte == self.first);
        self.in_window = (self.in_window + 1) % WINDOW;
        self.failed |= self.same >= self.proportion;
    }
}
