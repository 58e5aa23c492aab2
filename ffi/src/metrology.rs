//! The single-phase metering chain for C.

use crate::border::{code, exclusive, overlap, place, put, shared, slice};
use crate::result::mtr_result;
use metrology::{Calibration, Gain, Meter, Parameters, PhaseParameters, Sample};

/// Bytes of storage of an mtr_metrology1.
pub const MTR_METROLOGY1_SIZE: usize = 4096;
const _: () = assert!(size_of::<mtr_metrology1>() <= MTR_METROLOGY1_SIZE);

/// Sets handed to the chain at a time.
const BLOCK: usize = 32;

/// The chain of one voltage and one current. Opaque.
#[allow(non_camel_case_types)]
pub struct mtr_metrology1 {
    calibration: Calibration<1>,
    meter: Meter<1>,
}

/// Constants of a single-phase meter. Begin with mtr_metrology1_defaults.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_metrology1_parameters {
    /// Sample rate, thousandths of a sample per second, 600000 to 64000000.
    pub sample_rate_mhz: u32,
    /// Nominal frequency, millihertz, 40000 to 75000.
    pub nominal_mhz: u32,
    /// One voltage count at unit gain, nanovolts.
    pub voltage_nv: u32,
    /// One current count at unit gain, nanoamperes.
    pub current_na: u32,
    /// Voltage gain, 2^30 is 1.
    pub voltage_gain: u32,
    /// Current gain, 2^30 is 1.
    pub current_gain: u32,
    /// Time by which the current arrives late, nanoseconds.
    pub delay_ns: i32,
    /// Angle by which the current is measured early, 2^-32 turn.
    pub angle: i32,
    /// One step of the energy registers, milliwatt-hours.
    pub energy_step_mwh: u32,
    /// Pulses per kilowatt-hour.
    pub pulses_per_kwh: u32,
}

/// One simultaneous pair of samples, counts of at most 24 bits.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_sample1 {
    /// Voltage.
    pub u: i32,
    /// Current; positive power is import.
    pub i: i32,
}

/// Quantities of the last window of whole cycles.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_quantities1 {
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
    /// Power factor, millionths, with the sign of the active power.
    pub power_factor_ppm: i32,
    /// Frequency, microhertz; 0 when no fundamental was found.
    pub frequency_uhz: u32,
    /// Number of the window since the chain started.
    pub number: u64,
    /// Whole cycles covered.
    pub cycles: u16,
    /// Bit 0: a voltage sample reached the converter's limit, bit 1: a current sample.
    pub saturated: u16,
}

/// Energy registers, in steps of energy_step_mwh.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_registers1 {
    /// Steps taken from the grid.
    pub imported: u64,
    /// Steps given to the grid.
    pub exported: u64,
    /// Pulses given.
    pub pulses: u64,
}

/// Fills in the defaults: unit gains, 60 uV and 24 uA a count, 0.1 Wh steps, 6400 imp/kWh.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_defaults(
    sample_rate_mhz: u32,
    nominal_mhz: u32,
    parameters: *mut mtr_metrology1_parameters,
) -> mtr_result {
    let own = Parameters::<1>::new(sample_rate_mhz, nominal_mhz);
    let [phase] = own.phase;
    let out = mtr_metrology1_parameters {
        sample_rate_mhz,
        nominal_mhz,
        voltage_nv: own.voltage_nv,
        current_na: own.current_na,
        voltage_gain: phase.voltage_gain.to_bits(),
        current_gain: phase.current_gain.to_bits(),
        delay_ns: phase.delay_ns,
        angle: phase.angle,
        energy_step_mwh: own.energy_step_mwh,
        pulses_per_kwh: own.pulses_per_kwh,
    };
    // SAFETY: forwarded contract of this function.
    code(unsafe { put(parameters, out) })
}

