//! The two slots of images and the record of the boot stage, on flash.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;
use meter_proto::file::FileStore;
use security::fw::{
    Admission, BootState, MANIFEST_LEN, Manifest, PublicKey, RECORD_LEN, SIGNATURE_LEN, VerifyError,
};
use security::gate::Verified;

use crate::store::StoreError;

/// Erase pages of [`BootRecords`]: two copies of the state, and the image that had its trial last.
pub const RECORD_PAGES: usize = 3;

const TRIED_PAGE: u32 = 2;
const HASH: usize = 32;

/// The boot stage's record: which slot is active, and what is on trial.
#[derive(Debug)]
pub struct BootRecords<B> {
    flash: B,
}

impl<B: NorFlash> BootRecords<B> {
    /// Uses the first [`RECORD_PAGES`] pages of `flash`, whose words divide 16 bytes.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the flash is too small or its words do not fit.
    pub fn try_new(flash: B) -> Result<Self, StoreError> {
        let words = RECORD_LEN.checked_rem(B::WRITE_SIZE) == Some(0)
            && RECORD_LEN.checked_rem(B::READ_SIZE) == Some(0);
        if !words || flash.capacity() < B::ERASE_SIZE.saturating_mul(RECORD_PAGES) {
            return Err(StoreError::Full);
        }
        Ok(Self { flash })
    }

    fn at(page: u32) -> u32 {
        page.saturating_mul(B::ERASE_SIZE as u32)
    }

    fn write(&mut self, page: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let end = Self::at(page.saturating_add(1));
        self.flash
            .erase(Self::at(page), end)
            .and_then(|()| self.flash.write(Self::at(page), bytes))
            .map_err(|_| StoreError::Write)
    }

    /// The newer whole copy of the state; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn state(&mut self) -> Result<Option<BootState>, StoreError> {
        let mut copies = [[0; RECORD_LEN]; 2];
        for (page, copy) in (0..).zip(&mut copies) {
            self.flash
                .read(Self::at(page), copy)
                .map_err(|_| StoreError::Read)?;
        }
        let [first, second] = &copies;
        Ok(BootState::restore([first, second]).ok())
    }

    /// Stores a state over the older copy.
    ///
    /// # Errors
    /// [`StoreError::Write`]; the other copy stays.
    pub fn store(&mut self, state: &BootState) -> Result<(), StoreError> {
        self.write(state.copy() as u32, &state.to_bytes())
    }

    /// Hash of the image that had its trial last.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn tried(&mut self) -> Result<[u8; HASH], StoreError> {
        let mut hash = [0; HASH];
        self.flash
            .read(Self::at(TRIED_PAGE), &mut hash)
            .map_err(|_| StoreError::Read)?;
        Ok(hash)
    }

    /// Notes the image that gets its trial now. It is written before the state: a trial that did not begin is no more
    /// than begun again.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn note_trial(&mut self, hash: &[u8; HASH]) -> Result<(), StoreError> {
        self.write(TRIED_PAGE, hash)
    }
}

/// Why the image in a slot may not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotError {
    /// The slot holds no file, or cannot be read.
    Empty,
    /// What is there is not good.
    Verify(VerifyError),
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the slot holds no image"),
            Self::Verify(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SlotError {}

/// Verifies the image in a slot as it lies in flash.
///
/// # Errors
/// [`SlotError`], all variants.
pub fn verify_slot(
    slot: &mut impl FileStore,
    device: &Admission,
    keys: &[PublicKey],
) -> Result<Verified<Manifest>, SlotError> {
    let offer = slot.offer().ok().flatten().ok_or(SlotError::Empty)?;
    let manifest: &[u8; MANIFEST_LEN] = offer
        .manifest
        .as_slice()
        .try_into()
        .map_err(|_| SlotError::Empty)?;
    let signature: &[u8; SIGNATURE_LEN] = offer
        .signature
        .as_slice()
        .try_into()
        .map_err(|_| SlotError::Empty)?;
    let mut read = |at: u32, into: &mut [u8]| slot.read(at, into).map_err(|_| ());
    security::fw::verify(manifest, signature, device, keys, &mut read).map_err(SlotError::Verify)
}
