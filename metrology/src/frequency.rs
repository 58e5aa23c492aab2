//! Edges of whole cycles from the zero crossings of one channel.
//!
//! The channel is decimated to about 1.6 kHz, then the half cycle just past less the half cycle before is
//! formed: a filter of one nominal cycle that passes the fundamental, holds dc and even orders back
//! entirely and odd orders by their number. Its rising zero crossings, interpolated between two outputs,
//! are the edges. The filter delays every crossing alike, so the distance of two edges is a whole number of
//! cycles, and where in the cycle they lie is of no matter to sums over whole cycles.

use crate::calibration::{Calibration, Sync};
use crate::filter::{Decimator, Ratio};

/// Outputs that the longest nominal cycle (40 Hz at 3.2 kHz) takes.
const RING: usize = 80;

/// Why a cycle ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At a crossing that follows another crossing by one period.
    Whole,
    /// At a crossing after a time without any.
    Found,
    /// No crossing came in time; nominal length.
    Forced,
}

/// An edge ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// How far after the sample just pushed, in samples Q16; more than 0, at most the decimation.
    pub ahead: u32,
    pub kind: Kind,
}

/// Zero-crossing detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossings {
    ratio: Ratio,
    filter: Decimator,
    /// Samples until the next output.
    left: u32,
    ring: [i32; RING],
    /// Position of the oldest of the last `2 · half` outputs.
    oldest: usize,
    filled: usize,
    /// Outputs of half a nominal cycle.
    half: usize,
    /// The filter's value, at most `2 · half` · 2^24.
    value: i32,
    peak: u32,
    level: u32,
    /// Outputs since the last rising crossing (or forced edge), and that crossing's fraction, Q16.
    since: u32,
    fraction: u32,
    /// The same for the last falling crossing; the first period is twice the half from it.
    since_fall: u32,
    fall_fraction: u32,
    locked: bool,
    /// Smoothed period in outputs Q16; 0 while unknown.
    period: u32,
    nominal: u32,
    shortest: u32,
    longest: u32,
    /// Outputs without a crossing.
    silent: u32,
    /// Cycles of a given length instead of crossings: the length and what is left of it, samples Q32.
    fixed: Option<(u64, u64)>,
}

impl Crossings {
    pub fn new<const PHASES: usize>(calibration: &Calibration<PHASES>) -> Self {
        let p = calibration.parameters();
        let ratio = Ratio::new(calibration.decimation);
        // Outputs per second, millihertz; at least 600,000 by the checks of the calibration.
        let rate = p.sample_rate_mhz / ratio.samples.max(1);
        // Never zero by the same checks: told to the compiler, so that it links no panic.
        let nominal_mhz = p.nominal_mhz.max(1);
        // Nearest to half a cycle.
        let half = (rate / nominal_mhz).div_ceil(2).clamp(2, RING as u32 / 2);
        // A sine of peak A gives A · 2 · half · 2/π, about 5/4 · half · A.
        let level =
            (u64::from(p.sync_level) * u64::from(ratio.gain_q16()) * u64::from(half) * 5 / 4) >> 16;
        let fixed = match p.sync {
            Sync::Fixed(frequency_uhz) => {
                let length = (u128::from(p.sample_rate_mhz) * 1000) << 32;
                let length = (length / u128::from(frequency_uhz.max(1))) as u64;
                Some((length, length))
            }
            _ => None,
        };
        let nominal = ((u64::from(rate) << 16) / u64::from(nominal_mhz)) as u32;
        Self {
            ratio,
            filter: Decimator::default(),
            left: ratio.samples,
            ring: [0; RING],
            oldest: 0,
            filled: 0,
            half: half as usize,
            value: 0,
            peak: 0,
            level: u32::try_from(level).unwrap_or(u32::MAX),
            since: 0,
            fraction: 0,
            since_fall: u32::MAX,
            fall_fraction: 0,
            locked: fixed.is_some(),
            period: fixed.map_or(0, |(length, _)| {
                (length >> 16) as u32 / ratio.samples.max(1)
            }),
            nominal,
            shortest: ((u64::from(rate) << 16) / 80_000) as u32,
            longest: ((u64::from(rate) << 16) / 36_000) as u32,
            silent: 0,
            fixed,
        }
    }

    /// Forgets the signal; a new channel follows.
    pub fn restart(&mut self) {
        self.ring = [0; RING];
        (self.filled, self.oldest, self.peak, self.silent) = (0, 0, 0, 0);
        (self.value, self.left) = (0, self.ratio.samples);
        self.filter = Decimator::default();
        self.since_fall = u32::MAX;
    }

    /// Nominal cycles without a crossing.
    pub fn silent_cycles(&self) -> u32 {
        (u64::from(self.silent) << 16)
            .checked_div(u64::from(self.nominal))
            .unwrap_or(0) as u32
    }

