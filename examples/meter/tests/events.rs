//! Events of the reference meter, as a reader on the DL/T 645 line finds them.

mod bench;

use bench::{Bench, CutStore, KeyService, START_MS, Story};
use dlt645::{Application, DataId, Err645};
use meter::events::{Entry, EventBook};
use meter_proto::message::{Body, Event, EventPhase};
use meter_proto::point::{Phase, PointId};
use meter_proto::quantity::Quantity;
use metrology::event::{Condition, Conditions};

const MINUTE_MS: u64 = 60_000;

fn bench() -> Bench<CutStore> {
    start(&stores(), START_MS)
}

fn stores() -> [CutStore; 3] {
    [
        CutStore::default(),
        CutStore::default(),
        CutStore::default(),
    ]
}

fn start(stores: &[CutStore; 3], now_ms: u64) -> Bench<CutStore> {
    let story = Story {
        credit: None,
        ..Story::default()
    };
    Bench::start(&story, stores.clone(), &KeyService::new(), now_ms).expect("a whole store")
}

fn read(bench: &mut Bench<CutStore>, id: u32) -> Result<Vec<u8>, Err645> {
    let mut bytes = [0; 256];
    let length = bench.management.read(DataId(id), &[], &mut bytes)?;
    // What the meter sends is what the catalogue says the item looks like.
    let value = DataId(id).value(&bytes[..length]);
    assert!(
        value.is_ok(),
        "{id:08X}: {value:?} {:02X?}",
        &bytes[..length]
    );
    Ok(bytes[..length].to_vec())
}

fn status(bench: &Bench<CutStore>) -> [u16; 7] {
    bench.management.status_words()
}

/// Second to year of the meter's calendar, 12:30:00 on 21 November 2026 at the start.
fn clock(seconds: u64) -> Vec<u8> {
    let bcd = |value: u64| (value / 10 * 16 + value % 10) as u8;
    let minute = 30 + seconds / 60;
    vec![
        bcd(seconds % 60),
        bcd(minute % 60),
        bcd(12 + minute / 60),
        0x21,
        0x11,
        0x26,
    ]
}

#[test]
fn a_lost_voltage_is_counted_timed_and_kept_with_its_energies() {
    let mut bench = bench();
    bench.run(10_000, || false);
    assert_eq!(read(&mut bench, 0x1001_0001), Ok(vec![0, 0, 0]));
    assert_eq!(read(&mut bench, 0x1001_0101), Ok(vec![0; 6]));

    // 150 V with current: lost after a minute.
    bench.synth.set_voltage(150_000);
    bench.run(MINUTE_MS - 2_000, || false);
    assert_eq!(status(&bench)[3], 0, "not before its delay");
    bench.run(4_000, || false);
    assert_eq!(status(&bench)[3], 1, "voltage lost, phase A");
    assert_eq!(read(&mut bench, 0x1001_0001), Ok(vec![1, 0, 0]));
    let begun = read(&mut bench, 0x1001_0101).expect("the beginning");
    assert!(
        (69..74).any(|second| begun == clock(second)),
        "{begun:02X?}"
    );
    assert_eq!(read(&mut bench, 0x1001_2501), Ok(vec![0; 6]), "it holds");

    bench.run(5 * MINUTE_MS, || false);
    assert_eq!(
        read(&mut bench, 0x1001_0002),
        Ok(vec![5, 0, 0]),
        "five minutes so far"
    );
    bench.synth.set_voltage(220_000);
    bench.run(MINUTE_MS + 2_000, || false);
    assert_eq!(status(&bench)[3], 0);
    let ended = read(&mut bench, 0x1001_2501).expect("the end");
    assert!(
        (430..440).any(|second| ended == clock(second)),
        "{ended:02X?}"
    );
    assert_eq!(read(&mut bench, 0x1001_0002), Ok(vec![6, 0, 0]));

    // Totals of class 03: three phases, of which this meter has one.
    let mut totals = vec![1, 0, 0, 6, 0, 0];
    totals.extend([0; 12]);
    assert_eq!(read(&mut bench, 0x0301_0000), Ok(totals));
    // The last record: times, energy that flowed meanwhile, what this meter does not keep.
    let record = read(&mut bench, 0x0301_0101).expect("a record");
    assert_eq!(
        (record.len(), &record[..6], &record[6..12]),
        (131, &begun[..], &ended[..])
    );
    let entry = *bench
        .management
        .events()
        .entry(Condition::VoltageLost, 0)
        .expect("phase A");
    let flowed = entry.end[0] - entry.begin[0];
    // 150 V · 40 A for six minutes and 220 V for one: 0.74 kWh.
    assert!((65..80).contains(&flowed), "{flowed}");
    assert_eq!(record[12..14], [(flowed / 10 * 16 + flowed % 10) as u8, 0]);
    assert!(record[28..].iter().all(|byte| *byte == 0xFF));
    assert_eq!(read(&mut bench, 0x1000_0001), Ok(vec![1, 0, 0]));
    assert_eq!(read(&mut bench, 0x1000_0101), Ok(begun));
    assert_eq!(read(&mut bench, 0x1000_0201), Ok(ended));
}

