//! Kinds 17 to 19: files (firmware, tariff tables, logs) that the receiver asks for block by block.

use heapless::{String, Vec};

use crate::error::{Error, Rule};
use crate::fields::{fields, newtypes};

/// The largest file, bytes.
pub const FILE_MAX: u32 = 16 << 20;

/// What is in a file. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileKind(pub u16);

impl FileKind {
    /// Firmware image.
    pub const FIRMWARE: Self = Self(1);
    /// Tariff tables.
    pub const TARIFF: Self = Self(2);
    /// Log, upwards.
    pub const LOG: Self = Self(3);
    /// Conversion tables of a gateway.
    pub const CONVERSIONS: Self = Self(4);
    /// Waveform record, upwards.
    pub const WAVEFORM: Self = Self(5);
}

/// Which part of a device a file is for. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileTarget(pub u8);

impl FileTarget {
    /// The device as a whole.
    pub const DEVICE: Self = Self(0);
    /// The metering core: never a target of firmware over a link.
    pub const METERING_CORE: Self = Self(1);
    /// The management core.
    pub const MANAGEMENT_CORE: Self = Self(2);
    /// The modem.
    pub const MODEM: Self = Self(3);
}

/// When a file that is whole and judged good is used. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Activation(pub u8);

impl Activation {
    /// By a command of its own.
    pub const BY_COMMAND: Self = Self(0);
    /// As soon as it is whole and judged good.
    pub const AT_ONCE: Self = Self(1);
    /// At the next start of the device.
    pub const AT_START: Self = Self(2);
}

/// How far a receiver is. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileStatus(pub u8);

impl FileStatus {
    /// Needs the ranges of the message.
    pub const NEEDS: Self = Self(0);
    /// Has all of it, hash and signature are right.
    pub const COMPLETE: Self = Self(1);
    /// Refused: not for this device, too large, or not trusted.
    pub const REFUSED: Self = Self(2);
    /// All blocks came and hash or signature is wrong: what was stored is thrown away.
    pub const BAD_CONTENT: Self = Self(3);
    /// In use.
    pub const ACTIVE: Self = Self(4);
    /// It was in use and the device went back to what it had before.
    pub const FELL_BACK: Self = Self(5);
}

newtypes!(FileKind, FileTarget, Activation, FileStatus);

/// Kind 17, both ways: a file is there to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileOffer {
    /// The offerer's number of this content; other content has another number.
    pub number: u32,
    /// What it is.
    pub file_kind: FileKind,
    /// Which part of the device it is for.
    pub target: FileTarget,
    /// Version for people and for the log, at most 24 bytes.
    pub version: String<24>,
    /// Bytes, 1 to [`FILE_MAX`].
    pub size: u32,
    /// Bytes of every block but the last: 256, 512 or 1,024, so that a block is a datagram.
    pub block_size: u16,
    /// SHA-256 of the whole, 32 bytes.
    pub sha256: Vec<u8, 32>,
    /// What the judge of the content reads beside it, at most 256 bytes; opaque here.
    pub manifest: Vec<u8, 256>,
    /// Signature of the manifest, at most 96 bytes; opaque here.
    pub signature: Vec<u8, 96>,
    /// When it is used.
    pub activation: Activation,
}

fields!(FileOffer {
    0 number,
    1 file_kind,
    2 target,
    3 version,
    4 size,
    5 block_size,
    6 sha256,
    7 manifest,
    8 signature,
    9 activation,
} where check);

impl FileOffer {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self.size == 0 || self.size > FILE_MAX {
            return Err(Rule::Size.into());
        }
        if !matches!(self.block_size, 256 | 512 | 1024) || self.sha256.len() != 32 {
            return Err(Rule::Size.into());
        }
        Ok(())
    }

    /// How many blocks the file has.
    #[must_use]
    pub const fn blocks(&self) -> u32 {
        self.size.div_ceil(if self.block_size == 0 {
            1
        } else {
            self.block_size as u32
        })
    }
}

/// Blocks one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockRange {
    /// The first, from 0.
    pub first: u32,
    /// How many, at least 1.
    pub count: u32,
}

fields!(element BlockRange { 0 first, 1 count });

/// Kind 18, both ways: what the receiver of a file still needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileNeed {
    /// The file's number in its offer.
    pub number: u32,
    /// How far the receiver is.
    pub status: FileStatus,
    /// Blocks to send, ascending and apart, at most 8; none unless the status is [`FileStatus::NEEDS`].
    pub ranges: Vec<BlockRange, 8>,
}

fields!(FileNeed { 0 number, 1 status, 2 ranges } where check);

impl FileNeed {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if (self.status == FileStatus::NEEDS) == self.ranges.is_empty() {
            return Err(Rule::Count.into());
        }
        let mut free = 0u32; // the first block that no range has yet
        for range in &self.ranges {
            let end = range.first.checked_add(range.count);
            match end {
                Some(end) if range.first >= free && range.count > 0 && end <= FILE_MAX / 256 => {
                    free = end;
                }
                _ => return Err(Rule::Ranges.into()),
            }
        }
        Ok(())
    }
}

/// Kind 19, both ways: bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileBlock {
    /// The file's number in its offer.
    pub number: u32,
    /// Where the bytes stand in the file.
    pub offset: u32,
    /// The bytes, 1 to 1,024.
    pub data: Vec<u8, 1024>,
}

fields!(FileBlock { 0 number, 1 offset, 2 data } where check);

impl FileBlock {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        let end = self.offset.checked_add(self.data.len() as u32);
        if self.data.is_empty() || end.is_none_or(|end| end > FILE_MAX) {
            return Err(Rule::Size.into());
        }
        Ok(())
    }
}
