//! Energy fed in: two bills, net metering.

use ::tariff::Decimal;
use ::tariff::cloud::{Charge, Item, NetBank, Usage};
use serde_json::{Value, json};

use super::super::list;
use super::{CENT, bill, cents, decimal, sum, text, tier_list};

/// Buys over yearly tiers, sells at a fixed price; never netted in energy.
pub fn two_bills(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let sell = decimal(&input["feed_in_price"])?.checked_neg()?;
    let buy = Charge::Tiered {
        quantity: "import".into(),
        before: Some("year".into()),
        tiers,
    };
    let items = [
        Item::new("buy", buy).joined().rounded(CENT()),
        Item::new("sell", Charge::per_unit("export", sell)).rounded(CENT()),
    ];
    let (mut months, mut year, mut sums) = (Vec::new(), Decimal::ZERO, [Decimal::ZERO; 3]);
    for (month, row) in (1..).zip(list(&input["months_import_export_kwh"])) {
        let import = decimal(&row[0])?;
        let usage = Usage::new()
            .with("import", import)
            .with("export", decimal(&row[1])?)
            .with("year", year);
        year = year.checked_add(import)?;
        let bill = bill(items.clone(), usage)?;
        let amounts = [
            bill.item("buy")?,
            bill.item("sell")?.checked_neg()?,
            bill.total,
        ];
        for (sum, amount) in sums.iter_mut().zip(amounts) {
            *sum = sum.checked_add(amount)?;
        }
        let [buy, sell, net] = amounts.map(cents);
        months.push(json!({"month": month, "buy": buy, "sell": sell, "net_payable": net}));
    }
    let [buy, sell, net] = sums.map(cents);
    Some(json!({"months": months, "year_buy": buy, "year_sell": sell, "year_net": net}))
}

pub fn net_metering(input: &Value) -> Option<Value> {
    let periods = ["peak", "off"];
    let mut banks = [NetBank::new(); 2];
    let mut months = Vec::new();
    for (month, row) in (1..).zip(list(&input["months"])) {
        let (mut shown, mut total) = (
            json!({"month": row.get("month").cloned().unwrap_or(json!(month))}),
            Decimal::ZERO,
        );
        for (name, bank) in periods.into_iter().zip(&mut banks) {
            let side = |way: &str| decimal(&row[format!("{name}_{way}")]);
            let price = decimal(&input["prices"][name])?;
            let done = bank.month(side("import")?, side("export")?, price, CENT())?;
            total = total.checked_add(done.amount)?;
            shown[name] = json!({
                "net_kwh": text(done.net), "billed_kwh": text(done.billed),
                "bank_after_kwh": text(done.bank), "amount": cents(done.amount),
            });
        }
        shown["amount"] = json!(cents(total));
        months.push(shown);
    }
    let left = sum(banks.iter_mut().map(NetBank::cash_out))?;
    let paid = CENT().apply(left.checked_mul(decimal(&input["cash_out"])?)?);
    Some(json!({"months": months, "bank_left_kwh": text(left), "cash_out": cents(paid)}))
}
