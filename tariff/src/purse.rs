//! The prepaid purse of local fee control (DL/T 645, DL/T 614).
//!
//! ```text
//! balance        present cause     relay    leaves by
//! > alarm 2      none              closed
//! <= alarm 2     alarm 2           open     key, recharge
//! <= 0           zero              open     key (only with an overdraft limit), recharge above 0
//! <= -overdraft  locked            open     recharge that leaves more than the close-allow limit
//! ```
//!
//! A key press acknowledges, so that the same fall does not trip twice; a recharge above the limit
//! arms it again. Keep power closes the relay and holds every cause back. An open relay closes only
//! by key, recharge or keep power, never by a changed limit.
//!
//! Emergency credit is the overdraft that the key opens at zero. Friendly hours hold back a cause
//! that comes up in them until they end; a relay that was open before stays open.

mod order;

use heapless::Vec;

use crate::price::{Money, Rounding};

pub use order::{Answer, Purchase, Recharge, Refund, Refusal, SERR_REPEATED};

/// Purchases kept (033301xx).
pub const PURCHASES: usize = 10;

/// Customer number (0400040E): six bytes as the wire carries them.
pub type Customer = [u8; 6];

/// The limits (04001001 to 04001005). None is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// Remaining at or below it raises the alarm.
    pub alarm_1: Money,
    /// Remaining at or below it opens the relay as a reminder; zero is off.
    pub alarm_2: Money,
    /// How far below zero supply goes on; zero locks at zero.
    pub overdraft: Money,
    /// Remaining and purchase together must not pass it; zero is no limit.
    pub hoard: Money,
    /// A lock is left only when the remaining amount, cut to 0.01, is above it.
    pub close_allow: Money,
}

/// Why the purse wants the relay open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Cause {
    /// It does not.
    #[default]
    None,
    /// Alarm amount 2 was reached.
    Alarm2,
    /// Nothing is left.
    Zero,
    /// The overdraft limit was reached.
    Locked,
}

impl Cause {
    /// A lock that is to be worked out anew: zero until the balance is judged again.
    fn unlocked(self) -> Self {
        self.min(Cause::Zero)
    }
}

/// What an input changed. Whoever feeds the purse drives the relay and the lamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Change {
    /// The relay is now wanted open (`true`) or closed; `None` when that did not change.
    pub relay_open: Option<bool>,
    /// Alarm 1 went on (`true`) or off; `None` when it did not change.
    pub alarm_1: Option<bool>,
    /// The cause after the input.
    pub cause: Cause,
}

impl Change {
    /// True when there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        self.relay_open.is_none() && self.alarm_1.is_none()
    }
}

/// The purse: limits and state.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Purse {
    pub(crate) limits: Limits,
    pub(crate) balance: Money,
    pub(crate) cumulative: Money,
    pub(crate) count: u32,
    pub(crate) customer: Customer,
    pub(crate) is_open: bool,
    pub(crate) cause: Cause,
    pub(crate) acknowledged_2: bool,
    pub(crate) acknowledged_0: bool,
    pub(crate) keep_power: bool,
    /// It is a friendly hour.
    pub(crate) friendly: bool,
    /// The present cause came up in a friendly hour and waits for its end.
    pub(crate) latched: bool,
    pub(crate) purchases: Vec<Purchase, PURCHASES>,
    pub(crate) refunds: u32,
    pub(crate) last_refund: Option<Refund>,
}

impl Purse {
    /// An empty purse without account: nothing trips before the first input is judged.
    pub fn new(limits: Limits) -> Self {
        Purse {
            limits,
            ..Purse::default()
        }
    }

    /// The exact balance; below zero is overdraft.
    pub fn balance(&self) -> Money {
        self.balance
    }

    /// Remaining amount in 0.01, cut towards zero (00900200).
    pub fn remaining_hundredths(&self) -> u64 {
        self.balance
            .max(Money::ZERO)
            .hundredths(Rounding::Trunc)
            .unsigned_abs()
    }

    /// Overdraft in 0.01, cut towards zero (00900201).
    pub fn overdraft_hundredths(&self) -> u64 {
        self.balance
            .min(Money::ZERO)
            .hundredths(Rounding::Trunc)
            .unsigned_abs()
    }

    /// Purchase count.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Sum of all purchases.
    pub fn cumulative(&self) -> Money {
        self.cumulative
    }

    /// Customer number of the last opening.
    pub fn customer(&self) -> Customer {
        self.customer
    }

    /// True between opening and closing of the account.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Why the relay is wanted open; with keep power the cause that is held back.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// True when the purse wants the relay open.
    pub fn wants_open(&self) -> bool {
        self.cause != Cause::None && !self.keep_power && !self.latched
    }

    /// True while friendly hours hold the present cause back.
    pub fn is_latched(&self) -> bool {
        self.latched
    }

    /// Alarm 1: remaining at or below its limit.
    pub fn alarm_1(&self) -> bool {
        self.balance <= self.limits.alarm_1
    }

