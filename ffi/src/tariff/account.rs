//! Orders to the fee control: account, purchases, relay. Whoever calls has checked their seal.

use ::tariff::machine::Effect;
use ::tariff::price::Money;
use ::tariff::purse::{Answer, Purchase, Recharge, Refund, Refusal};
use ::tariff::remote::Command;
use ::tariff::{Machine, purse};

use super::prepaid::kept;
use super::row::{Keeper, Sink};
use super::{
    MTR_MODE_LOCAL, MTR_MODE_REMOTE, MTR_PREPAID_RATES, mtr_effect, mtr_moment, mtr_prepaid,
    mtr_purse_limits, mtr_rows,
};
use crate::border::{Border, Checked, Plain, call};
use crate::result::mtr_result;

/// A purchase or a refund as ordered.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_recharge {
    /// Amount above 0, 10^-7 of the currency (MTR_MONEY_HUNDREDTH is 0.01).
    pub amount: i64,
    /// The purchase count behind it (of a refund the refund count): one more than the meter's. This is what makes a
    /// repeat harmless.
    pub count: u32,
    /// Customer number.
    pub customer: [u8; 6],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_recharge {}

/// Why an order is refused; nothing changed then.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_refusal {
    /// It is not.
    MTR_REFUSAL_NONE = 0,
    /// The account is not open, or open already; or the meter has no fee control of its own, or has it already.
    MTR_REFUSAL_ACCOUNT = 1,
    /// Another customer number.
    MTR_REFUSAL_CUSTOMER = 2,
    /// The count was used, and its record is gone.
    MTR_REFUSAL_REPEATED = 3,
    /// The count is not the next one, which is in `expected`.
    MTR_REFUSAL_COUNT = 4,
    /// The hoarding limit would be passed.
    MTR_REFUSAL_HOARD = 5,
    /// The amount is not above 0, more than the balance, or more than can be held.
    MTR_REFUSAL_AMOUNT = 6,
    /// Keep power is on: no trip.
    MTR_REFUSAL_KEEP_POWER = 7,
    /// A reason that this version has no number for.
    MTR_REFUSAL_OTHER = 255,
}
use mtr_refusal as Reason;

/// What became of an order. Holds something after MTR_OK and after MTR_ERR_REFUSED.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_answer {
    /// What it came to.
    pub effect: mtr_effect,
    /// Of a purchase or refund: its amount as booked, 10^-7 of the currency. Compare it after a repeat.
    pub amount: i64,
    /// Balance ahead of it.
    pub before: i64,
    /// Balance behind it.
    pub after: i64,
    /// All purchases up to and with it.
    pub cumulative: i64,
    /// When it was booked, UTC seconds.
    pub at_s: i64,
    /// Why it was refused.
    pub refusal: mtr_refusal,
    /// The count behind it.
    pub count: u32,
    /// The count that would be accepted, with MTR_REFUSAL_COUNT.
    pub expected: u32,
    /// The SERR word that DL/T 645 answers; 0 when nothing is to be said.
    pub serr: u16,
    /// 1: it was booked before under the same count, and nothing happened now.
    pub repeated: u8,
}

const NOTHING: mtr_answer = mtr_answer {
    effect: mtr_effect::NOTHING,
    amount: 0,
    before: 0,
    after: 0,
    cumulative: 0,
    at_s: 0,
    refusal: Reason::MTR_REFUSAL_NONE,
    count: 0,
    expected: 0,
    serr: 0,
    repeated: 0,
};

impl From<Purchase> for mtr_answer {
    fn from(own: Purchase) -> Self {
        mtr_answer {
            amount: own.amount.ten_millionths(),
            before: own.before.ten_millionths(),
            after: own.after.ten_millionths(),
            cumulative: own.cumulative.ten_millionths(),
            at_s: own.at_s,
            count: own.count,
            ..NOTHING
        }
    }
}

