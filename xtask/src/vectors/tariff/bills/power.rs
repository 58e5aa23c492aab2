//! Demand, two-part tariffs, power factor, quadrants.

use std::collections::BTreeSet;

use ::tariff::calendar::{Calendar, Slot};
use ::tariff::civil::Moment;
use ::tariff::cloud::{Charge, Item, Of, Usage};
use ::tariff::combine::{ActiveWord, ReactiveWord};
use ::tariff::demand::{Demand, Maxima, Peak, Window, Windows};
use ::tariff::{Decimal, Rounding, power_factor};
use serde_json::{Value, json};

use super::super::{ALL_YEAR, fixed, list, minute, moment, scaled, short};
use super::{CENT, bill, cents, day_text, decimal, text, thousandths};

fn stamp(at: Moment) -> String {
    let minute = at.minute_of_day();
    format!(
        "{}T{:02}:{:02}",
        day_text(at.date()),
        minute / 60,
        minute % 60
    )
}

fn peak(peak: Option<Peak>) -> Value {
    peak.map_or(
        Value::Null,
        |peak| json!({"kw": fixed(peak.ten_thousandths_kw(), 4), "at": stamp(peak.at)}),
    )
}

pub fn demand(input: &Value) -> Option<Value> {
    const RATES: usize = 63;
    let start = moment(input["start"].as_str()?)?;
    let minutes =
        |key: &str| -> Option<Vec<u64>> { list(&input[key]).iter().map(Value::as_u64).collect() };
    let number = |key: &str| u16::try_from(input[key].as_u64()?).ok();
    let (period, slip) = (number("period_min")?, number("slip_min")?);
    let (resets, restarts) = (minutes("reset_minutes")?, minutes("restart_minutes")?);
    let slots: Option<Vec<Slot>> = list(&input["rate_slots"])
        .iter()
        .map(|row| {
            Some(Slot {
                table: 1,
                start: minute(row[0].as_str()?)?,
                rate: u8::try_from(row[1].as_u64()?).ok()?,
            })
        })
        .collect();
    let slots = slots?;
    let calendar = Calendar::try_new(ALL_YEAR, &slots).ok();
    let run = |windows: Windows| -> Option<Vec<Window>> {
        let mut demand = Demand::<60>::new(windows);
        let mut closed = Vec::new();
        for (index, kw) in (0_u64..).zip(list(&input["minute_kw"])) {
            if restarts.contains(&index) {
                demand.restart();
            }
            let at = start.plus(index as i64 * 60);
            let rate = calendar.as_ref().map_or(1, |calendar| calendar.rate(at));
            // Milliwatts over a minute; 0.0001 kW are whole joules.
            let joules = Rounding::HalfUp.divide(scaled(kw, 6)?.checked_mul(60)?, 1000);
            demand.book(at, 60, joules, rate, |window| closed.push(window));
        }
        Some(closed)
    };
    let block = run(Windows::block(period)?)?;
    let sliding = run(Windows::sliding(period, slip)?)?;
    let maxima = |windows: &[Window], from_s: i64| {
        let mut maxima = Maxima::<RATES>::new();
        for window in windows {
            if window.end.utc_s - i64::from(window.seconds) >= from_s {
                maxima.take(window);
            }
        }
        maxima
    };
    let whole = maxima(&sliding, i64::MIN);
    let mut result = json!({
        "block": peak(maxima(&block, i64::MIN).total()), "sliding": peak(whole.total()),
        "block_windows": block.len(), "sliding_windows": sliding.len(),
    });
    if !slots.is_empty() {
        let rates: BTreeSet<u8> = slots.iter().map(|slot| slot.rate).collect();
        let by_rate = rates
            .iter()
            .map(|&rate| (rate.to_string(), peak(whole.rate(rate))));
        result["sliding_by_rate"] = Value::Object(by_rate.collect());
    }
    if let Some(&last) = resets.last() {
        let from = start.plus(last as i64 * 60).utc_s;
        result["sliding_after_reset"] = peak(maxima(&sliding, from).total());
    }
    Some(result)
}

