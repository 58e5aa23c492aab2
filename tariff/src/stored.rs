//! The state of a machine as bytes (`docs/tariff.md` has the layout), and which bytes count after a
//! power cut.
//!
//! A shell writes the whole state as one record, to the older of two places or to a store whose
//! records are whole or absent, and reads back with [`newest`]. A torn record fails its CRC, so the
//! state is the one before or the one after, never between.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

use crate::civil::Moment;
use crate::machine::Machine;
use crate::price::Money;
use crate::purse::{Cause, Limits, PURCHASES, Purchase, Purse};
use crate::remote::Remote;
use crate::tier::TierTotal;

/// First byte of the layout written now. Older layouts stay readable.
pub const VERSION: u8 = 1;
/// Most bytes of a record with `rates` registers.
pub const fn longest(rates: usize) -> usize {
    HEAD + 8 * rates + 3 + 12 + 20 + 8 + 56 + 12 + 44 * PURCHASES + 4
}

const HEAD: usize = 8;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Why bytes are not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// The check value is wrong, or the record is cut short.
    Torn,
    /// A later layout.
    Version {
        /// The version byte found.
        found: u8,
    },
    /// Another number of rate registers.
    Rates {
        /// The number found.
        found: u8,
    },
    /// A field holds a number it cannot.
    Field {
        /// Its position from the start of the record.
        position: usize,
    },
}

impl core::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Unreadable::Torn => f.write_str("the record is torn"),
            Unreadable::Version { found } => write!(f, "layout {found} is not known"),
            Unreadable::Rates { found } => write!(f, "the record has {found} rates"),
            Unreadable::Field { position } => write!(f, "the field at {position} is not valid"),
        }
    }
}

impl core::error::Error for Unreadable {}

/// The buffer is shorter than [`longest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort;

impl core::fmt::Display for TooShort {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the buffer is too short for the state")
    }
}

impl core::error::Error for TooShort {}

struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), TooShort> {
        let end = self.at.checked_add(bytes.len()).ok_or(TooShort)?;
        self.buffer
            .get_mut(self.at..end)
            .ok_or(TooShort)?
            .copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }

    fn money(&mut self, money: Money) -> Result<(), TooShort> {
        self.put(&money.ten_millionths().to_le_bytes())
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let bytes = rest
            .first_chunk()
            .ok_or(Unreadable::Field { position: self.at })?;
        self.at += N;
        Ok(*bytes)
    }

    fn byte(&mut self) -> Result<u8, Unreadable> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, Unreadable> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Unreadable> {
        self.take().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, Unreadable> {
        self.take().map(i64::from_le_bytes)
    }

    fn money(&mut self) -> Result<Money, Unreadable> {
        self.i64().map(Money::from_ten_millionths)
    }

    fn wrong(&self) -> Unreadable {
        Unreadable::Field {
            position: self.at.saturating_sub(1),
        }
    }
}

