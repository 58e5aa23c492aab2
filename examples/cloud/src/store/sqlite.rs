//! The business store in one SQLite file.

use super::{
    Alarm, Audit, Begun, Device, DeviceKind, Order, OrderKind, OrderState, Result, Role, Session,
    Store, StoreError, User, schema,
};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Business data in one SQLite file with a write-ahead log.
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> Result<Self> {
        let mut connection = Connection::open(path)?;
        schema::prepare(&mut connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic of another thread leaves no half-made transaction behind: SQLite rolled it back.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

const DEVICE: &str =
    "id, tenant, kind, name, gateway, node, customer, power_limit_w, voltage_limit_mv";
const ORDER: &str = "number, device, kind, state, actor, created, expires, amount, purchase, tries, body, status, ack, \
                     answered, idempotency";
const ALARM: &str = "id, device, code, severity, raised, cleared, value, bound, acknowledged, acknowledged_by, comment";

fn content(expected: &'static str, found: String) -> StoreError {
    StoreError::Content { expected, found }
}

/// Wraps our own complaint so that it passes through a row function of the database crate.
fn in_row(error: StoreError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

fn word<T>(
    row: &Row<'_>,
    column: usize,
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| in_row(content(expected, text)))
}

fn device(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: row.get(0)?,
        tenant: row.get(1)?,
        kind: word(row, 2, "a device kind", DeviceKind::parse)?,
        name: row.get(3)?,
        gateway: row.get(4)?,
        node: row.get(5)?,
        customer: row.get(6)?,
        power_limit_w: row.get(7)?,
        voltage_limit_mv: row.get(8)?,
    })
}

fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        number: row.get::<_, i64>(0)?.unsigned_abs(),
        device: row.get(1)?,
        kind: word(row, 2, "an order kind", OrderKind::parse)?,
        state: word(row, 3, "an order state", OrderState::parse)?,
        actor: row.get(4)?,
        created: time(row, 5)?,
        expires: time(row, 6)?,
        amount: row.get(7)?,
        purchase: row.get(8)?,
        tries: row.get(9)?,
        body: row.get(10)?,
        status: row.get(11)?,
        ack: row.get(12)?,
        answered: optional_time(row, 13)?,
        idempotency: row.get(14)?,
    })
}

fn alarm(row: &Row<'_>) -> rusqlite::Result<Alarm> {
    Ok(Alarm {
        id: row.get(0)?,
        device: row.get(1)?,
        code: row.get(2)?,
        severity: row.get(3)?,
        raised: time(row, 4)?,
        cleared: optional_time(row, 5)?,
        value: row.get(6)?,
        limit: row.get(7)?,
        acknowledged: optional_time(row, 8)?,
        acknowledged_by: row.get(9)?,
        comment: row.get(10)?,
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column)
        .map(|value| u64::try_from(value).unwrap_or(0))
}

fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(|value| u64::try_from(value).unwrap_or(0)))
}

/// Integers of SQLite are signed; our times and numbers stay far below the limit.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn alarm_by_id(connection: &Connection, id: i64) -> rusqlite::Result<Option<Alarm>> {
    connection
        .query_row(
            &format!("SELECT {ALARM} FROM alarm WHERE id = ?1"),
            [id],
            alarm,
        )
        .optional()
}

impl Store for SqliteStore {
    fn devices(&self) -> Result<Vec<Device>> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached(&format!("SELECT {DEVICE} FROM device ORDER BY id"))?;
        let rows = statement.query_map([], device)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn put_device(&self, device: &Device) -> Result<()> {
        self.lock().execute(
            &format!(
                "INSERT INTO device ({DEVICE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (id) DO UPDATE SET tenant = ?2, kind = ?3, name = ?4, gateway = coalesce(?5, gateway),
                 node = coalesce(?6, node), customer = ?7, power_limit_w = ?8, voltage_limit_mv = ?9"
            ),
            params![
                device.id,
                device.tenant,
                device.kind.as_str(),
                device.name,
                device.gateway,
                device.node,
                device.customer,
                device.power_limit_w,
                device.voltage_limit_mv
            ],
        )?;
        Ok(())
    }

    fn set_node(&self, device: &str, gateway: &str, node: u16) -> Result<()> {
        self.lock().execute(
            "UPDATE device SET gateway = ?2, node = ?3 WHERE id = ?1",
            params![device, gateway, node],
        )?;
        Ok(())
    }

    fn user(&self, name: &str) -> Result<Option<User>> {
        let connection = self.lock();
        let user = connection
            .query_row(
                "SELECT name, tenant, role, password_hash FROM user WHERE name = ?1",
                [name],
                |row| {
                    Ok(User {
                        name: row.get(0)?,
                        tenant: row.get(1)?,
                        role: word(row, 2, "a role", Role::parse)?,
                        password_hash: row.get(3)?,
                    })
                },
            )
            .optional()?;
        Ok(user)
    }

