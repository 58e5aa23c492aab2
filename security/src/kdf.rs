//! Key derivation: NIST SP 800-108 in counter mode with AES-CMAC as its function.

use core::fmt;

use crate::cmac;
use crate::engine::{Block128, EngineError, copy};
use crate::key::wipe;

/// Derives `out` from a key, a label and a context.
///
/// The input of round `i` (from 1) is `i[4] || label || 00 || context || L[4]` with `L` the length
/// of `out` in bits, all numbers most significant byte first.
///
/// # Errors
/// Those of the engine.
pub fn derive<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    label: &[u8; 4],
    context: &[&[u8]; 3],
    out: &mut [u8],
) -> Result<(), E::Error> {
    let bits = u32::try_from(out.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8)
        .to_be_bytes();
    let [a, b, c] = *context;
    for (round, chunk) in (1_u32..).zip(out.chunks_mut(16)) {
        let mut block = cmac::mac(
            engine,
            key,
            &[&round.to_be_bytes(), label, &[0], a, b, c, &bits],
        )?;
        copy(chunk, &block);
        wipe(&mut block);
    }
    Ok(())
}

/// The bare mode with a counter of `counter_len` bytes before a fixed input, as the published test
/// cases have it.
///
/// # Errors
/// [`KdfError::CounterLength`] unless `counter_len` is 1 to 4; [`KdfError::TooLong`] when the
/// counter is too short for `out`; those of the engine.
pub fn counter_mode<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    counter_len: usize,
    fixed: &[u8],
    out: &mut [u8],
) -> Result<(), KdfError> {
    let Some(skip) = 4_usize.checked_sub(counter_len).filter(|skip| *skip < 4) else {
        return Err(KdfError::CounterLength { found: counter_len });
    };
    let most = u32::MAX >> (8 * skip);
    if u32::try_from(out.len().div_ceil(16)).map_or(true, |rounds| rounds > most) {
        return Err(KdfError::TooLong { bytes: out.len() });
    }
    for (round, chunk) in (1_u32..).zip(out.chunks_mut(16)) {
        let counter = round.to_be_bytes();
        let counter = counter.get(skip..).unwrap_or_default();
        let mut block =
            cmac::mac(engine, key, &[counter, fixed]).map_err(|e| KdfError::Engine(e.into()))?;
        copy(chunk, &block);
        wipe(&mut block);
    }
    Ok(())
}

/// Why [`counter_mode`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KdfError {
    /// The counter has 1 to 4 bytes.
    CounterLength {
        /// The length asked for.
        found: usize,
    },
    /// More output than the counter can number.
    TooLong {
        /// The output asked for.
        bytes: usize,
    },
    /// The cipher engine failed.
    Engine(EngineError),
}

impl fmt::Display for KdfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CounterLength { found } => {
                write!(f, "a derivation counter has 1 to 4 bytes, not {found}")
            }
            Self::TooLong { bytes } => {
                write!(f, "the counter is too short to derive {bytes} bytes")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KdfError {}
