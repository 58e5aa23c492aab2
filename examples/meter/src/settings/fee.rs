//! What fee control goes by besides tables and limits: friendly hours, standing charge, over-power trip, the rate
//! without a clock, the programmed change of mode, the current that a trip waits for.

use heapless::Vec;
use tariff::Money;
use tariff::friendly::{Friendly, FriendlyHours};
use tariff::machine::Terms;
use tariff::meter::{Mode, ModeSwitch};
use tariff::overload::PowerLimit;

use crate::account::RATES;
use crate::cursor::{Reader, Writer};

/// Friendly times that a meter keeps.
pub const FRIENDLY: usize = 4;

/// A trip waits until no phase carries more current (04001402), but not longer (04001403).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TripCurrent {
    /// Milliamperes, below 1,000,000.
    pub limit_ma: u32,
    /// Minutes, at most 9,999.
    pub longest_min: u16,
}

/// The terms of fee control.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// Taken for every local day; not below zero.
    pub standing: Money,
    /// Times at which the purse does not open the relay.
    pub friendly: Vec<FriendlyHours, FRIENDLY>,
    /// Public holidays are such times.
    pub friendly_holidays: bool,
    /// The over-power trip.
    pub overload: Option<PowerLimit>,
    /// The rate while the clock is not good; 0 keeps the last one.
    pub fallback_rate: u8,
    /// What a purse begins with when the programmed change makes fee control local; not below zero.
    pub initial: Money,
    /// The programmed change (0400010B): when, UTC seconds, and whether to local fee control.
    pub mode: Option<(i64, bool)>,
    /// The current that a trip waits for; `None` waits for none.
    pub trip_current: Option<TripCurrent>,
}

impl Fee {
    /// As the tariff machine takes them.
    #[must_use]
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            friendly: Friendly {
                hours: &self.friendly,
                holidays: self.friendly_holidays,
            },
            standing: self.standing,
            overload: self.overload,
            fallback_rate: self.fallback_rate,
        }
    }

    /// The programmed change of mode.
    #[must_use]
    pub fn mode_switch(&self) -> Option<ModeSwitch> {
        let (at_s, to_local) = self.mode?;
        let to = if to_local {
            Mode::Local {
                initial: self.initial,
            }
        } else {
            Mode::Remote
        };
        Some(ModeSwitch { at_s, to })
    }

    /// True when every value lies in its range.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let hours = |of: &FriendlyHours| of.weekdays < 0x80 && of.from < 1440 && of.until < 1440;
        self.standing >= Money::ZERO
            && self.initial >= Money::ZERO
            && self.friendly.iter().all(hours)
            && usize::from(self.fallback_rate) <= RATES
            && self
                .trip_current
                .is_none_or(|trip| trip.limit_ma < 1_000_000 && trip.longest_min <= 9_999)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        let overload = self.overload;
        let flags = [
            self.friendly_holidays,
            overload.is_some(),
            overload.is_some_and(|limit| limit.despite_keep_power),
            self.mode.is_some(),
            self.mode.is_some_and(|(_, to_local)| to_local),
            self.trip_current.is_some(),
        ];
        w.u8(flags
            .iter()
            .rev()
            .fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
        w.i64(self.standing.ten_millionths());
        w.i64(self.initial.ten_millionths());
        w.u8(self.fallback_rate);
        w.u8(self.friendly.len() as u8);
        for hours in &self.friendly {
            w.u8(hours.weekdays);
            w.u16(hours.from);
            w.u16(hours.until);
        }
        if let Some(limit) = overload {
            w.u32(limit.watts);
            w.u32(limit.after_s);
            w.u32(limit.reclose_s);
            w.u8(limit.tries);
        }
        if let Some((at_s, _)) = self.mode {
            w.i64(at_s);
        }
        if let Some(trip) = self.trip_current {
            w.u32(trip.limit_ma);
            w.u16(trip.longest_min);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Option<Self> {
        let flags = r.u8()?;
        let flag = |bit: u8| flags >> bit & 1 == 1;
        let mut fee = Self {
            standing: Money::from_ten_millionths(r.i64()?),
            initial: Money::from_ten_millionths(r.i64()?),
            fallback_rate: r.u8()?,
            friendly_holidays: flag(0),
            ..Self::default()
        };
        for _ in 0..r.u8()? {
            let hours = FriendlyHours {
                weekdays: r.u8()?,
                from: r.u16()?,
                until: r.u16()?,
            };
            fee.friendly.push(hours).ok()?;
        }
        if flag(1) {
            fee.overload = Some(PowerLimit {
                watts: r.u32()?,
                after_s: r.u32()?,
                reclose_s: r.u32()?,
                tries: r.u8()?,
                despite_keep_power: flag(2),
            });
        }
        if flag(3) {
            fee.mode = Some((r.i64()?, flag(4)));
        }
        if flag(5) {
            fee.trip_current = Some(TripCurrent {
                limit_ma: r.u32()?,
                longest_min: r.u16()?,
            });
        }
        fee.is_good().then_some(fee)
    }
}
