//! From counts of the chip to units: the formulas of the data sheet, exact up to one rounding.

use super::registers;

/// Gain of the current amplifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Gain {
    /// 2, for the largest signals.
    #[default]
    X2 = 0,
    /// 4.
    X4 = 1,
    /// 8.
    X8 = 2,
    /// 16, for shunts.
    X16 = 3,
}

impl Gain {
    const fn factor(self) -> u128 {
        2 << self as u32
    }

    pub(super) const fn bits(self) -> u32 {
        (self as u32) << registers::GAIN_SHIFT
    }
}

/// What stands between the line and the chip, for one voltage and one current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Design {
    /// Voltage divider, 1 + R1/R2, millionths.
    pub divider_micro: u64,
    /// Shunt, or burden over turns of the transformer, microvolts per ampere; of a Rogowski coil at the line frequency.
    pub sensor_uv_per_a: u32,
    /// Gain of the current amplifier.
    pub gain: Gain,
    /// The sensor is a Rogowski coil: the chip integrates.
    pub rogowski: bool,
    /// Reference voltage, microvolts; 1,180,000 in the present data sheet.
    pub reference_uv: u32,
}

impl Design {
    /// The vendor's evaluation board: 810 kΩ over 470 Ω, a transformer with 2.4 mV/A.
    pub const EVALUATION: Self = Self {
        divider_micro: 1_724_404_255,
        sensor_uv_per_a: 2_400,
        gain: Gain::X2,
        rogowski: false,
        reference_uv: 1_180_000,
    };

    /// What one count of each register is worth.
    ///
    /// Vref is scaled by the middle of the trimmers (7/8), by the voltage amplifier (2) and the gain, and spread over 15
    /// bits of voltage, 17 of current, 28 of power; the integrator has a gain of 0.8155773.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        let reference = self.reference_uv as u128;
        let divider = self.divider_micro as u128;
        let gain = self.gain.factor();
        let sensor = if self.sensor_uv_per_a == 0 {
            1
        } else {
            self.sensor_uv_per_a as u128
        };
        let integrator = if self.rogowski { 8_155_773 } else { 10_000_000 };
        // Vref · D · 8 / (7 · 2 · 2^15); µV · 10^-6 = pV.
        let voltage_pv = rounded(reference * divider * 8, 14 << 15);
        // Vref · 8 / (7 · gain · 2^17 · k · kint); µV / (µV/A) = A = 10^12 pA.
        let current_pa = rounded(
            reference * 8 * 1_000_000_000_000 * 10_000_000,
            (7 << 17) * gain * sensor * integrator,
        );
        // Vref² · D · 64 / (49 · 2 · gain · k · kint · 2^28).
        let power_pw = rounded(
            reference * reference * divider * 64 * 10_000_000,
            98 * gain * sensor * integrator * (1 << 28),
        );
        Scale {
            voltage_pv: voltage_pv as u64,
            current_pa: current_pa as u64,
            power_pw: power_pw as u64,
        }
    }
}

const fn rounded(numerator: u128, denominator: u128) -> u128 {
    (numerator + denominator / 2) / denominator
}

/// What one count is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Voltage rms, picovolts.
    pub voltage_pv: u64,
    /// Current rms, picoamperes.
    pub current_pa: u64,
    /// Power of any kind, picowatts.
    pub power_pw: u64,
}

impl Scale {
    pub(super) fn voltage_uv(&self, counts: u32) -> u64 {
        micro(counts.into(), self.voltage_pv).unsigned_abs()
    }

    pub(super) fn current_ua(&self, counts: u32) -> u64 {
        micro(counts.into(), self.current_pa).unsigned_abs()
    }

    pub(super) fn power_uw(&self, counts: i32) -> i64 {
        micro(counts.into(), self.power_pw)
    }

    /// Energy of so many counts, microwatthours (or var, or VA), rounded to nearest.
    ///
    /// One count is 2^11 samples of one count of power at 7,812.5 Hz.
    #[must_use]
    pub const fn energy_uwh(&self, counts: i64) -> i64 {
        let numerator = counts as i128 * self.power_pw as i128 * 2_048;
        let denominator = 28_125_000 * 1_000_000;
        let half = if numerator < 0 {
            -denominator / 2
        } else {
            denominator / 2
        };
        ((numerator + half) / denominator) as i64
    }
}

fn micro(counts: i64, pico: u64) -> i64 {
    let value = i128::from(counts) * i128::from(pico);
    let half = if value < 0 { -500_000 } else { 500_000 };
    ((value + half) / 1_000_000) as i64
}

/// Counts of an energy register over its wraps.
///
/// The register wraps within minutes at full load: at 1.2 mW a count, 2^31 counts are 190 Wh. Feed it at least twice in
/// that time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnergyTotal {
    last: Option<u32>,
    counts: i64,
}

impl EnergyTotal {
    /// Goes on from a total that was stored; what the chip counted in between is unknown and not taken.
    #[must_use]
    pub const fn resume(counts: i64) -> Self {
        Self { last: None, counts }
    }

    /// Takes the register and gives the total in counts.
    pub fn update(&mut self, register: u32) -> i64 {
        if let Some(last) = self.last {
            let step = register.wrapping_sub(last) as i32;
            self.counts = self.counts.saturating_add(step.into());
        }
        self.last = Some(register);
        self.counts
    }

    /// The chip restarted: the next register is a new beginning.
    pub fn restarted(&mut self) {
        self.last = None;
    }

    /// The total, counts.
    #[must_use]
    pub const fn counts(&self) -> i64 {
        self.counts
    }
}

/// A new trim register (CHV, CHC; 12 bits, gain (12288 + x) / 16384) from the value at which `measured` was read where
/// `expected` is true; `None` when it is out of the range of the trimmer.
#[must_use]
pub fn trimmed(old: u16, expected: u64, measured: u64) -> Option<u16> {
    let gain = super::super::scaled(u64::from(old) + 12_288, expected, measured, 16_383)?;
    u16::try_from(gain.checked_sub(12_288)?).ok()
}

/// A phase register in periods of the 4 MHz clock that delays a channel by `lead_udeg` millionths of a degree at this
/// frequency; `None` when it is longer than ten bits.
#[must_use]
pub fn delay(lead_udeg: u32, frequency_mhz: u32) -> Option<u16> {
    let clocks = super::super::scaled(
        u64::from(lead_udeg),
        4_000_000_000,
        360_000_000_u64.checked_mul(frequency_mhz.into())?,
        1023,
    )?;
    u16::try_from(clocks).ok()
}
