//! Random sequences of 64 inputs of a whole prepaid meter against a plain slow model, with the power cut at every
//! write: the erase and the record, ahead of each, inside each.

mod plain;

use embedded_storage::nor_flash::NorFlash;
use plain::{Answered, Plain};
use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::Moment;
use tariff::freeze::Kind;
use tariff::friendly::{Friendly, FriendlyHours};
use tariff::machine::{Clock, Terms};
use tariff::meter::{Meter, Parameters, Reading};
use tariff::purse::{Answer, Limits, Recharge, Refusal};
use tariff::remote::Command;
use tariff::sets::Sets;
use tariff::tier::{Reset, Tier};
use tariff::{Machine, Money, Price, Tariff, stored};
use testkit::Rng;
use testkit::flash::{Cut, Flash};

type Prepaid = Meter<1, 2, 0, 0>;
const PAGE: usize = 1024;
type Store = Flash<PAGE, 4>;

/// Inputs of a sequence.
const INPUTS: usize = 64;
/// Sequences of every run, and of the long one.
const SEQUENCES: u64 = 10_000;
const MANY: u64 = 1_000_000;

const KINDS: [Kind; 6] = [
    Kind::Settlement,
    Kind::Trip,
    Kind::Close,
    Kind::Mode,
    Kind::Purchase,
    Kind::Refund,
];

/// The tables that the model has as numbers.
struct Tables {
    slots: [Slot; 2],
    prices: [Price; 2],
    tiers: [Tier; 3],
    friendly: [FriendlyHours; 2],
}

const ZONES: [Zone; 1] = [Zone {
    start: 101,
    table: 1,
}];

impl Tables {
    fn new() -> Self {
        Tables {
            slots: plain::SLOTS.map(|(start, rate)| Slot {
                table: 1,
                start,
                rate,
            }),
            prices: plain::PRICES.map(Price::from_ten_thousandths),
            tiers: plain::TIERS.map(|(up_to_wh, price)| Tier {
                up_to_wh,
                price: Price::from_ten_thousandths(price),
            }),
            friendly: plain::FRIENDLY.map(|(weekdays, from, until)| FriendlyHours {
                weekdays,
                from,
                until,
            }),
        }
    }

    fn parameters(&self) -> Parameters<'_> {
        let calendar = Calendar::try_new(&ZONES, &self.slots).unwrap();
        let reset = Reset::Monthly { day: 1, hour: 0 };
        let tariff = Tariff::try_new(calendar, &self.prices)
            .unwrap()
            .with_tiers(&self.tiers, reset)
            .unwrap();
        let sets = Sets::try_new(tariff, &ZONES, &self.slots, &self.prices, &self.tiers).unwrap();
        Parameters {
            terms: Terms {
                friendly: Friendly {
                    hours: &self.friendly,
                    holidays: false,
                },
                standing: Money::from_ten_millionths(plain::STANDING),
                ..Terms::default()
            },
            ..Parameters::of(sets)
        }
    }
}

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
struct Bench<'a> {
    p: Parameters<'a>,
    meter: Prepaid,
    plain: Plain,
    now: i64,
    total: u64,
    flash: Store,
    sequence: u32,
    cuts: u64,
}

impl<'a> Bench<'a> {
    fn new(p: Parameters<'a>, rng: &mut Rng) -> Self {
        let limits = limits(rng);
        let mut bench = Bench {
            p,
            meter: Meter::around(Machine::prepaid(limits)),
            plain: Plain::new(limits),
            // Somewhere in the last days of November 2026.
            now: 1_795_800_000 + rng.between(0, 3 * 86_400),
            total: rng.below(100_000),
            flash: Store::new(2, rng.next_u64()),
            sequence: 0,
            cuts: 0,
        };
        bench.advance();
        assert!(bench.save(&mut bench.flash.clone(), 0));
        for _ in 0..2 {
            bench.sequence += 1;
            let mut flash = bench.flash.clone();
            assert!(bench.save(&mut flash, bench.sequence));
            bench.flash = flash;
        }
        bench
    }

