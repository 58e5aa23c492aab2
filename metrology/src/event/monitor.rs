//! The machine that judges one window after the other.

use super::condition::{Condition, Conditions, METER_CONDITIONS, PHASE_CONDITIONS};
use super::limits::{Limit, Limits};
use super::observation::{Observation, PhaseObservation};

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
    phase_pending_ms: [[u32; PHASES]; PHASE_CONDITIONS],
    meter_pending_ms: [u32; METER_CONDITIONS],
}

impl<const PHASES: usize> Monitor<PHASES> {
    /// No condition holds.
    #[must_use]
    pub const fn new() -> Self {
        Self::resume(Conditions::EMPTY)
    }

    /// Goes on with what held before the power went: such a condition does not begin again, and ends by its own limit.
    #[must_use]
    pub const fn resume(active: Conditions) -> Self {
        Self {
            active,
            phase_pending_ms: [[0; PHASES]; PHASE_CONDITIONS],
            meter_pending_ms: [0; METER_CONDITIONS],
        }
    }

    /// Conditions that hold now.
    #[must_use]
    pub const fn active(&self) -> Conditions {
        self.active
    }

    /// Judges one window.
    pub fn update(&mut self, limits: &Limits, window: &Observation<PHASES>) -> Changes {
        let before = self.active;
        for condition in Condition::ALL {
            let phases = if condition.is_per_phase() {
                PHASES.min(3)
            } else {
                1
            };
            for phase in 0..phases {
                self.judge(limits, window, condition, phase);
            }
        }
        Changes {
            begun: self.active.without(before),
            ended: before.without(self.active),
        }
    }

    fn judge(
        &mut self,
        limits: &Limits,
        window: &Observation<PHASES>,
        condition: Condition,
        phase: usize,
    ) {
        let holds = self.active.contains(condition, phase);
        let limit = limits.of(condition);
        // What is not watched any more ends at once.
        let (wanted, delay_ms) = limit.map_or((false, 0), |limit| {
            let wanted = self.wanted(limits, &limit, window, condition, phase);
            (wanted, limit.delay_ms)
        });
        let number = condition as usize;
        let pending = if condition.is_per_phase() {
            let row = self.phase_pending_ms.get_mut(number);
            row.and_then(|row| row.get_mut(phase))
        } else {
            self.meter_pending_ms
                .get_mut(number.saturating_sub(PHASE_CONDITIONS))
        };
        let Some(pending) = pending else {
            return;
        };
        if wanted == holds {
            *pending = 0;
            return;
        }
        *pending = pending.saturating_add(window.elapsed_ms);
        if *pending >= delay_ms {
            self.active.toggle(condition, phase);
            *pending = 0;
        }
    }

    /// Whether the values of this window are on the bad side, seen from the state the condition is in.
    fn wanted(
        &self,
        limits: &Limits,
        limit: &Limit,
        window: &Observation<PHASES>,
        condition: Condition,
        phase: usize,
    ) -> bool {
        let edge = self.edge(limit, condition, phase);
        let line = window.phase.get(phase).copied().unwrap_or_default();
        let unbalanced = |value: Option<u64>| value.is_some_and(|ppm| ppm > edge);
        match condition {
            Condition::VoltageLost => self.is_lost(limit, &line, phase),
            Condition::PhaseBroken => self.is_broken(limit, &line, phase),
            Condition::UnderVoltage => {
                let lost = limits.voltage_lost;
                let broken = limits.phase_broken;
                line.voltage_uv < edge
                    && !lost.is_some_and(|limit| self.is_lost(&limit, &line, phase))
                    && !broken.is_some_and(|limit| self.is_broken(&limit, &line, phase))
            }
            Condition::OverVoltage => line.voltage_uv > edge,
            Condition::CurrentLost => {
                line.current_ua < edge
                    && line.voltage_uv >= limit.gate
                    && window.largest(|other| other.current_ua) >= limit.end.max(1)
            }
            Condition::CurrentInterrupted => {
                line.current_ua < edge && line.voltage_uv >= limit.gate
            }
            Condition::OverCurrent => line.current_ua > edge,
            Condition::Overload => line.active_uw.unsigned_abs() > edge,
            Condition::Reverse => line.active_uw < 0 && line.active_uw.unsigned_abs() > edge,
            Condition::VoltageOrder => {
                window.smallest(|line| line.voltage_uv) >= edge
                    && window.order_is_reversed(|line| line.voltage_angle_mdeg.into())
            }
            Condition::CurrentOrder => {
                window.smallest(|line| line.current_ua) >= edge
                    && window.order_is_reversed(|line| {
                        i64::from(line.voltage_angle_mdeg) - i64::from(line.current_lag_mdeg)
                    })
            }
            Condition::VoltageUnbalance => {
                unbalanced(window.unbalance_ppm(limit.gate, |line| line.voltage_uv))
            }
            Condition::CurrentUnbalance | Condition::SevereCurrentUnbalance => {
                unbalanced(window.unbalance_ppm(limit.gate, |line| line.current_ua))
            }
            Condition::AllVoltagesLost => {
                window.largest(|line| line.voltage_uv) < edge
                    && window.largest(|line| line.current_ua) >= limit.gate
            }
            Condition::PowerDown => {
                window.largest(|line| line.voltage_uv) < edge
                    && window.largest(|line| line.current_ua) < limit.gate
            }
            Condition::PowerFactorLow => {
                u64::from(window.power_factor_ppm.unsigned_abs()) < edge
                    && window.apparent_uva >= limit.gate.max(1)
            }
        }
    }

    fn is_lost(&self, limit: &Limit, line: &PhaseObservation, phase: usize) -> bool {
        let edge = self.edge(limit, Condition::VoltageLost, phase);
        line.voltage_uv < edge && line.current_ua >= limit.gate
    }

    fn is_broken(&self, limit: &Limit, line: &PhaseObservation, phase: usize) -> bool {
        let edge = self.edge(limit, Condition::PhaseBroken, phase);
        line.voltage_uv < edge && line.current_ua < limit.gate
    }

    /// The side of the hysteresis that counts in the state the condition is in.
    const fn edge(&self, limit: &Limit, condition: Condition, phase: usize) -> u64 {
        if self.active.contains(condition, phase) {
            limit.end
        } else {
            limit.begin
        }
    }
}

impl<const PHASES: usize> Default for Monitor<PHASES> {
    fn default() -> Self {
        Self::new()
    }
}
