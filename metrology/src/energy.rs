//! Energy registers that lose nothing: decimal steps counted, the rest carried.
//!
//! ```text
//! (import − export) · quantum + remainder = Σ raw        exactly, for every phase and for the net total
//! ```
//! One raw unit is 2^-30 count² (after the gains) times one sample interval; the quantum is one register
//! step in raw units, worked out once by the calibration.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use crate::angle::rounded_div;
use crate::bytes::{Reader, Writer, checked_body};
use crate::calibration::{Calibration, Policy};

/// Version byte of the stored form.
const VERSION: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Energy in both directions, in register steps (0.1 Wh unless the calibration says otherwise).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps taken from the grid (A+).
    pub import: u64,
    /// Steps given to the grid (A−).
    pub export: u64,
}

/// A snapshot of all registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers<const PHASES: usize> {
    /// Total active energy by the policy of the calibration.
    pub active: Counts,
    /// Active energy of each phase.
    pub phase: [Counts; PHASES],
    /// Fundamental reactive energy of the total by quadrant, R1 to R4, in steps.
    pub reactive: [u64; 4],
    /// Pulses given since the registers were new.
    pub pulses: u64,
}

impl<const PHASES: usize> Registers<PHASES> {
    /// Reactive energy while it flows in, R+ = R1 + R2, steps.
    #[must_use]
    pub const fn reactive_import(&self) -> u64 {
        self.reactive[0].saturating_add(self.reactive[1])
    }

    /// Reactive energy while it flows out, R− = R3 + R4, steps.
    #[must_use]
    pub const fn reactive_export(&self) -> u64 {
        self.reactive[2].saturating_add(self.reactive[3])
    }
}

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

/// Both directions with one signed remainder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Signed {
    counts: Counts,
    remainder: i128,
}

impl Signed {
    fn add(&mut self, raw: i128, quantum: i128) {
        let sum = self.remainder.saturating_add(raw);
        let steps = sum.checked_div(quantum).unwrap_or(0);
        self.remainder = sum - steps * quantum;
        let magnitude = u64::try_from(steps.unsigned_abs()).unwrap_or(u64::MAX);
        let register = if steps < 0 {
            &mut self.counts.export
        } else {
            &mut self.counts.import
        };
        *register = register.saturating_add(magnitude);
    }
}

/// The registers with their remainders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Energy<const PHASES: usize> {
    phase: [Signed; PHASES],
    net: Signed,
    quadrant: [Signed; 4],
    pulses: u64,
    pulse_remainder: i128,
    /// Raw energy of a window that a restored state had not closed; joins the next commit.
    carry: [i128; PHASES],
}

/// What one closed window adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion {
    pub active: i128,
    pub reactive: i128,
    /// The start threshold was reached.
    pub counts: bool,
}

impl<const PHASES: usize> Energy<PHASES> {
    pub const ENCODED_LEN: usize = 2 + 16 + 32 * (PHASES + 5) + 24 + 16 * PHASES + 4;

    pub fn new() -> Self {
        Self {
            phase: [Signed::default(); PHASES],
            net: Signed::default(),
            quadrant: [Signed::default(); 4],
            pulses: 0,
            pulse_remainder: 0,
            carry: [0; PHASES],
        }
    }

    /// Adds a closed window; returns the new pulses.
    pub fn commit(
        &mut self,
        calibration: &Calibration<PHASES>,
        portions: &[Portion; PHASES],
    ) -> u32 {
        let quantum = calibration.quantum;
        let (mut active, mut absolute, mut reactive) = (0_i128, 0_i128, 0_i128);
        for ((portion, carry), register) in
            portions.iter().zip(&mut self.carry).zip(&mut self.phase)
        {
            let mut raw = core::mem::take(carry);
            if portion.counts {
                raw = raw.saturating_add(portion.active);
                reactive = reactive.saturating_add(portion.reactive);
            }
            register.add(raw, quantum);
            active = active.saturating_add(raw);
            absolute = absolute.saturating_add(raw.saturating_abs());
        }
        self.net.add(active, quantum);
        let parameters = calibration.parameters();
        let quadrant = match (active < 0, reactive < 0) {
            (false, false) => 0,
            (true, false) => 1,
            (true, true) => 2,
            (false, true) => 3,
        };
        self.quadrant[quadrant].add(reactive.saturating_abs(), quantum);
        // One pulse is 10^6 / (step · constant) steps: the remainder is kept times step · constant.
        let counted = match parameters.policy {
            Policy::Net => active.saturating_abs(),
            Policy::PerPhase => absolute,
        };
        let weight = i128::from(parameters.energy_step_mwh) * i128::from(parameters.pulses_per_kwh);
        let sum = self
            .pulse_remainder
            .saturating_add(counted.saturating_mul(weight));
        let unit = quantum * 1_000_000;
        let pulses = sum.checked_div(unit).unwrap_or(0);
        self.pulse_remainder = sum - pulses * unit;
        let pulses = u32::try_from(pulses).unwrap_or(u32::MAX);
        self.pulses = self.pulses.saturating_add(pulses.into());
        pulses
    }

