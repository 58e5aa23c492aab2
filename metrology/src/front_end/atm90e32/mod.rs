//! ATM90E32AS: six converters and a metering processor for three phases, over SPI.
//!
//! Frames have four bytes: address with the read bit, and 16 bits of data. They carry no checksum; the chip keeps the last
//! data in LastSPIData instead, and the driver reads every value again there. That also saves energies, which the chip
//! clears when they are read: a value that was damaged on its way is still in LastSPIData.
//!
//! Values of one [`Atm90e32::read`] come from registers that the chip renews about every 200 ms and does not latch
//! together.
//!
//! ```no_run
//! # fn demo<S: embedded_hal::spi::SpiDevice, D: embedded_hal::delay::DelayNs>(spi: S, delay: D)
//! # -> Result<(), metrology::front_end::Error<S::Error>> {
//! use metrology::front_end::atm90e32::{Atm90e32, Configuration, gain};
//!
//! let mut chip = Atm90e32::new(spi, delay, Configuration::default());
//! chip.start()?;
//! // One point of calibration: the reference says 230 V.
//! let shown = chip.read()?.phase[0].voltage_uv;
//! if let Some(new) = gain(0x8000, 230_000_000, shown) {
//!     chip.calibrate(|constants| constants.phase[0].voltage_gain = new)?;
//! }
//! # Ok(()) }
//! ```

pub mod registers;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::SpiDevice;

use super::{Error, PhaseReading, Reading, TRIES, scaled};
use registers as reg;

/// Constants of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseConstants {
    /// UGain: 0x8000 is 1. See [`gain`].
    pub voltage_gain: u16,
    /// IGain: 0x8000 is 1.
    pub current_gain: u16,
    /// UOffset, two's complement.
    pub voltage_offset: i16,
    /// IOffset, two's complement.
    pub current_offset: i16,
    /// POffset, two's complement.
    pub active_offset: i16,
    /// QOffset, two's complement.
    pub reactive_offset: i16,
    /// PQGain: power is multiplied by 1 + x / 2^15. See [`power_gain`].
    pub power_gain: i16,
    /// Phi: delay in periods of 2.048 MHz, -1023 to 1023; positive delays the current, negative the voltage. See [`angle`].
    pub angle: i16,
}

/// Constants of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Phase A, B, C.
    pub phase: [PhaseConstants; 3],
    /// MMode0: 0x0087 is three-phase four-wire at 50 Hz, bit 12 is 60 Hz, bit 8 three-wire.
    pub mode: u16,
    /// MMode1: gain of the current inputs, two bits each; 0x0015 is 2 for all, 0x002A is 4.
    pub input_gain: u16,
    /// PL_Constant: 450,000,000,000 over pulses per kWh; 140,625,000 gives 3,200 imp/kWh.
    pub pulse_constant: u32,
    /// PStartTh, QStartTh, SStartTh: start of metering, all phases, 0.00032 W.
    pub start: [u16; 3],
    /// PPhaseTh, QPhaseTh, SPhaseTh: start of one phase, 0.00032 W.
    pub phase_start: [u16; 3],
    /// FreqLoTh, FreqHiTh, 10 mHz.
    pub frequency: [u16; 2],
}

impl Default for Configuration {
    /// Three phases, four wires, 50 Hz, not calibrated, thresholds of the vendor's application note.
    fn default() -> Self {
        Self {
            phase: [PhaseConstants {
                voltage_gain: 0x8000,
                current_gain: 0x8000,
                voltage_offset: 0,
                current_offset: 0,
                active_offset: 0,
                reactive_offset: 0,
                power_gain: 0,
                angle: 0,
            }; 3],
            mode: 0x0087,
            input_gain: 0x0015,
            pulse_constant: 140_625_000,
            start: [0x1D4C; 3],
            phase_start: [0x02EE; 3],
            frequency: [4_700, 5_300],
        }
    }
}

