//! The device side of sealed links with the cipher in software: what the set `min` costs, and the
//! sets above it by their features.
#![no_std]
#![no_main]

#[path = "../memory.rs"]
mod memory;

use cortex_m_rt::entry;
use mcu::{Port, device};
use security::engine::Soft;

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    loop {
        let Ok(()) = device::serve(&mut Soft, &mut port);
    }
}
