//! Rules over values: raise, clear, acknowledge.
//!
//! | code | raised | cleared | severity |
//! |---|---|---|---|
//! | `overload` | total power above the limit | 5 % below it | 4 |
//! | `over_voltage` | voltage of a phase above the limit | 2 % below it | 5 |
//! | `low_credit` | balance below the limit | at or above it | 3 |
//! | `relay_open` | the meter reports an open relay | it reports a closed one | 4 |
//! | `offline` | nothing heard for the configured time | heard again | 3 |

use meter_proto::message::Event;
use meter_proto::point::{Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::value::Value;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::history::Sample;
use crate::platform::{Change, Platform};
use crate::store::{Alarm, Device, DeviceKind, Result, Store};
use crate::view::{BALANCE, POWER, Relay, STATUS_3, reading};

/// Which alarms are up, so that a value that changes nothing costs no look into the database.
pub struct Alarms {
    up: Mutex<HashSet<(String, String)>>,
    started: Instant,
}

/// What a rule says about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Raise,
    Keep,
    Clear,
}

impl Alarms {
    /// Takes over the alarms that were up when the program ended.
    pub(crate) fn open(store: &dyn Store) -> Result<Self> {
        let up = store
            .alarms(u32::MAX)?
            .into_iter()
            .filter(|alarm| alarm.cleared.is_none())
            .map(|alarm| (alarm.device, alarm.code))
            .collect();
        Ok(Self {
            up: Mutex::new(up),
            started: Instant::now(),
        })
    }

    /// How many alarms of a device are up.
    pub fn up(&self, device: &str) -> u32 {
        let up = self.up.lock().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(up.iter().filter(|(of, _)| of == device).count()).unwrap_or(u32::MAX)
    }

    fn is_up(&self, device: &str, code: &str) -> bool {
        self.up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&(device.to_owned(), code.to_owned()))
    }
}

/// One rule's finding.
struct Finding<'a> {
    code: &'a str,
    severity: u8,
    verdict: Verdict,
    value: Option<String>,
    limit: Option<String>,
}

/// Judges new values of a device.
pub(crate) fn judge(
    platform: &Platform,
    device: &Device,
    time: u64,
    values: &[(PointId, Value)],
) -> Result<()> {
    for (point, value) in values {
        let sample = Sample {
            time,
            value: *value,
            sealed: false,
        };
        let text_of = |value: Value| {
            let shown = reading(
                *point,
                &Sample { value, ..sample },
                &platform.config.currency,
            );
            Some(format!("{} {}", shown.value, shown.unit))
        };
        let text = || text_of(*value);
        let finding = if *point == POWER {
            let Some(limit) = device.power_limit_w else {
                continue;
            };
            let limit = Value::new(limit, 0);
            let verdict = above(*value, limit, 950);
            Finding {
                code: "overload",
                severity: 4,
                verdict,
                value: text(),
                limit: Some(format!("{limit} W")),
            }
        } else if point.quantity() == Quantity::VOLTAGE && is_phase(*point) {
            let Some(limit) = device.voltage_limit_mv else {
                continue;
            };
            let limit = Value::new(limit, -3);
            // Phases are judged together: one phase back in range must not clear the alarm of another.
            let worst = worst_voltage(platform, &device.id, values).unwrap_or(*value);
            let verdict = above(worst, limit, 980);
            let limit = Some(format!("{} V", short(limit)));
            Finding {
                code: "over_voltage",
                severity: 5,
                verdict,
                value: text_of(worst),
                limit,
            }
        } else if *point == BALANCE && device.customer.is_some() {
            let limit = Value::new(platform.config.low_credit_cents, -2);
            let verdict = if value.exact_cmp(&limit).is_lt() {
                Verdict::Raise
            } else {
                Verdict::Clear
            };
            let limit = Some(format!("{limit} {}", platform.config.currency));
            Finding {
                code: "low_credit",
                severity: 3,
                verdict,
                value: text(),
                limit,
            }
        } else if *point == STATUS_3 {
            let verdict = match platform.relay(&device.id) {
                Some(Relay::Open) => Verdict::Raise,
                Some(Relay::Closed) => Verdict::Clear,
                None => Verdict::Keep,
            };
            Finding {
                code: "relay_open",
                severity: 4,
                verdict,
                value: None,
                limit: None,
            }
        } else {
            continue;
        };
        apply(platform, &device.id, time, finding)?;
    }
    Ok(())
}

/// Raises and clears `offline` by this machine's own clock: an accelerated clock must not make meters look silent.
pub(crate) fn watch_silence(platform: &Platform) -> Result<()> {
    let limit = Duration::from_millis(platform.config.offline_after_ms);
    for device in platform.devices().values() {
        if device.kind == DeviceKind::Gateway
            && platform.live.present(&device.id).last_seen.is_none()
        {
            continue;
        }
        let present = platform.live.present(&device.id);
        // Whoever was never heard since the start gets the same grace.
        let silent = present.heard.unwrap_or(platform.alarms.started).elapsed() >= limit;
        let verdict = if silent {
            Verdict::Raise
        } else {
            Verdict::Clear
        };
        let finding = Finding {
            code: "offline",
            severity: 3,
            verdict,
            value: None,
            limit: None,
        };
        if apply(platform, &device.id, (platform.clock)(), finding)? {
            platform.tell(Change::Device(device.id.clone()));
        }
    }
    Ok(())
}

