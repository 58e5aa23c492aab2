//! Committing records: each number once, everything of a batch in one transaction.

use meter_proto::message::Acknowledgement;
use meter_proto::point::PointId;
use meter_proto::value::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;

use super::seen::Seen;
use super::{Sample, rollup, signed};
use crate::store::{Result, StoreError};

/// Streams whose senders drop records when their store is full: telemetry and diagnostics.
const LOSSY: [u8; 2] = [3, 4];

/// The name of a record for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKey {
    /// Who numbered it.
    pub device: String,
    /// In which sequence.
    pub stream: u8,
    /// In which boot.
    pub boot: u32,
    /// Under which number, from 1.
    pub seq: u32,
}

/// A sealed record of a metering core, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The metering core's own name for it.
    pub key: RecordKey,
    /// UTC milliseconds.
    pub time: u64,
    /// The envelope, byte for byte.
    pub bytes: Vec<u8>,
}

/// Values of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose values.
    pub device: String,
    /// UTC milliseconds.
    pub time: u64,
    /// Whether they came out of a sealed block.
    pub sealed: bool,
    /// The values.
    pub values: Vec<(PointId, Value)>,
}

/// One received message: what names it, and what it brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The carrier's name for the message.
    pub key: RecordKey,
    /// The sealed block that it carries.
    pub sealed: Option<Sealed>,
    /// The values that it carries.
    pub snapshots: Vec<Snapshot>,
    /// A message that makes no sense: why, and its bytes.
    pub aside: Option<(String, Vec<u8>)>,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was new. A repeat changed nothing.
    pub new: bool,
    /// Whether it was too far ahead of what is missing to be remembered; it was not taken and is not acknowledged.
    pub too_far: bool,
    /// What to tell the sender about this stream and boot.
    pub acknowledgement: Acknowledgement,
}

pub(super) fn commit(
    connection: &mut Connection,
    entries: &[Entry],
    offset_s: i64,
) -> Result<Vec<Outcome>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut windows: BTreeMap<(String, u8, u32), Seen> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = &entry.key;
        let name = (key.device.clone(), key.stream, key.boot);
        let window = match windows.entry(name) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(load(&transaction, key)?)
            }
        };
        if !window.reaches(key.seq) && LOSSY.contains(&key.stream) {
            window.give_up_before(key.seq);
        }
        let too_far = !window.reaches(key.seq);
        let new = window.take(key.seq);
        if new {
            keep(&transaction, entry, offset_s)?;
        }
        outcomes.push(Outcome {
            new,
            too_far,
            acknowledgement: window.acknowledgement(key.stream, key.boot),
        });
    }
    for ((device, stream, boot), window) in &windows {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO seen (device, stream, boot, state) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![device, stream, boot, window.to_bytes()])?;
    }
    transaction.commit()?;
    // Acknowledge by the newest state: an earlier entry of the batch gains from what came after it.
    for (entry, outcome) in entries.iter().zip(&mut outcomes) {
        let key = &entry.key;
        if let Some(window) = windows.get(&(key.device.clone(), key.stream, key.boot)) {
            outcome.acknowledgement = window.acknowledgement(key.stream, key.boot);
        }
    }
    Ok(outcomes)
}

fn load(transaction: &Transaction<'_>, key: &RecordKey) -> Result<Seen> {
    let bytes: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT state FROM seen WHERE device = ?1 AND stream = ?2 AND boot = ?3")?
        .query_row(params![key.device, key.stream, key.boot], |row| row.get(0))
        .optional()?;
    match bytes {
        None => Ok(Seen::default()),
        Some(bytes) => Seen::from_bytes(&bytes).ok_or_else(|| StoreError::Content {
            expected: "a window of received numbers",
            found: hex::encode(bytes),
        }),
    }
}

fn keep(transaction: &Transaction<'_>, entry: &Entry, offset_s: i64) -> Result<()> {
    if let Some(sealed) = &entry.sealed {
        let key = &sealed.key;
        let added = transaction
            .prepare_cached(
                "INSERT INTO sealed (device, stream, boot, seq, time, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![key.device, key.stream, key.boot, key.seq, signed(sealed.time), sealed.bytes])?;
        if added == 0 {
            // The same block under another carrier's number: a second gateway, or one that lost its memory.
            return Ok(());
        }
    }
    if let Some((reason, bytes)) = &entry.aside {
        let key = &entry.key;
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO aside (device, stream, boot, seq, reason, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![key.device, key.stream, key.boot, key.seq, reason, bytes])?;
    }
    for snapshot in &entry.snapshots {
        let device = device_id(transaction, &snapshot.device)?;
        transaction
            .prepare_cached("INSERT OR IGNORE INTO snapshot (time, device, sealed, part, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                signed(snapshot.time),
                device,
                snapshot.sealed,
                entry.key.seq,
                pack(&snapshot.values)?
            ])?;
        for (point, value) in &snapshot.values {
            let sample = Sample {
                time: snapshot.time,
                value: *value,
                sealed: snapshot.sealed,
            };
            rollup::add(transaction, device, *point, sample, offset_s)?;
        }
    }
    Ok(())
}

fn device_id(transaction: &Transaction<'_>, name: &str) -> Result<i64> {
    let known = transaction
        .prepare_cached("SELECT id FROM device WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    Ok(transaction.query_row(
        "INSERT INTO device (name) VALUES (?1) RETURNING id",
        [name],
        |row| row.get(0),
    )?)
}

/// Values as a list of (point, value) in the layout of the compact form.
fn pack(values: &[(PointId, Value)]) -> Result<Vec<u8>> {
    postcard::to_stdvec(values).map_err(|error| StoreError::Content {
        expected: "values",
        found: error.to_string(),
    })
}

/// The opposite of [`pack`].
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<(PointId, Value)>> {
    postcard::from_bytes(bytes).map_err(|_| StoreError::Content {
        expected: "a list of values",
        found: hex::encode(bytes),
    })
}
