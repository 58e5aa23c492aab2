//! Devices as people see them: exact decimal texts, units, age and seal.

use meter_proto::language::Language;
use meter_proto::point::{Direction, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::value::Value;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

use crate::billing::Bill;
use crate::history::{Sample, Span};
use crate::orders::OrderView;
use crate::platform::Platform;
use crate::store::{Device, DeviceKind, OrderState};

/// Total active power of an electricity meter.
pub const POWER: PointId = PointId::new(Quantity::ACTIVE_POWER);
/// Total active energy taken from the network.
pub const IMPORT: PointId = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT);
/// Total active energy delivered to the network.
pub const EXPORT: PointId = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::EXPORT);
/// Volume that ran through a water meter.
pub const VOLUME: PointId = PointId::new(Quantity::VOLUME);
/// Flow through a water meter.
pub const FLOW: PointId = PointId::new(Quantity::VOLUME_FLOW);
/// Credit left in a prepaid meter.
pub const BALANCE: PointId = PointId::new(Quantity::MONEY_BALANCE);
/// Status word 3 of a DL/T 645 meter: channel 3 of the state word.
pub const STATUS_3: PointId = PointId::new(Quantity::STATE_WORD).channel(3);
/// Bit of status word 3 that says the relay is open.
const RELAY_OPEN: i64 = 1 << 4;

/// One value as text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reading {
    /// Exact decimal.
    pub value: String,
    /// Unit of the value.
    pub unit: String,
    /// UTC milliseconds.
    pub time: u64,
    /// Whether it came out of a sealed block whose seal was verified.
    pub sealed: bool,
    /// Whether nothing is said against it.
    pub good: bool,
}

/// One point of a device with its present value.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PointReading {
    /// Number of the point in the unified standard.
    pub point: u64,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// Present value.
    #[serde(flatten)]
    pub reading: Reading,
}

/// What was used since local midnight.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Today {
    /// Taken from the network, exact decimal.
    pub used: Option<String>,
    /// Delivered to the network, exact decimal.
    pub delivered: Option<String>,
    /// Unit of both.
    pub unit: String,
    /// Price of what the sealed readings prove, exact decimal.
    pub money: Option<String>,
    /// Its currency.
    pub currency: String,
}

/// State of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relay {
    /// Power is on.
    Closed,
    /// Power is off.
    Open,
}

/// A device on the overview.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceView {
    /// Identity.
    pub id: String,
    /// What it measures.
    pub kind: DeviceKind,
    /// Name for people.
    pub name: String,
    /// Gateway that carries it.
    pub gateway: Option<String>,
    /// Whether it was heard lately.
    pub online: bool,
    /// UTC milliseconds of the last message.
    pub last_seen: Option<u64>,
    /// Power of an electricity meter; flow of a water meter, or its register if it tells no flow.
    pub power: Option<Reading>,
    /// Number of the point that `power` shows.
    pub power_point: u64,
    /// Total register.
    pub register: Option<Reading>,
    /// Total register of what was delivered to the network.
    pub export: Option<Reading>,
    /// Since local midnight.
    pub today: Today,
    /// Whether the meter runs on credit.
    pub prepaid: bool,
    /// Credit left.
    pub balance: Option<Reading>,
    /// Whether the credit is low.
    pub low: bool,
    /// State of the relay as the meter reports it; `None` when it has none or has not said.
    pub relay: Option<Relay>,
    /// Overload limit in watts.
    pub power_limit_w: Option<i64>,
    /// Alarms that are up.
    pub alarms: u32,
    /// Orders on their way.
    pub orders: Vec<OrderView>,
}

/// A device with everything that is known of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceDetail {
    /// The overview.
    #[serde(flatten)]
    pub device: DeviceView,
    /// Every point with its present value.
    pub points: Vec<PointReading>,
    /// Today's bill, line by line.
    pub bill: Option<Bill>,
    /// Latest orders first.
    pub recent_orders: Vec<OrderView>,
}

/// A reading in the unit people use: kilowatt-hours for energies, everything else as it is.
pub fn reading(point: PointId, sample: &Sample, currency: &str) -> Reading {
    let (value, unit) = scaled(point.quantity(), sample.value, currency);
    Reading {
        value: value.to_string(),
        unit,
        time: sample.time,
        sealed: sample.sealed,
        good: sample.value.quality.is_good(),
    }
}

/// A value and its unit, energies in kilo.
pub fn scaled(quantity: Quantity, value: Value, currency: &str) -> (Value, String) {
    match quantity {
        Quantity::ACTIVE_ENERGY => (kilo(value), "kWh".into()),
        Quantity::REACTIVE_ENERGY => (kilo(value), "kvarh".into()),
        Quantity::APPARENT_ENERGY => (kilo(value), "kVAh".into()),
        Quantity::MONEY_BALANCE | Quantity::MONEY_OVERDRAFT => (value, currency.to_owned()),
        Quantity::PRICE => (value, format!("{currency}/kWh")),
        _ => (value, value_unit(quantity)),
    }
}

