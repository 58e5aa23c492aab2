//! What a simulated meter is told at its start: a file, flags, or the caller's struct.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tariff::calendar::{Slot, Zone};
use tariff::friendly::FriendlyHours;
use tariff::overload::PowerLimit;
use tariff::profile::Small;
use tariff::purse::Limits;
use tariff::tier::Tier;
use tariff::{Money, Price};

use super::StartError;
use crate::account::{AccountConfig, Prepaid};
use crate::settings::{Fee, TripCurrent};
use crate::wave::{Load, Schedule, Shape};

/// An electricity meter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeterConfig {
    /// Identity, `d645-` and 12 digits.
    pub id: String,
    /// 1 or 3.
    pub phases: u8,
    /// TCP address; port 0 takes a free one. `None` does not listen.
    pub listen: Option<String>,
    /// Also answers on a pseudo-terminal.
    pub pty: bool,
    /// Plays this recording over and over instead of the loads.
    pub waveform: Option<PathBuf>,
    /// Samples per second of a table without a time column.
    pub waveform_rate_hz: Option<f64>,
    /// Samples per second of the synthetic waves, from 1,000.
    pub sample_rate_hz: u32,
    /// Line voltage, millivolts.
    pub voltage_mv: u32,
    /// Loads, at most 8.
    pub loads: Vec<Load>,
    /// Seed of noise and small movements.
    pub seed: u32,
    /// Folder of the meter's state; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// Waits for the disk at each write.
    pub flush: bool,
    /// Keys by purpose; `None` takes the public demonstration keys.
    pub keys: Option<KeyFile>,
    /// Seconds between two legal blocks.
    pub legal_interval_s: u32,
    /// Minutes from UTC to the calendar.
    pub utc_offset_min: i16,
    /// Password of levels 0 to 4.
    pub password: u32,
    /// Rates and tiers.
    pub tariff: TariffConfig,
    /// Prepaid account, opened at the first start.
    pub prepaid: Option<PrepaidConfig>,
    /// What fee control goes by at the first start.
    pub fee: FeeConfig,
}

/// Two rates and additive tiers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TariffConfig {
    /// Price of each rate, 0.0001 of the currency for a kilowatt hour, rate 1 first, at most 4.
    pub prices: Vec<u32>,
    /// Slots of the day: first minute and rate.
    pub slots: Vec<(u16, u8)>,
    /// Tiers: up to so many watt hours a month, and what is added to the price.
    pub tiers: Vec<(u64, u32)>,
}

impl Default for TariffConfig {
    /// Peak 0.5683 from 08:00 to 22:00, valley 0.3583; 0.05 more above 230 kWh, 0.30 more above 400 kWh a month.
    fn default() -> Self {
        Self {
            prices: vec![5683, 3583],
            slots: vec![(0, 2), (480, 1), (1320, 2)],
            tiers: vec![(230_000, 0), (400_000, 500), (u64::MAX, 3000)],
        }
    }
}

/// A prepaid account; amounts in hundredths.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepaidConfig {
    /// Credit of the new meter.
    pub initial: i64,
    /// Customer number, 12 digits.
    pub customer: String,
    /// Alarm amount 1.
    pub alarm_1: i64,
    /// Alarm amount 2, 0 is off.
    pub alarm_2: i64,
    /// Overdraft.
    pub overdraft: i64,
    /// Hoarding limit, 0 is none.
    pub hoard: i64,
}

impl Default for PrepaidConfig {
    fn default() -> Self {
        Self {
            initial: 2_000,
            customer: "000000000001".into(),
            alarm_1: 1_000,
            alarm_2: 0,
            overdraft: 0,
            hoard: 0,
        }
    }
}

/// Terms of fee control.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeeConfig {
    /// Standing charge of a day, hundredths.
    pub standing: i64,
    /// Friendly times, at most 4: weekdays on which they begin (bit 0 Sunday), first minute of the day, first minute
    /// behind.
    pub friendly: Vec<(u8, u16, u16)>,
    /// Public holidays are friendly.
    pub friendly_holidays: bool,
    /// The over-power trip.
    pub over_power: Option<OverPowerConfig>,
    /// The rate while the clock is not good, 0 the last one.
    pub fallback_rate: u8,
    /// What the purse begins with at a programmed change to local fee control, hundredths.
    pub initial: i64,
    /// Current above which a trip waits, milliamperes, and for how many minutes at most.
    pub trip_current: Option<(u32, u16)>,
}

