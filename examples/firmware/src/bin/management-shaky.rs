//! As `management-live`, over flash that breaks down once when the argument `panic` is given.
#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    firmware::live::management::<true>()
}

#[cfg(not(board = "mps2_an386"))]
compile_error!("this image needs the board of thumbv7em-none-eabihf");
