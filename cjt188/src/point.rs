//! From readings to the points of the unified standard.

use heapless::Vec;
use meter_proto::point::PointId;
use meter_proto::quantity::Quantity as Kind;
use meter_proto::value::Value;

use crate::meter_type::{Medium, MeterType};
use crate::reading::Reading;
use crate::status::Status;
use crate::unit::Unit;
use crate::value::Quantity;

/// The points of one reading with their values; at most nine.
pub type Points = Vec<(PointId, Value), 9>;

const VOLUME: u8 = 24;
const FLOW: u8 = 25;
const HEAT_JOULE: u8 = 26;
const HEAT_POWER: u8 = 27;
const TEMPERATURE: u8 = 15;
const ACTIVE_ENERGY: u8 = 8;
const STATE_WORD: u8 = 33;
const HEAT_WATT_HOUR: u8 = 43;
const HEAT_POWER_JOULE_PER_HOUR: u8 = 44;

/// Symbol, quantity and power of ten of the unit in the unit of that quantity. Digits counted in Wh and in J are
/// different quantities, so that legal digits are never multiplied.
const UNITS: [(&str, u8, i8); 18] = [
    ("J", HEAT_JOULE, 0),
    ("kJ", HEAT_JOULE, 3),
    ("MJ", HEAT_JOULE, 6),
    ("GJ", HEAT_JOULE, 9),
    ("Wh", HEAT_WATT_HOUR, 0),
    ("kWh", HEAT_WATT_HOUR, 3),
    ("MWh", HEAT_WATT_HOUR, 6),
    ("W", HEAT_POWER, 0),
    ("kW", HEAT_POWER, 3),
    ("MW", HEAT_POWER, 6),
    ("L", VOLUME, -3),
    ("m3", VOLUME, 0),
    ("L/h", FLOW, -3),
    ("m3/h", FLOW, 0),
    ("J/h", HEAT_POWER_JOULE_PER_HOUR, 0),
    ("kJ/h", HEAT_POWER_JOULE_PER_HOUR, 3),
    ("MJ/h", HEAT_POWER_JOULE_PER_HOUR, 6),
    ("GJ/h", HEAT_POWER_JOULE_PER_HOUR, 9),
];

fn by_unit(unit: Unit, medium: Option<Medium>) -> Option<(u8, i8)> {
    let (symbol, multiple) = unit.symbol()?;
    let (_, kind, power) = *UNITS.iter().find(|row| row.0 == symbol)?;
    // An electricity meter on this protocol counts active energy in the codes of heat.
    let electric = kind == HEAT_WATT_HOUR && medium == Some(Medium::Other);
    let kind = if electric { ACTIVE_ENERGY } else { kind };
    Some((kind, power + multiple as i8))
}

impl Reading {
    /// The numbers of the reading as points of the unified standard, digits unchanged, and ST as a state word (first
    /// byte low). Values whose unit code is unknown are left out: their quantity cannot be told. The meter's clock is
    /// no point.
    ///
    /// The hours of a heat meter are left out too: the unified standard counts seconds.
    #[must_use]
    pub fn points(&self, meter_type: MeterType) -> Points {
        let medium = meter_type.medium();
        let mut points = Points::new();
        let mut add = |quantity: Quantity, kind: Option<(u8, i8)>, settlement: u8, channel: u8| {
            let Some((kind, power)) = kind.or_else(|| by_unit(quantity.unit?, medium)) else {
                return;
            };
            let point = PointId::new(Kind::from_id(kind))
                .settlement(settlement)
                .channel(channel);
            let exponent = power - quantity.decimals as i8;
            // Nine places hold the longest reading.
            let _ = points.push((point, Value::new(i64::from(quantity.mantissa), exponent)));
        };
        match self {
            Reading::Volume(volume) => {
                add(volume.current, None, 0, 0);
                add(volume.settlement, None, 1, 0);
            }
            Reading::Heat(heat) => {
                add(heat.settlement_heat, None, 1, 0);
                add(heat.current_heat, None, 0, 0);
                add(heat.power, None, 0, 0);
                add(heat.flow, None, 0, 0);
                add(heat.volume, None, 0, 0);
                add(heat.supply, Some((TEMPERATURE, 0)), 0, 1);
                add(heat.back, Some((TEMPERATURE, 0)), 0, 2);
            }
        }
        let Status([low, high]) = self.status();
        let word = i64::from(u16::from_le_bytes([low, high]));
        let _ = points.push((PointId::new(Kind::from_id(STATE_WORD)), Value::new(word, 0)));
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::VolumeReading;

    #[test]
    fn a_water_reading_keeps_its_digits() {
        let current = Quantity {
            mantissa: 6800,
            decimals: 2,
            unit: Some(Unit::CUBIC_METRE),
        };
        let settlement = Quantity {
            mantissa: 15,
            decimals: 2,
            unit: Some(Unit::LITRE),
        };
        let status = Status([0x04, 0x01]);
        let reading = Reading::Volume(VolumeReading {
            current,
            settlement,
            time: None,
            status,
        });
        let points = reading.points(MeterType::COLD_WATER);
        let volume = PointId::new(Kind::from_id(VOLUME));
        assert_eq!(points[0], (volume, Value::new(6800, -2)));
        assert_eq!(points[1], (volume.settlement(1), Value::new(15, -5)));
        assert_eq!(
            points[2],
            (
                PointId::new(Kind::from_id(STATE_WORD)),
                Value::new(0x0104, 0)
            )
        );
    }
}
