//! AES-CMAC (RFC 4493, NIST SP 800-38B) over any [`Block128`] engine.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::engine::{Block, Block128, xor};

/// The tag over the parts of a message, read as one string of bytes.
///
/// # Errors
/// Those of the engine.
pub fn mac<E: Block128>(engine: &mut E, key: &E::Key, parts: &[&[u8]]) -> Result<Block, E::Error> {
    let mut subkey: Block = [0; 16];
    engine.encrypt(key, core::slice::from_mut(&mut subkey))?;
    subkey = double(&subkey);

    let mut state: Block = [0; 16];
    let mut filled = 0_usize;
    for &byte in parts.iter().copied().flatten() {
        // A full block is closed only when another byte follows: the last one is treated apart.
        if filled == state.len() {
            engine.encrypt(key, core::slice::from_mut(&mut state))?;
            filled = 0;
        }
        if let Some(cell) = state.get_mut(filled) {
            *cell ^= byte;
        }
        filled += 1;
    }
    if let Some(cell) = state.get_mut(filled) {
        *cell ^= 0x80;
        subkey = double(&subkey);
    }
    xor(&mut state, &subkey);
    subkey.zeroize();
    engine.encrypt(key, core::slice::from_mut(&mut state))?;
    Ok(state)
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
    Ok(mac(engine, key, parts)?.ct_eq(tag).into())
}

/// Doubling in GF(2^128) with the polynomial of SP 800-38B, without a branch on the secret.
fn double(block: &Block) -> Block {
    let value = u128::from_be_bytes(*block);
    let carry = (value >> 127) * 0x87;
    ((value << 1) ^ carry).to_be_bytes()
}
