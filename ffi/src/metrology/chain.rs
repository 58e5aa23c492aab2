//! What the chains of one and of three phases share.

use ::metrology::{
    Calibration, CalibrationError, Meter, PhaseQuantities, Progress, Sample, StateError,
};

use crate::border::Checked;
use crate::result::mtr_result;

/// Constants and state of a meter.
#[derive(Debug)]
pub struct Chain<const PHASES: usize> {
    pub(super) calibration: Calibration<PHASES>,
    pub(super) meter: Meter<PHASES>,
}

/// Quantities of one phase.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_phase_quantities {
    /// Voltage, rms, microvolts.
    pub voltage_uv: u64,
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts, positive is import.
    pub active_uw: i64,
    /// Reactive power of the fundamental, microvars, positive when the current lags.
    pub reactive_uvar: i64,
    /// Apparent power, microvoltamperes.
    pub apparent_uva: u64,
    /// Active power of the fundamental, microwatts.
    pub fundamental_uw: i64,
    /// Mean voltage, microvolts.
    pub voltage_mean_uv: i64,
    /// Mean current, microamperes.
    pub current_mean_ua: i64,
    /// Power factor, millionths, with the sign of the active power.
    pub power_factor_ppm: i32,
    /// Angle by which the current lags the voltage, millidegrees.
    pub angle_mdeg: i32,
    /// Angle by which this voltage leads that of the first phase, millidegrees.
    pub voltage_angle_mdeg: i32,
}

// SAFETY: integers only.
unsafe impl crate::border::Plain for mtr_phase_quantities {}

/// Quantities of the last window of whole cycles.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_quantities {
    /// By phase; a single-phase meter fills in the first only, the others are 0.
    pub phase: [mtr_phase_quantities; 3],
    /// Sum of the active powers, microwatts.
    pub active_uw: i64,
    /// Sum of the reactive powers, microvars.
    pub reactive_uvar: i64,
    /// Sum of the apparent powers, microvoltamperes.
    pub apparent_uva: u64,
    /// Neutral current, rms, microamperes; 0 without such a channel.
    pub neutral_ua: u64,
    /// Number of the window since the chain started.
    pub number: u64,
    /// Frequency, microhertz; 0 when no fundamental was found.
    pub frequency_uhz: u32,
    /// Power factor of the total, millionths, with the sign of the active power.
    pub power_factor_ppm: i32,
    /// Length of the window, milliseconds, rounded to nearest.
    pub duration_ms: u32,
    /// Whole cycles covered.
    pub cycles: u16,
    /// Bit k: the voltage of phase k reached the converter's limit.
    pub voltage_saturated: u8,
    /// Bit k: the current of phase k reached the converter's limit; bit 7 the neutral current.
    pub current_saturated: u8,
}

// SAFETY: integers only.
unsafe impl crate::border::Plain for mtr_quantities {}

/// Energy registers, in steps of energy_step_mwh.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_registers {
    /// Active energy taken from the grid.
    pub imported: u64,
    /// Active energy given to the grid.
    pub exported: u64,
    /// Taken from the grid, by phase; unused ones are 0.
    pub phase_imported: [u64; 3],
    /// Given to the grid, by phase.
    pub phase_exported: [u64; 3],
    /// Reactive energy of the fundamental by quadrant, R1 to R4.
    pub reactive: [u64; 4],
    /// Apparent energy while active energy flows in.
    pub apparent_imported: u64,
    /// Apparent energy while active energy flows out.
    pub apparent_exported: u64,
    /// Pulses of active energy given.
    pub pulses: u64,
    /// Pulses of reactive energy given.
    pub reactive_pulses: u64,
}

/// What a block of samples brought.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_progress {
    /// Parts of an active pulse, 2^-32 pulse, for mtr_pulse_advance.
    pub active_share: u64,
    /// Parts of a reactive pulse.
    pub reactive_share: u64,
    /// Samples over which these parts came, with 16 fractional bits.
    pub length_q16: u64,
    /// Windows that closed; the quantities are those of the last.
    pub windows: u32,
    /// Pulses of active energy that fell due.
    pub pulses: u32,
    /// 1: a sample reached the saturation level.
    pub saturated: u32,
}

