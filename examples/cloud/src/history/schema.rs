//! Tables of the history database, one step per version.

use rusqlite::Connection;

/// Steps from an empty file to the present form. A step is never changed once released, only followed.
const STEPS: [&str; 2] = ["
CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- What was received of each numbering, so that a repeat is known.
CREATE TABLE seen (device TEXT NOT NULL, stream INTEGER NOT NULL, boot INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (device, stream, boot)) WITHOUT ROWID;
-- Sealed records of metering cores, byte for byte.
CREATE TABLE sealed (device TEXT NOT NULL, stream INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    time INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, stream, boot, seq)) WITHOUT ROWID;
-- Records that opened and made no sense, with the reason: nothing that was acknowledged is thrown away.
CREATE TABLE aside (device TEXT NOT NULL, stream INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    reason TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, stream, boot, seq)) WITHOUT ROWID;
CREATE TABLE snapshot (time INTEGER NOT NULL, device INTEGER NOT NULL, sealed INTEGER NOT NULL, part INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (time, device, sealed, part)) WITHOUT ROWID;
CREATE TABLE rollup (device INTEGER NOT NULL, point INTEGER NOT NULL, span INTEGER NOT NULL, start INTEGER NOT NULL,
    exponent INTEGER NOT NULL, first INTEGER NOT NULL, first_time INTEGER NOT NULL, last INTEGER NOT NULL,
    last_time INTEGER NOT NULL, last_sealed INTEGER NOT NULL, least INTEGER NOT NULL, most INTEGER NOT NULL,
    total INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (device, point, span, start)) WITHOUT ROWID;
", "
-- Several records may come under one name when a sender lost its memory: their bytes tell them apart.
CREATE TABLE aside_by_content (device TEXT NOT NULL, stream INTEGER NOT NULL, boot INTEGER NOT NULL,
    seq INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (device, stream, boot, seq, bytes)) WITHOUT ROWID;
INSERT INTO aside_by_content SELECT device, stream, boot, seq, reason, bytes FROM aside;
DROP TABLE aside;
ALTER TABLE aside_by_content RENAME TO aside;
"];

/// Brings a database to the present form and sets how it writes.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS.iter().skip(done as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", STEPS.len() as u32)?;
    transaction.commit()
}
