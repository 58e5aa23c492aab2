//! `meterkit encode`: frames from words.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use dlt645::{
    Address, Authority, Control, Format, Message, Number, Operator, Order, Password, Stamp, Value,
};

use crate::hex_text::{self, show};
use crate::names;

/// Makes request frames.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// FE bytes in front of the frame.
    #[arg(long, global = true, default_value_t = 0)]
    preamble: usize,
    #[command(subcommand)]
    request: Request,
}

/// Who asks for a write or an order.
#[derive(Debug, clap::Args)]
pub struct Who {
    /// Level and six digits of the password: `02:123456`.
    #[arg(long, default_value = "02:000000", value_parser = password)]
    password: Password,
    /// Operator code, eight hexadecimal digits.
    #[arg(long, default_value = "00000000", value_parser = operator)]
    operator: Operator,
}

impl From<&Who> for Authority {
    fn from(who: &Who) -> Self {
        Authority {
            password: who.password,
            operator: who.operator,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Request {
    /// 11: read an identifier, by code or name.
    Read { address: Address, id: String },
    /// 12: read the next part of a long answer.
    FollowUp {
        address: Address,
        id: String,
        sequence: u8,
    },
    /// 13: read the address of the only meter on the line.
    ReadAddress,
    /// 14: write an identifier; the value as the table has it (12.34), or hexadecimal bytes behind `hex:`.
    Write {
        address: Address,
        id: String,
        value: String,
        #[command(flatten)]
        who: Who,
    },
    /// 15: write the address.
    WriteAddress { new: Address },
    /// 08: tell all meters the time, `2026-11-21T05:30:00`.
    Time { time: jiff::civil::DateTime },
    /// 16: freeze; any of month, day, hour, minute may be 99.
    Freeze {
        address: Address,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
    },
    /// 17: change the rate of the line.
    Rate { address: Address, baud: u32 },
    /// 18: change a password, named by its identifier 04000C01 to 04000C0A.
    Password {
        address: Address,
        id: String,
        #[arg(value_parser = password)]
        old: Password,
        #[arg(value_parser = password)]
        new: Password,
    },
    /// 19: clear the maximum demand.
    ClearDemand {
        address: Address,
        #[command(flatten)]
        who: Who,
    },
    /// 1A: clear the meter.
    ClearMeter {
        address: Address,
        #[command(flatten)]
        who: Who,
    },
    /// 1B: clear events; FFFFFFFF for all.
    ClearEvents {
        address: Address,
        id: String,
        #[command(flatten)]
        who: Who,
    },
    /// 1C: relay, alarm, keep power.
    Control {
        address: Address,
        #[arg(value_enum)]
        order: Word,
        /// Steps of five minutes, for the orders that wait.
        #[arg(long, default_value_t = 0)]
        delay: u8,
        /// The moment after which the meter must refuse.
        #[arg(long)]
        until: Option<jiff::civil::DateTime>,
        #[command(flatten)]
        who: Who,
    },
    /// 1D: multi-function output: 0 second pulse, 1 demand period, 2 slot switch.
    Output { address: Address, signal: u8 },
    /// 1997, 01: read a two-byte identifier.
    Read1997 { address: Address, id: String },
    /// CJ/T 188, 01: read an identifier, 901F by default.
    Read188 {
        /// Meter type, two hexadecimal digits: 10 cold water, 20 heat, 30 gas.
        #[arg(value_parser = meter_type)]
        meter_type: cjt188::MeterType,
        #[arg(value_parser = cjt188::Address::from_digits)]
        address: cjt188::Address,
        #[arg(default_value = "901F")]
        id: String,
        #[command(flatten)]
        order: Order188,
    },
    /// CJ/T 188, 04 with A017: valve.
    Valve {
        /// Meter type, two hexadecimal digits.
        #[arg(value_parser = meter_type)]
        meter_type: cjt188::MeterType,
        #[arg(value_parser = cjt188::Address::from_digits)]
        address: cjt188::Address,
        #[arg(value_enum)]
        valve: ValveWord,
        #[command(flatten)]
        order: Order188,
    },
}

/// How CJ/T 188 identifiers and running numbers go out.
#[derive(Debug, clap::Args)]
pub struct Order188 {
    /// Identifiers high byte first (90 1F), as in the 2004 text.
    #[arg(long)]
    high_first: bool,
    /// Running number.
    #[arg(long, default_value_t = 0)]
    serial: u8,
}

impl Order188 {
    fn head(&self, id: cjt188::DataId) -> cjt188::Head {
        let order = if self.high_first {
            cjt188::IdOrder::HighFirst
        } else {
            cjt188::IdOrder::LowFirst
        };
        cjt188::Head {
            id,
            order,
            serial: self.serial,
        }
    }
}

/// Orders of function 1C.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Word {
    Trip,
    AllowClose,
    Close,
    TripThenClose,
    TripThenAllow,
    AlarmOn,
    AlarmOff,
    KeepPower,
    EndKeepPower,
}

impl From<Word> for Order {
    fn from(word: Word) -> Self {
        match word {
            Word::Trip => Order::Trip,
            Word::AllowClose => Order::AllowClose,
            Word::Close => Order::Close,
            Word::TripThenClose => Order::TripThenClose,
            Word::TripThenAllow => Order::TripThenAllow,
            Word::AlarmOn => Order::AlarmOn,
            Word::AlarmOff => Order::AlarmOff,
            Word::KeepPower => Order::KeepPower,
            Word::EndKeepPower => Order::EndKeepPower,
        }
    }
}

/// Orders to a valve.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub enum ValveWord {
    Open,
    Close,
}

/// Runs the command: prints the frame.
///
/// # Errors
/// Words that make no frame.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut line = vec![0xFE; args.preamble];
    line.extend(frame(&args.request)?);
    println!("{}", show(&line));
    Ok(ExitCode::SUCCESS)
}

