//! The order gate: each check by its own refusal, in the stated order, and every order once.

use security::cipher::LinkCipher;
use security::counter::SendCounter;
use security::engine::Soft;
use security::envelope::{Class, Direction};
use security::gate::{
    Conditions, OrderGate, PurseConditions, Refusal, STATE_LEN, StateError, Verdict,
};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::link::Sealer;
use security::order::{
    Kind, Moment, Order, OrderAck, OrderError, Outcome, PurseState, Recharge, RelayFeedback,
};
use security::suite::Suite;
use testkit::stride;

const SUITE: Suite = Suite::Ccm16;
const OPERATOR: [u8; 4] = [0x10, 0, 0, 1];
const CUSTOMER: [u8; 6] = [0, 0, 0, 0, 0x12, 0x34];

fn key(purpose: Purpose) -> DeviceKey {
    let tree = KeyTree::from_root(&Secret::new([3; 16]), *b"network1", 1);
    tree.device_key(DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]), purpose, 1)
}

fn moment(hour: u8, minute: u8) -> Moment {
    Moment::try_new(26, 11, 21, hour, minute, 0).unwrap()
}

fn relay_order(kind: Kind, number: u64) -> Order {
    Order::try_new(kind, moment(12, 30), number, OPERATOR).unwrap()
}

fn recharge(number: u64, amount: u32, count: u32) -> Order {
    let purse = Recharge {
        amount,
        count,
        customer: CUSTOMER,
    };
    Order::try_purse(Kind::Recharge, moment(12, 30), number, OPERATOR, purse).unwrap()
}

fn conditions() -> Conditions {
    Conditions {
        port_allows: true,
        session_young: true,
        now: Some(moment(12, 0)),
        hold_power: false,
        purse: Some(PurseConditions {
            state: PurseState {
                balance: 500,
                count: 4,
            },
            refunds: 0,
            customer: Some(CUSTOMER),
            max_amount: 100_000,
            hoarding_limit: 200_000,
        }),
    }
}

/// The head end of one key: seals what it is given, each time under a new counter.
struct HeadEnd(Sealer);

impl HeadEnd {
    fn new(purpose: Purpose) -> Self {
        Self(Sealer::new(
            &key(purpose),
            Direction::ToDevice,
            SUITE,
            SendCounter::session(),
        ))
    }

    fn seal(&mut self, order: &Order) -> Vec<u8> {
        self.seal_bytes(Class::Command, &order.encode()[..order.encoded_len()])
    }

    fn seal_bytes(&mut self, class: Class, plain: &[u8]) -> Vec<u8> {
        let mut buf = [0; 80];
        self.0
            .seal_from(class, b"", plain, &mut buf)
            .unwrap()
            .to_vec()
    }
}

#[derive(Debug, PartialEq)]
enum Got {
    Executed(OrderAck),
    Repeated(OrderAck),
    Refused(Refusal),
    Dropped(Refusal),
}

fn present(gate: &mut OrderGate, mut envelope: Vec<u8>, conditions: &Conditions) -> Got {
    let order = match gate.judge(b"", &mut envelope, conditions, RelayFeedback::Open) {
        Verdict::New(pending) => pending.stored().unwrap(),
        Verdict::Repeated(answer) => return Got::Repeated(answer),
        Verdict::Refused(OrderAck {
            outcome: Outcome::Refused(refusal),
            ..
        }) => return Got::Refused(refusal),
        Verdict::Refused(other) => panic!("{other:?}"),
        Verdict::Dropped(refusal) => return Got::Dropped(refusal),
    };
    let purse = conditions.purse.map(|purse| purse.state);
    Got::Executed(gate.finish(order, Outcome::Done, RelayFeedback::Closed, purse))
}

fn executed(got: &Got) -> bool {
    matches!(got, Got::Executed(answer) if answer.outcome == Outcome::Done)
}

