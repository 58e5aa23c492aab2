//! GCM (NIST SP 800-38D) in place with a detached tag, over any [`Block128`] engine.
//!
//! Counter mode runs on the engine, two counter blocks a call; the universal hash comes from the
//! `ghash` crate.

use ghash::GHash;
use universal_hash::UniversalHash;
use zeroize::Zeroize;

use crate::aead::{self, AeadError, Way, feed};
use crate::engine::{self, Block, Block128, copy, xor, xor_block};

/// Encrypts `body` in place and returns the tag, of which the caller may cut bytes 12 to 16.
///
/// The nonce should have 12 bytes; any other number from one on is hashed first. `aad` is read as one
/// string of bytes.
///
/// # Errors
/// [`AeadError::NonceLength`], [`AeadError::TooLong`], and the engine's; after the engine's, `body`
/// is wiped.
pub fn seal<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    nonce: &[u8],
    aad: &[&[u8]],
    body: &mut [u8],
) -> Result<Block, AeadError> {
    let mut run = Run::try_new(Way::Seal, nonce, aad, body, 16)?;
    let driven = engine.drive(key, &mut run);
    let tag = run.tag();
    drop(run);
    match driven {
        Ok(()) => Ok(tag),
        Err(error) => {
            body.zeroize();
            Err(AeadError::Engine(error.into()))
        }
    }
}

/// Decrypts `body` in place if `tag`, of 12 to 16 bytes, is right. On every error `body` is wiped.
///
/// # Errors
/// [`AeadError::Tag`] when the message is not the sealed one, [`AeadError::TagLength`]; otherwise as
/// [`seal`].
pub fn open<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    nonce: &[u8],
    aad: &[&[u8]],
    body: &mut [u8],
    tag: &[u8],
) -> Result<(), AeadError> {
    let driven = match Run::try_new(Way::Open, nonce, aad, body, tag.len()) {
        Ok(mut run) => engine
            .drive(key, &mut run)
            .map(|()| run.tag())
            .map_err(|error| AeadError::Engine(error.into())),
        Err(error) => Err(error),
    };
    match driven {
        Ok(right) => aead::judge(body, right, tag),
        Err(error) => {
            body.zeroize();
            Err(error)
        }
    }
}

/// The mode at work on one message.
pub(crate) struct Run<'a> {
    lanes: [Block; 2],
    /// The counter block that was made last.
    counter: Block,
    /// The encrypted first counter block, which hides the tag.
    mask: Block,
    /// There once its key was made.
    hash: Option<GHash>,
    nonce: &'a [u8],
    aad: &'a [&'a [u8]],
    rest: &'a mut [u8],
    /// Bits of associated data and of the message, as they end the hash.
    lengths: Block,
    way: Way,
    stage: Stage,
}

/// What the engine encrypts next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Both lanes: the block of zeros that becomes the key of the hash, and the first counter block.
    KeyAndMask,
    /// Lane 0 alone: the nonce must be hashed before there is a first counter block.
    Key,
    /// Lane 1: that counter block.
    Mask,
    /// Lane 0, or both: counter blocks of the message.
    Stream {
        two: bool,
    },
    Done,
}

