//! Orders and handshakes: the gate against a plain model over cuts and repeats, and both sides of AKE1.

use std::collections::BTreeSet;

use security::ake::{self, AkeError, Responder};
use security::counter::SendCounter;
use security::engine::Soft;
use security::envelope::{Class, Direction};
use security::gate::{Conditions, OrderGate, STATE_LEN, Verdict};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::Sealer;
use security::order::{Kind, Moment, Order, OrderAck, Outcome, RelayFeedback};
use security::suite::Suite;

use crate::input::Input;

const METER: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
const SUITE: Suite = Suite::Ccm16;
const RELAY: RelayFeedback = RelayFeedback::Unknown;

fn key(purpose: Purpose) -> DeviceKey {
    DeviceKey::new(Secret::new([7; 16]), METER, purpose, 1)
}

/// Orders, answers and gate states of any bytes: what is read is written as it came, and a state counts only with its
/// check sum.
pub fn order(bytes: &[u8]) {
    if let Ok(order) = Order::parse(bytes) {
        assert_eq!(&order.encode()[..order.encoded_len()], bytes);
    }
    if let Ok(answer) = OrderAck::parse(bytes) {
        let again = answer.encode();
        let again = OrderAck::parse(&again[..answer.encoded_len()]).expect("own bytes");
        assert_eq!(again, answer);
    }
    let key = key(Purpose::Lctrl);
    assert!(OrderGate::restore(&key, SUITE, bytes).is_err() || bytes.len() == STATE_LEN);
    let mut state = [0; STATE_LEN];
    let len = bytes.len().min(STATE_LEN - 4);
    state[..len].copy_from_slice(&bytes[..len]);
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(&state[..STATE_LEN - 4]);
    state[STATE_LEN - 4..].copy_from_slice(&sum.to_be_bytes());
    if let Ok(gate) = OrderGate::restore(&key, SUITE, &state) {
        let kept = gate.state();
        let again = OrderGate::restore(&key, SUITE, &kept).expect("own state");
        assert_eq!(again.state(), kept);
    }
    gate(bytes);
}

/// A head end that seals orders of the input's choice, a line that repeats and damages what it carried, and a device
/// whose power goes: no order has its effect twice, and numbers of a role only rise.
fn gate(bytes: &[u8]) {
    let mut input = Input { bytes };
    let key = key(Purpose::Lctrl);
    let mut head = Sealer::new(&key, Direction::ToDevice, SUITE, SendCounter::session());
    let mut gate = OrderGate::new(&key, SUITE);
    let mut stored = gate.state();
    let mut carried: Vec<Vec<u8>> = Vec::new();
    let mut done = BTreeSet::new();
    for _ in 0..64 {
        if input.bytes.is_empty() {
            break;
        }
        let what = input.byte();
        let mut envelope = match carried.get(usize::from(what >> 4)) {
            Some(earlier) if what & 8 != 0 => earlier.clone(),
            _ => {
                let envelope = sealed(&mut input, &mut head);
                carried.push(envelope.clone());
                envelope
            }
        };
        let is_damaged = what & 7 == 7;
        if is_damaged {
            let at = usize::from(input.byte()) % envelope.len();
            envelope[at] ^= input.byte() | 1;
        }
        let now = Moment::try_new(26, 11, 21, input.byte() % 24, 30, 0);
        let held = Conditions {
            port_allows: true,
            session_young: true,
            now: now.filter(|_| what & 7 != 6),
            hold_power: what & 7 == 5,
            purse: None,
        };
        match gate.judge(b"", &mut envelope, &held, RELAY) {
            Verdict::New(pending) => {
                assert!(!is_damaged, "a damaged order passed");
                let state = pending.state();
                if what & 7 == 4 {
                    // Power goes before the store.
                    gate = restored(&key, &stored);
                    continue;
                }
                stored = state;
                let order = pending.stored().expect("the second look agrees");
                let name = (order.get().role(), order.get().number());
                assert!(
                    done.iter()
                        .all(|(role, number)| *role != name.0 || *number < name.1),
                    "a number that does not rise"
                );
                done.insert(name);
                if what & 7 == 3 {
                    // Power goes between the effect and its answer.
                    gate = restored(&key, &stored);
                    continue;
                }
                let answer = gate.finish(order, Outcome::Done, RELAY, None);
                assert_eq!(
                    (answer.outcome, answer.last_number),
                    (Outcome::Done, name.1)
                );
                stored = gate.state();
            }
            Verdict::Repeated(answer) => {
                assert!(
                    done.iter().any(|(_, number)| *number == answer.number),
                    "an answer to what was never done"
                );
            }
            Verdict::Refused(answer) => {
                assert!(matches!(answer.outcome, Outcome::Refused(_)));
                stored = gate.state();
            }
            Verdict::Dropped(_) => {}
        }
    }
    for (role, number) in &done {
        assert!(gate.last_number(*role) >= *number);
    }
}

