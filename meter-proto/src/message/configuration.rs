//! Kinds 12 to 14: the settings of a device, changed together or not at all.

use heapless::Vec;

use crate::compact::{Reader, Writer};
use crate::error::{Error, Rule};
use crate::fields::{Fields, fields, newtypes};
use crate::point::PointId;
use crate::value::Value;

/// Names a setting. Numbers without a name are kept as they came; from 0x8000 on they belong to makers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigKey(pub u16);

impl ConfigKey {
    /// Interval of telemetry: seconds, u32.
    pub const REPORT_INTERVAL: Self = Self(1);
    /// Interval of the legal profile: seconds, u32.
    pub const LEGAL_INTERVAL: Self = Self(2);
    /// Interval of heartbeats: seconds, u32.
    pub const HEARTBEAT_INTERVAL: Self = Self(3);
    /// Host and port of the platform: text.
    pub const SERVER: Self = Self(4);
    /// The same, used when the first does not answer: text.
    pub const SECOND_SERVER: Self = Self(5);
    /// Access point name of the mobile network: text.
    pub const ACCESS_POINT: Self = Self(6);
    /// Name for people: text.
    pub const NAME: Self = Self(7);
    /// Offset of local time from UTC: seconds, i32.
    pub const LOCAL_OFFSET: Self = Self(8);
    /// Lowest severity that leaves the device at once: u8.
    pub const URGENT_FROM: Self = Self(9);
    /// The first of 256 alarm settings, each an [`AlarmSetting`].
    pub const ALARM: Self = Self(0x0100);

    /// The key of alarm setting `index`.
    #[must_use]
    pub const fn alarm(index: u8) -> Self {
        Self(Self::ALARM.0 | index as u16)
    }
}

newtypes!(ConfigKey);

/// One setting and its value in the compact layout of the key's type, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigEntry {
    /// The setting.
    pub key: ConfigKey,
    /// Its value; empty takes the setting back to the maker's.
    pub value: Vec<u8, 64>,
}

fields!(element ConfigEntry { 0 key, 1 value });

impl ConfigEntry {
    /// The entry of an alarm setting.
    ///
    /// # Errors
    /// [`Error::BufferFull`] if the setting took more than 64 bytes; the longest takes 51.
    pub fn alarm(index: u8, setting: &AlarmSetting) -> Result<Self, Error> {
        let mut room = [0; 64];
        let mut out = Writer::new(&mut room);
        setting.write(0, &mut out)?;
        let len = out.len();
        let bytes = room.get(..len).ok_or(Error::BufferFull { capacity: 64 })?;
        let value = Vec::from_slice(bytes).map_err(|_| Error::BufferFull { capacity: 64 })?;
        Ok(Self {
            key: ConfigKey::alarm(index),
            value,
        })
    }

    /// The alarm setting in the value.
    ///
    /// # Errors
    /// [`Error::Broken`] for another key; what is wrong with the value, positions counting from its first byte.
    pub fn alarm_setting(&self) -> Result<AlarmSetting, Error> {
        if self.key.0 & 0xFF00 != ConfigKey::ALARM.0 {
            return Err(Rule::Reference.into());
        }
        let mut source = Reader::new(&self.value);
        let setting = AlarmSetting::read(0, &mut source)?;
        source.end()?;
        Ok(setting)
    }
}

/// A threshold: which point raises which event when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AlarmSetting {
    /// The point that is watched.
    pub point: PointId,
    /// The event it raises, see [`Event`](super::Event).
    pub code: u16,
    /// 0 raised above the limit, 1 raised below it.
    pub below: u8,
    /// The limit.
    pub limit: Value,
    /// How far the value must come back before the event is cleared.
    pub hysteresis: Value,
    /// How long the condition must hold, seconds.
    pub delay_s: u32,
    /// Severity of the event, 0 to 7.
    pub severity: u8,
    /// What it does beside the report: bits 0 local display, 1 buzzer, 2 open the relay.
    pub target: u8,
}

fields!(AlarmSetting {
    0 point,
    1 code,
    2 below,
    3 limit,
    4 hysteresis,
    5 delay_s,
    6 severity,
    7 target,
});

/// Keys must ascend: none twice, and two lists with the same content have the same bytes.
fn ascending(keys: impl Iterator<Item = ConfigKey>) -> Result<(), Error> {
    let mut last = None;
    for key in keys {
        if last.is_some_and(|last| key <= last) {
            return Err(Rule::Order.into());
        }
        last = Some(key);
    }
    Ok(())
}

/// Kind 12, down: report these settings, at most 64; none means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigRead {
    /// The settings, ascending.
    pub keys: Vec<ConfigKey, 64>,
}

fields!(ConfigRead { 0 keys } where check);

impl ConfigRead {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        ascending(self.keys.iter().copied())
    }
}

/// Kind 13, down: change settings, compare-and-set on the version.
///
/// A device whose version is not `base_version` changes nothing and reports its own. All entries apply together at
/// `activate_at`, or none does. A repeat finds `new_version` in force and is answered with the report again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigWrite {
    /// The version that must be in force.
    pub base_version: u32,
    /// The version afterwards, above `base_version`.
    pub new_version: u32,
    /// UTC second from which the entries are in force; 0 at once.
    pub activate_at: u64,
    /// The settings, ascending by key, at least 1 and at most 24.
    pub entries: Vec<ConfigEntry, 24>,
}

fields!(ConfigWrite { 0 base_version, 1 new_version, 2 activate_at, 3 entries } where check);

impl ConfigWrite {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self.new_version <= self.base_version {
            return Err(Rule::Version.into());
        }
        if self.entries.is_empty() {
            return Err(Rule::Count.into());
        }
        ascending(self.entries.iter().map(|entry| entry.key))
    }
}

/// Why a setting was not taken. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigRefusal(pub u8);

impl ConfigRefusal {
    /// Key not known here.
    pub const UNKNOWN_KEY: Self = Self(1);
    /// Value of another type or length.
    pub const BAD_VALUE: Self = Self(2);
    /// Value out of range.
    pub const OUT_OF_RANGE: Self = Self(3);
    /// Only the metering core changes it, on a sealed order.
    pub const SEALED: Self = Self(4);
    /// Another version is in force.
    pub const OTHER_VERSION: Self = Self(5);
    /// Nothing wrong with this one: another entry was refused, and all apply or none.
    pub const TOGETHER: Self = Self(6);
}

newtypes!(ConfigRefusal);

/// A setting that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RefusedKey {
    /// The setting.
    pub key: ConfigKey,
    /// Why not.
    pub reason: ConfigRefusal,
}

fields!(element RefusedKey { 0 key, 1 reason });

/// Kind 14, up: settings in force, or why they were not changed.
///
/// Answers kinds 12 and 13. Several reports of one version together make the whole when they do not fit one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigReport {
    /// The version in force.
    pub version: u32,
    /// A version that is accepted and waits for its time; the version in force when none does.
    pub waiting_version: u32,
    /// How many settings the answer has in all its reports.
    pub total: u16,
    /// Settings of this report, ascending by key, at most 24.
    pub entries: Vec<ConfigEntry, 24>,
    /// Settings that were refused, at most 24.
    pub refused: Vec<RefusedKey, 24>,
}

fields!(ConfigReport { 0 version, 1 waiting_version, 2 total, 3 entries, 4 refused } where check);

impl ConfigReport {
    /// What must hold beside the types of the fields.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check(&self) -> Result<(), Error> {
        if self.entries.len() > usize::from(self.total) {
            return Err(Rule::Count.into());
        }
        ascending(self.entries.iter().map(|entry| entry.key))
    }
}
