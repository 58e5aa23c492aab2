//! Further circuits and more quantities beside the three-phase chain: what not every meter pays for.

use core::ffi::c_void;

use ::metrology::{
    Circuit, CircuitCalibration, CircuitQuantities, Circuits, Counts, DetailedPhase, Details,
    Sample,
};

use super::calls::written;
use super::{mtr_metrology3, mtr_phase_constants, mtr_progress, mtr_sample3};
use crate::border::{Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_circuits.
pub const MTR_CIRCUITS_SIZE: usize = 4512;
/// Circuits that one object measures.
pub const MTR_CIRCUITS: usize = 12;
/// Most bytes that mtr_circuits_save writes.
pub const MTR_CIRCUITS_STATE_MAX: usize = 1024;
const _: () = assert!(Circuits::<3, MTR_CIRCUITS>::STATE_LEN <= MTR_CIRCUITS_STATE_MAX);
/// Bytes of storage of an mtr_details3.
pub const MTR_DETAILS3_SIZE: usize = 2208;
/// Voltages kept for the quarter of a cycle: enough for 16 kHz.
const DELAY: usize = 96;

/// Twelve currents beside those of the phases, each on one of the voltages of an mtr_metrology3. Opaque.
pub struct mtr_circuits {
    _opaque: [u8; 0],
}

/// Peaks, crest factors, voltages between the phases, other definitions of reactive power, of an mtr_metrology3. Opaque.
pub struct mtr_details3 {
    _opaque: [u8; 0],
}

/// A further circuit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_circuit {
    /// Constants of its current; what concerns the voltage is that of the phase. A lag of at most 11 samples, a lead of at
    /// most 3.
    pub constants: mtr_phase_constants,
    /// Phase whose voltage drives it, 0 to 2.
    pub voltage: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_circuit {}

/// Twelve simultaneous currents, counts of at most 24 bits; 0 where there is no circuit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_currents {
    /// By circuit.
    pub i: [i32; MTR_CIRCUITS],
}

const _: () = assert!(
    size_of::<mtr_currents>() == size_of::<[i32; MTR_CIRCUITS]>()
        && align_of::<mtr_currents>() == align_of::<[i32; MTR_CIRCUITS]>()
);
// SAFETY: integers only.
unsafe impl Plain for [i32; MTR_CIRCUITS] {}

/// Quantities of a circuit over the last window, and its registers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_circuit_quantities {
    /// Current, rms, microamperes.
    pub current_ua: u64,
    /// Active power, microwatts, positive is import.
    pub active_uw: i64,
    /// Reactive power of the fundamental, microvars, positive when the current lags.
    pub reactive_uvar: i64,
    /// Apparent power, microvoltamperes.
    pub apparent_uva: u64,
    /// Active energy taken, steps of the chain.
    pub imported: u64,
    /// Active energy given.
    pub exported: u64,
    /// Reactive energy while the current lags.
    pub lagging: u64,
    /// Reactive energy while the current leads.
    pub leading: u64,
    /// 1: the current reached the converter's limit.
    pub saturated: u32,
}

/// More quantities of one phase over the last window.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_phase_details {
    /// Largest magnitude of the voltage, microvolts.
    pub voltage_peak_uv: u64,
    /// Largest magnitude of the current, microamperes.
    pub current_peak_ua: u64,
    /// Voltage between this phase and the next (the last and the first), rms, microvolts.
    pub line_to_line_uv: u64,
    /// Reactive power by a quarter period of delay, microvars.
    pub delayed_reactive_uvar: i64,
    /// Reactive power by the integral of the voltage, microvars; settles some 20 s after the start.
    pub integral_reactive_uvar: i64,
    /// Peak over rms value of the voltage, millionths.
    pub voltage_crest_ppm: u32,
    /// The same of the current.
    pub current_crest_ppm: u32,
}

/// More quantities of three phases over the last window; all 0 before the first.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_details {
    /// By phase.
    pub phase: [mtr_phase_details; 3],
    /// Sum of the phase currents sample by sample, what the neutral carries, rms, microamperes.
    pub neutral_ua: u64,
}

/// The circuits and their constants.
#[derive(Debug)]
pub struct Board {
    constants: CircuitCalibration<MTR_CIRCUITS>,
    circuits: Circuits<3, MTR_CIRCUITS>,
}

/// The details.
pub type Detailed = Details<3, DELAY>;

/// Makes `count` (1 to MTR_CIRCUITS) circuits beside `chain` in `storage` of `size` bytes (at least MTR_CIRCUITS_SIZE,
/// aligned to MTR_ALIGN). They and the chain take the same samples from the start. MTR_ERR_PARAMETER for another count or
/// a constant outside its range.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_circuits_init(
    storage: *mut c_void,
    size: usize,
    chain: *const mtr_metrology3,
    circuit: *const mtr_circuit,
    count: usize,
    circuits: *mut *mut mtr_circuits,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, chain, given) = unsafe {
            (
                border.storage(storage, size, circuits)?,
                border.object(chain)?,
                border.slice(circuit, count)?,
            )
        };
        let bad = mtr_result::MTR_ERR_PARAMETER;
        if !(1..=MTR_CIRCUITS).contains(&given.len()) {
            return Err(bad);
        }
        let mut all = [Circuit::on(0); MTR_CIRCUITS];
        for (place, given) in all.iter_mut().zip(given) {
            *place = Circuit {
                voltage: u8::try_from(given.voltage).map_err(|_| bad)?,
                constants: (&given.constants).into(),
            };
        }
        let constants = CircuitCalibration::try_new(&chain.calibration, all).map_err(|_| bad)?;
        storage.fill(Board {
            constants,
            circuits: Circuits::new(),
        });
        Ok(())
    })
}

