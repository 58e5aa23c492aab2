//! What today's consumption costs: sealed register readings in, lines out, priced by the engine that runs in the meter.
//!
//! A bill of today is carried on from reading to reading, so a page that looks often costs nothing. Only readings that
//! came sealed count. Amounts stay exact (10^-7 of the currency) until the total is rounded once, half up.

use anyhow::Context;
use meter_proto::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use tariff::bill::{Biller, Interval, LONGEST_S};
use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::Moment;
use tariff::tier::{Reset, Tier, TierTotal};
use tariff::{Money, Price, Rounding, Tariff};
use utoipa::ToSchema;

use crate::config::Config;
use crate::history::Span;
use crate::platform::Platform;
use crate::store::{Device, DeviceKind, Result};
use crate::view::{IMPORT, VOLUME};

/// Prices of a site. Prices are ten thousandths of the currency a kilowatt-hour.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct PriceList {
    /// Switching times of every day: first minute and rate, rising.
    pub slots: Vec<PriceSlot>,
    /// Rate 1 first.
    pub rates: Vec<RatePrice>,
    /// What tiers add by the month's energy; none adds nothing.
    pub tiers: Vec<TierPrice>,
    /// Ten thousandths of the currency a cubic metre of water.
    pub water: u32,
}

/// From this minute of the day on this rate holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PriceSlot {
    /// Minute of the local day, 0 to 1439.
    pub start: u16,
    /// Rate, from 1.
    pub rate: u8,
}

/// A rate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RatePrice {
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// Price.
    pub price: u32,
}

/// A tier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TierPrice {
    /// Last watt hour of the month in this tier; `None` for the last tier.
    pub up_to_wh: Option<u64>,
    /// What it adds.
    pub price: u32,
}

impl Default for PriceList {
    /// Two rates, peak from 6 to 22 h, and three tiers by the month.
    fn default() -> Self {
        let rate = |name_en: &str, name_zh: &str, price| RatePrice {
            name_en: name_en.into(),
            name_zh: name_zh.into(),
            price,
        };
        Self {
            slots: vec![
                PriceSlot { start: 0, rate: 2 },
                PriceSlot {
                    start: 6 * 60,
                    rate: 1,
                },
                PriceSlot {
                    start: 22 * 60,
                    rate: 2,
                },
            ],
            rates: vec![rate("Peak", "峰", 6170), rate("Valley", "谷", 3070)],
            tiers: vec![
                TierPrice {
                    up_to_wh: Some(260_000),
                    price: 0,
                },
                TierPrice {
                    up_to_wh: Some(400_000),
                    price: 500,
                },
                TierPrice {
                    up_to_wh: None,
                    price: 3000,
                },
            ],
            water: 34_500,
        }
    }
}

/// A bill, line by line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Bill {
    /// Lines by rate and tier.
    pub lines: Vec<BillLine>,
    /// Sum, rounded half up to hundredths.
    pub total: String,
    /// Sum before it was rounded.
    pub exact: String,
    /// Unit of the amounts of energy or water.
    pub unit: String,
    /// Currency of all amounts.
    pub currency: String,
    /// UTC milliseconds of the last sealed reading that is priced.
    pub until: u64,
    /// Whether everything in it was sealed by a metering core; a water meter seals nothing.
    pub sealed: bool,
}

/// One line of a bill.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BillLine {
    /// English name of the rate.
    pub rate_en: String,
    /// Chinese name of the rate.
    pub rate_zh: String,
    /// Tier, from 1.
    pub tier: u8,
    /// Energy in kWh or water in m³, exact decimal.
    pub quantity: String,
    /// Price of one, exact decimal.
    pub price: String,
    /// Amount, exact decimal.
    pub amount: String,
}

/// Prices and today's bills.
pub struct Billing {
    prices: PriceList,
    zones: Vec<Zone>,
    slots: Vec<Slot>,
    rates: Vec<Price>,
    tiers: Vec<Tier>,
    offset_s: i32,
    currency: String,
    days: Mutex<HashMap<String, Day>>,
}

/// Today's open bill of one meter.
#[derive(Debug, Clone)]
struct Day {
    start: u64,
    /// Last reading that is priced: UTC milliseconds and the register in whole watt hours.
    last: Option<(u64, i64)>,
    tiers: TierTotal,
    /// By rate and tier: watt hours, price, amount.
    lines: BTreeMap<(u8, u8), (u64, Price, Money)>,
    amount: Money,
}

