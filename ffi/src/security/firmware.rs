//! Which image starts: two slots, a trial, and the way back.

use core::ffi::c_void;
use core::hint::black_box;

use ::security::fw::{
    Admission, BootState, Decision, Manifest, PublicKey, RECORD_LEN, Slot, StartedBecause, verify,
};
use ::security::gate::Verified;

use super::manifest::{MTR_MANIFEST_LEN, MTR_SIGNATURE_LEN, mtr_admission, mtr_image_fault};
use crate::border::{Border, Checked, Entered, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_boot.
pub const MTR_BOOT_SIZE: usize = 160;
/// Bytes of the stored state of the slots.
pub const MTR_BOOT_RECORD_LEN: usize = 16;
const _: () = assert!(MTR_BOOT_RECORD_LEN == RECORD_LEN);
/// Most keys that images may be signed with: the current one and the next.
pub const MTR_BOOT_KEYS: usize = 2;

/// The first slot.
pub const MTR_SLOT_A: u32 = 0;
/// The second slot.
pub const MTR_SLOT_B: u32 = 1;
/// No slot.
pub const MTR_SLOT_NONE: u32 = 2;

/// Start slot A, when both fields of the decision say so.
pub const MTR_START_A: u32 = 0x5AC3_9669;
/// Start slot B, when both fields of the decision say so.
pub const MTR_START_B: u32 = 0xA53C_6996;
/// Start nothing: recovery.
pub const MTR_START_NOTHING: u32 = 0x3C5A_A5C3;

/// The boot stage: what is known about the slots, and who may sign. Opaque.
///
/// The loader: mtr_manifest_admit, chunks into the free slot, mtr_boot_mark, reset. The boot stage: mtr_boot_decide, start.
/// The new image, when it finds itself working: mtr_boot_confirm; else it resets, and the old one comes back.
pub struct mtr_boot {
    _opaque: [u8; 0],
}

/// An Ed25519 key that images are signed with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_public_key {
    /// The key.
    pub bytes: [u8; 32],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_public_key {}

/// The slots in flash. All callbacks answer 0 when they did their work.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_flash_slots {
    /// Handed to every callback as it is.
    pub context: *mut c_void,
    /// Reads manifest and signature of a slot's image: MTR_MANIFEST_LEN + MTR_SIGNATURE_LEN bytes.
    pub manifest: Option<
        unsafe extern "C" fn(context: *mut c_void, slot: u32, out: *mut u8, len: usize) -> i32,
    >,
    /// Reads `len` bytes of a slot's image from `offset` on.
    pub read: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            slot: u32,
            offset: u32,
            out: *mut u8,
            len: usize,
        ) -> i32,
    >,
    /// Writes MTR_BOOT_RECORD_LEN bytes over copy 0 or 1 of the state, and answers when they are durable.
    pub write: Option<
        unsafe extern "C" fn(context: *mut c_void, copy: u32, bytes: *const u8, len: usize) -> i32,
    >,
}

// SAFETY: a raw pointer and nullable functions.
unsafe impl Plain for mtr_flash_slots {}

/// What the boot stage does. It starts a slot only when `start` and `again`, two looks at everything, name the same one,
/// each compared by itself: one instruction that a disturbed supply passes over starts nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_boot_decision {
    /// MTR_START_...
    pub start: u32,
    /// MTR_START_...; when it is another one, reset.
    pub again: u32,
    /// Why, for the log: 0 it is the active one, 1 a new image has its trial, 2 a new image did not verify, 3 a new image
    /// did not confirm itself, 4 the active image does not verify, 5 none does.
    pub because: u32,
}

/// What is known about the slots.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_boot_state {
    /// Slot of the last confirmed image, MTR_SLOT_...
    pub active: u32,
    /// Slot that downloads are written to; MTR_SLOT_NONE while an image waits or is on trial.
    pub free: u32,
    /// 1: the running image is on trial.
    pub on_trial: u32,
    /// What the monotonic security counter must be raised to, at every start.
    pub counter_floor: u32,
}

/// The state of the slots, and what images are judged by.
#[derive(Debug)]
pub struct Booting {
    state: BootState,
    admission: Admission,
    /// As bytes: a key in the crate is as large as its largest kind.
    keys: [[u8; 32]; MTR_BOOT_KEYS],
    count: usize,
}

impl mtr_flash_slots {
    fn is_whole(&self) -> bool {
        self.manifest.is_some() && self.read.is_some() && self.write.is_some()
    }

    fn read(&self, slot: Slot, offset: u32, out: &mut [u8]) -> Result<(), ()> {
        let read = self.read.ok_or(())?;
        // SAFETY: the caller's function keeps to the header; the bytes are live for the call.
        let answer = unsafe {
            read(
                self.context,
                slot as u32,
                offset,
                out.as_mut_ptr(),
                out.len(),
            )
        };
        (answer == 0).then_some(()).ok_or(())
    }

