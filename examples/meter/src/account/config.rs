//! What the account of a new meter is made with.

use tariff::Money;
use tariff::profile::Small;
use tariff::purse::Limits;

use crate::book::Capacities;
use crate::settings::Settings;

/// Prepaid account of a new meter.
#[derive(Clone, Copy, Debug)]
pub struct Prepaid {
    /// Limits of the purse.
    pub limits: Limits,
    /// Balance at the first start.
    pub initial: Money,
    /// Customer number, six bytes BCD, most significant first.
    pub customer: [u8; 6],
}

/// Tariff and account of a new meter.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Tables, days and freezes of a new meter; must be good ([`Settings::parameters`]). What was programmed over the
    /// line stays in force over a restart.
    pub settings: Settings,
    /// Prepaid, or `None` for a meter that only counts by rate.
    pub prepaid: Option<Prepaid>,
    /// How many rows are kept.
    pub kept: Capacities,
}

impl AccountConfig {
    /// These tables in both sets, the usual days, freezes and numbers of rows.
    #[must_use]
    pub fn new(tables: Small, prepaid: Option<Prepaid>) -> Self {
        Self {
            settings: Settings::new(tables),
            prepaid,
            kept: Capacities::FULL,
        }
    }
}
