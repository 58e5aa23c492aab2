//! AES-CCM (RFC 3610, NIST SP 800-38C) in place with a detached tag, over any [`Block128`] engine.
//!
//! Every step hands the engine the authentication block together with the next counter block, so a
//! two-lane cipher spends one call for each block of the message instead of two.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::engine::{Block, Block128, EngineError, xor};
use core::fmt;

/// Longest associated data: lengths from 65280 on take another coding that nothing here needs.
pub const MAX_AAD: usize = 65_279;

/// Encrypts `body` in place and returns the tag in the first `tag_len` bytes of a block.
///
/// `tag_len` is 4, 6, .. 16; the nonce has 7 to 13 bytes; `aad` is read as one string of bytes.
///
/// # Errors
/// [`CcmError::TagLength`], [`CcmError::NonceLength`], [`CcmError::TooLong`], and the engine's;
/// after the engine's, `body` is wiped.
pub fn seal<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    nonce: &[u8],
    aad: &[&[u8]],
    body: &mut [u8],
    tag_len: usize,
) -> Result<Block, CcmError> {
    let shape = Shape::try_new(nonce, aad, body.len(), tag_len)?;
    run(engine, key, &shape, aad, body, Way::Seal).map_err(|error| {
        body.zeroize();
        CcmError::Engine(error.into())
    })
}

/// Decrypts `body` in place if `tag` is right. On every error `body` is wiped: no plaintext of an
/// unproved message is ever left.
///
/// # Errors
/// [`CcmError::Tag`] when the message is not the sealed one; otherwise as [`seal`].
pub fn open<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    nonce: &[u8],
    aad: &[&[u8]],
    body: &mut [u8],
    tag: &[u8],
) -> Result<(), CcmError> {
    let shape =
        Shape::try_new(nonce, aad, body.len(), tag.len()).inspect_err(|_| body.zeroize())?;
    match run(engine, key, &shape, aad, body, Way::Open) {
        Ok(mut right) => {
            let same: bool = right.get(..tag.len()).unwrap_or_default().ct_eq(tag).into();
            right.zeroize();
            if same {
                Ok(())
            } else {
                body.zeroize();
                Err(CcmError::Tag)
            }
        }
        Err(error) => {
            body.zeroize();
            Err(CcmError::Engine(error.into()))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Seal,
    Open,
}

/// The first authentication block and counter block zero of one message.
struct Shape {
    first: Block,
    counter: Block,
    aad_len: u16,
}

impl Shape {
    fn try_new(
        nonce: &[u8],
        aad: &[&[u8]],
        body_len: usize,
        tag_len: usize,
    ) -> Result<Self, CcmError> {
        if !(4..=16).contains(&tag_len) || !tag_len.is_multiple_of(2) {
            return Err(CcmError::TagLength { found: tag_len });
        }
        if !(7..=13).contains(&nonce.len()) {
            return Err(CcmError::NonceLength { found: nonce.len() });
        }
        // q bytes of the last part of each block count the message and its blocks: 2 to 8.
        let q = 15 - nonce.len();
        let length = u64::try_from(body_len).map_err(|_| CcmError::TooLong)?;
        if q < 8 && length >> (8 * q) != 0 {
            return Err(CcmError::TooLong);
        }
        let aad_len = aad
            .iter()
            .try_fold(0_usize, |sum, part| sum.checked_add(part.len()));
        let aad_len = aad_len
            .filter(|len| *len <= MAX_AAD)
            .ok_or(CcmError::TooLong)?;
        let aad_len = u16::try_from(aad_len).map_err(|_| CcmError::TooLong)?;

        let [q_flag, tag_flag] = [q - 1, (tag_len - 2) / 2].map(|n| n as u8);
        let aad_flag = if aad_len > 0 { 0x40 } else { 0 };
        let mut first = (u128::from(length)).to_be_bytes();
        let mut counter = [0; 16];
        first[0] = aad_flag | tag_flag << 3 | q_flag;
        counter[0] = q_flag;
        for block in [&mut first, &mut counter] {
            for (to, from) in block.iter_mut().skip(1).zip(nonce) {
                *to = *from;
            }
        }
        Ok(Self {
            first,
            counter,
            aad_len,
        })
    }
}

/// Both lanes: the authentication block, and the counter block that the next step will need.
struct Lanes<'k, E: Block128> {
    engine: &'k mut E,
    key: &'k E::Key,
    /// `[0]` the authentication state, `[1]` the keystream of the block to come.
    blocks: [Block; 2],
    counter: Block,
    /// Counter blocks still to make.
    left: usize,
    ready: bool,
}

impl<E: Block128> Lanes<'_, E> {
    /// Encrypts the authentication state, and the next counter block with it if one is wanted.
    fn step(&mut self) -> Result<(), E::Error> {
        if self.ready || self.left == 0 {
            let [state, _] = &mut self.blocks;
            return self.engine.encrypt(self.key, core::slice::from_mut(state));
        }
        self.next_counter();
        self.engine.encrypt(self.key, &mut self.blocks)
    }

    fn next_counter(&mut self) {
        // The counter field is wide enough for every block: the length was checked against it.
        self.counter = u128::from_be_bytes(self.counter)
            .wrapping_add(1)
            .to_be_bytes();
        self.blocks[1] = self.counter;
        self.left = self.left.saturating_sub(1);
        self.ready = true;
    }

    /// Makes sure that the keystream of the next block is there.
    fn keystream(&mut self) -> Result<(), E::Error> {
        if !self.ready {
            self.next_counter();
            let [_, stream] = &mut self.blocks;
            self.engine
                .encrypt(self.key, core::slice::from_mut(stream))?;
        }
        Ok(())
    }
}

