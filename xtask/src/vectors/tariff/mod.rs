//! Bills, calendars and purses: the cases of a tariff file against the `tariff` crate, in the meter profile where they
//! fit and in the cloud profile ([`profiles`]).

mod bills;
mod calendar;
mod charging;
mod ledger;
mod meter;
mod prepaid;
mod profiles;
mod sts;
mod tiers;

use ::tariff::calendar::Zone;
use ::tariff::civil::{Date, Moment};
use ::tariff::tier::Tier;
use ::tariff::{Money, Price, Rounding};
use serde_json::Value;

use super::Outcome;

/// Runs all cases of a file; topics that are not built yet are counted as skipped.
pub fn run(file: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    for case in list(&file["cases"]) {
        let topic = case["topic"].as_str().unwrap_or("?");
        let input = &case["input"];
        let (got, expected) = match topic {
            "tiers/annual" => (tiers::annual(input), case["expected"].clone()),
            "tou+tiers/annual" => (tiers::two_rates(input), case["expected"].clone()),
            "tiers/monthly" => (tiers::monthly(input), case["expected"].clone()),
            "tou+tiers/slot-split" => (tiers::slots(input), case["expected"].clone()),
            "calendar/lookup" => (
                calendar::lookups(input, &case["expected"]),
                case["expected"].clone(),
            ),
            "prepaid/state" => (prepaid::prepaid(input), case["expected"].clone()),
            "power-cut/recovery" => (prepaid::recovery(input), case["expected"].clone()),
            "settlement/register" => (bills::register(input), case["expected"].clone()),
            "tou/weekday-holiday" => (bills::weekday_holiday(input), case["expected"].clone()),
            "tou/dst" => (bills::clock_change(input), case["expected"].clone()),
            "tou/day-type" => (bills::day_types(input), case["expected"].clone()),
            "dynamic/half-hourly" => (bills::half_hourly(input), case["expected"].clone()),
            "tiers/integer-currency" => (bills::integer_currency(input), case["expected"].clone()),
            "tiers/two-month-period" => (bills::months_in_period(input), case["expected"].clone()),
            "tiers/mixed-rounding" => (bills::mixed_rounding(input), case["expected"].clone()),
            "tiers/all-units" => (bills::all_units(input), case["expected"].clone()),
            "demand" => (bills::demand(input), case["expected"].clone()),
            "demand/two-part" => (bills::two_part(input), case["expected"].clone()),
            "power-factor" => (bills::power_factor(input), case["expected"].clone()),
            "quadrants" => (bills::quadrants(input), case["expected"].clone()),
            "export/two-bills" => (bills::two_bills(input), case["expected"].clone()),
            "export/net-metering" => (bills::net_metering(input), case["expected"].clone()),
            "heat/two-part" => (bills::heat(input), case["expected"].clone()),
            "volume/yearly" => (bills::yearly_volume(input), case["expected"].clone()),
            "urdb/year" => (bills::utility_year(input), case["expected"].clone()),
            "charging/ocpi" => (charging::ocpi(input), case["expected"].clone()),
            "charging/pile" => (charging::pile(input), case["expected"].clone()),
            "charging/e-bike" => (charging::ebike(input), case["expected"].clone()),
            "ledger" => (ledger::ledger(input), case["expected"].clone()),
            "settlement/days" => (meter::settlement_days(input), case["expected"].clone()),
            "spare-set/prices" => (meter::price_sets(input), case["expected"].clone()),
            "spare-set/all-four" => (meter::four_sets(input), case["expected"].clone()),
            "sts/sample-tables" => (sts::sample_tables(input), case["expected"].clone()),
            "remote-control" => (prepaid::remote(input), case["expected"].clone()),
            _ => {
                *outcome.skipped.entry(topic.to_owned()).or_default() += 1;
                continue;
            }
        };
        let id = case["id"].as_str().unwrap_or("?");
        let unlike = match got {
            Some(got) => difference("", &expected, &got),
            None => Some("the input is not as its topic says".to_owned()),
        };
        let others = profiles::run(topic, input).into_iter();
        let mut unlike = unlike.into_iter().chain(others.filter_map(|(name, got)| {
            let unlike = match got {
                Some(got) => difference("", &part(&expected, &got), &got),
                None => Some("did not run".to_owned()),
            };
            unlike.map(|text| format!("{name}: {text}"))
        }));
        match unlike.next() {
            None => outcome.passed += 1,
            Some(text) => outcome.failed.push(format!("{id}: {text}")),
        }
    }
    outcome
}

