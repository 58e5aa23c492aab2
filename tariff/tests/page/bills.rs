//! Rates, tiers, demand charges, taxes.

use std::fmt::Write;

use tariff::bill::{Biller, Interval};
use tariff::calendar::Calendar;
use tariff::cloud::{Charge, Item, Of, Offsets, Plan, Round, Span, Tiers, Usage, tally_by_tier};
use tariff::tier::{Reset, Tier, TierTotal};
use tariff::{Decimal, Price, Rounding, Tariff};

use super::{SLOTS, ZONES, at, bill, d, stands};

#[test]
fn rates_and_tiers_of_an_evening() {
    let prices = [8933, 4000].map(Price::from_ten_thousandths);
    let tier = |up_to_wh, price| Tier {
        up_to_wh,
        price: Price::from_ten_thousandths(price),
    };
    let tiers = [tier(240_000, 0), tier(400_000, 500), tier(u64::MAX, 3000)];
    let tariff = Tariff::try_new(Calendar::try_new(&ZONES, &SLOTS).unwrap(), &prices).unwrap();
    let tariff = tariff
        .with_tiers(&tiers, Reset::Monthly { day: 1, hour: 0 })
        .unwrap();
    let mut biller = Biller::new(
        tariff,
        TierTotal {
            wh: 239_300,
            period: None,
        },
    );
    let mut out = String::new();
    for (minute, wh) in [(1260, 1200), (1320, 800)] {
        let start = at(2026, 3, 5, minute);
        let interval = Interval {
            start,
            seconds: 3600,
            wh,
        };
        let priced = biller.price(interval, |from, line| {
            writeln!(
                out,
                "{:02}:00  rate {} tier {}  {:>4} Wh at {} + {}  = {}",
                from.minute_of_day() / 60,
                line.rate,
                line.tier,
                line.wh,
                Decimal::try_new(line.rate_price.ten_thousandths().into(), 4).unwrap(),
                Decimal::try_new(line.tier_price.ten_thousandths().into(), 4).unwrap(),
                Decimal::try_new(line.amount.ten_millionths().into(), 7).unwrap(),
            )
            .unwrap();
        });
        assert_eq!(priced, Ok(()));
    }
    writeln!(
        out,
        "sum {}",
        Decimal::try_new(biller.amount().ten_millionths().into(), 7).unwrap()
    )
    .unwrap();
    stands(
        "239.3 kWh so far this month, 1.2 kWh from 21:00, 0.8 kWh from 22:00",
        &out,
    );
}

#[test]
fn graduated_tiers_and_all_units() {
    let graduated = Tiers::try_new(
        vec![100_000, 150_000],
        ["0.9010", "1.0732", "1.1676"].map(d).to_vec(),
    )
    .unwrap();
    let all = graduated.clone().all_units_above(150_000);
    let cent = Round::default();
    let usage = Usage::new().with("import", d("180"));
    let plan = |name, tiers| {
        Plan::new(
            name,
            [Item::new(name, Charge::tiered("import", tiers)).rounded(cent)],
        )
    };
    let text = bill(&plan("graduated", graduated), &usage) + &bill(&plan("all units", all), &usage);
    stands("180 kWh, bounds 100 and 150 kWh, two ways", &text);
}

#[test]
fn a_rate_with_tiers_of_its_own_prices() {
    let hour = |start_s: i64, quantity| Span {
        start_s: 1_772_704_800 + start_s,
        seconds: 3600,
        quantity,
    };
    let calendar = Calendar::try_new(&ZONES, &SLOTS).unwrap();
    let series = [hour(0, 6000), hour(3600, 5000), hour(4 * 3600, 4000)];
    let pairs = tally_by_tier(&calendar, &Offsets::fixed(28_800), &[10_000], 0, series);
    let mut text = String::new();
    for ((rate, tier), wh) in pairs {
        writeln!(
            text,
            "rate {rate} tier {tier}: {} kWh",
            Decimal::from_wh(wh)
        )
        .unwrap();
    }
    stands(
        "6 kWh from 18:00, 5 kWh from 19:00, 4 kWh from 22:00; tier 1 to 10 kWh, a price for each pair",
        &text,
    );
}

#[test]
fn a_factory() {
    let cent = Round::default();
    let of = |names: &[&str]| Of::Items(names.iter().map(|name| (*name).to_owned()).collect());
    let plan = Plan::new(
        "factory",
        [
            Item::new("energy", Charge::per_unit("import", d("0.6418"))).rounded(cent),
            Item::new(
                "demand",
                Charge::Contract {
                    demand: "demand".into(),
                    contract: d("500"),
                    allowed: d("1.05"),
                    factor: d("2"),
                    price: d("38"),
                },
            )
            .rounded(cent),
            Item::new(
                "power factor",
                Charge::PowerFactor {
                    active: "import".into(),
                    reactive: "reactive".into(),
                    standard: 90,
                    of: of(&["energy", "demand"]),
                },
            )
            .rounded(cent),
            Item::new("fund", Charge::per_unit("import", d("0.0312"))).rounded(cent),
            Item::new("tax", Charge::percent_of_all(d("0.13"))).rounded(cent),
            Item::new(
                "minimum",
                Charge::Minimum {
                    amount: d("100000"),
                    of: Of::All,
                },
            ),
        ],
    )
    .rounded(Round::places(1, Rounding::HalfEven));
    let usage = Usage::new()
        .with("import", d("81234.5"))
        .with("reactive", d("50000"))
        .with("demand", d("531.3"));
    stands(
        "A factory: contract 500 kW, measured 531.3 kW; cos phi 0.85 at standard 0.90",
        &bill(&plan, &usage),
    );
}
