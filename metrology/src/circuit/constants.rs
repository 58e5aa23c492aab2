//! Constants of further circuits: checked against the meter they belong to.

use crc::{CRC_32_ISCSI, Crc, NoTable};

use super::LOOK_BACK;
use crate::bytes::{Reader, Writer, checked_body};
use crate::calibration::{
    Calibration, CalibrationError, Derived, PhaseParameters, Rule, bad, constants,
};

/// Version byte of the stored form.
const VERSION: u8 = 1;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// A further current, and the voltage it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Phase whose voltage drives this current, from 0.
    pub voltage: u8,
    /// Constants of the current, so that [`adjust`](crate::adjust) makes them like those of a phase. What
    /// concerns the voltage is not used: it is that of the phase.
    pub constants: PhaseParameters,
}

impl Circuit {
    /// A current without errors on this phase's voltage.
    #[must_use]
    pub const fn on(voltage: u8) -> Self {
        Self {
            voltage,
            constants: PhaseParameters::IDEAL,
        }
    }
}

/// Checked constants of `N` circuits beside a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitCalibration<const N: usize> {
    circuits: [Circuit; N],
    pub(super) derived: [Derived; N],
    /// Whole samples by which all currents are held back, so that none has to come before its voltage.
    pub(super) hold: usize,
}

impl<const N: usize> CircuitCalibration<N> {
    /// Bytes of the stored form: version, count, circuits, CRC-32C. The count has one byte: more than 255 circuits do
    /// not compile, as what was written could never be read again.
    pub const ENCODED_LEN: usize = {
        assert!(N <= 255, "at most 255 circuits");
        2 + (1 + constants::LEN) * N + 4
    };

    /// Checks the constants and works out what follows from them. The calibration is that of the meter on
    /// whose voltages and in whose scales the circuits are measured.
    ///
    /// ```compile_fail
    /// # use metrology::{Calibration, Circuit, CircuitCalibration, Parameters};
    /// # let calibration = Calibration::<1>::try_new(Parameters::new(8_000_000, 50_000)).unwrap();
    /// // One more than the count of the stored form can tell.
    /// let _ = CircuitCalibration::try_new(&calibration, [Circuit::on(0); 256]);
    /// ```
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] with the circuit's number as its phase; [`Rule::TooLate`] for a lag of
    /// more than 11 samples, or a lead of more than 3.
    pub fn try_new<const PHASES: usize>(
        calibration: &Calibration<PHASES>,
        mut circuits: [Circuit; N],
    ) -> Result<Self, CalibrationError> {
        const { assert!(Self::ENCODED_LEN > 0) };
        let p = calibration.parameters();
        let mut derived = [Derived::NONE; N];
        let mut hold = 0;
        // The number last: it is not asked for beyond the last circuit, where 255 would have no successor.
        for ((circuit, derived), index) in circuits.iter_mut().zip(&mut derived).zip(0..) {
            let Some(voltage) = p.phase.get(usize::from(circuit.voltage)) else {
                let max = PHASES as i64 - 1;
                return Err(bad("voltage", Some(index), Rule::Range { min: 0, max }));
            };
            let own = &mut circuit.constants;
            own.voltage_gain = voltage.voltage_gain;
            own.voltage_offset = voltage.voltage_offset;
            own.voltage_drift = voltage.voltage_drift;
            *derived = Derived::try_new(p, own, index)?;
            if derived.current_hold > LOOK_BACK {
                return Err(bad("delay_ns", Some(index), Rule::TooLate));
            }
            hold = hold.max(derived.current_hold);
        }
        Ok(Self {
            circuits,
            derived,
            hold,
        })
    }

    /// The circuits, with the voltage's constants filled in.
    #[must_use]
    pub const fn circuits(&self) -> &[Circuit; N] {
        &self.circuits
    }

    /// Writes the stored form; returns its length.
    ///
    /// # Errors
    /// [`CalibrationError::Length`] when `out` is shorter than [`Self::ENCODED_LEN`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, CalibrationError> {
        let found = out.len();
        let mut w = Writer::new(out);
        w.put(&[VERSION, N as u8]);
        for circuit in &self.circuits {
            w.put(&[circuit.voltage]);
            constants::put_first(&mut w, &circuit.constants);
            constants::put_extension(&mut w, &circuit.constants);
        }
        w.finish(&CRC).ok_or(CalibrationError::Length {
            expected: Self::ENCODED_LEN,
            found,
        })
    }

    /// Reads the stored form and checks it like [`Self::try_new`].
    ///
    /// # Errors
    /// Every variant of [`CalibrationError`].
    pub fn decode<const PHASES: usize>(
        calibration: &Calibration<PHASES>,
        bytes: &[u8],
    ) -> Result<Self, CalibrationError> {
        let length = CalibrationError::Length {
            expected: Self::ENCODED_LEN,
            found: bytes.len(),
        };
        if bytes.len() != Self::ENCODED_LEN {
            return Err(length);
        }
        let body = checked_body(bytes, &CRC)
            .map_err(|(expected, found)| CalibrationError::Crc { expected, found })?;
        let mut r = Reader::new(body);
        let found = r.byte().ok_or(length)?;
        if found != VERSION {
            return Err(CalibrationError::Version { found });
        }
        let found = r.byte().ok_or(length)?;
        if usize::from(found) != N {
            return Err(CalibrationError::Code { position: 1, found });
        }
        let mut circuits = [Circuit::on(0); N];
        for circuit in &mut circuits {
            circuit.voltage = r.byte().ok_or(length)?;
            constants::read_first(&mut r, &mut circuit.constants).ok_or(length)?;
            constants::read_extension(&mut r, &mut circuit.constants).ok_or(length)??;
        }
        Self::try_new(calibration, circuits)
    }
}
