//! Commands and their results.

use ::meter_proto::compact;
use ::meter_proto::message::{Command, CommandBody, CommandResult, Sealed, Status};
use ::meter_proto::point::PointId;
use ::meter_proto::time::Stamp;
use ::meter_proto::value::Value;

use super::head::{read, unwritten};
use super::value::NO_VALUE;
use super::{mtr_proto_head, mtr_proto_value};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Most bytes of a sealed order or acknowledgement.
pub const MTR_SEALED_MAX: usize = 160;
/// Most points that one command reads.
pub const MTR_READ_POINTS_MAX: usize = 16;

/// Command: the relay of `circuit` closed (`closed` 1) or open.
pub const MTR_COMMAND_RELAY: u16 = 1;
/// Command: hold `point` below `value` until the UTC second `until`.
pub const MTR_COMMAND_LIMIT: u16 = 2;
/// Command: set the configuration key `key` to `bytes`, at most 64.
pub const MTR_COMMAND_CONFIG: u16 = 3;
/// Command: report `points` now; none means the default set.
pub const MTR_COMMAND_READ: u16 = 4;
/// Command: an order in `bytes`, sealed for `purpose`, that only the addressed core can open.
pub const MTR_COMMAND_SEALED: u16 = 5;
/// Command: register again.
pub const MTR_COMMAND_REGISTER: u16 = 6;
/// Command: use the file `file`, not after `until`, on trial for `trial_s` seconds.
pub const MTR_COMMAND_ACTIVATE: u16 = 7;
/// Command: bring `point` to `value` and keep it.
pub const MTR_COMMAND_SET: u16 = 8;
/// Command: report the balance of `account`.
pub const MTR_COMMAND_ACCOUNT: u16 = 9;

/// Result: accepted, not begun.
pub const MTR_STATUS_ACCEPTED: u8 = 0;
/// Result: done.
pub const MTR_STATUS_DONE: u8 = 2;
/// Result: refused, no authority.
pub const MTR_STATUS_REFUSED: u8 = 3;
/// Result: refused by an interlock, for instance a prepaid rule.
pub const MTR_STATUS_INTERLOCKED: u8 = 4;
/// Result: came too late, nothing was done.
pub const MTR_STATUS_EXPIRED: u8 = 5;
/// Result: the command is not known here.
pub const MTR_STATUS_UNKNOWN: u8 = 6;
/// Result: an argument is out of range.
pub const MTR_STATUS_BAD_ARGUMENT: u8 = 7;
/// Result: failed.
pub const MTR_STATUS_FAILED: u8 = 8;
const _: () = assert!(
    MTR_STATUS_DONE == Status::DONE.0
        && MTR_STATUS_UNKNOWN == Status::UNKNOWN_BODY.0
        && MTR_STATUS_FAILED == Status::FAILED.0
);

/// A command. Commands state a target, never a toggle, so that a repeat is harmless. `code` tells which of the fields
/// behind `points` hold something; the rest is 0 when it is read and not looked at when it is written.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_command {
    /// Chosen by the issuer and never reused; a repeat is answered with the stored result.
    pub id: u64,
    /// Not before this UTC second.
    pub not_before: u64,
    /// Refused from this UTC second on.
    pub expires: u64,
    /// Until when, UTC seconds.
    pub until: u64,
    /// A point.
    pub point: u64,
    /// A value.
    pub value: mtr_proto_value,
    /// Points to be read.
    pub points: [u64; MTR_READ_POINTS_MAX],
    /// Who commands.
    pub issuer: u32,
    /// A file's number in its offer.
    pub file: u32,
    /// Seconds of a trial.
    pub trial_s: u32,
    /// An account within the device.
    pub account: u32,
    /// MTR_COMMAND_...; another number is a command of a later release, to be answered with MTR_STATUS_UNKNOWN.
    pub code: u16,
    /// A configuration key.
    pub key: u16,
    /// 0 is the most urgent.
    pub priority: u8,
    /// A circuit, 0 the main one.
    pub circuit: u8,
    /// 1 closed, 0 open.
    pub closed: u8,
    /// Number of `points`.
    pub point_count: u8,
    /// Purpose of the key of a sealed order: 5 purse, 11 orders to the metering core.
    pub purpose: u8,
    /// Number of `bytes`.
    pub byte_count: u8,
    /// A sealed order, or a value of the configuration.
    pub bytes: [u8; MTR_SEALED_MAX],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_command {}