impl Configuration {
    /// Registers and what they hold after the start.
    fn rows(&self) -> impl Iterator<Item = (u16, u16)> + use<> {
        let [low, high] = self.frequency;
        let [p, q, s] = self.start;
        let [p_phase, q_phase, s_phase] = self.phase_start;
        let general = [
            (reg::PL_CONST_H, (self.pulse_constant >> 16) as u16),
            (reg::PL_CONST_L, self.pulse_constant as u16),
            (reg::M_MODE0, self.mode),
            (reg::M_MODE1, self.input_gain),
            (reg::FREQ_LO_TH, low),
            (reg::FREQ_HI_TH, high),
            (reg::P_START_TH, p),
            (reg::Q_START_TH, q),
            (reg::S_START_TH, s),
            (reg::P_PHASE_TH, p_phase),
            (reg::Q_PHASE_TH, q_phase),
            (reg::S_PHASE_TH, s_phase),
        ];
        let phases = self.phase;
        let of_phases = (0..3_u16).zip(phases).flat_map(|(n, constants)| {
            let angle = constants.angle;
            let sign = if angle < 0 { 0x8000 } else { 0 };
            [
                (reg::U_GAIN_A + 4 * n, constants.voltage_gain),
                (reg::I_GAIN_A + 4 * n, constants.current_gain),
                (reg::U_OFFSET_A + 4 * n, constants.voltage_offset as u16),
                (reg::I_OFFSET_A + 4 * n, constants.current_offset as u16),
                (reg::P_OFFSET_A + 2 * n, constants.active_offset as u16),
                (reg::Q_OFFSET_A + 2 * n, constants.reactive_offset as u16),
                (reg::PQ_GAIN_A + 2 * n, constants.power_gain as u16),
                // Bit 15 chooses the voltage; ten bits of delay.
                (reg::PHI_A + 2 * n, sign | angle.unsigned_abs() & 0x03FF),
            ]
        });
        general.into_iter().chain(of_phases)
    }
}

/// A new gain register from the old one at which `measured` was read where `expected` is true; `None` out of range.
#[must_use]
pub fn gain(old: u16, expected: u64, measured: u64) -> Option<u16> {
    u16::try_from(scaled(old.into(), expected, measured, u16::MAX.into())?).ok()
}

/// PQGain from an error of the power in millionths (positive when too much is shown); `None` out of range.
#[must_use]
pub fn power_gain(error_ppm: i32) -> Option<i16> {
    let error = i64::from(error_ppm);
    let total = error.checked_add(1_000_000).filter(|total| *total > 0)?;
    // 1 / (1 + e) - 1 = -e / (1 + e)
    let numerator = error.checked_mul(-(1 << 15))?;
    let half = if numerator < 0 { -total / 2 } else { total / 2 };
    i16::try_from((numerator + half) / total).ok()
}

/// Phi from an angle error in millionths of a degree at this frequency; `None` beyond ten bits.
#[must_use]
pub fn angle(error_udeg: i32, frequency_mhz: u32) -> Option<i16> {
    let clocks = scaled(
        error_udeg.unsigned_abs().into(),
        2_048_000_000,
        360_000_000_u64.checked_mul(frequency_mhz.into())?,
        1_023,
    )?;
    let clocks = i16::try_from(clocks).ok()?;
    Some(if error_udeg < 0 { -clocks } else { clocks })
}

/// What the chip counted since the energies were read before, in tenths of a pulse (with MMode0 bit 9 hundredths).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Energies {
    /// Forward active: all phases, A, B, C.
    pub import: [u16; 4],
    /// Reverse active.
    pub export: [u16; 4],
    /// Forward reactive.
    pub reactive_import: [u16; 4],
    /// Reverse reactive.
    pub reactive_export: [u16; 4],
    /// Apparent.
    pub apparent: [u16; 4],
}

/// The driver.
#[derive(Debug)]
pub struct Atm90e32<SPI, D> {
    spi: SPI,
    delay: D,
    configuration: Configuration,
}

impl<SPI: SpiDevice, D: DelayNs> Atm90e32<SPI, D> {
    /// Takes the bus (mode 3, at most 1 MHz); nothing is sent yet.
    pub const fn new(spi: SPI, delay: D, configuration: Configuration) -> Self {
        Self {
            spi,
            delay,
            configuration,
        }
    }

    /// Gives the bus back.
    pub fn release(self) -> (SPI, D) {
        (self.spi, self.delay)
    }

