//! Kinds 10 and 11: commands and their results.

use core::fmt;

use heapless::Vec;

use crate::compact::{Reader, Writer};
use crate::error::Error;
use crate::fields::{Field, Names, Sink, Source, fields};
use crate::point::PointId;
use crate::time::Stamp;
use crate::value::Value;

/// A sealed envelope for one core, and the key purpose it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sealed {
    /// Key purpose of the security page: 5 purse, 11 orders to the metering core.
    pub purpose: u8,
    /// The envelope, at most 160 bytes, opened by the core that acts and by nobody between.
    pub envelope: Vec<u8, 160>,
}
fields!(group Sealed { 0 purpose, 1 envelope });

/// What to do. Bodies state a target, never a toggle, so that a repeat is harmless.
///
/// On the wire: code as varint, then the arguments as one byte string in the compact layout, in both forms. A body that
/// a device does not know is therefore still a command, answered with [`Status::UNKNOWN_BODY`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // No heap here; a command is at most some 190 bytes.
pub enum CommandBody {
    /// Code 1: relay closed or open.
    Relay {
        /// Which circuit, 0 the main one.
        circuit: u8,
        /// The target.
        closed: bool,
    },
    /// Code 2: hold a limit.
    Limit {
        /// What is limited.
        point: PointId,
        /// The limit.
        value: Value,
        /// Until when, UTC seconds.
        until: u64,
    },
    /// Code 3: set one configuration key.
    Config {
        /// The key.
        key: u16,
        /// Its value as the key defines it, at most 64 bytes.
        value: Vec<u8, 64>,
    },
    /// Code 4: report these points now, at most 16; none means the default set.
    Read {
        /// The points.
        points: Vec<PointId, 16>,
    },
    /// Code 5: an order that only the addressed core can open.
    Sealed(Sealed),
    /// Code 6: register again.
    Register,
    /// Code 7: use a file that is whole and judged good; travels inside a sealed order where the target asks for
    /// authority.
    Activate {
        /// The file's number in its offer.
        file: u32,
        /// Not after this UTC second; 0 without end.
        until: u64,
        /// Seconds within which what was activated must report, or the device goes back to what it had.
        trial_s: u32,
    },
    /// Code 8: bring a point to this value and keep it: dimming level, charging current.
    Set {
        /// What is set.
        point: PointId,
        /// To which value.
        value: Value,
    },
    /// Code 9: report the balance of a prepaid account as a ledger message of kind query.
    Account {
        /// Account within the device.
        account: u32,
    },
    /// A body of a later release.
    Unknown {
        /// Its code.
        code: u16,
    },
}

/// What is commanded, in English.
impl fmt::Display for CommandBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay { circuit, closed } => {
                let state = if *closed { "closed" } else { "open" };
                write!(f, "relay {circuit} {state}")
            }
            Self::Limit {
                point,
                value,
                until,
            } => {
                let unit = point.quantity().unit();
                write!(f, "limit {point} {value} {unit} until second {until}")
            }
            Self::Config { key, value } => write!(f, "set {key} to {} bytes", value.len()),
            Self::Read { points } => match points.split_first() {
                None => f.write_str("read the default set"),
                Some((first, others)) => {
                    write!(f, "read {first}")?;
                    others.iter().try_for_each(|point| write!(f, "; {point}"))
                }
            },
            Self::Sealed(sealed) => write!(f, "sealed order for purpose {}", sealed.purpose),
            Self::Register => f.write_str("register again"),
            Self::Activate { file, .. } => write!(f, "activate file {file}"),
            Self::Set { point, value } => {
                write!(f, "set {point} to {value} {}", point.quantity().unit())
            }
            Self::Account { account } => write!(f, "report account {account}"),
            Self::Unknown { code } => write!(f, "unknown body {code}"),
        }
    }
}

/// Room for the arguments of every body.
const ARGUMENTS: usize = 176;

