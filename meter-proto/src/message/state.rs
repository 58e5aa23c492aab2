//! Kinds 9 and 23: alive, and no longer there.

use crate::fields::fields;

/// Kind 9, up: a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Heartbeat {
    /// Seconds since the boot.
    pub uptime_s: u32,
    /// Received signal in dBm, 0 not applicable.
    pub signal_dbm: i8,
    /// Records waiting in the outbox.
    pub waiting: u32,
    /// Version of the configuration in force.
    pub config_version: u32,
    /// Bits: 0 relay open, 1 on battery, 2 a stream is full, 3 seal switch open, 4 link between the cores down.
    pub flags: u32,
}

fields!(Heartbeat { 0 uptime_s, 1 signal_dbm, 2 waiting, 3 config_version, 4 flags });

/// Kind 23, by the broker as a will: the connection of this session ended.
///
/// Believed only if boot and session are those of the newest registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Absence {
    /// Boot of the registration.
    pub boot: u32,
    /// Session of the registration.
    pub session: u32,
}

fields!(Absence { 0 boot, 1 session });
