//! A whole meter in virtual time: both cores, the line between them, a gateway that takes records, a key service.
#![allow(dead_code, reason = "each test file uses its part")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use dlt645::{Address, Application, DataId, Operator};
use meter::account::{AccountConfig, Prepaid};
use meter::crossing::{Answer, MAX_BODY, Request};
use meter::face::{ACKNOWLEDGE, COMMAND, RECORD};
use meter::link::{CoreMaster, CoreSlave, ask_boot, exchange};
use meter::log::{Chain, Entry};
use meter::management::{self, ManagementCore};
use meter::metering::{self, MeteringCore, StartError};
use meter::store::{Key, Store, StoreError};
use meter::waiting::WaitingRecords;
use meter::wave::{Load, Shape, Synth};
use meter_proto::compact;
use meter_proto::message::{
    Acknowledgement, Body, Command, CommandBody, CommandResult, Head, LegalBlock, Message, Sealed,
    Snapshot, Stream,
};
use meter_proto::time::{ClockQuality, Stamp};
use metrology::{Calibration, Parameters};
use security::counter::SendCounter;
use security::envelope::{Class, Direction};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::link::{Opener, Sealer};
use security::order::{Kind, Order, OrderAck, Recharge};
use security::suite::Suite;
use tariff::calendar::{Slot, Zone};
use tariff::profile::Small;
use tariff::purse::Limits;
use tariff::{Money, Price};

pub const ADDRESS: [u8; 6] = [0x20, 0x26, 0x11, 0x00, 0x00, 0x01];
pub const CUSTOMER: [u8; 6] = [0, 0, 0, 0, 0x47, 0x11];
/// 2026-11-21T04:30:00Z.
pub const START_MS: u64 = 1_795_235_400_000;
pub const OFFSET_MIN: i16 = 480;

/// A store in memory whose power goes after a number of writes.
#[derive(Clone, Debug, Default)]
pub struct CutStore {
    records: Rc<RefCell<HashMap<Key, Vec<u8>>>>,
    power: Rc<Power>,
}

/// The supply that several stores share.
#[derive(Debug)]
pub struct Power {
    /// Writes until the cut.
    pub left: Cell<u64>,
    /// The cut comes behind the last write instead of ahead of it.
    pub behind: Cell<bool>,
    /// Writes so far.
    pub writes: Cell<u64>,
}

impl Default for Power {
    fn default() -> Self {
        Self {
            left: Cell::new(u64::MAX),
            behind: Cell::new(false),
            writes: Cell::new(0),
        }
    }
}

impl Power {
    pub fn is_lost(&self) -> bool {
        self.left.get() == 0
    }
}

impl CutStore {
    pub fn new(power: &Rc<Power>) -> Self {
        Self {
            records: Rc::default(),
            power: Rc::clone(power),
        }
    }

    fn spend(&self, write: impl FnOnce(&mut HashMap<Key, Vec<u8>>)) -> Result<(), StoreError> {
        if self.power.is_lost() {
            return Err(StoreError::Write);
        }
        self.power.writes.set(self.power.writes.get() + 1);
        self.power.left.set(self.power.left.get() - 1);
        if self.power.is_lost() && !self.power.behind.get() {
            return Err(StoreError::Write);
        }
        write(&mut self.records.borrow_mut());
        if self.power.is_lost() {
            Err(StoreError::Write)
        } else {
            Ok(())
        }
    }
}

impl Store for CutStore {
    fn read(&mut self, key: Key, into: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let records = self.records.borrow();
        let Some(record) = records.get(&key) else {
            return Ok(None);
        };
        into.get_mut(..record.len())
            .ok_or(StoreError::TooLong {
                found: record.len(),
            })?
            .copy_from_slice(record);
        Ok(Some(record.len()))
    }

    fn write(&mut self, key: Key, record: &[u8]) -> Result<(), StoreError> {
        self.spend(|records| drop(records.insert(key, record.to_vec())))
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        self.spend(|records| drop(records.remove(&key)))
    }
}

