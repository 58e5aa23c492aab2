//! The unified meter data standard: identities, points, exact values, messages, store and forward, links.
//!
//! ```text
//! Value, PointId ──> Body ──> compact / cbor ──> Outbox ──> link or topic ──> Window ──> the receiver's store
//!                                                   ^                            │
//!                                                   └────── Acknowledgement <────┘
//! ```
//!
//! # A first message
//!
//! ```
//! use meter_proto::message::{Head, Message, Sample, Snapshot, Stream};
//! use meter_proto::point::{Direction, Phase, PointId};
//! use meter_proto::quantity::Quantity;
//! use meter_proto::time::{ClockQuality, Stamp};
//! use meter_proto::value::Value;
//! use meter_proto::{compact, form};
//!
//! const IMPORT: PointId = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT);
//! const U1: PointId = PointId::new(Quantity::VOLTAGE).phase(Phase::L1);
//!
//! let head = Head {
//!     node: 0,
//!     stream: Stream::TELEMETRY,
//!     boot: 1,
//!     seq: 1,
//!     stamp: Stamp::from_seconds(1_795_219_200, ClockQuality::LEGAL),
//! };
//! let snapshot: Snapshot =
//!     [Sample::new(IMPORT, Value::new(12_345_678, 1)), Sample::new(U1, Value::new(2301, -1))].into_iter().collect();
//! let mut bytes = [0; 64];
//! let len = compact::encode_as(&head, &snapshot, &mut bytes)?;
//! assert_eq!(form::decode(&bytes[..len])?, Message::new(head, snapshot));
//! # Ok::<(), meter_proto::error::Error>(())
//! ```
//!
//! # What it leaves to you
//!
//! Clocks, randomness, ports and flash: machines take `now` in milliseconds and bytes, and give bytes. Encryption: an
//! envelope is bytes here. Durable memory: [`outbox::OutboxStore`] on the sending side, a unique key on the receiving
//! side.
//!
//! # Decisions
//!
//! - No floats. A value is an integer and a decimal exponent, and its digits are never changed on the way.
//! - One list of fields per kind serves all three forms (compact, CBOR, JSON), so they cannot drift apart.
//! - Numbers without a name (kinds of devices, codes, quantities) are kept as they came.
//! - No heap: every list has a capacity, stated at its field.
//!
//! # Features
//!
//! `serde` derives `Serialize` and `Deserialize` on heads and bodies; postcard then reads and writes the compact layout
//! behind the first two bytes. `embedded-storage` keeps waiting records and files on NOR flash
//! (`outbox::FlashStore`, `file::FlashFile`), `std` in a file (`outbox::FileFlash`). `embedded-hal` joins the link
//! between two cores to real pins (`link::spi::SpiMaster`, `SpiSlave`), `embedded-io` the serial link to a port
//! (`link::serial::SerialLink`).
//!
//! # Limits
//!
//! A message is at most as long as its kind's capacities allow; longer contents travel as files or fragments. OBIS codes
//! cover electricity (A = 1); other media travel under their quantities, other codes as foreign points. The published
//! description is `docs/meter-proto.md`.
#![no_std]

#[cfg(feature = "std")]
extern crate std;

pub mod cbor;
pub mod clock;
pub mod compact;
pub mod device;
pub mod error;
mod fields;
pub mod file;
pub mod form;
pub mod fragment;
pub mod json;
pub mod language;
pub mod link;
pub mod message;
mod obis;
pub mod outbox;
pub mod point;
pub mod quantity;
pub mod series;
pub mod sets;
pub mod time;
pub mod topic;
pub mod value;
pub mod window;
