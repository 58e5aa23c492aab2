//! The quantities of the standard with their units: one row each.

use core::fmt;

use crate::language::Language;

/// A physical or commercial quantity; the unit belongs to it and never travels.
///
/// A number that is not in [`TABLE`] is kept as it came, so that a relay passes on what it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u8);

/// One row of the quantity table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number on the wire, 1 to 126.
    pub quantity: Quantity,
    /// The unit as text, `1` for pure numbers.
    pub unit: &'static str,
    /// The unit's number in DLMS/COSEM: 255 without unit, 254 for one that has no number there.
    pub dlms_unit: u8,
    /// English name.
    pub english: &'static str,
    /// Chinese name.
    pub chinese: &'static str,
}

macro_rules! quantities {
    ($($id:literal $name:ident $unit:literal $dlms:literal $english:literal $chinese:literal;)*) => {
        impl Quantity {
            $(#[doc = concat!($english, ", ", $unit, ".")]
            pub const $name: Self = Self($id);)*
        }
        /// Every quantity, ascending by number.
        pub static TABLE: &[Row] = &[
            $(Row { quantity: Quantity::$name, unit: $unit, dlms_unit: $dlms, english: $english, chinese: $chinese },)*
        ];
    };
}

quantities! {
    1 VOLTAGE "V" 35 "Voltage" "电压";
    2 CURRENT "A" 33 "Current" "电流";
    3 ACTIVE_POWER "W" 27 "Active power" "有功功率";
    4 REACTIVE_POWER "var" 29 "Reactive power" "无功功率";
    5 APPARENT_POWER "VA" 28 "Apparent power" "视在功率";
    6 POWER_FACTOR "1" 255 "Power factor" "功率因数";
    7 FREQUENCY "Hz" 44 "Frequency" "频率";
    8 ACTIVE_ENERGY "Wh" 30 "Active energy" "有功电能";
    9 REACTIVE_ENERGY "varh" 32 "Reactive energy" "无功电能";
    10 APPARENT_ENERGY "VAh" 31 "Apparent energy" "视在电能";
    11 ANGLE "°" 8 "Angle" "相角";
    12 VOLTAGE_DISTORTION "%" 56 "Voltage distortion" "电压波形失真度";
    13 VOLTAGE_HARMONIC "%" 56 "Voltage harmonic content" "电压谐波含量";
    14 UNBALANCE "%" 56 "Unbalance" "不平衡度";
    15 TEMPERATURE "°C" 9 "Temperature" "温度";
    16 RESIDUAL_CURRENT "A" 33 "Residual current" "剩余电流";
    17 BATTERY_VOLTAGE "V" 35 "Battery voltage" "电池电压";
    18 TIME_IN_SERVICE "s" 7 "Time in service" "工作时间";
    19 PRICE "currency/kWh" 254 "Price" "电价";
    20 MONEY_BALANCE "currency" 10 "Money balance" "剩余金额";
    21 REMAINING_ENERGY "Wh" 30 "Remaining energy" "剩余电量";
    22 MONEY_OVERDRAFT "currency" 10 "Money overdraft" "透支金额";
    23 ENERGY_OVERDRAFT "Wh" 30 "Energy overdraft" "透支电量";
    24 VOLUME "m³" 13 "Volume" "累积流量";
    25 VOLUME_FLOW "m³/h" 15 "Volume flow" "瞬时流量";
    26 HEAT_ENERGY "J" 25 "Heat energy" "热量";
    27 HEAT_POWER "W" 27 "Heat power" "热功率";
    28 PRESSURE "Pa" 23 "Pressure" "压力";
    29 RELATIVE_HUMIDITY "%" 56 "Relative humidity" "相对湿度";
    30 MASS "kg" 20 "Mass" "质量";
    31 INSULATION_RESISTANCE "Ω" 38 "Insulation resistance" "绝缘电阻";
    32 RECEIVED_SIGNAL "dBm" 70 "Received signal" "接收信号强度";
    33 STATE_WORD "bits" 255 "State word" "状态字";
    34 COUNTER "1" 255 "Counter" "计数";
    35 K_FACTOR "1" 255 "K factor" "K系数";
    36 TRANSFORMER_RATIO "1" 255 "Transformer ratio" "互感器变比";
    37 COPPER_LOSS_ENERGY "Wh" 30 "Copper-loss energy" "铜损电能";
    38 IRON_LOSS_ENERGY "Wh" 30 "Iron-loss energy" "铁损电能";
    39 RELATED_ACTIVE_ENERGY "Wh" 30 "Related active energy" "关联总电能";
    40 CONTACT "bits" 255 "Smoke, water ingress or door contact" "烟感、水浸、门磁";
    41 CURRENT_DISTORTION "%" 56 "Current distortion" "电流波形失真度";
    42 CURRENT_HARMONIC "%" 56 "Current harmonic content" "电流谐波含量";
    43 HEAT_ENERGY_WH "Wh" 30 "Heat energy counted in Wh" "热量（瓦时）";
    44 HEAT_POWER_J "J/h" 26 "Heat power counted in J/h" "热功率（焦每时）";
    45 CHARGE "Ah" 57 "Electric charge" "电荷量";
    46 STATE_OF_CHARGE "%" 56 "State of charge" "荷电状态";
    47 ILLUMINANCE "lx" 254 "Illuminance" "照度";
    48 DIMMING_LEVEL "%" 56 "Dimming level" "调光等级";
    49 CONCENTRATION "ppm" 254 "Concentration" "浓度";
    50 GAS_VOLUME_BASE "m³" 14 "Gas volume at base conditions" "标况气体体积";
    51 HEAT_ALLOCATION "1" 255 "Heat cost allocation" "热分配值";
    52 REMAINING_TIME "s" 7 "Remaining time" "剩余时间";
}

