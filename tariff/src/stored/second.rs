//! Layout 2, written now: the fee control of layout 1 with its later parts, and behind it the rest of
//! a whole meter, whose channels and demands are counted in the head (none for a [`Machine`] alone).

use super::bytes::{CHECK, ENERGY, PEAK, Reader, Writer, opened};
use super::flags::Flags;
use super::{TooShort, Unreadable, first};
use crate::machine::Machine;
use crate::meter::{Channel, Meter};
use crate::overload::{Overload, Phase};
use crate::price::Money;
use crate::purse::{Cause, Limits, PURCHASES, Purchase, Purse, Refund};
use crate::remote::Remote;
use crate::sets::Running;
use crate::tier::TierTotal;

/// First byte of the layout written now. Older layouts stay readable.
pub const VERSION: u8 = 2;
/// Version, rates, length, sequence number: the same in both layouts.
pub(super) const HEAD: usize = 8;
/// Everything of a machine but head, registers, purchases and check value.
const CORE: usize = 2 + 4 + 1 + 12 + 20 + 16 + 9 + 4 + 56 + 10 + 28 + 2;
const PURCHASE: usize = 24;
/// The rest of a meter without channels and demands.
const WHOLE: usize = Running::ENCODED_LEN + 12 + 4 * KINDS;
const KINDS: usize = crate::freeze::Kind::ALL.len();

/// Most bytes of the record of a [`Machine`] with `rates` registers.
pub const fn longest(rates: usize) -> usize {
    HEAD + CORE + 8 * rates + PURCHASE * PURCHASES + CHECK
}

/// Most bytes of the record of a [`Meter`].
pub const fn longest_meter(channels: usize, rates: usize, demands: usize) -> usize {
    longest(rates) + WHOLE + (1 + rates) * (ENERGY * channels + PEAK * demands)
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
    let mut w = Writer::new(buffer);
    head(&mut w, RATES, sequence, [0, 0])?;
    core(&mut w, machine, false)?;
    w.close()
}

/// [`encode`] for a whole meter; [`longest_meter`] tells how long `buffer` must be.
///
/// # Errors
/// [`TooShort`].
pub fn encode_meter<const C: usize, const R: usize, const D: usize, const S: usize>(
    meter: &Meter<C, R, D, S>,
    sequence: u32,
    buffer: &mut [u8],
) -> Result<usize, TooShort> {
    let mut w = Writer::new(buffer);
    head(&mut w, R, sequence, [C as u8, D as u8])?;
    core(&mut w, &meter.machine, meter.seen.is_some())?;
    w.put(&meter.running.to_bytes())?;
    w.moment(meter.seen.unwrap_or_default())?;
    for count in meter.counts {
        w.put(&count.to_le_bytes())?;
    }
    for channel in &meter.channels {
        w.energy(channel.total)?;
        channel
            .by_rate
            .iter()
            .try_for_each(|part| w.energy(*part))?;
    }
    meter
        .maxima
        .iter()
        .try_for_each(|maxima| w.maxima(maxima))?;
    w.close()
}

fn head(w: &mut Writer<'_>, rates: usize, sequence: u32, shape: [u8; 2]) -> Result<(), TooShort> {
    w.put(&[VERSION, rates as u8, 0, 0])?;
    w.put(&sequence.to_le_bytes())?;
    w.put(&shape)
}

