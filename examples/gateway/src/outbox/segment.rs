//! One append-only segment file: records that are whole or absent.
//!
//! A record is `length u32 | sum u32 | body`, all little-endian; the sum is a CRC-32C of length and body, so a run of
//! zeros is no record. Bytes that are no record are passed over to the next place where one stands whole: a spoiled
//! sector costs the records on it and none behind it. What follows the last whole record is a torn write and cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::twin::CRC32C;

/// Longest body of a record: a compact message of at most 1,030 bytes with its origin fits many times.
pub(crate) const LONGEST_BODY: usize = 16 << 10;
const HEAD: usize = 8;

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub path: PathBuf,
    pub length: u64,
    /// Places between whole records where bytes are no record.
    pub damaged: u32,
    file: File,
}

fn sum_of(length: u32, body: &[u8]) -> u32 {
    let mut digest = CRC32C.digest();
    digest.update(&length.to_le_bytes());
    digest.update(body);
    digest.finalize()
}

impl Segment {
    /// Opens or creates segment `number` in `dir`, hands every whole record to `each` (offset of the body, body),
    /// counts the damaged places between them and cuts off what follows the last of them.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(dir: &Path, number: u32, mut each: impl FnMut(u64, &[u8])) -> io::Result<Self> {
        let path = dir.join(format!("{number:010}.seg"));
        let fresh = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        if fresh {
            File::open(dir)?.sync_all()?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut rest = &bytes[..];
        let mut length = 0_u64;
        let mut damaged = 0;
        while let Some((skipped, body, after)) = next_record(rest) {
            damaged += u32::from(skipped != 0);
            length += (skipped + HEAD) as u64;
            each(length, body);
            length += body.len() as u64;
            rest = after;
        }
        if !rest.is_empty() {
            file.set_len(length)?;
            file.sync_all()?;
        }
        Ok(Self {
            path,
            length,
            damaged,
            file,
        })
    }

    /// Appends one record and returns the offset of its body once it is on the disk (`sync`) or with the operating
    /// system.
    ///
    /// # Errors
    /// `InvalidInput` when the body is longer than [`LONGEST_BODY`]; those of the file system. After an error the
    /// file is cut back to the last whole record.
    pub fn append(&mut self, body: &[u8], sync: bool) -> io::Result<u64> {
        if body.len() > LONGEST_BODY {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the record is longer than a segment takes",
            ));
        }
        let length = body.len() as u32;
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&sum_of(length, body).to_le_bytes());
        bytes.extend_from_slice(body);
        let at = self.length;
        let written = self
            .file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| if sync { self.file.sync_data() } else { Ok(()) });
        if let Err(e) = written {
            // Best effort: opening cuts a torn tail anyway, and the next append starts at the same place.
            let _ = self.file.set_len(at);
            return Err(e);
        }
        self.length += bytes.len() as u64;
        Ok(at + HEAD as u64)
    }

    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(out)
    }
}

/// The first place where a whole record stands: bytes before it, its body, what follows.
fn next_record(bytes: &[u8]) -> Option<(usize, &[u8], &[u8])> {
    (0..bytes.len()).find_map(|skipped| {
        let (body, rest) = split_record(bytes.get(skipped..)?)?;
        Some((skipped, body, rest))
    })
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length as usize > LONGEST_BODY {
        return None;
    }
    let (body, rest) = rest.split_at_checked(length as usize)?;
    (sum_of(length, body) == u32::from_le_bytes(*sum)).then_some((body, rest))
}
