//! Sealing and opening: what is refused, and that nothing is left behind.

use proptest::collection::vec;
use proptest::prelude::*;
use security::counter::{CounterError, MAX_COUNTER, SendCounter};
use security::envelope::{Class, Direction, EnvelopeError, HEADER_LEN, Header};
use security::gate::{Conditions, OrderGate, Verdict};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::link::{OpenError, Opener, SealError, Sealer};
use security::order::{Order, OrderAck, RelayFeedback};
use security::replay::{Freshness, ReplayWindow};
use security::suite::Suite;
use testkit::rounds;

const CLASSES: [Class; 6] = [
    Class::Data,
    Class::Command,
    Class::Acknowledge,
    Class::Key,
    Class::Firmware,
    Class::Event,
];

fn device_key(purpose: Purpose) -> DeviceKey {
    let tree = KeyTree::from_root(&Secret::new([0x42; 16]), *b"network1", 3);
    tree.device_key(DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]), purpose, 7)
}

fn sealer(suite: Suite) -> Sealer {
    Sealer::new(
        &device_key(Purpose::Data),
        Direction::FromDevice,
        suite,
        SendCounter::session(),
    )
}

fn opener(suite: Suite) -> Opener {
    Opener::new(&device_key(Purpose::Data), Direction::FromDevice, suite)
}

