//! The metering core of a three-phase meter.
#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    firmware::images::metering::<3>()
}
