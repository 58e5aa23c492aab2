//! From a frame to its meaning.

use core::fmt;

use crate::address::Address;
use crate::control::{ControlCode, Function};
use crate::data_id::{DataId, DataId1997};
use crate::error::{Err645, SecurityErr};
use crate::frame::Frame;
use crate::message::{Authority, Blocks, Control, Edition, Message, Operator, Password};
use crate::time::Stamp;
use serial_line::cursor::Cursor;

/// A frame that says nothing the edition knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// The edition has no such function in this direction; it may be a private one.
    UnknownFunction {
        /// Control code found.
        control: ControlCode,
    },
    /// The data are too short or too long for the function.
    Length {
        /// Control code found.
        control: ControlCode,
        /// Number of data bytes found.
        found: usize,
    },
    /// A byte of a time is not two decimal digits.
    Time {
        /// Index of the time in the data.
        position: usize,
    },
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            MessageError::UnknownFunction { control } => {
                write!(
                    f,
                    "control code {:02X} is not defined in this edition",
                    control.0
                )
            }
            MessageError::Length { control, found } => {
                write!(
                    f,
                    "{found} data bytes do not suit control code {:02X}",
                    control.0
                )
            }
            MessageError::Time { position } => {
                write!(f, "the time at data byte {position} is not decimal")
            }
        }
    }
}

impl core::error::Error for MessageError {}

impl<'a> Frame<'a> {
    /// What the frame says in `edition`.
    ///
    /// Whether the address suits the function is the meter's decision and not looked at here.
    ///
    /// # Errors
    /// Each [`MessageError`]; unknown functions may still be private ones of a meter.
    pub fn message(&self, edition: Edition) -> Result<Message<'a>, MessageError> {
        match edition {
            Edition::V2007 => parse_2007(self),
            Edition::V1997 => parse_1997(self),
        }
    }
}

impl Message<'_> {
    /// For a read of class 06 in its longer forms: number of blocks and, in the longest, the time to begin at.
    #[must_use]
    pub fn blocks(&self) -> Option<Blocks> {
        let Message::Read { rest, .. } = self else {
            return None;
        };
        match **rest {
            [count] => Some(Blocks { count, from: None }),
            [count, mm, hh, dd, mo, yy] => Some(Blocks {
                count,
                from: Some(Stamp::from_line([0, mm, hh, dd, mo, yy])?),
            }),
            _ => None,
        }
    }
}

/// Data of one frame while they are taken apart.
struct Fields<'a> {
    cursor: Cursor<'a>,
    length: MessageError,
}

impl<'a> Fields<'a> {
    fn new(frame: &Frame<'a>) -> Self {
        let length = MessageError::Length {
            control: frame.control,
            found: frame.data.len(),
        };
        Fields {
            cursor: Cursor::new(frame.data),
            length,
        }
    }

    fn need<T>(&self, field: Option<T>) -> Result<T, MessageError> {
        field.ok_or(self.length)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MessageError> {
        let field = self.cursor.array();
        self.need(field)
    }

    fn byte(&mut self) -> Result<u8, MessageError> {
        let field = self.cursor.byte();
        self.need(field)
    }

    fn id(&mut self) -> Result<DataId, MessageError> {
        let field = DataId::take(&mut self.cursor);
        self.need(field)
    }

    fn id_1997(&mut self) -> Result<DataId1997, MessageError> {
        let field = DataId1997::take(&mut self.cursor);
        self.need(field)
    }

    fn password(&mut self) -> Result<Password, MessageError> {
        Ok(Password::from_line(self.array()?))
    }

    fn authority(&mut self) -> Result<Authority, MessageError> {
        let field = Authority::take(&mut self.cursor);
        self.need(field)
    }

    fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// The message, if nothing is left over.
    fn end<'m>(&self, message: Message<'m>) -> Result<Message<'m>, MessageError> {
        if self.cursor.rest().is_empty() {
            Ok(message)
        } else {
            Err(self.length)
        }
    }
}

