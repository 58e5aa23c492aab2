//! Board support: memory and registers of the chip, files and texts of the host behind the emulator.
//!
//! Everything here runs on one core without interrupts, so nothing is shared between contexts.

use core::fmt::Write;
use core::panic::PanicInfo;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use cortex_m_semihosting::{nr, syscall};

use crate::metering::Bench;

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

/// A text or file of the host.
#[derive(Debug)]
struct Host {
    handle: usize,
}

impl Host {
    /// Opens `name`, which ends with a zero byte, in a mode of [`nr::open`].
    fn open(name: &core::ffi::CStr, mode: usize) -> Option<Self> {
        let bytes = name.to_bytes();
        // SAFETY: OPEN reads the name of the given length and its ending zero, which `CStr` holds, and writes nothing.
        let handle = unsafe { syscall!(OPEN, bytes.as_ptr(), mode, bytes.len()) };
        (handle != usize::MAX).then_some(Self { handle })
    }

    /// Reads until `into` is full or the file ends; the number of bytes.
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            // SAFETY: READ writes at most `rest.len()` bytes from the start of `rest`, which is borrowed alone.
            let missing = unsafe { syscall!(READ, self.handle, rest.as_mut_ptr(), rest.len()) };
            let got = rest.len().saturating_sub(missing);
            if got == 0 {
                break;
            }
            done += got;
        }
        done
    }

    fn write(&mut self, bytes: &[u8]) -> core::fmt::Result {
        // SAFETY: WRITE only reads `bytes`.
        let missing = unsafe { syscall!(WRITE, self.handle, bytes.as_ptr(), bytes.len()) };
        if missing == 0 {
            Ok(())
        } else {
            Err(core::fmt::Error)
        }
    }
}

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

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if let Some(mut text) = Host::open(c":tt", nr::open::W_APPEND) {
        let _ = writeln!(Lines(&mut text), "{info}");
    }
    exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
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
        paint_stack();
        // SAFETY: this is the only use of the core's peripherals in the image.
        let mut clock = unsafe { cortex_m::Peripherals::steal() }.SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(RELOAD);
        clock.clear_current();
        clock.enable_counter();
        let (Some(input), Some(output)) = (
            Host::open(input, nr::open::R_BINARY),
            Host::open(c":tt", nr::open::W_TRUNC),
        ) else {
            panic!("the file {input:?} cannot be opened");
        };
        Self {
            input,
            output,
            at: SYST::get_current(),
        }
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

#[cfg(board = "mps2_an386")]
pub use mps2::{Flash, Uart, erased_flash};

#[cfg(board = "mps2_an386")]
mod mps2 {
    use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

    use crate::setup::FLASH;
    use crate::wire::Wire;

    /// This board has no flash that can be written: an array stands for it.
    pub type Flash = meter::store::RamFlash<FLASH>;

    /// Flash of a new meter.
    #[must_use]
    pub const fn erased_flash() -> Flash {
        Flash::new()
    }

    const UART0: usize = 0x4000_4000;
    const DATA: usize = UART0;
    const STATE: usize = UART0 + 4;
    const CONTROL: usize = UART0 + 8;
    const DIVIDER: usize = UART0 + 0x10;
    const TRANSMIT_FULL: u32 = 1;
    const RECEIVE_FULL: u32 = 2;

    /// The first serial port of the board.
    #[derive(Debug)]
    pub struct Uart(());

    impl Uart {
        /// Switches the port on, both directions.
        #[must_use]
        pub fn start() -> Self {
            write(DIVIDER, 16);
            write(CONTROL, 3);
            Self(())
        }
    }

    impl Wire for Uart {
        fn send(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                while read(STATE) & TRANSMIT_FULL != 0 {}
                write(DATA, byte.into());
            }
        }

