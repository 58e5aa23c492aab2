//! The stored form: version, phases, constants, CRC-32C; little-endian.
//!
//! Version 2 is version 1 with an extension before the check sum. Both are read, version 2 is written.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use super::{
    Calibration, CalibrationError, DcPower, Gain, NeutralParameters, Parameters, Policy, Stamp,
    Sync, Window, constants,
};
use crate::bytes::{Reader, Writer, checked_body};

/// Version byte of the stored form.
const VERSION: u8 = 2;
/// The version before temperature, curves, reactive pulses and stamp.
const FIRST: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Where and what a meaningless code is.
type BadCode = (usize, u8);

impl<const PHASES: usize> Calibration<PHASES> {
    /// Bytes of version 1.
    const FIRST_LEN: usize = 62 + constants::FIRST_LEN * PHASES;
    /// Bytes of the stored form.
    pub const ENCODED_LEN: usize = Self::FIRST_LEN + 18 + constants::EXTENSION_LEN * PHASES;

    /// Writes the stored form; returns its length.
    ///
    /// # Errors
    /// [`CalibrationError::Length`] when `out` is shorter than [`Self::ENCODED_LEN`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, CalibrationError> {
        let found = out.len();
        let p = &self.parameters;
        let mut w = Writer::new(out);
        w.put(&[VERSION, PHASES as u8]);
        for word in [
            p.sample_rate_mhz,
            p.nominal_mhz,
            p.voltage_nv,
            p.current_na,
            p.sync_level,
            p.energy_step_mwh,
        ] {
            w.put(&word.to_le_bytes());
        }
        w.put(&p.pulses_per_kwh.to_le_bytes());
        w.put(&p.start_uw.to_le_bytes());
        w.put(&p.saturation.to_le_bytes());
        let (sync, argument) = match p.sync {
            Sync::Auto => (0, 0),
            Sync::Voltage(phase) => (1, phase.into()),
            Sync::Current(phase) => (2, phase.into()),
            Sync::Fixed(frequency_uhz) => (3, frequency_uhz),
        };
        w.put(&[0, sync]);
        w.put(&argument.to_le_bytes());
        let (window, cycles) = match p.window {
            Window::Standard => (0, 0),
            Window::Cycles(cycles) => (1, cycles),
            Window::Longest => (2, 0),
        };
        w.put(&[window]);
        w.put(&cycles.to_le_bytes());
        w.put(&[
            match p.policy {
                Policy::Net => 0,
                Policy::PerPhase => 1,
                Policy::ImportOnly => 2,
            },
            u8::from(p.dc_power == DcPower::Kept),
        ]);
        for phase in &p.phase {
            constants::put_first(&mut w, phase);
        }
        let neutral = p.neutral.unwrap_or(NeutralParameters {
            gain: Gain::ZERO,
            offset: 0,
        });
        w.put(&[u8::from(p.neutral.is_some())]);
        w.put(&neutral.gain.to_le_bytes());
        w.put(&neutral.offset.to_le_bytes());
        self.encode_extension(&mut w);
        w.finish(&CRC).ok_or(CalibrationError::Length {
            expected: Self::ENCODED_LEN,
            found,
        })
    }

    fn encode_extension(&self, w: &mut Writer<'_>) {
        let p = &self.parameters;
        w.put(&p.pulses_per_kvarh.to_le_bytes());
        w.put(&p.start_average_ms.to_le_bytes());
        w.put(&p.reference_mdeg.to_le_bytes());
        w.put(&p.stamp.revision.to_le_bytes());
        w.put(&p.stamp.date.to_le_bytes());
        for phase in &p.phase {
            constants::put_extension(w, phase);
        }
    }

    /// Reads the stored form and checks it like [`Self::try_new`]. Version 1 is read too: what it does not
    /// hold is as in [`Parameters::new`], and reactive pulses have the constant of active ones.
    ///
    /// # Errors
    /// Every variant of [`CalibrationError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CalibrationError> {
        let length = CalibrationError::Length {
            expected: Self::ENCODED_LEN,
            found: bytes.len(),
        };
        let body = checked_body(bytes, &CRC)
            .map_err(|(expected, found)| CalibrationError::Crc { expected, found })?;
        let mut r = Reader::new(body);
        let version = r.byte().ok_or(length)?;
        let expected = match version {
            FIRST => Self::FIRST_LEN,
            VERSION => Self::ENCODED_LEN,
            found => return Err(CalibrationError::Version { found }),
        };
        if bytes.len() != expected {
            return Err(length);
        }
        let phases = r.byte().ok_or(length)?;
        if usize::from(phases) != PHASES {
            return Err(CalibrationError::Code {
                position: 1,
                found: phases,
            });
        }
        let code = |(position, found)| CalibrationError::Code { position, found };
        let mut parameters = read_first(&mut r).ok_or(length)?.map_err(code)?;
        if version == VERSION {
            read_extension(&mut r, &mut parameters).ok_or(length)??;
        }
        Self::try_new(parameters)
    }
}

