//! The face of the reference meter: whoever knows the password programs it with anything, whoever has the key of the
//! purse seals anything. What is refused changes nothing, and no input makes a meter that does not start again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dlt645::{
    Application, Authority, Control, DataId, Err645, FreezePattern, Message, Operator, Order,
    Password, Stamp,
};
use meter::account::{AccountConfig, Prepaid};
use meter::clock;
use meter::crossing::{Answer, MAX_BODY, Request, Totals};
use meter::face::COMMAND;
use meter::management::{Config, Keys, ManagementCore};
use meter::store::{Key, Store, StoreError};
use meter::waiting::WaitingRecords;
use meter_proto::compact;
use meter_proto::message::{Command, CommandBody, CommandResult, Head, Sealed, Status};
use meter_proto::time::{ClockQuality, Stamp as ProtoStamp};
use security::counter::SendCounter;
use security::envelope::{Class, Direction};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::Sealer;
use security::order::{Kind, Order as PurseOrder, Recharge};
use security::suite::Suite;
use tariff::calendar::{Slot, Zone};
use tariff::profile::Small;
use tariff::purse::Limits;
use tariff::{Money, Price};

use crate::input::Input;

const ADDRESS: [u8; 6] = [0x20, 0x26, 0x11, 0, 0, 1];
const CUSTOMER: [u8; 6] = [0, 0, 0, 0, 0x47, 0x11];
const OFFSET_MIN: i16 = 480;
/// 2026-11-21T04:30:00Z.
const START_MS: u64 = 1_795_235_400_000;
const PASSWORD: Authority = Authority {
    password: Password {
        level: 2,
        digits: 123_456,
    },
    operator: Operator(7),
};
/// Identifiers that a write aims at: first and how many follow; the rest of the class is reached by chance.
const AIMS: [(u32, u32); 16] = [
    (0x0400_0101, 13),
    (0x0400_0201, 7),
    (0x0400_0601, 3),
    (0x0400_0801, 2),
    (0x0400_0901, 6),
    (0x0400_0A01, 7),
    (0x0400_0B01, 3),
    (0x0400_1001, 5),
    (0x0400_1201, 4),
    (0x0400_1401, 3),
    (0x0401_0000, 10),
    (0x0402_0000, 10),
    (0x0403_0001, 9),
    (0x0405_0201, 5),
    (0x0406_0BFF, 1),
    (0x0E4D_5101, 5),
];

/// Records in memory that outlive a restart.
#[derive(Clone, Debug, Default)]
struct Memory(Rc<RefCell<BTreeMap<Key, Vec<u8>>>>);

impl Store for Memory {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let records = self.0.borrow();
        let Some(record) = records.get(&key) else {
            return Ok(None);
        };
        let found = record.len();
        let place = into.get_mut(..found).ok_or(StoreError::TooLong { found })?;
        place.copy_from_slice(record);
        Ok(Some(found))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        self.0.borrow_mut().insert(key, record.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        self.0.borrow_mut().remove(&key);
        Ok(())
    }
}

type Core = ManagementCore<Memory, WaitingRecords<Memory, 8>>;

/// A meter, what its metering core tells it, and the platform's seal.
struct Bench {
    core: Core,
    stores: [Memory; 2],
    key: DeviceKey,
    seal: Sealer,
    now_ms: u64,
    totals: Totals,
}

fn account() -> AccountConfig {
    let mut tables = Small::new();
    let zones = [(101, 1), (701, 2)].map(|(start, table)| Zone { start, table });
    let slots = [(1, 480, 1), (1, 1320, 2), (2, 0, 2)];
    let slots = slots.map(|(table, start, rate)| Slot { table, start, rate });
    tables.zones.extend(zones);
    tables.slots.extend(slots);
    let prices = [5000, 2500].map(Price::from_ten_thousandths);
    tables.prices.extend(prices);
    let limits = Limits {
        alarm_1: Money::from_hundredths(1_000),
        overdraft: Money::from_hundredths(500),
        hoard: Money::from_hundredths(90_000),
        ..Limits::default()
    };
    let prepaid = Prepaid {
        limits,
        initial: Money::from_hundredths(2_000),
        customer: CUSTOMER,
    };
    AccountConfig::new(tables, Some(prepaid))
}

fn start(stores: &[Memory; 2], key: &DeviceKey) -> Core {
    let [state, records] = stores.clone();
    let waiting = WaitingRecords::open(records, &mut 0).expect("memory does not fail");
    let config = Config {
        address: dlt645::Address::from_big_endian(ADDRESS),
        utc_offset_min: OFFSET_MIN,
        account: account(),
        password: 123_456,
        waiting: 8,
    };
    let keys = Keys { purse: key };
    match ManagementCore::start(config, &keys, state, waiting, 1) {
        Ok(core) => core,
        Err(error) => panic!("the meter does not start again: {error}"),
    }
}