    /// Angle of the fundamental per sample, 2^-32 turn; the nominal one while none is measured.
    pub fn turn_per_sample(&self) -> u32 {
        let period = if self.locked && self.period != 0 {
            self.period
        } else {
            self.nominal
        };
        let samples = u64::from(period) * u64::from(self.ratio.samples);
        (1_u64 << 48).checked_div(samples).unwrap_or(0) as u32
    }

    /// Takes samples until one of them tells of an edge: how many were taken, and the edge.
    pub fn feed<S>(&mut self, sets: &[S], pick: impl Fn(&S) -> i32) -> (usize, Option<Edge>) {
        if let Some((length, left)) = &mut self.fixed {
            // Edges are told by the sample at most one before them.
            let before = (*left >> 32)
                .saturating_sub(u64::from(left.trailing_zeros() >= 32))
                .max(1);
            let count = sets.len() as u64;
            if before > count {
                *left = left.saturating_sub(count << 32);
                return (sets.len(), None);
            }
            *left = left.saturating_sub(before << 32);
            let ahead = (*left >> 16).max(1) as u32;
            *left = left.saturating_add(*length);
            let kind = Kind::Whole;
            return (before as usize, Some(Edge { ahead, kind }));
        }
        let mut taken = 0;
        let mut rest = sets;
        while let Some((group, after)) = rest.split_at_checked(self.left as usize) {
            self.filter.push(group.iter().map(&pick), self.ratio);
            taken += group.len();
            rest = after;
            self.left = self.ratio.samples;
            let y = self.filter.output();
            if let Some(edge) = self.output(y) {
                return (taken, Some(edge));
            }
        }
        self.filter.push(rest.iter().map(&pick), self.ratio);
        self.left = self.left.saturating_sub(rest.len() as u32);
        (sets.len(), None)
    }

    fn output(&mut self, y: i32) -> Option<Edge> {
        let before = self.value;
        let span = 2 * self.half;
        let middle = self.oldest + self.half;
        let middle = *self
            .ring
            .get(if middle < span { middle } else { middle - span })?;
        let oldest = core::mem::replace(self.ring.get_mut(self.oldest)?, y);
        self.oldest += 1;
        if self.oldest == span {
            self.oldest = 0;
        }
        self.value = self
            .value
            .wrapping_add(y)
            .wrapping_sub(middle.wrapping_mul(2))
            .wrapping_add(oldest);
        self.since = self.since.saturating_add(1);
        self.since_fall = self.since_fall.saturating_add(1);
        self.silent = self.silent.saturating_add(1);
        if self.filled < span {
            self.filled += 1;
        } else {
            self.peak = self.peak.max(self.value.unsigned_abs());
            if (before < 0) != (self.value < 0) && self.peak >= self.level {
                let step = self.value.abs_diff(before).max(1);
                let fraction = (u64::from(before.unsigned_abs()) << 16) / u64::from(step);
                let fraction = (fraction as u32).clamp(1, 1 << 16);
                if before < 0 {
                    if let Some(kind) = self.rising(fraction) {
                        let ahead = fraction * self.ratio.samples;
                        return Some(Edge { ahead, kind });
                    }
                } else {
                    (self.since_fall, self.fall_fraction) = (0, fraction);
                }
            }
        }
        self.overdue()
    }

    /// A rising crossing `fraction` after the output before; tells whether it counts.
    fn rising(&mut self, fraction: u32) -> Option<Kind> {
        let distance = |since: u32, from: u32| {
            ((u64::from(since) << 16) + u64::from(fraction)).saturating_sub(from.into())
        };
        let good = u64::from(self.shortest)..=u64::from(self.longest);
        if self.locked {
            let period = distance(self.since, self.fraction);
            if period < *good.start() {
                return None;
            }
            let smooth = i64::from(self.period) + ((period as i64 - i64::from(self.period)) >> 3);
            self.period = smooth.clamp(0, i64::from(self.longest)) as u32;
            self.mark(fraction);
            return Some(Kind::Whole);
        }
        let period = 2 * distance(self.since_fall.min(1 << 20), self.fall_fraction);
        if !good.contains(&period) {
            return None;
        }
        self.period = period as u32;
        self.locked = true;
        self.mark(fraction);
        Some(Kind::Found)
    }

    fn mark(&mut self, fraction: u32) {
        (self.since, self.fraction, self.peak, self.silent) = (0, fraction, 0, 0);
    }

    fn overdue(&mut self) -> Option<Edge> {
        let limit = if self.locked {
            self.longest
        } else {
            self.nominal
        };
        if u64::from(self.since) << 16 < u64::from(limit) {
            return None;
        }
        self.locked = false;
        (self.since, self.fraction, self.peak) = (0, 0, 0);
        Some(Edge {
            ahead: 1 << 16,
            kind: Kind::Forced,
        })
    }
}
