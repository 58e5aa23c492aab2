//! Series-arc indicator: does the current repeat itself from cycle to cycle?
//!
//! A load draws the same current in every cycle, drifts, or steps. A series arc goes out at each zero of the current
//! and comes back at another voltage with another drop, so every cycle is different. The detector folds each cycle of
//! current onto 32 places between two zero crossings of the voltage and takes from three cycles in a row:
//!
//! * by how much the middle one lies outside of both its neighbours. What drifts or steps lies between them, however
//!   fast and wherever in the cycle: a dimmer that is turned, a motor that starts;
//! * less a part of the bend at the place: at a steep edge of the current the folding is only as exact as samples are
//!   dense. A sample that is s places long misplaces an edge inside it by up to s²/8 of its height, and the bend beside
//!   an edge is at least a third of its height: 3/8 s² of the bend is let pass;
//! * or by how much the outer ones differ, if that is less: what is switched on and off for whole cycles, in any
//!   pattern, returns to one of two.
//!
//! What is left, over the size of the current, makes the cycle irregular above a limit. Enough irregular cycles among
//! the last ones are an arc, unless the size of the current swells so evenly that its cycles tell each other
//! ([`CycleReport::unsteady_e4`]): a compressor, an inverter.
//!
//! It is an indicator beside the metering, with the converter's few kilohertz; it does not replace an arc-fault
//! detection device (IEC 62606), which listens to the noise of the arc. Its rates are measured in `docs/safety.md`.

mod sizes;

use sizes::Sizes;

use crate::safety::watch::Level;

/// Places of a cycle.
const PLACES: usize = 32;
/// Part of the bend at a place that is let pass, times the square of the samples of a cycle: 3/8 of 32².
const BEND: u64 = 384;
/// Samples that a cycle must have: two for each place, and not so many that the voltage must have gone.
const CYCLE_SAMPLES: core::ops::RangeInclusive<u32> = 64..=2_048;

/// Limits of the indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArcLimits {
    /// Least size of a current that is judged: mean magnitude, counts.
    pub floor_counts: u32,
    /// What may be left of a regular cycle, ten-thousandths of the mean magnitude of the current.
    pub irregular_e4: u32,
    /// What the size of a cycle may have that the cycles around it do not tell, ten-thousandths of it.
    pub unsteady_e4: u32,
    /// Irregular cycles among the last 32 for a warning.
    pub warning_cycles: u32,
    /// Irregular cycles among the last 32 for an alarm.
    pub alarm_cycles: u32,
}

impl ArcLimits {
    /// Limits of the measured rates: 0.4 % for both; 8 irregular cycles of 32 warn and 12 alarm. `floor_counts` should
    /// be about 1.8 A, the mean magnitude of 2 A rms: IEC 62606 begins at 2.5 A, and smaller currents of electronics
    /// are irregular by themselves.
    #[must_use]
    pub const fn new(floor_counts: u32) -> Self {
        Self {
            floor_counts,
            irregular_e4: 40,
            unsteady_e4: 40,
            warning_cycles: 8,
            alarm_cycles: 12,
        }
    }
}

/// What one cycle gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CycleReport {
    /// What did not repeat, ten-thousandths of the mean magnitude of the current; 0 below the floor.
    pub irregular_e4: u32,
    /// Irregular cycles among the last 32.
    pub cycles: u32,
    /// What the last 32 cycles do not tell of each other's size, ten-thousandths of it; worked out from
    /// [`ArcLimits::warning_cycles`] on, else 0.
    pub unsteady_e4: u32,
    /// The level with this cycle.
    pub level: Level,
}

/// Current of one cycle, mean of each place.
type Folded = [i32; PLACES];

/// The indicator of one phase.
#[derive(Clone, Copy, Debug)]
pub struct ArcDetector {
    /// The last voltage sample.
    before: i32,
    /// The voltage has been well below zero since the last crossing.
    armed: bool,
    /// Largest magnitude of the voltage in this cycle and in the one before.
    peak: i32,
    last_peak: i32,
    /// Samples of this cycle, and by how much its crossing lies before the first of them, Q16.
    samples: u32,
    behind: u64,
    /// Place of the next sample in the cycle, Q32, and the step from one to the next.
    phase: u64,
    step: u64,
    /// Sums and weights of the places, Q8.
    sums: [i64; PLACES],
    weights: [u32; PLACES],
    /// The two cycles before, the last one first, and how many of them are known.
    past: [Folded; 2],
    known: u8,
    sizes: Sizes,
    /// Irregular cycles; bit 0 is the last one.
    irregular: u32,
}

