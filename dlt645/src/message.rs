//! What frames say: typed requests and answers of both editions (sections 4 and 16 of the fact sheet).

use core::fmt;

use crate::address::Address;
use crate::control::{ControlCode, Function};
use crate::data_id::{DataId, DataId1997};
use crate::error::{Err645, SecurityErr};
use crate::frame::{TooLong, encode_in_place};
use crate::time::Stamp;
use serial_line::cursor::{Cursor, Writer};

/// Which edition a meter speaks; 90 and D0, for one, mean different things in the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edition {
    /// DL/T 645-1997: two-byte identifiers.
    V1997,
    /// DL/T 645-2007: four-byte identifiers.
    #[default]
    V2007,
}

/// Password and its level as sent: PA, P0, P1, P2.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Password {
    /// PA: 00 to 09 plain levels, 98 ciphertext with MAC, 99 plaintext with MAC.
    pub level: u8,
    /// Six digits, 0 to 999999 as packed decimal, P0 in the low byte.
    pub digits: u32,
}

impl Password {
    /// From the four bytes PA P0 P1 P2.
    #[must_use]
    pub const fn from_line(bytes: [u8; 4]) -> Self {
        let [level, p0, p1, p2] = bytes;
        Password {
            level,
            digits: u32::from_le_bytes([p0, p1, p2, 0]),
        }
    }

    /// The four bytes PA P0 P1 P2.
    #[must_use]
    pub const fn line(self) -> [u8; 4] {
        let [p0, p1, p2, _] = self.digits.to_le_bytes();
        [self.level, p0, p1, p2]
    }
}

// A password does not belong into logs.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Password {{ level: {:02X} }}", self.level)
    }
}

/// Operator code, C0 least significant; meters store it with what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operator(pub u32);

impl Operator {
    /// From the four bytes C0 to C3.
    #[must_use]
    pub const fn from_line(bytes: [u8; 4]) -> Self {
        Operator(u32::from_le_bytes(bytes))
    }

    /// The four bytes C0 to C3.
    #[must_use]
    pub const fn line(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }
}

/// Who asks for a write or an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Authority {
    /// Level and password.
    pub password: Password,
    /// Operator code.
    pub operator: Operator,
}

impl Authority {
    pub(crate) fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        let password = Password::from_line(cursor.array()?);
        let operator = Operator::from_line(cursor.array()?);
        Some(Authority { password, operator })
    }
}

/// What function 1C orders (N1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// 1A: open the relay.
    Trip,
    /// 1B: allow the user to close it by the button.
    AllowClose,
    /// 1C: close it.
    Close,
    /// 1D: open, and close by itself after N2 times 5 minutes.
    TripThenClose,
    /// 1E: open, and allow to close after N2 times 5 minutes.
    TripThenAllow,
    /// 2A: alarm on.
    AlarmOn,
    /// 2B: alarm off.
    AlarmOff,
    /// 3A: keep power; trips are refused while it lasts.
    KeepPower,
    /// 3B: end of keep power.
    EndKeepPower,
    /// Any other N1.
    Other(u8),
}

const ORDERS: [(u8, Order); 9] = [
    (0x1A, Order::Trip),
    (0x1B, Order::AllowClose),
    (0x1C, Order::Close),
    (0x1D, Order::TripThenClose),
    (0x1E, Order::TripThenAllow),
    (0x2A, Order::AlarmOn),
    (0x2B, Order::AlarmOff),
    (0x3A, Order::KeepPower),
    (0x3B, Order::EndKeepPower),
];

impl Order {
    /// From N1.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        ORDERS
            .iter()
            .find(|row| row.0 == code)
            .map_or(Order::Other(code), |row| row.1)
    }

    /// N1.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Order::Other(code) => code,
            known => ORDERS
                .iter()
                .find(|row| row.1 == known)
                .map_or(0, |row| row.0),
        }
    }
}

/// The plain block of function 1C: N1 to N8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// N1.
    pub order: Order,
    /// N2: reserved, or a delay in steps of 5 minutes.
    pub delay: u8,
    /// N3 to N8: the moment after which the meter must refuse; `None` when all bytes are zero.
    pub expires: Option<Stamp>,
}

