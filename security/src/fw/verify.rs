//! The verification of an image, by the loader before it marks a slot and by the boot stage before
//! every start.

use core::fmt;

use sha2::{Digest, Sha256};

use super::{
    Admission, MANIFEST_LEN, Manifest, ManifestError, NotAdmitted, PublicKey, SIGNATURE_LEN,
};
use crate::ct;
use crate::gate::Verified;

/// Bytes read from flash at a time.
const PIECE: usize = 256;

/// Reads a slot.
pub trait FlashRead {
    /// Fills `buf` from `offset` of the slot on.
    ///
    /// # Errors
    /// `Err(())` has no more to say than that the bytes are not there.
    #[expect(
        clippy::result_unit_err,
        reason = "a flash driver's error means nothing here"
    )]
    fn read(&mut self, offset: u32, buf: &mut [u8]) -> Result<(), ()>;
}

impl<F: FnMut(u32, &mut [u8]) -> Result<(), ()>> FlashRead for F {
    fn read(&mut self, offset: u32, buf: &mut [u8]) -> Result<(), ()> {
        self(offset, buf)
    }
}

/// Verifies an image as it lies in flash: manifest, admission, hash of what is read back, signature.
///
/// One look: a boot stage takes two of them, through [`super::BootState::decide`].
///
/// # Errors
/// [`VerifyError`], all variants.
pub fn verify(
    manifest: &[u8],
    signature: &[u8; SIGNATURE_LEN],
    device: &Admission,
    keys: &[PublicKey],
    slot: &mut impl FlashRead,
) -> Result<Verified<Manifest>, VerifyError> {
    let parsed = Manifest::parse(manifest).map_err(VerifyError::Manifest)?;
    parsed.admit(device).map_err(VerifyError::NotAdmitted)?;
    let key = keys
        .iter()
        .find(|key| key.id() == parsed.key_id && key.kind() == parsed.signature)
        .ok_or(VerifyError::UnknownKey)?;
    let bytes: &[u8; MANIFEST_LEN] = manifest.try_into().map_err(|_| VerifyError::Signature)?;

    if !key.verifies(bytes, signature) {
        return Err(VerifyError::Signature);
    }
    let hash = image_hash(parsed.image_len, slot)?;
    if !ct::same(&hash, &parsed.image_hash) {
        return Err(VerifyError::ImageHash);
    }
    Ok(Verified::new(parsed))
}

/// SHA-256 over the first `len` bytes of a slot.
fn image_hash(len: u32, slot: &mut impl FlashRead) -> Result<[u8; 32], VerifyError> {
    let mut hash = Sha256::new();
    let mut piece = [0; PIECE];
    let mut at = 0_u32;
    while at < len {
        let left = usize::try_from(len.saturating_sub(at)).unwrap_or(PIECE);
        let buf = piece.get_mut(..left.min(PIECE)).unwrap_or_default();
        slot.read(at, buf).map_err(|()| VerifyError::Flash { at })?;
        hash.update(&*buf);
        at = at.saturating_add(PIECE as u32);
    }
    Ok(hash.finalize().into())
}

/// Why an image may not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The manifest is malformed.
    Manifest(ManifestError),
    /// The image is not for this device.
    NotAdmitted(NotAdmitted),
    /// No trusted key has the identity and kind that the manifest names.
    UnknownKey,
    /// The slot could not be read.
    Flash {
        /// Where.
        at: u32,
    },
    /// What lies in flash is not the image of the manifest.
    ImageHash,
    /// The signature is not one of the key.
    Signature,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(error) => error.fmt(f),
            Self::NotAdmitted(error) => error.fmt(f),
            Self::UnknownKey => f.write_str("the signer is not trusted"),
            Self::Flash { at } => write!(f, "the slot cannot be read at {at}"),
            Self::ImageHash => f.write_str("the flash does not hold the image of the manifest"),
            Self::Signature => f.write_str("the signature is wrong"),
        }
    }
}

impl core::error::Error for VerifyError {}
