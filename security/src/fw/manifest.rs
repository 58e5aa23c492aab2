//! The manifest: 120 bytes of fixed layout, so that its reader can be proved.

use core::fmt;

use crate::engine::fill;

/// Length of a manifest; the signature follows it.
pub const MANIFEST_LEN: usize = 120;

const MAGIC: [u8; 4] = *b"MFW1";
const FLAG_DELTA: u8 = 1;
const FLAG_ENCRYPTED: u8 = 2;

/// Which processor an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Core {
    /// The metering core: never a target over the air, whoever signed.
    Metering = 1,
    /// The management core.
    Management = 2,
    /// A modem.
    Modem = 3,
    /// A gateway.
    Gateway = 4,
}

/// How a manifest is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SignatureKind {
    /// Ed25519 over the 120 bytes.
    Ed25519 = 1,
    /// ECDSA with P-256 and SHA-256 over the 120 bytes; `r` and `s`, 32 bytes each.
    EcdsaP256 = 2,
}

/// What a manifest says. Numbers stand most significant byte first on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// How it is signed.
    pub signature: SignatureKind,
    /// Which processor the image is for.
    pub core: Core,
    /// The chunks are a patch against the base image.
    pub delta: bool,
    /// The chunks are encrypted; the hashes are those of the plain image.
    pub encrypted: bool,
    /// Hardware model.
    pub hardware: u16,
    /// Security counter: an image below the stored one never starts.
    pub security_counter: u32,
    /// Version: major, minor.
    pub version: (u8, u8),
    /// Revision within the version.
    pub revision: u16,
    /// Build number.
    pub build: u32,
    /// Length of the final image in bytes.
    pub image_len: u32,
    /// Bytes of a chunk, the last one excepted.
    pub chunk_len: u16,
    /// SHA-256 of the final image.
    pub image_hash: [u8; 32],
    /// SHA-256 of the base image; zero unless `delta`.
    pub base_hash: [u8; 32],
    /// The legal software it works with; zero for any.
    pub legal_software: [u8; 8],
    /// First bytes of the SHA-256 of the signer's public key.
    pub key_id: [u8; 8],
}

impl Manifest {
    /// Reads 120 bytes. Nothing in them is proved yet.
    ///
    /// # Errors
    /// [`ManifestError`], all variants.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let all: &[u8; MANIFEST_LEN] = bytes
            .try_into()
            .map_err(|_| ManifestError::Length { found: bytes.len() })?;
        let mut at = Reader { rest: all, at: 0 };
        at.expect(&MAGIC)?;
        at.expect(&(MANIFEST_LEN as u16).to_be_bytes())?;
        at.expect(&[1])?;
        let [kind, core, flags] = at.take();
        let signature = match kind {
            1 => SignatureKind::Ed25519,
            2 => SignatureKind::EcdsaP256,
            found => return Err(ManifestError::Field { at: 7, found }),
        };
        let core = match core {
            1 => Core::Metering,
            2 => Core::Management,
            3 => Core::Modem,
            4 => Core::Gateway,
            found => return Err(ManifestError::Field { at: 8, found }),
        };
        if flags & !(FLAG_DELTA | FLAG_ENCRYPTED) != 0 {
            return Err(ManifestError::Field {
                at: 9,
                found: flags,
            });
        }
        let hardware = u16::from_be_bytes(at.take());
        let security_counter = u32::from_be_bytes(at.take());
        let [major, minor] = at.take();
        let revision = u16::from_be_bytes(at.take());
        let build = u32::from_be_bytes(at.take());
        let image_len = u32::from_be_bytes(at.take());
        let chunk_len = u16::from_be_bytes(at.take());
        if image_len == 0 {
            return Err(ManifestError::Field { at: 24, found: 0 });
        }
        if chunk_len == 0 {
            return Err(ManifestError::Field { at: 28, found: 0 });
        }
        at.expect(&[0, 0])?;
        let image_hash = at.take();
        let delta = flags & FLAG_DELTA != 0;
        let base_hash: [u8; 32] = if delta {
            at.take()
        } else {
            at.expect(&[0; 32])?;
            [0; 32]
        };
        let legal_software = at.take();
        let key_id = at.take();
        at.expect(&[0; 8])?;
        Ok(Self {
            signature,
            core,
            delta,
            encrypted: flags & FLAG_ENCRYPTED != 0,
            hardware,
            security_counter,
            version: (major, minor),
            revision,
            build,
            image_len,
            chunk_len,
            image_hash,
            base_hash,
            legal_software,
            key_id,
        })
    }

    /// The manifest as bytes, to be signed.
    pub fn encode(&self) -> [u8; MANIFEST_LEN] {
        let mut out = [0; MANIFEST_LEN];
        let flags =
            (u8::from(self.delta) * FLAG_DELTA) | (u8::from(self.encrypted) * FLAG_ENCRYPTED);
        let (major, minor) = self.version;
        let base_hash = if self.delta { self.base_hash } else { [0; 32] };
        fill(
            &mut out,
            &[
                &MAGIC,
                &(MANIFEST_LEN as u16).to_be_bytes(),
                &[1, self.signature as u8, self.core as u8, flags],
                &self.hardware.to_be_bytes(),
                &self.security_counter.to_be_bytes(),
                &[major, minor],
                &self.revision.to_be_bytes(),
                &self.build.to_be_bytes(),
                &self.image_len.to_be_bytes(),
                &self.chunk_len.to_be_bytes(),
                &[0, 0],
                &self.image_hash,
                &base_hash,
                &self.legal_software,
                &self.key_id,
            ],
        );
        out
    }

    /// Chunks of the final image.
    pub const fn chunks(&self) -> u32 {
        // A chunk of no bytes is refused by `parse`; one that was put here by hand counts as one byte.
        let len = if self.chunk_len == 0 {
            1
        } else {
            self.chunk_len as u32
        };
        self.image_len.div_ceil(len)
    }

    /// Whether the image may be loaded into the device at all: asked before the first chunk, and again
    /// by [`super::verify`].
    ///
    /// # Errors
    /// [`NotAdmitted`], in the order of its variants.
    pub fn admit(&self, device: &Admission) -> Result<(), NotAdmitted> {
        if self.core == Core::Metering {
            return Err(NotAdmitted::MeteringCore);
        }
        if self.core != device.core {
            return Err(NotAdmitted::OtherCore);
        }
        if self.hardware != device.hardware {
            return Err(NotAdmitted::OtherHardware {
                found: self.hardware,
                expected: device.hardware,
            });
        }
        if self.security_counter < device.security_counter {
            return Err(NotAdmitted::Rollback {
                found: self.security_counter,
                least: device.security_counter,
            });
        }
        if self.legal_software != [0; 8] && self.legal_software != device.legal_software {
            return Err(NotAdmitted::OtherLegalSoftware);
        }
        if self.image_len > device.slot_len {
            return Err(NotAdmitted::TooLong {
                found: self.image_len,
                most: device.slot_len,
            });
        }
        if self.encrypted && !device.decrypts {
            return Err(NotAdmitted::Encrypted);
        }
        if self.delta && device.running_hash != Some(self.base_hash) {
            return Err(NotAdmitted::OtherBase);
        }
        Ok(())
    }
}

