//! What the platform is told at its start.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::billing::PriceList;

/// Settings of the platform. [`Config::new`] gives the defaults of the demonstration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Folder of the databases and the root key.
    pub data_dir: PathBuf,
    /// Address of the page and the API; port 0 takes a free one.
    pub http: SocketAddr,
    /// Address of the broker; port 0 takes a free one.
    pub mqtt: SocketAddr,
    /// Password of the user `admin`. Without it one is drawn at the first start and told once.
    #[serde(skip_serializing)]
    pub admin_password: Option<String>,
    /// Password of the listening MQTT account `reader`. Without it the account does not exist.
    #[serde(skip_serializing)]
    pub reader_password: Option<String>,
    /// Local time of the site, minutes ahead of UTC: decides where a day begins and which rate is in force.
    pub offset_minutes: i32,
    /// Currency of all amounts, ISO 4217.
    pub currency: String,
    /// Real milliseconds without a message after which a meter counts as offline.
    pub offline_after_ms: u64,
    /// Real milliseconds after which an unanswered order is sent again.
    pub resend_after_ms: u64,
    /// Platform-clock milliseconds that an order is good for.
    pub order_life_ms: u64,
    /// Balance in hundredths of the currency below which a prepaid meter raises an alarm.
    pub low_credit_cents: i64,
    /// Prices of the site.
    pub prices: PriceList,
    /// Times real time at which the platform's clock runs; only shown on the page.
    pub speed: u32,
}

impl Config {
    /// The defaults, with data in this folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            ..Self::default()
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("meterkit-data/cloud"),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            mqtt: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            admin_password: None,
            reader_password: None,
            offset_minutes: 8 * 60,
            currency: "CNY".into(),
            offline_after_ms: 30_000,
            resend_after_ms: 2_000,
            order_life_ms: 30 * 60_000,
            low_credit_cents: 500,
            prices: PriceList::default(),
            speed: 1,
        }
    }
}
