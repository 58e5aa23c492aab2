//! Power cuts of programs: whatever is killed when, every record of a metering core is in the database once.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::house::{METERS, newest_block};
use support::program::Program;
use support::{House, until};
use testkit::Rng;

/// Kills of the gateway, and then of the cloud.
const ROUNDS: usize = 5;
const SEED: u64 = 0x20_26_11;

#[test]
fn every_record_once_whatever_is_killed() {
    let mut rng = Rng::new(SEED);
    let mut house = House::new(&[]);
    house.start_all();
    until("the first records", 40, || house.records().count() > 20);
    let first_start = house.gateway.as_ref().unwrap().fresh()["boot"].clone();

    // The moments of the kills are random, so they are slept for; what follows them is waited for.
    let mut pause = |longest_ms| std::thread::sleep(Duration::from_millis(rng.below(longest_ms)));
    for _ in 0..ROUNDS {
        pause(1_000);
        house.gateway.take().unwrap().kill();
        pause(500);
        house.start_gateway();
        more_records(&house);
    }
    pause(1_000);
    let last = house.meters[0].take().and_then(Program::kill).unwrap();
    let killed = newest_block(&house.file(METERS[0]));
    house.start_meter(0);
    more_records(&house);
    for _ in 0..ROUNDS {
        pause(1_000);
        house.cloud.take().unwrap().kill();
        pause(500);
        house.start_cloud();
        more_records(&house);
    }
    // Both at once: nothing of either's memory is left.
    house.cloud.take().unwrap().kill();
    house.gateway.take().unwrap().kill();
    house.start_gateway();
    house.start_cloud();
    more_records(&house);

    // The meter that was killed: its first boot's count may have grown after its last word, never shrunk.
    let made = |status: &Value| status["blocks"][0].as_u64().unwrap();
    let said = &last["status"]["electricity"];
    assert_eq!(killed.0, 1);
    assert!(u64::from(killed.1) >= made(said), "{killed:?} {said}");

    let ends = house.drain();
    let records = house.records();
    let mut total = 0;
    for ((id, boots), end) in METERS.into_iter().zip([vec![1, 2], vec![1]]).zip(&ends) {
        let sealed = records.sealed(id);
        let highest = support::records::check(id, &sealed, &house.keys(id));
        assert_eq!(highest.keys().copied().collect::<Vec<_>>(), boots, "{id}");
        // The count of the core itself, from its last words and from its last stored state.
        let (boot, newest) = (
            highest.keys().max().unwrap(),
            highest.values().last().unwrap(),
        );
        assert_eq!(end["boot"], *boot, "{id}");
        assert!(
            u64::from(*newest) >= made(end),
            "{id} made {end}, {highest:?} arrived"
        );
        assert_eq!(house.ended[id], (*boot, *newest), "{id}");
        assert_eq!(end["lost"], 0, "{id} lost events");
        assert_eq!(
            records.sealed_snapshots(id),
            sealed.len(),
            "{id}: each record had its effect once"
        );
        println!(
            "{id}: {} records, by boot {highest:?}, none missing, none twice; {} intervals without a record",
            sealed.len(),
            end["blocks"][1]
        );
        total += sealed.len();
    }
    let first_boot = records
        .sealed(METERS[0])
        .keys()
        .filter(|(boot, _)| *boot == 1)
        .count();
    assert_eq!(
        first_boot, killed.1 as usize,
        "what the killed meter had sealed arrived after its next start"
    );
    assert!(
        total > 300,
        "only {total} records: the run was too short to mean something"
    );
    assert_eq!(records.aside(), Vec::<String>::new());
    let gateway = house.gateway.as_ref().unwrap().fresh();
    println!("gateway at the end: {gateway}");
    assert_eq!(
        gateway["boot"],
        first_start.as_u64().unwrap() + 1 + ROUNDS as u64
    );
    house.assert_no_panic();
}

fn more_records(house: &House) {
    let before = house.records().count();
    until("records after a kill", 60, || {
        house.records().count() > before + 10
    });
}
