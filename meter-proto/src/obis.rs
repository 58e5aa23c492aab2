//! Points to OBIS codes of electricity and back: A-B:C.D.E*F of IEC 62056-6-1.
//!
//! | group | is |
//! | --- | --- |
//! | A | 1, electricity |
//! | B | channel |
//! | C | quantity, phase and direction: 1 and 2 active import and export, 3 and 4 reactive, 5 to 8 quadrants I to IV, 9 and 10 apparent, 11 current, 12 voltage, 13 power factor, 14 frequency, 16 net active; 20, 40, 60 more for L1, L2, L3; 91 and 92 current and voltage of the neutral |
//! | D | 7 instantaneous, 8 register, 29 energy of the interval, 4 running demand, 6 maximum demand |
//! | E | rate; with D = 7 and C a current or voltage the harmonic order, 124 the distortion |
//! | F | settlement, 255 for now |
//!
//! What has no place in this table travels as a foreign point ([`PointId::obis`]).

use crate::point::{Direction, Foreign, Parts, Phase, PointId, Statistic};
use crate::quantity::Quantity;

/// What group C is within its phase: power and energy of the same kind share it, group D tells them apart.
struct Row {
    c: u8,
    energy: Option<Quantity>,
    other: Quantity,
    direction: Direction,
}

const fn flow(c: u8, energy: Quantity, power: Quantity, direction: Direction) -> Row {
    Row {
        c,
        energy: Some(energy),
        other: power,
        direction,
    }
}

const fn plain(c: u8, quantity: Quantity) -> Row {
    Row {
        c,
        energy: None,
        other: quantity,
        direction: Direction::NET,
    }
}

const CURRENT: u8 = 11;
const VOLTAGE: u8 = 12;

use Quantity as Q;
static ROWS: [Row; 15] = [
    flow(1, Q::ACTIVE_ENERGY, Q::ACTIVE_POWER, Direction::IMPORT),
    flow(2, Q::ACTIVE_ENERGY, Q::ACTIVE_POWER, Direction::EXPORT),
    flow(3, Q::REACTIVE_ENERGY, Q::REACTIVE_POWER, Direction::IMPORT),
    flow(4, Q::REACTIVE_ENERGY, Q::REACTIVE_POWER, Direction::EXPORT),
    flow(
        5,
        Q::REACTIVE_ENERGY,
        Q::REACTIVE_POWER,
        Direction::QUADRANT_1,
    ),
    flow(
        6,
        Q::REACTIVE_ENERGY,
        Q::REACTIVE_POWER,
        Direction::QUADRANT_2,
    ),
    flow(
        7,
        Q::REACTIVE_ENERGY,
        Q::REACTIVE_POWER,
        Direction::QUADRANT_3,
    ),
    flow(
        8,
        Q::REACTIVE_ENERGY,
        Q::REACTIVE_POWER,
        Direction::QUADRANT_4,
    ),
    flow(9, Q::APPARENT_ENERGY, Q::APPARENT_POWER, Direction::IMPORT),
    flow(10, Q::APPARENT_ENERGY, Q::APPARENT_POWER, Direction::EXPORT),
    plain(CURRENT, Q::CURRENT),
    plain(VOLTAGE, Q::VOLTAGE),
    plain(13, Q::POWER_FACTOR),
    plain(14, Q::FREQUENCY),
    flow(16, Q::ACTIVE_ENERGY, Q::ACTIVE_POWER, Direction::NET),
];

/// Group E of total harmonic distortion.
const DISTORTION: u8 = 124;
/// The highest order of a harmonic in a point.
const ORDER_MAX: u8 = 61;
const RATE_MAX: u8 = 63;

/// Group F and settlement are one number, but for "now" and "other", 0 and 255, which change places.
const fn period(number: u8) -> u8 {
    match number {
        0 => 255,
        255 => 0,
        number => number,
    }
}

const fn distortion(c: u8) -> Option<Quantity> {
    match c {
        CURRENT => Some(Q::CURRENT_DISTORTION),
        VOLTAGE => Some(Q::VOLTAGE_DISTORTION),
        _ => None,
    }
}

impl PointId {
    /// The point of an OBIS code; a code without a place in the table becomes a foreign point.
    ///
    /// ```
    /// use meter_proto::point::{Direction, PointId};
    /// use meter_proto::quantity::Quantity;
    /// let import = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT);
    /// assert_eq!(PointId::from_obis([1, 0, 1, 8, 2, 255]), import.tariff(2));
    /// assert_eq!(import.tariff(2).to_obis(), Some([1, 0, 1, 8, 2, 255]));
    /// ```
    #[must_use]
    pub fn from_obis(code: [u8; 6]) -> Self {
        known(code).unwrap_or(Self::obis(code))
    }

    /// The OBIS code of the point, `None` when the table has none; a foreign OBIS point gives its own.
    #[must_use]
    pub fn to_obis(self) -> Option<[u8; 6]> {
        if let Some(foreign) = self.foreign() {
            return match foreign {
                Foreign::Obis(code) => Some(code),
                _ => None,
            };
        }
        let parts = self.parts();
        let c = match (parts.phase, parts.quantity) {
            (Phase::N, Q::CURRENT | Q::CURRENT_DISTORTION) => 91,
            (Phase::N, Q::VOLTAGE | Q::VOLTAGE_DISTORTION) => 92,
            (Phase(phase @ 0..=3), quantity) => {
                let row = ROWS.iter().find(|row| {
                    row.direction == parts.direction
                        && (row.other == quantity
                            || row.energy == Some(quantity)
                            || distortion(row.c) == Some(quantity))
                })?;
                row.c + 20 * phase
            }
            _ => return None,
        };
        let (d, e) = detail(&parts)?;
        let code = [1, parts.channel, c, d, e, period(parts.settlement)];
        // What the code does not say must not be lost: only what comes back is a mapping.
        (known(code) == Some(self)).then_some(code)
    }
}

