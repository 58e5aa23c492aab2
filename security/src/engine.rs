//! The block cipher behind every mode of this crate.
//!
//! CCM, CMAC and the key derivation are written once over [`Block128`], so a software cipher, a
//! chip's AES unit and a secure element serve alike. The engine is borrowed for each call, because
//! a chip has one AES unit and many keys.

use core::convert::Infallible;
use core::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

use crate::key::Secret;

/// One block of a 128-bit cipher.
pub type Block = [u8; 16];

/// Encrypts 16-byte blocks in place with a key that it has loaded before.
pub trait Block128 {
    /// A key ready for use: an expanded schedule in software, a slot number in a chip.
    type Key;
    /// Why this engine may fail; [`Infallible`] in software.
    type Error: Into<EngineError>;
    /// How many blocks cost about as much as one. Callers pair independent blocks up to this number.
    const LANES: usize;

    /// Makes `secret` ready for [`Block128::encrypt`].
    ///
    /// # Errors
    /// Those of the engine.
    fn load(&mut self, secret: &Secret<16>) -> Result<Self::Key, Self::Error>;

    /// Encrypts each block on its own. Any number of blocks is allowed, none included.
    ///
    /// # Errors
    /// Those of the engine; the blocks then hold nothing of use.
    fn encrypt(&mut self, key: &Self::Key, blocks: &mut [Block]) -> Result<(), Self::Error>;
}

/// The cipher in software: AES-128 in constant time, two lanes on small cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftAes;

/// An expanded AES-128 key, wiped on drop.
pub struct SoftKey(Aes128);

impl fmt::Debug for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftKey(***)")
    }
}

impl Block128 for SoftAes {
    type Key = SoftKey;
    type Error = Infallible;
    const LANES: usize = 2;

    fn load(&mut self, secret: &Secret<16>) -> Result<SoftKey, Infallible> {
        Ok(SoftKey(Aes128::new(Array::cast_from_core(secret.expose()))))
    }

    fn encrypt(&mut self, key: &SoftKey, blocks: &mut [Block]) -> Result<(), Infallible> {
        key.0
            .encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
        Ok(())
    }
}

/// The engine could not do its work; no fault of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// The unit is in use by somebody else.
    Busy,
    /// The key handle names no key.
    NoKey,
    /// The unit reported a fault or did not finish in time.
    Fault,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the cipher engine is in use",
            Self::NoKey => "the cipher engine holds no key under this handle",
            Self::Fault => "the cipher engine reported a fault",
        })
    }
}

impl core::error::Error for EngineError {}

impl From<Infallible> for EngineError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Takes the value out of a result that cannot be an error.
pub(crate) fn sure<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// `to ^= from`, over the shorter of the two.
pub(crate) fn xor(to: &mut [u8], from: &[u8]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t ^= f;
    }
}

/// Copies the shorter of the two lengths; unlike the slice method it has no way to panic.
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t = *f;
    }
}