/// What the key service of the platform can do for one meter.
pub struct KeyService {
    tree: KeyTree,
    purse: Sealer,
    lctrl: Sealer,
}

pub fn device_key(tree: &KeyTree, purpose: Purpose) -> DeviceKey {
    tree.device_key(DeviceKeyId::meter(ADDRESS), purpose, 1)
}

impl KeyService {
    pub fn new() -> Self {
        let tree = KeyTree::from_network(Secret::new([7; 16]));
        let sealer = |purpose| {
            Sealer::new(
                &device_key(&tree, purpose),
                Direction::ToDevice,
                Suite::Ccm16,
                SendCounter::session(),
            )
        };
        Self {
            purse: sealer(Purpose::Purse),
            lctrl: sealer(Purpose::Lctrl),
            tree,
        }
    }

    pub fn key(&self, purpose: Purpose) -> DeviceKey {
        device_key(&self.tree, purpose)
    }

    pub fn relay(&mut self, kind: Kind, number: u64, deadline_ms: u64) -> Command {
        let deadline = meter::clock::order_moment(deadline_ms, OFFSET_MIN).unwrap();
        let order = Order::try_new(kind, deadline, number, [1, 0, 0, 7]).unwrap();
        command(&mut self.lctrl, Purpose::Lctrl, &order, deadline_ms)
    }

    pub fn recharge(&mut self, amount: u32, count: u32, number: u64, deadline_ms: u64) -> Command {
        self.purse_order(Kind::Recharge, [amount, count], number, deadline_ms)
    }

    /// An order to the purse with amount and count.
    pub fn purse_order(
        &mut self,
        kind: Kind,
        [amount, count]: [u32; 2],
        number: u64,
        deadline_ms: u64,
    ) -> Command {
        let deadline = meter::clock::order_moment(deadline_ms, OFFSET_MIN).unwrap();
        let recharge = Recharge {
            amount,
            count,
            customer: CUSTOMER,
        };
        let order = Order::try_purse(kind, deadline, number, [1, 0, 0, 7], recharge).unwrap();
        command(&mut self.purse, Purpose::Purse, &order, deadline_ms)
    }

    pub fn open_ack(&self, purpose: Purpose, envelope: &[u8]) -> OrderAck {
        let mut opener = Opener::new(&self.key(purpose), Direction::FromDevice, Suite::Ccm16);
        let mut bytes = envelope.to_vec();
        OrderAck::parse(opener.open(b"", &mut bytes).unwrap().plain).unwrap()
    }

    /// The snapshot in a legal block.
    pub fn open_block(&self, block: &LegalBlock) -> (Head, Snapshot) {
        let mut opener = Opener::new(
            &self.key(Purpose::Data),
            Direction::FromDevice,
            Suite::Ccm16,
        );
        let mut bytes = block.envelope.to_vec();
        compact::decode_as(opener.open(b"", &mut bytes).unwrap().plain).unwrap()
    }
}

fn command(sealer: &mut Sealer, purpose: Purpose, order: &Order, deadline_ms: u64) -> Command {
    let plain = order.encode();
    let mut buffer = [0; 128];
    let sealed = sealer
        .seal_from(
            Class::Command,
            b"",
            &plain[..order.encoded_len()],
            &mut buffer,
        )
        .unwrap();
    Command {
        id: order.number(),
        issuer: 1,
        not_before: 0,
        expires: deadline_ms / 1000,
        priority: 3,
        body: CommandBody::Sealed(Sealed {
            purpose: purpose.number(),
            envelope: meter_proto_vec(sealed),
        }),
    }
}

fn meter_proto_vec<const N: usize>(bytes: &[u8]) -> heapless::Vec<u8, N> {
    heapless::Vec::from_slice(bytes).unwrap()
}

/// How the meter of a story is made.
#[derive(Clone)]
pub struct Story {
    pub loads: Vec<Load>,
    /// Credit at the start in hundredths, `None` for a meter paid by bill.
    pub credit: Option<i64>,
    pub legal_interval_ms: u64,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            loads: vec![Load::new(Shape::Resistive, 40_000)],
            credit: Some(20),
            legal_interval_ms: 5_000,
        }
    }
}

