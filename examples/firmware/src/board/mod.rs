//! Board support: memory and registers of the chip, files and texts of the host behind the emulator.
//!
//! Everything here runs on one core without interrupts, so nothing is shared between contexts.

use core::fmt::Write;
use core::panic::PanicInfo;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use cortex_m_semihosting::nr;

use crate::metering::Bench;

mod host;
#[cfg(board = "mps2_an386")]
mod live;
#[cfg(board = "mps2_an386")]
mod mps2;
#[cfg(board = "microbit")]
mod nrf51;

use host::Host;
pub use host::{HostFlash, exists};
#[cfg(board = "mps2_an386")]
pub use live::{
    Clock, hand_over, handed_over, idle, load_program, reset, reset_on_panic, start_program,
    take_panic,
};
#[cfg(board = "mps2_an386")]
pub use mps2::{Flash, Uart, erased_flash};
#[cfg(board = "microbit")]
pub use nrf51::{Flash as MeteringFlash, metering_flash};

/// Flash of the metering core's records, in a file of the host.
#[cfg(board = "mps2_an386")]
pub type MeteringFlash = HostFlash<{ crate::setup::METERING_FLASH }>;

/// Flash of the metering core's records, as the host has it.
#[cfg(board = "mps2_an386")]
#[must_use]
pub fn metering_flash() -> Option<MeteringFlash> {
    MeteringFlash::open(c"metering.flash")
}

/// The name of this board.
#[cfg(board = "mps2_an386")]
pub const NAME: &str = "mps2-an386";
/// The name of this board.
#[cfg(board = "microbit")]
pub const NAME: &str = "microbit";

/// What SysTick counts down from: its 24 bits.
const RELOAD: u32 = 0x00FF_FFFF;
/// Marks stack that nothing has used.
const PAINT: u32 = 0xC5C5_C5C5;
/// Stack left alone while painting: the frames of the painter itself.
const OWN_FRAMES: usize = 256;

/// The first argument of the image, when the emulator was given one (`arg=`).
#[must_use]
pub fn has_argument(wanted: &str) -> bool {
    let mut line = [0u8; 64];
    let block = [line.as_mut_ptr() as usize, line.len()];
    // SAFETY: GET_CMDLINE writes at most the stated number of bytes into `line`, and the length into the second
    // word of `block`; both live here and nothing else refers to them.
    let failed =
        unsafe { cortex_m_semihosting::syscall1(nr::GET_CMDLINE, block.as_ptr() as usize) } != 0;
    let text = core::ffi::CStr::from_bytes_until_nul(&line)
        .ok()
        .and_then(|text| text.to_str().ok());
    !failed && text.is_some_and(|text| text.split(' ').any(|word| word == wanted))
}

/// Ends the run in the emulator with status 0.
pub fn succeed() -> ! {
    exit(EXIT_SUCCESS);
    // A board without a debugger stays here.
    loop {
        cortex_m::asm::wfi();
    }
}

/// Ends the run in the emulator with a failure.
pub fn fail() -> ! {
    exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if let Some(mut text) = Host::open(c":tt", nr::open::W_APPEND) {
        let _ = writeln!(Lines(&mut text), "{info}");
    }
    #[cfg(board = "mps2_an386")]
    live::panicked(info.location().map_or(0, core::panic::Location::line));
    fail()
}

/// Text on its way to the host.
struct Lines<'a>(&'a mut Host);

impl Write for Lines<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.write(text.as_bytes())
    }
}

/// Input file, output text and SysTick.
#[derive(Debug)]
pub struct Emulator {
    input: Host,
    output: Host,
    at: u32,
}

impl Emulator {
    /// Opens `input`, paints the free stack, starts the clock. Call it once, first.
    ///
    /// # Panics
    /// The host has no such file.
    #[must_use]
    pub fn start(input: &core::ffi::CStr) -> Self {
        let Some(emulator) = Self::open(input) else {
            panic!("the file {input:?} cannot be opened");
        };
        emulator
    }

    /// As [`Emulator::start`]; `None` when the host has no such file.
    #[must_use]
    pub fn open(input: &core::ffi::CStr) -> Option<Self> {
        paint_stack();
        // SAFETY: this is the only use of the core's peripherals in the image.
        let mut clock = unsafe { cortex_m::Peripherals::steal() }.SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(RELOAD);
        clock.clear_current();
        clock.enable_counter();
        Some(Self {
            input: Host::open(input, nr::open::R_BINARY)?,
            output: Host::open(c":tt", nr::open::W_TRUNC)?,
            at: SYST::get_current(),
        })
    }
}

impl Write for Emulator {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        Lines(&mut self.output).write_str(text)
    }
}

impl Bench for Emulator {
    fn read(&mut self, into: &mut [u8]) -> usize {
        self.input.read(into)
    }

    fn rewind(&mut self) {
        let _ = self.input.seek(0);
    }

    fn lap(&mut self) -> u32 {
        let now = SYST::get_current();
        // It counts down.
        let ticks = self.at.wrapping_sub(now) & RELOAD;
        self.at = now;
        ticks
    }
}

unsafe extern "C" {
    /// First byte behind all static data, by the linker script.
    static mut __sheap: u32;
    /// Where the stack starts, by the linker script.
    static _stack_start: u32;
}

fn paint_stack() {
    let from = &raw mut __sheap;
    let to = (cortex_m::register::msp::read() as usize).saturating_sub(OWN_FRAMES);
    let words = to.saturating_sub(from as usize) / 4;
    for word in 0..words {
        // SAFETY: between the static data and the stack in use lies memory that no object owns: there is no heap.
        unsafe { from.add(word).write_volatile(PAINT) };
    }
}

/// Most bytes of stack used since [`Emulator::start`], and bytes there are.
#[must_use]
pub fn stack() -> (usize, usize) {
    let from = &raw const __sheap;
    let words = ((&raw const _stack_start) as usize).saturating_sub(from as usize) / 4;
    // SAFETY: all of it is memory of the chip, and reading it changes nothing.
    let unused = (0..words)
        .take_while(|word| unsafe { from.add(*word).read_volatile() } == PAINT)
        .count();
    (4 * (words - unused), 4 * words)
}
