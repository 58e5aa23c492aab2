//! Which received counters are fresh.

/// How freshness is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Anything unseen among the last 64 numbers, or above them: readings, events, acknowledgements.
    Window,
    /// Above the highest number seen: commands, keys, firmware.
    Rising,
}

/// The numbers seen on one key and direction. It is moved only after the tag was found good, so a
/// forged message never moves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    highest: u64,
    /// Bit `n` is set when `highest - n` was seen.
    seen: u64,
}

impl ReplayWindow {
    /// Numbers remembered below the highest, it included.
    pub const WIDTH: u64 = 64;

    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            highest: 0,
            seen: 0,
        }
    }

    /// Everything up to and with `highest` counts as seen: what a receiver that stored only one
    /// number starts from.
    pub const fn above(highest: u64) -> Self {
        Self {
            highest,
            seen: u64::MAX,
        }
    }

    /// The highest number seen, 0 when there is none.
    pub const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether `counter` would be accepted; number 0 never is.
    pub const fn is_fresh(&self, counter: u64, freshness: Freshness) -> bool {
        if counter > self.highest {
            return true;
        }
        let back = self.highest - counter;
        matches!(freshness, Freshness::Window)
            && counter != 0
            && back < Self::WIDTH
            && self.seen >> back & 1 == 0
    }

    /// Remembers `counter` if it is fresh and says whether it was.
    pub fn accept(&mut self, counter: u64, freshness: Freshness) -> bool {
        if !self.is_fresh(counter, freshness) {
            return false;
        }
        if counter > self.highest {
            let step = counter - self.highest;
            self.seen = if step < Self::WIDTH {
                self.seen << step | 1
            } else {
                1
            };
            self.highest = counter;
        } else {
            self.seen |= 1 << (self.highest - counter);
        }
        true
    }

    /// The window as bytes for a store: highest number, then the bits, most significant byte first.
    pub const fn to_bytes(&self) -> [u8; 16] {
        (((self.highest as u128) << 64) | self.seen as u128).to_be_bytes()
    }

    /// The window of stored bytes.
    pub const fn from_bytes(bytes: &[u8; 16]) -> Self {
        let both = u128::from_be_bytes(*bytes);
        Self {
            highest: (both >> 64) as u64,
            seen: both as u64,
        }
    }
}
