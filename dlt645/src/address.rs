//! The six-byte address of a frame (section 3 of the fact sheet; DL/T 645-2007 clause 5.2.2).

use core::fmt;

use nom::Parser;
use nom::bytes::complete::take_while_m_n;
use nom::combinator::all_consuming;

/// What an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// Twelve decimal digits: one meter.
    Single,
    /// Low digits given, AA in the bytes above them: every meter whose low digits agree.
    Abbreviated,
    /// AA in all six bytes: the one meter on a point-to-point line.
    Wildcard,
    /// 99 in all six bytes: every meter, none of which answers.
    Broadcast,
    /// None of these; only frames in error or private ones carry it.
    Irregular,
}

/// An address as it stands on the line, low byte first.
///
/// A frame may carry any six bytes, so this type holds any; [`Address::kind`] tells what they mean and
/// [`Address::from_digits`] makes only meaningful ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address([u8; 6]);

impl Address {
    /// AA in all bytes: whoever is alone on the line.
    pub const WILDCARD: Address = Address([0xAA; 6]);
    /// 99 in all bytes: all meters, no answer.
    pub const BROADCAST: Address = Address([0x99; 6]);

    /// From the bytes of a frame, A0 first.
    #[must_use]
    pub const fn from_line(bytes: [u8; 6]) -> Self {
        Address(bytes)
    }

    /// The bytes of a frame, A0 first.
    #[must_use]
    pub const fn line(self) -> [u8; 6] {
        self.0
    }

    /// The bytes most significant first, as on the meter's plate.
    #[must_use]
    pub const fn big_endian(self) -> [u8; 6] {
        let [a0, a1, a2, a3, a4, a5] = self.0;
        [a5, a4, a3, a2, a1, a0]
    }

    /// From bytes most significant first.
    #[must_use]
    pub const fn from_big_endian(bytes: [u8; 6]) -> Self {
        let [a5, a4, a3, a2, a1, a0] = bytes;
        Address([a0, a1, a2, a3, a4, a5])
    }

    /// From text: up to 12 decimal digits, filled with zeros at the front, or 12 characters whose leading pairs are
    /// `AA` (abbreviated or wildcard).
    ///
    /// # Errors
    /// [`AddressTextError`] with the place of the first character that does not belong.
    ///
    /// ```
    /// use dlt645::Address;
    /// assert_eq!(Address::from_digits("123")?.to_string(), "000000000123");
    /// assert_eq!(Address::from_digits("AAAAAAAA2211")?.kind(), dlt645::AddressKind::Abbreviated);
    /// # Ok::<(), dlt645::AddressTextError>(())
    /// ```
    pub fn from_digits(text: &str) -> Result<Self, AddressTextError> {
        let (rest, wild) = wild_pairs(text);
        let length = AddressTextError {
            position: text.len().min(12),
        };
        if wild > 0 && rest.len() + wild * 2 != 12 {
            return Err(length);
        }
        let digits = decimal_digits(rest).map_err(|seen| AddressTextError {
            position: wild * 2 + seen,
        })?;
        let mut bytes = [0_u8; 6];
        for (nth, digit) in digits.bytes().rev().enumerate() {
            let byte = bytes.get_mut(nth / 2).ok_or(length)?;
            *byte |= (digit - b'0') << ((nth % 2) * 4);
        }
        for byte in bytes.iter_mut().rev().take(wild) {
            *byte = 0xAA;
        }
        Ok(Address(bytes))
    }

    /// What the address names.
    #[must_use]
    pub fn kind(self) -> AddressKind {
        if self == Self::WILDCARD {
            return AddressKind::Wildcard;
        }
        if self == Self::BROADCAST {
            return AddressKind::Broadcast;
        }
        let wild = self
            .0
            .iter()
            .rev()
            .take_while(|byte| **byte == 0xAA)
            .count();
        let decimal = |byte: &u8| serial_line::bcd::byte_value(*byte).is_some();
        if !self.0.iter().take(6 - wild).all(decimal) {
            AddressKind::Irregular
        } else if wild > 0 {
            AddressKind::Abbreviated
        } else {
            AddressKind::Single
        }
    }

    /// Whether a frame to this address concerns the meter `own`: equal, wildcard, broadcast, or equal in all bytes
    /// below the AA bytes. Meters accept AA only as whole bytes from A5 downwards.
    #[must_use]
    pub fn matches(self, own: Address) -> bool {
        if self == own {
            return true;
        }
        match self.kind() {
            AddressKind::Wildcard | AddressKind::Broadcast => true,
            AddressKind::Abbreviated => self
                .0
                .iter()
                .zip(own.0)
                .all(|(asked, had)| *asked == 0xAA || *asked == had),
            AddressKind::Single | AddressKind::Irregular => false,
        }
    }