/// Writes the state with its sequence number and returns how many bytes it took.
///
/// # Errors
/// [`TooShort`] when `buffer` is shorter than [`longest`] asks for.
pub fn encode<const RATES: usize>(
    machine: &Machine<RATES>,
    sequence: u32,
    buffer: &mut [u8],
) -> Result<usize, TooShort> {
    let mut w = Writer { buffer, at: 0 };
    w.put(&[VERSION, RATES as u8, 0, 0])?;
    w.put(&sequence.to_le_bytes())?;
    for register in &machine.registers {
        w.put(&register.to_le_bytes())?;
    }
    let (purse, remote) = (&machine.purse, &machine.remote);
    let flags = [
        machine.tiers.period.is_some(),
        machine.last.is_some(),
        machine.prepaid,
        purse.is_open,
        purse.acknowledged_2,
        purse.acknowledged_0,
        purse.keep_power,
        remote.is_open,
        remote.close_allowed,
        remote.alarm,
        remote.keep_power,
        remote.trip_at_s.is_some(),
    ];
    let flags = flags
        .iter()
        .rev()
        .fold(0u16, |bits, &flag| bits << 1 | u16::from(flag));
    w.put(&flags.to_le_bytes())?;
    w.put(&[machine.rate])?;
    w.put(&machine.tiers.wh.to_le_bytes())?;
    w.put(&machine.tiers.period.unwrap_or(0).to_le_bytes())?;
    let (last, last_wh) = machine.last.unwrap_or_default();
    w.put(&last.utc_s.to_le_bytes())?;
    w.put(&last.offset_s.to_le_bytes())?;
    w.put(&last_wh.to_le_bytes())?;
    w.put(&remote.trip_at_s.unwrap_or(0).to_le_bytes())?;
    let limits = purse.limits;
    for money in [
        limits.alarm_1,
        limits.alarm_2,
        limits.overdraft,
        limits.hoard,
        limits.close_allow,
        purse.balance,
        purse.cumulative,
    ] {
        w.money(money)?;
    }
    w.put(&purse.count.to_le_bytes())?;
    w.put(&purse.customer)?;
    w.put(&[purse.cause as u8, purse.purchases.len() as u8])?;
    for purchase in &purse.purchases {
        w.put(&purchase.count.to_le_bytes())?;
        w.put(&purchase.at_s.to_le_bytes())?;
        for money in [
            purchase.amount,
            purchase.before,
            purchase.after,
            purchase.cumulative,
        ] {
            w.money(money)?;
        }
    }
    let length = w.at + 4;
    let mark = (length as u16).to_le_bytes();
    w.buffer
        .get_mut(2..4)
        .ok_or(TooShort)?
        .copy_from_slice(&mark);
    let crc = CRC.checksum(w.buffer.get(..w.at).ok_or(TooShort)?);
    w.put(&crc.to_le_bytes())?;
    Ok(length)
}

/// Reads a record back: sequence number and state. Bytes behind the record are ignored.
///
/// # Errors
/// [`Unreadable`].
pub fn decode<const RATES: usize>(bytes: &[u8]) -> Result<(u32, Machine<RATES>), Unreadable> {
    let head: &[u8; HEAD] = bytes.first_chunk().ok_or(Unreadable::Torn)?;
    let &[version, rates, low, high, sequence @ ..] = head;
    let end = usize::from(u16::from_le_bytes([low, high]));
    let body_end = end
        .checked_sub(4)
        .filter(|&end| end >= HEAD)
        .ok_or(Unreadable::Torn)?;
    let body = bytes.get(..body_end).ok_or(Unreadable::Torn)?;
    let crc = bytes
        .get(body_end..end)
        .and_then(|b| b.first_chunk())
        .ok_or(Unreadable::Torn)?;
    if CRC.checksum(body) != u32::from_le_bytes(*crc) {
        return Err(Unreadable::Torn);
    }
    if version != VERSION {
        return Err(Unreadable::Version { found: version });
    }
    if usize::from(rates) != RATES {
        return Err(Unreadable::Rates { found: rates });
    }
    let mut r = Reader {
        bytes: body,
        at: HEAD,
    };
    let mut registers = [0; RATES];
    for register in &mut registers {
        *register = r.u64()?;
    }
    let flags = r.take().map(u16::from_le_bytes)?;
    let flag = |bit: u32| flags >> bit & 1 == 1;
    let rate = r.byte()?;
    let tiers = TierTotal {
        wh: r.u64()?,
        period: Some(r.u32()?).filter(|_| flag(0)),
    };
    let then = Moment {
        utc_s: r.i64()?,
        offset_s: r.take().map(i32::from_le_bytes)?,
    };
    let last = Some((then, r.u64()?)).filter(|_| flag(1));
    let trip_at_s = Some(r.i64()?).filter(|_| flag(11));
    let limits = Limits {
        alarm_1: r.money()?,
        alarm_2: r.money()?,
        overdraft: r.money()?,
        hoard: r.money()?,
        close_allow: r.money()?,
    };
    let (balance, cumulative) = (r.money()?, r.money()?);
    let (count, customer) = (r.u32()?, r.take()?);
    let cause = match r.byte()? {
        0 => Cause::None,
        1 => Cause::Alarm2,
        2 => Cause::Zero,
        3 => Cause::Locked,
        _ => return Err(r.wrong()),
    };
    let kept = r.byte()?;
    let mut purchases = heapless::Vec::new();
    for _ in 0..kept {
        let purchase = Purchase {
            count: r.u32()?,
            at_s: r.i64()?,
            amount: r.money()?,
            before: r.money()?,
            after: r.money()?,
            cumulative: r.money()?,
        };
        purchases.push(purchase).map_err(|_| r.wrong())?;
    }
    let purse = Purse {
        limits,
        balance,
        cumulative,
        count,
        customer,
        is_open: flag(3),
        cause,
        acknowledged_2: flag(4),
        acknowledged_0: flag(5),
        keep_power: flag(6),
        purchases,
    };
    let remote = Remote {
        is_open: flag(7),
        close_allowed: flag(8),
        alarm: flag(9),
        keep_power: flag(10),
        trip_at_s,
    };
    Ok((
        u32::from_le_bytes(sequence),
        Machine {
            registers,
            tiers,
            last,
            rate,
            prepaid: flag(2),
            purse,
            remote,
        },
    ))
}

