//! What watches: random-source tests, the log, attestation; and engines that finish later.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use security::attest::Statement;
use security::cipher::LinkCipher;
use security::counter::SendCounter;
use security::engine::{EngineError, MockChip, Soft};
use security::envelope::{Class, Direction, EnvelopeError};
use security::health::{Health, START_UP};
use security::key::{DeviceKeyId, KeyHandle, KeyTree, Purpose, Secret};
use security::link::{Form, OpenError, Opener, SealError, Sealer};
use security::log::{Head, LogError};
use security::suite::Suite;
use testkit::{Rng, rounds, stride};

fn key(purpose: Purpose) -> security::key::DeviceKey {
    let meter = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
    KeyTree::from_root(&Secret::new([0x42; 16]), *b"network1", 3).device_key(meter, purpose, 1)
}

fn audit() -> KeyHandle {
    key(Purpose::Audit).soft()
}

#[test]
fn a_good_source_passes() {
    for seed in 0..rounds(4, 1) {
        let mut rng = Rng::new(seed);
        for bits in 1..=8 {
            let mut health = Health::for_entropy(bits);
            let mut out = vec![0; rounds(10_000, 600) as usize];
            assert!(health.fill(&mut out, || rng.byte() & (0xFF >> (8 - bits))));
            assert!(out.iter().any(|byte| *byte != 0));
        }
    }
}

#[test]
fn stuck_biased_and_repeating_sources_fail() {
    let mut rng = Rng::new(7);
    type Source = Box<dyn FnMut() -> u8>;
    let failing: [(&str, Source); 4] = [
        ("stuck at zero", Box::new(|| 0)),
        ("stuck after a while", {
            let (mut rng, mut count) = (Rng::new(1), 0);
            Box::new(move || {
                count += 1;
                if count > 5000 { 0xAA } else { rng.byte() }
            })
        }),
        ("biased", {
            let mut rng = Rng::new(2);
            Box::new(move || if rng.below(4) == 0 { 0 } else { rng.byte() })
        }),
        ("two values in turn", {
            let mut count = 0_u8;
            Box::new(move || {
                count = count.wrapping_add(1);
                count & 1
            })
        }),
    ];
    for (what, mut source) in failing {
        let mut health = Health::for_entropy(6);
        let mut out = [0x55; 20_000];
        assert!(!health.fill(&mut out, &mut source), "{what}");
        assert_eq!(out, [0; 20_000]);
        // It stays failed, however good it is from now on.
        assert!(!health.fill(&mut out[..1], || rng.byte()));
        assert!(health.has_failed());
    }
}

#[test]
fn the_tests_cut_off_where_the_standard_says() {
    // 1 + 30 / H equal samples fail, one fewer does not.
    for (bits, run) in [(1, 31), (2, 16), (3, 11), (4, 9), (8, 5)] {
        let mut health = Health::for_entropy(bits);
        for sample in 0..run - 1 {
            health.take(7);
            assert!(!health.has_failed(), "{bits} {sample}");
        }
        health.take(7);
        assert!(health.has_failed(), "{bits}");
    }
    // In a window of 512 the first value may come 15 more times at 8 bits, never twice in a row.
    for (same, fails) in [(15, false), (16, true)] {
        let mut health = Health::for_entropy(8);
        for nth in 0..512_u32 {
            health.take(if nth % 2 == 0 && nth < 2 * same {
                7
            } else {
                8 + (nth % 240) as u8
            });
        }
        assert_eq!(health.has_failed(), fails, "{same}");
    }
    let mut health = Health::for_entropy(8);
    let mut rng = Rng::new(3);
    for _ in 0..START_UP {
        assert_eq!(health.take(rng.byte()), None);
    }
    assert_eq!(health.take(1), Some(1));
}

fn log_of(lines: &[&[u8]]) -> (Head, Vec<(Vec<u8>, Head)>) {
    let audit = audit();
    let begin = Head::begin(&mut Soft, &audit, *b"meas").unwrap();
    let mut head = begin;
    let mut stored = Vec::new();
    for line in lines {
        head = head.append(&mut Soft, &audit, line).unwrap();
        // Through its stored bytes.
        head = Head::from_bytes(&head.to_bytes());
        stored.push((line.to_vec(), head));
    }
    (begin, stored)
}

#[test]
fn a_log_shows_what_was_done_to_it() {
    let lines: [&[u8]; 5] = [b"start", b"cover open", b"", b"relay open", b"end"];
    let (begin, stored) = log_of(&lines);
    let audit = audit();
    let check = |lines: &[(Vec<u8>, Head)]| {
        let lines = lines.iter().map(|(line, head)| (&line[..], *head));
        begin.check(&mut Soft, &audit, lines)
    };
    let last = stored[4].1;
    assert_eq!(check(&stored), Ok(last));
    assert_eq!(last.number(), 5);
    for at in (0..5).step_by(stride(4)) {
        let broken = Err(LogError::Broken {
            number: at as u64 + 1,
        });
        let mut removed = stored.clone();
        removed.remove(at);
        if at < 4 {
            assert_eq!(check(&removed), broken);
        } else {
            // Only the head that was sent away before tells this.
            assert_ne!(check(&removed), Ok(last));
        }
        let mut changed = stored.clone();
        changed[at].0.push(b'x');
        assert_eq!(check(&changed), broken);
        let mut inserted = stored.clone();
        inserted.insert(at, stored[at].clone());
        assert!(check(&inserted).is_err());
        if at > 0 {
            let mut moved = stored.clone();
            moved.swap(at - 1, at);
            assert_eq!(check(&moved), Err(LogError::Broken { number: at as u64 }));
        }
    }
    // A boundary moved between two lines of the same bytes is a change too.
    let (_, other) = log_of(&[b"start", b"cover ", b"open"]);
    assert_ne!(other[2].1, stored[1].1);
    let ctrl = key(Purpose::Ctrl).soft();
    assert_eq!(Head::begin(&mut Soft, &ctrl, *b"meas"), Err(LogError::Key));
}

