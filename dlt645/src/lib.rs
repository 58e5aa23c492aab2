//! DL/T 645-2007 and -1997: frames, identifiers, values, master and slave for electricity meters, without an allocator.
//!
//! | layer | types |
//! |---|---|
//! | bytes | [`FrameView`] and [`Frame`] for one frame, [`Decoder`] for a stream |
//! | meaning | [`Frame::message`] to a [`Message`], [`Message::encode_frame`] back |
//! | identifiers | [`DataId::item`]: name, [`Format`], unit, access; [`catalogue`] iterates |
//! | values | [`DataId::values`]: exact [`Value`]s of single items and blocks; [`Format::encode`] back |
//! | records | [`Record`] field by field, [`Freeze`], [`LoadBlocks`]; [`RecordWriter`] and its kin build them |
//! | 1997 edition | [`DataId1997::values`], [`Edition`] in messages, the same [`Master`] and [`Slave`] |
//! | access | [`Guard`] checks levels and passwords before the application; [`HostElement`], [`MeterElement`] for 98 and 99 |
//! | finding meters | [`Master::read_address`], [`Search`] |
//! | exchanges | [`Master`] asks and gathers long answers, [`Slave`] puts questions to an [`Application`] |
//!
//! A captured answer:
//!
//! ```
//! use dlt645::{Edition, Frame, Lang, Message};
//! let line = [
//!     0x68, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12, 0x68, 0x91, 0x08, 0x33, 0x33, 0x34, 0x33, 0x89, 0x67, 0x45, 0x33, 0x54, 0x16,
//! ];
//! let mut plain = [0; 255];
//! let frame = Frame::parse(&line, &mut plain)?;
//! let Message::ReadAnswer { id, data, .. } = frame.message(Edition::V2007)? else { unreachable!() };
//! let name = id.item().unwrap().name(Lang::En);
//! assert_eq!(format!("{name} = {}", id.value(data)?), "forward active energy = 1234.56 kWh");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What it leaves to you
//! The port, the clock (`now` is milliseconds of any monotonic clock), and what the meter stores. Identifiers outside the table pass through as bytes, so private ones need no change here.
//!
//! # Features
//! `meter-proto` maps identifiers to points of the unified standard. `embedded-io` adds `blocking` and
//! `embedded-io-async` adds `asynch`: shells that join master and slave to a port.
//!
//! # Limits
//! The catalogue holds 38,234 identifiers of 2007 (classes 00 to 04: 21,167) and 1,427 of 1997. Vendor additions of the
//! 1997 edition, load records of its class D, and records whose length is the meter's own are handed on as bytes. The
//! cipher of the standard's chips is not public: levels 98 and 99 and function 03 need an element.
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
mod edition_1997;
mod element;
mod error;
mod flags;
mod format;
mod frame;
mod freeze;
mod guard;
mod item;
mod layout;
mod load_record;
mod master;
mod message;
mod message_parse;
#[cfg(feature = "meter-proto")]
mod point;
mod quirks;
mod record;
mod search;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod shell;
mod slave;
mod time;
mod unit;
mod value;

pub use address::{Address, AddressKind, AddressTextError};
pub use control::{ControlCode, Function};
pub use data_id::{DataId, DataId1997};
pub use data_table::{Access, Lang};
pub use decoder::{Decoder, Fed, Refusals};
pub use edition_1997::{Item1997, Name1997, Values1997, catalogue_1997};
pub use element::{ElementRefused, HostElement, MeterElement, Protection, Subject};
pub use error::{Err645, SecurityErr};
pub use format::Format;
pub use frame::{
    DATA_MAX, END, FRAME_MAX, Frame, FrameError, FrameView, OFFSET, OVERHEAD, START, TooLong,
};
pub use freeze::{Freeze, FreezePart, FreezeWriter};
pub use guard::{Guard, GuardRules, Programming, TimeWindow, level_of};
pub use item::{Item, Name, Values, catalogue, catalogue_count, class_count, identifiers, search};
pub use layout::Layout;
pub use load_record::{LoadBlock, LoadBlocks, encode_load_block};
pub use master::{AskError, Event, Master};
pub use message::{
    Authority, Blocks, CONTROL_DONE, CONTROL_REFUSED, Control, Edition, FreezePattern, Message,
    Operator, Order, Password, rate_byte, rate_byte_1997, rate_of, rate_of_1997,
};
pub use message_parse::MessageError;
pub use quirks::Quirks;
pub use record::{Field, FieldName, Fields, Record, RecordWriter};
pub use search::{Heard, Search};
pub use serial_line::Timing;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use shell::ShellError;
pub use slave::{Application, Slave, SlaveEvent};
pub use time::Stamp;
pub use unit::Unit;
pub use value::{Number, Text, Value, ValueError};
