//! A prepaid meter the plain way: what happened is kept as a list, and every sum is taken from the list anew. Written
//! from the rules of `docs/tariff.md`, not from the code.

mod clock;
mod tables;

use clock::Over;
use tables::in_tiers;
pub use tables::{
    AFTER_S, FALLBACK, FRIENDLY, OFFSET_S, PRICES, RECLOSE_S, SLOTS, STANDING, TIERS, TRIES, WATTS,
};
use tariff::purse::{Cause, Customer, Limits, Recharge, Refusal};
use tariff::remote::Command;

/// Something that changed a sum.
#[derive(Clone, Debug)]
enum Entry {
    /// Watt hours of a rate in a month; charged under local fee control only.
    Used {
        rate: u8,
        month: i64,
        wh: u64,
        charged: bool,
    },
    /// A standing charge.
    Standing(i128),
    Bought {
        count: u32,
        amount: i128,
    },
    Repaid {
        count: u32,
        amount: i128,
    },
    /// The purse began anew with this much.
    Began(i128),
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    Done,
    AlreadyDone,
    Refused(Refusal),
}

/// The meter.
#[derive(Clone, Debug)]
pub struct Plain {
    list: Vec<Entry>,
    pub limits: Limits,
    pub local: bool,
    pub open: bool,
    pub customer: Customer,
    pub cause: Cause,
    seen_alarm_2: bool,
    seen_zero: bool,
    keep: bool,
    friendly: bool,
    purse_open: bool,
    pub relay_open: bool,
    pub may_close: bool,
    pub lamp: bool,
    trip_at: Option<i64>,
    back: Option<(i64, bool)>,
    /// Time and total of the last reading.
    last: Option<(i64, u64)>,
    /// The rate in force since the last reading.
    pub rate: u8,
    /// The last reading came with a clock to be trusted.
    good: bool,
    /// The tier period: the latest month of such a clock.
    period: i64,
    /// The latest instant of such a clock.
    seen: Option<i64>,
    over: Over,
    /// Day up to which standing charges were taken.
    standing_day: Option<i64>,
    /// Rows kept: settlements, trips, closings, changes of mode, purchases, refunds.
    pub rows: [u32; 6],
}

impl Plain {
    pub fn new(limits: Limits, despite_keep_power: bool) -> Self {
        Plain {
            list: Vec::new(),
            limits,
            local: true,
            open: false,
            customer: [0; 6],
            cause: Cause::None,
            seen_alarm_2: false,
            seen_zero: false,
            keep: false,
            friendly: false,
            purse_open: false,
            relay_open: false,
            may_close: false,
            lamp: false,
            trip_at: None,
            back: None,
            last: None,
            rate: 1,
            good: true,
            period: 0,
            seen: None,
            over: Over::new(despite_keep_power),
            standing_day: None,
            rows: [0; 6],
        }
    }

    /// The entries since the purse began last.
    fn purse(&self) -> &[Entry] {
        let began = self
            .list
            .iter()
            .rposition(|entry| matches!(entry, Entry::Began(_)));
        &self.list[began.unwrap_or(0)..]
    }

    /// Watt hours of the month up to an entry.
    fn month_total(&self, month: i64, until: usize) -> u64 {
        let used = self.list[..until].iter().map(|entry| match entry {
            Entry::Used { month: of, wh, .. } if *of == month => *wh,
            _ => 0,
        });
        used.sum()
    }

    pub fn balance(&self) -> i128 {
        let first = self.list.len() - self.purse().len();
        let amounts = (first..self.list.len()).map(|place| match &self.list[place] {
            Entry::Used { charged: false, .. } => 0,
            Entry::Used {
                rate, month, wh, ..
            } => {
                let before = self.month_total(*month, place);
                let price = i128::from(PRICES[usize::from(*rate) - 1]);
                -(i128::from(*wh) * price + in_tiers(before + wh) - in_tiers(before))
            }
            Entry::Standing(amount) | Entry::Repaid { amount, .. } => -amount,
            Entry::Bought { amount, .. } | Entry::Began(amount) => *amount,
        });
        amounts.sum()
    }

    /// Watt hours of a rate.
    pub fn register(&self, wanted: u8) -> u64 {
        let used = self.list.iter().map(|entry| match entry {
            Entry::Used { rate, wh, .. } if *rate == wanted => *wh,
            _ => 0,
        });
        used.sum()
    }

    /// Watt hours of the tier period.
    pub fn tier_total(&self) -> u64 {
        self.month_total(self.period, self.list.len())
    }

