//! Exact values: an integer and a decimal exponent, with marks of quality.

use core::cmp::Ordering;

mod quality;
mod text;
#[cfg(feature = "serde")]
mod with_serde;

pub use quality::Quality;
pub use text::{BadNumber, Digits};

/// A measured value: `mantissa` × 10^`exponent` in the unit of its quantity.
///
/// Two values that denote the same number with different exponents are different readings, because the resolution is
/// part of a reading: `==` tells them apart, [`Value::exact_cmp`] does not.
///
/// ```
/// use meter_proto::value::Value;
/// let register = Value::new(12_345_678, 1); // 0.01 kWh steps, counted in Wh
/// assert_eq!(register.mantissa_at(0), Some(123_456_780));
/// assert_eq!(Value::new(2301, -1).to_string(), "230.1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    /// The digits of the reading.
    pub mantissa: i64,
    /// Power of ten that the digits count.
    pub exponent: i8,
    /// Marks, none for a good value.
    pub quality: Quality,
}

impl Value {
    /// A good value.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self {
            mantissa,
            exponent,
            quality: Quality::GOOD,
        }
    }

    /// The value that says "there is none", at this resolution.
    #[must_use]
    pub const fn missing(exponent: i8) -> Self {
        Self {
            mantissa: 0,
            exponent,
            quality: Quality::MISSING,
        }
    }

    /// The same number with these marks.
    #[must_use]
    pub const fn with_quality(self, quality: Quality) -> Self {
        Self { quality, ..self }
    }

    /// The digits at another exponent, if that loses nothing: `mantissa_at(0)` of 12.5 is `None`.
    ///
    /// `None` also when the result does not fit.
    #[must_use]
    pub const fn mantissa_at(&self, exponent: i8) -> Option<i64> {
        let mut mantissa = self.mantissa;
        if mantissa == 0 {
            return Some(0);
        }
        // A non-zero i64 leaves its range, or its last digit zero, within 19 steps: both loops end early.
        let mut steps = self.exponent as i16 - exponent as i16;
        while steps > 0 {
            mantissa = match mantissa.checked_mul(10) {
                Some(scaled) => scaled,
                None => return None,
            };
            steps -= 1;
        }
        while steps < 0 {
            if mantissa % 10 != 0 {
                return None;
            }
            mantissa /= 10;
            steps += 1;
        }
        Some(mantissa)
    }

    /// The same number written with another exponent, `None` if digits would be lost or do not fit.
    #[must_use]
    pub const fn checked_rescale(&self, exponent: i8) -> Option<Self> {
        match self.mantissa_at(exponent) {
            Some(mantissa) => Some(Self {
                mantissa,
                exponent,
                quality: self.quality,
            }),
            None => None,
        }
    }

    /// The digits at another exponent, rounded half to even where digits are lost; `None` when they do not fit.
    ///
    /// For display and telemetry. Bills use [`Value::mantissa_at`].
    #[must_use]
    pub const fn rounded_at(&self, exponent: i8) -> Option<i64> {
        let steps = exponent as i16 - self.exponent as i16;
        if steps <= 0 {
            return self.mantissa_at(exponent);
        }
        if steps > 19 {
            return Some(0);
        }
        let divisor = 10i128.pow(steps as u32);
        let mantissa = self.mantissa as i128;
        let quotient = mantissa.div_euclid(divisor);
        let twice = mantissa.rem_euclid(divisor) * 2;
        let up = twice > divisor || (twice == divisor && quotient % 2 != 0);
        Some((quotient + up as i128) as i64)
    }

    /// Compares the numbers, whatever their exponents and marks.
    #[must_use]
    pub fn exact_cmp(&self, other: &Self) -> Ordering {
        let signs = self.mantissa.signum().cmp(&other.mantissa.signum());
        if signs != Ordering::Equal || self.mantissa == 0 {
            return signs;
        }
        let steps = i16::from(self.exponent) - i16::from(other.exponent);
        let (mut left, mut right) = (i128::from(self.mantissa), i128::from(other.mantissa));
        // Beyond 19 steps the larger exponent wins by size alone; up to 19 the product fits 128 bits.
        let power = 10i128.pow(u32::from(steps.unsigned_abs().min(19)));
        if steps > 0 {
            left *= power;
        } else {
            right *= power;
        }
        left.cmp(&right)
    }

    /// `self - earlier` at the finer of both exponents, `None` when it does not fit. Marks of both are kept.
    #[must_use]
    pub fn checked_sub(&self, earlier: &Self) -> Option<Self> {
        let exponent = self.exponent.min(earlier.exponent);
        let mantissa = self
            .mantissa_at(exponent)?
            .checked_sub(earlier.mantissa_at(exponent)?)?;
        Some(Self {
            mantissa,
            exponent,
            quality: self.quality.with(earlier.quality),
        })
    }
}

