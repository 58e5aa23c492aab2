//! Result codes: numbers are fixed for ever, retired ones stay reserved.

use core::ffi::{CStr, c_char};

/// How a call ended.
#[repr(i32)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_result {
    /// Done.
    MTR_OK = 0,
    /// Nothing is wrong, but there is no result yet: give more input, or time.
    MTR_MORE = 1,
    /// A pointer is NULL.
    MTR_ERR_NULL = -1,
    /// A pointer is not aligned to MTR_ALIGN or to its type.
    MTR_ERR_ALIGN = -2,
    /// A buffer or the storage is too short, or a length is above its limit.
    MTR_ERR_LENGTH = -3,
    /// A parameter is outside its range.
    MTR_ERR_PARAMETER = -4,
    /// The bytes are no whole frame.
    MTR_ERR_FRAME = -5,
    /// The identifier is not in the catalogue.
    MTR_ERR_IDENTIFIER = -6,
    /// The data do not have the format of the identifier.
    MTR_ERR_VALUE = -7,
    /// Two buffers overlap that must not.
    MTR_ERR_OVERLAP = -8,
    /// The storage holds no object of this kind: it was not initialised, or was given to something else since.
    MTR_ERR_OBJECT = -9,
    /// The object is in a call already (its own callback calls it), or waits for the end of what was asked last.
    MTR_ERR_BUSY = -10,
    /// Stored bytes are of another version, of another length, or damaged.
    MTR_ERR_STATE = -11,
    /// What was sealed does not open: wrong key, changed, repeated, or not for this receiver. Which is not said.
    MTR_ERR_SEAL = -12,
    /// Refused by the rules of the object, whose own reason is in its result.
    MTR_ERR_REFUSED = -13,
    /// No room is left in a list or a queue of the object.
    MTR_ERR_FULL = -14,
    /// A callback of the caller failed, or a callback that is needed is NULL.
    MTR_ERR_CALLBACK = -15,
}

/// A sentence for a result code, never NULL; unknown numbers have one too. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn mtr_result_text(code: i32) -> *const c_char {
    let text: &CStr = match code {
        0 => c"done",
        1 => c"more input is needed",
        -1 => c"a pointer is null",
        -2 => c"a pointer is not aligned",
        -3 => c"a buffer is too short or a length too large",
        -4 => c"a parameter is outside its range",
        -5 => c"the bytes are no whole frame",
        -6 => c"the identifier is not in the catalogue",
        -7 => c"the data do not have the format of the identifier",
        -8 => c"two buffers overlap",
        -9 => c"the storage holds no object of this kind",
        -10 => c"the object is busy",
        -11 => c"the stored bytes are damaged or of another version",
        -12 => c"what was sealed does not open",
        -13 => c"refused by the rules",
        -14 => c"no room is left",
        -15 => c"a callback failed or is missing",
        _ => c"unknown result code",
    };
    text.as_ptr()
}
