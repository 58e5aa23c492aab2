//! Prices and money that never round on the way, and the roundings of the edge by name.

use core::iter::Sum;
use core::ops::{Add, Neg, Sub};

/// A price: ten thousandths of the currency a kilowatt hour (DL/T 645, NNNN.NNNN yuan/kWh).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Price(u32);

impl Price {
    /// A price of so many 0.0001 a kWh.
    pub const fn from_ten_thousandths(value: u32) -> Self {
        Price(value)
    }

    /// The number of 0.0001 a kWh.
    pub const fn ten_thousandths(self) -> u32 {
        self.0
    }

    /// The exact cost of so many watt hours; the largest amount when it does not fit.
    pub const fn cost(self, wh: u64) -> Money {
        // 64 bits only: the small cores have no wide multiplication.
        match (self.0 as u64).checked_mul(wh) {
            Some(cost) if cost <= i64::MAX as u64 => Money(cost as i64),
            _ => Money(i64::MAX),
        }
    }

    /// This price and another on top of it.
    pub const fn plus(self, other: Price) -> Price {
        Price(self.0.saturating_add(other.0))
    }
}

/// An amount: 10^-7 of the currency, signed. Sums saturate instead of wrapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);
    /// 10^-7 parts in 0.01 of the currency.
    const HUNDREDTH: i64 = 100_000;

    /// An amount of so many 10^-7 of the currency.
    pub const fn from_ten_millionths(value: i64) -> Self {
        Money(value)
    }

    /// An amount of so many 0.01 of the currency, as the wire and sellers count.
    pub const fn from_hundredths(value: i64) -> Self {
        Money(value.saturating_mul(Self::HUNDREDTH))
    }

    /// The number of 10^-7 of the currency.
    pub const fn ten_millionths(self) -> i64 {
        self.0
    }

    /// Whole 0.01 of the currency by a named rounding.
    pub const fn hundredths(self, rounding: Rounding) -> i64 {
        rounding.divide(self.0, Self::HUNDREDTH)
    }

    /// Whole units of 10^-`decimals` of the currency (at most 7) by a named rounding.
    pub const fn rounded(self, decimals: u32, rounding: Rounding) -> i64 {
        let decimals = if decimals > 7 { 7 } else { decimals };
        rounding.divide(self.0, 10i64.pow(7 - decimals))
    }

    /// The sum, or `None` when it does not fit.
    pub const fn checked_add(self, other: Money) -> Option<Money> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Money(sum)),
            None => None,
        }
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(self.0.saturating_neg())
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

/// How an amount becomes fewer digits. A bill names the one it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Rounding {
    /// Nearest; ties away from zero.
    HalfUp,
    /// Nearest; ties to the even neighbour.
    HalfEven,
    /// Towards minus infinity.
    Floor,
    /// Towards zero.
    Trunc,
    /// Towards plus infinity.
    Ceil,
}

impl Rounding {
    /// `value / unit` by this rounding; `unit` is positive, a smaller one counts as 1.
    pub const fn divide(self, value: i64, unit: i64) -> i64 {
        let unit = if unit < 1 { 1 } else { unit };
        let (quotient, rest) = (value / unit, value % unit);
        let over = rest.unsigned_abs();
        let left = unit.unsigned_abs() - over;
        let half = (over > left) as i8 - (over < left) as i8;
        let sign = (rest > 0) as i8 - (rest < 0) as i8;
        quotient + self.step(sign, half, quotient % 2 != 0) as i64
    }

    /// [`Rounding::divide`] in 128 bits, for bills in the cloud: the small cores stay in 64.
    pub const fn divide_wide(self, value: i128, unit: i128) -> i128 {
        let unit = if unit < 1 { 1 } else { unit };
        let (quotient, rest) = (value / unit, value % unit);
        let over = rest.unsigned_abs();
        let left = unit.unsigned_abs() - over;
        let half = (over > left) as i8 - (over < left) as i8;
        let sign = (rest > 0) as i8 - (rest < 0) as i8;
        quotient + self.step(sign, half, quotient % 2 != 0) as i128
    }

    /// What is added to a quotient cut towards zero: `sign` is that of the rest, `half` tells
    /// whether the rest lies below, on or above the middle.
    const fn step(self, sign: i8, half: i8, odd: bool) -> i8 {
        let away = match self {
            Rounding::Trunc => false,
            Rounding::HalfUp => half >= 0,
            Rounding::HalfEven => half > 0 || (half == 0 && odd),
            Rounding::Floor => sign < 0,
            Rounding::Ceil => sign > 0,
        };
        if away { sign } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Money, Price, Rounding};

    #[test]
    fn roundings_on_both_sides_of_zero() {
        let all = |v| {
            [
                Rounding::HalfUp,
                Rounding::HalfEven,
                Rounding::Floor,
                Rounding::Trunc,
                Rounding::Ceil,
            ]
            .map(|r| r.divide(v, 10))
        };
        assert_eq!(all(25), [3, 2, 2, 2, 3]);
        assert_eq!(all(-25), [-3, -2, -3, -2, -2]);
        assert_eq!(all(-21), [-2, -2, -3, -2, -2]);
        assert_eq!(all(20), [2; 5]);
        assert_eq!(Rounding::HalfUp.divide(0, 1), 0);
        for value in -40_i64..=40 {
            for unit in 1..12_i64 {
                for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Ceil] {
                    let wide = rounding.divide_wide(value.into(), unit.into());
                    assert_eq!(i128::from(rounding.divide(value, unit)), wide);
                }
            }
        }
    }

    #[test]
    fn cost_is_exact_and_saturates() {
        assert_eq!(
            Price::from_ten_thousandths(5383).cost(12_340),
            Money(66_426_220)
        );
        assert_eq!(
            Price::from_ten_thousandths(u32::MAX).cost(u64::MAX),
            Money(i64::MAX)
        );
    }
}
