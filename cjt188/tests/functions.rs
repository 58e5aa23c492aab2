//! Every function, between master and slave, on a line that loses, garbles and echoes; dialects in the field.

use cjt188::{
    Address, Application, DataId, Dialect, Event, Freeze, Function, Head, HeatColdReading, IdOrder,
    Item, Layout, Master, MeterType, NewKey, Prices, Purchase, Quantity, Reading, Recharge,
    Refusal, RefusalForm, Settled, Slave, Stamp, Status, Timing, Unit, ValidFrom, Value, Valve,
    ValveOrder, VolumeReading, catalogue,
};
use testkit::line::{Faults, Line};

mod bus;
use bus::run;

const TIME: Stamp = Stamp {
    year: 2026,
    month: 11,
    day: 21,
    hour: 5,
    minute: 6,
    second: 7,
};
const OWN: [u8; 7] = [0x04, 0x00, 0x00, 0x11, 0x26, 0x20, 0x00];

fn number(mantissa: u32, decimals: u8) -> Quantity {
    Quantity {
        mantissa,
        decimals,
        unit: None,
    }
}

fn with(unit: Unit, mantissa: u32, decimals: u8) -> Quantity {
    Quantity {
        unit: Some(unit),
        ..number(mantissa, decimals)
    }
}

/// A value of every layout.
fn sample(layout: Layout) -> Value<'static> {
    let volume = with(Unit::CUBIC_METRE, 1_234_567, 2);
    let heat = with(Unit::KILOWATT_HOUR, 7_654_321, 2);
    let prices = Prices {
        price: [number(250, 2), number(375, 2), number(999_999, 2)],
        limit: [number(180, 0), number(260, 0)],
        valid_from: None,
    };
    match layout {
        Layout::Present => Value::Present(Reading::Volume(VolumeReading {
            current: volume,
            settlement: with(Unit::LITRE, 99_999_999, 2),
            time: Some(TIME),
            status: Status::new(Valve::Open, false),
        })),
        Layout::HeatCold => Value::HeatCold(HeatColdReading {
            settlement_heat: heat,
            settlement_cold: with(Unit(0x0A), 1, 2),
            current_heat: heat,
            current_cold: heat,
            power: with(Unit::KILOWATT, 123_456, 2),
            flow: with(Unit::CUBIC_METRE_PER_HOUR, 654_321, 3),
            volume,
            supply: number(7025, 2),
            back: number(4050, 2),
            supply_pressure: number(60, 2),
            back_pressure: number(55, 2),
            hours: number(12_345_678, 0),
            time: None,
            status: Status([0x13, 0x01]),
        }),
        Layout::Clock => Value::Clock(Some(TIME)),
        Layout::Settled => Value::Settled(Settled::Heat {
            heat,
            cold: heat,
            volume,
        }),
        Layout::Freeze => Value::Freeze(Freeze {
            time: Some(TIME),
            volume,
            flow: with(Unit::CUBIC_METRE_PER_HOUR, 12_345_678, 4),
            temperature: number(1999, 2),
            pressure: number(33, 2),
        }),
        Layout::Prices => Value::Prices(prices),
        Layout::PricesFrom => Value::Prices(Prices {
            valid_from: Some(ValidFrom::Date {
                year: 2027,
                month: 1,
                day: 31,
            }),
            ..prices
        }),
        Layout::Day => Value::Day(25),
        Layout::Purchase => Value::Purchase(Purchase {
            count: 0xFE,
            amount: number(10_000, 2),
            total: number(1_000_000, 2),
            remaining: number(4_321, 2),
            status: Status([0, 0]),
        }),
        Layout::Recharge => Value::Recharge(Recharge {
            count: 7,
            amount: number(10_000, 2),
        }),
        Layout::KeyVersion => Value::KeyVersion(3),
        Layout::Key => Value::Key(NewKey {
            version: 4,
            key: [0x68, 0x16, 0xFE, 4, 5, 6, 7, 8],
        }),
        Layout::Address => Value::Address(Address::from_line([9, 8, 7, 6, 5, 4, 3])),
        Layout::Total => Value::Total(volume),
        Layout::Valve => Value::Valve(ValveOrder::Close),
        Layout::Nothing => Value::Nothing,
        Layout::Raw => Value::Raw(&[1, 2, 3, 0xAB]),
        other => panic!("no sample of {other:?}"),
    }
}

/// Knows everything and remembers what was written last.
struct Meter {
    address: Address,
    written: Option<(DataId, Vec<u8>)>,
    purchases: u32,
    refuse: bool,
}

impl Meter {
    fn new() -> Self {
        Meter {
            address: Address::from_line(OWN),
            written: None,
            purchases: 0,
            refuse: false,
        }
    }

    fn take(&mut self, id: DataId, value: &Value<'_>) -> Result<(), Status> {
        if self.refuse {
            return Err(Status([0x85, 0x40]));
        }
        let mut out = [0; 64];
        let len = id.encode_value(value, &mut out).unwrap();
        self.written = Some((id, out[..len].to_vec()));
        Ok(())
    }
}