/// Name of an event of the unified standard as an alarm; those that are also rules share the rule's name.
pub(crate) fn event_code(code: u16) -> std::borrow::Cow<'static, str> {
    match code {
        Event::OVERLOAD => "overload".into(),
        Event::OVER_VOLTAGE => "over_voltage".into(),
        Event::UNDER_VOLTAGE => "under_voltage".into(),
        Event::OUTAGE => "outage".into(),
        Event::PHASE_LOSS => "phase_loss".into(),
        Event::COVER => "cover".into(),
        Event::TERMINAL_COVER => "terminal_cover".into(),
        Event::MAGNET => "magnet".into(),
        Event::REVERSAL => "reversal".into(),
        Event::CREDIT_LOW => "low_credit".into(),
        Event::CREDIT_EMPTY => "credit_empty".into(),
        Event::OVERDRAFT => "overdraft".into(),
        Event::RELAY_OPENED => "relay_opened".into(),
        Event::RELAY_CLOSED => "relay_closed".into(),
        Event::ORDER_REFUSED => "order_refused".into(),
        Event::LINK_DOWN => "link_down".into(),
        Event::DEVICE_SILENT => "device_silent".into(),
        other => format!("event_{other:04x}").into(),
    }
}

/// Whether a rule of this platform watches what the event tells.
pub(crate) fn watched(device: &Device, code: u16) -> bool {
    match code {
        Event::RELAY_OPENED | Event::RELAY_CLOSED => true,
        Event::CREDIT_LOW => device.customer.is_some(),
        Event::OVERLOAD => device.power_limit_w.is_some(),
        Event::OVER_VOLTAGE => device.voltage_limit_mv.is_some(),
        _ => false,
    }
}

/// Raises or clears what a device reported itself.
#[allow(clippy::too_many_arguments)] // The fields of one event.
pub(crate) fn reported(
    platform: &Platform,
    device: &str,
    code: &str,
    severity: u8,
    raise: bool,
    time: u64,
    value: Option<String>,
    limit: Option<String>,
) -> Result<()> {
    // Events come again when their acknowledgement was lost, then behind later ones: an old one changes nothing.
    let newest = platform.store.last_raised(device, code)?;
    let verdict = match newest {
        Some(newest) if raise && time <= newest => Verdict::Keep,
        Some(newest) if !raise && time < newest => Verdict::Keep,
        _ if raise => Verdict::Raise,
        _ => Verdict::Clear,
    };
    apply(
        platform,
        device,
        time,
        Finding {
            code,
            severity,
            verdict,
            value,
            limit,
        },
    )
    .map(drop)
}

fn is_phase(point: PointId) -> bool {
    matches!(point.parts().phase, Phase::L1 | Phase::L2 | Phase::L3)
}

/// The highest phase voltage among the new values and the present ones.
fn worst_voltage(platform: &Platform, device: &str, values: &[(PointId, Value)]) -> Option<Value> {
    let present = platform.live.present(device);
    let known = present
        .values
        .iter()
        .map(|(point, sample)| (*point, sample.value));
    known
        .chain(values.iter().copied())
        .filter(|(point, _)| point.quantity() == Quantity::VOLTAGE && is_phase(*point))
        .map(|(_, value)| value)
        .max_by(Value::exact_cmp)
}

/// Above the limit raises, below `back` thousandths of it clears, between them nothing changes.
fn above(value: Value, limit: Value, back: i64) -> Verdict {
    let release = Value::new(
        limit.mantissa.saturating_mul(back),
        limit.exponent.saturating_sub(3),
    );
    if value.exact_cmp(&limit).is_gt() {
        Verdict::Raise
    } else if value.exact_cmp(&release).is_lt() {
        Verdict::Clear
    } else {
        Verdict::Keep
    }
}

/// A limit without the zeros that its unit of setting brings.
fn short(limit: Value) -> String {
    let text = limit.to_string();
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Writes down what a rule found; returns whether anything changed.
fn apply(platform: &Platform, device: &str, time: u64, finding: Finding<'_>) -> Result<bool> {
    let key = (device.to_owned(), finding.code.to_owned());
    let is_up = platform.alarms.is_up(device, finding.code);
    let changed = match finding.verdict {
        Verdict::Raise if !is_up => {
            platform
                .alarms
                .up
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key);
            platform.store.raise_alarm(&Alarm {
                id: 0,
                device: device.to_owned(),
                code: finding.code.to_owned(),
                severity: finding.severity,
                raised: time,
                cleared: None,
                value: finding.value,
                limit: finding.limit,
                acknowledged: None,
                acknowledged_by: None,
                comment: None,
            })?
        }
        Verdict::Clear if is_up => {
            platform
                .alarms
                .up
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
            platform.store.clear_alarm(device, finding.code, time)?
        }
        _ => None,
    };
    let any = changed.is_some();
    if let Some(alarm) = changed {
        platform.tell(Change::Alarm(alarm));
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_a_band() {
        let limit = Value::new(264_000, -3);
        assert_eq!(above(Value::new(2641, -1), limit, 980), Verdict::Raise);
        assert_eq!(above(Value::new(2640, -1), limit, 980), Verdict::Keep);
        assert_eq!(above(Value::new(2588, -1), limit, 980), Verdict::Keep);
        assert_eq!(above(Value::new(2587, -1), limit, 980), Verdict::Clear);
    }
}