fn frame(request: &Request) -> anyhow::Result<Vec<u8>> {
    let mut place = [0; 256];
    let value;
    let (address, message) = match request {
        Request::Read { address, id } => {
            let id = names::data_id(id)?;
            (*address, Message::Read { id, rest: &[] })
        }
        Request::FollowUp {
            address,
            id,
            sequence,
        } => {
            let (id, sequence) = (names::data_id(id)?, *sequence);
            (*address, Message::ReadFollowUp { id, sequence })
        }
        Request::ReadAddress => (Address::WILDCARD, Message::ReadAddress),
        Request::Write {
            address,
            id,
            value: text,
            who,
        } => {
            let id = names::data_id(id)?;
            value = data_of(id, text)?;
            let message = Message::Write {
                id,
                authority: who.into(),
                data: &value,
            };
            (*address, message)
        }
        Request::WriteAddress { new } => (Address::WILDCARD, Message::WriteAddress(*new)),
        Request::Time { time } => (Address::BROADCAST, Message::BroadcastTime(stamp(*time)?)),
        Request::Freeze {
            address,
            month,
            day,
            hour,
            minute,
        } => {
            let message = Message::Freeze {
                month: *month,
                day: *day,
                hour: *hour,
                minute: *minute,
            };
            (*address, message)
        }
        Request::Rate { address, baud } => {
            let byte = (0..8)
                .map(|bit| 1_u8 << bit)
                .find(|byte| dlt645::rate_of(*byte) == Some(*baud))
                .with_context(|| format!("{baud} bit/s is no rate of the standard"))?;
            (*address, Message::ChangeRate(byte))
        }
        Request::Password {
            address,
            id,
            old,
            new,
        } => {
            let id = names::data_id(id)?;
            let (old, new) = (*old, *new);
            (*address, Message::ChangePassword { id, old, new })
        }
        Request::ClearDemand { address, who } => (*address, Message::ClearDemand(who.into())),
        Request::ClearMeter { address, who } => (*address, Message::ClearMeter(who.into())),
        Request::ClearEvents { address, id, who } => {
            let id = names::data_id(id)?;
            let authority = who.into();
            (*address, Message::ClearEvents { id, authority })
        }
        Request::Control {
            address,
            order,
            delay,
            until,
            who,
        } => {
            let control = Control {
                order: (*order).into(),
                delay: *delay,
                expires: until.map(stamp).transpose()?,
            };
            let authority = who.into();
            (*address, Message::Control { authority, control })
        }
        Request::Output { address, signal } => (*address, Message::Output(*signal)),
        Request::Read1997 { address, id } => {
            let id = names::data_id_1997(id)?;
            (*address, Message::Read1997 { id })
        }
        Request::Read188 { .. } | Request::Valve { .. } => return frame_188(request),
    };
    let len = message.encode_frame(address, &mut place)?;
    Ok(place.get(..len).unwrap_or_default().to_vec())
}

