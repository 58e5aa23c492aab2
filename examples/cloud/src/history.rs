//! What was measured: sealed records as they came, snapshots by time, roll-ups by hour and day.
//!
//! One SQLite file beside the business data. A batch of records, the windows that remember them and the roll-ups they
//! change commit together, so a record that was acknowledged is in the file exactly once and in every sum exactly once.
//! Snapshots are keyed (time, device): writing is appending, and a day of one meter is a short range.

mod rollup;
mod schema;
mod seen;
mod write;

use meter_proto::message::StreamState;
use meter_proto::point::PointId;
use meter_proto::value::Value;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use rollup::{Rollup, Span};
pub use write::{Entry, Outcome, RecordKey, Sealed, Snapshot};

use crate::store::Result;

/// The history database: one connection that writes, one that reads beside it.
pub struct History {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    offset_s: i64,
}

/// One value at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// UTC milliseconds.
    pub time: u64,
    /// The reading.
    pub value: Value,
    /// Whether it came out of a sealed block of the metering core.
    pub sealed: bool,
}

/// How many records of one device and stream are kept, and of how many boots.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct RecordCount {
    /// Device that numbered the records.
    pub device: String,
    /// Boot that they were numbered in.
    pub boot: u32,
    /// Records of this boot.
    pub records: u64,
    /// Smallest sequence number.
    pub first: u32,
    /// Largest sequence number.
    pub last: u32,
}

impl History {
    /// Opens or makes the file. `offset_minutes` is the local time of the site, which decides where a day begins.
    pub fn open(path: &Path, offset_minutes: i32) -> Result<Self> {
        let mut writer = Connection::open(path)?;
        schema::prepare(&mut writer)?;
        let reader = Connection::open(path)?;
        reader.busy_timeout(std::time::Duration::from_secs(10))?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(Self {
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            offset_s: i64::from(offset_minutes) * 60,
        })
    }

    /// Commits entries in one transaction and says of each whether it was new. When this returns, all of them are on
    /// disk; a repeat changed nothing.
    pub fn commit(&self, entries: &[Entry]) -> Result<Vec<Outcome>> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        write::commit(&mut connection, entries, self.offset_s)
    }

    /// Takes a sender's word for what it will never send again, so that nothing waits for it; returns how many numbers
    /// never came.
    pub fn give_up(&self, device: &str, state: &StreamState) -> Result<u32> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        write::give_up(&mut connection, device, state)
    }

    fn read(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Start of the local day that holds `time`, in UTC milliseconds.
    pub fn day_start(&self, time: u64) -> u64 {
        Span::Day.start(time, self.offset_s)
    }

    /// Values of one point from `from` to before `to`, at most `limit` of them, evenly thinned: the last of each slice.
    pub fn series(
        &self,
        device: &str,
        point: PointId,
        from: u64,
        to: u64,
        limit: u64,
    ) -> Result<Vec<Sample>> {
        let slice = (to.saturating_sub(from) / limit.max(1)).max(1);
        let mut thinned: BTreeMap<u64, Sample> = BTreeMap::new();
        self.walk(device, from, to, |time, sealed, values| {
            if let Some((_, value)) = values.iter().find(|(p, _)| *p == point) {
                thinned.insert(
                    time.saturating_sub(from) / slice,
                    Sample {
                        time,
                        value: *value,
                        sealed,
                    },
                );
            }
        })?;
        Ok(thinned.into_values().collect())
    }

    /// All sealed values of one point from `from` to before `to`, oldest first.
    pub fn sealed_series(
        &self,
        device: &str,
        point: PointId,
        from: u64,
        to: u64,
    ) -> Result<Vec<Sample>> {
        let mut found = Vec::new();
        self.walk(device, from, to, |time, sealed, values| {
            if let Some((_, value)) = values.iter().find(|(p, _)| *p == point)
                && sealed
            {
                found.push(Sample {
                    time,
                    value: *value,
                    sealed,
                });
            }
        })?;
        Ok(found)
    }

    /// The last sealed value of one point before `time`.
    pub fn sealed_before(&self, device: &str, point: PointId, time: u64) -> Result<Option<Sample>> {
        let connection = self.read();
        let mut statement = connection.prepare_cached(
            "SELECT s.time, s.body FROM snapshot s JOIN device d ON d.id = s.device
             WHERE d.name = ?1 AND s.time < ?2 AND s.sealed = 1 ORDER BY s.time DESC LIMIT 64",
        )?;
        let mut rows = statement.query(params![device, signed(time)])?;
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(1)?;
            if let Some((_, value)) = write::unpack(&body)?.into_iter().find(|(p, _)| *p == point) {
                let time: i64 = row.get(0)?;
                return Ok(Some(Sample {
                    time: time.unsigned_abs(),
                    value,
                    sealed: true,
                }));
            }
        }
        Ok(None)
    }

    fn walk(
        &self,
        device: &str,
        from: u64,
        to: u64,
        mut visit: impl FnMut(u64, bool, &[(PointId, Value)]),
    ) -> Result<()> {
        let connection = self.read();
        let id: Option<i64> = connection
            .query_row("SELECT id FROM device WHERE name = ?1", [device], |row| {
                row.get(0)
            })
            .optional()?;
        let Some(id) = id else { return Ok(()) };
        let mut statement = connection.prepare_cached(
            "SELECT time, sealed, body FROM snapshot WHERE time >= ?1 AND time < ?2 AND device = ?3 ORDER BY time",
        )?;
        let mut rows = statement.query(params![signed(from), signed(to), id])?;
        while let Some(row) = rows.next()? {
            let time: i64 = row.get(0)?;
            let body: Vec<u8> = row.get(2)?;
            visit(time.unsigned_abs(), row.get(1)?, &write::unpack(&body)?);
        }
        Ok(())
    }

    /// Roll-ups of one point whose span begins from `from` to before `to`, oldest first.
    pub fn rollups(
        &self,
        device: &str,
        point: PointId,
        span: Span,
        from: u64,
        to: u64,
    ) -> Result<Vec<Rollup>> {
        rollup::range(&self.read(), device, point, span, from, to)
    }

    /// The last roll-up of one point whose span begins before `time`.
    pub fn rollup_before(
        &self,
        device: &str,
        point: PointId,
        span: Span,
        time: u64,
    ) -> Result<Option<Rollup>> {
        rollup::before(&self.read(), device, point, span, time)
    }

    /// The newest value of every point of every device, from the day roll-ups.
    pub fn latest(&self) -> Result<Vec<(String, PointId, Sample)>> {
        rollup::latest(&self.read())
    }

    /// How many sealed records are kept, by device and boot.
    pub fn sealed_counts(&self) -> Result<Vec<RecordCount>> {
        let connection = self.read();
        let mut statement = connection.prepare_cached(
            "SELECT device, boot, count(*), min(seq), max(seq) FROM sealed GROUP BY device, boot ORDER BY device, boot",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(RecordCount {
                device: row.get(0)?,
                boot: row.get(1)?,
                records: row.get::<_, i64>(2)?.unsigned_abs(),
                first: row.get(3)?,
                last: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The sealed bytes of one record, as they came.
    pub fn sealed_bytes(&self, device: &str, boot: u32, seq: u32) -> Result<Option<Vec<u8>>> {
        Ok(self
            .read()
            .query_row(
                "SELECT bytes FROM sealed WHERE device = ?1 AND boot = ?2 AND seq = ?3",
                params![device, boot, seq],
                |row| row.get(0),
            )
            .optional()?)
    }
}

/// Times of SQLite are signed; ours stay far below the limit.
fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
