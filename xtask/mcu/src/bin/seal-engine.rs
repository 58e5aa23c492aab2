//! The same with the cipher in the chip: registers that the compiler must write and read.
#![no_std]
#![no_main]

#[path = "../memory.rs"]
mod memory;

use cortex_m_rt::entry;
use mcu::{Port, Registers, device};

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    loop {
        if device::serve(&mut Registers::default(), &mut port).is_err() {
            port.show(0);
        }
    }
}
