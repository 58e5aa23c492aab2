//! The cipher behind keys: software, or callbacks to the unit of a chip.

use core::ffi::c_void;
use core::slice;

use ::security::engine::{Block, Block128, BlockCipher, EngineError, Soft, SoftKey};
use ::security::key::Secret;

use crate::border::Plain;

/// The AES-128 unit of a chip. All callbacks but `release` are needed; they answer 0 when they did their work and
/// anything else when they could not. They run inside the functions of this header that seal, open, judge and shake
/// hands; the structure is copied, its context must live as long as the keys.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_engine {
    /// Handed to every callback as it is.
    pub context: *mut c_void,
    /// Takes a key of 16 bytes and names it by a number of the callback's choice.
    pub load: Option<
        unsafe extern "C" fn(context: *mut c_void, secret: *const u8, slot: *mut u32) -> i32,
    >,
    /// Encrypts `count` blocks of 16 bytes in place, each on its own (ECB).
    pub encrypt: Option<
        unsafe extern "C" fn(context: *mut c_void, slot: u32, blocks: *mut u8, count: usize) -> i32,
    >,
    /// Decrypts one block in place.
    pub decrypt:
        Option<unsafe extern "C" fn(context: *mut c_void, slot: u32, block: *mut u8) -> i32>,
    /// The key is not needed any more; may be NULL.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void, slot: u32)>,
}

// SAFETY: a raw pointer and nullable functions.
unsafe impl Plain for mtr_engine {}

impl mtr_engine {
    /// Whether the callbacks that are needed are there.
    pub(super) const fn is_whole(&self) -> bool {
        self.load.is_some() && self.encrypt.is_some() && self.decrypt.is_some()
    }
}

/// Which cipher an object uses.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    /// The one in software.
    Soft,
    /// The caller's.
    Chip(mtr_engine),
}

/// A key that an engine has loaded.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is no heap to put the larger one on"
)]
pub enum EngineKey {
    /// An expanded schedule, wiped on drop.
    Soft(SoftKey),
    /// A slot, released on drop.
    Chip(Slot),
}

/// A key in the caller's unit.
#[derive(Debug)]
pub struct Slot {
    number: u32,
    engine: mtr_engine,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(release) = self.engine.release {
            // SAFETY: the caller's function keeps to the header.
            unsafe { release(self.engine.context, self.number) };
        }
    }
}

const fn done(answer: i32) -> Result<(), EngineError> {
    match answer {
        0 => Ok(()),
        _ => Err(EngineError::Fault),
    }
}

impl Block128 for Engine {
    type Key = EngineKey;
    type Error = EngineError;
    const LANES: usize = <Soft as Block128>::LANES;

    fn load(&mut self, cipher: BlockCipher, secret: &Secret<16>) -> Result<EngineKey, EngineError> {
        let engine = match self {
            Engine::Soft => return Ok(EngineKey::Soft(Soft.load(cipher, secret)?)),
            Engine::Chip(engine) => *engine,
        };
        if cipher != BlockCipher::Aes128 {
            return Err(EngineError::NoCipher);
        }
        let load = engine.load.ok_or(EngineError::NoCipher)?;
        let mut number = 0;
        // SAFETY: the caller's function keeps to the header; the pointers are live for the call.
        done(unsafe { load(engine.context, secret.expose().as_ptr(), &raw mut number) })?;
        Ok(EngineKey::Chip(Slot { number, engine }))
    }

    fn encrypt(&mut self, key: &EngineKey, blocks: &mut [Block]) -> Result<(), EngineError> {
        let slot = match key {
            EngineKey::Soft(key) => return Ok(Soft.encrypt(key, blocks)?),
            EngineKey::Chip(slot) => slot,
        };
        let encrypt = slot.engine.encrypt.ok_or(EngineError::NoCipher)?;
        let bytes = blocks.as_mut_ptr().cast();
        // SAFETY: as in `load`; blocks are rows of 16 bytes.
        done(unsafe { encrypt(slot.engine.context, slot.number, bytes, blocks.len()) })
    }

    fn decrypt(&mut self, key: &EngineKey, block: &mut Block) -> Result<(), EngineError> {
        let slot = match key {
            EngineKey::Soft(key) => return Ok(Soft.decrypt(key, block)?),
            EngineKey::Chip(slot) => slot,
        };
        let decrypt = slot.engine.decrypt.ok_or(EngineError::NoCipher)?;
        let bytes = slice::from_mut(block).as_mut_ptr().cast();
        // SAFETY: as in `encrypt`.
        done(unsafe { decrypt(slot.engine.context, slot.number, bytes) })
    }
}
