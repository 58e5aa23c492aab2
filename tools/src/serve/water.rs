//! A simulated CJ/T 188 meter.

use std::sync::{Arc, Mutex};

use cjt188::{
    Address, Application, DataId, MeterType, Quantity, Reading, Stamp, Status, Unit, Valve,
    ValveOrder, VolumeReading,
};

use super::locked;

/// A water or gas meter with a valve.
#[derive(Debug)]
pub struct Water {
    meter_type: MeterType,
    address: Address,
    valve: Valve,
}

impl Water {
    /// A meter whose valve is open.
    #[must_use]
    pub const fn new(meter_type: MeterType, address: Address) -> Self {
        Water {
            meter_type,
            address,
            valve: Valve::Open,
        }
    }

    fn reading(&self) -> Reading {
        let volume = |mantissa| Quantity {
            mantissa,
            decimals: 2,
            unit: Some(Unit::CUBIC_METRE),
        };
        let now = jiff::Zoned::now().datetime();
        let small = |field: i8| u8::try_from(field).unwrap_or_default();
        Reading::Volume(VolumeReading {
            current: volume(12_345),
            settlement: volume(12_000),
            time: Some(Stamp {
                year: u16::try_from(now.year()).unwrap_or_default(),
                month: small(now.month()),
                day: small(now.day()),
                hour: small(now.hour()),
                minute: small(now.minute()),
                second: small(now.second()),
            }),
            status: Status::new(self.valve, false),
        })
    }
}

/// A meter that several connections share.
#[derive(Debug)]
pub(super) struct Shared(pub Arc<Mutex<Water>>);

impl Application for Shared {
    fn meter_type(&self) -> MeterType {
        locked(&self.0).meter_type
    }

    fn address(&self) -> Address {
        locked(&self.0).address
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        let meter = locked(&self.0);
        let status = Status::new(meter.valve, false);
        match id {
            DataId::PRESENT => meter.reading().encode(out).map_err(|_| status),
            _ => Err(status),
        }
    }

    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        let mut meter = locked(&self.0);
        meter.valve = match order {
            ValveOrder::Open => Valve::Open,
            ValveOrder::Close => Valve::Closed,
        };
        Ok(Status::new(meter.valve, false))
    }
}
