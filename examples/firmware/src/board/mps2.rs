//! The larger board: serial ports, and an array that stands for the flash it does not have.

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

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
const UART1: usize = 0x4000_5000;
/// A timer that counts 32 bits down at the clock of the core.
const TIMER0: usize = 0x4000_0000;
/// Ticks of it in a millisecond.
pub(super) const TICKS_PER_MS: u32 = 25_000;
const DATA: usize = 0;
const STATE: usize = 4;
const CONTROL: usize = 8;
const CLEAR: usize = 0x0C;
const DIVIDER: usize = 0x10;
const ENABLED: u32 = 3;
const RECEIVE_INTERRUPT: u32 = 1 << 3;
const RECEIVED: u32 = 1 << 1;
const TRANSMIT_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 2;

/// The interrupt of a received byte. It wakes the core from [`super::idle`] and is never taken.
#[derive(Clone, Copy)]
struct Received(u16);

// SAFETY: the board's serial ports 0 and 1 raise 0 and 2, as `WAKING` says, and no other number is made.
unsafe impl InterruptNumber for Received {
    fn number(self) -> u16 {
        self.0
    }
}

const WAKING: [(usize, Received); 2] = [(UART0, Received(0)), (UART1, Received(2))];

/// Makes ready for the next byte that wakes the core.
pub(super) fn forget_wakes() {
    for (base, interrupt) in WAKING {
        write(base + CLEAR, RECEIVED);
        NVIC::unpend(interrupt);
    }
}

/// A serial port of the board.
#[derive(Debug)]
pub struct Uart {
    base: usize,
    /// Longest wait for one byte, ticks of the timer; without it a wait has no end.
    patience: Option<u32>,
}

impl Uart {
    /// The port to the other core, which is waited for without end: both boards step together.
    #[must_use]
    pub fn start() -> Self {
        Self::port(UART0, None)
    }

    /// The port to the other core, which is waited for so many milliseconds; needs the running
    /// [`super::Clock`].
    #[must_use]
    pub fn core(patience_ms: u32) -> Self {
        Self::port(UART0, Some(patience_ms))
    }

    /// The RS-485 port; needs the running [`super::Clock`].
    #[must_use]
    pub fn rs485() -> Self {
        Self::port(UART1, Some(100))
    }

    fn port(base: usize, patience_ms: Option<u32>) -> Self {
        write(base + DIVIDER, 16);
        // Boards that step together wait without sleep: their time is counted in instructions.
        let wakes = WAKING.iter().find(|(at, _)| *at == base);
        if let (Some((_, interrupt)), true) = (wakes, patience_ms.is_some()) {
            write(base + CONTROL, ENABLED | RECEIVE_INTERRUPT);
            // SAFETY: `Clock::start` has masked all interrupts, so there is no handler to be run.
            unsafe { NVIC::unmask(*interrupt) };
        } else {
            write(base + CONTROL, ENABLED);
        }
        Self {
            base,
            patience: patience_ms.map(|ms| ms.saturating_mul(TICKS_PER_MS)),
        }
    }

    /// A byte that is there.
    pub fn poll(&mut self) -> Option<u8> {
        (read(self.base + STATE) & RECEIVE_FULL != 0).then(|| read(self.base + DATA) as u8)
    }

    /// As [`Uart::poll`], but a byte may take two milliseconds: within a frame they follow each other.
    pub fn poll_soon(&mut self) -> Option<u8> {
        let begun = ticks();
        loop {
            let byte = self.poll();
            if byte.is_some() || begun.wrapping_sub(ticks()) > 2 * TICKS_PER_MS {
                return byte;
            }
            super::idle();
        }
    }

    /// Waits until the bits of the state are as wanted.
    fn wait(&self, mask: u32, wanted: u32) -> bool {
        let begun = ticks();
        while read(self.base + STATE) & mask != wanted {
            if let Some(most) = self.patience {
                if begun.wrapping_sub(ticks()) > most {
                    return false;
                }
                super::idle();
            }
        }
        true
    }
}

impl Wire for Uart {
    fn send(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // Who does not take what it asked for gets no more of it.
            if !self.wait(TRANSMIT_FULL, 0) {
                return;
            }
            write(self.base + DATA, byte.into());
        }
    }

    fn receive(&mut self, into: &mut [u8]) -> bool {
        for byte in into {
            if !self.wait(RECEIVE_FULL, RECEIVE_FULL) {
                return false;
            }
            *byte = read(self.base + DATA) as u8;
        }
        true
    }

    fn drain(&mut self) {
        while self.poll().is_some() {}
    }
}

/// Starts the timer behind [`ticks`].
pub(super) fn start_timer() {
    const RELOAD: usize = TIMER0 + 8;
    write(RELOAD, u32::MAX);
    write(TIMER0, 1);
}

/// What the timer shows; it counts down.
pub(super) fn ticks() -> u32 {
    const VALUE: usize = TIMER0 + 4;
    read(VALUE)
}

fn read(register: usize) -> u32 {
    // SAFETY: callers name registers of the board's serial ports and timer, which may be read at any time.
    unsafe { with_exposed_provenance::<u32>(register).read_volatile() }
}

fn write(register: usize, value: u32) {
    // SAFETY: callers name registers of the board's serial ports and timer; they reach no memory.
    unsafe { with_exposed_provenance_mut::<u32>(register).write_volatile(value) }
}
