//! The border: raw pointers of a C caller become references here, once, and nowhere else.
//!
//! A [`Border`] is made for one call. Every pointer of the call is claimed from it before any work is done: it checks
//! for null, alignment, length and, against all ranges claimed so far, overlap. Two ranges may share bytes only if
//! neither is written. What comes out are ordinary references, so behind the border the safe crates do the work.
//!
//! An object lies at the front of storage that the caller owns, as a [`Stored`]: a tag in front of its body says what
//! it is and whether it is in a call already, so that storage that was never initialised, an object of another kind
//! and a call back into the object from its own callback all answer a code.

use core::ffi::c_void;
use core::mem::{MaybeUninit, align_of, offset_of, size_of};
use core::ptr::{addr_of, addr_of_mut};

use crate::MTR_ALIGN;
use crate::result::mtr_result;

/// How a checked call ends.
pub type Checked<T> = Result<T, mtr_result>;

/// Longest range taken from C: what a pointer difference can express.
const LONGEST: usize = isize::MAX as usize;
/// Most ranges of one call.
const RANGES: usize = 8;

/// A type of which any bytes are a value: integers, pointers and structures of them.
///
/// # Safety
/// `repr(C)`, `Copy`, and no field with an invalid bit pattern (`bool`, references, enumerations).
pub unsafe trait Plain: Copy {}
// SAFETY: integers take any bytes.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for i64 {}

/// What stands behind an opaque C type.
pub trait Opaque {
    /// The Rust object.
    type Body;
    /// Marks live storage of this type; never 0.
    const TAG: u32;
    /// What the header promises to be enough storage.
    const SIZE: usize;
}

/// An object in the caller's storage.
#[repr(C)]
pub struct Stored<T> {
    tag: u32,
    busy: u32,
    /// Bytes of storage that belong to the object, its buffer included.
    extent: usize,
    body: T,
}

/// The ranges of one call.
#[derive(Default)]
pub struct Border {
    /// First byte, first byte behind, whether it is written.
    ranges: [(usize, usize, bool); RANGES],
    count: usize,
}

impl Border {
    /// No range yet.
    #[must_use]
    pub const fn new() -> Self {
        Border {
            ranges: [(0, 0, false); RANGES],
            count: 0,
        }
    }

    /// A border for rows that a structure of this call points to: they may share bytes with nothing that is written,
    /// and count for themselves.
    #[must_use]
    pub fn inner(&self) -> Self {
        let mut inner = Border::new();
        let written = self.ranges.iter().take(self.count).filter(|range| range.2);
        for (place, range) in inner.ranges.iter_mut().zip(written) {
            *place = *range;
            inner.count += 1;
        }
        inner
    }

    /// Checks a range. Not generic and not inlined: it is all that a pointer costs on a small core.
    #[inline(never)]
    fn claim(&mut self, start: usize, len: usize, align: usize, written: bool) -> Checked<()> {
        if start == 0 {
            return Err(mtr_result::MTR_ERR_NULL);
        }
        if start & (align - 1) != 0 {
            return Err(mtr_result::MTR_ERR_ALIGN);
        }
        let end = start
            .checked_add(len)
            .filter(|_| len <= LONGEST)
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let mut earlier = self.ranges.iter().take(self.count);
        if earlier.any(|range| (written || range.2) && start < range.1 && range.0 < end) {
            return Err(mtr_result::MTR_ERR_OVERLAP);
        }
        let place = self
            .ranges
            .get_mut(self.count)
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        *place = (start, end, written);
        self.count += 1;
        Ok(())
    }

    /// A structure that the caller gives.
    ///
    /// # Safety
    /// A pointer that is neither null nor misaligned points to `T` that nobody writes during `'a`.
    pub unsafe fn given<'a, T: Plain>(&mut self, pointer: *const T) -> Checked<&'a T> {
        self.claim(pointer.addr(), size_of::<T>(), align_of::<T>(), false)?;
        // SAFETY: not null, aligned, live by the contract, and `Plain` takes any bytes.
        Ok(unsafe { &*pointer })
    }

