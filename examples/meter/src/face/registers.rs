//! Energy and maximum demand, now and of the settled periods: classes 00 and 01.

use dlt645::{DataId, Err645, Number, Unit, Value};
use meter_proto::outbox::OutboxStore;
use tariff::civil::Moment;
use tariff::combine::ReactiveWord;
use tariff::demand::{Maxima, Peak};
use tariff::freeze::Kind;

use super::{Out, serial};
use crate::account::{MeterSnapshot, RATES, ReactiveMaxima};
use crate::clock;
use crate::management::ManagementCore;
use crate::settings::Words;
use crate::store::Store;

/// Settled periods that the last byte can name.
const PERIODS: u8 = 12;
/// Any identifier of an unsigned and of a signed energy, of a demand: how their values are written.
const ENERGY: u32 = 0x0001_0000;
const SIGNED_ENERGY: u32 = 0x0003_0000;
const DEMAND: u32 = 0x0100_0000;
/// DI2 of the first reactive demand, and of the first that has no sign.
const REACTIVE: u8 = 3;
const QUADRANTS: u8 = 5;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    /// Registers now for 0, else of the settled period.
    fn settled(&mut self, period: u8) -> Result<MeterSnapshot, Err645> {
        match period {
            0 => Ok(self.account().meter().snapshot(self.moment())),
            1..=PERIODS => Ok(self.row(Kind::Settlement, period)?.row.snapshot),
            _ => Err(Err645::NO_DATA),
        }
    }

    /// All periods for FF (as many as are kept), else the one.
    fn each_period(
        &mut self,
        di0: u8,
        mut each: impl FnMut(&Self, &MeterSnapshot) -> Result<(), Err645>,
    ) -> Result<(), Err645> {
        if di0 != 0xFF {
            let snapshot = self.settled(di0)?;
            return each(self, &snapshot);
        }
        for period in 0..=PERIODS {
            match self.settled(period) {
                Ok(snapshot) => each(self, &snapshot)?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn rates_of(&self, di1: u8) -> Result<core::ops::RangeInclusive<u8>, Err645> {
        match di1 {
            0xFF => Ok(0..=self.account().rates()),
            rate if rate <= self.account().rates() => Ok(rate..=rate),
            _ => Err(Err645::NO_DATA),
        }
    }

    /// Active and reactive energy by rate and period.
    pub(super) fn energies_of(&mut self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        match (id.di2(), id.di1(), id.di0()) {
            // Use of the present and of the last settlement period.
            (0x0B, 0, period @ 0..=1) => {
                let words = self.account().settings().words;
                let combined = |of: MeterSnapshot| energy(&words, &of, 0, 0);
                let now = combined(self.settled(period)?)?;
                let before = self.settled(period + 1).and_then(combined).unwrap_or(0);
                return out.number(id.0, shown(now.saturating_sub(before)));
            }
            (which @ 0x0C..=0x0D, 0, back) => {
                let (uses, total) = (self.uses(), self.combined());
                let used = if which == 0x0C {
                    uses.month(back, total)
                } else {
                    uses.year(back, total)
                };
                return out.number(id.0, shown(used.ok_or(Err645::NO_DATA)?));
            }
            (0xFE, 0, period @ 1..=PERIODS) => {
                let at = self.settled(period)?.at;
                let [_, hour, day, month, year] = self.minute(at);
                return out.put(&[hour, day, month, year]);
            }
            _ => {}
        }
        let rates = self.rates_of(id.di1())?;
        let words = self.account().settings().words;
        self.each_period(id.di0(), |_, snapshot| {
            for rate in rates.clone() {
                out.energy(energy(&words, snapshot, id.di2(), rate)?)?;
            }
            Ok(())
        })
    }

    /// Maximum demand: forward and reverse, combined reactive 1 and 2, quadrants I to IV.
    pub(super) fn demands(&mut self, id: DataId, out: &mut Out<'_>) -> Result<(), Err645> {
        let (di2, rates) = (id.di2(), self.rates_of(id.di1())?);
        match di2 {
            1 | 2 => self.each_period(id.di0(), |core, snapshot| {
                core.demands_in(snapshot, usize::from(di2) - 1, rates.clone(), out)
            }),
            REACTIVE..=8 => {
                let quantity = usize::from(di2 - REACTIVE);
                if id.di0() != 0xFF {
                    let held = self.reactive_of(id.di0())?;
                    return self.demand_of(di2, &held, quantity, rates, out);
                }
                for period in 0..=PERIODS {
                    let Ok(held) = self.reactive_of(period) else {
                        break;
                    };
                    self.demand_of(di2, &held, quantity, rates.clone(), out)?;
                }
                Ok(())
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    /// Reactive maxima now for 0, else of the settled period.
    fn reactive_of(&mut self, period: u8) -> Result<ReactiveMaxima, Err645> {
        match period {
            0 => Ok(*self.account().reactive_maxima()),
            1..=PERIODS => {
                let number = self.row(Kind::Settlement, period)?.row.number;
                self.reactive_ended(Kind::Settlement, number)
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    /// The maxima of a channel in a snapshot: total for 0, then rates.
    pub(super) fn demands_in(
        &self,
        snapshot: &MeterSnapshot,
        channel: usize,
        rates: core::ops::RangeInclusive<u8>,
        out: &mut Out<'_>,
    ) -> Result<(), Err645> {
        self.demand_of(1 + channel as u8, &snapshot.demand, channel, rates, out)
    }

    /// The maxima in a place of those given, in the format of DI2.
    pub(super) fn demand_of(
        &self,
        di2: u8,
        all: &[Maxima<RATES>],
        place: usize,
        rates: core::ops::RangeInclusive<u8>,
        out: &mut Out<'_>,
    ) -> Result<(), Err645> {
        let maxima = all.get(place).ok_or(Err645::NO_DATA)?;
        for rate in rates {
            let peak = match rate {
                0 => maxima.total(),
                rate => maxima.rate(rate),
            };
            self.demand(di2, peak, out)?;
        }
        Ok(())
    }

    fn demand(&self, di2: u8, peak: Option<Peak>, out: &mut Out<'_>) -> Result<(), Err645> {
        let mantissa = peak.map_or(0, |peak| peak.ten_thousandths_kw());
        let (lowest, highest) = match di2 {
            REACTIVE..QUADRANTS => (-799_999, 799_999),
            _ => (0, 999_999),
        };
        let number = Number {
            mantissa: mantissa.clamp(lowest, highest) as i32,
            decimals: 4,
            unit: if di2 < REACTIVE {
                Unit::Kilowatt
            } else {
                Unit::Kilovar
            },
        };
        let stamp = |peak: Peak| {
            let ms = u64::try_from(peak.at.utc_s)
                .unwrap_or(0)
                .saturating_mul(1000);
            clock::stamp(ms, self.utc_offset_min())
        };
        let value = Value::Demand {
            peak: number,
            at: peak.map(stamp),
        };
        out.value(DEMAND | u32::from(di2) << 16, &value)
    }

    /// Minute, hour, day, month, year of an instant, two digits each.
    pub(super) fn minute(&self, at: Moment) -> [u8; 5] {
        let ms = u64::try_from(at.utc_s).unwrap_or(0).saturating_mul(1000);
        let at = clock::calendar(clock::local_ms(ms, self.utc_offset_min()));
        [at.minute, at.hour, at.day, at.month, (at.year % 100) as u8].map(serial)
    }
}

/// A register of class 00 in tenths of a watt hour; rate 0 is the total.
pub(super) fn energy(words: &Words, of: &MeterSnapshot, di2: u8, rate: u8) -> Result<i64, Err645> {
    let absent = Err645::NO_DATA;
    let channel = |number: usize| {
        let channel = of.channels.get(number).ok_or(absent)?;
        channel.register(rate).ok_or(absent)
    };
    let plain = |tenths: u64| i64::try_from(tenths).unwrap_or(i64::MAX);
    let reactive = |word: ReactiveWord| of.reactive(word, rate).ok_or(absent);
    let [first, second] = words.reactive;
    match di2 {
        0x00 => Ok(words.shown.combine(channel(0)?, channel(1)?)),
        0x01 => channel(0).map(plain),
        0x02 => channel(1).map(plain),
        0x03 => reactive(first),
        0x04 => reactive(second),
        0x05..=0x08 => channel(usize::from(di2) - 3).map(plain),
        _ => Err(absent),
    }
}

/// Tenths of a watt hour as digits of 0.01 kWh; eight of them, which roll over.
fn shown(tenths: i64) -> i32 {
    (tenths / 100 % 100_000_000) as i32
}

impl Out<'_> {
    /// Tenths of a watt hour as a register of four bytes.
    pub(super) fn energy(&mut self, tenths: i64) -> Result<(), Err645> {
        let id = if tenths < 0 { SIGNED_ENERGY } else { ENERGY };
        self.number(id, shown(tenths))
    }

    /// A value in the format of an identifier.
    fn value(&mut self, id: u32, value: &Value<'_>) -> Result<(), Err645> {
        let item = DataId(id).item().ok_or(Err645::NO_DATA)?;
        let room = self.bytes.get_mut(self.len..).ok_or(Err645::OTHER)?;
        let length = item.format().encode(value, room);
        self.len += length.map_err(|_| Err645::OTHER)?;
        Ok(())
    }
}
