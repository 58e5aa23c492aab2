//! The Standard Transfer Algorithm (encryption algorithm 07) over tables given by the caller.
//!
//! Sixteen rounds: each nibble of the data goes through one of two substitutions, chosen by the top
//! bit of the key's nibble; bits are permuted; the key turns left by one. Bit 0 and nibble 0 are the
//! least significant.

use super::Cipher;

const ROUNDS: u32 = 16;

/// Two substitutions of nibbles and a permutation of 64 bits, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    forward: [[u8; 16]; 2],
    back: [[u8; 16]; 2],
    /// Bit i goes to place `permutation[i]`.
    permutation: [u8; 64],
}

/// Why tables are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableError {
    /// The substitution (1 or 2) does not give each nibble once.
    Substitution {
        /// 1 or 2.
        table: u8,
    },
    /// The permutation does not fill each of the 64 places once.
    Permutation,
}

impl core::fmt::Display for TableError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            TableError::Substitution { table } => {
                write!(f, "substitution {table} does not give each nibble once")
            }
            TableError::Permutation => f.write_str("the permutation does not fill each place once"),
        }
    }
}

impl core::error::Error for TableError {}

impl Tables {
    /// Checks the three tables.
    ///
    /// # Errors
    /// [`TableError`] when one of them cannot be turned back.
    pub fn try_new(substitution: [[u8; 16]; 2], permutation: [u8; 64]) -> Result<Self, TableError> {
        let mut back = [[0xFF; 16]; 2];
        for ((table, from), to) in (1..).zip(&substitution).zip(&mut back) {
            for (nibble, value) in (0..).zip(from) {
                match to.get_mut(usize::from(*value)) {
                    Some(place) if *place == 0xFF => *place = nibble,
                    _ => return Err(TableError::Substitution { table }),
                }
            }
        }
        let places = permutation.iter().filter(|&&place| place < 64);
        if places.fold(0_u64, |filled, place| filled | 1 << place) != u64::MAX {
            return Err(TableError::Permutation);
        }
        Ok(Tables {
            forward: substitution,
            back,
            permutation,
        })
    }
}

/// The cipher under one decoder key.
#[derive(Clone, Debug)]
pub struct Sta<'a> {
    tables: &'a Tables,
    key: u64,
}

impl<'a> Sta<'a> {
    /// `key` is the decoder key of one meter, its first byte the most significant.
    #[must_use]
    pub const fn new(tables: &'a Tables, key: u64) -> Self {
        Sta { tables, key }
    }

    /// The key of round `round`, from 0.
    const fn round_key(&self, round: u32) -> u64 {
        (!self.key).rotate_right(12).rotate_left(round)
    }
}

fn substitute(tables: &[[u8; 16]; 2], key: u64, data: u64) -> u64 {
    (0..16).fold(0, |out, nibble| {
        let shift = nibble * 4;
        let table = (key >> (shift + 3) & 1) as usize;
        let index = (data >> shift & 0xF) as usize;
        let value = tables.get(table).and_then(|table| table.get(index));
        out | u64::from(value.copied().unwrap_or(0)) << shift
    })
}

impl Cipher for Sta<'_> {
    fn encrypt(&self, block: u64) -> u64 {
        (0..ROUNDS).fold(block, |data, round| {
            let data = substitute(&self.tables.forward, self.round_key(round), data);
            let bits = self.tables.permutation.iter().enumerate();
            bits.fold(0, |out, (from, to)| out | (data >> from & 1) << to)
        })
    }

    fn decrypt(&self, block: u64) -> u64 {
        (0..ROUNDS).rev().fold(block, |data, round| {
            let bits = self.tables.permutation.iter().enumerate();
            let data = bits.fold(0, |out, (from, to)| out | (data >> to & 1) << from);
            substitute(&self.tables.back, self.round_key(round), data)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cipher, Sta, TableError, Tables};

    /// The sample tables that the standard prints; meters in the field have others.
    const SUBSTITUTION: [[u8; 16]; 2] = [
        [12, 10, 8, 4, 3, 15, 0, 2, 14, 1, 5, 13, 6, 9, 7, 11],
        [6, 9, 7, 4, 3, 10, 12, 14, 2, 13, 1, 15, 0, 11, 8, 5],
    ];
    const PERMUTATION: [u8; 64] = [
        29, 27, 34, 9, 16, 62, 55, 2, 40, 49, 38, 25, 33, 61, 30, 23, 1, 41, 21, 57, 42, 15, 5, 58,
        19, 53, 22, 17, 48, 28, 24, 39, 3, 60, 36, 14, 11, 52, 54, 12, 31, 51, 10, 26, 0, 45, 37,
        43, 44, 6, 59, 4, 7, 35, 56, 50, 13, 18, 32, 47, 46, 63, 20, 8,
    ];

    #[test]
    fn the_worked_example_and_back() {
        let tables = Tables::try_new(SUBSTITUTION, PERMUTATION).unwrap();
        let sta = Sta::new(&tables, 0x0ABC_12DE_F345_6789);
        assert_eq!(sta.encrypt(0x0B19_EB23_0100_C207), 0xC45E_D161_9406_DF95);
        for block in [0, 1, u64::MAX, 0x0123_4567_89AB_CDEF] {
            assert_eq!(sta.decrypt(sta.encrypt(block)), block);
        }
    }

    #[test]
    fn tables_that_cannot_be_turned_back_are_refused() {
        let mut twice = SUBSTITUTION;
        twice[1][0] = 9;
        let refused = Err(TableError::Substitution { table: 2 });
        assert_eq!(Tables::try_new(twice, PERMUTATION), refused);
        let mut gap = PERMUTATION;
        gap[63] = 64;
        assert_eq!(
            Tables::try_new(SUBSTITUTION, gap),
            Err(TableError::Permutation)
        );
    }
}