    /// As [`Address::matches`], for the meters that take AA in single nibbles too: the digits from the first A upwards
    /// are any.
    ///
    /// ```
    /// use dlt645::Address;
    /// let own = Address::from_digits("202106000123")?;
    /// assert!(Address::from_line([0x23, 0xA1, 0xAA, 0xAA, 0xAA, 0xAA]).matches_half_bytes(own));
    /// assert!(!Address::from_line([0x23, 0xA2, 0xAA, 0xAA, 0xAA, 0xAA]).matches_half_bytes(own));
    /// # Ok::<(), dlt645::AddressTextError>(())
    /// ```
    #[must_use]
    pub fn matches_half_bytes(self, own: Address) -> bool {
        if self.matches(own) {
            return true;
        }
        let nibbles = |address: Address| {
            address
                .0
                .into_iter()
                .flat_map(|byte| [byte & 0x0F, byte >> 4])
        };
        let mut wild = false;
        nibbles(self).zip(nibbles(own)).all(|(asked, had)| {
            // Digits above an A would be no low end of an address.
            let any = asked == 0x0A;
            let fits = if wild { any } else { any || asked == had };
            wild |= any;
            fits
        })
    }
}

fn wild_pairs(text: &str) -> (&str, usize) {
    let mut rest = text;
    let mut pairs = 0;
    while pairs < 6 {
        let Some(tail) = rest.strip_prefix("AA").or_else(|| rest.strip_prefix("aa")) else {
            break;
        };
        rest = tail;
        pairs += 1;
    }
    (rest, pairs)
}

/// At most 12 decimal digits and nothing else, or the number of characters that were right.
fn decimal_digits(text: &str) -> Result<&str, usize> {
    let right = || text.bytes().take(12).take_while(u8::is_ascii_digit).count();
    let digit = |c: char| c.is_ascii_digit();
    let mut digits = all_consuming(take_while_m_n::<_, _, nom::error::Error<&str>>(
        0, 12, digit,
    ));
    digits
        .parse(text)
        .map(|(_, digits)| digits)
        .map_err(|_| right())
}

/// Most significant digits first, two characters a byte.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.big_endian() {
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl core::str::FromStr for Address {
    type Err = AddressTextError;

    fn from_str(text: &str) -> Result<Self, AddressTextError> {
        if text.is_empty() {
            return Err(AddressTextError { position: 0 });
        }
        Self::from_digits(text)
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
            "an address is up to 12 decimal digits or AA pairs and digits; wrong at character {}",
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
        assert_eq!(
            Address::from_digits("202106000123").unwrap().line(),
            [0x23, 0x01, 0x00, 0x06, 0x21, 0x20]
        );
        assert_eq!(
            Address::from_digits("1").unwrap().line(),
            [1, 0, 0, 0, 0, 0]
        );
        assert_eq!(
            Address::from_digits("AAAAAAAAAAAA").unwrap(),
            Address::WILDCARD
        );
        assert_eq!(
            Address::from_digits("999999999999").unwrap().kind(),
            AddressKind::Broadcast
        );
        assert_eq!(
            Address::from_digits("12x"),
            Err(AddressTextError { position: 2 })
        );
        assert_eq!(
            Address::from_digits("1234567890123"),
            Err(AddressTextError { position: 12 })
        );
        assert_eq!(
            Address::from_digits("AA12"),
            Err(AddressTextError { position: 4 })
        );
        assert_eq!(
            Address::from_digits("AAAAAAAA22x1"),
            Err(AddressTextError { position: 10 })
        );
    }

    #[test]
    fn requests_find_their_meter() {
        let own = Address::from_digits("202106000123").unwrap();
        assert!(own.matches(own));
        assert!(Address::WILDCARD.matches(own));
        assert!(Address::BROADCAST.matches(own));
        assert!(Address::from_digits("AAAAAAAAAA23").unwrap().matches(own));
        assert!(!Address::from_digits("AAAAAAAAAA24").unwrap().matches(own));
        // AA below a digit byte is not an abbreviation.
        assert!(!Address::from_line([0x23, 0xAA, 0x00, 0x06, 0x21, 0x20]).matches(own));
        assert_eq!(
            Address::from_line([0x23, 0xAA, 0x00, 0x06, 0x21, 0x20]).kind(),
            AddressKind::Irregular
        );
    }
}
