//! Start and no-load: what a phase gives counts only while its averaged power is more than noise.

use crate::calibration::Parameters;

/// Decides for each phase whether it counts (IEC 62053-21 clause 8: start and no-load).
///
/// ```text
///            average ≥ start
///  ┌──────┐ ───────────────────> ┌────────┐
///  │ idle │                      │ counts │   average of max(|P|, |Q1|) of the windows, first order
///  └──────┘ <─────────────────── └────────┘
///            average < 3/4 start
/// ```
/// The rms current is no criterion: noise makes it positive. While a load starts, at most `start` times the
/// time constant is not counted, half a milliwatt-hour for 1 W and 2 s. The first window sets the average, so
/// that a meter switched on under load counts at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate<const PHASES: usize> {
    /// Averages, microwatts.
    level: [u64; PHASES],
    counts: [bool; PHASES],
    /// The averages hold something.
    begun: bool,
}

/// What the gate needs from the calibration.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub threshold_uw: u32,
    /// Part of a window in the average, Q16.
    pub weight: u32,
}

impl Start {
    /// For a window of `length_q16` samples.
    pub fn new<const PHASES: usize>(p: &Parameters<PHASES>, length_q16: u64) -> Self {
        // length / (rate · time): mHz times ms are 10^6 samples.
        let scaled = u128::from(length_q16) * 1_000_000;
        let whole = u128::from(p.sample_rate_mhz) * u128::from(p.start_average_ms);
        let weight = scaled.checked_div(whole).unwrap_or(1 << 16);
        Self {
            threshold_uw: p.start_uw,
            weight: u32::try_from(weight).unwrap_or(1 << 16).min(1 << 16),
        }
    }
}

impl<const PHASES: usize> Gate<PHASES> {
    /// All phases idle, and no average yet.
    pub const fn new() -> Self {
        Self {
            level: [0; PHASES],
            counts: [false; PHASES],
            begun: false,
        }
    }

    /// Takes a window's power magnitudes (the larger of active and reactive) and tells which phases count.
    pub fn judge(&mut self, start: Start, power_uw: [u64; PHASES]) -> [bool; PHASES] {
        let threshold = u64::from(start.threshold_uw);
        let weight = if self.begun { start.weight } else { 1 << 16 };
        self.begun = true;
        for ((level, counts), power) in self.level.iter_mut().zip(&mut self.counts).zip(power_uw) {
            let rest = u128::from((1 << 16) - weight);
            let sum = u128::from(*level) * rest + u128::from(power) * u128::from(weight);
            *level = (sum >> 16) as u64;
            *counts = *level
                >= if *counts {
                    threshold - threshold / 4
                } else {
                    threshold
                };
        }
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 8000 << 16;

    fn start(start_uw: u32, start_average_ms: u16, length_q16: u64) -> Start {
        let parameters = Parameters::<1> {
            start_uw,
            start_average_ms,
            ..Parameters::new(8_000_000, 50_000)
        };
        Start::new(&parameters, length_q16)
    }

    fn run(gate: &mut Gate<1>, power: u64, windows: u32) -> bool {
        // 0.5 W, 2 s; windows of 0.2 s.
        let start = start(500_000, 2000, SECOND / 5);
        let mut counts = false;
        for _ in 0..windows {
            [counts] = gate.judge(start, [power]);
        }
        counts
    }

    #[test]
    fn starts_late_and_stops_lower() {
        let mut gate = Gate::new();
        assert!(!run(&mut gate, 0, 5));
        assert!(!run(&mut gate, 1_150_000, 3), "0.6 s are too short");
        assert!(run(&mut gate, 1_150_000, 4), "1.4 s are enough");
        assert!(run(&mut gate, 400_000, 1000), "inside the hysteresis");
        assert!(!run(&mut gate, 370_000, 100), "below three quarters");
        assert!(!run(&mut gate, 499_000, 1000), "inside the hysteresis");
        assert!(run(&mut gate, 501_000, 1000));
    }

    #[test]
    fn first_window_decides_at_once_and_no_threshold_counts_always() {
        assert!(run(&mut Gate::new(), 600_000, 1));
        assert!(!run(&mut Gate::new(), 400_000, 1));
        let always = start(0, 60_000, 1);
        assert_eq!(Gate::new().judge(always, [0, u64::MAX]), [true, true]);
        assert_eq!(start(1, 1, u64::MAX).weight, 1 << 16);
    }
}
