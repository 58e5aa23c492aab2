//! Layout 1, read for ever: registers, purse and remote control.

use super::Unreadable;
use super::bytes::Reader;
use super::flags::Flags;
use super::second::{HEAD, cause_of, limits};
use crate::machine::Machine;
use crate::purse::{Purchase, Purse};
use crate::tier::TierTotal;

/// The state in a record of layout 1 whose head and check value are right.
pub(super) fn decode<const RATES: usize>(body: &[u8]) -> Result<Machine<RATES>, Unreadable> {
    let mut r = Reader::new(body, HEAD);
    let mut registers = [0; RATES];
    for register in &mut registers {
        *register = r.u64()?;
    }
    let flags = Flags(r.take().map(u16::from_le_bytes)?.into());
    let rate = r.byte()?;
    let tiers = TierTotal {
        wh: r.u64()?,
        period: Some(r.u32()?).filter(|_| flags.has(0)),
    };
    let then = r.moment()?;
    let last = Some((then, r.u64()?)).filter(|_| flags.has(1));
    let remote = flags.remote(r.i64()?);
    let limits = limits(&mut r)?;
    let (balance, cumulative) = (r.money()?, r.money()?);
    let (count, customer) = (r.u32()?, r.take()?);
    let cause = cause_of(&mut r)?;
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
        cause,
        purchases,
        ..flags.purse()
    };
    Ok(Machine {
        registers,
        tiers,
        last,
        rate,
        prepaid: flags.has(2),
        purse,
        remote,
        ..Machine::new()
    })
}
