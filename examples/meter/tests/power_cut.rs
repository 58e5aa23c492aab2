//! The power goes at every write of a story with a trip, a recharge and a gateway. Whatever comes back: no number is
//! used twice, no register falls, no sale is lost or doubled.

mod bench;

use std::collections::HashMap;
use std::rc::Rc;

use bench::{Bench, CutStore, KeyService, Power, START_MS, Story, is_legal};
use meter::log::{Chain, Event, Line};
use meter::wave::{Load, Shape};
use meter_proto::message::Status;
use meter_proto::point::{Direction, PointId};
use meter_proto::quantity::Quantity;
use security::key::Purpose;
use security::order::Kind;

/// Length of the story, milliseconds.
const STORY_MS: u64 = 6_000;
const INTERVAL_MS: u64 = 1_000;

/// What the world outside has seen.
#[derive(Default)]
struct World {
    /// Register and envelope by name.
    blocks: HashMap<(u32, u32), (i64, Vec<u8>)>,
    /// Envelope by sealing counter.
    counters: HashMap<Vec<u8>, Vec<u8>>,
    recharged: bool,
    tripped: bool,
}

impl World {
    fn take(&mut self, bench: &mut Bench<CutStore>, keys: &KeyService) {
        while let Some(message) = bench.take_record() {
            if let Some(block) = is_legal(&message) {
                let (head, snapshot) = keys.open_block(block);
                assert_eq!((head.boot, head.seq), (message.head.boot, message.head.seq));
                let import = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT);
                let register = snapshot.value(import).unwrap().mantissa;
                let envelope = block.envelope.to_vec();
                let first = self
                    .blocks
                    .entry((head.boot, head.seq))
                    .or_insert((register, envelope.clone()));
                assert_eq!(first.1, envelope, "a name has one content");
                let counter = envelope[10..16].to_vec();
                assert_eq!(
                    self.counters.entry(counter).or_insert(envelope.clone()),
                    &envelope,
                    "a nonce is used once"
                );
            }
            bench.acknowledge(&message.head);
            if bench
                .take_record()
                .is_some_and(|next| next.head == message.head)
            {
                return; // The store is dead: the record stays.
            }
        }
    }
}

/// Runs the story with a cut after `writes` writes; the imported energy at the end in tenths of a watt hour.
fn tell(writes: u64, behind: bool) -> (u64, u64) {
    let power = Rc::new(Power::default());
    let stores = [
        CutStore::new(&power),
        CutStore::new(&power),
        CutStore::new(&power),
    ];
    let story = Story {
        loads: vec![Load::new(Shape::Resistive, 100_000)],
        credit: Some(500),
        legal_interval_ms: INTERVAL_MS,
    };
    let mut keys = KeyService::new();
    let mut world = World::default();
    let mut now = START_MS;
    power.left.set(writes);
    power.behind.set(behind);
    let lost = {
        let power = Rc::clone(&power);
        move || power.is_lost()
    };
    let end = START_MS + STORY_MS;
    let mut runs = 0;
    let import = loop {
        runs += 1;
        assert!(runs < 4, "the story does not end");
        let started = Bench::start(&story, stores.clone(), &keys, now);
        let Ok(mut bench) = started else {
            assert!(power.is_lost(), "it starts whenever there is power");
            power.left.set(u64::MAX);
            continue;
        };
        while bench.now_ms < end && !power.is_lost() {
            bench.run(500, &lost);
            world.take(&mut bench, &keys);
            let deadline = bench.now_ms + 60_000;
            if bench.now_ms >= START_MS + 2_000 && !world.recharged && !power.is_lost() {
                // A new envelope each time, always the same order.
                world.recharged =
                    bench.command(&keys.recharge(1_000, 1, 7, deadline)).status == Status::DONE;
            }
            if bench.now_ms >= START_MS + 4_000 && !world.tripped && !power.is_lost() {
                let answer = bench.command(&keys.relay(Kind::AlarmOn, 8, deadline));
                world.tripped = answer.status == Status::RUNNING;
            }
        }
        now = bench.now_ms;
        if power.is_lost() {
            power.left.set(u64::MAX);
            continue;
        }
        world.take(&mut bench, &keys);
        let purse = bench.management.account().machine().purse();
        assert!(world.recharged);
        assert_eq!(purse.count(), 1, "the sale is booked once");
        assert_eq!(
            purse.cumulative().hundredths(tariff::Rounding::Trunc),
            1_000
        );
        // The order for the alarm is in the log, and the log holds over all cuts.
        let logged = bench.log(Chain::Legal);
        let checked = meter::log::check(&keys.key(Purpose::Audit), Chain::Legal, &logged);
        assert!(checked.is_ok(), "{checked:?}");
        let orders = logged.iter().filter(|entry| {
            Line::parse(&entry.line)
                .is_some_and(|line| matches!(line.event, Event::OrderTaken { number: 8, .. }))
        });
        let orders = orders.count();
        assert!(orders == 1 || !bench.management.totals().relay.alarm);
        assert!(runs > 1 || orders == 1);
        break bench.metering.registers().active.import;
    };
    let mut names: Vec<_> = world.blocks.iter().collect();
    names.sort_by_key(|(name, _)| **name);
    assert!(
        names.is_sorted_by_key(|(_, (register, _))| register),
        "registers never fall: {names:?}"
    );
    assert!(!names.is_empty());
    (import, power.writes.get())
}

#[test]
fn a_cut_at_every_write_loses_at_most_one_interval() {
    let (undisturbed, writes) = tell(u64::MAX, false);
    assert!(writes > 30, "the story writes {writes} records");
    // 22 kW for a second.
    let interval = 22_000 * 10 * INTERVAL_MS / 3_600_000;
    for cut in 1..=writes {
        for behind in [false, true] {
            let (import, _) = tell(cut, behind);
            assert!(
                import + interval + 20 >= undisturbed,
                "cut at {cut} (behind: {behind}): {import} of {undisturbed}"
            );
        }
    }
}
