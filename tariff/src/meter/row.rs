//! Rows that a meter keeps and their bytes.

use super::{Channel, Snapshot};
use crate::freeze::Kind;
use crate::machine::Why;
use crate::purse::Cause;
use crate::stored::bytes::{ENERGY, PEAK, Reader, Writer};
use crate::stored::{TooShort, Unreadable};

/// First byte of a row.
const VERSION: u8 = 1;
const HEAD: usize = 6 + 9 + 12 + 1;

/// What is special about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing.
    None,
    /// A settlement; `first` when its day is the first settlement day, which ends demand too.
    Settled {
        /// See above.
        first: bool,
    },
    /// The classes of a load record, bit 0 for the first.
    Classes(u8),
    /// Who opened the relay, or whose wish ended.
    Relay(Why),
    /// The clock showed this before it was set, UTC seconds.
    ClockSet {
        /// See above.
        before_s: i64,
    },
}

impl Detail {
    const fn parts(self) -> (u8, i64) {
        match self {
            Detail::None => (0, 0),
            Detail::Settled { first } => (first as u8, 0),
            Detail::Classes(classes) => (classes, 0),
            Detail::Relay(Why::Overload) => (1, 0),
            Detail::Relay(Why::Remote) => (2, 0),
            Detail::Relay(Why::Purse(cause)) => (3 + cause as u8, 0),
            Detail::ClockSet { before_s } => (0, before_s),
        }
    }

    const fn of(kind: Kind, byte: u8, number: i64) -> Option<Self> {
        Some(match (kind, byte) {
            (Kind::Settlement, first) => Detail::Settled { first: first == 1 },
            (Kind::Load, classes) => Detail::Classes(classes),
            (Kind::Trip | Kind::Close, 1) => Detail::Relay(Why::Overload),
            (Kind::Trip | Kind::Close, 2) => Detail::Relay(Why::Remote),
            (Kind::Trip | Kind::Close, 4) => Detail::Relay(Why::Purse(Cause::Alarm2)),
            (Kind::Trip | Kind::Close, 5) => Detail::Relay(Why::Purse(Cause::Zero)),
            (Kind::Trip | Kind::Close, 6) => Detail::Relay(Why::Purse(Cause::Locked)),
            (Kind::Trip | Kind::Close, _) => return None,
            (Kind::ClockSet, _) => Detail::ClockSet { before_s: number },
            _ => Detail::None,
        })
    }
}

/// What of a snapshot a row holds: who keeps rows chooses, so that an hourly freeze need not carry
/// demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts(pub u8);

impl Parts {
    /// Totals of the first two channels.
    pub const ACTIVE: Parts = Parts(1);
    /// Totals of the others.
    pub const QUADRANTS: Parts = Parts(2);
    /// The rate registers of what else is held, and charged energy by rate.
    pub const RATES: Parts = Parts(4);
    /// Demand.
    pub const DEMAND: Parts = Parts(8);
    /// Balance and purchase count.
    pub const PURSE: Parts = Parts(16);
    /// Everything.
    pub const ALL: Parts = Parts(31);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Parts) -> Self {
        Parts(self.0 | other.0)
    }

    /// True when a part is among them.
    #[must_use]
    pub const fn has(self, part: Parts) -> bool {
        self.0 & part.0 == part.0
    }

    const fn has_channel(self, number: usize) -> bool {
        self.has(if number < 2 {
            Parts::ACTIVE
        } else {
            Parts::QUADRANTS
        })
    }

    /// Most bytes of a row with these parts.
    #[must_use]
    pub const fn longest(self, channels: usize, rates: usize, demands: usize) -> usize {
        let active = if self.has(Parts::ACTIVE) {
            if channels < 2 { channels } else { 2 }
        } else {
            0
        };
        let others = if self.has(Parts::QUADRANTS) && channels > 2 {
            channels - 2
        } else {
            0
        };
        let (each, charged) = if self.has(Parts::RATES) {
            (1 + rates, rates)
        } else {
            (1, 0)
        };
        let demand = if self.has(Parts::DEMAND) {
            PEAK * (1 + rates) * demands
        } else {
            0
        };
        let purse = if self.has(Parts::PURSE) { 12 } else { 0 };
        HEAD + ENERGY * (each * (active + others) + charged) + demand + purse
    }
}

