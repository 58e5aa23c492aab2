//! Start-up, vectors and the port: what every image has.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use mcu::Port;

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    loop {
        let byte = port.receive();
        let now = port.now();
        port.send(&[byte.unwrap_or_default(), now as u8]);
        port.show(0);
    }
}
