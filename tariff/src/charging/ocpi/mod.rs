//! Tariffs of the Open Charge Point Interface (2.2.1; fields of 2.3.0 that it does not know are
//! skipped): read from JSON, priced exactly.
//!
//! Elements are tried in order; for each dimension the first whose restrictions hold is active. A
//! step size is applied once over the energy and once over charging and parking time together, to
//! the last period with a price. The module prescribes no rounding, so nothing is rounded here.
//!
//! ```
//! use tariff::charging::ocpi::{Kind, Period, Session, Tariff};
//! use tariff::civil::{Date, Moment};
//!
//! let tariff = Tariff::from_json(r#"{ "currency": "EUR", "elements": [ { "price_components": [
//!     { "type": "FLAT", "price": 0.50, "vat": 20, "step_size": 1 },
//!     { "type": "ENERGY", "price": 0.25, "vat": 10, "step_size": 1 } ] } ] }"#)?;
//! let start = Moment::from_local(Date::try_new(2026, 7, 15).unwrap(), 10 * 3600, 7200);
//! let session = Session { start, periods: vec![Period::new(Kind::Charging, 7200, 20_000)] };
//! let cost = tariff.price(&session).unwrap();
//! assert_eq!(cost.excluding_vat.to_string(), "5.5");
//! assert_eq!(cost.including_vat.to_string(), "6.1");
//! # Ok::<(), tariff::charging::ocpi::WrongTariff>(())
//! ```

mod price;
mod read;

pub use price::{Cost, Kind, Line, Period, Session};
pub use read::WrongTariff;

use crate::civil::{Date, Moment};
use crate::decimal::Decimal;

/// What a price component charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// Once a session.
    Flat,
    /// A kilowatt hour.
    Energy,
    /// An hour of charging, or of a reservation.
    Time,
    /// An hour of standing without charging.
    ParkingTime,
}

/// A price of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// What it charges.
    pub dimension: Dimension,
    /// Price of a unit, without tax.
    pub price: Decimal,
    /// Tax in per cent; none is not taxed.
    pub vat: Option<Decimal>,
    /// Watt hours or seconds to which the session is rounded up; 0 counts as 1.
    pub step_size: u32,
}

/// Whether an element is meant for reservations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reservation {
    /// For the time of a reservation that was used.
    Used,
    /// For one that expired.
    Expired,
}

/// When an element holds. Lower bounds hold from their value up, upper ones below theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// Minute of the local day from which it holds.
    pub start_time: Option<u16>,
    /// Minute of the local day at which it ends; before the start means over midnight.
    pub end_time: Option<u16>,
    /// First day.
    pub start_date: Option<Date>,
    /// First day on which it holds no more.
    pub end_date: Option<Date>,
    /// Energy of the session so far, watt hours.
    pub wh: Range,
    /// Current, milliamperes.
    pub current: Range,
    /// Power, watts.
    pub power: Range,
    /// Length of the session so far, seconds.
    pub duration: Range,
    /// Days of the week, bit 0 Sunday; 0 is every day.
    pub days: u8,
    /// Only for reservations.
    pub reservation: Option<Reservation>,
}

/// From a value up, below a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Least value.
    pub from: Option<u64>,
    /// First value too large.
    pub below: Option<u64>,
}

impl Range {
    fn is_free(self) -> bool {
        self == Range::default()
    }

    fn holds(self, value: Option<u64>) -> bool {
        match value {
            Some(value) => {
                self.from.is_none_or(|from| value >= from)
                    && self.below.is_none_or(|below| value < below)
            }
            // What was not measured fulfils no bound.
            None => self.is_free(),
        }
    }

    /// The first bound above a value.
    fn next(self, value: u64) -> Option<u64> {
        let bounds = self.from.into_iter().chain(self.below);
        bounds.filter(|&bound| bound > value).min()
    }
}

/// Price components that hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its prices.
    pub components: Vec<Component>,
    /// When it holds.
    pub restrictions: Restrictions,
}

/// A limit of the session's total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// Without tax.
    pub excluding_vat: Option<Decimal>,
    /// With tax.
    pub including_vat: Option<Decimal>,
}

/// A tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// ISO 4217 code; empty when the text has none.
    pub currency: String,
    /// In the order in which they are tried.
    pub elements: Vec<Element>,
    /// The session costs at least this.
    pub min_price: Limit,
    /// The session costs at most this.
    pub max_price: Limit,
}

impl Restrictions {
    fn hold(&self, now: &price::Now) -> bool {
        let minute = now.at.minute_of_day();
        let (start, end) = (self.start_time.unwrap_or(0), self.end_time.unwrap_or(1440));
        let end = if end == 0 { 1440 } else { end };
        let in_time = if start < end {
            (start..end).contains(&minute)
        } else {
            // Over midnight; equal times mean the whole day.
            minute >= start || minute < end
        };
        let date = now.at.date();
        in_time
            && self.start_date.is_none_or(|first| date >= first)
            && self.end_date.is_none_or(|end| date < end)
            && (self.days == 0 || self.days & (1 << date.weekday()) != 0)
            && self.wh.holds(Some(now.wh))
            && self.duration.holds(Some(now.seconds))
            && self.current.holds(now.current)
            && self.power.holds(now.power)
            && self.reservation == now.reservation
    }

    /// Seconds to the next instant at which time of day, date or weekday may change what holds.
    fn next_time(&self, at: Moment) -> u32 {
        let second = at.second_of_day();
        let times = self.start_time.into_iter().chain(self.end_time);
        let edges = times.map(|minute| u32::from(minute) * 60).chain([86_400]);
        let next = edges.filter(|&edge| edge > second).min();
        next.unwrap_or(86_400) - second
    }
}
