//! What later releases append to any kind: a chain of (type, length, bytes).

use super::Ext;
use crate::error::Error;

/// One addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition<'b> {
    /// Its type; none is given away yet.
    pub addition_type: u8,
    /// Its bytes.
    pub value: &'b [u8],
}

/// The additions of a message, in order. A reader passes over types it does not know.
#[derive(Clone, Debug)]
pub struct Additions<'b> {
    rest: &'b [u8],
}

impl<'b> Additions<'b> {
    pub(super) const fn new(rest: &'b [u8]) -> Self {
        Self { rest }
    }
}

impl<'b> Iterator for Additions<'b> {
    type Item = Addition<'b>;

    fn next(&mut self) -> Option<Addition<'b>> {
        let [addition_type, len, rest @ ..] = self.rest else {
            return None;
        };
        let (value, rest) = rest.split_at_checked(usize::from(*len))?;
        self.rest = rest;
        Some(Addition {
            addition_type: *addition_type,
            value,
        })
    }
}

/// Refuses bytes that are no such chain.
pub(crate) fn check(ext: &[u8]) -> Result<(), Error> {
    let mut chain = Additions::new(ext);
    while chain.next().is_some() {}
    if chain.rest.is_empty() {
        Ok(())
    } else {
        Err(Error::BadValue {
            position: ext.len() - chain.rest.len(),
        })
    }
}

/// Appends an addition.
///
/// # Errors
/// [`Error::TooMany`] when the 64 bytes of a chain are used up.
pub(super) fn push(ext: &mut Ext, addition: Addition<'_>) -> Result<(), Error> {
    let full = Error::TooMany {
        position: ext.len(),
        capacity: ext.capacity(),
    };
    let len = u8::try_from(addition.value.len()).map_err(|_| full)?;
    if ext.len() + 2 + addition.value.len() > ext.capacity() {
        return Err(full);
    }
    ext.extend([addition.addition_type, len]);
    ext.extend_from_slice(addition.value).map_err(|_| full)
}