impl Value {
    /// Whether the value is good and its exponent has a nibble.
    pub(crate) const fn is_common(&self) -> bool {
        self.quality.is_good() && self.exponent >= -7 && self.exponent <= 7
    }

    /// The meta byte: exponent nibble (8 when the exponent follows as a byte of its own) and quality nibble.
    pub(crate) const fn meta(&self) -> u8 {
        let high = if self.exponent >= -7 && self.exponent <= 7 {
            (self.exponent as u8) << 4
        } else {
            0x80
        };
        high | self.quality.nibble()
    }

    /// The exponent of a meta byte whose high nibble is not 8.
    pub(crate) const fn nibble_exponent(meta: u8) -> i8 {
        (meta as i8) >> 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::string::ToString;

    #[test]
    fn decimals_are_exact() {
        for (mantissa, exponent, text) in [
            (12_345_678, -2, "123456.78"),
            (-5, -3, "-0.005"),
            (5, 3, "5000"),
            (0, 3, "0"),
            (0, -2, "0.00"),
            (i64::MIN, 0, "-9223372036854775808"),
            (1, -20, "0.00000000000000000001"),
            (i64::MAX, -19, "0.9223372036854775807"),
        ] {
            assert_eq!(Value::new(mantissa, exponent).to_string(), text);
        }
        assert_eq!(Value::missing(0).to_string(), "-");
        assert!(Value::new(i64::MIN, i8::MAX).to_string().len() > 100);
        assert!(
            Value::new(i64::MIN, i8::MIN)
                .to_string()
                .starts_with("-0.000")
        );
    }

    #[test]
    fn rescaling_refuses_to_lose_digits() {
        assert_eq!(Value::new(125, -1).mantissa_at(0), None);
        assert_eq!(Value::new(120, -1).mantissa_at(0), Some(12));
        assert_eq!(
            Value::new(1, 7).mantissa_at(-8),
            Some(1_000_000_000_000_000)
        );
        assert_eq!(Value::new(i64::MAX, 1).mantissa_at(0), None);
        assert_eq!(Value::new(1, i8::MAX).mantissa_at(i8::MIN), None);
        assert_eq!(Value::new(125, -1).rounded_at(0), Some(12));
        assert_eq!(Value::new(135, -1).rounded_at(0), Some(14));
        assert_eq!(Value::new(-126, -1).rounded_at(0), Some(-13));
        assert_eq!(Value::new(i64::MAX, -128).rounded_at(0), Some(0));
    }

    #[test]
    fn comparison_ignores_the_exponent() {
        assert_eq!(
            Value::new(100, -2).exact_cmp(&Value::new(1, 0)),
            Ordering::Equal
        );
        assert_eq!(
            Value::new(1, 127).exact_cmp(&Value::new(i64::MAX, -128)),
            Ordering::Greater
        );
        assert_eq!(
            Value::new(-1, 127).exact_cmp(&Value::new(i64::MIN, -128)),
            Ordering::Less
        );
        assert_eq!(
            Value::new(-1, 0).exact_cmp(&Value::new(0, 5)),
            Ordering::Less
        );
        assert_eq!(
            Value::new(i64::MAX, 0).exact_cmp(&Value::new(1, 19)),
            Ordering::Less
        );
    }

    #[test]
    fn the_meta_byte_round_trips() {
        for exponent in -7..=7 {
            let value = Value::new(1, exponent);
            assert_eq!(Value::nibble_exponent(value.meta()), exponent);
        }
        assert_eq!(Value::new(1, -8).meta(), 0x80);
        assert_eq!(Value::new(1, 8).meta(), 0x80);
        for nibble in 0..15 {
            assert_eq!(Quality::of_nibble(nibble).nibble(), nibble);
        }
    }
}
