//! `esam-compat`: the security layer of DL/T 645-2007 with a published cipher.
//!
//! The standard's secure elements compute with SM1, which was never published. This profile keeps all
//! frames and sizes and puts SM4 in its place: for reference, tests and private networks. It does not
//! talk to a fielded element; such a chip is put behind the same traits of the `dlt645` crate.
//!
//! ```text
//! diversified key  K' = SM4(K, F || NOT F)                    F = 00 00 || meter number
//! identity         SM4(K_id', random 1 || 80 00 ..)           first 8 bytes
//! control block    SM4(K_ctrl', length || plain || 80 00 ..)  MAC over 04 D6 88 00 14 || block
//! parameters       MAC over 04 D6 82 offset Lc || data
//! MAC              CBC-MAC under random 2 || 0^12, padded 80 00 .., first 4 bytes
//! ```
//! Inside the element numbers stand most significant byte first, on the line least significant first.
//! The rules that the frames leave open are in `docs/security.md`.
//!
//! [`Host`] is the reader's side, [`Element`] the meter's. An element answers a request with a changed
//! state that is to be stored before the answer is sent: [`Element::unsaved`].

mod cipher;
mod files;
mod host;
mod host_files;
mod kept;
#[cfg(feature = "dlt645")]
mod line;
mod meter;
mod purse;
mod update;

pub use files::{COMPARED_LEN, READ_BACK_MAX, ReadProgram, ReadTag};
pub use host::{Host, HostKeys};
pub use host_files::Shown;
pub use kept::{FILE_LEN, RECORD_LEN};
pub use meter::{Element, MacRules};

use core::fmt;

use crate::engine::EngineError;

/// Which of the four keys of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyName {
    /// Writes of parameters, recharges.
    Parameter = 1,
    /// Relay, alarms, clearing.
    Control = 2,
    /// Authentication.
    Identity = 3,
    /// Updates of keys.
    Main = 4,
}

impl KeyName {
    /// Every key, in the order of the numbers.
    pub const ALL: [Self; 4] = [Self::Parameter, Self::Control, Self::Identity, Self::Main];

    /// The key of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|key| *key as u8 == number)
    }
}

/// What an element knows of a key: state (0 production, 1 in trade), way (0 local, 1 remote), number,
/// version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyInfo {
    /// 0 a production key, 1 one in trade.
    pub state: u8,
    /// 0 local, 1 remote.
    pub way: u8,
    /// Number of the key.
    pub id: u8,
    /// Rises with each update.
    pub version: u8,
}

impl KeyInfo {
    /// The production key of a name.
    pub const fn production(name: KeyName) -> Self {
        Self {
            state: 0,
            way: 0,
            id: name as u8,
            version: 0,
        }
    }

    /// The four bytes, as inside the element.
    pub const fn to_bytes(self) -> [u8; 4] {
        [self.state, self.way, self.id, self.version]
    }

    /// From four bytes.
    pub const fn from_bytes([state, way, id, version]: [u8; 4]) -> Self {
        Self {
            state,
            way,
            id,
            version,
        }
    }
}

/// The prepaid part of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// Balance in hundredths of the currency unit.
    pub balance: u32,
    /// Purchase count; 0 before an account is opened.
    pub count: u32,
    /// Customer number, packed BCD, most significant byte first.
    pub customer: [u8; 6],
}

/// Why an element refused: the bits of SERR, first byte low.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub u16);

impl Refused {
    /// Anything else.
    pub const OTHER: Self = Self(0x0001);
    /// This recharge was done before.
    pub const REPEATED: Self = Self(0x0002);
    /// The MAC is wrong or was seen before.
    pub const MAC: Self = Self(0x0004);
    /// The authentication failed or its time is over.
    pub const IDENTITY: Self = Self(0x0008);
    /// The customer number differs.
    pub const CUSTOMER: Self = Self(0x0010);
    /// The purchase count is not the next one.
    pub const COUNT: Self = Self(0x0020);
    /// The balance would rise above the hoarding limit.
    pub const HOARDING: Self = Self(0x0040);
    /// The request is for another meter.
    pub const ADDRESS: Self = Self(0x0080);
    /// Too many bad MACs today: remote setting and control rest until midnight.
    pub const SUSPENDED: Self = Self(0x0100);
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({:#06X})", self.0)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the element refuses with SERR {:04X}", self.0)
    }
}

impl core::error::Error for Refused {}

impl From<EngineError> for Refused {
    fn from(_: EngineError) -> Self {
        Self::OTHER
    }
}

/// The bytes in the other order: from the line to the element, or back.
fn turned<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    bytes.reverse();
    bytes
}
