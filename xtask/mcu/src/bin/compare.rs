//! The comparison of secrets, and two that leak, for whoever reads their machine code.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use mcu::{Port, device};
use security::engine::Soft;

/// Leaks where the first difference lies.
#[inline(never)]
fn early_exits(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| black_box(*a) == *b)
}

/// Leaks through the time of a division.
#[inline(never)]
fn divides(a: &[u8], b: &[u8]) -> bool {
    let quotients = a.iter().zip(b).map(|(a, b)| *a / (*b | 1));
    quotients.fold(0, |sum, quotient| sum | quotient) == 0
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let (a, b) = (black_box([0; 16]), black_box([1; 16]));
    port.show(i32::from(early_exits(&a, &b)));
    port.show(i32::from(divides(&a, &b)));
    loop {
        let Ok(()) = device::serve(&mut Soft, &mut port);
    }
}
