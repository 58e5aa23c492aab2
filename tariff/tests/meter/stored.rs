//! Rows and state as bytes: cuts between them, layouts of every release.

use proptest::prelude::*;
use tariff::civil::Moment;
use tariff::freeze::Kind;
use tariff::machine::{Clock, Terms};
use tariff::meter::{Kept, Meter, Parameters, Parts, Reading, Row};
use tariff::purse::{Limits, Recharge};
use tariff::remote::Command;
use tariff::sets::Table;
use tariff::{Machine, Money, stored};

use crate::bench::{Bench, CUSTOMER, Whole, at, keep, parameters};

/// The power goes between rows and state at every call of a night with a settlement: afterwards there
/// are the rows, registers and money of the undisturbed meter.
#[test]
fn a_cut_between_rows_and_state_repeats_the_same_rows() {
    let limits = Limits {
        overdraft: Money::from_hundredths(1000),
        ..Limits::default()
    };
    let start = at(3, 31, 1380);
    let story = |cut_at: Option<usize>| {
        let mut bench = Bench::prepaid(parameters(), start, limits, 500);
        bench.meter.arm(Table::Prices, at(4, 1, 0), start);
        bench.save();
        for call in 0..16 {
            let state = bench.state.clone();
            bench.step(900);
            if cut_at == Some(call) {
                // The rows were written, the state was not.
                bench.meter = stored::decode_meter(&state).unwrap().1;
                bench.step(0);
            }
        }
        let end = bench.meter.snapshot(bench.now);
        (bench.rows, end, end.balance.ten_millionths())
    };
    let undisturbed = story(None);
    assert!(
        undisturbed
            .0
            .keys()
            .any(|(kind, _)| *kind == Kind::Settlement as u8)
    );
    for cut in 0..16 {
        let found = story(Some(cut));
        let (names, expected) = (found.0.keys(), undisturbed.0.keys());
        assert!(names.eq(expected), "cut at {cut}");
        assert_eq!(found.1.channels, undisturbed.1.channels);
        assert_eq!(found.1.charged, undisturbed.1.charged);
        assert_eq!(found.2, undisturbed.2, "money at {cut}");
    }
}

proptest! {
    /// Rows come from a store that may hold anything: whatever reads as a row is one, and is written
    /// back as the same one.
    #[test]
    fn any_bytes_are_a_row_or_none(
        noise in prop::collection::vec(any::<u8>(), 0..400),
        at in 0_usize..300,
    ) {
        let mut bench = Bench::new(Meter::around(Machine::new()), parameters(), at_noon());
        let rows = &mut bench.rows;
        bench.meter.freeze(at_noon(), |row| keep(rows, &row));
        let mut bytes = rows[&(Kind::Instant as u8, 1)].clone();
        let place = at % bytes.len();
        let length = noise.len().min(bytes.len() - place);
        bytes[place..place + length].copy_from_slice(&noise[..length]);
        for bytes in [&bytes, &noise] {
            if let Ok((row, read)) = Row::<2, 2, 2>::decode(bytes) {
                prop_assert!(read <= bytes.len());
                let Row { kind, number, detail, parts, snapshot } = row;
                let kept = Kept { kind, number, detail, snapshot: &snapshot };
                let mut again = [0; Parts::ALL.longest(2, 2, 2)];
                let length = kept.encode(parts, &mut again).unwrap();
                prop_assert!(length <= parts.longest(2, 2, 2));
                prop_assert_eq!(Row::<2, 2, 2>::decode(&again[..length]), Ok((row, length)));
            }
            prop_assert!(stored::decode_meter::<2, 2, 2, 15>(bytes).is_err());
        }
    }
}

fn at_noon() -> Moment {
    at(6, 1, 720)
}

fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/../vectors/tariff/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    testkit::cases::hex(&lines.collect::<String>())
}

#[test]
fn a_state_of_the_first_layout_becomes_a_whole_meter() {
    let bytes = golden("state-v1.hex");
    let (sequence, old) = stored::decode::<4>(&bytes).unwrap();
    let (_, mut meter) = stored::decode_meter::<2, 4, 1, 15>(&bytes).unwrap();
    assert_eq!((sequence, meter.machine()), (42, &old));
    let registers = old.registers_wh().map(|wh| wh * 10);
    assert_eq!(meter.channel(0).unwrap().by_rate, registers);
    // A millionth of reverse energy from before is no energy of any rate.
    let reading = Reading {
        tenths: [251_235, 77_777],
        watts: None,
    };
    let now = Clock::good(at(12, 1, 0));
    let effect = meter.advance(&parameters(), now, &reading, |_| ());
    assert_eq!(effect.wh, 0);
    assert_eq!(meter.channel(0).unwrap().total, 251_235);
    assert_eq!(meter.channel(1).unwrap().by_rate, [0; 4]);
    assert_eq!(meter.channel(1).unwrap().total, 77_777);
}

/// A meter with everything set, as the second layout writes it: later releases read it.
#[test]
fn the_second_layout_stays_readable() {
    let bytes = golden("state-v2.hex");
    let (sequence, meter) = stored::decode_meter::<2, 2, 2, 15>(&bytes).unwrap();
    let expected = golden_meter();
    assert_eq!(sequence, 43);
    assert_eq!(meter.machine(), expected.machine());
    assert_eq!(meter.running(), expected.running());
    let at = Moment::default();
    assert_eq!(meter.snapshot(at), expected.snapshot(at));
    let mut buffer = [0; stored::longest_meter(2, 2, 2)];
    let length = stored::encode_meter(&meter, sequence, &mut buffer).unwrap();
    assert_eq!(buffer[..length], bytes);
}

fn golden_meter() -> Whole {
    let limits = Limits {
        hoard: Money::from_hundredths(1_000_000),
        ..Limits::default()
    };
    let p = Parameters {
        terms: Terms {
            standing: Money::from_hundredths(10),
            ..Terms::default()
        },
        ..parameters()
    };
    let mut bench = Bench::prepaid(p, at(3, 31, 1200), limits, 50_000);
    bench.watts = [1200, 500];
    for count in 1..=12 {
        let (at, amount) = (bench.now, Money::from_hundredths(1_000 + i64::from(count)));
        let order = Recharge {
            customer: CUSTOMER,
            count,
            amount,
        };
        let done = bench.meter.input(
            at,
            |_| (),
            |machine| machine.recharge(order, at.utc_s).is_ok(),
        );
        let back = bench.meter.input(
            at,
            |_| (),
            |machine| machine.refund(order, at.utc_s).is_ok(),
        );
        assert!(done && back);
        bench.run(at.plus(1800));
    }
    bench.meter.arm(Table::Zones, at(9, 1, 0), bench.now);
    let trip = Command::TripFor {
        open_s: 600,
        by_key: true,
    };
    let now = bench.now;
    let _ = bench
        .meter
        .input(now, |_| (), |machine| machine.command(trip, now.utc_s))
        .unwrap();
    bench.meter
}

#[test]
#[ignore = "writes the golden record of the second layout to standard output"]
fn print_golden() {
    let mut buffer = [0; stored::longest_meter(2, 2, 2)];
    let length = stored::encode_meter(&golden_meter(), 43, &mut buffer).unwrap();
    for row in buffer[..length].chunks(32) {
        println!(
            "{}",
            row.iter()
                .map(|byte| format!("{byte:02X}"))
                .collect::<String>()
        );
    }
}
