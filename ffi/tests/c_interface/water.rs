//! The C programs of CJ/T 188.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use cjt188::{
    Address, Application, DataId, MeterType, Quantity, Reading, Settled, Slave, Status, Timing,
    Unit, Value, VolumeReading,
};

use crate::native;
use crate::programs::{example, line_program};

#[test]
fn a_water_meter_and_its_reader_in_one_program() {
    if native::have_compiler("water.c") {
        assert_eq!(
            example("water", &[]),
            "present data: 68.00 m3, 60.00 m3, no time\n\
             purchase 4 counts once\n\
             account: purchase 4: 125.00, total 125.00, remaining 57.00\n\
             valve closed, battery good\n\
             settlement value, months back: 1 refused\n"
        );
    }
}

/// A meter of the crate itself at the far end of the line.
struct Meter;

fn cubic_metres(mantissa: u32) -> Quantity {
    Quantity {
        mantissa,
        decimals: 2,
        unit: Some(Unit::CUBIC_METRE),
    }
}

impl Application for Meter {
    fn meter_type(&self) -> MeterType {
        MeterType::GAS
    }

    fn address(&self) -> Address {
        Address::from_digits("78330007061326").expect("an address")
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        let value = match id {
            DataId::PRESENT => Value::Present(Reading::Volume(VolumeReading {
                current: cubic_metres(123_456),
                settlement: cubic_metres(120_000),
                time: None,
                status: Status::default(),
            })),
            DataId(0xD120) => Value::Settled(Settled::One(cubic_metres(120_000))),
            _ => return Err(Status::default()),
        };
        id.encode_value(&value, out).map_err(|_| Status::default())
    }
}

#[test]
fn a_reader_of_water_through_tcp() {
    if !native::have_compiler("read_water.c") {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("its number").port().to_string();
    let meter = std::thread::spawn(move || {
        let (mut line, _) = server.accept().expect("the reader comes");
        let timing = Timing {
            turnaround_ms: 0,
            ..Timing::tcp()
        };
        let (mut slave, mut bytes) = (Slave::new(timing), [0; 256]);
        loop {
            let len = line.read(&mut bytes).expect("the line lives");
            if len == 0 {
                return;
            }
            let mut rest = &bytes[..len];
            while !rest.is_empty() {
                rest = &rest[slave.handle_bytes(0, rest, &mut Meter)..];
                if let Some(answer) = slave.poll_transmit() {
                    line.write_all(answer).expect("the line lives");
                }
            }
        }
    });
    let reader = line_program("read_water", "tcp");
    let text =
        native::run(Command::new(reader).args(["tcp", "127.0.0.1", &port, "78330007061326"]));
    meter.join().expect("the meter ends well");
    assert_eq!(
        text,
        "present data of type 30: 1234.56 m3 1200.00 m3\n\
         settlement value, months back: 1 of type 30: 1200.00 m3\n\
         purchases refused\n"
    );
}
