//! Values as structures: what each layout holds, in one shape for all of them.

use ::cjt188::{
    Freeze, HeatColdReading, HeatEdition, HeatReading, NewKey, Prices, Purchase, Quantity, Reading,
    Recharge, Settled, Stamp, Status, Unit, ValidFrom, Value, ValveOrder, VolumeReading,
};

use super::mtr_cjt188_address;
use crate::border::{Checked, Plain};
use crate::result::mtr_result;

/// Present data of water and gas (901F): now, at the last settlement; `time`, `status`.
pub const MTR_CJT188_VOLUME: u32 = 1;
/// Present data of heat by the 2004 text (901F): heat at the last settlement, heat, power, flow, volume, supply and
/// return temperature, hours; `time`, `status`.
pub const MTR_CJT188_HEAT_2004: u32 = 2;
/// The same by the 2018 text.
pub const MTR_CJT188_HEAT_2018: u32 = 3;
/// Present data of heat and cold (911F): heat and cold at the last settlement, heat, cold, power, flow, volume, supply
/// and return temperature, supply and return pressure in MPa, hours; `time`, `status`.
pub const MTR_CJT188_HEAT_COLD: u32 = 4;
/// A clock (907F, A015): `time`.
pub const MTR_CJT188_CLOCK: u32 = 5;
/// One settled number (D120 to D12B, D2nn).
pub const MTR_CJT188_SETTLED: u32 = 6;
/// Settled heat, cold and volume.
pub const MTR_CJT188_SETTLED_HEAT: u32 = 7;
/// A freeze (D3nn, D4nn): volume, flow, temperature, pressure in MPa; `time`.
pub const MTR_CJT188_FREEZE: u32 = 8;
/// Prices (8102): price, limit, price, limit, price; yuan for one unit, and units.
pub const MTR_CJT188_PRICES: u32 = 9;
/// Prices (A010) from day `code` of the month on.
pub const MTR_CJT188_PRICES_FROM_DAY: u32 = 10;
/// Prices (A010) from the date in `time` on.
pub const MTR_CJT188_PRICES_FROM_DATE: u32 = 11;
/// A day of the month (8103, 8104, A011, A012): `code`.
pub const MTR_CJT188_DAY: u32 = 12;
/// The prepaid account (8105): bought last, altogether, remaining; `code` number of purchases, `status`.
pub const MTR_CJT188_PURCHASE: u32 = 13;
/// A purchase (A013): what was bought; `code` its running number.
pub const MTR_CJT188_RECHARGE: u32 = 14;
/// A key version (8106): `code`.
pub const MTR_CJT188_KEY_VERSION: u32 = 15;
/// A key (A014): `code` its version, `key`.
pub const MTR_CJT188_KEY: u32 = 16;
/// An address (810A, A018): `address`.
pub const MTR_CJT188_ADDRESS_VALUE: u32 = 17;
/// What the motor is to show (A016).
pub const MTR_CJT188_TOTAL: u32 = 18;
/// A valve order (A017): `code` MTR_CJT188_OPEN or MTR_CJT188_CLOSE.
pub const MTR_CJT188_VALVE: u32 = 19;
/// No data (A019).
pub const MTR_CJT188_NOTHING: u32 = 20;
/// Bytes whose layout is the maker's: the data themselves.
pub const MTR_CJT188_RAW: u32 = 21;

/// Opens the valve.
pub const MTR_CJT188_OPEN: u8 = 0x55;
/// Closes the valve.
pub const MTR_CJT188_CLOSE: u8 = 0x99;

/// Most numbers of one value.
pub const MTR_CJT188_NUMBERS: usize = 12;

/// A decimal number with its unit: `mantissa` / 10^`decimals` units.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_quantity {
    /// All digits, at most 8.
    pub mantissa: u32,
    /// Digits behind the point.
    pub decimals: u8,
    /// 1: `unit` was sent; 0: the layout has none.
    pub has_unit: u8,
    /// The unit code, see mtr_cjt188_unit: 0x2C cubic metre, 0x05 kWh.
    pub unit: u8,
}

