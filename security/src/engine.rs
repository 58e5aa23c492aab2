//! The block cipher behind every mode of this crate.
//!
//! CCM, GCM, CMAC, key wrap and the key derivation are written once over [`Block128`], so a software
//! cipher, a chip's unit and a secure element serve alike. The engine is borrowed for each call,
//! because a chip has one unit and many keys. A unit that works while the core sleeps implements
//! [`AsyncBlock128`] instead: the modes are state machines that ask for blocks, and both traits drive
//! the same ones.

use core::convert::Infallible;
use core::fmt;

use crate::key::Secret;

#[cfg(feature = "mock-engine")]
mod mock;
mod soft;

#[cfg(feature = "mock-engine")]
pub use mock::{Handle, MockChip};
pub use soft::{Soft, SoftKey};

/// One block of a 128-bit cipher.
pub type Block = [u8; 16];

/// A block cipher with blocks and keys of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlockCipher {
    /// AES-128 (FIPS 197).
    Aes128,
    /// SM4 (GB/T 32907).
    #[cfg(feature = "sm4")]
    Sm4,
}

/// Encrypts 16-byte blocks in place with a key that it has loaded before.
pub trait Block128 {
    /// A key ready for use: an expanded schedule in software, a slot number in a chip. It knows its
    /// cipher.
    type Key;
    /// Why this engine may fail; [`Infallible`] in software.
    type Error: Into<EngineError>;
    /// How many blocks cost about as much as one. Callers pair independent blocks up to this number.
    const LANES: usize;

    /// Makes `secret` ready for [`Block128::encrypt`].
    ///
    /// # Errors
    /// Those of the engine, [`EngineError::NoCipher`] among them.
    fn load(&mut self, cipher: BlockCipher, secret: &Secret<16>) -> Result<Self::Key, Self::Error>;

    /// Encrypts each block on its own. Any number of blocks is allowed, none included.
    ///
    /// # Errors
    /// Those of the engine; the blocks then hold nothing of use.
    fn encrypt(&mut self, key: &Self::Key, blocks: &mut [Block]) -> Result<(), Self::Error>;

    /// Encrypts what a run asks for until it is over. An engine that must prepare its key for each use
    /// does so once here, not once for every block.
    ///
    /// # Errors
    /// Those of the engine; the run is then left where it stands.
    fn drive(&mut self, key: &Self::Key, run: &mut dyn Run) -> Result<(), Self::Error> {
        loop {
            let blocks = run.blocks();
            if blocks.is_empty() {
                return Ok(());
            }
            self.encrypt(key, blocks)?;
            run.encrypted();
        }
    }

    /// Decrypts one block. Only unwrapping a key and DL/T 645 control blocks need it.
    ///
    /// # Errors
    /// Those of the engine; the block then holds nothing of use.
    fn decrypt(&mut self, key: &Self::Key, block: &mut Block) -> Result<(), Self::Error>;
}

/// The twin of [`Block128`] for a unit that finishes later, such as one behind DMA.
pub trait AsyncBlock128 {
    /// As [`Block128::Key`].
    type Key;
    /// As [`Block128::Error`].
    type Error: Into<EngineError>;

    /// As [`Block128::encrypt`]; dropping the future before it is ready must stop the unit.
    ///
    /// # Errors
    /// Those of the engine; the blocks then hold nothing of use.
    fn encrypt(
        &mut self,
        key: &Self::Key,
        blocks: &mut [Block],
    ) -> impl Future<Output = Result<(), Self::Error>>;
}

/// The run of a mode over one message: it asks for blocks to be encrypted until it has its result.
pub trait Run {
    /// The blocks to encrypt next; none when the run is over.
    fn blocks(&mut self) -> &mut [Block];
    /// Goes on with the blocks of the last call, now encrypted.
    fn encrypted(&mut self);
}

/// Runs a mode on an engine that finishes later.
pub(crate) async fn drive_async<E: AsyncBlock128>(
    engine: &mut E,
    key: &E::Key,
    run: &mut impl Run,
) -> Result<(), E::Error> {
    loop {
        let blocks = run.blocks();
        if blocks.is_empty() {
            return Ok(());
        }
        engine.encrypt(key, blocks).await?;
        run.encrypted();
    }
}

/// The engine could not do its work; no fault of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// The unit is in use by somebody else.
    Busy,
    /// The key handle names no key.
    NoKey,
    /// The unit does not have this cipher, or not this direction of it.
    NoCipher,
    /// The unit reported a fault or did not finish in time.
    Fault,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the cipher engine is in use",
            Self::NoKey => "the cipher engine holds no key under this handle",
            Self::NoCipher => "the cipher engine does not have this cipher",
            Self::Fault => "the cipher engine reported a fault",
        })
    }
}

impl core::error::Error for EngineError {}

impl From<Infallible> for EngineError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Takes the value out of a result that cannot be an error.
pub(crate) fn sure<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// `to ^= from`, over the shorter of the two.
#[inline(never)]
pub(crate) fn xor(to: &mut [u8], from: &[u8]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t ^= f;
    }
}

/// `to ^= from` over a whole block.
pub(crate) fn xor_block(to: &mut Block, from: &Block) {
    xor(to, from);
}

/// Copies the shorter of the two lengths; unlike the slice method it has no way to panic.
#[inline(never)]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t = *f;
    }
}

/// Copies the parts one behind the other, as far as they fit.
pub(crate) fn fill(to: &mut [u8], parts: &[&[u8]]) {
    for (to, from) in to.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
}

/// The parts of a message, read as one string of bytes, a block at a time.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    now: &'a [u8],
    rest: &'a [&'a [u8]],
}

impl<'a> Parts<'a> {
    pub(crate) const fn new(parts: &'a [&'a [u8]]) -> Self {
        Self {
            now: &[],
            rest: parts,
        }
    }

    /// Whether all bytes were read.
    #[inline(never)]
    pub(crate) fn is_empty(&mut self) -> bool {
        while self.now.is_empty() {
            let Some((first, rest)) = self.rest.split_first() else {
                return true;
            };
            (self.now, self.rest) = (first, rest);
        }
        false
    }

    /// XORs bytes into the block from `filled` on, until it is full or no bytes are left, and returns
    /// how far it is filled then.
    pub(crate) fn absorb(&mut self, block: &mut Block, mut filled: usize) -> usize {
        while filled < block.len() && !self.is_empty() {
            let cells = block.get_mut(filled..).unwrap_or_default();
            let taken = cells.len().min(self.now.len());
            xor(cells, self.now);
            self.now = self.now.get(taken..).unwrap_or_default();
            filled = filled.saturating_add(taken);
        }
        filled
    }
}
