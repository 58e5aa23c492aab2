//! Overload by a thermal model of first order: how hot a line is, from the squares of its current.
//!
//! `heat` is the heating above the surroundings over that of the rated current for ever: it moves towards (I / Ir)² with
//! the time constant, whatever the length of the steps (IEC 60255-149). With a trip at k² the line trips after
//! t = τ · ln((I² - Ip²) / (I² - k² Ir²)), where Ip is the load before.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use super::watch::{Level, Threshold, Watch};
use crate::bytes::{Reader, Writer, checked_body};
use crate::energy::StateError;

/// 1 in the fixed point of the model.
const ONE: u64 = 1 << 32;
/// Largest heat: (I / Ir)² = 65,536, far beyond every short circuit that lasts a step.
const HOTTEST: u64 = ONE << 16;
/// Version of the stored form.
const VERSION: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Constants of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThermalLimits {
    /// Current that the line carries for ever, rms, microamperes.
    pub rated_ua: u64,
    /// Time constant of heating and cooling, milliseconds.
    pub time_constant_ms: u32,
    /// Heat of the warning, thousandths.
    pub warning_permille: u32,
    /// Heat of the trip, thousandths; 1,103 is k = 1.05.
    pub trip_permille: u32,
    /// A level is left when the heat is this much below its threshold, thousandths.
    pub hysteresis_permille: u32,
}

impl ThermalLimits {
    /// A small cable: time constant 10 minutes, trip at 1.05 times the rated current, warning at 90 % of that heat.
    pub const CABLE: Self = Self {
        rated_ua: 60_000_000,
        time_constant_ms: 600_000,
        warning_permille: 990,
        trip_permille: 1_103,
        hysteresis_permille: 200,
    };

    fn threshold(&self) -> Threshold {
        let heat = |permille: u32| (u64::from(permille) << 32) / 1000;
        Threshold {
            warning: heat(self.warning_permille),
            alarm: heat(self.trip_permille),
            hysteresis: heat(self.hysteresis_permille),
            delay_ms: 0,
        }
    }
}

/// State of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThermalModel {
    /// Q32.
    heat: u64,
    watch: Watch,
}

impl ThermalModel {
    /// Bytes of [`ThermalModel::save`].
    pub const STATE_LEN: usize = 13;

    /// A cold line.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            heat: 0,
            watch: Watch::new(),
        }
    }

    /// Heating over that of the rated current for ever, thousandths.
    #[must_use]
    pub const fn heat_permille(&self) -> u64 {
        ((self.heat >> 16) * 1000) >> 16
    }

    /// The level now.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.watch.level()
    }

    /// Takes the current of the last step; the new level when it changed.
    pub fn update(
        &mut self,
        limits: &ThermalLimits,
        current_ua: u64,
        elapsed_ms: u32,
    ) -> Option<Level> {
        let square = u128::from(current_ua) * u128::from(current_ua);
        let rated = u128::from(limits.rated_ua) * u128::from(limits.rated_ua);
        // A current whose square does not leave room for the fraction is beyond the hottest anyway.
        let target = (square.min(u128::MAX >> 32) << 32) / rated.max(1);
        let target = u64::try_from(target).unwrap_or(HOTTEST).min(HOTTEST);
        let rest = decay(elapsed_ms, limits.time_constant_ms);
        let distance = i128::from(self.heat) - i128::from(target);
        let moved = (distance * i128::from(rest)) >> 32;
        self.heat = u64::try_from(i128::from(target) + moved)
            .unwrap_or(0)
            .min(HOTTEST);
        self.watch
            .update(&limits.threshold(), self.heat, elapsed_ms)
    }

    /// Milliseconds until the trip if this current stays; none when it never comes to it.
    #[must_use]
    pub fn time_to_trip_ms(&self, limits: &ThermalLimits, current_ua: u64) -> Option<u32> {
        let trips = |after_ms: u32| {
            let mut later = *self;
            let _ = later.update(limits, current_ua, after_ms);
            later.heat >= limits.threshold().alarm
        };
        let mut longest = limits.time_constant_ms.saturating_mul(20);
        if !trips(longest) {
            return None;
        }
        // The heat is monotonic in time: halving finds the moment.
        let mut shortest = 0;
        while shortest < longest {
            let middle = shortest + (longest - shortest) / 2;
            if trips(middle) {
                longest = middle;
            } else {
                shortest = middle + 1;
            }
        }
        Some(longest)
    }

    /// Writes the state: version, heat, CRC-32C, little-endian. Returns [`Self::STATE_LEN`].
    ///
    /// # Errors
    /// [`StateError::Length`] when `out` is too short.
    pub fn save(&self, out: &mut [u8]) -> Result<usize, StateError> {
        let found = out.len();
        let mut writer = Writer::new(out);
        writer.put(&[VERSION]);
        writer.put(&self.heat.to_le_bytes());
        writer.finish(&CRC).ok_or(StateError::Length {
            expected: Self::STATE_LEN,
            found,
        })
    }

    /// A line from [`ThermalModel::save`] that carried nothing for `without_ms`; 0 when nobody knows, which is the safe side.
    /// Its level is told with the next update.
    ///
    /// # Errors
    /// [`StateError::Length`], [`StateError::Crc`], [`StateError::Version`].
    pub fn restore(
        limits: &ThermalLimits,
        bytes: &[u8],
        without_ms: u32,
    ) -> Result<Self, StateError> {
        if bytes.len() != Self::STATE_LEN {
            return Err(StateError::Length {
                expected: Self::STATE_LEN,
                found: bytes.len(),
            });
        }
        let body = checked_body(bytes, &CRC)
            .map_err(|(expected, found)| StateError::Crc { expected, found })?;
        let mut reader = Reader::new(body);
        match (reader.byte(), reader.bytes::<8>()) {
            (Some(VERSION), Some(heat)) => {
                let heat = u64::from_le_bytes(heat).min(HOTTEST);
                let rest = decay(without_ms, limits.time_constant_ms);
                Ok(Self {
                    heat: ((u128::from(heat) * u128::from(rest)) >> 32) as u64,
                    watch: Watch::new(),
                })
            }
            (found, _) => Err(StateError::Version {
                found: found.unwrap_or(0),
            }),
        }
    }
}

/// exp(-t / τ), Q32, error below 2^-28.
fn decay(elapsed_ms: u32, time_constant_ms: u32) -> u64 {
    let x = (u64::from(elapsed_ms) << 32) / u64::from(time_constant_ms.max(1));
    // exp(-23) is less than the last bit.
    if x >= 23 << 32 {
        return 0;
    }
    // exp(-x) = exp(-x / 32)^32; the series of x / 32 < 0.72 is below 2^-36 behind its twelfth term.
    let one = 1_u128 << 59;
    // x / 32, from Q32 to Q59.
    let part = u128::from(x) << 22;
    let mut term = one;
    let mut sum = one;
    for n in 1..=12 {
        term = ((term * part) >> 59) / n;
        // A window is short beside the time constant: few terms count.
        if term == 0 {
            break;
        }
        sum = if n % 2 == 1 { sum - term } else { sum + term };
    }
    let mut power = sum;
    for _ in 0..5 {
        power = (power * power) >> 59;
    }
    u64::try_from(power >> 27).unwrap_or(ONE).min(ONE)
}
