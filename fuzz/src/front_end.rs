//! Drivers of metering chips: any bytes from the wire, and good frames around any values.

use core::convert::Infallible;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use metrology::front_end::stpm3x::registers as stpm;
use metrology::front_end::{atm90e32, stpm3x};

use crate::input::Input;

/// Frames that all calls of one body may need at most, with every repetition.
const MOST_FRAMES: usize = 4_000;

/// A wire whose far end says what the input says.
struct Wire<'a> {
    input: Input<'a>,
    /// Frames carry good proofs: the chip is well, its values are any.
    well: bool,
    frames: usize,
    /// What was asked with the frame before.
    asked: u8,
    last: [u8; 2],
    /// Values given, by register.
    given: [u32; 256],
}

impl<'a> Wire<'a> {
    fn new(input: Input<'a>, well: bool) -> Self {
        Self {
            input,
            well,
            frames: 0,
            asked: 0xFF,
            last: [0; 2],
            given: [0; 256],
        }
    }

    /// The answer of an STPM3x to the frame before this one.
    fn stpm(&mut self, frame: &mut [u8]) {
        let value = match self.asked {
            stpm::US_REG2 => 0x0001_0683,
            stpm::US_REG3 => 0,
            register => {
                let value = self.input.word();
                self.given[usize::from(register)] = value;
                value
            }
        };
        self.asked = frame[0];
        frame[..4].copy_from_slice(&value.to_le_bytes());
        let [a, b, c, d] = value.to_le_bytes();
        // A request without a write is these bytes: its check sum is that of an answer.
        frame[4] = stpm3x::request(a, b, u16::from_le_bytes([c, d]))[4];
    }

    /// The answer of an ATM90E32AS to this frame.
    fn atm(&mut self, frame: &mut [u8]) {
        let address = u16::from_be_bytes([frame[0] & 3, frame[1]]);
        if frame[0] & 0x80 == 0 {
            self.last = [frame[2], frame[3]];
            return;
        }
        match address {
            0x00 => self.last = [0, 1],
            0x78 => {}
            0x79 => self.last = [0, 0],
            _ => self.last = [self.input.byte(), self.input.byte()],
        }
        frame[2..].copy_from_slice(&self.last);
    }
}

impl ErrorType for &mut Wire<'_> {
    type Error = Infallible;
}

impl SpiDevice for &mut Wire<'_> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        self.frames += 1;
        assert!(self.frames < MOST_FRAMES, "the driver does not end");
        for operation in operations {
            let Operation::TransferInPlace(frame) = operation else {
                panic!("whole frames only");
            };
            match (self.well, frame.len()) {
                (true, 5) => self.stpm(frame),
                (true, 4) => self.atm(frame),
                _ => frame.iter_mut().for_each(|byte| *byte = self.input.byte()),
            }
        }
        Ok(())
    }
}

struct NoWait;

impl DelayNs for NoWait {
    fn delay_ns(&mut self, _ns: u32) {}
}

/// The first byte chooses the chip and whether its proofs are good. Then every answer of the wire is what the input says:
/// the drivers end, and what they give out is what the registers held.
pub fn drivers(bytes: &[u8]) {
    let mut input = Input { bytes };
    let choice = input.byte();
    let well = choice & 1 != 0;
    let mut wire = Wire::new(input, well);
    if choice & 2 == 0 {
        let model = [
            stpm3x::Model::Stpm32,
            stpm3x::Model::Stpm33,
            stpm3x::Model::Stpm34,
        ];
        let configuration = stpm3x::Configuration::new(model[usize::from(choice >> 2) % 3]);
        let mut chip = stpm3x::Stpm3x::new(&mut wire, NoWait, configuration);
        let scale = chip.scale(0);
        let read = chip.read();
        let sample = chip.sample();
        if !well {
            let _ = chip.start();
            let _ = chip.calibrate(|constants| constants.voltage_trim = [1, 2]);
        }
        if well {
            let snapshot = read.expect("good frames");
            let held = |register: u8| wire.given[usize::from(register)];
            let line = &snapshot.reading.phase[0];
            let counts = held(stpm::PH1 + stpm::PH_ACTIVE_POWER) & 0x1FFF_FFFF;
            let counts = i128::from(counts) - if counts >> 28 == 1 { 1 << 29 } else { 0 };
            let uw = counts * i128::from(scale.power_pw);
            assert!((uw - i128::from(line.active_uw) * 1_000_000).abs() <= 500_000);
            assert_eq!(
                snapshot.energy[1].reactive,
                held(stpm::PH2 + stpm::PH_REACTIVE_ENERGY)
            );
            assert!(line.angle_mdeg > -180_000 && line.angle_mdeg <= 180_000);
            let sample = sample.expect("good frames");
            assert_eq!(
                sample.i[1] & 0xFF_FFFF,
                (held(stpm::C2_DATA) & 0xFF_FFFF) as i32
            );
            let _ = snapshot.reading.observation(200);
        }
    } else {
        let mut chip =
            atm90e32::Atm90e32::new(&mut wire, NoWait, atm90e32::Configuration::default());
        let read = chip.read();
        let mut sums = atm90e32::Energies::default();
        let taken = chip.take_energies(&mut sums);
        assert!(!well || (read.is_ok() && taken.is_ok()), "good frames");
        if let Ok(reading) = read {
            let _ = reading.observation(200);
            assert!(
                reading
                    .phase
                    .iter()
                    .all(|line| line.voltage_uv <= 655_360_000)
            );
        }
        if !well {
            let _ = chip.start();
            let _ = chip.calibrate(|constants| constants.phase[2].angle = -3);
        }
    }
}
