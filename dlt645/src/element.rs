//! Where the cryptography of function 03 and of levels 98 and 99 comes from (sections 6.1 and 14 of the fact sheet).
//!
//! The chips of the standard calculate with a cipher that is not public, so this crate asks for operations and knows no
//! algorithm. [`HostElement`] is the reader's side, [`MeterElement`] the meter's.

use crate::address::Address;
use crate::control::Function;
use crate::data_id::DataId;

/// How a request is protected; the number is its level PA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Protection {
    /// 98: ciphertext and MAC.
    Cipher = 0x98,
    /// 99: plaintext and MAC.
    Mac = 0x99,
}

impl Protection {
    /// From a level; `None` for plain passwords.
    #[must_use]
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            0x98 => Some(Protection::Cipher),
            0x99 => Some(Protection::Mac),
            _ => None,
        }
    }
}

/// An element that refused or failed; the meter's answer says no more than its ERR bits either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementRefused;

impl core::fmt::Display for ElementRefused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the secure element refuses")
    }
}

impl core::error::Error for ElementRefused {}

/// What the data of a protected request belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The meter.
    pub meter: Address,
    /// 14, 1A, 1B or 1C.
    pub function: Function,
    /// What is written; `None` for orders.
    pub id: Option<DataId>,
}

/// The reader's element: a chip, a server that holds the keys, or a software one.
pub trait HostElement {
    /// The 24 bytes of a request for identity authentication (070000FF): cipher 1, random 1, diversifier, each from its
    /// last byte to its first as on the line.
    ///
    /// # Errors
    /// [`ElementRefused`].
    fn begin(&mut self, meter: Address) -> Result<[u8; 24], ElementRefused>;

    /// Takes the meter's 12 bytes: random 2 and chip serial number.
    ///
    /// # Errors
    /// [`ElementRefused`] if the meter is not the one asked.
    fn finish(&mut self, meter: Address, answer: [u8; 12]) -> Result<(), ElementRefused>;

    /// Writes the protected form of `plain` to the front of `out` and returns its length: ciphertext and four bytes of
    /// MAC, or `plain` and four bytes of MAC.
    ///
    /// # Errors
    /// [`ElementRefused`], also when `out` is too small.
    fn protect(
        &mut self,
        protection: Protection,
        subject: Subject,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused>;
}

/// The meter's element.
pub trait MeterElement {
    /// Writes the plain form of `protected` to the front of `out` and returns its length, if its MAC is right and the
    /// identity authentication of the reader is still valid.
    ///
    /// # Errors
    /// [`ElementRefused`] with nothing of the plain text left in `out`.
    fn open(
        &mut self,
        protection: Protection,
        subject: Subject,
        protected: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused>;
}
