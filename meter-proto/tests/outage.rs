//! Outbox and window together, under one seed: loss, repeats, reordering, restarts of the sender and of the receiver.
//! Every record of a stream that keeps its records is committed exactly once.

use std::collections::{BTreeMap, BTreeSet};

use meter_proto::compact;
use meter_proto::message::{Absence, Acknowledgement, Head, Stream};
use meter_proto::outbox::{Key, MemoryStore, Outbox, OutboxStore, Quota, Refused, Timing};
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::window::{Verdict, Window};
use proptest::prelude::*;
use testkit::Rng;

type Memory = MemoryStore<256, 16_384>;

const QUOTAS: [Quota; 6] = [
    Quota {
        records: 0,
        bytes: 0,
    },
    Quota {
        records: 60,
        bytes: 4_000,
    },
    Quota {
        records: 40,
        bytes: 3_000,
    },
    Quota {
        records: 20,
        bytes: 2_000,
    },
    Quota {
        records: 10,
        bytes: 500,
    },
    Quota {
        records: 30,
        bytes: 2_000,
    },
];

fn outbox(store: Memory, boot: u32) -> Outbox<Memory, 8> {
    Outbox::new(
        store,
        boot,
        Timing {
            first_ms: 100,
            longest_ms: 1_000,
        },
        QUOTAS,
    )
}

/// The receiving side: a store with a unique key, and windows that are lost with the process.
#[derive(Default)]
struct Receiver {
    rows: BTreeMap<(u8, u32, u32), u32>,
    windows: BTreeMap<u8, Window>,
}

impl Receiver {
    fn window(&mut self, stream: Stream) -> &mut Window {
        self.windows
            .entry(stream.0)
            .or_insert_with(|| Window::new(stream))
    }

