//! Residual current and series arcs: what is looked for in samples beside the metering.

use core::ffi::c_void;

use ::metrology::Sample;
use ::metrology::safety::{ArcDetector, ArcLimits, CycleReport, ResidualSums, Threshold, Watch};

use super::thermal::mtr_threshold;
use super::{mtr_sample1, mtr_sample3};
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_residual.
pub const MTR_RESIDUAL_SIZE: usize = 96;
/// Bytes of storage of an mtr_arc.
pub const MTR_ARC_SIZE: usize = 864;

/// Residual current of a line, window by window. Opaque.
pub struct mtr_residual {
    _opaque: [u8; 0],
}

/// The indicator of series arcs of one phase. Opaque.
///
/// It looks at whether the current repeats itself from cycle to cycle; it does not replace an arc-fault detection device
/// (IEC 62606). The sample rate must give 64 to 2048 samples a cycle.
pub struct mtr_arc {
    _opaque: [u8; 0],
}

/// Residual current of one window.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_residual_current {
    /// Rms without the direct part, microamperes.
    pub ac_ua: u64,
    /// Direct part, microamperes.
    pub dc_ua: i64,
    /// Rms of both, microamperes; the thresholds are against it.
    pub total_ua: u64,
    /// MTR_LEVEL_...
    pub level: u32,
}

/// Limits of the arc indicator. Begin with mtr_arc_defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_arc_limits {
    /// Least mean magnitude of a current that is judged, counts.
    pub floor_counts: u32,
    /// What may be left of a regular cycle, ten-thousandths of the current.
    pub irregular_e4: u32,
    /// What the size of a cycle may have that the cycles around it do not tell, ten-thousandths of it.
    pub unsteady_e4: u32,
    /// Irregular cycles among the last 32 for a warning.
    pub warning_cycles: u32,
    /// Irregular cycles among the last 32 for an alarm.
    pub alarm_cycles: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_arc_limits {}

/// What one cycle gave.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_arc_report {
    /// Sets of samples taken; hand in the rest in another call.
    pub used: usize,
    /// What did not repeat, ten-thousandths of the current; 0 below the floor.
    pub irregular_e4: u32,
    /// Irregular cycles among the last 32.
    pub cycles: u32,
    /// What the last 32 cycles do not tell of each other's size, ten-thousandths; 0 below warning_cycles.
    pub unsteady_e4: u32,
    /// MTR_LEVEL_...
    pub level: u32,
}

/// Sums of a window, and the level over the windows.
#[derive(Debug)]
pub struct Leaking {
    count_na: u32,
    threshold: Threshold,
    sums: ResidualSums,
    watch: Watch,
}

/// The indicator and its limits.
#[derive(Debug)]
pub struct Arcing {
    limits: ArcLimits,
    detector: ArcDetector,
}

impl Arcing {
    /// Samples up to the end of a cycle, or all: what was taken, and the report.
    fn run(&mut self, samples: impl Iterator<Item = (i32, i32)>) -> (usize, Option<CycleReport>) {
        let mut used = 0;
        for (u, i) in samples {
            used += 1;
            let report = self.detector.push(&self.limits, u, i);
            if report.is_some() {
                return (used, report);
            }
        }
        (used, None)
    }
}

fn told(used: usize, report: Option<&CycleReport>) -> mtr_arc_report {
    mtr_arc_report {
        used,
        irregular_e4: report.map_or(0, |report| report.irregular_e4),
        cycles: report.map_or(0, |report| report.cycles),
        unsteady_e4: report.map_or(0, |report| report.unsteady_e4),
        level: report.map_or(0, |report| report.level as u32),
    }
}

/// Makes a residual current in `storage` of `size` bytes (at least MTR_RESIDUAL_SIZE, aligned to MTR_ALIGN). One count is
/// worth `count_na` nanoamperes; `threshold` is in microamperes.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_residual_init(
    storage: *mut c_void,
    size: usize,
    count_na: u32,
    threshold: *const mtr_threshold,
    residual: *mut *mut mtr_residual,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, threshold) = unsafe {
            (
                border.storage(storage, size, residual)?,
                border.given(threshold)?,
            )
        };
        storage.fill(Leaking {
            count_na,
            threshold: threshold.into(),
            sums: ResidualSums::new(),
            watch: Watch::new(),
        });
        Ok(())
    })
}

/// Takes samples of a residual-current transformer, counts of at most 24 bits. A window of more than 65536 keeps those it
/// has.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_residual_take(
    residual: *mut mtr_residual,
    samples: *const i32,
    count: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (leaking, samples) =
            unsafe { (border.object_mut(residual)?, border.slice(samples, count)?) };
        for sample in samples {
            leaking.sums.push(*sample);
        }
        Ok(())
    })
}

