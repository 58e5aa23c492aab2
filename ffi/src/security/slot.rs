//! The life of a device key: staged, proved, active, and its predecessor erased.

use core::ffi::c_void;

use ::security::key::DeviceKey;
use ::security::slot::{Change, KeySlot, RECORD_LEN, Side, SlotError, WRAPPED_LEN};

use super::engine::{Engine, mtr_engine};
use super::gate::mtr_store;
use super::key::{Loaded, engine, mtr_key, mtr_key_id, purpose, secret, whole};
use super::wrap::MTR_WRAPPED_LEN;
use crate::border::{Border, Checked, Entered, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_slot.
pub const MTR_SLOT_SIZE: usize = 112;
/// Bytes of a slot's stored record.
pub const MTR_SLOT_RECORD_LEN: usize = 108;
const _: () = assert!(MTR_SLOT_RECORD_LEN == RECORD_LEN);
const _: () = assert!(MTR_WRAPPED_LEN == WRAPPED_LEN);
/// Bytes of a proof.
pub const MTR_PROOF_LEN: usize = 16;

/// The device that the key belongs to.
pub const MTR_SIDE_DEVICE: u8 = 0;
/// The head end that stages it.
pub const MTR_SIDE_HEAD_END: u8 = 1;

/// The keys of one device for one purpose. Opaque; holds secrets, mtr_slot_end wipes it.
///
/// Device and head end hold the same slot. Each function that changes it first writes the record, wrapped under the key
/// `chip` of the device's own (any purpose; the same at every start), to `store`; MTR_ERR_CALLBACK says that the store or
/// the engine failed, and the slot is then as before. There is no way back to a lower epoch.
pub struct mtr_slot {
    _opaque: [u8; 0],
}

/// Epochs of the keys in a slot.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_slot_epochs {
    /// The one to send under; only with `has_active`.
    pub active: u16,
    /// The one that waits; only with `has_staged`.
    pub staged: u16,
    /// 1: there is an active key.
    pub has_active: u8,
    /// 1: a key waits.
    pub has_staged: u8,
    /// 1: both sides proved the key that waits: a head end begins its next handshake under it.
    pub proved: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_slot_epochs {}

fn code(error: SlotError) -> mtr_result {
    match error {
        SlotError::State => mtr_result::MTR_ERR_REFUSED,
        SlotError::Epoch { .. } => mtr_result::MTR_ERR_PARAMETER,
        SlotError::Record => mtr_result::MTR_ERR_STATE,
        SlotError::Engine(_) => mtr_result::MTR_ERR_CALLBACK,
        _ => mtr_result::MTR_ERR_SEAL,
    }
}

fn side(number: u8) -> Checked<Side> {
    match number {
        MTR_SIDE_DEVICE => Ok(Side::Device),
        MTR_SIDE_HEAD_END => Ok(Side::HeadEnd),
        _ => Err(mtr_result::MTR_ERR_PARAMETER),
    }
}

fn sixteen(bytes: &[u8]) -> Checked<&[u8; 16]> {
    bytes.try_into().map_err(|_| mtr_result::MTR_ERR_LENGTH)
}

/// What every change of a slot needs.
struct Changing<'a> {
    slot: &'a mut KeySlot,
    /// The slot is busy while the callbacks run.
    _entered: Entered,
    chip: &'a Loaded,
    store: &'a mtr_store,
    engine: Engine,
}

impl<'a> Changing<'a> {
    /// # Safety
    /// As [`Border::object`] and [`Border::given`].
    unsafe fn claimed(
        border: &mut Border,
        slot: *mut mtr_slot,
        chip: *const mtr_key,
        store: *const mtr_store,
    ) -> Checked<Self> {
        // SAFETY: forwarded contract.
        let ((slot, entered), chip, store) = unsafe {
            (
                border.enter(slot)?,
                border.object(chip)?,
                border.given(store)?,
            )
        };
        Ok(Changing {
            slot,
            _entered: entered,
            chip,
            store,
            engine: chip.engine,
        })
    }

    /// Writes the record of a change, and only then makes it.
    fn make(
        &mut self,
        change: impl for<'s> FnOnce(&'s mut KeySlot, &mut Engine) -> Result<Change<'s>, SlotError>,
    ) -> Checked<()> {
        self.store.write.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        let change = change(self.slot, &mut self.engine).map_err(code)?;
        let record = change.record(&mut self.engine, self.chip.handle.key());
        self.store.keep(&record.map_err(code)?)?;
        change.stored();
        Ok(())
    }
}