        fn receive(&mut self, into: &mut [u8]) {
            for byte in into {
                while read(STATE) & RECEIVE_FULL == 0 {}
                *byte = read(DATA) as u8;
            }
        }
    }

    fn read(register: usize) -> u32 {
        // SAFETY: callers name registers of the board's UART 0, which may be read at any time.
        unsafe { with_exposed_provenance::<u32>(register).read_volatile() }
    }

    fn write(register: usize, value: u32) {
        // SAFETY: callers name registers of the board's UART 0; they reach no memory.
        unsafe { with_exposed_provenance_mut::<u32>(register).write_volatile(value) }
    }
}

#[cfg(board = "microbit")]
pub use nrf51::{Flash, erased_flash};

#[cfg(board = "microbit")]
mod nrf51 {
    use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

    use embedded_storage::nor_flash::{
        ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase,
        check_read, check_write,
    };

    /// Start and length of the flash behind the program: `boards/microbit.x` leaves it out.
    const START: usize = 0x3_8000;
    const LENGTH: usize = 0x8000;
    /// One page of the chip; the store sees pairs, so that the longest record fits.
    const CHIP_PAGE: u32 = 1024;

    const READY: usize = 0x4001_E400;
    const CONFIG: usize = 0x4001_E504;
    const ERASE_PAGE: usize = 0x4001_E508;
    const READ_ONLY: u32 = 0;
    const WRITE: u32 = 1;
    const ERASE: u32 = 2;

    /// The part of the chip's flash that keeps records.
    #[derive(Debug)]
    pub struct Flash(());

    /// Flash of a new meter.
    #[must_use]
    pub fn erased_flash() -> Flash {
        let mut flash = Flash(());
        let _ = flash.erase(0, LENGTH as u32);
        flash
    }

    /// Why the flash refused.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlashError(NorFlashErrorKind);

    impl NorFlashError for FlashError {
        fn kind(&self) -> NorFlashErrorKind {
            self.0
        }
    }

    impl From<NorFlashErrorKind> for FlashError {
        fn from(kind: NorFlashErrorKind) -> Self {
            Self(kind)
        }
    }

    impl ErrorType for Flash {
        type Error = FlashError;
    }

    impl ReadNorFlash for Flash {
        const READ_SIZE: usize = 1;

        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
            check_read(self, offset, bytes.len())?;
            let from = with_exposed_provenance::<u8>(START + offset as usize);
            for (number, byte) in bytes.iter_mut().enumerate() {
                // SAFETY: `check_read` keeps the address within the flash that is ours, readable at any time.
                *byte = unsafe { from.add(number).read_volatile() };
            }
            Ok(())
        }

        fn capacity(&self) -> usize {
            LENGTH
        }
    }

    impl NorFlash for Flash {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = 2 * CHIP_PAGE as usize;

        fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
            check_erase(self, from, to)?;
            set(CONFIG, ERASE);
            for page in (from..to).step_by(CHIP_PAGE as usize) {
                set(ERASE_PAGE, START as u32 + page);
                wait();
            }
            set(CONFIG, READ_ONLY);
            Ok(())
        }

        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
            check_write(self, offset, bytes.len())?;
            set(CONFIG, WRITE);
            for (number, word) in bytes.as_chunks().0.iter().enumerate() {
                let to = with_exposed_provenance_mut::<u32>(START + offset as usize + 4 * number);
                // SAFETY: `check_write` keeps the address aligned and within the flash behind the program, in which
                // no object of the program lies; the controller takes words while CONFIG says so.
                unsafe { to.write_volatile(u32::from_le_bytes(*word)) };
                wait();
            }
            set(CONFIG, READ_ONLY);
            Ok(())
        }
    }

    fn wait() {
        // SAFETY: a register of the flash controller that may be read at any time.
        while unsafe { with_exposed_provenance::<u32>(READY).read_volatile() } & 1 == 0 {}
    }

    fn set(register: usize, value: u32) {
        // SAFETY: callers name registers of the flash controller and erase only pages behind the program.
        unsafe { with_exposed_provenance_mut::<u32>(register).write_volatile(value) }
    }
}