impl ArcDetector {
    /// Nothing was seen.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            before: 0,
            armed: false,
            peak: 0,
            last_peak: 0,
            samples: 0,
            behind: 0,
            phase: 0,
            step: 0,
            sums: [0; PLACES],
            weights: [0; PLACES],
            past: [[0; PLACES]; 2],
            known: 0,
            sizes: Sizes::NONE,
            irregular: 0,
        }
    }

    /// Takes one sample of voltage and current, counts of at most 24 bits with sign; a report when a cycle ended.
    ///
    /// The rate must give 64 to 2,048 samples a cycle: 3.2 kHz and more at 50 Hz.
    pub fn push(&mut self, limits: &ArcLimits, u: i32, i: i32) -> Option<CycleReport> {
        let u = u.clamp(-(1 << 24), 1 << 24);
        let i = i.clamp(-(1 << 24), 1 << 24);
        let crossed = self.armed && self.before < 0 && u >= 0;
        let report = if crossed { self.close(limits, u) } else { None };
        self.peak = self.peak.max(u.saturating_abs());
        self.armed |= u < -(self.last_peak / 4);
        self.before = u;
        self.add(i);
        if self.samples > *CYCLE_SAMPLES.end() {
            // No voltage: what comes after it is not compared with what was before.
            *self = Self {
                before: u,
                last_peak: self.peak,
                irregular: self.irregular,
                ..Self::new()
            };
        }
        report
    }

    /// Adds a sample to the two places it lies between, by its distance.
    fn add(&mut self, i: i32) {
        // A cycle that is longer than the last one ends in the first place again.
        let place = (self.phase >> 27) as usize % PLACES;
        let second = ((self.phase >> 19) & 0xFF) as u32;
        for (place, weight) in [(place, 256 - second), ((place + 1) % PLACES, second)] {
            if let (Some(sum), Some(total)) =
                (self.sums.get_mut(place), self.weights.get_mut(place))
            {
                *sum += i64::from(i) * i64::from(weight);
                *total += weight;
            }
        }
        self.phase = self.phase.saturating_add(self.step);
        self.samples += 1;
    }

    /// Ends the cycle before `u`, the first sample at or above zero, and begins the next one.
    fn close(&mut self, limits: &ArcLimits, u: i32) -> Option<CycleReport> {
        let rise = i64::from(u) - i64::from(self.before);
        let behind = ((i64::from(u) << 16) / rise.max(1)).unsigned_abs();
        let length = ((u64::from(self.samples) << 16) + self.behind).saturating_sub(behind);
        let whole = CYCLE_SAMPLES.contains(&self.samples);
        let report = (whole && self.step > 0).then(|| self.judge(limits));
        // The length of this cycle folds the next one.
        self.step = if whole {
            (1_u64 << 48).checked_div(length).unwrap_or(0)
        } else {
            0
        };
        self.phase = (self.step * behind) >> 16;
        self.behind = behind;
        self.samples = 0;
        self.sums = [0; PLACES];
        self.weights = [0; PLACES];
        self.armed = false;
        self.last_peak = self.peak;
        self.peak = 0;
        report
    }

    fn judge(&mut self, limits: &ArcLimits) -> CycleReport {
        let mut now: Folded = [0; PLACES];
        for ((place, sum), weight) in now.iter_mut().zip(self.sums).zip(self.weights) {
            *place = (sum / i64::from(weight.max(1))) as i32;
        }
        let [last, first] = self.past;
        let samples = u64::from(self.samples.max(1));
        let slack = (BEND << 16) / (samples * samples);
        let (mut outside, mut changed, mut size, mut own) = (0_u64, 0_u64, 0_u64, 0_u64);
        for (place, ((now, last_one), first)) in now.into_iter().zip(last).zip(first).enumerate() {
            let beside = |by: usize| last.get((place + by) % PLACES).copied().unwrap_or(0);
            let (before, after) = (beside(PLACES - 1), beside(1));
            let bend =
                (2 * i64::from(last_one) - i64::from(before) - i64::from(after)).unsigned_abs();
            let beyond = if (last_one > now) == (last_one > first) {
                last_one.abs_diff(now).min(last_one.abs_diff(first))
            } else {
                0
            };
            outside += u64::from(beyond).saturating_sub((bend * slack) >> 16);
            changed += u64::from(now.abs_diff(first));
            own += u64::from(now.unsigned_abs());
            size += u64::from(last_one.unsigned_abs()) + u64::from(first.unsigned_abs());
        }
        size += own;
        let left = outside.min(changed);
        self.sizes.push((own / PLACES as u64) as u32);
        // Three cycles of 32 places each.
        let mean = size / (3 * PLACES as u64);
        let judged = self.known >= 2 && mean >= u64::from(limits.floor_counts.max(1));
        let irregular_e4 = if judged {
            (left * 30_000).checked_div(size).unwrap_or(0)
        } else {
            0
        };
        let irregular_e4 = u32::try_from(irregular_e4).unwrap_or(u32::MAX);
        self.past = [now, last];
        self.known = (self.known + 1).min(2);
        self.irregular =
            self.irregular << 1 | u32::from(judged && irregular_e4 >= limits.irregular_e4);
        let cycles = self.irregular.count_ones();
        let unsteady_e4 = if cycles >= limits.warning_cycles {
            self.sizes.unexplained_e4()
        } else {
            0
        };
        CycleReport {
            irregular_e4,
            cycles,
            unsteady_e4,
            level: if unsteady_e4 < limits.unsteady_e4 {
                Level::Normal
            } else if cycles >= limits.alarm_cycles {
                Level::Alarm
            } else if cycles >= limits.warning_cycles {
                Level::Warning
            } else {
                Level::Normal
            },
        }
    }
}

impl Default for ArcDetector {
    fn default() -> Self {
        Self::new()
    }
}
