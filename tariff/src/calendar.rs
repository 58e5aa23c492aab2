//! Which rate is in force: public holiday, else weekly rest day, else year zone; then the slot.

use crate::civil::{Date, Moment, days_in_month};
use crate::plan::Broken;

/// Most zones of a year (04000201).
pub const MAX_ZONES: usize = 14;
/// Most day tables (04000202).
pub const MAX_TABLES: u8 = 8;
/// Most slots of one day table (04000203).
pub const MAX_SLOTS: usize = 14;
/// Most rates (04000204).
pub const MAX_RATES: u8 = 63;
/// Most public holidays (04000205).
pub const MAX_HOLIDAYS: usize = 254;

/// A year zone: from this day on the day table holds (row MMDDNN of 04010000).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// First day as the number MMDD; 229 is allowed.
    pub start: u16,
    /// Day table, 1..=8.
    pub table: u8,
}

/// A slot of a day table (row hhmmNN of 0401000x).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The day table this slot belongs to, 1..=8.
    pub table: u8,
    /// First minute of the local day, 0..=1439.
    pub start: u16,
    /// Rate, 1..=63.
    pub rate: u8,
}

/// A public holiday (row YYMMDDNN of 040300xx).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// Day table, 1..=8.
    pub table: u8,
}

/// Why a day table was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A public holiday.
    Holiday,
    /// A weekly rest day.
    RestDay,
    /// The year zone.
    Zone,
}

/// The tables that choose a rate, borrowed and checked.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    zones: &'a [Zone],
    slots: &'a [Slot],
    holidays: &'a [Holiday],
    work_days: u8,
    rest_table: u8,
}

impl<'a> Calendar<'a> {
    /// A calendar of zones and day tables, every weekday a work day and no holidays.
    ///
    /// `zones` rise by their start; `slots` lie together by table and rise within it (equal rows,
    /// as tools fill unused places, are accepted).
    ///
    /// # Errors
    /// The first broken rule.
    pub fn try_new(zones: &'a [Zone], slots: &'a [Slot]) -> Result<Self, Broken> {
        if zones.is_empty() || zones.len() > MAX_ZONES {
            return Err(Broken::ZoneCount);
        }
        let calendar = Calendar {
            zones,
            slots,
            holidays: &[],
            work_days: 0x7F,
            rest_table: 0,
        };
        let mut last = 0;
        for zone in zones {
            let (month, day) = (zone.start / 100, zone.start % 100);
            // 2000 is a leap year: 29 February is a real start.
            if month > 12 || day == 0 || day > u16::from(days_in_month(2000, month as u8)) {
                return Err(Broken::ZoneDate);
            }
            if zone.start < last {
                return Err(Broken::ZoneOrder);
            }
            last = zone.start;
            calendar.check_table(zone.table)?;
        }
        let mut before: Option<Slot> = None;
        let mut run = 0;
        for slot in slots {
            if slot.table == 0 || slot.table > MAX_TABLES || slot.start > 1439 {
                return Err(Broken::SlotTime);
            }
            if slot.rate == 0 || slot.rate > MAX_RATES {
                return Err(Broken::RateNumber);
            }
            match before {
                Some(last) if last.table == slot.table => {
                    run += 1;
                    if last.start > slot.start {
                        return Err(Broken::SlotOrder);
                    }
                }
                Some(last) if last.table > slot.table => return Err(Broken::SlotOrder),
                _ => run = 1,
            }
            if run > MAX_SLOTS {
                return Err(Broken::SlotCount);
            }
            before = Some(*slot);
        }
        Ok(calendar)
    }

    /// The same calendar with weekly rest days: word 04000801 (bit 0 Sunday .. bit 6 Saturday, 1 is
    /// a work day) and table 04000802.
    ///
    /// # Errors
    /// [`Broken::NoSuchTable`].
    pub fn with_rest_days(mut self, work_days: u8, table: u8) -> Result<Self, Broken> {
        self.check_table(table)?;
        self.work_days = work_days;
        self.rest_table = table;
        Ok(self)
    }

    /// The same calendar with public holidays, in any order.
    ///
    /// # Errors
    /// [`Broken::HolidayCount`] or [`Broken::NoSuchTable`].
    pub fn with_holidays(mut self, holidays: &'a [Holiday]) -> Result<Self, Broken> {
        if holidays.len() > MAX_HOLIDAYS {
            return Err(Broken::HolidayCount);
        }
        for holiday in holidays {
            self.check_table(holiday.table)?;
        }
        self.holidays = holidays;
        Ok(self)
    }

    /// The year zones.
    pub fn zones(&self) -> &'a [Zone] {
        self.zones
    }

    /// The slots of all day tables.
    pub fn slots(&self) -> &'a [Slot] {
        self.slots
    }

    /// The same holidays and rest days around other tables.
    pub(crate) fn checked_with(
        &self,
        zones: &'a [Zone],
        slots: &'a [Slot],
    ) -> Result<Self, Broken> {
        let calendar = Calendar::try_new(zones, slots)?.with_holidays(self.holidays)?;
        if self.rest_table == 0 {
            Ok(calendar)
        } else {
            calendar.with_rest_days(self.work_days, self.rest_table)
        }
    }

    /// [`Calendar::checked_with`] for tables that passed it before.
    pub(crate) const fn with_tables(self, zones: &'a [Zone], slots: &'a [Slot]) -> Self {
        Calendar {
            zones,
            slots,
            ..self
        }
    }

    fn check_table(&self, table: u8) -> Result<(), Broken> {
        if self.table(table).next().is_none() {
            Err(Broken::NoSuchTable)
        } else {
            Ok(())
        }
    }

    fn table(&self, table: u8) -> impl Iterator<Item = &'a Slot> + use<'a> {
        self.slots.iter().filter(move |slot| slot.table == table)
    }

    /// The highest rate number of any slot.
    pub fn highest_rate(&self) -> u8 {
        self.slots.iter().map(|slot| slot.rate).max().unwrap_or(0)
    }

    /// The day table of a date and why.
    pub fn day_table(&self, date: Date) -> (u8, By) {
        if let Some(holiday) = self.holidays.iter().find(|holiday| holiday.date == date) {
            return (holiday.table, By::Holiday);
        }
        if self.work_days & (1 << date.weekday()) == 0 {
            return (self.rest_table, By::RestDay);
        }
        let today = date.month_day();
        let zone = self
            .zones
            .iter()
            .rev()
            .find(|zone| zone.start <= today)
            .or(self.zones.last());
        (zone.map_or(0, |zone| zone.table), By::Zone)
    }

    /// The rate in force at an instant: the last slot begun, or before the first slot the last one
    /// of the same table.
    pub fn rate(&self, at: Moment) -> u8 {
        let (table, _) = self.day_table(at.date());
        let minute = at.minute_of_day();
        let begun = self.table(table).filter(|slot| slot.start <= minute).last();
        begun
            .or_else(|| self.table(table).last())
            .map_or(1, |slot| slot.rate)
    }

    /// The next instant at which the rate may change: a slot of today or midnight. Always later
    /// than `at`, at most a day.
    pub fn next_change(&self, at: Moment) -> Moment {
        let second = at.second_of_day();
        let (table, _) = self.day_table(at.date());
        let slots = self.table(table).map(|slot| u32::from(slot.start) * 60);
        let next = slots
            .filter(|&start| start > second)
            .min()
            .unwrap_or(86_400);
        at.plus(i64::from(next - second))
    }
}