    fn put_user(&self, user: &User) -> Result<()> {
        self.lock().execute(
            "INSERT OR REPLACE INTO user (name, tenant, role, password_hash) VALUES (?1, ?2, ?3, ?4)",
            params![user.name, user.tenant, user.role.as_str(), user.password_hash],
        )?;
        Ok(())
    }

    fn mqtt_password(&self, user: &str) -> Result<Option<String>> {
        Ok(self
            .lock()
            .query_row(
                "SELECT password_hash FROM mqtt_account WHERE name = ?1",
                [user],
                |row| row.get(0),
            )
            .optional()?)
    }

    fn put_mqtt_password(&self, user: &str, hash: &str) -> Result<()> {
        self.lock().execute(
            "INSERT OR REPLACE INTO mqtt_account (name, password_hash) VALUES (?1, ?2)",
            [user, hash],
        )?;
        Ok(())
    }

    fn put_session(&self, session: &Session, now: u64) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM session WHERE expires <= ?1", [signed(now)])?;
        transaction.execute(
            "INSERT INTO session (token_hash, user, csrf, expires) VALUES (?1, ?2, ?3, ?4)",
            params![
                session.token_hash,
                session.user,
                session.csrf,
                signed(session.expires)
            ],
        )?;
        Ok(transaction.commit()?)
    }

    fn session(&self, token_hash: &[u8; 32], now: u64) -> Result<Option<Session>> {
        let connection = self.lock();
        let session = connection
            .query_row(
                "SELECT user, csrf, expires FROM session WHERE token_hash = ?1 AND expires > ?2",
                params![token_hash, signed(now)],
                |row| {
                    Ok(Session {
                        token_hash: *token_hash,
                        user: row.get(0)?,
                        csrf: row.get(1)?,
                        expires: time(row, 2)?,
                    })
                },
            )
            .optional()?;
        Ok(session)
    }

    fn drop_session(&self, token_hash: &[u8; 32]) -> Result<()> {
        self.lock()
            .execute("DELETE FROM session WHERE token_hash = ?1", [token_hash])?;
        Ok(())
    }

    fn counter(&self, name: &str) -> Result<u64> {
        let limit: Option<i64> = self
            .lock()
            .query_row("SELECT used FROM counter WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(limit.unwrap_or(0).unsigned_abs())
    }

    fn raise_counter(&self, name: &str, limit: u64) -> Result<()> {
        self.lock().execute(
            "INSERT INTO counter (name, used) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET used = max(used, ?2)",
            params![name, signed(limit)],
        )?;
        Ok(())
    }

    fn begin_order(&self, new: &Order) -> Result<Begun> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let same = transaction
            .query_row(
                &format!("SELECT {ORDER} FROM command WHERE device = ?1 AND idempotency = ?2"),
                [&new.device, &new.idempotency],
                order,
            )
            .optional()?;
        if let Some(same) = same {
            return Ok(Begun::Repeat(same));
        }
        if new.kind == OrderKind::Recharge {
            let busy = transaction
                .query_row(
                    &format!(
                        "SELECT {ORDER} FROM command
                         WHERE device = ?1 AND kind = 'recharge' AND state IN ('made', 'sent')"
                    ),
                    [&new.device],
                    order,
                )
                .optional()?;
            if let Some(busy) = busy {
                return Ok(Begun::Busy(busy));
            }
        }
        transaction.execute(
            "INSERT INTO command (device, kind, state, actor, created, expires, amount, purchase, body, idempotency)
             VALUES (?1, ?2, 'made', ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                new.device,
                new.kind.as_str(),
                new.actor,
                signed(new.created),
                signed(new.expires),
                new.amount,
                new.purchase,
                new.body,
                new.idempotency
            ],
        )?;
        let number = transaction.last_insert_rowid().unsigned_abs();
        transaction.commit()?;
        Ok(Begun::Fresh(Order {
            number,
            state: OrderState::Made,
            tries: 0,
            ..new.clone()
        }))
    }

    fn order(&self, number: u64) -> Result<Option<Order>> {
        Ok(self
            .lock()
            .query_row(
                &format!("SELECT {ORDER} FROM command WHERE number = ?1"),
                [signed(number)],
                order,
            )
            .optional()?)
    }

    fn orders(&self, device: Option<&str>, limit: u32) -> Result<Vec<Order>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ORDER} FROM command WHERE ?1 IS NULL OR device = ?1 ORDER BY number DESC LIMIT ?2"
        ))?;
        let rows = statement.query_map(params![device, limit], order)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn open_orders(&self) -> Result<Vec<Order>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ORDER} FROM command WHERE state IN ('made', 'sent') ORDER BY number"
        ))?;
        let rows = statement.query_map([], order)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn set_order_body(&self, number: u64, body: &[u8]) -> Result<()> {
        self.lock().execute(
            "UPDATE command SET body = ?2 WHERE number = ?1",
            params![signed(number), body],
        )?;
        Ok(())
    }

    fn order_sent(&self, number: u64) -> Result<()> {
        self.lock().execute(
            "UPDATE command SET state = 'sent', tries = tries + 1 WHERE number = ?1 AND state IN ('made', 'sent')",
            [signed(number)],
        )?;
        Ok(())
    }

    fn end_order(
        &self,
        number: u64,
        state: OrderState,
        status: Option<u32>,
        ack: Option<&[u8]>,
        at: u64,
    ) -> Result<bool> {
        // An answer may come after we gave up waiting: the meter's word counts, so it also ends an expired order.
        let changed = self.lock().execute(
            "UPDATE command SET state = ?2, status = ?3, ack = ?4, answered = ?5
             WHERE number = ?1 AND (state IN ('made', 'sent') OR (state = 'expired' AND ?4 IS NOT NULL))",
            params![signed(number), state.as_str(), status, ack, signed(at)],
        )?;
        Ok(changed == 1)
    }

    fn purchase_count(&self, device: &str) -> Result<u32> {
        Ok(self
            .lock()
            .query_row(
                "SELECT purchase_count FROM purse WHERE device = ?1",
                [device],
                |row| row.get(0),
            )
            .optional()?
            .unwrap_or(0))
    }

    fn raise_purchase_count(&self, device: &str, count: u32) -> Result<()> {
        self.lock().execute(
            "INSERT INTO purse (device, purchase_count) VALUES (?1, ?2)
             ON CONFLICT (device) DO UPDATE SET purchase_count = max(purchase_count, ?2)",
            params![device, count],
        )?;
        Ok(())
    }

    fn raise_alarm(&self, new: &Alarm) -> Result<Option<Alarm>> {
        let connection = self.lock();
        let id = connection
            .query_row(
                "INSERT INTO alarm (device, code, severity, raised, value, bound) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING RETURNING id",
                params![new.device, new.code, new.severity, signed(new.raised), new.value, new.limit],
                |row| row.get(0),
            )
            .optional()?;
        match id {
            Some(id) => Ok(alarm_by_id(&connection, id)?),
            None => Ok(None),
        }
    }

    fn last_raised(&self, device: &str, code: &str) -> Result<Option<u64>> {
        let newest: Option<i64> = self.lock().query_row(
            "SELECT max(raised) FROM alarm WHERE device = ?1 AND code = ?2",
            params![device, code],
            |row| row.get(0),
        )?;
        Ok(newest.map(i64::unsigned_abs))
    }

    fn clear_alarm(&self, device: &str, code: &str, at: u64) -> Result<Option<Alarm>> {
        let connection = self.lock();
        let id = connection
            .query_row(
                "UPDATE alarm SET cleared = ?3 WHERE device = ?1 AND code = ?2 AND cleared IS NULL RETURNING id",
                params![device, code, signed(at)],
                |row| row.get(0),
            )
            .optional()?;
        match id {
            Some(id) => Ok(alarm_by_id(&connection, id)?),
            None => Ok(None),
        }
    }

    fn acknowledge_alarm(
        &self,
        id: i64,
        by: &str,
        comment: &str,
        at: u64,
    ) -> Result<Option<Alarm>> {
        let connection = self.lock();
        connection.execute(
            "UPDATE alarm SET acknowledged = ?2, acknowledged_by = ?3, comment = ?4
             WHERE id = ?1 AND acknowledged IS NULL",
            params![id, signed(at), by, comment],
        )?;
        Ok(alarm_by_id(&connection, id)?)
    }

    fn alarms(&self, limit: u32) -> Result<Vec<Alarm>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ALARM} FROM alarm
             ORDER BY (cleared IS NULL) DESC, (acknowledged IS NULL) DESC, raised DESC, id DESC LIMIT ?1"
        ))?;
        let rows = statement.query_map([limit], alarm)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn audit(&self, line: &Audit) -> Result<()> {
        self.lock().execute(
            "INSERT INTO audit (time, actor, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                signed(line.time),
                line.actor,
                line.action,
                line.object,
                line.detail
            ],
        )?;
        Ok(())
    }

    fn audits(&self, limit: u32) -> Result<Vec<Audit>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT time, actor, action, object, detail FROM audit ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            Ok(Audit {
                time: time(row, 0)?,
                actor: row.get(1)?,
                action: row.get(2)?,
                object: row.get(3)?,
                detail: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
