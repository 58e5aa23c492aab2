//! Health tests of a random source (NIST SP 800-90B, 4.4).

use core::ffi::c_void;

use ::security::health::Health;

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_health.
pub const MTR_HEALTH_SIZE: usize = 48;

/// Tests a source of random bytes, at the start (1024 bytes, thrown away) and for ever after. Opaque.
///
/// A source that failed stays failed until a restart: no handshake and no key is made of it. Sealed data go on, because
/// their nonces are counters.
pub struct mtr_health {
    _opaque: [u8; 0],
}

/// A source of random bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_random_source {
    /// Handed to the callback as it is.
    pub context: *mut c_void,
    /// Gives one byte, and answers 0 when it did.
    pub byte: Option<unsafe extern "C" fn(context: *mut c_void, byte: *mut u8) -> i32>,
}

// SAFETY: a raw pointer and a nullable function.
unsafe impl Plain for mtr_random_source {}

impl mtr_random_source {
    fn next(&self) -> Checked<u8> {
        let byte = self.byte.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        let mut found = 0;
        // SAFETY: the caller's function keeps to the header; the place is live for the call.
        match unsafe { byte(self.context, &raw mut found) } {
            0 => Ok(found),
            _ => Err(mtr_result::MTR_ERR_CALLBACK),
        }
    }
}

/// The next byte that may be used; the start-up ends by itself.
fn tested(health: &mut Health, source: &mtr_random_source) -> Checked<u8> {
    loop {
        if let Some(byte) = health.take(source.next()?) {
            return Ok(byte);
        }
        if health.has_failed() {
            return Err(mtr_result::MTR_ERR_REFUSED);
        }
    }
}

/// Makes the tests of a source with at least `entropy_bits` of entropy in a byte (1 to 8, its maker's word) in `storage`
/// of `size` bytes (at least MTR_HEALTH_SIZE, aligned to MTR_ALIGN). MTR_ERR_PARAMETER for other bits.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_health_init(
    storage: *mut c_void,
    size: usize,
    entropy_bits: u8,
    health: *mut *mut mtr_health,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let storage = unsafe { border.storage(storage, size, health) }?;
        if !(1..=8).contains(&entropy_bits) {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        storage.fill(Health::for_entropy(entropy_bits));
        Ok(())
    })
}

/// Tests a byte that was drawn. MTR_OK: it may be used; MTR_MORE: start-up, throw it away; MTR_ERR_REFUSED: the source
/// failed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_health_take(health: *mut mtr_health, byte: u8) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let health = unsafe { border.object_mut(health) }?;
        let usable = health.take(byte).is_some();
        if health.has_failed() {
            return Err(mtr_result::MTR_ERR_REFUSED);
        }
        usable.then_some(()).ok_or(mtr_result::MTR_MORE)
    })
}

/// Fills `out` with tested bytes of `source`. MTR_ERR_REFUSED: the source failed; MTR_ERR_CALLBACK: it gave no byte.
/// Nothing is left in `out` then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_health_fill(
    health: *mut mtr_health,
    source: *const mtr_random_source,
    out: *mut u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((health, _entered), source, out) = unsafe {
            (
                border.enter(health)?,
                border.given(source)?,
                border.buffer(out, len)?,
            )
        };
        source.byte.ok_or(mtr_result::MTR_ERR_CALLBACK)?;
        let filled = out.iter_mut().try_for_each(|cell| {
            *cell = tested(health, source)?;
            Ok(())
        });
        if filled.is_err() {
            out.fill(0);
        }
        filled
    })
}
