//! Checked ways from raw pointers to references.

use core::mem::{align_of, size_of};
use core::ptr::NonNull;

use crate::MTR_ALIGN;
use crate::result::mtr_result;

/// Longest slice taken from C: what a pointer difference can express.
const LONGEST: usize = isize::MAX as usize;

fn aligned<T>(pointer: *const T) -> Result<(), mtr_result> {
    if pointer.is_null() {
        Err(mtr_result::MTR_ERR_NULL)
    } else if pointer.cast::<u8>().align_offset(align_of::<T>()) != 0 {
        Err(mtr_result::MTR_ERR_ALIGN)
    } else {
        Ok(())
    }
}

/// The object behind a pointer to const.
///
/// # Safety
/// A pointer that is neither null nor misaligned points to a live `T` that nobody writes during `'a`.
pub unsafe fn shared<'a, T>(pointer: *const T) -> Result<&'a T, mtr_result> {
    aligned(pointer)?;
    // SAFETY: not null, aligned, and live by the contract of this function.
    Ok(unsafe { &*pointer })
}

/// The object behind a pointer.
///
/// # Safety
/// A pointer that is neither null nor misaligned points to a live `T` used by nobody else during `'a`.
pub unsafe fn exclusive<'a, T>(pointer: *mut T) -> Result<&'a mut T, mtr_result> {
    aligned(pointer)?;
    // SAFETY: not null, aligned, live and unshared by the contract of this function.
    Ok(unsafe { &mut *pointer })
}

/// Writes a result; the place need not be initialised.
///
/// # Safety
/// A pointer that is neither null nor misaligned is valid for writing a `T`.
pub unsafe fn put<T>(pointer: *mut T, value: T) -> Result<(), mtr_result> {
    aligned(pointer)?;
    // SAFETY: not null, aligned, and writable by the contract of this function.
    unsafe { pointer.write(value) };
    Ok(())
}

/// `len` elements for reading; a null pointer is allowed when `len` is 0.
///
/// # Safety
/// A pointer that is neither null nor misaligned points to `len` live elements that nobody writes
/// during `'a`.
pub unsafe fn slice<'a, T>(pointer: *const T, len: usize) -> Result<&'a [T], mtr_result> {
    if len == 0 {
        return Ok(&[]);
    }
    aligned(pointer)?;
    if len > LONGEST / size_of::<T>().max(1) {
        return Err(mtr_result::MTR_ERR_LENGTH);
    }
    // SAFETY: not null, aligned, at most isize::MAX bytes, and live by the contract of this function.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

/// `len` bytes for writing.
///
/// # Safety
/// A pointer that is not null points to `len` initialised bytes used by nobody else during `'a`.
pub unsafe fn slice_mut<'a>(pointer: *mut u8, len: usize) -> Result<&'a mut [u8], mtr_result> {
    if pointer.is_null() {
        return Err(mtr_result::MTR_ERR_NULL);
    }
    if len > LONGEST {
        return Err(mtr_result::MTR_ERR_LENGTH);
    }
    // SAFETY: not null, at most isize::MAX bytes, and live and unshared by the contract.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer, len) })
}

/// Makes an object in the caller's storage.
///
/// # Safety
/// A storage pointer that is not null is valid for writing `size` bytes.
pub unsafe fn place<T>(storage: *mut u8, size: usize, value: T) -> Result<NonNull<T>, mtr_result> {
    let place = NonNull::new(storage).ok_or(mtr_result::MTR_ERR_NULL)?;
    if place.as_ptr().align_offset(MTR_ALIGN) != 0 {
        return Err(mtr_result::MTR_ERR_ALIGN);
    }
    if size < size_of::<T>() {
        return Err(mtr_result::MTR_ERR_LENGTH);
    }
    const { assert!(align_of::<T>() <= MTR_ALIGN) };
    let place = place.cast::<T>();
    // SAFETY: aligned for `T`, and `size_of::<T>()` bytes are writable by the contract.
    unsafe { place.write(value) };
    Ok(place)
}

/// Whether two byte ranges share a byte.
#[must_use]
pub fn overlap(a: *const u8, a_len: usize, b: *const u8, b_len: usize) -> bool {
    let (a, b) = (a as usize, b as usize);
    a_len != 0 && b_len != 0 && a < b.saturating_add(b_len) && b < a.saturating_add(a_len)
}

/// The code of a result.
pub fn code(result: Result<(), mtr_result>) -> mtr_result {
    result.err().unwrap_or(mtr_result::MTR_OK)
}
