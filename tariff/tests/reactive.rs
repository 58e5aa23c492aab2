//! Maximum demand of reactive energy: the windows of each quadrant, signed sums of them, periods that end once, bytes.

use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::combine::ReactiveWord;
use tariff::demand::{Maxima, Peak, Windows};
use tariff::freeze::Kind;
use tariff::machine::Clock;
use tariff::meter::{
    Detail, Meter, Parameters, QUANTITIES, ReactiveDemand, Reading, decode_reactive,
    encode_reactive, longest_reactive,
};
use tariff::sets::Sets;
use tariff::stored::Unreadable;
use tariff::{Machine, Price, Tariff};
use testkit::Rng;

const RATES: usize = 2;
type Reactive = ReactiveDemand<RATES, 15>;
const WORDS: [ReactiveWord; 2] = [ReactiveWord(0b1000_0001), ReactiveWord::SECOND];
/// Combined 1 adds quadrant I and subtracts quadrant IV.
const SIGNS: [[i64; 4]; QUANTITIES] = [
    [1, 0, 0, -1],
    [0, 1, 1, 0],
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
];

fn at(minute: i64) -> Moment {
    Moment::from_local(Date::try_new(2026, 1, 31).unwrap(), 23 * 3600, 28_800).plus(minute * 60)
}

/// The largest by magnitude over all windows, the first of those: what a sum over the minutes gives.
fn plain(minutes: &[[u64; 4]], signs: [i64; 4], from: usize, to: usize) -> Option<Peak> {
    let joules = |minute: &[u64; 4]| -> i64 {
        let parts = minute.iter().zip(signs);
        parts
            .map(|(&tenths, sign)| tenths as i64 * 360 * sign)
            .sum()
    };
    let windows = (from..(to + 1).saturating_sub(15)).map(|first| Peak {
        joules: minutes[first..first + 15].iter().map(joules).sum(),
        seconds: 900,
        at: at(first as i64 + 15),
    });
    windows.fold(None, |best: Option<Peak>, window| match best {
        Some(best) if best.joules.abs() >= window.joules.abs() => Some(best),
        _ => Some(window),
    })
}

#[test]
fn each_quantity_has_the_maximum_of_its_windows_and_a_settlement_ends_it_once() {
    let slots = [(0, 1), (30, 2)].map(|(start, rate)| Slot {
        table: 1,
        start,
        rate,
    });
    let zones = [Zone {
        start: 101,
        table: 1,
    }];
    let prices = [Price::default(); RATES];
    let tariff = Tariff::try_new(Calendar::try_new(&zones, &slots).unwrap(), &prices).unwrap();
    let p = Parameters {
        windows: Windows::sliding(15, 1),
        ..Parameters::of(Sets::try_new(tariff, &zones, &slots, &prices, tariff.tiers()).unwrap())
    };
    let mut meter = Meter::<6, RATES, 2, 15>::around(Machine::new());
    let (mut reactive, mut rng) = (Reactive::new(), Rng::new(7));
    let minutes: Vec<[u64; 4]> = (0..150)
        .map(|_| [0; 4].map(|_: u64| rng.below(40)))
        .collect();
    let (mut totals, mut ended) = ([5_000; 4], Vec::new());
    for minute in 0..=minutes.len() {
        if let Some(used) = minute.checked_sub(1) {
            for (total, used) in totals.iter_mut().zip(minutes[used]) {
                *total += used;
            }
        }
        let now = Clock::good(at(minute as i64));
        reactive.book(p.windows, WORDS, now, meter.machine().rate(), totals);
        let [i, ii, iii, iv] = totals;
        let reading = Reading {
            tenths: [0, 0, i, ii, iii, iv],
            watts: None,
        };
        let _ = meter.advance(&p, now, &reading, |row| {
            if row.detail != (Detail::Settled { first: false })
                && let Some(held) = reactive.end(row.kind, row.number)
            {
                ended.push((row.number, held));
                // The row again, as after a power cut.
                assert_eq!(reactive.end(row.kind, row.number), None);
            }
        });
    }
    let [(1, settled)] = &ended[..] else {
        panic!("one settlement at midnight: {ended:?}");
    };
    for (quantity, signs) in SIGNS.into_iter().enumerate() {
        assert_eq!(
            settled[quantity].total(),
            plain(&minutes, signs, 0, 60),
            "{quantity}"
        );
        // Windows go on over the settlement; the first that ends behind it counts for the new period.
        let now = reactive.maxima()[quantity];
        assert_eq!(now.total(), plain(&minutes, signs, 46, 150), "{quantity}");
        assert_eq!(now.rate(1), plain(&minutes, signs, 60, 90), "{quantity}");
        assert_eq!(now.rate(2), plain(&minutes, signs, 90, 150), "{quantity}");
        let newest = plain(&minutes, signs, 135, 150);
        assert_eq!(reactive.present(quantity), newest, "{quantity}");
    }
    assert!(
        settled[0].total().unwrap().joules != settled[2].total().unwrap().joules,
        "the word counts"
    );
}