#[test]
fn an_order_passes_once_and_its_answer_is_kept() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Lctrl),
        OrderGate::new(&key(Purpose::Lctrl), SUITE),
    );
    let order = relay_order(Kind::CloseNow, 1);
    let envelope = head.seal(&order);
    let Got::Executed(answer) = present(&mut gate, envelope.clone(), &conditions()) else {
        panic!()
    };
    assert_eq!(
        (answer.number, answer.outcome, answer.last_number),
        (1, Outcome::Done, 1)
    );
    assert_eq!(
        OrderAck::parse(&answer.encode()[..answer.encoded_len()]),
        Ok(answer)
    );

    // The same bytes again are a replay; the same order sealed again gets the kept answer.
    assert_eq!(
        present(&mut gate, envelope.clone(), &conditions()),
        Got::Dropped(Refusal::Replayed)
    );
    assert_eq!(
        present(&mut gate, head.seal(&order), &conditions()),
        Got::Repeated(answer)
    );
    // The number with another content, or a lower number, is neither.
    let other = head.seal(&relay_order(Kind::Open, 1));
    assert_eq!(
        present(&mut gate, other, &conditions()),
        Got::Refused(Refusal::NumberUsed)
    );

    // All of it holds after a restart.
    let mut gate = OrderGate::restore(&key(Purpose::Lctrl), SUITE, &gate.state()).unwrap();
    assert_eq!(
        present(&mut gate, envelope, &conditions()),
        Got::Dropped(Refusal::Replayed)
    );
    assert_eq!(
        present(&mut gate, head.seal(&order), &conditions()),
        Got::Repeated(answer)
    );
    assert_eq!(gate.last_number(0x10), 1);
    assert!(executed(&present(
        &mut gate,
        head.seal(&relay_order(Kind::Open, 2)),
        &conditions()
    )));
}

#[test]
fn checks_come_in_the_stated_order() {
    // Everything is wrong at first; each step mends the fault that was named.
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Purse),
        OrderGate::new(&key(Purpose::Purse), SUITE),
    );
    assert!(executed(&present(
        &mut gate,
        head.seal(&recharge(9, 100, 5)),
        &conditions()
    )));
    let old = head.seal(&recharge(9, 200_000, 9));
    assert!(matches!(
        present(&mut gate, head.seal(&recharge(9, 100, 5)), &conditions()),
        Got::Repeated(_)
    ));

    let mut now = Conditions {
        port_allows: false,
        session_young: false,
        now: None,
        ..conditions()
    };
    let mut forged = old.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(present(&mut gate, forged, &now), Got::Dropped(Refusal::Tag));
    let data = head.seal_bytes(Class::Data, &[1; 20]);
    assert_eq!(present(&mut gate, data, &now), Got::Dropped(Refusal::Class));
    assert_eq!(
        present(&mut gate, old.clone(), &now),
        Got::Dropped(Refusal::Port)
    );
    now.port_allows = true;
    assert_eq!(
        present(&mut gate, old, &now),
        Got::Dropped(Refusal::Replayed)
    );

    let mut wrong = |order: &Order, now: &Conditions| {
        let envelope = head.seal(order);
        present(&mut gate, envelope, now)
    };
    let bad = recharge(9, 200_000, 9);
    assert_eq!(wrong(&bad, &now), Got::Refused(Refusal::Session));
    now.session_young = true;
    assert_eq!(wrong(&bad, &now), Got::Refused(Refusal::ClockUnsafe));
    now.now = Some(moment(12, 31));
    assert_eq!(wrong(&bad, &now), Got::Refused(Refusal::DeadlinePast));
    now.now = Some(moment(12, 30));
    assert_eq!(wrong(&bad, &now), Got::Refused(Refusal::NumberUsed));
    let stranger = Recharge {
        customer: [0; 6],
        amount: 200_000,
        count: 9,
    };
    let stranger =
        Order::try_purse(Kind::Recharge, moment(12, 30), 10, OPERATOR, stranger).unwrap();
    assert_eq!(wrong(&stranger, &now), Got::Refused(Refusal::Customer));
    assert_eq!(
        wrong(&recharge(10, 200_000, 4), &now),
        Got::Refused(Refusal::RechargeRepeated)
    );
    assert_eq!(
        wrong(&recharge(10, 200_000, 9), &now),
        Got::Refused(Refusal::RechargeCount)
    );
    assert_eq!(
        wrong(&recharge(10, 200_000, 5), &now),
        Got::Refused(Refusal::Amount)
    );
    assert_eq!(
        wrong(&recharge(10, 0, 5), &now),
        Got::Refused(Refusal::Amount)
    );
    now.purse.as_mut().unwrap().state.balance = 150_000;
    assert_eq!(
        wrong(&recharge(10, 50_001, 5), &now),
        Got::Refused(Refusal::Hoarding)
    );
    // No refusal used up the number.
    assert!(executed(&wrong(&recharge(10, 50_000, 5), &now)));
}

