//! The present data 901F (section 17.4 of the fact sheet).

use crate::fields::{Fields, put_number, put_stamp, put_with_unit};
use crate::meter_type::{Medium, MeterType};
use crate::status::Status;
use crate::value::{Quantity, Stamp, ValueError};
use serial_line::cursor::Writer;

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

/// Present data of a meter of heat and cold (911F, 2018).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatColdReading {
    /// Heat at the last settlement day, XXXXXX.XX.
    pub settlement_heat: Quantity,
    /// Cold at the last settlement day, XXXXXX.XX.
    pub settlement_cold: Quantity,
    /// Heat now, XXXXXX.XX.
    pub current_heat: Quantity,
    /// Cold now, XXXXXX.XX.
    pub current_cold: Quantity,
    /// Power, XXXX.XX.
    pub power: Quantity,
    /// Flow, XXX.XXX.
    pub flow: Quantity,
    /// Accumulated volume, XXXXXX.XX.
    pub volume: Quantity,
    /// Supply temperature in degrees Celsius, XX.XX.
    pub supply: Quantity,
    /// Return temperature in degrees Celsius, XX.XX.
    pub back: Quantity,
    /// Supply pressure in megapascals, XX.XX.
    pub supply_pressure: Quantity,
    /// Return pressure in megapascals, XX.XX.
    pub back_pressure: Quantity,
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

impl Reading {
    /// From the data behind DI and SER of an answer to 901F.
    ///
    /// The medium comes from the type in the answer; the edition of a heat layout from the length.
    ///
    /// # Errors
    /// [`ValueError::Length`], [`ValueError::Digit`].
    pub fn parse(meter_type: MeterType, data: &[u8]) -> Result<Self, ValueError> {
        let mut fields = Fields::new(data);
        let heat = matches!(meter_type.medium(), Some(Medium::Heat));
        match (heat, data.len()) {
            (false, VOLUME_LEN) => {
                let current = fields.with_unit(4, 2)?;
                let settlement = fields.with_unit(4, 2)?;
                let (time, status) = (fields.stamp()?, fields.status()?);
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
        put_stamp(&mut writer, time)?;
        writer.put(&status.0);
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

impl HeatColdReading {
    /// Bytes behind DI and SER.
    pub(crate) const LEN: usize = 54;

    /// From the data behind DI and SER of an answer to 911F.
    ///
    /// # Errors
    /// [`ValueError::Length`], [`ValueError::Digit`].
    pub fn parse(data: &[u8]) -> Result<Self, ValueError> {
        if data.len() != Self::LEN {
            return Err(ValueError::Length { found: data.len() });
        }
        let mut fields = Fields::new(data);
        // Fields are taken in the order in which they stand here.
        Ok(HeatColdReading {
            settlement_heat: fields.with_unit(4, 2)?,
            settlement_cold: fields.with_unit(4, 2)?,
            current_heat: fields.with_unit(4, 2)?,
            current_cold: fields.with_unit(4, 2)?,
            power: fields.with_unit(3, 2)?,
            flow: fields.with_unit(3, 3)?,
            volume: fields.with_unit(4, 2)?,
            supply: fields.number(2, 2)?,
            back: fields.number(2, 2)?,
            supply_pressure: fields.number(2, 2)?,
            back_pressure: fields.number(2, 2)?,
            hours: fields.number(4, 0)?,
            time: fields.stamp()?,
            status: fields.status()?,
        })
    }

    /// Writes the data behind DI and SER to the front of `out` and returns their length.
    ///
    /// # Errors
    /// [`ValueError::Range`] if a number has too many digits, [`ValueError::Length`] if `out` is too small.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ValueError> {
        let found = out.len();
        let mut writer = Writer::new(out);
        for heat in [
            self.settlement_heat,
            self.settlement_cold,
            self.current_heat,
            self.current_cold,
        ] {
            put_with_unit(&mut writer, heat, 4)?;
        }
        put_with_unit(&mut writer, self.power, 3)?;
        put_with_unit(&mut writer, self.flow, 3)?;
        put_with_unit(&mut writer, self.volume, 4)?;
        for short in [
            self.supply,
            self.back,
            self.supply_pressure,
            self.back_pressure,
        ] {
            put_number(&mut writer, short, 2)?;
        }
        put_number(&mut writer, self.hours, 4)?;
        put_stamp(&mut writer, self.time)?;
        writer.put(&self.status.0);
        writer.finish().map_err(|_| ValueError::Length { found })
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
    let (time, status) = (fields.stamp()?, fields.status()?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Valve;
    use crate::unit::Unit;

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
                status: Status::new(Valve::Closed, true),
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
