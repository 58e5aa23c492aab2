//! The sending counter, stored ahead of use.
//!
//! The store holds a limit: the highest number that may have been used. Numbers up to it are handed
//! out from RAM; before a number above it, a higher limit is stored. After a power cut counting goes
//! on above the limit: numbers are skipped, never repeated.

use core::fmt;

/// Highest number of a 48-bit counter. After it the key is dead.
pub const MAX_COUNTER: u64 = (1 << 48) - 1;

/// Messages under one session key; then a new session is needed.
pub const SESSION_MESSAGES: u64 = 1 << 20;

/// Numbers reserved by one write unless told otherwise.
pub const DEFAULT_BLOCK: u32 = 256;

/// A number for exactly one message. Only a counter makes it, sealing uses it up.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a number not used is skipped"]
pub struct SendNumber(u64);

impl SendNumber {
    /// The number, 1 to [`MAX_COUNTER`].
    pub const fn value(&self) -> u64 {
        self.0
    }
}

/// Hands out the numbers of one key and direction, each once.
///
/// ```
/// use security::counter::SendCounter;
///
/// let mut stored = 0; // read from the store at boot
/// let mut counter = SendCounter::boot(stored, 256);
/// if let Some(reservation) = counter.reservation() {
///     stored = reservation.limit(); // write it, wait until it is durable
///     reservation.confirm();
/// }
/// assert_eq!(counter.take().unwrap().value(), 1);
/// assert_eq!(stored, 256);
/// ```
#[derive(Debug)]
pub struct SendCounter {
    next: u64,
    limit: u64,
    /// The last number of the key.
    last: u64,
    block: u32,
}

impl SendCounter {
    /// Goes on above the stored limit (0 for a new key), reserving `block` numbers by each write;
    /// a block of 0 counts as 1.
    pub const fn boot(stored_limit: u64, block: u32) -> Self {
        let limit = if stored_limit > MAX_COUNTER {
            MAX_COUNTER
        } else {
            stored_limit
        };
        Self {
            next: limit + 1,
            limit,
            last: MAX_COUNTER,
            block: if block == 0 { 1 } else { block },
        }
    }

    /// A counter of a session key: starts at 1, needs no store, ends after [`SESSION_MESSAGES`].
    pub const fn session() -> Self {
        Self {
            next: 1,
            limit: SESSION_MESSAGES,
            last: SESSION_MESSAGES,
            block: DEFAULT_BLOCK,
        }
    }

    /// What must be stored before the next number can be taken; `None` when nothing must.
    pub fn reservation(&mut self) -> Option<Reservation<'_>> {
        if self.next <= self.limit || self.next > self.last {
            return None;
        }
        let limit = self
            .next
            .saturating_add(u64::from(self.block) - 1)
            .min(self.last);
        Some(Reservation {
            counter: self,
            limit,
        })
    }

    /// The next number.
    ///
    /// # Errors
    /// [`CounterError::ReserveFirst`] when a limit must be stored before, [`CounterError::Exhausted`]
    /// when all numbers of this key are used.
    pub fn take(&mut self) -> Result<SendNumber, CounterError> {
        if self.next > self.last {
            return Err(CounterError::Exhausted);
        }
        if self.next > self.limit {
            return Err(CounterError::ReserveFirst);
        }
        let number = SendNumber(self.next);
        self.next += 1;
        Ok(number)
    }

    /// The limit known to be stored.
    pub const fn limit(&self) -> u64 {
        self.limit
    }
}

/// A higher limit that waits to be stored. Dropped without [`Reservation::confirm`], it changes
/// nothing and is offered again.
#[derive(Debug)]
#[must_use = "store the limit, then confirm it"]
pub struct Reservation<'a> {
    counter: &'a mut SendCounter,
    limit: u64,
}

impl Reservation<'_> {
    /// The limit to store.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// States that [`Reservation::limit`] is durable: a power cut will not bring back the old one.
    pub fn confirm(self) {
        self.counter.limit = self.limit;
    }
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CounterError {
    /// Store the limit of [`SendCounter::reservation`] and confirm it before.
    ReserveFirst,
    /// All numbers of this key are used: it needs a new key.
    Exhausted,
}

impl fmt::Display for CounterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReserveFirst => "a higher counter limit must be stored first",
            Self::Exhausted => "all numbers of this key are used",
        })
    }
}

impl core::error::Error for CounterError {}
