//! Registers and quantities as they leave the metering core.

use meter_proto::compact::SnapshotWriter;
use meter_proto::message::{Head, Sample as Reading};
use meter_proto::point::{Direction as Flow, Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::value::Value;
use metrology::event::Conditions;
use metrology::{Quantities, Registers};

use crate::crossing::{Instantaneous, PhaseValues};

/// Writes the registers as a compact snapshot: exact values in Wh and varh with one decimal.
pub(super) fn snapshot<const P: usize>(
    head: &Head,
    registers: &Registers<P>,
    out: &mut [u8],
) -> Option<usize> {
    const PHASES: [Phase; 3] = [Phase::L1, Phase::L2, Phase::L3];
    const QUADRANTS: [Flow; 4] = [
        Flow::QUADRANT_1,
        Flow::QUADRANT_2,
        Flow::QUADRANT_3,
        Flow::QUADRANT_4,
    ];
    let value = |steps: u64| Value::new(i64::try_from(steps).unwrap_or(i64::MAX), -1);
    let active = PointId::new(Quantity::ACTIVE_ENERGY);
    let phases = if P == 3 { 3 } else { 0 };
    let mut writer = SnapshotWriter::new(head, 6 + 2 * phases, out).ok()?;
    writer
        .push(&Reading::new(
            active.direction(Flow::IMPORT),
            value(registers.active.import),
        ))
        .ok()?;
    writer
        .push(&Reading::new(
            active.direction(Flow::EXPORT),
            value(registers.active.export),
        ))
        .ok()?;
    for (direction, steps) in QUADRANTS.into_iter().zip(registers.reactive) {
        let point = PointId::new(Quantity::REACTIVE_ENERGY).direction(direction);
        writer.push(&Reading::new(point, value(steps))).ok()?;
    }
    for (phase, counts) in PHASES.into_iter().zip(&registers.phase).take(phases) {
        let point = active.phase(phase);
        writer
            .push(&Reading::new(
                point.direction(Flow::IMPORT),
                value(counts.import),
            ))
            .ok()?;
        writer
            .push(&Reading::new(
                point.direction(Flow::EXPORT),
                value(counts.export),
            ))
            .ok()?;
    }
    writer.finish().ok()
}

/// Quantities as they cross: thousandths, limited to their range.
pub(super) fn instantaneous<const P: usize>(
    quantities: &Quantities<P>,
    conditions: Conditions,
) -> Instantaneous {
    let signed = |micro: i64| {
        let milli = micro.saturating_add(if micro < 0 { -500 } else { 500 }) / 1000;
        milli.clamp(i32::MIN.into(), i32::MAX.into()) as i32
    };
    let unsigned = |micro: u64| u32::try_from(micro.saturating_add(500) / 1000).unwrap_or(u32::MAX);
    let mut phase = [PhaseValues::default(); 3];
    for (to, from) in phase.iter_mut().zip(&quantities.phase) {
        *to = PhaseValues {
            voltage_mv: unsigned(from.voltage_uv),
            current_ua: u32::try_from(from.current_ua).unwrap_or(u32::MAX),
            active_mw: signed(from.active_uw),
            reactive_mvar: signed(from.reactive_uvar),
            apparent_mva: unsigned(from.apparent_uva),
            power_factor_ppm: from.power_factor_ppm,
            angle_mdeg: from.angle_mdeg,
        };
    }
    let flags = quantities.flags;
    Instantaneous {
        window: u32::try_from(quantities.number).unwrap_or(u32::MAX),
        frequency_mhz: quantities
            .frequency_uhz
            .map_or(0, |uhz| uhz.saturating_add(500) / 1000),
        active_mw: signed(quantities.total.active_uw),
        reactive_mvar: signed(quantities.total.reactive_uvar),
        apparent_mva: unsigned(quantities.total.apparent_uva),
        power_factor_ppm: quantities.total.power_factor_ppm,
        saturated: flags.voltage_saturated | flags.current_saturated != 0,
        conditions,
        phase,
    }
}
