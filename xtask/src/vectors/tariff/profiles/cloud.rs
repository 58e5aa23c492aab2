//! Cases of the meter as bills of the cloud: decimals, plans and tallies instead of the meter's integers.

use std::collections::{BTreeMap, BTreeSet};

use ::tariff::Decimal;
use ::tariff::calendar::{Calendar, Slot, Zone};
use ::tariff::civil::Moment;
use ::tariff::cloud::{Charge, Item, Offsets, Plan, Span, Usage, tally, tally_by_tier};
use ::tariff::settlement::SettlementDays;
use serde_json::{Map, Value, json};

use super::super::bills::{CENT, bill, cents, decimal, decimals, sum, text, tier_list};
use super::super::calendar::Tables;
use super::super::meter::{settlement_day, stamp};
use super::super::{ALL_YEAR, list, minute, moment, wh};

pub fn annual(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let (mut months, mut year, mut paid) = (Vec::new(), Decimal::ZERO, Decimal::ZERO);
    for (month, energy) in (1..).zip(list(&input["monthly_kwh"])) {
        let charge = Charge::Tiered {
            quantity: "import".into(),
            before: Some("year".into()),
            tiers: tiers.clone(),
        };
        let usage = Usage::new()
            .with("import", decimal(energy)?)
            .with("year", year);
        year = year.checked_add(decimal(energy)?)?;
        let bill = bill([Item::new("energy", charge).rounded(CENT())], usage)?;
        let lines: Option<Vec<Value>> = bill
            .lines
            .iter()
            .map(|line| {
                Some(json!({
                    "tier": line.tier, "kwh": text(line.quantity), "price": text(line.price?.shortened()),
                    "exact": text(line.exact), "amount": cents(line.amount),
                }))
            })
            .collect();
        paid = paid.checked_add(bill.total)?;
        months.push(json!({
            "month": month, "kwh": energy, "cumulative_kwh": text(year), "lines": lines?,
            "amount": cents(bill.total),
        }));
    }
    Some(json!({"months": months, "year_total": cents(paid)}))
}

pub fn two_rates(input: &Value) -> Option<Value> {
    let rates = ["peak", "valley"];
    let adders = tier_list(&input["bounds_kwh"], &input["tier_adders"])?;
    let mut items: Vec<Item> = Vec::new();
    for rate in rates {
        let price = decimal(&input["rates"][rate])?;
        items.push(Item::new(rate, Charge::per_unit(rate, price)).rounded(CENT()));
    }
    let tiered = Charge::Tiered {
        quantity: "import".into(),
        before: Some("year".into()),
        tiers: adders,
    };
    items.push(Item::new("adder", tiered).rounded(CENT()));
    let plan = Plan::new("additive", items);
    let (mut months, mut year, mut paid) = (Vec::new(), Decimal::ZERO, Decimal::ZERO);
    for (month, energy) in (1..).zip(list(&input["monthly_peak_valley_kwh"])) {
        let [peak, valley] = [decimal(&energy[0])?, decimal(&energy[1])?];
        let import = peak.checked_add(valley)?;
        let usage = Usage::new()
            .with("peak", peak)
            .with("valley", valley)
            .with("import", import)
            .with("year", year);
        year = year.checked_add(import)?;
        let bill = plan.bill(&usage).ok()?;
        let lines: Option<Vec<Value>> = bill
            .lines
            .iter()
            .filter(|line| line.tier != Some(1) && !line.quantity.is_zero())
            .map(|line| {
                let name = match line.tier {
                    Some(tier) => format!("tier{tier}_adder"),
                    None => line.item.clone(),
                };
                Some(json!({
                    "item": name, "kwh": text(line.quantity), "price": text(line.price?.shortened()),
                    "exact": text(line.exact), "amount": cents(line.amount),
                }))
            })
            .collect();
        paid = paid.checked_add(bill.total)?;
        months.push(json!({
            "month": month, "cumulative_kwh": text(year), "lines": lines?, "amount": cents(bill.total),
        }));
    }
    Some(json!({"months": months, "year_total": cents(paid)}))
}

pub fn monthly(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let item = Item::new("energy", Charge::tiered("import", tiers));
    let mut rows = Vec::new();
    for energy in list(&input["kwh"]) {
        let usage = Usage::new().with("import", decimal(energy)?);
        // The sum rounded once, and each line rounded.
        let once = bill([item.clone()], usage.clone())?;
        let by_line = bill([item.clone().rounded(CENT())], usage)?;
        let parts: Vec<String> = once.lines.iter().map(|line| text(line.quantity)).collect();
        rows.push(json!({
            "kwh": energy, "tiers_kwh": parts, "exact": text(once.exact),
            "amount_total_rounded": cents(once.total), "amount_line_rounded": cents(by_line.total),
        }));
    }
    Some(json!({"rows": rows}))
}

