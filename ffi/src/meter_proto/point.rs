//! What is measured.

use core::ffi::c_char;

use ::meter_proto::point::{Direction, Parts, Phase, PointId, Statistic};
use ::meter_proto::quantity::Quantity;

use super::value::language_of;
use crate::border::{Plain, call};
use crate::result::mtr_result;
use crate::text;

/// Quantity: voltage, V.
pub const MTR_QUANTITY_VOLTAGE: u8 = 1;
/// Quantity: current, A.
pub const MTR_QUANTITY_CURRENT: u8 = 2;
/// Quantity: active power, W.
pub const MTR_QUANTITY_ACTIVE_POWER: u8 = 3;
/// Quantity: reactive power, var.
pub const MTR_QUANTITY_REACTIVE_POWER: u8 = 4;
/// Quantity: apparent power, VA.
pub const MTR_QUANTITY_APPARENT_POWER: u8 = 5;
/// Quantity: power factor, 1.
pub const MTR_QUANTITY_POWER_FACTOR: u8 = 6;
/// Quantity: frequency, Hz.
pub const MTR_QUANTITY_FREQUENCY: u8 = 7;
/// Quantity: active energy, Wh.
pub const MTR_QUANTITY_ACTIVE_ENERGY: u8 = 8;
/// Quantity: reactive energy, varh.
pub const MTR_QUANTITY_REACTIVE_ENERGY: u8 = 9;
/// Quantity: temperature, degrees Celsius.
pub const MTR_QUANTITY_TEMPERATURE: u8 = 15;
/// Quantity: money balance, currency.
pub const MTR_QUANTITY_MONEY_BALANCE: u8 = 20;
/// Quantity: volume, cubic metre.
pub const MTR_QUANTITY_VOLUME: u8 = 24;
/// Quantity: volume flow, cubic metre per hour.
pub const MTR_QUANTITY_VOLUME_FLOW: u8 = 25;
/// Quantity: heat energy, J.
pub const MTR_QUANTITY_HEAT_ENERGY: u8 = 26;
/// Quantity: pressure, Pa.
pub const MTR_QUANTITY_PRESSURE: u8 = 28;

// The numbers of all quantities are in the description of the messages; these are what most meters have.
const _: () = assert!(
    MTR_QUANTITY_VOLTAGE == Quantity::VOLTAGE.id()
        && MTR_QUANTITY_CURRENT == Quantity::CURRENT.id()
        && MTR_QUANTITY_ACTIVE_POWER == Quantity::ACTIVE_POWER.id()
        && MTR_QUANTITY_REACTIVE_POWER == Quantity::REACTIVE_POWER.id()
        && MTR_QUANTITY_APPARENT_POWER == Quantity::APPARENT_POWER.id()
        && MTR_QUANTITY_POWER_FACTOR == Quantity::POWER_FACTOR.id()
        && MTR_QUANTITY_FREQUENCY == Quantity::FREQUENCY.id()
        && MTR_QUANTITY_ACTIVE_ENERGY == Quantity::ACTIVE_ENERGY.id()
        && MTR_QUANTITY_REACTIVE_ENERGY == Quantity::REACTIVE_ENERGY.id()
        && MTR_QUANTITY_TEMPERATURE == Quantity::TEMPERATURE.id()
        && MTR_QUANTITY_MONEY_BALANCE == Quantity::MONEY_BALANCE.id()
        && MTR_QUANTITY_VOLUME == Quantity::VOLUME.id()
        && MTR_QUANTITY_VOLUME_FLOW == Quantity::VOLUME_FLOW.id()
        && MTR_QUANTITY_HEAT_ENERGY == Quantity::HEAT_ENERGY.id()
        && MTR_QUANTITY_PRESSURE == Quantity::PRESSURE.id()
);

/// Phase: total or none.
pub const MTR_PHASE_TOTAL: u8 = 0;
/// Phase: L1. 2 is L2, 3 is L3.
pub const MTR_PHASE_L1: u8 = 1;
/// Direction: net or none.
pub const MTR_DIRECTION_NET: u8 = 0;
/// Direction: import.
pub const MTR_DIRECTION_IMPORT: u8 = 1;
/// Direction: export.
pub const MTR_DIRECTION_EXPORT: u8 = 2;
/// Statistic: as measured.
pub const MTR_STATISTIC_NATURAL: u8 = 0;
/// Statistic: maximum demand.
pub const MTR_STATISTIC_MAXIMUM_DEMAND: u8 = 5;