impl Bench {
    fn new() -> Self {
        let id = DeviceKeyId::meter(ADDRESS);
        let key = DeviceKey::new(Secret::new([7; 16]), id, Purpose::Purse, 1);
        let counter = SendCounter::session();
        let seal = Sealer::new(&key, Direction::ToDevice, Suite::Ccm16, counter);
        let stores = [Memory::default(), Memory::default()];
        let mut totals = Totals {
            boot: 1,
            phases: 1,
            ..Totals::default()
        };
        totals.relay.closed = true;
        totals.relay.wish_closed = true;
        let mut bench = Bench {
            core: start(&stores, &key),
            stores,
            key,
            seal,
            now_ms: START_MS,
            totals,
        };
        bench.talk();
        bench
    }

    /// A clean end and on again: what was programmed is there, and so is the money.
    fn restart(&mut self) {
        self.core.save().expect("memory does not fail");
        let before = self.held();
        self.core = start(&self.stores, &self.key);
        assert_eq!(self.held(), before, "lost in a restart");
        self.talk();
    }

    /// Everything that is programmed, and the purse.
    fn held(&self) -> (String, String) {
        let account = self.core.account();
        (
            format!("{:?}", account.settings()),
            format!("{:?}", account.machine().purse()),
        )
    }

    /// Answers the questions of the core; what it asks forever is not answered forever.
    fn talk(&mut self) {
        let mut body = [0; MAX_BODY];
        for _ in 0..40 {
            let Some(length) = self.core.poll_question(self.now_ms, &mut body) else {
                return;
            };
            let answer = match Request::parse(&body[..length]) {
                Some(Request::Totals) => Answer::Totals(Totals {
                    utc_ms: self.now_ms,
                    ..self.totals
                }),
                Some(Request::NextBlock { .. }) => Answer::NoBlock,
                Some(Request::RelayWish { closed }) => {
                    (self.totals.relay.closed, self.totals.relay.wish_closed) = (closed, closed);
                    Answer::Relay(self.totals.relay)
                }
                Some(Request::ClockSync { .. }) => Answer::Clock { step_ms: 0 },
                _ => {
                    self.core.handle_answer(self.now_ms, None);
                    continue;
                }
            };
            let length = answer.encode(&mut body).expect("an answer fits");
            self.core.handle_answer(self.now_ms, Some(&body[..length]));
        }
        panic!("the core does not stop asking");
    }

    fn flow(&mut self, input: &mut Input<'_>) {
        self.now_ms += match input.byte() % 4 {
            0 => 1_000,
            1 => u64::from(input.byte()) * 60_000,
            2 => u64::from(input.byte()) * 3_600_000,
            _ => u64::from(input.byte() % 40) * 86_400_000,
        };
        self.totals.active.import += u64::from(input.byte()) * 10;
        self.totals.active.export += u64::from(input.byte());
        self.totals.reactive[usize::from(input.byte() % 4)] += u64::from(input.byte());
        self.talk();
    }

    /// A write of any data; a refused one leaves everything as it was.
    fn write(&mut self, input: &mut Input<'_>) {
        let aim = input.byte();
        let id = DataId(match AIMS.get(usize::from(aim & 0x1F)) {
            Some((first, count)) => first + u32::from(input.byte()) % count,
            None => 0x0400_0000 | input.word() & 0x0FFF_FFFF,
        });
        let authority = Authority {
            password: Password {
                digits: PASSWORD.password.digits + u32::from(aim == 0xFF),
                ..PASSWORD.password
            },
            ..PASSWORD
        };
        let mut data = input.take(80).to_vec();
        if aim & 0x80 == 0 {
            // Digits reach further than any bytes.
            data.iter_mut()
                .for_each(|byte| *byte = (((*byte >> 4) % 10) << 4) | ((*byte & 0x0F) % 10));
        }
        if aim & 0x40 != 0 {
            // So does the length that a read gives.
            let mut out = [0; 196];
            if let Ok(length) = self.core.read(id, &[], &mut out) {
                let given = data.len();
                data.extend(out.get(given.min(length)..length).unwrap_or_default());
                data.truncate(length);
            }
        }
        let before = self.held();
        if self.core.write(id, &authority, &data).is_err() {
            assert_eq!(self.held(), before, "{id:?} {data:02X?} was refused");
        }
    }

