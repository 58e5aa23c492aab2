//! The management core by the clock, with the RS-485 port and updates.
#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    firmware::live::management::<false>()
}

#[cfg(not(board = "mps2_an386"))]
compile_error!("this image needs the board of thumbv7em-none-eabihf");
