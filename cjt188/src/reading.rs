//! The present data 901F (section 17.4 of the fact sheet).

use serial_line::bcd;

use crate::cursor::{Cursor, Writer};
use crate::meter_type::{Medium, MeterType};
use crate::unit::Unit;
use crate::value::{Quantity, Stamp, Status, ValueError};

/// Which text a heat meter follows; told by the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeatEdition {
    /// 46 data bytes.
    V2004,
    /// 43 data bytes.
    V2018,
}

/// Present data of a water or gas meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeReading {
    /// Accumulated, XXXXXX.XX.
    pub current: Quantity,
    /// The same at the last settlement day.
    pub settlement: Quantity,
    /// The meter's clock.
    pub time: Option<Stamp>,
    /// ST.
    pub status: Status,
}

/// Present data of a heat meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatReading {
    /// Layout.
    pub edition: HeatEdition,
    /// Heat at the last settlement day, XXXXXX.XX.
    pub settlement_heat: Quantity,
    /// Heat now, XXXXXX.XX.
    pub current_heat: Quantity,
    /// Power, XXXXXX.XX (2018: XXXX.XX).
    pub power: Quantity,
    /// Flow, XXXX.XXXX (2018: XXX.XXX).
    pub flow: Quantity,
    /// Accumulated volume, XXXXXX.XX.
    pub volume: Quantity,
    /// Supply temperature in degrees Celsius, two decimals.
    pub supply: Quantity,
    /// Return temperature in degrees Celsius, two decimals.
    pub back: Quantity,
    /// Hours at work.
    pub hours: Quantity,
    /// The meter's clock.
    pub time: Option<Stamp>,
    /// ST.
    pub status: Status,
}

/// Present data, by medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// Water, gas, and others that count one quantity.
    Volume(VolumeReading),
    /// Heat and cold.
    Heat(HeatReading),
}

const VOLUME_LEN: usize = 19;
const HEAT_2004_LEN: usize = 43;
const HEAT_2018_LEN: usize = 40;

struct Fields<'a> {
    cursor: Cursor<'a>,
    at: usize,
    len: usize,
}

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Result<(usize, &'a [u8]), ValueError> {
        let at = self.at;
        self.at += len;
        Ok((
            at,
            self.cursor
                .take(len)
                .ok_or(ValueError::Length { found: self.len })?,
        ))
    }

    fn number(&mut self, bytes: usize, decimals: u8) -> Result<Quantity, ValueError> {
        let (at, field) = self.take(bytes)?;
        let digit = |bad: bcd::BadDigit| ValueError::Digit {
            position: at + bad.position,
            found: bad.found,
        };
        Ok(Quantity {
            mantissa: bcd::decode_u32(field).map_err(digit)?,
            decimals,
            unit: None,
        })
    }

    fn with_unit(&mut self, bytes: usize, decimals: u8) -> Result<Quantity, ValueError> {
        let number = self.number(bytes, decimals)?;
        let (_, code) = self.take(1)?;
        Ok(Quantity {
            unit: code.first().map(|code| Unit(*code)),
            ..number
        })
    }

    fn end(&mut self) -> Result<(Option<Stamp>, Status), ValueError> {
        let short = ValueError::Length { found: self.len };
        let at = self.at;
        let time =
            Stamp::from_line(self.cursor.array().ok_or(short)?).map_err(|err| match err {
                ValueError::Digit { position, found } => ValueError::Digit {
                    position: at + position,
                    found,
                },
                other => other,
            })?;
        Ok((time, Status(self.cursor.array().ok_or(short)?)))
    }
}

impl Reading {
    /// From the data behind DI and SER of an answer to 901F.
    ///
    /// The medium comes from the type in the answer; the edition of a heat layout from the length.
    ///
    /// # Errors
    /// [`ValueError::Length`], [`ValueError::Digit`].
    pub fn parse(meter_type: MeterType, data: &[u8]) -> Result<Self, ValueError> {
        let mut fields = Fields {
            cursor: Cursor::new(data),
            at: 0,
            len: data.len(),
        };
        let heat = matches!(meter_type.medium(), Some(Medium::Heat));
        match (heat, data.len()) {
            (false, VOLUME_LEN) => {
                let current = fields.with_unit(4, 2)?;
                let settlement = fields.with_unit(4, 2)?;
                let (time, status) = fields.end()?;
                Ok(Reading::Volume(VolumeReading {
                    current,
                    settlement,
                    time,
                    status,
                }))
            }
            (true, HEAT_2004_LEN) => heat_reading(&mut fields, HeatEdition::V2004),
            (true, HEAT_2018_LEN) => heat_reading(&mut fields, HeatEdition::V2018),
            (_, found) => Err(ValueError::Length { found }),
        }
    }