    /// An order under the right seal: of any kind and fields, or of any bytes. It acts once, and only when it says so.
    fn order(&mut self, input: &mut Input<'_>) {
        let number = u64::from(input.byte());
        let operator = [1, 0, 0, 7];
        let deadline_ms = self.now_ms + 600_000;
        let purse = self.core.account().machine().purse();
        let choice = input.byte();
        let count = match choice >> 6 {
            0 => purse.refunds() + 1,
            1 => input.word(),
            _ => purse.count() + 1,
        };
        let recharge = Recharge {
            amount: input.word() >> (input.byte() % 32),
            count,
            customer: if choice & 0x20 == 0 {
                CUSTOMER
            } else {
                [input.byte(); 6]
            },
        };
        let kinds = [
            Kind::OpenAccount,
            Kind::Recharge,
            Kind::Refund,
            Kind::CorrectUp,
            Kind::CorrectDown,
            Kind::CloseAccount,
            Kind::ToLocal,
            Kind::ToRemote,
        ];
        let kind = kinds.get(usize::from(choice & 0x0F)).copied();
        let made = kind.and_then(|kind| {
            let deadline = clock::order_moment(deadline_ms, OFFSET_MIN)?;
            PurseOrder::try_purse(kind, deadline, number, operator, recharge)
        });
        let plain = match made {
            Some(order) => order.encode()[..order.encoded_len()].to_vec(),
            None => input.take(64).to_vec(),
        };
        let mut buffer = [0; 160];
        let sealed = self
            .seal
            .seal_from(Class::Command, b"", &plain, &mut buffer);
        let envelope = sealed.expect("there is room").to_vec();
        let first = self.command(number, deadline_ms, &envelope);
        // The same order sealed anew has no effect of its own.
        let held = self.held();
        let sealed = self
            .seal
            .seal_from(Class::Command, b"", &plain, &mut buffer);
        let again = sealed.expect("there is room").to_vec();
        let second = self.command(number, deadline_ms, &again);
        assert_eq!(self.held(), held, "an order acted twice");
        if made.is_some() && first == Status::DONE {
            assert_eq!(second, Status::DONE, "a repeat is answered as the first");
        }
        // Nor has the same envelope.
        self.command(number, deadline_ms, &again);
        assert_eq!(self.held(), held, "an envelope acted twice");
    }

    fn command(&mut self, id: u64, deadline_ms: u64, envelope: &[u8]) -> Status {
        let before = self.held();
        let command = Command {
            id,
            issuer: 1,
            not_before: 0,
            expires: deadline_ms / 1000,
            priority: 3,
            body: CommandBody::Sealed(Sealed {
                purpose: Purpose::Purse.number(),
                envelope: envelope.iter().copied().collect(),
            }),
        };
        let head = Head::session(0, ProtoStamp::from_seconds(0, ClockQuality::NEVER_SET));
        let mut bytes = [0; 400];
        let length = compact::encode_as(&head, &command, &mut bytes).expect("there is room");
        let mut out = [0; 196];
        let operator = Operator(0);
        let answer = self
            .core
            .security(COMMAND, operator, &bytes[..length], &mut out);
        let Ok(length) = answer else {
            assert_eq!(self.held(), before, "a command without an answer acted");
            return Status::FAILED;
        };
        let answer = compact::decode_as::<CommandResult>(&out[..length]).expect("own bytes");
        if answer.1.status != Status::DONE {
            assert_eq!(self.held(), before, "an order acted that was not taken");
        }
        answer.1.status
    }

    fn read(&mut self, input: &mut Input<'_>) {
        let id = DataId(input.word() & 0x1FFF_FFFF);
        let rest = input.take(8).to_vec();
        let before = self.held();
        let mut out = [0; 1100];
        if let Ok(length) = self.core.read(id, &rest, &mut out) {
            assert!(length <= out.len());
        }
        assert_eq!(self.held(), before, "a read changed something");
    }

    fn other(&mut self, input: &mut Input<'_>) {
        let mut out = [0; 196];
        let fields =
            [input.byte(), input.byte(), input.byte(), input.byte()].map(|byte| byte % 100);
        let [month, day, hour, minute] = fields;
        match input.byte() % 6 {
            0 => {
                let _: Option<Result<usize, Err645>> =
                    self.core.other(&Message::ClearDemand(PASSWORD), &mut out);
            }
            1 => {
                if let Some(pattern) = FreezePattern::new(month, day, hour, minute) {
                    let _ = self.core.other(&pattern.message(), &mut out);
                }
            }
            2 => {
                let orders = [
                    Order::Trip,
                    Order::TripThenClose,
                    Order::TripThenAllow,
                    Order::AllowClose,
                    Order::Close,
                    Order::KeepPower,
                    Order::EndKeepPower,
                ];
                let control = Control {
                    order: orders[usize::from(month) % orders.len()],
                    delay: day,
                    expires: Some(Stamp {
                        year: 99,
                        month: 1,
                        day: 1,
                        hour,
                        minute,
                        second: 0,
                    }),
                };
                let _: Result<(), Err645> = self.core.control(&PASSWORD, &control);
            }
            3 => self.core.press_key(),
            4 => self.core.set_time(Stamp {
                year: 26,
                month,
                day,
                hour,
                minute,
                second: 0,
            }),
            _ => self.restart(),
        }
        self.talk();
    }
}

/// A story of writes, sealed orders, reads, commands and time.
pub fn writes(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut bench = Bench::new();
    for _ in 0..24 {
        if input.bytes.is_empty() {
            break;
        }
        match input.byte() % 8 {
            0..=2 => bench.write(&mut input),
            3 | 4 => bench.order(&mut input),
            5 => bench.flow(&mut input),
            6 => bench.read(&mut input),
            _ => bench.other(&mut input),
        }
    }
    bench.restart();
}