#[test]
fn a_statement_is_proved_for_one_number_and_no_other() {
    let statement = Statement {
        core: 2,
        version: (1, 4),
        revision: 2,
        build: 100,
        image_hash: [7; 32],
        security_counter: 5,
    };
    let Ok(Some(proof)) = statement.prove(&mut Soft, &audit(), &[9; 16]) else {
        panic!("no proof");
    };
    let holds = |statement: &Statement, nonce: [u8; 16]| {
        let Ok(holds) = statement.is_proved(&mut Soft, &audit(), &nonce, &proof);
        holds
    };
    assert!(holds(&statement, [9; 16]) && !holds(&statement, [8; 16]));
    let changes: [fn(&mut Statement); 6] = [
        |s| s.core = 1,
        |s| s.version.1 = 5,
        |s| s.revision = 3,
        |s| s.build = 101,
        |s| s.image_hash[31] = 0,
        |s| s.security_counter = 4,
    ];
    for change in changes {
        let mut other = statement;
        change(&mut other);
        assert!(!holds(&other, [9; 16]));
    }
    let ctrl = key(Purpose::Ctrl).soft();
    assert_eq!(statement.prove(&mut Soft, &ctrl, &[9; 16]), Ok(None));
}

/// Polls until it is ready and counts the turns.
fn run<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for turns in 1.. {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return (output, turns);
        }
    }
    unreachable!()
}

#[test]
fn an_engine_that_finishes_later_makes_the_same_messages() {
    for suite in Suite::ALL.iter().step_by(stride(3)) {
        let key = key(Purpose::Data);
        let mut chip = MockChip::<16>::new();
        let handle = key.load(&mut chip).unwrap();
        let way = Direction::FromDevice;
        let session = SendCounter::session;
        let mut soft = Sealer::new(&key, way, *suite, session());
        let mut later = Sealer::with_engine(&mut chip, &handle, way, *suite, session()).unwrap();
        let mut opener = Opener::with_engine(&mut chip, &handle, way, *suite).unwrap();
        for len in [0, 1, 15, 16, 17, 40].into_iter().step_by(stride(4)) {
            let (mut a, mut b) = ([len as u8; 100], [len as u8; 100]);
            let at_once = soft
                .seal_on(&mut Soft, Form::Long, Class::Data, b"ext", &mut a, len)
                .unwrap();
            let sealing = later.seal_async(&mut chip, Form::Long, Class::Data, b"ext", &mut b, len);
            let (sealed, turns) = run(sealing);
            let sealed = sealed.unwrap();
            assert_eq!(at_once, sealed);
            assert!(turns > 1 || suite.key_len() == 32);
            let mut forged = sealed.to_vec();
            forged[20] ^= 1;
            let (refused, _) = run(opener.open_async(&mut chip, b"ext", &mut forged));
            assert_eq!(refused, Err(OpenError::Refused));
            assert!(forged[16..].iter().all(|byte| *byte == 0));
            let mut bytes = sealed.to_vec();
            let (opened, _) = run(opener.open_async(&mut chip, b"ext", &mut bytes));
            assert_eq!(opened.unwrap().plain, &[len as u8; 40][..len]);
        }
    }
}

#[test]
fn a_fault_of_a_later_engine_leaves_no_plaintext() {
    let key = key(Purpose::Data);
    let (way, suite) = (Direction::FromDevice, Suite::Ccm16);
    let mut chip = MockChip::<16>::new();
    let link = key.static_link(suite, way);
    let cipher = LinkCipher::load(&mut chip, &link).unwrap();
    let mut sealer = Sealer::under(cipher, &key.soft(), way, SendCounter::session());
    for calls in 0..4 {
        chip.fail_after(calls, EngineError::Fault);
        let mut buf = [0x77; 80];
        let (failed, _) =
            run(sealer.seal_async(&mut chip, Form::Long, Class::Data, b"", &mut buf, 32));
        let fault = EnvelopeError::Engine(EngineError::Fault);
        assert_eq!(failed, Err(SealError::Envelope(fault)));
        assert_eq!(buf[16..48], [0; 32]);
    }
    // Dropped before it was ready: its number is used up, and the next message has another one.
    let mut buf = [0x77; 80];
    {
        let mut sealing =
            pin!(sealer.seal_async(&mut chip, Form::Long, Class::Data, b"", &mut buf, 32));
        let mut context = Context::from_waker(Waker::noop());
        assert!(sealing.as_mut().poll(&mut context).is_pending());
    }
    let (sealed, _) = run(sealer.seal_async(&mut chip, Form::Long, Class::Data, b"", &mut buf, 32));
    assert_eq!(sealed.unwrap()[10..16], [0, 0, 0, 0, 0, 6]);
}
