//! The constants of a meter.

use ::metrology::{
    Calibration, DcPower, Gain, NeutralParameters, Parameters, PhaseParameters, Policy, Stamp,
    Window,
};

use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Phases are summed first, the sum decides the direction.
pub const MTR_POLICY_NET: u32 = 0;
/// Each phase decides its own direction.
pub const MTR_POLICY_PER_PHASE: u32 = 1;
/// As MTR_POLICY_PER_PHASE, and what a phase exports counts nowhere in the total.
pub const MTR_POLICY_IMPORT_ONLY: u32 = 2;
/// Windows of about 200 ms: 10 cycles of a 50 Hz and 12 of a 60 Hz grid (IEC 61000-4-30).
pub const MTR_WINDOW_STANDARD: u32 = 0;
/// All whole cycles so far, for records that are short of cycles.
pub const MTR_WINDOW_LONGEST: u32 = 0xFFFF_FFFF;

/// Constants of one phase.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_phase_constants {
    /// Voltage gain, 2^30 is 1; 2^26 to just below 2^32.
    pub voltage_gain: u32,
    /// Current gain, the same.
    pub current_gain: u32,
    /// Counts subtracted from each voltage sample, at most 2^20.
    pub voltage_offset: i32,
    /// Counts subtracted from each current sample, at most 2^20.
    pub current_offset: i32,
    /// Time by which the current arrives late against the voltage, nanoseconds.
    pub delay_ns: i32,
    /// Angle by which the current is measured early, 2^-32 turn; 0.001 degree is 11930.
    pub angle: i32,
    /// Mean square of the current channel's own noise, counts squared with 8 fractional bits.
    pub current_noise: u32,
    /// Power added to the measured one, microwatts.
    pub power_offset_uw: i32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_phase_constants {}

impl From<&PhaseParameters> for mtr_phase_constants {
    fn from(own: &PhaseParameters) -> Self {
        mtr_phase_constants {
            voltage_gain: own.voltage_gain.to_bits(),
            current_gain: own.current_gain.to_bits(),
            voltage_offset: own.voltage_offset,
            current_offset: own.current_offset,
            delay_ns: own.delay_ns,
            angle: own.angle,
            current_noise: own.current_noise,
            power_offset_uw: own.power_offset_uw,
        }
    }
}

impl From<&mtr_phase_constants> for PhaseParameters {
    fn from(given: &mtr_phase_constants) -> Self {
        PhaseParameters {
            voltage_gain: Gain::from_bits(given.voltage_gain),
            current_gain: Gain::from_bits(given.current_gain),
            voltage_offset: given.voltage_offset,
            current_offset: given.current_offset,
            delay_ns: given.delay_ns,
            angle: given.angle,
            current_noise: given.current_noise,
            power_offset_uw: given.power_offset_uw,
            ..PhaseParameters::IDEAL
        }
    }
}

/// Constants of a meter of one or three phases. Begin with mtr_metrology_defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_metrology_parameters {
    /// Sample rate, thousandths of a sample per second, 600000 to 64000000.
    pub sample_rate_mhz: u32,
    /// Nominal frequency, millihertz, 40000 to 75000.
    pub nominal_mhz: u32,
    /// One voltage count at unit gain, nanovolts.
    pub voltage_nv: u32,
    /// One current count at unit gain, nanoamperes.
    pub current_na: u32,
    /// Magnitude from which a sample counts as saturated, counts.
    pub saturation: i32,
    /// Smallest peak of the fundamental that gives zero crossings, counts of the voltage.
    pub sync_level: u32,
    /// Cycles of a window, 1 to 600, or MTR_WINDOW_...
    pub window_cycles: u32,
    /// How the energies of the phases join in the total: MTR_POLICY_...
    pub policy: u32,
    /// 1: the product of the mean values of voltage and current counts; 0: it is removed.
    pub dc_kept: u32,
    /// One step of the energy registers, milliwatt-hours (100 is 0.1 Wh).
    pub energy_step_mwh: u32,
    /// Pulses per kilowatt-hour.
    pub pulses_per_kwh: u32,
    /// Pulses per kilovar-hour.
    pub pulses_per_kvarh: u32,
    /// A phase begins to count energy at this power, microwatts; 0 counts always.
    pub start_uw: u32,
    /// Time constant over which that power is averaged, milliseconds, 1 to 60000.
    pub start_average_ms: u32,
    /// Temperature at which the gains hold, millidegrees Celsius.
    pub reference_mdeg: i32,
    /// Counted up with every calibration of this meter.
    pub revision: u32,
    /// Day of the calibration as decimal digits YYYYMMDD; 0 when unknown.
    pub date: u32,
    /// 1: there is a channel of the neutral current.
    pub has_neutral: u32,
    /// Its gain against the scale of the phase currents, 2^30 is 1.
    pub neutral_gain: u32,
    /// Counts subtracted from each of its samples, at most 2^20.
    pub neutral_offset: i32,
    /// Constants of each phase; a single-phase meter reads the first only.
    pub phase: [mtr_phase_constants; 3],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_metrology_parameters {}

