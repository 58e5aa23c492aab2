//! Maximum demand: mean power over windows of the clock or over sliding windows, in exact joules.
//!
//! ```
//! use tariff::civil::{Date, Moment};
//! use tariff::demand::{Demand, Maxima, Windows};
//!
//! // 15 minutes sliding by one, ring of 15 partial sums, two rates.
//! let mut demand = Demand::<15>::new(Windows::sliding(15, 1).unwrap());
//! let mut maxima = Maxima::<2>::new();
//! let mut at = Moment::from_local(Date::try_new(2026, 1, 5).unwrap(), 8 * 3600, 28_800);
//! for minute in 0..60 {
//!     let watts = if minute < 30 { 2_000 } else { 5_000 };
//!     demand.book(at, 60, watts * 60, 1, |window| maxima.take(&window));
//!     at = at.plus(60);
//! }
//! assert_eq!(maxima.total().unwrap().ten_thousandths_kw(), 50_000); // 5.0000 kW
//! ```

use crate::civil::Moment;

/// Most slips in a period.
pub const MAX_SLIPS: u8 = 60;

/// Length of the windows and how they move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    period_s: u32,
    slip_s: u32,
    by_clock: bool,
}

impl Windows {
    /// Windows of `period_min` minutes (04000103) that move by `slip_min` (04000104), from power-up,
    /// clock setting or reset on. `None` unless the period is 1 to 60 times the slip and at most a day.
    #[must_use]
    pub const fn sliding(period_min: u16, slip_min: u16) -> Option<Self> {
        Self::of(period_min, slip_min, false)
    }

    /// Windows side by side, aligned to the local clock.
    #[must_use]
    pub const fn block(period_min: u16) -> Option<Self> {
        Self::of(period_min, period_min, true)
    }

    const fn of(period_min: u16, slip_min: u16, by_clock: bool) -> Option<Self> {
        if slip_min == 0 || period_min > 1440 || !period_min.is_multiple_of(slip_min) {
            return None;
        }
        if period_min == 0 || period_min / slip_min > MAX_SLIPS as u16 {
            return None;
        }
        Some(Windows {
            period_s: period_min as u32 * 60,
            slip_s: slip_min as u32 * 60,
            by_clock,
        })
    }

    /// True for windows side by side, aligned to the clock.
    #[must_use]
    pub const fn is_block(self) -> bool {
        self.by_clock
    }

    /// Slips in a period: the length that the ring of a [`Demand`] needs.
    #[must_use]
    pub const fn slips(self) -> u8 {
        // A slip is never 0; here and below no division is left that could panic.
        match self.period_s.checked_div(self.slip_s) {
            Some(slips) => slips as u8,
            None => 0,
        }
    }

    /// The next end of a slip after an instant.
    fn next(self, begun: Moment, at: Moment) -> i64 {
        let slip = i64::from(self.slip_s);
        let into = if self.by_clock {
            i64::from(at.second_of_day()).checked_rem(slip)
        } else {
            let run_s = at.utc_s.saturating_sub(begun.utc_s);
            run_s.checked_rem_euclid(slip)
        };
        at.utc_s.saturating_add(slip - into.unwrap_or(0))
    }
}

/// One complete window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its last instant, which stamps the demand.
    pub end: Moment,
    /// Energy in joules; negative for combined reactive demand.
    pub joules: i64,
    /// Seconds.
    pub seconds: u32,
    /// The rate, when the whole window lies in slots of one.
    pub rate: Option<u8>,
}

/// The energy of one slip. Rate 0 stands for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slip {
    joules: i64,
    rate: u8,
}

const EMPTY: Slip = Slip { joules: 0, rate: 0 };

/// Running windows of one quantity in one direction; `SLIPS` is at least [`Windows::slips`].
///
/// Not stored over a power cut: an incomplete period gives no demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand<const SLIPS: usize> {
    windows: Windows,
    /// The last complete slips, oldest at `next`.
    ring: [Slip; SLIPS],
    filled: u8,
    next: u8,
    open: Slip,
    /// Where the present run of slips began, and up to where energy was booked.
    run: Option<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    begun: Moment,
    booked_s: i64,
    /// The open slip holds its energy from its first instant on.
    whole: bool,
}

impl<const SLIPS: usize> Demand<SLIPS> {
    /// Nothing booked yet. A ring too short for the windows never gives one.
    #[must_use]
    pub const fn new(windows: Windows) -> Self {
        Demand {
            windows,
            ring: [EMPTY; SLIPS],
            filled: 0,
            next: 0,
            open: EMPTY,
            run: None,
        }
    }

    /// The windows it runs over.
    #[must_use]
    pub const fn windows(&self) -> Windows {
        self.windows
    }

