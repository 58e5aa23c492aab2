//! What the tariff keeps, read and programmed over the DL/T 645 line by this project's own master: settled registers
//! and demands, tables of both sets and their switch, purchases, freezes, load records, trips.

mod bench;

use bench::{ADDRESS, CUSTOMER, CutStore, KeyService, OFFSET_MIN};
use dlt645::{
    Address, Authority, Blocks, Control, DataId, Err645, Event, Freeze, FreezePattern, LoadBlocks,
    Master, Message, Operator, Order, Password, Slave, Stamp, Timing, Value,
};
use meter::account::{AccountConfig, Prepaid};
use meter::clock;
use meter::crossing::{Answer, Instantaneous, MAX_BODY, PhaseValues, Request, Totals};
use meter::face::COMMAND;
use meter::management::{self, ManagementCore};
use meter::waiting::WaitingRecords;
use meter_proto::compact;
use meter_proto::message::{Command, CommandResult, Head, Status};
use meter_proto::time::{ClockQuality, Stamp as ProtoStamp};
use security::key::Purpose;
use tariff::calendar::{Slot, Zone};
use tariff::profile::Small;
use tariff::purse::Limits;
use tariff::{Money, Price};

const PASSWORD: Authority = Authority {
    password: Password {
        level: 2,
        digits: 123_456,
    },
    operator: Operator(7),
};
const MINUTE_MS: u64 = 60_000;

/// A management core, what the metering core would tell it, and a line with a master.
struct World {
    core: ManagementCore<CutStore, WaitingRecords<CutStore, 8>>,
    stores: [CutStore; 2],
    totals: Totals,
    now_ms: u64,
}

fn stamp(month: u8, day: u8, hour: u8, minute: u8) -> Stamp {
    Stamp {
        year: 26,
        month,
        day,
        hour,
        minute,
        second: 0,
    }
}

fn ms(at: Stamp) -> u64 {
    clock::from_stamp(at, OFFSET_MIN).unwrap()
}

/// Rate 1 from 08:00 at 0.50, rate 2 from 22:00 at 0.25; 500.00 in the purse.
fn config() -> AccountConfig {
    let mut tables = Small::new();
    tables
        .zones
        .push(Zone {
            start: 101,
            table: 1,
        })
        .unwrap();
    for (start, rate) in [(480, 1), (1320, 2)] {
        tables
            .slots
            .push(Slot {
                table: 1,
                start,
                rate,
            })
            .unwrap();
    }
    tables
        .prices
        .extend([5000, 2500].map(Price::from_ten_thousandths));
    let prepaid = Prepaid {
        limits: Limits::default(),
        initial: Money::from_hundredths(50_000),
        customer: CUSTOMER,
    };
    AccountConfig::new(tables, Some(prepaid))
}

impl World {
    fn start(stores: [CutStore; 2], keys: &KeyService, totals: Totals, now_ms: u64) -> Self {
        let [state, records] = stores.clone();
        let waiting = WaitingRecords::open(records, &mut 0).unwrap();
        let core = ManagementCore::start(
            management::Config {
                address: Address::from_big_endian(ADDRESS),
                utc_offset_min: OFFSET_MIN,
                account: config(),
                password: 123_456,
                waiting: 8,
            },
            &management::Keys {
                purse: &keys.key(Purpose::Purse),
            },
            state,
            waiting,
            1,
        )
        .unwrap();
        let mut world = World {
            core,
            stores,
            totals,
            now_ms,
        };
        world.talk();
        world
    }

    fn new(keys: &KeyService, at: Stamp) -> Self {
        let mut totals = Totals {
            boot: 1,
            phases: 1,
            ..Totals::default()
        };
        totals.relay.closed = true;
        totals.relay.wish_closed = true;
        Self::start(
            [CutStore::default(), CutStore::default()],
            keys,
            totals,
            ms(at),
        )
    }

    /// Off and on again.
    fn restart(self, keys: &KeyService) -> Self {
        Self::start(self.stores, keys, self.totals, self.now_ms)
    }

