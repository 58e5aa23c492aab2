//! What time brings: settlement, switches, freezes, load records, friendly hours, a clock that is set or lost.

use tariff::freeze::Kind;
use tariff::friendly::{Friendly, FriendlyHours};
use tariff::machine::{Terms, Why};
use tariff::meter::{Detail, Meter, Parameters, Row, Shown};
use tariff::purse::{Cause, Limits};
use tariff::sets::Table;
use tariff::{Machine, Money};

use crate::bench::{Bench, at, count, parameters};

#[test]
fn a_quarter_is_settled_frozen_and_recorded_on_time() {
    let mut bench = Bench::new(Meter::around(Machine::new()), parameters(), at(1, 1, 1));
    bench.watts = [1200, 300];
    let kinds = bench.run(at(4, 1, 0));
    // 31 + 28 + 31 days; settlement on the 15th at noon and on the first.
    let expected = [
        (Kind::Settlement, 6),
        (Kind::Timed, 3),
        (Kind::Daily, 90),
        (Kind::Hourly, 90 * 24),
        (Kind::Load, 90 * 96),
        (Kind::DailyPurse, 0),
        (Kind::Trip, 0),
    ];
    for (kind, times) in expected {
        assert_eq!(count(&kinds, kind), times, "{kind:?}");
        assert_eq!(bench.meter.kept(kind), times as u32);
    }
    // 14 h of 1.2 kW a day at rate 1 and 10 h at rate 2, but for the first minute of the year.
    let row = bench.newest(Kind::Settlement);
    assert_eq!(
        (row.snapshot.at, row.detail),
        (at(4, 1, 0), Detail::Settled { first: true })
    );
    let [forward, reverse] = row.snapshot.channels;
    assert_eq!(forward.by_rate, [90 * 168_000, 90 * 120_000 - 200]);
    assert_eq!(forward.total, forward.by_rate.iter().sum::<u64>());
    assert_eq!(reverse.total * 4, forward.total);
    assert_eq!(row.snapshot.charged, [90 * 16_800, 90 * 12_000 - 20]);
    // Steady power: 1.2 kW in each window of every rate; the day in the middle ends no demand.
    let peak = |row: &Row<2, 2, 2>, rate| {
        row.snapshot.demand[0]
            .rate(rate)
            .map(|peak| peak.ten_thousandths_kw())
    };
    assert_eq!([1, 2].map(|rate| peak(&row, rate)), [Some(12_000); 2]);
    let middle = bench.row(Kind::Settlement, 5);
    assert_eq!(middle.detail, Detail::Settled { first: false });
    assert_eq!(peak(&middle, 1), None);
    assert_eq!(middle.snapshot.at, at(3, 15, 720));
    assert_eq!(bench.meter.maxima(0).unwrap().total(), None, "begun anew");
    assert_eq!(bench.row(Kind::Timed, 2).snapshot.at, at(2, 3, 30));
    assert_eq!(bench.newest(Kind::Load).detail, Detail::Classes(0b1000));
    assert_eq!(bench.meter.status_word_1(&bench.p), 0);
}

