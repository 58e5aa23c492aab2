//! What the measured images share: a port whose bytes the compiler cannot foresee, and the counter of instructions.
#![no_std]

pub mod device;
mod registers;

pub use registers::Registers;

use core::hint::black_box;

/// A port and a clock without hardware: reads and writes that the compiler must keep.
#[derive(Debug, Default)]
pub struct Port {
    received: Option<u8>,
    sent: u8,
    now: u64,
}

impl Port {
    /// A byte from the line, if one came.
    #[inline(never)]
    pub fn receive(&mut self) -> Option<u8> {
        black_box(self.received)
    }

    /// Bytes to the line.
    #[inline(never)]
    pub fn send(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.sent = black_box(*byte);
        }
    }

    /// Milliseconds.
    #[inline(never)]
    pub fn now(&mut self) -> u64 {
        black_box(self.now)
    }

    /// Uses a result.
    #[inline(never)]
    pub fn show(&mut self, value: i32) {
        black_box(value);
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}

/// SysTick as a counter of instructions: the emulator lets each take one nanosecond.
pub mod count {
    use cortex_m::peripheral::SYST;
    use cortex_m::peripheral::syst::SystClkSource;

    /// Its 24 bits.
    const RELOAD: u32 = 0x00FF_FFFF;
    /// Instructions in ten ticks.
    const PER_TEN_TICKS: u64 = if cfg!(board = "microbit") { 625 } else { 400 };
    /// Calls of one measurement: the resolution then is far below one instruction.
    pub const CALLS: u32 = 4000;

    /// Starts the counter. Call it once, first.
    #[expect(unsafe_code, reason = "the counter belongs to this module alone")]
    pub fn start() {
        // SAFETY: nothing else in these images touches the core's peripherals.
        let mut clock = unsafe { cortex_m::Peripherals::steal() }.SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(RELOAD);
        clock.clear_current();
        clock.enable_counter();
    }

    /// Instructions of one call of `work`, rounded, the loop around it included.
    pub fn per_call(work: impl FnMut()) -> u64 {
        per_call_of(CALLS, work)
    }

    /// The same over fewer calls, for work of many instructions: the counter has 24 bits.
    #[inline(never)]
    pub fn per_call_of(calls: u32, mut work: impl FnMut()) -> u64 {
        let before = SYST::get_current();
        for _ in 0..calls {
            work();
        }
        let ticks = before.wrapping_sub(SYST::get_current()) & RELOAD;
        let tens = u64::from(calls) * 10;
        (u64::from(ticks) * PER_TEN_TICKS + tens / 2) / tens
    }

    /// Instructions of one piece of work, to the tick: for what cannot be repeated as it is.
    #[inline(never)]
    pub fn once(work: impl FnOnce()) -> u64 {
        let before = SYST::get_current();
        work();
        let ticks = before.wrapping_sub(SYST::get_current()) & RELOAD;
        u64::from(ticks) * PER_TEN_TICKS / 10
    }
}

/// The memory of the board, searched for what must not be left in it.
pub mod ram {
    /// Where memory begins on both boards.
    const START: u32 = 0x2000_0000;
    const LEN: u32 = if cfg!(board = "microbit") {
        16 << 10
    } else {
        4 << 20
    };
    /// Bytes that are searched at either end: variables lie at the start, the stack at the end.
    const SEARCHED: u32 = 8 << 10;
    /// Room for the registers that a function saves, which the compiler may do before or after it reads the stack pointer.
    const FRAME: u32 = 64;

    #[expect(unsafe_code, reason = "a search through memory that belongs to others")]
    fn byte(at: u32) -> u8 {
        // SAFETY: the address lies in the memory of the board, where any byte may be read.
        unsafe { core::ptr::read_volatile(at as *const u8) }
    }

    /// How often 16 bytes stand in memory. They are given with every bit turned, so that the search does not find itself.
    #[inline(never)]
    pub fn count(turned: &[u8; 16]) -> u32 {
        let mut found = 0;
        for start in [START, START + LEN - SEARCHED] {
            for at in start..=start + SEARCHED - 16 {
                let here = (at..).zip(turned).all(|(at, other)| byte(at) == !other);
                found += u32::from(here);
            }
        }
        found
    }

    /// Overwrites what calls before this one left on the stack.
    #[inline(never)]
    #[expect(unsafe_code, reason = "the unused part of the stack")]
    pub fn wipe_stack() {
        let top = cortex_m::register::msp::read() - FRAME;
        let bottom = (START + LEN - SEARCHED).min(top);
        for at in bottom..top {
            // SAFETY: below the stack pointer lies nothing in use, since no interrupt is enabled; above `bottom` lie
            // no variables, which the images place at the start of memory.
            unsafe { core::ptr::write_volatile(at as *mut u8, 0) };
        }
    }
}