    /// Answers the questions of the core as a metering core would.
    fn talk(&mut self) {
        let mut body = [0; MAX_BODY];
        while let Some(length) = self.core.poll_question(self.now_ms, &mut body) {
            let answer = match Request::parse(&body[..length]).unwrap() {
                Request::Totals => Answer::Totals(Totals {
                    utc_ms: self.now_ms,
                    ..self.totals
                }),
                Request::Instantaneous => Answer::Instantaneous(values()),
                Request::NextBlock { .. } => Answer::NoBlock,
                Request::RelayWish { closed } => {
                    (self.totals.relay.closed, self.totals.relay.wish_closed) = (closed, closed);
                    Answer::Relay(self.totals.relay)
                }
                Request::ClockSync { .. } => Answer::Clock { step_ms: 0 },
                _ => panic!("not asked in this story"),
            };
            let length = answer.encode(&mut body).unwrap();
            self.core.handle_answer(self.now_ms, Some(&body[..length]));
        }
    }

    /// Minutes of 1.2 kW forward, 0.3 kW back and some reactive power, up to an instant.
    fn run(&mut self, until: Stamp) {
        while self.now_ms < ms(until) {
            self.now_ms += MINUTE_MS;
            // Steps of a tenth of a watt hour.
            self.totals.active.import += 200;
            self.totals.active.export += 50;
            self.totals.reactive[0] += 100;
            self.totals.reactive[3] += 10;
            self.talk();
        }
    }

