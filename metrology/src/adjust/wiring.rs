//! Faults of the wiring that show at a known load.

use super::Fault;
use crate::quantities::Quantities;

/// A third of a turn, millidegrees.
const THIRD: u32 = 120_000;
/// How far a voltage or a current may lie from its place before calibration, millidegrees: sensors and filters
/// shift by a few degrees, and the nearest wrong place is a sixth of a turn away.
const LIMIT_MDEG: u32 = 25_000;

/// Refuses quantities that no right wiring gives at this load: a missing voltage (below half of `nominal_uv`),
/// voltages in the wrong order, a reversed current or one of another phase. All currents lag their voltages
/// by `load_mdeg` (0 at PF 1, 60,000 at PF 0.5 inductive).
///
/// # Errors
/// [`Fault::NoVoltage`], [`Fault::Sequence`], [`Fault::Terminals`] with the phase and what was measured.
pub fn wiring<const PHASES: usize>(
    quantities: &Quantities<PHASES>,
    nominal_uv: u64,
    load_mdeg: i32,
) -> Result<(), Fault> {
    for (phase, line) in (0_u8..).zip(&quantities.phase) {
        let found_uv = line.voltage_uv;
        if found_uv < nominal_uv / 2 {
            return Err(Fault::NoVoltage { phase, found_uv });
        }
        // The angle is a lead; the sequence is told in lags.
        let found_mdeg = (-line.voltage_angle_mdeg).rem_euclid(360_000) as u32;
        let expected_mdeg = THIRD * u32::from(phase);
        if apart(found_mdeg.into(), expected_mdeg.into()) > LIMIT_MDEG {
            return Err(Fault::Sequence {
                phase,
                found_mdeg,
                expected_mdeg,
            });
        }
        if apart(line.angle_mdeg.into(), load_mdeg.into()) > LIMIT_MDEG {
            return Err(Fault::Terminals {
                phase,
                found_mdeg: line.angle_mdeg,
                expected_mdeg: load_mdeg,
            });
        }
    }
    Ok(())
}

/// Distance of two angles on the circle, millidegrees.
fn apart(a: i64, b: i64) -> u32 {
    let around = (a - b).rem_euclid(360_000) as u32;
    around.min(360_000 - around)
}
