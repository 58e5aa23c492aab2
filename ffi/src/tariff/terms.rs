//! What a meter goes by besides its tables.

use ::tariff::Money;
use ::tariff::civil::Moment;
use ::tariff::demand::Windows;
use ::tariff::freeze::{Every, Freezes, LoadPlan, Pattern};
use ::tariff::meter::{Mode, ModeSwitch};
use ::tariff::overload::PowerLimit;
use ::tariff::settlement::{SettlementDay, SettlementDays};
use ::tariff::tier::Reset;

use super::{MTR_PREPAID_SLIPS, Refused, mtr_broken, mtr_friendly, mtr_holiday};
use crate::border::{Plain, call};
use crate::result::mtr_result;

/// No pattern.
pub const MTR_PATTERN_NONE: u8 = 0;
/// Every hour at `minute`, 0 to 59.
pub const MTR_PATTERN_HOURLY: u8 = 1;
/// Every day at `minute` of the day, 0 to 1439.
pub const MTR_PATTERN_DAILY: u8 = 2;
/// Every month on `day`, 1 to 28, at `minute`.
pub const MTR_PATTERN_MONTHLY: u8 = 3;
/// Every year in `month` on `day` at `minute`.
pub const MTR_PATTERN_YEARLY: u8 = 4;

/// Fee control stays as it is.
pub const MTR_MODE_SAME: u8 = 0;
/// Fee control from afar, by a bill.
pub const MTR_MODE_REMOTE: u8 = 1;
/// Fee control by the purse.
pub const MTR_MODE_LOCAL: u8 = 2;

/// A settlement day of each month.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_settlement {
    /// Day, 1 to 28; 0 for none.
    pub day: u8,
    /// Local hour, 0 to 23.
    pub hour: u8,
}

/// Instants that come again by the local clock.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_pattern {
    /// Minute of the hour or of the day.
    pub minute: u16,
    /// MTR_PATTERN_...
    pub kind: u8,
    /// Month, where the kind has one.
    pub month: u8,
    /// Day of the month, where the kind has one.
    pub day: u8,
}

/// Instants at equal distances.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_every {
    /// The first one, UTC seconds.
    pub start_s: i64,
    /// Minutes between two; 0 for none.
    pub minutes: u16,
}

/// When the relay opens for too much power.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_power_limit {
    /// Highest power that may last, watts; 0 for no limit.
    pub watts: u32,
    /// How long it may be above, seconds.
    pub after_s: u32,
    /// After how many seconds the relay closes by itself; 0 waits for the key.
    pub reclose_s: u32,
    /// How often it closes by itself before the key is needed.
    pub tries: u8,
    /// 1: opens in spite of keep power.
    pub despite_keep_power: u8,
}

/// A programmed change of fee control.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_mode_switch {
    /// When, UTC seconds; one that the meter's clock has passed does nothing.
    pub at_s: i64,
    /// What the purse begins with under MTR_MODE_LOCAL, 10^-7 of the currency, not below 0.
    pub initial: i64,
    /// MTR_MODE_...; MTR_MODE_SAME for none.
    pub to: u8,
}

/// What a meter goes by besides its tables. Begin with mtr_terms_defaults. The rows are copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_terms {
    /// Public holidays in any order, at most 254.
    pub holidays: *const mtr_holiday,
    /// Number of them.
    pub holiday_count: usize,
    /// Friendly hours.
    pub friendly: *const mtr_friendly,
    /// Number of them.
    pub friendly_count: usize,
    /// Taken from the purse for every local day on which the account is open, 10^-7 of the currency, not below 0.
    pub standing: i64,
    /// The over-power trip.
    pub power: mtr_power_limit,
    /// A programmed change of fee control.
    pub mode: mtr_mode_switch,
    /// The hourly freeze: distance and first instant.
    pub hourly: mtr_every,
    /// Load records by class: V/I/f, power, power factor, energy, quadrants, demand.
    pub load: [mtr_every; 6],
    /// The timed freeze.
    pub timed: mtr_pattern,
    /// The daily freeze, of the purse too.
    pub daily: mtr_pattern,
    /// Settlement days; the first one ends a period of demand.
    pub settlement: [mtr_settlement; 3],
    /// Demand: minutes of a window, at most 1440; 0 without demand.
    pub demand_min: u16,
    /// Minutes by which windows move, 1 to MTR_PREPAID_SLIPS of them to a window; 0 for windows side by side, by the
    /// local clock.
    pub demand_slip_min: u16,
    /// Work days, bit 0 Sunday to bit 6 Saturday; 0x7F is no rest day.
    pub work_days: u8,
    /// Day table of rest days; not looked at without rest days.
    pub rest_table: u8,
    /// 1: public holidays are friendly from midnight to midnight.
    pub friendly_holidays: u8,
    /// What is charged (feature word of active energy): bit 0 adds forward, 1 subtracts it, 2 adds reverse, 3 subtracts
    /// it. With a word that subtracts, energy fed in is used up again before anything is charged; it is never paid.
    pub active_word: u8,
    /// The rate while the clock is not to be trusted; 0 keeps the last one.
    pub fallback_rate: u8,
    /// Tiers begin anew: month 1 to 12 for once a year, 0 for every month.
    pub reset_month: u8,
    /// Day, 1 to 28.
    pub reset_day: u8,
    /// Local hour, 0 to 23.
    pub reset_hour: u8,
}

// SAFETY: raw pointers, integers and structures of integers.
unsafe impl Plain for mtr_terms {}