pub fn slots(input: &Value) -> Option<Value> {
    let rows = list(&input["slots"]);
    let table: Option<Vec<Slot>> = rows
        .iter()
        .map(|row| slot(&row["start"], &row["rate"]))
        .collect();
    let table = table?;
    let calendar = Calendar::try_new(ALL_YEAR, &table).ok()?;
    let (bounds, adders) = (
        bounds(&input["bounds_kwh"])?,
        decimals(&input["tier_adders"])?,
    );
    let prices = decimals(&input["rate_prices"])?;
    let mut total = wh(&input["start_cumulative_kwh"])?;
    let (mut parts, mut exact) = (Vec::new(), Decimal::ZERO);
    for (row, slot) in rows.iter().zip(&table) {
        let span = Span {
            start_s: moment("2024-01-01T00:00")?.utc_s + i64::from(slot.start) * 60,
            seconds: 900,
            quantity: row["wh"].as_u64()?,
        };
        let local = Offsets::fixed(28_800);
        for ((rate, tier), wh) in tally_by_tier(&calendar, &local, &bounds, total, [span]) {
            let price = pair_price(&prices, &adders, rate, tier)?;
            let energy = Decimal::from_wh(wh);
            let amount = energy.checked_mul(price)?;
            exact = exact.checked_add(amount)?;
            parts.push(json!({
                "slot": row["start"], "rate": rate, "tier": tier, "kwh": text(energy),
                "price": text(price), "exact": text(amount),
            }));
        }
        total += span.quantity;
    }
    Some(json!({
        "parts": parts, "end_cumulative_kwh": text(Decimal::from_wh(total)),
        "exact_total": text(exact), "total": cents(CENT().apply(exact)),
        "total_1e7": i64::try_from(exact.in_units(7)?).ok()?,
    }))
}

fn slot(start: &Value, rate: &Value) -> Option<Slot> {
    Some(Slot {
        table: 1,
        start: minute(start.as_str()?)?,
        rate: u8::try_from(rate.as_u64()?).ok()?,
    })
}

fn bounds(value: &Value) -> Option<Vec<u64>> {
    list(value).iter().map(wh).collect()
}

/// Price of the rate and of the tier, both from 1.
fn pair_price(prices: &[Decimal], adders: &[Decimal], rate: u8, tier: u8) -> Option<Decimal> {
    let rate = prices.get(usize::from(rate).checked_sub(1)?)?;
    let tier = adders.get(usize::from(tier).checked_sub(1)?)?;
    Some(rate.checked_add(*tier)?.shortened())
}

pub fn price_sets(input: &Value) -> Option<Value> {
    let slots: Option<Vec<Slot>> = list(&input["day_table"])
        .iter()
        .map(|row| slot(&row[0], &row[1]))
        .collect();
    let slots = slots?;
    let calendar = Calendar::try_new(ALL_YEAR, &slots).ok()?;
    let (start, switch) = (
        moment(input["start"].as_str()?)?,
        moment(input["switch_at"].as_str()?)?,
    );
    let quantity = input["wh_per_minute"].as_u64()?;
    let series: Vec<Span> = (0..input["minutes"].as_i64()?)
        .map(|minute| Span {
            start_s: start.utc_s + minute * 60,
            seconds: 60,
            quantity,
        })
        .collect();
    let (mut lines, mut exact) = (Vec::new(), Decimal::ZERO);
    for (set, key) in [("current", "current_prices"), ("spare", "spare_prices")] {
        let is_spare = set == "spare";
        let in_force = series
            .iter()
            .copied()
            .filter(|span| (span.start_s >= switch.utc_s) == is_spare);
        let prices = decimals(&input[key])?;
        for (rate, wh) in tally(&calendar, &Offsets::fixed(start.offset_s), in_force) {
            let (energy, price) = (
                Decimal::from_wh(wh),
                prices.get(usize::from(rate) - 1)?.shortened(),
            );
            let amount = energy.checked_mul(price)?;
            exact = exact.checked_add(amount)?;
            lines.push(json!({
                "set": set, "rate": rate, "kwh": text(energy), "price": text(price), "exact": text(amount),
            }));
        }
    }
    Some(json!({
        "by_set_and_rate": lines, "exact_total": text(exact), "total": cents(CENT().apply(exact)),
    }))
}

