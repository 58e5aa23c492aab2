//! A whole meter on flash: the power goes at every word and every erase around a settlement, and the wear that was
//! computed is that of the erases that happen.

use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::freeze::Kind;
use tariff::machine::Clock;
use tariff::meter::{Kept, Meter, Parameters, Parts, Reading, Row};
use tariff::sets::Sets;
use tariff::store::wear::Habit;
use tariff::store::{FlashStore, Key, MAX_RECORD, Store, StoreError};
use tariff::{Machine, Price, Tariff, stored};
use testkit::cut::at_every_step;
use testkit::flash::Flash;

type Chip = Flash<2048, 4>;
type Small = Meter<1, 2, 0, 0>;

const STATE: Key = 1;
const ROWS: Key = 0x100;
const RANGE: core::ops::Range<u32> = 0..4 * 2048;
const ZONES: &[Zone] = &[Zone {
    start: 101,
    table: 1,
}];
const SLOTS: &[Slot] = &[
    Slot {
        table: 1,
        start: 480,
        rate: 1,
    },
    Slot {
        table: 1,
        start: 1320,
        rate: 2,
    },
];
const PRICES: &[Price] = &[
    Price::from_ten_thousandths(5000),
    Price::from_ten_thousandths(2500),
];

fn parameters() -> Parameters<'static> {
    let tariff = Tariff::try_new(Calendar::try_new(ZONES, SLOTS).unwrap(), PRICES).unwrap();
    Parameters::of(Sets::try_new(tariff, ZONES, SLOTS, PRICES, tariff.tiers()).unwrap())
}

fn at(month: u8, day: u8, minute: u32) -> Moment {
    Moment::from_local(
        Date::try_new(2026, month, day).unwrap(),
        minute * 60,
        28_800,
    )
}

fn load(store: &mut impl Store) -> (u32, Small) {
    let mut bytes = [0; MAX_RECORD];
    let length = store.read(STATE, &mut bytes).unwrap().expect("a state");
    stored::decode_meter(&bytes[..length]).unwrap()
}

/// One input, its rows first, then the state.
fn advance(store: &mut impl Store, now: Moment, tenths: u64) -> Result<(), StoreError> {
    let (sequence, mut meter) = load(store);
    let mut kept = Ok(());
    let reading = Reading {
        tenths: [tenths],
        watts: None,
    };
    let _ = meter.advance(&parameters(), Clock::good(now), &reading, |row| {
        kept = kept.and(keep(store, &row));
    });
    kept?;
    save(store, &meter, sequence + 1)
}

fn keep(store: &mut impl Store, row: &Kept<'_, 1, 2, 0>) -> Result<(), StoreError> {
    let mut bytes = [0; Parts::ALL.longest(1, 2, 0)];
    let length = row.encode(Parts::ALL, &mut bytes).unwrap();
    store.write(
        ROWS + ((row.kind as Key) << 4) + row.number as Key % 13,
        &bytes[..length],
    )
}

fn save(store: &mut impl Store, meter: &Small, sequence: u32) -> Result<(), StoreError> {
    let mut bytes = [0; stored::longest_meter(1, 2, 0)];
    let length = stored::encode_meter(meter, sequence, &mut bytes).unwrap();
    store.write(STATE, &bytes[..length])
}

fn settled(store: &mut impl Store, number: u32) -> Option<Row<1, 2, 0>> {
    let mut bytes = [0; MAX_RECORD];
    let key = ROWS + number as Key % 13;
    let length = store.read(key, &mut bytes).unwrap()?;
    Some(Row::decode(&bytes[..length]).unwrap().0)
}

