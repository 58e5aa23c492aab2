//! Cable temperature: how hot, how fast, and whether the current explains it.
//!
//! Three questions about one sensor: the temperature itself, its rise above the surroundings beyond what the current
//! explains (a bad contact heats with the square of the current, too, but more than the cable), and how fast it rises.

use super::thermal::ThermalModel;
use super::watch::{Level, Threshold, Watch};

/// Limits of one cable or terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CableLimits {
    /// Temperature, thousandths of a degree Celsius; negative temperatures count as 0.
    pub temperature: Threshold,
    /// Rise above the surroundings beyond the expected one, thousandths of a kelvin.
    pub rise: Threshold,
    /// Rise in a minute, thousandths of a kelvin.
    pub rate: Threshold,
    /// Rise above the surroundings at the rated current for ever, thousandths of a kelvin; 0 expects none.
    pub rated_rise_mk: u32,
}

impl CableLimits {
    /// PVC-insulated cable: 60 °C and 70 °C, 15 K and 30 K too much, 5 and 10 K a minute, 30 K at the rated current;
    /// 10 s of delay.
    pub const PVC: Self = Self {
        temperature: threshold(60_000, 70_000, 3_000),
        rise: threshold(15_000, 30_000, 2_000),
        rate: threshold(5_000, 10_000, 1_000),
        rated_rise_mk: 30_000,
    };
}

const fn threshold(warning: u64, alarm: u64, hysteresis: u64) -> Threshold {
    Threshold {
        warning,
        alarm,
        hysteresis,
        delay_ms: 10_000,
    }
}

/// A reading that no cable can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SensorFault {
    /// Outside -50 to 250 °C: broken or shorted.
    OutOfRange {
        /// What was read, thousandths of a degree Celsius.
        found_mc: i32,
    },
}

impl core::fmt::Display for SensorFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self::OutOfRange { found_mc } = self;
        write!(
            f,
            "the sensor reads {found_mc} thousandths of a degree, which no cable has"
        )
    }
}

impl core::error::Error for SensorFault {}

/// Levels of one cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CableState {
    /// Of the temperature.
    pub temperature: Level,
    /// Of the rise that the current does not explain.
    pub rise: Level,
    /// Of the rate.
    pub rate: Level,
    /// The rate itself, thousandths of a kelvin a minute.
    pub rate_mk_min: i32,
    /// Rise above the surroundings less the expected one, thousandths of a kelvin.
    pub excess_mk: i32,
}

impl CableState {
    /// The worst of the three.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.temperature.max(self.rise).max(self.rate)
    }
}

/// Past readings kept for the rate.
const TREND: usize = 8;
/// Least time between two of them, milliseconds: together they reach over a minute.
const TREND_STEP_MS: u32 = 10_000;
/// The rate is taken over this time or, when readings are rarer, the least that is longer.
const MINUTE_MS: u32 = 60_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Past {
    cable_mc: i32,
    age_ms: u32,
}

/// Watches one cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CableMonitor {
    temperature: Watch,
    rise: Watch,
    rate: Watch,
    /// The newest first.
    trend: [Past; TREND],
    kept: usize,
}

impl CableMonitor {
    /// Nothing was seen.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            temperature: Watch::new(),
            rise: Watch::new(),
            rate: Watch::new(),
            trend: [Past {
                cable_mc: 0,
                age_ms: 0,
            }; TREND],
            kept: 0,
        }
    }

    /// Takes the next pair of temperatures, thousandths of a degree Celsius, and the heat of the line.
    ///
    /// # Errors
    /// [`SensorFault`]; nothing changes then, and the trend begins anew.
    pub fn update(
        &mut self,
        limits: &CableLimits,
        line: &ThermalModel,
        cable_mc: i32,
        ambient_mc: i32,
        elapsed_ms: u32,
    ) -> Result<CableState, SensorFault> {
        for found_mc in [cable_mc, ambient_mc] {
            if !(-50_000..=250_000).contains(&found_mc) {
                self.kept = 0;
                return Err(SensorFault::OutOfRange { found_mc });
            }
        }
        let rate_mk_min = self.rate(cable_mc, elapsed_ms);
        let expected = u128::from(limits.rated_rise_mk) * u128::from(line.heat_permille()) / 1000;
        let expected = i32::try_from(expected).unwrap_or(i32::MAX);
        let excess_mk = (cable_mc - ambient_mc).saturating_sub(expected);
        let above = |value: i32| u64::try_from(value).unwrap_or(0);
        let _ = self
            .temperature
            .update(&limits.temperature, above(cable_mc), elapsed_ms);
        let _ = self.rise.update(&limits.rise, above(excess_mk), elapsed_ms);
        let _ = self
            .rate
            .update(&limits.rate, above(rate_mk_min), elapsed_ms);
        Ok(CableState {
            temperature: self.temperature.level(),
            rise: self.rise.level(),
            rate: self.rate.level(),
            rate_mk_min,
            excess_mk,
        })
    }

    /// The rise over the last minute, thousandths of a kelvin; over what there is of it in the beginning.
    fn rate(&mut self, cable_mc: i32, elapsed_ms: u32) -> i32 {
        for past in &mut self.trend {
            past.age_ms = past.age_ms.saturating_add(elapsed_ms);
        }
        let mut known = self.trend.iter().take(self.kept);
        let reference = known
            .clone()
            .find(|past| past.age_ms >= MINUTE_MS)
            .or(known.next_back())
            .copied();
        if self.kept == 0
            || self
                .trend
                .first()
                .is_none_or(|newest| newest.age_ms >= TREND_STEP_MS)
        {
            self.trend.rotate_right(1);
            if let Some(newest) = self.trend.first_mut() {
                *newest = Past {
                    cable_mc,
                    age_ms: 0,
                };
            }
            self.kept = (self.kept + 1).min(TREND);
        }
        let Some(past) = reference else {
            return 0;
        };
        let change = i64::from(cable_mc) - i64::from(past.cable_mc);
        // A short span would make a rate out of one step of the sensor.
        let span_ms = i64::from(past.age_ms.max(MINUTE_MS));
        i32::try_from(change * i64::from(MINUTE_MS) / span_ms).unwrap_or(i32::MAX)
    }
}
