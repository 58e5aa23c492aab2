//! A chip's AES unit as its registers look to a driver.

use core::hint::black_box;

use security::engine::{Block, Block128, BlockCipher, EngineError};
use security::key::Secret;

/// Key, data and control registers.
#[derive(Debug, Default)]
pub struct Registers {
    key: u8,
    data: [u32; 4],
    decrypt: bool,
}

impl Registers {
    #[inline(never)]
    fn run(&mut self, key: u8, block: &mut Block, decrypt: bool) -> Result<(), EngineError> {
        (self.key, self.decrypt) = (key, decrypt);
        for (word, bytes) in self.data.iter_mut().zip(block.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        self.data = black_box(self.data);
        for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(self.data) {
            *bytes = word.to_be_bytes();
        }
        if black_box(self.key) == 0xFF {
            return Err(EngineError::Fault);
        }
        Ok(())
    }
}

impl Block128 for Registers {
    type Key = u8;
    type Error = EngineError;
    const LANES: usize = 1;

    fn load(&mut self, _: BlockCipher, secret: &Secret<16>) -> Result<u8, EngineError> {
        black_box(secret.expose());
        Ok(black_box(self.key))
    }

    fn encrypt(&mut self, key: &u8, blocks: &mut [Block]) -> Result<(), EngineError> {
        for block in blocks {
            self.run(*key, block, false)?;
        }
        Ok(())
    }

    fn decrypt(&mut self, key: &u8, block: &mut Block) -> Result<(), EngineError> {
        self.run(*key, block, true)
    }
}