impl From<Refund> for mtr_answer {
    fn from(own: Refund) -> Self {
        mtr_answer {
            amount: own.amount.ten_millionths(),
            before: own.before.ten_millionths(),
            after: own.after.ten_millionths(),
            at_s: own.at_s,
            count: own.count,
            ..NOTHING
        }
    }
}

impl From<Refusal> for mtr_answer {
    fn from(own: Refusal) -> Self {
        let (refusal, expected) = match own {
            Refusal::Account => (Reason::MTR_REFUSAL_ACCOUNT, 0),
            Refusal::Customer => (Reason::MTR_REFUSAL_CUSTOMER, 0),
            Refusal::Repeated => (Reason::MTR_REFUSAL_REPEATED, 0),
            Refusal::Count { expected, .. } => (Reason::MTR_REFUSAL_COUNT, expected),
            Refusal::Hoard => (Reason::MTR_REFUSAL_HOARD, 0),
            Refusal::Amount => (Reason::MTR_REFUSAL_AMOUNT, 0),
            _ => (Reason::MTR_REFUSAL_OTHER, 0),
        };
        mtr_answer {
            refusal,
            expected,
            serr: own.serr(),
            ..NOTHING
        }
    }
}

/// A purchase or refund that is in effect, and what it came to.
fn booked<T: Into<mtr_answer>>(
    (answer, effect): (Answer<T>, Effect),
) -> (mtr_answer, Option<Effect>) {
    let answer = match answer {
        Answer::Done(record, _) => record.into(),
        Answer::AlreadyDone(record) => mtr_answer {
            serr: purse::SERR_REPEATED,
            repeated: 1,
            ..record.into()
        },
    };
    (answer, Some(effect))
}

fn plain(effect: Effect) -> (mtr_answer, Option<Effect>) {
    (NOTHING, Some(effect))
}

type Fee = Machine<MTR_PREPAID_RATES>;
type Outcome = Result<(mtr_answer, Option<Effect>), mtr_answer>;

/// Hands an order to the fee control. `run` gets the machine and UTC seconds; it is called once. Not generic: a small
/// core has this once for all orders.
///
/// # Safety
/// The rules of the header, for all pointers.
unsafe fn order(
    mut border: Border,
    prepaid: *mut mtr_prepaid,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
    run: &mut dyn FnMut(&mut Fee, i64) -> Outcome,
) -> Checked<()> {
    // SAFETY: forwarded contract.
    let ((meter, entered), mut keeper, place) = unsafe {
        (
            border.enter(prepaid)?,
            Keeper::given(&mut border, rows)?,
            border.place(answer)?,
        )
    };
    let at = at.checked()?;
    let sink: Sink<'_> = &mut |row| keeper.keep(&row);
    let outcome = meter.input(at, sink, |machine| run(machine, at.utc_s));
    // SAFETY: the meter is not used below.
    unsafe { kept(prepaid, entered, &keeper) }?;
    match outcome {
        Ok((answer, effect)) => {
            let effect = effect.map(|effect| mtr_effect::new(&effect, keeper.count));
            place.write(mtr_answer {
                effect: effect.unwrap_or(mtr_effect::NOTHING),
                ..answer
            });
            Ok(())
        }
        Err(answer) => {
            place.write(answer);
            Err(mtr_result::MTR_ERR_REFUSED)
        }
    }
}

fn recharge(given: &mtr_recharge) -> Recharge {
    Recharge {
        customer: given.customer,
        count: given.count,
        amount: Money::from_ten_millionths(given.amount),
    }
}