    fn exchange(
        &mut self,
        ask: impl FnOnce(&mut Master<'_>, u64, Address),
    ) -> Result<Vec<u8>, Err645> {
        let (mut for_master, mut for_slave) = ([0; 2048], [0; 1026]);
        let mut master = Master::new(&mut for_master, Timing::tcp());
        let mut slave = Slave::new(&mut for_slave, Timing::tcp());
        ask(&mut master, self.now_ms, Address::from_big_endian(ADDRESS));
        for _ in 0..100 {
            if let Some(bytes) = master.poll_transmit().map(<[u8]>::to_vec) {
                assert_eq!(
                    slave.handle_bytes(self.now_ms, &bytes, &mut self.core),
                    bytes.len()
                );
            }
            slave.handle_timeout(self.now_ms, &mut self.core);
            if let Some(bytes) = slave.poll_transmit() {
                master.handle_bytes(self.now_ms, bytes);
            }
            match master.poll_event() {
                Some(Event::Data { data, .. } | Event::Security { data, .. }) => {
                    return Ok(data.to_vec());
                }
                Some(Event::Refused { err, .. }) => return Err(err),
                Some(Event::Done { .. }) => return Ok(Vec::new()),
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
        panic!("no answer");
    }

    fn read(&mut self, id: u32) -> Result<Vec<u8>, Err645> {
        self.exchange(|master, now, address| master.read(now, address, DataId(id)).unwrap())
    }

    fn number(&mut self, id: u32) -> i32 {
        let bytes = self.read(id).unwrap();
        match DataId(id).value(&bytes).unwrap() {
            Value::Number(number) => number.mantissa,
            other => panic!("{other:?}"),
        }
    }

    /// A demand in 0.0001 kW and the minute of it.
    fn demand(&mut self, id: u32) -> (i32, Option<Stamp>) {
        let bytes = self.read(id).unwrap();
        match DataId(id).value(&bytes).unwrap() {
            Value::Demand { peak, at } => (peak.mantissa, at),
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, id: u32, data: &[u8]) -> Result<Vec<u8>, Err645> {
        self.exchange(|master, now, address| {
            master
                .write(now, address, DataId(id), PASSWORD, data)
                .unwrap()
        })
    }

    fn ask(&mut self, message: &Message<'_>) -> Result<Vec<u8>, Err645> {
        self.exchange(|master, now, address| master.ask(now, address, message).unwrap())
    }

    fn blocks(&mut self, id: u32, count: u8, from: Option<Stamp>) -> Result<Vec<u8>, Err645> {
        let blocks = Blocks { count, from };
        self.exchange(|master, now, address| {
            master
                .read_blocks(now, address, DataId(id), blocks)
                .unwrap()
        })
    }

    fn command(&mut self, command: &Command) -> CommandResult {
        let mut bytes = [0; 256];
        let head = Head::session(0, ProtoStamp::from_seconds(0, ClockQuality::NEVER_SET));
        let length = compact::encode_as(&head, command, &mut bytes).unwrap();
        let answer = self.exchange(|master, now, address| {
            master
                .security(now, address, COMMAND, Operator(0), &bytes[..length])
                .unwrap();
        });
        compact::decode_as::<CommandResult>(&answer.unwrap())
            .unwrap()
            .1
    }
}

fn values() -> Instantaneous {
    let mut values = Instantaneous {
        window: 1,
        frequency_mhz: 50_000,
        active_mw: 900_000,
        reactive_mvar: 300_000,
        apparent_mva: 950_000,
        power_factor_ppm: 948_000,
        ..Instantaneous::default()
    };
    values.phase[0] = PhaseValues {
        voltage_mv: 220_100,
        current_ua: 4_320_000,
        active_mw: 900_000,
        reactive_mvar: 300_000,
        apparent_mva: 950_000,
        power_factor_ppm: 948_000,
        angle_mdeg: 18_000,
    };
    values
}

#[test]
fn settled_registers_and_demands_are_read_by_period_and_rate() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(3, 31, 20, 0));
    world.run(stamp(4, 1, 9, 0));
    // Two hours at rate 1, two at rate 2 until midnight: 1.2 kW forward, 0.3 kW back.
    for (id, expected) in [
        (0x0001_0001, 480),
        (0x0001_0101, 240),
        (0x0001_0201, 240),
        (0x0002_0001, 120),
        (0x0000_0001, 600),
        (0x0003_0001, 240),
        (0x0004_0001, 24),
        (0x0005_0201, 120),
        (0x0008_0001, 24),
        (0x0001_0000, 1560),
        (0x0001_0100, 360),
        (0x0001_0200, 1200),
        (0x000B_0000, 1350),
        (0x000B_0001, 600),
        (0x0015_0000, 0),
    ] {
        assert_eq!(world.number(id), expected, "{id:08X}");
    }
    // Blocks: total and both rates of the period; total now and of the one period that there is.
    let block = world.read(0x0001_FF01).unwrap();
    assert_eq!(block, [0x80, 4, 0, 0, 0x40, 2, 0, 0, 0x40, 2, 0, 0]);
    assert_eq!(world.read(0x0001_00FF).unwrap().len(), 8);
    assert_eq!(world.read(0x0001_0002), Err(Err645::NO_DATA));
    assert_eq!(world.read(0x0001_0300), Err(Err645::NO_DATA));
    assert_eq!(world.read(0x00FE_0001).unwrap(), [0x00, 0x01, 0x04, 0x26]);
    // Demand: the first whole period ended 15 minutes after the start; the new month has its own.
    assert_eq!(
        world.demand(0x0101_0001),
        (12_000, Some(stamp(3, 31, 20, 15)))
    );
    assert_eq!(
        world.demand(0x0101_0201),
        (12_000, Some(stamp(3, 31, 22, 15)))
    );
    assert_eq!(world.demand(0x0102_0001).0, 3_000);
    assert_eq!(world.demand(0x0101_0000), (12_000, Some(stamp(4, 1, 0, 1))));
    assert_eq!(world.read(0x0101_FF00).unwrap().len(), 3 * 8);
    // Cleared by order, with a record of it.
    let wrong = Authority {
        password: Password {
            level: 2,
            digits: 1,
        },
        ..PASSWORD
    };
    assert_eq!(
        world.ask(&Message::ClearDemand(wrong)),
        Err(Err645::NOT_AUTHORISED)
    );
    assert_eq!(world.ask(&Message::ClearDemand(PASSWORD)), Ok(Vec::new()));
    assert_eq!(world.demand(0x0101_0000), (0, None));
    assert_eq!(world.number(0x0330_0200), 1);
    // All of it outlives the power.
    let mut world = world.restart(&keys);
    assert_eq!(
        (world.number(0x0001_0001), world.number(0x0001_0100)),
        (480, 360)
    );
    assert_eq!(world.demand(0x0101_0001).0, 12_000);
}

#[test]
fn tables_are_programmed_into_the_spare_set_and_switch_at_their_minute() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    assert_eq!(world.read(0x0401_0000).unwrap(), [0x01, 0x01, 0x01]);
    assert_eq!(
        world.read(0x0401_0001).unwrap(),
        [0x01, 0x00, 0x08, 0x02, 0x00, 0x22]
    );
    assert_eq!(
        world.read(0x0405_01FF).unwrap(),
        [0x00, 0x50, 0, 0, 0x00, 0x25, 0, 0]
    );
    assert_eq!(world.number(0x0280_0020), 5000);
    // Day tables: rate 2 from 10:30 on, the rest filled with the last row as tools do.
    let table = [1, 0x00, 0x08, 2, 0x30, 0x10, 2, 0x30, 0x10];
    assert_eq!(world.write(0x0402_0001, &table), Ok(Vec::new()));
    assert_eq!(world.read(0x0402_0001).unwrap(), table[..6]);
    assert_eq!(
        world.write(0x0405_0201, &[0x00, 0x80, 0, 0]),
        Ok(Vec::new())
    );
    assert_eq!(world.number(0x0405_0201), 8000);
    // Tiers: 1 kWh, then 0.1 more; monthly.
    let mut tiers = vec![0x00, 0x01, 0, 0];
    tiers.extend([0; 20]);
    tiers.extend([0, 0, 0, 0, 0x00, 0x10, 0, 0]);
    tiers.extend([0; 20]);
    tiers.extend([0x99; 18]);
    assert_eq!(world.write(0x0406_0BFF, &tiers), Ok(Vec::new()));
    let read = world.read(0x0406_0BFF).unwrap();
    assert_eq!((&read[..32], &read[52..]), (&tiers[..32], &tiers[52..]));
    // What is not good is refused, and says why where the standard has a bit for it; nothing changes.
    assert_eq!(
        world.write(0x0402_0001, &[3, 0x00, 0x08]),
        Err(Err645::TARIFFS)
    );
    assert_eq!(
        world.write(0x0402_0000, &[1, 0x31, 0x02]),
        Err(Err645::OTHER)
    );
    assert_eq!(
        world.write(0x0402_0000, &[1, 1, 1, 1, 1, 2, 1, 1, 3]),
        Err(Err645::ZONES)
    );
    assert_eq!(
        world.write(0x0405_0101, &[0, 0, 0, 0]),
        Err(Err645::NOT_AUTHORISED)
    );
    assert_eq!(world.read(0x0402_0001).unwrap(), table[..6]);
    // The switches: day tables and prices at 10:00, tiers taken back again.
    let at_ten = [0x00, 0x10, 0x01, 0x06, 0x26];
    for id in [0x0400_0107, 0x0400_0108, 0x0400_0109] {
        assert_eq!(world.write(id, &at_ten), Ok(Vec::new()));
        assert_eq!(world.read(id).unwrap(), at_ten);
    }
    assert_eq!(world.write(0x0400_0109, &[0; 5]), Ok(Vec::new()));
    let mut world = world.restart(&keys);
    assert_eq!(world.read(0x0400_0108).unwrap(), at_ten);
    world.run(stamp(6, 1, 9, 59));
    assert_eq!(world.number(0x0280_0020), 5000);
    world.run(stamp(6, 1, 11, 0));
    // Rate 1 until 10:30 by the new table.
    assert_eq!(
        (world.number(0x0001_0100), world.number(0x0001_0200)),
        (180, 60)
    );
    assert_eq!(world.number(0x0280_0020), 2500);
    assert_eq!(world.number(0x0405_0101), 8000);
    assert_eq!(world.number(0x0405_0201), 5000);
    let word = world.read(0x0400_0503).unwrap();
    assert_eq!(u16::from_le_bytes([word[0], word[1]]), 2 << 8 | 1 | 1 << 10);
    // 1.2 kWh at 0.5, 0.6 at 0.8, 0.6 at 0.25.
    assert_eq!(world.number(0x0090_0200), 50_000 - 60 - 48 - 15);
    for id in [0x0503_0001, 0x0505_0001] {
        assert_eq!(world.read(id).unwrap(), at_ten);
    }
    assert_eq!(world.read(0x0505_0101).unwrap()[..4], [0x20, 1, 0, 0]);
    assert_eq!(world.read(0x0507_0001), Err(Err645::NO_DATA));
}

#[test]
fn parameters_are_programmed_and_outlive_the_power() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 14, 11, 0));
    for (id, new) in [
        (0x0400_0103, &[0x30][..]),
        (0x0400_0104, &[0x02]),
        (0x0400_0901, &[0x19]),
        (0x0400_0902, &[0x01]),
        (0x0400_0A01, &[0x00, 0x12, 0x14, 0x06]),
        (0x0400_0A05, &[0x05, 0x00]),
        (0x0400_0B02, &[0x12, 0x14]),
        (0x0400_1001, &[0x00, 0x00, 0x01, 0x00]),
        (0x0400_1202, &[0x30]),
        (0x0400_1203, &[0x15, 0x12]),
        (0x0400_1204, &[0x45, 0x12, 0x14, 0x99]),
    ] {
        assert_eq!(world.write(id, new), Ok(Vec::new()), "{id:08X}");
        assert_eq!(world.read(id).unwrap(), new, "{id:08X}");
    }
    assert_eq!(world.write(0x0400_0B03, &[0x24, 0x14]), Err(Err645::OTHER));
    assert_eq!(world.read(0x0400_0B03).unwrap(), [0x99; 2]);
    let mut world = world.restart(&keys);
    assert_eq!(world.read(0x0400_0B02).unwrap(), [0x12, 0x14]);
    world.run(stamp(6, 14, 12, 50));
    // The settlement of the day, the daily freeze at 12:15, the timed one at 12:45.
    assert_eq!(world.read(0x00FE_0001).unwrap(), [0x12, 0x14, 0x06, 0x26]);
    assert_eq!(
        world.demand(0x0101_0001),
        (0, None),
        "only the first day ends demand"
    );
    assert_eq!(
        world.read(0x0506_0001).unwrap(),
        [0x15, 0x12, 0x14, 0x06, 0x26]
    );
    assert_eq!(
        world.read(0x0500_0001).unwrap(),
        [0x45, 0x12, 0x14, 0x06, 0x26]
    );
    assert_eq!(
        world.read(0x0504_0001).unwrap(),
        [0x30, 0x12, 0x14, 0x06, 0x26]
    );
    // The mode word leaves forward energy only.
    assert_eq!(world.read(0x0500_0201), Err(Err645::NO_DATA));
    let whole = world.read(0x0500_FF01).unwrap();
    let excluded = Freeze(&whole)
        .parts()
        .filter(|part| part.data.is_empty())
        .count();
    assert!(Freeze(&whole).is_whole() && excluded == 10);
}