    /// After a restart the windows come from the rows alone.
    fn restart(&mut self) {
        self.windows.clear();
        let keys: Vec<_> = self.rows.keys().copied().collect();
        for (stream, boot, seq) in keys {
            self.window(Stream(stream)).commit(boot, seq);
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Option<Acknowledgement> {
        let (head, _): (Head, Absence) = compact::decode_as(bytes).unwrap();
        let (stream, boot, seq) = (head.stream, head.boot, head.seq);
        match self.window(stream).classify(boot, seq) {
            Verdict::New => {
                // The window must never call new what the store has.
                *self.rows.entry((stream.0, boot, seq)).or_default() += 1;
                self.window(stream).commit(boot, seq);
            }
            Verdict::TooOld => {
                self.rows.entry((stream.0, boot, seq)).or_insert(1);
                return Some(Window::<2>::acknowledge_one(stream, boot, seq));
            }
            Verdict::TooFar => return None,
            Verdict::Repeat => {}
            Verdict::Unnumbered => panic!("stored records have numbers"),
        }
        self.window(stream).acknowledgement(boot)
    }
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let loss = rng.below(600_000) as u32;
    let mut sender = outbox(Memory::new(), 1);
    let mut receiver = Receiver::default();
    let mut accepted: BTreeSet<(u8, u32, u32)> = BTreeSet::new();
    let mut up: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut down: Vec<(u64, Acknowledgement)> = Vec::new();
    let mut scratch = [0; 128];
    let mut now = 0;
    for step in 0..1_500u32 {
        now += rng.below(60);
        let calm = step >= 700;
        if !calm {
            let stream = *rng
                .pick(&[
                    Stream::LEGAL,
                    Stream::EVENT,
                    Stream::LEDGER,
                    Stream::TELEMETRY,
                ])
                .unwrap();
            let body = Absence {
                boot: step,
                session: step,
            };
            match sender.push(
                stream,
                0,
                Stamp::from_seconds(1, ClockQuality::LEGAL),
                &body,
                &mut scratch,
            ) {
                Ok(key) if stream != Stream::TELEMETRY => {
                    assert!(
                        accepted.insert((key.stream.0, key.boot, key.seq)),
                        "a name was used twice"
                    );
                }
                Ok(_) | Err(Refused::Full) => {}
                Err(other) => panic!("{other:?}"),
            }
            if rng.chance(10_000) {
                // Power cut: memory is gone, the store stays, the next boot was stored ahead.
                let boot = sender.boot() + 1;
                sender = outbox(sender.store().clone(), boot);
            }
            if rng.chance(10_000) {
                receiver.restart();
            }
            if rng.chance(10_000) {
                sender.handle_reconnect();
            }
        }
        while let Some(transmit) = sender.poll_transmit(now, &mut scratch).unwrap() {
            for _ in 0..1 + rng.below(2) {
                if calm || !rng.chance(loss) {
                    up.push((now + rng.below(400), scratch[..transmit.len].to_vec()));
                }
            }
        }
        for (_, bytes) in up.extract_if(.., |(at, _)| *at <= now) {
            if let Some(told) = receiver
                .receive(&bytes)
                .filter(|_| calm || !rng.chance(loss))
            {
                down.push((now + rng.below(400), told));
            }
        }
        for (_, told) in down.extract_if(.., |(at, _)| *at <= now) {
            sender.handle_acknowledgement(now, &told).unwrap();
        }
    }
    for key in &accepted {
        assert_eq!(
            receiver.rows.get(key),
            Some(&1),
            "seed {seed}, record {key:?}"
        );
    }
    assert!(receiver.rows.values().all(|count| *count == 1));
    for stream in Stream::ALL {
        assert_eq!(
            sender.store().next(stream, None).unwrap(),
            None,
            "seed {seed}: {stream:?} is not empty"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_record_exactly_once(seed: u64) {
        run(seed);
    }

    #[test]
    fn the_window_agrees_with_a_plain_set(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut window: Window = Window::new(Stream::LEGAL);
        let mut seen = BTreeSet::new();
        let mut base = 1;
        for _ in 0..600 {
            base += rng.below(3) as u32;
            let seq = base.saturating_sub(rng.below(200) as u32).max(1);
            let contiguous = (1..).find(|seq| !seen.contains(seq)).unwrap() - 1;
            let expected = match seq {
                seq if seen.contains(&seq) => Verdict::Repeat,
                seq if seq > contiguous + meter_proto::window::REACH => Verdict::TooFar,
                _ => Verdict::New,
            };
            prop_assert_eq!(window.commit(1, seq), expected);
            if expected == Verdict::New {
                seen.insert(seq);
            }
            if let Some(told) = window.acknowledgement(1) {
                let highest = seen.iter().max().copied().unwrap_or(0);
                for seq in 1..=highest + 2 {
                    prop_assert!(!told.covers(1, seq) || seen.contains(&seq));
                    if told.gaps.len() < 8 {
                        prop_assert_eq!(told.covers(1, seq), seen.contains(&seq));
                    }
                }
            }
            base = base.min(contiguous + 1_500);
        }
    }
}

#[test]
fn full_streams_follow_their_policy() {
    let mut sender = outbox(Memory::new(), 1);
    let mut scratch = [0; 128];
    let stamp = Stamp::from_seconds(1, ClockQuality::LEGAL);
    let body = Absence {
        boot: 1,
        session: 1,
    };
    let mut push = |stream| sender.push(stream, 0, stamp, &body, &mut scratch);
    for _ in 0..60 {
        assert!(push(Stream::LEGAL).is_ok());
    }
    assert_eq!(push(Stream::LEGAL), Err(Refused::Full));
    for _ in 0..25 {
        assert!(push(Stream::TELEMETRY).is_ok());
    }
    for _ in 0..10 {
        assert!(push(Stream::DIAGNOSTIC).is_ok());
    }
    assert_eq!(push(Stream::DIAGNOSTIC), Err(Refused::Dropped));
    assert_eq!(push(Stream::SESSION), Err(Refused::NoNumber));
    assert_eq!(sender.dropped(), 5 + 1);
    let first = sender.store().next(Stream::TELEMETRY, None).unwrap();
    assert_eq!(
        first,
        Some(Key {
            stream: Stream::TELEMETRY,
            boot: 1,
            seq: 6
        })
    );
    let state = sender.stream_state(Stream::TELEMETRY, 1).unwrap().unwrap();
    assert_eq!((state.floor, state.last), (5, 25));
}

#[test]
fn records_numbered_elsewhere_are_stored_once() {
    let mut sender = outbox(Memory::new(), 1);
    let key = |seq| Key {
        stream: Stream::LEGAL,
        boot: 9,
        seq,
    };
    assert_eq!(sender.push_numbered(key(2), b"two"), Ok(true));
    assert_eq!(sender.push_numbered(key(2), b"two"), Ok(false));
    let mut out = [0; 16];
    assert_eq!(
        sender
            .poll_transmit(0, &mut out)
            .unwrap()
            .map(|sent| sent.key),
        Some(key(2))
    );
    assert_eq!(sender.push_numbered(key(1), b"one"), Ok(true));
    let sent = sender.poll_transmit(0, &mut out).unwrap().unwrap();
    assert_eq!((sent.key, &out[..sent.len]), (key(1), &b"one"[..]));
    assert_eq!(sender.poll_transmit(0, &mut out).unwrap(), None);
    assert_eq!(sender.poll_timeout(), Some(100));
    // A reader who takes one record at a time gets the alarm first, then the oldest reading.
    assert_eq!(sender.oldest(&mut out), Ok(Some((key(1), 3))));
    let alarm = Key {
        stream: Stream::EVENT,
        boot: 9,
        seq: 7,
    };
    assert_eq!(sender.push_numbered(alarm, b"alarm"), Ok(true));
    assert_eq!(sender.oldest(&mut out), Ok(Some((alarm, 5))));
    let told = Window::<2>::acknowledge_one(Stream::EVENT, 9, 7);
    assert_eq!(sender.handle_acknowledgement(0, &told), Ok(1));
    assert_eq!(sender.oldest(&mut out), Ok(Some((key(1), 3))));
}