const NO_PATTERN: mtr_pattern = mtr_pattern {
    minute: 0,
    kind: MTR_PATTERN_NONE,
    month: 0,
    day: 0,
};
const NEVER: mtr_every = mtr_every {
    start_s: 0,
    minutes: 0,
};
const NO_DAY: mtr_settlement = mtr_settlement { day: 0, hour: 0 };

/// Fills in the defaults: forward energy is charged, settlement and reset of the tiers at 00:00 of the first, every day
/// a work day, no holidays, friendly hours, standing charge, limits, freezes, load records or demand.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_terms_defaults(terms: *mut mtr_terms) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(terms) }?.write(mtr_terms {
            holidays: core::ptr::null(),
            holiday_count: 0,
            friendly: core::ptr::null(),
            friendly_count: 0,
            standing: 0,
            power: mtr_power_limit {
                watts: 0,
                after_s: 0,
                reclose_s: 0,
                tries: 0,
                despite_keep_power: 0,
            },
            mode: mtr_mode_switch {
                at_s: 0,
                initial: 0,
                to: MTR_MODE_SAME,
            },
            hourly: NEVER,
            load: [NEVER; 6],
            timed: NO_PATTERN,
            daily: NO_PATTERN,
            settlement: [mtr_settlement { day: 1, hour: 0 }, NO_DAY, NO_DAY],
            demand_min: 0,
            demand_slip_min: 0,
            work_days: 0x7F,
            rest_table: 0,
            friendly_holidays: 0,
            active_word: 1,
            fallback_rate: 0,
            reset_month: 0,
            reset_day: 1,
            reset_hour: 0,
        });
        Ok(())
    })
}

fn pattern(given: mtr_pattern) -> Result<Option<Pattern>, Refused> {
    let mtr_pattern {
        minute,
        kind,
        month,
        day,
    } = given;
    let (longest, has_day, has_month) = match kind {
        MTR_PATTERN_HOURLY => (59, false, false),
        MTR_PATTERN_MONTHLY => (1439, true, false),
        MTR_PATTERN_YEARLY => (1439, true, true),
        _ => (1439, false, false),
    };
    if minute > longest
        || has_day && !(1..=28).contains(&day)
        || has_month && !(1..=12).contains(&month)
    {
        return Err(mtr_broken::MTR_BROKEN_FREEZE.into());
    }
    Ok(match kind {
        MTR_PATTERN_NONE => None,
        MTR_PATTERN_HOURLY => Some(Pattern::Hourly {
            minute: minute as u8,
        }),
        MTR_PATTERN_DAILY => Some(Pattern::Daily { minute }),
        MTR_PATTERN_MONTHLY => Some(Pattern::Monthly { day, minute }),
        MTR_PATTERN_YEARLY => Some(Pattern::Yearly { month, day, minute }),
        _ => return Err(mtr_broken::MTR_BROKEN_FREEZE.into()),
    })
}

fn every(given: mtr_every) -> Option<Every> {
    let start = Moment {
        utc_s: given.start_s,
        offset_s: 0,
    };
    Every::try_new(start, given.minutes)
}

impl mtr_terms {
    pub(super) fn reset(&self) -> Reset {
        let (day, hour) = (self.reset_day, self.reset_hour);
        match self.reset_month {
            0 => Reset::Monthly { day, hour },
            month => Reset::Yearly { month, day, hour },
        }
    }

    pub(super) fn settlement(&self) -> Result<SettlementDays, Refused> {
        let mut days = [None; 3];
        for (place, given) in days.iter_mut().zip(self.settlement) {
            if given.day != 0 {
                let day = SettlementDay::try_new(given.day, given.hour);
                *place = Some(day.ok_or(mtr_broken::MTR_BROKEN_SETTLEMENT)?);
            }
        }
        Ok(SettlementDays(days))
    }

    pub(super) fn windows(&self) -> Result<Option<Windows>, Refused> {
        let windows = match (self.demand_min, self.demand_slip_min) {
            (0, _) => return Ok(None),
            (period, 0) => Windows::block(period),
            (period, slip) => Windows::sliding(period, slip),
        };
        let windows = windows.filter(|windows| usize::from(windows.slips()) <= MTR_PREPAID_SLIPS);
        Ok(Some(windows.ok_or(mtr_broken::MTR_BROKEN_DEMAND)?))
    }

    pub(super) fn freezes(&self) -> Result<Freezes, Refused> {
        Ok(Freezes {
            timed: pattern(self.timed)?,
            hourly: every(self.hourly),
            daily: pattern(self.daily)?,
        })
    }

    pub(super) fn load(&self) -> LoadPlan {
        self.load.map(every)
    }

    pub(super) fn power(&self) -> Option<PowerLimit> {
        let given = self.power;
        (given.watts > 0).then_some(PowerLimit {
            watts: given.watts,
            after_s: given.after_s,
            reclose_s: given.reclose_s,
            tries: given.tries,
            despite_keep_power: given.despite_keep_power != 0,
        })
    }

    pub(super) fn mode(&self) -> Result<Option<ModeSwitch>, Refused> {
        let mtr_mode_switch { at_s, initial, to } = self.mode;
        let to = match to {
            MTR_MODE_SAME => return Ok(None),
            MTR_MODE_REMOTE => Mode::Remote,
            MTR_MODE_LOCAL if initial >= 0 => Mode::Local {
                initial: Money::from_ten_millionths(initial),
            },
            _ => return Err(mtr_broken::MTR_BROKEN_MODE.into()),
        };
        Ok(Some(ModeSwitch { at_s, to }))
    }
}
