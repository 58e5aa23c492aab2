//! The constants as they are given, not yet checked.

use super::Gain;
use crate::compensation::{Curve, Drift};
use crate::sample::FULL_SCALE;

/// Which whole cycles one window of quantities covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// About 200 ms: 10 cycles of a 50 Hz and 12 cycles of a 60 Hz grid (IEC 61000-4-30).
    Standard,
    /// This many cycles, 1 to 600.
    Cycles(u16),
    /// All whole cycles so far: `quantities` covers them after every cycle, until 65,536 samples are in.
    Longest,
}

/// Which channel gives the zero crossings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sync {
    /// The first voltage with a signal, searched anew when it is lost.
    Auto,
    /// This phase's voltage, from 0.
    Voltage(u8),
    /// This phase's current, from 0 (no voltages connected).
    Current(u8),
    /// None: cycles of this frequency in microhertz (40 to 75 Hz) from the first sample on. For benches
    /// whose source is known, and for records that are short of cycles.
    Fixed(u32),
}

/// How the energies of the phases join in the total (spec: the choice changes bills when one phase exports).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Phases are summed first, the sum decides the direction (saldo).
    Net,
    /// Each phase decides its own direction; the total is the sum of the phase registers.
    PerPhase,
    /// Like `PerPhase`, but what a phase exports counts nowhere in the total.
    ImportOnly,
}

/// What happens to the product of the mean values of voltage and current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DcPower {
    /// Removed from power and energy, once per window: converter offsets cannot make energy.
    Removed,
    /// Kept: energy is the bare sum of products of every sample.
    Kept,
}

/// Constants of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseParameters {
    /// Voltage gain, 2^-4 to just below 4.
    pub voltage_gain: Gain,
    /// Current gain, the same.
    pub current_gain: Gain,
    /// Counts subtracted from each voltage sample, at most 2^20.
    pub voltage_offset: i32,
    /// Counts subtracted from each current sample, at most 2^20.
    pub current_offset: i32,
    /// Time by which the current arrives late against the voltage, nanoseconds.
    pub delay_ns: i32,
    /// Angle by which the current is measured early (lead of a current transformer), 2^-32 turn;
    /// 0.001 degree is 11,930.
    pub angle: i32,
    /// Mean square of the current channel's own noise, counts² with 8 fractional bits; taken off before the root.
    pub current_noise: u32,
    /// Power added to the measured one, microwatts.
    pub power_offset_uw: i32,
    /// How the voltage gain follows temperature.
    pub voltage_drift: Drift,
    /// How the current gain follows temperature.
    pub current_drift: Drift,
    /// Ratio and angle of the current transformer over current.
    pub curve: Curve,
}

impl PhaseParameters {
    /// Unit gains, no delay, no offsets.
    pub const IDEAL: Self = Self {
        voltage_gain: Gain::ONE,
        current_gain: Gain::ONE,
        voltage_offset: 0,
        current_offset: 0,
        delay_ns: 0,
        angle: 0,
        current_noise: 0,
        power_offset_uw: 0,
        voltage_drift: Drift::NONE,
        current_drift: Drift::NONE,
        curve: Curve::NONE,
    };
}

/// Constants of the neutral current channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeutralParameters {
    /// Gain against the scale of the phase currents.
    pub gain: Gain,
    /// Counts subtracted from each sample, at most 2^20.
    pub offset: i32,
}

/// Which calibration a set of constants comes from; for the record of the seal, the chain does not use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Counted up with every calibration of this meter.
    pub revision: u32,
    /// Day as decimal digits YYYYMMDD; 0 when unknown.
    pub date: u32,
}

impl Stamp {
    /// Never calibrated.
    pub const NONE: Self = Self {
        revision: 0,
        date: 0,
    };

    /// The day is unknown or has a month and a day of the month.
    pub(super) fn plausible(self) -> bool {
        let (year, month, day) = (self.date / 10_000, self.date / 100 % 100, self.date % 100);
        self.date == 0
            || ((2000..=2199).contains(&year)
                && (1..=12).contains(&month)
                && (1..=31).contains(&day))
    }
}

/// All constants of a meter, not yet checked. Fill in what differs from [`Parameters::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters<const PHASES: usize> {
    /// Sample rate, thousandths of a sample per second: 600,000 to 64,000,000.
    pub sample_rate_mhz: u32,
    /// Nominal frequency, millihertz: 40,000 to 75,000.
    pub nominal_mhz: u32,
    /// Volts of one voltage count, in nanovolts, at unit gain.
    pub voltage_nv: u32,
    /// Amperes of one current count, in nanoamperes, at unit gain.
    pub current_na: u32,
    /// Magnitude from which a sample counts as saturated, counts.
    pub saturation: i32,
    /// Smallest peak of the fundamental that gives zero crossings, counts of the synchronising channel.
    pub sync_level: u32,
    /// Channel of the zero crossings.
    pub sync: Sync,
    /// Length of a window.
    pub window: Window,
    /// Phase energies into total energy.
    pub policy: Policy,
    /// Product of the mean values.
    pub dc_power: DcPower,
    /// One step of the energy registers, in milliwatt-hours (100 is 0.1 Wh).
    pub energy_step_mwh: u32,
    /// Meter constant of the pulse output, pulses per kilowatt-hour.
    pub pulses_per_kwh: u32,
    /// Meter constant of the reactive pulse output, pulses per kilovar-hour.
    pub pulses_per_kvarh: u32,
    /// A phase begins to count energy when the average magnitude of its power (active or reactive) reaches
    /// this, microwatts, and ends when it falls below three quarters of it; 0 counts always.
    pub start_uw: u32,
    /// Time constant of that average, milliseconds: 1 to 60,000.
    pub start_average_ms: u16,
    /// Temperature at which the gains hold as they are, millidegrees Celsius: −100,000 to 200,000.
    pub reference_mdeg: i32,
    /// Which calibration this is.
    pub stamp: Stamp,
    /// Constants of each phase.
    pub phase: [PhaseParameters; PHASES],
    /// Constants of the neutral channel, when there is one.
    pub neutral: Option<NeutralParameters>,
}

impl<const PHASES: usize> Parameters<PHASES> {
    /// Defaults: unit gains, 0.1 Wh steps, 6400 imp/kWh and imp/kvarh, standard window, net policy, no start
    /// threshold (its average takes 2 s), 23 °C, one count is 60 µV and 24 µA (500 V and 200 A full scale).
    #[must_use]
    pub const fn new(sample_rate_mhz: u32, nominal_mhz: u32) -> Self {
        Self {
            sample_rate_mhz,
            nominal_mhz,
            voltage_nv: 60_000,
            current_na: 24_000,
            saturation: FULL_SCALE,
            sync_level: 1 << 13,
            sync: Sync::Auto,
            window: Window::Standard,
            policy: Policy::Net,
            dc_power: DcPower::Removed,
            energy_step_mwh: 100,
            pulses_per_kwh: 6400,
            pulses_per_kvarh: 6400,
            start_uw: 0,
            start_average_ms: 2000,
            reference_mdeg: 23_000,
            stamp: Stamp::NONE,
            phase: [PhaseParameters::IDEAL; PHASES],
            neutral: None,
        }
    }
}
