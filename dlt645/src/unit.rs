//! Units of values.

use core::fmt;

/// The unit of a number, as the standard prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Unit {
    /// A pure number.
    None,
    /// Kilowatt hour.
    KilowattHour,
    /// Kilovar hour.
    KilovarHour,
    /// Kilovolt-ampere hour.
    KilovoltAmpereHour,
    /// Kilowatt.
    Kilowatt,
    /// Kilovar.
    Kilovar,
    /// Kilovolt-ampere.
    KilovoltAmpere,
    /// Volt.
    Volt,
    /// Ampere.
    Ampere,
    /// Hertz.
    Hertz,
    /// Degree of angle.
    Degree,
    /// Per cent.
    Percent,
    /// Degree Celsius.
    Celsius,
    /// Yuan.
    Yuan,
    /// Yuan for a kilowatt hour.
    YuanPerKilowattHour,
    /// Minute.
    Minute,
    /// Second.
    Second,
    /// Millisecond.
    Millisecond,
    /// Pulses for a kilowatt hour.
    PulsesPerKilowattHour,
    /// Pulses for a kilovar hour.
    PulsesPerKilovarHour,
    /// Ampere hour.
    AmpereHour,
}

/// In the order of the variants.
const SYMBOLS: [&str; 21] = [
    "",
    "kWh",
    "kvarh",
    "kVAh",
    "kW",
    "kvar",
    "kVA",
    "V",
    "A",
    "Hz",
    "degree",
    "%",
    "degC",
    "yuan",
    "yuan/kWh",
    "min",
    "s",
    "ms",
    "imp/kWh",
    "imp/kvarh",
    "Ah",
];

impl Unit {
    /// Its symbol; empty for a pure number.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        SYMBOLS.get(self as usize).copied().unwrap_or_default()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}