    /// Count and amount of every purchase since the purse began.
    pub fn purchases(&self) -> Vec<(u32, i128)> {
        let bought = self.purse().iter().filter_map(|entry| match entry {
            Entry::Bought { count, amount } => Some((*count, *amount)),
            _ => None,
        });
        bought.collect()
    }

    pub fn refunds(&self) -> u32 {
        let mut repaid = self.purse().iter().filter_map(|entry| match entry {
            Entry::Repaid { count, .. } => Some(*count),
            _ => None,
        });
        repaid.next_back().unwrap_or(0)
    }

    fn count(&self) -> u32 {
        self.purchases().last().map_or(0, |(count, _)| *count)
    }

    pub fn wants_open(&self) -> bool {
        self.over.wants_open(self.keep) || self.relay_open || self.local && self.purse_open
    }

    fn limit(money: tariff::Money) -> i128 {
        money.ten_millionths().into()
    }

    pub fn alarm_1(&self) -> bool {
        self.balance() <= Self::limit(self.limits.alarm_1)
    }

    /// The table of causes, after every input.
    fn judge(&mut self) {
        let balance = self.balance();
        let due = if balance <= -Self::limit(self.limits.overdraft) {
            Cause::Locked
        } else if balance <= 0 && !self.seen_zero {
            Cause::Zero
        } else if balance > 0 && balance <= Self::limit(self.limits.alarm_2) && !self.seen_alarm_2 {
            Cause::Alarm2
        } else {
            Cause::None
        };
        if due > self.cause {
            self.cause = due;
        }
        // In a friendly hour nothing opens that is closed.
        self.purse_open =
            self.cause != Cause::None && !self.keep && (self.purse_open || !self.friendly);
    }

    /// Does an input and keeps the rows of the relay.
    fn input<T>(&mut self, input: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.wants_open();
        let answer = input(self);
        match (before, self.wants_open()) {
            (false, true) => self.rows[1] += 1,
            (true, false) => self.rows[2] += 1,
            _ => {}
        }
        answer
    }

    fn buy(&mut self, order: Recharge) -> Answered {
        let count = self.count();
        let amount = Self::limit(order.amount);
        let hoard = Self::limit(self.limits.hoard);
        if order.count != count + 1 {
            return Answered::Refused(Refusal::Count {
                expected: count + 1,
                found: order.count,
            });
        }
        if amount <= 0 {
            return Answered::Refused(Refusal::Amount);
        }
        if hoard > 0 && self.balance() + amount > hoard {
            return Answered::Refused(Refusal::Hoard);
        }
        self.open = true;
        self.customer = order.customer;
        self.list.push(Entry::Bought {
            count: order.count,
            amount,
        });
        let after = self.balance();
        if after > 0 {
            self.seen_zero = false;
            self.seen_alarm_2 = after <= Self::limit(self.limits.alarm_2);
            let cut = |amount: i128| amount / 100_000;
            if self.cause != Cause::Locked || cut(after) > cut(Self::limit(self.limits.close_allow))
            {
                self.cause = Cause::None;
            }
        }
        self.judge();
        self.rows[4] += 1;
        Answered::Done
    }

    /// A count that was used: the purchase is told again while it is the last one.
    fn again(&self, count: u32) -> Answered {
        match self.purchases().last() {
            Some((last, _)) if *last == count => Answered::AlreadyDone,
            _ if count == self.count() => Answered::Refused(Refusal::Repeated),
            _ => Answered::Refused(Refusal::Account),
        }
    }

    pub fn recharge(&mut self, order: Recharge) -> Answered {
        self.input(|meter| match order {
            _ if !meter.local || !meter.open => Answered::Refused(Refusal::Account),
            _ if order.customer != meter.customer => Answered::Refused(Refusal::Customer),
            _ if order.count == meter.count() => meter.again(order.count),
            _ => meter.buy(order),
        })
    }

    pub fn open_with(&mut self, order: Recharge) -> Answered {
        self.input(|meter| match order {
            _ if !meter.local => Answered::Refused(Refusal::Account),
            _ if meter.open && order.customer != meter.customer => {
                Answered::Refused(Refusal::Account)
            }
            _ if meter.open => meter.again(order.count),
            _ if order.count == meter.count() => Answered::Refused(Refusal::Repeated),
            _ => meter.buy(order),
        })
    }

