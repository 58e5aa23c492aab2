//! A log that shows when a line was changed, taken out, moved or cut off.
//!
//! ```text
//! MAC_0 = CMAC(K_dev,audit, "LOG0" || log 4)
//! MAC_n = CMAC(K_dev,audit, "LOGN" || MAC_n-1 || number n 8 || length 4 || line n)
//! ```
//! Whoever holds the key checks from any line on whose MAC he trusts. Cutting off the end shows only
//! against a [`Head`] that was sent away before: push it, sealed, at least hourly.

use core::fmt;

use crate::cmac;
use crate::ct;
use crate::engine::{Block, Block128, EngineError, fill};
use crate::key::{KeyHandle, Purpose};

/// Where a log ends: the number of its last line and the MAC over everything up to it. It is stored
/// with each line, in the same record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    number: u64,
    mac: Block,
}

impl Head {
    /// Length of [`Head::to_bytes`].
    pub const LEN: usize = 24;

    /// The head of an empty log with a name of four bytes.
    ///
    /// # Errors
    /// [`LogError::Key`] for the key of another purpose than `audit`, [`LogError::Engine`].
    pub fn begin<E: Block128>(
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        name: [u8; 4],
    ) -> Result<Self, LogError> {
        let mac = mac(engine, key, &[b"LOG0", &name])?;
        Ok(Self { number: 0, mac })
    }

    /// Lines up to this one, it included.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The head after one more line. The line and the new head are written in one record; only then
    /// does the new head count.
    ///
    /// # Errors
    /// As [`Head::begin`].
    pub fn append<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        line: &[u8],
    ) -> Result<Self, LogError> {
        let number = self.number.wrapping_add(1);
        let len = u32::try_from(line.len()).map_err(|_| LogError::TooLong)?;
        let parts: [&[u8]; 5] = [
            b"LOGN",
            &self.mac,
            &number.to_be_bytes(),
            &len.to_be_bytes(),
            line,
        ];
        let mac = mac(engine, key, &parts)?;
        Ok(Self { number, mac })
    }

    /// Checks the lines that follow this head, each with the head that was stored with it, and returns
    /// the last head.
    ///
    /// # Errors
    /// [`LogError::Broken`] names the first line that does not follow.
    pub fn check<'l, E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        lines: impl IntoIterator<Item = (&'l [u8], Self)>,
    ) -> Result<Self, LogError> {
        let mut head = *self;
        for (line, stored) in lines {
            let next = head.append(engine, key, line)?;
            if !ct::same(&next.to_bytes(), &stored.to_bytes()) {
                return Err(LogError::Broken {
                    number: next.number,
                });
            }
            head = next;
        }
        Ok(head)
    }

    /// Number and MAC.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        fill(&mut out, &[&self.number.to_be_bytes(), &self.mac]);
        out
    }

    /// A head as it was stored; what it is worth, [`Head::check`] tells.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let both = bytes.split_first_chunk::<8>();
        let (number, mac) = both.unwrap_or((&[0; 8], &[]));
        Self {
            number: u64::from_be_bytes(*number),
            mac: mac.try_into().unwrap_or_default(),
        }
    }
}

fn mac<E: Block128>(
    engine: &mut E,
    key: &KeyHandle<E::Key>,
    parts: &[&[u8]],
) -> Result<Block, LogError> {
    if key.purpose() != Purpose::Audit {
        return Err(LogError::Key);
    }
    cmac::mac(engine, key.key(), parts).map_err(|error| LogError::Engine(error.into()))
}

/// Why a log does not go on, or does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError {
    /// A line was changed, taken out, put in or moved.
    Broken {
        /// Number of the first line that does not follow.
        number: u64,
    },
    /// The key is not one for audit.
    Key,
    /// A line of more than 4 GiB.
    TooLong,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { number } => write!(f, "line {number} of the log does not follow"),
            Self::Key => f.write_str("the key is not one for audit"),
            Self::TooLong => f.write_str("the line is too long for a log"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LogError {}