    fn verified(
        &self,
        slot: Slot,
        admission: &Admission,
        keys: &[PublicKey],
    ) -> Result<Verified<Manifest>, mtr_image_fault> {
        let unreadable = mtr_image_fault::MTR_IMAGE_UNREADABLE;
        let manifest = self.manifest.ok_or(unreadable)?;
        let mut both = [0; MTR_MANIFEST_LEN + MTR_SIGNATURE_LEN];
        // SAFETY: the caller's function keeps to the header; the bytes are live for the call.
        let answer = unsafe { manifest(self.context, slot as u32, both.as_mut_ptr(), both.len()) };
        let parts = both.split_last_chunk::<MTR_SIGNATURE_LEN>();
        let (manifest, signature) = parts.filter(|_| answer == 0).ok_or(unreadable)?;
        let mut read = |offset: u32, out: &mut [u8]| self.read(slot, offset, out);
        Ok(verify(manifest, signature, admission, keys, &mut read)?)
    }
}

impl Booting {
    fn verified(
        &self,
        slots: &mtr_flash_slots,
        slot: Slot,
    ) -> Result<Verified<Manifest>, mtr_image_fault> {
        let keys = self.keys.map(PublicKey::Ed25519);
        let keys = keys.get(..self.count).unwrap_or_default();
        slots.verified(slot, &self.admission, keys)
    }

    /// Writes a state, and only then has it.
    fn keep(&mut self, slots: &mtr_flash_slots, state: BootState) -> Checked<()> {
        let failed = mtr_result::MTR_ERR_CALLBACK;
        let write = slots.write.ok_or(failed)?;
        let record = state.to_bytes();
        let copy = state.copy() as u32;
        // SAFETY: the caller's function keeps to the header; the bytes are live for the call.
        match unsafe { write(slots.context, copy, record.as_ptr(), record.len()) } {
            0 => {
                self.state = state;
                Ok(())
            }
            _ => Err(failed),
        }
    }
}

fn slot(number: u32) -> Checked<Slot> {
    match number {
        MTR_SLOT_A => Ok(Slot::A),
        MTR_SLOT_B => Ok(Slot::B),
        _ => Err(mtr_result::MTR_ERR_PARAMETER),
    }
}

/// What a decision starts, by both of its looks.
fn coded(decision: &Decision) -> u32 {
    if decision.starts(Slot::A) {
        MTR_START_A
    } else if decision.starts(Slot::B) {
        MTR_START_B
    } else {
        MTR_START_NOTHING
    }
}

/// # Safety
/// As [`Border::enter`] and [`Border::given`].
unsafe fn claimed<'a>(
    border: &mut Border,
    boot: *mut mtr_boot,
    slots: *const mtr_flash_slots,
) -> Checked<((&'a mut Booting, Entered), &'a mtr_flash_slots)> {
    // SAFETY: forwarded contract.
    Ok(unsafe { (border.enter(boot)?, border.given(slots)?) })
}

fn whole(slots: &mtr_flash_slots) -> Checked<()> {
    slots
        .is_whole()
        .then_some(())
        .ok_or(mtr_result::MTR_ERR_CALLBACK)
}

/// Makes a boot stage in `storage` of `size` bytes (at least MTR_BOOT_SIZE, aligned to MTR_ALIGN). `keys` are 1 to
/// MTR_BOOT_KEYS. `first` and `second` are both copies of the state; when both have no bytes the device is new and its
/// image lies in slot `active`. MTR_ERR_STATE when neither copy is whole, MTR_ERR_PARAMETER for another number of keys,
/// another slot, or an admission that names no processor.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_boot_init(
    storage: *mut c_void,
    size: usize,
    admission: *const mtr_admission,
    keys: *const mtr_public_key,
    keys_count: usize,
    active: u32,
    first: *const u8,
    first_len: usize,
    second: *const u8,
    second_len: usize,
    boot: *mut *mut mtr_boot,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, admission, given, first, second) = unsafe {
            (
                border.storage(storage, size, boot)?,
                border.given(admission)?,
                border.slice(keys, keys_count)?,
                border.slice(first, first_len)?,
                border.slice(second, second_len)?,
            )
        };
        if !(1..=MTR_BOOT_KEYS).contains(&given.len()) {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let mut keys = [[0; 32]; MTR_BOOT_KEYS];
        for (place, given) in keys.iter_mut().zip(given) {
            *place = given.bytes;
        }
        let state = if first.is_empty() && second.is_empty() {
            BootState::new(slot(active)?)
        } else {
            // A copy of another length is no copy.
            let none = &[0; RECORD_LEN];
            let copies = [first, second].map(|copy| copy.try_into().unwrap_or(none));
            BootState::restore(copies).map_err(|_| mtr_result::MTR_ERR_STATE)?
        };
        storage.fill(Booting {
            state,
            admission: admission.own()?,
            keys,
            count: given.len(),
        });
        Ok(())
    })
}

