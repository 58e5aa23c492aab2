//! What the identifiers besides the present data hold: history, prices, purchases, keys (section 17.3 of the fact
//! sheet).

use core::fmt;

use crate::address::Address;
use crate::message::ValveOrder;
use crate::reading::{HeatColdReading, Reading};
use crate::status::Status;
use crate::value::{Quantity, Stamp};

/// What was counted up to a settlement day (D120 to D12B, D2nn).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// One quantity, XXXXXX.XX.
    One(Quantity),
    /// Of a heat meter since 2018, each XXXXXX.XX.
    Heat {
        /// Heat.
        heat: Quantity,
        /// Cold.
        cold: Quantity,
        /// Volume.
        volume: Quantity,
    },
}

/// A freeze (D3nn by the clock, D4nn by order; 2018).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freeze {
    /// When.
    pub time: Option<Stamp>,
    /// Accumulated volume, XXXXXX.XX.
    pub volume: Quantity,
    /// Flow, XXXX.XXXX.
    pub flow: Quantity,
    /// Temperature in degrees Celsius, XXXX.XX.
    pub temperature: Quantity,
    /// Pressure in megapascals, XXXX.XX.
    pub pressure: Quantity,
}

/// From when on prices that are written are valid; told by the length, as the texts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidFrom {
    /// A day of the month: 1 byte.
    Day(u8),
    /// A date, DD MM YY YY: 4 bytes.
    Date {
        /// Four digits.
        year: u16,
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
}

/// Prices in steps (8102, A010).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    /// Price of each step, XXXX.XX yuan for one unit of what the meter counts.
    pub price: [Quantity; 3],
    /// Up to where the first and the second price hold, XXXXXX units of what the meter counts.
    pub limit: [Quantity; 2],
    /// Since when; only in A010.
    pub valid_from: Option<ValidFrom>,
}

/// The account of a prepaid meter (8105).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// Running number of the purchases, the byte as sent.
    pub count: u8,
    /// Bought last, XXXXXX.XX; yuan or units of what the meter counts, as the meter is made.
    pub amount: Quantity,
    /// Bought altogether, XXXXXX.XX.
    pub total: Quantity,
    /// Remaining, XXXXXX.XX.
    pub remaining: Quantity,
    /// ST.
    pub status: Status,
}

/// A purchase that is written (A013).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recharge {
    /// Running number, the byte as sent: one more than that of the last purchase.
    pub count: u8,
    /// What was bought, XXXXXX.XX.
    pub amount: Quantity,
}

/// A key that is written (A014). It is not shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NewKey {
    /// Its version.
    pub version: u8,
    /// Its bytes in line order.
    pub key: [u8; 8],
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What stands behind DI and SER, by the layout of the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Present data (901F).
    Present(Reading),
    /// Present data of heat and cold (911F).
    HeatCold(HeatColdReading),
    /// The meter's clock (907F, A015); none where all bytes are zero.
    Clock(Option<Stamp>),
    /// A settlement (D120 to D12B, D2nn).
    Settled(Settled),
    /// A freeze (D3nn, D4nn).
    Freeze(Freeze),
    /// Prices (8102, A010).
    Prices(Prices),
    /// A day of the month (8103, 8104, A011, A012).
    Day(u8),
    /// The prepaid account (8105).
    Purchase(Purchase),
    /// A purchase to be written (A013).
    Recharge(Recharge),
    /// Version of the key (8106).
    KeyVersion(u8),
    /// A key to be written (A014).
    Key(NewKey),
    /// An address (810A, A018).
    Address(Address),
    /// What the motor is to show (A016), XXXXXX.XX.
    Total(Quantity),
    /// A valve order (A017).
    Valve(ValveOrder),
    /// No data (A019).
    Nothing,
    /// Bytes whose layout is the maker's (A101 to A107).
    Raw(&'a [u8]),
}

/// A quantity with its unit for people: `68.00 m3`.
struct Shown(Quantity);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.unit {
            Some(unit) => write!(f, "{} {unit}", self.0),
            None => self.0.fmt(f),
        }
    }
}

/// For people, the parts of a value separated by commas.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |f: &mut fmt::Formatter<'_>, time: Option<Stamp>| match time {
            Some(time) => time.fmt(f),
            None => f.write_str("no time"),
        };
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Quantity]| {
            for (nth, part) in parts.iter().enumerate() {
                let comma = if nth == 0 { "" } else { ", " };
                write!(f, "{comma}{}", Shown(*part))?;
            }
            Ok(())
        };
        match *self {
            Value::Present(Reading::Volume(volume)) => {
                list(f, &[volume.current, volume.settlement])?;
                f.write_str(", ")?;
                time(f, volume.time)
            }
            Value::Present(Reading::Heat(heat)) => {
                list(f, &[heat.settlement_heat, heat.current_heat])?;
                f.write_str(", ")?;
                list(f, &[heat.power, heat.flow, heat.volume])?;
                f.write_str(", ")?;
                list(f, &[heat.supply, heat.back, heat.hours])?;
                f.write_str(", ")?;
                time(f, heat.time)
            }
            Value::HeatCold(both) => {
                list(f, &[both.settlement_heat, both.settlement_cold])?;
                f.write_str(", ")?;
                list(f, &[both.current_heat, both.current_cold])?;
                f.write_str(", ")?;
                list(f, &[both.power, both.flow, both.volume])?;
                f.write_str(", ")?;
                list(f, &[both.supply, both.back])?;
                f.write_str(", ")?;
                list(f, &[both.supply_pressure, both.back_pressure, both.hours])?;
                f.write_str(", ")?;
                time(f, both.time)
            }
            Value::Clock(stamp) => time(f, stamp),
            Value::Settled(Settled::One(one)) | Value::Total(one) => Shown(one).fmt(f),
            Value::Settled(Settled::Heat { heat, cold, volume }) => list(f, &[heat, cold, volume]),
            Value::Freeze(freeze) => {
                time(f, freeze.time)?;
                f.write_str(", ")?;
                list(f, &[freeze.volume, freeze.flow, freeze.temperature])?;
                write!(f, ", {}", freeze.pressure)
            }
            Value::Prices(prices) => {
                let [first, second, third] = prices.price;
                let [one, two] = prices.limit;
                write!(
                    f,
                    "{first} up to {one}, {second} up to {two}, {third} above"
                )?;
                match prices.valid_from {
                    Some(ValidFrom::Day(day)) => write!(f, ", from day {day}"),
                    Some(ValidFrom::Date { year, month, day }) => {
                        write!(f, ", from {year:04}-{month:02}-{day:02}")
                    }
                    None => Ok(()),
                }
            }
            Value::Day(day) => write!(f, "day {day}"),
            Value::Purchase(account) => write!(
                f,
                "purchase {}: {}, total {}, remaining {}",
                account.count, account.amount, account.total, account.remaining
            ),
            Value::Recharge(recharge) => {
                write!(f, "purchase {}: {}", recharge.count, recharge.amount)
            }
            Value::KeyVersion(version) => write!(f, "key version {version}"),
            // The key itself is nobody's business.
            Value::Key(key) => write!(f, "a key of version {}", key.version),
            Value::Address(address) => address.fmt(f),
            Value::Valve(ValveOrder::Open) => f.write_str("open"),
            Value::Valve(ValveOrder::Close) => f.write_str("close"),
            Value::Nothing => f.write_str("no data"),
            Value::Raw(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
        }
    }
}
