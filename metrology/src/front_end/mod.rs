//! Drivers of metering chips over `embedded-hal` 1.0: what they measured comes out as the types of this crate.
//!
//! | chip | channels | line | proof of each value | raw samples |
//! |---|---|---|---|---|
//! | [`stpm3x`] STPM32, STPM33, STPM34 | 1 u 1 i, 1 u 2 i, 2 u 2 i | SPI, 5-byte frames | CRC-8 both ways, error register, restart mark | 7.8125 kHz |
//! | [`atm90e32`] ATM90E32AS | 3 u 3 i | SPI, 4-byte frames | every value read again from LastSPIData, restart mark | none |
//!
//! Both drivers hold no buffers and no clock. A chip that restarted by itself (brown-out) is told as
//! [`Error::Restarted`]: its energy counters began at zero, so they must not be compared with those before.
//!
//! ```no_run
//! use metrology::event::{Limits, Monitor};
//! use metrology::front_end::{Reading, atm90e32};
//!
//! fn run<S, D>(spi: S, delay: D) -> Result<(), metrology::front_end::Error<S::Error>>
//! where
//!     S: embedded_hal::spi::SpiDevice,
//!     D: embedded_hal::delay::DelayNs,
//! {
//!     let mut chip = atm90e32::Atm90e32::new(spi, delay, atm90e32::Configuration::default());
//!     chip.start()?;
//!     let reading: Reading<3> = chip.read()?;
//!     let limits = Limits::dlt614(220_000_000, 5_000_000, 60_000_000);
//!     let changes = Monitor::new().update(&limits, &reading.observation(200));
//! #   let _ = changes;
//!     Ok(())
//! }
//! ```

pub mod atm90e32;
pub mod stpm3x;

use core::fmt;

use crate::event::{Observation, PhaseObservation};

/// Why a chip gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The bus failed.
    Bus(E),
    /// What came back is not what the chip sent, after every repetition.
    Corrupt {
        /// Register that was asked.
        register: u16,
        /// What would have proved it.
        expected: u32,
        /// What was found.
        found: u32,
    },
    /// A register does not hold what was written into it.
    NotWritten {
        /// The register.
        register: u16,
        /// What was written.
        expected: u32,
        /// What it holds.
        found: u32,
    },
    /// All bits of every answer are alike: no chip, or a broken wire.
    Absent,
    /// The chip lost its configuration since `start`: start it again and take its counters anew.
    Restarted,
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => write!(f, "the bus to the chip failed: {error:?}"),
            Self::Corrupt {
                register,
                expected,
                found,
            } => write!(
                f,
                "the answer for register {register:02X} was damaged: {found:X} where {expected:X} belongs"
            ),
            Self::NotWritten {
                register,
                expected,
                found,
            } => write!(
                f,
                "register {register:02X} holds {found:X} after {expected:X} was written"
            ),
            Self::Absent => f.write_str("no chip answers: all bits are alike"),
            Self::Restarted => f.write_str("the chip restarted and lost its configuration"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}

/// What a chip measured on one phase. A value that the chip does not have is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseReading {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts; positive is import.
    pub active_uw: i64,
    /// Active power of the fundamental, microwatts.
    pub fundamental_active_uw: i64,
    /// Reactive power, microvars.
    pub reactive_uvar: i64,
    /// Apparent power, microvoltamperes.
    pub apparent_uva: u64,
    /// Angle by which the current lags its voltage, millidegrees.
    pub angle_mdeg: i32,
    /// Angle by which this voltage leads that of the first phase, millidegrees.
    pub voltage_angle_mdeg: i32,
}

/// What a chip measured at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<const PHASES: usize> {
    /// By phase.
    pub phase: [PhaseReading; PHASES],
    /// Neutral current, microamperes, where the chip has it.
    pub neutral_ua: Option<u64>,
    /// Frequency, microhertz; none without a voltage.
    pub frequency_uhz: Option<u32>,
}

impl<const PHASES: usize> Reading<PHASES> {
    /// The part that conditions are judged by.
    #[must_use]
    pub fn observation(&self, elapsed_ms: u32) -> Observation<PHASES> {
        let active: i64 = self
            .phase
            .iter()
            .fold(0, |sum, line| sum.saturating_add(line.active_uw));
        let apparent: u64 = self
            .phase
            .iter()
            .fold(0, |sum, line| sum.saturating_add(line.apparent_uva));
        let ppm = i128::from(active) * 1_000_000 / i128::from(apparent.max(1));
        Observation {
            phase: self.phase.map(|line| PhaseObservation {
                voltage_uv: line.voltage_uv,
                current_ua: line.current_ua,
                active_uw: line.active_uw,
                voltage_angle_mdeg: line.voltage_angle_mdeg,
                current_lag_mdeg: line.angle_mdeg,
            }),
            apparent_uva: apparent,
            power_factor_ppm: ppm.clamp(-1_000_000, 1_000_000) as i32,
            elapsed_ms,
        }
    }
}

/// Reads are repeated this often before they are given up.
const TRIES: u8 = 3;

/// `old · expected / measured`, rounded; `None` when nothing was measured or it leaves `0..=limit`.
fn scaled(old: u64, expected: u64, measured: u64, limit: u64) -> Option<u64> {
    let product = u128::from(old) * u128::from(expected);
    let half = u128::from(measured / 2);
    let value = (product + half).checked_div(measured.into())?;
    u64::try_from(value).ok().filter(|value| *value <= limit)
}