/// The same from the sum of all currents and the neutral current of a three-phase meter, which must have one scale.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_residual_take_sums(
    residual: *mut mtr_residual,
    samples: *const mtr_sample3,
    count: usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (leaking, samples) = unsafe {
            (
                border.object_mut(residual)?,
                border.slice(samples.cast::<Sample<3>>(), count)?,
            )
        };
        for sample in samples {
            leaking.sums.push_sum(sample);
        }
        Ok(())
    })
}

/// Ends the window, of `elapsed_ms`: where the chain ends its own, so that it covers whole cycles. MTR_MORE without
/// samples.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_residual_close(
    residual: *mut mtr_residual,
    elapsed_ms: u32,
    current: *mut mtr_residual_current,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (leaking, current) = unsafe { (border.object_mut(residual)?, border.place(current)?) };
        let found = leaking.sums.close(leaking.count_na);
        let found = found.ok_or(mtr_result::MTR_MORE)?;
        let _ = leaking
            .watch
            .update(&leaking.threshold, found.total_ua, elapsed_ms);
        current.write(mtr_residual_current {
            ac_ua: found.ac_ua,
            dc_ua: found.dc_ua,
            total_ua: found.total_ua,
            level: leaking.watch.level() as u32,
        });
        Ok(())
    })
}

/// Limits whose rates were measured: 0.4 %, 8 irregular cycles of 32 warn and 12 alarm. `floor_counts` should be about
/// 1.8 A.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_arc_defaults(
    floor_counts: u32,
    limits: *mut mtr_arc_limits,
) -> mtr_result {
    call(|mut border| {
        let own = ArcLimits::new(floor_counts);
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(limits) }?.write(mtr_arc_limits {
            floor_counts: own.floor_counts,
            irregular_e4: own.irregular_e4,
            unsteady_e4: own.unsteady_e4,
            warning_cycles: own.warning_cycles,
            alarm_cycles: own.alarm_cycles,
        });
        Ok(())
    })
}

/// Makes an indicator in `storage` of `size` bytes (at least MTR_ARC_SIZE, aligned to MTR_ALIGN).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_arc_init(
    storage: *mut c_void,
    size: usize,
    limits: *const mtr_arc_limits,
    arc: *mut *mut mtr_arc,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, given) =
            unsafe { (border.storage(storage, size, arc)?, border.given(limits)?) };
        storage.fill(Arcing {
            limits: ArcLimits {
                floor_counts: given.floor_counts,
                irregular_e4: given.irregular_e4,
                unsteady_e4: given.unsteady_e4,
                warning_cycles: given.warning_cycles,
                alarm_cycles: given.alarm_cycles,
            },
            detector: ArcDetector::new(),
        });
        Ok(())
    })
}

/// Takes samples of a single-phase meter up to the end of a cycle, or all. MTR_OK: a cycle ended, call again with the
/// rest; MTR_MORE: all were taken. `report` is written with both.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_arc_process1(
    arc: *mut mtr_arc,
    samples: *const mtr_sample1,
    count: usize,
    report: *mut mtr_arc_report,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { process(arc, samples.cast::<Sample<1>>(), count, 0, report) }
}

/// The same of one phase (0 to 2) of a three-phase meter; each phase has its own indicator. MTR_ERR_PARAMETER for another
/// phase.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_arc_process3(
    arc: *mut mtr_arc,
    samples: *const mtr_sample3,
    count: usize,
    phase: u32,
    report: *mut mtr_arc_report,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    unsafe { process(arc, samples.cast::<Sample<3>>(), count, phase, report) }
}

/// # Safety
/// The rules of the header; `samples` are sets of samples as [`Sample`] lays them out.
unsafe fn process<const PHASES: usize>(
    arc: *mut mtr_arc,
    samples: *const Sample<PHASES>,
    count: usize,
    phase: u32,
    report: *mut mtr_arc_report,
) -> mtr_result {
    let run = |mut border: crate::border::Border| -> Checked<()> {
        // SAFETY: forwarded contract of this function.
        let (arcing, samples, report) = unsafe {
            (
                border.object_mut(arc)?,
                border.slice(samples, count)?,
                border.place(report)?,
            )
        };
        let phase = usize::try_from(phase).unwrap_or(PHASES);
        if phase >= PHASES {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let lines = samples
            .iter()
            .filter_map(|set| Some((*set.u.get(phase)?, *set.i.get(phase)?)));
        let (used, found) = arcing.run(lines);
        report.write(told(used, found.as_ref()));
        found.map(|_| ()).ok_or(mtr_result::MTR_MORE)
    };
    call(run)
}
