//! What may cross the line between the cores: one closed list of questions and their answers.
//!
//! The management core asks, the metering core answers. Nothing here names memory, calibration, firmware or the
//! clearing of registers, so nothing of that can be asked. All numbers are little-endian; a body is its first
//! byte and the fields in the order of their declaration.

use metrology::event::Conditions;

use security::log::Head;

use crate::cursor::{Reader, Writer};
use crate::log::{Chain, Entry, LINE};

/// Longest legal block, bytes.
pub const MAX_BLOCK: usize = 224;
/// Longest sealed order and longest sealed acknowledgement, bytes.
pub const MAX_SEALED: usize = 96;
/// Longest question or answer, bytes.
pub const MAX_BODY: usize = 256;

/// Name of a legal record on stream 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordName {
    /// Boots of the metering core.
    pub boot: u32,
    /// Number within the boot, from 1.
    pub seq: u32,
}

/// A question of the management core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// 01: registers, legal time, relay.
    Totals,
    /// 02: quantities of the last window.
    Instantaneous,
    /// 03: the oldest legal block after the acknowledged one.
    NextBlock {
        /// The newest block that the management core has stored for good.
        acknowledged: Option<RecordName>,
    },
    /// 04: what the purse wants of the relay. The metering core decides.
    RelayWish {
        /// Supply on.
        closed: bool,
    },
    /// 05: an order sealed for the metering core, unopened.
    Order(&'a [u8]),
    /// 08: a line of the log, or the oldest that is left behind that number.
    Line {
        /// Which log.
        chain: Chain,
        /// Number of the line, from 1.
        number: u64,
    },
    /// 09: which management image runs, as it says; it is put into the log.
    Image {
        /// Security counter of its manifest.
        counter: u32,
        /// Major and minor version.
        version: (u8, u8),
        /// Revision.
        revision: u16,
    },
    /// 07: a boot under which the other core numbers its own records; asked once at each of its starts.
    Boot,
    /// 06: clock synchronisation. The metering core moves at most one second a day.
    ClockSync {
        /// UTC, milliseconds since 1970.
        utc_ms: u64,
    },
}

/// Energy of both directions in steps of 0.1 Wh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// From the grid.
    pub import: u64,
    /// To the grid.
    pub export: u64,
}

/// State of the relay as the metering core drives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayState {
    /// The contact is closed.
    pub closed: bool,
    /// A sealed order holds it open.
    pub tripped_by_order: bool,
    /// A sealed order keeps power on whatever the purse says.
    pub hold: bool,
    /// A sealed order switched the alarm on.
    pub alarm: bool,
    /// The last wish of the management core was for supply.
    pub wish_closed: bool,
}

impl RelayState {
    pub(crate) fn bits(self) -> u8 {
        u8::from(self.closed)
            | u8::from(self.tripped_by_order) << 1
            | u8::from(self.hold) << 2
            | u8::from(self.alarm) << 3
            | u8::from(self.wish_closed) << 4
    }

    pub(crate) fn from_bits(bits: u8) -> Option<Self> {
        (bits < 32).then_some(Self {
            closed: bits & 1 != 0,
            tripped_by_order: bits & 2 != 0,
            hold: bits & 4 != 0,
            alarm: bits & 8 != 0,
            wish_closed: bits & 16 != 0,
        })
    }
}

/// Registers and state of the metering core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Boots; the management core numbers its own streams under it.
    pub boot: u32,
    /// Legal time: UTC, milliseconds since 1970.
    pub utc_ms: u64,
    /// Phases, 1 or 3.
    pub phases: u8,
    /// The relay.
    pub relay: RelayState,
    /// Total active energy.
    pub active: Steps,
    /// Active energy of each phase; unused phases are 0.
    pub phase: [Steps; 3],
    /// Reactive energy by quadrant, steps of 0.1 varh.
    pub reactive: [u64; 4],
}

/// Values of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseValues {
    /// Millivolts, rms.
    pub voltage_mv: u32,
    /// Microamperes, rms.
    pub current_ua: u32,
    /// Milliwatts; positive is import.
    pub active_mw: i32,
    /// Millivars; positive when the current lags.
    pub reactive_mvar: i32,
    /// Millivoltamperes.
    pub apparent_mva: u32,
    /// Power factor, millionths.
    pub power_factor_ppm: i32,
    /// Angle of the current behind the voltage, millidegrees.
    pub angle_mdeg: i32,
}

/// Values of the last window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instantaneous {
    /// Windows since the boot; 0 means no values yet.
    pub window: u32,
    /// Millihertz; 0 without a signal.
    pub frequency_mhz: u32,
    /// Sum of the active powers, milliwatts.
    pub active_mw: i32,
    /// Sum of the reactive powers, millivars.
    pub reactive_mvar: i32,
    /// Arithmetic apparent power, millivoltamperes.
    pub apparent_mva: u32,
    /// Power factor of all phases, millionths.
    pub power_factor_ppm: i32,
    /// A sample reached the converter's limit.
    pub saturated: bool,
    /// Conditions that hold, after their delays.
    pub conditions: Conditions,
    /// Each phase; unused ones are 0.
    pub phase: [PhaseValues; 3],
}

