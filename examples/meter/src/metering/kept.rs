//! What the metering core reads back from its store, and why it may refuse to start.

use metrology::event::Conditions;
use security::link::Sealer;

use crate::crossing::RecordName;
use crate::cursor::Reader;
use crate::records::{STATE_VERSION, VERSION};
use crate::store::{Key, Store, StoreError};

/// Why a core does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// The store fails.
    Store(StoreError),
    /// A stored record is there but cannot be read: starting from zero would falsify registers.
    Damaged {
        /// Its name.
        key: Key,
    },
    /// The key that chains the log is one for another purpose.
    AuditKey,
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl core::fmt::Display for StartError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Damaged { key } => write!(f, "the stored record {key:04X} is damaged"),
            Self::AuditKey => f.write_str("the key of the log is not one for audit"),
        }
    }
}

impl core::error::Error for StartError {}

/// A stored state, read back.
pub(super) struct Saved {
    pub number: u64,
    /// Legal time of the state, UTC seconds.
    pub utc_s: u64,
    pub name: RecordName,
    pub acknowledged: RecordName,
    pub offset_ms: i64,
    pub synced_day: u64,
    /// Conditions that held.
    pub conditions: Conditions,
}

/// Makes sure that the sealer has a number whose limit is stored.
pub(super) fn reserve<S: Store>(
    sealer: &mut Sealer,
    store: &mut S,
    key: Key,
) -> Result<(), StoreError> {
    if let Some(reservation) = sealer.reservation() {
        write_number(store, key, reservation.limit())?;
        reservation.confirm();
    }
    Ok(())
}

pub(crate) fn read_record<'b, S: Store>(
    store: &mut S,
    key: Key,
    buffer: &'b mut [u8],
) -> Result<Option<&'b [u8]>, StartError> {
    match store.read(key, buffer) {
        Ok(length) => Ok(length.and_then(|length| buffer.get(..length))),
        Err(StoreError::Read) => Err(StartError::Damaged { key }),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn read_number<S: Store>(store: &mut S, key: Key) -> Result<Option<u64>, StartError> {
    let mut buffer = [0; 9];
    match read_record(store, key, &mut buffer)? {
        None => Ok(None),
        Some([VERSION, number @ ..]) => {
            let number = <[u8; 8]>::try_from(number).map_err(|_| StartError::Damaged { key })?;
            Ok(Some(u64::from_le_bytes(number)))
        }
        Some(_) => Err(StartError::Damaged { key }),
    }
}

pub(crate) fn write_number<S: Store>(
    store: &mut S,
    key: Key,
    number: u64,
) -> Result<(), StoreError> {
    let mut record = [VERSION; 9];
    for (to, from) in record.iter_mut().skip(1).zip(number.to_le_bytes()) {
        *to = from;
    }
    store.write(key, &record)
}

/// Which state this is and the newest block that it names, of a stored state in any version: of several stored
/// states the one with the highest number counts.
pub fn stored_name(record: &[u8]) -> Option<(u64, RecordName)> {
    let (saved, ..) = split_state(record)?;
    Some((saved.number, saved.name))
}

/// Head, block and register state of a stored state.
pub(super) fn split_state(record: &[u8]) -> Option<(Saved, &[u8], &[u8])> {
    let mut r = Reader::new(record);
    let version = r.u8()?;
    if version != STATE_VERSION && version != VERSION {
        return None;
    }
    let mut saved = Saved {
        number: r.u64()?,
        utc_s: r.u64()?,
        name: RecordName {
            boot: r.u32()?,
            seq: r.u32()?,
        },
        acknowledged: RecordName {
            boot: r.u32()?,
            seq: r.u32()?,
        },
        offset_ms: r.i64()?,
        synced_day: r.u64()?,
        conditions: Conditions::EMPTY,
    };
    if version == STATE_VERSION {
        saved.conditions = Conditions::from_bits(r.u64()?)?;
    }
    let length = usize::from(r.u16()?);
    let block = r.bytes(length)?;
    Some((saved, block, r.rest()))
}
