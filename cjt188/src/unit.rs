//! Unit codes (section 17.5 of the fact sheet).

use core::fmt;

/// A unit code as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit(pub u8);

/// Code, symbol and whether the two codes behind it are ten and a hundred times the unit.
const UNITS: [(u8, &str, bool); 18] = [
    (0x01, "J", false),
    (0x02, "Wh", true),
    (0x05, "kWh", true),
    (0x08, "MWh", true),
    (0x0B, "kJ", true),
    (0x0E, "MJ", true),
    (0x11, "GJ", true),
    (0x14, "W", true),
    (0x17, "kW", true),
    (0x1A, "MW", true),
    (0x29, "L", true),
    (0x2C, "m3", true),
    (0x32, "L/h", true),
    (0x35, "m3/h", true),
    (0x40, "J/h", false),
    (0x43, "kJ/h", true),
    (0x46, "MJ/h", true),
    (0x49, "GJ/h", true),
];

impl Unit {
    /// 05.
    pub const KILOWATT_HOUR: Unit = Unit(0x05);
    /// 17.
    pub const KILOWATT: Unit = Unit(0x17);
    /// 29.
    pub const LITRE: Unit = Unit(0x29);
    /// 2C.
    pub const CUBIC_METRE: Unit = Unit(0x2C);
    /// 35.
    pub const CUBIC_METRE_PER_HOUR: Unit = Unit(0x35);

    /// The symbol and the decimal exponent of its multiple (0, 1 or 2); `None` for codes outside the table.
    ///
    /// ```
    /// assert_eq!(cjt188::Unit(0x2C).symbol(), Some(("m3", 0)));
    /// assert_eq!(cjt188::Unit(0x0A).symbol(), Some(("MWh", 2)));
    /// ```
    #[must_use]
    pub fn symbol(self) -> Option<(&'static str, u8)> {
        UNITS.iter().find_map(|&(code, symbol, multiples)| {
            let above = self.0.checked_sub(code)?;
            (above == 0 || (multiples && above <= 2)).then_some((symbol, above))
        })
    }
}

/// The symbol, with its multiple in front (`100 MWh`); unknown codes in hexadecimal.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbol() {
            Some((symbol, 0)) => f.write_str(symbol),
            Some((symbol, 1)) => write!(f, "10 {symbol}"),
            Some((symbol, _)) => write!(f, "100 {symbol}"),
            None => write!(f, "unit {:02X}", self.0),
        }
    }
}
