//! Tables as C gives them, and their copies in the storage behind the object.

use core::mem::MaybeUninit;

use ::tariff::Broken;
use ::tariff::calendar::{Holiday, Slot, Zone};
use ::tariff::civil::{Date, Moment};
use ::tariff::friendly::FriendlyHours;
use ::tariff::price::Price;
use ::tariff::tier::Tier;

use crate::border::{Border, Checked, Plain};
use crate::result::mtr_result;

/// Money and prices of a kilowatt hour in this module: amounts count 10^-7 of the currency, so that no cost is rounded;
/// this many are 0.01.
pub const MTR_MONEY_HUNDREDTH: i64 = 100_000;

/// An instant with the offset of its local time, by which tables are looked up.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_moment {
    /// UTC, seconds since 1970, 0 to 253402300799 (the year 9999).
    pub utc_s: i64,
    /// Seconds that local time is ahead of UTC (28800 in China), -64800 to 64800.
    pub offset_s: i32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_moment {}

/// The last second of the year 9999.
const LAST_S: i64 = 253_402_300_799;

impl mtr_moment {
    pub(super) fn checked(self) -> Checked<Moment> {
        let (utc_s, offset_s) = (self.utc_s, self.offset_s);
        if (0..=LAST_S).contains(&utc_s) && (-64_800..=64_800).contains(&offset_s) {
            Ok(Moment { utc_s, offset_s })
        } else {
            Err(mtr_result::MTR_ERR_PARAMETER)
        }
    }
}

impl From<Moment> for mtr_moment {
    fn from(own: Moment) -> Self {
        mtr_moment {
            utc_s: own.utc_s,
            offset_s: own.offset_s,
        }
    }
}

/// A year zone: from this day on the day table holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_zone {
    /// First day as the number MMDD; 229 is allowed.
    pub start: u16,
    /// Day table, 1 to 8.
    pub table: u8,
}

/// A slot of a day table.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_rate_slot {
    /// First minute of the local day, 0 to 1439.
    pub start: u16,
    /// The day table that it belongs to, 1 to 8.
    pub table: u8,
    /// Rate, 1 to 63.
    pub rate: u8,
}

/// A public holiday.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_holiday {
    /// Year, 1970 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month.
    pub day: u8,
    /// Day table, 1 to 8.
    pub table: u8,
}

/// A tier of quantity within the period that the reset ends.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_tier {
    /// The last watt hour that belongs to it; UINT64_MAX in the last tier.
    pub up_to_wh: u64,
    /// What it adds to the price of the rate, 0.0001 of the currency a kilowatt hour.
    pub price: u32,
}

/// A friendly time: the purse does not open the relay in it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_friendly {
    /// First minute of the local day, 0 to 1439.
    pub from: u16,
    /// First minute behind it, 0 to 1440; at or before `from` it runs over midnight into the next day.
    pub until: u16,
    /// Weekdays on which it begins, bit 0 Sunday to bit 6 Saturday.
    pub weekdays: u8,
}

// SAFETY: integers only, here and in the four below.
unsafe impl Plain for mtr_zone {}
// SAFETY: as above.
unsafe impl Plain for mtr_rate_slot {}
// SAFETY: as above.
unsafe impl Plain for mtr_holiday {}
// SAFETY: as above.
unsafe impl Plain for mtr_tier {}
// SAFETY: as above.
unsafe impl Plain for mtr_friendly {}
// SAFETY: as above.
unsafe impl Plain for u32 {}

/// One set of the four tables that have two. The rows are copied; the arrays are free after the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_tables {
    /// Year zones, 1 to 14, rising by their start.
    pub zones: *const mtr_zone,
    /// Number of them.
    pub zone_count: usize,
    /// Slots of all day tables, at most 14 each, together by table and rising within it.
    pub slots: *const mtr_rate_slot,
    /// Number of them.
    pub slot_count: usize,
    /// Price of each rate, rate 1 first, 0.0001 of the currency a kilowatt hour; one for every rate of the slots.
    pub prices: *const u32,
    /// Number of them, at most 63.
    pub price_count: usize,
    /// Tiers, at most 7, rising; none is one tier that adds nothing.
    pub tiers: *const mtr_tier,
    /// Number of them.
    pub tier_count: usize,
}

