//! Puts meanings beside bytes, from the front to the back, so that none is left out.

use super::explained::{Named, Part};

/// The bytes of one frame while they are being explained.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    base: usize,
    line: &'a [u8],
    at: usize,
    parts: Vec<Part>,
    values: Vec<Named>,
    /// Subtracted from the bytes that follow, for the column of plain bytes.
    masked: bool,
}

impl<'a> Layout<'a> {
    /// `line` stands at `base` in the capture.
    pub(super) fn new(base: usize, line: &'a [u8]) -> Self {
        Layout {
            base,
            line,
            at: 0,
            parts: Vec::new(),
            values: Vec::new(),
            masked: false,
        }
    }

    /// Whether the bytes that follow carry the offset of 33.
    pub(super) fn masked(&mut self, masked: bool) {
        self.masked = masked;
    }

    /// The next `len` bytes mean this; fewer if fewer are left.
    pub(super) fn put(&mut self, len: usize, meaning: impl Into<String>) {
        let rest = self.line.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..len).unwrap_or(rest);
        if bytes.is_empty() {
            return;
        }
        let plain = self
            .masked
            .then(|| bytes.iter().map(|byte| byte.wrapping_sub(0x33)).collect());
        self.parts.push(Part {
            offset: self.base + self.at,
            line: bytes.to_vec(),
            plain,
            meaning: meaning.into(),
        });
        self.at += bytes.len();
    }

    /// All up to `end` (counted in the frame) mean this.
    pub(super) fn put_until(&mut self, end: usize, meaning: impl Into<String>) {
        self.put(end.saturating_sub(self.at), meaning);
    }

    /// A value, beside its bytes and in the list of values.
    pub(super) fn value(&mut self, len: usize, named: Named) {
        self.put(len, format!("{}: {}", named.name, named.value));
        self.values.push(named);
    }

    pub(super) fn finish(self) -> (Vec<Part>, Vec<Named>) {
        (self.parts, self.values)
    }
}