/// When the relay opens for too much power.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverPowerConfig {
    /// Highest power that may last, watts.
    pub watts: u32,
    /// How long it may be above, seconds.
    pub after_s: u32,
    /// After how many seconds the relay closes by itself; 0 waits for the key.
    #[serde(default)]
    pub reclose_s: u32,
    /// How often it closes by itself.
    #[serde(default)]
    pub tries: u8,
    /// Opens in spite of keep power.
    #[serde(default)]
    pub despite_keep_power: bool,
}

impl FeeConfig {
    fn fee(&self) -> Result<Fee, StartError> {
        let bad = || StartError::Config("the terms of fee control are not good".into());
        let hours = |&(weekdays, from, until)| FriendlyHours {
            weekdays,
            from,
            until,
        };
        let friendly: Vec<_> = self.friendly.iter().map(hours).collect();
        let fee = Fee {
            standing: Money::from_hundredths(self.standing),
            friendly: heapless::Vec::from_slice(&friendly).map_err(|_| bad())?,
            friendly_holidays: self.friendly_holidays,
            overload: self.over_power.map(|limit| PowerLimit {
                watts: limit.watts,
                after_s: limit.after_s,
                reclose_s: limit.reclose_s,
                tries: limit.tries,
                despite_keep_power: limit.despite_keep_power,
            }),
            fallback_rate: self.fallback_rate,
            initial: Money::from_hundredths(self.initial),
            mode: None,
            trip_current: self
                .trip_current
                .map(|(limit_ma, longest_min)| TripCurrent {
                    limit_ma,
                    longest_min,
                }),
        };
        if fee.is_good() { Ok(fee) } else { Err(bad()) }
    }
}

/// Keys of one device as the platform hands them out.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyFile {
    /// Whose keys they are.
    pub device: String,
    /// Their epoch.
    pub epoch: u16,
    /// Name of the purpose to 32 hexadecimal digits.
    pub keys: BTreeMap<String, String>,
}

impl core::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeyFile")
            .field("device", &self.device)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// [`StartError::Config`] when it cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, StartError> {
        let bad = |reason: String| StartError::Config(format!("{}: {reason}", path.display()));
        let text = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))
    }
}

impl Default for MeterConfig {
    fn default() -> Self {
        Self {
            id: "d645-202611000001".into(),
            phases: 1,
            listen: Some("127.0.0.1:0".into()),
            pty: false,
            waveform: None,
            waveform_rate_hz: None,
            sample_rate_hz: 4_000,
            voltage_mv: 220_000,
            loads: vec![
                Load::new(Shape::Resistive, 5_000),
                Load::new(Shape::Standby, 100),
            ],
            seed: 1,
            data_dir: None,
            flush: true,
            keys: None,
            legal_interval_s: 900,
            utc_offset_min: 480,
            password: 0,
            tariff: TariffConfig::default(),
            prepaid: None,
            fee: FeeConfig::default(),
        }
    }
}

