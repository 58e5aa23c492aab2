//! The whole meter: made, stored, fed with energy and time.

use core::ffi::c_void;

use ::tariff::machine::{Clock, Effect};
use ::tariff::meter::{Meter, Reading};
use ::tariff::purse::Limits;
use ::tariff::sets::Table;
use ::tariff::stored::{decode_meter_into, encode_meter, longest_meter};
use ::tariff::{Machine, Money};

use super::row::{Keeper, Sink};
use super::{mtr_moment, mtr_rows, mtr_tariff};
use crate::border::{Border, Checked, Entered, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_prepaid.
pub const MTR_PREPAID_SIZE: usize = 2400;
/// Most bytes of its stored state.
pub const MTR_PREPAID_STATE_MAX: usize = 832;
/// Directions that it counts: forward and reverse active energy.
pub const MTR_PREPAID_CHANNELS: usize = 2;
/// Rates with a register; energy of higher rates is charged and counts in the totals.
pub const MTR_PREPAID_RATES: usize = 4;
/// Directions whose demand it measures.
pub const MTR_PREPAID_DEMANDS: usize = 2;
/// Most slips in a window of demand.
pub const MTR_PREPAID_SLIPS: usize = 15;
const _: () = assert!(
    longest_meter(MTR_PREPAID_CHANNELS, MTR_PREPAID_RATES, MTR_PREPAID_DEMANDS)
        <= MTR_PREPAID_STATE_MAX
);

/// Behind an mtr_prepaid.
pub type Prepaid =
    Meter<MTR_PREPAID_CHANNELS, MTR_PREPAID_RATES, MTR_PREPAID_DEMANDS, MTR_PREPAID_SLIPS>;

/// A meter with fee control: registers by rate, purse, relay wish, settlement, demand, freezes, events. Opaque.
///
/// Order of writes: first the rows of a call (mtr_rows), then the state (mtr_prepaid_save), then the answer to whoever
/// gave an order. A power cut before the state loses the whole call, which is asked for again under the same count; one
/// behind it makes the repeat harmless. When a write fails, make the object anew from what is stored.
pub struct mtr_prepaid {
    _opaque: [u8; 0],
}

/// The limits of the purse, 10^-7 of the currency, none below 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_purse_limits {
    /// A balance at or below it raises the alarm.
    pub alarm_1: i64,
    /// A balance at or below it opens the relay as a reminder, which the key closes; 0 is off.
    pub alarm_2: i64,
    /// Emergency credit: how far below zero supply goes on after the key was pressed at zero; 0 locks at zero.
    pub overdraft: i64,
    /// Hoarding: balance and purchase together must not pass it; 0 is no limit.
    pub hoard: i64,
    /// A lock is left only when the balance is above it.
    pub close_allow: i64,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_purse_limits {}

impl mtr_purse_limits {
    pub(super) fn checked(&self) -> Checked<Limits> {
        let mtr_purse_limits {
            alarm_1,
            alarm_2,
            overdraft,
            hoard,
            close_allow,
        } = *self;
        if [alarm_1, alarm_2, overdraft, hoard, close_allow]
            .iter()
            .any(|limit| *limit < 0)
        {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let money = Money::from_ten_millionths;
        Ok(Limits {
            alarm_1: money(alarm_1),
            alarm_2: money(alarm_2),
            overdraft: money(overdraft),
            hoard: money(hoard),
            close_allow: money(close_allow),
        })
    }
}

impl From<Limits> for mtr_purse_limits {
    fn from(own: Limits) -> Self {
        mtr_purse_limits {
            alarm_1: own.alarm_1.ten_millionths(),
            alarm_2: own.alarm_2.ten_millionths(),
            overdraft: own.overdraft.ten_millionths(),
            hoard: own.hoard.ten_millionths(),
            close_allow: own.close_allow.ten_millionths(),
        }
    }
}

/// What the metering core counts, and the time.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_energy {
    /// Forward and reverse active energy, tenths of a watt hour, totals that never fall.
    pub tenths: [u64; MTR_PREPAID_CHANNELS],
    /// The time; with a bad clock any that runs on.
    pub now: mtr_moment,
    /// Mean power since the last call, watts; read only with `has_watts`.
    pub watts: u32,
    /// 1: the power is known.
    pub has_watts: u8,
    /// 1: the clock is to be trusted. Otherwise energy is booked at the fallback rate, and nothing is done that a
    /// calendar decides.
    pub clock_good: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_energy {}

impl mtr_energy {
    fn reading(&self) -> Reading<MTR_PREPAID_CHANNELS> {
        Reading {
            tenths: self.tenths,
            watts: (self.has_watts != 0).then_some(self.watts),
        }
    }
}

/// The wish did not change.
pub const MTR_SAME: u8 = 0;
/// The relay is now wanted open; the alarm went on.
pub const MTR_ON: u8 = 1;
/// The relay is now wanted closed; the alarm went off.
pub const MTR_OFF: u8 = 2;

/// What a call came to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_effect {
    /// Watt hours booked now.
    pub wh: u64,
    /// Their exact cost, 10^-7 of the currency.
    pub cost: i64,
    /// Standing charges taken now, the same unit.
    pub standing: i64,
    /// Rows kept now: the state is to be stored when there was one, or `relay_open` changed.
    pub rows: u32,
    /// MTR_ON: the relay is now wanted open; MTR_OFF: closed; MTR_SAME: as it was.
    pub relay_open: u8,
    /// MTR_ON, MTR_OFF or MTR_SAME: alarm 1.
    pub alarm: u8,
    /// 1: a total lay below the last one; nothing was booked and the mark was kept.
    pub went_back: u8,
}

const fn change(now: Option<bool>) -> u8 {
    match now {
        None => MTR_SAME,
        Some(true) => MTR_ON,
        Some(false) => MTR_OFF,
    }
}

impl mtr_effect {
    pub(super) fn new(own: &Effect, rows: u32) -> Self {
        mtr_effect {
            wh: own.wh,
            cost: own.cost.ten_millionths(),
            standing: own.standing.ten_millionths(),
            rows,
            relay_open: change(own.relay_open),
            alarm: change(own.alarm_1),
            went_back: own.went_back.into(),
        }
    }

    pub(super) const NOTHING: mtr_effect = mtr_effect {
        wh: 0,
        cost: 0,
        standing: 0,
        rows: 0,
        relay_open: MTR_SAME,
        alarm: MTR_SAME,
        went_back: 0,
    };
}

/// Ends a call that hands out rows: where one was refused the object ends, because it is ahead of what is stored.
///
/// # Safety
/// `prepaid` is the object of `entered`, whose body is not used any more.
pub(super) unsafe fn kept(
    prepaid: *mut mtr_prepaid,
    entered: Entered,
    keeper: &Keeper,
) -> Checked<()> {
    drop(entered);
    if !keeper.failed {
        return Ok(());
    }
    // SAFETY: forwarded contract.
    unsafe { Border::new().end(prepaid) }?;
    Err(mtr_result::MTR_ERR_CALLBACK)
}

/// Makes a new meter in `storage` of `size` bytes (at least MTR_PREPAID_SIZE, aligned to MTR_ALIGN): with `local` 1 the
/// purse decides, with 0 it only counts, under fee control from afar. MTR_ERR_PARAMETER for a limit below 0.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_init(
    storage: *mut c_void,
    size: usize,
    local: u8,
    limits: *const mtr_purse_limits,
    prepaid: *mut *mut mtr_prepaid,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, limits) = unsafe {
            (
                border.storage(storage, size, prepaid)?,
                border.given(limits)?,
            )
        };
        let limits = limits.checked()?;
        storage.fill(Meter::around(match local {
            0 => Machine::new(),
            _ => Machine::prepaid(limits),
        }));
        Ok(())
    })
}

