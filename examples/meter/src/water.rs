//! A water meter: a register in litres, a simulated flow, CJ/T 188.

use cjt188::{
    Address, Application, DataId, MeterType, Quantity, Reading, Stamp, Status, Unit, Valve,
    ValveOrder, VolumeReading,
};

use crate::clock;
use crate::metering::{StartError, read_number, write_number};
use crate::records::WATER;
use crate::store::{Store, StoreError};

/// What one water meter is made with.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// T.
    pub meter_type: MeterType,
    /// Address.
    pub address: Address,
    /// Minutes from UTC to the calendar.
    pub utc_offset_min: i16,
    /// Litres an hour while water flows.
    pub flow_l_h: u32,
    /// Seconds of flow at the start of each period.
    pub flow_s: u32,
    /// Length of the period, seconds.
    pub period_s: u32,
}

/// A water meter with its store.
#[derive(Debug)]
pub struct WaterMeter<S> {
    config: Config,
    store: S,
    /// Volume in thousandths of a litre.
    millilitres: u64,
    /// Parts of a millilitre: litres an hour times milliseconds, 3,600 to a millilitre.
    carried: u64,
    saved: u64,
    valve_open: bool,
    utc_ms: u64,
}

/// The register is stored with every ten litres.
const SAVE_EVERY_ML: u64 = 10_000;
/// 901F on this dialect.
const PRESENT: u16 = 0x901F;

impl<S: Store> WaterMeter<S> {
    /// Starts from what `store` holds; a power cut costs at most ten litres.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: Config, mut store: S, utc_ms: u64) -> Result<Self, StartError> {
        let millilitres = read_number(&mut store, WATER)?.unwrap_or(0);
        Ok(Self {
            config,
            store,
            millilitres,
            carried: 0,
            saved: millilitres,
            valve_open: true,
            utc_ms,
        })
    }

    /// Lets water flow up to `utc_ms`.
    pub fn tick(&mut self, utc_ms: u64) {
        const STEP_MS: u64 = 1_000;
        let period_ms = u64::from(self.config.period_s.max(1)) * 1000;
        // Bounded: a long gap counts as no flow.
        self.utc_ms = self.utc_ms.max(utc_ms.saturating_sub(600 * STEP_MS));
        while utc_ms.saturating_sub(self.utc_ms) >= STEP_MS {
            let flows = self.utc_ms % period_ms < u64::from(self.config.flow_s) * 1000;
            if flows && self.valve_open {
                self.carried += u64::from(self.config.flow_l_h) * STEP_MS;
                self.millilitres = self.millilitres.saturating_add(self.carried / 3_600);
                self.carried %= 3_600;
            }
            self.utc_ms += STEP_MS;
        }
        if self.millilitres.saturating_sub(self.saved) >= SAVE_EVERY_ML {
            // When the store refuses, the next tick tries again.
            let _ = self.save();
        }
    }

    /// Stores the register.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn save(&mut self) -> Result<(), StoreError> {
        write_number(&mut self.store, WATER, self.millilitres)?;
        self.saved = self.millilitres;
        Ok(())
    }

    /// Whole litres.
    #[must_use]
    pub const fn litres(&self) -> u64 {
        self.millilitres / 1000
    }

    fn st(&self) -> Status {
        Status::new(
            if self.valve_open {
                Valve::Open
            } else {
                Valve::Closed
            },
            false,
        )
    }
}

impl<S: Store> Application for WaterMeter<S> {
    fn meter_type(&self) -> MeterType {
        self.config.meter_type
    }

    fn address(&self) -> Address {
        self.config.address
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        if id.0 != PRESENT {
            return Err(self.st());
        }
        let now = clock::calendar(clock::local_ms(self.utc_ms, self.config.utc_offset_min));
        // Hundredths of a cubic metre: tens of litres. Eight digits, then it rolls over.
        let quantity = |litres: u64| Quantity {
            mantissa: (litres / 10 % 100_000_000) as u32,
            decimals: 2,
            unit: Some(Unit::CUBIC_METRE),
        };
        let reading = Reading::Volume(VolumeReading {
            current: quantity(self.litres()),
            settlement: quantity(0),
            time: Some(Stamp {
                year: now.year,
                month: now.month,
                day: now.day,
                hour: now.hour,
                minute: now.minute,
                second: now.second,
            }),
            status: self.st(),
        });
        reading.encode(out).map_err(|_| self.st())
    }

    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        self.valve_open = matches!(order, ValveOrder::Open);
        Ok(self.st())
    }
}