/// The parts of a point; all 0 but the quantity for the total of the main circuit now.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_proto_parts {
    /// MTR_QUANTITY_...
    pub quantity: u8,
    /// MTR_PHASE_...
    pub phase: u8,
    /// MTR_DIRECTION_...
    pub direction: u8,
    /// Rate 1 to 63, 0 total.
    pub tariff: u8,
    /// MTR_STATISTIC_...
    pub statistic: u8,
    /// Harmonic order, 0 all.
    pub harmonic: u8,
    /// 0 now, 1 to 12 billing days back, 64 to 153 daily freeze, 160 to 207 monthly freeze.
    pub settlement: u8,
    /// Circuit or sensor, 0 main.
    pub channel: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_proto_parts {}

/// Joins parts to a point. MTR_ERR_PARAMETER when a part has more bits than its place (quantity 7, phase 4, direction 3,
/// tariff 6, statistic 4, harmonic 6).
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_point(
    parts: *const mtr_proto_parts,
    point: *mut u64,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (parts, point) = unsafe { (border.given(parts)?, border.place(point)?) };
        let fits = parts.quantity < 128
            && parts.phase < 16
            && parts.direction < 8
            && parts.tariff < 64
            && parts.statistic < 16
            && parts.harmonic < 64;
        if !fits {
            return Err(mtr_result::MTR_ERR_PARAMETER);
        }
        let made = PointId::new(Quantity::from_id(parts.quantity))
            .phase(Phase(parts.phase))
            .direction(Direction(parts.direction))
            .tariff(parts.tariff)
            .statistic(Statistic(parts.statistic))
            .harmonic(parts.harmonic)
            .settlement(parts.settlement)
            .channel(parts.channel);
        point.write(made.bits());
        Ok(())
    })
}

/// Splits a point into its parts. MTR_ERR_VALUE for a point that carries the code of another standard or names a set.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_point_parts(
    point: u64,
    parts: *mut mtr_proto_parts,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let parts = unsafe { border.place(parts) }?;
        let point = PointId::from_bits(point);
        if point.foreign().is_some() || point.set_number().is_some() {
            return Err(mtr_result::MTR_ERR_VALUE);
        }
        let Parts {
            quantity,
            phase,
            direction,
            tariff,
            statistic,
            harmonic,
            settlement,
            channel,
        } = point.parts();
        parts.write(mtr_proto_parts {
            quantity: quantity.id(),
            phase: phase.0,
            direction: direction.0,
            tariff,
            statistic: statistic.0,
            harmonic,
            settlement,
            channel,
        });
        Ok(())
    })
}

/// An OBIS code A-B:C.D.E*F.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_obis {
    /// A to F.
    pub code: [u8; 6],
}

/// The point of an OBIS code; a code without a place in the table is carried as it is.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_point_from_obis(obis: mtr_obis, point: *mut u64) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        unsafe { border.place(point) }?.write(PointId::from_obis(obis.code).bits());
        Ok(())
    })
}

/// The OBIS code of a point. MTR_ERR_IDENTIFIER when it has none.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_point_to_obis(point: u64, obis: *mut mtr_obis) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let obis = unsafe { border.place(obis) }?;
        let code = PointId::from_bits(point).to_obis();
        obis.write(mtr_obis {
            code: code.ok_or(mtr_result::MTR_ERR_IDENTIFIER)?,
        });
        Ok(())
    })
}

/// The name of a point in a language (MTR_LANG_...), as `Active energy import, tariff 2`: UTF-8 and a NUL.
/// MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH when it does not fit.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_point_name(
    point: u64,
    lang: u32,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (text, text_len) = unsafe {
            (
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let name = PointId::from_bits(point).name(language_of(lang)?);
        text_len.write(text::write(text, &name)?);
        Ok(())
    })
}

/// The unit of a point, `1` for pure numbers and nothing for a quantity without a row: UTF-8 and a NUL. MTR_ERR_LENGTH
/// when it does not fit; 16 bytes are enough.
///
/// # Safety
/// The rules of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtr_proto_point_unit(
    point: u64,
    text: *mut c_char,
    capacity: usize,
    text_len: *mut usize,
) -> mtr_result {
    call(|mut border| {
        // SAFETY: forwarded contract of this function.
        let (text, text_len) = unsafe {
            (
                border.buffer(text.cast(), capacity)?,
                border.place(text_len)?,
            )
        };
        let unit = PointId::from_bits(point).quantity().unit();
        text_len.write(text::write(text, &unit)?);
        Ok(())
    })
}
