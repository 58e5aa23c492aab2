//! Overload and hot cables: the thermal model of a line, and the watch over a cable's temperature.

use core::ffi::c_void;

use ::metrology::safety::{CableLimits, CableMonitor, ThermalLimits, ThermalModel, Threshold};

use super::calls::written;
use super::conditions::changed;
use crate::border::{Plain, call};
use crate::result::mtr_result;

/// Bytes of storage of an mtr_thermal.
pub const MTR_THERMAL_SIZE: usize = 64;
/// Bytes that mtr_thermal_save writes.
pub const MTR_THERMAL_STATE_LEN: usize = 13;
const _: () = assert!(MTR_THERMAL_STATE_LEN == ThermalModel::STATE_LEN);
/// Bytes of storage of an mtr_cable.
pub const MTR_CABLE_SIZE: usize = 224;

/// Nothing.
pub const MTR_LEVEL_NORMAL: u32 = 0;
/// Somebody should look.
pub const MTR_LEVEL_WARNING: u32 = 1;
/// It is dangerous: alarm or trip.
pub const MTR_LEVEL_ALARM: u32 = 2;

/// How hot a line is, from the squares of its current (IEC 60255-149). Opaque.
pub struct mtr_thermal {
    _opaque: [u8; 0],
}

/// Watches the temperature of one cable or terminal. Opaque.
pub struct mtr_cable {
    _opaque: [u8; 0],
}

/// Constants of a line. Begin with mtr_thermal_defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_thermal_limits {
    /// Current that the line carries for ever, rms, microamperes, not 0.
    pub rated_ua: u64,
    /// Time constant of heating and cooling, milliseconds, not 0.
    pub time_constant_ms: u32,
    /// Heat of the warning, thousandths of that of the rated current for ever.
    pub warning_permille: u32,
    /// Heat of the trip, thousandths; 1103 is a current of 1.05 times the rated one.
    pub trip_permille: u32,
    /// A level is left when the heat is this much below its threshold, thousandths.
    pub hysteresis_permille: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_thermal_limits {}

/// How hot a line is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_thermal_state {
    /// Heat over that of the rated current for ever, thousandths.
    pub heat_permille: u64,
    /// MTR_LEVEL_...
    pub level: u32,
}

/// Two thresholds in the unit of a value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_threshold {
    /// Warning at this value and above.
    pub warning: u64,
    /// Alarm at this value and above.
    pub alarm: u64,
    /// A level is left when the value is this much below its threshold.
    pub hysteresis: u64,
    /// How long a level must be reached, or left, before it is told, milliseconds.
    pub delay_ms: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_threshold {}

/// Limits of a cable. Begin with mtr_cable_defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cable_limits {
    /// Of the temperature, thousandths of a degree Celsius; negative temperatures count as 0.
    pub temperature: mtr_threshold,
    /// Of the rise above the surroundings beyond the expected one, thousandths of a kelvin.
    pub rise: mtr_threshold,
    /// Of the rise in a minute, thousandths of a kelvin.
    pub rate: mtr_threshold,
    /// Rise above the surroundings at the rated current for ever, thousandths of a kelvin; 0 expects none.
    pub rated_rise_mk: u32,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_cable_limits {}

/// Levels of a cable, MTR_LEVEL_..., and what they are judged by.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cable_state {
    /// Level of the temperature.
    pub temperature: u32,
    /// Level of the rise that the current does not explain.
    pub rise: u32,
    /// Level of the rate.
    pub rate: u32,
    /// The rate, thousandths of a kelvin a minute.
    pub rate_mk_min: i32,
    /// Rise above the surroundings less the expected one, thousandths of a kelvin.
    pub excess_mk: i32,
}

/// A line and its constants.
#[derive(Debug)]
pub struct Line {
    limits: ThermalLimits,
    model: ThermalModel,
}

/// A cable and its limits.
#[derive(Debug)]
pub struct Cable {
    limits: CableLimits,
    monitor: CableMonitor,
}

impl From<&mtr_threshold> for Threshold {
    fn from(given: &mtr_threshold) -> Self {
        Threshold {
            warning: given.warning,
            alarm: given.alarm,
            hysteresis: given.hysteresis,
            delay_ms: given.delay_ms,
        }
    }
}

impl From<Threshold> for mtr_threshold {
    fn from(own: Threshold) -> Self {
        mtr_threshold {
            warning: own.warning,
            alarm: own.alarm,
            hysteresis: own.hysteresis,
            delay_ms: own.delay_ms,
        }
    }
}

/// A small cable: 60 A, time constant 10 minutes, trip at 1.05 times the rated current, warning at 90 % of that heat.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_thermal_defaults(limits: *mut mtr_thermal_limits) -> mtr_result {
    call(|mut border| {
        let own = ThermalLimits::CABLE;
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(limits) }?.write(mtr_thermal_limits {
            rated_ua: own.rated_ua,
            time_constant_ms: own.time_constant_ms,
            warning_permille: own.warning_permille,
            trip_permille: own.trip_permille,
            hysteresis_permille: own.hysteresis_permille,
        });
        Ok(())
    })
}