#[test]
fn hold_power_and_the_other_core() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Lctrl),
        OrderGate::new(&key(Purpose::Lctrl), SUITE),
    );
    let held = Conditions {
        hold_power: true,
        purse: None,
        ..conditions()
    };
    let open = relay_order(Kind::Open, 1);
    assert_eq!(
        present(&mut gate, head.seal(&open), &held),
        Got::Refused(Refusal::HoldPower)
    );
    assert!(executed(&present(
        &mut gate,
        head.seal(&open),
        &Conditions {
            hold_power: false,
            ..held
        }
    )));
    assert!(executed(&present(
        &mut gate,
        head.seal(&relay_order(Kind::CloseNow, 2)),
        &held
    )));
    assert_eq!(
        present(&mut gate, head.seal(&recharge(3, 1, 1)), &held),
        Got::Refused(Refusal::NotThisCore)
    );

    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Purse),
        OrderGate::new(&key(Purpose::Purse), SUITE),
    );
    assert_eq!(
        present(&mut gate, head.seal(&open), &held),
        Got::Refused(Refusal::NotThisCore)
    );
    assert_eq!(
        present(&mut gate, head.seal(&recharge(3, 1, 1)), &held),
        Got::Refused(Refusal::NotThisCore)
    );
}

#[test]
fn another_device_of_the_same_key_material_is_told_apart() {
    // The static key covers the address; a sender that seals another address under it is refused.
    let id = DeviceKeyId::meter([9; 6]);
    let link = key(Purpose::Lctrl).static_link(Suite::Ccm16, Direction::ToDevice);
    let as_other = DeviceKey::new(
        key(Purpose::Lctrl).secret().duplicate(),
        id,
        Purpose::Lctrl,
        1,
    );
    let Ok(cipher) = LinkCipher::load(&mut Soft, &link);
    let sealer = Sealer::under(
        cipher,
        &as_other.soft(),
        Direction::ToDevice,
        SendCounter::session(),
    );
    let mut gate = OrderGate::new(&key(Purpose::Lctrl), SUITE);
    let envelope = HeadEnd(sealer).seal(&relay_order(Kind::Open, 1));
    assert_eq!(
        present(&mut gate, envelope, &conditions()),
        Got::Refused(Refusal::Address)
    );
}

#[test]
fn malformed_orders_are_dropped() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Lctrl),
        OrderGate::new(&key(Purpose::Lctrl), SUITE),
    );
    let good = relay_order(Kind::Open, 1).encode();
    let with = |at: usize, value: u8| {
        let mut bytes = good;
        bytes[at] = value;
        Order::parse(&bytes[..20])
    };
    assert_eq!(Order::parse(&good[..20]), Ok(relay_order(Kind::Open, 1)));
    assert_eq!(
        hex::encode(&good[..20]),
        "1a00003012211126000000000000000110000001"
    );
    assert_eq!(
        Order::parse(&good[..19]),
        Err(OrderError::Length { found: 19 })
    );
    assert_eq!(Order::parse(&good), Err(OrderError::Length { found: 34 }));
    assert_eq!(with(0, 0x77), Err(OrderError::Kind { found: 0x77 }));
    assert_eq!(with(0, 0x02), Err(OrderError::Length { found: 20 }));
    assert_eq!(with(1, 1), Err(OrderError::Flags { found: 1 }));
    for (at, value) in [
        (2, 0x60),
        (3, 0x6A),
        (4, 0x24),
        (5, 0x31),
        (6, 0x13),
        (7, 0xFA),
    ] {
        assert_eq!(
            with(at, value),
            Err(OrderError::Deadline),
            "{at} {value:02X}"
        );
    }
    assert_eq!(with(15, 0), Err(OrderError::Number));
    let envelope = head.seal_bytes(Class::Command, &good[..19]);
    assert_eq!(
        present(&mut gate, envelope, &conditions()),
        Got::Dropped(Refusal::Malformed)
    );

    let bytes = recharge(0x0102_0304_0506_0708, 12_345, 5).encode();
    assert_eq!(
        hex::encode(bytes),
        "02000030122111260102030405060708100000010000303900000005000000001234"
    );
    assert_eq!(
        Order::parse(&bytes),
        Ok(recharge(0x0102_0304_0506_0708, 12_345, 5))
    );
}

