//! Owned tables of fixed size, for meters whose tariff arrives at run time.

use heapless::Vec;

use crate::calendar::{Calendar, Holiday, Slot, Zone};
use crate::plan::{Broken, ONE_TIER, Tariff};
use crate::price::Price;
use crate::sets::Sets;
use crate::tier::{Reset, Tier};

/// Storage for the tables of one tariff. The fields are filled freely; [`Plan::tariff`] checks.
#[derive(Clone, Debug)]
pub struct Plan<
    const ZONES: usize,
    const SLOTS: usize,
    const HOLIDAYS: usize,
    const RATES: usize,
    const TIERS: usize,
> {
    /// Year zones, rising.
    pub zones: Vec<Zone, ZONES>,
    /// Slots of all day tables, by table and start.
    pub slots: Vec<Slot, SLOTS>,
    /// Public holidays.
    pub holidays: Vec<Holiday, HOLIDAYS>,
    /// Work days, bit 0 Sunday .. bit 6 Saturday; 7F is no rest day.
    pub work_days: u8,
    /// Day table of rest days; not looked at without rest days.
    pub rest_table: u8,
    /// Price of each rate, rate 1 first.
    pub prices: Vec<Price, RATES>,
    /// Tiers; none is one tier that adds nothing.
    pub tiers: Vec<Tier, TIERS>,
    /// When the tiers begin anew.
    pub reset: Reset,
}

/// A small meter: two zones, two tables of eight slots, four rates, three tiers, eight holidays.
pub type Small = Plan<2, 16, 8, 4, 3>;

/// The limits of DL/T 645: 14 zones, 8 tables of 14 slots, 254 holidays, 63 rates, 7 tiers.
pub type Full = Plan<14, 112, 254, 63, 7>;

impl<const Z: usize, const S: usize, const H: usize, const R: usize, const T: usize>
    Plan<Z, S, H, R, T>
{
    /// Empty tables, no rest day, monthly tiers.
    pub const fn new() -> Self {
        Plan {
            zones: Vec::new(),
            slots: Vec::new(),
            holidays: Vec::new(),
            work_days: 0x7F,
            rest_table: 0,
            prices: Vec::new(),
            tiers: Vec::new(),
            reset: Reset::Monthly { day: 1, hour: 0 },
        }
    }

    /// These tables as the first sets and those of `spare` as the second; holidays, rest days and the
    /// reset of the tiers are these.
    ///
    /// # Errors
    /// The first broken rule of any combination that can run.
    pub fn sets<'a>(&'a self, spare: &'a Self) -> Result<Sets<'a>, Broken> {
        let tiers = if spare.tiers.is_empty() {
            ONE_TIER
        } else {
            &spare.tiers
        };
        Sets::try_new(
            self.tariff()?,
            &spare.zones,
            &spare.slots,
            &spare.prices,
            tiers,
        )
    }

    /// The checked tariff over these tables.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn tariff(&self) -> Result<Tariff<'_>, Broken> {
        let mut calendar = Calendar::try_new(&self.zones, &self.slots)?;
        if self.work_days & 0x7F != 0x7F {
            calendar = calendar.with_rest_days(self.work_days, self.rest_table)?;
        }
        let tariff = Tariff::try_new(calendar.with_holidays(&self.holidays)?, &self.prices)?;
        if self.tiers.is_empty() {
            Ok(tariff)
        } else {
            tariff.with_tiers(&self.tiers, self.reset)
        }
    }
}

impl<const Z: usize, const S: usize, const H: usize, const R: usize, const T: usize> Default
    for Plan<Z, S, H, R, T>
{
    fn default() -> Self {
        Self::new()
    }
}
