//! The same cases by the other profile: what a meter priced, again as a bill of the cloud, and what the cloud billed,
//! again by the meter's engine where its calendar and its prices of four places hold it.

mod cloud;
mod meter;

use serde_json::Value;

/// What each further profile that fits a topic gives, under its name: the expected value or a part of it. `None` where
/// it could not run.
pub fn run(topic: &str, input: &Value) -> Vec<(&'static str, Option<Value>)> {
    let cloud = |got| vec![("cloud", got)];
    let meter = |got| vec![("meter", got)];
    match topic {
        "tiers/annual" => cloud(cloud::annual(input)),
        "tou+tiers/annual" => cloud(cloud::two_rates(input)),
        "tiers/monthly" => cloud(cloud::monthly(input)),
        "tou+tiers/slot-split" => cloud(cloud::slots(input)),
        "spare-set/prices" => vec![
            ("cloud", cloud::price_sets(input)),
            ("whole meter", meter::price_sets(input)),
        ],
        "spare-set/all-four" => vec![
            ("cloud", cloud::four_sets(input)),
            ("whole meter", meter::four_sets(input)),
        ],
        "settlement/days" => vec![
            ("cloud", cloud::settlement_days(input)),
            ("whole meter", meter::settlement_days(input)),
        ],
        "settlement/register" => meter(meter::register(input)),
        "tou/weekday-holiday" => meter(meter::weekday_holiday(input)),
        "tou/dst" => meter(meter::clock_change(input)),
        "export/two-bills" => meter(meter::two_bills(input)),
        "tiers/integer-currency" => meter(meter::integer_currency(input)),
        _ => Vec::new(),
    }
}