// SAFETY: integers only.
unsafe impl Plain for mtr_cjt188_quantity {}

const NO_NUMBER: mtr_cjt188_quantity = mtr_cjt188_quantity {
    mantissa: 0,
    decimals: 0,
    has_unit: 0,
    unit: 0,
};

impl From<Quantity> for mtr_cjt188_quantity {
    fn from(own: Quantity) -> Self {
        mtr_cjt188_quantity {
            mantissa: own.mantissa,
            decimals: own.decimals,
            has_unit: own.unit.is_some().into(),
            unit: own.unit.map_or(0, |unit| unit.0),
        }
    }
}

impl From<mtr_cjt188_quantity> for Quantity {
    fn from(given: mtr_cjt188_quantity) -> Self {
        Quantity {
            mantissa: given.mantissa,
            decimals: given.decimals,
            unit: (given.has_unit != 0).then_some(Unit(given.unit)),
        }
    }
}

/// The meter's own clock.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_stamp {
    /// Four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

const NO_TIME: mtr_cjt188_stamp = mtr_cjt188_stamp {
    year: 0,
    month: 0,
    day: 0,
    hour: 0,
    minute: 0,
    second: 0,
};

impl From<Stamp> for mtr_cjt188_stamp {
    fn from(own: Stamp) -> Self {
        mtr_cjt188_stamp {
            year: own.year,
            month: own.month,
            day: own.day,
            hour: own.hour,
            minute: own.minute,
            second: own.second,
        }
    }
}

impl From<mtr_cjt188_stamp> for Stamp {
    fn from(given: mtr_cjt188_stamp) -> Self {
        Stamp {
            year: given.year,
            month: given.month,
            day: given.day,
            hour: given.hour,
            minute: given.minute,
            second: given.second,
        }
    }
}

/// ST: two bytes in line order. Makers disagree on its bits, see mtr_cjt188_status_read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_status {
    /// As sent.
    pub bytes: [u8; 2],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_cjt188_status {}

/// A value of any identifier. `kind` tells which fields hold something and in which order the numbers stand; the rest is
/// 0 when it is read and not looked at when it is written.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mtr_cjt188_value {
    /// One of MTR_CJT188_VOLUME to MTR_CJT188_RAW.
    pub kind: u32,
    /// How many numbers there are; not looked at when a value is written.
    pub count: u8,
    /// A day, a running number, a version or a valve order, by `kind`.
    pub code: u8,
    /// 1: the meter has a clock and `time` holds something. A missing time is sent as zeros.
    pub has_time: u8,
    /// ST.
    pub status: mtr_cjt188_status,
    /// The clock, or a date.
    pub time: mtr_cjt188_stamp,
    /// An address.
    pub address: mtr_cjt188_address,
    /// A key, in line order.
    pub key: [u8; 8],
    /// The numbers, in the order that `kind` tells.
    pub number: [mtr_cjt188_quantity; MTR_CJT188_NUMBERS],
}

// SAFETY: integers only.
unsafe impl Plain for mtr_cjt188_value {}

