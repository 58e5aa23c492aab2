//! Power quality of three voltages: dips, swells, interruptions, windows of IEC 61000-4-30, frequency.

use core::ffi::c_void;

use ::metrology::pq::{Analyzer, Event, EventKind, HalfCycle, Setup, Span, Step, Thresholds};

use crate::border::{Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_quality3.
pub const MTR_QUALITY3_SIZE: usize = 992;

/// The analyser of three voltages. Opaque.
pub struct mtr_quality3 {
    _opaque: [u8; 0],
}

/// Constants of the analyser.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_quality_setup {
    /// Sample rate, thousandths of a sample per second, 600000 to 64000000.
    pub sample_rate_mhz: u32,
    /// Nominal frequency, millihertz, 40000 to 75000.
    pub nominal_mhz: u32,
    /// Declared voltage, rms, counts with 8 fractional bits, not 0.
    pub declared_q8: u32,
    /// Dip below, parts per million of the declared voltage; 0 for 900000.
    pub dip_ppm: u32,
    /// Swell above, parts per million; 0 for 1100000.
    pub swell_ppm: u32,
    /// Interruption below, parts per million; 0 for 50000.
    pub interruption_ppm: u32,
    /// Between begin and end, parts per million; 0 for 20000.
    pub hysteresis_ppm: u32,
    /// Bit k: voltage k is watched; 1 to 7.
    pub voltages: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_quality_setup {}

/// Three simultaneous voltages, counts of at most 24 bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_frame3 {
    /// Voltages.
    pub u: [i32; 3],
}

// SAFETY: integers only.
unsafe impl Plain for [i32; 3] {}
const _: () = assert!(
    size_of::<mtr_frame3>() == size_of::<[i32; 3]>()
        && align_of::<mtr_frame3>() == align_of::<[i32; 3]>()
);

/// Frames as the analyser takes them.
pub(super) const fn frames_of(frames: *const mtr_frame3) -> *const [i32; 3] {
    frames.cast()
}

/// The analyser, and what its last step was: other machines follow it with the same frames.
#[derive(Debug)]
pub struct Watched {
    pub(super) analyzer: Analyzer<3>,
    pub(super) span: Span,
    pub(super) half: Option<HalfCycle<3>>,
    pub(super) begins: Option<bool>,
}

/// A dip, swell or interruption.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_quality_event {
    /// When it began, UTC microseconds by the clock that was told.
    pub begin_us: u64,
    /// How long it lasted, microseconds.
    pub duration_us: u64,
    /// Lowest (of a swell highest) voltage, rms of one cycle, counts with 8 fractional bits.
    pub extreme_q8: u32,
    /// Channel of the extreme.
    pub extreme_channel: u8,
    /// Bit k: channel k was beyond the threshold at any time.
    pub channels: u8,
}

/// What the frames taken brought. A bit in `has` says which of the rest holds something.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_quality_step {
    /// Frames taken; hand in the rest in another call.
    pub used: usize,
    /// MTR_QUALITY_HAS_... together.
    pub has: u32,
    /// Rms of one cycle, renewed each half cycle, counts with 8 fractional bits.
    pub half_cycle_q8: [u32; 3],
    /// Rms of the 10/12-cycle window that ended.
    pub window_q8: [u32; 3],
    /// Rms of the interval of 10 minutes that ended.
    pub ten_minutes_q8: [u32; 3],
    /// What was wrong in the window, bits: 1 dip, 2 swell, 4 interruption, 8 not locked, 16 over range, 32 clock set,
    /// 64 incomplete.
    pub window_marks: u32,
    /// The same of the 10 minutes.
    pub ten_minutes_marks: u32,
    /// Frequency of the last 10 s, microhertz.
    pub frequency_uhz: u32,
    /// The dip that ended.
    pub dip: mtr_quality_event,
    /// The swell that ended.
    pub swell: mtr_quality_event,
    /// The interruption that ended.
    pub interruption: mtr_quality_event,
    /// Rms of the interval of 3 s (150 or 180 cycles) that ended.
    pub three_seconds_q8: [u32; 3],
    /// What was wrong in it, as window_marks.
    pub three_seconds_marks: u32,
    /// Rms of the interval of 2 hours that ended.
    pub two_hours_q8: [u32; 3],
    /// What was wrong in it.
    pub two_hours_marks: u32,
}

