//! CMAC (RFC 4493, NIST SP 800-38B) over any [`Block128`] engine.

use crate::ct;
use crate::engine::{self, AsyncBlock128, Block, Block128, Parts, xor_block};
use crate::key::wipe;

/// The tag over the parts of a message, read as one string of bytes.
///
/// # Errors
/// Those of the engine.
pub fn mac<E: Block128>(engine: &mut E, key: &E::Key, parts: &[&[u8]]) -> Result<Block, E::Error> {
    let mut run = Run::new(parts);
    engine.drive(key, &mut run)?;
    Ok(run.tag())
}

/// As [`mac`], on an engine that finishes later.
///
/// # Errors
/// Those of the engine.
pub async fn mac_async<E: AsyncBlock128>(
    engine: &mut E,
    key: &E::Key,
    parts: &[&[u8]],
) -> Result<Block, E::Error> {
    let mut run = Run::new(parts);
    engine::drive_async(engine, key, &mut run).await?;
    Ok(run.tag())
}

/// Whether `tag` is the tag over the parts, compared in constant time.
///
/// # Errors
/// Those of the engine.
pub fn verify<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    parts: &[&[u8]],
    tag: &Block,
) -> Result<bool, E::Error> {
    Ok(ct::same(&mac(engine, key, parts)?, tag))
}

/// The mode at work on one message.
struct Run<'a> {
    /// `[0]` the subkey, `[1]` the state.
    lanes: [Block; 2],
    parts: Parts<'a>,
    filled: usize,
    stage: Stage,
}

/// What the engine encrypts next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Both lanes: the block of zeros that makes the subkeys, and the first of several blocks.
    SubkeyAndFirst,
    /// Lane 0 alone: the only block of the message needs the subkey first.
    Subkey,
    /// Lane 1: a block that is not the last.
    Chain,
    /// Lane 1: the last block.
    Last,
    Done,
}

impl<'a> Run<'a> {
    fn new(parts: &'a [&'a [u8]]) -> Self {
        let mut parts = Parts::new(parts);
        let mut state = [0; 16];
        let filled = parts.absorb(&mut state, 0);
        let stage = if parts.is_empty() {
            Stage::Subkey
        } else {
            Stage::SubkeyAndFirst
        };
        Self {
            lanes: [[0; 16], state],
            parts,
            filled,
            stage,
        }
    }

    fn tag(&self) -> Block {
        self.lanes[1]
    }

    fn next(&mut self) {
        let [_, state] = &mut self.lanes;
        self.filled = self.parts.absorb(state, 0);
        if self.parts.is_empty() {
            self.close();
        } else {
            self.stage = Stage::Chain;
        }
    }

    /// Mixes the subkey of a whole or of a padded block into the last one.
    fn close(&mut self) {
        let [subkey, state] = &mut self.lanes;
        if let Some(cell) = state.get_mut(self.filled) {
            *cell ^= 0x80;
            double(subkey);
        }
        xor_block(state, subkey);
        self.stage = Stage::Last;
    }
}

impl engine::Run for Run<'_> {
    fn blocks(&mut self) -> &mut [Block] {
        let wanted = match self.stage {
            Stage::SubkeyAndFirst => 0..2,
            Stage::Subkey => 0..1,
            Stage::Chain | Stage::Last => 1..2,
            Stage::Done => 0..0,
        };
        self.lanes.get_mut(wanted).unwrap_or_default()
    }

    fn encrypted(&mut self) {
        match self.stage {
            Stage::SubkeyAndFirst => {
                double(&mut self.lanes[0]);
                self.next();
            }
            Stage::Subkey => {
                double(&mut self.lanes[0]);
                self.close();
            }
            Stage::Chain => self.next(),
            Stage::Last | Stage::Done => self.stage = Stage::Done,
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        wipe(self.lanes.as_flattened_mut());
    }
}

/// Doubling in GF(2^128) with the polynomial of SP 800-38B, without a branch on the secret.
#[inline(never)]
fn double(block: &mut Block) {
    let mut carry = 0;
    for byte in block.iter_mut().rev() {
        (*byte, carry) = (*byte << 1 | carry, *byte >> 7);
    }
    block[15] ^= 0x87 & 0_u8.wrapping_sub(carry);
}