impl Control {
    /// From N1 to N8; `None` if the time is not decimal or the length differs.
    #[must_use]
    pub fn from_line(bytes: [u8; 8]) -> Option<Self> {
        let [n1, delay, time @ ..] = bytes;
        let expires = if time == [0; 6] {
            None
        } else {
            Some(Stamp::from_line(time)?)
        };
        Some(Control {
            order: Order::from_code(n1),
            delay,
            expires,
        })
    }

    /// N1 to N8; `None` if a field of the time is above 99.
    #[must_use]
    pub fn line(&self) -> Option<[u8; 8]> {
        let [s, m, h, day, month, year] = match self.expires {
            Some(stamp) => stamp.line()?,
            None => [0; 6],
        };
        Some([self.order.code(), self.delay, s, m, h, day, month, year])
    }
}

/// Bits per second of a 2007 rate byte (17 and 04000701 to 05), in which exactly one known bit is set.
///
/// ```
/// assert_eq!(dlt645::rate_of(0x08), Some(2400));
/// assert_eq!(dlt645::rate_of(0x16), None);
/// ```
#[must_use]
pub const fn rate_of(byte: u8) -> Option<u32> {
    match byte {
        0x02 => Some(600),
        0x04 => Some(1200),
        0x08 => Some(2400),
        0x10 => Some(4800),
        0x20 => Some(9600),
        0x40 => Some(19_200),
        _ => None,
    }
}

/// The 2007 rate byte for `rate` bit/s.
///
/// ```
/// assert_eq!(dlt645::rate_byte(4800), Some(0x10));
/// assert_eq!(dlt645::rate_byte(1000), None);
/// ```
#[must_use]
pub const fn rate_byte(rate: u32) -> Option<u8> {
    Some(match rate {
        600 => 0x02,
        1200 => 0x04,
        2400 => 0x08,
        4800 => 0x10,
        9600 => 0x20,
        19_200 => 0x40,
        _ => return None,
    })
}

/// Bits per second of a 1997 rate byte (0C), in which exactly one known bit is set and bit 0, special rates, is not.
#[must_use]
pub const fn rate_of_1997(byte: u8) -> Option<u32> {
    Some(match byte {
        0x02 => 300,
        0x04 => 600,
        0x08 => 1200,
        0x10 => 2400,
        0x20 => 4800,
        0x40 => 9600,
        _ => return None,
    })
}

/// The 1997 rate byte for `rate` bit/s.
#[must_use]
pub const fn rate_byte_1997(rate: u32) -> Option<u8> {
    Some(match rate {
        300 => 0x02,
        600 => 0x04,
        1200 => 0x08,
        2400 => 0x10,
        4800 => 0x20,
        9600 => 0x40,
        _ => return None,
    })
}

