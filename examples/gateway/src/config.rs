//! What a gateway is told before it starts: one JSON file and one file of keys.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The configuration of a gateway.
///
/// ```
/// let config: gateway::Config = serde_json::from_str(r#"{
///     "id": "gw-202611000100",
///     "keys": "gateway.keys.json",
///     "data_dir": "gateway-data",
///     "mqtt": { "host": "127.0.0.1", "port": 1883, "password": "secret" },
///     "lines": [{
///         "transport": { "tcp": "127.0.0.1:6451" },
///         "protocol": "dlt645",
///         "devices": [{ "id": "d645-202611000001", "poll_ms": 2000 }]
///     }]
/// }"#).unwrap();
/// assert_eq!(config.lines[0].devices[0].record_ms, 1000);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Own identity, `gw-` and 12 digits. It is also the MQTT client identifier.
    pub id: String,
    /// File of [`Keys`] as JSON.
    pub keys: PathBuf,
    /// Folder of the outbox, the counters and the memory of commands. Created when missing.
    pub data_dir: PathBuf,
    /// The broker.
    pub mqtt: Mqtt,
    /// The lines, each driven by a task of its own.
    pub lines: Vec<Line>,
    /// Milliseconds of the gateway's clock between two heartbeats.
    #[serde(default = "default_heartbeat_ms")]
    pub heartbeat_ms: u64,
    /// How many times faster than a wall clock the given clock runs. Only a hint for waiting: correctness does not
    /// depend on it.
    #[serde(default = "default_speed")]
    pub speed: u32,
}

/// Where the broker is and who the gateway is to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Name or address of the broker.
    pub host: String,
    /// Its TCP port.
    #[serde(default = "default_mqtt_port")]
    pub port: u16,
    /// User name; the gateway's identity when absent.
    #[serde(default)]
    pub user: Option<String>,
    /// Password; without one that of the key file, and without that too the gateway connects anonymously.
    #[serde(default)]
    pub password: Option<String>,
}

/// One line and what hangs on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// How to reach it.
    pub transport: Transport,
    /// What is spoken on it.
    pub protocol: Protocol,
    /// The devices, asked in turn.
    pub devices: Vec<Device>,
    /// Wall milliseconds that a device has to begin its answer.
    #[serde(default = "default_answer_ms")]
    pub answer_ms: u64,
    /// How often a request is repeated before the device counts as silent.
    #[serde(default = "default_retries")]
    pub retries: u8,
}

/// How a line is reached. A serial port is a later variant of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transport {
    /// A TCP server that passes the line's bytes: a converter or a meter itself.
    Tcp(SocketAddr),
}

/// The protocol of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// DL/T 645-2007.
    Dlt645,
    /// CJ/T 188.
    Cjt188,
}

/// What a device has to be asked for beyond the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// An electricity meter without prepayment.
    #[default]
    Plain,
    /// A prepaid electricity meter: the remaining money is read too.
    Prepaid,
    /// A water meter.
    Water,
}

/// One device behind the gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Text form of its identity, `d645-` and 12 digits or `c188-`, two type digits and 14 digits.
    pub id: String,
    /// Address on the line as digits; taken from the identity when absent.
    #[serde(default)]
    pub address: Option<String>,
    /// What it is.
    #[serde(default)]
    pub profile: Profile,
    /// Milliseconds of the gateway's clock between two readings of live values.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// Milliseconds of the gateway's clock between two looks for records; 0 when the device keeps none.
    #[serde(default = "default_record_ms")]
    pub record_ms: u64,
}

fn default_heartbeat_ms() -> u64 {
    60_000
}
fn default_speed() -> u32 {
    1
}
fn default_mqtt_port() -> u16 {
    1883
}
fn default_answer_ms() -> u64 {
    500
}
fn default_retries() -> u8 {
    2
}
fn default_poll_ms() -> u64 {
    2_000
}
fn default_record_ms() -> u64 {
    1_000
}

/// The gateway's own keys, in the form in which the platform hands them out: purposes that the gateway does not use
/// are passed over.
#[derive(Deserialize)]
pub struct Keys {
    /// Epoch of all keys.
    pub epoch: u16,
    /// By purpose.
    pub keys: KeyTable,
    /// Password at the broker, when the configuration has none.
    #[serde(default)]
    pub mqtt_password: Option<String>,
}

/// The keys (`DEV1` of the key tree), 32 hex digits each.
#[derive(Deserialize)]
pub struct KeyTable {
    /// Purpose 10: what the gateway seals with.
    pub mdata: String,
    /// Purpose 2: what commands and acknowledgements are sealed with.
    pub ctrl: String,
}

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keys")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the JSON that is expected.
    #[error("{path}: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// An identity, address or key has the wrong form.
    #[error("`{found}` is not {expected}")]
    BadText {
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// Two devices have the same identity.
    #[error("device {0} stands twice")]
    Twice(String),
}

impl Config {
    /// Reads a configuration; relative paths in it are taken from the folder of the file.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], [`ConfigError::Malformed`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read_json(path)?;
        if let Some(dir) = path.parent() {
            config.keys = dir.join(&config.keys);
            config.data_dir = dir.join(&config.data_dir);
        }
        Ok(config)
    }
}

impl Keys {
    /// Reads a file of keys.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], [`ConfigError::Malformed`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        read_json(path)
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| ConfigError::Malformed {
        path: path.to_owned(),
        source,
    })
}

/// `digits` as packed decimal bytes, first digit in the high nibble; `None` unless they fill `N` bytes exactly.
pub(crate) fn digits_to_bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    packed(digits, 10)
}

/// 2·`N` hex digits as bytes.
pub(crate) fn hex_to_bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    packed(digits, 16)
}

fn packed<const N: usize>(digits: &str, radix: u32) -> Option<[u8; N]> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(radix));
        *byte = (high? << 4 | low?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_checked() {
        assert_eq!(digits_to_bytes::<3>("202611"), Some([0x20, 0x26, 0x11]));
        assert_eq!(digits_to_bytes::<3>("20261"), None);
        assert_eq!(digits_to_bytes::<3>("20261a"), None);
        assert_eq!(hex_to_bytes::<2>("a0F1"), Some([0xA0, 0xF1]));
        assert_eq!(hex_to_bytes::<2>("éa1"), None);
    }
}
