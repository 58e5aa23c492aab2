//! Why constants are refused.

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
    /// Each point lies above the one before.
    Rising,
    /// The decimal digits YYYYMMDD name no day from 2000 to 2199.
    Date,
}

/// Why a set of constants is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A parameter breaks a rule.
    Parameter {
        /// Field name in [`Parameters`](super::Parameters) or [`PhaseParameters`](super::PhaseParameters).
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
            Self::Rising => f.write_str("must rise from point to point"),
            Self::Date => f.write_str("must be a day as YYYYMMDD, 2000 to 2199, or 0"),
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

pub(crate) const fn bad(name: &'static str, phase: Option<u8>, rule: Rule) -> CalibrationError {
    CalibrationError::Parameter { name, phase, rule }
}
