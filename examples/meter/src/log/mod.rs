//! The legal log: what happened to the metering core, chained by the key `audit` so that a change shows.
//!
//! ```text
//! boot u32 | legal time, UTC seconds u64 | event u8 | its fields, 23 bytes, the rest zero
//! ```
//! All numbers are little-endian. There are two chains, because two parties cause lines:
//!
//! | chain | holds | room |
//! |---|---|---|
//! | [`Chain::Legal`] | power, constants, clock, sealed orders, the key at the meter | [`Chain::segments`] × [`SEGMENT_LINES`] |
//! | [`Chain::Asked`] | what the management core did and tried, each [`Matter`] at most so often | the same |
//!
//! So whatever the management core asks pushes no legal line out. A line of the legal chain is written before what
//! it tells happens (an order, a clock step): a power cut leaves a line too many, never one too few. When a
//! chain is full its oldest [`SEGMENT_LINES`] lines go.
//!
//! [`check`] is for whoever holds the key: the first line is taken from where the log begins now, every later line must
//! follow it. That lines at the end are missing shows only beside a line that was read before.

mod ring;
mod told;

use security::engine::Soft;
use security::key::DeviceKey;
use security::log::{Head, LogError};

use crate::cursor::{Reader, Writer};

pub(crate) use ring::Ring;
pub(crate) use told::Told;

/// Bytes of a line.
pub const LINE: usize = 36;
/// Lines of a stored segment.
pub const SEGMENT_LINES: usize = 23;

/// One of the two logs of a metering core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// What is legal.
    Legal = 0,
    /// What the management core did and tried.
    Asked = 1,
}

impl Chain {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Legal, Self::Asked];

    /// The name that the chain of MACs begins with.
    #[must_use]
    pub const fn name(self) -> [u8; 4] {
        match self {
            Self::Legal => *b"LEGL",
            Self::Asked => *b"ASKD",
        }
    }

    /// Stored segments; all but the one that is being filled are full.
    #[must_use]
    pub const fn segments(self) -> usize {
        match self {
            Self::Legal => ring::SEGMENTS,
            Self::Asked => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|chain| *chain as u8 == code)
    }
}

/// Something that the management core causes and that is therefore told only so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matter {
    /// A question that is not on the list; detail: its first eight bytes.
    Unknown = 1,
    /// An order whose seal or freshness was not good; detail: its first eight bytes.
    OrderDropped = 2,
    /// A management image started and was given this boot.
    Started = 3,
    /// A boot was asked for too soon after the last.
    BootTooSoon = 4,
    /// A clock step was refused; detail: the time that was asked for.
    ClockRefused = 5,
    /// The contact moved because the purse wished so; detail: 1 closed, 0 open.
    Contact = 6,
    /// A movement of the contact was asked for too soon after the last.
    ContactTooSoon = 7,
    /// Another management image says that it runs; detail: security counter, then version, as [`image_detail`] packs them.
    Image = 8,
}

impl Matter {
    /// Every matter, in the order of the codes.
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::OrderDropped,
        Self::Started,
        Self::BootTooSoon,
        Self::ClockRefused,
        Self::Contact,
        Self::ContactTooSoon,
        Self::Image,
    ];

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|matter| *matter as u8 == code)
    }
}

