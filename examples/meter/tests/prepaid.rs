//! The prepaid story in virtual time: credit runs out, the relay opens, a sealed recharge closes it again.

mod bench;

use bench::{Bench, CutStore, KeyService, START_MS, Story};
use meter_proto::message::{Body, Event, EventPhase, Message, Status};
use security::key::Purpose;
use security::order::{Kind, Outcome};

const MINUTE_MS: u64 = 60_000;

fn events(messages: &[Message]) -> Vec<(u16, EventPhase)> {
    messages
        .iter()
        .filter_map(|message| match &message.body {
            Body::Event(event) => Some((event.code, event.phase)),
            _ => None,
        })
        .collect()
}

#[test]
fn an_empty_purse_opens_the_relay_and_a_recharge_closes_it() {
    let mut keys = KeyService::new();
    let stores = [
        CutStore::default(),
        CutStore::default(),
        CutStore::default(),
    ];
    let mut bench = Bench::start(&Story::default(), stores.clone(), &keys, START_MS).unwrap();

    bench.run(30_000, || false);
    assert!(bench.metering.relay_closed());
    assert!(bench.read_number(0x0203_0000) > 80_000, "about 8.8 kW flow");
    let early = bench.take_all();

    // 8.8 kW · 0.68 a kilowatt hour use up 0.20 in two minutes.
    bench.run(2 * MINUTE_MS, || false);
    assert!(!bench.metering.relay_closed(), "the purse is empty");
    assert_eq!(bench.read_number(0x0090_0200), 0);
    let said: Vec<_> = events(&early)
        .into_iter()
        .chain(events(&bench.take_all()))
        .collect();
    assert_eq!(
        said,
        [
            (Event::CREDIT_LOW, EventPhase::RAISED),
            (Event::CREDIT_EMPTY, EventPhase::RAISED),
            (Event::RELAY_OPENED, EventPhase::PULSE)
        ]
    );
    assert_ne!(bench.status_word_3() & 1 << 4, 0, "the relay shows open");
    bench.run(5_000, || false);
    assert_eq!(
        bench.read_number(0x0203_0000),
        0,
        "an open relay carries no load"
    );
    let register = bench.metering.registers().active.import;
    bench.run(20_000, || false);
    assert_eq!(bench.metering.registers().active.import, register);

    // A recharge under another key, a wrong count, a late one: refused. Then the good one, twice.
    let deadline = bench.now_ms + 10 * MINUTE_MS;
    let wrong = bench.command(&keys.recharge(1_000, 2, 41, deadline));
    assert_eq!(wrong.status, Status::REFUSED);
    let late = bench.now_ms - 1_000;
    assert_eq!(
        bench.command(&keys.recharge(1_000, 1, 42, late)).status,
        Status::EXPIRED
    );
    let mut forged = keys.recharge(1_000, 1, 43, deadline);
    if let meter_proto::message::CommandBody::Sealed(sealed) = &mut forged.body {
        sealed.envelope[20] ^= 1;
    }
    assert_eq!(bench.command(&forged).status, Status::REFUSED);
    assert!(!bench.metering.relay_closed());

    let done = bench.command(&keys.recharge(1_000, 1, 44, deadline));
    assert_eq!(done.status, Status::DONE);
    let ack = keys.open_ack(Purpose::Purse, &done.sealed.unwrap().envelope);
    assert_eq!((ack.number, ack.outcome), (44, Outcome::Done));
    assert_eq!(ack.purse.unwrap().count, 1);
    let again = bench.command(&keys.recharge(1_000, 1, 44, deadline));
    assert_eq!(
        again.status,
        Status::DONE,
        "a repeat gives the stored answer"
    );
    assert_eq!(bench.management.account().machine().purse().count(), 1);

    bench.run(5_000, || false);
    assert!(bench.metering.relay_closed(), "credit closes the relay");
    assert!(bench.read_number(0x0203_0000) > 80_000);
    assert_eq!(bench.status_word_3() & 1 << 4, 0);
    let said = events(&bench.take_all());
    assert!(said.contains(&(Event::CREDIT_EMPTY, EventPhase::CLEARED)));
    assert!(said.contains(&(Event::RELAY_CLOSED, EventPhase::PULSE)));

    // Started again from its stores it goes on.
    let balance = bench.read_number(0x0090_0200);
    bench.metering.save().unwrap();
    bench.management.save().unwrap();
    let register = bench.metering.registers().active.import;
    let now = bench.now_ms;
    drop(bench);
    let mut bench = Bench::start(&Story::default(), stores, &keys, now + 1_000).unwrap();
    assert_eq!(bench.metering.registers().active.import, register);
    bench.run(1_000, || false);
    assert!((balance - bench.read_number(0x0090_0200)).abs() <= 1);
    assert_eq!(bench.metering.boot(), 2);
}

#[test]
fn a_sealed_trip_beats_the_purse_and_hold_power_beats_both() {
    let mut keys = KeyService::new();
    let stores = [
        CutStore::default(),
        CutStore::default(),
        CutStore::default(),
    ];
    let story = Story {
        credit: Some(100_000),
        ..Story::default()
    };
    let mut bench = Bench::start(&story, stores, &keys, START_MS).unwrap();
    bench.run(2_000, || false);
    let deadline = bench.now_ms + MINUTE_MS;
    let mut order = |bench: &mut Bench<CutStore>, kind, number| {
        let answer = bench.command(&keys.relay(kind, number, deadline));
        assert_eq!(answer.status, Status::RUNNING);
        bench.run(3_000, || false);
        let results: Vec<_> = bench
            .take_all()
            .into_iter()
            .filter_map(|message| match message.body {
                Body::CommandResult(result) => Some(result),
                _ => None,
            })
            .collect();
        assert_eq!(results.len(), 1);
        assert_eq!((results[0].id, results[0].status), (number, Status::DONE));
        keys.open_ack(
            Purpose::Lctrl,
            &results[0].sealed.as_ref().unwrap().envelope,
        )
        .outcome
    };
    assert_eq!(order(&mut bench, Kind::Open, 1), Outcome::Done);
    assert!(!bench.metering.relay_closed());
    assert_eq!(order(&mut bench, Kind::PermitClose, 2), Outcome::Done);
    assert!(!bench.metering.relay_closed(), "it waits for the key");
    bench.metering.press_key().unwrap();
    assert!(bench.metering.relay_closed());
    assert_eq!(order(&mut bench, Kind::HoldPower, 3), Outcome::Done);
    assert!(matches!(
        order(&mut bench, Kind::Open, 4),
        Outcome::Refused(_)
    ));
    assert!(bench.metering.relay_closed());
    assert_eq!(order(&mut bench, Kind::HoldOff, 5), Outcome::Done);
    assert_eq!(order(&mut bench, Kind::Open, 6), Outcome::Done);
    assert_eq!(order(&mut bench, Kind::CloseNow, 7), Outcome::Done);
    assert!(bench.metering.relay_closed());
}