/// Gives `count` sets of samples to the chain and their currents to the circuits; instead of mtr_metrology3_process, not
/// beside it. `currents` holds `currents_count` sets: MTR_ERR_LENGTH when it is not as many.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_circuits_process(
    circuits: *mut mtr_circuits,
    chain: *mut mtr_metrology3,
    samples: *const mtr_sample3,
    count: usize,
    currents: *const mtr_currents,
    currents_count: usize,
    progress: *mut mtr_progress,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (board, chain, samples, currents, progress) = unsafe {
            (
                border.object_mut(circuits)?,
                border.object_mut(chain)?,
                border.slice(samples.cast::<Sample<3>>(), count)?,
                border.slice(currents.cast::<[i32; MTR_CIRCUITS]>(), currents_count)?,
                border.place(progress)?,
            )
        };
        if samples.len() != currents.len() {
            return Err(mtr_result::MTR_ERR_LENGTH);
        }
        let found = board.circuits.process(
            &mut chain.meter,
            &chain.calibration,
            &board.constants,
            samples,
            currents,
        );
        progress.write(found.into());
        Ok(())
    })
}

/// Quantities and registers of a circuit, 0 to MTR_CIRCUITS - 1. MTR_ERR_PARAMETER for another one.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_circuits_quantities(
    circuits: *const mtr_circuits,
    number: u32,
    quantities: *mut mtr_circuit_quantities,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (board, quantities) = unsafe { (border.object(circuits)?, border.place(quantities)?) };
        let at = usize::try_from(number).unwrap_or(MTR_CIRCUITS);
        let found = board.circuits.quantities().get(at);
        let CircuitQuantities {
            current_ua,
            active_uw,
            reactive_uvar,
            apparent_uva,
            saturated,
        } = *found.ok_or(mtr_result::MTR_ERR_PARAMETER)?;
        let registers = board.circuits.registers(at);
        let (active, reactive): (Counts, Counts) = (registers.active, registers.reactive);
        quantities.write(mtr_circuit_quantities {
            current_ua,
            active_uw,
            reactive_uvar,
            apparent_uva,
            imported: active.import,
            exported: active.export,
            lagging: reactive.import,
            leading: reactive.export,
            saturated: saturated.into(),
        });
        Ok(())
    })
}

/// Writes the registers of all circuits with version and check sum to `out` (MTR_CIRCUITS_STATE_MAX bytes are enough) and
/// their length to `len`; `chain` is theirs.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_circuits_save(
    circuits: *const mtr_circuits,
    chain: *const mtr_metrology3,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let chain = unsafe { border.object(chain) }?;
        let save = |board: &Board, out: &mut [u8]| {
            let saved = board.circuits.save(&chain.calibration, out);
            saved.map_err(super::chain::state)
        };
        // SAFETY: forwarded contract of this function.
        unsafe { written(border, circuits, out, capacity, len, save) }
    })
}

/// Takes back what mtr_circuits_save wrote, beside a chain that begins anew. MTR_ERR_LENGTH or MTR_ERR_STATE: refused, and
/// nothing changed.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_circuits_restore(
    circuits: *mut mtr_circuits,
    chain: *const mtr_metrology3,
    state: *const u8,
    len: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (board, chain, state) = unsafe {
            (
                border.object_mut(circuits)?,
                border.object(chain)?,
                border.slice(state, len)?,
            )
        };
        let restored = board.circuits.restore(&chain.calibration, state);
        restored.map_err(super::chain::state)
    })
}

/// Makes the details of `chain` in `storage` of `size` bytes (at least MTR_DETAILS3_SIZE, aligned to MTR_ALIGN), from the
/// next window on. MTR_ERR_PARAMETER when a quarter of a cycle has more than 94 samples (16 kHz at 50 Hz has 80).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_details3_init(
    storage: *mut c_void,
    size: usize,
    chain: *const mtr_metrology3,
    details: *mut *mut mtr_details3,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, chain) = unsafe {
            (
                border.storage(storage, size, details)?,
                border.object(chain)?,
            )
        };
        storage
            .fill(Details::try_new(&chain.calibration).map_err(|_| mtr_result::MTR_ERR_PARAMETER)?);
        Ok(())
    })
}

/// Gives `count` sets of samples to the chain and follows it; instead of mtr_metrology3_process, not beside it.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_details3_process(
    details: *mut mtr_details3,
    chain: *mut mtr_metrology3,
    samples: *const mtr_sample3,
    count: usize,
    progress: *mut mtr_progress,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (details, chain, samples, progress) = unsafe {
            (
                border.object_mut(details)?,
                border.object_mut(chain)?,
                border.slice(samples.cast::<Sample<3>>(), count)?,
                border.place(progress)?,
            )
        };
        let found = details.process(&mut chain.meter, &chain.calibration, samples);
        progress.write(found.into());
        Ok(())
    })
}

/// The details of the last window.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_details3_quantities(
    details: *const mtr_details3,
    quantities: *mut mtr_details,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (details, quantities) = unsafe { (border.object(details)?, border.place(quantities)?) };
        let own: &Detailed = details;
        let own = own.quantities();
        quantities.write(mtr_details {
            phase: own.phase.map(|phase: DetailedPhase| mtr_phase_details {
                voltage_peak_uv: phase.voltage_peak_uv,
                current_peak_ua: phase.current_peak_ua,
                line_to_line_uv: phase.line_to_line_uv,
                delayed_reactive_uvar: phase.delayed_reactive_uvar,
                integral_reactive_uvar: phase.integral_reactive_uvar,
                voltage_crest_ppm: phase.voltage_crest_ppm,
                current_crest_ppm: phase.current_crest_ppm,
            }),
            neutral_ua: own.neutral_ua,
        });
        Ok(())
    })
}
