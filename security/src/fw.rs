//! Firmware: what may be loaded, what may start, and how it comes back if it does not work.
//!
//! ```text
//! manifest 120 + signature 64 -> Manifest::admit -> chunks into the free slot, one bit each (ChunkMap)
//!   -> verify: hash of the whole slot read back, signature -> Verified<Manifest>
//!   -> BootState::mark -> reset -> boot stage: BootState::decide -> trial boot -> BootState::confirm
//! ```
//! The metering core is never a target, signed or not. The boot stage verifies every image that it
//! starts, from flash. A new image that does not confirm itself gives way to the old one. The
//! security counter is raised only after confirmation, and no image below it starts again.
//!
//! # Delta images
//! [`Manifest::admit`] checks the hash of the base image before a patch starts, and [`verify`] the
//! hash of the result. The patch itself is the caller's: no crate fits a core without allocator
//! (`bsdiff`, `qbsdiff`, `bipatch` and `ddelta` want `std`, `xdelta3` is C), and an own format would
//! need its own tool beside those that exist.
//!
//! # Encrypted images
//! [`ImageCipher`] decrypts each chunk before it is written, under a key of the image that came wrapped
//! for the device. Signature and hashes are those of the plain image.

mod boot;
mod chunks;
mod confidential;
mod manifest;
mod signature;
mod verify;

pub use boot::{BootError, BootState, Decision, RECORD_LEN, Slot, StartedBecause};
pub use chunks::{ChunkError, ChunkMap, Written};
pub use confidential::{IMAGE_KEY_LEN, ImageCipher, ImageKeyError};
pub use manifest::{
    Admission, Core, MANIFEST_LEN, Manifest, ManifestError, NotAdmitted, SignatureKind,
};
pub use signature::{PublicKey, SIGNATURE_LEN};
pub use verify::{FlashRead, VerifyError, verify};
