//! What a board needs that runs by the clock on the wall: time, resets, and a program started by another.
//!
//! ```text
//! 0000_0000  boot stage, or an image that starts by itself
//! 0010_0000  program: the image that the boot stage chose, copied from its slot
//! 2100_0000  words that outlive a reset: panic, running slot
//! ```

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::peripheral::SCB;
use cortex_m::peripheral::syst::SystClkSource;

use super::mps2::{TICKS_PER_MS, forget_wakes, start_timer, ticks};

/// Where programs are linked: `boards/mps2-an386-program.x`.
const PROGRAM: usize = 0x0010_0000;
const PROGRAM_LENGTH: usize = 0x0010_0000;
/// Two words each: a mark and a number.
const PANIC: usize = 0x2100_0000;
const RUNNING: usize = 0x2100_0010;
const MARK: u32 = 0x6D65_7472;

static RESET_ON_PANIC: AtomicBool = AtomicBool::new(false);

/// Milliseconds since the start.
#[derive(Debug)]
pub struct Clock {
    last: u32,
    ticks: u64,
}

impl Clock {
    /// Starts the timer, and SysTick every millisecond for [`idle`].
    #[must_use]
    pub fn start() -> Self {
        start_timer();
        cortex_m::interrupt::disable();
        // SAFETY: SysTick's other use, counting the work of a test, is not made by an image with a clock.
        let mut tick = unsafe { cortex_m::Peripherals::steal() }.SYST;
        tick.set_clock_source(SystClkSource::Core);
        tick.set_reload(TICKS_PER_MS - 1);
        tick.clear_current();
        tick.enable_interrupt();
        tick.enable_counter();
        Self {
            last: ticks(),
            ticks: 0,
        }
    }

    /// To be called at least every two minutes, before the timer comes round.
    pub fn now_ms(&mut self) -> u64 {
        let now = ticks();
        self.ticks = self.ticks.wrapping_add(self.last.wrapping_sub(now).into());
        self.last = now;
        self.ticks / u64::from(TICKS_PER_MS)
    }
}

/// Sleeps to the next millisecond or received byte. The interrupt wakes the core and is never taken.
pub fn idle() {
    cortex_m::asm::wfi();
    SCB::clear_pendst();
    forget_wakes();
}

/// Restarts the chip.
pub fn reset() -> ! {
    SCB::sys_reset()
}

/// From now on a panic is noted and restarts the chip.
pub fn reset_on_panic() {
    RESET_ON_PANIC.store(true, Ordering::Relaxed);
}

/// The end of a panic; returns where it should end the run.
pub(super) fn panicked(line: u32) {
    if RESET_ON_PANIC.load(Ordering::Relaxed) {
        keep(PANIC, line);
        reset();
    }
}

/// The line of the source whose panic restarted the chip, once.
pub fn take_panic() -> Option<u32> {
    let line = kept(PANIC);
    clear(PANIC);
    line
}

/// Tells the program which slot it came from.
pub fn hand_over(slot: u32) {
    keep(RUNNING, slot);
}

/// The slot that the boot stage started; `None` without a boot stage.
#[must_use]
pub fn handed_over() -> Option<u32> {
    kept(RUNNING)
}

fn keep(at: usize, number: u32) {
    let place = with_exposed_provenance_mut::<u32>(at);
    // SAFETY: two aligned words in memory of the board that no image has its data in.
    unsafe {
        place.add(1).write_volatile(number);
        place.write_volatile(MARK);
    }
}

fn kept(at: usize) -> Option<u32> {
    let place = with_exposed_provenance::<u32>(at);
    // SAFETY: as in `keep`.
    let (mark, number) = unsafe { (place.read_volatile(), place.add(1).read_volatile()) };
    (mark == MARK).then_some(number)
}

fn clear(at: usize) {
    // SAFETY: as in `keep`.
    unsafe { with_exposed_provenance_mut::<u32>(at).write_volatile(0) };
}

/// Copies a piece of a program to where it runs; `false` beyond the room for it.
#[must_use]
pub fn load_program(offset: usize, bytes: &[u8]) -> bool {
    if offset.saturating_add(bytes.len()) > PROGRAM_LENGTH {
        return false;
    }
    let place = with_exposed_provenance_mut::<u8>(PROGRAM + offset);
    for (number, byte) in bytes.iter().enumerate() {
        // SAFETY: the room for programs is memory in which the boot stage has nothing of its own.
        unsafe { place.add(number).write_volatile(*byte) };
    }
    true
}

/// Starts what was loaded: its vector table comes first.
pub fn start_program() -> ! {
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
    // SAFETY: the image was verified; it brings its own vector table, stack and data, and nothing of the boot stage
    // is used again. Interrupts are masked and none is enabled but SysTick's, which the program sets up itself.
    unsafe {
        (*SCB::PTR).vtor.write(PROGRAM as u32);
        cortex_m::asm::bootload(with_exposed_provenance(PROGRAM))
    }
}
