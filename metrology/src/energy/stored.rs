//! The stored form: version, phases, raw units per step, registers and remainders, the energy of the open
//! window, CRC-32C; little-endian.
//!
//! Version 2 is written, version 1 (without fundamental, apparent and reactive pulses) is read too.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use super::{Counts, Energy, Signed};
use crate::bytes::{Reader, Writer, checked_body};
use crate::calibration::{Calibration, Policy};
use crate::division::rounded_div;

/// Version byte of the stored form.
const VERSION: u8 = 2;
/// The first one.
const FIRST: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Why stored registers are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// The bytes, or the buffer for them, have another length than the state.
    Length {
        /// Bytes of the state.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// Written by a version this code does not know.
    Version {
        /// The version byte.
        found: u8,
    },
    /// Written by a meter with another number of phases.
    Phases {
        /// Phases in the state.
        found: u8,
    },
    /// The check sum does not fit.
    Crc {
        /// Computed over the bytes.
        expected: u32,
        /// Found at their end.
        found: u32,
    },
    /// The scale has changed so much that a remainder cannot be carried over.
    Scale,
}

impl core::fmt::Display for StateError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "the register state has {expected} bytes, not {found}")
            }
            Self::Version { found } => write!(f, "the register state has unknown version {found}"),
            Self::Phases { found } => write!(
                f,
                "the register state belongs to a meter with {found} phases"
            ),
            Self::Crc { expected, found } => {
                write!(
                    f,
                    "the check sum of the register state is {found:08X}, computed {expected:08X}"
                )
            }
            Self::Scale => f.write_str("the scale changed too much to carry the remainders over"),
        }
    }
}

impl core::error::Error for StateError {}

/// A remainder under another scale keeps its part of a step, to a millionth.
fn rescaled(raw: i128, old: i128, new: i128) -> Result<i128, StateError> {
    if old == new {
        return Ok(raw);
    }
    if old <= 0 {
        return Err(StateError::Scale);
    }
    raw.checked_mul(1 << 20)
        .map(|v| rounded_div(v, old))
        .and_then(|v| v.checked_mul(new))
        .map(|v| v >> 20)
        .ok_or(StateError::Scale)
}

impl Signed {
    /// Bytes of both counts and the remainder.
    pub const ENCODED_LEN: usize = 32;

    pub fn put(&self, w: &mut Writer<'_>) {
        w.put(&self.counts.import.to_le_bytes());
        w.put(&self.counts.export.to_le_bytes());
        w.put(&self.remainder.to_le_bytes());
    }

    /// Reads a register of a scale with `old` raw units to a step for one with `new`; nothing when the bytes
    /// end.
    pub fn read(r: &mut Reader<'_>, old: i128, new: i128) -> Option<Result<Self, StateError>> {
        let counts = Counts {
            import: r.u64()?,
            export: r.u64()?,
        };
        let remainder = rescaled(r.i128()?, old, new);
        Some(remainder.map(|remainder| Self { counts, remainder }))
    }
}

impl<const PHASES: usize> Energy<PHASES> {
    /// Bytes of version 1.
    const FIRST_LEN: usize = 2 + 16 + 32 * (PHASES + 5) + 24 + 16 * PHASES + 4;
    /// Bytes of the stored form.
    pub const ENCODED_LEN: usize = 2 + 16 + 32 * (PHASES + 1) + 24 * 10 + 16 * PHASES + 4;

    pub fn encode(
        &self,
        quantum: i128,
        open: &[i128; PHASES],
        out: &mut [u8],
    ) -> Result<usize, StateError> {
        let found = out.len();
        let mut w = Writer::new(out);
        w.put(&[VERSION, PHASES as u8]);
        w.put(&quantum.to_le_bytes());
        for register in self.phase.iter().chain([&self.net]) {
            register.put(&mut w);
        }
        for counter in self
            .quadrant
            .iter()
            .chain(&self.fundamental)
            .chain(&self.apparent)
            .chain(&self.pulses)
        {
            w.put(&counter.count.to_le_bytes());
            w.put(&counter.remainder.to_le_bytes());
        }
        for open in open {
            w.put(&open.to_le_bytes());
        }
        w.finish(&CRC).ok_or(StateError::Length {
            expected: Self::ENCODED_LEN,
            found,
        })
    }

