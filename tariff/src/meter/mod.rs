//! The whole meter: fee control, two sets of tables with programmed switch, settlement, demand by
//! rate, freezes, load records and events, around one state that survives a power cut.
//!
//! ```text
//! Reading, Clock ──> Meter::advance ──> Effect (relay, alarm, money)
//!   1 energy since the last call: rate registers, purse, demand at the rate and set of that call
//!   2 settlement, switches of sets, freezes, load records ──> Kept rows, by number
//!   3 rate, tier period, friendly hours, standing charge, trips for the time from now on
//! ```
//!
//! Rows ([`Kept`]) go to whoever keeps them: a ring in memory ([`crate::settlement::History`]) or
//! flash. **Order of writes:** first the rows of an input, each under its kind and number, then the
//! state ([`crate::stored::encode_meter`]). A cut between them repeats the rows under the same
//! numbers at the next start; a cut ahead of them leaves nothing half done.
//!
//! Power off over a boundary is found at the first call afterwards: one settlement, one switch, one
//! freeze of each kind, with the registers of the old period. A clock set back repeats none of them.

mod due;
mod formed;
mod reactive;
mod row;
mod snapshot;

use crate::civil::Moment;
use crate::combine::ActiveWord;
use crate::demand::{Maxima, Peak, Windows};
use crate::freeze::{Freezes, Kind, LoadPlan};
use crate::machine::{Clock, Effect, LONGEST_BACK_S, Machine, Terms, Why};
use crate::price::Money;
use crate::sets::{Running, Sets, Table};
use crate::settlement::SettlementDays;

use formed::Formed;

pub use due::{Mode, ModeSwitch};
pub use reactive::{
    QUANTITIES, ReactiveDemand, decode_reactive, encode_reactive, longest_reactive,
};
pub use row::{Detail, Kept, Parts, Row};
pub use snapshot::{Channel, Snapshot};

/// What a meter goes by, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// Both sets of the four tables.
    pub sets: Sets<'a>,
    /// What fee control goes by besides prices.
    pub terms: Terms<'a>,
    /// What is charged: forward active energy, and reverse as the word says (04000601). With a word
    /// that subtracts, energy fed in is used up again before anything is charged; it is never paid.
    pub active: ActiveWord,
    /// Settlement days (04000B01 to 03).
    pub settlement: SettlementDays,
    /// Windows of demand; `None` without demand.
    pub windows: Option<Windows>,
    /// Freezes by time.
    pub freezes: Freezes,
    /// Load records by class.
    pub load: LoadPlan,
    /// A programmed change of fee control.
    pub mode: Option<ModeSwitch>,
}

impl<'a> Parameters<'a> {
    /// Forward energy, settlement at 00:00 of the first, nothing else.
    #[must_use]
    pub fn of(sets: Sets<'a>) -> Self {
        Parameters {
            sets,
            terms: Terms::default(),
            active: ActiveWord(0x01),
            settlement: SettlementDays::monthly(),
            windows: None,
            freezes: Freezes::default(),
            load: LoadPlan::default(),
            mode: None,
        }
    }
}

/// What the metering core counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<const CHANNELS: usize> {
    /// Totals that never fall, tenths of a watt hour (of a varh): forward active, reverse active,
    /// reactive quadrants I to IV, as many as the meter has.
    pub tenths: [u64; CHANNELS],
    /// Mean power since the last call, watts; `None` when it is not known.
    pub watts: Option<u32>,
}

/// What status word 3 shows beside what the machine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Shown {
    /// The relay stands open.
    pub relay_open: bool,
    /// Supply: 0 main, 1 auxiliary, 2 battery.
    pub supply: u8,
    /// Programming is allowed.
    pub programming: bool,
    /// An identity is authenticated.
    pub authenticated: bool,
}

/// The state of a meter with so many channels, rates, demands (of the first channels) and places for
/// slips of a demand period. A small meter is `Meter<1, 2, 0, 0>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter<
    const CHANNELS: usize,
    const RATES: usize,
    const DEMANDS: usize,
    const SLIPS: usize,
> {
    pub(crate) machine: Machine<RATES>,
    pub(crate) running: Running,
    /// The latest instant that a good clock showed.
    pub(crate) seen: Option<Moment>,
    /// Rows kept so far, by kind.
    pub(crate) counts: [u32; Kind::ALL.len()],
    pub(crate) channels: [Channel<RATES>; CHANNELS],
    pub(crate) maxima: [Maxima<RATES>; DEMANDS],
    formed: [Formed<SLIPS>; DEMANDS],
    /// Up to where demand was booked.
    booked: Option<Moment>,
    /// The next instant of the calendar.
    next: due::Next,
}