// SAFETY: raw pointers and integers.
unsafe impl Plain for mtr_tables {}

/// The rule that tables or terms break.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mtr_broken {
    /// None.
    MTR_BROKEN_NONE = 0,
    /// A year has 1 to 14 zones.
    MTR_BROKEN_ZONE_COUNT = 1,
    /// A zone starts on a real day.
    MTR_BROKEN_ZONE_DATE = 2,
    /// Zones rise by their start.
    MTR_BROKEN_ZONE_ORDER = 3,
    /// A day table has at most 14 slots.
    MTR_BROKEN_SLOT_COUNT = 4,
    /// Tables are 1 to 8, slots start before 24:00.
    MTR_BROKEN_SLOT_TIME = 5,
    /// Slots lie together by table and rise within it.
    MTR_BROKEN_SLOT_ORDER = 6,
    /// Rates are numbered 1 to 63.
    MTR_BROKEN_RATE_NUMBER = 7,
    /// A table that is pointed to has at least one slot.
    MTR_BROKEN_NO_SUCH_TABLE = 8,
    /// At most 254 holidays, each a real date.
    MTR_BROKEN_HOLIDAY = 9,
    /// Every rate of the slots has a price, at most 63.
    MTR_BROKEN_PRICE_COUNT = 10,
    /// At most seven tiers.
    MTR_BROKEN_TIER_COUNT = 11,
    /// Tier bounds rise, and the last tier has none.
    MTR_BROKEN_TIER_ORDER = 12,
    /// The reset of the tiers is a real instant on day 1 to 28.
    MTR_BROKEN_RESET = 13,
    /// A term is outside its range: friendly hours, standing charge, feature word, fallback rate.
    MTR_BROKEN_TERM = 14,
    /// A settlement day is 1 to 28, its hour 0 to 23.
    MTR_BROKEN_SETTLEMENT = 15,
    /// Demand windows are at most a day and 1 to MTR_PREPAID_SLIPS slips.
    MTR_BROKEN_DEMAND = 16,
    /// A freeze pattern or an interval is outside its range.
    MTR_BROKEN_FREEZE = 17,
    /// The programmed change of fee control is outside its range.
    MTR_BROKEN_MODE = 18,
    /// A rule that this version has no number for.
    MTR_BROKEN_OTHER = 255,
}

impl From<Broken> for mtr_broken {
    fn from(own: Broken) -> Self {
        match own {
            Broken::ZoneCount => mtr_broken::MTR_BROKEN_ZONE_COUNT,
            Broken::ZoneDate => mtr_broken::MTR_BROKEN_ZONE_DATE,
            Broken::ZoneOrder => mtr_broken::MTR_BROKEN_ZONE_ORDER,
            Broken::SlotCount => mtr_broken::MTR_BROKEN_SLOT_COUNT,
            Broken::SlotTime => mtr_broken::MTR_BROKEN_SLOT_TIME,
            Broken::SlotOrder => mtr_broken::MTR_BROKEN_SLOT_ORDER,
            Broken::RateNumber => mtr_broken::MTR_BROKEN_RATE_NUMBER,
            Broken::NoSuchTable => mtr_broken::MTR_BROKEN_NO_SUCH_TABLE,
            Broken::HolidayCount => mtr_broken::MTR_BROKEN_HOLIDAY,
            Broken::PriceCount => mtr_broken::MTR_BROKEN_PRICE_COUNT,
            Broken::TierCount => mtr_broken::MTR_BROKEN_TIER_COUNT,
            Broken::TierOrder => mtr_broken::MTR_BROKEN_TIER_ORDER,
            Broken::ResetDate => mtr_broken::MTR_BROKEN_RESET,
            _ => mtr_broken::MTR_BROKEN_OTHER,
        }
    }
}