/// Opens the account of a customer with a first purchase, or with amount 0 by the customer number only. MTR_OK: store
/// the state, then answer. MTR_ERR_REFUSED: `answer` says why. `rows` may be NULL. MTR_ERR_CALLBACK: a row was refused,
/// and the object has ended.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_open(
    prepaid: *mut mtr_prepaid,
    first: *const mtr_recharge,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let first = unsafe { border.given(first) }?;
        let mut run = |machine: &mut Fee, at_s| {
            if first.amount == 0 {
                return Ok(plain(machine.open_account(first.customer)?));
            }
            let purchase = recharge(first);
            Ok(booked(
                machine.purse_input(|purse| purse.open_with(purchase, at_s))?,
            ))
        };
        // SAFETY: as above.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}

/// Books a purchase once: the same count again answers what was booked, with `repeated` 1, and does nothing. Otherwise
/// as mtr_prepaid_open. `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_recharge(
    prepaid: *mut mtr_prepaid,
    purchase: *const mtr_recharge,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let purchase = recharge(unsafe { border.given(purchase) }?);
        let mut run = |machine: &mut Fee, at_s| Ok(booked(machine.recharge(purchase, at_s)?));
        // SAFETY: as above.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}

/// Gives money back, or corrects a purchase downwards, once, under the refund count. Otherwise as mtr_prepaid_recharge.
/// `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_refund(
    prepaid: *mut mtr_prepaid,
    refund: *const mtr_recharge,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let refund = recharge(unsafe { border.given(refund) }?);
        let mut run = |machine: &mut Fee, at_s| Ok(booked(machine.refund(refund, at_s)?));
        // SAFETY: as above.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}

/// Closes the account; count and balance stay, a later opening continues the count. Otherwise as mtr_prepaid_open.
/// `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_close(
    prepaid: *mut mtr_prepaid,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|border| {
        let mut run = |machine: &mut Fee, _| {
            machine.close_account()?;
            // It moves no money and no relay.
            Ok((NOTHING, None))
        };
        // SAFETY: forwarded contract of this function.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}

/// Sets the balance (10^-7 of the currency) and begins counts and records anew; only without an open account. Otherwise
/// as mtr_prepaid_open. `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_initialise(
    prepaid: *mut mtr_prepaid,
    balance: i64,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|border| {
        let balance = Money::from_ten_millionths(balance);
        let mut run = |machine: &mut Fee, _| {
            let (_, effect) = machine.purse_input(|purse| purse.initialise(balance))?;
            Ok(plain(effect))
        };
        // SAFETY: forwarded contract of this function.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}

/// Changes fee control: MTR_MODE_LOCAL with `initial` (10^-7 of the currency) in a new purse, or MTR_MODE_REMOTE, which
/// clears the purse. MTR_ERR_PARAMETER for another mode. Otherwise as mtr_prepaid_open. `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_set_mode(
    prepaid: *mut mtr_prepaid,
    mode: u8,
    initial: i64,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|border| {
        let mut run = |machine: &mut Fee, _| {
            Ok(plain(if mode == MTR_MODE_LOCAL {
                machine.to_local(Money::from_ten_millionths(initial))?
            } else {
                machine.to_remote()?
            }))
        };
        if !matches!(mode, MTR_MODE_LOCAL | MTR_MODE_REMOTE) {
            // Wrong pointers come first.
            let mut refuse = |_: &mut Fee, _| Err(NOTHING);
            // SAFETY: forwarded contract of this function.
            return unsafe { order(border, prepaid, at, rows, answer, &mut refuse) }
                .map_err(parameter);
        }
        // SAFETY: forwarded contract of this function.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}

/// The code for an order that does not exist.
fn parameter(code: mtr_result) -> mtr_result {
    match code {
        mtr_result::MTR_ERR_REFUSED => mtr_result::MTR_ERR_PARAMETER,
        code => code,
    }
}

/// Sets the limits of the purse. MTR_ERR_PARAMETER for one below 0. Otherwise as mtr_prepaid_open. `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_set_limits(
    prepaid: *mut mtr_prepaid,
    limits: *const mtr_purse_limits,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let limits = unsafe { border.given(limits) }?.checked();
        let mut run = |machine: &mut Fee, _| {
            let limits = limits.map_err(|_| NOTHING)?;
            let (_, effect) = machine.purse_input(|purse| Ok(purse.set_limits(limits)))?;
            Ok(plain(effect))
        };
        // SAFETY: as above.
        let done = unsafe { order(border, prepaid, at, rows, answer, &mut run) };
        if limits.is_err() {
            return done.map_err(parameter);
        }
        done
    })
}

