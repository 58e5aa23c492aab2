//! Water, gas and heat: reading periods that span the reset of yearly tiers are split by days; what a
//! meter counts is converted to what the tariff prices.

use serde::{Deserialize, Serialize};

use crate::civil::Date;
use crate::decimal::Decimal;
use crate::price::Rounding;

/// A reading period cut at the reset of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitReading {
    /// What belongs to the year that ends (all of it without a reset inside).
    pub before: u64,
    /// What belongs to the year that begins, whole units.
    pub after: u64,
    /// The year begins anew with this period: at its first day.
    pub begins: bool,
    /// The year ended with this period: at its last day or inside it.
    pub ends: bool,
}

/// Splits a volume between two readings at 00:00 of the reset day (month, day) by days; the part
/// after it is rounded half up to a multiple of `unit` (1000 litres), the part before takes the rest.
///
/// A period of more than a year is split at its last reset. `None` for readings out of order or a
/// reset day that is not in every year.
#[must_use]
pub fn split_at_reset(
    from: Date,
    to: Date,
    volume: u64,
    unit: u64,
    reset: (u8, u8),
) -> Option<SplitReading> {
    let days = to.days() - from.days();
    if days <= 0 || unit == 0 {
        return None;
    }
    let this_year = Date::try_new(to.year(), reset.0, reset.1)?;
    // The last reset that is not after the second reading.
    let at = if this_year <= to {
        this_year
    } else {
        Date::try_new(to.year() - 1, reset.0, reset.1)?
    };
    let whole = SplitReading {
        before: volume,
        after: 0,
        begins: at == from,
        ends: at == to,
    };
    if at <= from || at == to {
        return Some(whole);
    }
    let later = i128::from(volume) * i128::from(to.days() - at.days());
    let units = Rounding::HalfUp.divide_wide(later, i128::from(days) * i128::from(unit));
    let after = u64::try_from(units).ok()?.saturating_mul(unit).min(volume);
    Some(SplitReading {
        before: volume - after,
        after,
        begins: false,
        ends: true,
    })
}

/// From what a meter counts to what the tariff prices: gas volume to energy, gigajoules to kilowatt
/// hours. The factors are multiplied exactly; one division at the end rounds, by name.
///
/// ```
/// use tariff::cloud::Conversion;
/// use tariff::{Decimal, Rounding};
///
/// let d = |text: &str| text.parse::<Decimal>().unwrap();
/// // 100 m3 at a state number of 0.95 and 11.25 kWh a m3.
/// let gas = Conversion::new([d("0.95"), d("11.25")], 2, Rounding::HalfUp);
/// assert_eq!(gas.convert(d("100")), Some(d("1068.75")));
/// // The same where the calorific value is told in MJ a m3: 3.6 MJ are a kilowatt hour.
/// let gas = Conversion::new([d("1.02264"), d("39.5")], 2, Rounding::HalfUp).divided_by(d("3.6"));
/// assert_eq!(gas.convert(d("100")), Some(d("1122.06")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// All are multiplied: state number (or correction of volume), calorific value.
    pub factors: Vec<Decimal>,
    /// What is divided by at the end; 1 without.
    pub divisor: Decimal,
    /// Places kept behind the point.
    pub places: u8,
    /// How the rest is dropped.
    pub rounding: Rounding,
}

impl Conversion {
    /// Multiplies by all factors.
    #[must_use]
    pub fn new(factors: impl IntoIterator<Item = Decimal>, places: u8, rounding: Rounding) -> Self {
        Conversion {
            factors: factors.into_iter().collect(),
            divisor: Decimal::from_integer(1),
            places,
            rounding,
        }
    }

    /// The same divided by a number that is not zero.
    #[must_use]
    pub fn divided_by(mut self, divisor: Decimal) -> Self {
        self.divisor = divisor;
        self
    }

    /// The converted quantity; `None` when it does not fit or the divisor is zero.
    #[must_use]
    pub fn convert(&self, quantity: Decimal) -> Option<Decimal> {
        let factors = self.factors.iter();
        let product = factors.copied().try_fold(quantity, Decimal::checked_mul)?;
        product.divided(self.divisor, self.places, self.rounding)
    }
}
