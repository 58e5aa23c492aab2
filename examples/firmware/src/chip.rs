//! A simulated STPM32 on the SPI, between the file of samples and the metering core: the samples go through the chip's
//! registers, its frames and the driver of `metrology`.
//!
//! ```text
//! file ─> converter ─> latch ─> V1_DATA, C1_DATA ─ frames with CRC ─> Stpm3x ─> samples
//! ```
//! The model has what the driver can notice: the register map with its reset values, writing by halves, latches, the
//! answer one frame behind its request, the CRC of each frame and the error bits. The pace is that of the file; a real
//! chip gives a set at each pulse of its 7.8125 kHz output.

use core::cell::Cell;
use core::convert::Infallible;
use core::fmt::{Error, Write};

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use metrology::FULL_SCALE;
use metrology::front_end::stpm3x::registers as reg;
use metrology::front_end::stpm3x::{Configuration, Model, Stpm3x, request};

use crate::metering::Bench;

/// Registers of 32 bits, at even addresses.
const REGISTERS: usize = 0x38 / 2;
/// Error bits of US_REG3: a frame of the wrong length, a wrong CRC, a write where none is allowed.
const BAD_LENGTH: u32 = 1 << 30;
const BAD_CRC: u32 = 1 << 28;
const BAD_WRITE: u32 = 1 << 27;
/// Registers that are not zero after a reset.
const RESET: [(u8, u32); 11] = [
    (reg::DSP_CR1, reg::DSP_CR1_RESET),
    (reg::DSP_CR2, reg::DSP_CR2_RESET),
    (reg::DSP_CR3, reg::DSP_CR3_RESET),
    (reg::DSP_CR5, reg::DSP_CR5_RESET),
    (reg::DSP_CR6, reg::DSP_CR5_RESET),
    (reg::DSP_CR7, reg::DSP_CR5_RESET),
    (reg::DSP_CR8, reg::DSP_CR5_RESET),
    (reg::DFE_CR1, reg::DFE_CR1_RESET),
    (reg::DFE_CR2, reg::DFE_CR2_RESET),
    (reg::US_REG1, reg::US_REG1_RESET),
    (reg::US_REG2, reg::US_REG2_RESET),
];

/// What the converters show now: voltage and current, counts.
pub type Converter = Cell<[i32; 2]>;

/// The chip.
#[derive(Debug)]
pub struct Chip<'a> {
    converter: &'a Converter,
    registers: [u32; REGISTERS],
    pointer: u8,
}

impl<'a> Chip<'a> {
    /// A chip that has just got power.
    #[must_use]
    pub fn new(converter: &'a Converter) -> Self {
        let mut chip = Self {
            converter,
            registers: [0; REGISTERS],
            pointer: 0,
        };
        chip.reset();
        chip
    }

    fn reset(&mut self) {
        self.registers = [0; REGISTERS];
        for (address, value) in RESET {
            self.change(address, |_| value);
        }
        self.pointer = 0;
    }

    fn change(&mut self, address: u8, to: impl FnOnce(u32) -> u32) {
        if let Some(register) = self.registers.get_mut(usize::from(address / 2)) {
            *register = to(*register);
        }
    }

    fn get(&self, address: u8) -> u32 {
        let register = self.registers.get(usize::from(address / 2));
        register.copied().unwrap_or(0)
    }

    fn error(&mut self, bit: u32) {
        self.change(reg::US_REG3, |errors| errors | bit);
    }

    /// Writes the low half at an even address, the high one at the odd one above it.
    fn write(&mut self, half: u8, data: u16) {
        let control = half < 0x20;
        if !control && !(reg::US_REG1..=reg::US_REG3 + 1).contains(&half) {
            self.error(BAD_WRITE);
            return;
        }
        self.change(half, |before| match half % 2 {
            0 => before & 0xFFFF_0000 | u32::from(data),
            _ => before & 0x0000_FFFF | u32::from(data) << 16,
        });
        let wanted = self.get(reg::DSP_CR3);
        if wanted & reg::SW_RESET != 0 {
            self.reset();
        } else if wanted & (reg::SW_LATCH1 | reg::SW_LATCH2) != 0 {
            self.change(reg::DSP_CR3, |bits| {
                bits & !(reg::SW_LATCH1 | reg::SW_LATCH2)
            });
            let [voltage, current] = self.converter.get();
            // 24 bits; the converters end at full scale.
            let bits = |count: i32| count.clamp(-FULL_SCALE, FULL_SCALE) as u32 & 0x00FF_FFFF;
            self.change(reg::V1_DATA, |_| bits(voltage));
            self.change(reg::C1_DATA, |_| bits(current));
        }
    }

