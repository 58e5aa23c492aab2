//! STPM32, STPM33, STPM34: two or four 24-bit converters with a fixed signal processor, over SPI.
//!
//! Each frame carries the answer of the one before it. A read therefore is one row of frames: latch, all registers, the
//! restart mark, the error register. Only when every CRC is right, the chip saw no wrong frame and the mark is in its
//! place, the values are believed; otherwise the whole row is repeated. The mark is a value in US_REG2, which only the
//! UART uses: a chip that restarted has lost it.
//!
//! ```no_run
//! # fn demo<S: embedded_hal::spi::SpiDevice, D: embedded_hal::delay::DelayNs>(spi: S, delay: D)
//! # -> Result<(), metrology::front_end::Error<S::Error>> {
//! use metrology::front_end::stpm3x::{Configuration, EnergyTotal, Model, Stpm3x};
//!
//! let mut chip = Stpm3x::new(spi, delay, Configuration::new(Model::Stpm34));
//! chip.start()?;
//! let mut import = EnergyTotal::default();
//! let snapshot = chip.read()?;
//! let counts = import.update(snapshot.energy[0].active);
//! let wh_millionths = chip.scale(0).energy_uwh(counts);
//! # let _ = wh_millionths; Ok(()) }
//! ```

mod frame;
pub mod registers;
mod scale;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::SpiDevice;

use super::{Error, PhaseReading, Reading, TRIES};
use crate::sample::Sample;
use crate::source::{Source, SourceError};
use frame::LEN;
use registers as reg;

pub use frame::{answer, request};
pub use scale::{Design, EnergyTotal, Gain, Scale, delay, trimmed};

/// Which chip it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// One voltage, one current.
    Stpm32,
    /// One voltage, two currents: the second is that of the neutral.
    Stpm33,
    /// Two voltages, two currents.
    Stpm34,
}

/// Constants of a chip; index 0 is channel 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Which chip it is.
    pub model: Model,
    /// What stands before each channel.
    pub design: [Design; 2],
    /// Gain trim of the voltages (CHV), 0 to 4095; 2048 is the middle. See [`trimmed`].
    pub voltage_trim: [u16; 2],
    /// Gain trim of the currents (CHC).
    pub current_trim: [u16; 2],
    /// Delay of the voltages (PHV), 0 to 3, in 512 periods of 0.25 µs.
    pub voltage_delay: [u8; 2],
    /// Delay of the currents (PHC), 0 to 1023, in periods of 0.25 µs. See [`delay`].
    pub current_delay: [u16; 2],
    /// The grid has 60 Hz.
    pub is_60_hz: bool,
}

impl Configuration {
    /// The evaluation board, not trimmed, 50 Hz.
    #[must_use]
    pub const fn new(model: Model) -> Self {
        Self {
            model,
            design: [Design::EVALUATION; 2],
            voltage_trim: [2048; 2],
            current_trim: [2048; 2],
            voltage_delay: [0; 2],
            current_delay: [0; 2],
            is_60_hz: false,
        }
    }

    const fn control_3(&self) -> u32 {
        reg::DSP_CR3_RESET | if self.is_60_hz { reg::REF_FREQ_60 } else { 0 }
    }

    /// Registers and what they hold after the start, the mark last.
    fn rows(&self) -> [(u8, u32); 11] {
        let [first, second] = self.design;
        let integrator = |design: Design| if design.rogowski { reg::ROC } else { 0 };
        let gain =
            |reset: u32, design: Design| reset & !(3 << reg::GAIN_SHIFT) | design.gain.bits();
        let trim = |value: u16| reg::DSP_CR5_RESET & !0xFFF | u32::from(value & 0xFFF);
        let phase =
            |voltage: u8, current: u16| u32::from(voltage & 3) << 10 | u32::from(current & 0x3FF);
        let [v1, v2] = self.voltage_trim;
        let [c1, c2] = self.current_trim;
        let ([pv1, pv2], [pc1, pc2]) = (self.voltage_delay, self.current_delay);
        [
            (reg::DSP_CR1, reg::DSP_CR1_RESET | integrator(first)),
            (reg::DSP_CR2, reg::DSP_CR2_RESET | integrator(second)),
            (reg::DSP_CR3, self.control_3()),
            (reg::DSP_CR4, phase(pv1, pc1) << 12 | phase(pv2, pc2)),
            (reg::DSP_CR5, trim(v1)),
            (reg::DSP_CR6, trim(c1)),
            (reg::DSP_CR7, trim(v2)),
            (reg::DSP_CR8, trim(c2)),
            (reg::DFE_CR1, gain(reg::DFE_CR1_RESET, first)),
            (reg::DFE_CR2, gain(reg::DFE_CR2_RESET, second)),
            (reg::US_REG2, MARK),
        ]
    }
}