/// The series is cut at each switch and each month; in a piece one set of each table is in force.
pub fn four_sets(input: &Value) -> Option<Value> {
    let (start, hours) = (moment(input["start"].as_str()?)?, input["hours"].as_i64()?);
    let quantity = input["wh_per_hour"].as_u64()?;
    let tables = [
        Tables::read(&input["set_a"])?,
        Tables::read(&input["set_b"])?,
    ];
    let switch = |name: &str| {
        let key = format!("switch_{name}");
        input[key.as_str()]
            .as_str()
            .map_or(Some(i64::MAX), |text| Some(moment(text)?.utc_s))
    };
    let switches = [
        switch("zones")?,
        switch("tables")?,
        switch("prices")?,
        switch("tiers")?,
    ];
    let local = Offsets::fixed(start.offset_s);
    let mut pieces: BTreeMap<(String, [bool; 4]), Vec<Span>> = BTreeMap::new();
    for hour in 0..hours {
        let at = start.plus(hour * 3600);
        let month = stamp(at).get(..7)?.to_owned();
        let span = Span {
            start_s: at.utc_s,
            seconds: 3600,
            quantity,
        };
        // What switches later is a later key: pieces come in the order of time.
        pieces
            .entry((month, switches.map(|when| at.utc_s >= when)))
            .or_default()
            .push(span);
    }
    let mut sums: BTreeMap<(String, u8, u8, Decimal), u64> = BTreeMap::new();
    let mut in_order: Vec<_> = pieces.into_iter().collect();
    in_order.sort_by_key(|(_, series)| series.first().map(|span| span.start_s));
    let (mut total, mut months) = (0, BTreeSet::new());
    for ((month, [zones, slots, prices, tiers]), series) in in_order {
        if months.insert(month.clone()) {
            total = 0;
        }
        let of = |second: bool| &tables[usize::from(second)];
        let (zones, slots): (&[Zone], &[Slot]) = (&of(zones).zones, &of(slots).slots);
        let calendar = Calendar::try_new(zones, slots).ok()?;
        let letter = |second: bool| if second { "b" } else { "a" };
        let prices = decimals(&input[format!("prices_{}", letter(prices)).as_str()])?;
        let tiers = &input[format!("tiers_{}", letter(tiers)).as_str()];
        let (bounds, adders) = (bounds(&tiers["bounds"])?, decimals(&tiers["adders"])?);
        let used: u64 = series.iter().map(|span| span.quantity).sum();
        for ((rate, tier), wh) in tally_by_tier(&calendar, &local, &bounds, total, series) {
            let price = pair_price(&prices, &adders, rate, tier)?;
            *sums.entry((month.clone(), rate, tier, price)).or_insert(0) += wh;
        }
        total += used;
    }
    let (mut lines, mut exact) = (Vec::new(), Decimal::ZERO);
    for ((month, rate, tier, price), wh) in sums {
        let energy = Decimal::from_wh(wh);
        let amount = energy.checked_mul(price)?;
        exact = exact.checked_add(amount)?;
        lines.push(json!({
            "month": month, "rate": rate, "tier": tier, "price": text(price), "kwh": text(energy),
            "exact": text(amount),
        }));
    }
    Some(json!({"lines": lines, "exact_total": text(exact), "total": cents(CENT().apply(exact))}))
}

pub fn settlement_days(input: &Value) -> Option<Value> {
    let tables = Tables::read(&input["calendar"])?;
    let calendar = tables.calendar()?;
    let days = list(&input["settlement_days"]);
    let days = SettlementDays([0, 1, 2].map(|place| days.get(place).and_then(settlement_day)));
    let (start, hours) = (moment(input["start"].as_str()?)?, input["hours"].as_i64()?);
    let quantity = input["wh_per_hour"].as_u64()?;
    let (mut from, mut series, mut kept) = (start, Vec::new(), Vec::new());
    for hour in 0..hours {
        let at = start.plus(hour * 3600);
        series.push(Span {
            start_s: at.utc_s,
            seconds: 3600,
            quantity,
        });
        let end = at.plus(3600);
        if days.passed(at, end).is_some() {
            kept.push(period(&calendar, from, end, std::mem::take(&mut series))?);
            from = end;
        }
    }
    let seen = kept.len();
    kept.reverse();
    kept.truncate(::tariff::settlement::KEPT);
    Some(json!({"settlements_seen": seen, "kept_newest_first": kept}))
}

fn period(calendar: &Calendar<'_>, from: Moment, to: Moment, series: Vec<Span>) -> Option<Value> {
    let rates = tally(calendar, &Offsets::fixed(from.offset_s), series);
    let shown: Map<String, Value> = rates
        .iter()
        .filter(|&(_, &wh)| wh > 0)
        .map(|(rate, &wh)| (rate.to_string(), json!(text(Decimal::from_wh(wh)))))
        .collect();
    let total = sum(rates.values().map(|&wh| Decimal::from_wh(wh)))?;
    Some(json!({
        "from": stamp(from), "to": stamp(to), "kwh_by_rate": shown, "kwh_total": text(total),
    }))
}
