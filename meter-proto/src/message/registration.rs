//! Kinds 1 and 2: who a device is, and what it is told in return.

use heapless::{String, Vec};

use super::Stream;
use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Fields, Sink, Source};
use crate::time::Stamp;

/// What sort of device registers. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DeviceKind(pub u16);

impl DeviceKind {
    /// Electricity meter.
    pub const ELECTRICITY_METER: Self = Self(1);
    /// Water meter.
    pub const WATER_METER: Self = Self(2);
    /// Gas meter.
    pub const GAS_METER: Self = Self(3);
    /// Heat or cooling meter.
    pub const HEAT_METER: Self = Self(4);
    /// Gateway.
    pub const GATEWAY: Self = Self(5);
    /// Charging pile.
    pub const CHARGER: Self = Self(6);
    /// Lamp or lighting controller.
    pub const LIGHTING: Self = Self(7);
    /// Smart plug or switch.
    pub const PLUG: Self = Self(8);
    /// Electrical safety detector.
    pub const SAFETY_DETECTOR: Self = Self(9);
    /// Environment sensor.
    pub const SENSOR: Self = Self(10);
}

/// The kind of network a device uses upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Network(pub u16);

impl Network {
    /// Not stated.
    pub const UNKNOWN: Self = Self(0);
    /// Ethernet or wireless LAN.
    pub const LAN: Self = Self(1);
    /// 2G.
    pub const CELL_2G: Self = Self(2);
    /// 4G.
    pub const CELL_4G: Self = Self(3);
    /// NB-IoT.
    pub const NB_IOT: Self = Self(4);
    /// RS-485.
    pub const RS485: Self = Self(5);
    /// ZigBee.
    pub const ZIGBEE: Self = Self(6);
}

/// Where a position comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PositionSource(pub u8);

impl PositionSource {
    /// Configured by an installer.
    pub const CONFIGURED: Self = Self(0);
    /// Satellites.
    pub const SATELLITE: Self = Self(1);
    /// The radio cell.
    pub const CELL: Self = Self(2);
}

/// WGS84 position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Position {
    /// Latitude, 10⁻⁷ degree, north positive.
    pub latitude: i32,
    /// Longitude, 10⁻⁷ degree, east positive.
    pub longitude: i32,
    /// Altitude in decimetres.
    pub altitude_dm: i32,
    /// Radius of uncertainty in metres, 0 not stated.
    pub accuracy_m: u32,
    /// Where it comes from.
    pub source: PositionSource,
}

/// What a sender holds of one stream and boot, so that a new receiver knows where to begin and a loss is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StreamState {
    /// The stream.
    pub stream: Stream,
    /// The boot.
    pub boot: u32,
    /// Up to here everything is acknowledged or given up; it will not be sent again.
    pub floor: u32,
    /// The last number used.
    pub last: u32,
}

/// Kind 1, up: the first message of a connection. The head's `boot` is the boot in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Registration {
    /// Oldest version of the compact form spoken.
    pub version_min: u8,
    /// Newest version of the compact form spoken.
    pub version_max: u8,
    /// The device.
    pub device: DeviceId,
    /// What it is.
    pub device_kind: DeviceKind,
    /// How it is connected.
    pub network: Network,
    /// Number of the connection within the boot; pairs the will (kind 23) with it.
    pub session: u32,
    /// Name or description for people, at most 32 bytes.
    pub name: String<32>,
    /// Model, at most 24 bytes.
    pub model: String<24>,
    /// Hardware version.
    pub hardware: String<16>,
    /// Firmware of the metering core, empty if there is none.
    pub metering_firmware: String<16>,
    /// Firmware of the management core.
    pub management_firmware: String<16>,
    /// Capability bits: 0 relay, 1 prepaid, 2 tariff, 3 legal blocks, 4 CBOR, 5 files.
    pub capabilities: u64,
    /// Largest message accepted, bytes; at least 512.
    pub largest_message: u32,
    /// Version of the configuration in force.
    pub config_version: u32,
    /// Offset of local time from UTC in seconds.
    pub local_offset_s: i32,
    /// Hashes of the set definitions in use, at most 8.
    pub sets: Vec<u32, 8>,
    /// What is held of each stream and boot, at most 8.
    pub streams: Vec<StreamState, 8>,
    /// Where it stands.
    pub position: Option<Position>,
}

