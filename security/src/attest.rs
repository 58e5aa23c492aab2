//! Remote attestation: a core says which image it runs, over a number that the asker drew.
//!
//! ```text
//! proof = CMAC(K_dev,audit, nonce 16 || core 1 || version 8 || image hash 32 || security counter 4)
//! ```
//! The version is `major | minor | revision 2 | build 4`. The boot stage answers for what it verified;
//! the metering core answers for itself. Asked after every update and at random.

use crate::cmac;
use crate::ct;
use crate::engine::{Block, Block128};
use crate::key::{KeyHandle, Purpose};

/// What a core says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Number of the core, as in a firmware manifest: 1 metering, 2 management, 3 modem, 4 gateway.
    pub core: u8,
    /// Version: major, minor.
    pub version: (u8, u8),
    /// Revision within the version.
    pub revision: u16,
    /// Build number.
    pub build: u32,
    /// SHA-256 of the image that runs.
    pub image_hash: [u8; 32],
    /// The stored security counter.
    pub security_counter: u32,
}

impl Statement {
    /// What a verified manifest says.
    #[cfg(feature = "fw")]
    pub const fn of(manifest: &crate::gate::Verified<crate::fw::Manifest>) -> Self {
        let manifest = manifest.get();
        Self {
            core: manifest.core as u8,
            version: manifest.version,
            revision: manifest.revision,
            build: manifest.build,
            image_hash: manifest.image_hash,
            security_counter: manifest.security_counter,
        }
    }

    /// The proof for an asker's number; `None` for the key of another purpose than `audit`.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn prove<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        nonce: &[u8; 16],
    ) -> Result<Option<Block>, E::Error> {
        if key.purpose() != Purpose::Audit {
            return Ok(None);
        }
        let (major, minor) = self.version;
        let parts: [&[u8]; 6] = [
            nonce,
            &[self.core, major, minor],
            &self.revision.to_be_bytes(),
            &self.build.to_be_bytes(),
            &self.image_hash,
            &self.security_counter.to_be_bytes(),
        ];
        cmac::mac(engine, key.key(), &parts).map(Some)
    }

    /// Whether a proof over the asker's own number states exactly this.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn is_proved<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        nonce: &[u8; 16],
        proof: &Block,
    ) -> Result<bool, E::Error> {
        let right = self.prove(engine, key, nonce)?;
        Ok(right.is_some_and(|right| ct::same(&right, proof)))
    }
}
