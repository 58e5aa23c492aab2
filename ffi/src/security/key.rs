//! Keys: the tree of the key service, and keys that a device has loaded.

use core::ffi::c_void;

use ::security::key::{DeviceKey, DeviceKeyId, KeyHandle, KeyTree, Purpose, Secret};

use super::engine::{Engine, EngineKey, mtr_engine};
use crate::border::{Border, Checked, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_key.
pub const MTR_KEY_SIZE: usize = 448;
/// Bytes of every secret.
pub const MTR_SECRET_LEN: usize = 16;

/// Handshakes.
pub const MTR_PURPOSE_AUTH: u8 = 1;
/// Orders and acknowledgements of a gateway.
pub const MTR_PURPOSE_CTRL: u8 = 2;
/// Wraps other keys of the device.
pub const MTR_PURPOSE_MASTER: u8 = 4;
/// Purse movements.
pub const MTR_PURPOSE_PURSE: u8 = 5;
/// Legal readings, sealed by the metering core.
pub const MTR_PURPOSE_DATA: u8 = 6;
/// Firmware: wraps the keys of images.
pub const MTR_PURPOSE_FW: u8 = 7;
/// Attestation and logs.
pub const MTR_PURPOSE_AUDIT: u8 = 9;
/// The own uplink of a gateway or management core.
pub const MTR_PURPOSE_MDATA: u8 = 10;
/// Relay orders that the metering core itself checks.
pub const MTR_PURPOSE_LCTRL: u8 = 11;

/// A key of one device and purpose that an engine has loaded. Opaque. It holds a secret: mtr_key_end wipes it.
pub struct mtr_key {
    _opaque: [u8; 0],
}

/// Whose key it is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_key_id {
    /// The six address bytes of a meter or the serial of a gateway, most significant first.
    pub address: [u8; 6],
    /// 1: a gateway; 0: a meter.
    pub gateway: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_key_id {}

impl From<mtr_key_id> for DeviceKeyId {
    fn from(given: mtr_key_id) -> Self {
        match given.gateway {
            0 => DeviceKeyId::meter(given.address),
            _ => DeviceKeyId::gateway(given.address),
        }
    }
}

/// A loaded key and the engine that holds it.
#[derive(Debug)]
pub struct Loaded {
    pub(super) engine: Engine,
    pub(super) handle: KeyHandle<EngineKey>,
}

pub(super) fn secret(bytes: &[u8]) -> Checked<Secret<16>> {
    let bytes = <[u8; 16]>::try_from(bytes).map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
    Ok(Secret::new(bytes))
}

pub(super) fn purpose(number: u8) -> Checked<Purpose> {
    Purpose::from_number(number).ok_or(mtr_result::MTR_ERR_PARAMETER)
}

/// The engine that a caller names, software for NULL.
///
/// # Safety
/// As [`Border::given`].
pub(super) unsafe fn engine(border: &mut Border, given: *const mtr_engine) -> Checked<Engine> {
    if given.is_null() {
        return Ok(Engine::Soft);
    }
    // SAFETY: forwarded contract.
    Ok(Engine::Chip(*unsafe { border.given(given) }?))
}

/// An engine whose callbacks are all there.
pub(super) fn whole(engine: Engine) -> Checked<Engine> {
    match engine {
        Engine::Chip(chip) if !chip.is_whole() => Err(mtr_result::MTR_ERR_CALLBACK),
        engine => Ok(engine),
    }
}

/// For the key service: the secret of one device, purpose and epoch out of the root secret of a network, both of
/// MTR_SECRET_LEN bytes. `net_id` names the network, 8 bytes. MTR_ERR_PARAMETER for an unknown purpose,
/// MTR_ERR_LENGTH for other lengths.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_derive(
    root: *const u8,
    root_len: usize,
    net_id: *const u8,
    net_id_len: usize,
    id: mtr_key_id,
    purpose_number: u8,
    epoch: u16,
    out: *mut u8,
    out_len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (root, net_id, out) = unsafe {
            (
                border.slice(root, root_len)?,
                border.slice(net_id, net_id_len)?,
                border.buffer(out, out_len)?,
            )
        };
        let net_id = <[u8; 8]>::try_from(net_id).map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        let out =
            <&mut [u8; MTR_SECRET_LEN]>::try_from(out).map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
        let tree = KeyTree::from_root(&secret(root)?, net_id, epoch);
        let key = tree.device_key(id.into(), purpose(purpose_number)?, epoch);
        out.copy_from_slice(key.secret().expose());
        Ok(())
    })
}

/// Loads a key into an engine, and makes its handle in `storage` of `size` bytes (at least MTR_KEY_SIZE, aligned to
/// MTR_ALIGN). `secret_bytes` are MTR_SECRET_LEN bytes, which the caller may wipe then; `chip` may be NULL: the cipher
/// in software. Orders and handshakes under keys of epoch 0, the factory's, are refused. MTR_ERR_CALLBACK when the
/// engine refuses or lacks a callback, MTR_ERR_PARAMETER for an unknown purpose.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_init(
    storage: *mut c_void,
    size: usize,
    secret_bytes: *const u8,
    secret_len: usize,
    id: mtr_key_id,
    purpose_number: u8,
    epoch: u16,
    chip: *const mtr_engine,
    key: *mut *mut mtr_key,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, secret_bytes, engine) = unsafe {
            (
                border.storage(storage, size, key)?,
                border.slice(secret_bytes, secret_len)?,
                engine(&mut border, chip)?,
            )
        };
        let mut engine = whole(engine)?;
        let key = DeviceKey::new(
            secret(secret_bytes)?,
            id.into(),
            purpose(purpose_number)?,
            epoch,
        );
        let handle = key
            .load(&mut engine)
            .map_err(|_| mtr_result::MTR_ERR_CALLBACK)?;
        storage.fill(Loaded { engine, handle });
        Ok(())
    })
}

/// Wipes a key and releases it in its engine; the storage is free then. Senders and receivers made of it go on.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_key_end(key: *mut mtr_key) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(key) })
}