/// US_REG2 after the start: the reset value with another frame delay, which the SPI does not use.
const MARK: u32 = reg::US_REG2_RESET | 0x0001_0000;
/// Time between two frames (t_SCS).
const GAP_US: u32 = 4;
/// From reset to the first frame.
const STARTUP_MS: u32 = 50;

/// Energy registers of one channel, counts; they wrap. See [`EnergyTotal`] and [`Scale::energy_uwh`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnergyCounts {
    /// Active, wide band.
    pub active: u32,
    /// Active, fundamental.
    pub fundamental: u32,
    /// Reactive.
    pub reactive: u32,
    /// Apparent.
    pub apparent: u32,
}

/// Everything of one latch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Quantities; channels that the model does not have are 0.
    pub reading: Reading<2>,
    /// Energy registers.
    pub energy: [EnergyCounts; 2],
}

/// The driver.
#[derive(Debug)]
pub struct Stpm3x<SPI, D> {
    spi: SPI,
    delay: D,
    configuration: Configuration,
    scale: [Scale; 2],
    /// The mark must be there; not while the configuration is being written.
    marked: bool,
}

impl<SPI: SpiDevice, D: DelayNs> Stpm3x<SPI, D> {
    /// Takes the bus (mode 3, at most 20 MHz); nothing is sent yet. A chip that went on while this processor restarted can
    /// be read at once; any other answers [`Error::Restarted`] until [`Stpm3x::start`].
    pub const fn new(spi: SPI, delay: D, configuration: Configuration) -> Self {
        let [first, second] = configuration.design;
        Self {
            spi,
            delay,
            configuration,
            scale: [first.scale(), second.scale()],
            marked: true,
        }
    }

    /// Gives the bus back.
    pub fn release(self) -> (SPI, D) {
        (self.spi, self.delay)
    }

    /// What a count of channel 0 or 1 is worth; any other number is taken as 1.
    #[must_use]
    pub const fn scale(&self, channel: usize) -> Scale {
        if channel == 0 {
            self.scale[0]
        } else {
            self.scale[1]
        }
    }

    /// Resets the chip and writes and proves every register of the configuration. Its energy registers begin at 0.
    ///
    /// # Errors
    /// Every variant of [`Error`] but `Restarted`.
    pub fn start(&mut self) -> Result<(), Error<SPI::Error>> {
        self.marked = false;
        let reset = (reg::DSP_CR3_RESET | reg::SW_RESET) >> 16;
        let expected = [reg::DSP_CR1_RESET, reg::US_REG2_RESET];
        let mut found = [0; 2];
        // A reset that was damaged on its way leaves the mark of the last start.
        for _ in 0..TRIES {
            self.exchange(reg::NONE, reg::DSP_CR3 + 1, reset as u16)?;
            self.delay.delay_ms(STARTUP_MS);
            found = self.registers([reg::DSP_CR1, reg::US_REG2], false)?;
            if found == expected {
                break;
            }
        }
        let rows = [reg::DSP_CR1, reg::US_REG2].into_iter().zip(expected);
        for ((register, expected), found) in rows.zip(found) {
            if found != expected {
                return Err(Error::NotWritten {
                    register: register.into(),
                    expected,
                    found,
                });
            }
        }
        for (register, value) in self.configuration.rows() {
            self.write(register, value)?;
        }
        self.marked = true;
        Ok(())
    }

    /// Writes another trim and delay into the running chip, as calibration does, and keeps them for the next start.
    ///
    /// # Errors
    /// [`Error::Bus`], [`Error::Corrupt`], [`Error::NotWritten`], [`Error::Restarted`].
    pub fn calibrate(
        &mut self,
        change: impl FnOnce(&mut Configuration),
    ) -> Result<(), Error<SPI::Error>> {
        let before = self.configuration.rows();
        change(&mut self.configuration);
        let [first, second] = self.configuration.design;
        self.scale = [first.scale(), second.scale()];
        for ((register, value), (_, old)) in self.configuration.rows().into_iter().zip(before) {
            if value != old {
                self.write(register, value)?;
            }
        }
        Ok(())
    }

