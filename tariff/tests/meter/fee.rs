//! Fee control of the whole meter: both modes, refunds, over-power, programmed changes.

use tariff::combine::ActiveWord;
use tariff::freeze::{Every, Freezes, Kind, Pattern};
use tariff::machine::{Terms, Why};
use tariff::meter::{Detail, Mode, ModeSwitch, Parameters, Shown};
use tariff::overload::PowerLimit;
use tariff::purse::{Answer, Limits, Recharge, Refusal};
use tariff::remote::Command;
use tariff::sets::Table;
use tariff::settlement::{SettlementDay, SettlementDays};
use tariff::{Machine, Money, stored};

use crate::bench::{Bench, CUSTOMER, Whole, at, count, keep, parameters, sets};

#[test]
fn both_modes_refunds_and_the_over_power_trip() {
    let limit = PowerLimit {
        watts: 5000,
        after_s: 60,
        reclose_s: 120,
        tries: 1,
        despite_keep_power: false,
    };
    let p = Parameters {
        terms: Terms {
            overload: Some(limit),
            ..Terms::default()
        },
        active: ActiveWord::NET,
        ..parameters()
    };
    let mut bench = Bench::prepaid(p, at(6, 1, 600), Limits::default(), 10_000);
    let order = |count, hundredths| Recharge {
        customer: CUSTOMER,
        count,
        amount: Money::from_hundredths(hundredths),
    };
    let now = bench.now;
    let mut kinds = Vec::new();
    let mut input = |meter: &mut Whole, order: Recharge| {
        meter.input(
            now,
            |row| kinds.push(row.kind),
            |machine| machine.refund(order, now.utc_s).map(|(answer, _)| answer),
        )
    };
    let meter = &mut bench.meter;
    assert_eq!(
        input(meter, order(2, 100)),
        Err(Refusal::Count {
            expected: 1,
            found: 2
        })
    );
    assert_eq!(input(meter, order(1, 10_001)), Err(Refusal::Amount));
    let Ok(Answer::Done(refund, _)) = input(meter, order(1, 4_000)) else {
        panic!("refused")
    };
    assert_eq!(refund.after, Money::from_hundredths(6_000));
    assert_eq!(
        input(meter, order(1, 4_000)),
        Ok(Answer::AlreadyDone(refund))
    );
    let bought = meter.input(
        now,
        |row| kinds.push(row.kind),
        |machine| machine.recharge(order(1, 500), 0),
    );
    assert!(matches!(bought, Ok((Answer::Done(..), _))));
    assert_eq!(kinds, [Kind::Refund, Kind::Purchase]);
    bench.save();
    assert_eq!(
        stored::decode_meter::<2, 2, 2, 15>(&bench.state)
            .unwrap()
            .1
            .machine(),
        bench.meter.machine()
    );

    // Too much power: open after a minute, back after two, then the key.
    bench.watts = [6000, 0];
    assert_eq!(bench.step(1), []);
    assert_eq!(bench.run(bench.now.plus(60)), [Kind::Trip]);
    bench.watts = [0; 2];
    let kinds = bench.run(bench.now.plus(120));
    assert_eq!(kinds, [Kind::Close]);
    bench.watts = [6000, 0];
    bench.step(1);
    bench.step(60);
    bench.watts = [0; 2];
    assert_eq!(
        bench
            .step(3000)
            .iter()
            .filter(|kind| **kind == Kind::Close)
            .count(),
        0
    );
    assert_eq!(
        bench.newest(Kind::Trip).detail,
        Detail::Relay(Why::Overload)
    );
    let at_key = bench.now;
    let rows = &mut bench.rows;
    let _ = bench
        .meter
        .input(at_key, |row| keep(rows, &row), Machine::key);
    assert!(!bench.meter.machine().wants_open());

    // Net metering: what was fed in is used before anything is charged again.
    let (start, charged) = (bench.balance(), bench.meter.snapshot(at_key).charged);
    bench.watts = [0, 1000];
    bench.step(3600);
    bench.watts = [1000, 0];
    bench.step(3600);
    assert_eq!(
        (bench.balance(), bench.meter.snapshot(at_key).charged),
        (start, charged)
    );
    bench.step(60);
    assert!(bench.balance() < start);

    // To remote: the purse is gone, the account closed; a trip for five minutes comes back alone.
    let now = bench.now;
    let mut kinds = Vec::new();
    let _ = bench
        .meter
        .input(now, |row| kinds.push(row.kind), Machine::to_remote)
        .unwrap();
    assert_eq!(kinds, [Kind::Mode]);
    assert_eq!(bench.balance(), 0);
    assert_eq!(bench.meter.status_word_3(Shown::default()), 3 << 14);
    let _ = bench
        .meter
        .input(now, |_| (), |machine| machine.open_account(CUSTOMER))
        .unwrap();
    assert_eq!(bench.meter.status_word_3(Shown::default()), 1 << 14);
    let trip = Command::TripFor {
        open_s: 300,
        by_key: false,
    };
    let _ = bench
        .meter
        .input(now, |_| (), |machine| machine.command(trip, now.utc_s))
        .unwrap();
    assert_eq!(
        bench.meter.status_word_3(Shown {
            relay_open: true,
            ..Shown::default()
        }) & 0x50,
        0x50
    );
    bench.watts = [0; 2];
    let kinds = bench.run(now.plus(300));
    assert_eq!(count(&kinds, Kind::Close), 1);
    let back = bench.meter.input(
        now,
        |_| (),
        |machine| machine.to_local(Money::from_hundredths(300)),
    );
    assert!(back.is_ok() && bench.balance() == 30_000_000);
}

