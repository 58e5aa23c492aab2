//! Tables and terms, checked once: what every call on a meter goes by.

use core::ffi::c_void;

use ::tariff::calendar::{By, Calendar};
use ::tariff::combine::ActiveWord;
use ::tariff::friendly::Friendly;
use ::tariff::machine::Terms;
use ::tariff::meter::Parameters;
use ::tariff::sets::{Running, Sets};
use ::tariff::{Money, Tariff};

use super::tables::{Room, friendly, holiday, price, slot, tier, zone};
use super::{Refused, mtr_broken, mtr_moment, mtr_tables, mtr_terms};
use crate::border::{Border, Checked, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_tariff without its rows. For every row of every table that is given add, at most: 16 bytes
/// a tier, 8 a holiday or friendly hour, 4 a zone, slot or price; and 16 for their alignment.
pub const MTR_TARIFF_SIZE: usize = 528;
/// Enough for a small meter: in each of two sets 2 zones, 16 slots, 4 prices and 3 tiers; 8 holidays, 8 friendly hours.
pub const MTR_TARIFF_SMALL_SIZE: usize = MTR_TARIFF_SIZE + 416;
/// Enough for all that DL/T 645 allows: in each of two sets 14 zones, 112 slots, 63 prices and 7 tiers; 254 holidays,
/// and 14 friendly hours.
pub const MTR_TARIFF_FULL_SIZE: usize = MTR_TARIFF_SIZE + 3904;

/// Tables and terms of a meter, checked in every combination that can run. Opaque; not changed by any call: for other
/// tables make another one, and go on with it.
pub struct mtr_tariff {
    _opaque: [u8; 0],
}

/// What holds at an instant.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_rate_at {
    /// When rate or tier period may change next, UTC seconds, at most a day later.
    pub next_s: i64,
    /// Price of the rate, 0.0001 of the currency a kilowatt hour, without tiers.
    pub price: u32,
    /// Rate, 1 to 63.
    pub rate: u8,
    /// Day table, 1 to 8.
    pub table: u8,
    /// Why this table: 0 a public holiday, 1 a weekly rest day, 2 the year zone.
    pub by: u8,
}

/// The second set of the year zones runs.
pub const MTR_SECOND_ZONES: u8 = 1;
/// The second set of the day tables runs.
pub const MTR_SECOND_DAY_TABLES: u8 = 2;
/// The second set of the prices runs.
pub const MTR_SECOND_PRICES: u8 = 4;
/// The second set of the tiers runs.
pub const MTR_SECOND_TIERS: u8 = 8;

impl mtr_tables {
    /// Copies a set and looks at it as a tariff, its calendar not yet with rest days and holidays.
    ///
    /// # Safety
    /// Its rows are readable.
    unsafe fn copied(
        &self,
        mut border: Border,
        room: &mut Room,
        terms: &mtr_terms,
    ) -> Result<Tariff<'static>, Refused> {
        // SAFETY: forwarded contract.
        let (zones, slots, prices, tiers) = unsafe {
            (
                room.rows(&mut border, self.zones, self.zone_count, zone)?,
                room.rows(&mut border, self.slots, self.slot_count, slot)?,
                room.rows(&mut border, self.prices, self.price_count, price)?,
                room.rows(&mut border, self.tiers, self.tier_count, tier)?,
            )
        };
        let tariff = Tariff::try_new(Calendar::try_new(zones, slots)?, prices)?;
        let tiers = if tiers.is_empty() {
            tariff.tiers()
        } else {
            tiers
        };
        Ok(tariff.with_tiers(tiers, terms.reset())?)
    }
}

