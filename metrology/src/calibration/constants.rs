//! The stored form of the constants of one phase or circuit.

use super::{CalibrationError, Gain, PhaseParameters};
use crate::bytes::{Reader, Writer};
use crate::compensation::{CURVE_POINTS, Curve, CurvePoint, Drift};

/// Bytes of the part that version 1 has.
pub(super) const FIRST_LEN: usize = 32;
/// Bytes of the part that version 2 adds.
pub(super) const EXTENSION_LEN: usize = 17 + 12 * CURVE_POINTS;

/// Bytes of both.
pub(crate) const LEN: usize = FIRST_LEN + EXTENSION_LEN;

/// Writes what version 1 holds.
pub(crate) fn put_first(w: &mut Writer<'_>, phase: &PhaseParameters) {
    w.put(&phase.voltage_gain.to_le_bytes());
    w.put(&phase.current_gain.to_le_bytes());
    w.put(&phase.current_noise.to_le_bytes());
    for word in [
        phase.voltage_offset,
        phase.current_offset,
        phase.delay_ns,
        phase.angle,
        phase.power_offset_uw,
    ] {
        w.put(&word.to_le_bytes());
    }
}

/// Writes what version 2 adds.
pub(crate) fn put_extension(w: &mut Writer<'_>, phase: &PhaseParameters) {
    for drift in [phase.voltage_drift, phase.current_drift] {
        w.put(&drift.linear_ppt.to_le_bytes());
        w.put(&drift.square_ppq.to_le_bytes());
    }
    let points = phase.curve.points();
    w.put(&[points.len() as u8]);
    for index in 0..CURVE_POINTS {
        let point = points.get(index).copied().unwrap_or_default();
        w.put(&point.current_ua.to_le_bytes());
        w.put(&point.ratio_ppm.to_le_bytes());
        w.put(&point.angle.to_le_bytes());
    }
}

/// Reads what version 1 holds; nothing when the bytes end.
pub(crate) fn read_first(r: &mut Reader<'_>, phase: &mut PhaseParameters) -> Option<()> {
    phase.voltage_gain = Gain::from_bits(r.u32()?);
    phase.current_gain = Gain::from_bits(r.u32()?);
    phase.current_noise = r.u32()?;
    phase.voltage_offset = r.i32()?;
    phase.current_offset = r.i32()?;
    phase.delay_ns = r.i32()?;
    phase.angle = r.i32()?;
    phase.power_offset_uw = r.i32()?;
    Some(())
}

/// Reads what version 2 adds.
pub(crate) fn read_extension(
    r: &mut Reader<'_>,
    phase: &mut PhaseParameters,
) -> Option<Result<(), CalibrationError>> {
    for drift in [&mut phase.voltage_drift, &mut phase.current_drift] {
        *drift = Drift {
            linear_ppt: r.i32()?,
            square_ppq: r.i32()?,
        };
    }
    let position = r.position();
    let found = r.byte()?;
    let mut points = [CurvePoint::default(); CURVE_POINTS];
    for point in &mut points {
        *point = CurvePoint {
            current_ua: r.u32()?,
            ratio_ppm: r.i32()?,
            angle: r.i32()?,
        };
    }
    let Some(points) = points.get(..usize::from(found)) else {
        return Some(Err(CalibrationError::Code { position, found }));
    };
    Some(Curve::try_new(points).map(|curve| phase.curve = curve))
}
