//! A year of a made-up house, hour by hour, under a tariff of periods, tiers and demand: the bills of all months in
//! several ways of settling, and how fast the months of many houses are priced. Prints a name and numbers on each
//! line; `cargo xtask tariff-compare` runs it beside an independent program that reads the same year from a file.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use serde_json::json;
use tariff::bill::{Biller, Interval};
use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::{Date, Moment, days_in_month};
use tariff::cloud::{
    Charge, Item, Matrix, NetBank, Of, Offsets, Plan, Round, Schedule, Span, Tiers, Usage, tally,
    tally_by_tier,
};
use tariff::demand::{Demand, Maxima, Windows};
use tariff::tier::{Reset, Tier, TierTotal};
use tariff::{Decimal, Price, Rounding, Tariff};
use testkit::Rng;

/// A year that begins on a Monday, as the other program takes every year to.
const YEAR: u16 = 2018;
/// Weekdays 8 to 20 h are period 2, all else period 1.
const DAY: std::ops::Range<usize> = 8..20;
/// Last watt hour of tiers 1 and 2 of a month.
const BOUNDS: [u64; 2] = [300_000, 500_000];
/// Last watt of the first tier of the demand of a period.
const DEMAND_BOUND: u64 = 1_500;
/// Prices of a kilowatt hour by period and tier, no sum of a price of the period and one of the tier.
const PRICES: [[&str; 3]; 2] = [["0.1", "0.18", "0.21"], ["0.2", "0.23", "0.32"]];
/// The same as such a sum, for the engine of the meter, in 0.0001.
const RATE_PRICES: [u32; 2] = [1000, 2000];
const TIER_PRICES: [u32; 3] = [0, 500, 800];
/// Paid for a kilowatt hour fed in.
const SELL: [&str; 2] = ["0.05", "0.07"];
/// Of a kilowatt: the month's greatest, and by period in two tiers.
const DEMAND: &str = "5.25";
const PERIOD_DEMAND: [[&str; 2]; 2] = [["3", "4"], ["7.5", "9.5"]];
const FIXED: &str = "10";
/// Above what some months of the house come to.
const MINIMUM: &str = "175";
/// Share of the greatest demand of the months before that a month's demand is held to at least.
const RATCHET: &str = "0.8";
/// Paid for a kilowatt hour left in the bank at the end of the year.
const CASH_OUT: &str = "0.03";

fn d(text: &str) -> Decimal {
    text.parse().expect("a decimal of this file")
}

/// Hour by hour, watt hours.
struct House {
    load: Vec<u64>,
    sun: Vec<u64>,
}

impl House {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let load = (0..8760).map(|_| 100 + rng.below(1900)).collect();
        let summer = [6, 8, 10, 13, 22, 24, 22, 14, 10, 8, 6, 5];
        let sun = hours().map(|(month, hour)| {
            let height = 25_u64.saturating_sub((hour % 24).abs_diff(12) as u64 * 4);
            height * 10 * summer[month]
        });
        House {
            load,
            sun: sun.collect(),
        }
    }
}

/// Month (0 January) and hour of the year of every hour.
fn hours() -> impl Iterator<Item = (usize, usize)> {
    let days = (1..=12)
        .flat_map(|month| std::iter::repeat_n(month - 1, days_in_month(YEAR, month).into()));
    days.enumerate()
        .flat_map(|(day, month)| (0..24).map(move |hour| (month.into(), day * 24 + hour)))
}

fn moment(hour: usize) -> Moment {
    let first = Date::try_new(YEAR, 1, 1).expect("the first day of a year is real");
    Moment::from_local(first, 0, 0).plus(hour as i64 * 3600)
}

fn matrix() -> Matrix {
    let hours = std::array::from_fn(|hour| if DAY.contains(&hour) { 2 } else { 1 });
    Matrix {
        weekday: [hours; 12],
        weekend: [[1; 24]; 12],
        holidays: Default::default(),
    }
}

/// The hours of a month as spans of a series.
fn spans(series: &[u64], month: usize) -> Vec<Span> {
    let of_month = hours().filter(|&(of, _)| of == month);
    let span = |(_, hour)| Span {
        start_s: moment(hour).utc_s,
        seconds: 3600,
        quantity: series[hour],
    };
    of_month.map(span).collect()
}

fn maxima(schedule: &impl Schedule, spans: &[Span]) -> Maxima<2> {
    let windows = Windows::block(60).expect("an hour is a period");
    let (mut demand, mut maxima) = (Demand::<1>::new(windows), Maxima::<2>::new());
    for span in spans {
        let at = Moment {
            utc_s: span.start_s,
            offset_s: 0,
        };
        let joules = span.quantity as i64 * 3600;
        demand.book(at, span.seconds, joules, schedule.rate(at), |window| {
            maxima.take(&window)
        });
    }
    maxima
}

