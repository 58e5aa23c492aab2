//! Cipher suites of the envelope.

use crate::engine::BlockCipher;

/// What protects an envelope: the low nibble of its first byte. A build offers those whose features
/// it has and refuses the others like any unknown number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Suite {
    /// AES-128-CCM with a tag of 16 bytes: every party has it.
    Ccm16 = 1,
    /// AES-128-GCM with a tag of 16 bytes.
    #[cfg(feature = "gcm")]
    Gcm16 = 2,
    /// AES-128-CCM with a tag of 8 bytes, for serial lines and the link between the cores.
    Ccm8 = 3,
    /// ChaCha20-Poly1305: the only suite with a key of 256 bits.
    #[cfg(feature = "chacha")]
    ChaCha20Poly1305 = 4,
    /// SM4-GCM with a tag of 16 bytes.
    #[cfg(all(feature = "gcm", feature = "sm4"))]
    Sm4Gcm = 5,
}

/// The cipher under a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cipher {
    Ccm(BlockCipher),
    #[cfg(feature = "gcm")]
    Gcm(BlockCipher),
    #[cfg(feature = "chacha")]
    ChaCha,
}

impl Suite {
    /// Every suite of this build, in the order of the numbers.
    pub const ALL: &'static [Self] = &[
        Self::Ccm16,
        #[cfg(feature = "gcm")]
        Self::Gcm16,
        Self::Ccm8,
        #[cfg(feature = "chacha")]
        Self::ChaCha20Poly1305,
        #[cfg(all(feature = "gcm", feature = "sm4"))]
        Self::Sm4Gcm,
    ];

    /// The suite of a number, if this build offers it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|suite| suite.number() == number)
    }

    /// The number in the envelope's first byte, 1 to 5.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Length of the tag in bytes.
    pub const fn tag_len(self) -> usize {
        match self {
            Self::Ccm8 => 8,
            _ => 16,
        }
    }

    /// Length of the key in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            #[cfg(feature = "chacha")]
            Self::ChaCha20Poly1305 => 32,
            _ => 16,
        }
    }

    pub(crate) const fn cipher(self) -> Cipher {
        match self {
            Self::Ccm16 | Self::Ccm8 => Cipher::Ccm(BlockCipher::Aes128),
            #[cfg(feature = "gcm")]
            Self::Gcm16 => Cipher::Gcm(BlockCipher::Aes128),
            #[cfg(feature = "chacha")]
            Self::ChaCha20Poly1305 => Cipher::ChaCha,
            #[cfg(all(feature = "gcm", feature = "sm4"))]
            Self::Sm4Gcm => Cipher::Gcm(BlockCipher::Sm4),
        }
    }
}
