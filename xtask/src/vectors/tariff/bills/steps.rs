//! Tiers: whole currencies, periods of months, several roundings in a bill, all units at one price.

use ::tariff::cloud::{Charge, Item, Of, Plan, Round, Tiers, Usage};
use ::tariff::{Decimal, Rounding};
use serde_json::{Value, json};

use super::super::list;
use super::{bill, cents, decimal, sum, text, thousandths, tier_list};

pub fn integer_currency(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let one = Round::whole(1, Rounding::HalfUp);
    let plan = Plan::new(
        "case",
        [
            Item::new("energy", Charge::tiered("import", tiers)).rounded(one),
            Item::new("vat", Charge::percent_of_all(decimal(&input["vat"])?)).rounded(one),
        ],
    );
    let mut rows = Vec::new();
    for kwh in list(&input["kwh"]) {
        let bill = plan
            .bill(&Usage::new().with("import", decimal(kwh)?))
            .ok()?;
        let lines = bill.lines.iter().filter_map(|line| {
            let tier = line.tier?;
            Some(json!({"tier": tier, "kwh": text(line.quantity), "amount": text(line.amount)}))
        });
        rows.push(json!({
            "kwh": kwh, "lines": lines.collect::<Vec<_>>(), "subtotal": text(bill.item("energy")?),
            "vat": text(bill.item("vat")?), "total": text(bill.total),
        }));
    }
    Some(json!({"rows": rows}))
}

pub fn months_in_period(input: &Value) -> Option<Value> {
    let months = u32::try_from(input["months_in_period"].as_u64()?).ok()?;
    let mut bills = Vec::new();
    for row in list(&input["bills"]) {
        let prices = &input["prices"][row["season"].as_str()?];
        let tiers = tier_list(&input["bounds_month_kwh"], prices)?.for_months(months);
        let bill = bill(
            [Item::new("energy", Charge::tiered("import", tiers))],
            Usage::new().with("import", decimal(&row["kwh"])?),
        )?;
        let parts: Vec<String> = bill.lines.iter().map(|line| text(line.quantity)).collect();
        let shown = |places| bill.total.fixed(places).to_string();
        bills.push(json!({
            "season": row["season"], "kwh": row["kwh"], "tiers_kwh": parts, "exact": text(bill.exact),
            "amount_0_1": shown(1), "amount_1": shown(0),
        }));
    }
    Some(json!({"bills": bills}))
}

/// Korea: the schedule of the source line, four roundings in one bill.
pub fn mixed_rounding(input: &Value) -> Option<Value> {
    let d = |text: &str| text.parse::<Decimal>().unwrap_or_default();
    let floor = |unit| Round::whole(unit, Rounding::Floor);
    let part = |rate, names: [&str; 4]| Charge::Percent {
        rate,
        of: Of::Items(names.map(str::to_owned).into()),
    };
    const SUBTOTAL: [&str; 4] = ["base", "energy", "climate", "fuel"];
    let mut bills = Vec::new();
    for row in list(&input["bills"]) {
        let summer = row["summer"].as_bool()?;
        let bounds = if summer {
            [300_000, 450_000]
        } else {
            [200_000, 400_000]
        };
        let tiers = |prices: [&str; 3]| Tiers::try_new(bounds.into(), prices.map(d).into()).ok();
        let plan = Plan::new(
            "case",
            [
                Item::new(
                    "base",
                    Charge::ByTier {
                        quantity: "import".into(),
                        tiers: tiers(["910", "1600", "7300"])?,
                    },
                ),
                // The energy of all tiers is one line, cut once.
                Item::new(
                    "energy",
                    Charge::tiered("import", tiers(["120.0", "214.6", "307.3"])?),
                )
                .joined()
                .rounded(floor(1)),
                Item::new("climate", Charge::per_unit("import", d("9.0"))).rounded(floor(1)),
                Item::new("fuel", Charge::per_unit("import", d("5.0"))).rounded(floor(1)),
                Item::new("vat", part(d("0.1"), SUBTOTAL))
                    .rounded(Round::whole(1, Rounding::HalfUp)),
                Item::new("fund", part(decimal(&input["fund_rate"])?, SUBTOTAL)).rounded(floor(10)),
            ],
        )
        .rounded(floor(10));
        let bill = plan
            .bill(&Usage::new().with("import", decimal(&row["kwh"])?))
            .ok()?;
        let shown = |name| Some(text(bill.item(name)?));
        bills.push(json!({
            "kwh": row["kwh"], "summer": summer, "base": shown("base")?, "energy": shown("energy")?,
            "climate": shown("climate")?, "fuel": shown("fuel")?,
            "subtotal": text(sum(SUBTOTAL.iter().filter_map(|name| bill.item(name)))?),
            "vat": shown("vat")?, "fund": shown("fund")?, "total": text(bill.total),
        }));
    }
    Some(json!({"bills": bills}))
}

pub fn all_units(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?
        .all_units_above(thousandths(&input["selective_above_kwh"])?);
    let mut bills = Vec::new();
    for kwh in list(&input["kwh"]) {
        let parts = tiers.parts(0, thousandths(kwh)?)?;
        let exact = sum(parts.iter().map(|part| part.exact))?;
        let kind = match parts.first() {
            Some(part) if part.all_units => format!("all_units_tier_{}", part.tier),
            _ => "graduated".to_owned(),
        };
        bills.push(json!({"kwh": kwh, "kind": kind, "exact": text(exact), "amount": cents(exact)}));
    }
    Some(json!({"bills": bills}))
}