    /// True when keep power is on.
    pub fn keep_power(&self) -> bool {
        self.keep_power
    }

    /// The last purchases, newest last.
    pub fn purchases(&self) -> &[Purchase] {
        &self.purchases
    }

    /// Takes the cost of energy.
    pub fn consume(&mut self, cost: Money) -> Change {
        self.changing(|purse| purse.balance = purse.balance - cost)
    }

    /// Opens the account with the customer number only.
    ///
    /// # Errors
    /// [`Refusal::Account`] when it is open.
    pub fn open(&mut self, customer: Customer) -> Result<Change, Refusal> {
        if self.is_open {
            return Err(Refusal::Account);
        }
        Ok(self.changing(|purse| {
            purse.is_open = true;
            purse.customer = customer;
        }))
    }

    /// Opens the account with a first purchase; the customer number becomes the account's.
    ///
    /// # Errors
    /// [`Refusal`]; the account stays closed.
    pub fn open_with(&mut self, order: Recharge, at_s: i64) -> Result<Answer, Refusal> {
        if self.is_open {
            // A repeat whose answer was lost finds the account open with its own count.
            return if order.customer == self.customer {
                self.repeated(order.count)
            } else {
                Err(Refusal::Account)
            };
        }
        if order.count == self.count {
            return Err(Refusal::Repeated);
        }
        self.accept(order, at_s)
    }

    /// Books a purchase. The same count again changes nothing.
    ///
    /// # Errors
    /// Checked in this order: account, customer, count, amount, hoarding limit.
    pub fn recharge(&mut self, order: Recharge, at_s: i64) -> Result<Answer, Refusal> {
        if !self.is_open {
            return Err(Refusal::Account);
        }
        if order.customer != self.customer {
            return Err(Refusal::Customer);
        }
        if order.count == self.count {
            return self.repeated(order.count);
        }
        self.accept(order, at_s)
    }

    fn repeated(&self, count: u32) -> Result<Answer, Refusal> {
        match self.purchases.last() {
            Some(last) if last.count == count => Ok(Answer::AlreadyDone(*last)),
            _ if count == self.count => Err(Refusal::Repeated),
            _ => Err(Refusal::Account),
        }
    }

    fn accept(&mut self, order: Recharge, at_s: i64) -> Result<Answer, Refusal> {
        let expected = self.count.checked_add(1).ok_or(Refusal::Amount)?;
        if order.count != expected {
            return Err(Refusal::Count {
                expected,
                found: order.count,
            });
        }
        if order.amount <= Money::ZERO {
            return Err(Refusal::Amount);
        }
        let before = self.balance;
        let after = before.checked_add(order.amount).ok_or(Refusal::Amount)?;
        let cumulative = self
            .cumulative
            .checked_add(order.amount)
            .ok_or(Refusal::Amount)?;
        if self.limits.hoard > Money::ZERO && after > self.limits.hoard {
            return Err(Refusal::Hoard);
        }
        let Recharge {
            customer,
            count,
            amount,
        } = order;
        let purchase = Purchase {
            count,
            at_s,
            amount,
            before,
            after,
            cumulative,
        };
        let change = self.changing(|purse| {
            purse.is_open = true;
            purse.customer = customer;
            purse.count = count;
            purse.balance = after;
            purse.cumulative = cumulative;
            if purse.purchases.is_full() {
                purse.purchases.remove(0);
            }
            // There is room: the oldest has just gone.
            let _ = purse.purchases.push(purchase);
            let shown = after.hundredths(Rounding::Trunc);
            let allow = purse.limits.close_allow.hundredths(Rounding::Trunc);
            if after > Money::ZERO {
                purse.acknowledged_0 = false;
                purse.acknowledged_2 = after <= purse.limits.alarm_2;
                if purse.cause != Cause::Locked || shown > allow {
                    purse.cause = Cause::None;
                }
            }
        });
        Ok(Answer::Done(purchase, change))
    }

    /// Gives money back, under the refund count. The same count again changes nothing.
    ///
    /// # Errors
    /// Checked in this order: account, customer, count, amount (at most the balance).
    pub fn refund(&mut self, order: Recharge, at_s: i64) -> Result<Answer<Refund>, Refusal> {
        let Recharge {
            customer,
            count,
            amount,
        } = order;
        if !self.is_open {
            return Err(Refusal::Account);
        }
        if customer != self.customer {
            return Err(Refusal::Customer);
        }
        if let Some(last) = self.last_refund.filter(|last| last.count == count) {
            return Ok(Answer::AlreadyDone(last));
        }
        let expected = self.refunds.checked_add(1).ok_or(Refusal::Amount)?;
        if count != expected {
            return Err(Refusal::Count {
                expected,
                found: count,
            });
        }
        if amount <= Money::ZERO || amount > self.balance {
            return Err(Refusal::Amount);
        }
        let before = self.balance;
        let refund = Refund {
            count,
            at_s,
            amount,
            before,
            after: before - amount,
        };
        let change = self.changing(|purse| {
            purse.balance = refund.after;
            purse.refunds = count;
            purse.last_refund = Some(refund);
        });
        Ok(Answer::Done(refund, change))
    }

