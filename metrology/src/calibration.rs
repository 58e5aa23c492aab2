//! The constants of one meter: checked once, shared read-only by every block.
//!
//! Sign of the phase terms: the measured current lies `delay_ns · f` of a turn behind the true one and
//! `angle` ahead of it (the lead of a current transformer). The meter turns it back by their difference.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use crate::angle::rounded_div;
use crate::bytes::{Reader, Writer, checked_body};
use crate::sample::FULL_SCALE;

/// Gain of exactly one in the Q2.30 format of all gains.
pub(crate) const UNITY: u32 = 1 << 30;
/// Samples of history that whole-sample delays may reach back.
pub(crate) const HISTORY: usize = 12;
/// Version byte of the stored form.
const VERSION: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

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
    /// Voltage gain, Q2.30: 2^30 is 1.0. Range 2^26 to 2^32 - 1.
    pub voltage_gain: u32,
    /// Current gain, Q2.30.
    pub current_gain: u32,
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
}

impl PhaseParameters {
    /// Unit gains, no delay, no offsets.
    pub const IDEAL: Self = Self {
        voltage_gain: UNITY,
        current_gain: UNITY,
        voltage_offset: 0,
        current_offset: 0,
        delay_ns: 0,
        angle: 0,
        current_noise: 0,
        power_offset_uw: 0,
    };
}

/// Constants of the neutral current channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeutralParameters {
    /// Gain, Q2.30, against the scale of the phase currents.
    pub gain: u32,
    /// Counts subtracted from each sample, at most 2^20.
    pub offset: i32,
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
    /// A phase counts energy while the magnitude of its window power (active or reactive) reaches this,
    /// microwatts; 0 counts always.
    pub start_uw: u32,
    /// Constants of each phase.
    pub phase: [PhaseParameters; PHASES],
    /// Constants of the neutral channel, when there is one.
    pub neutral: Option<NeutralParameters>,
}

impl<const PHASES: usize> Parameters<PHASES> {
    /// Defaults: unit gains, 0.1 Wh steps, 6400 imp/kWh, standard window, net policy, no start threshold,
    /// one count is 60 µV and 24 µA (500 V and 200 A full scale).
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
            start_uw: 0,
            phase: [PhaseParameters::IDEAL; PHASES],
            neutral: None,
        }
    }
}

/// The rule a parameter broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It lies outside `min..=max`.
    Range {
        /// Smallest good value.
        min: i64,
        /// Largest good value.
        max: i64,
    },
    /// Together with the scale, the register step does not fit the exact accumulator.
    Unrepresentable,
    /// Delay and angle together exceed the sample history.
    TooLate,
    /// The meter has 1 or 3 phases.
    PhaseCount,
}

/// Why a set of constants is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A parameter breaks a rule.
    Parameter {
        /// Field name in [`Parameters`] or [`PhaseParameters`].
        name: &'static str,
        /// Phase from 0, where the parameter belongs to one.
        phase: Option<u8>,
        /// The rule.
        rule: Rule,
    },
    /// The stored form has another length than expected.
    Length {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The stored form has a version this code does not know.
    Version {
        /// The version byte.
        found: u8,
    },
    /// The check sum does not fit.
    Crc {
        /// Computed over the bytes.
        expected: u32,
        /// Found at their end.
        found: u32,
    },
    /// A code at this position means nothing.
    Code {
        /// Byte position.
        position: usize,
        /// The code.
        found: u8,
    },
}

impl core::fmt::Display for Rule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Range { min, max } => write!(f, "must lie in {min} to {max}"),
            Self::Unrepresentable => {
                f.write_str("does not fit the exact accumulator at this scale")
            }
            Self::TooLate => f.write_str("reaches further back than the sample history"),
            Self::PhaseCount => f.write_str("must be 1 or 3"),
        }
    }
}

impl core::fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Parameter {
                name,
                phase: Some(phase),
                rule,
            } => write!(f, "{name} of phase {phase} {rule}"),
            Self::Parameter {
                name,
                phase: None,
                rule,
            } => write!(f, "{name} {rule}"),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "the stored constants have {found} bytes where {expected} are expected"
                )
            }
            Self::Version { found } => {
                write!(f, "the stored constants have unknown version {found}")
            }
            Self::Crc { expected, found } => {
                write!(
                    f,
                    "the check sum of the stored constants is {found:08X}, computed {expected:08X}"
                )
            }
            Self::Code { position, found } => {
                write!(f, "code {found} at byte {position} has no meaning")
            }
        }
    }
}

