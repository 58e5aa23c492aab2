//! The bytes of a page of waiting records.
//!
//! ```text
//! page:   head | record | record | ...
//! head:   "MPo1" | number of the page u32 | stream u8 | 0 0 0 | CRC-32C of these 12
//! record: length u16 | boot u32 | seq u32 | CRC-16 of page number and these 10 | CRC-32C of the same and the bytes
//!         | done word | bytes
//! ```
//!
//! Numbers are little endian; every part begins at a multiple of the flash's word (4 bytes at least). Checks cover the
//! page's number, so what an earlier use of the page left is never taken for a record of this one.

use super::Key;
use crate::link::{CRC_16, CRC_32C};
use crate::message::Stream;

pub(super) const PAGE_HEAD: usize = 16;
pub(super) const RECORD_HEAD: usize = 16;

const MAGIC: [u8; 4] = *b"MPo1";

pub(super) fn build_page_head(number: u32, stream: Stream) -> [u8; PAGE_HEAD] {
    let mut head = [0; PAGE_HEAD];
    let (content, check) = head.split_at_mut(PAGE_HEAD - 4);
    let number = number.to_le_bytes();
    let parts = MAGIC.iter().chain(&number).chain([&stream.0]);
    for (place, byte) in content.iter_mut().zip(parts) {
        *place = *byte;
    }
    check.copy_from_slice(&CRC_32C.checksum(content).to_le_bytes());
    head
}

/// The number of a page of this stream, `None` for a page that is not in use.
pub(super) fn page_number(head: &[u8], stream: Stream) -> Option<u32> {
    let head = head.first_chunk::<PAGE_HEAD>()?;
    let [_, _, _, _, a, b, c, d, ..] = *head;
    let number = u32::from_le_bytes([a, b, c, d]);
    (number != 0 && *head == build_page_head(number, stream)).then_some(number)
}

fn name(key: Key, len: usize) -> [u8; 10] {
    let [a, b] = (len as u16).to_le_bytes();
    let [c, d, e, f] = key.boot.to_le_bytes();
    let [g, h, i, j] = key.seq.to_le_bytes();
    [a, b, c, d, e, f, g, h, i, j]
}

fn name_check(page: u32, name: &[u8; 10]) -> [u8; 2] {
    let mut digest = CRC_16.digest();
    digest.update(&page.to_le_bytes());
    digest.update(name);
    digest.finalize().to_le_bytes()
}

/// `len` is at most 65,535.
pub(super) fn build_record_head(page: u32, key: Key, len: usize, check: u32) -> [u8; RECORD_HEAD] {
    let name = name(key, len);
    let mut head = [0; RECORD_HEAD];
    let parts = name
        .into_iter()
        .chain(name_check(page, &name))
        .chain(check.to_le_bytes());
    for (place, byte) in head.iter_mut().zip(parts) {
        *place = byte;
    }
    head
}

/// Name, length and check of a record on this page.
pub(super) fn parse_record_head(
    stream: Stream,
    page: u32,
    head: &[u8; RECORD_HEAD],
) -> Option<(Key, usize, u32)> {
    let (name, rest) = head.split_first_chunk::<10>()?;
    let (check, rest) = rest.split_first_chunk::<2>()?;
    if name_check(page, name) != *check {
        return None;
    }
    let [a, b, c, d, e, f, g, h, i, j] = *name;
    let key = Key {
        stream,
        boot: u32::from_le_bytes([c, d, e, f]),
        seq: u32::from_le_bytes([g, h, i, j]),
    };
    let len = usize::from(u16::from_le_bytes([a, b]));
    Some((key, len, u32::from_le_bytes(*rest.first_chunk()?)))
}

/// The check of a record, over its bytes in pieces.
pub(super) struct RecordCheck(crc::Digest<'static, u32, crc::NoTable>);

impl RecordCheck {
    pub(super) fn new(page: u32, key: Key, len: usize) -> Self {
        let mut digest = CRC_32C.digest();
        digest.update(&page.to_le_bytes());
        digest.update(&name(key, len));
        Self(digest)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> u32 {
        self.0.finalize()
    }
}
