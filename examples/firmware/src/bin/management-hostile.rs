//! A management image that attacks the metering core.
#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    firmware::live::hostile()
}

#[cfg(not(board = "mps2_an386"))]
compile_error!("this image needs the board of thumbv7em-none-eabihf");
