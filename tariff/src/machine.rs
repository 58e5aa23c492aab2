//! The tariff machine of one meter: energy and time in; registers, purse and a relay wish out.
//!
//! Call [`Machine::advance`] at least at every [`Machine::next_deadline`]: energy between two calls
//! belongs to the rate and the tier period of the earlier one.

use crate::civil::Moment;
use crate::friendly::Friendly;
use crate::overload::{Overload, PowerLimit};
use crate::plan::{Line, Tariff};
use crate::price::Money;
use crate::purse::{Answer, Cause, Change, Customer, Limits, Purse, Recharge, Refund, Refusal};
use crate::remote::{Command, RefusedKeepPower, Remote};
use crate::tier::TierTotal;

/// A step back of the clock beyond which marks of time begin anew: nothing that lies in a wrong
/// future may stop settlements for longer.
pub const LONGEST_BACK_S: i64 = 31 * 86_400;

/// What an input of the machine came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Effect {
    /// The relay is now wanted open (`true`) or closed; `None` when that did not change.
    pub relay_open: Option<bool>,
    /// Alarm 1 went on or off.
    pub alarm_1: Option<bool>,
    /// Watt hours booked now.
    pub wh: u64,
    /// Their exact cost.
    pub cost: Money,
    /// Standing charges taken now.
    pub standing: Money,
    /// The total register lies below the last one: nothing was booked and its mark was kept.
    pub went_back: bool,
}

/// Who wants the relay open, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The power stayed above its limit.
    Overload,
    /// Remote control.
    Remote,
    /// The purse, for this cause.
    Purse(Cause),
}

/// What fee control goes by besides the tariff, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Terms<'a> {
    /// Times at which the purse does not open the relay.
    pub friendly: Friendly<'a>,
    /// Taken from the purse for every local day on which the account is open, used or not.
    pub standing: Money,
    /// The over-power trip.
    pub overload: Option<PowerLimit>,
    /// The rate while the clock is not to be trusted; 0 keeps the last one.
    pub fallback_rate: u8,
}

/// The time of an input and whether the clock is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The time; with a bad clock any that runs on, so that delays end.
    pub at: Moment,
    /// False after the battery was lost and until the clock is set: energy is booked at the fallback
    /// rate, and nothing that a calendar decides is done.
    pub good: bool,
}

impl Clock {
    /// A clock that is right.
    #[must_use]
    pub const fn good(at: Moment) -> Self {
        Clock { at, good: true }
    }
}

/// The state of one meter with `RATES` rate registers (rate 1 first).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine<const RATES: usize> {
    pub(crate) registers: [u64; RATES],
    pub(crate) tiers: TierTotal,
    pub(crate) last: Option<(Moment, u64)>,
    /// The rate in force at the last input; kept, so that a changed table prices no old energy.
    pub(crate) rate: u8,
    pub(crate) prepaid: bool,
    pub(crate) purse: Purse,
    pub(crate) remote: Remote,
    pub(crate) overload: Overload,
    /// Local day up to which standing charges were taken, days since 1970.
    pub(crate) standing_day: Option<i32>,
    pub(crate) clock_bad: bool,
}

impl<const RATES: usize> Machine<RATES> {
    /// A machine that only counts energy by rate: remote fee control.
    pub fn new() -> Self {
        Machine {
            registers: [0; RATES],
            tiers: TierTotal::default(),
            last: None,
            rate: 1,
            prepaid: false,
            purse: Purse::default(),
            remote: Remote::default(),
            overload: Overload::default(),
            standing_day: None,
            clock_bad: false,
        }
    }

    /// A machine with local fee control.
    pub fn prepaid(limits: Limits) -> Self {
        Machine {
            prepaid: true,
            purse: Purse::new(limits),
            ..Machine::new()
        }
    }