    pub fn decode(calibration: &Calibration<PHASES>, bytes: &[u8]) -> Result<Self, StateError> {
        let length = StateError::Length {
            expected: Self::ENCODED_LEN,
            found: bytes.len(),
        };
        let body = checked_body(bytes, &CRC)
            .map_err(|(expected, found)| StateError::Crc { expected, found })?;
        let mut r = Reader::new(body);
        let version = r.byte().ok_or(length)?;
        let expected = match version {
            FIRST => Self::FIRST_LEN,
            VERSION => Self::ENCODED_LEN,
            found => return Err(StateError::Version { found }),
        };
        let found = r.byte().ok_or(length)?;
        if usize::from(found) != PHASES {
            return Err(StateError::Phases { found });
        }
        if bytes.len() != expected {
            return Err(length);
        }
        let old = r.i128().ok_or(length)?;
        if old <= 0 {
            return Err(StateError::Scale);
        }
        let mut energy = Self::new();
        let read = energy.read(&mut r, version, old, calibration.quantum);
        read.ok_or(length)??;
        let mut open = [0; PHASES];
        for open in &mut open {
            *open = rescaled(r.i128().ok_or(length)?, old, calibration.quantum)?;
        }
        energy.carry(calibration, &open);
        Ok(energy)
    }

    /// Registers and remainders; nothing when the bytes end.
    fn read(
        &mut self,
        r: &mut Reader<'_>,
        version: u8,
        old: i128,
        new: i128,
    ) -> Option<Result<(), StateError>> {
        for register in self.phase.iter_mut().chain([&mut self.net]) {
            match Signed::read(r, old, new)? {
                Ok(read) => *register = read,
                Err(error) => return Some(Err(error)),
            }
        }
        let counters = self
            .quadrant
            .iter_mut()
            .chain(&mut self.fundamental)
            .chain(&mut self.apparent);
        // Version 1 kept quadrants as registers with an export that stayed zero, and nothing after them.
        for counter in counters.take(if version == FIRST { 4 } else { 8 }) {
            counter.count = r.u64()?;
            if version == FIRST {
                r.u64()?;
            }
            match rescaled(r.i128()?, old, new) {
                Ok(remainder) => counter.remainder = remainder,
                Err(error) => return Some(Err(error)),
            }
        }
        for counter in self.pulses.iter_mut().take(version.into()) {
            counter.count = r.u64()?;
            let remainder = r.i128()?;
            // Its unit is 10^6 times smaller, so it is kept to whole parts of a million.
            counter.remainder = if old == new {
                remainder
            } else {
                (remainder / old).saturating_mul(new)
            };
        }
        Some(Ok(()))
    }

    /// The open window of the saved meter joins the remainders; steps follow with the next window.
    fn carry(&mut self, calibration: &Calibration<PHASES>, open: &[i128; PHASES]) {
        let p = calibration.parameters();
        let (mut net, mut absolute, mut imported) = (0_i128, 0_i128, 0_i128);
        for (register, open) in self.phase.iter_mut().zip(open) {
            register.remainder = register.remainder.saturating_add(*open);
            net = net.saturating_add(*open);
            absolute = absolute.saturating_add(open.saturating_abs());
            imported = imported.saturating_add((*open).max(0));
        }
        self.net.remainder = self.net.remainder.saturating_add(net);
        let counted = match p.policy {
            Policy::Net => net.saturating_abs(),
            Policy::PerPhase => absolute,
            Policy::ImportOnly => imported,
        };
        let weight = i128::from(p.energy_step_mwh) * i128::from(p.pulses_per_kwh);
        let [active, _] = &mut self.pulses;
        let carried = counted.saturating_mul(weight);
        active.remainder = active.remainder.saturating_add(carried);
    }
}
