//! The ciphers in software.

use core::convert::Infallible;
use core::fmt;

use aes::Aes128;
use aes::cipher::consts::U16;
use aes::cipher::typenum::Unsigned;
use aes::cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt,
    BlockSizeUser, KeyInit, ParBlocks,
};
#[cfg(feature = "sm4")]
use sm4::Sm4;

use super::{Block, Block128, BlockCipher, Run};
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
        self.drive(key, &mut Once(blocks))
    }

    fn drive(&mut self, key: &SoftKey, run: &mut dyn Run) -> Result<(), Infallible> {
        match &key.0 {
            Schedule::Aes128(aes) => aes.encrypt_with_backend(Driven(run)),
            #[cfg(feature = "sm4")]
            Schedule::Sm4(sm4) => sm4.encrypt_with_backend(Driven(run)),
        }
        Ok(())
    }

    // Large, and wanted by few: it stands once and apart.
    #[inline(never)]
    fn decrypt(&mut self, key: &SoftKey, block: &mut Block) -> Result<(), Infallible> {
        match &key.0 {
            Schedule::Aes128(aes) => {
                BlockCipherDecrypt::decrypt_block(aes, Array::cast_from_core_mut(block));
            }
            #[cfg(feature = "sm4")]
            Schedule::Sm4(sm4) => {
                BlockCipherDecrypt::decrypt_block(sm4, Array::cast_from_core_mut(block));
            }
        }
        Ok(())
    }
}

/// Blocks that are all known: a run of one step.
struct Once<'b>(&'b mut [Block]);

impl Run for Once<'_> {
    fn blocks(&mut self) -> &mut [Block] {
        self.0
    }

    fn encrypted(&mut self) {
        self.0 = &mut [];
    }
}

/// A run inside a backend, which widens its round keys once for all blocks of the run. Blocks go two
/// at a time where the backend is bitsliced: the crate's own way runs a last single block through a
/// second copy of the cipher, which is larger and slower than a pair half empty.
struct Driven<'r>(&'r mut dyn Run);

impl BlockSizeUser for Driven<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Driven<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        loop {
            let blocks = self.0.blocks();
            if blocks.is_empty() {
                return;
            }
            if B::ParBlocksSize::USIZE == Soft::LANES {
                for pair in blocks.chunks_mut(Soft::LANES) {
                    let mut lanes = lanes::<ParBlocks<B>>(pair);
                    backend.encrypt_par_blocks((&mut lanes).into());
                    back(pair, &lanes);
                }
            } else {
                for block in Array::cast_slice_from_core_mut(blocks) {
                    backend.encrypt_block(block.into());
                }
            }
            self.0.encrypted();
        }
    }
}

/// The blocks in a backend's lanes; lanes without a block are zero.
fn lanes<L: Default + AsMut<[Array<u8, U16>]>>(blocks: &[Block]) -> L {
    let mut lanes = L::default();
    for (lane, block) in lanes.as_mut().iter_mut().zip(blocks) {
        *lane = (*block).into();
    }
    lanes
}

fn back(blocks: &mut [Block], lanes: &[Array<u8, U16>]) {
    for (block, lane) in blocks.iter_mut().zip(lanes) {
        *block = (*lane).into();
    }
}
