//! CJ/T 188: frames, identifiers, values, master and slave for water, gas and heat meters, without an allocator. Both
//! texts, 2004 and 2018.
//!
//! [`Frame`] is one frame and [`Decoder`] finds them in a stream; [`Frame::message`] says what one means,
//! [`DataId::item`] what an identifier is, [`DataId::value`] what stands behind it. [`Master`] and [`Slave`] join these
//! to a half-duplex line without owning a port or a clock; their `now` is milliseconds of any monotonic clock.
//!
//! ```
//! use cjt188::{Frame, IdOrder, Message, Reading, Value};
//! let line = [
//!     0x68, 0x10, 0x26, 0x13, 0x06, 0x07, 0x00, 0x33, 0x78, 0x81, 0x16, 0x1F, 0x90, 0x04, 0x00, 0x68, 0x00, 0x00, 0x2C,
//!     0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x73, 0x16,
//! ];
//! let frame = Frame::parse(&line)?;
//! let Message::Answer { head, data, .. } = frame.message(IdOrder::LowFirst)? else { unreachable!() };
//! let Value::Present(Reading::Volume(volume)) = head.id.value(frame.meter_type, data)? else { unreachable!() };
//! assert_eq!(volume.current.to_string(), "68.00");
//! assert_eq!(volume.current.unit.unwrap().to_string(), "m3");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What it leaves to you
//! The port, the clock, whom to let write, keys and how they are encrypted, what the meter stores. Identifiers outside
//! the table pass through as bytes.
//!
//! # Choices
//! Where the texts, or meters in the field, differ: see [`IdOrder`], [`StatusBits`], [`Refusal`], [`ValidFrom`],
//! [`Dialect`], [`Master::accept_wildcard_answers`], and `docs/cjt188.md` of the project.
//!
//! # Features
//! `meter-proto` maps readings to points of the unified standard. `embedded-io` adds `blocking` and
//! `embedded-io-async` adds `asynch`: shells that join master and slave to a port.
#![no_std]

mod address;
#[cfg(feature = "embedded-io-async")]
pub mod asynch;
#[cfg(feature = "embedded-io")]
pub mod blocking;
mod control;
mod data_id;
mod data_table;
mod decoder;
mod event;
mod fields;
mod frame;
mod layout;
mod master;
mod message;
mod meter_type;
#[cfg(feature = "meter-proto")]
mod point;
mod reading;
mod record;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod shell;
mod slave;
mod status;
mod unit;
mod value;

pub use address::{Address, AddressKind, AddressTextError};
pub use control::{ControlCode, Function};
pub use data_id::{DataId, IdOrder};
pub use data_table::{Access, Edition, Item, Lang, Name, UnitSource, catalogue};
pub use decoder::{Decoder, Fed, Refusals};
pub use event::{AskError, Event};
pub use frame::{DATA_MAX, END, FRAME_MAX, Frame, FrameError, OVERHEAD, START, TooLong};
pub use layout::Layout;
pub use master::Master;
pub use message::{Head, Message, MessageError, ValveOrder};
pub use meter_type::{Medium, MeterType};
#[cfg(feature = "meter-proto")]
pub use point::Points;
pub use reading::{HeatColdReading, HeatEdition, HeatReading, Reading, VolumeReading};
pub use record::{Freeze, NewKey, Prices, Purchase, Recharge, Settled, ValidFrom, Value};
pub use serial_line::Timing;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use shell::ShellError;
pub use slave::{Application, Dialect, RefusalForm, Slave, SlaveEvent};
pub use status::{Refusal, Status, StatusBits, Valve};
pub use unit::Unit;
pub use value::{Quantity, Stamp, ValueError};