    pub fn refund(&mut self, order: Recharge) -> Answered {
        self.input(|meter| {
            let amount = Self::limit(order.amount);
            let count = meter.refunds();
            if !meter.local || !meter.open {
                return Answered::Refused(Refusal::Account);
            }
            if order.customer != meter.customer {
                return Answered::Refused(Refusal::Customer);
            }
            if order.count == count && count > 0 {
                return Answered::AlreadyDone;
            }
            if order.count != count + 1 {
                return Answered::Refused(Refusal::Count {
                    expected: count + 1,
                    found: order.count,
                });
            }
            if amount <= 0 || amount > meter.balance() {
                return Answered::Refused(Refusal::Amount);
            }
            meter.list.push(Entry::Repaid {
                count: order.count,
                amount,
            });
            meter.judge();
            meter.rows[5] += 1;
            Answered::Done
        })
    }

    pub fn open_account(&mut self, customer: Customer) -> Answered {
        self.input(|meter| {
            if meter.open {
                return Answered::Refused(Refusal::Account);
            }
            (meter.open, meter.customer) = (true, customer);
            meter.judge();
            Answered::Done
        })
    }

    pub fn close_account(&mut self) -> Answered {
        match std::mem::replace(&mut self.open, false) {
            true => Answered::Done,
            false => Answered::Refused(Refusal::Account),
        }
    }

    /// Purse and account begin anew; limits, customer and keep power stay.
    fn begin(&mut self, balance: i128) {
        self.list.push(Entry::Began(balance));
        (self.open, self.cause) = (false, Cause::None);
        (self.seen_alarm_2, self.seen_zero) = (false, false);
        self.judge();
    }

    /// To local fee control with so much, or to remote.
    pub fn change_mode(&mut self, to: Option<i128>) -> Answered {
        self.input(|meter| {
            if meter.local == to.is_some() {
                return Answered::Refused(Refusal::Account);
            }
            meter.begin(0);
            if let Some(balance) = to {
                meter.begin(balance);
                meter.standing_day = None;
            }
            meter.local = to.is_some();
            meter.rows[3] += 1;
            Answered::Done
        })
    }

    pub fn set_limits(&mut self, limits: Limits) -> Answered {
        self.input(|meter| {
            if !meter.local {
                return Answered::Refused(Refusal::Account);
            }
            if limits.overdraft != meter.limits.overdraft && meter.cause == Cause::Locked {
                meter.cause = Cause::Zero;
            }
            meter.limits = limits;
            meter.judge();
            Answered::Done
        })
    }

    /// True when the command is obeyed.
    pub fn command(&mut self, command: Command, now: i64) -> bool {
        self.input(|meter| {
            let trips = matches!(command, Command::Trip { .. } | Command::TripFor { .. });
            if trips && meter.keep {
                return false;
            }
            if !matches!(
                command,
                Command::Alarm | Command::AlarmOff | Command::KeepPowerOff
            ) {
                (meter.trip_at, meter.back) = (None, None);
            }
            let keep = meter.keep;
            match command {
                Command::Trip { delay_s } => {
                    meter.may_close = false;
                    meter.trip_at = (!meter.relay_open).then(|| now + i64::from(delay_s));
                }
                Command::TripFor { open_s, by_key } => {
                    (meter.relay_open, meter.may_close) = (true, false);
                    meter.back = Some((now + i64::from(open_s), by_key));
                }
                Command::AllowClose => meter.may_close = meter.relay_open,
                Command::Close | Command::KeepPower => {
                    (meter.relay_open, meter.may_close) = (false, false);
                    meter.keep |= command == Command::KeepPower;
                }
                Command::KeepPowerOff => meter.keep = false,
                Command::Alarm => meter.lamp = true,
                Command::AlarmOff => meter.lamp = false,
                other => panic!("{other:?} has no rule here"),
            }
            if command == Command::Close {
                meter.over.release(now);
            }
            meter.delays(now);
            if keep != meter.keep {
                meter.judge();
            }
            true
        })
    }

    pub fn key(&mut self) {
        self.input(|meter| {
            if meter.relay_open && meter.may_close {
                (meter.relay_open, meter.may_close) = (false, false);
            }
            let may = match meter.cause {
                Cause::Alarm2 => true,
                Cause::Zero => meter.limits.overdraft > tariff::Money::ZERO,
                Cause::None | Cause::Locked => false,
            };
            if may && !meter.keep {
                meter.seen_alarm_2 = true;
                meter.seen_zero |= meter.cause == Cause::Zero;
                meter.cause = Cause::None;
                meter.judge();
            }
            meter.over.release(meter.last.map_or(0, |(then, _)| then));
        });
    }
}