/// A row for whoever keeps rows: its name is kind and number.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a, const C: usize, const R: usize, const D: usize> {
    /// What it is.
    pub kind: Kind,
    /// 1 for the first of its kind, without a gap. The same number again is the same row again, after
    /// a power cut between row and state: the newer one counts.
    pub number: u32,
    /// What is special about it.
    pub detail: Detail,
    /// The registers.
    pub snapshot: &'a Snapshot<C, R, D>,
}

impl<const C: usize, const R: usize, const D: usize> Kept<'_, C, R, D> {
    /// Writes the row with some of its parts and returns its length, at most [`Parts::longest`].
    ///
    /// # Errors
    /// [`TooShort`].
    pub fn encode(&self, parts: Parts, buffer: &mut [u8]) -> Result<usize, TooShort> {
        let snapshot = self.snapshot;
        let mut w = Writer::new(buffer);
        w.put(&[VERSION, self.kind as u8])?;
        w.put(&self.number.to_le_bytes())?;
        let (byte, number) = self.detail.parts();
        w.put(&[byte])?;
        w.put(&number.to_le_bytes())?;
        w.moment(snapshot.at)?;
        w.put(&[parts.0])?;
        for (number, channel) in snapshot.channels.iter().enumerate() {
            if !parts.has_channel(number) {
                continue;
            }
            w.energy(channel.total)?;
            if parts.has(Parts::RATES) {
                channel
                    .by_rate
                    .iter()
                    .try_for_each(|part| w.energy(*part))?;
            }
        }
        if parts.has(Parts::RATES) {
            snapshot.charged.iter().try_for_each(|wh| w.energy(*wh))?;
        }
        if parts.has(Parts::DEMAND) {
            snapshot
                .demand
                .iter()
                .try_for_each(|maxima| w.maxima(maxima))?;
        }
        if parts.has(Parts::PURSE) {
            w.money(snapshot.balance)?;
            w.put(&snapshot.purchases.to_le_bytes())?;
        }
        Ok(w.at)
    }
}

/// A row read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<const C: usize, const R: usize, const D: usize> {
    /// What it is.
    pub kind: Kind,
    /// Its number.
    pub number: u32,
    /// What is special about it.
    pub detail: Detail,
    /// Which parts of the snapshot were kept; the others are zero.
    pub parts: Parts,
    /// The registers.
    pub snapshot: Snapshot<C, R, D>,
}

impl<const C: usize, const R: usize, const D: usize> Row<C, R, D> {
    /// Reads a row of a meter of the same shape, and how long it was: what its keeper added may
    /// stand behind it. The keeper's store tells whether the bytes are whole.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), Unreadable> {
        let mut r = Reader::new(bytes, 0);
        let found = r.byte()?;
        if found != VERSION {
            return Err(Unreadable::Version { found });
        }
        let kind = Kind::ALL.get(usize::from(r.byte()?)).copied();
        let kind = kind.ok_or(r.wrong())?;
        let number = r.u32()?;
        let (byte, detail) = (r.byte()?, r.i64()?);
        let detail = Detail::of(kind, byte, detail).ok_or(r.wrong())?;
        let mut snapshot = Snapshot::empty();
        snapshot.at = r.moment()?;
        let parts = Parts(r.byte()?);
        for (number, channel) in snapshot.channels.iter_mut().enumerate() {
            if !parts.has_channel(number) {
                continue;
            }
            let mut read = Channel {
                total: r.energy()?,
                by_rate: [0; R],
            };
            if parts.has(Parts::RATES) {
                for part in &mut read.by_rate {
                    *part = r.energy()?;
                }
            }
            *channel = read;
        }
        if parts.has(Parts::RATES) {
            for wh in &mut snapshot.charged {
                *wh = r.energy()?;
            }
        }
        if parts.has(Parts::DEMAND) {
            for maxima in &mut snapshot.demand {
                *maxima = r.maxima()?;
            }
        }
        if parts.has(Parts::PURSE) {
            snapshot.balance = r.money()?;
            snapshot.purchases = r.u32()?;
        }
        let row = Row {
            kind,
            number,
            detail,
            parts,
            snapshot,
        };
        Ok((row, r.at))
    }
}
