//! What a meter does by itself at an instant: settlements and the switch of its tables.

use std::collections::BTreeMap;

use ::tariff::bill::{Biller, Interval};
use ::tariff::calendar::{Calendar, Slot};
use ::tariff::civil::Moment;
use ::tariff::sets::{Running, Sets, Table};
use ::tariff::settlement::{History, Settlement, SettlementDay};
use ::tariff::tier::{Reset, TierTotal};
use ::tariff::{Money, Price, Tariff};
use serde_json::{Map, Value, json};

use super::calendar::Tables;
use super::{ALL_YEAR, cents, exact, kwh, list, minute, moment, price, show, tier_list};

pub fn stamp(at: Moment) -> String {
    let (date, minute) = (at.date(), at.minute_of_day());
    let (year, month, day) = (date.year(), date.month(), date.day());
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}",
        minute / 60,
        minute % 60
    )
}

/// `DDhh`; 9999 is not used.
pub fn settlement_day(value: &Value) -> Option<SettlementDay> {
    let number: u16 = value.as_str()?.parse().ok()?;
    SettlementDay::try_new((number / 100) as u8, (number % 100) as u8)
}

pub fn settlement_days(input: &Value) -> Option<Value> {
    let tables = Tables::read(&input["calendar"])?;
    let prices = [Price::default(); 63];
    let tariff = Tariff::try_new(tables.calendar()?, &prices).ok()?;
    let mut bill = Biller::new(tariff, TierTotal::default());
    let days = list(&input["settlement_days"]);
    let mut settlement = Settlement::new([0, 1, 2].map(|i| days.get(i).and_then(settlement_day)));
    let mut kept: History<Value> = History::new();
    let (mut from, mut rates, mut seen) = (moment(input["start"].as_str()?)?, BTreeMap::new(), 0);
    let wh = input["wh_per_hour"].as_u64()?;
    let start = from;
    for hour in 0..=input["hours"].as_i64()? {
        let now = start.plus(hour * 3600);
        // The registers freeze before energy of the new period is counted.
        if settlement.due(now) {
            seen += 1;
            let by_rate: BTreeMap<u8, u64> = std::mem::take(&mut rates);
            let shown: Map<String, Value> = by_rate
                .iter()
                .map(|(rate, wh)| (rate.to_string(), json!(kwh(*wh))))
                .collect();
            kept.push(json!({
                "from": stamp(from), "to": stamp(now), "kwh_by_rate": shown,
                "kwh_total": kwh(by_rate.values().sum()),
            }));
            from = now;
        }
        if hour < input["hours"].as_i64()? {
            let interval = Interval {
                start: now,
                seconds: 3600,
                wh,
            };
            bill.price(interval, |_, line| {
                *rates.entry(line.rate).or_insert(0) += line.wh
            })
            .ok()?;
        }
    }
    let kept: Vec<&Value> = kept.iter().collect();
    Some(json!({"settlements_seen": seen, "kept_newest_first": kept}))
}

pub fn prices(value: &Value) -> Option<Vec<Price>> {
    list(value).iter().map(price).collect()
}

pub fn price_sets(input: &Value) -> Option<Value> {
    let slots: Option<Vec<Slot>> = list(&input["day_table"])
        .iter()
        .map(|row| {
            Some(Slot {
                table: 1,
                start: minute(row[0].as_str()?)?,
                rate: row[1].as_u64()? as u8,
            })
        })
        .collect();
    let slots = slots?;
    let current = prices(&input["current_prices"])?;
    let spare = prices(&input["spare_prices"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &current).ok()?;
    let sets = Sets::try_new(tariff, ALL_YEAR, &slots, &spare, tariff.tiers()).ok()?;
    let start = moment(input["start"].as_str()?)?;
    let mut running = Running::first();
    let switch = moment(input["switch_at"].as_str()?)?;
    running.arm(Table::Prices, switch, start.plus(-1));
    let mut total = TierTotal::default();
    let mut sums: BTreeMap<(bool, u8), (u64, Price)> = BTreeMap::new();
    for minute in 0..input["minutes"].as_i64()? {
        let interval = Interval {
            start: start.plus(minute * 60),
            seconds: 60,
            wh: input["wh_per_minute"].as_u64()?,
        };
        sets.price(&mut running, &mut total, interval, |_, running, line| {
            let key = (running.second(Table::Prices), line.rate);
            let sum = sums.entry(key).or_insert((0, line.price()));
            sum.0 += line.wh;
        })
        .ok()?;
    }
    let cost = |&(wh, price): &(u64, Price)| price.cost(wh);
    let lines = sums.iter().map(|(&(second, rate), sum)| {
        json!({
            "set": if second { "spare" } else { "current" }, "rate": rate, "kwh": kwh(sum.0),
            "price": show(sum.1), "exact": exact(cost(sum)),
        })
    });
    let all: Money = sums.values().map(cost).sum();
    Some(json!({
        "by_set_and_rate": lines.collect::<Vec<_>>(), "exact_total": exact(all), "total": cents(all),
    }))
}

pub fn four_sets(input: &Value) -> Option<Value> {
    let (a, b) = (
        Tables::read(&input["set_a"])?,
        Tables::read(&input["set_b"])?,
    );
    let (prices_a, prices_b) = (prices(&input["prices_a"])?, prices(&input["prices_b"])?);
    let tiers = |key: &str| tier_list(&input[key]["bounds"], &input[key]["adders"]);
    let (tiers_a, tiers_b) = (tiers("tiers_a")?, tiers("tiers_b")?);
    let first = Tariff::try_new(a.calendar()?, &prices_a)
        .and_then(|tariff| tariff.with_tiers(&tiers_a, Reset::Monthly { day: 1, hour: 0 }))
        .ok()?;
    let sets = Sets::try_new(first, &b.zones, &b.slots, &prices_b, &tiers_b).ok()?;
    let start = moment(input["start"].as_str()?)?;
    let mut running = Running::first();
    let switches = [
        "switch_zones",
        "switch_tables",
        "switch_prices",
        "switch_tiers",
    ];
    for (table, key) in Table::ALL.into_iter().zip(switches) {
        if let Some(at) = input[key].as_str() {
            running.arm(table, moment(at)?, start.plus(-1));
        }
    }
    let mut total = TierTotal::default();
    let mut sums: BTreeMap<(String, u8, u8, Price), u64> = BTreeMap::new();
    for hour in 0..input["hours"].as_i64()? {
        let interval = Interval {
            start: start.plus(hour * 3600),
            seconds: 3600,
            wh: input["wh_per_hour"].as_u64()?,
        };
        sets.price(&mut running, &mut total, interval, |at, _, line| {
            let month = stamp(at).get(..7).unwrap_or_default().to_owned();
            *sums
                .entry((month, line.rate, line.tier, line.price()))
                .or_insert(0) += line.wh;
        })
        .ok()?;
    }
    let lines = sums.iter().map(|((month, rate, tier, price), &wh)| {
        json!({
            "month": month, "rate": rate, "tier": tier, "price": show(*price), "kwh": kwh(wh),
            "exact": exact(price.cost(wh)),
        })
    });
    let all: Money = sums.iter().map(|((.., price), &wh)| price.cost(wh)).sum();
    Some(json!({
        "lines": lines.collect::<Vec<_>>(), "exact_total": exact(all), "total": cents(all),
    }))
}
