//! An SPI line between a driver and a simulated chip, with the faults that lines have.

use core::convert::Infallible;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};

/// A chip behind its chip select.
pub trait Chip {
    /// One frame: what the chip sends while it receives, and what it does at its end.
    fn frame(&mut self, received: &[u8], sent: &mut [u8]);
}

/// Which bits of which frame are turned over.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Frame from the first of the line.
    pub frame: usize,
    /// Byte of it.
    pub byte: usize,
    /// Bits.
    pub bits: u8,
    /// From the driver to the chip; otherwise back.
    pub to_chip: bool,
}

pub struct Line<C> {
    pub chip: C,
    pub faults: Vec<Fault>,
    /// The wire from the chip stands at this level.
    pub stuck: Option<u8>,
    pub frames: usize,
}

impl<C> Line<C> {
    pub fn new(chip: C) -> Self {
        Self {
            chip,
            faults: Vec::new(),
            stuck: None,
            frames: 0,
        }
    }
}

impl<C> ErrorType for &mut Line<C> {
    type Error = Infallible;
}

impl<C: Chip> SpiDevice for &mut Line<C> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        let [Operation::TransferInPlace(bytes)] = operations else {
            panic!("the drivers send whole frames");
        };
        let mut received = bytes.to_vec();
        let flip = |buffer: &mut [u8], to_chip: bool| {
            let mine = |fault: &&Fault| fault.frame == self.frames && fault.to_chip == to_chip;
            for fault in self.faults.iter().filter(mine) {
                if let Some(byte) = buffer.get_mut(fault.byte) {
                    *byte ^= fault.bits;
                }
            }
        };
        flip(&mut received, true);
        self.chip.frame(&received, bytes);
        flip(bytes, false);
        if let Some(level) = self.stuck {
            bytes.fill(level);
        }
        self.frames += 1;
        Ok(())
    }
}

/// Time passes without anybody waiting for it.
pub struct NoWait;

impl DelayNs for NoWait {
    fn delay_ns(&mut self, _ns: u32) {}
}
