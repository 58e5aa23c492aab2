//! The meter type byte T.

/// What a meter measures, in groups of sixteen types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// 10 to 19.
    Water,
    /// 20 to 29.
    Heat,
    /// 30 to 39.
    Gas,
    /// 40 to 49: electricity and others.
    Other,
}

/// The type byte T as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeterType(pub u8);

impl MeterType {
    /// 10: cold water.
    pub const COLD_WATER: MeterType = MeterType(0x10);
    /// 11: hot water.
    pub const HOT_WATER: MeterType = MeterType(0x11);
    /// 12: drinking water.
    pub const DRINKING_WATER: MeterType = MeterType(0x12);
    /// 13: reclaimed water.
    pub const RECLAIMED_WATER: MeterType = MeterType(0x13);
    /// 20: heat.
    pub const HEAT: MeterType = MeterType(0x20);
    /// 21: cold.
    pub const COLD: MeterType = MeterType(0x21);
    /// 22: heat and cold, since 2018.
    pub const HEAT_AND_COLD: MeterType = MeterType(0x22);
    /// 30: gas.
    pub const GAS: MeterType = MeterType(0x30);
    /// 40: electricity.
    pub const ELECTRICITY: MeterType = MeterType(0x40);
    /// AA: any type, in requests.
    pub const ANY: MeterType = MeterType(0xAA);

    /// What is measured; `None` outside the table. Type 25 is seen in answers of heat meters and counts as heat.
    #[must_use]
    pub const fn medium(self) -> Option<Medium> {
        match self.0 {
            0x10..=0x19 => Some(Medium::Water),
            0x20..=0x29 => Some(Medium::Heat),
            0x30..=0x39 => Some(Medium::Gas),
            0x40..=0x49 => Some(Medium::Other),
            _ => None,
        }
    }
}
