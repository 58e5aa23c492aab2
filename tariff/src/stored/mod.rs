//! The state of a machine as bytes (`docs/tariff.md` has the layout), and which bytes count after a
//! power cut.
//!
//! A shell writes the whole state as one record, to the older of two places or to a store whose
//! records are whole or absent, and reads back with [`newest`]. A torn record fails its CRC, so the
//! state is the one before or the one after, never between.

pub(crate) mod bytes;
mod first;
mod flags;
mod second;

use crate::machine::Machine;

pub use second::{
    VERSION, decode, decode_meter, decode_meter_into, encode, encode_meter, longest, longest_meter,
};

/// Why bytes are not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// The check value is wrong, or the record is cut short.
    Torn,
    /// A later layout.
    Version {
        /// The version byte found.
        found: u8,
    },
    /// Another number of rate registers.
    Rates {
        /// The number found.
        found: u8,
    },
    /// Another number of channels or of demands.
    Shape {
        /// Channels found.
        channels: u8,
        /// Demands found.
        demands: u8,
    },
    /// A field holds a number it cannot.
    Field {
        /// Its position from the start of the record.
        position: usize,
    },
}

impl core::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Unreadable::Torn => f.write_str("the record is torn"),
            Unreadable::Version { found } => write!(f, "layout {found} is not known"),
            Unreadable::Rates { found } => write!(f, "the record has {found} rates"),
            Unreadable::Shape { channels, demands } => {
                write!(
                    f,
                    "the record has {channels} channels and {demands} demands"
                )
            }
            Unreadable::Field { position } => write!(f, "the field at {position} is not valid"),
        }
    }
}

impl core::error::Error for Unreadable {}

/// The buffer is shorter than [`longest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort;

impl core::fmt::Display for TooShort {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the buffer is too short for the state")
    }
}

impl core::error::Error for TooShort {}

/// What two copies came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest<const RATES: usize> {
    /// The state that counts.
    pub machine: Machine<RATES>,
    /// Its sequence number; the next record takes the next one.
    pub sequence: u32,
    /// Which copy it is: the other one is written next.
    pub place: usize,
    /// True when the other copy is torn: write it anew.
    pub degraded: bool,
}

/// The newer good copy of two. `None` when neither is good: then nothing is charged or tripped and
/// never is zero taken for a balance.
pub fn newest<const RATES: usize>(copies: [&[u8]; 2]) -> Option<Newest<RATES>> {
    let [a, b] = copies.map(decode::<RATES>);
    let degraded = a.is_err() || b.is_err();
    let ((sequence, machine), place) = match (a, b) {
        (Ok(a), Ok(b)) if b.0 > a.0 => (b, 1),
        (Ok(a), _) => (a, 0),
        (_, Ok(b)) => (b, 1),
        _ => return None,
    };
    Some(Newest {
        machine,
        sequence,
        place,
        degraded,
    })
}

/// What copies and journal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered<S> {
    /// The state that counts.
    pub state: S,
    /// The sequence number of its last change.
    pub sequence: u32,
    /// How many journal entries were applied to the copy.
    pub applied: u32,
    /// True when a copy is torn: write it anew.
    pub degraded: bool,
}

/// The rule of two copies with a journal behind them: the newer good copy, then the entries whose
/// sequence numbers follow without a gap, up to the first bad one. Entries that the copy contains
/// already change nothing.
///
/// `None` stands for bytes whose check value is wrong. No good copy gives `None`: entries alone are
/// no state.
pub fn recover<S, E>(
    copies: [Option<(u32, S)>; 2],
    journal: impl IntoIterator<Item = Option<(u32, E)>>,
    mut apply: impl FnMut(&mut S, E),
) -> Option<Recovered<S>> {
    let degraded = copies.iter().any(Option::is_none);
    let (mut sequence, mut state) = match copies {
        [Some(a), Some(b)] => {
            if b.0 > a.0 {
                b
            } else {
                a
            }
        }
        [a, b] => a.or(b)?,
    };
    let mut applied = 0;
    for entry in journal {
        match entry {
            Some((number, _)) if number <= sequence => {}
            Some((number, change)) if sequence.checked_add(1) == Some(number) => {
                apply(&mut state, change);
                sequence = number;
                applied += 1;
            }
            _ => break,
        }
    }
    Some(Recovered {
        state,
        sequence,
        applied,
        degraded,
    })
}
