//! Names of the conditions and sets of them.

/// What can be wrong, with one phase or with the whole meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Condition {
    /// Voltage lost: the voltage is low and current flows (失压).
    VoltageLost = 0,
    /// Under-voltage: the voltage is low (欠压).
    UnderVoltage = 1,
    /// Over-voltage (过压).
    OverVoltage = 2,
    /// Current lost: this phase carries none while another one does (失流).
    CurrentLost = 3,
    /// Over-current (过流).
    OverCurrent = 4,
    /// Active power of the phase above its limit, in either direction (过载).
    Overload = 5,
    /// Active power flows out of the phase (潮流反向).
    Reverse = 6,
    /// Phase broken: the voltage is low and no current flows (断相).
    PhaseBroken = 7,
    /// Current interrupted: voltage without current (断流).
    CurrentInterrupted = 8,
    /// The voltages follow each other in the wrong order (电压逆相序).
    VoltageOrder = 9,
    /// The currents follow each other in the wrong order (电流逆相序).
    CurrentOrder = 10,
    /// Unbalance of the voltages (电压不平衡).
    VoltageUnbalance = 11,
    /// Unbalance of the currents (电流不平衡).
    CurrentUnbalance = 12,
    /// All voltages are lost and current flows (全失压).
    AllVoltagesLost = 13,
    /// No voltage and no current (掉电).
    PowerDown = 14,
    /// Total power factor below its limit (总功率因数超下限).
    PowerFactorLow = 15,
    /// Severe unbalance of the currents (电流严重不平衡).
    SevereCurrentUnbalance = 16,
}

/// Conditions that exist for each phase.
pub(super) const PHASE_CONDITIONS: usize = 9;
/// Conditions of the whole meter.
pub(super) const METER_CONDITIONS: usize = Condition::ALL.len() - PHASE_CONDITIONS;

impl Condition {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 17] = [
        Self::VoltageLost,
        Self::UnderVoltage,
        Self::OverVoltage,
        Self::CurrentLost,
        Self::OverCurrent,
        Self::Overload,
        Self::Reverse,
        Self::PhaseBroken,
        Self::CurrentInterrupted,
        Self::VoltageOrder,
        Self::CurrentOrder,
        Self::VoltageUnbalance,
        Self::CurrentUnbalance,
        Self::AllVoltagesLost,
        Self::PowerDown,
        Self::PowerFactorLow,
        Self::SevereCurrentUnbalance,
    ];

    /// Whether it is judged for each phase by itself; otherwise it is one of the whole meter and its phase is 0.
    #[must_use]
    pub const fn is_per_phase(self) -> bool {
        (self as usize) < PHASE_CONDITIONS
    }
}

/// A set of (condition, phase). The bits are stable: they may be stored and sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions(u64);

impl Conditions {
    /// None.
    pub const EMPTY: Self = Self(0);
    const ALL_BITS: u64 = (1 << (3 * PHASE_CONDITIONS + METER_CONDITIONS)) - 1;

    const fn bit(condition: Condition, phase: usize) -> u64 {
        let number = condition as usize;
        if condition.is_per_phase() {
            if phase < 3 {
                1 << (number * 3 + phase)
            } else {
                0
            }
        } else if phase == 0 {
            1 << (3 * PHASE_CONDITIONS + number - PHASE_CONDITIONS)
        } else {
            0
        }
    }

    /// The set as a number: bit `3 · condition + phase` for those of a phase, bit `18 + condition` for the others.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// A set from [`Conditions::bits`]; `None` when there is a bit that means nothing.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits & !Self::ALL_BITS == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this condition holds, in this phase (from 0) when it is one of a phase.
    #[must_use]
    pub const fn contains(self, condition: Condition, phase: usize) -> bool {
        self.0 & Self::bit(condition, phase) != 0
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn toggle(&mut self, condition: Condition, phase: usize) {
        self.0 ^= Self::bit(condition, phase);
    }

    /// Its members, by condition, then phase from 0.
    pub fn iter(self) -> impl Iterator<Item = (Condition, usize)> {
        Condition::ALL
            .into_iter()
            .flat_map(|condition| (0..3).map(move |phase| (condition, phase)))
            .filter(move |(condition, phase)| self.contains(*condition, *phase))
    }
}