impl From<Progress> for mtr_progress {
    fn from(own: Progress) -> Self {
        mtr_progress {
            active_share: own.share.active,
            reactive_share: own.share.reactive,
            length_q16: own.share.length_q16,
            windows: own.windows,
            pulses: own.pulses,
            saturated: own.saturated.into(),
        }
    }
}

/// The first phases of three, the others zero.
fn padded<T: Copy + Default, const PHASES: usize>(own: [T; PHASES]) -> [T; 3] {
    let mut all = [T::default(); 3];
    for (place, value) in all.iter_mut().zip(own) {
        *place = value;
    }
    all
}

fn phase(own: PhaseQuantities) -> mtr_phase_quantities {
    mtr_phase_quantities {
        voltage_uv: own.voltage_uv,
        current_ua: own.current_ua,
        active_uw: own.active_uw,
        reactive_uvar: own.reactive_uvar,
        apparent_uva: own.apparent_uva,
        fundamental_uw: own.fundamental_active_uw,
        voltage_mean_uv: own.voltage_mean_uv,
        current_mean_ua: own.current_mean_ua,
        power_factor_ppm: own.power_factor_ppm,
        angle_mdeg: own.angle_mdeg,
        voltage_angle_mdeg: own.voltage_angle_mdeg,
    }
}

pub(super) fn state(error: StateError) -> mtr_result {
    match error {
        StateError::Length { .. } => mtr_result::MTR_ERR_LENGTH,
        _ => mtr_result::MTR_ERR_STATE,
    }
}

impl<const PHASES: usize> Chain<PHASES> {
    pub(super) fn new(calibration: Calibration<PHASES>) -> Self {
        let meter = Meter::new(&calibration);
        Chain { calibration, meter }
    }

    /// A chain whose constants were stored by `store`.
    pub(super) fn stored(bytes: &[u8]) -> Checked<Self> {
        let calibration = Calibration::decode(bytes).map_err(|error| match error {
            CalibrationError::Length { .. } => mtr_result::MTR_ERR_LENGTH,
            CalibrationError::Parameter { .. } => mtr_result::MTR_ERR_PARAMETER,
            _ => mtr_result::MTR_ERR_STATE,
        })?;
        Ok(Self::new(calibration))
    }

    pub(super) fn store(&self, out: &mut [u8]) -> Checked<usize> {
        self.calibration
            .encode(out)
            .map_err(|_| mtr_result::MTR_ERR_LENGTH)
    }

    pub(super) fn process(&mut self, block: &[Sample<PHASES>]) -> mtr_progress {
        self.meter.process(&self.calibration, block).into()
    }

    pub(super) fn quantities(&self) -> Checked<mtr_quantities> {
        let own = self.meter.quantities();
        if own.length_q16 == 0 {
            return Err(mtr_result::MTR_MORE);
        }
        Ok(mtr_quantities {
            phase: padded(own.phase).map(phase),
            active_uw: own.total.active_uw,
            reactive_uvar: own.total.reactive_uvar,
            apparent_uva: own.total.apparent_uva,
            neutral_ua: own.neutral_ua.unwrap_or(0),
            number: own.number,
            frequency_uhz: own.frequency_uhz.unwrap_or(0),
            power_factor_ppm: own.total.power_factor_ppm,
            duration_ms: own.duration_ms(&self.calibration),
            cycles: own.cycles,
            voltage_saturated: own.flags.voltage_saturated,
            current_saturated: own.flags.current_saturated,
        })
    }

    pub(super) fn registers(&self) -> mtr_registers {
        let own = self.meter.registers(&self.calibration);
        mtr_registers {
            imported: own.active.import,
            exported: own.active.export,
            phase_imported: padded(own.phase.map(|counts| counts.import)),
            phase_exported: padded(own.phase.map(|counts| counts.export)),
            reactive: own.reactive,
            apparent_imported: own.apparent.import,
            apparent_exported: own.apparent.export,
            pulses: own.pulses,
            reactive_pulses: own.reactive_pulses,
        }
    }

    pub(super) fn save(&self, out: &mut [u8]) -> Checked<usize> {
        self.meter.save(&self.calibration, out).map_err(state)
    }

    pub(super) fn restore(&mut self, bytes: &[u8]) -> Checked<()> {
        self.meter.restore(&self.calibration, bytes).map_err(state)
    }
}
