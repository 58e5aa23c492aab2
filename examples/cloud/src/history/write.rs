//! Committing records: each number once, everything of a batch in one transaction.

use meter_proto::message::{Acknowledgement, StreamState};
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
    /// Whether it came under a name that an earlier record had, with other contents: its sender, or the meter whose
    /// block it carries, lost its memory. It is kept.
    pub reused: bool,
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
        // A repeat finds its contents there and changes nothing.
        let kept = if too_far {
            Kept::Known
        } else {
            keep(&transaction, entry, offset_s)?
        };
        outcomes.push(Outcome {
            new,
            reused: kept == Kept::Contradicts || (kept == Kept::Stored && !new),
            too_far,
            acknowledgement: window.acknowledgement(key.stream, key.boot),
        });
    }
    for ((device, stream, boot), window) in &windows {
        store(&transaction, device, *stream, *boot, window)?;
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

/// What the store held of a record before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    /// All of it, or it holds nothing that is stored.
    Known,
    /// Nothing.
    Stored,
    /// Something else under the same name; the new record lies aside.
    Contradicts,
}

fn keep(transaction: &Transaction<'_>, entry: &Entry, offset_s: i64) -> Result<Kept> {
    let mut kept = Kept::Known;
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
            let present: Vec<u8> = transaction
                .prepare_cached(
                    "SELECT bytes FROM sealed WHERE device = ?1 AND stream = ?2 AND boot = ?3 AND seq = ?4",
                )?
                .query_row(params![key.device, key.stream, key.boot, key.seq], |row| row.get(0))?;
            if present == sealed.bytes {
                return Ok(Kept::Known);
            }
            put_aside(
                transaction,
                key,
                "another sealed record has this name",
                &sealed.bytes,
            )?;
            return Ok(Kept::Contradicts);
        }
        kept = Kept::Stored;
    }
    if let Some((reason, bytes)) = &entry.aside
        && put_aside(transaction, &entry.key, reason, bytes)?
    {
        kept = Kept::Stored;
    }
    for snapshot in &entry.snapshots {
        let device = device_id(transaction, &snapshot.device)?;
        let name = (
            signed(snapshot.time),
            device,
            snapshot.sealed,
            entry.key.seq,
        );
        let body = pack(&snapshot.values)?;
        let added = transaction
            .prepare_cached("INSERT OR IGNORE INTO snapshot (time, device, sealed, part, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![name.0, name.1, name.2, name.3, body])?;
        if added == 0 {
            let present: Vec<u8> = transaction
                .prepare_cached(
                    "SELECT body FROM snapshot WHERE time = ?1 AND device = ?2 AND sealed = ?3 AND part = ?4",
                )?
                .query_row(params![name.0, name.1, name.2, name.3], |row| row.get(0))?;
            if present != body {
                put_aside(
                    transaction,
                    &entry.key,
                    "another snapshot has this time and number",
                    &body,
                )?;
                kept = Kept::Contradicts;
            }
            continue;
        }
        kept = kept.max(Kept::Stored);
        for (point, value) in &snapshot.values {
            let sample = Sample {
                time: snapshot.time,
                value: *value,
                sealed: snapshot.sealed,
            };
            rollup::add(transaction, device, *point, sample, offset_s)?;
        }
    }
    Ok(kept)
}

/// Whether these bytes were not there under this name.
fn put_aside(
    transaction: &Transaction<'_>,
    key: &RecordKey,
    reason: &str,
    bytes: &[u8],
) -> Result<bool> {
    let added = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO aside (device, stream, boot, seq, reason, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![key.device, key.stream, key.boot, key.seq, reason, bytes])?;
    Ok(added != 0)
}

/// Moves the window of one numbering up to what its sender says it will never send again; returns how many numbers
/// were given up by that.
pub(super) fn give_up(
    connection: &mut Connection,
    device: &str,
    state: &StreamState,
) -> Result<u32> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let key = RecordKey {
        device: device.to_owned(),
        stream: state.stream.0,
        boot: state.boot,
        seq: state.floor,
    };
    let mut window = load(&transaction, &key)?;
    let missing = window.give_up_to(state.floor);
    if missing != 0 {
        store(&transaction, &key.device, key.stream, key.boot, &window)?;
    }
    transaction.commit()?;
    Ok(missing)
}

fn store(
    transaction: &Transaction<'_>,
    device: &str,
    stream: u8,
    boot: u32,
    window: &Seen,
) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO seen (device, stream, boot, state) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![device, stream, boot, window.to_bytes()])?;
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
