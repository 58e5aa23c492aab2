//! DL/T 645-2007 and -1997: frames, identifiers, values, master and slave for electricity meters, without an allocator.
#![no_std]

mod address;
mod control;
mod cursor;
mod data_id;
mod data_table;
mod decoder;
mod error;
mod format;
mod frame;
mod item;
mod master;
mod message;
mod message_parse;
#[cfg(feature = "meter-proto")]
mod point;
mod slave;
mod time;
mod unit;
mod value;

pub use address::{Address, AddressKind, AddressTextError};
pub use control::{ControlCode, Function};
pub use data_id::{DataId, DataId1997};
pub use data_table::{Access, Lang};
pub use decoder::{Decoder, Fed, Refusals};
pub use error::{Err645, SecurityErr};
pub use format::Format;
pub use frame::{
    DATA_MAX, END, FRAME_MAX, Frame, FrameError, FrameView, OFFSET, OVERHEAD, START, TooLong,
};
pub use item::{Item, Name, Values, catalogue, catalogue_count};
pub use master::{AskError, Event, Master};
pub use message::{
    Authority, Blocks, Control, Edition, Message, Operator, Order, Password, rate_of,
};
pub use message_parse::MessageError;
pub use serial_line::Timing;
pub use slave::{Application, Slave, SlaveEvent};
pub use time::Stamp;
pub use unit::Unit;
pub use value::{Number, Text, Value, ValueError};
