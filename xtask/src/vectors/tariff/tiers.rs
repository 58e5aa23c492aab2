//! Tiers, alone and added to rates.

use ::tariff::bill::{Biller, Interval};
use ::tariff::calendar::{Calendar, Slot};
use ::tariff::civil::{Date, Moment};
use ::tariff::tier::{Reset, TierTotal};
use ::tariff::{Money, Price, Tariff};
use serde_json::{Value, json};

use super::{ALL_YEAR, cents, exact, kwh, list, minute, price, rounded, show, tier_list, wh};

const JANUARY: Reset = Reset::Yearly {
    month: 1,
    day: 1,
    hour: 0,
};
/// The first hour of a month of 2024.
fn month(number: usize, hour: u32) -> Option<Moment> {
    let date = Date::try_new(2024, number as u8, 1)?;
    Some(Moment::from_local(date, hour * 3600, 28_800))
}

pub fn annual(input: &Value) -> Option<Value> {
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 1,
    }];
    let prices = [Price::default()];
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, JANUARY))
        .ok()?;
    let mut bill = Biller::new(tariff, TierTotal::default());
    let (mut months, mut year) = (Vec::new(), Money::ZERO);
    for (i, energy) in list(&input["monthly_kwh"]).iter().enumerate() {
        let (mut lines, mut sum) = (Vec::new(), Money::ZERO);
        let interval = Interval {
            start: month(i + 1, 0)?,
            seconds: 3600,
            wh: wh(energy)?,
        };
        bill.price(interval, |_, line| {
            sum = sum + rounded(line.amount);
            lines.push(json!({
                "tier": line.tier, "kwh": kwh(line.wh), "price": show(line.price()),
                "exact": exact(line.amount), "amount": cents(line.amount),
            }));
        })
        .ok()?;
        year = year + sum;
        months.push(json!({
            "month": i + 1, "kwh": energy, "cumulative_kwh": kwh(bill.tiers().wh),
            "lines": lines, "amount": cents(sum),
        }));
    }
    Some(json!({"months": months, "year_total": cents(year)}))
}

pub fn two_rates(input: &Value) -> Option<Value> {
    let slots = [
        Slot {
            table: 1,
            start: 0,
            rate: 2,
        },
        Slot {
            table: 1,
            start: 480,
            rate: 1,
        },
    ];
    let prices = [
        price(&input["rates"]["peak"])?,
        price(&input["rates"]["valley"])?,
    ];
    let tiers = tier_list(&input["bounds_kwh"], &input["tier_adders"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, JANUARY))
        .ok()?;
    let mut bill = Biller::new(tariff, TierTotal::default());
    let (mut months, mut year) = (Vec::new(), Money::ZERO);
    for (i, energy) in list(&input["monthly_peak_valley_kwh"]).iter().enumerate() {
        // Rate lines carry their own price, tier lines the adder on the energy of the tier.
        let mut items = [
            ("peak", 0),
            ("valley", 0),
            ("tier2_adder", 0),
            ("tier3_adder", 0),
        ]
        .map(|(name, wh)| (name, wh, Price::default()));
        for (hour, part) in [(0, 1), (8, 0)] {
            let start = month(i + 1, hour)?;
            let interval = Interval {
                start,
                seconds: 3600,
                wh: wh(&energy[part])?,
            };
            bill.price(interval, |_, line| {
                let rate = &mut items[usize::from(line.rate) - 1];
                *rate = (rate.0, rate.1 + line.wh, line.rate_price);
                if line.tier > 1 {
                    let tier = &mut items[usize::from(line.tier)];
                    *tier = (tier.0, tier.1 + line.wh, line.tier_price);
                }
            })
            .ok()?;
        }
        let (mut lines, mut sum) = (Vec::new(), Money::ZERO);
        for (item, energy, price) in items.into_iter().filter(|item| item.1 > 0) {
            let cost = price.cost(energy);
            sum = sum + rounded(cost);
            lines.push(json!({
                "item": item, "kwh": kwh(energy), "price": show(price),
                "exact": exact(cost), "amount": cents(cost),
            }));
        }
        year = year + sum;
        months.push(json!({
            "month": i + 1, "cumulative_kwh": kwh(bill.tiers().wh),
            "lines": lines, "amount": cents(sum),
        }));
    }
    Some(json!({"months": months, "year_total": cents(year)}))
}

pub fn monthly(input: &Value) -> Option<Value> {
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 1,
    }];
    let prices = [Price::default()];
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, Reset::Monthly { day: 1, hour: 0 }))
        .ok()?;
    let mut rows = Vec::new();
    for energy in list(&input["kwh"]) {
        let mut bill = Biller::new(tariff, TierTotal::default());
        let (mut parts, mut by_line) = (Vec::new(), Money::ZERO);
        let interval = Interval {
            start: month(1, 0)?,
            seconds: 3600,
            wh: wh(energy)?,
        };
        bill.price(interval, |_, line| {
            parts.push(kwh(line.wh));
            by_line = by_line + rounded(line.amount);
        })
        .ok()?;
        rows.push(json!({
            "kwh": energy, "tiers_kwh": parts, "exact": exact(bill.amount()),
            "amount_total_rounded": cents(bill.amount()), "amount_line_rounded": cents(by_line),
        }));
    }
    Some(json!({"rows": rows}))
}

pub fn slots(input: &Value) -> Option<Value> {
    let rows = list(&input["slots"]);
    let table: Vec<Slot> = rows
        .iter()
        .map(|row| {
            let rate = row["rate"].as_u64()? as u8;
            Some(Slot {
                table: 1,
                start: minute(row["start"].as_str()?)?,
                rate,
            })
        })
        .collect::<Option<_>>()?;
    let prices: Vec<Price> = list(&input["rate_prices"])
        .iter()
        .map(price)
        .collect::<Option<_>>()?;
    let tiers = tier_list(&input["bounds_kwh"], &input["tier_adders"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &table).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, Reset::Monthly { day: 1, hour: 0 }))
        .ok()?;
    let total = TierTotal {
        wh: wh(&input["start_cumulative_kwh"])?,
        period: None,
    };
    let mut bill = Biller::new(tariff, total);
    let mut parts = Vec::new();
    for (row, slot) in rows.iter().zip(&table) {
        let start = month(1, 0)?.plus(i64::from(slot.start) * 60);
        let interval = Interval {
            start,
            seconds: 900,
            wh: row["wh"].as_u64()?,
        };
        bill.price(interval, |_, line| {
            parts.push(json!({
                "slot": row["start"], "rate": line.rate, "tier": line.tier, "kwh": kwh(line.wh),
                "price": show(line.price()), "exact": exact(line.amount),
            }));
        })
        .ok()?;
    }
    Some(json!({
        "parts": parts, "end_cumulative_kwh": kwh(bill.tiers().wh),
        "exact_total": exact(bill.amount()), "total": cents(bill.amount()),
        "total_1e7": bill.amount().ten_millionths(),
    }))
}
