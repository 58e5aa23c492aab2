//! What the modes for sealed messages have in common.

use core::fmt;
use core::hint::black_box;

#[cfg(any(feature = "gcm", feature = "chacha"))]
use universal_hash::{
    UniversalHash,
    common::{BlockSizeUser, typenum::U16},
};
use zeroize::Zeroize;

use crate::ct;
#[cfg(any(feature = "gcm", feature = "chacha"))]
use crate::engine::Parts;
use crate::engine::{Block, EngineError};

/// Which way a mode runs over a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Seal,
    Open,
}

/// Whether the tag that belongs to a message is the one that came, in constant time.
pub(crate) fn belongs(right: &Block, tag: &[u8]) -> bool {
    !tag.is_empty() && ct::same(right.get(..tag.len()).unwrap_or_default(), tag)
}

/// Wipes an opened message unless its tag is the one that came.
///
/// The comparison is made twice with a branch of its own each time: one instruction that is passed over
/// by a disturbed supply spoils one of them, not both.
#[inline(never)]
pub(crate) fn judge(body: &mut [u8], mut right: Block, tag: &[u8]) -> Result<(), AeadError> {
    let first = belongs(&right, tag);
    let second = belongs(&right, black_box(tag));
    right.zeroize();
    if black_box(first) && black_box(second) {
        return Ok(());
    }
    body.zeroize();
    Err(AeadError::Tag)
}

/// Feeds a universal hash with the parts as one string of bytes, zeros behind it up to a whole block.
#[cfg(any(feature = "gcm", feature = "chacha"))]
pub(crate) fn feed<H>(hash: &mut H, parts: &[&[u8]])
where
    H: UniversalHash + BlockSizeUser<BlockSize = U16>,
{
    let mut parts = Parts::new(parts);
    while !parts.is_empty() {
        let mut block = [0; 16];
        parts.absorb(&mut block, 0);
        hash.update(&[block.into()]);
        block.zeroize();
    }
}

/// Why a mode refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AeadError {
    /// The tag does not belong to this message under this key.
    Tag,
    /// A tag has 4, 6, .. 16 bytes in CCM and 12 to 16 in GCM.
    TagLength {
        /// The length asked for.
        found: usize,
    },
    /// A nonce has 7 to 13 bytes in CCM and at least one in GCM.
    NonceLength {
        /// The length given.
        found: usize,
    },
    /// The message or its associated data is longer than the mode can count.
    TooLong,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl fmt::Display for AeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag => f.write_str("the tag does not belong to this message"),
            Self::TagLength { found } => write!(f, "the mode has no tag of {found} bytes"),
            Self::NonceLength { found } => write!(f, "the mode has no nonce of {found} bytes"),
            Self::TooLong => f.write_str("the message is longer than the mode can count"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AeadError {}
