//! A reader on the whole master: follow-up frames, refusals, repeats.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use dlt645::{Address, DataId, Event, Format, Master, Timing, Unit, Value};
use mcu::Port;

const ENERGY: Format = Format::Number {
    bytes: 4,
    decimals: 2,
    signed: false,
    unit: Unit::KilowattHour,
};

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut buffer = [0; 256];
    let mut master = Master::new(&mut buffer, Timing::rs485(2400));
    let address = Address::from_line([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
    loop {
        let _ = master.read(port.now(), address, DataId(0x0001_0000));
        while master.is_busy() {
            if let Some(bytes) = master.poll_transmit() {
                port.send(bytes);
            }
            if let Some(byte) = port.receive() {
                master.handle_bytes(port.now(), &[byte]);
            }
            let now = port.now();
            if master.poll_timeout().is_some_and(|at| at <= now) {
                master.handle_timeout(now);
            }
            match master.poll_event() {
                Some(Event::Data { data, .. }) => {
                    if let Ok(Value::Number(number)) = ENERGY.decode(data) {
                        port.show(number.mantissa);
                    }
                }
                Some(_) => port.show(-1),
                None => {}
            }
        }
    }
}
