//! Values as text: decimals for people, and digits that come back exactly.

use core::fmt;
use core::str::FromStr;

use super::{Quality, Value};

/// The exact decimal: all digits of the reading, no exponent; a missing value is `-`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quality.contains(Quality::MISSING) {
            return f.write_str("-");
        }
        let mut text: heapless::String<160> = heapless::String::new();
        write_decimal(&mut text, self.mantissa.unsigned_abs(), self.exponent)?;
        f.pad_integral(self.mantissa >= 0, "", &text)
    }
}

fn write_decimal(out: &mut impl fmt::Write, magnitude: u64, exponent: i8) -> fmt::Result {
    if exponent >= 0 {
        write!(out, "{magnitude}")?;
        if magnitude != 0 {
            for _ in 0..exponent {
                out.write_char('0')?;
            }
        }
        return Ok(());
    }
    let places = u32::from(exponent.unsigned_abs());
    match 10u64.checked_pow(places) {
        Some(unit) => write!(
            out,
            "{}.{:0width$}",
            magnitude / unit,
            magnitude % unit,
            width = places as usize
        ),
        None => write!(out, "0.{magnitude:0width$}", width = places as usize),
    }
}

/// The digits of a value with their resolution, as text that reads back to the same mantissa and exponent: `230.10`,
/// `12345678e1`.
#[derive(Clone, Copy, Debug)]
pub struct Digits(pub Value);

/// Decimals beyond this many are written with an exponent.
const DECIMALS_MAX: u8 = 18;

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Value {
            mantissa, exponent, ..
        } = self.0;
        if exponent > 0 || exponent.unsigned_abs() > DECIMALS_MAX {
            return write!(f, "{mantissa}e{exponent}");
        }
        if mantissa < 0 {
            f.write_str("-")?;
        }
        write_decimal(f, mantissa.unsigned_abs(), exponent)
    }
}

/// The text is no number that a value can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadNumber;

impl fmt::Display for BadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no decimal number that a value can hold")
    }
}

impl core::error::Error for BadNumber {}

/// Reads a decimal, `-5.000` or `12345678e1`: digits and places become mantissa and exponent as they stand. Without
/// marks.
impl FromStr for Value {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        let (number, power) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, power.parse::<i8>().map_err(|_| BadNumber)?),
            None => (text, 0),
        };
        let (negative, number) = match number.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, number),
        };
        let (whole, places) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || (places.is_empty() && number.contains('.')) {
            return Err(BadNumber);
        }
        let mut mantissa = 0i64;
        for digit in whole.bytes().chain(places.bytes()) {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9);
            let digit = i64::from(digit.ok_or(BadNumber)?);
            // Downwards for negative numbers: the lowest i64 has no positive twin.
            let signed = if negative { -digit } else { digit };
            let shifted = mantissa.checked_mul(10);
            mantissa = shifted
                .and_then(|shifted| shifted.checked_add(signed))
                .ok_or(BadNumber)?;
        }
        let exponent = i8::try_from(places.len())
            .ok()
            .and_then(|places| power.checked_sub(places))
            .ok_or(BadNumber)?;
        Ok(Self::new(mantissa, exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::string::ToString;

    #[test]
    fn digits_come_back_with_their_resolution() {
        for mantissa in [0, 1, -1, 5, 2301, -500_000, i64::MIN, i64::MAX] {
            for exponent in i8::MIN..=i8::MAX {
                let value = Value::new(mantissa, exponent);
                let text = Digits(value).to_string();
                assert_eq!(text.parse(), Ok(value), "{text}");
            }
        }
        assert_eq!("1.5e3".parse(), Ok(Value::new(15, 2)));
        for bad in [
            "",
            "-",
            ".5",
            "5.",
            "1.2.3",
            "0x5",
            "1e",
            "1e200",
            "+5",
            " 5",
            "1e1.5",
            "--5",
            "9223372036854775808",
            "-9223372036854775809",
            "NaN",
        ] {
            assert_eq!(bad.parse::<Value>(), Err(BadNumber), "{bad}");
        }
    }
}