/// The first `len` of the caller's bytes.
fn front<const N: usize>(bytes: &[u8], len: u8) -> Checked<heapless::Vec<u8, N>> {
    bytes
        .get(..usize::from(len))
        .and_then(|bytes| heapless::Vec::from_slice(bytes).ok())
        .ok_or(mtr_result::MTR_ERR_LENGTH)
}

/// A row of at most so many bytes, and their number.
fn row(bytes: &[u8]) -> ([u8; MTR_SEALED_MAX], u8) {
    let (mut out, mut len) = ([0; MTR_SEALED_MAX], 0);
    for (place, byte) in out.iter_mut().zip(bytes) {
        *place = *byte;
        len += 1;
    }
    (out, len)
}

impl mtr_proto_command {
    fn own(&self) -> Checked<Command> {
        let point = PointId::from_bits(self.point);
        let body = match self.code {
            MTR_COMMAND_RELAY => CommandBody::Relay {
                circuit: self.circuit,
                closed: self.closed != 0,
            },
            MTR_COMMAND_LIMIT => CommandBody::Limit {
                point,
                value: self.value.own()?,
                until: self.until,
            },
            MTR_COMMAND_CONFIG => CommandBody::Config {
                key: self.key,
                value: front(&self.bytes, self.byte_count)?,
            },
            MTR_COMMAND_READ => {
                let given = self
                    .points
                    .get(..usize::from(self.point_count))
                    .ok_or(mtr_result::MTR_ERR_LENGTH)?;
                let mut points = heapless::Vec::new();
                for point in given {
                    points
                        .push(PointId::from_bits(*point))
                        .map_err(|_| mtr_result::MTR_ERR_LENGTH)?;
                }
                CommandBody::Read { points }
            }
            MTR_COMMAND_SEALED => CommandBody::Sealed(Sealed {
                purpose: self.purpose,
                envelope: front(&self.bytes, self.byte_count)?,
            }),
            MTR_COMMAND_REGISTER => CommandBody::Register,
            MTR_COMMAND_ACTIVATE => CommandBody::Activate {
                file: self.file,
                until: self.until,
                trial_s: self.trial_s,
            },
            MTR_COMMAND_SET => CommandBody::Set {
                point,
                value: self.value.own()?,
            },
            MTR_COMMAND_ACCOUNT => CommandBody::Account {
                account: self.account,
            },
            _ => return Err(mtr_result::MTR_ERR_PARAMETER),
        };
        Ok(Command {
            id: self.id,
            issuer: self.issuer,
            not_before: self.not_before,
            expires: self.expires,
            priority: self.priority,
            body,
        })
    }

    fn new(own: &Command) -> Self {
        let mut out = mtr_proto_command {
            id: own.id,
            not_before: own.not_before,
            expires: own.expires,
            until: 0,
            point: 0,
            value: NO_VALUE,
            points: [0; MTR_READ_POINTS_MAX],
            issuer: own.issuer,
            file: 0,
            trial_s: 0,
            account: 0,
            code: own.body.code(),
            key: 0,
            priority: own.priority,
            circuit: 0,
            closed: 0,
            point_count: 0,
            purpose: 0,
            byte_count: 0,
            bytes: [0; MTR_SEALED_MAX],
        };
        let mut target = |point: PointId, value: Value| {
            (out.point, out.value) = (point.bits(), value.into());
        };
        match &own.body {
            CommandBody::Relay { circuit, closed } => {
                (out.circuit, out.closed) = (*circuit, (*closed).into());
            }
            CommandBody::Limit {
                point,
                value,
                until,
            } => {
                target(*point, *value);
                out.until = *until;
            }
            CommandBody::Config { key, value } => {
                out.key = *key;
                (out.bytes, out.byte_count) = row(value);
            }
            CommandBody::Read { points } => {
                for (place, point) in out.points.iter_mut().zip(points) {
                    *place = point.bits();
                    out.point_count += 1;
                }
            }
            CommandBody::Sealed(sealed) => {
                out.purpose = sealed.purpose;
                (out.bytes, out.byte_count) = row(&sealed.envelope);
            }
            CommandBody::Activate {
                file,
                until,
                trial_s,
            } => (out.file, out.until, out.trial_s) = (*file, *until, *trial_s),
            CommandBody::Set { point, value } => target(*point, *value),
            CommandBody::Account { account } => out.account = *account,
            _ => {}
        }
        out
    }
}