#[test]
fn freezes_and_load_records_hold_registers_and_values() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 30, 22, 30));
    world.run(stamp(7, 1, 1, 10));
    assert_eq!(world.ask(&FreezePattern::Now.message()), Ok(Vec::new()));
    for (id, at, parts) in [
        (0x0501_FF01, stamp(7, 1, 1, 10), 12),
        (0x0504_FF01, stamp(7, 1, 1, 0), 3),
        (0x0504_FF03, stamp(6, 30, 23, 0), 3),
        (0x0506_FF01, stamp(7, 1, 0, 0), 12),
    ] {
        let bytes = world.read(id).unwrap();
        let freeze = Freeze(&bytes);
        assert!(freeze.is_whole(), "{id:08X}");
        let parts_found: Vec<_> = freeze.parts().collect();
        assert_eq!(parts_found.len(), parts, "{id:08X}");
        assert_eq!(parts_found[0].value(), Ok(Some(Value::Stamp(at))));
        assert!(
            parts_found
                .iter()
                .all(|part| part.value().is_ok_and(|value| value.is_some()))
        );
    }
    assert_eq!(world.read(0x0504_FF04), Err(Err645::NO_DATA));
    // 160 minutes: 3.2 kWh at 01:10, all of it at rate 2; powers total 0.9 kW.
    assert_eq!(
        world.read(0x0501_0101).unwrap(),
        [0x20, 3, 0, 0, 0, 0, 0, 0, 0x20, 3, 0, 0]
    );
    assert_eq!(world.read(0x0501_1001).unwrap()[..3], [0x00, 0x90, 0x00]);
    // The purse of midnight: no purchase, 500.00 less 1.8 kWh at 0.25.
    assert_eq!(
        world.read(0x0508_0201).unwrap(),
        [0, 0, 0x55, 0x99, 0x04, 0, 0, 0, 0, 0]
    );

    // Load records each quarter of an hour, from 22:45 on.
    let bytes = world.blocks(0x0600_0002, 1, None).unwrap();
    let newest: Vec<_> = blocks(&bytes, 0);
    let [block] = newest.as_slice() else {
        panic!("one block")
    };
    assert_eq!(block.at().unwrap(), stamp(7, 1, 1, 0));
    for class in 1..=6 {
        assert!(block.record(class).unwrap().is_some(), "class {class}");
    }
    let bytes = world.blocks(0x0604_0000, 3, None).unwrap();
    let oldest = blocks(&bytes, 4);
    let times: Vec<_> = oldest.iter().map(|block| block.at().unwrap()).collect();
    assert_eq!(
        times,
        [
            stamp(6, 30, 22, 45),
            stamp(6, 30, 23, 0),
            stamp(6, 30, 23, 15)
        ]
    );
    let energies = oldest[2].record(4).unwrap().unwrap();
    assert_eq!(energies.bytes()[..4], [0x90, 0, 0, 0]);
    assert_eq!(oldest[2].record(1), Ok(None), "not asked for");
    let bytes = world
        .blocks(0x0601_0001, 9, Some(stamp(7, 1, 0, 50)))
        .unwrap();
    assert_eq!(
        blocks(&bytes, 1).len(),
        1,
        "the next one after the time asked"
    );
    assert_eq!(
        world.blocks(0x0601_0001, 1, Some(stamp(7, 2, 0, 0))),
        Err(Err645::NO_DATA)
    );
}