/// Everything that is given, copied and checked.
///
/// # Safety
/// The rows of all are readable.
unsafe fn parameters(
    border: &Border,
    room: &mut Room,
    first: &mtr_tables,
    second: Option<&mtr_tables>,
    terms: &mtr_terms,
) -> Result<Parameters<'static>, Refused> {
    // SAFETY: forwarded contract.
    let base = unsafe { first.copied(border.inner(), room, terms) }?;
    let spare = match second {
        // SAFETY: forwarded contract.
        Some(second) => unsafe { second.copied(border.inner(), room, terms) }?,
        None => base,
    };
    let mut inner = border.inner();
    // SAFETY: forwarded contract.
    let (holidays, hours) = unsafe {
        (
            room.rows(&mut inner, terms.holidays, terms.holiday_count, holiday)?,
            room.rows(&mut inner, terms.friendly, terms.friendly_count, friendly)?,
        )
    };
    let mut calendar = Calendar::try_new(base.calendar().zones(), base.calendar().slots())?;
    if terms.work_days & 0x7F != 0x7F {
        calendar = calendar.with_rest_days(terms.work_days, terms.rest_table)?;
    }
    let calendar = calendar.with_holidays(holidays)?;
    let running =
        Tariff::try_new(calendar, base.prices())?.with_tiers(base.tiers(), base.reset())?;
    let sets = Sets::try_new(
        running,
        spare.calendar().zones(),
        spare.calendar().slots(),
        spare.prices(),
        spare.tiers(),
    )?;
    if terms.standing < 0 || terms.active_word > 0x0F || terms.fallback_rate > 63 {
        return Err(mtr_broken::MTR_BROKEN_TERM.into());
    }
    Ok(Parameters {
        terms: Terms {
            friendly: Friendly {
                hours,
                holidays: terms.friendly_holidays != 0,
            },
            standing: Money::from_ten_millionths(terms.standing),
            overload: terms.power(),
            fallback_rate: terms.fallback_rate,
        },
        active: ActiveWord(terms.active_word),
        settlement: terms.settlement()?,
        windows: terms.windows()?,
        freezes: terms.freezes()?,
        load: terms.load(),
        mode: terms.mode()?,
        ..Parameters::of(sets)
    })
}

/// Copies and checks tables and terms into `storage` of `size` bytes (MTR_TARIFF_SMALL_SIZE, MTR_TARIFF_FULL_SIZE, or
/// MTR_TARIFF_SIZE and what the rows need; aligned to MTR_ALIGN). `second` may be NULL: then both sets are the same.
/// MTR_ERR_PARAMETER for a broken rule, whose number is in `broken` then (MTR_BROKEN_NONE otherwise);
/// MTR_ERR_LENGTH when the rows do not fit; the codes of pointers for the rows too.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_tariff_init(
    storage: *mut c_void,
    size: usize,
    first: *const mtr_tables,
    second: *const mtr_tables,
    terms: *const mtr_terms,
    broken: *mut mtr_broken,
    tariff: *mut *mut mtr_tariff,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (mut storage, first, second, terms, broken) = unsafe {
            (
                border.storage(storage, size, tariff)?,
                border.given(first)?,
                if second.is_null() {
                    None
                } else {
                    Some(border.given(second)?)
                },
                border.given(terms)?,
                border.place(broken)?,
            )
        };
        broken.write(mtr_broken::MTR_BROKEN_NONE);
        let mut room = Room::new(storage.buffer());
        // SAFETY: forwarded contract of this function, by which pointers in structures are as good as arguments.
        match unsafe { parameters(&border, &mut room, first, second, terms) } {
            Ok(parameters) => storage.fill(parameters),
            Err(Refused::Code(code)) => return Err(code),
            Err(Refused::Rule(rule)) => {
                broken.write(rule);
                return Err(mtr_result::MTR_ERR_PARAMETER);
            }
        }
        Ok(())
    })
}

/// The rate in force at an instant. `second` says which tables run with their second set, MTR_SECOND_... together: 0 for
/// the first sets, mtr_fee_status has what a meter runs with. MTR_ERR_PARAMETER for other bits or an instant outside its
/// range.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_tariff_rate(
    tariff: *const mtr_tariff,
    second: u8,
    at: mtr_moment,
    rate: *mut mtr_rate_at,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (rules, place) = unsafe { (border.object(tariff)?, border.place(rate)?) };
        let at = at.checked()?;
        let tariff = rules.sets.tariff(&running(second)?);
        let rate = tariff.calendar().rate(at);
        let (table, by) = tariff.calendar().day_table(at.date());
        place.write(mtr_rate_at {
            next_s: tariff.next_change(at).utc_s,
            price: tariff.rate_price(rate).ten_thousandths(),
            rate,
            table,
            by: match by {
                By::Holiday => 0,
                By::RestDay => 1,
                By::Zone => 2,
            },
        });
        Ok(())
    })
}

/// Sets that run, by the bits of MTR_SECOND_....
fn running(second: u8) -> Checked<Running> {
    let mut bytes = [0; Running::ENCODED_LEN];
    if let Some(first) = bytes.first_mut() {
        *first = second;
    }
    Running::from_bytes(&bytes).ok_or(mtr_result::MTR_ERR_PARAMETER)
}
