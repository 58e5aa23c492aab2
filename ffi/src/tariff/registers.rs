//! What a meter shows: account, relay and status words, registers, demand, purchases.

use ::tariff::machine::Why;
use ::tariff::meter::Shown;
use ::tariff::purse::Cause;
use ::tariff::sets::Table;

use super::{
    MTR_PREPAID_CHANNELS, MTR_PREPAID_RATES, mtr_channel, mtr_demand, mtr_maxima, mtr_prepaid,
    mtr_purse_limits, mtr_tariff,
};
use crate::border::call;
use crate::result::mtr_result;

/// Nobody wants the relay open.
pub const MTR_WHY_NOBODY: u8 = 0;
/// The power stayed above its limit.
pub const MTR_WHY_OVERLOAD: u8 = 1;
/// A command.
pub const MTR_WHY_COMMAND: u8 = 2;
/// Alarm amount 2 was reached.
pub const MTR_WHY_ALARM_2: u8 = 4;
/// Nothing is left.
pub const MTR_WHY_ZERO: u8 = 5;
/// The overdraft limit was reached.
pub const MTR_WHY_LOCKED: u8 = 6;

/// The purse.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_account {
    /// The limits.
    pub limits: mtr_purse_limits,
    /// Exact balance, 10^-7 of the currency; below 0 is overdraft.
    pub balance: i64,
    /// Sum of all purchases, the same unit.
    pub cumulative: i64,
    /// What is left, 0.01 of the currency, cut towards zero.
    pub remaining_hundredths: u64,
    /// Overdraft, the same way.
    pub overdraft_hundredths: u64,
    /// Purchase count.
    pub count: u32,
    /// Refund count.
    pub refunds: u32,
    /// Customer number of the last opening.
    pub customer: [u8; 6],
    /// 1: the account is open.
    pub open: u8,
    /// 1: the purse decides; 0: fee control from afar.
    pub local: u8,
    /// Why the purse wants the relay open, also while something holds it back: MTR_WHY_...
    pub cause: u8,
    /// 1: friendly hours hold the cause back.
    pub friendly: u8,
    /// 1: alarm 1.
    pub alarm: u8,
    /// 1: keep power.
    pub keep_power: u8,
}

/// What the meter shows of itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_fee_status {
    /// Watt hours of the tier period so far.
    pub tier_wh: u64,
    /// Price in force, rate and tier together, 0.0001 of the currency a kilowatt hour.
    pub price: u32,
    /// Status word 1 of DL/T 645: bits 1, 14 and 15.
    pub word_1: u16,
    /// Status word 3, whole.
    pub word_3: u16,
    /// Who wants the relay open: MTR_WHY_...; open it unless MTR_WHY_NOBODY.
    pub why: u8,
    /// 1: the key may close what a command opened.
    pub close_allowed: u8,
    /// 1: a command put the alarm on.
    pub alarm: u8,
    /// 1: the last time came from a clock that is not to be trusted.
    pub clock_bad: u8,
    /// Rate in force.
    pub rate: u8,
    /// Tier in force, from 1.
    pub tier: u8,
    /// Which tables run with their second set: MTR_SECOND_...
    pub second: u8,
}

/// What status word 3 shows beside what the meter knows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_shown {
    /// 1: the relay stands open.
    pub relay_open: u8,
    /// Supply: 0 main, 1 auxiliary, 2 battery.
    pub supply: u8,
    /// 1: programming is allowed.
    pub programming: u8,
    /// 1: an identity is authenticated.
    pub authenticated: u8,
}

/// The registers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_fee_registers {
    /// Forward and reverse active energy, tenths of a watt hour.
    pub channels: [mtr_channel; MTR_PREPAID_CHANNELS],
    /// Charged energy by rate, watt hours, rate 1 first.
    pub charged_wh: [u64; MTR_PREPAID_RATES],
}

/// A purchase in the list of the last ten.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_purchase {
    /// When it was booked, UTC seconds.
    pub at_s: i64,
    /// Amount, 10^-7 of the currency.
    pub amount: i64,
    /// Balance ahead of it.
    pub before: i64,
    /// Balance behind it.
    pub after: i64,
    /// All purchases up to and with it.
    pub cumulative: i64,
    /// Purchase count behind it.
    pub count: u32,
}

const fn of_cause(cause: Cause) -> u8 {
    match cause {
        Cause::None => MTR_WHY_NOBODY,
        Cause::Alarm2 => MTR_WHY_ALARM_2,
        Cause::Zero => MTR_WHY_ZERO,
        Cause::Locked => MTR_WHY_LOCKED,
    }
}

pub(super) const fn why(why: Option<Why>) -> u8 {
    match why {
        None => MTR_WHY_NOBODY,
        Some(Why::Overload) => MTR_WHY_OVERLOAD,
        Some(Why::Remote) => MTR_WHY_COMMAND,
        Some(Why::Purse(cause)) => of_cause(cause),
    }
}

