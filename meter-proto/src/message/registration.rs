//! Kinds 1 and 2: who a device is, and what it is told in return.

use heapless::{String, Vec};

use super::Stream;
use crate::device::DeviceId;
use crate::fields::fields;
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
fields!(group Position { 0 latitude, 1 longitude, 2 altitude_dm, 3 accuracy_m, 4 source });

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
fields!(element StreamState { 0 stream, 1 boot, 2 floor, 3 last });

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

fields!(Registration {
    0 version_min,
    1 version_max,
    2 device,
    3 device_kind,
    4 network,
    5 session,
    6 name,
    7 model,
    8 hardware,
    9 metering_firmware,
    10 management_firmware,
    11 capabilities,
    12 largest_message,
    13 config_version,
    14 local_offset_s,
    15 sets,
    16 streams,
    17 position,
});

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

fields!(Welcome { 0 version, 1 session, 2 now, 4 config_version, 5 backlog_rate, 6 spread_s });
