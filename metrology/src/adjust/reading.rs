//! What the meter reads at a load point, and what the reference says.

use crate::angle::angle_of;
use crate::division::rounded_div;
use crate::quantities::PhaseQuantities;
use crate::rms::square_root;

/// Mean values of one phase at one load point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts.
    pub active_uw: i64,
    /// Active power of the fundamental, microwatts.
    pub fundamental_uw: i64,
    /// Reactive power of the fundamental, microvars.
    pub reactive_uvar: i64,
    /// Mean voltage, microvolts.
    pub voltage_mean_uv: i64,
    /// Mean current, microamperes.
    pub current_mean_ua: i64,
}

/// Mean of windows; 100 cycles (10 windows) and more make a good reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Average {
    voltage: i128,
    current: i128,
    active: i128,
    fundamental: i128,
    reactive: i128,
    voltage_mean: i128,
    current_mean: i128,
    windows: u32,
}

impl Average {
    /// Adds a window.
    pub fn add(&mut self, window: &PhaseQuantities) {
        self.voltage += i128::from(window.voltage_uv);
        self.current += i128::from(window.current_ua);
        self.active += i128::from(window.active_uw);
        self.fundamental += i128::from(window.fundamental_active_uw);
        self.reactive += i128::from(window.reactive_uvar);
        self.voltage_mean += i128::from(window.voltage_mean_uv);
        self.current_mean += i128::from(window.current_mean_ua);
        self.windows = self.windows.saturating_add(1);
    }

    /// Windows so far.
    #[must_use]
    pub const fn windows(&self) -> u32 {
        self.windows
    }

    /// The mean; zeros without a window.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let mean = |sum: i128| rounded_div(sum, self.windows.into()) as i64;
        Reading {
            voltage_uv: mean(self.voltage).unsigned_abs(),
            current_ua: mean(self.current).unsigned_abs(),
            active_uw: mean(self.active),
            fundamental_uw: mean(self.fundamental),
            reactive_uvar: mean(self.reactive),
            voltage_mean_uv: mean(self.voltage_mean),
            current_mean_ua: mean(self.current_mean),
        }
    }
}

/// A load point as the reference meter or the source states it, a pure sine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts; positive is import.
    pub active_uw: i64,
    /// The current lags the voltage (inductive).
    pub lagging: bool,
}

impl Load {
    /// Apparent power, picowatts.
    pub(super) fn apparent_pw(&self) -> u128 {
        u128::from(self.voltage_uv) * u128::from(self.current_ua)
    }

    /// Angle by which the current lags, 2^-32 turn; nothing when power and currents contradict one another
    /// by more than 100 ppm.
    pub(super) fn angle(&self) -> Option<i64> {
        angle_from_power(self.active_uw, self.apparent_pw(), self.lagging)
    }
}

/// acos(P / S) as a lag in 2^-32 turn. Up to 100 ppm beyond one count as one.
pub(super) fn angle_from_power(active_uw: i64, apparent_pw: u128, lagging: bool) -> Option<i64> {
    let apparent = i128::try_from(apparent_pw).ok().filter(|&s| s > 0)?;
    let active = i128::from(active_uw).checked_mul(1_000_000)?;
    if active.abs() > apparent.saturating_add(apparent / 10_000) {
        return None;
    }
    // The triangle of powers, scaled so that its squares fit.
    let shift = (128 - apparent.leading_zeros()).saturating_sub(62);
    let (active, apparent) = (active >> shift, apparent >> shift);
    let rest = (apparent * apparent - active * active).max(0);
    let reactive = i128::from(square_root(rest.unsigned_abs()));
    Some(angle_of(if lagging { reactive } else { -reactive }, active))
}

/// a / b less one in millionths, rounded; as far as possible off where b is zero.
pub(super) fn off_ppm(a: u128, b: u128) -> i64 {
    let (a, b) = (
        i128::try_from(a).unwrap_or(i128::MAX),
        i128::try_from(b).unwrap_or(i128::MAX),
    );
    if b == 0 {
        return i64::MAX;
    }
    let difference = a.saturating_sub(b).saturating_mul(1_000_000);
    i64::try_from(rounded_div(difference, b)).unwrap_or(i64::MAX)
}