fn parse_2007<'a>(frame: &Frame<'a>) -> Result<Message<'a>, MessageError> {
    let control = frame.control;
    let function = control.function();
    let unknown = MessageError::UnknownFunction { control };
    let mut fields = Fields::new(frame);
    if !control.from_meter() {
        if control.is_error() || control.has_more() {
            return Err(unknown);
        }
        return request_2007(function, fields, unknown);
    }
    if control.is_error() {
        return match function {
            Function::SECURITY => {
                let word = u16::from_le_bytes(fields.array()?);
                fields.end(Message::SecurityRefused(SecurityErr(word)))
            }
            Function(0x11 | 0x12 | 0x14 | 0x16..=0x1D) => {
                let err = Err645(fields.byte()?);
                fields.end(Message::Refused { function, err })
            }
            _ => Err(unknown),
        };
    }
    let more = control.has_more();
    match function {
        Function::SECURITY => {
            let id = fields.id()?;
            Ok(Message::SecurityAnswer {
                id,
                data: fields.rest(),
                more,
            })
        }
        Function::READ => {
            let id = fields.id()?;
            Ok(Message::ReadAnswer {
                id,
                data: fields.rest(),
                more,
            })
        }
        Function::READ_FOLLOW_UP => {
            let id = fields.id()?;
            let (sequence, data) = fields.need(fields.rest().split_last())?;
            Ok(Message::FollowUpAnswer {
                id,
                data,
                sequence: *sequence,
                more,
            })
        }
        Function::READ_ADDRESS => {
            let address = Address::from_line(fields.array()?);
            fields.end(Message::AddressAnswer(address))
        }
        Function::CHANGE_RATE => {
            let rate = fields.byte()?;
            fields.end(Message::RateAnswer(rate))
        }
        Function::CHANGE_PASSWORD => {
            let password = fields.password()?;
            fields.end(Message::PasswordAnswer(password))
        }
        Function::OUTPUT => {
            let output = fields.byte()?;
            fields.end(Message::OutputAnswer(output))
        }
        Function::CONTROL if frame.data.len() == 4 => {
            let [d0, d1, r0, r1] = fields.array()?;
            fields.end(Message::ControlReport {
                done: u16::from_le_bytes([d0, d1]),
                refused: u16::from_le_bytes([r0, r1]),
            })
        }
        Function(0x14 | 0x15 | 0x16 | 0x19..=0x1C) => fields.end(Message::Done(function)),
        _ => Err(unknown),
    }
}

fn request_2007<'a>(
    function: Function,
    mut fields: Fields<'a>,
    unknown: MessageError,
) -> Result<Message<'a>, MessageError> {
    match function {
        Function::SECURITY => {
            let id = fields.id()?;
            let operator = Operator::from_line(fields.array()?);
            Ok(Message::Security {
                id,
                operator,
                data: fields.rest(),
            })
        }
        Function::BROADCAST_TIME => broadcast_time(fields),
        Function::READ => {
            let id = fields.id()?;
            Ok(Message::Read {
                id,
                rest: fields.rest(),
            })
        }
        Function::READ_FOLLOW_UP => {
            let (id, sequence) = (fields.id()?, fields.byte()?);
            fields.end(Message::ReadFollowUp { id, sequence })
        }
        Function::READ_ADDRESS => fields.end(Message::ReadAddress),
        Function::WRITE => {
            let (id, authority) = (fields.id()?, fields.authority()?);
            Ok(Message::Write {
                id,
                authority,
                data: fields.rest(),
            })
        }
        Function::WRITE_ADDRESS => {
            let address = Address::from_line(fields.array()?);
            fields.end(Message::WriteAddress(address))
        }
        Function::FREEZE => {
            let moment: [u8; 4] = fields.array()?;
            let decimal =
                |byte| serial_line::bcd::byte_value(byte).ok_or(MessageError::Time { position: 0 });
            let [minute, hour, day, month] = moment;
            let message = Message::Freeze {
                month: decimal(month)?,
                day: decimal(day)?,
                hour: decimal(hour)?,
                minute: decimal(minute)?,
            };
            fields.end(message)
        }
        Function::CHANGE_RATE => {
            let rate = fields.byte()?;
            fields.end(Message::ChangeRate(rate))
        }
        Function::CHANGE_PASSWORD => {
            let (id, old, new) = (fields.id()?, fields.password()?, fields.password()?);
            fields.end(Message::ChangePassword { id, old, new })
        }
        Function::CLEAR_DEMAND => {
            let authority = fields.authority()?;
            fields.end(Message::ClearDemand(authority))
        }
        Function::CLEAR_METER => {
            let authority = fields.authority()?;
            if fields.rest().is_empty() {
                return Ok(Message::ClearMeter(authority));
            }
            Ok(Message::Protected {
                function,
                authority,
                data: fields.rest(),
            })
        }
        Function::CLEAR_EVENTS => {
            let authority = fields.authority()?;
            match *fields.rest() {
                [d0, d1, d2, d3] => Ok(Message::ClearEvents {
                    id: DataId::from_line([d0, d1, d2, d3]),
                    authority,
                }),
                _ => Ok(Message::Protected {
                    function,
                    authority,
                    data: fields.rest(),
                }),
            }
        }
        Function::CONTROL => {
            let authority = fields.authority()?;
            match <[u8; 8]>::try_from(fields.rest()) {
                Ok(plain) if authority.password.level != 0x98 => {
                    let control =
                        Control::from_line(plain).ok_or(MessageError::Time { position: 10 })?;
                    Ok(Message::Control { authority, control })
                }
                _ => Ok(Message::Protected {
                    function,
                    authority,
                    data: fields.rest(),
                }),
            }
        }
        Function::OUTPUT => {
            let output = fields.byte()?;
            fields.end(Message::Output(output))
        }
        _ => Err(unknown),
    }
}

