//! Tables of the business database, one step per version.

use rusqlite::Connection;

/// Steps from an empty file to the present form. A step is never changed once released, only followed.
const STEPS: [&str; 1] = ["
CREATE TABLE device (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    gateway TEXT, node INTEGER, customer TEXT, power_limit_w INTEGER, voltage_limit_mv INTEGER
) WITHOUT ROWID;
CREATE TABLE user (name TEXT PRIMARY KEY, tenant TEXT NOT NULL, role TEXT NOT NULL, password_hash TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mqtt_account (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE session (token_hash BLOB PRIMARY KEY, user TEXT NOT NULL, csrf TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE purse (device TEXT PRIMARY KEY, purchase_count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE command (
    number INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    actor TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, amount INTEGER, purchase INTEGER,
    tries INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL, status INTEGER, ack BLOB, answered INTEGER,
    idempotency TEXT NOT NULL, UNIQUE (device, idempotency)
);
CREATE INDEX command_open ON command (state) WHERE state IN ('made', 'sent');
-- One sale in flight per meter: the purchase count of the next depends on the fate of this one.
CREATE UNIQUE INDEX one_sale_in_flight ON command (device) WHERE kind = 'recharge' AND state IN ('made', 'sent');
CREATE TABLE alarm (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, code TEXT NOT NULL, severity INTEGER NOT NULL,
    raised INTEGER NOT NULL, cleared INTEGER, value TEXT, bound TEXT,
    acknowledged INTEGER, acknowledged_by TEXT, comment TEXT
);
CREATE UNIQUE INDEX one_alarm_up ON alarm (device, code) WHERE cleared IS NULL;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    object TEXT NOT NULL, detail TEXT NOT NULL
);
"];

/// Brings a database to the present form and sets how it writes.
///
/// `synchronous = FULL` with the write-ahead log: a committed transaction survives both a killed process and a
/// power cut.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS.iter().skip(done as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", STEPS.len() as u32)?;
    transaction.commit()
}
