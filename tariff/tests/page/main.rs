//! The worked examples of `docs/tariff.md` come out of the engine: every block of the page is made here anew and
//! stands on it to the letter.

mod bills;
mod sales;
mod series;

use std::fmt::Write;

use tariff::Decimal;
use tariff::calendar::{Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::cloud::{Plan, Usage};

const PAGE: &str = include_str!("../../../docs/tariff.md");
const CUSTOMER: [u8; 6] = [1; 6];

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn at(year: u16, month: u8, day: u8, minute: u32) -> Moment {
    Moment::from_local(
        Date::try_new(year, month, day).unwrap(),
        minute * 60,
        28_800,
    )
}

/// The block of a title stands on the page.
fn stands(title: &str, block: &str) {
    let wanted = format!("**{title}**\n\n```text\n{block}```\n");
    assert!(
        PAGE.contains(&wanted),
        "docs/tariff.md lacks this block:\n\n{wanted}"
    );
}

/// A bill as the page shows it.
fn bill(plan: &Plan, usage: &Usage) -> String {
    let bill = plan.bill(usage).unwrap();
    let mut out = String::new();
    for line in &bill.lines {
        let name = line.tier.map_or(line.item.clone(), |tier| {
            format!("{}, tier {tier}", line.item)
        });
        let price = line.price.map_or(String::new(), |price| price.to_string());
        let (quantity, left) = (line.quantity.to_string(), line.remainder().unwrap());
        writeln!(
            out,
            "{name:<18} {quantity:>10} x {price:<8} = {:>12}   left {left:<9} {}",
            line.amount.to_string(),
            line.rule
        )
        .unwrap();
    }
    writeln!(out, "to pay {}; exact {}", bill.total, bill.exact).unwrap();
    out
}

const ZONES: [Zone; 1] = [Zone {
    start: 101,
    table: 1,
}];
const SLOTS: [Slot; 2] = [
    Slot {
        table: 1,
        start: 480,
        rate: 1,
    },
    Slot {
        table: 1,
        start: 1320,
        rate: 2,
    },
];
