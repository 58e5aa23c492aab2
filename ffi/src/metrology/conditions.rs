//! Conditions of a meter (DL/T 614): what began and what ended with a window.

use core::ffi::c_void;

use ::metrology::event::{
    Condition, Conditions, Limit, Limits, Monitor, Observation, PhaseObservation,
};

use super::mtr_quantities;
use crate::border::{Checked, Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_monitor.
pub const MTR_MONITOR_SIZE: usize = 864;

/// Number of conditions.
pub const MTR_CONDITIONS: usize = 17;
const _: () = assert!(MTR_CONDITIONS == Condition::ALL.len());

/// Voltage below, microvolts, while the phase carries at least the gate, microamperes. By phase.
pub const MTR_CONDITION_VOLTAGE_LOST: u32 = 0;
/// Voltage below, microvolts; not judged while the phase is lost or broken. By phase.
pub const MTR_CONDITION_UNDER_VOLTAGE: u32 = 1;
/// Voltage above, microvolts. By phase.
pub const MTR_CONDITION_OVER_VOLTAGE: u32 = 2;
/// Current below, microamperes, while the voltage is at least the gate, microvolts, and another phase carries at least
/// `end`. By phase.
pub const MTR_CONDITION_CURRENT_LOST: u32 = 3;
/// Current above, microamperes. By phase.
pub const MTR_CONDITION_OVER_CURRENT: u32 = 4;
/// Active power above, microwatts, either direction. By phase.
pub const MTR_CONDITION_OVERLOAD: u32 = 5;
/// Power out above, microwatts. By phase.
pub const MTR_CONDITION_REVERSE: u32 = 6;
/// Voltage below, microvolts, while the phase carries less than the gate, microamperes. By phase.
pub const MTR_CONDITION_PHASE_BROKEN: u32 = 7;
/// Current below, microamperes, while the voltage is at least the gate, microvolts. By phase.
pub const MTR_CONDITION_CURRENT_INTERRUPTED: u32 = 8;
/// Voltages in the wrong order while each is at least `begin` (below `end` it ends), microvolts.
pub const MTR_CONDITION_VOLTAGE_ORDER: u32 = 9;
/// Currents in the wrong order while each is at least `begin` (below `end` it ends), microamperes.
pub const MTR_CONDITION_CURRENT_ORDER: u32 = 10;
/// (largest - smallest) / largest above, millionths, while the largest is at least the gate, microvolts.
pub const MTR_CONDITION_VOLTAGE_UNBALANCE: u32 = 11;
/// The same of the currents; the gate in microamperes.
pub const MTR_CONDITION_CURRENT_UNBALANCE: u32 = 12;
/// Every voltage below, microvolts, while a phase carries at least the gate, microamperes.
pub const MTR_CONDITION_ALL_VOLTAGES_LOST: u32 = 13;
/// Every voltage below, microvolts, while no phase carries the gate, microamperes.
pub const MTR_CONDITION_POWER_DOWN: u32 = 14;
/// Magnitude of the total power factor below, millionths, while the apparent power is at least the gate,
/// microvoltamperes.
pub const MTR_CONDITION_POWER_FACTOR_LOW: u32 = 15;
/// A second, higher limit of the unbalance of the currents.
pub const MTR_CONDITION_SEVERE_CURRENT_UNBALANCE: u32 = 16;

/// The monitor of a meter of one or three phases. Opaque.
pub struct mtr_monitor {
    _opaque: [u8; 0],
}

/// Where a condition begins and ends; the units are those of its MTR_CONDITION_...
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_limit {
    /// Where it begins.
    pub begin: u64,
    /// Where it ends: the other side of the hysteresis.
    pub end: u64,
    /// A second quantity that must be there; unused where the condition names none.
    pub gate: u64,
    /// How long it must hold before it begins, and be gone before it ends, milliseconds.
    pub delay_ms: u32,
    /// 1: the condition is watched; 0: it never holds.
    pub watched: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_limit {}

/// Limits of all conditions, at the place of their MTR_CONDITION_... Begin with mtr_limits_dlt614.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_limits {
    /// By condition.
    pub limit: [mtr_limit; MTR_CONDITIONS],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_limits {}

/// Conditions as bits: bit 3 * condition + phase (from 0) of those by phase, bit 18 + condition of the others.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_changes {
    /// What began with this window.
    pub begun: u64,
    /// What ended.
    pub ended: u64,
    /// What holds now; to be stored, for mtr_monitor_init.
    pub active: u64,
}

/// The monitor of either size of meter, with its limits.
#[derive(Debug)]
pub struct Watching {
    limits: Limits,
    monitor: Phases,
}

#[derive(Debug)]
enum Phases {
    One(Monitor<1>),
    Three(Monitor<3>),
}

impl From<Option<Limit>> for mtr_limit {
    fn from(own: Option<Limit>) -> Self {
        let watched = own.is_some().into();
        let own = own.unwrap_or(Limit {
            begin: 0,
            end: 0,
            delay_ms: 0,
            gate: 0,
        });
        mtr_limit {
            begin: own.begin,
            end: own.end,
            gate: own.gate,
            delay_ms: own.delay_ms,
            watched,
        }
    }
}

impl From<&mtr_limits> for Limits {
    fn from(given: &mtr_limits) -> Self {
        let of = |condition: Condition| {
            let limit = given.limit.get(condition as usize)?;
            (limit.watched != 0).then_some(Limit {
                begin: limit.begin,
                end: limit.end,
                delay_ms: limit.delay_ms,
                gate: limit.gate,
            })
        };
        Limits {
            voltage_lost: of(Condition::VoltageLost),
            under_voltage: of(Condition::UnderVoltage),
            over_voltage: of(Condition::OverVoltage),
            current_lost: of(Condition::CurrentLost),
            over_current: of(Condition::OverCurrent),
            overload: of(Condition::Overload),
            reverse: of(Condition::Reverse),
            phase_broken: of(Condition::PhaseBroken),
            current_interrupted: of(Condition::CurrentInterrupted),
            voltage_order: of(Condition::VoltageOrder),
            current_order: of(Condition::CurrentOrder),
            voltage_unbalance: of(Condition::VoltageUnbalance),
            current_unbalance: of(Condition::CurrentUnbalance),
            severe_current_unbalance: of(Condition::SevereCurrentUnbalance),
            all_voltages_lost: of(Condition::AllVoltagesLost),
            power_down: of(Condition::PowerDown),
            power_factor_low: of(Condition::PowerFactorLow),
        }
    }
}

fn observation<const PHASES: usize>(given: &mtr_quantities) -> Observation<PHASES> {
    let mut phase = [PhaseObservation::default(); PHASES];
    for (place, line) in phase.iter_mut().zip(&given.phase) {
        *place = PhaseObservation {
            voltage_uv: line.voltage_uv,
            current_ua: line.current_ua,
            active_uw: line.active_uw,
            voltage_angle_mdeg: line.voltage_angle_mdeg,
            current_lag_mdeg: line.angle_mdeg,
        };
    }
    Observation {
        phase,
        apparent_uva: given.apparent_uva,
        power_factor_ppm: given.power_factor_ppm,
        elapsed_ms: given.duration_ms,
    }
}

/// Usual limits of DL/T 614 for a nominal voltage (microvolts), a basic and a maximum current (microamperes): delays of
/// 60 s, lost and under-voltage below 78 %, over-voltage above 120 %, broken below 60 %, over-current and overload above
/// 120 % of the maximum, reversal above 0.5 % of basic power, unbalance above 30 %, power factor below 0.3.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_limits_dlt614(
    nominal_uv: u64,
    basic_ua: u64,
    maximum_ua: u64,
    limits: *mut mtr_limits,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let limits = unsafe { border.place(limits) }?;
        let own = Limits::dlt614(nominal_uv, basic_ua, maximum_ua);
        limits.write(mtr_limits {
            limit: Condition::ALL.map(|condition| own.of(condition).into()),
        });
        Ok(())
    })
}