impl mtr_metrology_parameters {
    fn new(sample_rate_mhz: u32, nominal_mhz: u32) -> Self {
        let own = Parameters::<3>::new(sample_rate_mhz, nominal_mhz);
        mtr_metrology_parameters {
            sample_rate_mhz,
            nominal_mhz,
            voltage_nv: own.voltage_nv,
            current_na: own.current_na,
            saturation: own.saturation,
            sync_level: own.sync_level,
            window_cycles: MTR_WINDOW_STANDARD,
            policy: MTR_POLICY_NET,
            dc_kept: 0,
            energy_step_mwh: own.energy_step_mwh,
            pulses_per_kwh: own.pulses_per_kwh,
            pulses_per_kvarh: own.pulses_per_kvarh,
            start_uw: own.start_uw,
            start_average_ms: own.start_average_ms.into(),
            reference_mdeg: own.reference_mdeg,
            revision: own.stamp.revision,
            date: own.stamp.date,
            has_neutral: 0,
            neutral_gain: Gain::ONE.to_bits(),
            neutral_offset: 0,
            phase: own.phase.each_ref().map(mtr_phase_constants::from),
        }
    }

    /// The constants as the chain takes them, not yet checked.
    pub(super) fn parameters<const PHASES: usize>(&self) -> Checked<Parameters<PHASES>> {
        let bad = mtr_result::MTR_ERR_PARAMETER;
        let mut phase = [PhaseParameters::IDEAL; PHASES];
        for (place, given) in phase.iter_mut().zip(&self.phase) {
            *place = given.into();
        }
        Ok(Parameters {
            voltage_nv: self.voltage_nv,
            current_na: self.current_na,
            saturation: self.saturation,
            sync_level: self.sync_level,
            window: match self.window_cycles {
                MTR_WINDOW_STANDARD => Window::Standard,
                MTR_WINDOW_LONGEST => Window::Longest,
                cycles => Window::Cycles(u16::try_from(cycles).map_err(|_| bad)?),
            },
            policy: match self.policy {
                MTR_POLICY_NET => Policy::Net,
                MTR_POLICY_PER_PHASE => Policy::PerPhase,
                MTR_POLICY_IMPORT_ONLY => Policy::ImportOnly,
                _ => return Err(bad),
            },
            dc_power: match self.dc_kept {
                0 => DcPower::Removed,
                1 => DcPower::Kept,
                _ => return Err(bad),
            },
            energy_step_mwh: self.energy_step_mwh,
            pulses_per_kwh: self.pulses_per_kwh,
            pulses_per_kvarh: self.pulses_per_kvarh,
            start_uw: self.start_uw,
            start_average_ms: u16::try_from(self.start_average_ms).map_err(|_| bad)?,
            reference_mdeg: self.reference_mdeg,
            stamp: Stamp {
                revision: self.revision,
                date: self.date,
            },
            phase,
            neutral: (self.has_neutral != 0).then_some(NeutralParameters {
                gain: Gain::from_bits(self.neutral_gain),
                offset: self.neutral_offset,
            }),
            ..Parameters::new(self.sample_rate_mhz, self.nominal_mhz)
        })
    }

    /// The same, checked.
    pub(super) fn calibration<const PHASES: usize>(&self) -> Checked<Calibration<PHASES>> {
        Calibration::try_new(self.parameters()?).map_err(|_| mtr_result::MTR_ERR_PARAMETER)
    }
}

/// Fills in the defaults: unit gains, 60 uV and 24 uA a count, 0.1 Wh steps, 6400 imp/kWh and imp/kvarh, standard
/// windows, MTR_POLICY_NET, no start threshold, no neutral channel.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology_defaults(
    sample_rate_mhz: u32,
    nominal_mhz: u32,
    parameters: *mut mtr_metrology_parameters,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(parameters) }?
            .write(mtr_metrology_parameters::new(sample_rate_mhz, nominal_mhz));
        Ok(())
    })
}