impl mtr_cjt188_value {
    /// As it goes to C.
    pub(super) fn new(own: &Value<'_>) -> Checked<Self> {
        let mut out = mtr_cjt188_value {
            kind: 0,
            count: 0,
            code: 0,
            has_time: 0,
            status: mtr_cjt188_status { bytes: [0; 2] },
            time: NO_TIME,
            address: mtr_cjt188_address { digits: [0; 7] },
            key: [0; 8],
            number: [NO_NUMBER; MTR_CJT188_NUMBERS],
        };
        match *own {
            Value::Present(Reading::Volume(volume)) => {
                out.kind = MTR_CJT188_VOLUME;
                out.numbers(&[volume.current, volume.settlement]);
                out.state(volume.time, volume.status);
            }
            Value::Present(Reading::Heat(heat)) => {
                out.kind = match heat.edition {
                    HeatEdition::V2004 => MTR_CJT188_HEAT_2004,
                    HeatEdition::V2018 => MTR_CJT188_HEAT_2018,
                };
                out.numbers(&[heat.settlement_heat, heat.current_heat, heat.power]);
                out.numbers(&[heat.flow, heat.volume, heat.supply, heat.back, heat.hours]);
                out.state(heat.time, heat.status);
            }
            Value::HeatCold(both) => {
                out.kind = MTR_CJT188_HEAT_COLD;
                out.numbers(&[both.settlement_heat, both.settlement_cold]);
                out.numbers(&[both.current_heat, both.current_cold]);
                out.numbers(&[both.power, both.flow, both.volume]);
                out.numbers(&[both.supply, both.back]);
                out.numbers(&[both.supply_pressure, both.back_pressure, both.hours]);
                out.state(both.time, both.status);
            }
            Value::Clock(time) => {
                out.kind = MTR_CJT188_CLOCK;
                out.state(time, Status::default());
            }
            Value::Settled(Settled::One(one)) => {
                out.kind = MTR_CJT188_SETTLED;
                out.numbers(&[one]);
            }
            Value::Settled(Settled::Heat { heat, cold, volume }) => {
                out.kind = MTR_CJT188_SETTLED_HEAT;
                out.numbers(&[heat, cold, volume]);
            }
            Value::Freeze(freeze) => {
                out.kind = MTR_CJT188_FREEZE;
                out.numbers(&[freeze.volume, freeze.flow]);
                out.numbers(&[freeze.temperature, freeze.pressure]);
                out.state(freeze.time, Status::default());
            }
            Value::Prices(prices) => {
                let ([first, second, third], [one, two]) = (prices.price, prices.limit);
                out.numbers(&[first, one, second, two, third]);
                out.kind = match prices.valid_from {
                    None => MTR_CJT188_PRICES,
                    Some(ValidFrom::Day(day)) => {
                        out.code = day;
                        MTR_CJT188_PRICES_FROM_DAY
                    }
                    Some(ValidFrom::Date { year, month, day }) => {
                        out.has_time = 1;
                        (out.time.year, out.time.month, out.time.day) = (year, month, day);
                        MTR_CJT188_PRICES_FROM_DATE
                    }
                };
            }
            Value::Day(day) => (out.kind, out.code) = (MTR_CJT188_DAY, day),
            Value::Purchase(account) => {
                (out.kind, out.code) = (MTR_CJT188_PURCHASE, account.count);
                out.numbers(&[account.amount, account.total, account.remaining]);
                out.state(None, account.status);
            }
            Value::Recharge(recharge) => {
                (out.kind, out.code) = (MTR_CJT188_RECHARGE, recharge.count);
                out.numbers(&[recharge.amount]);
            }
            Value::KeyVersion(version) => {
                (out.kind, out.code) = (MTR_CJT188_KEY_VERSION, version);
            }
            Value::Key(key) => {
                (out.kind, out.code, out.key) = (MTR_CJT188_KEY, key.version, key.key);
            }
            Value::Address(address) => {
                (out.kind, out.address) = (MTR_CJT188_ADDRESS_VALUE, address.into());
            }
            Value::Total(total) => {
                out.kind = MTR_CJT188_TOTAL;
                out.numbers(&[total]);
            }
            Value::Valve(order) => (out.kind, out.code) = (MTR_CJT188_VALVE, order.code()),
            Value::Nothing => out.kind = MTR_CJT188_NOTHING,
            Value::Raw(_) => out.kind = MTR_CJT188_RAW,
            _ => return Err(mtr_result::MTR_ERR_VALUE),
        }
        Ok(out)
    }