#[test]
fn roles_count_apart_and_are_bounded() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Lctrl),
        OrderGate::new(&key(Purpose::Lctrl), SUITE),
    );
    let order = |role: u8, number: u64| {
        Order::try_new(Kind::AlarmOn, moment(12, 30), number, [role, 1, 2, 3]).unwrap()
    };
    for role in 1..=4 {
        assert!(executed(&present(
            &mut gate,
            head.seal(&order(role, 7)),
            &conditions()
        )));
    }
    let fifth = head.seal(&order(5, 7));
    assert_eq!(
        present(&mut gate, fifth, &conditions()),
        Got::Refused(Refusal::TooManyRoles)
    );
    assert!(executed(&present(
        &mut gate,
        head.seal(&order(2, 8)),
        &conditions()
    )));
    // The oldest answer gave way; its number stays used.
    let first = head.seal(&order(1, 7));
    assert_eq!(
        present(&mut gate, first, &conditions()),
        Got::Refused(Refusal::NumberUsed)
    );
    let restored = OrderGate::restore(&key(Purpose::Lctrl), SUITE, &gate.state()).unwrap();
    assert_eq!((restored.last_number(2), restored.last_number(5)), (8, 0));
}

#[test]
fn every_recorded_frame_again_has_no_effect() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Lctrl),
        OrderGate::new(&key(Purpose::Lctrl), SUITE),
    );
    let kinds = [
        Kind::Open,
        Kind::PermitClose,
        Kind::CloseNow,
        Kind::HoldPower,
        Kind::HoldOff,
    ];
    let frames: Vec<_> = (1..)
        .zip(kinds)
        .map(|(number, kind)| head.seal(&relay_order(kind, number)))
        .collect();
    for frame in &frames {
        assert!(executed(&present(&mut gate, frame.clone(), &conditions())));
    }
    for _restart in 0..2 {
        for start in (0..frames.len()).step_by(stride(4)) {
            for frame in frames.iter().cycle().skip(start).take(frames.len()) {
                assert_eq!(
                    present(&mut gate, frame.clone(), &conditions()),
                    Got::Dropped(Refusal::Replayed)
                );
            }
        }
        gate = OrderGate::restore(&key(Purpose::Lctrl), SUITE, &gate.state()).unwrap();
    }
}

/// An order is held back until its deadline is past; then the clock is put back. Once a later order was executed, or the
/// late one refused, no clock makes it pass.
#[test]
fn a_clock_put_back_revives_no_order() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Lctrl),
        OrderGate::new(&key(Purpose::Lctrl), SUITE),
    );
    let at = |hour, minute| Conditions {
        now: Some(moment(hour, minute)),
        ..conditions()
    };
    let held_back = head.seal(&relay_order(Kind::Open, 1));
    let next = head.seal(&relay_order(Kind::CloseNow, 2));
    assert!(executed(&present(&mut gate, next, &at(12, 0))));
    for hour in [12, 0] {
        let got = present(&mut gate, held_back.clone(), &at(hour, 0));
        assert_eq!(got, Got::Dropped(Refusal::Replayed));
    }
    let late = head.seal(&relay_order(Kind::Open, 3));
    let got = present(&mut gate, late.clone(), &at(12, 31));
    assert_eq!(got, Got::Refused(Refusal::DeadlinePast));
    // Its counter is used, and stored so.
    let mut gate = OrderGate::restore(&key(Purpose::Lctrl), SUITE, &gate.state()).unwrap();
    let got = present(&mut gate, late, &at(12, 0));
    assert_eq!(got, Got::Dropped(Refusal::Replayed));
}

#[test]
fn a_damaged_state_is_not_taken() {
    let (mut head, mut gate) = (
        HeadEnd::new(Purpose::Purse),
        OrderGate::new(&key(Purpose::Purse), SUITE),
    );
    assert!(executed(&present(
        &mut gate,
        head.seal(&recharge(1, 100, 5)),
        &conditions()
    )));
    let state = gate.state();
    let restore = |state: &[u8]| {
        OrderGate::restore(&key(Purpose::Purse), SUITE, state).map(|gate| gate.state())
    };
    assert_eq!(restore(&state), Ok(state));
    assert_eq!(
        restore(&state[1..]),
        Err(StateError::Length {
            found: STATE_LEN - 1
        })
    );
    for bit in (0..STATE_LEN * 8).step_by(stride(655)) {
        let mut torn = state;
        torn[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(restore(&torn), Err(StateError::Crc), "bit {bit}");
    }
    // A new key counts its messages anew; order numbers go on.
    let tree = KeyTree::from_root(&Secret::new([3; 16]), *b"network1", 1);
    let next = tree.device_key(key(Purpose::Purse).id(), Purpose::Purse, 2);
    let mut gate = OrderGate::restore(&next, SUITE, &state).unwrap();
    let mut head = HeadEnd(Sealer::new(
        &next,
        Direction::ToDevice,
        SUITE,
        SendCounter::session(),
    ));
    let again = head.seal(&recharge(1, 100, 5));
    assert!(matches!(
        present(&mut gate, again, &conditions()),
        Got::Repeated(_)
    ));
}
