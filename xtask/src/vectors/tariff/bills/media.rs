//! Registers that run over, heat, water and gas by year.

use ::tariff::Decimal;
use ::tariff::cloud::{Charge, Item, Of, Tiers, Usage, split_at_reset};
use ::tariff::settlement::Modulus;
use serde_json::{Value, json};

use super::super::{list, moment, wh};
use super::{CENT, bill, cents, decimal, text, thousandths, tier_list};

pub fn register(input: &Value) -> Option<Value> {
    let modulus = Modulus::new(wh(&input["register_modulus_kwh"])?)?;
    // The bounds and prices stand in the words of the source.
    let tiers = Tiers::try_new(
        vec![240_000, 400_000],
        ["0.4883", "0.5383", "0.7883"]
            .map(|p| p.parse().unwrap_or_default())
            .into(),
    )
    .ok()?;
    let readings = list(&input["readings"]);
    let mut periods = Vec::new();
    for pair in readings.windows(2) {
        let used = modulus.used(wh(&pair[0]["kwh"])?, wh(&pair[1]["kwh"])?)?;
        let energy = Decimal::from_wh(used);
        let bill = bill(
            [Item::new("energy", Charge::tiered("import", tiers.clone()))],
            Usage::new().with("import", energy),
        )?;
        periods.push(json!({
            "from": pair[0]["at"], "to": pair[1]["at"], "kwh": energy.fixed(2).to_string(),
            "exact": text(bill.exact), "amount": cents(bill.total),
        }));
    }
    Some(json!({"periods": periods}))
}

pub fn heat(input: &Value) -> Option<Value> {
    let price = |key: &str| decimal(&input[key]);
    let parts = [
        Item::new("base", Charge::per_unit("area", price("base_per_m2")?)).rounded(CENT()),
        Item::new(
            "metered",
            Charge::per_unit("heat", price("metered_per_kwh")?),
        )
        .rounded(CENT()),
    ];
    let cap = Charge::Cap {
        quantity: "area".into(),
        price: price("area_price_per_m2")?,
        round: Some(CENT()),
        of: Of::All,
    };
    let mut customers = Vec::new();
    for row in list(&input["customers"]) {
        let area = decimal(&row["area_m2"])?;
        let usage = Usage::new()
            .with("area", area)
            .with("heat", decimal(&row["kwh"])?);
        let plain = bill(parts.clone(), usage.clone())?;
        let capped = bill(
            parts.iter().cloned().chain([Item::new("cap", cap.clone())]),
            usage,
        )?;
        let by_area = CENT().apply(area.checked_mul(price("area_price_per_m2")?)?);
        customers.push(json!({
            "area_m2": row["area_m2"], "kwh": row["kwh"], "base": cents(plain.item("base")?),
            "metered": cents(plain.item("metered")?), "total": cents(plain.total),
            "area_charge_for_comparison": cents(by_area), "capped_total": cents(capped.total),
        }));
    }
    Some(json!({"customers": customers}))
}

pub fn yearly_volume(input: &Value) -> Option<Value> {
    let mut tiers = tier_list(&input["bounds_m3"], &input["prices"])?;
    if !input["bound_shift_m3"].is_null() {
        tiers = tiers.shifted(thousandths(&input["bound_shift_m3"])?);
    }
    let (month, day) = input["reset"].as_str()?.split_once('-')?;
    let reset = (month.parse().ok()?, day.parse().ok()?);
    let date = |row: &Value| Some(moment(&format!("{}T00:00", row["at"].as_str()?))?.date());
    let (mut periods, mut year) = (Vec::new(), 0);
    for pair in list(&input["readings"]).windows(2) {
        let used = thousandths(&pair[1]["m3"])?.checked_sub(thousandths(&pair[0]["m3"])?)?;
        let split = split_at_reset(date(&pair[0])?, date(&pair[1])?, used, 1000, reset)?;
        if split.begins {
            year = 0;
        }
        let (mut lines, mut amount) = (Vec::new(), Decimal::ZERO);
        let mut price = |total: u64, volume: u64, after: bool| {
            for part in tiers.parts(total, volume)? {
                let rounded = CENT().apply(part.exact);
                amount = amount.checked_add(rounded)?;
                lines.push(json!({
                    "tier": part.tier, "m3": text(Decimal::from_wh(part.quantity)),
                    "price": text(part.price), "amount": cents(rounded), "after_reset": after,
                }));
            }
            Some(())
        };
        price(year, split.before, split.begins)?;
        year += split.before;
        if split.ends {
            year = split.after;
            price(0, split.after, true)?;
        }
        periods.push(json!({
            "from": pair[0]["at"], "to": pair[1]["at"], "m3": text(Decimal::from_wh(used)),
            "lines": lines, "amount": cents(amount), "year_total_m3": text(Decimal::from_wh(year)),
        }));
    }
    Some(json!({"periods": periods}))
}
