//! Layout 1, read for ever: registers, purse and remote control.

use super::Unreadable;
use super::bytes::Reader;
use super::second::{HEAD, cause_of, limits};
use crate::machine::Machine;
use crate::purse::{Purchase, Purse};
use crate::remote::Remote;
use crate::tier::TierTotal;

/// The state in a record of layout 1 whose head and check value are right.
pub(super) fn decode<const RATES: usize>(body: &[u8]) -> Result<Machine<RATES>, Unreadable> {
    let mut r = Reader::new(body, HEAD);
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
    let then = r.moment()?;
    let last = Some((then, r.u64()?)).filter(|_| flag(1));
    let trip_at_s = Some(r.i64()?).filter(|_| flag(11));
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
        is_open: flag(3),
        cause,
        acknowledged_2: flag(4),
        acknowledged_0: flag(5),
        keep_power: flag(6),
        purchases,
        ..Purse::default()
    };
    let remote = Remote {
        is_open: flag(7),
        close_allowed: flag(8),
        alarm: flag(9),
        keep_power: flag(10),
        trip_at_s,
        ..Remote::default()
    };
    Ok(Machine {
        registers,
        tiers,
        last,
        rate,
        prepaid: flag(2),
        purse,
        remote,
        ..Machine::new()
    })
}