/// half_cycle_q8 holds something.
pub const MTR_QUALITY_HAS_HALF_CYCLE: u32 = 1;
/// window_q8 and window_marks hold something.
pub const MTR_QUALITY_HAS_WINDOW: u32 = 2;
/// ten_minutes_q8 and ten_minutes_marks hold something.
pub const MTR_QUALITY_HAS_TEN_MINUTES: u32 = 4;
/// frequency_uhz holds something.
pub const MTR_QUALITY_HAS_FREQUENCY: u32 = 8;
/// A dip ended.
pub const MTR_QUALITY_HAS_DIP: u32 = 16;
/// A swell ended.
pub const MTR_QUALITY_HAS_SWELL: u32 = 32;
/// An interruption ended.
pub const MTR_QUALITY_HAS_INTERRUPTION: u32 = 64;

/// A dip began with this half cycle.
pub const MTR_QUALITY_HAS_DIP_BEGUN: u32 = 128;
/// A swell began with this half cycle.
pub const MTR_QUALITY_HAS_SWELL_BEGUN: u32 = 256;
/// An interruption began with this half cycle.
pub const MTR_QUALITY_HAS_INTERRUPTION_BEGUN: u32 = 512;
/// three_seconds_q8 and three_seconds_marks hold something.
pub const MTR_QUALITY_HAS_THREE_SECONDS: u32 = 1024;
/// two_hours_q8 and two_hours_marks hold something.
pub const MTR_QUALITY_HAS_TWO_HOURS: u32 = 2048;

const NO_EVENT: mtr_quality_event = mtr_quality_event {
    begin_us: 0,
    duration_us: 0,
    extreme_q8: 0,
    extreme_channel: 0,
    channels: 0,
};

fn event(analyzer: &Analyzer<3>, own: &Event) -> mtr_quality_event {
    mtr_quality_event {
        begin_us: analyzer.utc_us(own.begin),
        duration_us: analyzer.microseconds(own.duration),
        extreme_q8: own.extreme,
        extreme_channel: own.extreme_channel,
        channels: own.channels,
    }
}

fn told(analyzer: &Analyzer<3>, step: &Step<3>) -> mtr_quality_step {
    let mut out = mtr_quality_step {
        used: step.span.used,
        has: 0,
        half_cycle_q8: [0; 3],
        window_q8: [0; 3],
        ten_minutes_q8: [0; 3],
        window_marks: 0,
        ten_minutes_marks: 0,
        frequency_uhz: 0,
        dip: NO_EVENT,
        swell: NO_EVENT,
        interruption: NO_EVENT,
        three_seconds_q8: [0; 3],
        three_seconds_marks: 0,
        two_hours_q8: [0; 3],
        two_hours_marks: 0,
    };
    if let Some(half) = step.half.as_ref().filter(|half| half.valid) {
        out.has |= MTR_QUALITY_HAS_HALF_CYCLE;
        out.half_cycle_q8 = half.urms;
    }
    if let Some(window) = &step.window {
        out.has |= MTR_QUALITY_HAS_WINDOW;
        out.window_q8 = window.rms;
        out.window_marks = window.marks.bits().into();
    }
    if let Some(interval) = &step.aggregates.short {
        out.has |= MTR_QUALITY_HAS_THREE_SECONDS;
        out.three_seconds_q8 = interval.values;
        out.three_seconds_marks = interval.marks.bits().into();
    }
    if let Some(interval) = &step.aggregates.two_hours {
        out.has |= MTR_QUALITY_HAS_TWO_HOURS;
        out.two_hours_q8 = interval.values;
        out.two_hours_marks = interval.marks.bits().into();
    }
    if let Some(interval) = &step.aggregates.ten_minutes {
        out.has |= MTR_QUALITY_HAS_TEN_MINUTES;
        out.ten_minutes_q8 = interval.values;
        out.ten_minutes_marks = interval.marks.bits().into();
    }
    if let Some(frequency) = step.frequency_uhz {
        out.has |= MTR_QUALITY_HAS_FREQUENCY;
        out.frequency_uhz = frequency;
    }
    let begun = [
        MTR_QUALITY_HAS_DIP_BEGUN,
        MTR_QUALITY_HAS_SWELL_BEGUN,
        MTR_QUALITY_HAS_INTERRUPTION_BEGUN,
    ];
    for (bit, _) in begun
        .iter()
        .zip(&step.events.begun)
        .filter(|(_, event)| event.is_some())
    {
        out.has |= bit;
    }
    for (kind, ended) in EventKind::ALL.iter().zip(&step.events.ended) {
        let Some(ended) = ended else { continue };
        let (bit, place) = match kind {
            EventKind::Dip => (MTR_QUALITY_HAS_DIP, &mut out.dip),
            EventKind::Swell => (MTR_QUALITY_HAS_SWELL, &mut out.swell),
            EventKind::Interruption => (MTR_QUALITY_HAS_INTERRUPTION, &mut out.interruption),
        };
        out.has |= bit;
        *place = event(analyzer, ended);
    }
    out
}

