//! The management core.
#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    firmware::images::management()
}

#[cfg(not(board = "mps2_an386"))]
compile_error!(
    "the management core needs the board of thumbv7em-none-eabihf; build the others by --bin metering"
);