impl core::error::Error for CalibrationError {}

/// Checked constants with what follows from them; one per meter, shared read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration<const PHASES: usize> {
    parameters: Parameters<PHASES>,
    pub(crate) derived: [Derived; PHASES],
    /// Raw units of one register step.
    pub(crate) quantum: i128,
    /// Samples per decimated sample of detectors, 1 to 20.
    pub(crate) decimation: u32,
}

/// What follows from one phase's constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Derived {
    /// Product of both gains, Q30.
    pub power_gain: u64,
    /// Whole samples by which voltage and current are held back.
    pub voltage_hold: usize,
    pub current_hold: usize,
    /// False when neither delay nor angle is set: the second product sum is then not needed.
    pub delayed: bool,
    /// Power offset in raw units per sample.
    pub offset: i128,
}

const fn bad(name: &'static str, phase: Option<u8>, rule: Rule) -> CalibrationError {
    CalibrationError::Parameter { name, phase, rule }
}

fn within(
    name: &'static str,
    phase: Option<u8>,
    value: impl Into<i64>,
    min: i64,
    max: i64,
) -> Result<(), CalibrationError> {
    if (min..=max).contains(&value.into()) {
        Ok(())
    } else {
        Err(bad(name, phase, Rule::Range { min, max }))
    }
}

impl<const PHASES: usize> Calibration<PHASES> {
    /// Bytes of the stored form.
    pub const ENCODED_LEN: usize = 62 + 32 * PHASES;

