//! What may be loaded: the manifest of an image, whom it is for, and which of its chunks lie in flash.

use core::ffi::c_void;

use ::security::fw::{
    Admission, ChunkError, ChunkMap, Core, MANIFEST_LEN, Manifest, NotAdmitted, SIGNATURE_LEN,
    VerifyError,
};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Bytes of a manifest.
pub const MTR_MANIFEST_LEN: usize = 120;
const _: () = assert!(MTR_MANIFEST_LEN == MANIFEST_LEN);
/// Bytes of a signature.
pub const MTR_SIGNATURE_LEN: usize = 64;
const _: () = assert!(MTR_SIGNATURE_LEN == SIGNATURE_LEN);
/// Bytes of storage of an mtr_chunks, without its map: mtr_manifest_map_len bytes lie behind.
pub const MTR_CHUNKS_SIZE: usize = 48;

/// The metering core: never a target over the air, whoever signed.
pub const MTR_CORE_METERING: u8 = 1;
/// The management core.
pub const MTR_CORE_MANAGEMENT: u8 = 2;
/// A modem.
pub const MTR_CORE_MODEM: u8 = 3;
/// A gateway.
pub const MTR_CORE_GATEWAY: u8 = 4;

/// Why an image may not be loaded or started.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_image_fault {
    /// Nothing is wrong.
    MTR_IMAGE_GOOD = 0,
    /// The manifest is malformed.
    MTR_IMAGE_MANIFEST = 1,
    /// The metering core is never a target.
    MTR_IMAGE_METERING_CORE = 2,
    /// It is for another processor.
    MTR_IMAGE_OTHER_CORE = 3,
    /// It is for another hardware model.
    MTR_IMAGE_OTHER_HARDWARE = 4,
    /// Its security counter is below the stored one.
    MTR_IMAGE_ROLLBACK = 5,
    /// It works with other legal software.
    MTR_IMAGE_OTHER_LEGAL_SOFTWARE = 6,
    /// It is longer than a slot.
    MTR_IMAGE_TOO_LONG = 7,
    /// It is encrypted and the device does not decrypt.
    MTR_IMAGE_ENCRYPTED = 8,
    /// It is a patch against another image than the running one.
    MTR_IMAGE_OTHER_BASE = 9,
    /// No trusted key has the identity and kind that the manifest names.
    MTR_IMAGE_UNKNOWN_KEY = 10,
    /// The slot could not be read.
    MTR_IMAGE_UNREADABLE = 11,
    /// What lies in flash is not the image of the manifest.
    MTR_IMAGE_HASH = 12,
    /// The signature is wrong.
    MTR_IMAGE_SIGNATURE = 13,
}
use mtr_image_fault as Fault;

/// What a manifest says. Nothing in it is proved by reading it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_manifest {
    /// Security counter: an image below the stored one never starts.
    pub security_counter: u32,
    /// Build number.
    pub build: u32,
    /// Length of the final image, bytes.
    pub image_len: u32,
    /// Number of its chunks.
    pub chunks: u32,
    /// Hardware model.
    pub hardware: u16,
    /// Revision within the version.
    pub revision: u16,
    /// Bytes of a chunk, the last one excepted.
    pub chunk_len: u16,
    /// SHA-256 of the final image.
    pub image_hash: [u8; 32],
    /// SHA-256 of the image that a patch is against; 0 unless `delta`.
    pub base_hash: [u8; 32],
    /// The legal software it works with; 0 for any.
    pub legal_software: [u8; 8],
    /// First bytes of the SHA-256 of the signer's public key.
    pub key_id: [u8; 8],
    /// Version: major, minor.
    pub version: [u8; 2],
    /// MTR_CORE_...
    pub core: u8,
    /// 1: the chunks are a patch.
    pub delta: u8,
    /// 1: the chunks are encrypted.
    pub encrypted: u8,
}

/// What a device admits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_admission {
    /// The stored security counter.
    pub security_counter: u32,
    /// Length of a slot, bytes.
    pub slot_len: u32,
    /// This hardware model.
    pub hardware: u16,
    /// SHA-256 of the running image; read only with `takes_patches`.
    pub running_hash: [u8; 32],
    /// The legal software of the metering core beside it.
    pub legal_software: [u8; 8],
    /// This processor, MTR_CORE_...
    pub core: u8,
    /// 1: patches are taken.
    pub takes_patches: u8,
    /// 1: the loader can decrypt chunks.
    pub decrypts: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_admission {}

