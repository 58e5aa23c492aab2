//! Plays a recording once and tells what a meter reads from it.
//!
//! A meter that runs for years loses two cycles to its filter at the start; a record of eight cycles cannot spare
//! them. So a record is played twice: the first time the meter finds the frequency by its own crossings, the second
//! time it measures all whole cycles of that frequency from the first frame on.

use std::path::Path;

use metrology::{Calibration, Meter, Parameters, Sample, Sync, Window};
use serde::Serialize;

use super::StartError;
use super::recording::Recording;

/// Values of one phase; floating point for people only.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PhaseReading {
    /// Volts, rms without the mean.
    pub voltage_v: f64,
    /// Amperes, rms without the mean.
    pub current_a: f64,
    /// Mean voltage, volts.
    pub voltage_dc_v: f64,
    /// Mean current, amperes.
    pub current_dc_a: f64,
    /// Watts.
    pub active_w: f64,
    /// Vars of the fundamental.
    pub reactive_var: f64,
    /// Voltamperes.
    pub apparent_va: f64,
    /// Active over apparent power.
    pub power_factor: f64,
}

/// What a meter reads from a recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnceReading {
    /// Samples played.
    pub samples: u64,
    /// Whole cycles in the longest window.
    pub cycles: u16,
    /// Hertz.
    pub frequency_hz: Option<f64>,
    /// Each phase, over the longest whole-cycle window.
    pub phase: Vec<PhaseReading>,
    /// Sum of the active powers, watts.
    pub active_w: f64,
    /// Energy registers: import and export, tenths of a watt hour.
    pub import_dwh: u64,
    /// Export.
    pub export_dwh: u64,
    /// Gap-free energy of each phase since the first sample, joules, remainders included.
    pub energy_j: Vec<f64>,
}

/// Plays `path` once through the meter's signal chain.
///
/// # Errors
/// [`StartError`].
pub fn play<const P: usize>(path: &Path, rate_hz: Option<f64>) -> Result<OnceReading, StartError> {
    let Recording {
        parameters,
        samples,
    } = Recording::<P>::read(path, rate_hz)?;
    let (mut calibration, mut meter) = process(parameters, &samples)?;
    let frequency_uhz = meter.quantities().frequency_uhz;
    if let Some(frequency) = frequency_uhz {
        let fixed = Parameters {
            sync: Sync::Fixed(frequency),
            window: Window::Longest,
            ..parameters
        };
        (calibration, meter) = process(fixed, &samples)?;
    }
    let quantities = meter.quantities();
    let registers = meter.registers(&calibration);
    let micro = |value: i64| value as f64 / 1e6;
    let step_j = f64::from(parameters.energy_step_mwh) * 3.6;
    let energy = |phase| {
        meter.energy_raw(&calibration, phase) as f64 / calibration.step_raw() as f64 * step_j
    };
    Ok(OnceReading {
        samples: meter.samples(),
        cycles: quantities.cycles,
        frequency_hz: frequency_uhz.map(|uhz| f64::from(uhz) / 1e6),
        phase: quantities
            .phase
            .iter()
            .map(|phase| PhaseReading {
                voltage_v: phase.voltage_uv as f64 / 1e6,
                current_a: phase.current_ua as f64 / 1e6,
                voltage_dc_v: micro(phase.voltage_mean_uv),
                current_dc_a: micro(phase.current_mean_ua),
                active_w: micro(phase.active_uw),
                reactive_var: micro(phase.reactive_uvar),
                apparent_va: phase.apparent_uva as f64 / 1e6,
                power_factor: f64::from(phase.power_factor_ppm) / 1e6,
            })
            .collect(),
        active_w: micro(quantities.total.active_uw),
        import_dwh: registers.active.import,
        export_dwh: registers.active.export,
        energy_j: (0..P).map(energy).collect(),
    })
}

/// Plays all samples through a new meter.
fn process<const P: usize>(
    parameters: Parameters<P>,
    samples: &[Sample<P>],
) -> Result<(Calibration<P>, Meter<P>), StartError> {
    let calibration = Calibration::try_new(parameters).map_err(StartError::Calibration)?;
    let mut meter = Meter::new(&calibration);
    for block in samples.chunks(256) {
        // What happened in between is not asked for: the last window is the whole record.
        let _ = meter.process(&calibration, block);
    }
    Ok((calibration, meter))
}