fn core<const RATES: usize>(
    w: &mut Writer<'_>,
    machine: &Machine<RATES>,
    seen: bool,
) -> Result<(), TooShort> {
    for register in &machine.registers {
        w.put(&register.to_le_bytes())?;
    }
    let (purse, remote, overload) = (&machine.purse, &machine.remote, &machine.overload);
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
        purse.friendly,
        purse.latched,
        remote.back_at_s.is_some(),
        remote.back_by_key,
        machine.standing_day.is_some(),
        machine.clock_bad,
        purse.last_refund.is_some(),
        overload.despite_keep_power,
        overload.phase == Phase::Above,
        overload.phase == Phase::Tripped,
        seen,
    ];
    let flags = flags
        .iter()
        .rev()
        .fold(0u32, |bits, &flag| bits << 1 | u32::from(flag));
    w.put(&flags.to_le_bytes())?;
    w.put(&[machine.rate])?;
    w.put(&machine.tiers.wh.to_le_bytes())?;
    w.put(&machine.tiers.period.unwrap_or(0).to_le_bytes())?;
    let (last, last_wh) = machine.last.unwrap_or_default();
    w.moment(last)?;
    w.put(&last_wh.to_le_bytes())?;
    for at_s in [remote.trip_at_s, remote.back_at_s] {
        w.put(&at_s.unwrap_or(0).to_le_bytes())?;
    }
    w.put(&overload.since_s.to_le_bytes())?;
    w.put(&[overload.used])?;
    w.put(&machine.standing_day.unwrap_or(0).to_le_bytes())?;
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
    w.put(&purse.refunds.to_le_bytes())?;
    let none = (0, Money::ZERO, Money::ZERO);
    let refund = purse.last_refund.map(|r| (r.at_s, r.amount, r.after));
    let (at_s, amount, after) = refund.unwrap_or(none);
    w.put(&at_s.to_le_bytes())?;
    w.money(amount)?;
    w.money(after)?;
    w.put(&[purse.cause as u8, purse.purchases.len() as u8])?;
    for purchase in &purse.purchases {
        w.put(&purchase.at_s.to_le_bytes())?;
        w.money(purchase.amount)?;
        w.money(purchase.after)?;
    }
    Ok(())
}

/// Reads the record of a [`Machine`] back: sequence number and state. Bytes behind the record are
/// ignored.
///
/// # Errors
/// [`Unreadable`].
pub fn decode<const RATES: usize>(bytes: &[u8]) -> Result<(u32, Machine<RATES>), Unreadable> {
    let head = opened_head(bytes, RATES)?;
    if head.version == 1 {
        return Ok((head.sequence, first::decode(head.body)?));
    }
    let mut r = Reader::new(head.body, HEAD);
    let [channels, demands] = r.take()?;
    if channels != 0 {
        return Err(Unreadable::Shape { channels, demands });
    }
    Ok((head.sequence, read_core(&mut r)?.0))
}

/// Reads the record of a [`Meter`] back. A record of layout 1 or of a [`Machine`] alone is taken as
/// one of a meter whose rate registers are those of forward active energy.
///
/// # Errors
/// [`Unreadable`].
pub fn decode_meter<const C: usize, const R: usize, const D: usize, const S: usize>(
    bytes: &[u8],
) -> Result<(u32, Meter<C, R, D, S>), Unreadable> {
    let mut meter = Meter::around(Machine::new());
    let sequence = decode_meter_into(bytes, &mut meter)?;
    Ok((sequence, meter))
}

/// [`decode_meter`] into a meter that is there, whatever its state: several meters are much for the stack of a small
/// core. Gives the sequence number.
///
/// # Errors
/// [`Unreadable`]; the meter is not to be used then.
pub fn decode_meter_into<const C: usize, const R: usize, const D: usize, const S: usize>(
    bytes: &[u8],
    meter: &mut Meter<C, R, D, S>,
) -> Result<u32, Unreadable> {
    let head = opened_head(bytes, R)?;
    if head.version == 1 {
        meter.begin(first::decode(head.body)?);
        return Ok(head.sequence);
    }
    let mut r = Reader::new(head.body, HEAD);
    let [channels, demands] = r.take()?;
    let is_alone = (channels, demands) == (0, 0);
    if !is_alone && (usize::from(channels), usize::from(demands)) != (C, D) {
        return Err(Unreadable::Shape { channels, demands });
    }
    let (machine, seen) = read_core(&mut r)?;
    meter.begin(machine);
    if is_alone {
        return Ok(head.sequence);
    }
    meter.running = Running::from_bytes(&r.take()?).ok_or(r.wrong())?;
    meter.seen = Some(r.moment()?).filter(|_| seen);
    for count in &mut meter.counts {
        *count = r.u32()?;
    }
    for channel in &mut meter.channels {
        let mut read = Channel {
            total: r.energy()?,
            by_rate: [0; R],
        };
        for part in &mut read.by_rate {
            *part = r.energy()?;
        }
        *channel = read;
    }
    for maxima in &mut meter.maxima {
        *maxima = r.maxima()?;
    }
    Ok(head.sequence)
}