/// Makes a slot without a key in `storage` of `size` bytes (at least MTR_SLOT_SIZE, aligned to MTR_ALIGN).
/// MTR_ERR_PARAMETER for an unknown purpose.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_init(
    storage: *mut c_void,
    size: usize,
    id: mtr_key_id,
    purpose_number: u8,
    slot: *mut *mut mtr_slot,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, slot) }?;
        storage.fill(KeySlot::empty(id.into(), purpose(purpose_number)?));
        Ok(())
    })
}

/// Makes the slot that was stored, in `storage` of `size` bytes. `first` and `second` are the copies that the store holds,
/// in any order; the newer one that is whole counts, and one may have no bytes. MTR_ERR_STATE when neither is whole,
/// MTR_ERR_CALLBACK when the engine fails.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_init_stored(
    storage: *mut c_void,
    size: usize,
    chip: *const mtr_key,
    first: *const u8,
    first_len: usize,
    second: *const u8,
    second_len: usize,
    slot: *mut *mut mtr_slot,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, chip, first, second) = unsafe {
            (
                border.storage(storage, size, slot)?,
                border.object(chip)?,
                border.slice(first, first_len)?,
                border.slice(second, second_len)?,
            )
        };
        let mut engine = chip.engine;
        let slot = KeySlot::restore(&mut engine, chip.handle.key(), [first, second]);
        storage.fill(slot.map_err(code)?);
        Ok(())
    })
}

/// Puts the first key, MTR_SECRET_LEN bytes, into an empty slot where the device is made. MTR_ERR_REFUSED when it is not
/// empty, MTR_ERR_LENGTH for another length.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_provision(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    secret_bytes: *const u8,
    secret_len: usize,
    epoch: u16,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut changing, bytes) = unsafe {
            (
                Changing::claimed(&mut border, slot, chip, store)?,
                border.slice(secret_bytes, secret_len)?,
            )
        };
        let secret = secret(bytes)?;
        changing.make(|slot, _| {
            let key = DeviceKey::new(secret, slot.id(), slot.purpose(), epoch);
            slot.provision(&key)
        })
    })
}

/// Stages a key that came wrapped (MTR_WRAPPED_LEN bytes, mtr_key_wrap) under the device's key `master` of
/// MTR_PURPOSE_MASTER. A staged key that waits already is replaced. MTR_ERR_PARAMETER unless the epoch is above the active,
/// the staged and every one before, MTR_ERR_SEAL when it was not wrapped under `master` or that is no such key,
/// MTR_ERR_REFUSED without an active key, MTR_ERR_LENGTH for another length.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_stage(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    master: *const mtr_key,
    wrapped: *const u8,
    wrapped_len: usize,
    epoch: u16,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut changing, master, wrapped) = unsafe {
            (
                Changing::claimed(&mut border, slot, chip, store)?,
                border.object(master)?,
                border.slice(wrapped, wrapped_len)?,
            )
        };
        let wrapped = wrapped.try_into().map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        changing.make(|slot, engine| slot.stage(engine, &master.handle, wrapped, epoch))
    })
}

/// This side's proof that it holds the staged key, over the MTR_RANDOM_LEN bytes that the other side drew: MTR_PROOF_LEN
/// bytes go to `out`. `side_number` is MTR_SIDE_... of this side; `chip` names the engine. MTR_ERR_REFUSED without a
/// staged key, MTR_ERR_PARAMETER for another side, MTR_ERR_LENGTH for other lengths, MTR_ERR_CALLBACK when the engine
/// fails.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_proof(
    slot: *const mtr_slot,
    chip: *const mtr_key,
    side_number: u8,
    other_random: *const u8,
    random_len: usize,
    out: *mut u8,
    capacity: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slot, chip, random, out) = unsafe {
            (
                border.object(slot)?,
                border.object(chip)?,
                border.slice(other_random, random_len)?,
                border.buffer(out, capacity)?,
            )
        };
        let out = out
            .get_mut(..MTR_PROOF_LEN)
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let mut engine = chip.engine;
        let slot: &KeySlot = slot;
        let proof = slot.proof(&mut engine, side(side_number)?, sixteen(random)?);
        out.copy_from_slice(&proof.map_err(code)?);
        Ok(())
    })
}

/// Takes the other side's proof over the random bytes that this side drew for it: the staged key may be used then.
/// `side_number` is MTR_SIDE_... of the other side. MTR_ERR_SEAL when the proof is wrong; otherwise as mtr_slot_proof.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_prove(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    side_number: u8,
    own_random: *const u8,
    random_len: usize,
    proof: *const u8,
    proof_len: usize,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut changing, random, proof) = unsafe {
            (
                Changing::claimed(&mut border, slot, chip, store)?,
                border.slice(own_random, random_len)?,
                border.slice(proof, proof_len)?,
            )
        };
        let (by, random, proof) = (side(side_number)?, sixteen(random)?, sixteen(proof)?);
        changing.make(|slot, engine| slot.proved(engine, by, random, proof))
    })
}

