//! Handshakes, sessions and what a port may do.

use security::ake::{self, ANSWERS_PER_MINUTE, AkeError, PENDING_SECONDS, Responder, Sent};
use security::counter::{CounterError, SESSION_MESSAGES, SendCounter};
use security::engine::{EngineError, MockChip, Soft};
use security::envelope::{Class, Direction};
use security::gate::{Conditions, OrderGate, Refusal, Verdict};
use security::key::{DeviceKey, DeviceKeyId, KeyHandle, KeyTree, Purpose, Secret};
use security::link::{Form, Sealer};
use security::order::{Kind, Moment, Order, Outcome, RelayFeedback};
use security::port::PortGuard;
use security::session::Session;
use security::suite::Suite;
use testkit::stride;

const METER: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);

fn device_key(purpose: Purpose, epoch: u16) -> DeviceKey {
    KeyTree::from_root(&Secret::new([0x42; 16]), *b"network1", 3).device_key(METER, purpose, epoch)
}

fn auth() -> KeyHandle {
    device_key(Purpose::Auth, 1).soft()
}

fn start(random: u8) -> Sent {
    ake::start(&auth(), Suite::ALL, [random; 16]).unwrap()
}

/// Both sides of a session that was opened at second `now`.
fn open_session(suites: &'static [Suite], now: u64) -> (Session, Session) {
    let (key, sent) = (auth(), start(1));
    let mut device = Responder::new(suites);
    let m2 = device
        .answer(&mut Soft, &key, sent.m1(), [2; 16], now)
        .unwrap();
    let (m3, host) = sent.receive(&mut Soft, &key, &m2, now).unwrap();
    (host, device.finish(&mut Soft, &key, &m3, now).unwrap())
}

#[test]
fn each_suite_carries_messages_both_ways() {
    for suites in [
        &[Suite::Ccm16][..],
        &[Suite::Gcm16],
        &[Suite::Ccm8],
        &[Suite::ChaCha20Poly1305],
        &[Suite::Sm4Gcm],
    ] {
        let (host, device) = open_session(suites, 0);
        assert_eq!([host.suite(), device.suite()], [suites[0]; 2]);
        let key = device_key(Purpose::Ctrl, 1).soft();
        for direction in [Direction::ToDevice, Direction::FromDevice] {
            let (from, to) = match direction {
                Direction::ToDevice => (&host, &device),
                Direction::FromDevice => (&device, &host),
            };
            let Ok(mut sealer) = from.sealer(&mut Soft, &key, direction);
            let Ok(mut opener) = to.opener(&mut Soft, &key, direction);
            let mut buf = [0; 64];
            let sealed = sealer
                .seal_from(Class::Data, b"t", b"hello", &mut buf)
                .unwrap();
            let mut bytes = sealed.to_vec();
            assert_eq!(opener.open(b"t", &mut bytes).unwrap().plain, b"hello");
        }
    }
}

#[test]
fn the_hosts_first_suite_that_the_device_has_is_taken() {
    let key = auth();
    let sent = ake::start(&key, &[Suite::Sm4Gcm, Suite::Ccm8, Suite::Ccm16], [1; 16]);
    let m1 = sent.unwrap().m1().to_vec();
    let answer = |suites| Responder::new(suites).answer(&mut Soft, &key, &m1, [2; 16], 0);
    assert_eq!(answer(&[Suite::Ccm16, Suite::Ccm8]).unwrap()[1], 3);
    assert_eq!(answer(&[Suite::Gcm16]), Err(AkeError::Refused));
}

