//! The caller's clock against the count of samples: 10-minute ticks, even hours, 10 s of frequency.

/// UTC of samples, extrapolated from the last time the caller told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    rate_mhz: u32,
    /// UTC microseconds at a position (samples Q16).
    utc_us: u64,
    at: u64,
}

const TEN_MINUTES_US: u64 = 600_000_000;
const TWO_HOURS_US: u64 = 12 * TEN_MINUTES_US;
/// A class A clock is within one cycle: more than this is a step.
const STEP_US: u64 = 20_000;

impl Clock {
    pub const fn new(sample_rate_mhz: u32) -> Self {
        Self {
            rate_mhz: if sample_rate_mhz == 0 {
                1
            } else {
                sample_rate_mhz
            },
            utc_us: 0,
            at: 0,
        }
    }

    /// UTC microseconds of a position in samples Q16.
    pub fn utc_us(&self, at: u64) -> u64 {
        self.utc_us
            .saturating_add(self.microseconds(at.saturating_sub(self.at)))
    }

    /// Samples Q16 as microseconds.
    pub fn microseconds(&self, samples_q16: u64) -> u64 {
        let micro =
            (u128::from(samples_q16) * 1_000_000_000 / u128::from(self.rate_mhz.max(1))) >> 16;
        u64::try_from(micro).unwrap_or(u64::MAX)
    }

    /// Tells the time at a position; whether it was a step.
    pub fn set(&mut self, utc_us: u64, at: u64) -> bool {
        let step = self.utc_us(at).abs_diff(utc_us) > STEP_US;
        (self.utc_us, self.at) = (utc_us, at);
        step
    }
}

/// Number of the 10-minute interval of a time.
pub(crate) const fn ten_minutes(utc_us: u64) -> u64 {
    utc_us / TEN_MINUTES_US
}

/// Number of the 2-hour interval of a time.
pub(crate) const fn two_hours(utc_us: u64) -> u64 {
    utc_us / TWO_HOURS_US
}

/// Power frequency over 10 s of the clock: whole cycles over their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frequency {
    interval: Option<u64>,
    begin: u64,
    end: u64,
    cycles: u32,
    broken: bool,
}

impl Frequency {
    /// Takes the end of a cycle at a position (samples Q16): the frequency (microhertz) of a 10 s interval when
    /// one is over and the signal was followed all the time. The cycle that overlaps a boundary counts to none.
    pub fn update(&mut self, clock: &Clock, at: u64, followed: bool) -> Option<u32> {
        let interval = clock.utc_us(at) / 10_000_000;
        self.broken |= !followed;
        if self.interval == Some(interval) {
            self.cycles += 1;
            self.end = at;
            return None;
        }
        let whole = !self.broken && self.cycles > 0;
        let length = self.end.saturating_sub(self.begin).max(1);
        // cycles · rate / samples, microhertz.
        let frequency = u128::from(self.cycles) * u128::from(clock.rate_mhz) * 65_536_000;
        let frequency =
            u32::try_from((frequency + u128::from(length / 2)) / u128::from(length)).ok();
        // The first interval since the start is not a whole one.
        let result =
            frequency.filter(|_| whole && self.interval.is_some_and(|i| i + 1 == interval));
        *self = Self {
            interval: Some(interval),
            begin: at,
            end: at,
            cycles: 0,
            broken: !followed || self.interval.is_none(),
        };
        result
    }
}
