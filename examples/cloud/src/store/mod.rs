//! Business data: devices, users, sessions, orders, sales, alarms, audit.
//!
//! One small trait. SQLite is the default behind it; another database follows by implementing the same calls.
//! Every call that changes something has committed to disk when it returns.

mod schema;
mod sqlite;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use sqlite::SqliteStore;

/// Why a store call did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A stored text is not what this program writes.
    #[error("the database holds {found:?} where {expected} belongs")]
    Content {
        /// What belongs there.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}

/// Result of a store call.
pub type Result<T> = core::result::Result<T, StoreError>;

/// What a device measures, or that it is a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Electricity meter.
    Electricity,
    /// Water meter.
    Water,
    /// Gateway: seals and forwards, measures nothing.
    Gateway,
}

impl DeviceKind {
    /// The word used in the database and on command lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Electricity => "electricity",
            Self::Water => "water",
            Self::Gateway => "gateway",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Electricity, Self::Water, Self::Gateway]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// One registered device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Canonical text form of the identity.
    pub id: String,
    /// Owner of the device.
    pub tenant: String,
    /// What it measures.
    pub kind: DeviceKind,
    /// Name for people.
    pub name: String,
    /// Gateway that carries it, for meters.
    pub gateway: Option<String>,
    /// Number inside the gateway's messages.
    pub node: Option<u16>,
    /// Customer number of the prepaid contract, 12 digits; `None` for a meter paid by bill.
    pub customer: Option<String>,
    /// Overload limit in watts.
    pub power_limit_w: Option<i64>,
    /// Over-voltage limit in millivolts.
    pub voltage_limit_mv: Option<i64>,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything inside the tenant.
    Admin,
    /// Sells credit, switches relays, acknowledges alarms.
    Operator,
    /// Looks only.
    Viewer,
}

impl Role {
    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::Operator, Self::Viewer]
            .into_iter()
            .find(|role| role.as_str() == text)
    }

    /// Whether this role may change anything.
    pub fn may_write(self) -> bool {
        !matches!(self, Self::Viewer)
    }
}

/// A person who logs in.
#[derive(Debug, Clone)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Tenant whose devices the user sees.
    pub tenant: String,
    /// Rights.
    pub role: Role,
    /// Argon2id hash in PHC form.
    pub password_hash: String,
}

/// A logged-in browser.
#[derive(Debug, Clone)]
pub struct Session {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Login name.
    pub user: String,
    /// Token that writing requests repeat in a header.
    pub csrf: String,
    /// UTC milliseconds after which the session is over.
    pub expires: u64,
}

/// State of an order on its way to a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Written down, not yet sent.
    Made,
    /// Sent at least once, no answer yet.
    Sent,
    /// The meter did it and said so under its seal.
    Done,
    /// The meter refused it.
    Refused,
    /// Nobody answered before the deadline.
    Expired,
}

impl OrderState {
    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Made,
            Self::Sent,
            Self::Done,
            Self::Refused,
            Self::Expired,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// What an order asks of the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Add credit to the purse.
    Recharge,
    /// Open the relay.
    Open,
    /// Close the relay.
    Close,
    /// Allow the consumer to close it.
    PermitClose,
    /// Keep the power on whatever the purse says.
    KeepPower,
    /// End keeping the power on.
    EndKeepPower,
}

impl OrderKind {
    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recharge => "recharge",
            Self::Open => "open",
            Self::Close => "close",
            Self::PermitClose => "permit_close",
            Self::KeepPower => "keep_power",
            Self::EndKeepPower => "end_keep_power",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Recharge,
            Self::Open,
            Self::Close,
            Self::PermitClose,
            Self::KeepPower,
            Self::EndKeepPower,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// An order as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Number, unique for ever.
    pub number: u64,
    /// Meter it is for.
    pub device: String,
    /// What it asks.
    pub kind: OrderKind,
    /// Where it stands.
    pub state: OrderState,
    /// Who gave it.
    pub actor: String,
    /// UTC milliseconds when it was given.
    pub created: u64,
    /// UTC milliseconds after which the meter must not do it.
    pub expires: u64,
    /// Amount in hundredths of the currency, for a recharge.
    pub amount: Option<u32>,
    /// Purchase count, for a recharge.
    pub purchase: Option<u32>,
    /// How often it was sent.
    pub tries: u32,
    /// The plain order as sealed in the last try.
    pub body: Vec<u8>,
    /// Result status of the unified standard, when one came.
    pub status: Option<u32>,
    /// The sealed acknowledgement as it came.
    pub ack: Option<Vec<u8>>,
    /// UTC milliseconds of the answer.
    pub answered: Option<u64>,
    /// Key the caller gave so that a repeat does nothing.
    pub idempotency: String,
}

/// What became of a new order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Written down now.
    Fresh(Order),
    /// The same key was used before; this is the order of that time.
    Repeat(Order),
    /// Another sale for this meter is still open.
    Busy(Order),
}

