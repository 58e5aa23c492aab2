//! As `seal`, built with the suites of feature `gcm` too: a device that accepts either.
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