    fn advance(&mut self) {
        let reading = Reading {
            tenths: [self.total * 10],
            watts: None,
        };
        let _ = self
            .meter
            .advance(&self.p, Clock::good(moment(self.now)), &reading, |_| ());
        self.plain.advance(self.now, self.total);
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
    fn input(&mut self, rng: &mut Rng) {
        let (at, now) = (moment(self.now), self.now);
        let purse = self.meter.machine().purse();
        let (count, refunds) = (purse.count(), purse.refunds());
        let done = |result: Result<(), Refusal>| {
            result.map_or_else(Answered::Refused, |()| Answered::Done)
        };
        match rng.below(20) {
            0..=8 => {
                self.now += if rng.chance(800_000) {
                    rng.between(1, 9_000)
                } else {
                    rng.between(1, 200_000)
                };
                self.total += rng.below(9_000);
                self.advance();
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

    fn agree(&self) {
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
        assert_eq!(KINDS.map(|kind| self.meter.kept(kind)), plain.rows);
    }

    /// Writes the older of two places: one erase, one record.
    fn save(&self, flash: &mut Store, sequence: u32) -> bool {
        let mut record = [0xFF; PAGE];
        let length = stored::encode_meter(&self.meter, sequence, &mut record).unwrap();
        let at = (sequence as usize % 2 * PAGE) as u32;
        let words = record.get(..length.next_multiple_of(4)).unwrap();
        flash
            .erase(at, at + PAGE as u32)
            .and_then(|()| flash.write(at, words))
            .is_ok()
    }

    fn place(flash: &Store, sequence: u32) -> &[u8] {
        let from = sequence as usize % 2 * PAGE;
        &flash.bytes()[from..from + PAGE]
    }

    /// Stores the state with the power cut ahead of each write and inside it. The other place keeps the state before,
    /// to the byte; this one holds the state after or nothing.
    fn store(&mut self, rng: &mut Rng) {
        self.sequence += 1;
        let mut whole = self.flash.clone();
        assert!(self.save(&mut whole, self.sequence));
        let stored = stored::decode_meter::<1, 2, 0, 0>(Self::place(&whole, self.sequence));
        assert_eq!(stored.as_ref(), Ok(&(self.sequence, self.meter.clone())));
        let words = whole.steps() - self.flash.steps() - 1;
        let inside = 1 + rng.below(words);
        let cuts = [
            Cut::Before(0),
            Cut::Inside(0),
            Cut::Before(1),
            Cut::Before(inside),
            Cut::Inside(inside),
        ];
        for cut in cuts {
            let mut flash = self.flash.clone();
            flash.cut(cut);
            assert!(!self.save(&mut flash, self.sequence) && flash.is_lost());
            assert_eq!(
                Self::place(&flash, self.sequence - 1),
                Self::place(&self.flash, self.sequence - 1)
            );
            let found = stored::decode_meter::<1, 2, 0, 0>(Self::place(&flash, self.sequence));
            let older = |found: u32| found.wrapping_add(2) == self.sequence;
            // Ahead of the erase the place still holds the state before the last one; a last word torn to its very
            // value is the whole record.
            let sound = match &found {
                Err(_) => true,
                Ok((number, _)) if older(*number) => cut == Cut::Before(0) || cut == Cut::Inside(0),
                Ok(_) => found == stored,
            };
            assert!(sound, "{cut:?} left {found:?}");
            self.cuts += 1;
        }
        self.flash = whole;
    }
}

/// One sequence; how many cuts it tried.
fn sequence(seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    let tables = Tables::new();
    let mut bench = Bench::new(tables.parameters(), &mut rng);
    for _ in 0..INPUTS {
        let before = (bench.meter.clone(), bench.plain.clone());
        bench.input(&mut rng);
        bench.agree();
        if rng.chance(100_000) {
            // The power goes for good ahead of the write: both go on from before, the house did not stop.
            (bench.meter, bench.plain) = before;
        } else {
            bench.store(&mut rng);
        }
    }
    bench.cuts
}

/// Runs the sequences from `first` on over all cores.
fn run(first: u64, count: u64) {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let cuts: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|core| {
                scope.spawn(move || {
                    let mine = (first..first + count)
                        .skip(core as usize)
                        .step_by(cores as usize);
                    let mut cuts = 0;
                    for (done, seed) in mine.enumerate() {
                        let tried = std::panic::catch_unwind(|| sequence(seed));
                        cuts += tried.unwrap_or_else(|_| panic!("sequence {seed} does not agree"));
                        if core == 0 && done > 0 && done % 50_000 == 0 {
                            println!("{} sequences", done as u64 * cores);
                        }
                    }
                    cuts
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    println!("{count} sequences of {INPUTS} inputs, {cuts} power cuts");
    assert!(cuts > count * INPUTS as u64 * 4);
}

#[test]
fn ten_thousand_sequences_agree_with_a_plain_model() {
    run(0, SEQUENCES);
}

#[test]
#[ignore = "a million sequences take a while: `cargo xtask long`"]
fn a_million_sequences_agree_with_a_plain_model() {
    run(SEQUENCES, MANY);
}