/// Verifies the image in a slot as it lies in flash now: manifest, admission, hash of what is read back, signature.
/// MTR_ERR_REFUSED: `fault` says why not; MTR_ERR_PARAMETER: no such slot; MTR_ERR_CALLBACK: a callback is missing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_boot_verify(
    boot: *mut mtr_boot,
    slots: *const mtr_flash_slots,
    slot_number: u32,
    fault: *mut mtr_image_fault,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (((booting, _entered), slots), fault) =
            unsafe { (claimed(&mut border, boot, slots)?, border.place(fault)?) };
        whole(slots)?;
        let verified = booting.verified(slots, slot(slot_number)?);
        fault.write(
            verified
                .as_ref()
                .err()
                .copied()
                .unwrap_or(mtr_image_fault::MTR_IMAGE_GOOD),
        );
        verified
            .map(|_| ())
            .map_err(|_| mtr_result::MTR_ERR_REFUSED)
    })
}

/// Verifies the image in the free slot and marks it: the next boot gives it its trial. MTR_ERR_REFUSED: `fault` says why
/// not; MTR_ERR_BUSY: another image waits or is on trial; MTR_ERR_CALLBACK: the state was not written, or a callback is
/// missing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_boot_mark(
    boot: *mut mtr_boot,
    slots: *const mtr_flash_slots,
    fault: *mut mtr_image_fault,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (((booting, _entered), slots), fault) =
            unsafe { (claimed(&mut border, boot, slots)?, border.place(fault)?) };
        whole(slots)?;
        let free = booting.state.free().ok_or(mtr_result::MTR_ERR_BUSY)?;
        let verified = booting.verified(slots, free);
        let marked = verified.and_then(|image| {
            let marked = booting.state.mark(&image);
            // The slot is free: what is left is an image below the confirmed one.
            marked.map_err(|_| mtr_image_fault::MTR_IMAGE_ROLLBACK)
        });
        fault.write(marked.err().unwrap_or(mtr_image_fault::MTR_IMAGE_GOOD));
        let marked = marked.map_err(|_| mtr_result::MTR_ERR_REFUSED)?;
        booting.keep(slots, marked)
    })
}

/// What to start. The slots are verified twice, and the state is written before. MTR_ERR_CALLBACK: it was not written or
/// a callback is missing; start nothing then, reset.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_boot_decide(
    boot: *mut mtr_boot,
    slots: *const mtr_flash_slots,
    decision: *mut mtr_boot_decision,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (((booting, _entered), slots), place) =
            unsafe { (claimed(&mut border, boot, slots)?, border.place(decision)?) };
        whole(slots)?;
        let own: &Booting = booting;
        let decision = own.state.decide(|slot| own.verified(slots, slot).is_ok());
        if let Some(state) = decision.store {
            booting.keep(slots, state)?;
        }
        place.write(mtr_boot_decision {
            start: coded(&decision),
            again: coded(black_box(&decision)),
            because: match decision.because {
                StartedBecause::Active => 0,
                StartedBecause::Trial => 1,
                StartedBecause::NewDoesNotVerify => 2,
                StartedBecause::NotConfirmed => 3,
                StartedBecause::ActiveDoesNotVerify => 4,
                _ => 5,
            },
        });
        Ok(())
    })
}

/// The image on trial found itself working: it becomes the active one. Then raise the monotonic counter to counter_floor
/// of mtr_boot_read. MTR_ERR_REFUSED when it does not verify or is not on trial, MTR_ERR_CALLBACK: the state was not
/// written, or a callback is missing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_boot_confirm(
    boot: *mut mtr_boot,
    slots: *const mtr_flash_slots,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((booting, _entered), slots) = unsafe { claimed(&mut border, boot, slots) }?;
        whole(slots)?;
        let refused = mtr_result::MTR_ERR_REFUSED;
        let running = booting.state.active().other();
        let image = booting.verified(slots, running).map_err(|_| refused)?;
        let confirmed = booting.state.confirm(&image).map_err(|_| refused)?;
        booting.keep(slots, confirmed)
    })
}

/// What is known about the slots.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_boot_read(
    boot: *const mtr_boot,
    state: *mut mtr_boot_state,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (booting, state) = unsafe { (border.object(boot)?, border.place(state)?) };
        let booting: &Booting = booting;
        let own = &booting.state;
        state.write(mtr_boot_state {
            active: own.active() as u32,
            free: own.free().map_or(MTR_SLOT_NONE, |slot| slot as u32),
            on_trial: own.on_trial().into(),
            counter_floor: own.counter_floor(),
        });
        Ok(())
    })
}