impl<E: Block128> Drop for Lanes<'_, E> {
    fn drop(&mut self) {
        self.blocks.zeroize();
    }
}

/// Runs the mode over the message and returns the full tag that belongs to the plaintext.
fn run<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    shape: &Shape,
    aad: &[&[u8]],
    body: &mut [u8],
    way: Way,
) -> Result<Block, E::Error> {
    let mut lanes = Lanes {
        engine,
        key,
        blocks: [shape.first, shape.counter],
        counter: shape.counter,
        left: body.len().div_ceil(16),
        ready: false,
    };
    lanes.engine.encrypt(lanes.key, &mut lanes.blocks)?;
    let mut mask = lanes.blocks[1];

    if shape.aad_len > 0 {
        let length = shape.aad_len.to_be_bytes();
        let mut filled = 0_usize;
        for &byte in length.iter().chain(aad.iter().copied().flatten()) {
            if let Some(cell) = lanes.blocks[0].get_mut(filled) {
                *cell ^= byte;
            }
            filled += 1;
            if filled == 16 {
                lanes.step()?;
                filled = 0;
            }
        }
        if filled > 0 {
            lanes.step()?;
        }
    }
    for chunk in body.chunks_mut(16) {
        lanes.keystream()?;
        lanes.ready = false;
        let [state, stream] = &mut lanes.blocks;
        if way == Way::Seal {
            xor(state, chunk);
            xor(chunk, stream);
        } else {
            xor(chunk, stream);
            xor(state, chunk);
        }
        lanes.step()?;
    }
    let mut tag = lanes.blocks[0];
    xor(&mut tag, &mask);
    mask.zeroize();
    Ok(tag)
}

/// Why the mode refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CcmError {
    /// The tag does not belong to this message under this key.
    Tag,
    /// A tag has 4, 6, .. 16 bytes.
    TagLength {
        /// The length asked for.
        found: usize,
    },
    /// A nonce has 7 to 13 bytes.
    NonceLength {
        /// The length given.
        found: usize,
    },
    /// The message or its associated data is longer than the mode can count.
    TooLong,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl fmt::Display for CcmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag => f.write_str("the tag does not belong to this message"),
            Self::TagLength { found } => write!(f, "a tag has 4, 6, .. 16 bytes, not {found}"),
            Self::NonceLength { found } => write!(f, "a nonce has 7 to 13 bytes, not {found}"),
            Self::TooLong => f.write_str("the message is longer than the mode can count"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CcmError {}