impl MeterConfig {
    /// Reads a configuration file (JSON; what is left out keeps its default).
    ///
    /// # Errors
    /// [`StartError::Config`] when it cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, StartError> {
        let bad = |reason: String| StartError::Config(format!("{}: {reason}", path.display()));
        let text = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))
    }

    /// The prepaid meter of the demonstration: 8.8 kW and credit for about two minutes.
    #[must_use]
    pub fn demo_prepaid(id: &str, customer: &str) -> Self {
        Self {
            id: id.into(),
            loads: vec![Load::new(Shape::Resistive, 40_000)],
            // One price, so that the two minutes do not depend on the time of day: 8.8 kW · 120 s · 0.68 = 0.20.
            tariff: TariffConfig {
                prices: vec![6800],
                slots: vec![(0, 1)],
                tiers: Vec::new(),
            },
            prepaid: Some(PrepaidConfig {
                initial: 20,
                customer: customer.into(),
                alarm_1: 10,
                ..PrepaidConfig::default()
            }),
            legal_interval_s: 5,
            ..Self::default()
        }
    }

    /// The three-phase meter of the demonstration: a motor and a rectifier.
    #[must_use]
    pub fn demo_three_phase(id: &str) -> Self {
        Self {
            id: id.into(),
            phases: 3,
            loads: vec![
                Load::new(Shape::Motor, 12_000).with_schedule(Schedule::Cycle {
                    on_s: 240,
                    off_s: 60,
                }),
                Load {
                    phases: 0b001,
                    ..Load::new(Shape::Rectifier, 6_000)
                },
                Load {
                    phases: 0b110,
                    ..Load::new(Shape::Resistive, 2_500)
                },
            ],
            seed: 2,
            legal_interval_s: 5,
            ..Self::default()
        }
    }

    /// The meter with solar panels of the demonstration.
    #[must_use]
    pub fn demo_solar(id: &str) -> Self {
        Self {
            id: id.into(),
            loads: vec![
                Load::new(Shape::Solar, 16_000).with_schedule(Schedule::Sun { period_s: 600 }),
                Load::new(Shape::Resistive, 1_500),
            ],
            seed: 3,
            legal_interval_s: 5,
            ..Self::default()
        }
    }

    /// Tariff and account of the management core.
    pub(super) fn account(&self) -> Result<AccountConfig, StartError> {
        let too_many = |what: &str| StartError::Config(format!("the tariff has too many {what}"));
        let mut plan = Small::new();
        plan.zones
            .push(Zone {
                start: 101,
                table: 1,
            })
            .map_err(|_| too_many("zones"))?;
        for &(start, rate) in &self.tariff.slots {
            plan.slots
                .push(Slot {
                    table: 1,
                    start,
                    rate,
                })
                .map_err(|_| too_many("slots"))?;
        }
        for &price in &self.tariff.prices {
            plan.prices
                .push(Price::from_ten_thousandths(price))
                .map_err(|_| too_many("rates"))?;
        }
        for &(up_to_wh, price) in &self.tariff.tiers {
            let price = Price::from_ten_thousandths(price);
            plan.tiers
                .push(Tier { up_to_wh, price })
                .map_err(|_| too_many("tiers"))?;
        }
        plan.tariff()
            .map_err(|broken| StartError::Config(format!("the tariff is not good: {broken}")))?;
        let prepaid = self
            .prepaid
            .as_ref()
            .map(|prepaid| -> Result<Prepaid, StartError> {
                let customer: [u8; 6] = hex::decode(&prepaid.customer)
                    .ok()
                    .and_then(|digits| digits.try_into().ok())
                    .ok_or_else(|| {
                        StartError::Config("the customer number is not 12 digits".into())
                    })?;
                let amount = |hundredths: i64| Money::from_hundredths(hundredths);
                Ok(Prepaid {
                    limits: Limits {
                        alarm_1: amount(prepaid.alarm_1),
                        alarm_2: amount(prepaid.alarm_2),
                        overdraft: amount(prepaid.overdraft),
                        hoard: amount(prepaid.hoard),
                        close_allow: Money::ZERO,
                    },
                    initial: amount(prepaid.initial),
                    customer,
                })
            });
        let mut account = AccountConfig::new(plan, prepaid.transpose()?);
        account.settings.fee = self.fee.fee()?;
        Ok(account)
    }
}

/// A water meter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaterConfig {
    /// Identity, `c188-`, two digits of the type and 14 digits.
    pub id: String,
    /// TCP address; port 0 takes a free one.
    pub listen: Option<String>,
    /// Also answers on a pseudo-terminal.
    pub pty: bool,
    /// Folder of the meter's state; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// Waits for the disk at each write.
    pub flush: bool,
    /// Litres an hour while water flows.
    pub flow_l_h: u32,
    /// Seconds of flow in each period.
    pub flow_s: u32,
    /// Length of the period, seconds.
    pub period_s: u32,
    /// Minutes from UTC to the calendar.
    pub utc_offset_min: i16,
}

impl Default for WaterConfig {
    fn default() -> Self {
        Self {
            id: "c188-1020261100000004".into(),
            listen: Some("127.0.0.1:0".into()),
            pty: false,
            data_dir: None,
            flush: true,
            flow_l_h: 900,
            flow_s: 40,
            period_s: 120,
            utc_offset_min: 480,
        }
    }
}

#[cfg(test)]
mod tests {
    use tariff::Money;

    use super::MeterConfig;

    #[test]
    fn terms_of_fee_control_come_from_the_file_and_are_checked() {
        let read = |fee: &str| {
            let text = format!(r#"{{"prepaid": {{}}, "fee": {fee}}}"#);
            let config: MeterConfig = serde_json::from_str(&text).unwrap();
            config.account().map(|account| account.settings.fee)
        };
        let fee = read(
            r#"{"standing": 50, "friendly": [[2, 1320, 360]], "trip_current": [60000, 30],
                "over_power": {"watts": 5000, "after_s": 60}}"#,
        )
        .unwrap();
        assert_eq!(fee.standing, Money::from_hundredths(50));
        assert_eq!((fee.friendly[0].from, fee.friendly[0].until), (1320, 360));
        assert_eq!(fee.overload.unwrap().watts, 5_000);
        assert_eq!(fee.trip_current.unwrap().longest_min, 30);
        assert!(read(r#"{"friendly": [[2, 1440, 0]]}"#).is_err());
        assert!(read(r#"{"standing": -1}"#).is_err());
        assert!(read(r#"{"fallback_rate": 5}"#).is_err());
    }
}