fn frame_188(request: &Request) -> anyhow::Result<Vec<u8>> {
    use cjt188::{DataId, Function, Message};
    let mut place = [0; 256];
    let code;
    let (meter_type, address, function, head, data) = match request {
        Request::Read188 {
            meter_type,
            address,
            id,
            order,
        } => {
            let head = order.head(names::data_id_188(id)?);
            (meter_type, address, Function::READ, head, &[][..])
        }
        Request::Valve {
            meter_type,
            address,
            valve,
            order,
        } => {
            let valve = match valve {
                ValveWord::Open => cjt188::ValveOrder::Open,
                ValveWord::Close => cjt188::ValveOrder::Close,
            };
            code = [valve.code()];
            let head = order.head(DataId::VALVE);
            (meter_type, address, Function::WRITE, head, &code[..])
        }
        _ => bail!("not a CJ/T 188 request"),
    };
    let message = Message::Request {
        function,
        head,
        data,
    };
    let len = message.encode_frame(*meter_type, *address, &mut place)?;
    Ok(place.get(..len).unwrap_or_default().to_vec())
}

/// `02:123456`, the digits as they stand in the password.
///
/// # Errors
/// Other text.
pub fn password(text: &str) -> anyhow::Result<Password> {
    let (level, digits) = text
        .split_once(':')
        .context("a password is a level and six digits: 02:123456")?;
    if level.len() != 2 || digits.len() != 6 {
        bail!("a password is a level and six digits: 02:123456");
    }
    Ok(Password {
        level: u8::from_str_radix(level, 16)?,
        digits: u32::from_str_radix(digits, 16)?,
    })
}

/// Eight hexadecimal digits.
///
/// # Errors
/// Other text.
pub fn operator(text: &str) -> anyhow::Result<Operator> {
    Ok(Operator(u32::from_str_radix(text, 16)?))
}

/// Two hexadecimal digits.
///
/// # Errors
/// Other text.
pub fn meter_type(text: &str) -> anyhow::Result<cjt188::MeterType> {
    Ok(cjt188::MeterType(u8::from_str_radix(text, 16)?))
}

/// A moment of this century as the line carries it.
///
/// # Errors
/// Years outside 2000 to 2099.
pub fn stamp(time: jiff::civil::DateTime) -> anyhow::Result<Stamp> {
    let year = u8::try_from(time.year() - 2000)
        .ok()
        .filter(|year| *year < 100)
        .context("the line carries years 2000 to 2099")?;
    let small = |field: i8| u8::try_from(field).unwrap_or_default();
    Ok(Stamp {
        year,
        month: small(time.month()),
        day: small(time.day()),
        hour: small(time.hour()),
        minute: small(time.minute()),
        second: small(time.second()),
    })
}

/// Line bytes of a value in words: by the format of the table, or behind `hex:` as they are.
///
/// # Errors
/// Identifiers outside the table and kinds of values that only hexadecimal bytes can give.
pub fn data_of(id: dlt645::DataId, text: &str) -> anyhow::Result<Vec<u8>> {
    if let Some(bytes) = text.strip_prefix("hex:") {
        return Ok(hex_text::parse(bytes)?);
    }
    let item = id.item().filter(|item| !item.is_block()).with_context(|| {
        format!("{id} is no single item of the tables: give its bytes as hex:…")
    })?;
    let format = item.format();
    let mut place = [0; 256];
    let value = match format {
        Format::Number { decimals, unit, .. } => Value::Number(Number {
            mantissa: mantissa(text, decimals)?,
            decimals,
            unit,
        }),
        Format::Digits { .. } => Value::Digits(text.parse()?),
        Format::Bits { .. } => Value::Bits(u32::from_str_radix(text, 16)?),
        _ => bail!("{id} is neither number, digits nor bits: give its bytes as hex:…"),
    };
    let len = format.encode(&value, &mut place)?;
    Ok(place.get(..len).unwrap_or_default().to_vec())
}

/// `-12.5` with two decimals is -1250; digits behind the last decimal are refused, not rounded.
fn mantissa(text: &str, decimals: u8) -> anyhow::Result<i32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let decimals = usize::from(decimals);
    if part.len() > decimals {
        bail!("{text} has more than {decimals} decimals");
    }
    format!("{whole}{part:0<decimals$}")
        .parse()
        .with_context(|| format!("{text} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        assert_eq!(mantissa("-12.5", 2).unwrap(), -1250);
        assert_eq!(mantissa("7", 3).unwrap(), 7000);
        assert!(mantissa("1.234", 2).is_err());
        assert!(mantissa("1,2", 2).is_err());
    }

    #[test]
    fn the_request_of_the_first_page() {
        let request = Request::Read {
            address: "72007201".parse().unwrap(),
            id: "02010200".into(),
        };
        assert_eq!(
            show(&frame(&request).unwrap()),
            "68 01 72 00 72 00 00 68 11 04 33 35 34 35 9B 16"
        );
    }
}
