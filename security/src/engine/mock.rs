//! A chip that exists only in memory: key slots behind handles, one block at a time, and faults at
//! chosen calls. For tests of this crate and of its users.

use heapless::Vec;

use super::{AsyncBlock128, Block, Block128, BlockCipher, EngineError, Soft, SoftKey, sure};
use crate::key::Secret;

/// The number of a key slot in a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u8);

/// A chip with `SLOTS` key slots. Keys go in and never come out.
#[derive(Debug)]
pub struct MockChip<const SLOTS: usize = 16> {
    slots: Vec<SoftKey, SLOTS>,
    calls: u32,
    blocks: u32,
    fault: Option<(u32, EngineError)>,
}

impl<const SLOTS: usize> Default for MockChip<SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SLOTS: usize> MockChip<SLOTS> {
    /// A chip without keys that works.
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            calls: 0,
            blocks: 0,
            fault: None,
        }
    }

    /// Makes the cipher call after `calls` further ones fail; everything after it works again.
    pub const fn fail_after(&mut self, calls: u32, error: EngineError) {
        self.fault = Some((self.calls.saturating_add(calls), error));
    }

    /// Cipher calls so far, failed ones included.
    pub const fn calls(&self) -> u32 {
        self.calls
    }

    /// Blocks so far.
    pub const fn blocks(&self) -> u32 {
        self.blocks
    }

    fn key(&self, handle: Handle) -> Result<&SoftKey, EngineError> {
        self.slots
            .get(usize::from(handle.0))
            .ok_or(EngineError::NoKey)
    }

    fn called(&mut self, blocks: usize) -> Result<(), EngineError> {
        let now = self.calls;
        self.calls = self.calls.saturating_add(1);
        self.blocks = self
            .blocks
            .saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX));
        match self.fault {
            Some((at, error)) if at == now => Err(error),
            _ => Ok(()),
        }
    }
}

impl<const SLOTS: usize> Block128 for MockChip<SLOTS> {
    type Key = Handle;
    type Error = EngineError;
    const LANES: usize = 1;

    fn load(&mut self, cipher: BlockCipher, secret: &Secret<16>) -> Result<Handle, EngineError> {
        let handle = u8::try_from(self.slots.len()).map_err(|_| EngineError::NoKey)?;
        let key = sure(Soft.load(cipher, secret));
        self.slots.push(key).map_err(|_| EngineError::NoKey)?;
        Ok(Handle(handle))
    }

    fn encrypt(&mut self, key: &Handle, blocks: &mut [Block]) -> Result<(), EngineError> {
        self.called(blocks.len())?;
        sure(Soft.encrypt(self.key(*key)?, blocks));
        Ok(())
    }

    fn decrypt(&mut self, key: &Handle, block: &mut Block) -> Result<(), EngineError> {
        self.called(1)?;
        sure(Soft.decrypt(self.key(*key)?, block));
        Ok(())
    }
}

impl<const SLOTS: usize> AsyncBlock128 for MockChip<SLOTS> {
    type Key = Handle;
    type Error = EngineError;

    /// Takes one more turn of the executor than a call would.
    async fn encrypt(&mut self, key: &Handle, blocks: &mut [Block]) -> Result<(), EngineError> {
        let mut asked = false;
        core::future::poll_fn(|context| {
            if asked {
                return core::task::Poll::Ready(());
            }
            asked = true;
            context.waker().wake_by_ref();
            core::task::Poll::Pending
        })
        .await;
        Block128::encrypt(self, key, blocks)
    }
}