fn blocks(bytes: &[u8], class: u8) -> Vec<dlt645::LoadBlock<'_>> {
    let Value::Load(all) = DataId(0x0600_0000).value(bytes).unwrap() else {
        panic!("no load blocks");
    };
    let all: LoadBlocks<'_> = all;
    all.blocks(class).map(Result::unwrap).collect()
}

#[test]
fn purchases_and_trips_leave_their_records() {
    let mut keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    world.run(stamp(6, 1, 10, 0));
    for count in 1..=11 {
        let order = keys.recharge(
            1_000 + count,
            count,
            40 + u64::from(count),
            world.now_ms + 600_000,
        );
        assert_eq!(world.command(&order).status, Status::DONE);
    }
    // The newest: 10.11 on top of 500.00 - 0.60 + 10 purchases.
    let last = [0x00, 0x10, 0x01, 0x06, 0x26, 0x11, 0x00];
    let record = world.read(0x0333_FF01).unwrap();
    assert_eq!(record[..7], last);
    assert_eq!(record[7..11], [0x11, 0x10, 0, 0]);
    assert_eq!(world.number(0x0333_0301), 1_011);
    assert_eq!(world.number(0x0333_0401), 49_940 + 10_055);
    assert_eq!(world.number(0x0333_0501), 49_940 + 11_066);
    assert_eq!(world.number(0x0333_0601), 11_066);
    assert_eq!(world.number(0x0333_020A), 2, "ten are kept");
    assert_eq!(world.read(0x0333_020B), Err(Err645::NO_DATA));
    // A trip for five minutes, which comes back alone.
    let expires = Some(stamp(6, 1, 11, 0));
    let control = Control {
        order: Order::TripThenClose,
        delay: 1,
        expires,
    };
    let done = world
        .exchange(|master, now, address| master.control(now, address, PASSWORD, control).unwrap());
    assert_eq!(done, Ok(Vec::new()));
    world.talk();
    assert!(!world.totals.relay.closed);
    world.run(stamp(6, 1, 10, 5));
    assert!(world.totals.relay.closed);
    assert_eq!(
        (world.number(0x1D00_0001), world.number(0x1E00_0001)),
        (1, 1)
    );
    let trip = world.read(0x1D00_FF01).unwrap();
    assert_eq!(
        (trip.len(), &trip[..6]),
        (34, &[0, 0x00, 0x10, 0x01, 0x06, 0x26][..])
    );
    assert_eq!(
        world.read(0x1E00_FF01).unwrap()[..6],
        [0, 0x05, 0x10, 0x01, 0x06, 0x26]
    );
    // The clock by the line: counted, and kept.
    assert_eq!(world.write(0x0400_0102, &[0, 0x30, 0x10]), Ok(Vec::new()));
    assert_eq!(world.number(0x0330_0400), 1);
}
