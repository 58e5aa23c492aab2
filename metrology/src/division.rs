//! Long division: exact quotients of 128-bit values from 32-bit divisions.
//!
//! Digit by digit as Knuth's algorithm D (The Art of Computer Programming, 4.3.1): the upper half of a
//! normalised divisor gives each digit at most two too large. The quantities of a window divide nearly always by
//! its length or a power of ten, both words of 32 bits, and a division of 128 by 128 bits that does not use this
//! was most of what a window's end cost.

/// Quotient; zero for a divisor of zero.
///
/// One copy in an image, not one at every use.
#[inline(never)]
pub(crate) const fn divided(value: u128, divisor: u128) -> u128 {
    if divisor == 0 {
        return 0;
    }
    // Common factors of two go first: most divisors here are shifted.
    let shift = divisor.trailing_zeros();
    let (value, divisor) = (value >> shift, divisor >> shift);
    if divisor <= u32::MAX as u128 {
        by_word(value, divisor as u32)
    } else if divisor <= u64::MAX as u128 {
        by_two_words(value, divisor as u64)
    } else {
        value / divisor
    }
}

/// Quotient rounded to nearest, halves away from zero. The divisor is positive; zero gives zero.
#[inline(never)]
pub(crate) const fn rounded_div(value: i128, divisor: i128) -> i128 {
    if divisor <= 0 {
        return 0;
    }
    let (magnitude, divisor) = (value.unsigned_abs(), divisor.unsigned_abs());
    let quotient = divided(magnitude, divisor);
    let rest = magnitude - quotient * divisor;
    let rounded = quotient + (rest >= divisor - divisor / 2) as u128;
    if value < 0 {
        (rounded as i128).wrapping_neg()
    } else {
        rounded as i128
    }
}

/// Quotient by a divisor of one word, not zero.
const fn by_word(value: u128, divisor: u32) -> u128 {
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let over = shifted_out(value, shift);
    let value = value << shift;
    let (high, rest) = if over == 0 && value <= u64::MAX as u128 {
        (0, 0)
    } else {
        words(over, (value >> 64) as u64, divisor)
    };
    let (low, _) = words(rest, value as u64, divisor);
    ((high as u128) << 64) | low as u128
}

/// Quotient by a divisor of more than one word and at most two.
const fn by_two_words(value: u128, divisor: u64) -> u128 {
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let over = shifted_out(value, shift);
    let value = value << shift;
    // The upper two words are less than the divisor, whose topmost bit is set.
    let rest = ((over as u64) << 32) | (value >> 96) as u64;
    let (high, rest) = long_word(rest, (value >> 64) as u32, divisor);
    let (middle, rest) = long_word(rest, (value >> 32) as u32, divisor);
    let (low, _) = long_word(rest, value as u32, divisor);
    ((high as u128) << 64) | ((middle as u128) << 32) | low as u128
}

/// Bits that leave a value shifted left by less than a word.
const fn shifted_out(value: u128, shift: u32) -> u32 {
    ((((value >> 96) as u64) << shift) >> 32) as u32
}

/// Two words of a quotient and what is left: `rest` < `divisor`, whose topmost bit is set.
const fn words(rest: u32, next: u64, divisor: u32) -> (u64, u32) {
    let (high, rest) = word(rest, (next >> 32) as u32, divisor);
    let (low, rest) = word(rest, next as u32, divisor);
    (((high as u64) << 32) | low as u64, rest)
}

/// One word of a quotient and what is left, as [`words`].
const fn word(rest: u32, next: u32, divisor: u32) -> (u32, u32) {
    let (high, rest) = half(rest, next >> 16, divisor);
    let (low, rest) = half(rest, next & 0xFFFF, divisor);
    ((high << 16) | low, rest)
}

/// Half a word of a quotient and what is left, as [`words`]: one division of 32 bits.
#[inline(always)]
const fn half(rest: u32, next: u32, divisor: u32) -> (u32, u32) {
    // The bit is set anyway: told to the compiler, so that it links no panic.
    let (upper, lower) = ((divisor >> 16) | 0x8000, divisor & 0xFFFF);
    let mut quotient = rest / upper;
    let mut left = ((rest - quotient * upper) << 16) | next;
    // At most (2^16 + 1) · (2^16 − 1).
    let product = quotient * lower;
    let mut over = false;
    while !over && left < product {
        quotient -= 1;
        (left, over) = left.overflowing_add(divisor);
    }
    (quotient, left.wrapping_sub(product))
}