#[test]
fn power_off_over_boundaries_settles_and_switches_once_with_the_energy_of_before() {
    let mut bench = Bench::new(Meter::around(Machine::new()), parameters(), at(3, 14, 720));
    bench.meter.arm(Table::Prices, at(3, 20, 0), bench.now);
    bench.meter.arm(Table::Tiers, at(3, 21, 0), bench.now);
    bench.run(at(3, 14, 900));
    let before = *bench.meter.channel(0).unwrap();
    let (count_before, rate) = (
        bench.meter.kept(Kind::Settlement),
        bench.meter.machine().rate(),
    );
    // Off over two settlements, two switches, a tier period and many hours.
    let kinds = bench.off(20 * 86_400);
    for kind in [
        Kind::Settlement,
        Kind::Prices,
        Kind::Tiers,
        Kind::Hourly,
        Kind::Daily,
        Kind::Timed,
        Kind::Load,
    ] {
        assert_eq!(count(&kinds, kind), 1, "{kind:?}");
    }
    assert_eq!(bench.meter.kept(Kind::Settlement), count_before + 1);
    let row = bench.newest(Kind::Settlement);
    assert_eq!(row.detail, Detail::Settled { first: true });
    let (after, index) = (row.snapshot.channels[0], usize::from(rate) - 1);
    assert_eq!(
        after.by_rate[index] - before.by_rate[index],
        20 * 24 * 12_000,
        "the rate of before"
    );
    let word = bench.meter.status_word_3(Shown {
        supply: 2,
        programming: true,
        ..Shown::default()
    });
    assert_eq!(word, 1 << 2 | 1 << 3 | 1 << 10 | 1 << 11 | 3 << 14);
    // Demand: nothing until a whole period has passed after power is back.
    assert_eq!(bench.meter.maxima(0).unwrap().total(), None);
    for _ in 0..14 {
        bench.step(60);
    }
    assert_eq!(bench.meter.maxima(0).unwrap().total(), None);
    bench.step(60);
    assert!(bench.meter.maxima(0).unwrap().total().is_some());
}

#[test]
fn a_clock_set_back_and_forward_repeats_nothing() {
    let mut bench = Bench::new(Meter::around(Machine::new()), parameters(), at(3, 31, 1400));
    assert_eq!(count(&bench.run(at(4, 1, 30)), Kind::Settlement), 1);
    let total = bench.meter.channel(0).unwrap().total;
    let hourly = bench.meter.kept(Kind::Hourly);
    // An hour back over the settlement, midnight and a full hour; forward again by itself.
    bench.set_clock(at(3, 31, 1410));
    assert_eq!(
        bench.newest(Kind::ClockSet).detail,
        Detail::ClockSet {
            before_s: at(4, 1, 30).utc_s
        }
    );
    let kinds = bench.run(at(4, 1, 29));
    assert!(kinds.is_empty(), "{kinds:?}");
    assert_eq!(
        bench.meter.channel(0).unwrap().total - total,
        59 * 200,
        "energy goes on"
    );
    assert_eq!(count(&bench.run(at(4, 1, 60)), Kind::Hourly), 1);
    assert_eq!(bench.meter.kept(Kind::Hourly), hourly + 1);
    // Ten months forward by mistake: one settlement; and back: a new beginning.
    bench.set_clock(at(12, 5, 0));
    assert_eq!(count(&bench.step(1), Kind::Settlement), 1);
    bench.set_clock(at(4, 1, 70));
    assert_eq!(
        count(&bench.run(at(5, 1, 0)), Kind::Settlement),
        2,
        "15 April and 1 May"
    );
}

#[test]
fn a_switch_of_sets_is_frozen_and_prices_from_its_minute_on() {
    let limits = Limits {
        overdraft: Money::from_hundredths(100_000),
        ..Limits::default()
    };
    let mut bench = Bench::prepaid(parameters(), at(6, 1, 600), limits, 100_000);
    bench.meter.arm(Table::Prices, at(6, 1, 660), bench.now);
    assert_eq!(bench.meter.status_word_3(Shown::default()), 2 << 8);
    let start = bench.balance();
    let kinds = bench.run(at(6, 1, 720));
    assert_eq!(count(&kinds, Kind::Prices), 1);
    // 1.2 kWh at 0.5, then 1.2 kWh at 1.0.
    assert_eq!(start - bench.balance(), 6_000_000 + 12_000_000);
    let frozen = bench.newest(Kind::Prices).snapshot;
    assert_eq!((frozen.at, frozen.charged), (at(6, 1, 660), [1200, 0]));
    assert_eq!(frozen.balance.ten_millionths(), start - 6_000_000);
    assert_eq!(
        bench.meter.status_word_3(Shown::default()) & 1 << 10,
        1 << 10
    );
}