impl CommandBody {
    /// The code on the wire.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::Relay { .. } => 1,
            Self::Limit { .. } => 2,
            Self::Config { .. } => 3,
            Self::Read { .. } => 4,
            Self::Sealed(_) => 5,
            Self::Register => 6,
            Self::Activate { .. } => 7,
            Self::Set { .. } => 8,
            Self::Account { .. } => 9,
            Self::Unknown { code } => *code,
        }
    }

    /// Whether it only reads, and therefore runs even when the clock is doubtful.
    #[must_use]
    pub const fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Read { .. } | Self::Register | Self::Account { .. }
        )
    }

    fn write_arguments(&self, out: &mut Writer<'_>) -> Result<(), Error> {
        match self {
            Self::Relay { circuit, closed } => {
                out.byte(0, *circuit)?;
                out.present(0, *closed)
            }
            Self::Limit {
                point,
                value,
                until,
            } => {
                out.unsigned(0, point.bits())?;
                out.value(0, value)?;
                out.unsigned(0, *until)
            }
            Self::Config { key, value } => {
                out.unsigned(0, u64::from(*key))?;
                out.bytes(0, value)
            }
            Self::Read { points } => {
                out.list(0, points.len())?;
                points
                    .iter()
                    .try_for_each(|point| out.unsigned(0, point.bits()))
            }
            Self::Sealed(sealed) => {
                out.byte(0, sealed.purpose)?;
                out.bytes(0, &sealed.envelope)
            }
            Self::Activate {
                file,
                until,
                trial_s,
            } => {
                out.unsigned(0, u64::from(*file))?;
                out.unsigned(0, *until)?;
                out.unsigned(0, u64::from(*trial_s))
            }
            Self::Set { point, value } => {
                out.unsigned(0, point.bits())?;
                out.value(0, value)
            }
            Self::Account { account } => out.unsigned(0, u64::from(*account)),
            Self::Register | Self::Unknown { .. } => Ok(()),
        }
    }

    fn read_arguments(code: u16, arguments: &[u8]) -> Result<Self, Error> {
        let mut source = Reader::new(arguments);
        let body = match code {
            1 => Self::Relay {
                circuit: source.byte(0)?,
                closed: source.present(0)?,
            },
            2 => Self::Limit {
                point: PointId::from_bits(source.u64(0)?),
                value: source.value(0)?,
                until: source.u64(0)?,
            },
            3 => Self::Config {
                key: source.u16(0)?,
                value: source.bytes_up_to(0)?,
            },
            4 => Self::Read {
                points: Field::take(0, &mut source)?,
            },
            5 => Self::Sealed(Sealed {
                purpose: source.byte(0)?,
                envelope: source.bytes_up_to(0)?,
            }),
            6 => Self::Register,
            7 => Self::Activate {
                file: source.u32(0)?,
                until: source.u64(0)?,
                trial_s: source.u32(0)?,
            },
            8 => Self::Set {
                point: PointId::from_bits(source.u64(0)?),
                value: source.value(0)?,
            },
            9 => Self::Account {
                account: source.u32(0)?,
            },
            code => return Ok(Self::Unknown { code }),
        };
        source.end()?;
        Ok(body)
    }

    fn arguments<'a>(&self, room: &'a mut [u8; ARGUMENTS]) -> Result<&'a [u8], Error> {
        let mut out = Writer::new(room);
        self.write_arguments(&mut out)?;
        let len = out.len();
        room.get(..len).ok_or(Error::BufferFull {
            capacity: ARGUMENTS,
        })
    }
}

/// Kind 10, down: a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Command {
    /// Chosen by the issuer and never reused; a repeat is answered with the stored result. For sealed orders it is the
    /// order number.
    pub id: u64,
    /// Who commands.
    pub issuer: u32,
    /// Not before this UTC second.
    pub not_before: u64,
    /// Refused from this UTC second on.
    pub expires: u64,
    /// 0 is the most urgent.
    pub priority: u8,
    /// What to do.
    pub body: CommandBody,
}

fields!(Command {
    0 id,
    1 issuer,
    2 not_before,
    3 expires,
    4 priority,
    5 body,
});

/// Code and arguments stand under the body's key and the next.
const BODY_NAMES: Names = &[(0, "code"), (1, "arguments")];

impl Field for CommandBody {
    fn put<S: Sink>(&self, key: u8, sink: &mut S) -> Result<(), Error> {
        sink.group(key, BODY_NAMES)?;
        sink.unsigned(key, u64::from(self.code()))?;
        sink.bytes(key.wrapping_add(1), self.arguments(&mut [0; ARGUMENTS])?)?;
        sink.end_group()
    }

    fn take<'b, S: Source<'b>>(key: u8, source: &mut S) -> Result<Self, Error> {
        source.group(key, BODY_NAMES)?;
        let code = source.u16(key)?;
        let arguments: Vec<u8, ARGUMENTS> = source.bytes_up_to(key.wrapping_add(1))?;
        source.end_group()?;
        // Positions inside the arguments would mislead: the place is behind the byte string.
        Self::read_arguments(code, &arguments).map_err(|_| Error::BadValue {
            position: source.position(),
        })
    }
}

/// How a command ended. Numbers without a name are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Status(pub u8);

impl Status {
    /// Accepted, not begun.
    pub const ACCEPTED: Self = Self(0);
    /// Running.
    pub const RUNNING: Self = Self(1);
    /// Done.
    pub const DONE: Self = Self(2);
    /// Refused: no authority.
    pub const REFUSED: Self = Self(3);
    /// Refused by an interlock, for instance a prepaid rule.
    pub const INTERLOCKED: Self = Self(4);
    /// Came too late, nothing was done.
    pub const EXPIRED: Self = Self(5);
    /// Body not known here.
    pub const UNKNOWN_BODY: Self = Self(6);
    /// Argument out of range.
    pub const BAD_ARGUMENT: Self = Self(7);
    /// Failed.
    pub const FAILED: Self = Self(8);
    /// Superseded by a newer command.
    pub const SUPERSEDED: Self = Self(9);

    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.0 >= 2
    }
}

/// Kind 11, up: the result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CommandResult {
    /// The command.
    pub id: u64,
    /// How it ended.
    pub status: Status,
    /// When.
    pub finished: Stamp,
    /// The device's own code, for instance the SERR bits of DL/T 645; 0 none.
    pub detail: u32,
    /// A value, where the body asks for one.
    pub value: Option<Value>,
    /// The sealed acknowledgement of the core that acted.
    pub sealed: Option<Sealed>,
}

fields!(CommandResult { 0 id, 1 status, 2 finished, 4 detail, 5 value, 6 sealed });

#[cfg(feature = "serde")]
mod with_serde {
    use super::{ARGUMENTS, CommandBody};
    use heapless::Vec;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Error as _, Serialize, Serializer};

    /// Code and arguments, as on the wire.
    impl Serialize for CommandBody {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut room = [0; ARGUMENTS];
            let arguments = self.arguments(&mut room).map_err(S::Error::custom)?;
            (self.code(), arguments).serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for CommandBody {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (code, arguments) = <(u16, Vec<u8, ARGUMENTS>)>::deserialize(deserializer)?;
            Self::read_arguments(code, &arguments).map_err(D::Error::custom)
        }
    }
}