struct Head<'a> {
    version: u8,
    sequence: u32,
    body: &'a [u8],
}

fn opened_head(bytes: &[u8], expected: usize) -> Result<Head<'_>, Unreadable> {
    let body = opened(bytes)?;
    let head: &[u8; HEAD] = body.first_chunk().ok_or(Unreadable::Torn)?;
    let &[version, rates, _, _, sequence @ ..] = head;
    if version == 0 || version > VERSION {
        return Err(Unreadable::Version { found: version });
    }
    if usize::from(rates) != expected {
        return Err(Unreadable::Rates { found: rates });
    }
    Ok(Head {
        version,
        sequence: u32::from_le_bytes(sequence),
        body,
    })
}

pub(super) fn limits(r: &mut Reader<'_>) -> Result<Limits, Unreadable> {
    Ok(Limits {
        alarm_1: r.money()?,
        alarm_2: r.money()?,
        overdraft: r.money()?,
        hoard: r.money()?,
        close_allow: r.money()?,
    })
}

pub(super) fn cause_of(r: &mut Reader<'_>) -> Result<Cause, Unreadable> {
    match r.byte()? {
        0 => Ok(Cause::None),
        1 => Ok(Cause::Alarm2),
        2 => Ok(Cause::Zero),
        3 => Ok(Cause::Locked),
        _ => Err(r.wrong()),
    }
}

fn read_core<const RATES: usize>(r: &mut Reader<'_>) -> Result<(Machine<RATES>, bool), Unreadable> {
    let mut registers = [0; RATES];
    for register in &mut registers {
        *register = r.u64()?;
    }
    let flags = Flags(r.u32()?);
    let flag = |bit| flags.has(bit);
    let rate = r.byte()?;
    let tiers = TierTotal {
        wh: r.u64()?,
        period: Some(r.u32()?).filter(|_| flag(0)),
    };
    let last = Some((r.moment()?, r.u64()?)).filter(|_| flag(1));
    let remote = flags.remote(r.i64()?);
    let remote = Remote {
        back_at_s: Some(r.i64()?).filter(|_| flag(14)),
        back_by_key: flag(15),
        ..remote
    };
    let overload = Overload {
        phase: match (flag(20), flag(21)) {
            (false, false) => Phase::Calm,
            (true, false) => Phase::Above,
            (false, true) => Phase::Tripped,
            (true, true) => return Err(r.wrong()),
        },
        since_s: r.i64()?,
        used: r.byte()?,
        despite_keep_power: flag(19),
    };
    let standing_day = Some(r.take().map(i32::from_le_bytes)?).filter(|_| flag(16));
    let limits = limits(r)?;
    let (balance, cumulative) = (r.money()?, r.money()?);
    let (count, customer, refunds) = (r.u32()?, r.take()?, r.u32()?);
    let (at_s, amount, after) = (r.i64()?, r.money()?, r.money()?);
    let last_refund = Some(Refund {
        count: refunds,
        at_s,
        amount,
        before: after + amount,
        after,
    });
    let cause = cause_of(r)?;
    let kept = r.byte()?;
    let mut purchases = heapless::Vec::<Purchase, PURCHASES>::new();
    for nth in 0..kept {
        let (at_s, amount, after) = (r.i64()?, r.money()?, r.money()?);
        let purchase = Purchase {
            count: count.wrapping_sub(u32::from(kept - 1 - nth)),
            at_s,
            amount,
            before: after - amount,
            after,
            cumulative,
        };
        purchases.push(purchase).map_err(|_| r.wrong())?;
    }
    // Counts and sums follow from the newest: each purchase added its amount.
    let mut sum = cumulative;
    for purchase in purchases.iter_mut().rev() {
        purchase.cumulative = sum;
        sum = sum - purchase.amount;
    }
    let purse = Purse {
        limits,
        balance,
        cumulative,
        count,
        customer,
        cause,
        friendly: flag(12),
        latched: flag(13),
        purchases,
        refunds,
        last_refund: last_refund.filter(|_| flag(18)),
        ..flags.purse()
    };
    let machine = Machine {
        registers,
        tiers,
        last,
        rate,
        prepaid: flag(2),
        purse,
        remote,
        overload,
        standing_day,
        clock_bad: flag(17),
    };
    Ok((machine, flag(22)))
}