pub struct Bench<S: Store> {
    pub metering: MeteringCore<1, S>,
    pub management: ManagementCore<S, WaitingRecords<S, 64>>,
    pub slave: CoreSlave,
    pub master: CoreMaster,
    pub synth: Synth<1>,
    pub now_ms: u64,
}

pub fn account(credit: Option<i64>) -> AccountConfig {
    let mut plan = Small::new();
    plan.zones
        .push(Zone {
            start: 101,
            table: 1,
        })
        .unwrap();
    plan.slots
        .push(Slot {
            table: 1,
            start: 0,
            rate: 1,
        })
        .unwrap();
    plan.prices.push(Price::from_ten_thousandths(6800)).unwrap();
    let limits = Limits {
        alarm_1: Money::from_hundredths(10),
        ..Limits::default()
    };
    let prepaid = credit.map(|credit| Prepaid {
        limits,
        initial: Money::from_hundredths(credit),
        customer: CUSTOMER,
    });
    AccountConfig::new(plan, prepaid)
}

pub fn calibration() -> Calibration<1> {
    let mut parameters = Parameters::new(4_000_000, 50_000);
    parameters.voltage_nv = meter::wave::MICROVOLTS_PER_COUNT * 1000;
    parameters.current_na = meter::wave::NANOAMPERES_PER_COUNT;
    parameters.start_uw = 1_000_000;
    Calibration::try_new(parameters).unwrap()
}

impl<S: Store> Bench<S> {
    pub fn start(
        story: &Story,
        stores: [S; 3],
        keys: &KeyService,
        now_ms: u64,
    ) -> Result<Self, StartError> {
        let [for_metering, for_management, for_records] = stores;
        let (data, lctrl, audit, purse) = (
            keys.key(Purpose::Data),
            keys.key(Purpose::Lctrl),
            keys.key(Purpose::Audit),
            keys.key(Purpose::Purse),
        );
        let mut metering = MeteringCore::start(
            metering::Config {
                limits: metrology::event::Limits::dlt614(220_000_000, 5_000_000, 60_000_000),
                calibration: calibration(),
                legal_interval_ms: story.legal_interval_ms,
                utc_offset_min: OFFSET_MIN,
            },
            &metering::Keys {
                data: &data,
                lctrl: &lctrl,
                audit: &audit,
            },
            for_metering,
            now_ms,
        )?;
        let (mut slave, mut master) = (CoreSlave::new(), CoreMaster::new());
        let boot = ask_boot(&mut master, &mut slave, &mut metering, now_ms).expect("a boot");
        let mut damaged = 0;
        let waiting = WaitingRecords::open(for_records, &mut damaged)?;
        assert_eq!(damaged, 0);
        let management = ManagementCore::start(
            management::Config {
                address: Address::from_big_endian(ADDRESS),
                utc_offset_min: OFFSET_MIN,
                account: account(story.credit),
                password: 123_456,
                waiting: 20,
            },
            &management::Keys { purse: &purse },
            for_management,
            waiting,
            boot,
        )?;
        Ok(Self {
            metering,
            management,
            slave,
            master,
            synth: Synth::new(4_000, &story.loads, 3),
            now_ms,
        })
    }

    /// Lives for a while. Ends early when `stop` says so.
    pub fn run(&mut self, ms: u64, stop: impl Fn() -> bool) {
        let end = self.now_ms + ms;
        while self.now_ms < end && !stop() {
            self.synth.set_relay(self.metering.relay_closed());
            let samples: Vec<_> = (0..80).map(|_| self.synth.next_sample()).collect();
            self.metering.process(&samples);
            self.now_ms += 20;
            self.metering.tick(self.now_ms);
            for _ in 0..16 {
                self.master.serve(self.now_ms, &mut self.management);
                exchange(&mut self.master, &mut self.slave, self.now_ms);
                self.slave.serve(&mut self.metering);
            }
        }
    }

