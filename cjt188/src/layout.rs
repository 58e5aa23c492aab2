//! Layouts of the data behind DI and SER: bytes to values and back (sections 17.3 and 17.4 of the fact sheet).

use crate::address::Address;
use crate::fields::{Fields, put_number, put_stamp, put_two, put_with_unit};
use crate::message::ValveOrder;
use crate::meter_type::MeterType;
use crate::reading::{HeatColdReading, Reading};
use crate::record::{Freeze, NewKey, Prices, Purchase, Recharge, Settled, ValidFrom, Value};
use crate::value::{Quantity, ValueError};
use serial_line::cursor::Writer;

/// How the value of an identifier stands behind DI and SER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// Present data by medium: 19 bytes; heat 43 (2004) or 40 (2018).
    Present,
    /// Present data of heat and cold: 54 bytes.
    HeatCold,
    /// ss mm hh DD MM YY YY: 7 bytes.
    Clock,
    /// Value and unit: 5 bytes; heat, cold and volume: 15.
    Settled,
    /// Time, volume, flow, temperature, pressure: 23 bytes.
    Freeze,
    /// Price, limit, price, limit, price: 15 bytes.
    Prices,
    /// The same and from when on: 16 or 19 bytes.
    PricesFrom,
    /// DD: 1 byte.
    Day,
    /// Number, last, total, remaining, ST: 15 bytes.
    Purchase,
    /// Number, amount: 5 bytes.
    Recharge,
    /// 1 byte.
    KeyVersion,
    /// Version, key: 9 bytes.
    Key,
    /// A0 to A6: 7 bytes.
    Address,
    /// Value and unit: 5 bytes.
    Total,
    /// 55 or 99: 1 byte.
    Valve,
    /// No data.
    Nothing,
    /// The maker's.
    Raw,
}

/// Bytes of a price and of a limit.
const PRICE: usize = 3;

