//! The whole catalogue: what it says of any identifier, and the numbers of any item; no names.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use dlt645::{DataId, Format};
use mcu::Port;

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    loop {
        let Some(item) = DataId(black_box(0x0001_0000)).item() else {
            continue;
        };
        black_box((
            item.access(),
            item.is_block(),
            item.phase(),
            item.tariff(),
            item.settlement(),
        ));
        // Everything that is said stays: the compiler may leave nothing out.
        if let Format::Number {
            bytes,
            decimals,
            signed,
            unit,
        } = black_box(item.format())
        {
            port.show(i32::from(bytes) + i32::from(decimals) + i32::from(signed) + unit as i32);
        }
    }
}