#[test]
fn every_changed_bit_is_refused_by_somebody() {
    let (key, sent) = (auth(), start(1));
    let clean = |m1: &[u8]| {
        let mut device = Responder::new(Suite::ALL);
        let m2 = device.answer(&mut Soft, &key, m1, [2; 16], 0);
        (device, m2)
    };
    let flips = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        (0..bytes.len() * 8).step_by(stride(61)).map(move |bit| {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        })
    };
    for m1 in flips(sent.m1()) {
        if let (_, Ok(m2)) = clean(&m1) {
            let refused = sent.receive(&mut Soft, &key, &m2, 0);
            assert_eq!(refused.map(drop), Err(AkeError::Refused));
        }
    }
    let (_, m2) = clean(sent.m1());
    let m2 = m2.unwrap();
    for m2 in flips(&m2) {
        let refused = sent.receive(&mut Soft, &key, &m2, 0);
        assert_eq!(refused.map(drop), Err(AkeError::Refused));
    }
    let (m3, _) = sent.receive(&mut Soft, &key, &m2, 0).unwrap();
    for m3 in flips(&m3) {
        let (mut device, _) = clean(sent.m1());
        let refused = device.finish(&mut Soft, &key, &m3, 0);
        assert_eq!(refused.map(drop), Err(AkeError::Refused));
        // One try: the right proof comes too late.
        assert!(device.finish(&mut Soft, &key, &m3, 0).is_err());
    }
    for len in (0..m3.len()).step_by(stride(6)) {
        let (mut device, _) = clean(sent.m1());
        assert!(device.finish(&mut Soft, &key, &m3[..len], 0).is_err());
        assert!(clean(&sent.m1()[..len]).1.is_err());
        assert!(sent.receive(&mut Soft, &key, &m2[..len], 0).is_err());
    }
}

#[test]
fn a_recorded_handshake_opens_nothing_later() {
    let (key, sent) = (auth(), start(1));
    let mut device = Responder::new(Suite::ALL);
    let m2 = device
        .answer(&mut Soft, &key, sent.m1(), [2; 16], 0)
        .unwrap();
    let (m3, _) = sent.receive(&mut Soft, &key, &m2, 0).unwrap();
    device.finish(&mut Soft, &key, &m3, 0).unwrap();
    device
        .answer(&mut Soft, &key, sent.m1(), [3; 16], 60)
        .unwrap();
    let refused = device.finish(&mut Soft, &key, &m3, 60);
    assert_eq!(refused.map(drop), Err(AkeError::Refused));
}

#[test]
fn a_port_has_one_handshake_in_flight_and_few_a_minute() {
    let (key, sent) = (auth(), start(1));
    let mut device = Responder::new(Suite::ALL);
    let mut at = |now| {
        device
            .answer(&mut Soft, &key, sent.m1(), [2; 16], now)
            .map(drop)
    };
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(PENDING_SECONDS - 1), Err(AkeError::Busy));
    for nth in 1..ANSWERS_PER_MINUTE as u64 {
        assert_eq!(at(nth * PENDING_SECONDS), Ok(()));
    }
    assert_eq!(at(50), Err(AkeError::TooOften));
    assert_eq!(at(60), Ok(()));
    // What is malformed costs nothing: it is refused before it counts.
    let refused = device.answer(&mut Soft, &key, &[0x11; 30], [2; 16], 61);
    assert_eq!(refused, Err(AkeError::Refused));
}

#[test]
fn the_third_message_has_its_time() {
    let (key, sent) = (auth(), start(1));
    let mut device = Responder::new(Suite::ALL);
    let m2 = device
        .answer(&mut Soft, &key, sent.m1(), [2; 16], 0)
        .unwrap();
    let (m3, _) = sent.receive(&mut Soft, &key, &m2, 0).unwrap();
    let late = device.finish(&mut Soft, &key, &m3, PENDING_SECONDS);
    assert_eq!(late.map(drop), Err(AkeError::Refused));
}

#[test]
fn factory_keys_and_other_purposes_are_refused() {
    let (factory, ctrl) = (
        device_key(Purpose::Auth, 0).soft(),
        device_key(Purpose::Ctrl, 1).soft(),
    );
    assert_eq!(
        ake::start(&ctrl, Suite::ALL, [1; 16]).map(drop),
        Err(AkeError::Key)
    );
    let sent = ake::start(&factory, Suite::ALL, [1; 16]).unwrap();
    let answer = |mut device: Responder| {
        device
            .answer(&mut Soft, &factory, sent.m1(), [2; 16], 0)
            .map(drop)
    };
    assert_eq!(answer(Responder::new(Suite::ALL)), Err(AkeError::Key));
    assert_eq!(
        answer(Responder::new(Suite::ALL).with_factory_keys()),
        Ok(())
    );
}

