//! The meter, the plain model of it, and random inputs to both.

use tariff::civil::Moment;
use tariff::freeze::Kind;
use tariff::machine::Clock;
use tariff::meter::{Meter, Parameters, Reading};
use tariff::purse::{Answer, Limits, Recharge, Refusal};
use tariff::remote::Command;
use tariff::{Machine, Money};
use testkit::Rng;

use crate::cuts::Store;
use crate::plain::{self, Answered, Plain};

pub type Prepaid = Meter<1, 2, 0, 0>;

const KINDS: [Kind; 6] = [
    Kind::Settlement,
    Kind::Trip,
    Kind::Close,
    Kind::Mode,
    Kind::Purchase,
    Kind::Refund,
];

fn moment(utc_s: i64) -> Moment {
    Moment {
        utc_s,
        offset_s: plain::OFFSET_S as i32,
    }
}

fn limits(rng: &mut Rng) -> Limits {
    let mut some = |most| {
        Money::from_hundredths(if rng.chance(250_000) {
            0
        } else {
            rng.between(0, most)
        })
    };
    let (a, b) = (some(2000), some(2000));
    Limits {
        alarm_1: a.max(b),
        alarm_2: a.min(b),
        overdraft: some(1500),
        hoard: some(90_000),
        close_allow: some(900),
    }
}

/// Meter, model, store, and the house that goes on while the meter has no power.
pub struct Bench<'a> {
    p: Parameters<'a>,
    pub meter: Prepaid,
    pub plain: Plain,
    now: i64,
    total: u64,
    /// The clock is to be trusted.
    good: bool,
    pub flash: Store,
    pub sequence: u32,
    pub cuts: u64,
    /// Over-power trips so far.
    pub over: u64,
}

impl<'a> Bench<'a> {
    pub fn new(p: Parameters<'a>, rng: &mut Rng) -> Self {
        let limits = limits(rng);
        let mut bench = Bench {
            p,
            meter: Meter::around(Machine::prepaid(limits)),
            plain: Plain::new(
                limits,
                p.terms
                    .overload
                    .is_some_and(|limit| limit.despite_keep_power),
            ),
            // Somewhere in the last days of November 2026.
            now: 1_795_800_000 + rng.between(0, 3 * 86_400),
            total: rng.below(100_000),
            good: true,
            flash: Store::new(2, rng.next_u64()),
            sequence: 0,
            cuts: 0,
            over: 0,
        };
        bench.advance(None);
        assert!(bench.save(&mut bench.flash.clone(), 0));
        for _ in 0..2 {
            bench.sequence += 1;
            let mut flash = bench.flash.clone();
            assert!(bench.save(&mut flash, bench.sequence));
            bench.flash = flash;
        }
        bench
    }

    fn advance(&mut self, watts: Option<u32>) {
        let reading = Reading {
            tenths: [self.total * 10],
            watts,
        };
        let now = Clock {
            at: moment(self.now),
            good: self.good,
        };
        let was = self.meter.machine().overload().is_tripped();
        let _ = self.meter.advance(&self.p, now, &reading, |_| ());
        self.over += u64::from(!was && self.meter.machine().overload().is_tripped());
        self.plain.advance(self.now, self.good, self.total, watts);
    }

    /// The clock is set by up to twenty days back and forty forward; the meter is told, and trusts it from now on.
    fn set_clock(&mut self, rng: &mut Rng) {
        self.advance(None);
        let before = self.now;
        self.now += match rng.below(4) {
            0 => rng.between(-600, 600),
            1 => rng.between(-3 * 86_400, 3 * 86_400),
            2 => rng.between(-20 * 86_400, 0),
            _ => rng.between(0, 40 * 86_400),
        };
        self.meter
            .set_clock(moment(before), moment(self.now), |_| ());
        self.plain.set_clock(before, self.now);
        self.good = true;
    }

    fn order(&self, rng: &mut Rng, count: u32, most: i64) -> Recharge {
        let customer = if rng.chance(100_000) { [9; 6] } else { [1; 6] };
        let count = (i64::from(count) + rng.between(-1, 2)).max(0) as u32;
        let amount = Money::from_hundredths(if rng.chance(50_000) {
            0
        } else {
            rng.between(1, most)
        });
        Recharge {
            customer,
            count,
            amount,
        }
    }