/// A programmed change of mode over a power cut, a clock set back over it, and plans that change between two
/// calls: what the meter looked up before counts no longer.
#[test]
fn a_programmed_mode_and_changed_plans_fall_due_once() {
    let start = at(5, 4, 600);
    let mut p = Parameters {
        settlement: SettlementDays::NONE,
        ..Parameters::of(sets())
    };
    p.mode = Some(ModeSwitch {
        at_s: at(5, 4, 630).utc_s,
        to: Mode::Remote,
    });
    let mut bench = Bench::prepaid(p, start, Limits::default(), 10_000);
    assert_eq!(bench.run(at(5, 4, 629)), []);
    assert_eq!(bench.off(3600), [Kind::Mode]);
    let row = bench.newest(Kind::Mode);
    assert!(row.snapshot.balance > Money::ZERO, "before it was cleared");
    assert_eq!(bench.balance(), 0);
    let (before, after) = (bench.now, at(5, 4, 620));
    bench.meter.set_clock(before, after, |_| ());
    bench.now = after;
    assert_eq!(bench.run(at(5, 4, 720)), []);
    // Back with a credit; already so at the second time.
    for minute in [730, 740] {
        bench.p.mode = Some(ModeSwitch {
            at_s: at(5, 4, minute).utc_s,
            to: Mode::Local {
                initial: Money::from_hundredths(700),
            },
        });
        let kinds = bench.run(at(5, 4, minute));
        assert_eq!(count(&kinds, Kind::Mode), usize::from(minute == 730));
    }
    // Each plan that comes up acts at its own next instant, not at the one looked up without it.
    bench.p.freezes.hourly = Every::try_new(start, 60);
    assert_eq!(bench.run(at(5, 4, 800)), [Kind::Hourly]);
    bench.p.freezes.timed = Some(Pattern::Hourly { minute: 25 });
    assert_eq!(bench.run(at(5, 4, 815)), [Kind::Timed]);
    bench.p.load[0] = Every::try_new(start, 1);
    assert_eq!(bench.run(at(5, 4, 817)), [Kind::Load; 2]);
    (bench.p.load[0], bench.p.freezes) = (None, Freezes::default());
    bench.p.settlement = SettlementDays([None, SettlementDay::try_new(4, 14), None]);
    let (table, now) = (Table::Prices, bench.now);
    bench.meter.arm(table, at(5, 4, 830), now);
    assert_eq!(bench.run(at(5, 4, 850)), [Kind::Prices, Kind::Settlement]);
}