/// What two copies came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest<const RATES: usize> {
    /// The state that counts.
    pub machine: Machine<RATES>,
    /// Its sequence number; the next record takes the next one.
    pub sequence: u32,
    /// Which copy it is: the other one is written next.
    pub place: usize,
    /// True when the other copy is torn: write it anew.
    pub degraded: bool,
}

/// The newer good copy of two. `None` when neither is good: then nothing is charged or tripped and
/// never is zero taken for a balance.
pub fn newest<const RATES: usize>(copies: [&[u8]; 2]) -> Option<Newest<RATES>> {
    let [a, b] = copies.map(decode::<RATES>);
    let degraded = a.is_err() || b.is_err();
    let ((sequence, machine), place) = match (a, b) {
        (Ok(a), Ok(b)) if b.0 > a.0 => (b, 1),
        (Ok(a), _) => (a, 0),
        (_, Ok(b)) => (b, 1),
        _ => return None,
    };
    Some(Newest {
        machine,
        sequence,
        place,
        degraded,
    })
}

/// What copies and journal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered<S> {
    /// The state that counts.
    pub state: S,
    /// The sequence number of its last change.
    pub sequence: u32,
    /// How many journal entries were applied to the copy.
    pub applied: u32,
    /// True when a copy is torn: write it anew.
    pub degraded: bool,
}

/// The rule of two copies with a journal behind them: the newer good copy, then the entries whose
/// sequence numbers follow without a gap, up to the first bad one. Entries that the copy contains
/// already change nothing.
///
/// `None` stands for bytes whose check value is wrong. No good copy gives `None`: entries alone are
/// no state.
pub fn recover<S, E>(
    copies: [Option<(u32, S)>; 2],
    journal: impl IntoIterator<Item = Option<(u32, E)>>,
    mut apply: impl FnMut(&mut S, E),
) -> Option<Recovered<S>> {
    let degraded = copies.iter().any(Option::is_none);
    let (mut sequence, mut state) = match copies {
        [Some(a), Some(b)] => {
            if b.0 > a.0 {
                b
            } else {
                a
            }
        }
        [a, b] => a.or(b)?,
    };
    let mut applied = 0;
    for entry in journal {
        match entry {
            Some((number, _)) if number <= sequence => {}
            Some((number, change)) if sequence.checked_add(1) == Some(number) => {
                apply(&mut state, change);
                sequence = number;
                applied += 1;
            }
            _ => break,
        }
    }
    Some(Recovered {
        state,
        sequence,
        applied,
        degraded,
    })
}