/// As mtr_prepaid_init, from the state that mtr_prepaid_save wrote; `sequence` gets its number, the next state is saved
/// with the next one. MTR_ERR_STATE when the bytes are damaged, of a later version or of another shape.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_init_stored(
    storage: *mut c_void,
    size: usize,
    state: *const u8,
    len: usize,
    sequence: *mut u32,
    prepaid: *mut *mut mtr_prepaid,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, state, sequence) = unsafe {
            (
                border.storage(storage, size, prepaid)?,
                border.slice(state, len)?,
                border.place(sequence)?,
            )
        };
        storage.fill_with(Meter::around(Machine::new()), |meter| {
            let number = decode_meter_into(state, meter);
            sequence.write(number.map_err(|_| mtr_result::MTR_ERR_STATE)?);
            Ok(())
        })
    })
}

/// Writes the whole state with version, `sequence` and check value to `out` (MTR_PREPAID_STATE_MAX bytes are enough) and
/// its length to `len`. Where there is no journal, write it to two pages in turn and take the whole one with the higher
/// number.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_save(
    prepaid: *const mtr_prepaid,
    sequence: u32,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, out, len) = unsafe {
            (
                border.object(prepaid)?,
                border.buffer(out, capacity)?,
                border.place(len)?,
            )
        };
        len.write(encode_meter(meter, sequence, out).map_err(|_| mtr_result::MTR_ERR_LENGTH)?);
        Ok(())
    })
}