    fn numbers(&mut self, row: &[Quantity]) {
        for one in row {
            if let Some(place) = self.number.get_mut(usize::from(self.count)) {
                *place = (*one).into();
                self.count += 1;
            }
        }
    }

    fn state(&mut self, time: Option<Stamp>, status: Status) {
        self.has_time = time.is_some().into();
        self.time = time.map_or(NO_TIME, Into::into);
        self.status.bytes = status.0;
    }

    /// As it came from C. MTR_ERR_VALUE for kinds that are no structure (the maker's bytes) or do not exist.
    pub(super) fn own(&self) -> Checked<Value<'static>> {
        let number = self.number.map(Quantity::from);
        let [a, b, c, d, e, f, g, h, i, j, k, l] = number;
        let time = (self.has_time != 0).then(|| self.time.into());
        let status = Status(self.status.bytes);
        let prices = |valid_from| {
            Value::Prices(Prices {
                price: [a, c, e],
                limit: [b, d],
                valid_from,
            })
        };
        let heat = |edition| {
            Value::Present(Reading::Heat(HeatReading {
                edition,
                settlement_heat: a,
                current_heat: b,
                power: c,
                flow: d,
                volume: e,
                supply: f,
                back: g,
                hours: h,
                time,
                status,
            }))
        };
        Ok(match self.kind {
            MTR_CJT188_VOLUME => Value::Present(Reading::Volume(VolumeReading {
                current: a,
                settlement: b,
                time,
                status,
            })),
            MTR_CJT188_HEAT_2004 => heat(HeatEdition::V2004),
            MTR_CJT188_HEAT_2018 => heat(HeatEdition::V2018),
            MTR_CJT188_HEAT_COLD => Value::HeatCold(HeatColdReading {
                settlement_heat: a,
                settlement_cold: b,
                current_heat: c,
                current_cold: d,
                power: e,
                flow: f,
                volume: g,
                supply: h,
                back: i,
                supply_pressure: j,
                back_pressure: k,
                hours: l,
                time,
                status,
            }),
            MTR_CJT188_CLOCK => Value::Clock(time),
            MTR_CJT188_SETTLED => Value::Settled(Settled::One(a)),
            MTR_CJT188_SETTLED_HEAT => Value::Settled(Settled::Heat {
                heat: a,
                cold: b,
                volume: c,
            }),
            MTR_CJT188_FREEZE => Value::Freeze(Freeze {
                time,
                volume: a,
                flow: b,
                temperature: c,
                pressure: d,
            }),
            MTR_CJT188_PRICES => prices(None),
            MTR_CJT188_PRICES_FROM_DAY => prices(Some(ValidFrom::Day(self.code))),
            MTR_CJT188_PRICES_FROM_DATE => prices(Some(ValidFrom::Date {
                year: self.time.year,
                month: self.time.month,
                day: self.time.day,
            })),
            MTR_CJT188_DAY => Value::Day(self.code),
            MTR_CJT188_PURCHASE => Value::Purchase(Purchase {
                count: self.code,
                amount: a,
                total: b,
                remaining: c,
                status,
            }),
            MTR_CJT188_RECHARGE => Value::Recharge(Recharge {
                count: self.code,
                amount: a,
            }),
            MTR_CJT188_KEY_VERSION => Value::KeyVersion(self.code),
            MTR_CJT188_KEY => Value::Key(NewKey {
                version: self.code,
                key: self.key,
            }),
            MTR_CJT188_ADDRESS_VALUE => Value::Address(self.address.into()),
            MTR_CJT188_TOTAL => Value::Total(a),
            MTR_CJT188_VALVE => {
                Value::Valve(ValveOrder::from_line(&[self.code]).ok_or(mtr_result::MTR_ERR_VALUE)?)
            }
            MTR_CJT188_NOTHING => Value::Nothing,
            _ => return Err(mtr_result::MTR_ERR_VALUE),
        })
    }
}
