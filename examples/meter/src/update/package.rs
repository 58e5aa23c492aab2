//! An image with its manifest and signature, as one file.

use heapless::{String, Vec};
use meter_proto::message::{Activation, FileKind, FileOffer, FileTarget};
use security::fw::{Core, MANIFEST_LEN, Manifest, ManifestError, SIGNATURE_LEN};

use super::BLOCK;

/// Manifest and signature in front of the image, bytes.
pub const PACKAGE_HEAD: usize = MANIFEST_LEN + SIGNATURE_LEN;

/// A signed image: manifest (120 bytes), signature (64 bytes), image.
#[derive(Clone, Copy, Debug)]
pub struct Package<'b> {
    manifest: Manifest,
    head: &'b [u8; PACKAGE_HEAD],
    image: &'b [u8],
}

/// Why bytes are no package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageError {
    /// Shorter than manifest and signature.
    Short {
        /// Bytes given.
        found: usize,
    },
    /// The manifest cannot be read.
    Manifest(ManifestError),
    /// The image has another length than the manifest says.
    Length {
        /// Bytes behind the signature.
        found: usize,
        /// Bytes by the manifest.
        expected: u32,
    },
}

impl core::fmt::Display for PackageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Short { found } => {
                write!(f, "a package begins with {PACKAGE_HEAD} bytes, not {found}")
            }
            Self::Manifest(error) => error.fmt(f),
            Self::Length { found, expected } => {
                write!(
                    f,
                    "the image has {found} bytes, its manifest says {expected}"
                )
            }
        }
    }
}

impl core::error::Error for PackageError {}

impl<'b> Package<'b> {
    /// Reads a package; nothing of it is verified yet.
    ///
    /// # Errors
    /// [`PackageError`], all variants.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, PackageError> {
        let (head, image) = bytes
            .split_first_chunk::<PACKAGE_HEAD>()
            .ok_or(PackageError::Short { found: bytes.len() })?;
        let manifest = head.get(..MANIFEST_LEN).unwrap_or_default();
        let manifest = Manifest::parse(manifest).map_err(PackageError::Manifest)?;
        let expected = manifest.image_len;
        if u32::try_from(image.len()) != Ok(expected) {
            return Err(PackageError::Length {
                found: image.len(),
                expected,
            });
        }
        Ok(Self {
            manifest,
            head,
            image,
        })
    }

    /// The image.
    #[must_use]
    pub const fn image(&self) -> &'b [u8] {
        self.image
    }

    /// What the manifest says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The offer of this image. Its number is taken from the image's hash, so other content has another number.
    #[must_use]
    pub fn offer(&self) -> FileOffer {
        let hash = self.manifest.image_hash;
        let [a, b, c, d, ..] = hash;
        let (manifest, signature) = self.head.split_at(MANIFEST_LEN);
        let (major, minor) = self.manifest.version;
        let mut version = String::new();
        // At most 3 + 3 + 5 digits and two dots.
        let _ = core::fmt::write(
            &mut version,
            format_args!("{major}.{minor}.{}", self.manifest.revision),
        );
        FileOffer {
            number: u32::from_be_bytes([a, b, c, d]),
            file_kind: FileKind::FIRMWARE,
            target: match self.manifest.core {
                Core::Metering => FileTarget::METERING_CORE,
                Core::Management => FileTarget::MANAGEMENT_CORE,
                Core::Modem => FileTarget::MODEM,
                Core::Gateway => FileTarget::DEVICE,
            },
            version,
            size: self.manifest.image_len,
            block_size: BLOCK,
            sha256: hash.into_iter().collect(),
            manifest: Vec::from_slice(manifest).unwrap_or_default(),
            signature: Vec::from_slice(signature).unwrap_or_default(),
            activation: Activation::AT_ONCE,
        }
    }
}