/// What a device admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// This processor.
    pub core: Core,
    /// This hardware model.
    pub hardware: u16,
    /// The stored security counter.
    pub security_counter: u32,
    /// The legal software of the metering core beside it.
    pub legal_software: [u8; 8],
    /// Length of a slot in bytes.
    pub slot_len: u32,
    /// SHA-256 of the running image; `None` where patches are not taken.
    pub running_hash: Option<[u8; 32]>,
    /// Whether the loader can decrypt chunks.
    pub decrypts: bool,
}

/// Why an image is not for this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// The metering core is never a target, signed or not.
    MeteringCore,
    /// It is for another processor.
    OtherCore,
    /// It is for another hardware model.
    OtherHardware {
        /// The model in the manifest.
        found: u16,
        /// The model of the device.
        expected: u16,
    },
    /// Its security counter is below the stored one.
    Rollback {
        /// The counter in the manifest.
        found: u32,
        /// The stored counter.
        least: u32,
    },
    /// It works with other legal software.
    OtherLegalSoftware,
    /// It is longer than a slot.
    TooLong {
        /// Its length.
        found: u32,
        /// Length of a slot.
        most: u32,
    },
    /// It is encrypted and the device does not decrypt.
    Encrypted,
    /// It is a patch against another image than the running one.
    OtherBase,
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MeteringCore => f.write_str("the metering core is never a target"),
            Self::OtherCore => f.write_str("the image is for another processor"),
            Self::OtherHardware { found, expected } => {
                write!(
                    f,
                    "the image is for hardware {found:04X}, this is {expected:04X}"
                )
            }
            Self::Rollback { found, least } => {
                write!(f, "security counter {found} is below the stored {least}")
            }
            Self::OtherLegalSoftware => f.write_str("the image works with other legal software"),
            Self::TooLong { found, most } => {
                write!(f, "the image has {found} bytes and a slot {most}")
            }
            Self::Encrypted => f.write_str("the device takes no encrypted images"),
            Self::OtherBase => f.write_str("the patch is against another image"),
        }
    }
}

impl core::error::Error for NotAdmitted {}

/// Why bytes are not a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// A manifest has [`MANIFEST_LEN`] bytes.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// A byte that has to be something else.
    Field {
        /// Its position.
        at: usize,
        /// What stands there.
        found: u8,
    },
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "a manifest has {MANIFEST_LEN} bytes, not {found}")
            }
            Self::Field { at, found } => {
                write!(f, "byte {at} of a manifest must not be {found:02X}")
            }
        }
    }
}

impl core::error::Error for ManifestError {}

/// Reads fields one behind the other; the caller knows that they all fit.
struct Reader<'b> {
    rest: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.rest.split_first_chunk::<N>().unwrap_or((&[0; N], &[]));
        self.rest = rest;
        self.at = self.at.saturating_add(N);
        *field
    }

    fn expect<const N: usize>(&mut self, expected: &[u8; N]) -> Result<(), ManifestError> {
        let from = self.at;
        let field = self.take::<N>();
        let mut pairs = field.iter().zip(expected).zip(from..);
        match pairs.find(|((found, expected), _)| found != expected) {
            Some(((found, _), at)) => Err(ManifestError::Field { at, found: *found }),
            None => Ok(()),
        }
    }
}