/// How a command ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_command_result {
    /// The command.
    pub id: u64,
    /// When, as in mtr_proto_head.
    pub time: u64,
    /// A value, where the command asks for one; read only when `has_value` is 1.
    pub value: mtr_proto_value,
    /// The device's own code, 0 none.
    pub detail: u32,
    /// Clock of `time`, as in mtr_proto_head.
    pub clk: u8,
    /// MTR_STATUS_...
    pub status: u8,
    /// 1: `value` is there.
    pub has_value: u8,
    /// 1: `sealed` is there.
    pub has_sealed: u8,
    /// Purpose of the key of the sealed acknowledgement.
    pub purpose: u8,
    /// Bytes of the sealed acknowledgement.
    pub sealed_len: u8,
    /// The sealed acknowledgement of the core that acted.
    pub sealed: [u8; MTR_SEALED_MAX],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_command_result {}

impl mtr_proto_command_result {
    fn own(&self) -> Checked<CommandResult> {
        let sealed = (self.has_sealed != 0).then(|| {
            Ok(Sealed {
                purpose: self.purpose,
                envelope: front(&self.sealed, self.sealed_len)?,
            })
        });
        let value = (self.has_value != 0).then(|| self.value.own());
        Ok(CommandResult {
            id: self.id,
            status: Status(self.status),
            finished: Stamp {
                time: self.time,
                clk: self.clk,
            },
            detail: self.detail,
            value: value.transpose()?,
            sealed: sealed.transpose()?,
        })
    }

    fn new(own: &CommandResult) -> Self {
        let (sealed, sealed_len) = own
            .sealed
            .as_ref()
            .map_or(([0; MTR_SEALED_MAX], 0), |sealed| row(&sealed.envelope));
        mtr_proto_command_result {
            id: own.id,
            time: own.finished.time,
            value: own.value.map_or(NO_VALUE, Into::into),
            detail: own.detail,
            clk: own.finished.clk,
            status: own.status.0,
            has_value: own.value.is_some().into(),
            has_sealed: own.sealed.is_some().into(),
            purpose: own.sealed.as_ref().map_or(0, |sealed| sealed.purpose),
            sealed_len,
            sealed,
        }
    }
}

/// Writes a command to `out` of `capacity` bytes (300 are enough), and its length into `len`. MTR_ERR_PARAMETER for a
/// `code` without a meaning, MTR_ERR_LENGTH when it does not fit or a row is longer than allowed, MTR_ERR_VALUE for marks
/// that do not exist.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_command_write(
    head: *const mtr_proto_head,
    command: *const mtr_proto_command,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (head, command, out, len) = unsafe {
            (
                border.given(head)?,
                border.given(command)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let written = compact::encode_as(&(*head).into(), &command.own()?, out);
        len.write(written.map_err(unwritten)?);
        Ok(())
    })
}

/// Reads a command. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of another kind.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_command_read(
    bytes: *const u8,
    len: usize,
    head: *mut mtr_proto_head,
    command: *mut mtr_proto_command,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, head, command) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(head)?,
                border.place(command)?,
            )
        };
        let (own, found) = read::<Command>(bytes)?;
        head.write(own.into());
        command.write(mtr_proto_command::new(&found));
        Ok(())
    })
}

/// Writes the result of a command to `out` of `capacity` bytes (300 are enough), and its length into `len`. MTR_ERR_LENGTH
/// when it does not fit or `sealed_len` is above MTR_SEALED_MAX, MTR_ERR_VALUE for marks that do not exist.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_command_result_write(
    head: *const mtr_proto_head,
    result: *const mtr_proto_command_result,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (head, result, out, len) = unsafe {
            (
                border.given(head)?,
                border.given(result)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        let written = compact::encode_as(&(*head).into(), &result.own()?, out);
        len.write(written.map_err(unwritten)?);
        Ok(())
    })
}

/// Reads the result of a command. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of
/// another kind.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_command_result_read(
    bytes: *const u8,
    len: usize,
    head: *mut mtr_proto_head,
    result: *mut mtr_proto_command_result,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (bytes, head, result) = unsafe {
            (
                border.slice(bytes, len)?,
                border.place(head)?,
                border.place(result)?,
            )
        };
        let (own, found) = read::<CommandResult>(bytes)?;
        head.write(own.into());
        result.write(mtr_proto_command_result::new(&found));
        Ok(())
    })
}