/// Whole watt hours of a register, cut off: differences of these add up to the difference of the ends.
fn whole(value: Value) -> Option<i64> {
    if value.exponent >= 0 {
        return value.mantissa_at(0);
    }
    let steps = 10_i64.checked_pow(u32::from(value.exponent.unsigned_abs()))?;
    Some(value.mantissa.div_euclid(steps))
}

/// An amount as decimal text with all its digits but trailing zeros, at least two places.
fn money_text(money: Money) -> String {
    let mut text = Value::new(money.ten_millionths(), -7).to_string();
    while text.ends_with('0')
        && text
            .rsplit_once('.')
            .is_some_and(|(_, places)| places.len() > 2)
    {
        text.pop();
    }
    text
}

fn price_text(price: Price) -> String {
    Value::new(i64::from(price.ten_thousandths()), -4).to_string()
}

impl Billing {
    /// Reads and checks the price list.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let prices = config.prices.clone();
        let tier = |tier: &TierPrice| Tier {
            up_to_wh: tier.up_to_wh.unwrap_or(u64::MAX),
            price: Price::from_ten_thousandths(tier.price),
        };
        let billing = Self {
            zones: vec![Zone {
                start: 101,
                table: 1,
            }],
            slots: prices
                .slots
                .iter()
                .map(|slot| Slot {
                    table: 1,
                    start: slot.start,
                    rate: slot.rate,
                })
                .collect(),
            rates: prices
                .rates
                .iter()
                .map(|rate| Price::from_ten_thousandths(rate.price))
                .collect(),
            tiers: prices.tiers.iter().map(tier).collect(),
            offset_s: config.offset_minutes.saturating_mul(60),
            currency: config.currency.clone(),
            days: Mutex::default(),
            prices,
        };
        billing
            .tariff()
            .context("the price list contradicts itself")?;
        Ok(billing)
    }

    fn tariff(&self) -> std::result::Result<Tariff<'_>, tariff::Broken> {
        let tariff = Tariff::try_new(Calendar::try_new(&self.zones, &self.slots)?, &self.rates)?;
        if self.tiers.is_empty() {
            return Ok(tariff);
        }
        tariff.with_tiers(&self.tiers, Reset::Monthly { day: 1, hour: 0 })
    }

    fn moment(&self, millis: u64) -> Moment {
        Moment {
            utc_s: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
            offset_s: self.offset_s,
        }
    }

    /// The bill of a device for today so far; `None` for a device without readings today.
    pub fn today(&self, platform: &Platform, device: &Device) -> Result<Option<Bill>> {
        match device.kind {
            DeviceKind::Electricity => self.electricity(platform, device),
            DeviceKind::Water => self.water(platform, device),
            DeviceKind::Gateway => Ok(None),
        }
    }

    fn electricity(&self, platform: &Platform, device: &Device) -> Result<Option<Bill>> {
        let now = (platform.clock)();
        let start = platform.history.day_start(now);
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let day = match days.get_mut(&device.id) {
            Some(day) if day.start == start => day,
            _ => {
                let fresh = self.open_day(platform, device, start)?;
                days.insert(device.id.clone(), fresh);
                let Some(day) = days.get_mut(&device.id) else {
                    return Ok(None);
                };
                day
            }
        };
        let from = day
            .last
            .map_or(start, |(time, _)| time.saturating_add(1))
            .max(start);
        for sample in
            platform
                .history
                .sealed_series(&device.id, IMPORT, from, now.saturating_add(1))?
        {
            if let Some(register) = whole(sample.value) {
                self.carry_on(day, sample.time, register);
            }
        }
        let Some((until, _)) = day.last else {
            return Ok(None);
        };
        Ok(Some(self.show(day, until)))
    }

    /// The bill of a day before its first reading.
    fn open_day(&self, platform: &Platform, device: &Device, start: u64) -> Result<Day> {
        let last = platform.history.sealed_before(&device.id, IMPORT, start)?;
        let last = last.and_then(|sample| Some((sample.time, whole(sample.value)?)));
        // What the month used before today decides the tier in which today begins.
        let month = self.month_start(start);
        let used = if month == start {
            Some(0)
        } else {
            let before = platform
                .history
                .rollup_before(&device.id, IMPORT, Span::Day, month)?
                .map(|day| day.last);
            let first = platform
                .history
                .rollups(&device.id, IMPORT, Span::Day, month, start)?;
            let base = before
                .or(first.first().map(|day| day.first))
                .and_then(whole);
            last.zip(base)
                .map(|((_, register), base)| register.saturating_sub(base))
        };
        let mut tiers = TierTotal {
            wh: u64::try_from(used.unwrap_or(0)).unwrap_or(0),
            period: None,
        };
        if let Ok(tariff) = self.tariff() {
            tiers.turn(tariff.reset(), self.moment(start));
        }
        Ok(Day {
            start,
            last,
            tiers,
            lines: BTreeMap::new(),
            amount: Money::ZERO,
        })
    }

    fn month_start(&self, day_start: u64) -> u64 {
        let date = self.moment(day_start).date();
        day_start.saturating_sub(u64::from(date.day().saturating_sub(1)) * Span::Day.length())
    }

    /// Prices what was used since the last reading.
    fn carry_on(&self, day: &mut Day, time: u64, register: i64) {
        let Some((before, base)) = day.last else {
            day.last = Some((time, register));
            return;
        };
        let begin = before.max(day.start);
        let start = self.moment(begin);
        let seconds = i64::try_from(time / 1000)
            .unwrap_or(0)
            .saturating_sub(start.utc_s);
        let Ok(wh) = u64::try_from(register.saturating_sub(base)) else {
            return;
        };
        // Within the same second there is nothing to price yet: the next reading takes it along.
        let (Ok(tariff), 1..=LONGEST_S) = (self.tariff(), seconds) else {
            return;
        };
        let mut biller = Biller::new(tariff, day.tiers);
        let lines = &mut day.lines;
        let priced = biller.price(Interval { start, seconds, wh }, |_, line| {
            let sum = lines
                .entry((line.rate, line.tier))
                .or_insert((0, line.price(), Money::ZERO));
            sum.0 = sum.0.saturating_add(line.wh);
            sum.2 = sum.2 + line.amount;
        });
        if priced.is_ok() {
            day.tiers = biller.tiers();
            day.amount = day.amount + biller.amount();
            day.last = Some((time, register));
        }
    }

    fn show(&self, day: &Day, until: u64) -> Bill {
        let line = |(&(rate, tier), &(wh, price, amount)): (&(u8, u8), &(u64, Price, Money))| {
            let named = usize::from(rate)
                .checked_sub(1)
                .and_then(|index| self.prices.rates.get(index));
            let name = |pick: fn(&RatePrice) -> &String| {
                named.map_or_else(|| rate.to_string(), |rate| pick(rate).clone())
            };
            BillLine {
                rate_en: name(|rate| &rate.name_en),
                rate_zh: name(|rate| &rate.name_zh),
                tier,
                quantity: Value::new(i64::try_from(wh).unwrap_or(i64::MAX), -3).to_string(),
                price: price_text(price),
                amount: money_text(amount),
            }
        };
        Bill {
            lines: day.lines.iter().map(line).collect(),
            total: Value::new(day.amount.hundredths(Rounding::HalfUp), -2).to_string(),
            exact: money_text(day.amount),
            unit: "kWh".into(),
            currency: self.currency.clone(),
            until,
            sealed: true,
        }
    }

    /// Water has one price and no seal.
    fn water(&self, platform: &Platform, device: &Device) -> Result<Option<Bill>> {
        let present = platform.live.present(&device.id);
        let (Some(volume), Some(last)) = (
            platform.grown_today(&device.id, VOLUME)?,
            present.values.get(&VOLUME),
        ) else {
            return Ok(None);
        };
        // Litres, the meter's own digits at best.
        let Some(litres) = volume
            .rounded_at(-3)
            .and_then(|litres| u64::try_from(litres).ok())
        else {
            return Ok(None);
        };
        let price = Price::from_ten_thousandths(self.prices.water);
        let amount = price.cost(litres);
        Ok(Some(Bill {
            lines: vec![BillLine {
                rate_en: "Water".into(),
                rate_zh: "水".into(),
                tier: 1,
                quantity: volume.to_string(),
                price: price_text(price),
                amount: money_text(amount),
            }],
            total: Value::new(amount.hundredths(Rounding::HalfUp), -2).to_string(),
            exact: money_text(amount),
            unit: "m³".into(),
            currency: self.currency.clone(),
            until: last.time,
            sealed: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn billing() -> Billing {
        Billing::new(&Config::default()).unwrap()
    }

    /// 2026-11-21T00:00 at +08:00.
    const MIDNIGHT: u64 = 1_795_190_400_000;

    #[test]
    fn a_day_is_priced_by_rate_and_tier() {
        let billing = billing();
        let tiers = TierTotal {
            wh: 259_000,
            period: None,
        };
        let mut day = Day {
            start: MIDNIGHT,
            last: None,
            tiers,
            lines: BTreeMap::new(),
            amount: Money::ZERO,
        };
        let hour = 3_600_000;
        billing.carry_on(&mut day, MIDNIGHT, 1_000);
        // 600 Wh before six, 900 Wh after: 400 of them are the last of the first tier.
        billing.carry_on(&mut day, MIDNIGHT + 6 * hour, 1_600);
        billing.carry_on(&mut day, MIDNIGHT + 7 * hour, 2_500);
        let bill = billing.show(&day, MIDNIGHT + 7 * hour);
        let lines: Vec<_> = bill
            .lines
            .iter()
            .map(|l| {
                (
                    l.rate_en.as_str(),
                    l.tier,
                    l.quantity.as_str(),
                    l.amount.as_str(),
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                ("Peak", 1, "0.400", "0.2468"),
                ("Peak", 2, "0.500", "0.3335"),
                ("Valley", 1, "0.600", "0.1842")
            ]
        );
        assert_eq!(
            (bill.exact.as_str(), bill.total.as_str()),
            ("0.7645", "0.76")
        );
    }

    #[test]
    fn readings_of_one_second_wait_for_the_next() {
        let billing = billing();
        let tiers = TierTotal::default();
        let mut day = Day {
            start: MIDNIGHT,
            last: None,
            tiers,
            lines: BTreeMap::new(),
            amount: Money::ZERO,
        };
        for (time, register) in [(0, 10), (400, 11), (900, 12), (1_500, 13)] {
            billing.carry_on(&mut day, MIDNIGHT + time, register);
        }
        assert_eq!(day.lines.values().map(|line| line.0).sum::<u64>(), 3);
    }

    /// The purse of a prepaid meter, which is charged every minute, against the bill that the platform works out from
    /// what the meter seals every quarter of an hour.
    #[test]
    fn the_purse_pays_what_the_bill_says() {
        const MINUTE: u64 = 60_000;
        let billing = billing();
        let tariff = billing.tariff().unwrap();
        let filled = Money::from_hundredths(100_000);
        let mut meter = tariff::Machine::<4>::prepaid(tariff::purse::Limits::default());
        let _ = meter.purse_input(|purse| purse.initialise(filled)).unwrap();
        let mut day = Day {
            start: MIDNIGHT,
            last: None,
            tiers: TierTotal::default(),
            lines: BTreeMap::new(),
            amount: Money::ZERO,
        };
        let mut charged: BTreeMap<(u8, u8), (u64, Price, Money)> = BTreeMap::new();
        // Tenths of a watt hour; the odd step keeps the register off whole watt hours.
        let mut register = 7_u64;
        for minute in 0..=1_440 {
            let time = MIDNIGHT + minute * MINUTE;
            let _ = meter.advance(&tariff, billing.moment(time), register / 10, |line| {
                let sum =
                    charged
                        .entry((line.rate, line.tier))
                        .or_insert((0, line.price(), Money::ZERO));
                sum.0 += line.wh;
                sum.2 = sum.2 + line.amount;
            });
            if minute % 15 == 0 {
                let sealed = Value::new(i64::try_from(register).unwrap(), -1);
                billing.carry_on(&mut day, time, whole(sealed).unwrap());
            }
            register += 2_903 + minute * 7_919 % 1_013;
        }
        assert!(
            day.lines.len() >= 5,
            "both rates, all tiers: {:?}",
            day.lines
        );
        assert_eq!(day.lines, charged);
        assert_eq!(filled - meter.purse().balance(), day.amount);
    }

    #[test]
    fn whole_watt_hours_are_cut_off() {
        assert_eq!(whole(Value::new(12_349, -1)), Some(1_234));
        assert_eq!(whole(Value::new(123, 1)), Some(1_230));
    }
}
