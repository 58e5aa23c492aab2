//! What a gateway says about itself: counts per line and device, refusals by reason.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// A picture of the gateway at one moment. All counts run from the start.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// Number of this start.
    pub boot: u32,
    /// UTC milliseconds of the gateway's clock when the picture was taken.
    pub time_ms: u64,
    /// Whether the broker has accepted the gateway.
    pub connected: bool,
    /// How often it was accepted.
    pub connects: u64,
    /// Messages handed to the broker, repeats included.
    pub published: u64,
    /// Records that the cloud acknowledged.
    pub acknowledged: u64,
    /// Unacknowledged records per stream.
    pub waiting: BTreeMap<u8, usize>,
    /// Bytes of the outbox on the disk.
    pub outbox_bytes: u64,
    /// Telemetry records that made room for newer ones.
    pub dropped: u64,
    /// Places in the outbox that were found damaged at the start; the records that stood there are lost.
    pub damaged: u32,
    /// Records of meters that are no message and are kept as they came.
    pub aside: usize,
    /// What was refused anywhere, by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    /// The devices by identity.
    pub devices: BTreeMap<String, DeviceStatus>,
}

/// One device behind the gateway.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DeviceStatus {
    /// Its number in messages.
    pub node: u16,
    /// Whether its last request was answered.
    pub online: bool,
    /// UTC milliseconds of its last answer, 0 when it never answered.
    pub last_seen_ms: u64,
    /// Exchanges that were answered with data.
    pub answers: u64,
    /// Exchanges without an answer.
    pub timeouts: u64,
    /// Exchanges that the device refused.
    pub refused: u64,
    /// Records taken over from it.
    pub records: u64,
    /// Records that it offered again after they were taken over.
    pub repeats: u64,
    /// Blocks of firmware images sent to it, repeated ones included.
    pub image_blocks: u64,
}

/// The status that all tasks write to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Mutex<Status>>);

impl Board {
    /// Changes the status under its lock; a panic elsewhere leaves plain counts that are still good to read.
    pub fn with<R>(&self, change: impl FnOnce(&mut Status) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn refuse(&self, reason: &'static str) {
        self.with(|status| *status.refusals.entry(reason).or_insert(0) += 1);
    }

    pub fn device<R>(&self, id: &str, change: impl FnOnce(&mut DeviceStatus) -> R) -> R {
        self.with(|status| change(status.devices.entry(id.to_owned()).or_default()))
    }
}