    /// Latches and reads quantities and energy registers of both channels.
    ///
    /// # Errors
    /// Every variant of [`Error`] but `NotWritten`.
    pub fn read(&mut self) -> Result<Snapshot, Error<SPI::Error>> {
        let general = [
            reg::DSP_REG1,
            reg::DSP_REG14,
            reg::DSP_REG15,
            reg::DSP_REG17,
            reg::DSP_REG19,
        ];
        let mut row = [reg::NONE; 21];
        let places = (0..16_u8).map(|n| {
            if n < 8 {
                reg::PH1 + 2 * n
            } else {
                reg::PH2 + 2 * (n - 8)
            }
        });
        for (place, register) in row.iter_mut().zip(general.into_iter().chain(places)) {
            *place = register;
        }
        let values = self.registers(row, true)?;
        let [period, rms1, rms2, delay1, delay2, channels @ ..] = values;
        let (one, two) = channels.split_at(8);
        let (phase1, energy1) = self.channel(0, period & 0xFFF, rms1, delay1, one);
        let (mut phase2, energy2) = self.channel(1, period >> 16 & 0xFFF, rms2, delay2, two);
        let neutral_ua = (self.configuration.model == Model::Stpm33).then_some(phase2.current_ua);
        if self.configuration.model != Model::Stpm34 {
            phase2 = PhaseReading::default();
        }
        let period = u64::from(period & 0xFFF);
        Ok(Snapshot {
            reading: Reading {
                phase: [phase1, phase2],
                neutral_ua,
                // Counts of 8 µs.
                frequency_uhz: 125_000_000_000_u64
                    .checked_div(period)
                    .and_then(|uhz| u32::try_from(uhz).ok()),
            },
            energy: [energy1, energy2],
        })
    }

    fn channel(
        &self,
        channel: usize,
        period: u32,
        rms: u32,
        delay: u32,
        values: &[u32],
    ) -> (PhaseReading, EnergyCounts) {
        let scale = self.scale(channel);
        let value = |offset: u8| values.get(usize::from(offset / 2)).copied().unwrap_or(0);
        // 29 bits with sign.
        let power = |offset: u8| scale.power_uw(((value(offset) << 3) as i32) >> 3);
        let lag = (delay >> 16 & 0xFFF) as i32;
        let period = i32::try_from(period).unwrap_or(0).max(1);
        let turn = lag.saturating_mul(360_000) / period % 360_000;
        let phase = PhaseReading {
            voltage_uv: scale.voltage_uv(rms & 0x7FFF),
            current_ua: scale.current_ua(rms >> 15),
            active_uw: power(reg::PH_ACTIVE_POWER),
            fundamental_active_uw: power(reg::PH_FUNDAMENTAL_POWER),
            reactive_uvar: power(reg::PH_REACTIVE_POWER),
            apparent_uva: power(reg::PH_APPARENT_POWER).unsigned_abs(),
            angle_mdeg: if turn > 180_000 { turn - 360_000 } else { turn },
            voltage_angle_mdeg: 0,
        };
        let energy = EnergyCounts {
            active: value(reg::PH_ACTIVE_ENERGY),
            fundamental: value(reg::PH_FUNDAMENTAL_ENERGY),
            reactive: value(reg::PH_REACTIVE_ENERGY),
            apparent: value(reg::PH_APPARENT_ENERGY),
        };
        (phase, energy)
    }

    /// Latches and reads one simultaneous set of momentary values, 24 bits.
    ///
    /// # Errors
    /// Every variant of [`Error`] but `NotWritten`.
    pub fn sample(&mut self) -> Result<Sample<2>, Error<SPI::Error>> {
        let row = [reg::V1_DATA, reg::C1_DATA, reg::V2_DATA, reg::C2_DATA];
        let [u1, i1, u2, i2] = self.registers(row, true)?.map(momentary);
        Ok(Sample {
            u: [u1, u2],
            i: [i1, i2],
            n: if self.configuration.model == Model::Stpm33 {
                i2
            } else {
                0
            },
        })
    }