fn suite() -> impl Strategy<Value = Suite> {
    proptest::sample::select(Suite::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(150, 2) as u32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_opens_once(
        suite in suite(), class in 0..6_usize, ext in vec(any::<u8>(), 0..40), plain in vec(any::<u8>(), 0..300),
    ) {
        let mut buf = vec![0xEE; plain.len() + 40];
        let mut sender = sealer(suite);
        let sealed = sender.seal_from(CLASSES[class], &ext, &plain, &mut buf).unwrap().to_vec();
        prop_assert_eq!(sealed.len(), sender.sealed_len(plain.len()));
        let mut receiver = opener(suite);
        let mut bytes = sealed.clone();
        let opened = receiver.open(&ext, &mut bytes).unwrap();
        prop_assert_eq!(opened.plain, &plain[..]);
        prop_assert_eq!(opened.header.class, CLASSES[class]);
        let mut bytes = sealed;
        prop_assert_eq!(receiver.open(&ext, &mut bytes), Err(OpenError::Replayed { counter: 1 }));
        prop_assert!(bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn any_changed_bit_is_refused_and_nothing_is_left(
        suite in suite(), plain in vec(1_u8.., 0..60), bit in any::<prop::sample::Index>(), short: bool,
    ) {
        let mut buf = [0; 128];
        let (mut sender, mut receiver) = (sealer(suite), opener(suite));
        let start = if short { 4 } else { HEADER_LEN };
        buf[start..start + plain.len()].copy_from_slice(&plain);
        let sealed = if short {
            sender.seal_short(Class::Data, b"ext", &mut buf, plain.len())
        } else {
            sender.seal(Class::Data, b"ext", &mut buf, plain.len())
        };
        let sealed = sealed.unwrap();
        let address = [0x20, 0x26, 0x11, 0, 0, 1];
        let mut open = |bytes: &mut [u8]| {
            let opened =
                if short { receiver.open_short(address, b"ext", bytes) } else { receiver.open(b"ext", bytes) };
            opened.map(|opened| opened.plain.to_vec())
        };
        let mut forged = sealed.to_vec();
        let bit = bit.index(forged.len() * 8);
        forged[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(open(&mut forged), Err(OpenError::Refused));
        prop_assert!(forged.iter().skip(start).all(|byte| *byte == 0));
        // The forged one moved nothing: the real one still opens.
        prop_assert_eq!(open(&mut sealed.to_vec()), Ok(plain));
    }

    #[test]
    fn random_bytes_are_refused_quietly(mut bytes in vec(any::<u8>(), 0..120), first in 0..0x20_u8) {
        if let Some(byte) = bytes.first_mut() {
            *byte = first;
        }
        let _ = Header::parse(&bytes);
        let _ = Order::parse(&bytes);
        let _ = OrderAck::parse(&bytes);
        let key = device_key(Purpose::Lctrl);
        prop_assert!(OrderGate::restore(&key, Suite::Ccm16, &bytes).is_err());
        let mut copy = bytes.clone();
        prop_assert_eq!(opener(Suite::Ccm16).open(&[], &mut copy), Err(OpenError::Refused));
        let mut copy = bytes.clone();
        prop_assert_eq!(opener(Suite::Ccm8).open_short([0; 6], &[], &mut copy), Err(OpenError::Refused));
        let conditions =
            Conditions { port_allows: true, session_young: true, now: None, hold_power: false, purse: None };
        let mut gate = OrderGate::new(&key, Suite::Ccm16);
        let verdict = gate.judge(&[], &mut bytes, &conditions, RelayFeedback::Unknown);
        prop_assert!(matches!(verdict, Verdict::Dropped(_)));
    }

    #[test]
    fn the_window_equals_a_set(counters in vec(0..200_u64, 0..300), rising: bool) {
        let freshness = if rising { Freshness::Rising } else { Freshness::Window };
        let (mut window, mut seen) = (ReplayWindow::new(), std::collections::BTreeSet::<u64>::new());
        for counter in counters {
            let highest = seen.last().copied().unwrap_or(0);
            let near = !rising && highest.saturating_sub(counter) < 64 && !seen.contains(&counter);
            let expected = counter != 0 && (counter > highest || near);
            prop_assert_eq!(window.accept(counter, freshness), expected);
            if expected {
                seen.insert(counter);
            }
        }
    }
}

/// No two of a hundred thousand keys of a network are alike: every meter, gateway, purpose and epoch has its own.
#[test]
fn keys_of_a_fleet_are_distinct() {
    let tree = KeyTree::from_root(&Secret::new([7; 16]), *b"network1", 1);
    let mut seen = std::collections::BTreeSet::new();
    for nth in 0..rounds(50_000, 8) as u32 {
        let [_, a, b, c] = nth.to_be_bytes();
        let address = [0x20, 0x26, 0x11, a, b, c];
        let purpose = Purpose::from_number(1 + (nth % 11) as u8).unwrap();
        let epoch = (nth % 3) as u16;
        for id in [DeviceKeyId::meter(address), DeviceKeyId::gateway(address)] {
            let key = tree.device_key(id, purpose, epoch);
            assert!(seen.insert(*key.secret().expose()), "{nth}");
        }
    }
    // And none of one device, whatever it is for.
    let id = DeviceKeyId::meter([0; 6]);
    for epoch in 0..rounds(300, 2) as u16 {
        for number in 1..=11 {
            let key = tree.device_key(id, Purpose::from_number(number).unwrap(), 100 + epoch);
            assert!(seen.insert(*key.secret().expose()));
        }
    }
}

#[test]
fn another_party_does_not_open_it() {
    let mut buf = [0; 64];
    let sealed = sealer(Suite::Ccm16)
        .seal_from(Class::Data, b"", b"secret", &mut buf)
        .unwrap()
        .to_vec();
    let tree = KeyTree::from_root(&Secret::new([0x42; 16]), *b"network1", 3);
    let meter = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
    let others = [
        (
            tree.device_key(
                DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 2]),
                Purpose::Data,
                7,
            ),
            Direction::FromDevice,
        ),
        (
            tree.device_key(
                DeviceKeyId::gateway([0x20, 0x26, 0x11, 0, 0, 1]),
                Purpose::Data,
                7,
            ),
            Direction::FromDevice,
        ),
        (
            tree.device_key(meter, Purpose::Mdata, 7),
            Direction::FromDevice,
        ),
        (
            tree.device_key(meter, Purpose::Data, 8),
            Direction::FromDevice,
        ),
        (
            tree.device_key(meter, Purpose::Data, 7),
            Direction::ToDevice,
        ),
    ];
    for (key, direction) in &others {
        let mut bytes = sealed.clone();
        assert_eq!(
            Opener::new(key, *direction, Suite::Ccm16).open(b"", &mut bytes),
            Err(OpenError::Refused)
        );
        assert!(bytes.iter().skip(HEADER_LEN).all(|byte| *byte == 0));
    }
    assert_eq!(
        opener(Suite::Ccm8).open(b"", &mut sealed.clone()),
        Err(OpenError::Refused)
    );
    assert!(opener(Suite::Ccm16).open(b"", &mut sealed.clone()).is_ok());
}

#[test]
fn reserved_bits_and_classes_are_refused() {
    let mut buf = [0; 64];
    let sealed = sealer(Suite::Ccm16)
        .seal_from(Class::Data, b"", b"", &mut buf)
        .unwrap()
        .to_vec();
    assert!(Header::parse(&sealed).is_ok());
    let with = |byte: usize, value: u8| {
        let mut bytes = sealed.clone();
        bytes[byte] = value;
        Header::parse(&bytes)
    };
    for second in [0x0C, 0x0E, 0x10, 0x20, 0x40, 0x80] {
        assert_eq!(with(1, second), Err(EnvelopeError::Refused), "{second:02X}");
    }
    for first in [0x10, 0x16, 0x1F, 0x01, 0x21] {
        assert_eq!(with(0, first), Err(EnvelopeError::Refused), "{first:02X}");
    }
}

#[test]
fn the_short_form_follows_the_counter() {
    let key = device_key(Purpose::Data);
    let near_wrap = 3 * 0x1_0000 - 2;
    let counter = SendCounter::boot(near_wrap, 16);
    let mut sender = Sealer::new(&key, Direction::FromDevice, Suite::Ccm8, counter);
    sender.reservation().unwrap().confirm();
    let mut receiver = Opener::new(&key, Direction::FromDevice, Suite::Ccm8)
        .with_window(ReplayWindow::above(near_wrap));
    for step in 1..6 {
        let mut buf = [9; 4 + 20 + 8];
        let sealed = sender.seal_short(Class::Data, b"di", &mut buf, 20).unwrap();
        assert_eq!(sealed.len(), 20 + 12);
        let mut bytes = sealed.to_vec();
        let opened = receiver
            .open_short([0x20, 0x26, 0x11, 0, 0, 1], b"di", &mut bytes)
            .unwrap();
        assert_eq!(
            (opened.header.counter, opened.plain),
            (near_wrap + step, &[9; 20][..])
        );
    }
}

#[test]
fn a_buffer_too_short_is_named() {
    let mut buf = [0; 33];
    let full = sealer(Suite::Ccm16).seal_from(Class::Data, b"", b"ab", &mut buf);
    assert_eq!(
        full,
        Err(SealError::Envelope(EnvelopeError::NoRoom {
            needed: 34,
            available: 33
        }))
    );
    let full = sealer(Suite::Ccm16).seal(Class::Data, b"", &mut buf, usize::MAX);
    assert_eq!(full, Err(SealError::Envelope(EnvelopeError::TooLong)));
}

#[test]
fn no_number_before_it_is_reserved_and_none_after_the_last() {
    let mut counter = SendCounter::boot(0, 256);
    assert_eq!(counter.take(), Err(CounterError::ReserveFirst));
    // Not confirmed: as if the write had failed.
    assert_eq!(counter.reservation().unwrap().limit(), 256);
    assert_eq!(counter.take(), Err(CounterError::ReserveFirst));
    counter.reservation().unwrap().confirm();
    assert_eq!(counter.take().unwrap().value(), 1);

    let mut counter = SendCounter::boot(MAX_COUNTER - 1, 256);
    let reservation = counter.reservation().unwrap();
    assert_eq!(reservation.limit(), MAX_COUNTER);
    reservation.confirm();
    assert_eq!(counter.take().unwrap().value(), MAX_COUNTER);
    assert_eq!(counter.take(), Err(CounterError::Exhausted));
    assert!(counter.reservation().is_none());
    assert_eq!(
        SendCounter::boot(u64::MAX, 1).take(),
        Err(CounterError::Exhausted)
    );
}

#[test]
fn keys_are_not_shown() {
    let key = device_key(Purpose::Data);
    let shown = format!(
        "{key:?} {:?} {:?} {:?}",
        key.static_link(Suite::Ccm16, Direction::ToDevice),
        sealer(Suite::Ccm16),
        opener(Suite::Ccm16)
    );
    let secret = key.secret().expose();
    assert!(
        shown.contains("***")
            && !shown.contains(&format!("{secret:?}"))
            && !shown.contains(&hex::encode(secret))
    );
}
