//! Rapid voltage changes (IEC 61000-4-30, 5.11): quick transitions between two steady states that are no dips or
//! swells.

use super::half_cycle::HalfCycle;

/// Most half cycles of one second.
const MOST: usize = 120;

/// A finished rapid voltage change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RapidChange {
    /// Number of the half cycle that left the steady state.
    pub first: u64,
    /// Half cycles until the first one of the new steady state.
    pub half_cycles: u32,
    /// Largest difference of any Urms(1/2) to the steady state before, counts Q8.
    pub greatest: u32,
    /// Difference of the steady states, counts Q8.
    pub steady: u32,
    /// Channel of the greatest difference.
    pub channel: u8,
}

/// Watches up to eight voltages together: all must be steady.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RapidChanges<const C: usize> {
    /// Of each channel the last second of Urms(1/2), and its sum.
    rings: [[u32; MOST]; C],
    sums: [u64; C],
    at: usize,
    filled: usize,
    length: usize,
    /// Channels that are voltages, bit 0 for the first.
    watched: u8,
    /// Threshold, counts Q8, and the part of it that ends a change.
    threshold: u32,
    hysteresis: u32,
    running: Option<Running<C>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running<const C: usize> {
    change: RapidChange,
    before: [u32; C],
    /// A dip or swell made it something else.
    spoiled: bool,
}

impl<const C: usize> RapidChanges<C> {
    /// `threshold` is the difference from the mean of the last second that begins a change, `hysteresis` how much
    /// less ends it; both counts Q8, usually 1 to 6 % of the declared voltage and half of that. `watched` tells which
    /// channels are voltages, bit 0 for the first.
    #[must_use]
    pub const fn new(nominal_mhz: u32, threshold: u32, hysteresis: u32, watched: u8) -> Self {
        Self {
            rings: [[0; MOST]; C],
            sums: [0; C],
            at: 0,
            filled: 0,
            length: if nominal_mhz > 55_000 { 120 } else { 100 },
            watched,
            threshold,
            hysteresis: if hysteresis < threshold {
                hysteresis
            } else {
                threshold
            },
            running: None,
        }
    }

    /// Takes a half cycle; `event` tells that a dip, swell or interruption lasts.
    pub fn update(&mut self, half: &HalfCycle<C>, event: bool) -> Option<RapidChange> {
        if !half.valid {
            return None;
        }
        self.keep(half);
        if self.filled < self.length {
            return None;
        }
        let limit = if self.running.is_some() {
            self.threshold - self.hysteresis
        } else {
            self.threshold
        };
        let steady = self.is_steady(limit);
        let means = self.sums.map(|sum| (sum / self.length as u64) as u32);
        match &mut self.running {
            None if steady => None,
            None => {
                // The mean before the newest value, which left it.
                let mut before = means;
                for ((mean, sum), urms) in before.iter_mut().zip(&self.sums).zip(&half.urms) {
                    let others = sum.saturating_sub(u64::from(*urms));
                    *mean = (others / (self.length as u64 - 1)) as u32;
                }
                let mut running = Running {
                    change: RapidChange {
                        first: half.index,
                        half_cycles: 0,
                        greatest: 0,
                        steady: 0,
                        channel: 0,
                    },
                    before,
                    spoiled: event,
                };
                running.widen(half, self.watched);
                self.running = Some(running);
                None
            }
            Some(running) => {
                running.spoiled |= event;
                running.widen(half, self.watched);
                if !steady {
                    return None;
                }
                let mut change = running.change;
                let all = half.index.saturating_sub(change.first);
                // The new steady state began with the oldest value of the ring.
                let new = (all + 1).saturating_sub(self.length as u64);
                change.half_cycles = u32::try_from(new).unwrap_or(u32::MAX);
                let differences = running.before.iter().zip(&means).zip(0_u32..8);
                let watched = differences.filter(|(_, channel)| self.watched >> channel & 1 == 1);
                change.steady = watched.map(|((a, b), _)| a.abs_diff(*b)).max().unwrap_or(0);
                let spoiled = running.spoiled;
                self.running = None;
                (!spoiled).then_some(change)
            }
        }
    }

    fn keep(&mut self, half: &HalfCycle<C>) {
        for ((ring, sum), urms) in self.rings.iter_mut().zip(&mut self.sums).zip(&half.urms) {
            if let Some(place) = ring.get_mut(self.at) {
                *sum = sum
                    .wrapping_add(u64::from(*urms))
                    .wrapping_sub(u64::from(*place));
                *place = *urms;
            }
        }
        self.at = (self.at + 1) % self.length;
        self.filled = (self.filled + 1).min(self.length);
    }

    fn is_steady(&self, limit: u32) -> bool {
        let mut channels = self.rings.iter().zip(&self.sums).zip(0_u32..8);
        channels.all(|((ring, sum), channel)| {
            if self.watched >> channel & 1 == 0 {
                return true;
            }
            let mean = (sum / self.length as u64) as u32;
            let mut values = ring.iter().take(self.length);
            values.all(|value| value.abs_diff(mean) <= limit)
        })
    }
}

impl<const C: usize> Running<C> {
    fn widen(&mut self, half: &HalfCycle<C>, watched: u8) {
        for ((channel, urms), before) in (0_u8..8).zip(&half.urms).zip(&self.before) {
            let difference = urms.abs_diff(*before);
            if watched >> channel & 1 == 1 && difference > self.change.greatest {
                (self.change.greatest, self.change.channel) = (difference, channel);
            }
        }
    }
}
