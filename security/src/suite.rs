//! Cipher suites of the envelope.

/// What protects an envelope: the low nibble of its first byte.
///
/// The wire format also numbers 2 (AES-128-GCM), 4 (ChaCha20-Poly1305) and 5 (SM4-GCM); this build
/// does not offer them and refuses them like any unknown number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Suite {
    /// AES-128-CCM with a tag of 16 bytes: every party has it.
    Ccm16 = 1,
    /// AES-128-CCM with a tag of 8 bytes, for serial lines and the link between the cores.
    Ccm8 = 3,
}

impl Suite {
    /// The suite of a number, if this build offers it.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ccm16),
            3 => Some(Self::Ccm8),
            _ => None,
        }
    }

    /// The number in the envelope's first byte, 0 to 15.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Length of the tag in bytes.
    pub const fn tag_len(self) -> usize {
        match self {
            Self::Ccm16 => 16,
            Self::Ccm8 => 8,
        }
    }
}