    /// Resets the chip, writes and proves every register of the configuration, closes it and switches metering on. Its
    /// energies begin at 0.
    ///
    /// # Errors
    /// Every variant of [`Error`] but `Restarted`.
    pub fn start(&mut self) -> Result<(), Error<SPI::Error>> {
        self.write(reg::SOFT_RESET, reg::RESET_KEY)?;
        // At least 5 ms.
        self.delay.delay_ms(6);
        self.write(reg::CFG_REG_ACC_EN, reg::ACCESS_KEY)?;
        for (register, value) in self.configuration.rows() {
            self.write_proved(register, value)?;
        }
        self.write(reg::CFG_REG_ACC_EN, 0)?;
        // Last: it marks a chip that was started whole.
        self.write_proved(reg::METER_EN, 1)
    }

    /// Writes changed constants into the running chip, as calibration does, and keeps them for the next start.
    ///
    /// # Errors
    /// [`Error::Bus`], [`Error::Corrupt`], [`Error::NotWritten`], [`Error::Absent`].
    pub fn calibrate(
        &mut self,
        change: impl FnOnce(&mut Configuration),
    ) -> Result<(), Error<SPI::Error>> {
        let before = self.configuration;
        change(&mut self.configuration);
        self.write(reg::CFG_REG_ACC_EN, reg::ACCESS_KEY)?;
        for ((register, value), (_, old)) in self.configuration.rows().zip(before.rows()) {
            if value != old {
                self.write_proved(register, value)?;
            }
        }
        self.write(reg::CFG_REG_ACC_EN, 0)
    }

    /// Reads the quantities of all phases.
    ///
    /// # Errors
    /// Every variant of [`Error`] but `NotWritten`.
    pub fn read(&mut self) -> Result<Reading<3>, Error<SPI::Error>> {
        let mut phase = [PhaseReading::default(); 3];
        for (n, line) in (0..3).zip(&mut phase) {
            *line = PhaseReading {
                // 10 mV and 1 mA, each divided by 256 in the high byte of the second register.
                voltage_uv: fine(
                    self.value(reg::U_RMS_A + n)?,
                    self.value(reg::U_RMS_A_LSB + n)?,
                    10_000,
                ),
                current_ua: fine(
                    self.value(reg::I_RMS_A + n)?,
                    self.value(reg::I_RMS_A_LSB + n)?,
                    1_000,
                ),
                active_uw: self.power(reg::P_MEAN_A + n, reg::P_MEAN_A_LSB + n)?,
                fundamental_active_uw: self.power(reg::P_MEAN_AF + n, reg::P_MEAN_AF_LSB + n)?,
                reactive_uvar: self.power(reg::Q_MEAN_A + n, reg::Q_MEAN_A_LSB + n)?,
                apparent_uva: self
                    .power(reg::S_MEAN_A + n, reg::S_MEAN_A_LSB + n)?
                    .unsigned_abs(),
                angle_mdeg: tenths(self.value(reg::P_ANGLE_A + n)?),
                voltage_angle_mdeg: tenths(self.value(reg::U_ANGLE_A + n)?),
            };
        }
        let neutral = self.value(reg::I_RMS_N)?;
        let frequency = self.value(reg::FREQ)?;
        self.check()?;
        Ok(Reading {
            phase,
            neutral_ua: Some(u64::from(neutral) * 1_000),
            frequency_uhz: (frequency > 0).then(|| u32::from(frequency) * 10_000),
        })
    }

    /// Reads and clears the energies. First the chip is checked, so that nothing is cleared that cannot be told.
    ///
    /// # Errors
    /// Every variant of [`Error`] but `NotWritten`. What was read before the error is in `sums`; what the chip cleared
    /// in the failing read itself is lost when even LastSPIData cannot be read.
    pub fn take_energies(&mut self, sums: &mut Energies) -> Result<(), Error<SPI::Error>> {
        self.check()?;
        let kinds = [
            (reg::AP_ENERGY_T, &mut sums.import),
            (reg::AN_ENERGY_T, &mut sums.export),
            (reg::RP_ENERGY_T, &mut sums.reactive_import),
            (reg::RN_ENERGY_T, &mut sums.reactive_export),
            (reg::SA_ENERGY_T, &mut sums.apparent),
        ];
        for (first, places) in kinds {
            for (n, place) in (0..4).zip(places) {
                *place = place.saturating_add(self.value(first + n)?);
            }
        }
        Ok(())
    }

