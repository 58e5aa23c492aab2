//! The seven-byte address of a frame (section 17.1 of the fact sheet).

use core::fmt;

use nom::Parser;
use nom::bytes::complete::take_while_m_n;
use nom::combinator::all_consuming;

/// What an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// Fourteen decimal digits: one meter. Often ten of number below four of the maker.
    Single,
    /// AA in all bytes: the one meter on the line.
    Wildcard,
    /// 99 in all bytes: every meter, none of which answers.
    Broadcast,
    /// None of these.
    Irregular,
}

/// An address as it stands on the line, low byte first; any seven bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address([u8; 7]);

impl Address {
    /// AA in all bytes: whoever is alone on the line.
    pub const WILDCARD: Address = Address([0xAA; 7]);
    /// 99 in all bytes: all meters, no answer.
    pub const BROADCAST: Address = Address([0x99; 7]);

    /// From the bytes of a frame, A0 first.
    #[must_use]
    pub const fn from_line(bytes: [u8; 7]) -> Self {
        Address(bytes)
    }

    /// The bytes of a frame, A0 first.
    #[must_use]
    pub const fn line(self) -> [u8; 7] {
        self.0
    }

    /// The bytes most significant first.
    #[must_use]
    pub const fn big_endian(self) -> [u8; 7] {
        let [a0, a1, a2, a3, a4, a5, a6] = self.0;
        [a6, a5, a4, a3, a2, a1, a0]
    }

    /// From text: up to 14 decimal digits, filled with zeros at the front.
    ///
    /// # Errors
    /// [`AddressTextError`] with the place of the first character that does not belong.
    pub fn from_digits(text: &str) -> Result<Self, AddressTextError> {
        let digit = |c: char| c.is_ascii_digit();
        let right = || text.bytes().take(14).take_while(u8::is_ascii_digit).count();
        let mut digits = all_consuming(take_while_m_n::<_, _, nom::error::Error<&str>>(
            0, 14, digit,
        ));
        let (_, digits) = digits
            .parse(text)
            .map_err(|_| AddressTextError { position: right() })?;
        let mut bytes = [0_u8; 7];
        for (nth, digit) in digits.bytes().rev().enumerate() {
            if let Some(byte) = bytes.get_mut(nth / 2) {
                *byte |= (digit - b'0') << ((nth % 2) * 4);
            }
        }
        Ok(Address(bytes))
    }

    /// What the address names.
    #[must_use]
    pub fn kind(self) -> AddressKind {
        if self == Self::WILDCARD {
            AddressKind::Wildcard
        } else if self == Self::BROADCAST {
            AddressKind::Broadcast
        } else if self
            .0
            .iter()
            .all(|byte| serial_line::bcd::byte_value(*byte).is_some())
        {
            AddressKind::Single
        } else {
            AddressKind::Irregular
        }
    }

    /// Whether a frame to this address concerns the meter `own`.
    #[must_use]
    pub fn matches(self, own: Address) -> bool {
        self == own || self == Self::WILDCARD || self == Self::BROADCAST
    }
}

/// Most significant digits first, two characters a byte.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.big_endian()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressTextError {
    /// Index of the first character that does not belong.
    pub position: usize,
}

impl fmt::Display for AddressTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an address is up to 14 decimal digits; wrong at character {}",
            self.position
        )
    }
}

impl core::error::Error for AddressTextError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_bytes_low_first() {
        let address = Address::from_digits("78330011223344").unwrap();
        assert_eq!(address.line(), [0x44, 0x33, 0x22, 0x11, 0x00, 0x33, 0x78]);
        assert_eq!(
            Address::from_digits("12a"),
            Err(AddressTextError { position: 2 })
        );
        assert_eq!(
            Address::from_digits("123456789012345"),
            Err(AddressTextError { position: 14 })
        );
        assert!(Address::WILDCARD.matches(address));
        assert!(!address.matches(Address::from_digits("1").unwrap()));
    }
}
