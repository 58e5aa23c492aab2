//! Registers of the circuits: active and reactive energy, exact as those of the meter.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use crate::bytes::{Reader, Writer, checked_body};
use crate::calibration::Calibration;
use crate::energy::{Counts, Gate, Portion, Signed, Start, StateError};

/// Version byte of the stored form.
const VERSION: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Registers of one circuit, in the steps of the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircuitRegisters {
    /// Active energy.
    pub active: Counts,
    /// Fundamental reactive energy: import while the current lags the voltage (Q1 positive).
    pub reactive: Counts,
}

/// Active and reactive energy with their remainders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line {
    active: Signed,
    reactive: Signed,
}

/// The registers of all circuits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Energy<const N: usize> {
    lines: [Line; N],
    gate: Gate<N>,
}

impl<const N: usize> Energy<N> {
    /// Version, count (one byte), raw units of a step, two registers for each circuit, check sum.
    pub const ENCODED_LEN: usize = {
        assert!(N <= 255, "at most 255 circuits");
        2 + 16 + 2 * Signed::ENCODED_LEN * N + 4
    };

    pub const fn new() -> Self {
        let line = Line {
            active: Signed::ZERO,
            reactive: Signed::ZERO,
        };
        Self {
            lines: [line; N],
            gate: Gate::new(),
        }
    }

    /// Adds a window of `length_q16` samples; start and no-load are judged for each circuit by the meter's
    /// threshold.
    pub fn commit<const PHASES: usize>(
        &mut self,
        calibration: &Calibration<PHASES>,
        portions: &[Portion; N],
        length_q16: u64,
    ) {
        let start = Start::new(calibration.parameters(), length_q16);
        let levels = portions.each_ref().map(|portion| portion.level_uw);
        let counts = self.gate.judge(start, levels);
        for ((line, portion), counts) in self.lines.iter_mut().zip(portions).zip(counts) {
            if counts {
                line.active.add(portion.active, calibration.step_raw());
                line.reactive.add(portion.reactive, calibration.step_raw());
            }
        }
    }

    pub fn registers(&self, circuit: usize) -> CircuitRegisters {
        let line = self.lines.get(circuit);
        line.map_or(CircuitRegisters::default(), |line| CircuitRegisters {
            active: line.active.counts(),
            reactive: line.reactive.counts(),
        })
    }

    pub fn active_raw(&self, circuit: usize, quantum: i128) -> i128 {
        let line = self.lines.get(circuit);
        line.map_or(0, |line| line.active.raw(quantum))
    }

    pub fn encode(&self, quantum: i128, out: &mut [u8]) -> Result<usize, StateError> {
        let found = out.len();
        let mut w = Writer::new(out);
        w.put(&[VERSION, N as u8]);
        w.put(&quantum.to_le_bytes());
        for line in &self.lines {
            line.active.put(&mut w);
            line.reactive.put(&mut w);
        }
        w.finish(&CRC).ok_or(StateError::Length {
            expected: Self::ENCODED_LEN,
            found,
        })
    }

    pub fn decode(quantum: i128, bytes: &[u8]) -> Result<Self, StateError> {
        let length = StateError::Length {
            expected: Self::ENCODED_LEN,
            found: bytes.len(),
        };
        let body = checked_body(bytes, &CRC)
            .map_err(|(expected, found)| StateError::Crc { expected, found })?;
        let mut r = Reader::new(body);
        let found = r.byte().ok_or(length)?;
        if found != VERSION {
            return Err(StateError::Version { found });
        }
        let found = r.byte().ok_or(length)?;
        if usize::from(found) != N {
            return Err(StateError::Phases { found });
        }
        if bytes.len() != Self::ENCODED_LEN {
            return Err(length);
        }
        let old = r.i128().ok_or(length)?;
        let mut energy = Self::new();
        for line in &mut energy.lines {
            for register in [&mut line.active, &mut line.reactive] {
                *register = Signed::read(&mut r, old, quantum).ok_or(length)??;
            }
        }
        Ok(energy)
    }
}
