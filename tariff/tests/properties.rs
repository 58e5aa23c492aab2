//! What holds for every bill: lines add up, splitting a period changes nothing, more never costs less where it must
//! not, meter and cloud agree, and an order told again does nothing.

use proptest::prelude::*;
use tariff::bill::{Biller, Interval};
use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::Moment;
use tariff::cloud::{
    Charge, Item, Of, Offsets, Plan, Round, Span, Tiers, Usage, tally, tally_by_tier,
};
use tariff::purse::{Answer, Limits, Recharge};
use tariff::tier::{Reset, Tier, TierTotal};
use tariff::{Decimal, Machine, Money, Price, Rounding, Tariff};

const ZONES: [Zone; 1] = [Zone {
    start: 101,
    table: 1,
}];
/// 2026-03-02 00:00 in China.
const MONDAY_S: i64 = 1_772_380_800;
const OFFSET_S: i32 = 28_800;

fn decimal(units: u64, places: u8) -> Decimal {
    Decimal::try_new(units.into(), places).unwrap()
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(vec![
        Rounding::HalfUp,
        Rounding::HalfEven,
        Rounding::Floor,
        Rounding::Trunc,
        Rounding::Ceil,
    ])
}

/// Rising bounds (thousandths) and prices of five places, one more.
fn tiers() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    prop::collection::btree_set(1_u64..900_000, 0..6).prop_flat_map(|bounds| {
        let bounds: Vec<u64> = bounds.into_iter().collect();
        let prices = prop::collection::vec(0_u64..300_000, bounds.len() + 1);
        (Just(bounds), prices)
    })
}

fn cloud_tiers(bounds: &[u64], prices: &[u64]) -> Tiers {
    let prices = prices.iter().map(|&price| decimal(price, 5)).collect();
    Tiers::try_new(bounds.to_vec(), prices).unwrap()
}

/// A slot table of the meter: starts in quarter hours and rates 1 to 4.
fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let starts = prop::collection::btree_set(0_u16..96, 1..14);
    (starts, prop::collection::vec(1_u8..5, 14)).prop_map(|(starts, rates)| {
        let rows = starts.into_iter().zip(rates);
        rows.map(|(quarter, rate)| Slot {
            table: 1,
            start: quarter * 15,
            rate,
        })
        .collect()
    })
}

/// A series of quarter hours to a day, watt hours.
fn series() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0_u64..20_000, 1..96)
}

fn spans(series: &[u64], seconds: u32) -> Vec<Span> {
    let starts = (0..).map(|number: i64| MONDAY_S + number * i64::from(seconds));
    let rows = starts.zip(series);
    rows.map(|(start_s, &quantity)| Span {
        start_s,
        seconds,
        quantity,
    })
    .collect()
}

/// Every kind of charge, each of which grows with its quantity.
fn items(tiers: &Tiers, rising: &Tiers, round: Option<Round>) -> Vec<Item> {
    let energy = Of::Items(vec!["graduated".into(), "all units".into()]);
    let charges = [
        ("graduated", Charge::tiered("import", tiers.clone())),
        (
            "all units",
            Charge::tiered("import", rising.clone().all_units_above(200_000)),
        ),
        (
            "by tier",
            Charge::ByTier {
                quantity: "import".into(),
                tiers: rising.clone(),
            },
        ),
        (
            "contract",
            Charge::Contract {
                demand: "demand".into(),
                contract: decimal(400, 0),
                allowed: decimal(105, 2),
                factor: decimal(2, 0),
                price: decimal(38, 0),
            },
        ),
        (
            "ratchet",
            Charge::Ratchet {
                demand: "demand".into(),
                past: "past".into(),
                share: decimal(8, 1),
                price: decimal(525, 2),
            },
        ),
        (
            "fund",
            Charge::Percent {
                rate: decimal(3, 2),
                of: energy.clone(),
            },
        ),
        (
            "minimum",
            Charge::Minimum {
                amount: decimal(90_000, 0),
                of: energy,
            },
        ),
        ("tax", Charge::percent_of_all(decimal(13, 2))),
    ];
    let item = |(name, charge): (&str, Charge)| Item {
        round,
        ..Item::new(name, charge)
    };
    charges.into_iter().map(item).collect()
}

fn usage(import: u64, demand: u64, past: u64) -> Usage {
    let usage = Usage::new().with("import", decimal(import, 3));
    usage
        .with("demand", decimal(demand, 4))
        .with("past", decimal(past, 4))
}

