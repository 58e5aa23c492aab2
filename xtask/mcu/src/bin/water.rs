//! A CJ/T 188 reader on the whole master: present data and valve.
#![no_std]
#![no_main]

use cjt188::{Address, IdOrder, Master, MeterType, Reading, Timing};
use cortex_m_rt::entry;
use mcu::Port;

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut master = Master::new(Timing::rs485(2400), IdOrder::LowFirst);
    let address = Address::from_line([0x69, 0x05, 0x90, 0x05, 0x15, 0x33, 0x78]);
    loop {
        let _ = master.read_present(port.now(), MeterType::COLD_WATER, address);
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
            if let Some(event) = master.poll_event() {
                match event.reading() {
                    Some(Ok(Reading::Volume(volume))) => port.show(volume.current.mantissa as i32),
                    _ => port.show(-1),
                }
            }
        }
    }
}