impl Instantaneous {
    /// Active power drawn from the grid, whole watts; `None` before the first window.
    #[must_use]
    pub fn power_w(&self) -> Option<u32> {
        let drawn_mw = self.active_mw.max(0).unsigned_abs();
        (self.window > 0).then_some(drawn_mw / 1000)
    }

    /// The largest current of a phase, milliamperes; 0 before the first window.
    #[must_use]
    pub fn current_ma(&self) -> u32 {
        let currents = self.phase.iter().map(|phase| phase.current_ua);
        currents.max().unwrap_or(0) / 1000
    }
}

/// Why the metering core does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not on the list, or malformed.
    Unknown = 1,
    /// Asked again too soon.
    TooFast = 2,
    /// The clock was already moved today, or the step is larger than a second.
    ClockLimit = 3,
    /// The seal of the order is not good.
    Seal = 4,
    /// The store failed; nothing was done.
    Store = 5,
}

impl Refusal {
    fn from_code(code: u8) -> Option<Self> {
        [
            Self::Unknown,
            Self::TooFast,
            Self::ClockLimit,
            Self::Seal,
            Self::Store,
        ]
        .into_iter()
        .find(|refusal| *refusal as u8 == code)
    }
}

/// An answer of the metering core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// 81.
    Totals(Totals),
    /// 82.
    Instantaneous(Instantaneous),
    /// 83 with a block.
    Block {
        /// Its name.
        name: RecordName,
        /// Legal time of the readings, UTC seconds since 1970.
        utc_s: u64,
        /// The envelope.
        envelope: &'a [u8],
    },
    /// 93: no further block.
    NoBlock,
    /// 84.
    Relay(RelayState),
    /// 85: the sealed acknowledgement of an order.
    Order(&'a [u8]),
    /// 86: the step that was made, milliseconds.
    Clock {
        /// Positive when the clock went forward.
        step_ms: i32,
    },
    /// 87: a boot that nobody was given before.
    Boot(u32),
    /// 88: a line of the log.
    Line {
        /// Which log.
        chain: Chain,
        /// The line and its place.
        entry: Entry,
    },
    /// 98: there is no such line yet.
    NoLine {
        /// Which log.
        chain: Chain,
        /// Where it stands.
        head: Head,
    },
    /// 89: taken note of.
    Noted,
    /// FF.
    Refused(Refusal),
}

impl<'a> Request<'a> {
    /// Reads a question; `None` when it is not on the list.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let request = match r.u8()? {
            1 => Self::Totals,
            2 => Self::Instantaneous,
            3 => Self::NextBlock {
                acknowledged: match r.u8()? {
                    0 => None,
                    1 => Some(RecordName {
                        boot: r.u32()?,
                        seq: r.u32()?,
                    }),
                    _ => return None,
                },
            },
            4 => Self::RelayWish {
                closed: match r.u8()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
            },
            5 => Self::Order(Some(r.rest()).filter(|o| !o.is_empty() && o.len() <= MAX_SEALED)?),
            6 => Self::ClockSync { utc_ms: r.u64()? },
            7 => Self::Boot,
            8 => Self::Line {
                chain: Chain::from_code(r.u8()?)?,
                number: r.u64()?,
            },
            9 => Self::Image {
                counter: r.u32()?,
                version: (r.u8()?, r.u8()?),
                revision: r.u16()?,
            },
            _ => return None,
        };
        r.end()?;
        Some(request)
    }

    /// Writes the question; its length, or `None` when `out` is too short.
    pub fn encode(&self, out: &mut [u8]) -> Option<usize> {
        let mut w = Writer::new(out);
        match self {
            Self::Totals => w.u8(1),
            Self::Instantaneous => w.u8(2),
            Self::NextBlock { acknowledged } => {
                w.u8(3);
                w.u8(acknowledged.is_some().into());
                if let Some(name) = acknowledged {
                    w.u32(name.boot);
                    w.u32(name.seq);
                }
            }
            Self::RelayWish { closed } => w.put(&[4, u8::from(*closed)]),
            Self::Order(envelope) => {
                w.u8(5);
                w.put(envelope);
            }
            Self::Boot => w.u8(7),
            Self::Line { chain, number } => {
                w.put(&[8, *chain as u8]);
                w.u64(*number);
            }
            Self::Image {
                counter,
                version: (major, minor),
                revision,
            } => {
                w.u8(9);
                w.u32(*counter);
                w.put(&[*major, *minor]);
                w.u16(*revision);
            }
            Self::ClockSync { utc_ms } => {
                w.u8(6);
                w.u64(*utc_ms);
            }
        }
        w.finish()
    }
}