/// Makes a line in `storage` of `size` bytes (at least MTR_THERMAL_SIZE, aligned to MTR_ALIGN). `state` is what
/// mtr_thermal_save wrote, or no bytes for a cold line; `without_ms` is how long it carried nothing since, 0 when nobody
/// knows. MTR_ERR_PARAMETER for a rated current or time constant of 0, MTR_ERR_LENGTH or MTR_ERR_STATE for a state that is
/// damaged or of another version.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_thermal_init(
    storage: *mut c_void,
    size: usize,
    limits: *const mtr_thermal_limits,
    state: *const u8,
    state_len: usize,
    without_ms: u32,
    thermal: *mut *mut mtr_thermal,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, given, state) = unsafe {
            (
                border.storage(storage, size, thermal)?,
                border.given(limits)?,
                border.slice(state, state_len)?,
            )
        };
        if given.rated_ua == 0 || given.time_constant_ms == 0 {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let limits = ThermalLimits {
            rated_ua: given.rated_ua,
            time_constant_ms: given.time_constant_ms,
            warning_permille: given.warning_permille,
            trip_permille: given.trip_permille,
            hysteresis_permille: given.hysteresis_permille,
        };
        let model = match state {
            [] => ThermalModel::new(),
            state => {
                ThermalModel::restore(&limits, state, without_ms).map_err(super::chain::state)?
            }
        };
        storage.fill(Line { limits, model });
        Ok(())
    })
}

/// Takes the current (rms, microamperes) of the last `elapsed_ms`. MTR_OK: the level changed; MTR_MORE: it did not.
/// `state` is written with both.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_thermal_update(
    thermal: *mut mtr_thermal,
    current_ua: u64,
    elapsed_ms: u32,
    state: *mut mtr_thermal_state,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (line, state) = unsafe { (border.object_mut(thermal)?, border.place(state)?) };
        let level = line.model.update(&line.limits, current_ua, elapsed_ms);
        state.write(mtr_thermal_state {
            heat_permille: line.model.heat_permille(),
            level: line.model.level() as u32,
        });
        changed(level.is_some())
    })
}

/// Milliseconds until the trip if this current stays; MTR_MORE when it never comes to it.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_thermal_time_to_trip(
    thermal: *const mtr_thermal,
    current_ua: u64,
    ms: *mut u32,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (line, ms) = unsafe { (border.object(thermal)?, border.place(ms)?) };
        let time = line.model.time_to_trip_ms(&line.limits, current_ua);
        ms.write(time.ok_or(mtr_result::MTR_MORE)?);
        Ok(())
    })
}

/// Writes the heat with version and check sum to `out` (MTR_THERMAL_STATE_LEN bytes are enough) and their number to
/// `len`.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_thermal_save(
    thermal: *const mtr_thermal,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> mtr_result {
    // SAFETY: forwarded contract of this function.
    call(|border| unsafe {
        written(border, thermal, out, capacity, len, |line, out| {
            line.model.save(out).map_err(super::chain::state)
        })
    })
}

/// A cable insulated with PVC: 60 and 70 degrees, 15 and 30 K too much, 5 and 10 K a minute, 30 K at the rated current;
/// 10 s of delay.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cable_defaults(limits: *mut mtr_cable_limits) -> mtr_result {
    call(|mut border| {
        let own = CableLimits::PVC;
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(limits) }?.write(mtr_cable_limits {
            temperature: own.temperature.into(),
            rise: own.rise.into(),
            rate: own.rate.into(),
            rated_rise_mk: own.rated_rise_mk,
        });
        Ok(())
    })
}

/// Makes the watch over a cable in `storage` of `size` bytes (at least MTR_CABLE_SIZE, aligned to MTR_ALIGN).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cable_init(
    storage: *mut c_void,
    size: usize,
    limits: *const mtr_cable_limits,
    cable: *mut *mut mtr_cable,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (storage, given) =
            unsafe { (border.storage(storage, size, cable)?, border.given(limits)?) };
        storage.fill(Cable {
            limits: CableLimits {
                temperature: (&given.temperature).into(),
                rise: (&given.rise).into(),
                rate: (&given.rate).into(),
                rated_rise_mk: given.rated_rise_mk,
            },
            monitor: CableMonitor::new(),
        });
        Ok(())
    })
}

/// Takes the temperatures of cable and surroundings, thousandths of a degree Celsius, `elapsed_ms` after the last ones;
/// `thermal` is the line that heats it. MTR_ERR_REFUSED for a temperature outside -50 to 250 degrees, which is that of a
/// broken or shorted sensor; nothing is told then.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_cable_update(
    cable: *mut mtr_cable,
    thermal: *const mtr_thermal,
    cable_mc: i32,
    ambient_mc: i32,
    elapsed_ms: u32,
    state: *mut mtr_cable_state,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (cable, line, state) = unsafe {
            (
                border.object_mut(cable)?,
                border.object(thermal)?,
                border.place(state)?,
            )
        };
        let found = cable
            .monitor
            .update(&cable.limits, &line.model, cable_mc, ambient_mc, elapsed_ms)
            .map_err(|_| mtr_result::MTR_ERR_REFUSED)?;
        state.write(mtr_cable_state {
            temperature: found.temperature as u32,
            rise: found.rise as u32,
            rate: found.rate as u32,
            rate_mk_min: found.rate_mk_min,
            excess_mk: found.excess_mk,
        });
        Ok(())
    })
}