fn conditions(session: &Session, now_s: u64) -> Conditions {
    Conditions {
        port_allows: true,
        session_young: session.may_command(now_s),
        now: Moment::try_new(26, 11, 21, 12, 0, 0),
        hold_power: false,
        purse: None,
    }
}

fn order(number: u64) -> Order {
    let deadline = Moment::try_new(26, 11, 21, 13, 0, 0).unwrap();
    Order::try_new(Kind::CloseNow, deadline, number, [0x10, 0, 0, 1]).unwrap()
}

fn seal_order<K, E: security::engine::Block128<Key = K>>(
    sealer: &mut Sealer<K>,
    engine: &mut E,
    order: &Order,
) -> Vec<u8> {
    let mut buf = [0; 64];
    buf[16..36].copy_from_slice(&order.encode()[..20]);
    sealer
        .seal_on(engine, Form::Long, Class::Command, b"", &mut buf, 20)
        .unwrap()
        .to_vec()
}

#[test]
fn orders_of_a_session_end_with_it() {
    let (host, device) = open_session(&[Suite::Ccm16], 1000);
    let key = device_key(Purpose::Lctrl, 1).soft();
    let Ok(mut sealer) = host.sealer(&mut Soft, &key, Direction::ToDevice);
    let Ok(gate) = device.gate(&mut Soft, &key);
    // What was stored under the static key counts for numbers, not for the counter of the session.
    let mut old = OrderGate::new(&device_key(Purpose::Lctrl, 1), Suite::Ccm16);
    let mut head = Sealer::new(
        &device_key(Purpose::Lctrl, 1),
        Direction::ToDevice,
        Suite::Ccm16,
        SendCounter::boot(500, 1),
    );
    head.reservation().unwrap().confirm();
    let mut envelope = seal_order(&mut head, &mut Soft, &order(7));
    let Verdict::New(pending) = old.judge(
        b"",
        &mut envelope,
        &conditions(&device, 1000),
        RelayFeedback::Open,
    ) else {
        panic!("refused");
    };
    let verified = pending.stored().unwrap();
    old.finish(verified, Outcome::Done, RelayFeedback::Closed, None);
    let mut gate = gate.with_state(&old.state()).unwrap();

    let mut present = |number, now| {
        let mut envelope = seal_order(&mut sealer, &mut Soft, &order(number));
        let verdict = gate.judge(
            b"",
            &mut envelope,
            &conditions(&device, now),
            RelayFeedback::Open,
        );
        match verdict {
            Verdict::New(pending) => {
                let order = pending.stored().unwrap();
                Ok(order.get().number())
            }
            Verdict::Refused(answer) => Err(answer.outcome),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(present(8, 1000), Ok(8));
    assert_eq!(present(6, 1001), Err(Outcome::Refused(Refusal::NumberUsed)));
    assert_eq!(present(9, 1299), Ok(9));
    assert_eq!(present(10, 1300), Err(Outcome::Refused(Refusal::Session)));
    assert_eq!(present(10, 999), Err(Outcome::Refused(Refusal::Session)));
    // The counter of the static key is untouched: what it carried is still old.
    let restored = OrderGate::restore(&device_key(Purpose::Lctrl, 1), Suite::Ccm16, &gate.state());
    let mut again = seal_order(&mut head_at(500), &mut Soft, &order(20));
    let mut restored = restored.unwrap();
    assert!(matches!(
        restored.judge(
            b"",
            &mut again,
            &conditions(&device, 1000),
            RelayFeedback::Open
        ),
        Verdict::Dropped(Refusal::Replayed)
    ));
}

/// A head end whose static counter stood at `limit` when it started.
fn head_at(limit: u64) -> Sealer {
    let counter = SendCounter::boot(limit, 1);
    let key = device_key(Purpose::Lctrl, 1);
    let mut head = Sealer::new(&key, Direction::ToDevice, Suite::Ccm16, counter);
    head.reservation().unwrap().confirm();
    head
}

#[test]
fn lives_of_a_session() {
    let (mut session, _) = open_session(&[Suite::Ccm16], 50);
    assert!(session.may_command(349) && !session.may_command(350));
    assert!(!session.set_command_minutes(0) && !session.set_command_minutes(10_000));
    assert!(session.set_command_minutes(9999));
    assert!(session.may_command(50 + 9999 * 60 - 1));
    assert!(session.may_carry_data(50 + 86_399) && !session.may_carry_data(50 + 86_400));
    assert!(!session.may_carry_data(49));
}

#[test]
#[cfg_attr(miri, ignore = "a million steps of one counter")]
fn a_session_key_ends_after_its_messages() {
    let mut counter = SendCounter::session();
    for number in 1..=SESSION_MESSAGES {
        assert_eq!(counter.take().unwrap().value(), number);
    }
    assert!(counter.reservation().is_none());
    assert_eq!(counter.take(), Err(CounterError::Exhausted));
}

#[test]
fn a_chip_keeps_the_device_key() {
    let (key, sent) = (auth(), start(1));
    let mut chip = MockChip::<16>::new();
    let on_chip = device_key(Purpose::Auth, 1).load(&mut chip).unwrap();
    let mut device = Responder::new(&[Suite::Ccm16]);
    chip.fail_after(0, EngineError::Busy);
    let failed = device.answer(&mut chip, &on_chip, sent.m1(), [2; 16], 0);
    assert_eq!(failed, Err(AkeError::Engine(EngineError::Busy)));
    let m2 = device
        .answer(&mut chip, &on_chip, sent.m1(), [2; 16], 60)
        .unwrap();
    let (m3, host) = sent.receive(&mut Soft, &key, &m2, 60).unwrap();
    let session = device.finish(&mut chip, &on_chip, &m3, 60).unwrap();

    let lctrl = device_key(Purpose::Lctrl, 1);
    let on_chip = lctrl.load(&mut chip).unwrap();
    let mut gate = session.gate(&mut chip, &on_chip).unwrap();
    let Ok(mut sealer) = host.sealer(&mut Soft, &lctrl.soft(), Direction::ToDevice);
    let mut envelope = seal_order(&mut sealer, &mut Soft, &order(1));
    let verdict = gate.judge_on(
        &mut chip,
        b"",
        &mut envelope,
        &conditions(&session, 60),
        RelayFeedback::Open,
    );
    assert!(matches!(verdict, Verdict::New(_)));
    let shown = format!("{gate:?} {on_chip:?} {session:?}");
    assert!(!shown.contains("[2, 2"));
}

#[test]
fn bad_tags_on_one_port_leave_others() {
    let mut ports = [PortGuard::default(); 2];
    for nth in 1..=300 {
        assert_eq!(ports[0].bad_tag(10), nth == 200, "{nth}");
        ports[0] = PortGuard::default().with_stored(&ports[0].to_bytes());
    }
    assert_eq!(ports.map(|port| port.allows_orders(10)), [false, true]);
    assert_eq!(ports.map(|port| port.bad_tags(10)), [300, 0]);
    assert!(ports[0].allows_orders(11));
    assert!(!ports[0].bad_tag(11) && ports[0].bad_tags(11) == 1);
}

#[test]
fn a_gate_refuses_the_factorys_key() {
    let key = device_key(Purpose::Lctrl, 0);
    let (session, _) = open_session(&[Suite::Ccm16], 0);
    for allowed in [false, true] {
        let mut gate = OrderGate::new(&key, Suite::Ccm16);
        if allowed {
            gate = gate.with_factory_keys();
        }
        let mut head = Sealer::new(
            &key,
            Direction::ToDevice,
            Suite::Ccm16,
            SendCounter::session(),
        );
        let mut envelope = seal_order(&mut head, &mut Soft, &order(1));
        let verdict = gate.judge(
            b"",
            &mut envelope,
            &conditions(&session, 0),
            RelayFeedback::Open,
        );
        if allowed {
            assert!(matches!(verdict, Verdict::New(_)));
        } else {
            assert!(matches!(verdict, Verdict::Dropped(Refusal::FactoryKey)));
        }
    }
}
