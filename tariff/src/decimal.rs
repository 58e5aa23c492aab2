//! Exact decimal numbers for bills whose prices have any number of places.
//!
//! A meter multiplies whole watt hours by prices of four places and stays in 64 bits
//! ([`crate::price`]); a bill in the cloud meets prices of five places, per cents and floor areas.
//! Nothing here rounds unless a [`Rounding`] is named, and what does not fit is `None`.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::price::{Money, Price, Rounding};

/// `mantissa · 10^-places`, at most 18 places. Equal when the values are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decimal {
    mantissa: i128,
    places: u8,
}

/// Most places of a [`Decimal`].
pub const MAX_PLACES: u8 = 18;

impl Decimal {
    /// Nothing.
    pub const ZERO: Decimal = Decimal::from_integer(0);

    /// `mantissa · 10^-places`; `None` with more than [`MAX_PLACES`].
    #[must_use]
    pub const fn try_new(mantissa: i128, places: u8) -> Option<Self> {
        if places > MAX_PLACES {
            return None;
        }
        Some(Decimal { mantissa, places })
    }

    /// A whole number.
    #[must_use]
    pub const fn from_integer(value: i64) -> Self {
        Decimal {
            mantissa: value as i128,
            places: 0,
        }
    }

    /// So many thousandths, as watt hours are of a kilowatt hour or litres of a cubic metre.
    #[must_use]
    pub const fn from_thousandths(value: i64) -> Self {
        Decimal {
            mantissa: value as i128,
            places: 3,
        }
    }

    /// Watt hours as kilowatt hours.
    #[must_use]
    pub const fn from_wh(wh: u64) -> Self {
        Decimal {
            mantissa: wh as i128,
            places: 3,
        }
    }

    /// The digits without the point.
    #[must_use]
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// Digits behind the point.
    #[must_use]
    pub const fn places(self) -> u8 {
        self.places
    }

    /// Less than zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The same value with at least so many places.
    fn widened(self, places: u8) -> Option<i128> {
        let more = places.checked_sub(self.places)?;
        self.mantissa
            .checked_mul(10_i128.checked_pow(u32::from(more))?)
    }

    /// The sum; `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        let sum = self.widened(places)?.checked_add(other.widened(places)?)?;
        Self::try_new(sum, places)
    }

    /// The difference; `None` when it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.checked_neg()?)
    }

    /// The other sign.
    #[must_use]
    pub fn checked_neg(self) -> Option<Self> {
        Self::try_new(self.mantissa.checked_neg()?, self.places)
    }

    /// The exact product, without zeros at its end; `None` when it does not fit.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let (a, b) = (self.shortened(), other.shortened());
        let mantissa = a.mantissa.checked_mul(b.mantissa)?;
        Self::try_new(mantissa, a.places + b.places)
            .map(Self::shortened)
            .or_else(|| {
                // More places than are kept can still end in zeros.
                let spare = u32::from((a.places + b.places).saturating_sub(MAX_PLACES));
                let unit = 10_i128.checked_pow(spare)?;
                (mantissa % unit == 0)
                    .then(|| Self::try_new(mantissa / unit, MAX_PLACES))
                    .flatten()
            })
    }

    /// The quotient with so many places by a named rounding; `None` by zero or when it does not fit.
    #[must_use]
    pub fn divided(self, by: Self, places: u8, rounding: Rounding) -> Option<Self> {
        // self / by = (m1 · 10^(p2 + places - p1)) / m2, in units of 10^-places.
        let (mut over, mut under) = (self.mantissa, by.mantissa);
        let up = i32::from(by.places) + i32::from(places) - i32::from(self.places);
        let power = 10_i128.checked_pow(up.unsigned_abs())?;
        if up >= 0 {
            over = over.checked_mul(power)?;
        } else {
            under = under.checked_mul(power)?;
        }
        if under < 0 {
            (over, under) = (over.checked_neg()?, under.checked_neg()?);
        }
        if under == 0 {
            return None;
        }
        Self::try_new(rounding.divide_wide(over, under), places)
    }

    /// The value with at most so many places by a named rounding.
    #[must_use]
    pub fn rounded(self, places: u8, rounding: Rounding) -> Self {
        match self.places.checked_sub(places) {
            Some(fewer) if fewer > 0 => Decimal {
                mantissa: rounding.divide_wide(self.mantissa, 10_i128.pow(u32::from(fewer))),
                places,
            },
            _ => self,
        }
    }

    /// A whole multiple of `unit` by a named rounding (0.05, 0.10, 10); the value itself when the
    /// unit is not positive or the result does not fit.
    #[must_use]
    pub fn rounded_to(self, unit: Self, rounding: Rounding) -> Self {
        let whole = self.divided(unit, 0, rounding);
        let multiple = whole.and_then(|count| count.checked_mul(unit));
        match multiple {
            Some(multiple) if unit.mantissa > 0 => multiple,
            _ => self,
        }
    }

    /// The same value without zeros behind the last digit.
    #[must_use]
    pub fn shortened(self) -> Self {
        let mut short = self;
        while short.places > 0 && short.mantissa % 10 == 0 {
            short.mantissa /= 10;
            short.places -= 1;
        }
        short
    }

    /// The value as whole units of 10^-`places`, when it is one.
    #[must_use]
    pub fn in_units(self, places: u8) -> Option<i128> {
        let short = self.shortened();
        short.widened(places)
    }

    /// Shows exactly so many places, rounding half up where there are more.
    #[must_use]
    pub const fn fixed(self, places: u8) -> Fixed {
        Fixed(self, places)
    }
}

/// A [`Decimal`] shown with a fixed number of places.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(Decimal, u8);

