//! The computations of the profile, once for both sides.

use zeroize::Zeroize;

use super::Refused;
use crate::engine::{Block, Block128, BlockCipher, Parts, copy, fill};
use crate::key::Secret;

/// Command head of a control block: write the control file.
pub const CONTROL_HEAD: [u8; 5] = [0x04, 0xD6, 0x88, 0x00, 0x14];
/// Command head of a recharge.
pub const PURSE_HEAD: [u8; 5] = [0x84, 0x32, 0x01, 0x0C, 0x0C];
/// Command head of the customer number, at offset 36 of the parameter file.
pub const CUSTOMER_HEAD: [u8; 5] = [0x04, 0xD6, 0x82, 0x24, 0x0A];
/// Offset of the minutes of validity in the parameter file.
pub const VALIDITY_OFFSET: u8 = 43;

/// Command head of a parameter write of `len` bytes, MAC included.
pub fn parameter_head(offset: u8, len: usize) -> [u8; 5] {
    file_head(0xD6, 2, offset, len)
}

/// Command head of a write (`D6`) or read (`B0`) of a file, `len` bytes with the MAC.
pub fn file_head(instruction: u8, file: u8, offset: u8, len: usize) -> [u8; 5] {
    [0x04, instruction, 0x80 | file, offset, len.to_le_bytes()[0]]
}

/// Dispersion factor of a meter: `00 00` and its number, most significant byte first.
pub const fn factor(meter: [u8; 6]) -> [u8; 8] {
    let [a, b, c, d, e, f] = meter;
    [0, 0, a, b, c, d, e, f]
}

/// The key of one meter.
pub fn diversify<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    factor: [u8; 8],
) -> Result<Secret<16>, Refused> {
    let mut out = Secret::new([0; 16]);
    let block = out.expose_mut();
    fill(block, &[&factor, &factor.map(|byte| !byte)]);
    encrypt(engine, key, core::slice::from_mut(block))?;
    Ok(out)
}

/// The proof of identity over a random number.
pub fn identity<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    random: [u8; 8],
) -> Result<[u8; 8], Refused> {
    let mut block: Block = [0; 16];
    fill(&mut block, &[&random, &[0x80]]);
    encrypt(engine, key, core::slice::from_mut(&mut block))?;
    let proof = block.first_chunk().copied().unwrap_or_default();
    block.zeroize();
    Ok(proof)
}

/// Four bytes of MAC over a command head and its data.
pub fn mac<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    random2: [u8; 4],
    head: [u8; 5],
    data: &[&[u8]],
) -> Result<[u8; 4], Refused> {
    let mut state: Block = [0; 16];
    copy(&mut state, &random2);
    let head = [&head[..]];
    let (mut head, mut data) = (Parts::new(&head), Parts::new(data));
    let mut filled = head.absorb(&mut state, 0);
    loop {
        filled = data.absorb(&mut state, filled);
        let last = data.is_empty() && filled < state.len();
        if let Some(cell) = state.get_mut(filled) {
            *cell ^= 0x80;
        }
        encrypt(engine, key, core::slice::from_mut(&mut state))?;
        filled = 0;
        if last {
            return Ok(state.first_chunk().copied().unwrap_or_default());
        }
    }
}

/// Writes `length || plain || 80 00 ..` encrypted to the front of `out` and returns its length.
pub fn seal<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    plain: &[&[u8]],
    out: &mut [u8],
) -> Result<usize, Refused> {
    let plain_len = plain
        .iter()
        .try_fold(0_usize, |sum, part| sum.checked_add(part.len()))
        .ok_or(Refused::OTHER)?;
    let length = u8::try_from(plain_len).map_err(|_| Refused::OTHER)?;
    // One byte of length before, one of filling behind.
    let sealed_len = plain_len.saturating_add(2).next_multiple_of(16);
    let out = out.get_mut(..sealed_len).ok_or(Refused::OTHER)?;
    out.fill(0);
    let (head, rest) = out.split_first_mut().ok_or(Refused::OTHER)?;
    *head = length;
    fill(rest, plain);
    if let Some(cell) = rest.get_mut(plain_len) {
        *cell = 0x80;
    }
    encrypt(engine, key, out.as_chunks_mut().0)?;
    Ok(sealed_len)
}

/// Decrypts blocks in place and returns where the plain text in them lies.
pub fn open<'b, E: Block128>(
    engine: &mut E,
    key: &E::Key,
    blocks: &'b mut [u8],
) -> Result<&'b [u8], Refused> {
    let (whole, rest) = blocks.as_chunks_mut::<16>();
    if !rest.is_empty() {
        return Err(Refused::MAC);
    }
    for block in whole {
        engine.decrypt(key, block).map_err(Into::into)?;
    }
    let (length, rest) = blocks.split_first().ok_or(Refused::MAC)?;
    let (plain, filling) = rest
        .split_at_checked(usize::from(*length))
        .ok_or(Refused::MAC)?;
    match filling.split_first() {
        Some((0x80, zeros)) if zeros.len() <= 15 && zeros.iter().all(|byte| *byte == 0) => {
            Ok(plain)
        }
        _ => Err(Refused::MAC),
    }
}

/// Bytes of a program under a key that a factor diversifies.
pub fn compared<E: Block128>(
    engine: &mut E,
    key: &Secret<16>,
    factor: [u8; 8],
    mut program: [u8; 64],
) -> Result<[u8; 64], Refused> {
    let key = load(engine, key)?;
    let key = diversify(engine, &key, factor)?;
    let key = load(engine, &key)?;
    encrypt(engine, &key, program.as_chunks_mut().0)?;
    Ok(program)
}

/// Loads a key for the cipher of the profile.
pub fn load<E: Block128>(engine: &mut E, secret: &Secret<16>) -> Result<E::Key, Refused> {
    Ok(engine.load(BlockCipher::Sm4, secret).map_err(Into::into)?)
}

fn encrypt<E: Block128>(engine: &mut E, key: &E::Key, blocks: &mut [Block]) -> Result<(), Refused> {
    Ok(engine.encrypt(key, blocks).map_err(Into::into)?)
}
