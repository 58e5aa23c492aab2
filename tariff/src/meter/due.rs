//! What the calendar brings: settlement, switches of sets, change of mode, freezes, load records.
//!
//! Between two such instants a call compares one number: the next instant is looked up when one has
//! passed, and again when what it follows from is no longer the same.

use super::{Detail, Kept, Meter, Parameters};
use crate::civil::Moment;
use crate::demand::Maxima;
use crate::freeze::{Freezes, Kind, LoadPlan, Pattern, load_classes};
use crate::price::Money;
use crate::settlement::SettlementDays;

/// Fee control of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a bill; commands come from afar.
    Remote,
    /// By the purse, which begins with this much.
    Local {
        /// Not below zero.
        initial: Money,
    },
}

/// A programmed change of fee control (0400010B). One that the meter's clock has passed does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeSwitch {
    /// When, UTC seconds.
    pub at_s: i64,
    /// To what; nothing happens when fee control is so already.
    pub to: Mode,
}

/// The next instant of the calendar, and what it was looked up with. It is no state: meters are equal
/// whatever they looked up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Next(Option<Found>);

#[derive(Clone, Copy, Debug)]
struct Found {
    /// UTC seconds.
    at_s: i64,
    offset_s: i32,
    switch_s: Option<i64>,
    mode_s: Option<i64>,
    settlement: SettlementDays,
    freezes: Freezes,
    load: LoadPlan,
}

impl PartialEq for Next {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Next {}

impl Next {
    fn look_up(p: &Parameters<'_>, switch_s: Option<i64>, from: Moment) -> Self {
        let mode_s = p.mode.map(|mode| mode.at_s);
        Next(Some(Found {
            at_s: first_due(p, switch_s, from).unwrap_or(i64::MAX),
            offset_s: from.offset_s,
            switch_s,
            mode_s,
            settlement: p.settlement,
            freezes: p.freezes,
            load: p.load,
        }))
    }

    /// True when nothing falls due up to `now`.
    fn is_ahead_of(&self, p: &Parameters<'_>, switch_s: Option<i64>, now: Moment) -> bool {
        self.0.as_ref().is_some_and(|found| {
            now.utc_s < found.at_s
                && now.offset_s == found.offset_s
                && switch_s == found.switch_s
                && p.mode.map(|mode| mode.at_s) == found.mode_s
                && p.settlement == found.settlement
                && p.freezes == found.freezes
                && p.load == found.load
        })
    }
}

/// The first instant later than `from` at which anything of the calendar may fall due, UTC seconds.
pub(super) fn first_due(p: &Parameters<'_>, switch_s: Option<i64>, from: Moment) -> Option<i64> {
    let days = p.settlement.0.into_iter().flatten();
    let settles = days.map(|day| Pattern::Daily {
        minute: u16::from(day.hour()) * 60,
    });
    let patterns = [p.freezes.timed, p.freezes.daily].into_iter().flatten();
    let by_clock = settles.chain(patterns);
    let every = p.load.into_iter().chain([p.freezes.hourly]).flatten();
    let mode = p.mode.map(|mode| mode.at_s);
    by_clock
        .map(|pattern| pattern.next_check(from).utc_s)
        .chain(every.map(|every| every.next(from)))
        .chain(mode.filter(|&at_s| at_s > from.utc_s))
        .chain(switch_s)
        .min()
}

impl<const C: usize, const R: usize, const D: usize, const S: usize> Meter<C, R, D, S> {
    /// Carries out and keeps what fell due between the latest instant seen and now.
    pub(super) fn keep_due(
        &mut self,
        p: &Parameters<'_>,
        now: Moment,
        keep: &mut impl FnMut(Kept<'_, C, R, D>),
    ) {
        let seen = self.seen.unwrap_or(now);
        let switch_s = self.running.next_switch();
        if !self.next.is_ahead_of(p, switch_s, now) {
            self.keep_passed(p, seen, now, keep);
            let latest = if now.utc_s > seen.utc_s { now } else { seen };
            self.next = Next::look_up(p, self.running.next_switch(), latest);
        }
        if self.seen.is_none_or(|seen| now.utc_s > seen.utc_s) {
            self.seen = Some(now);
        }
    }

    fn keep_passed(
        &mut self,
        p: &Parameters<'_>,
        seen: Moment,
        now: Moment,
        keep: &mut impl FnMut(Kept<'_, C, R, D>),
    ) {
        if let Some(passed) = p.settlement.passed(seen, now) {
            let settled = Detail::Settled {
                first: passed.first,
            };
            self.keep(Kind::Settlement, now, settled, keep);
            if passed.first {
                self.maxima = [Maxima::new(); D];
            }
        }
        for table in self.running.switch(now) {
            self.keep(Kind::of_switch(table), now, Detail::None, keep);
        }
        let mode = p
            .mode
            .filter(|mode| mode.at_s > seen.utc_s && mode.at_s <= now.utc_s);
        if let Some(mode) = mode {
            self.change_mode(mode.to, now, keep);
        }
        let passed = |pattern: Pattern| pattern.passed(seen, now);
        if p.freezes.timed.is_some_and(passed) {
            self.keep(Kind::Timed, now, Detail::None, keep);
        }
        if p.freezes
            .hourly
            .is_some_and(|every| every.passed(seen, now))
        {
            self.keep(Kind::Hourly, now, Detail::None, keep);
        }
        if p.freezes.daily.is_some_and(passed) {
            self.keep(Kind::Daily, now, Detail::None, keep);
            if self.machine.is_prepaid() {
                self.keep(Kind::DailyPurse, now, Detail::None, keep);
            }
        }
        let classes = load_classes(&p.load, seen, now);
        if classes != 0 {
            self.keep(Kind::Load, now, Detail::Classes(classes), keep);
        }
    }

    fn change_mode(&mut self, to: Mode, now: Moment, keep: &mut impl FnMut(Kept<'_, C, R, D>)) {
        let purse = self.purse_values();
        let changed = match to {
            Mode::Remote => self.machine.to_remote(),
            Mode::Local { initial } => self.machine.to_local(initial),
        };
        // It may be so already.
        if changed.is_ok() {
            self.keep_mode(purse, now, keep);
        }
    }
}
