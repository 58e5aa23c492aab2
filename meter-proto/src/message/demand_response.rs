//! Kinds 20 and 21: prices and limits for times to come, and what a device does about them.

use heapless::Vec;

use crate::device::DeviceId;
use crate::error::{Error, Rule};
use crate::fields::{fields, newtypes};
use crate::time::Stamp;
use crate::value::Value;

/// What the values of a demand-response event are. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DemandKind(pub u8);

impl DemandKind {
    /// A level, 0 normal to 3 (`SIMPLE` of OpenADR).
    pub const LEVEL: Self = Self(1);
    /// Price of energy taken, currency per kWh (`PRICE`).
    pub const PRICE: Self = Self(2);
    /// Price of energy given, currency per kWh (`EXPORT_PRICE`).
    pub const EXPORT_PRICE: Self = Self(3);
    /// Most power taken, W; negative: given (`IMPORT_CAPACITY_LIMIT`, `EXPORT_CAPACITY_LIMIT`).
    pub const LIMIT: Self = Self(4);
    /// The same as a part of the contract, %.
    pub const RELATIVE_LIMIT: Self = Self(5);
    /// Set point of a device under direct control, W (`DISPATCH_SETPOINT`).
    pub const DIRECT_CONTROL: Self = Self(6);
    /// Emergency of the grid: most power taken, W (`ALERT_GRID_EMERGENCY`).
    pub const EMERGENCY: Self = Self(7);
}

/// What a device does about an event. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DemandState(pub u8);

impl DemandState {
    /// Received.
    pub const RECEIVED: Self = Self(0);
    /// Will follow.
    pub const WILL_FOLLOW: Self = Self(1);
    /// Opted out, for the reason given.
    pub const OPTED_OUT: Self = Self(2);
    /// Running.
    pub const RUNNING: Self = Self(3);
    /// Done.
    pub const DONE: Self = Self(4);
    /// Replaced by a higher version or an event of higher priority.
    pub const SUPERSEDED: Self = Self(5);
    /// Failed.
    pub const FAILED: Self = Self(6);
}

newtypes!(DemandKind, DemandState);

/// One interval of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DemandInterval {
    /// Seconds, at least 1.
    pub duration_s: u32,
    /// Level, price or limit, as the kind says.
    pub value: Value,
}

fields!(element DemandInterval { 0 duration_s, 1 value });

/// Kind 20, down: an event. A higher version of the same id replaces it, one without intervals cancels it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DemandResponse {
    /// Chosen by the issuer and never reused.
    pub id: u64,
    /// Rises with every change.
    pub version: u32,
    /// What the values are.
    pub demand_kind: DemandKind,
    /// 0 is the most urgent; of two events that overlap the more urgent one counts.
    pub primacy: u8,
    /// UTC second of the first interval.
    pub start: u64,
    /// Devices spread their start over this many seconds, see [`DemandResponse::delay_s`].
    pub randomise_s: u32,
    /// The intervals, one behind the other, at most 24; none cancels the event.
    pub intervals: Vec<DemandInterval, 24>,
}

fields!(DemandResponse {
    0 id,
    1 version,
    2 demand_kind,
    3 primacy,
    4 start,
    5 randomise_s,
    6 intervals,
} where check);

impl DemandResponse {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self
            .intervals
            .iter()
            .any(|interval| interval.duration_s == 0)
        {
            return Err(Rule::Count.into());
        }
        Ok(())
    }

    /// Seconds by which this device starts later, from 0 to `randomise_s`: drawn from the device and the id, so that
    /// a repeat and a restart agree. 32-bit FNV-1a over namespace, content and id (little endian).
    #[must_use]
    pub fn delay_s(&self, device: &DeviceId) -> u32 {
        let hash = self
            .id
            .to_le_bytes()
            .iter()
            .fold(device.hash32(), |hash, byte| {
                (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
            });
        (u64::from(hash) % (u64::from(self.randomise_s) + 1)) as u32
    }

    /// The value that counts at this UTC second for a device that starts `delay_s` later.
    #[must_use]
    pub fn value_at(&self, seconds: u64, delay_s: u32) -> Option<Value> {
        let begin = self.start.saturating_add(u64::from(delay_s));
        let mut into = seconds.checked_sub(begin)?;
        for interval in &self.intervals {
            match into.checked_sub(u64::from(interval.duration_s)) {
                None => return Some(interval.value),
                Some(rest) => into = rest,
            }
        }
        None
    }
}

/// Kind 21, up: what a device does about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DemandStatus {
    /// The event.
    pub id: u64,
    /// Its version.
    pub version: u32,
    /// What the device does.
    pub state: DemandState,
    /// Why, as the device's own code; 0 none.
    pub reason: u16,
    /// Since when.
    pub since: Stamp,
}

fields!(DemandStatus { 0 id, 1 version, 2 state, 3 reason, 4 since });
