//! ChaCha20-Poly1305 (RFC 8439) in place with a detached tag: four to nine times faster in software
//! than any mode of AES, at half its flash.
//!
//! The primitives come from the `chacha20` and `poly1305` crates. Their own composition takes the
//! associated data as one slice; an envelope has two parts that stand apart.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use poly1305::Poly1305;
use universal_hash::{KeyInit, UniversalHash};
use zeroize::Zeroize;

use crate::aead::{self, AeadError, Way, feed};
use crate::engine::Block;
use crate::key::Secret;

/// Longest message: the block counter of the cipher has 32 bits and block 0 makes the key of the tag.
const MAX_BODY: u64 = ((1 << 32) - 1) * 64;

/// Encrypts `body` in place and returns the tag. `aad` is read as one string of bytes.
///
/// # Errors
/// [`AeadError::TooLong`].
pub fn seal(
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[&[u8]],
    body: &mut [u8],
) -> Result<Block, AeadError> {
    run(Way::Seal, key, nonce, aad, body)
}

/// Decrypts `body` in place if `tag`, of 16 bytes, is right. On every error `body` is wiped.
///
/// # Errors
/// [`AeadError::Tag`] when the message is not the sealed one, [`AeadError::TagLength`],
/// [`AeadError::TooLong`].
pub fn open(
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[&[u8]],
    body: &mut [u8],
    tag: &[u8],
) -> Result<(), AeadError> {
    if tag.len() != 16 {
        body.zeroize();
        return Err(AeadError::TagLength { found: tag.len() });
    }
    match run(Way::Open, key, nonce, aad, body) {
        Ok(right) => aead::judge(body, right, tag),
        Err(error) => {
            body.zeroize();
            Err(error)
        }
    }
}

pub(crate) fn run(
    way: Way,
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[&[u8]],
    body: &mut [u8],
) -> Result<Block, AeadError> {
    let body_len = u64::try_from(body.len()).map_err(|_| AeadError::TooLong)?;
    let aad_len = aad
        .iter()
        .try_fold(0_u64, |sum, part| {
            sum.checked_add(u64::try_from(part.len()).ok()?)
        })
        .filter(|_| body_len <= MAX_BODY)
        .ok_or(AeadError::TooLong)?;

    let mut cipher = ChaCha20::new(key.expose().into(), nonce.into());
    let mut hash_key = [0; 32];
    cipher.apply_keystream(&mut hash_key);
    let mut hash = Poly1305::new((&hash_key).into());
    hash_key.zeroize();
    // Block 1; it is in reach, so this cannot fail.
    let _ = cipher.try_seek(64_u32);

    feed(&mut hash, aad);
    if way == Way::Open {
        feed(&mut hash, &[body]);
    }
    cipher.apply_keystream(body);
    if way == Way::Seal {
        feed(&mut hash, &[body]);
    }
    let lengths = u128::from(body_len) << 64 | u128::from(aad_len);
    hash.update(&[lengths.to_le_bytes().into()]);
    Ok(hash.finalize().into())
}