/// Why rows or terms are not taken: a code for a pointer or a length, or the broken rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    Code(mtr_result),
    Rule(mtr_broken),
}

impl From<mtr_result> for Refused {
    fn from(code: mtr_result) -> Self {
        Refused::Code(code)
    }
}

impl From<mtr_broken> for Refused {
    fn from(rule: mtr_broken) -> Self {
        Refused::Rule(rule)
    }
}

impl From<Broken> for Refused {
    fn from(rule: Broken) -> Self {
        Refused::Rule(rule.into())
    }
}

/// The storage behind an object, from which rows take their places one after the other.
pub(super) struct Room(&'static mut [u8]);

impl Room {
    pub(super) fn new(buffer: &'static mut [u8]) -> Self {
        Room(buffer)
    }

    /// Copies rows of C as rows of the crate.
    ///
    /// # Safety
    /// As [`Border::slice`].
    pub(super) unsafe fn rows<G: Plain, T: Copy>(
        &mut self,
        border: &mut Border,
        pointer: *const G,
        count: usize,
        row: impl Fn(&G) -> Result<T, Refused>,
    ) -> Result<&'static [T], Refused> {
        // SAFETY: forwarded contract.
        let given = unsafe { border.slice(pointer, count) }?;
        let all = core::mem::take(&mut self.0);
        let skipped = all.as_ptr().align_offset(align_of::<T>());
        let end = given
            .len()
            .checked_mul(size_of::<T>())
            .and_then(|bytes| bytes.checked_add(skipped))
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        let (taken, rest) = all
            .split_at_mut_checked(end)
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        self.0 = rest;
        // SAFETY: any bytes may stand in a place that is not initialised, and places hold nothing to be dropped.
        let (_, places, _) = unsafe { taken.align_to_mut::<MaybeUninit<T>>() };
        let places = places
            .get_mut(..given.len())
            .ok_or(mtr_result::MTR_ERR_LENGTH)?;
        for (place, given) in places.iter_mut().zip(given) {
            place.write(row(given)?);
        }
        // SAFETY: every place was written just now, and `MaybeUninit<T>` lies as `T` does.
        Ok(unsafe { core::slice::from_raw_parts(places.as_ptr().cast::<T>(), places.len()) })
    }
}

pub(super) fn zone(given: &mtr_zone) -> Result<Zone, Refused> {
    Ok(Zone {
        start: given.start,
        table: given.table,
    })
}

pub(super) fn slot(given: &mtr_rate_slot) -> Result<Slot, Refused> {
    Ok(Slot {
        table: given.table,
        start: given.start,
        rate: given.rate,
    })
}

pub(super) fn price(given: &u32) -> Result<Price, Refused> {
    Ok(Price::from_ten_thousandths(*given))
}

pub(super) fn tier(given: &mtr_tier) -> Result<Tier, Refused> {
    Ok(Tier {
        up_to_wh: given.up_to_wh,
        price: Price::from_ten_thousandths(given.price),
    })
}

pub(super) fn holiday(given: &mtr_holiday) -> Result<Holiday, Refused> {
    let date = Date::try_new(given.year, given.month, given.day);
    Ok(Holiday {
        date: date.ok_or(mtr_broken::MTR_BROKEN_HOLIDAY)?,
        table: given.table,
    })
}

pub(super) fn friendly(given: &mtr_friendly) -> Result<FriendlyHours, Refused> {
    if given.weekdays > 0x7F || given.from > 1439 || given.until > 1440 {
        return Err(mtr_broken::MTR_BROKEN_TERM.into());
    }
    Ok(FriendlyHours {
        weekdays: given.weekdays,
        from: given.from,
        until: given.until,
    })
}
