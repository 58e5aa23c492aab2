//! Demand, local time, prices of an exchange, energy fed in.

use std::fmt::Write;

use tariff::civil::Date;
use tariff::cloud::{DayTypes, DynamicPrices, NetBank, Round, Span, tally};
use tariff::demand::{Demand, Windows};
use tariff::{Decimal, Rounding};

use super::{at, d, stands};

#[test]
fn block_and_sliding_demand() {
    let mut text = String::new();
    for (name, windows) in [
        ("block", Windows::block(15)),
        ("sliding", Windows::sliding(15, 1)),
    ] {
        let mut demand = Demand::<15>::new(windows.unwrap());
        let mut best: Option<tariff::demand::Window> = None;
        for minute in 0..60 {
            let watts = if (10..25).contains(&minute) {
                6_000
            } else {
                1_000
            };
            demand.book(
                at(2026, 1, 5, 480 + minute as u32),
                60,
                watts * 60,
                1,
                |window| {
                    if best.is_none_or(|best| window.joules > best.joules) {
                        best = Some(window);
                    }
                },
            );
        }
        let best = best.unwrap();
        let kilowatts = d(&best.joules.to_string())
            .divided(d("900000"), 4, Rounding::HalfUp)
            .unwrap();
        let minute = best.end.minute_of_day();
        writeln!(
            text,
            "{name:<8} {kilowatts} kW at {:02}:{:02}",
            minute / 60,
            minute % 60
        )
        .unwrap();
    }
    stands("1 kW, from 08:10 to 08:25 6 kW; period 15 minutes", &text);
}

#[test]
fn clock_change_and_rolling_days() {
    // Two rates by day colour that begin at 6:00; the night of the change to summer time in Paris 2026.
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let blue_red = DayTypes {
        begins_s: 6 * 3600,
        days: [(Date::try_new(2026, 3, 29).unwrap(), 1)].into(),
        slots: vec![vec![(360, 2), (1320, 1)], vec![(360, 4), (1320, 3)]],
    };
    // From Saturday 22:00 to Monday 06:00 local, a kilowatt without a break.
    let from = "2026-03-28T22:00:00+01:00"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_second();
    let to = "2026-03-30T06:00:00+02:00"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_second();
    let hours = (from..to).step_by(3600).map(|start_s| Span {
        start_s,
        seconds: 3600,
        quantity: 1000,
    });
    let mut text = String::new();
    for (rate, wh) in tally(&blue_red, &paris, hours) {
        let name = ["blue low", "blue high", "red low", "red high"][usize::from(rate) - 1];
        writeln!(text, "{name:<9} {} h", Decimal::from_wh(wh)).unwrap();
    }
    stands(
        "Saturday 22:00 to Monday 06:00 over the change to summer time, Sunday a red day from 06:00",
        &text,
    );
}

#[test]
fn prices_of_every_half_hour() {
    let mut prices = DynamicPrices::new();
    for (start_s, price) in [(0, "0.21"), (1800, "-0.03"), (3600, "0.18")] {
        prices.set(start_s, 1800, d(price));
    }
    let cost = |start_s, seconds, quantity| {
        prices.cost(Span {
            start_s,
            seconds,
            quantity,
        })
    };
    let mut text = String::new();
    writeln!(
        text,
        "00:15 to 00:45, 1 kWh: {}",
        cost(900, 1800, 1000).unwrap().unwrap()
    )
    .unwrap();
    writeln!(
        text,
        "01:00 to 02:00, 1 kWh: {}",
        cost(3600, 3600, 1000).unwrap_err()
    )
    .unwrap();
    stands(
        "0.21 from 00:00, -0.03 from 00:30, 0.18 from 01:00 to 01:30",
        &text,
    );
}

#[test]
fn a_bank_of_kilowatt_hours() {
    let mut bank = NetBank::new();
    let mut text = String::new();
    for (month, import, export) in [
        ("June", "210", "330"),
        ("July", "200", "180"),
        ("August", "260", "120"),
    ] {
        let month_of = bank
            .month(d(import), d(export), d("0.52"), Round::default())
            .unwrap();
        writeln!(
            text,
            "{month:<7} net {:>5}  billed {:>3} kWh  bank {:>3} kWh  to pay {}",
            month_of.net.to_string(),
            month_of.billed.to_string(),
            month_of.bank.to_string(),
            month_of.amount.fixed(2)
        )
        .unwrap();
    }
    stands("Net metering at 0.52", &text);
}
