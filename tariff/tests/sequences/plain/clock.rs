//! What time, clock and power bring.

use super::tables::{
    AFTER_S, FALLBACK, RECLOSE_S, STANDING, TRIES, WATTS, friendly, local, month, rate,
};
use super::{Entry, Plain};

/// Days back beyond which marks begin anew.
const LONGEST_BACK_S: i64 = 31 * 86_400;
/// Seconds without power above the limit after which all tries are there again.
const CALM_S: i64 = 3600;

/// The over-power trip: since when the power is above its limit, since when the relay is open for it, since when
/// neither.
#[derive(Clone, Debug)]
pub struct Over {
    despite_keep_power: bool,
    calm_since: i64,
    above_since: Option<i64>,
    tripped: Option<i64>,
    closed: u8,
}

impl Over {
    pub const fn new(despite_keep_power: bool) -> Self {
        Over {
            despite_keep_power,
            calm_since: 0,
            above_since: None,
            tripped: None,
            closed: 0,
        }
    }

    pub const fn wants_open(&self, keep: bool) -> bool {
        self.tripped.is_some() && (self.despite_keep_power || !keep)
    }

    /// Key or remote close.
    pub fn release(&mut self, now: i64) {
        if self.tripped.take().is_some() {
            (self.closed, self.calm_since) = (0, now);
        }
    }

    fn read(&mut self, now: i64, watts: Option<u32>) {
        if let Some(since) = self.tripped {
            if self.closed < TRIES && now - since >= RECLOSE_S {
                self.closed += 1;
                (self.tripped, self.calm_since) = (None, now);
            }
            return;
        }
        if self.above_since.is_none() && now - self.calm_since >= CALM_S {
            self.closed = 0;
        }
        match watts.map(|watts| watts > WATTS) {
            Some(true) => self.above_since = self.above_since.or(Some(now)),
            Some(false) if self.above_since.take().is_some() => self.calm_since = now,
            _ => {}
        }
        if self.above_since.is_some_and(|since| now - since >= AFTER_S) {
            (self.above_since, self.tripped) = (None, Some(now));
        }
    }

    fn shift(&mut self, step: i64) {
        self.calm_since += step;
        for since in [&mut self.above_since, &mut self.tripped] {
            *since = since.map(|since| since + step);
        }
    }
}

impl Plain {
    pub const fn is_over(&self) -> bool {
        self.over.tripped.is_some()
    }

    pub(super) fn delays(&mut self, now: i64) {
        if self.trip_at.is_some_and(|at| at <= now) {
            self.trip_at = None;
            self.relay_open = true;
        }
        if let Some((at, by_key)) = self.back
            && at <= now
        {
            self.back = None;
            (self.relay_open, self.may_close) = (by_key, by_key);
        }
    }

    /// A reading of the total register, with the mean power since the last one where it is known.
    pub fn advance(&mut self, now: i64, good: bool, total: u64, watts: Option<u32>) {
        self.input(|meter| {
            if let Some((then, last)) = meter.last {
                // Energy belongs to the rate of the reading before it, and to the period of its time.
                if meter.good {
                    meter.period = meter.period.max(month(then));
                }
                let wh = total - last;
                if wh > 0 {
                    let (rate, month, charged) = (meter.rate, meter.period, meter.local);
                    meter.list.push(Entry::Used {
                        rate,
                        month,
                        wh,
                        charged,
                    });
                    if charged {
                        meter.judge();
                    }
                }
            }
            if good {
                let seen = meter.seen.unwrap_or(now);
                if month(now) > month(seen) {
                    meter.rows[0] += 1;
                }
                meter.seen = Some(seen.max(now));
            }
            (meter.last, meter.good) = (Some((now, total)), good);
            meter.delays(now);
            meter.over.read(now, watts);
            if !good {
                meter.rate = FALLBACK;
                return;
            }
            (meter.rate, meter.period) = (rate(now), meter.period.max(month(now)));
            if meter.local {
                meter.charge_days(now);
            }
        });
    }

    /// Friendly hours that begin hold back what the standing charge brings, those that end let it act.
    fn charge_days(&mut self, now: i64) {
        let (today, _) = local(now);
        let day = self.standing_day.unwrap_or(today);
        let days = (today - day).max(0);
        self.standing_day = Some(day.max(today));
        let friendly = friendly(now);
        if friendly {
            self.friendly = true;
            self.judge();
        }
        if self.open && days > 0 {
            let amount = i128::from(days) * i128::from(STANDING);
            self.list.push(Entry::Standing(amount));
            self.judge();
        }
        if !friendly {
            self.friendly = false;
            self.judge();
        }
    }

    /// The clock is set: what runs keeps its length, days leapt over pay nothing, the day of arrival does.
    pub fn set_clock(&mut self, before: i64, after: i64) {
        let step = after - before;
        self.trip_at = self.trip_at.map(|at| at + step);
        self.back = self.back.map(|(at, by_key)| (at + step, by_key));
        self.over.shift(step);
        self.last = self.last.map(|(_, total)| (after, total));
        let (today, _) = local(after);
        self.standing_day = self.standing_day.map(|day| day.max(today - 1));
        if self.seen.is_some_and(|seen| seen - after > LONGEST_BACK_S) {
            self.seen = Some(after);
        }
    }
}
