//! Readings, valve and address on a half-duplex line.

use cjt188::{
    Address, Application, DataId, Event, IdOrder, Master, MeterType, Quantity, Reading, Slave,
    Stamp, Status, Timing, Unit, Valve, ValveOrder, VolumeReading,
};
use testkit::line::{Faults, Line};

mod bus;
use bus::run;

struct Water {
    valve: Valve,
}

fn reading(valve: Valve) -> Reading {
    let cubic = |mantissa| Quantity {
        mantissa,
        decimals: 2,
        unit: Some(Unit::CUBIC_METRE),
    };
    Reading::Volume(VolumeReading {
        current: cubic(12_345),
        settlement: cubic(10_000),
        time: Some(Stamp {
            year: 2026,
            month: 11,
            day: 21,
            hour: 5,
            minute: 6,
            second: 7,
        }),
        status: Status::new(valve, false),
    })
}

impl Application for Water {
    fn meter_type(&self) -> MeterType {
        MeterType::COLD_WATER
    }

    fn address(&self) -> Address {
        Address::from_digits("20261100000004").unwrap()
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        match id {
            DataId::PRESENT => reading(self.valve)
                .encode(out)
                .map_err(|_| Status::default()),
            _ => Err(Status::new(self.valve, false)),
        }
    }

    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        self.valve = match order {
            ValveOrder::Open => Valve::Open,
            ValveOrder::Close => Valve::Closed,
        };
        Ok(Status::new(self.valve, false))
    }
}

#[test]
fn readings_and_valve_in_both_orders_on_a_bad_line() {
    for (seed, order) in [(1, IdOrder::HighFirst), (2, IdOrder::LowFirst)] {
        let timing = Timing {
            tries: 12,
            ..Timing::rs485(2400)
        };
        let (mut master, mut slave) = (Master::new(timing, order), Slave::new(timing));
        let mut water = Water { valve: Valve::Open };
        let faults = Faults {
            lose_byte: 1000,
            noise_byte: 2000,
            lose_all: 50_000,
            echo: true,
            ..Faults::default()
        };
        let mut line = Line::new(seed, 2400, faults);
        let mut now = 0;
        let (kind, address) = (MeterType::COLD_WATER, water.address());
        for _ in 0..10 {
            master.read_present(now, kind, address).unwrap();
            let got = run(
                &mut line,
                &mut now,
                &mut master,
                &mut slave,
                &mut water,
                |event| event.reading(),
            );
            assert_eq!(got, Some(Ok(reading(Valve::Open))));
            now += 2000;
        }
        master.valve(now, kind, address, ValveOrder::Close).unwrap();
        let got = run(
            &mut line,
            &mut now,
            &mut master,
            &mut slave,
            &mut water,
            |event| event.valve_status(),
        );
        assert_eq!(got.map(Status::valve), Some(Valve::Closed));
        now += 2000;
        master.read(now, kind, address, DataId(0x8102)).unwrap();
        let refused = |event: Event<'_>| {
            matches!(
                event,
                Event::Refused {
                    data: [_, 1, 0],
                    ..
                }
            )
        };
        assert!(run(
            &mut line,
            &mut now,
            &mut master,
            &mut slave,
            &mut water,
            refused
        ));
    }
}

#[test]
fn address_read_and_silence() {
    let timing = Timing::rs485(2400);
    let (mut master, mut slave) = (Master::new(timing, IdOrder::LowFirst), Slave::new(timing));
    let mut water = Water { valve: Valve::Open };
    let mut line = Line::new(3, 2400, Faults::default());
    let mut now = 0;
    let own = water.address();
    master.read_address(now, MeterType::ANY).unwrap();
    let found = move |event: Event<'_>| {
        event
            == Event::Address {
                meter_type: MeterType::COLD_WATER,
                address: own,
            }
    };
    assert!(run(
        &mut line,
        &mut now,
        &mut master,
        &mut slave,
        &mut water,
        found
    ));
    let silent = |event: Event<'_>| event == Event::TimedOut { tries: 3 };
    // Another address, another type, a valve order to whoever is there.
    master
        .read_present(
            now,
            MeterType::COLD_WATER,
            Address::from_digits("5").unwrap(),
        )
        .unwrap();
    assert!(run(
        &mut line,
        &mut now,
        &mut master,
        &mut slave,
        &mut water,
        silent
    ));
    master.read_present(now, MeterType::GAS, own).unwrap();
    assert!(run(
        &mut line,
        &mut now,
        &mut master,
        &mut slave,
        &mut water,
        silent
    ));
    master
        .valve(
            now,
            MeterType::COLD_WATER,
            Address::WILDCARD,
            ValveOrder::Close,
        )
        .unwrap();
    assert!(run(
        &mut line,
        &mut now,
        &mut master,
        &mut slave,
        &mut water,
        silent
    ));
    assert_eq!(water.valve, Valve::Open);
}
