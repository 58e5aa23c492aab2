//! From identifiers to the points of the unified standard.

use meter_proto::point::{Direction, Phase, PointId, Statistic};
use meter_proto::quantity::Quantity;
use meter_proto::value as unified;

use crate::data_id::DataId;
use crate::data_table::{ORDER, PLACES};
use crate::value::Value;

const NEUTRAL_CURRENT: DataId = DataId(0x0280_0001);

impl DataId {
    /// The point of a single item and the decimal exponent of the last digit of its numbers; `None` for blocks and for
    /// items that have no place in the unified standard.
    ///
    /// ```
    /// use meter_proto::point::{Direction, PointId};
    /// use meter_proto::quantity::Quantity;
    /// let (point, exponent) = dlt645::DataId(0x0001_0100).point().unwrap();
    /// assert_eq!(point, PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT).tariff(1));
    /// assert_eq!(exponent, 1);   // 0.01 kWh is 10^1 Wh
    /// ```
    #[must_use]
    pub fn point(self) -> Option<(PointId, i8)> {
        let item = self.item()?;
        let place = PLACES.get(item.nth())?;
        if item.is_block() || place.quantity == 0 {
            return None;
        }
        let phase = if self == NEUTRAL_CURRENT {
            Phase::N
        } else {
            Phase(item.phase())
        };
        let harmonic = if place.harmonic == ORDER {
            self.di0()
        } else {
            place.harmonic
        };
        let quantity = Quantity::from_id(place.quantity);
        // Status words are the channels of one quantity.
        let channel = if quantity == Quantity::STATE_WORD {
            self.di0()
        } else {
            place.channel
        };
        let point = PointId::new(quantity)
            .phase(phase)
            .direction(Direction(place.direction))
            .tariff(item.tariff().unwrap_or(0))
            .statistic(Statistic(place.statistic))
            .harmonic(harmonic)
            .settlement(item.settlement().unwrap_or(0))
            .channel(channel);
        Some((point, place.exponent))
    }

    /// A decoded value as the unified standard carries it, digits unchanged: an absent item becomes a missing value,
    /// a maximum demand its number (its time belongs to the point with [`Statistic::TIME_OF_MAXIMUM`]).
    #[must_use]
    pub fn unified(self, value: &Value<'_>) -> Option<(PointId, unified::Value)> {
        let (point, exponent) = self.point()?;
        let value = match *value {
            Value::Absent => unified::Value::missing(exponent),
            Value::Number(number) | Value::Demand { peak: number, .. } => {
                unified::Value::new(i64::from(number.mantissa), exponent)
            }
            Value::Bits(bits) => unified::Value::new(i64::from(bits), exponent),
            _ => return None,
        };
        Some((point, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::catalogue;

    #[test]
    fn classes_0_to_2_have_points_and_no_two_share_one() {
        extern crate std;
        let mut seen = std::collections::BTreeMap::new();
        for item in catalogue() {
            if let Some((point, _)) = item.id().point() {
                assert_eq!(seen.insert(point, item.id()), None, "{}", item.id());
            } else {
                let nowhere = matches!(item.id().0, 0x000B_0000..=0x000D_FFFF | 0x00FE_0000..=0x00FE_FFFF | 0x0280_000A | 0x0280_0022..);
                assert!(nowhere, "{} has no point", item.id());
            }
        }
    }

    #[test]
    fn rows_of_the_conversion_page() {
        let check = |id: u32, expected: PointId, exponent: i8| {
            assert_eq!(DataId(id).point(), Some((expected, exponent)), "{id:08X}");
        };
        let reactive = PointId::new(Quantity::REACTIVE_ENERGY);
        check(
            0x0044_0000,
            reactive.phase(Phase::L3).direction(Direction::QUADRANT_4),
            1,
        );
        check(
            0x0004_0002,
            reactive.direction(Direction::COMBINATION_2).settlement(2),
            1,
        );
        check(0x0090_0200, PointId::new(Quantity::from_id(20)), -2);
        let demand = PointId::new(Quantity::ACTIVE_POWER).statistic(Statistic::MAXIMUM_DEMAND);
        check(
            0x0101_0100,
            demand.direction(Direction::IMPORT).tariff(1),
            -1,
        );
        check(
            0x0201_0300,
            PointId::new(Quantity::VOLTAGE).phase(Phase::L3),
            -1,
        );
        check(0x0203_0000, PointId::new(Quantity::ACTIVE_POWER), -1);
        check(
            0x020A_0215,
            PointId::new(Quantity::from_id(13))
                .phase(Phase::L2)
                .harmonic(21),
            -2,
        );
        check(
            0x0280_0001,
            PointId::new(Quantity::CURRENT).phase(Phase::N),
            -3,
        );
        check(
            0x0400_0503,
            PointId::new(Quantity::STATE_WORD).channel(3),
            0,
        );
        assert_eq!(DataId(0x0201_FF00).point(), None);
    }
}
