//! The one place that takes fields off a row of outside bytes and lays them into a caller's buffer.

/// Reads fields from the front; every step is checked.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// A reader of all these bytes.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Cursor { rest: bytes }
    }

    /// What was not read yet.
    #[inline]
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes; `None`, and nothing is taken, when there are fewer.
    #[inline]
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(head)
    }

    /// The next `N` bytes; `None`, and nothing is taken, when there are fewer.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    /// The next byte.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }
}

/// Writes fields into a caller's buffer; remembers that something did not fit.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// A writer from the front of `out`.
    #[inline]
    #[must_use]
    pub const fn new(out: &'a mut [u8]) -> Self {
        Writer { out, len: 0 }
    }

    /// Adds the bytes; what does not fit is counted and left out.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> &mut Self {
        let end = self.len.saturating_add(bytes.len());
        // Taken in two steps, so that the compiler sees equal lengths and links no panic.
        let place = self.out.get_mut(self.len..);
        if let Some(place) = place.and_then(|place| place.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
        self.len = end;
        self
    }

    /// Bytes written.
    ///
    /// # Errors
    /// How many bytes the buffer would have had to hold.
    #[inline]
    pub fn finish(self) -> Result<usize, usize> {
        if self.len <= self.out.len() {
            Ok(self.len)
        } else {
            Err(self.len)
        }
    }
}