    /// A place for a result; what stands there is not looked at.
    ///
    /// # Safety
    /// A pointer that is neither null nor misaligned may be written as a `T` during `'a` and is used by nobody else.
    pub unsafe fn place<'a, T: Copy>(
        &mut self,
        pointer: *mut T,
    ) -> Checked<&'a mut MaybeUninit<T>> {
        self.claim(pointer.addr(), size_of::<T>(), align_of::<T>(), true)?;
        // SAFETY: not null, aligned, writable and unshared by the contract.
        Ok(unsafe { &mut *pointer.cast::<MaybeUninit<T>>() })
    }

    /// `len` places for results; with `len` 0 the pointer is not looked at.
    ///
    /// # Safety
    /// A pointer that is neither null nor misaligned may be written as `len` elements during `'a` and is used by nobody
    /// else.
    pub unsafe fn places<'a, T: Copy>(
        &mut self,
        pointer: *mut T,
        len: usize,
    ) -> Checked<&'a mut [MaybeUninit<T>]> {
        if len == 0 {
            return Ok(&mut []);
        }
        let bytes = len
            .checked_mul(size_of::<T>())
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        self.claim(pointer.addr(), bytes, align_of::<T>(), true)?;
        // SAFETY: not null, aligned, at most isize::MAX bytes, writable and unshared by the contract.
        Ok(unsafe { core::slice::from_raw_parts_mut(pointer.cast(), len) })
    }

    /// `len` elements for reading; with `len` 0 the pointer is not looked at.
    ///
    /// # Safety
    /// A pointer that is neither null nor misaligned points to `len` elements that nobody writes during `'a`.
    pub unsafe fn slice<'a, T: Plain>(
        &mut self,
        pointer: *const T,
        len: usize,
    ) -> Checked<&'a [T]> {
        if len == 0 {
            return Ok(&[]);
        }
        let bytes = len
            .checked_mul(size_of::<T>())
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        self.claim(pointer.addr(), bytes, align_of::<T>(), false)?;
        // SAFETY: not null, aligned, at most isize::MAX bytes, live by the contract.
        Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
    }

    /// `len` bytes for writing, and perhaps reading; with `len` 0 the pointer is not looked at. The bytes are given a
    /// value first, as a C caller need not have done so.
    ///
    /// # Safety
    /// A pointer that is not null points to `len` bytes used by nobody else during `'a`.
    pub unsafe fn buffer<'a>(&mut self, pointer: *mut u8, len: usize) -> Checked<&'a mut [u8]> {
        if len == 0 {
            return Ok(&mut []);
        }
        self.claim(pointer.addr(), len, 1, true)?;
        // SAFETY: not null, at most isize::MAX bytes, live and unshared by the contract. Bytes of C memory that were
        // never written have some value: this border does not inline into the C caller's optimiser.
        Ok(unsafe { core::slice::from_raw_parts_mut(pointer, len) })
    }

    /// An object that the call only reads.
    ///
    /// # Safety
    /// A pointer that is neither null nor misaligned points to `O::SIZE` bytes that nobody writes during `'a`.
    pub unsafe fn object<'a, O: Opaque>(&mut self, pointer: *const O) -> Checked<&'a O::Body> {
        let stored = pointer.cast::<Stored<O::Body>>();
        // SAFETY: forwarded contract.
        unsafe { self.live::<O>(stored, false) }?;
        // SAFETY: the tag says that `init` put a body there; unshared with writers by the contract.
        Ok(unsafe { &(*stored).body })
    }

    /// An object that the call changes.
    ///
    /// # Safety
    /// A pointer that is neither null nor misaligned points to `O::SIZE` bytes used by nobody else during `'a`.
    pub unsafe fn object_mut<'a, O: Opaque>(
        &mut self,
        pointer: *mut O,
    ) -> Checked<&'a mut O::Body> {
        let stored = pointer.cast::<Stored<O::Body>>();
        // SAFETY: forwarded contract.
        unsafe { self.live::<O>(stored, true) }?;
        // SAFETY: the tag says that `init` put a body there; unshared by the contract.
        Ok(unsafe { &mut (*stored).body })
    }

    /// An object that the call changes while callbacks of the caller run: until [`Entered`] is dropped, every other
    /// call on the object answers MTR_ERR_BUSY.
    ///
    /// # Safety
    /// As [`Border::object_mut`].
    pub unsafe fn enter<'a, O: Opaque>(
        &mut self,
        pointer: *mut O,
    ) -> Checked<(&'a mut O::Body, Entered)> {
        // SAFETY: forwarded contract.
        let body = unsafe { self.object_mut(pointer) }?;
        let stored = pointer.cast::<Stored<O::Body>>();
        // SAFETY: live, and the field lies beside the body that is borrowed.
        let busy = unsafe { addr_of_mut!((*stored).busy) };
        Ok((body, Entered::new(busy)))
    }

    /// Ends an object: its secrets are wiped, and the storage is not taken for an object any more.
    ///
    /// # Safety
    /// As [`Border::object_mut`].
    pub unsafe fn end<O: Opaque>(&mut self, pointer: *mut O) -> Checked<()> {
        // SAFETY: forwarded contract.
        let body: *mut O::Body = unsafe { self.object_mut(pointer) }?;
        let stored = pointer.cast::<Stored<O::Body>>();
        // SAFETY: live; the tag goes first, so that nobody sees the body while or after it is dropped.
        unsafe {
            addr_of_mut!((*stored).tag).write(0);
            body.drop_in_place();
        }
        Ok(())
    }

    /// # Safety
    /// As [`Border::object`].
    unsafe fn live<O: Opaque>(
        &mut self,
        stored: *const Stored<O::Body>,
        written: bool,
    ) -> Checked<()> {
        let (start, align) = (stored.addr(), align_of::<Stored<O::Body>>());
        if start != 0 && start & (align - 1) == 0 {
            // SAFETY: aligned and `O::SIZE` bytes are readable by the contract; the head is integers.
            let (tag, busy, extent) = unsafe {
                (
                    addr_of!((*stored).tag).read(),
                    addr_of!((*stored).busy).read(),
                    addr_of!((*stored).extent).read(),
                )
            };
            if tag != O::TAG {
                return Err(mtr_result::MTR_ERR_OBJECT);
            }
            if busy != 0 {
                return Err(mtr_result::MTR_ERR_BUSY);
            }
            return self.claim(start, extent, align, written);
        }
        self.claim(start, 0, align, written)
    }

    /// Storage for a new object, and the place for its handle.
    ///
    /// # Safety
    /// A storage pointer that is not null may be written for `size` bytes as long as the object is used, by nobody
    /// else; a handle pointer that is neither null nor misaligned may be written.
    pub unsafe fn storage<'a, O: Opaque>(
        &mut self,
        storage: *mut c_void,
        size: usize,
        handle: *mut *mut O,
    ) -> Checked<Storage<'a, O>> {
        const { assert!(align_of::<Stored<O::Body>>() <= MTR_ALIGN) };
        if !storage.is_null() && size < O::SIZE {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        self.claim(storage.addr(), size, MTR_ALIGN, true)?;
        // SAFETY: forwarded contract.
        let handle = unsafe { self.place(handle) }?;
        // A call that fails must not leave an older object that looks alive behind.
        let stored = storage.cast::<Stored<O::Body>>();
        // SAFETY: aligned and writable for `O::SIZE` bytes, which hold a `Stored`.
        unsafe { addr_of_mut!((*stored).tag).write(0) };
        Ok(Storage {
            stored,
            size,
            handle,
        })
    }
}

