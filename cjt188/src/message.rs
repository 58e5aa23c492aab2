//! What frames say: typed requests and answers (section 17.2 and 17.3 of the fact sheet).

use core::fmt;

use crate::address::Address;
use crate::control::{ControlCode, Function};
use crate::data_id::{DataId, IdOrder};
use crate::frame::{DATA_MAX, Frame, TooLong};
use crate::meter_type::MeterType;
use serial_line::cursor::{Cursor, Writer};

/// Head of the data of most frames: identifier, its order on the line, and the running number that is echoed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// DI.
    pub id: DataId,
    /// Order of the two bytes on the line.
    pub order: IdOrder,
    /// SER.
    pub serial: u8,
}

impl Head {
    /// Identifier and running number at the front of vendor data, if one of the first two bytes is a known first byte
    /// of an identifier, and what stands behind them; else all data.
    ///
    /// ```
    /// use cjt188::{Head, IdOrder};
    /// let (head, rest) = Head::of_vendor(&[0xA0, 0x17, 1, 0x55], IdOrder::LowFirst);
    /// assert_eq!((head.unwrap().id.0, rest), (0xA017, &[0x55][..]));
    /// assert_eq!(Head::of_vendor(&[0xAA, 0x55, 0], IdOrder::LowFirst).0, None);
    /// ```
    #[must_use]
    pub fn of_vendor(data: &[u8], dialogue: IdOrder) -> (Option<Self>, &[u8]) {
        let mut cursor = Cursor::new(data);
        let head = cursor.array().and_then(|pair| {
            let (id, order) = DataId::from_line(pair, dialogue);
            let serial = cursor.byte()?;
            let known = id.has_known_first_byte();
            known.then_some(Head { id, order, serial })
        });
        match head {
            Some(_) => (head, cursor.rest()),
            None => (None, data),
        }
    }
}

/// What function 04 with A017 orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValveOrder {
    /// 55.
    Open,
    /// 99.
    Close,
}

impl ValveOrder {
    /// From the data behind SER.
    #[must_use]
    pub const fn from_line(data: &[u8]) -> Option<Self> {
        match data {
            [0x55] => Some(ValveOrder::Open),
            [0x99] => Some(ValveOrder::Close),
            _ => None,
        }
    }

    /// The byte behind SER.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            ValveOrder::Open => 0x55,
            ValveOrder::Close => 0x99,
        }
    }
}

/// The meaning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named as their types")]
pub enum Message<'a> {
    /// A question; `data` is what stands behind SER.
    Request {
        function: Function,
        head: Head,
        data: &'a [u8],
    },
    /// A good answer.
    Answer {
        function: Function,
        head: Head,
        data: &'a [u8],
    },
    /// A refusal: one to three bytes, of which the meters make different use (SER and ST, or one status byte).
    Refused { function: Function, data: &'a [u8] },
    /// The vendor's own function, 2A or AA. The data begin with identifier and running number in some meters and not
    /// in others: [`Head::of_vendor`].
    Vendor { answer: bool, data: &'a [u8] },
}

/// A frame that says nothing known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// No such function, or a bit that no frame of this direction has: no function fetches more (D5).
    UnknownFunction {
        /// Control code found.
        control: ControlCode,
    },
    /// The data are too short for identifier and running number, or a refusal is too long.
    Length {
        /// Control code found.
        control: ControlCode,
        /// Number of data bytes found.
        found: usize,
    },
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            MessageError::UnknownFunction { control } => {
                write!(f, "control code {:02X} is not defined", control.0)
            }
            MessageError::Length { control, found } => {
                write!(
                    f,
                    "{found} data bytes do not suit control code {:02X}",
                    control.0
                )
            }
        }
    }
}

impl core::error::Error for MessageError {}

impl<'a> Frame<'a> {
    /// What the frame says; `dialogue` decides the order of identifiers whose bytes do not tell it.
    ///
    /// # Errors
    /// Each [`MessageError`].
    pub fn message(&self, dialogue: IdOrder) -> Result<Message<'a>, MessageError> {
        let control = self.control;
        let function = control.function();
        if !matches!(function.0, 0x01 | 0x03 | 0x04 | 0x09 | 0x15 | 0x16 | 0x2A)
            || control.has_more()
        {
            return Err(MessageError::UnknownFunction { control });
        }
        let length = MessageError::Length {
            control,
            found: self.data.len(),
        };
        if control.from_meter() && control.is_error() {
            return match self.data.len() {
                1..=3 => Ok(Message::Refused {
                    function,
                    data: self.data,
                }),
                _ => Err(length),
            };
        }
        if !control.from_meter() && control.is_error() {
            return Err(MessageError::UnknownFunction { control });
        }
        if function == Function::VENDOR {
            return Ok(Message::Vendor {
                answer: control.from_meter(),
                data: self.data,
            });
        }
        let mut cursor = Cursor::new(self.data);
        let (id, order) = DataId::from_line(cursor.array().ok_or(length)?, dialogue);
        let head = Head {
            id,
            order,
            serial: cursor.byte().ok_or(length)?,
        };
        let data = cursor.rest();
        Ok(if control.from_meter() {
            Message::Answer {
                function,
                head,
                data,
            }
        } else {
            Message::Request {
                function,
                head,
                data,
            }
        })
    }
}

impl Message<'_> {
    /// Control code of a frame with this message.
    #[must_use]
    pub const fn control(&self) -> ControlCode {
        match self {
            Message::Request { function, .. } => ControlCode::request(*function),
            Message::Answer { function, .. } => ControlCode::answer(*function),
            Message::Refused { function, .. } => ControlCode::refusal(*function),
            Message::Vendor { answer: false, .. } => ControlCode::request(Function::VENDOR),
            Message::Vendor { answer: true, .. } => ControlCode::answer(Function::VENDOR),
        }
    }

    /// Writes a whole frame with this message to the front of `out`, without a preamble, and returns its length.
    ///
    /// # Errors
    /// [`TooLong`] if `out` is too small or the data exceed [`DATA_MAX`] bytes.
    pub fn encode_frame(
        &self,
        meter_type: MeterType,
        address: Address,
        out: &mut [u8],
    ) -> Result<usize, TooLong> {
        let mut plain = [0; DATA_MAX];
        let mut writer = Writer::new(&mut plain);
        match *self {
            Message::Request { head, data, .. } | Message::Answer { head, data, .. } => {
                writer
                    .put(&head.id.line(head.order))
                    .put(&[head.serial])
                    .put(data);
            }
            Message::Refused { data, .. } | Message::Vendor { data, .. } => {
                writer.put(data);
            }
        }
        let len = writer.finish().map_err(|needed| TooLong {
            needed,
            available: DATA_MAX,
        })?;
        let data = plain.get(..len).unwrap_or_default();
        Frame {
            meter_type,
            address,
            control: self.control(),
            data,
        }
        .encode(out)
    }
}