/// Security counter in the low half, major version, minor version and revision above it.
#[must_use]
pub const fn image_detail(counter: u32, version: (u8, u8), revision: u16) -> u64 {
    let (major, minor) = version;
    counter as u64 | (major as u64) << 32 | (minor as u64) << 40 | (revision as u64) << 48
}

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// 01: the core started.
    PowerUp {
        /// The line before was a [`Event::PowerDown`]: nothing was lost.
        clean: bool,
        /// Stored states that could not be read, so that an older one was used.
        damaged: u16,
        /// Legal time of the state that it goes on from, UTC seconds; 0 for a new meter.
        since_s: u64,
        /// Active import of that state, steps of 0.1 Wh.
        import: u64,
    },
    /// 02: a clean end; the state was stored.
    PowerDown {
        /// Active import, steps of 0.1 Wh.
        import: u64,
        /// Active export, the same.
        export: u64,
    },
    /// 03: the core meters with other constants than before.
    Calibration {
        /// CRC-32C of the constants before, 0 for a new meter.
        before: u32,
        /// Of those from now on, as the end of [`metrology::Calibration::encode`] has it.
        now: u32,
    },
    /// 04: the legal clock is moved against the clock chip, milliseconds.
    ClockSet {
        /// Difference before.
        before_ms: i64,
        /// Difference from now on.
        now_ms: i64,
    },
    /// 05: a sealed order is being carried out.
    OrderTaken {
        /// Its kind, as `security::order` numbers them.
        kind: u8,
        /// Its number.
        number: u64,
        /// Who gave it.
        operator: [u8; 4],
    },
    /// 06: the order of the line before could not be carried out: the store failed.
    OrderFailed {
        /// Its number.
        number: u64,
    },
    /// 07: a genuine order was refused.
    OrderRefused {
        /// Its kind.
        kind: u8,
        /// Its number.
        number: u64,
        /// Why, as `security::gate` numbers it.
        reason: u8,
    },
    /// 08: somebody pressed the key at the meter, and a permitted closing follows.
    KeyPressed,
    /// 10: so often since then, this time included.
    Asked {
        /// What.
        matter: Matter,
        /// How often since the last line about it.
        count: u32,
        /// Legal time of the first of them, UTC seconds.
        since_s: u64,
        /// Of the last of them.
        detail: u64,
    },
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Boots of the metering core.
    pub boot: u32,
    /// Legal time, UTC seconds since 1970.
    pub utc_s: u64,
    /// What happened.
    pub event: Event,
}

impl Line {
    /// The bytes that the chain covers.
    #[must_use]
    pub fn encode(&self) -> [u8; LINE] {
        let mut bytes = [0; LINE];
        let mut w = Writer::new(&mut bytes);
        w.u32(self.boot);
        w.u64(self.utc_s);
        match self.event {
            Event::PowerUp {
                clean,
                damaged,
                since_s,
                import,
            } => {
                w.put(&[1, clean.into()]);
                w.u16(damaged);
                w.u64(since_s);
                w.u64(import);
            }
            Event::PowerDown { import, export } => {
                w.u8(2);
                w.u64(import);
                w.u64(export);
            }
            Event::Calibration { before, now } => {
                w.u8(3);
                w.u32(before);
                w.u32(now);
            }
            Event::ClockSet { before_ms, now_ms } => {
                w.u8(4);
                w.i64(before_ms);
                w.i64(now_ms);
            }
            Event::OrderTaken {
                kind,
                number,
                operator,
            } => {
                w.put(&[5, kind]);
                w.u64(number);
                w.put(&operator);
            }
            Event::OrderFailed { number } => {
                w.u8(6);
                w.u64(number);
            }
            Event::OrderRefused {
                kind,
                number,
                reason,
            } => {
                w.put(&[7, kind]);
                w.u64(number);
                w.u8(reason);
            }
            Event::KeyPressed => w.u8(8),
            Event::Asked {
                matter,
                count,
                since_s,
                detail,
            } => {
                w.put(&[0x10, matter as u8]);
                w.u32(count);
                w.u64(since_s);
                w.u64(detail);
            }
        }
        // The longest event has 22 bytes.
        let _ = w.finish();
        bytes
    }