    /// One random input to both; both answer the same.
    pub fn input(&mut self, rng: &mut Rng) {
        let (at, now) = (moment(self.now), self.now);
        let purse = self.meter.machine().purse();
        let (count, refunds) = (purse.count(), purse.refunds());
        let done = |result: Result<(), Refusal>| {
            result.map_or_else(Answered::Refused, |()| Answered::Done)
        };
        match rng.below(23) {
            0..=8 => {
                self.now += if rng.chance(800_000) {
                    rng.between(1, 9_000)
                } else {
                    rng.between(1, 200_000)
                };
                self.total += rng.below(9_000);
                let watts = rng.pick(&[None, Some(plain::WATTS), Some(plain::WATTS + 1)]);
                self.advance(watts.copied().flatten());
            }
            20 => self.set_clock(rng),
            // The battery is lost, or the clock was right after all.
            21 => {
                self.good = !self.good && rng.chance(300_000);
                self.advance(None);
            }
            // Power above its limit for a while.
            22 => {
                for _ in 0..rng.below(4) {
                    self.now += rng.between(1, plain::AFTER_S);
                    self.total += rng.below(900);
                    self.advance(Some(plain::WATTS + 1));
                }
            }
            9..=11 => {
                let order = self.order(rng, count, 6_000);
                let opens = rng.chance(200_000);
                let got = self.meter.input(
                    at,
                    |_| (),
                    |machine| {
                        machine.purse_input(|purse| match opens {
                            true => purse.open_with(order, now),
                            false => purse.recharge(order, now),
                        })
                    },
                );
                let got = match got {
                    Ok((Answer::Done(purchase, _), _)) => {
                        assert_eq!(
                            (purchase.count, purchase.amount),
                            (order.count, order.amount)
                        );
                        assert_eq!(purchase.before + purchase.amount, purchase.after);
                        Answered::Done
                    }
                    Ok((Answer::AlreadyDone(purchase), _)) => {
                        assert_eq!(purchase.count, order.count);
                        Answered::AlreadyDone
                    }
                    Err(refusal) => Answered::Refused(refusal),
                };
                let expected = if opens {
                    self.plain.open_with(order)
                } else {
                    self.plain.recharge(order)
                };
                assert_eq!(got, expected, "{order:?}");
            }
            12 => {
                let order = self.order(rng, refunds, 900);
                let got = match self
                    .meter
                    .input(at, |_| (), |machine| machine.refund(order, now))
                {
                    Ok((Answer::Done(..), _)) => Answered::Done,
                    Ok((Answer::AlreadyDone(_), _)) => Answered::AlreadyDone,
                    Err(refusal) => Answered::Refused(refusal),
                };
                assert_eq!(got, self.plain.refund(order), "{order:?}");
            }
            13 | 14 => {
                self.meter.input(
                    at,
                    |_| (),
                    |machine| {
                        let _ = machine.key();
                    },
                );
                self.plain.key();
            }
            15 | 16 => {
                let delay_s = *rng.pick(&[0, 300, 5_000]).unwrap();
                let command = *rng
                    .pick(&[
                        Command::Trip { delay_s },
                        Command::TripFor {
                            open_s: delay_s,
                            by_key: delay_s == 300,
                        },
                        Command::AllowClose,
                        Command::Close,
                        Command::Alarm,
                        Command::AlarmOff,
                        Command::KeepPower,
                        Command::KeepPowerOff,
                    ])
                    .unwrap();
                let got =
                    self.meter
                        .input(at, |_| (), |machine| machine.command(command, now).is_ok());
                assert_eq!(got, self.plain.command(command, now), "{command:?}");
            }
            17 => {
                let limits = limits(rng);
                let got = self.meter.input(
                    at,
                    |_| (),
                    |machine| {
                        machine
                            .purse_input(|purse| Ok(purse.set_limits(limits)))
                            .map(|_| ())
                    },
                );
                assert_eq!(done(got), self.plain.set_limits(limits));
            }
            18 => {
                let opens = rng.chance(800_000);
                let got = self.meter.input(
                    at,
                    |_| (),
                    |machine| match opens {
                        true => machine.open_account([1; 6]).map(|_| ()),
                        false => machine.close_account(),
                    },
                );
                let expected = if opens {
                    self.plain.open_account([1; 6])
                } else {
                    self.plain.close_account()
                };
                assert_eq!(done(got), expected);
            }
            _ => {
                let to = (!self.plain.local || rng.chance(100_000)).then(|| rng.between(0, 3_000));
                let got = self.meter.input(
                    at,
                    |_| (),
                    |machine| match to {
                        Some(hundredths) => machine.to_local(Money::from_hundredths(hundredths)),
                        None => machine.to_remote(),
                    },
                );
                let expected = self
                    .plain
                    .change_mode(to.map(|hundredths| i128::from(hundredths) * 100_000));
                assert_eq!(done(got.map(|_| ())), expected);
            }
        }
    }

    pub fn agree(&self) {
        let (machine, plain) = (self.meter.machine(), &self.plain);
        let (purse, remote) = (machine.purse(), machine.remote());
        assert_eq!(
            i128::from(purse.balance().ten_millionths()),
            plain.balance()
        );
        assert_eq!(
            [1, 2].map(|rate| machine.register_wh(rate)),
            [1, 2].map(|rate| Some(plain.register(rate)))
        );
        assert_eq!(machine.tiers().wh, plain.tier_total());
        let bought = plain.purchases();
        let kept = purse
            .purchases()
            .iter()
            .map(|purchase| (purchase.count, purchase.amount.ten_millionths().into()));
        assert!(
            bought.ends_with(&kept.collect::<Vec<_>>())
                && purse.purchases().len() == bought.len().min(10)
        );
        assert_eq!(
            i128::from(purse.cumulative().ten_millionths()),
            bought.iter().map(|(_, amount)| amount).sum()
        );
        assert_eq!(purse.count(), bought.last().map_or(0, |(count, _)| *count));
        assert_eq!(purse.refunds(), plain.refunds());
        assert_eq!(
            (purse.is_open(), purse.customer()),
            (plain.open, plain.customer)
        );
        assert_eq!(
            (purse.cause(), purse.alarm_1()),
            (plain.cause, plain.alarm_1())
        );
        assert_eq!(
            (machine.is_prepaid(), machine.wants_open()),
            (plain.local, plain.wants_open())
        );
        let relay = (remote.wants_open(), remote.close_allowed(), remote.alarm());
        assert_eq!(relay, (plain.relay_open, plain.may_close, plain.lamp));
        assert_eq!(machine.overload().is_tripped(), plain.is_over());
        assert_eq!(machine.rate(), plain.rate);
        assert_eq!(KINDS.map(|kind| self.meter.kept(kind)), plain.rows);
    }
}