impl Application for Meter {
    fn meter_type(&self) -> MeterType {
        MeterType::GAS
    }

    fn address(&self) -> Address {
        self.address
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        if self.refuse {
            return Err(Status([0x85, 0x40]));
        }
        let layout = id.item().ok_or(Status::default())?.layout();
        Ok(id.encode_value(&sample(layout), out).unwrap())
    }

    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        self.take(DataId::VALVE, &Value::Valve(order))?;
        Ok(Status::new(Valve::Closed, true))
    }

    fn key_version(&mut self) -> Result<u8, Status> {
        Ok(3)
    }

    fn write_address(&mut self, address: Address) -> Result<(), Status> {
        self.take(DataId::WRITE_ADDRESS, &Value::Address(address))?;
        self.address = address;
        Ok(())
    }

    fn synchronise(&mut self, total: Quantity) -> Result<(), Status> {
        self.take(DataId::SYNCHRONISE, &Value::Total(total))
    }

    fn write(
        &mut self,
        function: Function,
        id: DataId,
        data: &[u8],
        _: &mut [u8],
    ) -> Option<Result<usize, Status>> {
        assert_eq!(function, Function::WRITE);
        let value = id.value(MeterType::GAS, data).ok()?;
        self.purchases += u32::from(id == DataId::RECHARGE);
        Some(self.take(id, &value).map(|()| 0))
    }

    fn vendor(&mut self, data: &[u8], out: &mut [u8]) -> Option<Result<usize, Status>> {
        let (head, rest) = Head::of_vendor(data, IdOrder::LowFirst);
        if self.refuse {
            return Some(Err(Status([1, 0])));
        }
        out[0] = rest.len() as u8;
        out[1] = u8::from(head.is_some());
        Some(Ok(2))
    }
}

struct Scene {
    line: Line,
    now: u64,
    master: Master,
    slave: Slave,
    meter: Meter,
}

impl Scene {
    fn new(seed: u64, order: IdOrder, faults: Faults) -> Self {
        let timing = Timing {
            tries: 12,
            ..Timing::rs485(9600)
        };
        Scene {
            line: Line::new(seed, 9600, faults),
            now: 0,
            master: Master::new(timing, order),
            slave: Slave::new(timing),
            meter: Meter::new(),
        }
    }