/// When function 16 freezes (clause 4.2 of the fact sheet): once at once, or again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezePattern {
    /// 99 99 99 99: now.
    Now,
    /// 99 99 99 mm: every hour at this minute.
    Hourly {
        /// 0 to 59.
        minute: u8,
    },
    /// 99 99 hh mm: every day.
    Daily {
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// 99 DD hh mm: every month.
    Monthly {
        /// 1 to 28.
        day: u8,
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// MM DD hh mm: once a year.
    Yearly {
        /// 1 to 12.
        month: u8,
        /// 1 to 28.
        day: u8,
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
}

impl FreezePattern {
    /// From the decimal fields of [`Message::Freeze`]; `None` for a pattern that names no time.
    ///
    /// ```
    /// use dlt645::FreezePattern;
    /// assert_eq!(FreezePattern::new(99, 1, 0, 0), Some(FreezePattern::Monthly { day: 1, hour: 0, minute: 0 }));
    /// assert_eq!(FreezePattern::new(99, 29, 0, 0), None);
    /// ```
    #[must_use]
    pub const fn new(month: u8, day: u8, hour: u8, minute: u8) -> Option<Self> {
        let (any_month, any_day) = (month == 99, day == 99);
        let (any_hour, any_minute) = (hour == 99, minute == 99);
        if (!any_month && (month == 0 || month > 12))
            || (!any_day && (day == 0 || day > 28))
            || (!any_hour && hour > 23)
            || (!any_minute && minute > 59)
        {
            return None;
        }
        Some(match (any_month, any_day, any_hour, any_minute) {
            (true, true, true, true) => FreezePattern::Now,
            (true, true, true, false) => FreezePattern::Hourly { minute },
            (true, true, false, false) => FreezePattern::Daily { hour, minute },
            (true, false, false, false) => FreezePattern::Monthly { day, hour, minute },
            (false, false, false, false) => FreezePattern::Yearly {
                month,
                day,
                hour,
                minute,
            },
            _ => return None,
        })
    }

    /// The request of function 16.
    #[must_use]
    pub const fn message(self) -> Message<'static> {
        let (month, day, hour, minute) = match self {
            FreezePattern::Now => (99, 99, 99, 99),
            FreezePattern::Hourly { minute } => (99, 99, 99, minute),
            FreezePattern::Daily { hour, minute } => (99, 99, hour, minute),
            FreezePattern::Monthly { day, hour, minute } => (99, day, hour, minute),
            FreezePattern::Yearly {
                month,
                day,
                hour,
                minute,
            } => (month, day, hour, minute),
        };
        Message::Freeze {
            month,
            day,
            hour,
            minute,
        }
    }

    /// Whether the pattern is due at this minute; [`FreezePattern::Now`] never is, it was due when it came.
    #[must_use]
    pub const fn matches(self, at: &Stamp) -> bool {
        let at_minute = match self {
            FreezePattern::Now => return false,
            FreezePattern::Hourly { minute }
            | FreezePattern::Daily { minute, .. }
            | FreezePattern::Monthly { minute, .. }
            | FreezePattern::Yearly { minute, .. } => minute,
        };
        let on_day = match self {
            FreezePattern::Now | FreezePattern::Hourly { .. } => true,
            FreezePattern::Daily { hour, .. } => hour == at.hour,
            FreezePattern::Monthly { day, hour, .. } => day == at.day && hour == at.hour,
            FreezePattern::Yearly {
                month, day, hour, ..
            } => month == at.month && day == at.day && hour == at.hour,
        };
        on_day && at_minute == at.minute
    }
}

/// What a read of class 06 adds to the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// Number of blocks (binary).
    pub count: u8,
    /// From this minute on.
    pub from: Option<Stamp>,
}

/// Bits of the first word of [`Message::ControlReport`]; empty where reserved.
pub const CONTROL_DONE: [&str; 16] = [
    "direct close",
    "close allowed",
    "direct trip",
    "delayed trip",
    "trip and restore",
    "trip delayed by high current",
    "",
    "",
    "keep power on",
    "keep power off",
    "alarm on",
    "alarm off",
    "",
    "",
    "",
    "",
];

/// Bits of the second word of [`Message::ControlReport`]; empty where reserved.
pub const CONTROL_REFUSED: [&str; 16] = [
    "suspended",
    "wrong MAC",
    "wrong password",
    "authentication timed out",
    "expired",
    "trip blocked by keep power",
    "restore blocked by keep power",
    "restore time invalid",
    "already tripped",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
];

