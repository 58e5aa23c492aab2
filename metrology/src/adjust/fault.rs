//! Why a calibration step is refused: what was measured, and what was plausible.

/// What a measured value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measured {
    /// Voltage against the reference.
    Voltage,
    /// Current against the reference.
    Current,
    /// Active power against the reference.
    Power,
    /// Apparent power of the fundamental against the product of voltage and current.
    Apparent,
}

/// Why a calibration step is refused. The constants are then as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The reference contradicts itself: no voltage or current, or more power than their product.
    Reference,
    /// A measured value differs too much from what it should be: a dead or wrong channel, another range of
    /// the sensor, a distorted source, a load that changed.
    Value {
        /// Which.
        what: Measured,
        /// Measured against expected, millionths less one.
        found_ppm: i64,
        /// Largest plausible magnitude.
        limit_ppm: u32,
    },
    /// The power has the wrong direction: current terminals reversed, or a current transformer turned round.
    Reversed {
        /// Measured active power, microwatts.
        found_uw: i64,
    },
    /// The current lies too far from where the reference puts it: it belongs to another phase's voltage, or
    /// the phase error is larger than sensors have.
    Angle {
        /// Lateness of the measured current against the true one, millidegrees.
        found_mdeg: i32,
        /// Largest plausible magnitude.
        limit_mdeg: u32,
    },
    /// A voltage is missing.
    NoVoltage {
        /// Phase from 0.
        phase: u8,
        /// Measured, microvolts.
        found_uv: u64,
    },
    /// The voltages follow one another in the wrong order or distance.
    Sequence {
        /// Phase from 0.
        phase: u8,
        /// Lag behind the first voltage, millidegrees from 0 to 360,000.
        found_mdeg: u32,
        /// Where it should be.
        expected_mdeg: u32,
    },
    /// A current does not lie where the load puts it: half a turn away it is reversed, a third of a turn away
    /// it is that of another phase.
    Terminals {
        /// Phase from 0.
        phase: u8,
        /// Lag behind its voltage, millidegrees.
        found_mdeg: i32,
        /// Where it should be.
        expected_mdeg: i32,
    },
    /// The power offset is too large for the load at which it was measured.
    Offset {
        /// Offset, microwatts.
        found_uw: i64,
        /// Largest plausible magnitude.
        limit_uw: u64,
    },
    /// Noise or mean of an open channel is too large.
    Noise {
        /// Which channel.
        what: Measured,
        /// Counts.
        found: i64,
        /// Largest plausible magnitude, counts.
        limit: u32,
    },
    /// Points that cannot give the asked constants: too few, too many, in the wrong order, or too close.
    Points,
    /// The constant does not fit its field.
    Constant(crate::CalibrationError),
}

impl core::fmt::Display for Measured {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Power => "active power",
            Self::Apparent => "apparent power of the fundamental",
        })
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Reference => f.write_str("the reference values contradict one another"),
            Self::Value {
                what,
                found_ppm,
                limit_ppm,
            } => write!(
                f,
                "the {what} is {found_ppm} ppm off, at most {limit_ppm} are plausible"
            ),
            Self::Reversed { found_uw } => {
                write!(
                    f,
                    "the active power is {found_uw} µW: the current is reversed"
                )
            }
            Self::Angle {
                found_mdeg,
                limit_mdeg,
            } => write!(
                f,
                "the current is {found_mdeg} millidegrees late, at most {limit_mdeg} are plausible"
            ),
            Self::NoVoltage { phase, found_uv } => {
                write!(f, "the voltage of phase {phase} is only {found_uv} µV")
            }
            Self::Sequence {
                phase,
                found_mdeg,
                expected_mdeg,
            } => write!(
                f,
                "the voltage of phase {phase} lags by {found_mdeg} millidegrees instead of {expected_mdeg}"
            ),
            Self::Terminals {
                phase,
                found_mdeg,
                expected_mdeg,
            } => write!(
                f,
                "the current of phase {phase} lags by {found_mdeg} millidegrees instead of {expected_mdeg}"
            ),
            Self::Offset { found_uw, limit_uw } => write!(
                f,
                "the power offset is {found_uw} µW, at most {limit_uw} are plausible"
            ),
            Self::Noise { what, found, limit } => write!(
                f,
                "the open {what} channel shows {found} counts, at most {limit} are plausible"
            ),
            Self::Points => f.write_str("these points cannot give the constants"),
            Self::Constant(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Fault {}

impl From<crate::CalibrationError> for Fault {
    fn from(error: crate::CalibrationError) -> Self {
        Self::Constant(error)
    }
}