#[test]
fn a_settlement_is_whole_wherever_the_power_goes() {
    let mut flash = Chip::new(4, 3);
    let mut store = FlashStore::try_new(&mut flash, RANGE).unwrap();
    save(&mut store, &Meter::around(Machine::new()), 1).unwrap();
    advance(&mut store, at(3, 31, 1380), 0).unwrap();
    let (now, tenths) = (at(4, 1, 0), 4000);
    let settle = |flash: &mut Chip| {
        let mut store = FlashStore::try_new(flash, RANGE).unwrap();
        advance(&mut store, now, tenths).unwrap();
    };
    // Filled until the settlement has to erase a page.
    let erases = |flash: &Chip| flash.erases().iter().sum::<u32>();
    for minute in 0.. {
        let mut tried = flash.clone();
        settle(&mut tried);
        if erases(&tried) > erases(&flash) {
            break;
        }
        assert!(minute < 40, "no page is erased");
        let mut store = FlashStore::try_new(&mut flash, RANGE).unwrap();
        advance(&mut store, at(3, 31, 1381 + minute), u64::from(minute) * 10).unwrap();
    }
    let (mut before, mut after) = (0, 0);
    at_every_step(
        &flash,
        |flash| {
            if let Ok(mut store) = FlashStore::try_new(flash, RANGE) {
                let _ = advance(&mut store, now, tenths);
            }
        },
        |flash, cut| {
            let mut store = FlashStore::try_new(flash, RANGE).unwrap();
            match load(&mut store).1.kept(Kind::Settlement) {
                0 => before += 1,
                1 => after += 1,
                other => panic!("{other} settlements after {cut:?}"),
            }
            // Power is back: whatever was cut, the period is settled once, under its number.
            advance(&mut store, now.plus(60), tenths).unwrap();
            assert_eq!(load(&mut store).1.kept(Kind::Settlement), 1);
            let row = settled(&mut store, 1).expect("a settled period");
            assert_eq!((row.number, row.snapshot.channels[0].total), (1, tenths));
        },
    );
    assert!(before > 100 && after > 0, "{before} before, {after} after");
}

#[test]
fn a_page_that_only_looks_erased_loses_no_write() {
    let mut flash = Chip::new(8, 9);
    let range = 0..8 * 2048;
    let mut store = FlashStore::try_new(&mut flash, range.clone()).unwrap();
    store.write(1, &[1; 500]).unwrap();
    // A cut erase got as far as the ends of every page that is not used yet, in both halves.
    for page in flash.bytes_mut().chunks_mut(2048) {
        if page.iter().all(|byte| *byte == 0xFF) {
            page[64..1984].fill(0x5A);
        }
    }
    for turn in 2..40 {
        let mut store = FlashStore::try_new(&mut flash, range.clone()).unwrap();
        store.write(2, &[turn; 500]).unwrap();
        let mut store = FlashStore::try_new(&mut flash, range.clone()).unwrap();
        let mut bytes = [0; MAX_RECORD];
        assert_eq!(store.read(2, &mut bytes), Ok(Some(500)));
        assert_eq!(bytes[..500], [turn; 500]);
        assert_eq!(store.read(1, &mut bytes), Ok(Some(500)));
        assert_eq!(bytes[..500], [1; 500]);
    }
}

#[test]
fn the_computed_wear_is_that_of_the_erases_that_happen() {
    // A day of a state every five minutes and a row of an hour, on a small flash.
    let (state, row, days) = (600_u32, 40_u32, 1);
    let habits = [
        Habit {
            bytes: state,
            a_day: 288,
        },
        Habit {
            bytes: row,
            a_day: 24,
        },
    ];
    let live = [
        Habit {
            bytes: state,
            a_day: 1,
        },
        Habit {
            bytes: row,
            a_day: 24,
        },
    ];
    let computed = FlashStore::<Chip>::wear(8 * 2048, 10_000, &live, &habits).unwrap();
    let mut flash = Chip::new(8, 5);
    let mut store = FlashStore::try_new(&mut flash, 0..8 * 2048).unwrap();
    let begun = [0x11; 600];
    for turn in 0..days * 288_u32 {
        store.write(STATE, &begun[..state as usize]).unwrap();
        if turn % 12 == 0 {
            store
                .write(ROWS + (turn / 12 % 24) as Key, &begun[..row as usize])
                .unwrap();
        }
    }
    let most = u64::from(*flash.erases().iter().max().unwrap());
    // Erases of a page in these days as computed for 16 years, plus the round that is under way.
    let bound = (computed.erases_a_page * u64::from(days)).div_ceil(5844) + 1;
    assert!(most <= bound, "{most} erases, computed {bound}");
    assert!(
        most * 5 > bound * 4,
        "{most} erases are far below the {bound} computed"
    );
    println!("{computed}; {most} erases of a page in {days} days");
}
