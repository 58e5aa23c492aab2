//! What a meter says when it refuses (section 5 of the fact sheet).

use core::fmt;

use crate::message::Edition;

/// ERR of a 2007 answer with the error bit: one byte, several bits may be set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Err645(pub u8);

impl Err645 {
    /// Bit 0: other error.
    pub const OTHER: Err645 = Err645(0x01);
    /// Bit 1: no requested data.
    pub const NO_DATA: Err645 = Err645(0x02);
    /// Bit 2: wrong password, not authorised, or not writable.
    pub const NOT_AUTHORISED: Err645 = Err645(0x04);
    /// Bit 3: the rate cannot be changed.
    pub const RATE: Err645 = Err645(0x08);
    /// Bit 4: too many year zones.
    pub const ZONES: Err645 = Err645(0x10);
    /// Bit 5: too many day slots.
    pub const SLOTS: Err645 = Err645(0x20);
    /// Bit 6: too many tariffs.
    pub const TARIFFS: Err645 = Err645(0x40);
    /// Bit 7: reserved.
    pub const RESERVED: Err645 = Err645(0x80);

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Err645(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Numbers of the set bits, lowest first.
    pub fn bits(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |bit| self.0 >> bit & 1 != 0)
    }
}

const ERR_TEXT: [&str; 8] = [
    "other error",
    "no requested data",
    "wrong password or not authorised",
    "rate cannot be changed",
    "too many year zones",
    "too many day slots",
    "too many tariffs",
    "reserved",
];

const ERR_TEXT_1997: [&str; 8] = [
    "illegal data",
    "unknown identifier",
    "wrong password",
    "reserved",
    "too many year zones",
    "too many day slots",
    "too many tariffs",
    "reserved",
];

impl Err645 {
    /// 1997, bit 0: illegal data.
    pub const ILLEGAL_1997: Err645 = Err645(0x01);
    /// 1997, bit 1: unknown identifier.
    pub const UNKNOWN_ID_1997: Err645 = Err645(0x02);
    /// 1997, bit 2: wrong password.
    pub const PASSWORD_1997: Err645 = Err645(0x04);

    /// What a bit, 0 to 7, means in `edition`.
    #[must_use]
    pub fn bit_name(bit: u8, edition: Edition) -> &'static str {
        let texts = match edition {
            Edition::V2007 => &ERR_TEXT,
            Edition::V1997 => &ERR_TEXT_1997,
        };
        texts.get(usize::from(bit)).copied().unwrap_or("reserved")
    }
}

/// With the meanings of 2007; [`Err645::bit_name`] has those of 1997.
impl fmt::Display for Err645 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the meter refuses (ERR {:02X})", self.0)?;
        list(f, self.bits(), &ERR_TEXT)
    }
}

impl fmt::Debug for Err645 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Err645({:02X})", self.0)
    }
}

impl core::error::Error for Err645 {}

/// SERR of an answer C3: two bytes, several bits may be set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SecurityErr(pub u16);

impl SecurityErr {
    /// Bit 0: other error.
    pub const OTHER: SecurityErr = SecurityErr(0x0001);
    /// Bit 1: this recharge was made before.
    pub const REPEATED_RECHARGE: SecurityErr = SecurityErr(0x0002);
    /// Bit 2: the security chip did not verify the message.
    pub const VERIFICATION: SecurityErr = SecurityErr(0x0004);
    /// Bit 3: identity authentication failed or expired.
    pub const AUTHENTICATION: SecurityErr = SecurityErr(0x0008);
    /// Bit 4: the customer number is another one.
    pub const CUSTOMER: SecurityErr = SecurityErr(0x0010);
    /// Bit 5: the recharge count is wrong.
    pub const RECHARGE_COUNT: SecurityErr = SecurityErr(0x0020);
    /// Bit 6: the purchase is above the hoard limit.
    pub const HOARD_LIMIT: SecurityErr = SecurityErr(0x0040);
    /// Bit 7: flash address error in one firmware, else reserved.
    pub const FLASH_ADDRESS: SecurityErr = SecurityErr(0x0080);
    /// Bit 8: remote control is suspended or the key locked.
    pub const SUSPENDED: SecurityErr = SecurityErr(0x0100);
    /// Bit 15: wrong password on a set command, in one firmware.
    pub const PASSWORD: SecurityErr = SecurityErr(0x8000);

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        SecurityErr(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What a bit, 0 to 15, means.
    #[must_use]
    pub fn bit_name(bit: u8) -> &'static str {
        SERR_TEXT
            .get(usize::from(bit))
            .copied()
            .unwrap_or("reserved")
    }

    /// Numbers of the set bits, lowest first.
    pub fn bits(self) -> impl Iterator<Item = u8> {
        (0..16).filter(move |bit| self.0 >> bit & 1 != 0)
    }
}

const SERR_TEXT: [&str; 16] = [
    "other error",
    "repeated recharge",
    "security chip verification failed",
    "identity authentication failed or expired",
    "customer number does not match",
    "recharge count wrong",
    "purchase above the hoard limit",
    "flash address error",
    "remote control suspended or key locked",
    "reserved",
    "reserved",
    "reserved",
    "reserved",
    "reserved",
    "reserved",
    "wrong password",
];

impl fmt::Display for SecurityErr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the meter refuses (SERR {:04X})", self.0)?;
        list(f, self.bits(), &SERR_TEXT)
    }
}

impl fmt::Debug for SecurityErr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecurityErr({:04X})", self.0)
    }
}

impl core::error::Error for SecurityErr {}

fn list(f: &mut fmt::Formatter<'_>, bits: impl Iterator<Item = u8>, texts: &[&str]) -> fmt::Result {
    let mut separator = ": ";
    for bit in bits {
        write!(
            f,
            "{separator}{}",
            texts.get(usize::from(bit)).unwrap_or(&"reserved")
        )?;
        separator = ", ";
    }
    Ok(())
}