    /// Begins anew: clock set, parameters changed, power back.
    pub const fn restart(&mut self) {
        *self = Self::new(self.windows);
    }

    /// Books the energy of `seconds` from `start` on, of one rate, and hands out the windows that
    /// ended. An interval that does not begin where the last one ended begins the windows anew.
    ///
    /// Energy of an interval over the end of a slip is shared by time in whole joules. An interval
    /// longer than a period says nothing about the power inside it: the windows begin anew after it.
    pub fn book(
        &mut self,
        start: Moment,
        seconds: u32,
        joules: i64,
        rate: u8,
        mut window: impl FnMut(Window),
    ) {
        let end = start.utc_s.saturating_add(seconds.into());
        if seconds > self.windows.period_s {
            self.restart();
            return;
        }
        let mut run = match self.run {
            Some(run) if run.booked_s == start.utc_s => run,
            _ => {
                self.restart();
                let whole = self.windows.next(start, start.plus(-1)) == start.utc_s;
                Run {
                    begun: start,
                    booked_s: start.utc_s,
                    whole: whole || !self.windows.by_clock,
                }
            }
        };
        let mut shared = 0;
        // A slip lasts a minute and an interval a period at most: at most 61 turns.
        while run.booked_s < end {
            let at = start.plus(run.booked_s - start.utc_s);
            let edge = self.windows.next(run.begun, at);
            let until = edge.min(end);
            let done = if until == end {
                joules
            } else {
                let share = i128::from(until - start.utc_s) * i128::from(joules);
                share.checked_div(seconds.into()).unwrap_or(0) as i64
            };
            let part = done - shared;
            shared = done;
            let begins = self.windows.next(run.begun, at.plus(-1)) == run.booked_s;
            self.open.rate = if begins || self.open.rate == rate {
                rate
            } else {
                0
            };
            self.open.joules = self.open.joules.saturating_add(part);
            run.booked_s = until;
            if until == edge {
                self.close(run.whole, start.plus(until - start.utc_s), &mut window);
                run.whole = true;
            }
        }
        self.run = Some(run);
    }

    fn close(&mut self, whole: bool, end: Moment, window: &mut impl FnMut(Window)) {
        let slip = core::mem::replace(&mut self.open, EMPTY);
        let slips = self.windows.slips();
        if !whole || usize::from(slips) > SLIPS {
            return;
        }
        if let Some(place) = self.ring.get_mut(usize::from(self.next)) {
            *place = slip;
        }
        self.next = (self.next + 1).checked_rem(slips).unwrap_or(0);
        self.filled = slips.min(self.filled + 1);
        if self.filled < slips {
            return;
        }
        let held = self.ring.iter().take(usize::from(slips));
        let joules = held
            .clone()
            .fold(0_i64, |sum, slip| sum.saturating_add(slip.joules));
        let one_rate = slip.rate != 0 && held.clone().all(|other| other.rate == slip.rate);
        window(Window {
            end,
            joules,
            seconds: self.windows.period_s,
            rate: one_rate.then_some(slip.rate),
        });
    }
}

/// A maximum and when it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    /// Energy of the window, joules.
    pub joules: i64,
    /// Length of the window, seconds.
    pub seconds: u32,
    /// End of the window.
    pub at: Moment,
}

impl From<Window> for Peak {
    fn from(window: Window) -> Self {
        Peak {
            joules: window.joules,
            seconds: window.seconds,
            at: window.end,
        }
    }
}

impl Peak {
    /// The demand in 0.0001 kW (XX.XXXX kW of DL/T 645), half up.
    #[must_use]
    pub const fn ten_thousandths_kw(&self) -> i64 {
        let seconds = if self.seconds == 0 { 1 } else { self.seconds };
        crate::price::Rounding::HalfUp.divide(self.joules.saturating_mul(10), seconds as i64)
    }
}

/// The largest demand in total and of each of `RATES` rates since the last reset; the first window
/// that reached a value keeps its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maxima<const RATES: usize> {
    total: Option<Peak>,
    by_rate: [Option<Peak>; RATES],
}

impl<const RATES: usize> Maxima<RATES> {
    /// No window yet.
    #[must_use]
    pub const fn new() -> Self {
        Maxima {
            total: None,
            by_rate: [None; RATES],
        }
    }

    /// Takes a window that ended.
    pub fn take(&mut self, window: &Window) {
        let peak = Peak::from(*window);
        let raise = |place: &mut Option<Peak>| {
            // Magnitude counts: combined reactive demand may be negative.
            let higher = |held: Peak| peak.joules.unsigned_abs() > held.joules.unsigned_abs();
            if place.is_none_or(higher) {
                *place = Some(peak);
            }
        };
        raise(&mut self.total);
        let index = window.rate.and_then(|rate| rate.checked_sub(1));
        if let Some(place) = index.and_then(|index| self.by_rate.get_mut(usize::from(index))) {
            raise(place);
        }
    }

