//! The lite path: order 1 to 15 of one channel at 4 kHz with tracker and half cycles, instructions for one second
//! of signal, result checked. Its flash is that of a power-quality meter without transform.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use metrology::pq::{HalfCycles, OrderWindow, Orders, Selection, Tracker};

const ORDERS: usize = 15;
/// Samples of one cycle of 50 Hz at 4 kHz.
const CYCLE: usize = 80;

/// Half waves in the shape of parabolas: order h has 1/h³ of the fundamental, odd orders only.
fn cycle() -> [[i32; 1]; CYCLE] {
    core::array::from_fn(|n| {
        let (at, half) = (n as i32, CYCLE as i32 / 2);
        let arc = (at % half) * (half - at % half) * 8000;
        [if at < half { arc } else { -arc }]
    })
}

struct Chain {
    tracker: Tracker,
    halves: HalfCycles<1>,
    orders: Orders<ORDERS>,
    window: Option<OrderWindow<ORDERS>>,
    urms: u32,
}

impl Chain {
    /// One cycle; with the orders or without them.
    #[inline(never)]
    fn take(&mut self, frames: &[[i32; 1]], orders: bool) {
        let mut rest = frames;
        while !rest.is_empty() {
            let span = self.tracker.process(rest, 0);
            let (now, later) = rest.split_at_checked(span.used).unwrap_or((rest, &[]));
            if let Some(half) = self.halves.process(now, &span) {
                [self.urms] = half.urms;
            }
            if orders && let Some(window) = self.orders.process(now, &span, 0) {
                self.window = Some(window);
            }
            rest = later;
        }
    }
}

#[entry]
fn main() -> ! {
    count::start();
    let frames = cycle();
    let mut chain = Chain {
        tracker: Tracker::new(4_000_000, 50_000, 10_000),
        halves: HalfCycles::new(),
        orders: Orders::new(Selection::All, 10, 8),
        window: None,
        urms: 0,
    };
    for _ in 0..50 {
        chain.take(&frames, false);
    }
    let base = count::once(|| (0..50).for_each(|_| chain.take(black_box(&frames), false)));
    let all = count::once(|| (0..50).for_each(|_| chain.take(black_box(&frames), true)));
    let part = chain.window.and_then(|window| {
        let [first, third] = [window.rms(1)?, window.rms(3)?].map(u64::from);
        (third * 1_000_000).checked_div(first)
    });
    // 1/27 of the fundamental; the samples of the curve have a little more.
    if part.is_none_or(|part| part.abs_diff(37_037) >= 60) || chain.urms == 0 {
        hprintln!("wrong: order 3 has {:?}", part);
        debug::exit(debug::EXIT_FAILURE);
    }
    hprintln!("half-cycles-lite {}", base);
    hprintln!("orders-lite {}", all.saturating_sub(base));
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