fn broadcast_time<'a>(mut fields: Fields<'a>) -> Result<Message<'a>, MessageError> {
    let stamp = Stamp::from_line(fields.array()?).ok_or(MessageError::Time { position: 0 })?;
    fields.end(Message::BroadcastTime(stamp))
}

fn parse_1997<'a>(frame: &Frame<'a>) -> Result<Message<'a>, MessageError> {
    let control = frame.control;
    let function = control.function();
    let unknown = MessageError::UnknownFunction { control };
    let mut fields = Fields::new(frame);
    if !control.from_meter() {
        if control.is_error() || control.has_more() {
            return Err(unknown);
        }
        return match function {
            Function::READ_1997 => {
                let id = fields.id_1997()?;
                fields.end(Message::Read1997 { id })
            }
            Function::READ_FOLLOW_UP_1997 => {
                let id = fields.id_1997()?;
                fields.end(Message::ReadFollowUp1997 { id })
            }
            Function::READ_AGAIN_1997 => fields.end(Message::ReadAgain1997),
            Function::WRITE_1997 => {
                let (id, password) = (fields.id_1997()?, fields.password()?);
                Ok(Message::Write1997 {
                    id,
                    password,
                    data: fields.rest(),
                })
            }
            Function::BROADCAST_TIME => broadcast_time(fields),
            Function::WRITE_ADDRESS_1997 => {
                let address = Address::from_line(fields.array()?);
                fields.end(Message::WriteAddress(address))
            }
            Function::CHANGE_RATE_1997 => {
                let rate = fields.byte()?;
                fields.end(Message::ChangeRate(rate))
            }
            Function::CHANGE_PASSWORD_1997 => {
                let (old, new) = (fields.password()?, fields.password()?);
                fields.end(Message::ChangePassword1997 { old, new })
            }
            Function::CLEAR_DEMAND_1997 => {
                let password = fields.password()?;
                fields.end(Message::ClearDemand1997(password))
            }
            _ => Err(unknown),
        };
    }
    if control.is_error() {
        return match function {
            Function(0x01..=0x04 | 0x0C | 0x0F | 0x10) => {
                let err = Err645(fields.byte()?);
                fields.end(Message::Refused { function, err })
            }
            _ => Err(unknown),
        };
    }
    let more = control.has_more();
    match function {
        // The repeat of the last answer is that answer under its own function.
        Function::READ_AGAIN_1997 => {
            let id = fields.id_1997()?;
            Ok(Message::ReadAgainAnswer1997 {
                id,
                data: fields.rest(),
                more,
            })
        }
        Function::READ_1997 => {
            let id = fields.id_1997()?;
            Ok(Message::ReadAnswer1997 {
                id,
                data: fields.rest(),
                more,
            })
        }
        Function::READ_FOLLOW_UP_1997 => {
            let id = fields.id_1997()?;
            Ok(Message::FollowUpAnswer1997 {
                id,
                data: fields.rest(),
                more,
            })
        }
        Function::CHANGE_RATE_1997 => {
            let rate = fields.byte()?;
            fields.end(Message::RateAnswer(rate))
        }
        Function::CHANGE_PASSWORD_1997 => {
            let password = fields.password()?;
            fields.end(Message::PasswordAnswer(password))
        }
        Function(0x04 | 0x0A | 0x10) => fields.end(Message::Done(function)),
        _ => Err(unknown),
    }
}
