//! Kind 22: the devices behind a gateway.

use heapless::Vec;

use crate::device::DeviceId;
use crate::error::Error;
use crate::fields::{Fields, Sink, Source};

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

/// Kind 22, up: nodes of a gateway, at most 24 per message. Several messages together make the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Topology {
    /// How many nodes the gateway has in all.
    pub total: u16,
    /// The nodes of this message.
    pub nodes: Vec<Node, 24>,
}

impl Fields for Topology {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
        sink.unsigned(0, u64::from(self.total))?;
        sink.list(1, self.nodes.len())?;
        for node in &self.nodes {
            sink.item()?;
            sink.unsigned(0, u64::from(node.number))?;
            sink.device(0, &node.device)?;
            sink.unsigned(0, u64::from(node.protocol.0))?;
            sink.byte(0, node.line)?;
            sink.unsigned(0, node.last_seen)?;
            sink.end_item()?;
        }
        sink.end_list();
        Ok(())
    }

    fn read<'b, S: Source<'b>>(source: &mut S) -> Result<Self, Error> {
        Ok(Self {
            total: source.u16(0)?,
            nodes: source.items(1, |source| {
                Ok(Node {
                    number: source.u16(0)?,
                    device: source.device(0)?,
                    protocol: Protocol(source.u16(0)?),
                    line: source.byte(0)?,
                    last_seen: source.u64(0)?,
                })
            })?,
        })
    }
}
