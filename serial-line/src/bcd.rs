//! Packed decimal digits, two per byte, low byte first.

use core::fmt;

/// A nibble above 9 where a decimal digit belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadDigit {
    /// Index of the byte in the field, line order.
    pub position: usize,
    /// The byte found there.
    pub found: u8,
}

impl fmt::Display for BadDigit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "byte {} of the field is {:02X}, not two decimal digits",
            self.position, self.found
        )
    }
}

impl core::error::Error for BadDigit {}

/// A number with more digits than the field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyDigits {
    /// Digits of the field.
    pub digits: usize,
}

impl fmt::Display for TooManyDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the number does not fit into {} digits", self.digits)
    }
}

impl core::error::Error for TooManyDigits {}

/// Value of one packed byte, or `None` if a nibble is above 9.
#[must_use]
#[inline]
pub const fn byte_value(byte: u8) -> Option<u8> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    if high > 9 || low > 9 {
        return None;
    }
    Some(high * 10 + low)
}

/// The packed byte of `value`, or `None` above 99.
#[must_use]
#[inline]
pub const fn byte_of(value: u8) -> Option<u8> {
    if value > 99 {
        return None;
    }
    Some(((value / 10) << 4) | (value % 10))
}

/// Number in a field of at most four bytes (8 digits), low byte first.
///
/// Kept apart from [`decode`]: small cores multiply 32 bits in one instruction and 64 bits in a call.
///
/// # Errors
/// [`BadDigit`] with the lowest position that is not decimal. Bytes after the fourth are a [`BadDigit`] too.
pub fn decode_u32(field: &[u8]) -> Result<u32, BadDigit> {
    if let Some(found) = field.get(4) {
        return Err(BadDigit {
            position: 4,
            found: *found,
        });
    }
    let byte = |nth: usize| field.get(nth).copied().unwrap_or_default();
    let word = u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]);
    word_value(word).ok_or_else(|| bad_digit(field))
}

/// Value of eight packed digits, the low byte their last pair, or `None` if a nibble is above 9.
///
/// All pairs at once: a meter's core takes a third of the instructions that a loop over bytes takes.
#[must_use]
#[inline]
pub const fn word_value(word: u32) -> Option<u32> {
    // A nibble above 9 carries into the next when 6 is added; the carry shows where the sum differs from a sum
    // without carries. The highest nibble has no next and is looked at by the overflow.
    let (sum, overflow) = word.overflowing_add(0x6666_6666);
    if overflow || (sum ^ word ^ 0x6666_6666) & 0x1111_1110 != 0 {
        return None;
    }
    let pairs = word - 6 * ((word >> 4) & 0x0F0F_0F0F);
    let fours = (pairs & 0x00FF_00FF) + 100 * ((pairs >> 8) & 0x00FF_00FF);
    Some((fours & 0xFFFF) + 10_000 * (fours >> 16))
}

#[cold]
fn bad_digit(field: &[u8]) -> BadDigit {
    let bad = |byte: &u8| byte_value(*byte).is_none();
    let position = field.iter().position(bad).unwrap_or_default();
    BadDigit {
        position,
        found: field.get(position).copied().unwrap_or_default(),
    }
}

/// Number in a field of at most nine bytes (18 digits), low byte first.
///
/// # Errors
/// [`BadDigit`] with the lowest position that is not decimal. Bytes after the ninth are a [`BadDigit`] too.
///
/// ```
/// assert_eq!(serial_line::bcd::decode(&[0x56, 0x34, 0x12]), Ok(12_3456));
/// ```
pub fn decode(field: &[u8]) -> Result<u64, BadDigit> {
    if let Some(found) = field.get(9) {
        return Err(BadDigit {
            position: 9,
            found: *found,
        });
    }
    let mut value = 0_u64;
    let mut scale = 1_u64;
    for (position, found) in field.iter().enumerate() {
        let pair = byte_value(*found).ok_or(BadDigit {
            position,
            found: *found,
        })?;
        value += u64::from(pair) * scale;
        scale = scale.wrapping_mul(100);
    }
    Ok(value)
}

/// Writes `value` over the whole of `field`, low byte first, with leading zeros.
///
/// # Errors
/// [`TooManyDigits`] if it does not fit; `field` then holds the low digits.
pub fn encode(value: u64, field: &mut [u8]) -> Result<(), TooManyDigits> {
    let digits = field.len() * 2;
    let mut rest = value;
    for byte in field {
        let pair = (rest % 100) as u8;
        *byte = ((pair / 10) << 4) | (pair % 10);
        rest /= 100;
    }
    if rest == 0 {
        Ok(())
    } else {
        Err(TooManyDigits { digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_there_and_back() {
        for value in [
            0_u64,
            1,
            9,
            10,
            99,
            100,
            12_345_678,
            99_999_999,
            123_456_789_012,
        ] {
            let mut field = [0_u8; 6];
            encode(value, &mut field).unwrap();
            assert_eq!(decode(&field), Ok(value));
            let mut field = [0_u8; 4];
            if value <= 99_999_999 {
                encode(value, &mut field).unwrap();
                assert_eq!(decode_u32(&field), Ok(value as u32));
            } else {
                assert_eq!(encode(value, &mut field), Err(TooManyDigits { digits: 8 }));
            }
        }
    }

    #[test]
    fn words_and_bytes_agree() {
        // A readable slow version beside the fast one: every byte at every place, among others that vary.
        let mut other = 1_u32;
        for place in 0..4 {
            for byte in 0..=255_u8 {
                other = other.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut field = other.to_le_bytes();
                if byte % 3 == 0 {
                    field = field.map(|byte| (byte % 10) | (((byte >> 4) % 10) << 4));
                }
                field[place] = byte;
                let slow = decode(&field);
                assert_eq!(decode_u32(&field).map(u64::from), slow, "{field:02X?}");
                assert_eq!(
                    decode_u32(&field[..place]).map(u64::from),
                    decode(&field[..place])
                );
            }
        }
    }

    #[test]
    fn every_byte_is_two_digits_or_refused() {
        for byte in 0..=255_u8 {
            match byte_value(byte) {
                Some(value) => assert_eq!(byte_of(value), Some(byte)),
                None => assert_eq!(
                    decode(&[0, byte]),
                    Err(BadDigit {
                        position: 1,
                        found: byte
                    })
                ),
            }
        }
        assert_eq!(byte_of(100), None);
        assert_eq!(
            decode(&[0; 10]),
            Err(BadDigit {
                position: 9,
                found: 0
            })
        );
        assert_eq!(decode(&[0x99; 9]), Ok(999_999_999_999_999_999));
    }
}
