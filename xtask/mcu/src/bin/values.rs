//! Every identifier of the catalogue to its value, records of events and freezes included, from bytes that are there;
//! no names.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use dlt645::DataId;
use mcu::Port;

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let data = [0_u8; 64];
    loop {
        let id = DataId(black_box(0x0001_0000));
        // The whole value stays: the compiler may leave no kind out.
        let value = black_box(id.value(black_box(&data[..])));
        port.show(i32::from(value.is_ok()));
    }
}
