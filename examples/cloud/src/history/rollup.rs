//! Sums by hour and by day, written at ingest.
//!
//! Late data is no special case: a roll-up keeps the time of its first and last value, so a value that comes late goes
//! where it belongs.

use super::{Sample, signed};
use crate::store::Result;
use meter_proto::point::PointId;
use meter_proto::value::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Length of a roll-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// One hour.
    Hour,
    /// One local day.
    Day,
}

impl Span {
    /// Both lengths.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    fn code(self) -> i64 {
        match self {
            Self::Hour => 0,
            Self::Day => 1,
        }
    }

    /// Length in milliseconds.
    pub fn length(self) -> u64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// Start of the span that holds `time`, both in UTC milliseconds, for local time `offset_s` seconds ahead of UTC.
    pub fn start(self, time: u64, offset_s: i64) -> u64 {
        let offset = offset_s.saturating_mul(1000);
        let local = time.saturating_add_signed(offset);
        (local - local % self.length()).saturating_add_signed(-offset)
    }
}

/// What one point did in one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollup {
    /// Start, UTC milliseconds.
    pub start: u64,
    /// First value.
    pub first: Value,
    /// Time of the first value, UTC milliseconds.
    pub first_time: u64,
    /// Last value.
    pub last: Value,
    /// Time of the last value, UTC milliseconds.
    pub last_time: u64,
    /// Whether the last value came sealed.
    pub last_sealed: bool,
    /// Least value.
    pub least: Value,
    /// Greatest value.
    pub most: Value,
    /// Sum of all values; with `count` it gives the mean.
    pub total: Value,
    /// Number of values.
    pub count: u64,
}

const COLUMNS: &str =
    "start, exponent, first, first_time, last, last_time, last_sealed, least, most, total, count";

fn rollup(row: &Row<'_>) -> rusqlite::Result<Rollup> {
    let exponent: i8 = row.get(1)?;
    let value = |column| {
        row.get(column)
            .map(|mantissa| Value::new(mantissa, exponent))
    };
    let time = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Rollup {
        start: time(0)?,
        first: value(2)?,
        first_time: time(3)?,
        last: value(4)?,
        last_time: time(5)?,
        last_sealed: row.get(6)?,
        least: value(7)?,
        most: value(8)?,
        total: value(9)?,
        count: time(10)?,
    })
}

/// Adds one value to its hour and its day.
pub(super) fn add(
    transaction: &Transaction<'_>,
    device: i64,
    point: PointId,
    sample: Sample,
    offset_s: i64,
) -> Result<()> {
    for span in Span::ALL {
        let start = span.start(sample.time, offset_s);
        let present = transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM rollup WHERE device = ?1 AND point = ?2 AND span = ?3 AND start = ?4"
            ))?
            .query_row(params![device, signed(point.bits()), span.code(), signed(start)], rollup)
            .optional()?;
        // Where a metering core seals a register, only its readings are rolled up: a copy of the same register with
        // fewer digits would make it go back and forth.
        let present = match present {
            Some(present) if present.last_sealed && !sample.sealed => continue,
            Some(present) if sample.sealed && !present.last_sealed => None,
            other => other,
        };
        let Some(next) = with(present, start, sample) else {
            // Digits that do not fit a common scale stay out of the sum; the snapshot keeps them.
            continue;
        };
        transaction
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO rollup (device, point, span, {COLUMNS})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            ))?
            .execute(params![
                device,
                signed(point.bits()),
                span.code(),
                signed(next.start),
                next.last.exponent,
                next.first.mantissa,
                signed(next.first_time),
                next.last.mantissa,
                signed(next.last_time),
                next.last_sealed,
                next.least.mantissa,
                next.most.mantissa,
                next.total.mantissa,
                signed(next.count),
            ])?;
    }
    Ok(())
}

