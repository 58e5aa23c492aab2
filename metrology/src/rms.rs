//! Root mean squares from window sums.

use crate::division::{divided, root, rounded_div};

/// Integer square root, rounded to nearest.
#[must_use]
pub const fn square_root(value: u128) -> u64 {
    let floor = root(value);
    // (floor + 1/2)² = floor² + floor + 1/4: above it the next root is nearer.
    let up = value - floor as u128 * floor as u128 > floor as u128;
    // The root of a 128-bit value fits 64 bits; only rounding up at the very top could leave them.
    floor.saturating_add(up as u64)
}

/// Sums of one channel over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChannelSums {
    /// Sum of samples, with 16 fractional bits.
    pub sum: i64,
    /// Sum of squares.
    pub squares: i64,
}

impl ChannelSums {
    pub const ZERO: Self = Self { sum: 0, squares: 0 };

    /// Alternating mean square in counts², Q32, over `length` samples of Q16, less a noise of counts² Q8.
    ///
    /// variance = (Σx²·N − (Σx)²) / N², everything with 16 fractional bits.
    pub fn variance_q32(&self, length: u64, noise_q8: u32) -> u128 {
        let n = i128::from(length);
        let numerator =
            (i128::from(self.squares) << 16) * n - i128::from(self.sum) * i128::from(self.sum);
        // Rounded down twice by N is rounded down once by N², and N is a word.
        let (numerator, n) = (numerator.max(0).unsigned_abs(), u128::from(length));
        let once = divided(numerator, n);
        let fraction = divided((numerator - once * n) << 32, n);
        divided((once << 32) + fraction, n).saturating_sub(u128::from(noise_q8) << 24)
    }

    /// Mean value less the offset, counts Q16.
    pub fn mean_q16(&self, length: u64, offset: i32) -> i64 {
        let mean = rounded_div(i128::from(self.sum) << 16, i128::from(length)) as i64;
        mean - (i64::from(offset) << 16)
    }
}

/// Root of a mean square (counts² Q32) in millionths of the unit whose count is `nano` billionths.
pub(crate) fn rms_micro(variance_q32: u128, gain_q30: u64, nano: u32) -> u64 {
    root_micro(square_root(variance_q32), gain_q30, nano)
}

/// Root mean square (counts Q16) in millionths of the unit whose count is `nano` billionths.
pub(crate) fn root_micro(root_q16: u64, gain_q30: u64, nano: u32) -> u64 {
    let scaled = (u128::from(root_q16) * u128::from(gain_q30)).saturating_mul(u128::from(nano));
    let micro = (divided(scaled, 1000) + (1 << 45)) >> 46;
    u64::try_from(micro).unwrap_or(u64::MAX)
}

/// Product of two root mean squares (counts Q16) over `length` samples (Q16): apparent energy in raw units.
pub(crate) fn apparent_raw(u_q16: u64, i_q16: u64, gain_q30: u64, length: u64) -> i128 {
    let product_q32 = u128::from(u_q16) * u128::from(i_q16);
    let mean_q30 = product_q32.saturating_mul(gain_q30.into()) >> 32;
    let raw = mean_q30.saturating_mul(length.into()) >> 16;
    i128::try_from(raw).unwrap_or(i128::MAX)
}

/// Mean in millionths of a unit from counts Q16.
pub(crate) fn mean_micro(mean_q16: i64, gain_q30: u64, nano: u32) -> i64 {
    let scaled = i128::from(mean_q16) * i128::from(gain_q30) * i128::from(nano);
    i64::try_from(rounded_div(scaled, 1000 << 46)).unwrap_or(if mean_q16 < 0 {
        i64::MIN
    } else {
        i64::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::square_root;

    #[test]
    fn roots_round_to_nearest() {
        assert_eq!(
            [0, 1, 2, 3, 6, 7, 12, 13].map(square_root),
            [0, 1, 1, 2, 2, 3, 3, 4]
        );
        assert_eq!(square_root(u128::MAX), u64::MAX);
    }
}