    /// Temperature of the chip, °C.
    ///
    /// # Errors
    /// [`Error::Bus`], [`Error::Corrupt`], [`Error::Absent`].
    pub fn temperature(&mut self) -> Result<i16, Error<SPI::Error>> {
        Ok(self.value(reg::TEMP)? as i16)
    }

    /// Whether the chip is there, was not restarted and has kept its configuration.
    fn check(&mut self) -> Result<(), Error<SPI::Error>> {
        match self.value(reg::METER_EN)? {
            1 => {}
            0 => return Err(Error::Restarted),
            0xFFFF => return Err(Error::Absent),
            found => {
                return Err(Error::Corrupt {
                    register: reg::METER_EN,
                    expected: 1,
                    found: found.into(),
                });
            }
        }
        // The chip watches its configuration registers itself.
        match self.value(reg::CRC_ERR_STATUS)? {
            0 => Ok(()),
            _ => Err(Error::Restarted),
        }
    }

    fn power(&mut self, high: u16, low: u16) -> Result<i64, Error<SPI::Error>> {
        let (high, low) = (self.value(high)?, self.value(low)?);
        let counts = (u32::from(high) << 16 | u32::from(low)) as i32;
        // 0.00032 W.
        Ok(i64::from(counts) * 320)
    }

    /// A register, proved by LastSPIData. That register is what counts: it holds what the chip sent, even when the chip
    /// cleared the register with the first reading.
    fn value(&mut self, register: u16) -> Result<u16, Error<SPI::Error>> {
        let mut before = self.transfer(register | 0x8000, 0)?;
        let mut found = before;
        for _ in 0..TRIES {
            found = self.transfer(reg::LAST_SPI_DATA | 0x8000, 0)?;
            if found == before {
                return Ok(found);
            }
            before = found;
        }
        Err(Error::Corrupt {
            register,
            expected: before.into(),
            found: found.into(),
        })
    }

    /// Writes, and proves that the chip heard it.
    fn write(&mut self, register: u16, value: u16) -> Result<(), Error<SPI::Error>> {
        let mut found = 0;
        for _ in 0..TRIES {
            self.transfer(register, value)?;
            // A reset leaves LastSPIData at its own value.
            if register == reg::SOFT_RESET {
                return Ok(());
            }
            found = self.transfer(reg::LAST_SPI_DATA | 0x8000, 0)?;
            if found == value {
                return Ok(());
            }
        }
        Err(match found {
            0xFFFF | 0 => Error::Absent,
            _ => Error::NotWritten {
                register,
                expected: value.into(),
                found: found.into(),
            },
        })
    }

    /// Writes, and proves that the register holds it.
    fn write_proved(&mut self, register: u16, value: u16) -> Result<(), Error<SPI::Error>> {
        let mut found = 0;
        for _ in 0..TRIES {
            self.write(register, value)?;
            found = self.value(register)?;
            if found == value {
                return Ok(());
            }
        }
        Err(Error::NotWritten {
            register,
            expected: value.into(),
            found: found.into(),
        })
    }

    fn transfer(&mut self, address: u16, data: u16) -> Result<u16, Error<SPI::Error>> {
        let [a, b] = address.to_be_bytes();
        let [c, d] = data.to_be_bytes();
        let mut frame = [a, b, c, d];
        self.spi.transfer_in_place(&mut frame).map_err(Error::Bus)?;
        let [_, _, high, low] = frame;
        Ok(u16::from_be_bytes([high, low]))
    }
}

/// A value in `unit` micro-units with eight further bits.
fn fine(value: u16, low: u16, unit: u64) -> u64 {
    let counts = u64::from(value) << 8 | u64::from(low >> 8);
    (counts * unit + 128) >> 8
}

fn tenths(value: u16) -> i32 {
    i32::from(value as i16) * 100
}