#[test]
fn friendly_hours_hold_the_trip_back_and_a_standing_charge_runs_on() {
    let hours = &[FriendlyHours {
        weekdays: 0x7F,
        from: 1320,
        until: 480,
    }];
    let p = Parameters {
        terms: Terms {
            friendly: Friendly {
                hours,
                holidays: true,
            },
            standing: Money::from_hundredths(50),
            ..Terms::default()
        },
        ..parameters()
    };
    // 2.00 last 6 h 40 min at 1.2 kW and 0.25: until 04:40.
    let mut bench = Bench::prepaid(p, at(6, 1, 1320), Limits::default(), 250);
    let kinds = bench.run(at(6, 2, 479));
    assert_eq!(count(&kinds, Kind::Trip), 0);
    let purse = bench.meter.machine().purse();
    assert!(purse.is_latched() && purse.balance() < Money::ZERO && purse.cause() == Cause::Locked);
    let kinds = bench.run(at(6, 2, 480));
    assert_eq!(count(&kinds, Kind::Trip), 1);
    let trip = bench.newest(Kind::Trip);
    assert_eq!(trip.detail, Detail::Relay(Why::Purse(Cause::Locked)));
    assert_eq!(trip.snapshot.at, at(6, 2, 480));
    // 10 h · 1.2 kW · 0.25 + one day of 0.50.
    assert_eq!(bench.balance(), 25_000_000 - 30_000_000 - 5_000_000);
    // The relay is open: the next friendly hours do not close it, and three days pay three charges.
    bench.watts = [0; 2];
    let kinds = bench.run(at(6, 5, 60));
    assert_eq!(count(&kinds, Kind::Close), 0);
    assert_eq!(bench.balance(), -10_000_000 - 3 * 5_000_000);
    // Off over two midnights: two; the clock ten days ahead: the day it arrives in; back: none.
    bench.off(2 * 86_400);
    assert_eq!(bench.balance(), -10_000_000 - 5 * 5_000_000);
    bench.set_clock(at(6, 17, 60));
    bench.step(60);
    assert_eq!(bench.balance(), -10_000_000 - 6 * 5_000_000);
    bench.set_clock(at(6, 7, 60));
    bench.run(at(6, 12, 0));
    assert_eq!(bench.balance(), -10_000_000 - 6 * 5_000_000);
}

#[test]
fn without_a_clock_energy_goes_to_the_fallback_rate_and_nothing_settles() {
    let p = Parameters {
        terms: Terms {
            fallback_rate: 2,
            ..Terms::default()
        },
        ..parameters()
    };
    let mut bench = Bench::prepaid(p, at(3, 31, 700), Limits::default(), 100_000);
    bench.run(at(3, 31, 710));
    // The battery is lost: the clock begins somewhere, runs on, and is set right in the end.
    (bench.good, bench.now) = (false, at(1, 1, 0));
    bench.step(0);
    let (before, start) = (*bench.meter.channel(0).unwrap(), bench.balance());
    for _ in 0..60 {
        let kinds = bench.step(3600);
        assert!(kinds.is_empty(), "{kinds:?}");
    }
    let after = bench.meter.channel(0).unwrap();
    assert_eq!(after.by_rate[0], before.by_rate[0]);
    assert_eq!(after.by_rate[1] - before.by_rate[1], 60 * 12_000);
    assert_eq!(start - bench.balance(), 60 * 1200 * 2500);
    assert_eq!(bench.meter.status_word_1(&bench.p), 1 << 15);
    bench.good = true;
    bench.set_clock(at(4, 2, 720));
    let kinds = bench.step(1);
    assert_eq!(
        count(&kinds, Kind::Settlement),
        1,
        "the first of April, once"
    );
    assert_eq!(bench.meter.status_word_1(&bench.p), 0);
}
