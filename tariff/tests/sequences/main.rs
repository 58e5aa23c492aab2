//! Random sequences of 64 inputs of a whole prepaid meter against a plain slow model, with the power cut at every
//! write: the erase and the record, ahead of each, inside each.

mod bench;
mod cuts;
mod plain;

use bench::Bench;
use tariff::calendar::{Calendar, Slot, Zone};
use tariff::friendly::{Friendly, FriendlyHours};
use tariff::machine::Terms;
use tariff::meter::Parameters;
use tariff::overload::PowerLimit;
use tariff::sets::Sets;
use tariff::tier::{Reset, Tier};
use tariff::{Money, Price, Tariff};
use testkit::Rng;

/// Inputs of a sequence.
const INPUTS: usize = 64;
/// Sequences of every run, and of the long one.
const SEQUENCES: u64 = 10_000;
const MANY: u64 = 1_000_000;

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

    fn parameters(&self, despite_keep_power: bool) -> Parameters<'_> {
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
                overload: Some(PowerLimit {
                    watts: plain::WATTS,
                    after_s: plain::AFTER_S as u32,
                    reclose_s: plain::RECLOSE_S as u32,
                    tries: plain::TRIES,
                    despite_keep_power,
                }),
                fallback_rate: plain::FALLBACK,
            },
            ..Parameters::of(sets)
        }
    }
}

/// One sequence; how many cuts it tried and how often the power was too much.
fn sequence(seed: u64) -> [u64; 2] {
    let mut rng = Rng::new(seed);
    let tables = Tables::new();
    let despite_keep_power = rng.chance(500_000);
    let mut bench = Bench::new(tables.parameters(despite_keep_power), &mut rng);
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
    [bench.cuts, bench.over]
}

/// Runs the sequences from `first` on over all cores.
fn run(first: u64, count: u64) {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let [cuts, over] = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|core| {
                scope.spawn(move || {
                    let mine = (first..first + count)
                        .skip(core as usize)
                        .step_by(cores as usize);
                    let mut sum = [0; 2];
                    for (done, seed) in mine.enumerate() {
                        let tried = std::panic::catch_unwind(|| sequence(seed));
                        let tried =
                            tried.unwrap_or_else(|_| panic!("sequence {seed} does not agree"));
                        sum = [sum[0] + tried[0], sum[1] + tried[1]];
                        if core == 0 && done > 0 && done % 50_000 == 0 {
                            println!("{} sequences", done as u64 * cores);
                        }
                    }
                    sum
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold([0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]])
    });
    println!("{count} sequences of {INPUTS} inputs, {cuts} power cuts, {over} over-power trips");
    assert!(cuts > count * INPUTS as u64 * 4 && over > count);
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