/// Which chunks of an image lie in flash: one bit each, so that a download goes on after any cut. Opaque.
///
/// A set bit is a chunk that is missing: an erased page says that all are. Write the chunk first, then the byte that
/// mtr_chunks_note gives. A download of another manifest begins with an erased map and an erased slot.
pub struct mtr_chunks {
    _opaque: [u8; 0],
}

impl mtr_admission {
    pub(super) fn own(&self) -> Checked<Admission> {
        let core = match self.core {
            MTR_CORE_METERING => Core::Metering,
            MTR_CORE_MANAGEMENT => Core::Management,
            MTR_CORE_MODEM => Core::Modem,
            MTR_CORE_GATEWAY => Core::Gateway,
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        Ok(Admission {
            core,
            hardware: self.hardware,
            security_counter: self.security_counter,
            legal_software: self.legal_software,
            slot_len: self.slot_len,
            running_hash: (self.takes_patches != 0).then_some(self.running_hash),
            decrypts: self.decrypts != 0,
        })
    }
}

impl From<NotAdmitted> for Fault {
    fn from(own: NotAdmitted) -> Self {
        match own {
            NotAdmitted::MeteringCore => Fault::MTR_IMAGE_METERING_CORE,
            NotAdmitted::OtherCore => Fault::MTR_IMAGE_OTHER_CORE,
            NotAdmitted::OtherHardware { .. } => Fault::MTR_IMAGE_OTHER_HARDWARE,
            NotAdmitted::Rollback { .. } => Fault::MTR_IMAGE_ROLLBACK,
            NotAdmitted::OtherLegalSoftware => Fault::MTR_IMAGE_OTHER_LEGAL_SOFTWARE,
            NotAdmitted::TooLong { .. } => Fault::MTR_IMAGE_TOO_LONG,
            NotAdmitted::Encrypted => Fault::MTR_IMAGE_ENCRYPTED,
            // The last one: a new reason is a refusal, too.
            _ => Fault::MTR_IMAGE_OTHER_BASE,
        }
    }
}

impl From<VerifyError> for Fault {
    fn from(own: VerifyError) -> Self {
        match own {
            VerifyError::Manifest(_) => Fault::MTR_IMAGE_MANIFEST,
            VerifyError::NotAdmitted(reason) => reason.into(),
            VerifyError::UnknownKey => Fault::MTR_IMAGE_UNKNOWN_KEY,
            VerifyError::Flash { .. } => Fault::MTR_IMAGE_UNREADABLE,
            VerifyError::ImageHash => Fault::MTR_IMAGE_HASH,
            _ => Fault::MTR_IMAGE_SIGNATURE,
        }
    }
}

fn parsed(bytes: &[u8]) -> Checked<Manifest> {
    Manifest::parse(bytes).map_err(|_| mtr_result::MTR_ERR_FRAME)
}

/// Reads a manifest of MTR_MANIFEST_LEN bytes. MTR_ERR_FRAME when it is malformed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_manifest_parse(
    bytes: *const u8,
    len: usize,
    manifest: *mut mtr_manifest,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, manifest) = unsafe { (border.slice(bytes, len)?, border.place(manifest)?) };
        let own = parsed(bytes)?;
        let (major, minor) = own.version;
        manifest.write(mtr_manifest {
            security_counter: own.security_counter,
            build: own.build,
            image_len: own.image_len,
            chunks: own.chunks(),
            hardware: own.hardware,
            revision: own.revision,
            chunk_len: own.chunk_len,
            image_hash: own.image_hash,
            base_hash: own.base_hash,
            legal_software: own.legal_software,
            key_id: own.key_id,
            version: [major, minor],
            core: own.core as u8,
            delta: own.delta.into(),
            encrypted: own.encrypted.into(),
        });
        Ok(())
    })
}

