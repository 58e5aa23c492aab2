//! Finding the meters of a line by abbreviated addresses (section 3 of the fact sheet).
//!
//! A request whose known low bytes fit several meters is answered by all of them at once, and the answers damage each
//! other; one that fits none meets silence. So the search asks for longer and longer low ends of addresses wherever it
//! hears damage.

use crate::address::Address;

/// What came back to a request of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// No byte at all.
    Silence,
    /// One good answer from this meter.
    Meter(Address),
    /// Bytes that were no good answer: several meters spoke.
    Damage,
}

/// Digits of an address.
const DIGITS: usize = 12;

/// A search over all low ends of addresses, as a plain struct without a port.
///
/// Ask [`Search::address`] for the address to read from (any identifier that every meter has), tell
/// [`Search::heard`] what came back, until there is no further address. With [`Master`](crate::Master): read
/// 04000401, and take [`Event::TimedOut`](crate::Event::TimedOut) for silence unless
/// [`Master::heard_damage`](crate::Master::heard_damage) says otherwise.
///
/// ```
/// use dlt645::{Address, Heard, Search};
/// let meters = [Address::from_digits("202600000117")?, Address::from_digits("202600000217")?];
/// let mut search = Search::new(false);
/// let mut found = vec![];
/// while let Some(address) = search.address() {
///     let answers: Vec<_> = meters.iter().filter(|meter| address.matches(**meter)).collect();
///     found.extend(search.heard(match answers[..] {
///         [] => Heard::Silence,
///         [only] => Heard::Meter(*only),
///         _ => Heard::Damage,
///     }));
/// }
/// assert_eq!(found, meters);
/// # Ok::<(), dlt645::AddressTextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Known digits, lowest first.
    digits: [u8; DIGITS],
    known: usize,
    /// Digits added at a time: a byte, or half a one where meters take AA in nibbles.
    step: usize,
    /// The lowest digits that were given.
    fixed: usize,
    asked: u32,
    done: bool,
}

impl Search {
    /// A search over all meters; `half_bytes` if they take A in single nibbles, which asks ten addresses where bytes ask
    /// a hundred.
    #[must_use]
    pub const fn new(half_bytes: bool) -> Self {
        Search {
            digits: [0; DIGITS],
            known: 0,
            step: if half_bytes { 1 } else { 2 },
            fixed: 0,
            asked: 0,
            done: false,
        }
    }

    /// A search over the meters whose addresses end in these bytes, lowest first; bytes that are no two digits and those
    /// behind the sixth are left out.
    #[must_use]
    pub fn below(half_bytes: bool, low: &[u8]) -> Self {
        let mut search = Search::new(half_bytes);
        for byte in low {
            let Some(place) = search.digits.get_mut(search.known..search.known + 2) else {
                break;
            };
            if serial_line::bcd::byte_value(*byte).is_none() {
                break;
            }
            place.copy_from_slice(&[byte & 0x0F, byte >> 4]);
            search.known += 2;
        }
        search.fixed = search.known;
        search
    }

    /// The address to ask next; `None` when the search is over.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        if self.done {
            return None;
        }
        let mut line = [0xAA; 6];
        for (byte, pair) in line
            .iter_mut()
            .zip(self.digits.chunks_exact(2))
            .take(self.known.div_ceil(2))
        {
            *byte = pair.iter().rev().fold(0, |byte, digit| byte << 4 | digit);
        }
        // Half a byte is known: its upper half is any.
        if self.known % 2 == 1
            && let (Some(byte), Some(digit)) = (
                line.get_mut(self.known / 2),
                self.digits.get(self.known - 1),
            )
        {
            *byte = 0xA0 | digit;
        }
        Some(Address::from_line(line))
    }

    /// Goes on after the answer, and gives the meter found.
    pub fn heard(&mut self, heard: Heard) -> Option<Address> {
        if self.done {
            return None;
        }
        self.asked = self.asked.saturating_add(1);
        if heard == Heard::Damage && self.known < DIGITS {
            // The new digits are 0 already.
            self.known = (self.known + self.step).min(DIGITS);
        } else {
            self.advance();
        }
        match heard {
            Heard::Meter(address) => Some(address),
            _ => None,
        }
    }

    /// How far the search has come, 0 to 1000, by the share of addresses that is behind it.
    #[must_use]
    pub fn progress(&self) -> u32 {
        if self.done {
            return 1000;
        }
        let digit = |nth: usize| self.digits.get(nth).copied().unwrap_or_default();
        let (mut share, mut weight) = (0_u64, 1_000_000_000_u64);
        // A byte counts as its value, so its high digit weighs more.
        let mut at = self.fixed;
        while at < self.known {
            let (value, range) = if self.step == 2 {
                (u64::from(digit(at + 1)) * 10 + u64::from(digit(at)), 100)
            } else {
                (u64::from(digit(at)), 10)
            };
            weight /= range;
            share += value * weight;
            at += self.step;
        }
        (share / 1_000_000) as u32
    }

    /// Requests answered or not so far.
    #[must_use]
    pub const fn asked(&self) -> u32 {
        self.asked
    }

    /// The next value of the last digits; a digit that runs over goes back to the one before.
    fn advance(&mut self) {
        while self.known > self.fixed {
            let from = self.known - self.step.min(self.known - self.fixed);
            let mut carry = true;
            // The low digit of a byte counts first.
            for place in self.digits.get_mut(from..self.known).unwrap_or_default() {
                if carry {
                    *place += 1;
                    carry = *place == 10;
                    if carry {
                        *place = 0;
                    }
                }
            }
            if !carry {
                return;
            }
            self.known = from;
        }
        self.done = true;
    }
}