impl<'a> Run<'a> {
    pub(crate) fn try_new(
        way: Way,
        nonce: &'a [u8],
        aad: &'a [&'a [u8]],
        body: &'a mut [u8],
        tag_len: usize,
    ) -> Result<Self, AeadError> {
        if !(12..=16).contains(&tag_len) {
            return Err(AeadError::TagLength { found: tag_len });
        }
        if nonce.is_empty() {
            return Err(AeadError::NonceLength { found: 0 });
        }
        let body_len = u64::try_from(body.len()).map_err(|_| AeadError::TooLong)?;
        // 2^32 - 2 counter blocks are left for the message.
        if body_len > (u64::from(u32::MAX) - 1) * 16 {
            return Err(AeadError::TooLong);
        }
        let aad_len = aad
            .iter()
            .try_fold(0_usize, |sum, part| sum.checked_add(part.len()))
            .and_then(|len| u64::try_from(len).ok())
            .and_then(|len| len.checked_mul(8))
            .ok_or(AeadError::TooLong)?;
        let lengths = (u128::from(aad_len) << 64 | u128::from(body_len) << 3).to_be_bytes();
        let mut counter = [0; 16];
        let stage = if nonce.len() == 12 {
            copy(&mut counter, nonce);
            counter[15] = 1;
            Stage::KeyAndMask
        } else {
            Stage::Key
        };
        Ok(Self {
            lanes: [[0; 16], counter],
            counter,
            mask: [0; 16],
            hash: None,
            nonce,
            aad,
            rest: body,
            lengths,
            way,
            stage,
        })
    }

    /// The tag that belongs to the ciphertext, all 16 bytes of it.
    pub(crate) fn tag(&mut self) -> Block {
        let mut tag = self.mask;
        if let Some(mut hash) = self.hash.take() {
            hash.update(&[self.lengths.into()]);
            xor_block(&mut tag, &hash.finalize().into());
        }
        tag
    }

    /// The hash has its key: the first counter block can be made of any nonce.
    fn hash_nonce(&mut self, hash: &GHash) {
        let mut hash = hash.clone();
        feed(&mut hash, &[self.nonce]);
        let bits = u128::try_from(self.nonce.len()).unwrap_or(0) << 3;
        hash.update(&[bits.to_be_bytes().into()]);
        self.counter = hash.finalize().into();
        self.lanes[1] = self.counter;
    }

    /// The next counter blocks, as many as the message needs and the engine has lanes.
    fn next(&mut self) {
        if self.rest.is_empty() {
            self.stage = Stage::Done;
            return;
        }
        let two = self.rest.len() > 16;
        for lane in &mut self.lanes {
            let count = u128::from_be_bytes(self.counter);
            let low = count as u32;
            self.counter = (count & !0xFFFF_FFFF | u128::from(low.wrapping_add(1))).to_be_bytes();
            *lane = self.counter;
            if !two {
                break;
            }
        }
        self.stage = Stage::Stream { two };
    }

    /// Takes up to two blocks of the message with the keystream in the lanes.
    fn take_blocks(&mut self) {
        let rest = core::mem::take(&mut self.rest);
        let (blocks, rest) = rest.split_at_mut(rest.len().min(32));
        self.rest = rest;
        if self.way == Way::Open {
            self.hash_cipher(blocks);
        }
        for (block, stream) in blocks.chunks_mut(16).zip(&self.lanes) {
            xor(block, stream);
        }
        if self.way == Way::Seal {
            self.hash_cipher(blocks);
        }
    }

    fn hash_cipher(&mut self, blocks: &[u8]) {
        if let Some(hash) = &mut self.hash {
            feed(hash, &[blocks]);
        }
    }
}

impl engine::Run for Run<'_> {
    fn blocks(&mut self) -> &mut [Block] {
        let wanted = match self.stage {
            Stage::KeyAndMask | Stage::Stream { two: true } => 0..2,
            Stage::Key | Stage::Stream { two: false } => 0..1,
            Stage::Mask => 1..2,
            Stage::Done => 0..0,
        };
        self.lanes.get_mut(wanted).unwrap_or_default()
    }

    fn encrypted(&mut self) {
        match self.stage {
            Stage::KeyAndMask | Stage::Key => {
                let mut hash = GHash::new(&self.lanes[0].into());
                let nonce_first = self.stage == Stage::Key;
                if nonce_first {
                    self.hash_nonce(&hash);
                }
                feed(&mut hash, self.aad);
                self.hash = Some(hash);
                if nonce_first {
                    self.stage = Stage::Mask;
                } else {
                    self.mask = self.lanes[1];
                    self.next();
                }
            }
            Stage::Mask => {
                self.mask = self.lanes[1];
                self.next();
            }
            Stage::Stream { .. } => {
                self.take_blocks();
                self.next();
            }
            Stage::Done => {}
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.lanes.zeroize();
        self.mask.zeroize();
    }
}