    /// The maximum over all windows.
    #[must_use]
    pub const fn total(&self) -> Option<Peak> {
        self.total
    }

    /// The maximum of the windows that lie wholly in slots of a rate, from 1.
    #[must_use]
    pub fn rate(&self, rate: u8) -> Option<Peak> {
        let index = usize::from(rate).checked_sub(1)?;
        self.by_rate.get(index).copied().flatten()
    }

    /// Takes stored maxima back.
    pub(crate) const fn restore(total: Option<Peak>, by_rate: [Option<Peak>; RATES]) -> Self {
        Maxima { total, by_rate }
    }

    /// Clears and hands out what was held, for the history.
    pub const fn reset(&mut self) -> Self {
        let held = *self;
        *self = Self::new();
        held
    }
}

impl<const RATES: usize> Default for Maxima<RATES> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::{Demand, Maxima, Window, Windows};
    use crate::civil::Moment;

    const fn at(s: i64) -> Moment {
        Moment {
            utc_s: 1_704_067_200 + s,
            offset_s: 0,
        }
    }

    #[test]
    fn only_periods_of_whole_slips() {
        assert!(Windows::sliding(15, 1).is_some());
        assert!(Windows::sliding(60, 1).is_some());
        for (period, slip) in [(0, 1), (15, 0), (15, 2), (61, 1), (1500, 60)] {
            assert!(Windows::sliding(period, slip).is_none(), "{period} {slip}");
        }
    }

    #[test]
    fn blocks_wait_for_the_clock_and_a_gap_begins_anew() {
        let mut demand = Demand::<1>::new(Windows::block(15).unwrap());
        let mut ends = Vec::new();
        // From 10 minutes past: the first block is incomplete.
        for minute in 10..62 {
            demand.book(at(minute * 60), 60, 60, 1, |w| {
                ends.push((w.end.utc_s, w.joules))
            });
        }
        // A minute is missing: the block of 60 to 75 is lost.
        for minute in 63..95 {
            demand.book(at(minute * 60), 60, 60, 1, |w| {
                ends.push((w.end.utc_s, w.joules))
            });
        }
        let expected = [30, 45, 60, 90].map(|minute| (at(minute * 60).utc_s, 900));
        assert_eq!(ends, expected);
    }

    #[test]
    fn a_rate_counts_windows_that_lie_in_it_wholly() {
        let mut demand = Demand::<3>::new(Windows::sliding(3, 1).unwrap());
        let mut maxima = Maxima::<2>::new();
        for (minute, (rate, joules)) in [(1, 60), (1, 60), (1, 60), (2, 6000), (2, 60), (2, 60)]
            .into_iter()
            .enumerate()
        {
            demand.book(at(minute as i64 * 60), 60, joules, rate, |w| {
                maxima.take(&w)
            });
        }
        assert_eq!(maxima.total().unwrap().joules, 6120);
        assert_eq!(maxima.total().unwrap().at, at(240));
        assert_eq!(maxima.rate(1).unwrap().joules, 180);
        assert_eq!(maxima.rate(2).unwrap().joules, 6120);
        assert_eq!(maxima.rate(3), None);
        assert_eq!(maxima.reset().rate(1).unwrap().joules, 180);
        assert_eq!(maxima, Maxima::new());
    }

    proptest! {
        /// However the energy of each second is handed over, the windows are the same.
        #[test]
        fn the_cut_into_intervals_changes_nothing(
            watts in prop::collection::vec(-5_000_i64..5_000, 12),
            cuts in prop::collection::vec(1_usize..400, 20),
        ) {
            let run = |lengths: &mut dyn Iterator<Item = usize>| {
                let mut demand = Demand::<5>::new(Windows::sliding(5, 1).unwrap());
                let mut windows: Vec<Window> = Vec::new();
                let mut second = 0;
                while second < 720 {
                    // Inside one minute, so that constant power is shared exactly.
                    let left = 60 - second % 60;
                    let length = lengths.next().unwrap_or(60).min(left);
                    let joules = watts[second / 60] * length as i64;
                    demand.book(at(second as i64), length as u32, joules, 1, |w| windows.push(w));
                    second += length;
                }
                windows
            };
            let whole = run(&mut std::iter::repeat(60));
            prop_assert_eq!(whole.len(), 8);
            prop_assert_eq!(whole, run(&mut cuts.into_iter()));
        }
    }
}
