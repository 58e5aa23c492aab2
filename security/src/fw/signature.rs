//! Keys that images are signed with, and the arithmetic of their signatures.

use sha2::{Digest, Sha256};

use super::SignatureKind;

/// Length of a signature.
pub const SIGNATURE_LEN: usize = 64;

/// A key that images are signed with. A boot stage holds two, the current and the next, so that the
/// signer can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519: 32 bytes.
    Ed25519([u8; 32]),
    /// ECDSA with P-256: an uncompressed point, 65 bytes.
    #[cfg(feature = "fw-p256")]
    EcdsaP256([u8; 65]),
}

impl PublicKey {
    /// The first bytes of its SHA-256, as a manifest names it.
    pub fn id(&self) -> [u8; 8] {
        let hash = Sha256::digest(self.bytes());
        hash.first_chunk().copied().unwrap_or_default()
    }

    const fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(bytes) => bytes,
            #[cfg(feature = "fw-p256")]
            Self::EcdsaP256(bytes) => bytes,
        }
    }

    pub(super) const fn kind(&self) -> SignatureKind {
        match self {
            Self::Ed25519(_) => SignatureKind::Ed25519,
            #[cfg(feature = "fw-p256")]
            Self::EcdsaP256(_) => SignatureKind::EcdsaP256,
        }
    }

    /// Whether a signature over a message is one of this key.
    #[inline(never)]
    pub fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
        match self {
            Self::Ed25519(key) => {
                let signature = ed25519_compact::Signature::new(*signature);
                ed25519_compact::PublicKey::new(*key)
                    .verify(message, &signature)
                    .is_ok()
            }
            #[cfg(feature = "fw-p256")]
            Self::EcdsaP256(key) => {
                use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
                let key = VerifyingKey::from_sec1_bytes(key);
                let signature = Signature::from_slice(signature);
                matches!((key, signature), (Ok(key), Ok(signature))
                    if key.verify(message, &signature).is_ok())
            }
        }
    }
}
