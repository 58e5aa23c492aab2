//! Prepayment tokens of 20 digits (STS, IEC 62055-41): what a vending office prints and a meter's
//! keypad takes.
//!
//! ```text
//! class 2 │ subclass 4 │ contents 44 │ CRC 16        66 bits
//!         └──── 64-bit block, enciphered ────┘
//! the class goes to bits 28 and 27, the cipher bits found there to 65 and 64; 20 decimal digits
//! ```
//!
//! The cipher is a [`Cipher`] of the caller; [`sta`] has the older one of the standard over tables
//! that the caller brings too, since the tables of meters in the field are licensed.
//!
//! ```
//! use tariff::sts::{Cipher, Contents, Credit, Tid, Token, Transfer};
//!
//! struct Turn; // stands for a real cipher
//! impl Cipher for Turn {
//!     fn encrypt(&self, block: u64) -> u64 { block.rotate_left(13) }
//!     fn decrypt(&self, block: u64) -> u64 { block.rotate_right(13) }
//! }
//!
//! let credit = Credit {
//!     subclass: 0,
//!     random: 11,
//!     tid: Tid::from_minutes(1_698_595).unwrap(),
//!     amount: Transfer::for_amount(256).unwrap(), // 25.6 kWh
//! };
//! let token = Token::encode(&Contents::Credit(credit), &Turn)?;
//! let typed = Token::from_digits(&token.digits())?;
//! assert_eq!(typed.decode(&Turn)?, Contents::Credit(credit));
//! # Ok::<(), tariff::sts::TokenError>(())
//! ```

mod contents;
pub mod sta;
mod tid;

use crc::{CRC_16_MODBUS, Crc, NoTable};

pub use contents::{Contents, Credit, Management};
pub use tid::{Base, SpentTids, Tid, TidRefusal};

/// Reflected 0x8005 from FFFF: the check of the standard, sent low byte first.
const CRC: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_16_MODBUS);
/// The lower of the two places where the class bits hide.
const CLASS_PLACE: u32 = 27;

/// A block cipher of 64 bits under the key of one meter (STA, or MISTY1 of newer meters).
pub trait Cipher {
    /// Enciphers a block.
    fn encrypt(&self, block: u64) -> u64;
    /// Deciphers a block.
    fn decrypt(&self, block: u64) -> u64;
}

/// An amount as its 16 bits: two of exponent, 14 of mantissa.
///
/// Units are 0.1 kWh, m³ or minutes, and 0.00001 of the currency for subclasses 4 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer(u16);

impl Transfer {
    /// First amount of each exponent.
    const START: [u32; 4] = [0, 16_384, 180_224, 1_818_624];
    const STEP: [u32; 4] = [1, 10, 100, 1000];
    /// The largest amount that can be sent: 18 201 624.
    pub const MAX: u32 = Self::START[3] + 0x3FFF * Self::STEP[3];

    /// The smallest amount that can be sent and is not below `amount`: rounded in favour of the
    /// buyer. `None` above [`Transfer::MAX`].
    #[must_use]
    pub fn for_amount(amount: u32) -> Option<Self> {
        if amount > Self::MAX {
            return None;
        }
        // The gap behind the last mantissa of an exponent belongs to the next exponent's first.
        let exponent = Self::START
            .iter()
            .rposition(|&start| start <= amount)
            .unwrap_or(0);
        let (start, step) = (
            Self::START.get(exponent).copied()?,
            Self::STEP.get(exponent).copied()?,
        );
        let mantissa = (amount - start).div_ceil(step);
        let bits = (exponent as u32) << 14;
        // A mantissa of 2^14 carries into the exponent: 2^14 · step is where that one starts.
        u16::try_from(bits + mantissa).ok().map(Transfer)
    }

    /// From the 16 bits of a token; all of them mean an amount.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Transfer(bits)
    }

    /// The 16 bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The amount that the meter credits.
    #[must_use]
    pub fn amount(self) -> u32 {
        let exponent = usize::from(self.0 >> 14);
        let mantissa = u32::from(self.0 & 0x3FFF);
        let start = Self::START.get(exponent).copied().unwrap_or(0);
        start + mantissa * Self::STEP.get(exponent).copied().unwrap_or(0)
    }
}