    /// Takes the time and the total forward register in watt hours: books the energy since the last
    /// call and carries out what time brings. The first call only sets the marks.
    ///
    /// A total below the last one books nothing and keeps its mark, so a bad reading never bills the
    /// register again; [`Machine::set_total`] sets the mark for another metering core. A clock set
    /// back books what was counted at the last known rate and opens no old tier period again.
    pub fn advance(
        &mut self,
        tariff: &Tariff<'_>,
        now: Moment,
        total_wh: u64,
        line: impl FnMut(Line),
    ) -> Effect {
        let before = self.view();
        let booked = self.book(tariff, now, total_wh, line);
        let standing = self.turn(tariff, &Terms::default(), Clock::good(now), None);
        self.since(before).with(booked, standing)
    }

    /// Books the energy up to `total_wh` at the rate of the last input; energy, cost and whether the
    /// total went back.
    pub(crate) fn book(
        &mut self,
        tariff: &Tariff<'_>,
        now: Moment,
        total_wh: u64,
        mut line: impl FnMut(Line),
    ) -> (u64, Money, bool) {
        let Some((then, last_wh)) = self.last else {
            self.last = Some((now, total_wh));
            return (0, Money::ZERO, false);
        };
        let wh = total_wh.saturating_sub(last_wh);
        let mut cost = Money::ZERO;
        if !self.clock_bad {
            // A changed table may have moved the reset.
            self.tiers.turn(tariff.reset(), then);
        }
        let rate = self.rate;
        tariff.book_rate(&mut self.tiers, rate, wh, |part| {
            cost = cost + part.amount;
            line(part);
        });
        let index = usize::from(rate).saturating_sub(1);
        if let Some(register) = self.registers.get_mut(index) {
            *register = register.saturating_add(wh);
        }
        if self.prepaid && wh > 0 {
            let _: Change = self.purse.consume(cost);
        }
        self.last = Some((now, last_wh.max(total_wh)));
        (wh, cost, total_wh < last_wh)
    }

    /// Carries out what time and power bring; the standing charges taken.
    pub(crate) fn turn(
        &mut self,
        tariff: &Tariff<'_>,
        terms: &Terms<'_>,
        now: Clock,
        watts: Option<u32>,
    ) -> Money {
        let Clock { at, good } = now;
        self.clock_bad = !good;
        self.remote.handle_time(at.utc_s);
        self.overload
            .handle(terms.overload.as_ref(), at.utc_s, watts);
        if !good {
            if terms.fallback_rate > 0 {
                self.rate = terms.fallback_rate;
            }
            return Money::ZERO;
        }
        self.rate = tariff.calendar().rate(at);
        self.tiers.turn(tariff.reset(), at);
        if !self.prepaid {
            return Money::ZERO;
        }
        let friendly = terms.friendly.holds(tariff.calendar(), at);
        let standing = self.standing(terms.standing, at);
        // Friendly hours that begin now hold back what the charge brings, those that end let it act.
        if friendly {
            let _: Change = self.purse.set_friendly(true);
        }
        if standing > Money::ZERO {
            let _: Change = self.purse.consume(standing);
        }
        if !friendly {
            let _: Change = self.purse.set_friendly(false);
        }
        standing
    }

    /// What standing charges are due for the local days that began since the mark.
    fn standing(&mut self, daily: Money, at: Moment) -> Money {
        if daily <= Money::ZERO {
            self.standing_day = None;
            return Money::ZERO;
        }
        let today = at.date().days() as i32;
        let mark = self.standing_day.map_or(today, |day| day.max(today));
        let days = self
            .standing_day
            .map_or(0, |day| i64::from(mark) - i64::from(day));
        self.standing_day = Some(mark);
        if !self.purse.is_open() {
            return Money::ZERO;
        }
        Money::from_ten_millionths(daily.ten_millionths().saturating_mul(days))
    }

    /// The clock was set from `before` to `after`. Call [`Machine::advance`] for `before` first.
    ///
    /// Delays keep their length. Days that a step forward leaps over were never supplied and pay no
    /// standing charge, the day it arrives in does; a step back pays none twice.
    pub fn set_clock(&mut self, before: Moment, after: Moment) {
        let step = after.utc_s.saturating_sub(before.utc_s);
        self.remote.shift(step);
        self.overload.shift(step);
        if let Some((then, _)) = &mut self.last {
            *then = after;
        }
        let today = after.date().days() as i32;
        self.standing_day = self.standing_day.map(|day| day.max(today - 1));
        if step < -LONGEST_BACK_S {
            self.standing_day = self.standing_day.map(|_| today);
            // The running total stays, its period is the one the clock says now.
            self.tiers.period = None;
        }
    }

