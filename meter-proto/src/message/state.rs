//! Kinds 9 and 23: alive, and no longer there.

use crate::error::Error;
use crate::fields::{Fields, Sink, Source};

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

impl Fields for Heartbeat {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.unsigned(0, u64::from(self.uptime_s))?;
        sink.signed_byte(1, self.signal_dbm)?;
        sink.unsigned(2, u64::from(self.waiting))?;
        sink.unsigned(3, u64::from(self.config_version))?;
        sink.unsigned(4, u64::from(self.flags))
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            uptime_s: source.u32(0)?,
            signal_dbm: source.signed_byte(1)?,
            waiting: source.u32(2)?,
            config_version: source.u32(3)?,
            flags: source.u32(4)?,
        })
    }
}

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

impl Fields for Absence {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.unsigned(0, u64::from(self.boot))?;
        sink.unsigned(1, u64::from(self.session))
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            boot: source.u32(0)?,
            session: source.u32(1)?,
        })
    }
}