/// Open the relay after `seconds`.
pub const MTR_COMMAND_TRIP: u8 = 0x1A;
/// The key may close.
pub const MTR_COMMAND_ALLOW_CLOSE: u8 = 0x1B;
/// Close.
pub const MTR_COMMAND_CLOSE: u8 = 0x1C;
/// Open now, and close by itself after `seconds`.
pub const MTR_COMMAND_TRIP_FOR: u8 = 0x1D;
/// Open now, and let the key close after `seconds`.
pub const MTR_COMMAND_TRIP_FOR_KEY: u8 = 0x1E;
/// Alarm on.
pub const MTR_COMMAND_ALARM: u8 = 0x2A;
/// Alarm off.
pub const MTR_COMMAND_ALARM_OFF: u8 = 0x2B;
/// Keep power: closes, and holds every cause back.
pub const MTR_COMMAND_KEEP_POWER: u8 = 0x3A;
/// End keep power.
pub const MTR_COMMAND_KEEP_POWER_OFF: u8 = 0x3B;

/// Obeys a command to the relay, MTR_COMMAND_...; a trip is refused while keep power is on. MTR_ERR_PARAMETER for
/// another command. Otherwise as mtr_prepaid_open. `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_command(
    prepaid: *mut mtr_prepaid,
    command: u8,
    seconds: u32,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|border| {
        let known = match command {
            MTR_COMMAND_TRIP => Some(Command::Trip { delay_s: seconds }),
            MTR_COMMAND_TRIP_FOR | MTR_COMMAND_TRIP_FOR_KEY => Some(Command::TripFor {
                open_s: seconds,
                by_key: command == MTR_COMMAND_TRIP_FOR_KEY,
            }),
            MTR_COMMAND_ALLOW_CLOSE => Some(Command::AllowClose),
            MTR_COMMAND_CLOSE => Some(Command::Close),
            MTR_COMMAND_ALARM => Some(Command::Alarm),
            MTR_COMMAND_ALARM_OFF => Some(Command::AlarmOff),
            MTR_COMMAND_KEEP_POWER => Some(Command::KeepPower),
            MTR_COMMAND_KEEP_POWER_OFF => Some(Command::KeepPowerOff),
            _ => None,
        };
        let mut run = |machine: &mut Fee, at_s| {
            let done = machine.command(known.ok_or(NOTHING)?, at_s);
            Ok(plain(done.map_err(|_| mtr_answer {
                refusal: Reason::MTR_REFUSAL_KEEP_POWER,
                ..NOTHING
            })?))
        };
        // SAFETY: forwarded contract of this function.
        let done = unsafe { order(border, prepaid, at, rows, answer, &mut run) };
        if known.is_none() {
            return done.map_err(parameter);
        }
        done
    })
}

/// The key of the meter was pressed long enough: closes after alarm 2, at zero where there is emergency credit, after a
/// command that allows it, and after an over-power trip. `effect.relay_open` of the answer tells. Otherwise as
/// mtr_prepaid_open. `rows` may be NULL.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_key(
    prepaid: *mut mtr_prepaid,
    at: mtr_moment,
    rows: *const mtr_rows,
    answer: *mut mtr_answer,
) -> mtr_result {
    call(|border| {
        let mut run = |machine: &mut Fee, _| Ok(plain(machine.key()));
        // SAFETY: forwarded contract of this function.
        unsafe { order(border, prepaid, at, rows, answer, &mut run) }
    })
}
