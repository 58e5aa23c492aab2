//! Reads a tariff object. Prices are taken from their digits, never through a float.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Component, Dimension, Element, Limit, Range, Reservation, Restrictions, Tariff};
use crate::civil::Date;
use crate::decimal::Decimal;

/// A text that is no tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongTariff(String);

impl std::fmt::Display for WrongTariff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no tariff: {}", self.0)
    }
}

impl std::error::Error for WrongTariff {}

fn wrong(what: impl Into<String>) -> WrongTariff {
    WrongTariff(what.into())
}

/// A number by its digits, or the same as text.
struct Number(Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let digits = raw.get().trim_matches('"');
        let number = digits.parse().map_err(serde::de::Error::custom)?;
        Ok(Number(number))
    }
}

#[derive(Deserialize)]
struct TariffText {
    #[serde(default)]
    currency: String,
    elements: Vec<ElementText>,
    min_price: Option<LimitText>,
    max_price: Option<LimitText>,
}

/// An object of 2.2.1, or the pair of both values.
struct LimitText(Limit);

impl<'de> Deserialize<'de> for LimitText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object {
            #[serde(alias = "before_taxes")]
            excl_vat: Option<Number>,
            incl_vat: Option<Number>,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let read = |error: serde_json::Error| serde::de::Error::custom(error);
        let (excluding, including) = if raw.get().starts_with('[') {
            serde_json::from_str::<(Option<Number>, Option<Number>)>(raw.get()).map_err(read)?
        } else {
            let object: Object = serde_json::from_str(raw.get()).map_err(read)?;
            (object.excl_vat, object.incl_vat)
        };
        Ok(LimitText(Limit {
            excluding_vat: excluding.map(|number| number.0),
            including_vat: including.map(|number| number.0),
        }))
    }
}

#[derive(Deserialize)]
struct ElementText {
    price_components: Vec<ComponentText>,
    restrictions: Option<RestrictionsText>,
}

#[derive(Deserialize)]
struct ComponentText {
    #[serde(rename = "type")]
    dimension: String,
    price: Number,
    vat: Option<Number>,
    #[serde(default = "one")]
    step_size: u32,
}

const fn one() -> u32 {
    1
}

#[derive(Deserialize)]
struct RestrictionsText {
    start_time: Option<String>,
    end_time: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    min_kwh: Option<Number>,
    max_kwh: Option<Number>,
    min_current: Option<Number>,
    max_current: Option<Number>,
    min_power: Option<Number>,
    max_power: Option<Number>,
    min_duration: Option<u64>,
    max_duration: Option<u64>,
    #[serde(default)]
    day_of_week: Vec<String>,
    reservation: Option<String>,
}

impl Tariff {
    /// Reads a tariff object.
    ///
    /// # Errors
    /// [`WrongTariff`] says what is missing or means nothing.
    pub fn from_json(text: &str) -> Result<Self, WrongTariff> {
        let tariff: TariffText =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let limit = |limit: Option<LimitText>| limit.map_or(Limit::default(), |limit| limit.0);
        Ok(Tariff {
            currency: tariff.currency,
            elements: tariff
                .elements
                .into_iter()
                .map(element)
                .collect::<Result<_, _>>()?,
            min_price: limit(tariff.min_price),
            max_price: limit(tariff.max_price),
        })
    }
}

fn element(text: ElementText) -> Result<Element, WrongTariff> {
    let components = text.price_components.into_iter().map(component);
    Ok(Element {
        components: components.collect::<Result<_, _>>()?,
        restrictions: text
            .restrictions
            .map_or(Ok(Restrictions::default()), restrictions)?,
    })
}

fn component(text: ComponentText) -> Result<Component, WrongTariff> {
    let dimension = match text.dimension.as_str() {
        "FLAT" => Dimension::Flat,
        "ENERGY" => Dimension::Energy,
        "TIME" => Dimension::Time,
        "PARKING_TIME" => Dimension::ParkingTime,
        other => return Err(wrong(format!("price component of type {other}"))),
    };
    Ok(Component {
        dimension,
        price: text.price.0,
        vat: text.vat.map(|vat| vat.0),
        step_size: text.step_size,
    })
}

fn restrictions(text: RestrictionsText) -> Result<Restrictions, WrongTariff> {
    let time = |text: Option<String>| text.map(|text| minute(&text)).transpose();
    let date = |text: Option<String>| text.map(|text| day(&text)).transpose();
    let range = |from: Option<Number>, below: Option<Number>| {
        let thousandths = |bound: Option<Number>| {
            let units = bound.map(|bound| {
                bound
                    .0
                    .in_units(3)
                    .and_then(|units| u64::try_from(units).ok())
            });
            match units {
                Some(None) => Err(wrong("a bound is negative or has more than three places")),
                units => Ok(units.flatten()),
            }
        };
        Ok(Range {
            from: thousandths(from)?,
            below: thousandths(below)?,
        })
    };
    let reservation = match text.reservation.as_deref() {
        None => None,
        Some("RESERVATION") => Some(Reservation::Used),
        Some("RESERVATION_EXPIRES") => Some(Reservation::Expired),
        Some(other) => return Err(wrong(format!("reservation {other}"))),
    };
    let days = text.day_of_week.iter().try_fold(0, |days, name| {
        const NAMES: [&str; 7] = [
            "SUNDAY",
            "MONDAY",
            "TUESDAY",
            "WEDNESDAY",
            "THURSDAY",
            "FRIDAY",
            "SATURDAY",
        ];
        let day = NAMES.iter().position(|known| known == name);
        day.map(|day| days | 1 << day)
            .ok_or_else(|| wrong(format!("day of week {name}")))
    })?;
    Ok(Restrictions {
        start_time: time(text.start_time)?,
        end_time: time(text.end_time)?,
        start_date: date(text.start_date)?,
        end_date: date(text.end_date)?,
        wh: range(text.min_kwh, text.max_kwh)?,
        current: range(text.min_current, text.max_current)?,
        power: range(text.min_power, text.max_power)?,
        duration: Range {
            from: text.min_duration,
            below: text.max_duration,
        },
        days,
        reservation,
    })
}

/// `HH:MM`.
fn minute(text: &str) -> Result<u16, WrongTariff> {
    let parts = text
        .split_once(':')
        .and_then(|(hour, minute)| Some((hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?)));
    match parts {
        Some((hour @ 0..=23, minute @ 0..=59)) => Ok(hour * 60 + minute),
        _ => Err(wrong(format!("time {text}"))),
    }
}

/// `YYYY-MM-DD`.
fn day(text: &str) -> Result<Date, WrongTariff> {
    let mut parts = text.splitn(3, '-');
    let mut next = || parts.next().and_then(|part| part.parse::<u16>().ok());
    let date = (next(), next(), next());
    let date = match date {
        (Some(year), Some(month), Some(day)) => {
            let month = u8::try_from(month).ok();
            month
                .zip(u8::try_from(day).ok())
                .and_then(|(month, day)| Date::try_new(year, month, day))
        }
        _ => None,
    };
    date.ok_or_else(|| wrong(format!("date {text}")))
}
