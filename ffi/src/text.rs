//! Text into a C buffer.

use core::fmt::{self, Write};

use crate::border::{Border, Checked};
use crate::result::mtr_result;

/// English names; see the functions that end in _name.
pub const MTR_LANG_EN: u32 = 0;
/// Chinese names, UTF-8.
pub const MTR_LANG_ZH: u32 = 1;

/// A buffer that takes text and keeps room for the closing NUL.
struct Line<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.checked_add(text.len()).ok_or(fmt::Error)?;
        let room = self.out.len().saturating_sub(1);
        if end > room {
            return Err(fmt::Error);
        }
        self.out
            .get_mut(self.len..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes `shown` and a NUL to the caller's buffer, and its length without the NUL.
pub fn write(out: &mut [u8], shown: &dyn fmt::Display) -> Checked<usize> {
    let mut line = Line { out, len: 0 };
    write!(line, "{shown}").map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
    let len = line.len;
    *line.out.get_mut(len).ok_or(mtr_result::MTR_ERR_LENGTH)? = 0;
    Ok(len)
}

/// Text of `len` bytes from C, without a NUL.
///
/// # Safety
/// As [`Border::slice`].
pub unsafe fn given<'a>(
    border: &mut Border,
    text: *const core::ffi::c_char,
    len: usize,
) -> Checked<&'a str> {
    // SAFETY: forwarded contract; characters are bytes.
    let bytes = unsafe { border.slice(text.cast::<u8>(), len) }?;
    core::str::from_utf8(bytes).map_err(|_| mtr_result::MTR_ERR_VALUE)
}