/// Drops the staged key; the active one is untouched. MTR_ERR_REFUSED without a staged key.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_abort(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let mut changing = unsafe { Changing::claimed(&mut border, slot, chip, store) }?;
        changing.make(|slot, _| slot.abort())
    })
}

/// Notes that the other side showed the key of an epoch, by a handshake or a good message: a proved staged key becomes
/// active, and the one before stays for receiving for a week or until the first good message under the new one. `now_s` is
/// seconds of a clock that goes on over a restart. MTR_MORE: nothing had to change; MTR_ERR_REFUSED: no key of that epoch
/// may be used.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_seen(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    epoch: u16,
    now_s: u64,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let mut changing = unsafe { Changing::claimed(&mut border, slot, chip, store) }?;
        if changing.slot.seen(epoch, now_s).map_err(code)?.is_none() {
            return Err(mtr_result::MTR_MORE);
        }
        changing.make(|slot, _| {
            let change = slot.seen(epoch, now_s)?;
            change.ok_or(SlotError::State)
        })
    })
}

/// Erases a previous key whose time is over; MTR_MORE: there is none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_expire(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    now_s: u64,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let mut changing = unsafe { Changing::claimed(&mut border, slot, chip, store) }?;
        if changing.slot.expire(now_s).is_none() {
            return Err(mtr_result::MTR_MORE);
        }
        changing.make(|slot, _| slot.expire(now_s).ok_or(SlotError::State))
    })
}

/// Gives up all keys for ever. MTR_ERR_REFUSED when that was done before.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_revoke(
    slot: *mut mtr_slot,
    chip: *const mtr_key,
    store: *const mtr_store,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let mut changing = unsafe { Changing::claimed(&mut border, slot, chip, store) }?;
        changing.make(|slot, _| slot.revoke())
    })
}

/// Which keys the slot holds.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_state(
    slot: *const mtr_slot,
    epochs: *mut mtr_slot_epochs,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (slot, epochs) = unsafe { (border.object(slot)?, border.place(epochs)?) };
        let slot: &KeySlot = slot;
        epochs.write(mtr_slot_epochs {
            active: slot.epoch().unwrap_or(0),
            staged: slot.staged_epoch().unwrap_or(0),
            has_active: slot.epoch().is_some().into(),
            has_staged: slot.staged_epoch().is_some().into(),
            proved: slot.proved_epoch().is_some().into(),
        });
        Ok(())
    })
}

/// As mtr_key_init, with the key of `slot` to send under; `chip` may be NULL. MTR_ERR_REFUSED when it has none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_init_sending(
    storage: *mut c_void,
    size: usize,
    slot: *const mtr_slot,
    chip: *const mtr_engine,
    key: *mut *mut mtr_key,
) -> mtr_result {
    // SAFETY: forwarded contract of this function; `chip` may be NULL.
    unsafe { init_key(storage, size, slot, chip, key, KeySlot::sending_key) }
}

/// As mtr_key_init, with the key of `slot` that a message or handshake of an epoch may be opened with: the active one, a
/// staged one that both sides proved, or the one before while its time lasts. After a good message call mtr_slot_seen.
/// `chip` may be NULL. MTR_ERR_REFUSED when there is none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_init_receiving(
    storage: *mut c_void,
    size: usize,
    slot: *const mtr_slot,
    epoch: u16,
    now_s: u64,
    chip: *const mtr_engine,
    key: *mut *mut mtr_key,
) -> mtr_result {
    let find = |slot: &KeySlot| slot.receiving_key(epoch, now_s);
    // SAFETY: forwarded contract of this function.
    unsafe { init_key(storage, size, slot, chip, key, find) }
}

/// # Safety
/// The rules of the header; `chip` may be null.
unsafe fn init_key(
    storage: *mut c_void,
    size: usize,
    slot: *const mtr_slot,
    chip: *const mtr_engine,
    key: *mut *mut mtr_key,
    find: impl FnOnce(&KeySlot) -> Option<DeviceKey>,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, slot, engine) = unsafe {
            (
                border.storage(storage, size, key)?,
                border.object(slot)?,
                engine(&mut border, chip)?,
            )
        };
        let mut engine = whole(engine)?;
        let key = find(slot).ok_or(mtr_result::MTR_ERR_REFUSED)?;
        let handle = key
            .load(&mut engine)
            .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        storage.fill(Loaded { engine, handle });
        Ok(())
    })
}

/// Wipes a slot in memory; the storage is free then. What was stored stays.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_slot_end(slot: *mut mtr_slot) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(slot) })
}