    /// Writes the data behind DI and SER to the front of `out` and returns their length. Missing units are sent as 00,
    /// a missing time as zeros.
    ///
    /// # Errors
    /// [`ValueError::Range`] if a number has too many digits, [`ValueError::Length`] if `out` is too small.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ValueError> {
        let found = out.len();
        let mut writer = Writer::new(out);
        let (time, status) = match self {
            Reading::Volume(volume) => {
                put_with_unit(&mut writer, volume.current, 4)?;
                put_with_unit(&mut writer, volume.settlement, 4)?;
                (volume.time, volume.status)
            }
            Reading::Heat(heat) => {
                let (rate_bytes, temperature_bytes, hour_bytes) = heat_widths(heat.edition);
                put_with_unit(&mut writer, heat.settlement_heat, 4)?;
                put_with_unit(&mut writer, heat.current_heat, 4)?;
                put_with_unit(&mut writer, heat.power, rate_bytes)?;
                put_with_unit(&mut writer, heat.flow, rate_bytes)?;
                put_with_unit(&mut writer, heat.volume, 4)?;
                put_number(&mut writer, heat.supply, temperature_bytes)?;
                put_number(&mut writer, heat.back, temperature_bytes)?;
                put_number(&mut writer, heat.hours, hour_bytes)?;
                (heat.time, heat.status)
            }
        };
        let time = time.map_or(Ok([0; 7]), |time| time.line())?;
        writer.put(&time).put(&status.0);
        let too_long = |_: usize| ValueError::Length { found };
        writer.finish().map_err(too_long)
    }

    /// ST.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Reading::Volume(volume) => volume.status,
            Reading::Heat(heat) => heat.status,
        }
    }

    /// The meter's clock.
    #[must_use]
    pub const fn time(&self) -> Option<Stamp> {
        match self {
            Reading::Volume(volume) => volume.time,
            Reading::Heat(heat) => heat.time,
        }
    }
}

/// Bytes of power and flow, of a temperature, of the hours.
const fn heat_widths(edition: HeatEdition) -> (usize, usize, usize) {
    match edition {
        HeatEdition::V2004 => (4, 3, 3),
        HeatEdition::V2018 => (3, 2, 4),
    }
}

fn heat_reading(fields: &mut Fields<'_>, edition: HeatEdition) -> Result<Reading, ValueError> {
    let (rate_bytes, temperature_bytes, hour_bytes) = heat_widths(edition);
    let flow_decimals = match edition {
        HeatEdition::V2004 => 4,
        HeatEdition::V2018 => 3,
    };
    let settlement_heat = fields.with_unit(4, 2)?;
    let current_heat = fields.with_unit(4, 2)?;
    let power = fields.with_unit(rate_bytes, 2)?;
    let flow = fields.with_unit(rate_bytes, flow_decimals)?;
    let volume = fields.with_unit(4, 2)?;
    let supply = fields.number(temperature_bytes, 2)?;
    let back = fields.number(temperature_bytes, 2)?;
    let hours = fields.number(hour_bytes, 0)?;
    let (time, status) = fields.end()?;
    Ok(Reading::Heat(HeatReading {
        edition,
        settlement_heat,
        current_heat,
        power,
        flow,
        volume,
        supply,
        back,
        hours,
        time,
        status,
    }))
}

fn put_number(writer: &mut Writer<'_>, quantity: Quantity, bytes: usize) -> Result<(), ValueError> {
    let mut field = [0; 4];
    let field = field.get_mut(..bytes).ok_or(ValueError::Range)?;
    bcd::encode(u64::from(quantity.mantissa), field).map_err(|_| ValueError::Range)?;
    writer.put(field);
    Ok(())
}

fn put_with_unit(
    writer: &mut Writer<'_>,
    quantity: Quantity,
    bytes: usize,
) -> Result<(), ValueError> {
    put_number(writer, quantity, bytes)?;
    writer.put(&[quantity.unit.map_or(0, |unit| unit.0)]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(mantissa: u32, decimals: u8, unit: Option<Unit>) -> Quantity {
        Quantity {
            mantissa,
            decimals,
            unit,
        }
    }

    #[test]
    fn heat_layouts_of_both_editions_come_back() {
        for edition in [HeatEdition::V2004, HeatEdition::V2018] {
            let flow_decimals = if edition == HeatEdition::V2004 { 4 } else { 3 };
            let heat = HeatReading {
                edition,
                settlement_heat: number(1_234_567, 2, Some(Unit::KILOWATT_HOUR)),
                current_heat: number(2_345_678, 2, Some(Unit::KILOWATT_HOUR)),
                power: number(1234, 2, Some(Unit::KILOWATT)),
                flow: number(56_789, flow_decimals, Some(Unit::CUBIC_METRE_PER_HOUR)),
                volume: number(99_999_999, 2, Some(Unit::CUBIC_METRE)),
                supply: number(7025, 2, None),
                back: number(4050, 2, None),
                hours: number(123_456, 0, None),
                time: Some(Stamp {
                    year: 2026,
                    month: 11,
                    day: 21,
                    hour: 4,
                    minute: 55,
                    second: 9,
                }),
                status: Status::new(crate::Valve::Closed, true),
            };
            let mut out = [0; 64];
            let len = Reading::Heat(heat).encode(&mut out).unwrap();
            assert_eq!(
                len,
                if edition == HeatEdition::V2004 {
                    43
                } else {
                    40
                }
            );
            assert_eq!(
                Reading::parse(MeterType::HEAT, &out[..len]),
                Ok(Reading::Heat(heat))
            );
            assert_eq!(
                Reading::parse(MeterType(0x25), &out[..len]),
                Ok(Reading::Heat(heat))
            );
            assert_eq!(
                Reading::parse(MeterType::GAS, &out[..len]),
                Err(ValueError::Length { found: len })
            );
            out[len - 9] = 0xA0;
            assert_eq!(
                Reading::parse(MeterType::HEAT, &out[..len]),
                Err(ValueError::Digit {
                    position: len - 9,
                    found: 0xA0
                })
            );
        }
    }
}