#[test]
fn every_event_of_the_table_answers_what_the_catalogue_says() {
    let mut bench = bench();
    bench.run(2_000, || false);
    for di2 in [1, 2, 3, 4, 5, 7, 8, 9, 0xA, 0xB, 0xC, 0xD, 0xE, 0xF, 0x11] {
        let totals = read(&mut bench, 0x0300_0000 | di2 << 16).expect("totals");
        assert!(totals.iter().all(|byte| *byte == 0), "{di2:02X}");
        let phases = if matches!(di2, 1..=4 | 0xB..=0xF) {
            1..=3
        } else {
            0..=0
        };
        for phase in phases {
            assert!(
                read(&mut bench, 0x0300_0001 | di2 << 16 | phase << 8).is_ok(),
                "{di2:02X} {phase}"
            );
            assert_eq!(
                read(&mut bench, 0x0300_0002 | di2 << 16 | phase << 8),
                Err(Err645::NO_DATA)
            );
        }
    }
    for (class, phases, end) in [
        (0x10, 1..=3, 0x25),
        (0x11, 1..=3, 0x25),
        (0x12, 1..=3, 0x25),
        (0x13, 1..=3, 0x25),
        (0x14, 0..=0, 0x12),
        (0x15, 0..=0, 0x12),
        (0x16, 0..=0, 0x13),
        (0x17, 0..=0, 0x13),
        (0x18, 1..=3, 0x21),
        (0x19, 1..=3, 0x21),
        (0x1A, 1..=3, 0x21),
        (0x1B, 1..=3, 0x12),
        (0x1C, 1..=3, 0x12),
        (0x1F, 0..=0, 0x06),
    ] {
        for phase in phases {
            let item =
                |item: u32, number: u32| (class << 24) | (phase << 16) | (item << 8) | number;
            for (id, length) in [
                (item(0, 1), 3),
                (item(0, 2), 3),
                (item(1, 1), 6),
                (item(end, 1), 6),
            ] {
                assert_eq!(read(&mut bench, id), Ok(vec![0; length]), "{id:08X}");
            }
            for energy in (2..=5).chain(end + 1..=end + 4) {
                assert_eq!(
                    read(&mut bench, item(energy, 1)),
                    Ok(vec![0; 4]),
                    "{:08X}",
                    item(energy, 1)
                );
            }
            assert_eq!(
                read(&mut bench, item(0xFF, 1)).map(|record| record.len()),
                Ok(length_of(class)),
                "{class:02X}"
            );
            assert_eq!(read(&mut bench, item(1, 2)), Err(Err645::NO_DATA));
            assert_eq!(read(&mut bench, item(end + 5, 1)), Err(Err645::NO_DATA));
        }
    }
    for unknown in [
        0x0306_0000,
        0x0330_0100,
        0x1D00_FF01,
        0x1004_0001,
        0x1400_0103,
    ] {
        assert_eq!(
            read(&mut bench, unknown),
            Err(Err645::NO_DATA),
            "{unknown:08X}"
        );
    }
}

/// Bytes of a whole record of a class.
fn length_of(class: u32) -> usize {
    match class {
        0x10..=0x13 => 195,
        0x16 | 0x17 => 143,
        0x18..=0x1A => 179,
        0x1F => 44,
        _ => 140,
    }
}