    /// All lines of a log that are left.
    pub fn log(&mut self, chain: Chain) -> Vec<Entry> {
        lines(&mut self.metering, chain)
    }

    /// What the gateway does: reads a record and, when it has committed it, acknowledges.
    pub fn take_record(&mut self) -> Option<Message> {
        let mut bytes = [0; 620];
        let length = self.management.read(RECORD, &[], &mut bytes).ok()?;
        assert!(length <= 600);
        Some(compact::decode(&bytes[..length]).unwrap())
    }

    pub fn acknowledge(&mut self, head: &Head) {
        let told = Acknowledgement {
            stream: head.stream,
            boot: head.boot,
            contiguous: head.seq,
            gaps: heapless::Vec::new(),
        };
        let mut bytes = [0; 64];
        let head = Head::session(0, Stamp::from_seconds(0, ClockQuality::NEVER_SET));
        let length = compact::encode_as(&head, &told, &mut bytes).unwrap();
        let _ = self
            .management
            .security(ACKNOWLEDGE, Operator(0), &bytes[..length], &mut [0; 16]);
    }

    pub fn take_all(&mut self) -> Vec<Message> {
        let mut all = Vec::new();
        while let Some(message) = self.take_record() {
            self.acknowledge(&message.head);
            all.push(message);
        }
        all
    }

    pub fn command(&mut self, command: &Command) -> CommandResult {
        let mut bytes = [0; 256];
        let head = Head::session(0, Stamp::from_seconds(0, ClockQuality::NEVER_SET));
        let length = compact::encode_as(&head, command, &mut bytes).unwrap();
        assert!(
            length <= 180,
            "a command of {length} bytes does not fit the frame"
        );
        let mut out = [0; 196];
        let length = self
            .management
            .security(COMMAND, Operator(0), &bytes[..length], &mut out)
            .unwrap();
        compact::decode_as::<CommandResult>(&out[..length])
            .unwrap()
            .1
    }

    pub fn read_number(&mut self, id: u32) -> i64 {
        let mut out = [0; 196];
        let length = self.management.read(DataId(id), &[], &mut out).unwrap();
        match DataId(id).value(&out[..length]).unwrap() {
            dlt645::Value::Number(number) => number.mantissa.into(),
            other => panic!("{other:?} is no number"),
        }
    }

    pub fn status_word_3(&mut self) -> u16 {
        let mut out = [0; 4];
        assert_eq!(
            self.management
                .read(DataId(0x0400_0503), &[], &mut out)
                .unwrap(),
            2
        );
        u16::from_le_bytes([out[0], out[1]])
    }
}

pub fn is_legal(message: &Message) -> Option<&LegalBlock> {
    match &message.body {
        Body::LegalBlock(block) if message.head.stream == Stream::LEGAL => Some(block),
        _ => None,
    }
}

/// Puts a question to a metering core.
pub fn ask<const P: usize, S: Store>(
    core: &mut MeteringCore<P, S>,
    request: Request<'_>,
) -> Vec<u8> {
    let mut question = [0; MAX_BODY];
    let length = request.encode(&mut question).unwrap();
    let mut answer = [0; MAX_BODY];
    let length = core.handle(&question[..length], &mut answer);
    answer[..length].to_vec()
}

/// All lines of a log that are left, over the line between the cores.
pub fn lines<const P: usize, S: Store>(core: &mut MeteringCore<P, S>, chain: Chain) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let number = entries.last().map_or(1, |entry| entry.after.number() + 1);
        match Answer::parse(&ask(core, Request::Line { chain, number })) {
            Some(Answer::Line { chain: of, entry }) => {
                assert_eq!(of, chain);
                entries.push(entry);
            }
            Some(Answer::NoLine { chain: of, head }) => {
                let newest = entries.last().map_or(0, |entry| entry.after.number());
                assert_eq!((of, head.number()), (chain, newest));
                return entries;
            }
            other => panic!("{other:?}"),
        }
    }
}