fn kilowatts(peak: Option<tariff::demand::Peak>) -> Decimal {
    let units = peak.map_or(0, |peak| peak.ten_thousandths_kw());
    Decimal::try_new(units.into(), 4).expect("four places fit")
}

/// Quantities of a month that a plan asks for.
fn usage(by_tier: &BTreeMap<(u8, u8), u64>, maxima: &Maxima<2>) -> Usage {
    let mut usage = Usage::new().with("peak", kilowatts(maxima.total()));
    for rate in 1..=2 {
        usage.set(&format!("peak {rate}"), kilowatts(maxima.rate(rate)));
        for tier in 1..=3 {
            let wh = by_tier.get(&(rate, tier)).copied().unwrap_or_default();
            usage.set(&format!("energy {rate} {tier}"), Decimal::from_wh(wh));
        }
    }
    usage
}

/// Energy by period and tier, demand in total and by period, a fixed charge and a minimum.
fn plan(price: impl Fn(u8, u8) -> Decimal) -> Plan {
    let mut items = Vec::new();
    for (rate, tier) in (1..=2).flat_map(|rate| (1..=3).map(move |tier| (rate, tier))) {
        let quantity = format!("energy {rate} {tier}");
        items.push(Item::new(
            "energy",
            Charge::PerUnit {
                quantity,
                price: price(rate, tier),
            },
        ));
    }
    items.push(Item::new(
        "demand",
        Charge::PerUnit {
            quantity: "peak".into(),
            price: d(DEMAND),
        },
    ));
    for (rate, prices) in (1..).zip(PERIOD_DEMAND) {
        let tiers = Tiers::try_new(vec![DEMAND_BOUND], prices.map(d).to_vec())
            .expect("one bound, two prices");
        items.push(Item::new(
            "demand by period",
            Charge::tiered(&format!("peak {rate}"), tiers),
        ));
    }
    items.push(Item::new("fixed", Charge::Fixed(d(FIXED))));
    let of = Of::Items(vec![
        "energy".into(),
        "fixed".into(),
        "demand".into(),
        "demand by period".into(),
    ]);
    items.push(Item::new(
        "minimum",
        Charge::Minimum {
            amount: d(MINIMUM),
            of,
        },
    ));
    Plan::new("year", items)
}

fn price(rate: u8, tier: u8) -> Decimal {
    d(PRICES[usize::from(rate) - 1][usize::from(tier) - 1])
}

fn show(name: &str, months: &[Decimal]) {
    let texts: Vec<_> = months.iter().map(ToString::to_string).collect();
    println!("{name} {}", texts.join(" "));
}

/// Sum of a list of amounts of this file, which fit.
fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Decimal {
    let mut amounts = amounts.into_iter();
    amounts
        .try_fold(Decimal::ZERO, Decimal::checked_add)
        .expect("amounts of a house fit")
}

fn product(a: Decimal, b: Decimal) -> Decimal {
    a.checked_mul(b).expect("amounts of a house fit")
}

/// The tiers filled in the order of time, and what sharing them out in proportion to the periods would give.
fn tiers(house: &House) {
    let (schedule, plan) = (matrix(), plan(price));
    let mut rows = BTreeMap::<&str, Vec<Decimal>>::new();
    let mut in_proportion = Vec::new();
    for month in 0..12 {
        let spans = spans(&house.load, month);
        let by_tier = tally_by_tier(
            &schedule,
            &Offsets::fixed(0),
            &BOUNDS,
            0,
            spans.iter().copied(),
        );
        let bill = plan
            .bill(&usage(&by_tier, &maxima(&schedule, &spans)))
            .expect("the month has a bill");
        for item in ["energy", "demand", "demand by period", "fixed", "minimum"] {
            rows.entry(item)
                .or_default()
                .push(bill.item(item).expect("an item of a house fits"));
        }
        rows.entry("bill").or_default().push(bill.total);
        let total: u64 = by_tier.values().sum();
        let of_rate = |rate| {
            by_tier
                .range((rate, 0)..(rate + 1, 0))
                .map(|(_, wh)| wh)
                .sum::<u64>()
        };
        let of_tier = |tier| {
            by_tier
                .iter()
                .filter(|((_, of), _)| *of == tier)
                .map(|(_, wh)| wh)
                .sum::<u64>()
        };
        let shares = (1..=2).flat_map(|rate| (1..=3).map(move |tier| (rate, tier)));
        in_proportion.push(sum(shares.map(|(rate, tier)| {
            let part = product(
                Decimal::from_wh(of_rate(rate)),
                Decimal::from_wh(of_tier(tier)),
            );
            let share = part.divided(Decimal::from_wh(total), 9, Rounding::HalfUp);
            product(share.expect("a month is not empty"), price(rate, tier))
        })));
    }
    for (item, months) in &rows {
        show(&format!("tiers-by-time.{}", item.replace(' ', "-")), months);
    }
    show("tiers-in-proportion.energy", &in_proportion);
}