pub fn two_part(input: &Value) -> Option<Value> {
    let d = |text: &str| text.parse::<Decimal>().unwrap_or_default();
    let (kva, kw) = (
        decimal(&input["price_per_kva"])?,
        decimal(&input["price_per_kw"])?,
    );
    let capacity = decimal(&input["capacity_kva"])?;
    let bound = capacity.checked_mul(d("260"))?;
    let ways = [
        ("by_capacity", Charge::per_unit("capacity", kva)),
        (
            "by_contract_demand",
            Charge::Contract {
                demand: "demand".into(),
                contract: decimal(&input["contract_kw"])?,
                allowed: d("1.05"),
                factor: d("2"),
                price: kw,
            },
        ),
        ("by_actual_demand", Charge::per_unit("demand", kw)),
        (
            "by_actual_demand_with_260_rule",
            Charge::CutFrom {
                quantity: "demand".into(),
                price: kw,
                decides: "import".into(),
                bound,
                share: d("0.9"),
            },
        ),
    ];
    let mut months = Vec::new();
    for month in list(&input["months"]) {
        let energy = decimal(&month["kwh"])?;
        let usage = Usage::new()
            .with("capacity", capacity)
            .with("demand", decimal(&month["max_demand_kw"])?)
            .with("import", energy);
        let mut row = json!({
            "max_demand_kw": month["max_demand_kw"], "month_kwh": month["kwh"],
            "rule_260_met": energy >= bound,
        });
        for (name, charge) in &ways {
            let bill = bill(
                [Item::new(name, charge.clone()).rounded(CENT())],
                usage.clone(),
            )?;
            row[*name] = json!(cents(bill.total));
        }
        months.push(row);
    }
    Some(json!({"months": months}))
}

pub fn power_factor(input: &Value) -> Option<Value> {
    let mut rows = Vec::new();
    for row in list(&input["rows"]) {
        let standard = u8::try_from(decimal(&row["standard"])?.in_units(2)?).ok()?;
        let cos = power_factor::hundredths(thousandths(&row["kwh"])?, thousandths(&row["kvarh"])?);
        let usage = Usage::new()
            .with("active", decimal(&row["kwh"])?)
            .with("reactive", decimal(&row["kvarh"])?)
            .with("part", decimal(&row["bill_part"])?);
        let adjustment = Charge::PowerFactor {
            active: "active".into(),
            reactive: "reactive".into(),
            standard,
            of: Of::All,
        };
        let bill = bill(
            [
                Item::new("part", Charge::per_unit("part", Decimal::from_integer(1))),
                Item::new("adjustment", adjustment).rounded(CENT()),
            ],
            usage,
        )?;
        let percent = bill
            .lines
            .last()?
            .price?
            .checked_mul(Decimal::from_integer(100))?;
        rows.push(json!({
            "standard": row["standard"], "kwh": row["kwh"], "kvarh": row["kvarh"],
            "cos_phi": fixed(cos.into(), 2), "percent": text(percent),
            "adjustment": cents(bill.item("adjustment")?),
        }));
    }
    Some(json!({"rows": rows}))
}

pub fn quadrants(input: &Value) -> Option<Value> {
    let mut rows = Vec::new();
    for row in list(&input["rows"]) {
        let register = |key: &str| u64::try_from(scaled(&row[key], 2)?).ok();
        let word = |key: &str| u8::try_from(row[key].as_u64()?).ok();
        let quadrants = [
            register("q1")?,
            register("q2")?,
            register("q3")?,
            register("q4")?,
        ];
        let active = ActiveWord(word("active_word")?);
        let reactive = |key| Some(ReactiveWord(word(key)?).combine(quadrants));
        rows.push(json!({
            "combined_active": short(active.combine(register("fwd")?, register("rev")?), 2),
            "combined_reactive_1": short(reactive("reactive1_word")?, 2),
            "combined_reactive_2": short(reactive("reactive2_word")?, 2),
        }));
    }
    Some(json!({"rows": rows}))
}