/// What of an expected value a profile gives.
fn part(expected: &Value, given: &Value) -> Value {
    match (expected, given) {
        (Value::Object(expected), Value::Object(given)) => given
            .iter()
            .map(|(key, given)| {
                let expected = expected.get(key).unwrap_or(&Value::Null);
                (key.clone(), part(expected, given))
            })
            .collect(),
        (Value::Array(expected), Value::Array(given)) if expected.len() == given.len() => expected
            .iter()
            .zip(given)
            .map(|(expected, given)| part(expected, given))
            .collect(),
        _ => expected.clone(),
    }
}

/// The first place at which two values differ.
fn difference(at: &str, expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter()
                .find_map(|key| difference(&format!("{at}/{key}"), &expected[key], &got[key]))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(&format!("{at}/{i}"), a, b)),
        _ if expected == got => None,
        _ => Some(format!("{at}: expected {expected}, got {got}")),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Decimal text, or a number by its digits, to an integer of 10^-`places`; `None` when digits would be lost.
fn scaled(value: &Value, places: usize) -> Option<i64> {
    let digits = value.as_number().map(ToString::to_string);
    let text = value.as_str().or(digits.as_deref())?;
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    if part.len() > places {
        return None;
    }
    format!("{whole}{part:0<places$}")
        .parse::<i64>()
        .ok()
        .map(|number| sign * number)
}

/// An integer of 10^-`places` as decimal text, all places shown.
fn fixed(value: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if value < 0 { "-" } else { "" };
    if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// The same without trailing zeros.
fn short(value: i64, places: usize) -> String {
    let text = fixed(value, places);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn wh(value: &Value) -> Option<u64> {
    scaled(value, 3)?.try_into().ok()
}

fn kwh(wh: u64) -> String {
    short(wh as i64, 3)
}

fn price(value: &Value) -> Option<Price> {
    Some(Price::from_ten_thousandths(
        scaled(value, 4)?.try_into().ok()?,
    ))
}

fn show(price: Price) -> String {
    short(price.ten_thousandths().into(), 4)
}

fn exact(money: Money) -> String {
    short(money.ten_millionths(), 7)
}

fn cents(money: Money) -> String {
    fixed(money.hundredths(Rounding::HalfUp), 2)
}

fn money(value: &Value) -> Option<Money> {
    scaled(value, 7).map(Money::from_ten_millionths)
}

fn rounded(money: Money) -> Money {
    Money::from_hundredths(money.hundredths(Rounding::HalfUp))
}

fn moment(text: &str) -> Option<Moment> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let date = Date::try_new(number(0..4)?, number(5..7)? as u8, number(8..10)? as u8)?;
    let minutes = u32::from(number(11..13)?) * 60 + u32::from(number(14..16)?);
    Some(Moment::from_local(date, minutes * 60, 28_800))
}

fn tier_list(bounds: &Value, prices: &Value) -> Option<Vec<Tier>> {
    let bounds = list(bounds).iter().map(wh).chain([Some(u64::MAX)]);
    bounds
        .zip(list(prices))
        .map(|(bound, adder)| {
            Some(Tier {
                up_to_wh: bound?,
                price: price(adder)?,
            })
        })
        .collect()
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?)
}

/// One zone the whole year.
const ALL_YEAR: &[Zone] = &[Zone {
    start: 101,
    table: 1,
}];