/// Import and export of every hour, priced apart, and all sold beside all bought.
fn net_billing(house: &House) {
    let (schedule, utc) = (matrix(), Offsets::fixed(0));
    let hours = house.load.iter().zip(&house.sun);
    let import: Vec<u64> = hours
        .clone()
        .map(|(load, sun)| load.saturating_sub(*sun))
        .collect();
    let export: Vec<u64> = hours.map(|(load, sun)| sun.saturating_sub(*load)).collect();
    let energy = |bought: &[u64], sold: &[u64], month| {
        let pairs = tally_by_tier(&schedule, &utc, &BOUNDS, 0, spans(bought, month));
        let rates = tally(&schedule, &utc, spans(sold, month));
        let paid = pairs
            .iter()
            .map(|(&(rate, tier), &wh)| product(Decimal::from_wh(wh), price(rate, tier)));
        let got = rates
            .iter()
            .map(|(&rate, &wh)| product(Decimal::from_wh(wh), d(SELL[usize::from(rate) - 1])));
        sum(paid)
            .checked_sub(sum(got))
            .expect("amounts of a house fit")
    };
    show(
        "net-billing.energy",
        &(0..12)
            .map(|month| energy(&import, &export, month))
            .collect::<Vec<_>>(),
    );
    show(
        "buy-all-sell-all.energy",
        &(0..12)
            .map(|month| energy(&house.load, &house.sun, month))
            .collect::<Vec<_>>(),
    );
}

/// A bank of kilowatt hours for each period, and one for both, which is what the other program pays out.
fn net_metering(house: &House) {
    let (schedule, utc, exact) = (
        matrix(),
        Offsets::fixed(0),
        Round::places(18, Rounding::HalfUp),
    );
    let (mut banks, mut one) = ([NetBank::new(); 2], NetBank::new());
    let (mut energy, mut of_one) = (Vec::new(), Vec::new());
    for month in 0..12 {
        let import = tally(&schedule, &utc, spans(&house.load, month));
        let export = tally(&schedule, &utc, spans(&house.sun, month));
        let kwh = |of: &BTreeMap<u8, u64>, rate: u8| {
            Decimal::from_wh(of.get(&rate).copied().unwrap_or_default())
        };
        let months = (1..=2).zip(&mut banks).map(|(rate, bank)| {
            bank.month(
                kwh(&import, rate),
                kwh(&export, rate),
                price(rate, 1),
                exact,
            )
            .expect("a month fits")
            .amount
        });
        energy.push(sum(months));
        let [bought, sold] = [&import, &export].map(|of| sum((1..=2).map(|rate| kwh(of, rate))));
        of_one.push(
            one.month(bought, sold, Decimal::ZERO, exact)
                .expect("a month fits")
                .bank,
        );
    }
    show("net-metering.energy", &energy);
    show("net-metering.bank-of-all", &of_one);
    let left = sum(banks.map(|mut bank| bank.cash_out()));
    show(
        "net-metering.left-in-the-banks",
        &[left, product(left, d(CASH_OUT))],
    );
}

/// The month's demand, at least a share of the greatest of the months before.
fn ratchet(house: &House) {
    let charge = Charge::Ratchet {
        demand: "peak".into(),
        past: "past".into(),
        share: d(RATCHET),
        price: d(DEMAND),
    };
    let plan = Plan::new("ratchet", [Item::new("demand", charge)]);
    let mut past = Decimal::ZERO;
    let months = (0..12).map(|month| {
        let load: Vec<u64> = house
            .load
            .iter()
            .map(|wh| wh * (month as u64 * 5 % 12 + 1) / 12)
            .collect();
        let peak = kilowatts(maxima(&matrix(), &spans(&load, month)).total());
        let bill = plan.bill(&Usage::new().with("peak", peak).with("past", past));
        past = past.max(peak);
        bill.expect("the month has a bill").total
    });
    show("ratchet.demand", &months.collect::<Vec<_>>());
}

/// The tables of the meter that say the same as [`matrix`], with prices that are sums.
struct Tables {
    zones: [Zone; 1],
    slots: [Slot; 4],
    prices: [Price; 2],
    tiers: [Tier; 3],
}

impl Tables {
    fn new() -> Self {
        let slot = |table, hour: usize, rate| Slot {
            table,
            start: hour as u16 * 60,
            rate,
        };
        let bounds = [BOUNDS[0], BOUNDS[1], u64::MAX];
        Tables {
            zones: [Zone {
                start: 101,
                table: 1,
            }],
            slots: [
                slot(1, 0, 1),
                slot(1, DAY.start, 2),
                slot(1, DAY.end, 1),
                slot(2, 0, 1),
            ],
            prices: RATE_PRICES.map(Price::from_ten_thousandths),
            tiers: std::array::from_fn(|k| Tier {
                up_to_wh: bounds[k],
                price: Price::from_ten_thousandths(TIER_PRICES[k]),
            }),
        }
    }

