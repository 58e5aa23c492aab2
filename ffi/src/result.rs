//! Result codes: numbers are fixed for ever, retired ones stay reserved.

use core::ffi::{CStr, c_char};

/// How a call ended.
#[repr(i32)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_result {
    /// Done.
    MTR_OK = 0,
    /// Nothing is wrong, but there is no result yet: give more input.
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
}

/// The rows of the table from code to text.
const TEXTS: [(mtr_result, &CStr); 10] = [
    (mtr_result::MTR_OK, c"done"),
    (mtr_result::MTR_MORE, c"more input is needed"),
    (mtr_result::MTR_ERR_NULL, c"a pointer is null"),
    (mtr_result::MTR_ERR_ALIGN, c"a pointer is not aligned"),
    (
        mtr_result::MTR_ERR_LENGTH,
        c"a buffer is too short or a length too large",
    ),
    (
        mtr_result::MTR_ERR_PARAMETER,
        c"a parameter is outside its range",
    ),
    (mtr_result::MTR_ERR_FRAME, c"the bytes are no whole frame"),
    (
        mtr_result::MTR_ERR_IDENTIFIER,
        c"the identifier is not in the catalogue",
    ),
    (
        mtr_result::MTR_ERR_VALUE,
        c"the data do not have the format of the identifier",
    ),
    (mtr_result::MTR_ERR_OVERLAP, c"two buffers overlap"),
];

/// A sentence for a result code, never NULL; unknown numbers have one too. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn mtr_result_text(code: i32) -> *const c_char {
    TEXTS
        .iter()
        .find(|(result, _)| *result as i32 == code)
        .map_or(c"unknown result code", |(_, text)| text)
        .as_ptr()
}