/// Makes an analyser in `storage` of `size` bytes (at least MTR_QUALITY3_SIZE, aligned to MTR_ALIGN).
/// MTR_ERR_PARAMETER when a constant is outside its range.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_quality3_init(
    storage: *mut c_void,
    size: usize,
    setup: *const mtr_quality_setup,
    analyzer: *mut *mut mtr_quality3,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, given) = unsafe {
            (
                border.storage(storage, size, analyzer)?,
                border.given(setup)?,
            )
        };
        let fits = (600_000..=64_000_000).contains(&given.sample_rate_mhz)
            && (40_000..=75_000).contains(&given.nominal_mhz)
            && given.declared_q8 != 0
            && (1..=7).contains(&given.voltages);
        if !fits {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let usual = Thresholds::new(given.declared_q8);
        let or = |given: u32, usual: u32| if given == 0 { usual } else { given };
        let analyzer = Analyzer::new(Setup {
            sample_rate_mhz: given.sample_rate_mhz,
            nominal_mhz: given.nominal_mhz,
            thresholds: Thresholds {
                dip_ppm: or(given.dip_ppm, usual.dip_ppm),
                swell_ppm: or(given.swell_ppm, usual.swell_ppm),
                interruption_ppm: or(given.interruption_ppm, usual.interruption_ppm),
                hysteresis_ppm: or(given.hysteresis_ppm, usual.hysteresis_ppm),
                ..usual
            },
            voltages: given.voltages as u8,
        });
        storage.fill(Watched {
            analyzer,
            span: Span {
                used: 0,
                phase: 0,
                increment: 0,
                edge: None,
            },
            half: None,
            begins: None,
        });
        Ok(())
    })
}

/// Tells UTC (microseconds since 1970) of the next frame, as often as it is known.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_quality3_set_clock(
    analyzer: *mut mtr_quality3,
    utc_us: u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.object_mut(analyzer) }?
            .analyzer
            .set_clock(utc_us);
        Ok(())
    })
}

/// Takes frames up to the end of the half cycle, or all, and tells in `step` what they brought. MTR_OK: a half cycle
/// ended, call again with the rest. MTR_MORE: all frames were taken.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_quality3_process(
    analyzer: *mut mtr_quality3,
    frames: *const mtr_frame3,
    count: usize,
    step: *mut mtr_quality_step,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (watched, frames, step) = unsafe {
            (
                border.object_mut(analyzer)?,
                border.slice(frames_of(frames), count)?,
                border.place(step)?,
            )
        };
        let found = watched.analyzer.process(frames);
        step.write(told(&watched.analyzer, &found));
        (watched.span, watched.half, watched.begins) = (found.span, found.half, found.begins);
        found.half.map(|_| ()).ok_or(mtr_result::MTR_MORE)
    })
}
