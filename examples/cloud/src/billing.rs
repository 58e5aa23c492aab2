//! What today's consumption costs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Config;
use crate::platform::Platform;
use crate::store::{Device, Result};

/// A bill, line by line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Bill {
    /// Lines in the order of the tariff.
    pub lines: Vec<BillLine>,
    /// Sum, exact decimal.
    pub total: String,
    /// Currency of all amounts.
    pub currency: String,
    /// UTC milliseconds of the last sealed reading that is priced.
    pub until: u64,
}

/// One line of a bill.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BillLine {
    /// Name of the rate.
    pub rate: String,
    /// Energy, exact decimal, kWh.
    pub energy: String,
    /// Price per kWh, exact decimal.
    pub price: String,
    /// Amount, exact decimal.
    pub amount: String,
}

/// Prices and today's bills.
pub struct Billing {
    _currency: String,
}

impl Billing {
    /// Reads the price list.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { _currency: config.currency.clone() })
    }

    /// The bill of a device for today so far.
    pub fn today(&self, _platform: &Platform, _device: &Device) -> Result<Option<Bill>> {
        Ok(None)
    }
}