fn restored(key: &DeviceKey, stored: &[u8; STATE_LEN]) -> OrderGate {
    OrderGate::restore(key, SUITE, stored).expect("own state")
}

/// An order of the input's choice under the next counter, or whatever bytes in its place.
fn sealed(input: &mut Input<'_>, head: &mut Sealer) -> Vec<u8> {
    let mut buffer = [0; 128];
    let shape = input.byte();
    let sealed = if shape & 0xF0 == 0xF0 {
        let class = Class::from_number(shape & 7).unwrap_or(Class::Command);
        head.seal_from(class, b"", input.take(64), &mut buffer)
    } else {
        let kind = Kind::from_code(input.byte()).filter(|kind| !kind.is_purse());
        let deadline = Moment::try_new(26, 11, 21, input.byte() % 24, 0, 0).expect("an hour");
        let (number, role) = (u64::from(input.byte()) + 1, shape & 7);
        let order = Order::try_new(
            kind.unwrap_or(Kind::CloseNow),
            deadline,
            number,
            [role, 0, 0, 1],
        );
        let order = order.expect("a relay order with a number");
        let plain = order.encode();
        head.seal_from(
            Class::Command,
            b"",
            &plain[..order.encoded_len()],
            &mut buffer,
        )
    };
    sealed.expect("it fits").to_vec()
}

/// Any bytes as each message of a handshake, and a genuine one with one of its messages damaged as the input says: only
/// the untouched one opens sessions, and then the same.
pub fn handshake(bytes: &[u8]) {
    let key = key(Purpose::Auth).soft();
    let mut device = Responder::new(Suite::ALL);
    match device.answer(&mut Soft, &key, bytes, [2; 16], 0) {
        Ok(m2) => {
            assert_eq!(m2[0], 0x12);
            assert!(bytes[10..].contains(&m2[1]), "a suite that was not offered");
        }
        Err(error) => assert_eq!(error, AkeError::Refused),
    }
    assert!(device.finish(&mut Soft, &key, bytes, 0).is_err());

    let mut input = Input { bytes };
    let mut random = [0; 16];
    random.fill_with(|| input.byte());
    let offered = 1 + usize::from(input.byte()) % Suite::ALL.len();
    let sent = ake::start(&key, &Suite::ALL[..offered], random).expect("an offer");
    let (which, at, change) = (
        input.byte() % 4,
        usize::from(input.byte()),
        input.byte() | 1,
    );
    let damaged = |nth: u8, message: &[u8]| {
        let mut message = message.to_vec();
        if which == nth {
            let at = at % message.len();
            message[at] ^= change;
        }
        message
    };
    let now = u64::from(input.word());
    let mut device = Responder::new(Suite::ALL);
    let m1 = damaged(1, sent.m1());
    let Ok(m2) = device.answer(&mut Soft, &key, &m1, [!change; 16], now) else {
        return assert_eq!(which, 1, "an untouched first message is answered");
    };
    let outside = sent.receive(&mut Soft, &key, &damaged(2, &m2), now);
    assert_eq!(outside.is_ok(), which != 1 && which != 2, "{outside:?}");
    let Ok((m3, host)) = outside else {
        return;
    };
    let opened = device.finish(&mut Soft, &key, &damaged(3, &m3), now);
    assert_eq!(opened.is_ok(), which != 3, "{opened:?}");
    if let Ok(opened) = opened {
        assert_eq!(opened.suite(), host.suite());
        let again = device.finish(&mut Soft, &key, &m3, now);
        assert!(again.is_err(), "a third message counted twice");
    }
}