/// One word of a quotient by two words and what is left: `rest` < `divisor`, whose topmost bit is set.
const fn long_word(rest: u64, next: u32, divisor: u64) -> (u32, u64) {
    let (upper, lower) = ((divisor >> 32) as u32, divisor as u32);
    let (high, low) = ((rest >> 32) as u32, rest as u32);
    let (mut quotient, left, mut over) = if high < upper {
        let (quotient, left) = word(high, low, upper);
        (quotient, left, false)
    } else {
        let (left, over) = low.overflowing_add(upper);
        (u32::MAX, left, over)
    };
    let product = quotient as u64 * lower as u64;
    let mut left = ((left as u64) << 32) | next as u64;
    while !over && left < product {
        quotient -= 1;
        (left, over) = left.overflowing_add(divisor);
    }
    (quotient, left.wrapping_sub(product))
}

/// Integer square root, rounded down.
///
/// The root of the upper half of the bits gives that half of the root, one division the other half
/// (Zimmermann, Karatsuba square root); the digit comes at most one too large.
pub(crate) const fn root(value: u128) -> u64 {
    if value == 0 {
        return 0;
    }
    // Even, so that half of it can be taken off the root.
    let shift = value.leading_zeros() & !1;
    let value = value << shift;
    let first = ((value >> 96) as u32).isqrt();
    let rest = (value >> 96) as u32 - first * first;
    // The top two bits of the value are not both clear, so the root has its top bit set.
    let numerator = (((rest as u64) << 16) | (value >> 80) as u64 & 0xFFFF) >> 1;
    let second = ((first as u64) << 16) + (numerator as u32 / (first | 0x8000)) as u64;
    let upper = (value >> 64) as u64;
    // A root of 2^32 has a square beyond the 64 bits: it is too large.
    let second = if second > u32::MAX as u64 || second * second > upper {
        second - 1
    } else {
        second
    };
    let rest = upper - second * second;
    let numerator = (((rest as u128) << 32) | (value >> 32) as u32 as u128) >> 1;
    let third = ((second as u128) << 32) + divided(numerator, second as u128);
    let third = if third > u64::MAX as u128 || third * third > value {
        third - 1
    } else {
        third
    };
    third as u64 >> (shift / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    extern crate std;

    /// Values of any length, runs of ones and zeros often: there the estimates of digits are wrong.
    fn any_length() -> impl Strategy<Value = u128> {
        let word = || prop_oneof![2 => any::<u32>(), 1 => Just(0), 1 => Just(u32::MAX), 1 => Just(1 << 31)];
        (word(), word(), word(), word(), 0..128_u32).prop_map(|(a, b, c, d, shift)| {
            let words = [a, b, c, d].map(u128::from);
            words.iter().fold(0, |value, word| value << 32 | word) >> shift
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 4096, failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn quotients_are_those_of_the_language(value in any_length(), divisor in any_length()) {
            prop_assert_eq!(divided(value, divisor), value.checked_div(divisor).unwrap_or(0));
        }

        #[test]
        fn multiples_and_their_neighbours_divide_exactly(
            quotient in any::<u64>(), divisor in 1..=u64::MAX, shift in 0..64_u32,
        ) {
            let (quotient, divisor) = (quotient >> shift, u128::from(divisor));
            let value = u128::from(quotient) * divisor;
            prop_assert_eq!(divided(value, divisor), u128::from(quotient));
            prop_assert_eq!(divided(value + divisor - 1, divisor), u128::from(quotient));
        }

        #[test]
        fn roots_are_those_of_the_language(value in any_length()) {
            prop_assert_eq!(u128::from(root(value)), value.isqrt());
        }

        #[test]
        fn squares_and_their_neighbours_have_exact_roots(x in any::<u64>(), shift in 0..64_u32) {
            let x = x >> shift;
            let square = u128::from(x) * u128::from(x);
            prop_assert_eq!(root(square), x);
            prop_assert_eq!(root(square + 2 * u128::from(x)), x);
            prop_assert_eq!(root(square.saturating_sub(1)), x.saturating_sub(1));
        }
    }

    #[test]
    fn division_rounds_to_nearest() {
        assert_eq!(
            [7, 8, -7, -8, 5].map(|v| rounded_div(v, 5)),
            [1, 2, -1, -2, 1]
        );
        assert_eq!([1, 2, 3, -2].map(|v| rounded_div(v, 4)), [0, 1, 1, -1]);
    }
}