/// Why a token is refused before it means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Not 20 decimal digits; the position of the first wrong character, or the length.
    Digits {
        /// Position from 0.
        position: usize,
    },
    /// The digits stand for more than 66 bits.
    Range,
    /// The check value is wrong: mistyped, or meant for another meter.
    Crc,
    /// A field of the contents does not fit its bits.
    Field {
        /// The field.
        name: &'static str,
    },
}

impl core::fmt::Display for TokenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            TokenError::Digits { position } => {
                write!(f, "a token has 20 digits; character {position} is none")
            }
            TokenError::Range => f.write_str("the digits stand for more than 66 bits"),
            TokenError::Crc => f.write_str("the check value of the token is wrong"),
            TokenError::Field { name } => write!(f, "{name} does not fit its bits"),
        }
    }
}

impl core::error::Error for TokenError {}

/// A token as it is typed: 66 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(u128);

impl Token {
    /// Enciphers and numbers. Class 1 stays in the clear.
    ///
    /// # Errors
    /// [`TokenError::Field`] when a field is wider than its bits.
    pub fn encode(contents: &Contents, cipher: &impl Cipher) -> Result<Self, TokenError> {
        let (class, subclass, bits) = contents.pack()?;
        let block = data_block(class, subclass, bits);
        let block = if class == 1 {
            block
        } else {
            cipher.encrypt(block)
        };
        Ok(Token(transpose(
            u128::from(class) << 64 | u128::from(block),
        )))
    }

    /// Deciphers and checks.
    ///
    /// # Errors
    /// [`TokenError::Crc`].
    pub fn decode(self, cipher: &impl Cipher) -> Result<Contents, TokenError> {
        let plain = transpose(self.0);
        let class = (plain >> 64) as u8;
        let block = if class == 1 {
            plain as u64
        } else {
            cipher.decrypt(plain as u64)
        };
        let subclass = (block >> 60) as u8;
        let bits = block >> 16 & ((1 << 44) - 1);
        if data_block(class, subclass, bits) != block {
            return Err(TokenError::Crc);
        }
        Ok(Contents::unpack(class, subclass, bits))
    }

    /// From 20 digits; spaces and hyphens between them are skipped.
    ///
    /// # Errors
    /// [`TokenError::Digits`] or [`TokenError::Range`].
    pub fn from_digits(text: &str) -> Result<Self, TokenError> {
        let (mut value, mut count) = (0_u128, 0);
        for (position, character) in text.bytes().enumerate() {
            match character {
                b'0'..=b'9' if count < 20 => {
                    value = value * 10 + u128::from(character - b'0');
                    count += 1;
                }
                b' ' | b'-' => {}
                _ => return Err(TokenError::Digits { position }),
            }
        }
        if count < 20 {
            let position = text.len();
            return Err(TokenError::Digits { position });
        }
        Self::from_bits(value)
    }

    /// From 66 bits, as a token carrier other than a keypad brings them.
    ///
    /// # Errors
    /// [`TokenError::Range`].
    pub const fn from_bits(bits: u128) -> Result<Self, TokenError> {
        if bits >> 66 == 0 {
            Ok(Token(bits))
        } else {
            Err(TokenError::Range)
        }
    }

    /// The 66 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// The 64-bit block as it travels, the cipher bits under the class put back.
    #[must_use]
    pub const fn data_block(self) -> u64 {
        transpose(self.0) as u64
    }

    /// The 20 digits.
    #[must_use]
    pub fn digits(self) -> heapless::String<20> {
        let mut text = heapless::String::new();
        // 2^66 has 20 digits: a string of 20 always takes them.
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("{:020}", self.0));
        text
    }
}

/// Subclass, contents and CRC: the CRC covers class to contents, right-aligned in 7 bytes; credit in
/// currency adds a byte 01 (CRC_C), so that older meters refuse it.
fn data_block(class: u8, subclass: u8, bits: u64) -> u64 {
    let covered = u64::from(class) << 48 | u64::from(subclass) << 44 | bits;
    let bytes = covered.to_be_bytes();
    let mut digest = CRC.digest();
    digest.update(bytes.get(1..).unwrap_or(&[]));
    if class == 0 && (4..=7).contains(&subclass) {
        digest.update(&[1]);
    }
    let crc = digest.finalize().swap_bytes();
    covered << 16 | u64::from(crc)
}