    /// Reads a line; `None` when it is none that this version knows.
    #[must_use]
    pub fn parse(bytes: &[u8; LINE]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let (boot, utc_s) = (r.u32()?, r.u64()?);
        let event = match r.u8()? {
            1 => Event::PowerUp {
                clean: match r.u8()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
                damaged: r.u16()?,
                since_s: r.u64()?,
                import: r.u64()?,
            },
            2 => Event::PowerDown {
                import: r.u64()?,
                export: r.u64()?,
            },
            3 => Event::Calibration {
                before: r.u32()?,
                now: r.u32()?,
            },
            4 => Event::ClockSet {
                before_ms: r.i64()?,
                now_ms: r.i64()?,
            },
            5 => Event::OrderTaken {
                kind: r.u8()?,
                number: r.u64()?,
                operator: r.take()?,
            },
            6 => Event::OrderFailed { number: r.u64()? },
            7 => Event::OrderRefused {
                kind: r.u8()?,
                number: r.u64()?,
                reason: r.u8()?,
            },
            8 => Event::KeyPressed,
            0x10 => Event::Asked {
                matter: Matter::from_code(r.u8()?)?,
                count: r.u32()?,
                since_s: r.u64()?,
                detail: r.u64()?,
            },
            _ => return None,
        };
        let rest = r.rest();
        rest.iter()
            .all(|byte| *byte == 0)
            .then_some(Self { boot, utc_s, event })
    }
}

/// A line with the places in the chain before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where the chain stood before the line.
    pub before: Head,
    /// Where it stands after it; its number is the number of the line.
    pub after: Head,
    /// The line, as the chain covers it.
    pub line: [u8; LINE],
}

/// Checks entries of one chain that follow each other; where the chain stands after the last. An entry whose number is 1
/// must also begin the chain; what stood before any other first entry cannot be checked without an earlier reading.
///
/// # Errors
/// [`LogError::Broken`] with the number of the first line that was changed, put in or taken out, [`LogError::Key`]
/// for a key of another purpose than `audit`.
pub fn check(key: &DeviceKey, chain: Chain, entries: &[Entry]) -> Result<Head, LogError> {
    let handle = key.soft();
    let begin = Head::begin(&mut Soft, &handle, chain.name())?;
    let Some(first) = entries.first() else {
        return Ok(begin);
    };
    let number = first.after.number();
    if first.before.number() == 0 && first.before != begin {
        return Err(LogError::Broken { number });
    }
    let mut head = first.before;
    for entry in entries {
        if entry.before != head {
            return Err(LogError::Broken {
                number: head.number().wrapping_add(1),
            });
        }
        head = head.check(&mut Soft, &handle, [(entry.line.as_slice(), entry.after)])?;
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_back_and_nothing_else_does() {
        let events = [
            Event::PowerUp {
                clean: true,
                damaged: 2,
                since_s: 1_795_235_400,
                import: u64::MAX,
            },
            Event::PowerDown {
                import: 7,
                export: u64::MAX,
            },
            Event::Calibration {
                before: 0,
                now: 0x1234_5678,
            },
            Event::ClockSet {
                before_ms: -1_000,
                now_ms: i64::MIN,
            },
            Event::OrderTaken {
                kind: 0x1A,
                number: 44,
                operator: [1, 0, 0, 7],
            },
            Event::OrderFailed { number: 44 },
            Event::OrderRefused {
                kind: 0x1B,
                number: 45,
                reason: 24,
            },
            Event::KeyPressed,
        ];
        let asked = Matter::ALL.map(|matter| Event::Asked {
            matter,
            count: u32::MAX,
            since_s: u64::MAX,
            detail: image_detail(1, (2, 3), 4),
        });
        for event in events.into_iter().chain(asked) {
            let line = Line {
                boot: 3,
                utc_s: 1_795_235_401,
                event,
            };
            let mut bytes = line.encode();
            assert_eq!(Line::parse(&bytes), Some(line));
            // The last byte belongs to no event.
            bytes[LINE - 1] ^= 1;
            assert_eq!(Line::parse(&bytes), None);
        }
        let mut bytes = [0; LINE];
        for code in 0..=u8::MAX {
            bytes[12] = code;
            let known = matches!(code, 1..=8);
            assert_eq!(Line::parse(&bytes).is_some(), known, "{code:02X}");
        }
    }
}