/// What version 1 holds.
fn read_first<const PHASES: usize>(
    r: &mut Reader<'_>,
) -> Option<Result<Parameters<PHASES>, BadCode>> {
    let mut p = Parameters::new(r.u32()?, r.u32()?);
    p.voltage_nv = r.u32()?;
    p.current_na = r.u32()?;
    p.sync_level = r.u32()?;
    p.energy_step_mwh = r.u32()?;
    p.pulses_per_kwh = r.u32()?;
    p.pulses_per_kvarh = p.pulses_per_kwh;
    p.start_uw = r.u32()?;
    p.saturation = r.i32()?;
    let at = r.position();
    let [reserved, sync] = r.bytes()?;
    let argument = r.u32()?;
    let phase = argument as u8;
    p.sync = match (reserved, sync) {
        (0, 0) => Sync::Auto,
        (0, 1) => Sync::Voltage(phase),
        (0, 2) => Sync::Current(phase),
        (0, 3) => Sync::Fixed(argument),
        (0, other) => return Some(Err((at + 1, other))),
        (other, _) => return Some(Err((at, other))),
    };
    let at = r.position();
    let window = r.byte()?;
    let cycles = u16::from_le_bytes(r.bytes()?);
    p.window = match window {
        0 => Window::Standard,
        1 => Window::Cycles(cycles),
        2 => Window::Longest,
        other => return Some(Err((at, other))),
    };
    let at = r.position();
    p.policy = match r.byte()? {
        0 => Policy::Net,
        1 => Policy::PerPhase,
        2 => Policy::ImportOnly,
        other => return Some(Err((at, other))),
    };
    p.dc_power = match r.byte()? {
        0 => DcPower::Removed,
        1 => DcPower::Kept,
        other => return Some(Err((at + 1, other))),
    };
    for phase in &mut p.phase {
        constants::read_first(r, phase)?;
    }
    let at = r.position();
    let present = r.byte()?;
    let neutral = NeutralParameters {
        gain: Gain::from_bits(r.u32()?),
        offset: r.i32()?,
    };
    p.neutral = match present {
        0 => None,
        1 => Some(neutral),
        other => return Some(Err((at, other))),
    };
    Some(Ok(p))
}

/// What version 2 adds.
fn read_extension<const PHASES: usize>(
    r: &mut Reader<'_>,
    p: &mut Parameters<PHASES>,
) -> Option<Result<(), CalibrationError>> {
    p.pulses_per_kvarh = r.u32()?;
    p.start_average_ms = u16::from_le_bytes(r.bytes()?);
    p.reference_mdeg = r.i32()?;
    p.stamp = Stamp {
        revision: r.u32()?,
        date: r.u32()?,
    };
    for phase in &mut p.phase {
        if let Err(error) = constants::read_extension(r, phase)? {
            return Some(Err(error));
        }
    }
    Some(Ok(()))
}