    /// Sets the mark of the total register without booking: another metering core was put in.
    pub fn set_total(&mut self, now: Moment, total_wh: u64) {
        self.last = Some((now, total_wh));
    }

    /// When [`Machine::advance`] is due at the latest, in UTC seconds; `None` before the first call.
    pub fn next_deadline(&self, tariff: &Tariff<'_>) -> Option<i64> {
        self.deadline(tariff, &Terms::default())
    }

    pub(crate) fn deadline(&self, tariff: &Tariff<'_>, terms: &Terms<'_>) -> Option<i64> {
        let (then, _) = self.last?;
        // A midnight, when standing charges fall due, is never left out by the friendly hours.
        let changes = [tariff.next_change(then), terms.friendly.next_change(then)];
        let delays = [
            self.remote.deadline_s(),
            self.overload.deadline_s(terms.overload.as_ref()),
        ];
        let changes = changes.map(|change| change.utc_s).into_iter();
        changes.chain(delays.into_iter().flatten()).min()
    }

    /// Books a purchase; see [`Purse::recharge`]. Store the state before answering.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changed.
    pub fn recharge(&mut self, order: Recharge, at_s: i64) -> Result<(Answer, Effect), Refusal> {
        self.purse_input(|purse| purse.recharge(order, at_s))
    }

    /// Gives money back; see [`Purse::refund`]. Store the state before answering.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changed.
    pub fn refund(
        &mut self,
        order: Recharge,
        at_s: i64,
    ) -> Result<(Answer<Refund>, Effect), Refusal> {
        self.purse_input(|purse| purse.refund(order, at_s))
    }

    /// Opens the account with the customer number only; [`Purse::open_with`] takes a first purchase
    /// too. An account is opened under remote fee control as well.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changed.
    pub fn open_account(&mut self, customer: Customer) -> Result<Effect, Refusal> {
        let before = self.view();
        let _: Change = self.purse.open(customer)?;
        Ok(self.since(before))
    }

    /// Closes the account; see [`Purse::close`].
    ///
    /// # Errors
    /// [`Refusal`]; nothing changed.
    pub fn close_account(&mut self) -> Result<(), Refusal> {
        self.purse.close()
    }

    /// Changes to local fee control with this much in the purse, which begins anew with closed
    /// account; what was there before is gone.
    ///
    /// # Errors
    /// [`Refusal::Account`] when fee control is local already, [`Refusal::Amount`] below zero.
    pub fn to_local(&mut self, initial: Money) -> Result<Effect, Refusal> {
        if self.prepaid {
            return Err(Refusal::Account);
        }
        if initial < Money::ZERO {
            return Err(Refusal::Amount);
        }
        let before = self.view();
        self.prepaid = true;
        let _: Change = self.purse.renew(initial);
        self.standing_day = None;
        Ok(self.since(before))
    }

    /// Changes to remote fee control: purse and local states are cleared.
    ///
    /// # Errors
    /// [`Refusal::Account`] when it is remote already.
    pub fn to_remote(&mut self) -> Result<Effect, Refusal> {
        if !self.prepaid {
            return Err(Refusal::Account);
        }
        let before = self.view();
        let _: Change = self.purse.renew(Money::ZERO);
        self.prepaid = false;
        Ok(self.since(before))
    }

    /// Feeds the purse any input: refund, limits, initialisation, opening with a purchase.
    ///
    /// # Errors
    /// [`Refusal::Account`] on a meter without local fee control, else what `input` gives.
    pub fn purse_input<T>(
        &mut self,
        input: impl FnOnce(&mut Purse) -> Result<T, Refusal>,
    ) -> Result<(T, Effect), Refusal> {
        if !self.prepaid {
            return Err(Refusal::Account);
        }
        let before = self.view();
        let answer = input(&mut self.purse)?;
        Ok((answer, self.since(before)))
    }