#[test]
fn other_words_a_bad_clock_and_a_step_back_begin_the_windows_anew() {
    let windows = Windows::sliding(2, 1);
    let mut reactive = Reactive::new();
    let run = |reactive: &mut Reactive, minutes: std::ops::Range<i64>, good, words| {
        for minute in minutes {
            let clock = Clock {
                at: at(minute),
                good,
            };
            reactive.book(windows, words, clock, 1, [minute.unsigned_abs() * 10; 4]);
        }
    };
    let usual = [ReactiveWord::FIRST, ReactiveWord::SECOND];
    run(&mut reactive, 0..2, true, usual);
    assert_eq!(reactive.present(0), None);
    run(&mut reactive, 2..3, true, usual);
    assert_eq!(reactive.present(0).unwrap().joules, 2 * 2 * 10 * 360);
    run(&mut reactive, 3..4, false, usual);
    assert_eq!(reactive.present(0), None);
    run(&mut reactive, 4..7, true, usual);
    assert!(reactive.present(0).is_some());
    run(&mut reactive, 7..8, true, [ReactiveWord(0); 2]);
    assert_eq!(reactive.present(2), None, "of all quantities");
    // A total that falls books nothing and keeps its mark.
    let held = *reactive.maxima();
    let clock = Clock::good(at(8));
    assert!(!reactive.book(windows, [ReactiveWord(0); 2], clock, 1, [0; 4]));
    assert_eq!(reactive.maxima(), &held);
}

#[test]
fn state_and_rows_come_back_and_no_bytes_are_taken_for_others() {
    let mut reactive = Reactive::new();
    for minute in 0..40 {
        let quadrants = [minute * 7, minute * minute, 3, 900 - minute];
        let clock = Clock::good(at(minute as i64));
        reactive.book(Windows::sliding(15, 1), WORDS, clock, 2, quadrants);
    }
    let mut bytes = [0; longest_reactive(RATES)];
    let row = *reactive.maxima();
    let length = encode_reactive(7, &row, &mut bytes).unwrap();
    assert_eq!(length, bytes.len());
    assert_eq!(decode_reactive(&bytes), Ok((7, row)));
    assert!(encode_reactive(7, &row, &mut bytes[..length - 1]).is_err());

    assert_eq!(reactive.end(Kind::DemandReset, 3), Some(row));
    assert_eq!(
        reactive.end(Kind::Settlement, 3),
        Some([Maxima::new(); QUANTITIES])
    );
    assert_eq!(reactive.end(Kind::Load, 4), None);
    let length = reactive.encode(&mut bytes).unwrap();
    let mut back = Reactive::decode(&bytes[..length]).unwrap();
    assert_eq!(back.maxima(), reactive.maxima());
    for kind in [Kind::DemandReset, Kind::Settlement] {
        assert_eq!(back.end(kind, 3), None, "ended before the cut");
        assert!(back.end(kind, 4).is_some());
    }
    for place in 0..length {
        let mut damaged = bytes;
        damaged[place] ^= 0x10;
        assert_eq!(Reactive::decode(&damaged), Err(Unreadable::Torn), "{place}");
        assert_eq!(Reactive::decode(&bytes[..place]), Err(Unreadable::Torn));
    }
    let other = ReactiveDemand::<4, 15>::decode(&bytes);
    assert_eq!(other, Err(Unreadable::Rates { found: 2 }));
}
