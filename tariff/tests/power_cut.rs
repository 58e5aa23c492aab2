//! Random operations against a plain model, with the power cut at every write of some of them.

use embedded_storage::nor_flash::NorFlash;
use tariff::calendar::{Calendar, Slot, Zone};
use tariff::civil::Moment;
use tariff::purse::{Answer, Limits, Recharge};
use tariff::remote::Command;
use tariff::stored::{self, Unreadable};
use tariff::{Machine, Money, Price, Tariff};
use testkit::flash::Flash;
use testkit::{Rng, cut};

type Meter = Machine<4>;
type Store = Flash<1024, 4>;

const PAGE: usize = 1024;
const CUSTOMER: [u8; 6] = [1, 2, 3, 4, 5, 6];

const LIMITS: Limits = Limits {
    alarm_1: Money::from_hundredths(2000),
    alarm_2: Money::from_hundredths(1000),
    overdraft: Money::from_hundredths(500),
    hoard: Money::from_hundredths(50_000),
    close_allow: Money::from_hundredths(200),
};

/// Writes the older of the two places: what a shell does.
fn save(flash: &mut Store, meter: &Meter, place: usize, sequence: u32) -> bool {
    let mut record = [0xFF; PAGE];
    let length = stored::encode(meter, sequence, &mut record).unwrap();
    let at = (place * PAGE) as u32;
    let words = record.get(..length.next_multiple_of(4)).unwrap();
    flash
        .erase(at, at + PAGE as u32)
        .and_then(|()| flash.write(at, words))
        .is_ok()
}

fn load(flash: &Store) -> Option<stored::Newest<4>> {
    let (a, b) = flash.bytes().split_at(PAGE);
    stored::newest([a, b])
}

/// What a purse must hold, kept the plain way.
#[derive(Clone, Debug, Default)]
struct Model {
    balance: i128,
    bought: i128,
    count: u32,
}

impl Model {
    fn agrees(&self, meter: &Meter) {
        let purse = meter.purse();
        assert_eq!(i128::from(purse.balance().ten_millionths()), self.balance);
        assert_eq!(i128::from(purse.cumulative().ten_millionths()), self.bought);
        assert_eq!(purse.count(), self.count);
        let overdraft = i128::from(LIMITS.overdraft.ten_millionths());
        if self.balance <= -overdraft && !purse.keep_power() {
            assert!(
                meter.wants_open(),
                "supply goes on behind the overdraft limit"
            );
        }
        assert_eq!(purse.alarm_1(), purse.balance() <= LIMITS.alarm_1);
    }
}

/// One random operation on a meter and on its model.
fn operate(
    rng: &mut Rng,
    tariff: &Tariff<'_>,
    meter: &mut Meter,
    model: &mut Model,
    now: &mut (Moment, u64),
) {
    match rng.below(8) {
        0..=3 => {
            now.0 = now.0.plus(rng.between(1, 4000));
            let wh = rng.below(12_000);
            now.1 += wh;
            let effect = meter.advance(tariff, now.0, now.1, |_| ());
            assert_eq!(effect.wh, wh);
            model.balance -= i128::from(effect.cost.ten_millionths());
        }
        4 | 5 => {
            let count = model.count + rng.below(3) as u32;
            let amount = Money::from_hundredths(rng.between(1, 9_000));
            let order = Recharge {
                customer: CUSTOMER,
                count,
                amount,
            };
            match meter.recharge(order, now.0.utc_s) {
                Ok((Answer::Done(purchase, _), effect)) => {
                    assert_eq!((count, purchase.amount), (model.count + 1, amount));
                    model.count += 1;
                    model.balance += i128::from(amount.ten_millionths());
                    model.bought += i128::from(amount.ten_millionths());
                    if purchase.after > LIMITS.close_allow + Money::from_hundredths(1)
                        && !meter.remote().wants_open()
                    {
                        assert!(!meter.wants_open());
                        assert_ne!(effect.relay_open, Some(true));
                    }
                    // The same order again: the same answer and nothing else.
                    let before = meter.clone();
                    let again = meter.recharge(order, now.0.utc_s + 9);
                    assert!(matches!(again, Ok((Answer::AlreadyDone(p), _)) if p == purchase));
                    assert_eq!(*meter, before);
                }
                Ok((Answer::AlreadyDone(purchase), _)) => assert_eq!(purchase.count, count),
                Err(_) => {}
            }
        }
        6 => {
            let _ = meter.key();
        }
        _ => {
            let command = *rng
                .pick(&[
                    Command::Trip { delay_s: 0 },
                    Command::Trip { delay_s: 300 },
                    Command::AllowClose,
                    Command::Close,
                    Command::KeepPower,
                    Command::KeepPowerOff,
                ])
                .unwrap();
            let _ = meter.command(command, now.0.utc_s);
        }
    }
    model.agrees(meter);
}