fn write_digits(f: &mut fmt::Formatter<'_>, mantissa: i128, places: u8) -> fmt::Result {
    let sign = if mantissa < 0 { "-" } else { "" };
    let unit = 10_u128.pow(u32::from(places.min(MAX_PLACES)));
    let digits = mantissa.unsigned_abs();
    write!(f, "{sign}{}", digits / unit)?;
    if places > 0 {
        write!(
            f,
            ".{:0>width$}",
            digits % unit,
            width = usize::from(places)
        )?;
    }
    Ok(())
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.shortened();
        write_digits(f, short.mantissa, short.places)
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.1.min(MAX_PLACES);
        let value = self.0.rounded(places, Rounding::HalfUp);
        match value.widened(places) {
            Some(mantissa) => write_digits(f, mantissa, places),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Text that is no decimal number of this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDecimal {
    /// Position of the first wrong character; the length when digits are missing or too many.
    pub position: usize,
}

impl fmt::Display for NotDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no decimal number (character {})", self.position)
    }
}

impl core::error::Error for NotDecimal {}

impl FromStr for Decimal {
    type Err = NotDecimal;

    /// `-12.50`: a sign if need be, digits, and digits behind a point.
    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let wrong = |position| Err(NotDecimal { position });
        let (negative, start) = match text.as_bytes().first() {
            Some(b'-') => (true, 1),
            _ => (false, 0),
        };
        let (mut mantissa, mut places, mut digits) = (0_i128, None::<u8>, 0);
        for (position, byte) in text.bytes().enumerate().skip(start) {
            match (byte, places) {
                (b'0'..=b'9', _) if places != Some(MAX_PLACES) => {
                    let next = mantissa
                        .checked_mul(10)
                        .and_then(|m| m.checked_add(i128::from(byte - b'0')));
                    let Some(next) = next else {
                        return wrong(position);
                    };
                    mantissa = next;
                    places = places.map(|places| places + 1);
                    digits += 1;
                }
                (b'.', None) if digits > 0 => places = Some(0),
                _ => return wrong(position),
            }
        }
        if digits == 0 || places == Some(0) {
            return wrong(text.len());
        }
        let mantissa = if negative { -mantissa } else { mantissa };
        Ok(Decimal {
            mantissa,
            places: places.unwrap_or(0),
        })
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Whole parts first: widening could leave the type, the parts behind the point cannot.
        let split = |value: &Self| {
            let unit = 10_i128.pow(u32::from(value.places));
            let part = value.mantissa.rem_euclid(unit);
            let more = 10_i128.pow(u32::from(MAX_PLACES - value.places));
            (value.mantissa.div_euclid(unit), part * more)
        };
        split(self).cmp(&split(other))
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        Decimal {
            mantissa: money.ten_millionths().into(),
            places: 7,
        }
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        Decimal {
            mantissa: price.ten_thousandths().into(),
            places: 4,
        }
    }
}

/// As text, so that no reader turns it into a float.
#[cfg(feature = "std")]
impl serde::Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "std")]
impl<'de> serde::Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use proptest::prelude::*;

    use super::{Decimal, NotDecimal, Rounding};

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_there_and_back() {
        for text in ["0", "-0.5", "123456789.123456789", "7", "-12"] {
            assert_eq!(d(text).to_string(), text);
        }
        assert_eq!(d("1.500").to_string(), "1.5");
        assert_eq!(d("1.005").fixed(2).to_string(), "1.01");
        assert_eq!(d("-3").fixed(2).to_string(), "-3.00");
        for (text, position) in [
            ("", 0),
            ("-", 1),
            (".5", 0),
            ("1.", 2),
            ("1.2.3", 3),
            ("1e3", 1),
            ("1.0000000000000000001", 20),
        ] {
            assert_eq!(
                text.parse::<Decimal>(),
                Err(NotDecimal { position }),
                "{text}"
            );
        }
    }

    #[test]
    fn rounding_is_named_and_to_any_unit() {
        assert_eq!(d("12345").rounded_to(d("10"), Rounding::Floor), d("12340"));
        assert_eq!(
            d("0.125").rounded_to(d("0.05"), Rounding::HalfUp),
            d("0.15")
        );
        assert_eq!(d("-0.5").rounded(0, Rounding::HalfUp), d("-1"));
        assert_eq!(
            d("2").divided(d("-3"), 4, Rounding::HalfUp),
            Some(d("-0.6667"))
        );
        assert_eq!(d("2").divided(d("0.00"), 4, Rounding::HalfUp), None);
        assert!(d("0.0000000001").checked_mul(d("0.0000000001")).is_none());
        assert_eq!(
            d("0.5000000000")
                .checked_mul(d("0.2000000000"))
                .map(|p| p.to_string()),
            Some("0.1".to_string())
        );
    }

    proptest! {
        #[test]
        fn sums_and_products_are_those_of_rationals(
            a in -1_000_000_000_i64..1_000_000_000, pa in 0_u8..6,
            b in -1_000_000_000_i64..1_000_000_000, pb in 0_u8..6,
        ) {
            let x = Decimal::try_new(a.into(), pa).unwrap();
            let y = Decimal::try_new(b.into(), pb).unwrap();
            let scale = |v: i64, p: u8| i128::from(v) * 10_i128.pow(u32::from(6 - p));
            let sum = x.checked_add(y).unwrap();
            prop_assert_eq!(sum.in_units(6), Some(scale(a, pa) + scale(b, pb)));
            let product = x.checked_mul(y).unwrap();
            prop_assert_eq!(product.in_units(12), Some(scale(a, pa) * scale(b, pb)));
            prop_assert_eq!(x.cmp(&y), scale(a, pa).cmp(&scale(b, pb)));
            prop_assert_eq!(x.to_string().parse::<Decimal>(), Ok(x));
        }
    }
}