/// The roll-up with one more value, everything at the finer of both scales; `None` when that does not fit.
fn with(present: Option<Rollup>, start: u64, sample: Sample) -> Option<Rollup> {
    let Some(present) = present else {
        let value = Value::new(sample.value.mantissa, sample.value.exponent);
        return Some(Rollup {
            start,
            first: value,
            first_time: sample.time,
            last: value,
            last_time: sample.time,
            last_sealed: sample.sealed,
            least: value,
            most: value,
            total: value,
            count: 1,
        });
    };
    let exponent = present.last.exponent.min(sample.value.exponent);
    let at = |value: Value| value.mantissa_at(exponent);
    let new = at(sample.value)?;
    let value = |mantissa| Value::new(mantissa, exponent);
    let earlier = sample.time < present.first_time;
    let later = sample.time >= present.last_time;
    Some(Rollup {
        start,
        first: value(if earlier { new } else { at(present.first)? }),
        first_time: present.first_time.min(sample.time),
        last: value(if later { new } else { at(present.last)? }),
        last_time: present.last_time.max(sample.time),
        last_sealed: if later {
            sample.sealed
        } else {
            present.last_sealed
        },
        least: value(at(present.least)?.min(new)),
        most: value(at(present.most)?.max(new)),
        total: value(at(present.total)?.checked_add(new)?),
        count: present.count + 1,
    })
}

pub(super) fn range(
    connection: &Connection,
    device: &str,
    point: PointId,
    span: Span,
    from: u64,
    to: u64,
) -> Result<Vec<Rollup>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM rollup WHERE device = (SELECT id FROM device WHERE name = ?1)
         AND point = ?2 AND span = ?3 AND start >= ?4 AND start < ?5 ORDER BY start"
    ))?;
    let rows = statement.query_map(
        params![
            device,
            signed(point.bits()),
            span.code(),
            signed(from),
            signed(to)
        ],
        rollup,
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn before(
    connection: &Connection,
    device: &str,
    point: PointId,
    span: Span,
    time: u64,
) -> Result<Option<Rollup>> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM rollup WHERE device = (SELECT id FROM device WHERE name = ?1)
             AND point = ?2 AND span = ?3 AND start < ?4 ORDER BY start DESC LIMIT 1"
        ))?
        .query_row(
            params![device, signed(point.bits()), span.code(), signed(time)],
            rollup,
        )
        .optional()?;
    Ok(found)
}

pub(super) fn latest(connection: &Connection) -> Result<Vec<(String, PointId, Sample)>> {
    let mut statement = connection.prepare(
        "SELECT d.name, r.point, r.exponent, r.last, r.last_time, r.last_sealed, max(r.start)
         FROM rollup r JOIN device d ON d.id = r.device WHERE r.span = 1 GROUP BY r.device, r.point",
    )?;
    let rows = statement.query_map([], |row| {
        let sample = Sample {
            time: row.get::<_, i64>(4)?.unsigned_abs(),
            value: Value::new(row.get(3)?, row.get(2)?),
            sealed: row.get(5)?,
        };
        Ok((
            row.get(0)?,
            PointId::from_bits(row.get::<_, i64>(1)?.unsigned_abs()),
            sample,
        ))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: u64, mantissa: i64, exponent: i8) -> Sample {
        Sample {
            time,
            value: Value::new(mantissa, exponent),
            sealed: false,
        }
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        let eight_hours = 8 * 3600;
        // 2026-11-21T00:30+08:00
        let time = 1_795_192_200_000;
        assert_eq!(Span::Day.start(time, eight_hours), time - 30 * 60_000);
        assert_eq!(Span::Hour.start(time, eight_hours), time - 30 * 60_000);
    }

    #[test]
    fn late_values_and_finer_scales_find_their_place() {
        let first = with(None, 0, sample(1000, 125, 1));
        let late = with(first, 0, sample(500, 12, 2)).unwrap();
        assert_eq!(
            (late.first.to_string(), late.last.to_string()),
            ("1200".into(), "1250".into())
        );
        let finer = with(Some(late), 0, sample(1500, 12_512, -1)).unwrap();
        assert_eq!(finer.last.to_string(), "1251.2");
        assert_eq!(finer.total.to_string(), "3701.2");
        assert_eq!(
            (finer.count, finer.first_time, finer.last_time),
            (3, 500, 1500)
        );
    }
}