/// Whether an image may be loaded at all: to be asked before its first chunk. MTR_ERR_REFUSED: `fault` says why not;
/// MTR_ERR_FRAME: the manifest is malformed; MTR_ERR_PARAMETER: the admission names no processor.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_manifest_admit(
    bytes: *const u8,
    len: usize,
    admission: *const mtr_admission,
    fault: *mut mtr_image_fault,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, admission, fault) = unsafe {
            (
                border.slice(bytes, len)?,
                border.given(admission)?,
                border.place(fault)?,
            )
        };
        let admitted = parsed(bytes)?.admit(&admission.own()?);
        fault.write(admitted.err().map_or(Fault::MTR_IMAGE_GOOD, Fault::from));
        admitted.map_err(|_| mtr_result::MTR_ERR_REFUSED)
    })
}

/// Bytes of the map of an image's chunks. MTR_ERR_FRAME when the manifest is malformed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_manifest_map_len(
    bytes: *const u8,
    len: usize,
    map_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, map_len) = unsafe { (border.slice(bytes, len)?, border.place(map_len)?) };
        map_len.write(ChunkMap::len(&parsed(bytes)?));
        Ok(())
    })
}

/// Makes the map of a download in `storage` of `size` bytes (at least MTR_CHUNKS_SIZE and the map behind it, aligned to
/// MTR_ALIGN) out of a manifest and the map as it was read from flash; no bytes: all chunks are missing. MTR_ERR_LENGTH
/// for a map of another length or storage that does not hold it, MTR_ERR_FRAME for a malformed manifest.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_chunks_init(
    storage: *mut c_void,
    size: usize,
    manifest: *const u8,
    manifest_len: usize,
    map: *const u8,
    map_len: usize,
    chunks: *mut *mut mtr_chunks,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut storage, manifest, map) = unsafe {
            (
                border.storage(storage, size, chunks)?,
                border.slice(manifest, manifest_len)?,
                border.slice(map, map_len)?,
            )
        };
        let short = mtr_result::MTR_ERR_LENGTH;
        let manifest = parsed(manifest)?;
        let len = ChunkMap::len(&manifest);
        let bits = storage.buffer().get_mut(..len).ok_or(short)?;
        match map {
            [] => bits.fill(0xFF),
            map if map.len() == len => bits.copy_from_slice(map),
            _ => return Err(short),
        }
        storage.fill(ChunkMap::new(&manifest, bits).map_err(|_| short)?);
        Ok(())
    })
}

/// Where a received chunk of `data_len` bytes is to be written: its offset in the slot. MTR_MORE: it lies there already;
/// MTR_ERR_PARAMETER: there is no such chunk; MTR_ERR_LENGTH: it has another length.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_chunks_wants(
    chunks: *const mtr_chunks,
    number: u32,
    data_len: usize,
    offset: *mut u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chunks, offset) = unsafe { (border.object(chunks)?, border.place(offset)?) };
        let chunks: &ChunkMap<'_> = chunks;
        let place = chunks.wants(number, data_len).map_err(code)?;
        offset.write(place.ok_or(mtr_result::MTR_MORE)?.start);
        Ok(())
    })
}

/// Notes a chunk that lies in flash now: byte `at` of the map in flash is to be written with `byte`, which only clears a
/// bit. MTR_ERR_PARAMETER: there is no such chunk.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_chunks_note(
    chunks: *mut mtr_chunks,
    number: u32,
    at: *mut u32,
    byte: *mut u8,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chunks, at, byte) = unsafe {
            (
                border.object_mut(chunks)?,
                border.place(at)?,
                border.place(byte)?,
            )
        };
        let written = chunks.note(number).map_err(code)?;
        // A map has at most 2^29 bytes.
        at.write(written.at as u32);
        byte.write(written.byte);
        Ok(())
    })
}

/// The first missing chunk from `from` on; MTR_MORE: there is none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_chunks_missing(
    chunks: *const mtr_chunks,
    from: u32,
    number: *mut u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (chunks, number) = unsafe { (border.object(chunks)?, border.place(number)?) };
        let chunks: &ChunkMap<'_> = chunks;
        let missing = chunks.missing(from).next();
        number.write(missing.ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

fn code(error: ChunkError) -> mtr_result {
    match error {
        ChunkError::Number { .. } => mtr_result::MTR_ERR_PARAMETER,
        _ => mtr_result::MTR_ERR_LENGTH,
    }
}