/// Storage that was claimed for an object.
pub struct Storage<'a, O: Opaque> {
    stored: *mut Stored<O::Body>,
    size: usize,
    handle: &'a mut MaybeUninit<*mut O>,
}

impl<O: Opaque> Storage<'_, O> {
    /// The storage behind the object, as a buffer that belongs to it.
    pub fn buffer(&mut self) -> &'static mut [u8] {
        let behind = O::SIZE;
        let start = self.stored.cast::<u8>();
        // SAFETY: `behind` is at most `size`, and the object claims the whole range in every later call, so nobody
        // else uses these bytes while the object lives; `'static` stands for that life, which the caller's storage
        // outlasts by contract. Called once for an object.
        unsafe { core::slice::from_raw_parts_mut(start.add(behind), self.size - behind) }
    }

    /// Puts the object in its place, and finishes it there: what is large is not built on the stack. When that fails there
    /// is no object.
    pub fn fill_with(
        self,
        body: O::Body,
        finish: impl FnOnce(&mut O::Body) -> Checked<()>,
    ) -> Checked<()> {
        // SAFETY: aligned and large enough as in `fill`; nobody else sees the body before its tag.
        let place = unsafe {
            let place = addr_of_mut!((*self.stored).body);
            place.write(body);
            &mut *place
        };
        finish(place).inspect_err(|_| {
            // SAFETY: written just now; without a tag nobody takes it for an object.
            unsafe { addr_of_mut!((*self.stored).body).drop_in_place() };
        })?;
        self.live();
        Ok(())
    }

    /// Puts the object in its place.
    pub fn fill(self, body: O::Body) {
        // SAFETY: aligned, and `O::SIZE` bytes are enough: asserted in the table of objects.
        unsafe { addr_of_mut!((*self.stored).body).write(body) };
        self.live();
    }

    /// The head of an object whose body is in its place.
    fn live(self) {
        // Field by field: a whole `Stored` would lie on the stack once more.
        // SAFETY: aligned, and `O::SIZE` bytes are enough. The tag comes last.
        unsafe {
            addr_of_mut!((*self.stored).busy).write(0);
            addr_of_mut!((*self.stored).extent).write(self.size);
            addr_of_mut!((*self.stored).tag).write(O::TAG);
        }
        self.handle.write(self.stored.cast());
    }
}

/// An object stays busy until this is dropped.
pub struct Entered(*mut u32);

impl Entered {
    fn new(busy: *mut u32) -> Self {
        // SAFETY: a field of a live object, beside the borrowed body.
        unsafe { busy.write(1) };
        Entered(busy)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: as in `new`.
        unsafe { self.0.write(0) };
    }
}

/// Bytes of a body with its head, rounded up to the alignment of storage: what the header promises.
#[must_use]
pub const fn stored_size<T>() -> usize {
    assert!(offset_of!(Stored<T>, tag) == 0);
    size_of::<Stored<T>>().next_multiple_of(MTR_ALIGN)
}

/// Runs a call and gives its code.
pub fn call(run: impl FnOnce(Border) -> Checked<()>) -> mtr_result {
    run(Border::new()).err().unwrap_or(mtr_result::MTR_OK)
}
