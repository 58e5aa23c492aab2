//! The ciphers in software.

use core::convert::Infallible;
use core::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
#[cfg(feature = "sm4")]
use sm4::Sm4;

use super::{Block, Block128, BlockCipher};
use crate::key::Secret;

/// The ciphers in software: AES-128 in constant time, two lanes on small cores; with feature `sm4`
/// also SM4, whose table look-ups ask for a core without data cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Soft;

/// An expanded key, wiped on drop.
pub struct SoftKey(Schedule);

#[cfg_attr(
    feature = "sm4",
    expect(
        clippy::large_enum_variant,
        reason = "there is no heap to put the larger one on"
    )
)]
enum Schedule {
    Aes128(Aes128),
    #[cfg(feature = "sm4")]
    Sm4(Sm4),
}

impl fmt::Debug for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftKey(***)")
    }
}

impl Block128 for Soft {
    type Key = SoftKey;
    type Error = Infallible;
    const LANES: usize = 2;

    fn load(&mut self, cipher: BlockCipher, secret: &Secret<16>) -> Result<SoftKey, Infallible> {
        let key = Array::cast_from_core(secret.expose());
        Ok(SoftKey(match cipher {
            BlockCipher::Aes128 => Schedule::Aes128(Aes128::new(key)),
            #[cfg(feature = "sm4")]
            BlockCipher::Sm4 => Schedule::Sm4(Sm4::new(key)),
        }))
    }

    fn encrypt(&mut self, key: &SoftKey, blocks: &mut [Block]) -> Result<(), Infallible> {
        let blocks = Array::cast_slice_from_core_mut(blocks);
        match &key.0 {
            Schedule::Aes128(aes) => aes.encrypt_blocks(blocks),
            #[cfg(feature = "sm4")]
            Schedule::Sm4(sm4) => sm4.encrypt_blocks(blocks),
        }
        Ok(())
    }

    fn decrypt(&mut self, key: &SoftKey, block: &mut Block) -> Result<(), Infallible> {
        let block = Array::cast_from_core_mut(block);
        match &key.0 {
            Schedule::Aes128(aes) => aes.decrypt_block(block),
            #[cfg(feature = "sm4")]
            Schedule::Sm4(sm4) => sm4.decrypt_block(block),
        }
        Ok(())
    }
}
