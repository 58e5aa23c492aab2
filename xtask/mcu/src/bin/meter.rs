//! The least meter: answers reads of its energies and of its address.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use dlt645::{Address, Application, DataId, Err645, Format, Number, Slave, Timing, Unit, Value};
use mcu::Port;

const ENERGY: Format = Format::Number {
    bytes: 4,
    decimals: 2,
    signed: false,
    unit: Unit::KilowattHour,
};

struct Meter {
    energy: [i32; 5],
}

impl Application for Meter {
    fn address(&self) -> Address {
        Address::from_line([0x12, 0x90, 0x78, 0x56, 0x34, 0x12])
    }

    fn read(&mut self, id: DataId, _: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        let [0, tariff, 1, 0] = id.line() else {
            return Err(Err645::NO_DATA);
        };
        let mantissa = *self
            .energy
            .get(usize::from(tariff))
            .ok_or(Err645::NO_DATA)?;
        let number = Number {
            mantissa,
            decimals: 2,
            unit: Unit::KilowattHour,
        };
        ENERGY
            .encode(&Value::Number(number), out)
            .map_err(|_| Err645::OTHER)
    }
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut buffer = [0; 200];
    let mut slave = Slave::new(&mut buffer, Timing::rs485(2400));
    let mut meter = Meter { energy: [0; 5] };
    loop {
        if let Some(byte) = port.receive() {
            let now = port.now();
            while slave.handle_bytes(now, &[byte], &mut meter) == 0 {}
            meter.energy[0] = meter.energy[0].wrapping_add(1);
        }
        let now = port.now();
        if slave.poll_timeout().is_some_and(|at| at <= now) {
            slave.handle_timeout(now, &mut meter);
        }
        if let Some(bytes) = slave.poll_transmit() {
            port.send(bytes);
        }
    }
}