#[test]
fn a_danger_is_told_to_the_gateway_when_it_begins_and_ends() {
    let mut bench = bench();
    bench.synth.set_voltage(280_000);
    bench.run(MINUTE_MS + 5_000, || false);
    bench.synth.set_voltage(220_000);
    bench.run(MINUTE_MS + 5_000, || false);
    let told: Vec<_> = bench
        .take_all()
        .into_iter()
        .filter_map(|message| match message.body {
            Body::Event(event) => Some(event),
            _ => None,
        })
        .collect();
    let [raised, cleared] = told[..] else {
        panic!("{told:?}")
    };
    let voltage = PointId::new(Quantity::VOLTAGE).phase(Phase::L1);
    for (event, edge) in [(raised, EventPhase::RAISED), (cleared, EventPhase::CLEARED)] {
        assert_eq!(
            (event.code, event.phase, event.point),
            (Event::OVER_VOLTAGE, edge, voltage)
        );
        assert_eq!(event.instance, raised.instance);
    }
    let volts = |event: Event| event.value.map(|value| value.mantissa / 1000);
    assert!(matches!(volts(raised), Some(278..=282)), "{raised:?}");
    assert!(matches!(volts(cleared), Some(218..=222)), "{cleared:?}");
}

#[test]
fn an_event_goes_on_over_a_restart_and_is_counted_once() {
    let stores = stores();
    let mut bench = start(&stores, START_MS);
    bench.synth.set_voltage(150_000);
    bench.run(2 * MINUTE_MS, || false);
    assert_eq!(read(&mut bench, 0x1001_0001), Ok(vec![1, 0, 0]));
    let (begun, now_ms) = (read(&mut bench, 0x1001_0101), bench.now_ms);
    drop(bench);
    let mut bench = start(&stores, now_ms + 30 * MINUTE_MS);
    bench.synth.set_voltage(150_000);
    bench.run(2 * MINUTE_MS, || false);
    assert_eq!(status(&bench)[3], 1);
    assert_eq!(read(&mut bench, 0x1001_0001), Ok(vec![1, 0, 0]));
    assert_eq!(read(&mut bench, 0x1001_0101), begun);
    bench.synth.set_voltage(220_000);
    bench.run(2 * MINUTE_MS, || false);
    assert_eq!(status(&bench)[3], 0);
    // The time without power counts: nobody knows that the voltage was there.
    let minutes = read(&mut bench, 0x1001_0002).expect("minutes");
    assert!(matches!(minutes[..], [0x33 | 0x34, 0, 0]), "{minutes:02X?}");
}

/// The power goes at every write of a story of the book; what comes after knows each event once.
#[test]
fn the_book_survives_a_cut_at_any_write() {
    let lost = Conditions::from_bits(1).expect("voltage lost, phase A");
    let story = [
        (lost, 100),
        (lost, 110),
        (Conditions::EMPTY, 160),
        (lost, 500),
        (Conditions::EMPTY, 560),
    ];
    for cut in 0..6 {
        for behind in [false, true] {
            let (mut store, power) = {
                let power = std::rc::Rc::new(bench::Power::default());
                (CutStore::new(&power), power)
            };
            power.left.set(cut);
            power.behind.set(behind);
            let mut book = EventBook::start(&mut store);
            for (active, utc_s) in story {
                if book.update(active, utc_s, [utc_s; 4], &mut store).is_err() {
                    power.left.set(u64::MAX);
                    book = EventBook::start(&mut store);
                    // The metering core still says what holds.
                    book.update(active, utc_s + 1, [utc_s + 1; 4], &mut store)
                        .expect("power is back");
                }
            }
            let Entry {
                count,
                total_s,
                begin_s,
                end_s,
                ..
            } = *book.entry(Condition::VoltageLost, 0).expect("phase A");
            assert_eq!(count, 2, "cut {cut} {behind}");
            assert!(
                (118..=122).contains(&total_s),
                "cut {cut} {behind}: {total_s}"
            );
            assert!((500..=501).contains(&begin_s) && (560..=561).contains(&end_s));
        }
    }
}