    /// How many refunds there were.
    pub fn refunds(&self) -> u32 {
        self.refunds
    }

    /// The last refund.
    pub fn last_refund(&self) -> Option<Refund> {
        self.last_refund
    }

    /// Closes the account; count and balance stay, a later opening continues the count.
    ///
    /// # Errors
    /// [`Refusal::Account`] when it is not open.
    pub fn close(&mut self) -> Result<(), Refusal> {
        if !self.is_open {
            return Err(Refusal::Account);
        }
        self.is_open = false;
        Ok(())
    }

    /// Sets the balance and begins counts and records anew; only without an open account. A relay that
    /// is open stays open until key or recharge; a lock that the new balance no longer reaches becomes
    /// "zero".
    ///
    /// # Errors
    /// [`Refusal::Account`] when the account is open, [`Refusal::Amount`] below zero.
    pub fn initialise(&mut self, balance: Money) -> Result<Change, Refusal> {
        if self.is_open {
            return Err(Refusal::Account);
        }
        if balance < Money::ZERO {
            return Err(Refusal::Amount);
        }
        Ok(self.changing(|purse| {
            let cause = purse.cause;
            purse.forget();
            purse.balance = balance;
            purse.cause = cause.unlocked();
        }))
    }

    /// Empties the purse, or puts this much into it, and closes the account: what a change of fee
    /// control does. What held the relay open is forgotten.
    pub fn renew(&mut self, balance: Money) -> Change {
        self.changing(|purse| {
            purse.forget();
            purse.balance = balance;
        })
    }

    /// Limits, customer and what holds the relay closed stay.
    fn forget(&mut self) {
        *self = Purse {
            limits: self.limits,
            customer: self.customer,
            keep_power: self.keep_power,
            friendly: self.friendly,
            ..Purse::default()
        };
    }

    /// The key of the meter: closes after alarm 2, and after zero when there is an overdraft limit.
    /// `None` when there was nothing to close or the key may not.
    pub fn key(&mut self) -> Option<Change> {
        let may = match self.cause {
            Cause::Alarm2 => true,
            Cause::Zero => self.limits.overdraft > Money::ZERO,
            Cause::None | Cause::Locked => false,
        };
        if !may || self.keep_power {
            return None;
        }
        Some(self.changing(|purse| {
            purse.acknowledged_2 = true;
            purse.acknowledged_0 |= purse.cause == Cause::Zero;
            purse.cause = Cause::None;
        }))
    }

    /// Keep power on or off; off lets a held-back cause act at once. On finds no new cause: a purse
    /// that nothing was judged in yet shows none.
    pub fn set_keep_power(&mut self, on: bool) -> Change {
        self.telling(|purse| {
            purse.keep_power = on;
            if !on {
                purse.judge();
            }
        })
    }

    /// Friendly hours begin or end; the end lets a cause act that came up in them.
    pub fn set_friendly(&mut self, on: bool) -> Change {
        self.changing(|purse| purse.friendly = on)
    }

    /// Sets the limits. A lock whose overdraft limit is no longer reached becomes "zero": the relay
    /// stays open until key or recharge.
    pub fn set_limits(&mut self, limits: Limits) -> Change {
        self.changing(|purse| {
            let overdraft_changed = limits.overdraft != purse.limits.overdraft;
            purse.limits = limits;
            if overdraft_changed {
                purse.cause = purse.cause.unlocked();
            }
        })
    }

    /// Runs one input and works out the cause once: one input gives at most one relay action.
    fn changing(&mut self, input: impl FnOnce(&mut Self)) -> Change {
        self.telling(|purse| {
            input(purse);
            purse.judge();
        })
    }

    /// Raises the cause to what the balance calls for.
    fn judge(&mut self) {
        let limits = &self.limits;
        let due = if self.balance <= -limits.overdraft {
            Cause::Locked
        } else if self.balance <= Money::ZERO {
            if self.acknowledged_0 {
                Cause::None
            } else {
                Cause::Zero
            }
        } else if self.balance <= limits.alarm_2 && !self.acknowledged_2 {
            Cause::Alarm2
        } else {
            Cause::None
        };
        self.cause = self.cause.max(due);
    }

    /// Tells what an input changed for relay and lamp.
    fn telling(&mut self, input: impl FnOnce(&mut Self)) -> Change {
        let (open, alarm) = (self.wants_open(), self.alarm_1());
        input(self);
        self.latched = self.friendly && !open && self.cause != Cause::None;
        Change {
            relay_open: (self.wants_open() != open).then_some(!open),
            alarm_1: (self.alarm_1() != alarm).then_some(!alarm),
            cause: self.cause,
        }
    }
}
