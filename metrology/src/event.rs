//! Conditions of a meter (DL/T 614): over- and under-voltage, over-current, overload, reversal, lost phase,
//! each with its delay, judged from window quantities.
//!
//! The monitor owns no clock: the length of each window comes from its sample count.

use crate::calibration::Calibration;
use crate::power::Quantities;

/// What can be wrong with a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Condition {
    /// Voltage above its limit.
    OverVoltage = 0,
    /// Voltage below its limit, but not lost.
    UnderVoltage = 1,
    /// Current above its limit.
    OverCurrent = 2,
    /// Active power of the phase above its limit, in either direction.
    Overload = 3,
    /// Active power flows out.
    Reverse = 4,
    /// Voltage lost.
    PhaseLoss = 5,
}

impl Condition {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::OverVoltage,
        Self::UnderVoltage,
        Self::OverCurrent,
        Self::Overload,
        Self::Reverse,
        Self::PhaseLoss,
    ];
}

/// A set of (condition, phase).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions(u32);

impl Conditions {
    const fn bit(condition: Condition, phase: usize) -> u32 {
        if phase < 3 {
            1 << (condition as u32 * 3 + phase as u32)
        } else {
            0
        }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this condition holds in this phase (from 0).
    #[must_use]
    pub const fn contains(self, condition: Condition, phase: usize) -> bool {
        self.0 & Self::bit(condition, phase) != 0
    }

    /// Its members, by condition, then phase from 0.
    pub fn iter(self) -> impl Iterator<Item = (Condition, usize)> {
        Condition::ALL
            .into_iter()
            .flat_map(|condition| (0..3).map(move |phase| (condition, phase)))
            .filter(move |(condition, phase)| self.contains(*condition, *phase))
    }
}

/// A limit that is exceeded in magnitude, with its delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Where the condition begins, in the unit named by the field of [`Limits`].
    pub begin: u64,
    /// Where it ends (the other side of the hysteresis).
    pub end: u64,
    /// How long it must hold before it begins or ends, milliseconds.
    pub delay_ms: u32,
}

/// Limits of every condition; `None` is not watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Begins above, microvolts.
    pub over_voltage: Option<Limit>,
    /// Begins below, microvolts.
    pub under_voltage: Option<Limit>,
    /// Begins above, microamperes.
    pub over_current: Option<Limit>,
    /// Begins above, microwatts of one phase, either direction.
    pub overload: Option<Limit>,
    /// Begins when this many microwatts flow out of one phase.
    pub reverse: Option<Limit>,
    /// Begins below, microvolts.
    pub phase_loss: Option<Limit>,
}

/// What changed with one window.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Conditions that began.
    pub begun: Conditions,
    /// Conditions that ended.
    pub ended: Conditions,
}

/// Watches the limits; call [`Monitor::update`] once for each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monitor<const PHASES: usize> {
    active: Conditions,
    /// How long each condition has differed from its state, milliseconds.
    pending_ms: [[u32; PHASES]; 6],
}

impl<const PHASES: usize> Monitor<PHASES> {
    /// No condition holds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            active: Conditions(0),
            pending_ms: [[0; PHASES]; 6],
        }
    }

    /// Conditions that hold now.
    #[must_use]
    pub const fn active(&self) -> Conditions {
        self.active
    }

    /// Judges one window of quantities.
    pub fn update(
        &mut self,
        calibration: &Calibration<PHASES>,
        limits: &Limits,
        quantities: &Quantities<PHASES>,
    ) -> Changes {
        let elapsed_ms = quantities.duration_ms(calibration);
        let before = self.active;
        for (phase, line) in quantities.phase.iter().enumerate() {
            let outwards = if line.active_uw < 0 {
                line.active_uw.unsigned_abs()
            } else {
                0
            };
            let lost = limits
                .phase_loss
                .is_some_and(|limit| line.voltage_uv < limit.begin);
            // (condition, limit, value, whether the bad side is above)
            let watched = [
                (
                    Condition::OverVoltage,
                    limits.over_voltage,
                    line.voltage_uv,
                    true,
                ),
                (
                    Condition::UnderVoltage,
                    limits.under_voltage.filter(|_| !lost),
                    line.voltage_uv,
                    false,
                ),
                (
                    Condition::OverCurrent,
                    limits.over_current,
                    line.current_ua,
                    true,
                ),
                (
                    Condition::Overload,
                    limits.overload,
                    line.active_uw.unsigned_abs(),
                    true,
                ),
                (Condition::Reverse, limits.reverse, outwards, true),
                (
                    Condition::PhaseLoss,
                    limits.phase_loss,
                    line.voltage_uv,
                    false,
                ),
            ];
            for (condition, limit, value, above) in watched {
                let bit = Conditions::bit(condition, phase);
                let holds = self.active.0 & bit != 0;
                let (wanted, delay_ms) = match limit {
                    None => (false, 0),
                    Some(limit) => {
                        let edge = if holds { limit.end } else { limit.begin };
                        (
                            if above { value > edge } else { value < edge },
                            limit.delay_ms,
                        )
                    }
                };
                let Some(pending) = self
                    .pending_ms
                    .get_mut(condition as usize)
                    .and_then(|row| row.get_mut(phase))
                else {
                    continue;
                };
                if wanted == holds {
                    *pending = 0;
                    continue;
                }
                *pending = pending.saturating_add(elapsed_ms);
                if *pending >= delay_ms {
                    self.active.0 ^= bit;
                    *pending = 0;
                }
            }
        }
        Changes {
            begun: Conditions(self.active.0 & !before.0),
            ended: Conditions(before.0 & !self.active.0),
        }
    }
}

impl<const PHASES: usize> Default for Monitor<PHASES> {
    fn default() -> Self {
        Self::new()
    }
}