    pub fn registers(&self, policy: Policy) -> Registers<PHASES> {
        let active = match policy {
            Policy::Net => self.net.counts,
            Policy::PerPhase => self
                .phase
                .iter()
                .fold(Counts::default(), |sum, phase| Counts {
                    import: sum.import.saturating_add(phase.counts.import),
                    export: sum.export.saturating_add(phase.counts.export),
                }),
        };
        Registers {
            active,
            phase: self.phase.map(|phase| phase.counts),
            reactive: self.quadrant.map(|quadrant| quadrant.counts.import),
            pulses: self.pulses,
        }
    }

    /// Everything ever counted in one phase, raw units; without what is in the open window.
    pub fn phase_raw(&self, phase: usize, quantum: i128) -> i128 {
        match (self.phase.get(phase), self.carry.get(phase)) {
            (Some(register), Some(carry)) => {
                let steps = i128::from(register.counts.import) - i128::from(register.counts.export);
                steps
                    .saturating_mul(quantum)
                    .saturating_add(register.remainder)
                    .saturating_add(*carry)
            }
            _ => 0,
        }
    }

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
        for register in self.phase.iter().chain([&self.net]).chain(&self.quadrant) {
            w.put(&register.counts.import.to_le_bytes());
            w.put(&register.counts.export.to_le_bytes());
            w.put(&register.remainder.to_le_bytes());
        }
        w.put(&self.pulses.to_le_bytes());
        w.put(&self.pulse_remainder.to_le_bytes());
        for (carry, open) in self.carry.iter().zip(open) {
            w.put(&carry.saturating_add(*open).to_le_bytes());
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
        let version = r.byte().ok_or(length)?;
        if version != VERSION {
            return Err(StateError::Version { found: version });
        }
        let phases = r.byte().ok_or(length)?;
        if usize::from(phases) != PHASES {
            return Err(StateError::Phases { found: phases });
        }
        if bytes.len() != Self::ENCODED_LEN {
            return Err(length);
        }
        let old = r.i128().ok_or(length)?;
        if old <= 0 {
            return Err(StateError::Scale);
        }
        // A new calibration changes the size of a raw unit: remainders keep their part of a step.
        let rescaled = |raw: i128| -> Result<i128, StateError> {
            if old == quantum {
                return Ok(raw);
            }
            let part = raw
                .checked_mul(1 << 20)
                .map(|v| rounded_div(v, old))
                .and_then(|v| v.checked_mul(quantum));
            part.map(|v| v >> 20).ok_or(StateError::Scale)
        };
        let mut energy = Self::new();
        for register in energy
            .phase
            .iter_mut()
            .chain([&mut energy.net])
            .chain(&mut energy.quadrant)
        {
            register.counts = Counts {
                import: r.u64().ok_or(length)?,
                export: r.u64().ok_or(length)?,
            };
            register.remainder = rescaled(r.i128().ok_or(length)?)?;
        }
        energy.pulses = r.u64().ok_or(length)?;
        let pulse = r.i128().ok_or(length)?;
        // Its unit is 10^6 times smaller, so it is kept to whole parts of a million.
        energy.pulse_remainder = if old == quantum {
            pulse
        } else {
            (pulse / old).saturating_mul(quantum)
        };
        for carry in &mut energy.carry {
            *carry = rescaled(r.i128().ok_or(length)?)?;
        }
        Ok(energy)
    }
}
