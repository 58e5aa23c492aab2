//! Small state that survives a power cut at any write: two files written in turn.
//!
//! Each file holds a magic number, a generation, a length, the bytes and a CRC-32C. The newer whole copy wins; a
//! torn write leaves the older one. Used for counters, cursors, the memory of commands and the windows of meters.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISCSI, Crc};

pub(crate) const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

const MAGIC: [u8; 4] = *b"MKT1";
const HEAD: usize = 16;
/// Longest state that a copy may hold, so that a damaged length reserves nothing.
const LONGEST: usize = 4 << 20;

/// One named piece of state in two copies, `<name>.a` and `<name>.b`.
#[derive(Debug)]
pub struct TwinFile {
    paths: [PathBuf; 2],
    generation: u64,
    next: usize,
}

impl TwinFile {
    /// Opens the pair `name` in `dir` and returns it with the newest whole content, `None` when there is none yet.
    ///
    /// # Errors
    /// Those of the file system, except that missing and damaged copies are no errors.
    pub fn open(dir: &Path, name: &str) -> io::Result<(Self, Option<Vec<u8>>)> {
        let paths = [dir.join(format!("{name}.a")), dir.join(format!("{name}.b"))];
        let mut best: Option<(u64, usize, Vec<u8>)> = None;
        for (index, path) in paths.iter().enumerate() {
            let Some((generation, body)) = read_copy(path)? else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|(newest, ..)| generation > *newest)
            {
                best = Some((generation, index, body));
            }
        }
        Ok(match best {
            Some((generation, index, body)) => (
                Self {
                    paths,
                    generation,
                    next: 1 - index,
                },
                Some(body),
            ),
            None => (
                Self {
                    paths,
                    generation: 0,
                    next: 0,
                },
                None,
            ),
        })
    }

    /// Writes `body` over the older copy and returns when it is on the disk.
    ///
    /// # Errors
    /// Those of the file system; the newer copy is then still whole.
    pub fn store(&mut self, body: &[u8]) -> io::Result<()> {
        if body.len() > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the state is longer than a copy may be",
            ));
        }
        let generation = self.generation + 1;
        let mut bytes = Vec::with_capacity(HEAD + body.len() + 4);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&generation.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(body);
        let sum = CRC32C.checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());

        let path = &self.paths[self.next];
        let fresh = !path.exists();
        let mut file = File::create(path)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        if fresh && let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        self.generation = generation;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn read_copy(path: &Path) -> io::Result<Option<(u64, Vec<u8>)>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file
            .take((LONGEST + HEAD + 4) as u64)
            .read_to_end(&mut bytes)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    Ok(parse_copy(&bytes))
}

fn parse_copy(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (content, sum) = bytes.split_last_chunk::<4>()?;
    if CRC32C.checksum(content) != u32::from_le_bytes(*sum) {
        return None;
    }
    let content = content.strip_prefix(&MAGIC)?;
    let (generation, content) = content.split_first_chunk::<8>()?;
    let (length, body) = content.split_first_chunk::<4>()?;
    (u32::from_le_bytes(*length) as usize == body.len())
        .then(|| (u64::from_le_bytes(*generation), body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_at_any_byte_leaves_the_state_before_or_after() {
        let dir = tempfile::tempdir().unwrap();
        let (mut twin, none) = TwinFile::open(dir.path(), "x").unwrap();
        assert!(none.is_none());
        twin.store(b"first").unwrap();
        twin.store(b"second").unwrap();
        let whole = std::fs::read(dir.path().join("x.b")).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(dir.path().join("x.b"), &whole[..cut]).unwrap();
            let (mut again, body) = TwinFile::open(dir.path(), "x").unwrap();
            assert_eq!(body.as_deref(), Some(&b"first"[..]), "cut at {cut}");
            again.store(b"third").unwrap();
            let (_, body) = TwinFile::open(dir.path(), "x").unwrap();
            assert_eq!(body.as_deref(), Some(&b"third"[..]));
        }
        let mut damaged = whole.clone();
        for at in 0..whole.len() {
            damaged[at] ^= 0x40;
            std::fs::write(dir.path().join("x.b"), &damaged).unwrap();
            let (_, body) = TwinFile::open(dir.path(), "x").unwrap();
            assert_eq!(body.as_deref(), Some(&b"first"[..]), "changed at {at}");
            damaged[at] ^= 0x40;
        }
    }
}