/// Takes time, totals and power: books the energy since the last call at the rate of that call, and carries out what
/// time brings. Call it at least at every mtr_prepaid_next_deadline. `rows` may be NULL: then rows are numbered but not
/// kept. MTR_ERR_CALLBACK: a row was refused, and the object has ended.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_advance(
    prepaid: *mut mtr_prepaid,
    tariff: *const mtr_tariff,
    energy: *const mtr_energy,
    rows: *const mtr_rows,
    effect: *mut mtr_effect,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((meter, entered), rules, energy, place, mut keeper) = unsafe {
            (
                border.enter(prepaid)?,
                border.object(tariff)?,
                border.given(energy)?,
                border.place(effect)?,
                Keeper::given(&mut border, rows)?,
            )
        };
        let now = Clock {
            at: energy.now.checked()?,
            good: energy.clock_good != 0,
        };
        let sink: Sink<'_> = &mut |row| keeper.keep(&row);
        let done = meter.advance(rules, now, &energy.reading(), sink);
        // SAFETY: the meter is not used below.
        unsafe { kept(prepaid, entered, &keeper) }?;
        place.write(mtr_effect::new(&done, keeper.count));
        Ok(())
    })
}

/// When mtr_prepaid_advance is due at the latest, UTC seconds. MTR_MORE before its first call.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_next_deadline(
    prepaid: *const mtr_prepaid,
    tariff: *const mtr_tariff,
    utc_s: *mut i64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, rules, place) = unsafe {
            (
                border.object(prepaid)?,
                border.object(tariff)?,
                border.place(utc_s)?,
            )
        };
        let deadline = meter.next_deadline(rules);
        place.write(deadline.ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// The clock was set from `before` to `after`; call mtr_prepaid_advance for `before` first. Set forward over boundaries,
/// one settlement and one freeze of each kind follow; set back, none is repeated. `rows` may be NULL, and
/// MTR_ERR_CALLBACK is as there.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_set_clock(
    prepaid: *mut mtr_prepaid,
    before: mtr_moment,
    after: mtr_moment,
    rows: *const mtr_rows,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((meter, entered), mut keeper) =
            unsafe { (border.enter(prepaid)?, Keeper::given(&mut border, rows)?) };
        let (before, after) = (before.checked()?, after.checked()?);
        let sink: Sink<'_> = &mut |row| keeper.keep(&row);
        meter.set_clock(before, after, sink);
        // SAFETY: the meter is not used below.
        unsafe { kept(prepaid, entered, &keeper) }
    })
}

/// Freezes all registers now. `rows` may be NULL, and MTR_ERR_CALLBACK is as with mtr_prepaid_advance.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_freeze(
    prepaid: *mut mtr_prepaid,
    at: mtr_moment,
    rows: *const mtr_rows,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((meter, entered), mut keeper) =
            unsafe { (border.enter(prepaid)?, Keeper::given(&mut border, rows)?) };
        let sink: Sink<'_> = &mut |row| keeper.keep(&row);
        meter.freeze(at.checked()?, sink);
        // SAFETY: the meter is not used below.
        unsafe { kept(prepaid, entered, &keeper) }
    })
}

/// Clears maximum demand; the row has what was held. `rows` may be NULL, and MTR_ERR_CALLBACK is as with
/// mtr_prepaid_advance.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_clear_demand(
    prepaid: *mut mtr_prepaid,
    at: mtr_moment,
    rows: *const mtr_rows,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let ((meter, entered), mut keeper) =
            unsafe { (border.enter(prepaid)?, Keeper::given(&mut border, rows)?) };
        let sink: Sink<'_> = &mut |row| keeper.keep(&row);
        meter.clear_demand(at.checked()?, sink);
        // SAFETY: the meter is not used below.
        unsafe { kept(prepaid, entered, &keeper) }
    })
}

/// Programs the switch of tables to their other set, MTR_SECOND_... together, at `at`; a time that is not after `now`
/// takes a waiting one back. MTR_ERR_PARAMETER for other bits.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_arm(
    prepaid: *mut mtr_prepaid,
    tables: u8,
    at: mtr_moment,
    now: mtr_moment,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let meter = unsafe { border.object_mut(prepaid) }?;
        let (at, now) = (at.checked()?, now.checked()?);
        if tables > 0x0F {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        for (bit, table) in Table::ALL.into_iter().enumerate() {
            if tables >> bit & 1 == 1 {
                meter.arm(table, at, now);
            }
        }
        Ok(())
    })
}

/// Takes over totals without booking: another metering core was put in, or another feature word holds from now on.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_set_totals(
    prepaid: *mut mtr_prepaid,
    tariff: *const mtr_tariff,
    energy: *const mtr_energy,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (meter, rules, energy) = unsafe {
            (
                border.object_mut(prepaid)?,
                border.object(tariff)?,
                border.given(energy)?,
            )
        };
        meter.set_totals(rules, energy.now.checked()?, &energy.reading());
        Ok(())
    })
}

/// Ends a meter; the storage is free then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_prepaid_end(prepaid: *mut mtr_prepaid) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|mut border| unsafe { border.end(prepaid) })
}
