//! What the monitor looks at: a few values of each phase, of the signal chain or of a metering chip.

use crate::quantities::Quantities;

/// What counts of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseObservation {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts; positive is import.
    pub active_uw: i64,
    /// Angle by which this voltage leads that of the first phase, millidegrees.
    pub voltage_angle_mdeg: i32,
    /// Angle by which the current lags its voltage, millidegrees.
    pub current_lag_mdeg: i32,
}

/// What counts of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation<const PHASES: usize> {
    /// By phase; 1 to 3 of them.
    pub phase: [PhaseObservation; PHASES],
    /// Apparent power of all phases, microvoltamperes.
    pub apparent_uva: u64,
    /// Power factor of all phases, millionths.
    pub power_factor_ppm: i32,
    /// Length of the window, milliseconds.
    pub elapsed_ms: u32,
}

impl<const PHASES: usize> Observation<PHASES> {
    /// The part of a window's quantities that conditions are judged by; for `elapsed_ms` see
    /// [`Quantities::duration_ms`].
    #[must_use]
    pub fn of(quantities: &Quantities<PHASES>, elapsed_ms: u32) -> Self {
        Self {
            phase: quantities.phase.map(|line| PhaseObservation {
                voltage_uv: line.voltage_uv,
                current_ua: line.current_ua,
                active_uw: line.active_uw,
                voltage_angle_mdeg: line.voltage_angle_mdeg,
                current_lag_mdeg: line.angle_mdeg,
            }),
            apparent_uva: quantities.total.apparent_uva,
            power_factor_ppm: quantities.total.power_factor_ppm,
            elapsed_ms,
        }
    }

    pub(super) fn largest(&self, value: impl Fn(&PhaseObservation) -> u64) -> u64 {
        self.phase.iter().map(value).max().unwrap_or(0)
    }

    pub(super) fn smallest(&self, value: impl Fn(&PhaseObservation) -> u64) -> u64 {
        self.phase.iter().map(value).min().unwrap_or(0)
    }

    /// Largest less smallest value over the largest, millionths; `None` with less than two phases or a largest value
    /// below `floor`.
    pub(super) fn unbalance_ppm(
        &self,
        floor: u64,
        value: impl Fn(&PhaseObservation) -> u64 + Copy,
    ) -> Option<u64> {
        let (largest, smallest) = (self.largest(value), self.smallest(value));
        if PHASES < 2 || largest < floor.max(1) {
            return None;
        }
        let difference = u128::from(largest - smallest) * 1_000_000;
        u64::try_from(difference / u128::from(largest)).ok()
    }

    /// Whether three phasors turn the wrong way: the second leads the first by about a third of a turn, and the third
    /// follows. `angle` is the lead of a phase in millidegrees.
    pub(super) fn order_is_reversed(&self, angle: impl Fn(&PhaseObservation) -> i64) -> bool {
        let [first, second, third] = match self.phase.each_ref().get(..3) {
            Some([first, second, third]) => [first, second, third].map(|line| angle(line)),
            _ => return false,
        };
        let near = |lead: i64, place: i64| {
            let off = (lead - place).rem_euclid(360_000);
            off.min(360_000 - off) < 60_000
        };
        near(second - first, 120_000) && near(third - first, -120_000)
    }
}

impl<const PHASES: usize> Default for Observation<PHASES> {
    fn default() -> Self {
        Self {
            phase: [PhaseObservation::default(); PHASES],
            apparent_uva: 0,
            power_factor_ppm: 0,
            elapsed_ms: 0,
        }
    }
}
