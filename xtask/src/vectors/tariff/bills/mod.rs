//! Bills of the cloud: registers, series, tiers of every kind, demand, export, heat and water.

mod export;
mod media;
mod power;
mod series;
mod steps;

use ::tariff::Decimal;
use ::tariff::civil::Date;
use ::tariff::cloud::{Item, Plan, Round, Tiers, Usage};
use serde_json::Value;

use super::list;

pub use export::{net_metering, two_bills};
pub use media::{heat, register, yearly_volume};
pub use power::{demand, power_factor, quadrants, two_part};
pub use series::{clock_change, day_types, half_hourly, utility_year, weekday_holiday};
pub use steps::{all_units, integer_currency, mixed_rounding, months_in_period};

/// Decimal text, or a number by its digits.
pub fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

pub fn decimals(value: &Value) -> Option<Vec<Decimal>> {
    list(value).iter().map(decimal).collect()
}

/// Thousandths of a unit.
fn thousandths(value: &Value) -> Option<u64> {
    u64::try_from(decimal(value)?.in_units(3)?).ok()
}

pub fn tier_list(bounds: &Value, prices: &Value) -> Option<Tiers> {
    let bounds: Option<Vec<u64>> = list(bounds).iter().map(thousandths).collect();
    Tiers::try_new(bounds?, decimals(prices)?).ok()
}

pub fn text(value: Decimal) -> String {
    value.to_string()
}

pub fn cents(value: Decimal) -> String {
    value.fixed(2).to_string()
}

pub fn sum(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    values
        .into_iter()
        .try_fold(Decimal::ZERO, Decimal::checked_add)
}

pub const CENT: fn() -> Round = Round::default;

pub fn bill(items: impl IntoIterator<Item = Item>, usage: Usage) -> Option<::tariff::cloud::Bill> {
    Plan::new("case", items).bill(&usage).ok()
}

fn day_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}