impl Registration {
    /// The least that a device must say; the rest is empty and may be filled in.
    #[must_use]
    pub fn new(device: DeviceId, device_kind: DeviceKind, session: u32) -> Self {
        Self {
            version_min: 1,
            version_max: 1,
            device,
            device_kind,
            network: Network::UNKNOWN,
            session,
            name: String::new(),
            model: String::new(),
            hardware: String::new(),
            metering_firmware: String::new(),
            management_firmware: String::new(),
            capabilities: 0,
            largest_message: 512,
            config_version: 0,
            local_offset_s: 0,
            sets: Vec::new(),
            streams: Vec::new(),
            position: None,
        }
    }
}

impl Fields for Registration {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.byte(0, self.version_min)?;
        sink.byte(1, self.version_max)?;
        sink.device(2, &self.device)?;
        sink.unsigned(3, u64::from(self.device_kind.0))?;
        sink.unsigned(4, u64::from(self.network.0))?;
        sink.unsigned(5, u64::from(self.session))?;
        sink.text(6, &self.name)?;
        sink.text(7, &self.model)?;
        sink.text(8, &self.hardware)?;
        sink.text(9, &self.metering_firmware)?;
        sink.text(10, &self.management_firmware)?;
        sink.unsigned(11, self.capabilities)?;
        sink.unsigned(12, u64::from(self.largest_message))?;
        sink.unsigned(13, u64::from(self.config_version))?;
        sink.signed(14, i64::from(self.local_offset_s))?;
        sink.list(15, self.sets.len())?;
        for hash in &self.sets {
            sink.unsigned(0, u64::from(*hash))?;
        }
        sink.end_list();
        sink.list(16, self.streams.len())?;
        for state in &self.streams {
            sink.item()?;
            sink.byte(0, state.stream.0)?;
            sink.unsigned(0, u64::from(state.boot))?;
            sink.unsigned(0, u64::from(state.floor))?;
            sink.unsigned(0, u64::from(state.last))?;
            sink.end_item()?;
        }
        sink.end_list();
        sink.present(17, self.position.is_some())?;
        if let Some(position) = &self.position {
            sink.signed(17, i64::from(position.latitude))?;
            sink.signed(18, i64::from(position.longitude))?;
            sink.signed(19, i64::from(position.altitude_dm))?;
            sink.unsigned(20, u64::from(position.accuracy_m))?;
            sink.byte(21, position.source.0)?;
        }
        Ok(())
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            version_min: source.byte(0)?,
            version_max: source.byte(1)?,
            device: source.device(2)?,
            device_kind: DeviceKind(source.u16(3)?),
            network: Network(source.u16(4)?),
            session: source.u32(5)?,
            name: source.text_up_to(6)?,
            model: source.text_up_to(7)?,
            hardware: source.text_up_to(8)?,
            metering_firmware: source.text_up_to(9)?,
            management_firmware: source.text_up_to(10)?,
            capabilities: source.u64(11)?,
            largest_message: source.u32(12)?,
            config_version: source.u32(13)?,
            local_offset_s: source.i32(14)?,
            sets: source.numbers(15, |source| source.u32(0))?,
            streams: source.items(16, |source| {
                Ok(StreamState {
                    stream: Stream(source.byte(0)?),
                    boot: source.u32(0)?,
                    floor: source.u32(0)?,
                    last: source.u32(0)?,
                })
            })?,
            position: if source.present(17)? {
                Some(Position {
                    latitude: source.i32(17)?,
                    longitude: source.i32(18)?,
                    altitude_dm: source.i32(19)?,
                    accuracy_m: source.u32(20)?,
                    source: PositionSource(source.byte(21)?),
                })
            } else {
                None
            },
        })
    }
}

/// Kind 2, down: the answer to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Welcome {
    /// The version of the compact form to speak until the next registration.
    pub version: u8,
    /// The session that is welcomed.
    pub session: u32,
    /// The sender's time.
    pub now: Stamp,
    /// Version of the configuration that waits; equal to the registered one when nothing does.
    pub config_version: u32,
    /// Backlog records per second allowed, 0 without limit.
    pub backlog_rate: u16,
    /// Window in seconds over which devices spread their start, 300 by default.
    pub spread_s: u16,
}

impl Fields for Welcome {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.byte(0, self.version)?;
        sink.unsigned(1, u64::from(self.session))?;
        sink.stamp(2, self.now)?;
        sink.unsigned(4, u64::from(self.config_version))?;
        sink.unsigned(5, u64::from(self.backlog_rate))?;
        sink.unsigned(6, u64::from(self.spread_s))
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            version: source.byte(0)?,
            session: source.u32(1)?,
            now: source.stamp(2)?,
            config_version: source.u32(4)?,
            backlog_rate: source.u16(5)?,
            spread_s: source.u16(6)?,
        })
    }
}