proptest! {
    #[test]
    fn lines_add_up_to_the_total(
        (bounds, prices) in tiers(), import in 0_u64..2_000_000, demand in 0_u64..9_000_000, past in 0_u64..9_000_000,
        rounding in rounding(), places in 0_u8..5,
    ) {
        let tiers = cloud_tiers(&bounds, &prices);
        let plan = Plan::new("all", items(&tiers, &tiers, Some(Round::places(places, rounding))));
        let bill = plan.bill(&usage(import, demand, past)).unwrap();
        let sum = |of: fn(&tariff::cloud::Line) -> Decimal| {
            bill.lines.iter().map(of).try_fold(Decimal::ZERO, Decimal::checked_add).unwrap()
        };
        prop_assert_eq!(sum(|line| line.amount), bill.total);
        prop_assert_eq!(sum(|line| line.remainder().unwrap()), bill.exact.checked_sub(bill.total).unwrap());
        for line in &bill.lines {
            let price = line.price.unwrap();
            prop_assert_eq!(line.quantity.checked_mul(price).unwrap(), line.exact);
            // A rounding moves a line by less than its unit.
            let moved = line.remainder().unwrap().in_units(18).unwrap().abs();
            prop_assert!(moved < 10_i128.pow(18 - u32::from(places)));
        }
    }

    #[test]
    fn more_never_costs_less(
        (bounds, mut prices) in tiers(), import in 0_u64..2_000_000, more in 0_u64..50_000,
        demand in 0_u64..9_000_000, past in 0_u64..9_000_000, rounding in rounding(),
    ) {
        let tiers = cloud_tiers(&bounds, &prices);
        prices.sort_unstable();
        let rising = cloud_tiers(&bounds, &prices);
        // Rounded lines too: every rounding is monotone.
        let plan = Plan::new("all", items(&tiers, &rising, Some(Round::places(2, rounding))));
        let less = plan.bill(&usage(import, demand, past)).unwrap().total;
        prop_assert!(plan.bill(&usage(import + more, demand, past)).unwrap().total >= less);
        prop_assert!(plan.bill(&usage(import, demand + more, past)).unwrap().total >= less);
        prop_assert!(plan.bill(&usage(import, demand, past + more)).unwrap().total >= less);
    }

    #[test]
    fn a_tier_period_may_be_split_anywhere(
        (bounds, prices) in tiers(), total in 0_u64..2_000_000, cut in 0_u64..2_000_000,
    ) {
        let cut = cut.min(total);
        let tiered = Charge::Tiered {
            quantity: "import".into(),
            before: Some("before".into()),
            tiers: cloud_tiers(&bounds, &prices),
        };
        let plan = Plan::new("tiers", [Item::new("energy", tiered)]);
        let bill = |before, import| {
            let usage = Usage::new().with("before", decimal(before, 3)).with("import", decimal(import, 3));
            plan.bill(&usage).unwrap().exact
        };
        prop_assert_eq!(bill(0, cut).checked_add(bill(cut, total - cut)), Some(bill(0, total)));
    }

    #[test]
    fn a_series_may_be_cut_where_nothing_begins(slots in slots(), series in series(), (bounds, _) in tiers()) {
        // An hour with four times the energy is cut where a slot begins, at quarters: the same as its quarters.
        let calendar = Calendar::try_new(&ZONES, &slots).unwrap();
        let zone = Offsets::fixed(OFFSET_S);
        let quarters: Vec<u64> = series.iter().flat_map(|&wh| [wh; 4]).collect();
        let hours: Vec<u64> = series.iter().map(|&wh| wh * 4).collect();
        let (fine, coarse) = (spans(&quarters, 900), spans(&hours, 3600));
        prop_assert_eq!(tally(&calendar, &zone, fine.clone()), tally(&calendar, &zone, coarse.clone()));
        let by_tier = |spans| tally_by_tier(&calendar, &zone, &bounds, 0, spans);
        prop_assert_eq!(by_tier(fine), by_tier(coarse));
    }

    #[test]
    fn the_cloud_gives_the_lines_of_the_meter(
        slots in slots(), series in series(), before in 0_u64..900_000,
        bounds in prop::collection::btree_set(1_u64..900_000, 0..6),
        rate_prices in prop::collection::vec(0_u32..30_000, 4), tier_prices in prop::collection::vec(0_u32..9_000, 7),
    ) {
        let bounds: Vec<u64> = bounds.into_iter().collect();
        let prices: Vec<Price> = rate_prices.iter().copied().map(Price::from_ten_thousandths).collect();
        let ends = bounds.iter().copied().chain([u64::MAX]);
        let tiers: Vec<Tier> = ends
            .zip(&tier_prices)
            .map(|(up_to_wh, &price)| Tier { up_to_wh, price: Price::from_ten_thousandths(price) })
            .collect();
        let calendar = Calendar::try_new(&ZONES, &slots).unwrap();
        let tariff = Tariff::try_new(calendar, &prices).unwrap();
        let tariff = tariff.with_tiers(&tiers, Reset::Monthly { day: 1, hour: 0 }).unwrap();
        let spans = spans(&series, 900);

        // The meter is asked at every quarter, the biller gets intervals, the cloud the series.
        let mut machine = Machine::<4>::new();
        let mut biller = Biller::new(tariff, TierTotal { wh: before, period: None });
        let (mut total, mut from_biller, mut from_meter) = (0, Vec::new(), Vec::new());
        let at = |utc_s| Moment { utc_s, offset_s: OFFSET_S };
        let _ = machine.advance(&tariff, at(MONDAY_S), total, |_| ());
        for span in &spans {
            total += span.quantity;
            let interval = Interval { start: at(span.start_s), seconds: 900, wh: span.quantity };
            prop_assert_eq!(biller.price(interval, |_, line| from_biller.push(line)), Ok(()));
            let _ = machine.advance(&tariff, at(span.start_s + 900), total, |line| from_meter.push(line));
        }
        let by_tier = tally_by_tier(&calendar, &Offsets::fixed(OFFSET_S), &bounds, before, spans);
        for (&(rate, tier), &wh) in &by_tier {
            let of_pair = from_biller.iter().filter(|line| (line.rate, line.tier) == (rate, tier));
            prop_assert_eq!(of_pair.map(|line| line.wh).sum::<u64>(), wh);
        }
        let items = by_tier.keys().map(|&(rate, tier)| {
            let units = rate_prices[usize::from(rate) - 1] + tier_prices[usize::from(tier) - 1];
            Item::new("energy", Charge::per_unit(&format!("{rate} {tier}"), decimal(units.into(), 4)))
        });
        let plan = Plan::new("cloud", items);
        let usage = by_tier.iter().fold(Usage::new(), |usage, (&(rate, tier), &wh)| {
            usage.with(&format!("{rate} {tier}"), Decimal::from_wh(wh))
        });
        let amount = Decimal::try_new(biller.amount().ten_millionths().into(), 7);
        prop_assert_eq!(Some(plan.bill(&usage).unwrap().exact), amount);
        // A machine begins its month at zero: its lines are those of a biller that does.
        if before == 0 {
            prop_assert_eq!(from_meter, from_biller);
        } else {
            let wh = |lines: &[tariff::Line], rate| {
                lines.iter().filter(|line| line.rate == rate).map(|line| line.wh).sum::<u64>()
            };
            for rate in 1..=4 {
                prop_assert_eq!(wh(&from_meter, rate), wh(&from_biller, rate));
            }
        }
    }

    #[test]
    fn an_order_told_again_does_nothing(
        orders in prop::collection::vec((0_u32..4, -20_i64..4_000, 0_u64..9_000, any::<bool>()), 1..24),
        again in prop::collection::vec(any::<prop::sample::Index>(), 1..24),
    ) {
        let slots = [Slot { table: 1, start: 0, rate: 1 }];
        let prices = [Price::from_ten_thousandths(5_000)];
        let tariff = Tariff::try_new(Calendar::try_new(&ZONES, &slots).unwrap(), &prices).unwrap();
        let mut machine = Machine::<1>::prepaid(Limits::default());
        let mut now = Moment { utc_s: MONDAY_S, offset_s: OFFSET_S };
        let (mut total, mut accepted) = (0, Vec::new());
        let _ = machine.advance(&tariff, now, total, |_| ());
        let _ = machine.open_account([1; 6]).unwrap();
        for (ahead, hundredths, wh, refunds) in orders {
            (now, total) = (now.plus(900), total + wh);
            let _ = machine.advance(&tariff, now, total, |_| ());
            let count = if refunds { machine.purse().refunds() } else { machine.purse().count() };
            let order = Recharge { customer: [1; 6], count: count + ahead, amount: Money::from_hundredths(hundredths) };
            let done = match refunds {
                true => matches!(machine.refund(order, now.utc_s), Ok((Answer::Done(..), _))),
                false => matches!(machine.recharge(order, now.utc_s), Ok((Answer::Done(..), _))),
            };
            if done {
                accepted.push((order, refunds));
            }
        }
        let before = machine.clone();
        for index in again {
            if accepted.is_empty() {
                break;
            }
            let (order, refunds) = *index.get(&accepted);
            let done = match refunds {
                true => matches!(machine.refund(order, now.utc_s), Ok((Answer::Done(..), _))),
                false => matches!(machine.recharge(order, now.utc_s), Ok((Answer::Done(..), _))),
            };
            prop_assert!(!done);
            prop_assert_eq!(&machine, &before);
        }
    }
}