    fn ends<T>(&mut self, check: impl Fn(Event<'_>) -> T) -> T {
        let Scene {
            line,
            now,
            master,
            slave,
            meter,
        } = self;
        let seen = run(line, now, master, slave, meter, check);
        // What is still on the line belongs to nobody.
        *now += 2000;
        seen
    }
}

const GAS: MeterType = MeterType::GAS;

fn faults() -> Faults {
    Faults {
        lose_byte: 1000,
        noise_byte: 2000,
        lose_all: 50_000,
        echo: true,
        ..Faults::default()
    }
}

/// One identifier of every row of the table, first and last.
fn items() -> impl Iterator<Item = Item> {
    catalogue().filter(|item| {
        item.number()
            .is_none_or(|number| number == 1 || number == 7)
    })
}

#[test]
fn every_identifier_is_read_or_written_on_a_bad_line_in_both_orders() {
    for (seed, order) in [(11, IdOrder::HighFirst), (12, IdOrder::LowFirst)] {
        let mut scene = Scene::new(seed, order, faults());
        for item in items() {
            let (id, own) = (item.id(), scene.meter.address);
            let value = sample(item.layout());
            match item.function() {
                Function::READ => {
                    scene.master.read(scene.now, GAS, own, id).unwrap();
                    let same = scene.ends(|event| event.value() == Some(Ok(value)));
                    assert!(same, "{id}");
                }
                Function::READ_KEY_VERSION => {
                    scene.master.read_key_version(scene.now, GAS, own).unwrap();
                    assert!(scene.ends(|event| event.value() == Some(Ok(Value::KeyVersion(3)))));
                }
                Function::READ_ADDRESS => {
                    scene
                        .master
                        .read_address(scene.now, MeterType::ANY)
                        .unwrap();
                    let found = Event::Address {
                        meter_type: GAS,
                        address: own,
                    };
                    assert!(scene.ends(|event| event == found));
                }
                _ => {
                    // A purchase goes once only: until it arrives, the reader looks at the account and asks anew.
                    for _ in 0..20 {
                        scene.meter.written = None;
                        scene.master.write(scene.now, GAS, own, id, &value).unwrap();
                        let done = scene.ends(|event| matches!(event, Event::Data { .. }));
                        if done {
                            break;
                        }
                        assert_eq!(id, DataId::RECHARGE);
                    }
                    let mut out = [0; 64];
                    let len = id.encode_value(&value, &mut out).unwrap();
                    assert_eq!(scene.meter.written, Some((id, out[..len].to_vec())), "{id}");
                }
            }
        }
    }
}

#[test]
fn the_valve_answers_with_its_state() {
    let mut scene = Scene::new(1, IdOrder::LowFirst, Faults::default());
    let own = scene.meter.address;
    scene
        .master
        .valve(scene.now, GAS, own, ValveOrder::Close)
        .unwrap();
    let status = scene.ends(|event| event.valve_status()).unwrap();
    assert_eq!(
        (status.valve(), status.battery_low()),
        (Valve::Closed, true)
    );
}

#[test]
fn a_new_address_holds_from_the_next_frame_on() {
    let mut scene = Scene::new(2, IdOrder::LowFirst, Faults::default());
    let (old, new) = (
        scene.meter.address,
        Address::from_digits("12345678901234").unwrap(),
    );
    scene
        .master
        .write_address(scene.now, GAS, old, new)
        .unwrap();
    assert!(scene.ends(|event| matches!(event, Event::Data { address, .. } if address == old)));
    scene.master.read_present(scene.now, GAS, new).unwrap();
    assert!(scene.ends(|event| matches!(event.reading(), Some(Ok(Reading::Volume(_))))));
    scene.master.read_present(scene.now, GAS, old).unwrap();
    assert!(scene.ends(|event| event == Event::TimedOut { tries: 12 }));
    // Nobody writes to whoever is there.
    scene
        .master
        .write_address(scene.now, GAS, Address::WILDCARD, old)
        .unwrap();
    assert!(scene.ends(|event| event == Event::TimedOut { tries: 12 }));
    assert_eq!(scene.meter.address, new);
}

#[test]
fn refusals_of_one_to_three_bytes_are_understood() {
    let mut scene = Scene::new(3, IdOrder::HighFirst, Faults::default());
    scene.meter.refuse = true;
    let own = scene.meter.address;
    for (refusal, with_serial, second) in [
        (RefusalForm::SerialAndStatus, true, 0x40),
        (RefusalForm::Status, false, 0x40),
        (RefusalForm::OneByte, false, 0),
    ] {
        let dialect = Dialect {
            refusal,
            ..Dialect::default()
        };
        scene.slave.set_dialect(dialect);
        scene.master.read_present(scene.now, GAS, own).unwrap();
        let Refusal { serial, status } = scene.ends(|event| event.refusal()).unwrap();
        assert_eq!(serial.is_some(), with_serial);
        assert_eq!(status, Status([0x85, second]));
    }
}

#[test]
fn answers_in_the_other_order_and_with_the_address_in_the_data() {
    for (asked, answered) in [
        (IdOrder::HighFirst, IdOrder::LowFirst),
        (IdOrder::LowFirst, IdOrder::HighFirst),
    ] {
        let mut scene = Scene::new(4, asked, Faults::default());
        let own = scene.meter.address;
        scene.slave.set_dialect(Dialect {
            order: Some(answered),
            address_in_data: true,
            ..Dialect::default()
        });
        // D2A0: both bytes are known first bytes, so only the dialogue tells them apart.
        for id in [DataId::PRESENT, DataId(0xD2A0)] {
            scene.master.read(scene.now, GAS, own, id).unwrap();
            assert!(scene.ends(|event| matches!(event, Event::Data { id: got, .. } if got == id)));
        }
        scene.master.read_address(scene.now, GAS).unwrap();
        assert!(
            scene.ends(|event| matches!(event, Event::Address { address, .. } if address == own))
        );
    }
}

#[test]
fn vendor_data_with_and_without_a_head() {
    let mut scene = Scene::new(5, IdOrder::LowFirst, Faults::default());
    let own = scene.meter.address;
    for (data, len, head) in [
        (&[0x17, 0xA0, 1, 0x55][..], 1, 1),
        (&[0xAA, 0x55, 0x00], 3, 0),
        (&[], 0, 0),
    ] {
        scene.master.vendor(scene.now, GAS, own, data).unwrap();
        let same =
            |event: Event<'_>| matches!(event, Event::Vendor { data, .. } if data == [len, head]);
        assert!(scene.ends(same));
    }
    scene.meter.refuse = true;
    scene.master.vendor(scene.now, GAS, own, &[1]).unwrap();
    assert!(
        scene.ends(|event| event.refusal().map(|refusal| refusal.status) == Some(Status([1, 0])))
    );
}

#[test]
fn a_purchase_is_never_repeated() {
    // All answers are lost.
    let mut meter = Meter::new();
    let timing = Timing::rs485(9600);
    let (mut master, mut slave) = (Master::new(timing, IdOrder::LowFirst), Slave::new(timing));
    let recharge = Recharge {
        count: 1,
        amount: number(100, 2),
    };
    master.recharge(0, GAS, meter.address, recharge).unwrap();
    let mut now = 0;
    while master.is_busy() {
        if let Some(bytes) = master.poll_transmit() {
            assert_eq!(slave.handle_bytes(now, bytes, &mut meter), bytes.len());
        }
        now += 100;
        slave.handle_timeout(now, &mut meter);
        slave.poll_transmit();
        master.handle_timeout(now);
        if let Some(event) = master.poll_event() {
            assert_eq!(event, Event::TimedOut { tries: 1 });
        }
    }
    assert_eq!(meter.purchases, 1);
}