fn value_unit(quantity: Quantity) -> String {
    match quantity.unit() {
        "1" => String::new(),
        unit => unit.to_owned(),
    }
}

/// The same digits, read in thousands.
fn kilo(value: Value) -> Value {
    Value {
        exponent: value.exponent.saturating_sub(3),
        ..value
    }
}

impl Platform {
    /// A device as the overview shows it.
    pub fn view(&self, device: &Device) -> crate::store::Result<DeviceView> {
        let present = self.live.present(&device.id);
        let currency = self.config.currency.as_str();
        let pick = |point: PointId| {
            present
                .values
                .get(&point)
                .map(|sample| reading(point, sample, currency))
        };
        let orders = self
            .store
            .orders(Some(&device.id), 8)?
            .iter()
            .filter(|order| matches!(order.state, OrderState::Made | OrderState::Sent))
            .map(OrderView::from)
            .collect();
        let water = device.kind == DeviceKind::Water;
        let main = if water { VOLUME } else { IMPORT };
        let shown = match water {
            true if present.values.contains_key(&FLOW) => FLOW,
            true => VOLUME,
            false => POWER,
        };
        let balance = present.values.get(&BALANCE);
        let low_limit = Value::new(self.config.low_credit_cents, -2);
        let unit = if water { "m³" } else { "kWh" };
        Ok(DeviceView {
            id: device.id.clone(),
            kind: device.kind,
            name: device.name.clone(),
            gateway: device.gateway.clone(),
            online: present.online(Duration::from_millis(self.config.offline_after_ms)),
            last_seen: present.last_seen,
            power: pick(shown),
            power_point: shown.bits(),
            register: pick(main),
            export: pick(EXPORT),
            today: Today {
                used: self.since_midnight(&device.id, main)?,
                delivered: self.since_midnight(&device.id, EXPORT)?,
                unit: unit.into(),
                money: self.billing.today(self, device)?.map(|bill| bill.total),
                currency: currency.into(),
            },
            prepaid: device.customer.is_some(),
            balance: balance.map(|sample| reading(BALANCE, sample, currency)),
            low: device.customer.is_some()
                && balance.is_some_and(|sample| sample.value.exact_cmp(&low_limit).is_lt()),
            relay: self.relay(&device.id),
            power_limit_w: device.power_limit_w,
            alarms: self.alarms.up(&device.id),
            orders,
        })
    }

    /// State of the relay as the meter last reported it.
    pub fn relay(&self, device: &str) -> Option<Relay> {
        let word = self
            .live
            .present(device)
            .values
            .get(&STATUS_3)?
            .value
            .mantissa_at(0)?;
        Some(if word & RELAY_OPEN == 0 {
            Relay::Closed
        } else {
            Relay::Open
        })
    }

    /// What a register grew since local midnight.
    pub(crate) fn grown_today(
        &self,
        device: &str,
        point: PointId,
    ) -> crate::store::Result<Option<Value>> {
        let now = (self.clock)();
        let midnight = self.history.day_start(now);
        let Some(last) = self
            .live
            .present(device)
            .values
            .get(&point)
            .map(|sample| sample.value)
        else {
            return Ok(None);
        };
        let before = match self
            .history
            .rollup_before(device, point, Span::Day, midnight)?
        {
            Some(day) => Some(day.last),
            None => {
                let today = self.history.rollups(
                    device,
                    point,
                    Span::Day,
                    midnight,
                    now.saturating_add(1),
                )?;
                today.first().map(|day| day.first)
            }
        };
        Ok(before.and_then(|before| last.checked_sub(&before)))
    }

    /// The same as decimal text in the unit of the page.
    fn since_midnight(&self, device: &str, point: PointId) -> crate::store::Result<Option<String>> {
        let grown = self.grown_today(device, point)?;
        Ok(grown.map(|grown| scaled(point.quantity(), grown, "").0.to_string()))
    }

    /// Everything that is known of a device.
    pub fn detail(&self, device: &Device) -> crate::store::Result<DeviceDetail> {
        let present = self.live.present(&device.id);
        let points = present
            .values
            .iter()
            .map(|(point, sample)| PointReading {
                point: point.bits(),
                name_en: point.to_string(),
                name_zh: point.name(Language::Chinese).to_string(),
                reading: reading(*point, sample, &self.config.currency),
            })
            .collect();
        Ok(DeviceDetail {
            device: self.view(device)?,
            points,
            bill: self.billing.today(self, device)?,
            recent_orders: self
                .store
                .orders(Some(&device.id), 20)?
                .iter()
                .map(OrderView::from)
                .collect(),
        })
    }
}