/// Makes a chain in `storage` of `size` bytes (at least MTR_METROLOGY1_SIZE, aligned to MTR_ALIGN).
/// MTR_ERR_PARAMETER when a constant is outside its range.
///
/// # Safety
/// The rules of the header: `storage` is writable for `size` bytes and does not move while in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_init(
    storage: *mut u8,
    size: usize,
    parameters: *const mtr_metrology1_parameters,
    chain: *mut *mut mtr_metrology1,
) -> mtr_result {
    let run = || {
        if size < MTR_METROLOGY1_SIZE && !storage.is_null() {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        if overlap(
            storage,
            size,
            parameters.cast(),
            size_of::<mtr_metrology1_parameters>(),
        ) {
            return Err(mtr_result::MTR_ERR_OVERLAP);
        }
        // SAFETY: forwarded contract of this function.
        let given = unsafe { shared(parameters) }?;
        let calibration = Calibration::try_new(Parameters {
            voltage_nv: given.voltage_nv,
            current_na: given.current_na,
            energy_step_mwh: given.energy_step_mwh,
            pulses_per_kwh: given.pulses_per_kwh,
            pulses_per_kvarh: given.pulses_per_kwh,
            phase: [PhaseParameters {
                voltage_gain: Gain::from_bits(given.voltage_gain),
                current_gain: Gain::from_bits(given.current_gain),
                delay_ns: given.delay_ns,
                angle: given.angle,
                ..PhaseParameters::IDEAL
            }],
            ..Parameters::new(given.sample_rate_mhz, given.nominal_mhz)
        })
        .map_err(|_| mtr_result::MTR_ERR_PARAMETER)?;
        let meter = Meter::new(&calibration);
        // SAFETY: forwarded contract of this function.
        let made = unsafe { place(storage, size, mtr_metrology1 { calibration, meter }) }?;
        // SAFETY: forwarded contract of this function.
        unsafe { put(chain, made.as_ptr()) }
    };
    code(run())
}

/// Processes `count` samples and puts the number of windows that closed into `windows`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_process(
    chain: *mut mtr_metrology1,
    samples: *const mtr_sample1,
    count: usize,
    windows: *mut u32,
) -> mtr_result {
    let run = || {
        let bytes = count.saturating_mul(size_of::<mtr_sample1>());
        if overlap(samples.cast(), bytes, chain.cast(), MTR_METROLOGY1_SIZE) {
            return Err(mtr_result::MTR_ERR_OVERLAP);
        }
        // SAFETY: forwarded contract of this function.
        let (chain, samples) = unsafe { (exclusive(chain)?, slice(samples, count)?) };
        let mut closed = 0_u32;
        for part in samples.chunks(BLOCK) {
            let mut block = [Sample::<1>::ZERO; BLOCK];
            for (place, sample) in block.iter_mut().zip(part) {
                place.u = [sample.u];
                place.i = [sample.i];
            }
            let block = block.get(..part.len()).unwrap_or_default();
            let progress = chain.meter.process(&chain.calibration, block);
            closed = closed.saturating_add(progress.windows);
        }
        // SAFETY: forwarded contract of this function.
        unsafe { put(windows, closed) }
    };
    code(run())
}

/// The quantities of the last window; MTR_MORE before the first.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_quantities(
    chain: *const mtr_metrology1,
    quantities: *mut mtr_quantities1,
) -> mtr_result {
    let run = || {
        // SAFETY: forwarded contract of this function.
        let all = unsafe { shared(chain) }?.meter.quantities();
        if all.length_q16 == 0 {
            return Err(mtr_result::MTR_MORE);
        }
        let [phase] = all.phase;
        let out = mtr_quantities1 {
            voltage_uv: phase.voltage_uv,
            current_ua: phase.current_ua,
            active_uw: phase.active_uw,
            reactive_uvar: phase.reactive_uvar,
            apparent_uva: phase.apparent_uva,
            power_factor_ppm: phase.power_factor_ppm,
            frequency_uhz: all.frequency_uhz.unwrap_or(0),
            number: all.number,
            cycles: all.cycles,
            saturated: u16::from(all.flags.voltage_saturated & 1)
                | (u16::from(all.flags.current_saturated & 1) << 1),
        };
        // SAFETY: forwarded contract of this function.
        unsafe { put(quantities, out) }
    };
    code(run())
}

/// The energy registers up to the last window that closed; the rest is carried, never lost.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_metrology1_registers(
    chain: *const mtr_metrology1,
    registers: *mut mtr_registers1,
) -> mtr_result {
    let run = || {
        // SAFETY: forwarded contract of this function.
        let chain = unsafe { shared(chain) }?;
        let all = chain.meter.registers(&chain.calibration);
        let out = mtr_registers1 {
            imported: all.active.import,
            exported: all.active.export,
            pulses: all.pulses,
        };
        // SAFETY: forwarded contract of this function.
        unsafe { put(registers, out) }
    };
    code(run())
}