    fn frame(&mut self, bytes: &mut [u8]) {
        // An answer has the shape of a request: four bytes and their CRC.
        let [a, b, c, d] = self.get(self.pointer).to_le_bytes();
        let answer = request(a, b, u16::from_le_bytes([c, d]));
        let &mut [read, write, low, high, _] = bytes else {
            self.error(BAD_LENGTH);
            return;
        };
        let data = u16::from_le_bytes([low, high]);
        if request(read, write, data) != *bytes {
            self.error(BAD_CRC);
        } else {
            if write != reg::NONE {
                self.write(write, data);
            }
            self.pointer = match read {
                // No request: the pointer goes on by itself.
                reg::NONE => self.pointer.wrapping_add(2),
                address => address & !1,
            };
            if usize::from(self.pointer / 2) >= REGISTERS {
                self.pointer = 0;
            }
        }
        for (place, byte) in bytes.iter_mut().zip(answer) {
            *place = byte;
        }
    }
}

impl ErrorType for Chip<'_> {
    type Error = Infallible;
}

impl SpiDevice for Chip<'_> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        for operation in operations {
            match operation {
                Operation::TransferInPlace(bytes) => self.frame(bytes),
                // The driver sends whole frames; anything else is a frame of the wrong length.
                Operation::DelayNs(_) => {}
                _ => self.error(BAD_LENGTH),
            }
        }
        Ok(())
    }
}

/// A chip that is simulated needs no waiting.
#[derive(Debug)]
pub struct NoWait;

impl DelayNs for NoWait {
    fn delay_ns(&mut self, _ns: u32) {}
}

/// The driver of the chip of a single-phase meter.
pub type Driver<'a> = Stpm3x<Chip<'a>, NoWait>;

/// A started driver; `None` when the chip does not start.
#[must_use]
pub fn driver(converter: &Converter) -> Option<Driver<'_>> {
    let chip = Chip::new(converter);
    let mut driver = Stpm3x::new(chip, NoWait, Configuration::new(Model::Stpm32));
    driver.start().ok().map(|()| driver)
}

/// A bench whose samples come through the driver.
#[derive(Debug)]
pub struct Through<'a, B> {
    /// Where the file is.
    pub bench: &'a mut B,
    /// What the chip converts.
    pub converter: &'a Converter,
    /// What reads the chip.
    pub driver: Driver<'a>,
}

impl<B: Bench> Bench for Through<'_, B> {
    fn read(&mut self, into: &mut [u8]) -> usize {
        let length = self.bench.read(into);
        let mut done = 0;
        let sets = into.get_mut(..length).unwrap_or_default().as_chunks_mut().0;
        for set in sets {
            let [a, b, c, d, e, f, g, h] = *set;
            self.converter
                .set([[a, b, c, d], [e, f, g, h]].map(i32::from_le_bytes));
            // Samples end where the chip fails.
            let Ok(sample) = self.driver.sample() else {
                break;
            };
            let ([voltage, _], [current, _]) = (sample.u, sample.i);
            let ([a, b, c, d], [e, f, g, h]) = (voltage.to_le_bytes(), current.to_le_bytes());
            *set = [a, b, c, d, e, f, g, h];
            done += set.len();
        }
        done
    }

    fn lap(&mut self) -> u32 {
        self.bench.lap()
    }

    fn rewind(&mut self) {
        self.bench.rewind();
    }
}

impl<B: Write> Write for Through<'_, B> {
    fn write_str(&mut self, text: &str) -> Result<(), Error> {
        self.bench.write_str(text)
    }
}