    /// Writes a register by halves and proves it by reading.
    fn write(&mut self, register: u8, value: u32) -> Result<(), Error<SPI::Error>> {
        let mut found = 0;
        for _ in 0..TRIES {
            self.exchange(reg::NONE, register, value as u16)?;
            self.exchange(reg::NONE, register.saturating_add(1), (value >> 16) as u16)?;
            // The mark changes with the last row: its own reading proves it.
            let marked = core::mem::replace(&mut self.marked, false);
            let read = self.registers([register], false);
            self.marked = marked;
            [found] = read?;
            if found == value {
                return Ok(());
            }
        }
        Err(Error::NotWritten {
            register: register.into(),
            expected: value,
            found,
        })
    }

    /// Reads a row of registers, after a latch if wanted, until it is proved.
    fn registers<const N: usize>(
        &mut self,
        row: [u8; N],
        latch: bool,
    ) -> Result<[u32; N], Error<SPI::Error>> {
        let mut error = Error::Absent;
        for _ in 0..TRIES {
            match self.attempt(&row, latch) {
                Ok(values) => return Ok(values),
                Err(fatal @ (Error::Bus(_) | Error::Restarted)) => return Err(fatal),
                Err(passing) => error = passing,
            }
            // The error bits of the chip stand until they are cleared; a frame that was left half is answered too.
            self.exchange(reg::NONE, reg::US_REG3 + 1, 0)?;
        }
        Err(error)
    }

    fn attempt<const N: usize>(
        &mut self,
        row: &[u8; N],
        latch: bool,
    ) -> Result<[u32; N], Error<SPI::Error>> {
        if latch {
            let control = self.configuration.control_3() | reg::SW_LATCH1 | reg::SW_LATCH2;
            self.exchange(reg::NONE, reg::DSP_CR3 + 1, (control >> 16) as u16)?;
        }
        // The row, then the mark, then the error register; the last frame only fetches.
        let request_at = |k: usize| match row.get(k) {
            Some(register) => *register,
            None if k == N => reg::US_REG2,
            None if k == N + 1 => reg::US_REG3,
            None => reg::NONE,
        };
        let mut values = [0; N];
        let (mut mark, mut status) = (0, 0);
        let (mut alike, mut damaged) = (0, None);
        let _ = self.exchange(request_at(0), reg::NONE, 0xFFFF)?;
        for k in 0..N + 2 {
            let bytes = self.exchange(request_at(k + 1), reg::NONE, 0xFFFF)?;
            alike += usize::from(bytes == [0; LEN] || bytes == [0xFF; LEN]);
            let place = match values.get_mut(k) {
                Some(place) => place,
                None if k == N => &mut mark,
                None => &mut status,
            };
            match answer(bytes) {
                Ok(value) => *place = value,
                Err((expected, found)) => {
                    damaged = damaged.or(Some((request_at(k), expected, found)));
                }
            }
        }
        if alike == N + 2 {
            return Err(Error::Absent);
        }
        if let Some((register, expected, found)) = damaged {
            return Err(corrupt(register, expected.into(), found.into()));
        }
        if status & reg::SPI_ERRORS != 0 {
            return Err(corrupt(reg::US_REG3, 0, status));
        }
        match mark {
            _ if !self.marked => Ok(values),
            MARK => Ok(values),
            reg::US_REG2_RESET => Err(Error::Restarted),
            found => Err(corrupt(reg::US_REG2, MARK, found)),
        }
    }

    fn exchange(&mut self, read: u8, write: u8, data: u16) -> Result<[u8; LEN], Error<SPI::Error>> {
        let mut bytes = request(read, write, data);
        self.spi.transfer_in_place(&mut bytes).map_err(Error::Bus)?;
        self.delay.delay_us(GAP_US);
        Ok(bytes)
    }
}

fn corrupt<E>(register: u8, expected: u32, found: u32) -> Error<E> {
    Error::Corrupt {
        register: register.into(),
        expected,
        found,
    }
}

fn momentary(value: u32) -> i32 {
    ((value << 8) as i32) >> 8
}

/// One set for each call: call it once for each pulse of the chip's 7.8125 kHz output, which paces the stream. The driver
/// cannot know of pulses that were missed.
impl<SPI: SpiDevice, D: DelayNs> Source<2> for Stpm3x<SPI, D> {
    type Error = Error<SPI::Error>;

    fn fill(&mut self, block: &mut [Sample<2>]) -> Result<usize, SourceError<Self::Error>> {
        let Some(place) = block.first_mut() else {
            return Ok(0);
        };
        *place = self.sample().map_err(SourceError::Device)?;
        Ok(1)
    }
}