/// The meaning of a frame. Data are plain and low byte first; identifiers outside the tables pass through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the fields are named as their types; units and clauses stand at the types"
)]
pub enum Message<'a> {
    /// 03: security exchange; `data` is N1 and so on.
    Security {
        id: DataId,
        operator: Operator,
        data: &'a [u8],
    },
    /// 83.
    SecurityAnswer {
        id: DataId,
        data: &'a [u8],
        more: bool,
    },
    /// C3.
    SecurityRefused(SecurityErr),
    /// 08, also to a single address in the field.
    BroadcastTime(Stamp),
    /// 11; `rest` holds what a request for class 06 or for a screen adds, see [`Message::blocks`].
    Read { id: DataId, rest: &'a [u8] },
    /// 91 or B1.
    ReadAnswer {
        id: DataId,
        data: &'a [u8],
        more: bool,
    },
    /// 12.
    ReadFollowUp { id: DataId, sequence: u8 },
    /// 92 or B2.
    FollowUpAnswer {
        id: DataId,
        data: &'a [u8],
        sequence: u8,
        more: bool,
    },
    /// 13.
    ReadAddress,
    /// 93.
    AddressAnswer(Address),
    /// 14.
    Write {
        id: DataId,
        authority: Authority,
        data: &'a [u8],
    },
    /// 15, 0A in 1997.
    WriteAddress(Address),
    /// 16: minute, hour, day, month as decimal digits; 99 stands for any.
    Freeze {
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
    },
    /// 17, 0C in 1997: the rate byte of the request or of the answer.
    ChangeRate(u8),
    /// 97, 8C in 1997.
    RateAnswer(u8),
    /// 18.
    ChangePassword {
        id: DataId,
        old: Password,
        new: Password,
    },
    /// 98.
    PasswordAnswer(Password),
    /// 19.
    ClearDemand(Authority),
    /// 1A.
    ClearMeter(Authority),
    /// 1B.
    ClearEvents { id: DataId, authority: Authority },
    /// 1C with plain N1 to N8.
    Control {
        authority: Authority,
        control: Control,
    },
    /// 1A, 1B or 1C with ciphertext (level 98), or any block of another length.
    Protected {
        function: Function,
        authority: Authority,
        data: &'a [u8],
    },
    /// 9C with two words, as some meters answer level 98 with P2 = 01: what was done and what kept it from being done, see
    /// [`CONTROL_DONE`] and [`CONTROL_REFUSED`].
    ControlReport { done: u16, refused: u16 },
    /// 1D: second pulse 00, demand period 01, slot switch 02.
    Output(u8),
    /// 9D.
    OutputAnswer(u8),
    /// 94, 95, 96, 99, 9A, 9B, 9C and their 1997 kin: done, without data.
    Done(Function),
    /// D1 and every other one-byte refusal; the bits of 1997 are named by [`Edition::V1997`]'s own table.
    Refused { function: Function, err: Err645 },
    /// 1997, 01.
    Read1997 { id: DataId1997 },
    /// 1997, 81 or A1.
    ReadAnswer1997 {
        id: DataId1997,
        data: &'a [u8],
        more: bool,
    },
    /// 1997, 02.
    ReadFollowUp1997 { id: DataId1997 },
    /// 1997, 82 or A2.
    FollowUpAnswer1997 {
        id: DataId1997,
        data: &'a [u8],
        more: bool,
    },
    /// 1997, 03.
    ReadAgain1997,
    /// 1997, 83 or A3: the last answer once more.
    ReadAgainAnswer1997 {
        id: DataId1997,
        data: &'a [u8],
        more: bool,
    },
    /// 1997, 04.
    Write1997 {
        id: DataId1997,
        password: Password,
        data: &'a [u8],
    },
    /// 1997, 0F.
    ChangePassword1997 { old: Password, new: Password },
    /// 1997, 10.
    ClearDemand1997(Password),
}

