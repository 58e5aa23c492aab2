//! Records as files of one folder.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::store::{Key, MAX_RECORD, Store, StoreError};

/// First byte of every file.
const VERSION: u8 = 1;
/// Version, length (2), check sum (4).
const HEAD: usize = 7;

/// One file per record, written beside the old one and renamed over it.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    flush: bool,
}

impl FileStore {
    /// Opens or makes `folder`.
    ///
    /// `flush` waits for the disk at every write: records then survive the machine's power cut, not only the
    /// death of the program.
    ///
    /// # Errors
    /// Whatever the system answers.
    pub fn open(folder: &Path, flush: bool) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            flush,
        })
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(format!("{key:04x}.rec"))
    }

    fn try_write(&self, key: Key, record: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(HEAD + record.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(
            &u16::try_from(record.len())
                .unwrap_or(u16::MAX)
                .to_le_bytes(),
        );
        bytes.extend_from_slice(&check_sum(key, record).to_le_bytes());
        bytes.extend_from_slice(record);
        let new = self.folder.join(format!("{key:04x}.new"));
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        if self.flush {
            file.sync_data()?;
        }
        drop(file);
        fs::rename(&new, self.path(key))?;
        if self.flush {
            File::open(&self.folder)?.sync_data()?;
        }
        Ok(())
    }
}

fn check_sum(key: Key, record: &[u8]) -> u32 {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
    let mut digest = crc.digest();
    digest.update(&key.to_le_bytes());
    digest.update(record);
    digest.finalize()
}

impl Store for FileStore {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let mut bytes = Vec::new();
        match File::open(self.path(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(StoreError::Read),
            Ok(file) => {
                file.take((HEAD + MAX_RECORD + 1) as u64)
                    .read_to_end(&mut bytes)
                    .map_err(|_| StoreError::Read)?;
            }
        }
        // The rename is atomic: a file that is cut or altered was damaged by something else and is not believed.
        let Some((head, record)) = bytes.split_first_chunk::<HEAD>() else {
            return Err(StoreError::Read);
        };
        let [version, l0, l1, c0, c1, c2, c3] = *head;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        let sum = u32::from_le_bytes([c0, c1, c2, c3]);
        if version != VERSION || length != record.len() || sum != check_sum(key, record) {
            return Err(StoreError::Read);
        }
        into.get_mut(..length)
            .ok_or(StoreError::TooLong { found: length })?
            .copy_from_slice(record);
        Ok(Some(length))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        if record.len() > MAX_RECORD {
            return Err(StoreError::TooLong {
                found: record.len(),
            });
        }
        self.try_write(key, record).map_err(|_| StoreError::Write)
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::Write),
            _ => Ok(()),
        }
    }
}

/// Records in a folder or, where there is none, in memory.
#[derive(Debug)]
pub enum AnyStore {
    /// A folder.
    Files(FileStore),
    /// Memory: lost at the end.
    Memory(HashMap<Key, Vec<u8>>),
}

impl AnyStore {
    /// Opens `folder`, or memory.
    ///
    /// # Errors
    /// As [`FileStore::open`].
    pub fn open(folder: Option<&Path>, flush: bool) -> io::Result<Self> {
        Ok(match folder {
            Some(folder) => Self::Files(FileStore::open(folder, flush)?),
            None => Self::Memory(HashMap::new()),
        })
    }
}

impl Store for AnyStore {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let records = match self {
            Self::Files(files) => return files.read(key, into),
            Self::Memory(records) => records,
        };
        let Some(record) = records.get(&key) else {
            return Ok(None);
        };
        let length = record.len();
        into.get_mut(..length)
            .ok_or(StoreError::TooLong { found: length })?
            .copy_from_slice(record);
        Ok(Some(length))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        match self {
            Self::Files(files) => files.write(key, record),
            Self::Memory(_) if record.len() > MAX_RECORD => Err(StoreError::TooLong {
                found: record.len(),
            }),
            Self::Memory(records) => {
                records.insert(key, record.to_vec());
                Ok(())
            }
        }
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        match self {
            Self::Files(files) => files.remove(key),
            Self::Memory(records) => {
                records.remove(&key);
                Ok(())
            }
        }
    }
}