/// An alarm that was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alarm {
    /// Number.
    pub id: i64,
    /// Device it is about.
    pub device: String,
    /// What is wrong, one word: `overload`, `over_voltage`, `low_credit`, `offline`, `relay_open` or an event of the meter.
    pub code: String,
    /// 0 to 7, 7 being immediate danger.
    pub severity: u8,
    /// UTC milliseconds when it was raised.
    pub raised: u64,
    /// UTC milliseconds when it cleared.
    pub cleared: Option<u64>,
    /// Value at that time as exact decimal text with its unit.
    pub value: Option<String>,
    /// The limit, likewise.
    pub limit: Option<String>,
    /// UTC milliseconds when somebody acknowledged it.
    pub acknowledged: Option<u64>,
    /// Who did.
    pub acknowledged_by: Option<String>,
    /// What they wrote.
    pub comment: Option<String>,
}

/// A line of the audit list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Audit {
    /// UTC milliseconds.
    pub time: u64,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// More, for people.
    pub detail: String,
}

/// The business store.
pub trait Store: Send + Sync {
    /// All devices.
    fn devices(&self) -> Result<Vec<Device>>;
    /// Adds or replaces a device; a node number known already is kept when the new row has none.
    fn put_device(&self, device: &Device) -> Result<()>;
    /// Where a device hangs, as its gateway said.
    fn set_node(&self, device: &str, gateway: &str, node: u16) -> Result<()>;

    /// One user.
    fn user(&self, name: &str) -> Result<Option<User>>;
    /// Adds or replaces a user.
    fn put_user(&self, user: &User) -> Result<()>;
    /// Hash of an MQTT password.
    fn mqtt_password(&self, user: &str) -> Result<Option<String>>;
    /// Sets the hash of an MQTT password.
    fn put_mqtt_password(&self, user: &str, hash: &str) -> Result<()>;

    /// Adds a session and drops the ones that are over.
    fn put_session(&self, session: &Session, now: u64) -> Result<()>;
    /// The session of a token, unless it is over.
    fn session(&self, token_hash: &[u8; 32], now: u64) -> Result<Option<Session>>;
    /// Ends a session.
    fn drop_session(&self, token_hash: &[u8; 32]) -> Result<()>;

    /// Highest number of the counter `name` that may have been used; 0 for a new one.
    fn counter(&self, name: &str) -> Result<u64>;
    /// Stores a higher limit for the counter `name` before its numbers are used; a smaller one changes nothing.
    fn raise_counter(&self, name: &str, limit: u64) -> Result<()>;

    /// Writes down a new order. The number of the given order is ignored, a fresh one is drawn.
    fn begin_order(&self, order: &Order) -> Result<Begun>;
    /// One order.
    fn order(&self, number: u64) -> Result<Option<Order>>;
    /// Latest orders first, of one device or of all.
    fn orders(&self, device: Option<&str>, limit: u32) -> Result<Vec<Order>>;
    /// Orders that are made or sent.
    fn open_orders(&self) -> Result<Vec<Order>>;
    /// Notes the plain bytes of an order once they are final.
    fn set_order_body(&self, number: u64, body: &[u8]) -> Result<()>;
    /// Notes that an order is about to be sent again.
    fn order_sent(&self, number: u64) -> Result<()>;
    /// Ends an open order; returns false when it had ended before.
    fn end_order(
        &self,
        number: u64,
        state: OrderState,
        status: Option<u32>,
        ack: Option<&[u8]>,
        at: u64,
    ) -> Result<bool>;
    /// Last known purchase count of a meter.
    fn purchase_count(&self, device: &str) -> Result<u32>;
    /// Raises the known purchase count; a smaller one changes nothing.
    fn raise_purchase_count(&self, device: &str, count: u32) -> Result<()>;

    /// Raises an alarm unless the same one is already up; returns the new row.
    fn raise_alarm(&self, alarm: &Alarm) -> Result<Option<Alarm>>;
    /// When an alarm was last raised, UTC milliseconds.
    fn last_raised(&self, device: &str, code: &str) -> Result<Option<u64>>;
    /// Clears an alarm that is up; returns the row.
    fn clear_alarm(&self, device: &str, code: &str, at: u64) -> Result<Option<Alarm>>;
    /// Acknowledges an alarm; returns the row, `None` if there is none with this number.
    fn acknowledge_alarm(&self, id: i64, by: &str, comment: &str, at: u64)
    -> Result<Option<Alarm>>;
    /// Latest alarms first; those that are up or not acknowledged come before the rest.
    fn alarms(&self, limit: u32) -> Result<Vec<Alarm>>;

    /// Adds a line to the audit list.
    fn audit(&self, line: &Audit) -> Result<()>;
    /// Latest lines first.
    fn audits(&self, limit: u32) -> Result<Vec<Audit>>;
}