impl<'a> Answer<'a> {
    /// Reads an answer; `None` when it is malformed.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let answer = match r.u8()? {
            0x81 => Self::Totals(Totals::read(&mut r)?),
            0x82 => Self::Instantaneous(Instantaneous::read(&mut r)?),
            0x83 => Self::Block {
                name: RecordName {
                    boot: r.u32()?,
                    seq: r.u32()?,
                },
                utc_s: r.u64()?,
                envelope: Some(r.rest()).filter(|e| !e.is_empty() && e.len() <= MAX_BLOCK)?,
            },
            0x93 => Self::NoBlock,
            0x84 => Self::Relay(RelayState::from_bits(r.u8()?)?),
            0x85 => Self::Order(Some(r.rest()).filter(|o| o.len() <= MAX_SEALED)?),
            0x86 => Self::Clock { step_ms: r.i32()? },
            0x87 => Self::Boot(r.u32()?),
            0x88 => Self::Line {
                chain: Chain::from_code(r.u8()?)?,
                entry: Entry {
                    before: Head::from_bytes(&r.take()?),
                    after: Head::from_bytes(&r.take()?),
                    line: r.take::<LINE>()?,
                },
            },
            0x98 => Self::NoLine {
                chain: Chain::from_code(r.u8()?)?,
                head: Head::from_bytes(&r.take()?),
            },
            0x89 => Self::Noted,
            0xFF => Self::Refused(Refusal::from_code(r.u8()?)?),
            _ => return None,
        };
        r.end()?;
        Some(answer)
    }

    /// Writes the answer; its length, or `None` when `out` is too short.
    pub fn encode(&self, out: &mut [u8]) -> Option<usize> {
        let mut w = Writer::new(out);
        match self {
            Self::Totals(totals) => totals.write(&mut w),
            Self::Instantaneous(values) => values.write(&mut w),
            Self::Block {
                name,
                utc_s,
                envelope,
            } => {
                w.u8(0x83);
                w.u32(name.boot);
                w.u32(name.seq);
                w.u64(*utc_s);
                w.put(envelope);
            }
            Self::NoBlock => w.u8(0x93),
            Self::Relay(state) => w.put(&[0x84, state.bits()]),
            Self::Order(envelope) => {
                w.u8(0x85);
                w.put(envelope);
            }
            Self::Clock { step_ms } => {
                w.u8(0x86);
                w.i32(*step_ms);
            }
            Self::Boot(boot) => {
                w.u8(0x87);
                w.u32(*boot);
            }
            Self::Line { chain, entry } => {
                w.put(&[0x88, *chain as u8]);
                w.put(&entry.before.to_bytes());
                w.put(&entry.after.to_bytes());
                w.put(&entry.line);
            }
            Self::NoLine { chain, head } => {
                w.put(&[0x98, *chain as u8]);
                w.put(&head.to_bytes());
            }
            Self::Noted => w.u8(0x89),
            Self::Refused(refusal) => w.put(&[0xFF, *refusal as u8]),
        }
        w.finish()
    }
}

impl Totals {
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(0x81);
        w.u32(self.boot);
        w.u64(self.utc_ms);
        w.u8(self.phases);
        w.u8(self.relay.bits());
        for steps in [&self.active].into_iter().chain(&self.phase) {
            w.u64(steps.import);
            w.u64(steps.export);
        }
        for quadrant in &self.reactive {
            w.u64(*quadrant);
        }
    }

    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let mut totals = Self {
            boot: r.u32()?,
            utc_ms: r.u64()?,
            phases: r.u8()?,
            relay: RelayState::from_bits(r.u8()?)?,
            ..Self::default()
        };
        for steps in [&mut totals.active].into_iter().chain(&mut totals.phase) {
            *steps = Steps {
                import: r.u64()?,
                export: r.u64()?,
            };
        }
        for quadrant in &mut totals.reactive {
            *quadrant = r.u64()?;
        }
        Some(totals)
    }
}

impl Instantaneous {
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(0x82);
        w.u32(self.window);
        w.u32(self.frequency_mhz);
        w.i32(self.active_mw);
        w.i32(self.reactive_mvar);
        w.u32(self.apparent_mva);
        w.i32(self.power_factor_ppm);
        w.u8(self.saturated.into());
        w.u64(self.conditions.bits());
        for phase in &self.phase {
            w.u32(phase.voltage_mv);
            w.u32(phase.current_ua);
            w.i32(phase.active_mw);
            w.i32(phase.reactive_mvar);
            w.u32(phase.apparent_mva);
            w.i32(phase.power_factor_ppm);
            w.i32(phase.angle_mdeg);
        }
    }

    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let mut values = Self {
            window: r.u32()?,
            frequency_mhz: r.u32()?,
            active_mw: r.i32()?,
            reactive_mvar: r.i32()?,
            apparent_mva: r.u32()?,
            power_factor_ppm: r.i32()?,
            saturated: r.u8()? != 0,
            conditions: Conditions::from_bits(r.u64()?)?,
            ..Self::default()
        };
        for phase in &mut values.phase {
            *phase = PhaseValues {
                voltage_mv: r.u32()?,
                current_ua: r.u32()?,
                active_mw: r.i32()?,
                reactive_mvar: r.i32()?,
                apparent_mva: r.u32()?,
                power_factor_ppm: r.i32()?,
                angle_mdeg: r.i32()?,
            };
        }
        Some(values)
    }
}