/// Swaps the class bits and the two cipher bits; its own inverse.
const fn transpose(bits: u128) -> u128 {
    let class = bits >> 64 & 3;
    let hidden = bits >> CLASS_PLACE & 3;
    let rest = bits & !(3 << 64) & !(3 << CLASS_PLACE);
    rest | hidden << 64 | class << CLASS_PLACE
}

#[cfg(test)]
mod tests {
    use super::{Cipher, Contents, Credit, Management, Tid, Token, TokenError, Transfer};

    struct Turn;
    impl Cipher for Turn {
        fn encrypt(&self, block: u64) -> u64 {
            block.rotate_left(13) ^ 0x0123_4567_89AB_CDEF
        }
        fn decrypt(&self, block: u64) -> u64 {
            (block ^ 0x0123_4567_89AB_CDEF).rotate_right(13)
        }
    }

    #[test]
    fn amounts_are_never_below_what_was_paid_and_the_least_such() {
        for amount in (0..200_000).chain([1_818_623, 1_818_624, 1_818_625, Transfer::MAX]) {
            let sent = Transfer::for_amount(amount).unwrap();
            assert!(sent.amount() >= amount);
            if let Some(below) = sent.bits().checked_sub(1) {
                assert!(Transfer::from_bits(below).amount() < amount);
            }
        }
        assert_eq!(Transfer::for_amount(Transfer::MAX + 1), None);
        let all = (0..=u16::MAX).map(Transfer::from_bits);
        assert!(
            all.clone()
                .zip(all.skip(1))
                .all(|(a, b)| a.amount() < b.amount())
        );
    }

    #[test]
    fn every_kind_there_and_back() {
        let tid = Tid::from_minutes(0xAB_CDEF).unwrap();
        let kinds = [
            Contents::Credit(Credit {
                subclass: 5,
                random: 15,
                tid,
                amount: Transfer::from_bits(0xC001),
            }),
            Contents::Management(Management {
                subclass: 7,
                random: 1,
                tid,
                value: 0x1234,
            }),
            Contents::Test {
                subclass: 0,
                control: (1 << 36) - 1,
                manufacturer: 0x42,
            },
            Contents::Test {
                subclass: 1,
                control: 5,
                manufacturer: 0x4242,
            },
            Contents::KeyHigh {
                expiry_high: 15,
                revision: 9,
                roll_over: true,
                key_type: 2,
                half: 0xDEAD_BEEF,
            },
            Contents::KeyLow {
                expiry_low: 15,
                tariff: 7,
                half: 0x0BAD_CAFE,
            },
            Contents::Other {
                class: 3,
                subclass: 12,
                bits: (1 << 44) - 1,
            },
        ];
        for contents in kinds {
            let token = Token::encode(&contents, &Turn).unwrap();
            assert_eq!(Token::from_digits(&token.digits()), Ok(token));
            assert_eq!(token.decode(&Turn), Ok(contents));
            for bit in 0..66 {
                let wrong = Token::from_bits(token.bits() ^ (1 << bit)).unwrap();
                assert_ne!(wrong.decode(&Turn), Ok(contents), "bit {bit}");
            }
        }
    }

    #[test]
    fn wide_fields_and_wrong_digits_are_refused() {
        let wide = Contents::Test {
            subclass: 0,
            control: 1 << 36,
            manufacturer: 1,
        };
        let refused = Err(TokenError::Field { name: "control" });
        assert_eq!(Token::encode(&wide, &Turn), refused);
        let position = |text| Token::from_digits(text);
        assert_eq!(position("123"), Err(TokenError::Digits { position: 3 }));
        assert_eq!(
            position("0000 0000 0000 0000 000x"),
            Err(TokenError::Digits { position: 23 })
        );
        assert_eq!(position("73786976294838206464"), Err(TokenError::Range));
        assert!(position("7378-6976-2948-3820-6463").is_ok());
    }
}
