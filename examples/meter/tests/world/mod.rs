//! A management core on a line with a master, and what the metering core would tell it, in virtual time.
#![allow(dead_code, reason = "each test file uses its part")]

use dlt645::{
    Address, Authority, Blocks, DataId, Err645, Event, Master, Message, Operator, Password, Slave,
    Stamp, Timing, Value,
};
use meter::account::{AccountConfig, Prepaid};
use meter::clock;
use meter::crossing::{Answer, Instantaneous, MAX_BODY, PhaseValues, Request, Totals};
use meter::face::COMMAND;
use meter::management::{self, ManagementCore};
use meter::waiting::WaitingRecords;
use meter_proto::compact;
use meter_proto::message::{Command, CommandResult, Head};
use meter_proto::time::{ClockQuality, Stamp as ProtoStamp};
use security::key::Purpose;
use tariff::calendar::{Slot, Zone};
use tariff::profile::Small;
use tariff::purse::Limits;
use tariff::{Money, Price};

use crate::bench::{ADDRESS, CUSTOMER, CutStore, KeyService, OFFSET_MIN};

pub const PASSWORD: Authority = Authority {
    password: Password {
        level: 2,
        digits: 123_456,
    },
    operator: Operator(7),
};
pub const MINUTE_MS: u64 = 60_000;

/// A management core, what the metering core would tell it, and a line with a master.
pub struct World {
    pub core: ManagementCore<CutStore, WaitingRecords<CutStore, 8>>,
    pub stores: [CutStore; 2],
    pub totals: Totals,
    pub values: Instantaneous,
    pub now_ms: u64,
}

pub fn stamp(month: u8, day: u8, hour: u8, minute: u8) -> Stamp {
    Stamp {
        year: 26,
        month,
        day,
        hour,
        minute,
        second: 0,
    }
}

pub fn ms(at: Stamp) -> u64 {
    clock::from_stamp(at, OFFSET_MIN).unwrap()
}

/// Rate 1 from 08:00 at 0.50, rate 2 from 22:00 at 0.25; 500.00 in the purse.
pub fn config() -> AccountConfig {
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
    pub fn start(stores: [CutStore; 2], keys: &KeyService, totals: Totals, now_ms: u64) -> Self {
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
            values: values(),
            now_ms,
        };
        world.talk();
        world
    }

    pub fn new(keys: &KeyService, at: Stamp) -> Self {
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
    pub fn restart(self, keys: &KeyService) -> Self {
        Self::start(self.stores, keys, self.totals, self.now_ms)
    }

    /// Answers the questions of the core as a metering core would.
    pub fn talk(&mut self) {
        let mut body = [0; MAX_BODY];
        while let Some(length) = self.core.poll_question(self.now_ms, &mut body) {
            let answer = match Request::parse(&body[..length]).unwrap() {
                Request::Totals => Answer::Totals(Totals {
                    utc_ms: self.now_ms,
                    ..self.totals
                }),
                Request::Instantaneous => Answer::Instantaneous(self.values),
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
    pub fn run(&mut self, until: Stamp) {
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

    pub fn exchange(
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

    pub fn read(&mut self, id: u32) -> Result<Vec<u8>, Err645> {
        self.exchange(|master, now, address| master.read(now, address, DataId(id)).unwrap())
    }

    pub fn number(&mut self, id: u32) -> i32 {
        let bytes = self.read(id).unwrap();
        match DataId(id).value(&bytes).unwrap() {
            Value::Number(number) => number.mantissa,
            other => panic!("{other:?}"),
        }
    }

    /// A demand in 0.0001 kW and the minute of it.
    pub fn demand(&mut self, id: u32) -> (i32, Option<Stamp>) {
        let bytes = self.read(id).unwrap();
        match DataId(id).value(&bytes).unwrap() {
            Value::Demand { peak, at } => (peak.mantissa, at),
            other => panic!("{other:?}"),
        }
    }

    pub fn write(&mut self, id: u32, data: &[u8]) -> Result<Vec<u8>, Err645> {
        self.exchange(|master, now, address| {
            master
                .write(now, address, DataId(id), PASSWORD, data)
                .unwrap()
        })
    }

    pub fn ask(&mut self, message: &Message<'_>) -> Result<Vec<u8>, Err645> {
        self.exchange(|master, now, address| master.ask(now, address, message).unwrap())
    }

    pub fn blocks(&mut self, id: u32, count: u8, from: Option<Stamp>) -> Result<Vec<u8>, Err645> {
        let blocks = Blocks { count, from };
        self.exchange(|master, now, address| {
            master
                .read_blocks(now, address, DataId(id), blocks)
                .unwrap()
        })
    }

    pub fn command(&mut self, command: &Command) -> CommandResult {
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

pub fn values() -> Instantaneous {
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