impl Layout {
    /// The lengths that a value may have in bytes; none where the length is the maker's.
    #[must_use]
    pub const fn lengths(self) -> &'static [usize] {
        match self {
            Layout::Present => &[19, 40, 43],
            Layout::HeatCold => &[HeatColdReading::LEN],
            Layout::Clock | Layout::Address => &[7],
            Layout::Settled => &[5, 15],
            Layout::Freeze => &[23],
            Layout::Prices | Layout::Purchase => &[15],
            Layout::PricesFrom => &[16, 19],
            Layout::Day | Layout::KeyVersion | Layout::Valve => &[1],
            Layout::Recharge | Layout::Total => &[5],
            Layout::Key => &[9],
            Layout::Nothing => &[0],
            Layout::Raw => &[],
        }
    }

    /// The value in `data`, which is all that stands behind SER. `meter_type` decides about present data.
    ///
    /// # Errors
    /// [`ValueError::Length`], [`ValueError::Digit`], [`ValueError::Code`].
    pub fn decode(self, meter_type: MeterType, data: &[u8]) -> Result<Value<'_>, ValueError> {
        let found = data.len();
        if self != Layout::Raw && !self.lengths().contains(&found) {
            return Err(ValueError::Length { found });
        }
        let mut fields = Fields::new(data);
        Ok(match self {
            Layout::Present => Value::Present(Reading::parse(meter_type, data)?),
            Layout::HeatCold => Value::HeatCold(HeatColdReading::parse(data)?),
            Layout::Clock => Value::Clock(fields.stamp()?),
            Layout::Settled if found == 5 => Value::Settled(Settled::One(fields.with_unit(4, 2)?)),
            Layout::Settled => Value::Settled(Settled::Heat {
                heat: fields.with_unit(4, 2)?,
                cold: fields.with_unit(4, 2)?,
                volume: fields.with_unit(4, 2)?,
            }),
            Layout::Freeze => Value::Freeze(Freeze {
                time: fields.stamp()?,
                volume: fields.with_unit(4, 2)?,
                flow: fields.with_unit(4, 4)?,
                temperature: fields.number(3, 2)?,
                pressure: fields.number(3, 2)?,
            }),
            Layout::Prices | Layout::PricesFrom => {
                let (first, one) = (fields.number(PRICE, 2)?, fields.number(PRICE, 0)?);
                let (second, two) = (fields.number(PRICE, 2)?, fields.number(PRICE, 0)?);
                let third = fields.number(PRICE, 2)?;
                let valid_from = match found {
                    15 => None,
                    16 => Some(ValidFrom::Day(fields.two()?)),
                    _ => {
                        let (day, month) = (fields.two()?, fields.two()?);
                        let (low, high) = (fields.two()?, fields.two()?);
                        let year = u16::from(high) * 100 + u16::from(low);
                        Some(ValidFrom::Date { year, month, day })
                    }
                };
                Value::Prices(Prices {
                    price: [first, second, third],
                    limit: [one, two],
                    valid_from,
                })
            }
            Layout::Day => Value::Day(fields.two()?),
            Layout::Purchase => Value::Purchase(Purchase {
                count: fields.byte()?,
                amount: fields.number(4, 2)?,
                total: fields.number(4, 2)?,
                remaining: fields.number(4, 2)?,
                status: fields.status()?,
            }),
            Layout::Recharge => Value::Recharge(Recharge {
                count: fields.byte()?,
                amount: fields.number(4, 2)?,
            }),
            Layout::KeyVersion => Value::KeyVersion(fields.byte()?),
            Layout::Key => Value::Key(NewKey {
                version: fields.byte()?,
                key: fields.array()?,
            }),
            Layout::Address => Value::Address(Address::from_line(fields.array()?)),
            Layout::Total => Value::Total(fields.with_unit(4, 2)?),
            Layout::Valve => {
                let found = fields.byte()?;
                let wrong = ValueError::Code { position: 0, found };
                Value::Valve(ValveOrder::from_line(&[found]).ok_or(wrong)?)
            }
            Layout::Nothing => Value::Nothing,
            Layout::Raw => Value::Raw(data),
        })
    }

    /// Writes `value` to the front of `out` and returns its length.
    ///
    /// # Errors
    /// [`ValueError::Kind`] if the value is of another kind or a number has other decimals, [`ValueError::Range`] if
    /// one has too many digits, [`ValueError::Length`] if `out` is too small.
    pub fn encode(self, value: &Value<'_>, out: &mut [u8]) -> Result<usize, ValueError> {
        let found = out.len();
        let mut writer = Writer::new(out);
        let put = &mut writer;
        match (self, value) {
            (Layout::Present, Value::Present(reading)) => return reading.encode(out),
            (Layout::HeatCold, Value::HeatCold(reading)) => return reading.encode(out),
            (Layout::Clock, Value::Clock(time)) => put_stamp(put, *time)?,
            (Layout::Settled, Value::Settled(Settled::One(one)))
            | (Layout::Total, Value::Total(one)) => put_with_unit(put, exactly(*one, 2)?, 4)?,
            (Layout::Settled, Value::Settled(Settled::Heat { heat, cold, volume })) => {
                for one in [heat, cold, volume] {
                    put_with_unit(put, exactly(*one, 2)?, 4)?;
                }
            }
            (Layout::Freeze, Value::Freeze(freeze)) => {
                put_stamp(put, freeze.time)?;
                put_with_unit(put, exactly(freeze.volume, 2)?, 4)?;
                put_with_unit(put, exactly(freeze.flow, 4)?, 4)?;
                put_number(put, exactly(freeze.temperature, 2)?, 3)?;
                put_number(put, exactly(freeze.pressure, 2)?, 3)?;
            }
            (Layout::Prices, Value::Prices(prices)) if prices.valid_from.is_none() => {
                put_prices(put, prices)?;
            }
            (Layout::PricesFrom, Value::Prices(prices)) => {
                let valid_from = prices.valid_from.ok_or(ValueError::Kind)?;
                put_prices(put, prices)?;
                match valid_from {
                    ValidFrom::Day(day) => put_two(put, day)?,
                    ValidFrom::Date { year, month, day } => {
                        let century = u8::try_from(year / 100).map_err(|_| ValueError::Range)?;
                        for two in [day, month, (year % 100) as u8, century] {
                            put_two(put, two)?;
                        }
                    }
                }
            }
            (Layout::Day, Value::Day(day)) => put_two(put, *day)?,
            (Layout::Purchase, Value::Purchase(account)) => {
                put.put(&[account.count]);
                for money in [account.amount, account.total, account.remaining] {
                    put_number(put, exactly(money, 2)?, 4)?;
                }
                put.put(&account.status.0);
            }
            (Layout::Recharge, Value::Recharge(recharge)) => {
                put.put(&[recharge.count]);
                put_number(put, exactly(recharge.amount, 2)?, 4)?;
            }
            (Layout::KeyVersion, Value::KeyVersion(version)) => {
                put.put(&[*version]);
            }
            (Layout::Key, Value::Key(key)) => {
                put.put(&[key.version]).put(&key.key);
            }
            (Layout::Address, Value::Address(address)) => {
                put.put(&address.line());
            }
            (Layout::Valve, Value::Valve(order)) => {
                put.put(&[order.code()]);
            }
            (Layout::Nothing, Value::Nothing) => {}
            (Layout::Raw, Value::Raw(bytes)) => {
                put.put(bytes);
            }
            _ => return Err(ValueError::Kind),
        }
        writer.finish().map_err(|_| ValueError::Length { found })
    }
}

/// A number with other decimals would change its value on the line.
fn exactly(quantity: Quantity, decimals: u8) -> Result<Quantity, ValueError> {
    if quantity.decimals == decimals {
        Ok(quantity)
    } else {
        Err(ValueError::Kind)
    }
}

fn put_prices(writer: &mut Writer<'_>, prices: &Prices) -> Result<(), ValueError> {
    let [first, second, third] = prices.price;
    let [one, two] = prices.limit;
    for (price, limit) in [(first, Some(one)), (second, Some(two)), (third, None)] {
        put_number(writer, exactly(price, 2)?, PRICE)?;
        if let Some(limit) = limit {
            put_number(writer, exactly(limit, 0)?, PRICE)?;
        }
    }
    Ok(())
}
