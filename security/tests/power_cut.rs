//! Power goes at every store: no number twice, no effect twice, every order answered in the end.

use std::collections::{BTreeMap, BTreeSet};

use security::counter::SendCounter;
use security::envelope::{Class, Direction};
use security::gate::{Conditions, OrderGate, PurseConditions, STATE_LEN, Verdict};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::link::{Opener, Sealer};
use security::order::{
    Kind, Moment, Order, OrderAck, Outcome, PurseState, Recharge, RelayFeedback,
};
use security::suite::Suite;
use testkit::{Rng, rounds, stride};

const SUITE: Suite = Suite::Ccm16;
const ORDERS: u64 = 4;

/// Power is gone.
struct Dark;

/// Whether purse and gate are stored apart or in one record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Records {
    Apart,
    One,
}

/// Where in a store power goes.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Before,
    After,
}

/// What survives a power cut, with a fuse that blows at one store.
struct Flash {
    gate: [u8; STATE_LEN],
    limit: u64,
    balance: i64,
    count: u32,
    stores: usize,
    blows: BTreeMap<usize, Cut>,
}

impl Flash {
    fn store(&mut self, write: impl FnOnce(&mut Self)) -> Result<(), Dark> {
        self.stores += 1;
        match self.blows.get(&self.stores) {
            Some(Cut::Before) => Err(Dark),
            Some(Cut::After) => {
                write(self);
                Err(Dark)
            }
            None => {
                write(self);
                Ok(())
            }
        }
    }
}

fn key() -> DeviceKey {
    let tree = KeyTree::from_root(&Secret::new([3; 16]), *b"network1", 1);
    tree.device_key(
        DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]),
        Purpose::Purse,
        1,
    )
}

fn conditions(flash: &Flash) -> Conditions {
    Conditions {
        port_allows: true,
        session_young: true,
        now: Moment::try_new(26, 11, 21, 12, 0, 0),
        hold_power: false,
        purse: Some(PurseConditions {
            state: PurseState {
                balance: flash.balance,
                count: flash.count,
            },
            refunds: 0,
            customer: None,
            max_amount: 10_000,
            hoarding_limit: 1_000_000,
        }),
    }
}

/// The device from boot until the envelope is answered or power goes.
fn device(
    flash: &mut Flash,
    block: u32,
    records: Records,
    mut envelope: Vec<u8>,
    log: &mut Vec<u64>,
) -> Result<Vec<u8>, Dark> {
    let key = key();
    let mut gate = OrderGate::restore(&key, SUITE, &flash.gate).unwrap();
    let counter = SendCounter::boot(flash.limit, block);
    let mut sealer = Sealer::new(&key, Direction::FromDevice, SUITE, counter);

    let answer = match gate.judge(
        b"",
        &mut envelope,
        &conditions(flash),
        RelayFeedback::Unknown,
    ) {
        Verdict::New(pending) => {
            let paid = *pending.order().unwrap().recharge().unwrap();
            let after = PurseState {
                balance: flash.balance + i64::from(paid.amount),
                count: paid.count,
            };
            let pay =
                |flash: &mut Flash| (flash.balance, flash.count) = (after.balance, after.count);
            if records == Records::One {
                let state = pending.state_when_done(RelayFeedback::Closed, Some(after));
                flash.store(|flash| {
                    flash.gate = state;
                    pay(flash);
                })?;
                let verified = pending.stored().unwrap();
                log.push(verified.get().number());
                let answer =
                    gate.finish(verified, Outcome::Done, RelayFeedback::Closed, Some(after));
                assert_eq!(gate.state(), state);
                answer
            } else {
                let state = pending.state();
                flash.store(|flash| flash.gate = state)?;
                let verified = pending.stored().unwrap();
                log.push(verified.get().number());
                flash.store(pay)?;
                let answer =
                    gate.finish(verified, Outcome::Done, RelayFeedback::Closed, Some(after));
                let state = gate.state();
                flash.store(|flash| flash.gate = state)?;
                answer
            }
        }
        Verdict::Repeated(answer) => answer,
        Verdict::Refused(answer) => {
            let state = gate.state();
            flash.store(|flash| flash.gate = state)?;
            answer
        }
        Verdict::Dropped(refusal) => panic!("{refusal}"),
    };
    if let Some(reservation) = sealer.reservation() {
        let limit = reservation.limit();
        flash.store(|flash| flash.limit = limit)?;
        reservation.confirm();
    }
    let mut buf = [0; 80];
    let plain = answer.encode();
    Ok(sealer
        .seal_from(
            Class::Acknowledge,
            b"",
            &plain[..answer.encoded_len()],
            &mut buf,
        )
        .unwrap()
        .to_vec())
}

