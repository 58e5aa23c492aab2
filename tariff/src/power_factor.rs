//! Power-factor adjustment of Chinese industrial bills, rule (83) Shui Dian Cai 215, without a
//! square root: cos φ rounds to at least c/100 exactly when (200 P)² ≥ (2c − 1)² (P² + Q²).

use crate::decimal::Decimal;
use crate::price::Rounding;

/// The power factor that a class of users is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standard {
    /// 0.90: industry above 160 kVA on high voltage.
    P90,
    /// 0.85: other users of 100 kVA and above.
    P85,
    /// 0.80: farming of 100 kVA and above.
    P80,
}

/// cos φ in hundredths, 0 to 100, half up, of active and reactive energy in the same unit; 100
/// without energy.
#[must_use]
pub fn hundredths(active: u64, reactive: u64) -> u8 {
    if active == 0 && reactive == 0 {
        return 100;
    }
    // Squares stay below 2^128; more than 55 bits of energy are cut alike on both sides.
    let bits = 64 - active.max(reactive).leading_zeros();
    let shift = bits.saturating_sub(55);
    let (p, q) = (u128::from(active >> shift), u128::from(reactive >> shift));
    let at_least = |c: u8| {
        let bound = 2 * u128::from(c) - 1;
        (200 * p).pow(2) >= bound.pow(2) * (p * p + q * q)
    };
    (1..=100).rev().find(|&c| at_least(c)).unwrap_or(0)
}

impl Standard {
    /// The adjustment in hundredths of a per cent at a power factor in hundredths: positive raises
    /// the bill.
    #[must_use]
    pub const fn adjustment(self, cos_phi: u8) -> i32 {
        let cos = if cos_phi > 100 { 100 } else { cos_phi as i32 };
        let standard = match self {
            Standard::P90 => 90,
            Standard::P85 => 85,
            Standard::P80 => 80,
        };
        if cos < standard {
            // 0.5 % per 0.01 for twenty steps, 1 % for five, then 2 %.
            let below = standard - cos;
            let first = if below < 20 { below } else { 20 };
            let second = if below > 25 { 5 } else { below - first };
            return 50 * first + 100 * second + 200 * (below - first - second);
        }
        let above = cos - standard;
        match self {
            Standard::P90 => -15 * if above > 5 { 5 } else { above },
            Standard::P85 if above <= 5 => -10 * above,
            Standard::P85 => -50 - 15 * if above > 9 { 4 } else { above - 5 },
            Standard::P80 if above <= 10 => -10 * above,
            Standard::P80 if above == 11 => -115,
            Standard::P80 => -130,
        }
    }

    /// The adjustment of a part of the bill by a named rounding; `None` when it does not fit.
    #[must_use]
    pub fn amount(
        self,
        cos_phi: u8,
        bill: Decimal,
        places: u8,
        rounding: Rounding,
    ) -> Option<Decimal> {
        let rate = Decimal::try_new(self.adjustment(cos_phi).into(), 4)?;
        Some(bill.checked_mul(rate)?.rounded(places, rounding))
    }
}

#[cfg(test)]
mod tests {
    use super::{Standard, hundredths};

    #[test]
    fn the_printed_table() {
        let row = |standard: Standard, from: u8| (from..=100).map(move |c| standard.adjustment(c));
        let p90 = [0, -15, -30, -45, -60, -75, -75, -75, -75, -75, -75];
        assert!(row(Standard::P90, 90).eq(p90));
        let p85 = [
            0, -10, -20, -30, -40, -50, -65, -80, -95, -110, -110, -110, -110, -110, -110, -110,
        ];
        assert!(row(Standard::P85, 85).eq(p85));
        let p80 = [-90, -100, -115, -130, -130];
        assert!(row(Standard::P80, 89).take(5).eq(p80));
        for (standard, at) in [
            (Standard::P90, 90),
            (Standard::P85, 85),
            (Standard::P80, 80),
        ] {
            let below = [1, 20, 21, 25, 26, 27].map(|steps| standard.adjustment(at - steps));
            assert_eq!(below, [50, 1000, 1100, 1500, 1700, 1900]);
        }
    }

    #[test]
    fn rounds_like_the_exact_quotient() {
        assert_eq!(hundredths(0, 0), 100);
        assert_eq!(hundredths(0, 5), 0);
        assert_eq!(hundredths(u64::MAX, u64::MAX), 71);
        for (p, q) in (0..400_u64).flat_map(|p| [(p, 397), (p * 1_000_003, 131 * 1_000_033)]) {
            let exact = p as f64 / ((p * p) as f64 + q as f64 * q as f64).sqrt() * 100.0;
            assert!(
                (f64::from(hundredths(p, q)) - exact).abs() <= 0.5 + 1e-9,
                "{p} {q}"
            );
        }
    }
}