/// The purse as it stands.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_account(
    prepaid: *const mtr_prepaid,
    account: *mut mtr_account,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, place) = unsafe { (border.object(prepaid)?, border.place(account)?) };
        let machine = meter.machine();
        let purse = machine.purse();
        place.write(mtr_account {
            limits: purse.limits().into(),
            balance: purse.balance().ten_millionths(),
            cumulative: purse.cumulative().ten_millionths(),
            remaining_hundredths: purse.remaining_hundredths(),
            overdraft_hundredths: purse.overdraft_hundredths(),
            count: purse.count(),
            refunds: purse.refunds(),
            customer: purse.customer(),
            open: purse.is_open().into(),
            local: machine.is_prepaid().into(),
            cause: of_cause(purse.cause()),
            friendly: purse.is_latched().into(),
            alarm: purse.alarm_1().into(),
            keep_power: purse.keep_power().into(),
        });
        Ok(())
    })
}

/// Relay wish, rate, price and status words; `shown` is what the shell knows.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_status(
    prepaid: *const mtr_prepaid,
    tariff: *const mtr_tariff,
    shown: mtr_shown,
    status: *mut mtr_fee_status,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, rules, place) = unsafe {
            (
                border.object(prepaid)?,
                border.object(tariff)?,
                border.place(status)?,
            )
        };
        let (machine, running) = (meter.machine(), meter.running());
        let tariff = rules.sets.tariff(running);
        let tier_wh = machine.tiers().wh;
        let (tier, tier_price) = tariff.tier(tier_wh);
        let second = Table::ALL.into_iter().rev();
        place.write(mtr_fee_status {
            tier_wh,
            price: tariff
                .rate_price(machine.rate())
                .plus(tier_price)
                .ten_thousandths(),
            word_1: meter.status_word_1(rules),
            word_3: meter.status_word_3(Shown {
                relay_open: shown.relay_open != 0,
                supply: shown.supply,
                programming: shown.programming != 0,
                authenticated: shown.authenticated != 0,
            }),
            why: why(machine.why()),
            close_allowed: machine.remote().close_allowed().into(),
            alarm: machine.remote().alarm().into(),
            clock_bad: machine.clock_is_bad().into(),
            rate: machine.rate(),
            tier,
            second: second.fold(0, |bits, table| bits << 1 | u8::from(running.second(table))),
        });
        Ok(())
    })
}

/// All energy registers.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_registers(
    prepaid: *const mtr_prepaid,
    registers: *mut mtr_fee_registers,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, place) = unsafe { (border.object(prepaid)?, border.place(registers)?) };
        let mut channels = [mtr_channel {
            total: 0,
            by_rate: [0; MTR_PREPAID_RATES],
        }; MTR_PREPAID_CHANNELS];
        for (number, place) in channels.iter_mut().enumerate() {
            if let Some(channel) = meter.channel(number) {
                *place = channel.into();
            }
        }
        place.write(mtr_fee_registers {
            channels,
            charged_wh: *meter.machine().registers_wh(),
        });
        Ok(())
    })
}

/// Demand of a direction (0 forward, 1 reverse): the maxima since the last reset, and the last window that ended.
/// MTR_ERR_PARAMETER for another direction.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_demand(
    prepaid: *const mtr_prepaid,
    direction: u8,
    maxima: *mut mtr_maxima,
    present: *mut mtr_demand,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, place, present) = unsafe {
            (
                border.object(prepaid)?,
                border.place(maxima)?,
                border.place(present)?,
            )
        };
        let maxima = meter.maxima(direction.into());
        place.write(maxima.ok_or(mtr_result::MTR_ERR_PARAMETER)?.into());
        present.write(meter.present_demand(direction.into()).into());
        Ok(())
    })
}

/// The last purchases, `number` 1 the newest, up to 10. MTR_MORE when there was none yet, MTR_ERR_PARAMETER for another
/// number.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_purchase(
    prepaid: *const mtr_prepaid,
    number: u8,
    purchase: *mut mtr_purchase,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, place) = unsafe { (border.object(prepaid)?, border.place(purchase)?) };
        let nth = usize::from(number)
            .checked_sub(1)
            .filter(|nth| *nth < ::tariff::purse::PURCHASES)
            .ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        let purchases = meter.machine().purse().purchases();
        let own = purchases.iter().rev().nth(nth);
        let own = own.ok_or(mtr_result::MTR_MORE)?;
        place.write(mtr_purchase {
            at_s: own.at_s,
            amount: own.amount.ten_millionths(),
            before: own.before.ten_millionths(),
            after: own.after.ten_millionths(),
            cumulative: own.cumulative.ten_millionths(),
            count: own.count,
        });
        Ok(())
    })
}
