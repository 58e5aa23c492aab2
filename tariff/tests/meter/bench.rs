//! A meter with its house.

use std::collections::BTreeMap;

use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::demand::Windows;
use tariff::freeze::{Every, Freezes, Kind, Pattern};
use tariff::machine::Clock;
use tariff::meter::{Kept, Meter, Parameters, Parts, Reading, Row};
use tariff::purse::Limits;
use tariff::sets::Sets;
use tariff::settlement::{SettlementDay, SettlementDays};
use tariff::{Machine, Money, Price, Tariff, stored};

pub type Whole = Meter<2, 2, 2, 15>;
pub type Rows = BTreeMap<(u8, u32), Vec<u8>>;

pub const CUSTOMER: [u8; 6] = [0, 0, 0, 0, 0x47, 0x11];

const ZONES: &[Zone] = &[Zone {
    start: 101,
    table: 1,
}];
/// Rate 1 from 08:00, rate 2 from 22:00.
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
const FIRST: &[Price] = &[
    Price::from_ten_thousandths(5000),
    Price::from_ten_thousandths(2500),
];
const SECOND: &[Price] = &[
    Price::from_ten_thousandths(10_000),
    Price::from_ten_thousandths(5000),
];

pub fn sets() -> Sets<'static> {
    let first = Tariff::try_new(Calendar::try_new(ZONES, SLOTS).unwrap(), FIRST).unwrap();
    Sets::try_new(first, ZONES, SLOTS, SECOND, first.tiers()).unwrap()
}

pub fn at(month: u8, day: u8, minute: u32) -> Moment {
    Moment::from_local(
        Date::try_new(2026, month, day).unwrap(),
        minute * 60,
        28_800,
    )
}

pub fn parameters() -> Parameters<'static> {
    let start = at(1, 1, 0);
    let mut load = [None; 6];
    load[3] = Every::try_new(start, 15);
    Parameters {
        settlement: SettlementDays([
            SettlementDay::try_new(1, 0),
            SettlementDay::try_new(15, 12),
            None,
        ]),
        windows: Windows::sliding(15, 1),
        freezes: Freezes {
            timed: Some(Pattern::Monthly { day: 3, minute: 30 }),
            hourly: Every::try_new(start, 60),
            daily: Some(Pattern::Daily { minute: 0 }),
        },
        load,
        ..Parameters::of(sets())
    }
}

/// A meter with its house: watts that flow, a store for rows and for the state.
pub struct Bench {
    pub meter: Whole,
    pub p: Parameters<'static>,
    pub now: Moment,
    pub good: bool,
    /// Watts forward and reverse, which flow also while the meter is off.
    pub watts: [u64; 2],
    /// Seconds times watts.
    flown: [u64; 2],
    pub rows: Rows,
    pub state: Vec<u8>,
    sequence: u32,
}

impl Bench {
    pub fn new(meter: Whole, p: Parameters<'static>, now: Moment) -> Self {
        let mut bench = Bench {
            meter,
            p,
            now,
            good: true,
            watts: [1200, 0],
            flown: [0; 2],
            rows: Rows::new(),
            state: Vec::new(),
            sequence: 0,
        };
        bench.step(0);
        bench
    }

    pub fn prepaid(p: Parameters<'static>, now: Moment, limits: Limits, credit: i64) -> Self {
        let mut machine = Machine::prepaid(limits);
        let _ = machine.purse_input(|purse| purse.initialise(Money::from_hundredths(credit)));
        let _ = machine.open_account(CUSTOMER).unwrap();
        Self::new(Meter::around(machine), p, now)
    }

    fn flow(&mut self, seconds: i64) {
        self.now = self.now.plus(seconds);
        for (flown, watts) in self.flown.iter_mut().zip(self.watts) {
            *flown += watts * seconds.unsigned_abs();
        }
    }

    fn reading(&self) -> Reading<2> {
        Reading {
            // A tenth of a watt hour is 360 joules.
            tenths: self.flown.map(|joules| joules / 360),
            watts: Some(self.watts[0] as u32),
        }
    }

    /// Time flows and the meter is called once; the kinds of rows that it kept.
    pub fn step(&mut self, seconds: i64) -> Vec<Kind> {
        self.flow(seconds);
        let clock = Clock {
            at: self.now,
            good: self.good,
        };
        let (reading, rows) = (self.reading(), &mut self.rows);
        let mut kinds = Vec::new();
        let _ = self.meter.advance(&self.p, clock, &reading, |row| {
            kinds.push(row.kind);
            keep(rows, &row);
        });
        self.save();
        kinds
    }

    /// Called at every deadline, as a meter is, up to an instant.
    pub fn run(&mut self, until: Moment) -> Vec<Kind> {
        let mut kinds = Vec::new();
        while self.now.utc_s < until.utc_s {
            let next = self.meter.next_deadline(&self.p).unwrap().min(until.utc_s);
            assert!(next > self.now.utc_s, "a deadline lies ahead");
            kinds.extend(self.step(next - self.now.utc_s));
        }
        kinds
    }

    pub fn save(&mut self) {
        self.sequence += 1;
        let mut buffer = [0; stored::longest_meter(2, 2, 2)];
        let length = stored::encode_meter(&self.meter, self.sequence, &mut buffer).unwrap();
        self.state = buffer[..length].to_vec();
    }

    /// Power off for so long; whatever flows is counted by the other core.
    pub fn off(&mut self, seconds: i64) -> Vec<Kind> {
        self.flow(seconds);
        self.meter = stored::decode_meter(&self.state).unwrap().1;
        self.step(0)
    }

    pub fn set_clock(&mut self, after: Moment) {
        self.step(0);
        let rows = &mut self.rows;
        self.meter
            .set_clock(self.now, after, |row| keep(rows, &row));
        self.now = after;
        self.save();
    }

    pub fn newest(&self, kind: Kind) -> Row<2, 2, 2> {
        self.row(kind, self.meter.kept(kind))
    }

    pub fn row(&self, kind: Kind, number: u32) -> Row<2, 2, 2> {
        Row::decode(&self.rows[&(kind as u8, number)]).unwrap().0
    }

    pub fn balance(&self) -> i64 {
        self.meter.machine().purse().balance().ten_millionths()
    }
}

pub fn keep(rows: &mut Rows, row: &Kept<'_, 2, 2, 2>) {
    let mut bytes = [0; Parts::ALL.longest(2, 2, 2)];
    let length = row.encode(Parts::ALL, &mut bytes).unwrap();
    rows.insert((row.kind as u8, row.number), bytes[..length].to_vec());
}

pub fn count(kinds: &[Kind], kind: Kind) -> usize {
    kinds.iter().filter(|found| **found == kind).count()
}