    /// Checks the constants and works out what follows from them.
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] names the first parameter that breaks a rule.
    pub fn try_new(parameters: Parameters<PHASES>) -> Result<Self, CalibrationError> {
        let p = &parameters;
        if PHASES != 1 && PHASES != 3 {
            return Err(bad("PHASES", None, Rule::PhaseCount));
        }
        let u32_max = i64::from(u32::MAX);
        let phases = PHASES as i64;
        within(
            "sample_rate_mhz",
            None,
            p.sample_rate_mhz,
            600_000,
            64_000_000,
        )?;
        within("nominal_mhz", None, p.nominal_mhz, 40_000, 75_000)?;
        within("voltage_nv", None, p.voltage_nv, 1, u32_max)?;
        within("current_na", None, p.current_na, 1, u32_max)?;
        within("saturation", None, p.saturation, 1, FULL_SCALE.into())?;
        within("sync_level", None, p.sync_level, 1, FULL_SCALE.into())?;
        within("energy_step_mwh", None, p.energy_step_mwh, 1, 1_000_000)?;
        within(
            "pulses_per_kwh",
            None,
            p.pulses_per_kwh,
            1,
            (1 << 24) / i64::from(p.energy_step_mwh),
        )?;
        if let Sync::Voltage(channel) | Sync::Current(channel) = p.sync {
            within("sync", None, channel, 0, phases - 1)?;
        }
        if let Sync::Fixed(frequency_uhz) = p.sync {
            within("sync", None, frequency_uhz, 40_000_000, 75_000_000)?;
        }
        if let Window::Cycles(cycles) = p.window {
            within("window", None, cycles, 1, 600)?;
        }
        if let Some(neutral) = &p.neutral {
            within("neutral.gain", None, neutral.gain, 1 << 26, u32_max)?;
            within("neutral.offset", None, neutral.offset, -(1 << 20), 1 << 20)?;
        }
        // One raw unit is 2^-30 count² (after the gains) times one sample interval:
        // step [mWh] · 3.6 J/mWh · fs · 2^30 / (1e-18 · nV · nA).
        let count_square = u128::from(p.voltage_nv) * u128::from(p.current_na);
        let quantum = u128::from(p.energy_step_mwh)
            .checked_mul(3_600_000_000_000_000)
            .and_then(|q| q.checked_mul(u128::from(p.sample_rate_mhz)))
            .and_then(|q| q.checked_mul(1 << 30))
            .map(|q| (q + count_square / 2) / count_square)
            .filter(|q| (1 << 36..1 << 106).contains(q))
            .and_then(|q| i128::try_from(q).ok())
            .ok_or(bad("energy_step_mwh", None, Rule::Unrepresentable))?;
        let mut derived = [Derived::NONE; PHASES];
        for (index, (phase, derived)) in p.phase.iter().zip(&mut derived).enumerate() {
            let at = Some(index as u8);
            within("voltage_gain", at, phase.voltage_gain, 1 << 26, u32_max)?;
            within("current_gain", at, phase.current_gain, 1 << 26, u32_max)?;
            within(
                "voltage_offset",
                at,
                phase.voltage_offset,
                -(1 << 20),
                1 << 20,
            )?;
            within(
                "current_offset",
                at,
                phase.current_offset,
                -(1 << 20),
                1 << 20,
            )?;
            within("angle", at, phase.angle, -(1 << 29), 1 << 29)?;
            let gains = u64::from(phase.voltage_gain) * u64::from(phase.current_gain);
            derived.power_gain = (gains + (1 << 29)) >> 30;
            derived.delayed = phase.delay_ns != 0 || phase.angle != 0;
            let lag = phase.lag(p.nominal_mhz) * i128::from(p.sample_rate_mhz)
                / i128::from(p.nominal_mhz);
            let whole = lag >> 32;
            let history = HISTORY as i128;
            if !(-history..history).contains(&whole) {
                return Err(bad("delay_ns", at, Rule::TooLate));
            }
            derived.voltage_hold = usize::try_from(whole).unwrap_or(0);
            derived.current_hold = usize::try_from(-whole).unwrap_or(0);
            let count_square = i128::from(p.voltage_nv) * i128::from(p.current_na);
            derived.offset =
                i128::from(phase.power_offset_uw) * (1_000_000_000_000 << 30) / count_square;
        }
        let decimation = (p.sample_rate_mhz / 1_600_000).clamp(1, 20);
        Ok(Self {
            parameters,
            derived,
            quantum,
            decimation,
        })
    }

    /// The constants as given.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters<PHASES> {
        &self.parameters
    }

    /// Writes the stored form: version, phases, constants, CRC-32C; returns its length.
    ///
    /// # Errors
    /// [`CalibrationError::Length`] when `out` is shorter than [`Self::ENCODED_LEN`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, CalibrationError> {
        let found = out.len();
        let p = &self.parameters;
        let mut w = Writer::new(out);
        w.put(&[VERSION, PHASES as u8]);
        for word in [
            p.sample_rate_mhz,
            p.nominal_mhz,
            p.voltage_nv,
            p.current_na,
            p.sync_level,
            p.energy_step_mwh,
        ] {
            w.put(&word.to_le_bytes());
        }
        w.put(&p.pulses_per_kwh.to_le_bytes());
        w.put(&p.start_uw.to_le_bytes());
        w.put(&p.saturation.to_le_bytes());
        let (sync, argument) = match p.sync {
            Sync::Auto => (0, 0),
            Sync::Voltage(phase) => (1, phase.into()),
            Sync::Current(phase) => (2, phase.into()),
            Sync::Fixed(frequency_uhz) => (3, frequency_uhz),
        };
        w.put(&[0, sync]);
        w.put(&argument.to_le_bytes());
        let (window, cycles) = match p.window {
            Window::Standard => (0, 0),
            Window::Cycles(cycles) => (1, cycles),
            Window::Longest => (2, 0),
        };
        w.put(&[window]);
        w.put(&cycles.to_le_bytes());
        w.put(&[
            u8::from(p.policy == Policy::PerPhase),
            u8::from(p.dc_power == DcPower::Kept),
        ]);
        for phase in &p.phase {
            w.put(&phase.voltage_gain.to_le_bytes());
            w.put(&phase.current_gain.to_le_bytes());
            w.put(&phase.current_noise.to_le_bytes());
            for word in [
                phase.voltage_offset,
                phase.current_offset,
                phase.delay_ns,
                phase.angle,
                phase.power_offset_uw,
            ] {
                w.put(&word.to_le_bytes());
            }
        }
        let neutral = p
            .neutral
            .unwrap_or(NeutralParameters { gain: 0, offset: 0 });
        w.put(&[u8::from(p.neutral.is_some())]);
        w.put(&neutral.gain.to_le_bytes());
        w.put(&neutral.offset.to_le_bytes());
        w.finish(&CRC).ok_or(CalibrationError::Length {
            expected: Self::ENCODED_LEN,
            found,
        })
    }

    /// Reads the stored form and checks it like [`Self::try_new`].
    ///
    /// # Errors
    /// Every variant of [`CalibrationError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CalibrationError> {
        let length = CalibrationError::Length {
            expected: Self::ENCODED_LEN,
            found: bytes.len(),
        };
        if bytes.len() != Self::ENCODED_LEN {
            return Err(length);
        }
        let body = checked_body(bytes, &CRC)
            .map_err(|(expected, found)| CalibrationError::Crc { expected, found })?;
        let mut r = Reader::new(body);
        let version = r.byte().ok_or(length)?;
        if version != VERSION {
            return Err(CalibrationError::Version { found: version });
        }
        let phases = r.byte().ok_or(length)?;
        if usize::from(phases) != PHASES {
            return Err(CalibrationError::Code {
                position: 1,
                found: phases,
            });
        }
        let mut read = || -> Option<Result<Parameters<PHASES>, (usize, u8)>> {
            let mut p = Parameters::new(r.u32()?, r.u32()?);
            p.voltage_nv = r.u32()?;
            p.current_na = r.u32()?;
            p.sync_level = r.u32()?;
            p.energy_step_mwh = r.u32()?;
            p.pulses_per_kwh = r.u32()?;
            p.start_uw = r.u32()?;
            p.saturation = r.i32()?;
            let at = r.position();
            let [reserved, sync] = r.bytes()?;
            let argument = r.u32()?;
            let phase = argument as u8;
            p.sync = match (reserved, sync) {
                (0, 0) => Sync::Auto,
                (0, 1) => Sync::Voltage(phase),
                (0, 2) => Sync::Current(phase),
                (0, 3) => Sync::Fixed(argument),
                (0, other) => return Some(Err((at + 1, other))),
                (other, _) => return Some(Err((at, other))),
            };
            let at = r.position();
            let window = r.byte()?;
            let cycles = u16::from_le_bytes(r.bytes()?);
            p.window = match window {
                0 => Window::Standard,
                1 => Window::Cycles(cycles),
                2 => Window::Longest,
                other => return Some(Err((at, other))),
            };
            let at = r.position();
            p.policy = match r.byte()? {
                0 => Policy::Net,
                1 => Policy::PerPhase,
                other => return Some(Err((at, other))),
            };
            p.dc_power = match r.byte()? {
                0 => DcPower::Removed,
                1 => DcPower::Kept,
                other => return Some(Err((at + 1, other))),
            };
            for phase in &mut p.phase {
                phase.voltage_gain = r.u32()?;
                phase.current_gain = r.u32()?;
                phase.current_noise = r.u32()?;
                phase.voltage_offset = r.i32()?;
                phase.current_offset = r.i32()?;
                phase.delay_ns = r.i32()?;
                phase.angle = r.i32()?;
                phase.power_offset_uw = r.i32()?;
            }
            let at = r.position();
            let present = r.byte()?;
            let neutral = NeutralParameters {
                gain: r.u32()?,
                offset: r.i32()?,
            };
            p.neutral = match present {
                0 => None,
                1 => Some(neutral),
                other => return Some(Err((at, other))),
            };
            Some(Ok(p))
        };
        match read() {
            Some(Ok(parameters)) => Self::try_new(parameters),
            Some(Err((position, found))) => Err(CalibrationError::Code { position, found }),
            None => Err(length),
        }
    }
}

impl Derived {
    const NONE: Self = Self {
        power_gain: 0,
        voltage_hold: 0,
        current_hold: 0,
        delayed: false,
        offset: 0,
    };
}

impl PhaseParameters {
    /// Angle by which the measured current lies behind the true one at this frequency, 2^-32 turn.
    pub(crate) fn lag(&self, frequency_mhz: u32) -> i128 {
        let delay = (i128::from(self.delay_ns) * i128::from(frequency_mhz)) << 32;
        rounded_div(delay, 1_000_000_000_000) - i128::from(self.angle)
    }
}