impl Quantity {
    /// No quantity: the point is a set (see [`PointId::set`](crate::point::PointId::set)) or none at all.
    pub const SET: Self = Self(0);
    /// The escape: the point carries a foreign code instead (see [`PointId::obis`](crate::point::PointId::obis)).
    pub const FOREIGN: Self = Self(127);

    /// The quantity with this number; only the low seven bits count.
    #[must_use]
    pub const fn from_id(id: u8) -> Self {
        Self(id & 0x7F)
    }

    /// The number on the wire, 0 to 127.
    #[must_use]
    pub const fn id(self) -> u8 {
        self.0
    }

    /// The table's row, or `None` for a number this release does not know.
    #[must_use]
    pub fn row(self) -> Option<&'static Row> {
        TABLE
            .binary_search_by_key(&self.0, |row| row.quantity.0)
            .ok()
            .and_then(|at| TABLE.get(at))
    }

    /// The unit as text; empty for an unknown quantity.
    #[must_use]
    pub fn unit(self) -> &'static str {
        self.row().map_or("", |row| row.unit)
    }
}

impl Quantity {
    /// The unit's number in DLMS/COSEM; 254, "other", for an unknown quantity.
    #[must_use]
    pub fn dlms_unit(self) -> u8 {
        self.row().map_or(254, |row| row.dlms_unit)
    }

    /// The name for people; empty for an unknown quantity.
    #[must_use]
    pub fn name(self, language: Language) -> &'static str {
        self.row()
            .map_or("", |row| language.pick(row.english, row.chinese))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => f.write_str(row.english),
            None => write!(f, "quantity {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ascends_so_that_the_search_finds_every_row() {
        assert!(
            TABLE
                .windows(2)
                .all(|pair| pair[0].quantity < pair[1].quantity)
        );
        for row in TABLE {
            assert_eq!(row.quantity.row(), Some(row));
        }
        assert_eq!(Quantity::from_id(99).row(), None);
        assert_eq!(Quantity::from_id(99).dlms_unit(), 254);
        assert_eq!(Quantity::VOLTAGE.name(Language::Chinese), "电压");
    }
}
