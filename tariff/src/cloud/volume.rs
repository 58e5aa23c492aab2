//! Water and gas over yearly tiers: reading periods that span the reset are split by days.

use crate::civil::Date;
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
