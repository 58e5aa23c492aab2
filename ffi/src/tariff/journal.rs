//! Records on the caller's flash, whole or absent after a power cut.

use core::ffi::c_void;

use ::tariff::store::{FlashStore, MAX_RECORD, Store, StoreError};

use crate::border::call;
use crate::flash::{Chip, mtr_flash};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_journal.
pub const MTR_JOURNAL_SIZE: usize = 1424;
/// Longest record.
pub const MTR_RECORD_MAX: usize = 1280;
const _: () = assert!(MTR_RECORD_MAX == MAX_RECORD);
/// A journal of records on flash: of each key it has the newest whole one, whatever the power did. Opaque.
///
/// Everything is written twice, to two halves of the flash, one after the other, and read back: an erase that was cut
/// loses nothing. A record takes at most 37 bytes more than it has; those that count and one more that is being written must
/// fit into one page less than a half has, of 2016 bytes each.
pub struct mtr_journal {
    _opaque: [u8; 0],
}

/// Behind an mtr_journal.
pub type Journal = FlashStore<Chip>;

fn code(error: StoreError) -> mtr_result {
    match error {
        StoreError::Read => mtr_result::MTR_ERR_STATE,
        StoreError::TooLong { .. } => mtr_result::MTR_ERR_LENGTH,
        StoreError::Full => mtr_result::MTR_ERR_FULL,
        _ => mtr_result::MTR_ERR_CALLBACK,
    }
}

/// Makes a journal over the flash in `storage` of `size` bytes (at least MTR_JOURNAL_SIZE, aligned to MTR_ALIGN), and
/// puts in order what a power cut left: this reads the whole flash. Erased flash is an empty journal. MTR_ERR_PARAMETER
/// when the pages do not fit, MTR_ERR_CALLBACK when a callback is missing or failed, MTR_ERR_STATE when both halves are
/// damaged or cannot be read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_journal_init(
    storage: *mut c_void,
    size: usize,
    flash: *const mtr_flash,
    journal: *mut *mut mtr_journal,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, flash) = unsafe {
            (
                border.storage(storage, size, journal)?,
                *border.given(flash)?,
            )
        };
        let chip = Chip::new(flash)?;
        if chip.pages() < 4 || !chip.pages().is_multiple_of(2) {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let range = 0..chip.end();
        storage.fill(FlashStore::try_new(chip, range).map_err(code)?);
        Ok(())
    })
}

/// Copies the record of `key` to `out` and its length to `len`. MTR_MORE: there is none; MTR_ERR_LENGTH when `capacity`
/// is less; MTR_ERR_STATE when the flash cannot be read.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_journal_read(
    journal: *mut mtr_journal,
    key: u16,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((store, _entered), out, len) = unsafe {
            (
                border.enter(journal)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let found = store.read(key, out).map_err(code)?;
        len.write(found.ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// Makes `record` of `record_len` bytes (1 to MTR_RECORD_MAX) the record of `key`: after MTR_OK it is there whatever the
/// power does. MTR_ERR_FULL when no room is left, MTR_ERR_CALLBACK when the flash refuses: the old record then stays, or
/// the new one is there.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_journal_write(
    journal: *mut mtr_journal,
    key: u16,
    record: *const u8,
    record_len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((store, _entered), record) =
            unsafe { (border.enter(journal)?, border.slice(record, record_len)?) };
        if record.is_empty() {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        store.write(key, record).map_err(code)
    })
}

/// Forgets the record of `key`; the codes are those of mtr_journal_write.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_journal_remove(journal: *mut mtr_journal, key: u16) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (store, _entered) = unsafe { border.enter(journal) }?;
        store.remove(key).map_err(code)
    })
}

/// Ends a journal; the storage is free then, the records stay.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_journal_end(journal: *mut mtr_journal) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(journal) })
}
