//! How a question to a meter ends, or why it is not put.

use core::fmt;

use crate::address::Address;
use crate::control::Function;
use crate::data_id::DataId;
use crate::frame::TooLong;
use crate::meter_type::MeterType;
use crate::reading::Reading;
use crate::record::Value;
use crate::status::{Refusal, Status};
use crate::value::ValueError;

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The answer to a read or a write.
    Data {
        /// T of the answer.
        meter_type: MeterType,
        /// The meter.
        address: Address,
        /// The function answered.
        function: Function,
        /// What was asked for.
        id: DataId,
        /// The data behind SER.
        data: &'a [u8],
    },
    /// The answer to [`crate::Master::read_address`].
    Address {
        /// T of the answer.
        meter_type: MeterType,
        /// The meter.
        address: Address,
    },
    /// The answer to [`crate::Master::vendor`].
    Vendor {
        /// T of the answer.
        meter_type: MeterType,
        /// The meter.
        address: Address,
        /// All data; see [`crate::Head::of_vendor`].
        data: &'a [u8],
    },
    /// The meter refused: one to three bytes, see [`Event::refusal`].
    Refused {
        /// What it refused.
        function: Function,
        /// As sent.
        data: &'a [u8],
    },
    /// Nobody answered.
    TimedOut {
        /// How often was asked.
        tries: u8,
    },
}

impl<'a> Event<'a> {
    /// What was read, by the table; `None` for events that are no answer to a read.
    #[must_use]
    pub fn value(&self) -> Option<Result<Value<'a>, ValueError>> {
        match *self {
            Event::Data {
                meter_type,
                function: Function::READ | Function::READ_KEY_VERSION,
                id,
                data,
                ..
            } => Some(id.value(meter_type, data)),
            _ => None,
        }
    }

    /// ST in the answer to a write, where the meter sends it; some send one byte of it.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match *self {
            Event::Data {
                function: Function::WRITE | Function::WRITE_ADDRESS | Function::SYNCHRONISE,
                data,
                ..
            } => Status::from_tail(data),
            _ => None,
        }
    }

    /// What the meter says with its refusal.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match *self {
            Event::Refused { data, .. } => Refusal::parse(data),
            _ => None,
        }
    }

    /// The reading in an answer to 901F; `None` for other events.
    #[must_use]
    pub fn reading(&self) -> Option<Result<Reading, ValueError>> {
        match *self {
            Event::Data {
                meter_type,
                id: DataId::PRESENT,
                data,
                ..
            } => Some(Reading::parse(meter_type, data)),
            _ => None,
        }
    }

    /// ST in an answer to [`crate::Master::valve`]; `None` for other events and for meters that send none.
    #[must_use]
    pub fn valve_status(&self) -> Option<Status> {
        match self {
            Event::Data {
                id: DataId::VALVE, ..
            } => self.status(),
            _ => None,
        }
    }
}

/// Why a question was not put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError {
    /// The last question is not answered yet.
    Busy,
    /// The data do not fit into a frame.
    TooLong(TooLong),
    /// The value does not suit the identifier.
    Value(ValueError),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Busy => f.write_str("the last question is not answered yet"),
            AskError::TooLong(err) => err.fmt(f),
            AskError::Value(err) => err.fmt(f),
        }
    }
}

impl core::error::Error for AskError {}