impl Message<'_> {
    /// Control code of a frame with this message in `edition`. Messages that exist in one edition only have its code.
    #[must_use]
    pub fn control_in(&self, edition: Edition) -> ControlCode {
        let control = self.control();
        if edition == Edition::V2007 {
            return control;
        }
        let function = match *self {
            Message::WriteAddress(_) => Function::WRITE_ADDRESS_1997,
            Message::ChangeRate(_) | Message::RateAnswer(_) => Function::CHANGE_RATE_1997,
            Message::PasswordAnswer(_) => Function::CHANGE_PASSWORD_1997,
            _ => return control,
        };
        ControlCode(control.0 & !0x1F | function.0)
    }

    /// Control code of a frame with this message in the 2007 edition, or in its own if that has none.
    #[must_use]
    pub fn control(&self) -> ControlCode {
        match *self {
            Message::Security { .. } => ControlCode::request(Function::SECURITY),
            Message::SecurityAnswer { more, .. } => ControlCode::answer(Function::SECURITY, more),
            Message::SecurityRefused(_) => ControlCode::refusal(Function::SECURITY),
            Message::BroadcastTime(_) => ControlCode::request(Function::BROADCAST_TIME),
            Message::Read { .. } => ControlCode::request(Function::READ),
            Message::ReadAnswer { more, .. } => ControlCode::answer(Function::READ, more),
            Message::ReadFollowUp { .. } => ControlCode::request(Function::READ_FOLLOW_UP),
            Message::FollowUpAnswer { more, .. } => {
                ControlCode::answer(Function::READ_FOLLOW_UP, more)
            }
            Message::ReadAddress => ControlCode::request(Function::READ_ADDRESS),
            Message::AddressAnswer(_) => ControlCode::answer(Function::READ_ADDRESS, false),
            Message::Write { .. } => ControlCode::request(Function::WRITE),
            Message::WriteAddress(_) => ControlCode::request(Function::WRITE_ADDRESS),
            Message::Freeze { .. } => ControlCode::request(Function::FREEZE),
            Message::ChangeRate(_) => ControlCode::request(Function::CHANGE_RATE),
            Message::RateAnswer(_) => ControlCode::answer(Function::CHANGE_RATE, false),
            Message::ChangePassword { .. } => ControlCode::request(Function::CHANGE_PASSWORD),
            Message::PasswordAnswer(_) => ControlCode::answer(Function::CHANGE_PASSWORD, false),
            Message::ClearDemand(_) => ControlCode::request(Function::CLEAR_DEMAND),
            Message::ClearMeter(_) => ControlCode::request(Function::CLEAR_METER),
            Message::ClearEvents { .. } => ControlCode::request(Function::CLEAR_EVENTS),
            Message::Control { .. } => ControlCode::request(Function::CONTROL),
            Message::Protected { function, .. } => ControlCode::request(function),
            Message::ControlReport { .. } => ControlCode::answer(Function::CONTROL, false),
            Message::Output(_) => ControlCode::request(Function::OUTPUT),
            Message::OutputAnswer(_) => ControlCode::answer(Function::OUTPUT, false),
            Message::Done(function) => ControlCode::answer(function, false),
            Message::Refused { function, .. } => ControlCode::refusal(function),
            Message::Read1997 { .. } => ControlCode::request(Function::READ_1997),
            Message::ReadAnswer1997 { more, .. } => ControlCode::answer(Function::READ_1997, more),
            Message::ReadFollowUp1997 { .. } => ControlCode::request(Function::READ_FOLLOW_UP_1997),
            Message::FollowUpAnswer1997 { more, .. } => {
                ControlCode::answer(Function::READ_FOLLOW_UP_1997, more)
            }
            Message::ReadAgain1997 => ControlCode::request(Function::READ_AGAIN_1997),
            Message::ReadAgainAnswer1997 { more, .. } => {
                ControlCode::answer(Function::READ_AGAIN_1997, more)
            }
            Message::Write1997 { .. } => ControlCode::request(Function::WRITE_1997),
            Message::ChangePassword1997 { .. } => {
                ControlCode::request(Function::CHANGE_PASSWORD_1997)
            }
            Message::ClearDemand1997(_) => ControlCode::request(Function::CLEAR_DEMAND_1997),
        }
    }

    /// Writes the plain data of the message to the front of `out` and returns their length.
    ///
    /// Fields of times above 99 are sent as FF, which no meter takes for a time. The editions share these bytes where
    /// they share a message; see [`Message::control_in`].
    ///
    /// # Errors
    /// [`TooLong`] if they do not fit; 200 bytes hold all that the standard allows.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, TooLong> {
        let available = out.len();
        let mut writer = Writer::new(out);
        let authorised = |writer: &mut Writer<'_>, authority: &Authority| {
            writer
                .put(&authority.password.line())
                .put(&authority.operator.line());
        };
        match *self {
            Message::Security { id, operator, data } => {
                writer.put(&id.line()).put(&operator.line()).put(data);
            }
            Message::SecurityAnswer { id, data, .. } | Message::ReadAnswer { id, data, .. } => {
                writer.put(&id.line()).put(data);
            }
            Message::Read { id, rest } => {
                writer.put(&id.line()).put(rest);
            }
            Message::SecurityRefused(err) => {
                writer.put(&err.0.to_le_bytes());
            }
            Message::BroadcastTime(stamp) => {
                writer.put(&stamp.line().unwrap_or([0xFF; 6]));
            }
            Message::ReadFollowUp { id, sequence } => {
                writer.put(&id.line()).put(&[sequence]);
            }
            Message::FollowUpAnswer {
                id, data, sequence, ..
            } => {
                writer.put(&id.line()).put(data).put(&[sequence]);
            }
            Message::ReadAddress | Message::Done(_) | Message::ReadAgain1997 => {}
            Message::AddressAnswer(address) | Message::WriteAddress(address) => {
                writer.put(&address.line());
            }
            Message::Write {
                id,
                authority,
                data,
            } => {
                writer.put(&id.line());
                authorised(&mut writer, &authority);
                writer.put(data);
            }
            Message::Freeze {
                month,
                day,
                hour,
                minute,
            } => {
                let packed = |value| serial_line::bcd::byte_of(value).unwrap_or(0xFF);
                writer.put(&[packed(minute), packed(hour), packed(day), packed(month)]);
            }
            Message::ChangeRate(byte)
            | Message::RateAnswer(byte)
            | Message::Output(byte)
            | Message::OutputAnswer(byte) => {
                writer.put(&[byte]);
            }
            Message::ChangePassword { id, old, new } => {
                writer.put(&id.line()).put(&old.line()).put(&new.line());
            }
            Message::PasswordAnswer(password) | Message::ClearDemand1997(password) => {
                writer.put(&password.line());
            }
            Message::ClearDemand(authority) | Message::ClearMeter(authority) => {
                authorised(&mut writer, &authority)
            }
            Message::ClearEvents { id, authority } => {
                authorised(&mut writer, &authority);
                writer.put(&id.line());
            }
            Message::Control { authority, control } => {
                authorised(&mut writer, &authority);
                writer.put(&control.line().unwrap_or([0xFF; 8]));
            }
            Message::Protected {
                authority, data, ..
            } => {
                authorised(&mut writer, &authority);
                writer.put(data);
            }
            Message::ControlReport { done, refused } => {
                writer.put(&done.to_le_bytes()).put(&refused.to_le_bytes());
            }
            Message::Refused { err, .. } => {
                writer.put(&[err.0]);
            }
            Message::Read1997 { id } | Message::ReadFollowUp1997 { id } => {
                writer.put(&id.line());
            }
            Message::ReadAnswer1997 { id, data, .. }
            | Message::ReadAgainAnswer1997 { id, data, .. }
            | Message::FollowUpAnswer1997 { id, data, .. } => {
                writer.put(&id.line()).put(data);
            }
            Message::Write1997 { id, password, data } => {
                writer.put(&id.line()).put(&password.line()).put(data);
            }
            Message::ChangePassword1997 { old, new } => {
                writer.put(&old.line()).put(&new.line());
            }
        }
        writer
            .finish()
            .map_err(|needed| TooLong { needed, available })
    }

    /// As [`Message::encode_frame_in`] with the 2007 edition.
    ///
    /// # Errors
    /// [`TooLong`] if `out` is too small or the data exceed 200 bytes.
    pub fn encode_frame(&self, address: Address, out: &mut [u8]) -> Result<usize, TooLong> {
        self.encode_frame_in(Edition::V2007, address, out)
    }

    /// Writes a whole frame with this message in `edition` to the front of `out`, without a preamble, and returns its
    /// length.
    ///
    /// # Errors
    /// [`TooLong`] if `out` is too small or the data exceed 200 bytes.
    pub fn encode_frame_in(
        &self,
        edition: Edition,
        address: Address,
        out: &mut [u8],
    ) -> Result<usize, TooLong> {
        encode_in_place(address, self.control_in(edition), out, |place| {
            self.encode(place)
        })
    }
}
