//! The tariff machine of one meter: energy and time in; registers, purse and a relay wish out.
//!
//! Call [`Machine::advance`] at least at every [`Machine::next_deadline`]: energy between two calls
//! belongs to the rate and the tier period of the earlier one.

use crate::civil::Moment;
use crate::plan::{Line, Tariff};
use crate::price::Money;
use crate::purse::{Answer, Change, Customer, Limits, Purse, Recharge, Refusal};
use crate::remote::{Command, RefusedKeepPower, Remote};
use crate::tier::TierTotal;

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
    /// The total register lies below the last one: nothing was booked and its mark was kept.
    pub went_back: bool,
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
}

impl<const RATES: usize> Machine<RATES> {
    /// A machine that only counts energy by rate.
    pub fn new() -> Self {
        Machine {
            registers: [0; RATES],
            tiers: TierTotal::default(),
            last: None,
            rate: 1,
            prepaid: false,
            purse: Purse::default(),
            remote: Remote::default(),
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
        mut line: impl FnMut(Line),
    ) -> Effect {
        let before = (self.wants_open(), self.purse.alarm_1());
        let (mut wh, mut cost, mut went_back) = (0, Money::ZERO, false);
        match self.last {
            Some((then, last_wh)) => {
                went_back = total_wh < last_wh;
                wh = total_wh.saturating_sub(last_wh);
                self.tiers.turn(tariff.reset(), then);
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
                    let _ = self.purse.consume(cost);
                }
            }
            None => self.tiers.turn(tariff.reset(), now),
        }
        let mark = self
            .last
            .map_or(total_wh, |(_, last_wh)| last_wh.max(total_wh));
        self.last = Some((now, mark));
        self.rate = tariff.calendar().rate(now);
        self.tiers.turn(tariff.reset(), now);
        self.remote.handle_time(now.utc_s);
        Effect {
            wh,
            cost,
            went_back,
            ..self.since(before)
        }
    }

    /// Sets the mark of the total register without booking: another metering core was put in.
    pub fn set_total(&mut self, now: Moment, total_wh: u64) {
        self.last = Some((now, total_wh));
    }

    /// When [`Machine::advance`] is due at the latest, in UTC seconds; `None` before the first call.
    pub fn next_deadline(&self, tariff: &Tariff<'_>) -> Option<i64> {
        let (then, _) = self.last?;
        let change = tariff.next_change(then).utc_s;
        Some(
            self.remote
                .deadline_s()
                .map_or(change, |trip| trip.min(change)),
        )
    }

    /// Books a purchase; see [`Purse::recharge`]. Store the state before answering.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changed.
    pub fn recharge(&mut self, order: Recharge, at_s: i64) -> Result<(Answer, Effect), Refusal> {
        self.purse_input(|purse| purse.recharge(order, at_s))
    }

    /// Opens the account, with a first purchase or with the customer number only.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changed.
    pub fn open_account(&mut self, customer: Customer) -> Result<Effect, Refusal> {
        self.purse_input(|purse| purse.open(customer))
            .map(|(_, effect)| effect)
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
        let before = (self.wants_open(), self.purse.alarm_1());
        let answer = input(&mut self.purse)?;
        Ok((answer, self.since(before)))
    }

    /// Obeys a remote command.
    ///
    /// # Errors
    /// [`RefusedKeepPower`]; nothing changed.
    pub fn command(&mut self, command: Command, now_s: i64) -> Result<Effect, RefusedKeepPower> {
        let before = (self.wants_open(), self.purse.alarm_1());
        self.remote.command(command, now_s)?;
        if self.purse.keep_power() != self.remote.keep_power() {
            let _: Change = self.purse.set_keep_power(self.remote.keep_power());
        }
        Ok(self.since(before))
    }

    /// The key of the meter, pressed long enough.
    pub fn key(&mut self) -> Effect {
        let before = (self.wants_open(), self.purse.alarm_1());
        self.remote.key();
        let _ = self.purse.key();
        self.since(before)
    }

    fn since(&self, (open, alarm): (bool, bool)) -> Effect {
        let change = |now: bool, then: bool| (now != then).then_some(now);
        Effect {
            relay_open: change(self.wants_open(), open),
            alarm_1: change(self.purse.alarm_1(), alarm),
            wh: 0,
            cost: Money::ZERO,
            went_back: false,
        }
    }

    /// True when purse or remote control want the relay open.
    pub fn wants_open(&self) -> bool {
        self.remote.wants_open() || (self.prepaid && self.purse.wants_open())
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

    /// Status word 3 (04000503): bits 4, 6, 7, 8-9, 12, 14 and 15, for the relay as it stands.
    pub fn status_word_3(&self, relay_open: bool) -> u16 {
        let kind = if self.prepaid { 2 << 8 } else { 0 };
        let not_open = u16::from(!self.purse.is_open());
        self.remote.status_bits(relay_open) | kind | not_open << 14 | not_open << 15
    }
}

impl<const RATES: usize> Default for Machine<RATES> {
    fn default() -> Self {
        Machine::new()
    }
}
