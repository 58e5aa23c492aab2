//! Key updates, in the single form of 2009 and the form of 2013 with up to four keys.

use super::cipher;
use super::kept::Kept;
use super::{KeyInfo, KeyName, Refused};
use crate::engine::{Block128, copy};
use crate::key::Secret;

/// Bytes of one key in an update: its info and the ciphered key.
pub const ENTRY_LEN: usize = 36;

/// Command head of a key update of `len` bytes: P2 is 00 for the main key and FF for others.
pub fn head(id: u8, len: usize) -> [u8; 5] {
    let p2 = if id == KeyName::Main as u8 { 0 } else { 0xFF };
    [0x84, 0xD4, 0x01, p2, len.to_le_bytes()[0]]
}

/// Turns each key info and each ciphered key between line and element.
pub fn turn_entries(body: &mut [u8]) {
    for entry in body.chunks_exact_mut(ENTRY_LEN) {
        let (info, key) = entry.split_at_mut(4);
        info.reverse();
        key.reverse();
    }
}

/// The element after all keys of an update; none is taken unless all may be. The MAC over them was
/// right.
pub fn apply<E: Block128>(engine: &mut E, kept: &Kept, entries: &[u8]) -> Result<Kept, Refused> {
    let main = cipher::load(engine, &kept.key(KeyName::Main).1)?;
    let mut after = kept.duplicate();
    for entry in entries.chunks_exact(ENTRY_LEN) {
        let (info, ciphered) = entry.split_first_chunk::<4>().ok_or(Refused::OTHER)?;
        let info = KeyInfo::from_bytes(*info);
        let name = KeyName::from_number(info.id).ok_or(Refused::OTHER)?;
        let (old, _) = after.key(name);
        // Only remote keys, and only forward: no way leads back to the key of the production.
        if info.way != 1 || info.version <= old.version {
            return Err(Refused::OTHER);
        }
        let mut blocks = Secret::new([0; 32]);
        copy(blocks.expose_mut(), ciphered);
        let plain = cipher::open(engine, &main, blocks.expose_mut())?;
        let (inner, key) = plain.split_first_chunk::<4>().ok_or(Refused::MAC)?;
        if *inner != info.to_bytes() || key.len() != 16 {
            return Err(Refused::MAC);
        }
        let mut secret = Secret::new([0; 16]);
        copy(secret.expose_mut(), key);
        after.set_key(name, info, secret);
    }
    after.generation = after.generation.wrapping_add(1);
    Ok(after)
}