impl<const C: usize, const R: usize, const D: usize, const S: usize> Meter<C, R, D, S> {
    /// A meter around its fee control, new or as it was stored alone: its rate registers are taken
    /// as those of forward active energy.
    #[must_use]
    pub fn around(machine: Machine<R>) -> Self {
        Meter {
            channels: forward_of(&machine),
            machine,
            running: Running::first(),
            seen: None,
            counts: [0; Kind::ALL.len()],
            maxima: [Maxima::new(); D],
            formed: [Formed::NEW; D],
            booked: None,
            next: due::Next::default(),
        }
    }

    /// [`Meter::around`] in place.
    pub(crate) fn begin(&mut self, machine: Machine<R>) {
        self.channels = forward_of(&machine);
        self.machine = machine;
        self.running = Running::first();
        self.seen = None;
        self.counts = [0; Kind::ALL.len()];
        self.maxima = [Maxima::new(); D];
        self.restart_demand();
        self.next = due::Next::default();
    }

    /// Takes time, totals and power: books the energy since the last call and carries out what time
    /// brings; rows to keep go to `keep`. Call it at least at every [`Meter::next_deadline`], and
    /// store the state when a row was kept or the relay is wanted otherwise.
    ///
    /// A total below the last one books nothing and keeps its mark.
    pub fn advance(
        &mut self,
        p: &Parameters<'_>,
        now: Clock,
        reading: &Reading<C>,
        mut keep: impl FnMut(Kept<'_, C, R, D>),
    ) -> Effect {
        let (view, why) = (self.machine.view(), self.machine.why());
        let last = self.machine.last.map(|(then, _)| then);
        // A clock that nobody said was set.
        if let Some(then) = last.filter(|_| now.good)
            && now.at.utc_s < then.utc_s.saturating_sub(LONGEST_BACK_S)
        {
            self.set_clock(then, now.at, &mut keep);
        }
        let rate = self.machine.rate();
        let charged = charged_wh(p, reading);
        let tariff = p.sets.tariff(&self.running);
        let booked = self.machine.book(&tariff, now.at, charged, |_| ());
        let used = self.count(reading, rate, last.is_none());
        self.demand(p.windows, now, rate, &used);
        if now.good {
            self.keep_due(p, now.at, &mut keep);
        }
        let tariff = p.sets.tariff(&self.running);
        let standing = self.machine.turn(&tariff, &p.terms, now, reading.watts);
        self.keep_relay(why, now.at, &mut keep);
        self.machine.since(view).with(booked, standing)
    }

    /// Adds to totals and rate registers; what each channel used.
    fn count(&mut self, reading: &Reading<C>, rate: u8, is_first: bool) -> [u64; C] {
        let mut used = [0; C];
        let index = usize::from(rate).saturating_sub(1);
        let is_new = self.seen.is_none();
        let places = self.channels.iter_mut().zip(reading.tenths).zip(&mut used);
        for ((channel, total), used) in places {
            // The channels that a state of an older layout did not have begin at what they show.
            if is_first || is_new && *channel == Channel::default() {
                channel.total = channel.total.max(total);
            }
            *used = total.saturating_sub(channel.total);
            channel.total = channel.total.max(total);
            if let Some(register) = channel.by_rate.get_mut(index) {
                *register = register.saturating_add(*used);
            }
        }
        used
    }

    fn demand(&mut self, windows: Option<Windows>, now: Clock, rate: u8, used: &[u64; C]) {
        let (Some(windows), true) = (windows, now.good) else {
            self.restart_demand();
            return;
        };
        let start = self.booked.replace(now.at);
        let places = self.formed.iter_mut().zip(&mut self.maxima).zip(used);
        for ((formed, maxima), used) in places {
            let used = i64::try_from(*used).unwrap_or(i64::MAX);
            formed.book(windows, (start, now.at), used, rate, maxima);
        }
    }

    fn restart_demand(&mut self) {
        self.formed = [Formed::NEW; D];
        self.booked = None;
    }

    fn keep_relay(
        &mut self,
        before: Option<Why>,
        at: Moment,
        keep: &mut impl FnMut(Kept<'_, C, R, D>),
    ) {
        match (before, self.machine.why()) {
            (None, Some(why)) => self.keep(Kind::Trip, at, Detail::Relay(why), keep),
            (Some(why), None) => self.keep(Kind::Close, at, Detail::Relay(why), keep),
            _ => {}
        }
    }

    fn keep(
        &mut self,
        kind: Kind,
        at: Moment,
        detail: Detail,
        keep: &mut impl FnMut(Kept<'_, C, R, D>),
    ) {
        self.keep_with(kind, at, detail, self.purse_values(), keep);
    }

    /// Balance and purchase count.
    fn purse_values(&self) -> (Money, u32) {
        (self.machine.purse.balance, self.machine.purse.count)
    }

    /// A change of mode, with what the purse held before it was cleared or set.
    fn keep_mode(
        &mut self,
        purse: (Money, u32),
        at: Moment,
        keep: &mut impl FnMut(Kept<'_, C, R, D>),
    ) {
        self.keep_with(Kind::Mode, at, Detail::None, purse, keep);
    }

    fn keep_with(
        &mut self,
        kind: Kind,
        at: Moment,
        detail: Detail,
        purse: (Money, u32),
        keep: &mut impl FnMut(Kept<'_, C, R, D>),
    ) {
        let Some(count) = self.counts.get_mut(kind as usize) else {
            return;
        };
        *count = count.wrapping_add(1);
        let number = *count;
        let mut snapshot = self.snapshot(at);
        (snapshot.balance, snapshot.purchases) = purse;
        // Only the first settlement day ends a period of demand.
        if detail == (Detail::Settled { first: false }) {
            snapshot.demand = [Maxima::new(); D];
        }
        keep(Kept {
            kind,
            number,
            detail,
            snapshot: &snapshot,
        });
    }

    /// Hands the fee control any input: recharge, refund, command, key, opening, change of mode. A
    /// trip, a purchase, a refund or a change of mode is kept. Store the state before answering.
    pub fn input<T>(
        &mut self,
        at: Moment,
        mut keep: impl FnMut(Kept<'_, C, R, D>),
        input: impl FnOnce(&mut Machine<R>) -> T,
    ) -> T {
        let (why, local) = (self.machine.why(), self.machine.is_prepaid());
        let (before, refunds) = (self.purse_values(), self.machine.purse.refunds);
        let answer = input(&mut self.machine);
        let purse = &self.machine.purse;
        let (is_bought, is_refund) = (
            purse.count == before.1.wrapping_add(1),
            purse.refunds == refunds.wrapping_add(1),
        );
        if is_bought {
            self.keep(Kind::Purchase, at, Detail::None, &mut keep);
        }
        if is_refund {
            self.keep(Kind::Refund, at, Detail::None, &mut keep);
        }
        if self.machine.is_prepaid() != local {
            self.keep_mode(before, at, &mut keep);
        }
        self.keep_relay(why, at, &mut keep);
        answer
    }

    /// The clock was set from `before` to `after`. Call [`Meter::advance`] for `before` first.
    ///
    /// Set forward over boundaries, one settlement and one freeze of each kind follow at the next
    /// call. Set back, none of those that were is repeated until the time passes the latest that was
    /// seen; over more than [`LONGEST_BACK_S`] the marks begin anew.
    pub fn set_clock(
        &mut self,
        before: Moment,
        after: Moment,
        mut keep: impl FnMut(Kept<'_, C, R, D>),
    ) {
        self.machine.set_clock(before, after);
        self.restart_demand();
        let seen = self.seen.map(|seen| seen.utc_s.saturating_sub(after.utc_s));
        if seen.is_some_and(|ahead_s| ahead_s > LONGEST_BACK_S) {
            self.seen = Some(after);
        }
        self.next = due::Next::default();
        let detail = Detail::ClockSet {
            before_s: before.utc_s,
        };
        self.keep(Kind::ClockSet, after, detail, &mut keep);
    }

    /// Clears maximum demand (function 19, or the button); what was held is kept.
    pub fn clear_demand(&mut self, at: Moment, mut keep: impl FnMut(Kept<'_, C, R, D>)) {
        self.keep(Kind::DemandReset, at, Detail::None, &mut keep);
        self.maxima = [Maxima::new(); D];
    }

    /// Freezes now (function 16 with 99999999).
    pub fn freeze(&mut self, at: Moment, mut keep: impl FnMut(Kept<'_, C, R, D>)) {
        self.keep(Kind::Instant, at, Detail::None, &mut keep);
    }

    /// Programs the switch of a table (04000106 to 09); one not after `now` takes it back.
    pub fn arm(&mut self, table: Table, at: Moment, now: Moment) {
        self.running.arm(table, at, now);
    }

    /// Takes over totals without booking: another metering core, or another feature word.
    pub fn set_totals(&mut self, p: &Parameters<'_>, now: Moment, reading: &Reading<C>) {
        for (channel, total) in self.channels.iter_mut().zip(reading.tenths) {
            channel.total = total;
        }
        self.machine.set_total(now, charged_wh(p, reading));
        self.restart_demand();
    }

    /// When [`Meter::advance`] is due at the latest, in UTC seconds; `None` before the first call.
    #[must_use]
    pub fn next_deadline(&self, p: &Parameters<'_>) -> Option<i64> {
        let (then, _) = self.machine.last?;
        let tariff = p.sets.tariff(&self.running);
        let fee = self.machine.deadline(&tariff, &p.terms);
        let due = due::first_due(p, self.running.next_switch(), then);
        fee.into_iter().chain(due).min()
    }

    /// Registers, demand and purse as they stand.
    #[must_use]
    pub fn snapshot(&self, at: Moment) -> Snapshot<C, R, D> {
        Snapshot {
            at,
            charged: self.machine.registers,
            channels: self.channels,
            demand: self.maxima,
            balance: self.machine.purse.balance,
            purchases: self.machine.purse.count,
        }
    }

    /// Fee control: purse, remote control, rate.
    #[must_use]
    pub const fn machine(&self) -> &Machine<R> {
        &self.machine
    }

    /// Which set of each table runs, and the switches that wait.
    #[must_use]
    pub const fn running(&self) -> &Running {
        &self.running
    }

    /// Maximum demand of a channel since the last reset.
    #[must_use]
    pub fn maxima(&self, channel: usize) -> Option<&Maxima<R>> {
        self.maxima.get(channel)
    }

    /// The demand of the last window of a channel that ended; `None` before the first.
    #[must_use]
    pub fn present_demand(&self, channel: usize) -> Option<Peak> {
        self.formed.get(channel).and_then(Formed::present)
    }

    /// Total and rate registers of a channel.
    #[must_use]
    pub fn channel(&self, number: usize) -> Option<&Channel<R>> {
        self.channels.get(number)
    }

    /// How many rows of a kind were kept so far: the number of the newest.
    #[must_use]
    pub fn kept(&self, kind: Kind) -> u32 {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }

    /// Bits of status word 1 (04000501): 1 demand by blocks, 14 overdraft, 15 clock fault.
    #[must_use]
    pub fn status_word_1(&self, p: &Parameters<'_>) -> u16 {
        let blocks = p.windows.is_some_and(Windows::is_block);
        let overdraft = self.machine.prepaid && self.machine.purse.overdraft_hundredths() > 0;
        u16::from(blocks) << 1
            | u16::from(overdraft) << 14
            | u16::from(self.machine.clock_bad) << 15
    }

    /// Status word 3 (04000503), whole.
    #[must_use]
    pub fn status_word_3(&self, shown: Shown) -> u16 {
        self.machine.status_word_3(shown.relay_open)
            | self.running.status_bits()
            | u16::from(shown.supply & 3) << 1
            | u16::from(shown.programming) << 3
            | u16::from(shown.authenticated) << 13
    }
}

/// The channels of a meter that was a machine alone.
fn forward_of<const C: usize, const R: usize>(machine: &Machine<R>) -> [Channel<R>; C] {
    let mut channels = [Channel::default(); C];
    if let Some(forward) = channels.first_mut() {
        let last_wh = machine.last.map_or(0, |(_, wh)| wh);
        *forward = Channel {
            total: last_wh.saturating_mul(10),
            by_rate: machine.registers.map(|wh| wh.saturating_mul(10)),
        };
    }
    channels
}

/// The charged total in whole watt hours; the rest waits for the next one.
fn charged_wh<const C: usize>(p: &Parameters<'_>, reading: &Reading<C>) -> u64 {
    let mut totals = reading.tenths.into_iter();
    let (forward, reverse) = (totals.next(), totals.next());
    let combined = p.active.combine(forward.unwrap_or(0), reverse.unwrap_or(0));
    combined.max(0).unsigned_abs() / 10
}