/// Groups D and E.
fn detail(parts: &Parts) -> Option<(u8, u8)> {
    let quantity = parts.quantity;
    let is_energy = ROWS.iter().any(|row| row.energy == Some(quantity));
    if matches!(quantity, Q::CURRENT_DISTORTION | Q::VOLTAGE_DISTORTION) {
        return Some((7, DISTORTION));
    }
    Some(match (is_energy, parts.statistic) {
        (true, Statistic::NATURAL) => (8, parts.tariff),
        (true, Statistic::DIFFERENCE) => (29, parts.tariff),
        (false, Statistic::NATURAL) => (7, parts.harmonic),
        (false, Statistic::RUNNING_DEMAND) => (4, parts.tariff),
        (false, Statistic::MAXIMUM_DEMAND) => (6, parts.tariff),
        _ => return None,
    })
}

fn known(code: [u8; 6]) -> Option<PointId> {
    let [1, channel, c, d, e, f] = code else {
        return None;
    };
    let (phase, base) = match c {
        91 => (Phase::N, CURRENT),
        92 => (Phase::N, VOLTAGE),
        1..=79 => (Phase(c / 20), c % 20),
        _ => return None,
    };
    let row = ROWS.iter().find(|row| row.c == base)?;
    let rate = (e <= RATE_MAX).then_some(e);
    let point = match d {
        8 => PointId::new(row.energy?).tariff(rate?),
        29 => PointId::new(row.energy?)
            .tariff(rate?)
            .statistic(Statistic::DIFFERENCE),
        4 => PointId::new(row.other)
            .tariff(rate?)
            .statistic(Statistic::RUNNING_DEMAND),
        6 => PointId::new(row.other)
            .tariff(rate?)
            .statistic(Statistic::MAXIMUM_DEMAND),
        7 => match (e, distortion(base)) {
            (0, _) => PointId::new(row.other),
            (DISTORTION, Some(distortion)) => PointId::new(distortion),
            (1..=ORDER_MAX, Some(_)) => PointId::new(row.other).harmonic(e),
            _ => return None,
        },
        _ => return None,
    };
    Some(
        point
            .phase(phase)
            .direction(row.direction)
            .settlement(period(f))
            .channel(channel),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_electricity_comes_back() {
        let mut mapped = 0;
        for c in 0..=255u8 {
            for d in (0..=30).chain([255]) {
                for e in 0..=255 {
                    let code = [1, e % 5, c, d, e, c.wrapping_mul(7).wrapping_add(e)];
                    let point = PointId::from_obis(code);
                    assert_eq!(point.to_obis(), Some(code));
                    mapped += usize::from(point.foreign().is_none());
                }
            }
        }
        // Per phase: eleven flows with two energies and two demands of 64 rates and one power; current and voltage with
        // 62 instantaneous values, distortion and demands; power factor and frequency with one value and demands.
        let flows = 11 * (4 * 64 + 1);
        let phase = flows + 2 * (62 + 1 + 128) + 2 * (1 + 128);
        let neutral = 2 * (62 + 1 + 128);
        assert_eq!(mapped, 4 * phase + neutral);
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        let import = PointId::new(Q::ACTIVE_ENERGY).direction(Direction::IMPORT);
        for (point, code) in [
            (import, [1, 0, 1, 8, 0, 255]),
            (import.tariff(4).settlement(1), [1, 0, 1, 8, 4, 1]),
            (PointId::new(Q::ACTIVE_POWER), [1, 0, 16, 7, 0, 255]),
            (
                PointId::new(Q::VOLTAGE).phase(Phase::L1),
                [1, 0, 32, 7, 0, 255],
            ),
            (
                PointId::new(Q::CURRENT).phase(Phase::L3),
                [1, 0, 71, 7, 0, 255],
            ),
            (
                PointId::new(Q::CURRENT).phase(Phase::N),
                [1, 0, 91, 7, 0, 255],
            ),
            (PointId::new(Q::FREQUENCY), [1, 0, 14, 7, 0, 255]),
            (
                PointId::new(Q::POWER_FACTOR).phase(Phase::L2),
                [1, 0, 53, 7, 0, 255],
            ),
            (
                PointId::new(Q::VOLTAGE).phase(Phase::L1).harmonic(7),
                [1, 0, 32, 7, 7, 255],
            ),
            (
                PointId::new(Q::CURRENT_DISTORTION).phase(Phase::L2),
                [1, 0, 51, 7, 124, 255],
            ),
            (
                PointId::new(Q::ACTIVE_POWER)
                    .direction(Direction::EXPORT)
                    .statistic(Statistic::MAXIMUM_DEMAND)
                    .channel(3),
                [1, 3, 2, 6, 0, 255],
            ),
        ] {
            assert_eq!(point.to_obis(), Some(code), "{point}");
            assert_eq!(PointId::from_obis(code), point);
        }
        for without in [
            PointId::new(Q::TEMPERATURE),
            PointId::new(Q::REACTIVE_POWER),
            PointId::new(Q::VOLTAGE).phase(Phase::L1L2),
            import.harmonic(1),
            import.statistic(Statistic::DAY),
            PointId::data_id(0x0001_0000),
        ] {
            assert_eq!(without.to_obis(), None, "{without}");
        }
    }
}