    /// Obeys a remote command.
    ///
    /// # Errors
    /// [`RefusedKeepPower`]; nothing changed.
    pub fn command(&mut self, command: Command, now_s: i64) -> Result<Effect, RefusedKeepPower> {
        let before = self.view();
        self.remote.command(command, now_s)?;
        if command == Command::Close {
            self.overload.release(now_s);
        }
        if self.purse.keep_power() != self.remote.keep_power() {
            let _: Change = self.purse.set_keep_power(self.remote.keep_power());
        }
        Ok(self.since(before))
    }

    /// The key of the meter, pressed long enough.
    pub fn key(&mut self) -> Effect {
        let before = self.view();
        self.remote.key();
        let _ = self.purse.key();
        let now_s = self.last.map_or(0, |(then, _)| then.utc_s);
        self.overload.release(now_s);
        self.since(before)
    }

    pub(crate) fn view(&self) -> (bool, bool) {
        (self.wants_open(), self.purse.alarm_1())
    }

    pub(crate) fn since(&self, (open, alarm): (bool, bool)) -> Effect {
        let change = |now: bool, then: bool| (now != then).then_some(now);
        Effect {
            relay_open: change(self.wants_open(), open),
            alarm_1: change(self.purse.alarm_1(), alarm),
            wh: 0,
            cost: Money::ZERO,
            standing: Money::ZERO,
            went_back: false,
        }
    }

    /// True when over-power trip, remote control or purse want the relay open.
    pub fn wants_open(&self) -> bool {
        self.why().is_some()
    }

    /// Who wants the relay open.
    pub fn why(&self) -> Option<Why> {
        if self.overload.wants_open(self.remote.keep_power()) {
            Some(Why::Overload)
        } else if self.remote.wants_open() {
            Some(Why::Remote)
        } else if self.prepaid && self.purse.wants_open() {
            Some(Why::Purse(self.purse.cause()))
        } else {
            None
        }
    }

    /// Energy of a rate in watt hours; rates behind the last register count nothing.
    pub fn register_wh(&self, rate: u8) -> Option<u64> {
        self.registers
            .get(usize::from(rate).checked_sub(1)?)
            .copied()
    }

    /// All rate registers, rate 1 first.
    pub fn registers_wh(&self) -> &[u64; RATES] {
        &self.registers
    }

    /// The rate in force since the last input.
    pub fn rate(&self) -> u8 {
        self.rate
    }

    /// The running total of the tier period.
    pub fn tiers(&self) -> TierTotal {
        self.tiers
    }

    /// True with local fee control.
    pub fn is_prepaid(&self) -> bool {
        self.prepaid
    }

    /// The purse.
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Remote control.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// The over-power trip.
    pub fn overload(&self) -> &Overload {
        &self.overload
    }

    /// True when the last input came with a clock that is not to be trusted (bit 15 of status word 1).
    pub fn clock_is_bad(&self) -> bool {
        self.clock_bad
    }

    /// Status word 3 (04000503): bits 4, 6, 7, 8-9, 12, 14 and 15, for the relay as it stands. Bit 6
    /// is what the meter wants of its relay, whoever wants it. An account that is open is open
    /// remotely; locally it is so under local fee control only.
    pub fn status_word_3(&self, relay_open: bool) -> u16 {
        let (kind, open) = if self.prepaid { (2 << 8, 1) } else { (0, 0) };
        let remote_open = u16::from(self.purse.is_open());
        let local_open = remote_open & open;
        self.remote.status_bits(relay_open)
            | u16::from(self.wants_open() && !self.remote.close_allowed()) << 6
            | kind
            | (1 - local_open) << 14
            | (1 - remote_open) << 15
    }
}

impl Effect {
    pub(crate) fn with(self, (wh, cost, went_back): (u64, Money, bool), standing: Money) -> Self {
        Effect {
            wh,
            cost,
            went_back,
            standing,
            ..self
        }
    }
}

impl<const RATES: usize> Default for Machine<RATES> {
    fn default() -> Self {
        Machine::new()
    }
}