    fn tariff(&self) -> Tariff<'_> {
        const MONDAY_TO_FRIDAY: u8 = 0x3E;
        let calendar = Calendar::try_new(&self.zones, &self.slots);
        let calendar = calendar.and_then(|calendar| calendar.with_rest_days(MONDAY_TO_FRIDAY, 2));
        let tariff = calendar.and_then(|calendar| Tariff::try_new(calendar, &self.prices));
        let reset = Reset::Monthly { day: 1, hour: 0 };
        tariff
            .and_then(|tariff| tariff.with_tiers(&self.tiers, reset))
            .expect("the tables of this file are sound")
    }
}

/// The January of one of many houses, through the meter's engine: 744 hours, demand, all lines of the bill.
fn january(tariff: Tariff<'_>, plan: &Plan, load: &[u64], house: usize) -> Decimal {
    let mut biller = Biller::new(tariff, TierTotal::default());
    let windows = Windows::block(60).expect("an hour is a period");
    let (mut demand, mut maxima) = (Demand::<1>::new(windows), Maxima::<2>::new());
    let mut pairs = [[0; 3]; 2];
    for hour in 0..31 * 24 {
        let (start, wh) = (moment(hour), load[(hour + house * 7) % load.len()]);
        let mut rate = 1;
        let priced = biller.price(
            Interval {
                start,
                seconds: 3600,
                wh,
            },
            |_, line| {
                rate = line.rate;
                pairs[usize::from(line.rate) - 1][usize::from(line.tier) - 1] += line.wh;
            },
        );
        assert!(priced.is_ok(), "hours follow each other");
        demand.book(start, 3600, wh as i64 * 3600, rate, |window| {
            maxima.take(&window)
        });
    }
    let pairs = (1..)
        .zip(pairs)
        .flat_map(|(rate, tiers)| (1..).zip(tiers).map(move |(tier, wh)| ((rate, tier), wh)));
    let bill = plan
        .bill(&usage(&pairs.collect(), &maxima))
        .expect("the month has a bill");
    let energy = Decimal::try_new(biller.amount().ten_millionths().into(), 7);
    assert_eq!(bill.item("energy"), energy, "the bill and the meter agree");
    bill.total
}

/// Meter months a second on one core, and seconds for all `meters` on all cores.
fn speed(house: &House, meters: usize) {
    let tables = Tables::new();
    let plan = plan(|rate, tier| {
        let units = RATE_PRICES[usize::from(rate) - 1] + TIER_PRICES[usize::from(tier) - 1];
        Decimal::try_new(units.into(), 4).expect("four places fit")
    });
    let all = |from: usize, to: usize| {
        for house_number in from..to {
            black_box(january(tables.tariff(), &plan, &house.load, house_number));
        }
    };
    // Rounds as short as one of the peer's, so that another program's turn on the core falls between them.
    let fastest = (0..300).map(|round| {
        let begin = Instant::now();
        all(round * 24, round * 24 + 24);
        24.0 / begin.elapsed().as_secs_f64()
    });
    println!("speed.months-a-second {:.0}", fastest.fold(0.0, f64::max));
    show(
        "speed.january",
        &[january(tables.tariff(), &plan, &house.load, 0)],
    );
    if meters > 0 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for core in 0..cores {
                let all = &all;
                scope.spawn(move || all(meters * core / cores, meters * (core + 1) / cores));
            }
        });
        println!(
            "speed.all {meters} {cores} {:.1}",
            begin.elapsed().as_secs_f64()
        );
    }
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let house = House::new(2018);
    if let Some(folder) = arguments.next() {
        let year = json!({
            "load": house.load, "sun": house.sun, "day": [DAY.start, DAY.end], "bounds": BOUNDS, "prices": PRICES,
            "rate_prices": RATE_PRICES, "tier_prices": TIER_PRICES, "sell": SELL, "demand": DEMAND,
            "demand_bound": DEMAND_BOUND, "period_demand": PERIOD_DEMAND, "fixed": FIXED, "minimum": MINIMUM,
            "ratchet": RATCHET, "cash_out": CASH_OUT,
        });
        let file = std::path::Path::new(&folder).join("year.json");
        std::fs::write(file, year.to_string()).expect("the folder can be written");
    }
    tiers(&house);
    net_billing(&house);
    net_metering(&house);
    ratchet(&house);
    let meters = arguments
        .next()
        .map_or(0, |count| count.parse().expect("a number of meters"));
    speed(&house, meters);
}