/// Sells credit until each sale is confirmed, while power goes at the given stores. Returns how many
/// stores there were.
fn sell(block: u32, records: Records, blows: BTreeMap<usize, Cut>) -> usize {
    let key = key();
    let fresh = OrderGate::new(&key, SUITE).state();
    let mut flash = Flash {
        gate: fresh,
        limit: 0,
        balance: 0,
        count: 0,
        stores: 0,
        blows,
    };
    let mut head = Sealer::new(&key, Direction::ToDevice, SUITE, SendCounter::session());
    let mut answers = Opener::new(&key, Direction::FromDevice, SUITE);
    let (mut started, mut heard) = (Vec::new(), BTreeSet::new());
    let (mut number, mut sales) = (0, 0);
    let deadline = Moment::try_new(26, 11, 21, 13, 0, 0).unwrap();

    while sales < ORDERS {
        number += 1;
        let paid = Recharge {
            amount: 100,
            count: sales as u32 + 1,
            customer: [0; 6],
        };
        let order = Order::try_purse(Kind::Recharge, deadline, number, [1; 4], paid).unwrap();
        let answer = loop {
            let mut buf = [0; 80];
            let plain = order.encode();
            let envelope = head
                .seal_from(Class::Command, b"", &plain, &mut buf)
                .unwrap()
                .to_vec();
            let Ok(mut sealed) = device(&mut flash, block, records, envelope, &mut started) else {
                continue;
            };
            let opened = answers
                .open(b"", &mut sealed)
                .expect("a number was used twice");
            assert!(heard.insert(opened.header.counter));
            break OrderAck::parse(opened.plain).unwrap();
        };
        assert_eq!(answer.number, number);
        match answer.outcome {
            Outcome::Done => {
                sales += 1;
                assert_eq!(answer.purse.unwrap().count, sales as u32);
            }
            // Not known: the purchase count of the next try tells.
            Outcome::Interrupted => assert_eq!(records, Records::Apart),
            Outcome::Refused(refusal) => {
                assert_eq!(records, Records::Apart);
                assert_eq!(refusal, security::gate::Refusal::RechargeRepeated);
                sales += 1;
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(flash.balance, i64::from(flash.count) * 100);
    }
    assert_eq!(u64::from(flash.count), ORDERS);
    assert_eq!(flash.balance, ORDERS as i64 * 100);
    // No order was handed to the purse twice.
    assert_eq!(started.len(), started.iter().collect::<BTreeSet<_>>().len());
    flash.stores
}

#[test]
fn one_cut_at_every_store() {
    for records in [Records::Apart, Records::One] {
        for block in [1, 2, 256].into_iter().step_by(stride(3)) {
            let stores = sell(block, records, BTreeMap::new());
            for at in (1..=stores + 4).step_by(stride(6)) {
                for cut in [Cut::Before, Cut::After] {
                    sell(block, records, BTreeMap::from([(at, cut)]));
                }
            }
        }
    }
}

#[test]
fn two_cuts_at_every_pair_of_stores() {
    const CUTS: [[Cut; 2]; 4] = [
        [Cut::Before; 2],
        [Cut::After; 2],
        [Cut::After, Cut::Before],
        [Cut::Before, Cut::After],
    ];
    for records in [Records::Apart, Records::One] {
        let stores = sell(256, records, BTreeMap::new());
        for first in (1..=stores).step_by(stride(7)) {
            for second in (first + 1..=stores + 2).step_by(stride(9)) {
                for cuts in CUTS {
                    sell(
                        256,
                        records,
                        BTreeMap::from([(first, cuts[0]), (second, cuts[1])]),
                    );
                }
            }
        }
    }
}

#[test]
fn random_schedules_of_cuts() {
    for seed in 0..rounds(400, 2) {
        let mut rng = Rng::new(seed);
        let records = if rng.chance(500_000) {
            Records::Apart
        } else {
            Records::One
        };
        let block = [1, 2, 5, 256][rng.below(4) as usize];
        let blows = (0..rng.below(12)).map(|_| {
            let cut = if rng.chance(500_000) {
                Cut::Before
            } else {
                Cut::After
            };
            (1 + rng.below(40) as usize, cut)
        });
        let blows = blows.collect();
        sell(block, records, blows);
    }
}

/// Somebody keeps a copy of a flash and puts it back later: what its owner sends then was sent before, and a receiver
/// that went on opens none of it until new numbers come.
#[test]
fn a_sender_put_back_to_an_older_flash_is_refused() {
    const BLOCK: u32 = 8;
    let key = key();
    let boot = |limit| {
        let counter = SendCounter::boot(limit, BLOCK);
        Sealer::new(&key, Direction::FromDevice, SUITE, counter)
    };
    let send = |sealer: &mut Sealer, limit: &mut u64, class| {
        if let Some(reservation) = sealer.reservation() {
            *limit = reservation.limit();
            reservation.confirm();
        }
        let mut buf = [0; 64];
        sealer
            .seal_from(class, b"", b"x", &mut buf)
            .unwrap()
            .to_vec()
    };
    for class in [Class::Data, Class::Key] {
        let mut receiver = Opener::new(&key, Direction::FromDevice, SUITE);
        let (mut limit, kept) = (0, 0);
        let mut sender = boot(limit);
        for _ in 0..20 {
            let mut message = send(&mut sender, &mut limit, class);
            assert!(receiver.open(b"", &mut message).is_ok());
        }
        let mut limit = kept;
        let mut sender = boot(limit);
        for number in 1..=25_u64 {
            let mut message = send(&mut sender, &mut limit, class);
            let opened = receiver.open(b"", &mut message).is_ok();
            assert_eq!(opened, number > 20, "{class:?} {number}");
        }
    }
}

/// A device put back to an older flash has forgotten an order; recorded, it is refused once its deadline is past. Until
/// then only a number store that cannot be put back would tell.
#[test]
fn an_order_recorded_for_a_forgetful_device_ends_with_its_deadline() {
    let key = key();
    let kept = OrderGate::new(&key, SUITE).state();
    let mut head = Sealer::new(&key, Direction::ToDevice, SUITE, SendCounter::session());
    let paid = Recharge {
        amount: 100,
        count: 1,
        customer: [0; 6],
    };
    let deadline = Moment::try_new(26, 11, 21, 12, 0, 0).unwrap();
    let order = Order::try_purse(Kind::Recharge, deadline, 1, [1; 4], paid).unwrap();
    let mut buf = [0; 80];
    let recorded = head
        .seal_from(Class::Command, b"", &order.encode(), &mut buf)
        .unwrap()
        .to_vec();
    let flash = Flash {
        gate: kept,
        limit: 0,
        balance: 0,
        count: 0,
        stores: 0,
        blows: BTreeMap::new(),
    };
    for (second, passes) in [(0, true), (1, false)] {
        let mut gate = OrderGate::restore(&key, SUITE, &kept).unwrap();
        let conditions = Conditions {
            now: Moment::try_new(26, 11, 21, 12, 0, second),
            ..conditions(&flash)
        };
        let mut envelope = recorded.clone();
        let verdict = gate.judge(b"", &mut envelope, &conditions, RelayFeedback::Unknown);
        assert_eq!(matches!(verdict, Verdict::New(_)), passes);
        assert_eq!(matches!(verdict, Verdict::Refused(_)), !passes);
    }
}

/// Numbers of one key over restarts. Power goes at the stores that `cut` names, before or after the write. Returns how
/// many stores there were.
fn count_up(block: u32, messages: usize, mut cut: impl FnMut(usize) -> Option<Cut>) -> usize {
    let (mut stored, mut stores, mut used) = (0, 0, BTreeSet::new());
    let mut counter = SendCounter::boot(stored, block);
    while used.len() < messages {
        if let Some(reservation) = counter.reservation() {
            let dark = cut(stores);
            stores += 1;
            if dark != Some(Cut::Before) {
                stored = reservation.limit();
            }
            if dark.is_some() {
                counter = SendCounter::boot(stored, block);
                continue;
            }
            reservation.confirm();
        }
        assert!(used.insert(counter.take().unwrap().value()));
    }
    stores
}

#[test]
fn the_counter_never_repeats_a_number() {
    for block in [1, 3, 256] {
        for cut_at in 0..12 {
            for cut in [Cut::Before, Cut::After] {
                count_up(block, 20, |store| (store == cut_at).then_some(cut));
            }
        }
    }
}

/// As long as the limit is written before each number of a new block, any schedule of cuts only skips numbers.
#[test]
fn the_counter_over_random_schedules() {
    let mut cuts = 0_u64;
    for seed in 0..rounds(100_000, 100) {
        let mut rng = Rng::new(seed);
        let block = [1, 2, 5, 16][rng.below(4) as usize];
        let chance = rng.below(700_000) as u32;
        count_up(block, 30, |_| {
            rng.chance(chance).then(|| {
                cuts += 1;
                [Cut::Before, Cut::After][rng.below(2) as usize]
            })
        });
    }
    assert!(cuts > 2 * rounds(100_000, 100), "{cuts}");
}
