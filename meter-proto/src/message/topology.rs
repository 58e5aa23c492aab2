//! Kind 22: the devices behind a gateway.

use heapless::Vec;

use crate::device::DeviceId;
use crate::fields::fields;

/// How a gateway reaches a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Protocol(pub u16);

impl Protocol {
    /// DL/T 645.
    pub const DLT645: Self = Self(1);
    /// CJ/T 188.
    pub const CJT188: Self = Self(2);
    /// Modbus.
    pub const MODBUS: Self = Self(3);
    /// ZigBee.
    pub const ZIGBEE: Self = Self(4);
    /// Wired M-Bus.
    pub const MBUS: Self = Self(5);
    /// Wireless M-Bus.
    pub const WMBUS: Self = Self(6);
}

/// One device behind a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Node {
    /// Its number in the heads of the gateway's messages, from 1; never given to another device.
    pub number: u16,
    /// The device.
    pub device: DeviceId,
    /// How it is reached.
    pub protocol: Protocol,
    /// On which line.
    pub line: u8,
    /// When it last answered, UTC seconds, 0 never.
    pub last_seen: u64,
}
fields!(element Node { 0 number, 1 device, 2 protocol, 3 line, 4 last_seen });

/// Kind 22, up: nodes of a gateway, at most 24 per message. Several messages together make the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Topology {
    /// How many nodes the gateway has in all.
    pub total: u16,
    /// The nodes of this message.
    pub nodes: Vec<Node, 24>,
}

fields!(Topology { 0 total, 1 nodes });
