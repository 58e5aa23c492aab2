//! The log of a metering core, read over TCP, proved by the key and shown.

use std::time::Duration;

use dlt645::Address;
use meter_proto::device::DeviceId;
use security::log::LogError;
use serde_json::{Value, json};

use super::StartError;
use super::config::{KeyFile, MeterConfig};
use super::electricity::keys;
use super::line::{Line as Port, LineError};
use crate::log::{Chain, Entry, Event, Line, Matter, check};

/// Time for one answer, and for a line to come from the other core.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a log cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadLogError {
    /// Identity or keys are not good.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The meter cannot be read.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The log does not hold, or the key is not its key.
    #[error("{0}")]
    Broken(LogError),
}

/// Reads both chains of the meter `id` at `target` (`host:port`), checks them and gives a JSON object for each line,
/// oldest first. Without a key file the key is that of meters for benches.
///
/// # Errors
/// [`ReadLogError`], all variants.
pub fn read(target: &str, id: &str, key_file: Option<KeyFile>) -> Result<Vec<Value>, ReadLogError> {
    let device: Option<DeviceId> = id.parse().ok();
    let address = device.and_then(|device| device.dev6());
    let address = address.ok_or_else(|| StartError::Config(format!("{id} is not a meter")))?;
    let config = MeterConfig {
        id: id.to_owned(),
        keys: key_file,
        ..MeterConfig::default()
    };
    let keys = keys(&config, address)?;
    let mut port = Port::connect(target, Address::from_big_endian(address), PATIENCE)?;
    let mut shown = Vec::new();
    for chain in Chain::ALL {
        let entries = port.log(chain, PATIENCE)?;
        check(&keys.audit, chain, &entries).map_err(ReadLogError::Broken)?;
        shown.extend(entries.iter().map(|entry| show(chain, entry)));
    }
    Ok(shown)
}

/// A line as a JSON object; `event` is null for one that a later version wrote.
#[must_use]
pub fn show(chain: Chain, entry: &Entry) -> Value {
    let line = Line::parse(&entry.line);
    json!({
        "chain": match chain {
            Chain::Legal => "legal",
            Chain::Asked => "asked",
        },
        "number": entry.after.number(),
        "boot": line.map(|line| line.boot),
        "utc_s": line.map(|line| line.utc_s),
        "event": line.map(|line| event(line.event)),
    })
}

fn event(event: Event) -> Value {
    match event {
        Event::PowerUp {
            clean,
            damaged,
            since_s,
            import,
        } => json!({
            "is": "power up", "clean": clean, "damaged": damaged, "since_s": since_s, "import_tenths": import,
        }),
        Event::PowerDown { import, export } => json!({
            "is": "power down", "import_tenths": import, "export_tenths": export,
        }),
        Event::Calibration { before, now } => json!({
            "is": "calibration", "before": format!("{before:08X}"), "now": format!("{now:08X}"),
        }),
        Event::ClockSet { before_ms, now_ms } => json!({
            "is": "clock set", "before_ms": before_ms, "now_ms": now_ms,
        }),
        Event::OrderTaken {
            kind,
            number,
            operator,
        } => json!({
            "is": "order taken", "kind": format!("{kind:02X}"), "number": number, "operator": hex::encode(operator),
        }),
        Event::OrderFailed { number } => json!({ "is": "order failed", "number": number }),
        Event::OrderRefused {
            kind,
            number,
            reason,
        } => json!({
            "is": "order refused", "kind": format!("{kind:02X}"), "number": number, "reason": reason,
        }),
        Event::KeyPressed => json!({ "is": "key pressed" }),
        Event::Asked {
            matter,
            count,
            since_s,
            detail,
        } => json!({
            "is": name(matter), "count": count, "since_s": since_s, "detail": format!("{detail:016X}"),
        }),
    }
}

const fn name(matter: Matter) -> &'static str {
    match matter {
        Matter::Unknown => "unknown question",
        Matter::OrderDropped => "order dropped",
        Matter::Started => "management started",
        Matter::BootTooSoon => "boot asked too soon",
        Matter::ClockRefused => "clock refused",
        Matter::Contact => "contact moved",
        Matter::ContactTooSoon => "contact asked too soon",
        Matter::Image => "management image",
    }
}
