//! The present: last value of every point, kept in memory and rebuilt from the history at start.

use meter_proto::point::PointId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::history::Sample;

/// What is known of one device right now.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Last value of every point.
    pub values: BTreeMap<PointId, Sample>,
    /// When it was last heard, on this machine's own clock; `None` since the start of the program.
    pub heard: Option<Instant>,
    /// Platform time of the last message, UTC milliseconds.
    pub last_seen: Option<u64>,
}

impl Present {
    /// Whether it was heard within `limit` of real time.
    pub fn online(&self, limit: Duration) -> bool {
        self.heard.is_some_and(|heard| heard.elapsed() < limit)
    }
}

/// Present values of all devices.
#[derive(Debug, Default)]
pub struct Live {
    devices: RwLock<HashMap<String, Present>>,
}

impl Live {
    /// Starts from the newest values of the history.
    pub fn rebuild(latest: Vec<(String, PointId, Sample)>) -> Self {
        let mut devices: HashMap<String, Present> = HashMap::new();
        for (device, point, sample) in latest {
            let present = devices.entry(device).or_default();
            present.last_seen = present.last_seen.max(Some(sample.time));
            present.values.insert(point, sample);
        }
        Self {
            devices: RwLock::new(devices),
        }
    }

    /// Takes new values; an older one than the present one changes nothing. Where a metering core seals a point, its
    /// word is shown: what others say of the same register is a copy with fewer digits.
    pub fn update(
        &self,
        device: &str,
        time: u64,
        sealed: bool,
        values: &[(PointId, meter_proto::value::Value)],
    ) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let present = devices.entry(device.to_owned()).or_default();
        present.heard = Some(Instant::now());
        present.last_seen = present.last_seen.max(Some(time));
        for (point, value) in values {
            let new = Sample {
                time,
                value: *value,
                sealed,
            };
            present
                .values
                .entry(*point)
                .and_modify(|old| {
                    if old.time <= time && (sealed || !old.sealed) || sealed && !old.sealed {
                        *old = new;
                    }
                })
                .or_insert(new);
        }
    }

    /// Notes a sign of life without values.
    pub fn heard(&self, device: &str, time: u64) {
        self.update(device, time, false, &[]);
    }

    /// A copy of what is known of one device.
    pub fn present(&self, device: &str) -> Present {
        self.devices
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(device)
            .cloned()
            .unwrap_or_default()
    }
}