/// Makes a monitor in `storage` of `size` bytes (at least MTR_MONITOR_SIZE, aligned to MTR_ALIGN). `phases` is 1 or 3.
/// `active` is what held before the power went (mtr_changes), or 0: such a condition does not begin again.
/// MTR_ERR_PARAMETER for another number of phases, MTR_ERR_STATE for a bit that means nothing.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_monitor_init(
    storage: *mut c_void,
    size: usize,
    limits: *const mtr_limits,
    phases: u32,
    active: u64,
    monitor: *mut *mut mtr_monitor,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, limits) = unsafe {
            (
                border.storage(storage, size, monitor)?,
                border.given(limits)?,
            )
        };
        let active = Conditions::from_bits(active).ok_or(mtr_result::MTR_ERR_STATE)?;
        storage.fill(Watching {
            limits: limits.into(),
            monitor: match phases {
                1 => Phases::One(Monitor::resume(active)),
                3 => Phases::Three(Monitor::resume(active)),
                _ => return Err(mtr_result::MTR_ERR_PARAMETER),
            },
        });
        Ok(())
    })
}

/// Judges one window: call it once for each, with the quantities of the chain or of a metering chip (duration_ms
/// counts). MTR_OK: something began or ended; MTR_MORE: nothing changed. `changes` is written with both.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_monitor_update(
    monitor: *mut mtr_monitor,
    quantities: *const mtr_quantities,
    changes: *mut mtr_changes,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (watching, given, changes) = unsafe {
            (
                border.object_mut(monitor)?,
                border.given(quantities)?,
                border.place(changes)?,
            )
        };
        let limits = &watching.limits;
        let (found, active) = match &mut watching.monitor {
            Phases::One(own) => (own.update(limits, &observation(given)), own.active()),
            Phases::Three(own) => (own.update(limits, &observation(given)), own.active()),
        };
        changes.write(mtr_changes {
            begun: found.begun.bits(),
            ended: found.ended.bits(),
            active: active.bits(),
        });
        changed(!found.begun.is_empty() || !found.ended.is_empty())
    })
}

/// MTR_OK when something changed, MTR_MORE when nothing did.
pub(super) fn changed(something: bool) -> Checked<()> {
    something.then_some(()).ok_or(mtr_result::MTR_MORE)
}