fn story(seed: u64, operations: usize, cut_every: usize) -> u64 {
    let zones = [Zone {
        start: 101,
        table: 1,
    }];
    let slots = [
        Slot {
            table: 1,
            start: 480,
            rate: 1,
        },
        Slot {
            table: 1,
            start: 1320,
            rate: 2,
        },
    ];
    let prices = [5680, 2880].map(Price::from_ten_thousandths);
    let tariff = Tariff::try_new(Calendar::try_new(&zones, &slots).unwrap(), &prices).unwrap();
    let mut rng = Rng::new(seed);
    let mut model = Model::default();
    let mut now = (
        Moment {
            utc_s: 1_790_000_000,
            offset_s: 28_800,
        },
        5_000,
    );
    let mut meter = Meter::prepaid(LIMITS);
    let _ = meter.advance(&tariff, now.0, now.1, |_| ());
    let _ = meter.open_account(CUSTOMER).unwrap();
    let mut flash = Store::new(2, seed);
    assert!(save(&mut flash, &meter, 0, 1) && save(&mut flash, &meter, 1, 2));
    let mut steps = 0;
    for i in 0..operations {
        let before = meter.clone();
        operate(&mut rng, &tariff, &mut meter, &mut model, &mut now);
        let newest = load(&flash).unwrap();
        let (place, sequence) = (1 - newest.place, newest.sequence + 1);
        if i % cut_every == 0 {
            steps += cut::at_every_step(
                &flash,
                |flash| assert_eq!(save(flash, &meter, place, sequence), !flash.is_lost()),
                |flash, cut| {
                    let found = load(flash).expect("one copy is always good");
                    let whole = found.sequence == sequence;
                    assert_eq!(
                        found.machine,
                        if whole { meter.clone() } else { before.clone() }
                    );
                    assert!(whole || cut.is_some());
                },
            );
        }
        assert!(save(&mut flash, &meter, place, sequence));
        assert_eq!(load(&flash).unwrap().machine, meter);
    }
    steps
}

#[test]
fn random_operations_agree_with_a_plain_model() {
    for seed in 0..60 {
        story(seed, 64, usize::MAX);
    }
}

#[test]
fn a_power_cut_leaves_the_state_before_or_after() {
    let steps: u64 = (100..102).map(|seed| story(seed, 24, 2)).sum();
    assert!(steps > 500);
}

#[test]
fn every_spoilt_byte_is_found() {
    let mut record = [0; PAGE];
    let length = stored::encode(&Meter::prepaid(LIMITS), 7, &mut record).unwrap();
    assert!(length <= stored::longest(4));
    let (sequence, meter) = stored::decode::<4>(&record).unwrap();
    assert_eq!((sequence, meter), (7, Meter::prepaid(LIMITS)));
    for i in 0..length {
        record[i] ^= 0x10;
        assert_eq!(stored::decode::<4>(&record), Err(Unreadable::Torn));
        record[i] ^= 0x10;
        assert_eq!(stored::decode::<4>(&record[..i]), Err(Unreadable::Torn));
    }
    assert_eq!(
        stored::decode::<2>(&record),
        Err(Unreadable::Rates { found: 4 })
    );
    assert!(stored::newest::<4>([&[], &[0xFF; 64]]).is_none());
    assert!(
        (0..length).all(|n| stored::encode(&Meter::prepaid(LIMITS), 7, &mut vec![0; n]).is_err())
    );
}

/// A purse with everything set, as the first release wrote it: later releases read it.
#[test]
fn the_first_layout_stays_readable() {
    let golden = include_str!("../../vectors/tariff/state-v1.hex");
    let lines = golden.lines().filter(|line| !line.starts_with('#'));
    let bytes = testkit::cases::hex(&lines.collect::<String>());
    let (sequence, meter) = stored::decode::<4>(&bytes).unwrap();
    assert_eq!((sequence, &meter), (42, &golden_meter()));
    // Written again it has the present layout and the same content.
    let mut record = [0; PAGE];
    let length = stored::encode(&meter, sequence, &mut record).unwrap();
    assert_eq!(record[0], stored::VERSION);
    assert_eq!(
        stored::decode::<4>(&record[..length]),
        Ok((sequence, meter))
    );
}

fn golden_meter() -> Meter {
    let zones = [Zone {
        start: 101,
        table: 1,
    }];
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 2,
    }];
    let prices = [5680, 2880].map(Price::from_ten_thousandths);
    let tariff = Tariff::try_new(Calendar::try_new(&zones, &slots).unwrap(), &prices).unwrap();
    let mut meter = Meter::prepaid(LIMITS);
    let start = Moment {
        utc_s: 1_790_000_000,
        offset_s: 28_800,
    };
    let _ = meter.advance(&tariff, start, 5_000, |_| ());
    let _ = meter.open_account(CUSTOMER).unwrap();
    for count in 1..=2 {
        let amount = Money::from_hundredths(1_550);
        let order = Recharge {
            customer: CUSTOMER,
            count,
            amount,
        };
        let _ = meter
            .recharge(order, start.utc_s + i64::from(count))
            .unwrap();
    }
    let _ = meter.advance(&tariff, start.plus(3600), 25_123, |_| ());
    let _ = meter
        .command(Command::Trip { delay_s: 300 }, start.utc_s + 3600)
        .unwrap();
    meter
}
