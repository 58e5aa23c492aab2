//! Waiting records on flash: every record exactly once at the receiver, with the power cut at every single write and
//! erase, and over long random runs with loss, repeats, reordering and restarts of both sides.

use std::collections::{BTreeMap, BTreeSet};

use meter_proto::compact;
use meter_proto::message::{Absence, Acknowledgement, Event, EventPhase, Head, Stream};
use meter_proto::outbox::{
    FileFlash, FlashStore, FlashStoreError, Key, MemoryStore, Outbox, OutboxStore, Quota, Refused,
    Timing,
};
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::window::{Verdict, Window};
use proptest::prelude::*;
use testkit::Rng;
use testkit::flash::{Cut, Flash};

/// Pages of 256 bytes hold few records: each run goes round the ring many times.
type Small = Flash<256, 4>;
type Store = FlashStore<Small, 24>;
type Sender = Outbox<Store, 8>;

const LAYOUT: [usize; 6] = [0, 6, 4, 4, 3, 4];
const PAGES: usize = 21;
const STAMP: Stamp = Stamp::from_seconds(1, ClockQuality::LEGAL);

fn quotas() -> [Quota; 6] {
    LAYOUT.map(|pages| Quota {
        records: 20,
        bytes: (pages.saturating_sub(1) * 256) as u32,
    })
}

fn sender(flash: Small, boot: u32) -> Sender {
    let timing = Timing {
        first_ms: 100,
        longest_ms: 1_000,
    };
    let store = Store::open(flash, 0, LAYOUT).unwrap();
    Outbox::new(store, boot, timing, quotas())
}

fn take_flash(sender: &mut Sender) -> Small {
    sender.store().flash().clone()
}

/// The receiving side: rows under a unique key are durable, windows are lost with the process.
#[derive(Default)]
struct Receiver {
    rows: BTreeMap<Key, (u32, u32)>,
    windows: BTreeMap<u8, Window>,
}

impl Receiver {
    fn window(&mut self, stream: Stream) -> &mut Window {
        let new = || Window::new(stream);
        self.windows.entry(stream.0).or_insert_with(new)
    }

    fn restart(&mut self) {
        self.windows.clear();
        for key in self.rows.keys().copied().collect::<Vec<_>>() {
            self.window(key.stream).commit(key.boot, key.seq);
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Option<Acknowledgement> {
        let (head, body): (Head, Absence) = compact::decode_as(bytes).expect("sent as stored");
        let (stream, boot, seq) = (head.stream, head.boot, head.seq);
        let key = Key { stream, boot, seq };
        match self.window(stream).classify(boot, seq) {
            Verdict::New => {
                let row = self.rows.entry(key).or_insert((0, body.session));
                row.0 += 1;
                self.window(stream).commit(boot, seq);
            }
            Verdict::TooOld => {
                self.rows.entry(key).or_insert((1, body.session));
                return Some(Window::<2>::acknowledge_one(stream, boot, seq));
            }
            Verdict::TooFar => return None,
            Verdict::Repeat => {
                assert_eq!(self.rows[&key].1, body.session, "one name, two contents");
            }
            Verdict::Unnumbered => panic!("stored records have numbers"),
        }
        self.window(stream).acknowledgement(boot)
    }
}

/// What the sender's application was told: taken, or not known because the power went.
#[derive(Default, Clone)]
struct Told {
    taken: BTreeMap<Key, u32>,
}

/// Pushes a record that says its number.
fn push(sender: &mut Sender, told: &mut Told, stream: Stream, number: u32) -> bool {
    let mut scratch = [0; 64];
    let body = Absence {
        boot: 0,
        session: number,
    };
    match sender.push(stream, 0, STAMP, &body, &mut scratch) {
        Ok(key) => {
            assert!(
                told.taken.insert(key, number).is_none(),
                "a name was used twice"
            );
            true
        }
        Err(Refused::Full | Refused::Dropped) => true,
        Err(Refused::Store(FlashStoreError::Flash(_))) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// One round over a perfect line; `false` when the power went.
fn exchange(sender: &mut Sender, receiver: &mut Receiver, now: u64, limit: usize) -> bool {
    let mut out = [0; 128];
    for _ in 0..limit {
        let Ok(sent) = sender.poll_transmit(now, &mut out) else {
            return false;
        };
        let Some(sent) = sent else { break };
        if let Some(told) = receiver.receive(&out[..sent.len])
            && sender.handle_acknowledgement(now, &told).is_err()
        {
            return false;
        }
    }
    true
}

fn finish(mut sender: Sender, receiver: &mut Receiver, told: &Told, context: &dyn std::fmt::Debug) {
    for round in 0..80 {
        assert!(exchange(&mut sender, receiver, round * 2_000, 64));
    }
    for (key, number) in &told.taken {
        if key.stream == Stream::TELEMETRY {
            continue; // May be overwritten.
        }
        assert_eq!(
            receiver.rows.get(key),
            Some(&(1, *number)),
            "{context:?}: {key:?}"
        );
    }
    assert!(
        receiver.rows.values().all(|(count, _)| *count == 1),
        "{context:?}"
    );
    for stream in Stream::ALL {
        assert_eq!(
            sender.store().next(stream, None),
            Ok(None),
            "{context:?}: {stream:?}"
        );
    }
}

/// A life of four boots: pushes on all streams, sends, acknowledgements, pages that fill and are erased.
fn life(sender: &mut Sender, receiver: &mut Receiver, told: &mut Told, first: u32) -> bool {
    for number in first..first + 60 {
        let stream = [
            Stream::LEGAL,
            Stream::EVENT,
            Stream::TELEMETRY,
            Stream::LEDGER,
            Stream::LEGAL,
        ][number as usize % 5];
        if !push(sender, told, stream, number) {
            return false;
        }
        if number % 4 == 3 && !exchange(sender, receiver, u64::from(number) * 5_000, 8) {
            return false;
        }
    }
    true
}

#[test]
fn power_cut_at_every_write_and_erase() {
    // Worn in: pages of every stream were erased before, some records wait.
    let mut start = sender(Small::new(PAGES, 5), 1);
    let (mut receiver, mut told) = (Receiver::default(), Told::default());
    for round in 0..6 {
        assert!(life(&mut start, &mut receiver, &mut told, round * 100));
    }
    let before = take_flash(&mut start);
    let rows = receiver.rows.clone();

    let run = |flash: Small| {
        let mut told = told.clone();
        let mut receiver = Receiver {
            rows: rows.clone(),
            ..Receiver::default()
        };
        receiver.restart();
        let mut sender = sender(flash, 2);
        let done = life(&mut sender, &mut receiver, &mut told, 1_000);
        (done, take_flash(&mut sender), receiver, told)
    };
    let (done, flash, mut all, whole) = run(before.clone());
    assert!(done);
    let steps = flash.steps() - before.steps();
    let erased: u32 = flash.erases().iter().sum::<u32>() - before.erases().iter().sum::<u32>();
    assert!(steps > 150 && erased >= 3, "{steps} steps, {erased} erases");
    finish(sender(flash, 3), &mut all, &whole, &"uncut");

    for step in 0..steps {
        for cut in [Cut::Before(step), Cut::Inside(step)] {
            let mut flash = before.clone();
            flash.cut(cut);
            let (done, mut flash, mut receiver, told) = run(flash);
            assert!(!done && flash.is_lost(), "{cut:?} was not met");
            flash.restore();
            if step % 3 == 0 {
                receiver.restart();
            }
            // A second life on what the first one left, then everything arrives.
            let (mut next, mut told) = (sender(flash, 3), told);
            assert!(life(&mut next, &mut receiver, &mut told, 2_000), "{cut:?}");
            finish(next, &mut receiver, &told, &cut);
        }
    }
    println!(
        "power cut at {steps} writes and erases, before and inside: every record exactly once"
    );
}

/// Everything at once, under one seed.
fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let loss = rng.below(500_000) as u32;
    let mut boot = 1;
    let mut sending = sender(Small::new(PAGES, seed), boot);
    let mut receiver = Receiver::default();
    let mut told = Told::default();
    let mut up: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut down: Vec<(u64, Acknowledgement)> = Vec::new();
    let mut out = [0; 128];
    let mut now = 0;
    for step in 0..900u32 {
        now += rng.below(60);
        let calm = step >= 500;
        let mut alive = true;
        if !calm {
            if rng.chance(30_000) {
                let cut = rng.below(40);
                let cut = *rng.pick(&[Cut::Before(cut), Cut::Inside(cut)]).unwrap();
                sending.store().flash_mut().cut(cut);
            }
            let streams = [
                Stream::LEGAL,
                Stream::EVENT,
                Stream::LEDGER,
                Stream::TELEMETRY,
            ];
            alive = push(&mut sending, &mut told, *rng.pick(&streams).unwrap(), step);
            if rng.chance(10_000) {
                receiver.restart();
            }
            if rng.chance(10_000) {
                sending.handle_reconnect();
            }
        }
        while alive {
            let Ok(sent) = sending.poll_transmit(now, &mut out) else {
                alive = false;
                break;
            };
            let Some(sent) = sent else { break };
            for _ in 0..1 + rng.below(2) {
                if calm || !rng.chance(loss) {
                    up.push((now + rng.below(400), out[..sent.len].to_vec()));
                }
            }
        }
        for (_, bytes) in up.extract_if(.., |(at, _)| *at <= now) {
            if let Some(answer) = receiver
                .receive(&bytes)
                .filter(|_| calm || !rng.chance(loss))
            {
                down.push((now + rng.below(400), answer));
            }
        }
        for (_, answer) in down.extract_if(.., |(at, _)| *at <= now) {
            alive &= sending.handle_acknowledgement(now, &answer).is_ok();
        }
        if !alive || (!calm && rng.chance(5_000)) {
            let mut flash = take_flash(&mut sending);
            flash.restore();
            boot += 1;
            sending = sender(flash, boot);
        }
    }
    take_flash(&mut sending).restore();
    finish(sending, &mut receiver, &told, &seed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_exactly_once_over_flash(seed: u64) {
        run(seed);
    }

    /// The flash store and the memory store give the same answers to the same calls.
    #[test]
    fn the_store_agrees_with_a_plain_one(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut flash = Store::open(Small::new(PAGES, seed), 0, LAYOUT).unwrap();
        let mut plain: MemoryStore<256, 16_384> = MemoryStore::new();
        for _ in 0..400 {
            let stream = Stream(1 + rng.below(5) as u8);
            let key = Key { stream, boot: 1 + rng.below(3) as u32, seq: 1 + rng.below(30) as u32 };
            match rng.below(6) {
                0..=2 => {
                    let len = rng.below(90) as usize;
                    let bytes = rng.bytes(len);
                    let mut out = [0; 128];
                    if plain.read(key, &mut out).unwrap().is_none() {
                        match flash.append(key, &bytes) {
                            Ok(()) => plain.append(key, &bytes).unwrap(),
                            Err(FlashStoreError::Full) => prop_assert_eq!(flash.has_room(stream, bytes.len()), Ok(false)),
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                }
                3 => {
                    flash.remove(key).unwrap();
                    plain.remove(key).unwrap();
                }
                4 => {
                    flash = Store::open(flash.into_flash(), 0, LAYOUT).unwrap();
                    prop_assert_eq!(flash.damaged(), 0);
                }
                _ => {
                    let (mut ours, mut theirs) = ([0; 128], [0; 128]);
                    prop_assert_eq!(flash.read(key, &mut ours).unwrap(), plain.read(key, &mut theirs).unwrap());
                    prop_assert_eq!(ours, theirs);
                }
            }
            let after = rng.chance(500_000).then_some(key);
            prop_assert_eq!(flash.next(stream, after).unwrap(), plain.next(stream, after).unwrap());
            prop_assert_eq!(flash.usage(stream).unwrap(), plain.usage(stream).unwrap());
        }
    }
}

#[test]
fn a_full_stream_stops_alone_and_says_so_once() {
    let mut sender = sender(Small::new(PAGES, 1), 1);
    let mut told = Told::default();
    for number in 0..60 {
        assert!(push(&mut sender, &mut told, Stream::LEGAL, number));
    }
    let waiting = sender.store().usage(Stream::LEGAL).unwrap();
    assert!((15..60).contains(&waiting.records));
    assert_eq!(sender.poll_full(), Some(Stream::LEGAL));
    assert_eq!(sender.poll_full(), None);
    assert!(push(&mut sender, &mut told, Stream::LEGAL, 60));
    assert_eq!(sender.poll_full(), None, "once until it has room again");
    for number in 0..200 {
        assert!(push(&mut sender, &mut told, Stream::TELEMETRY, number));
    }
    assert!(sender.dropped() > 150);
    assert_eq!(
        sender.store().usage(Stream::LEGAL),
        Ok(waiting),
        "another stream takes no room"
    );
    let first = sender.store().next(Stream::LEGAL, None).unwrap().unwrap();
    assert_eq!(first.seq, 1, "nothing unacknowledged was overwritten");
    let acknowledgement = Window::<2>::acknowledge_one(Stream::LEGAL, 1, 1);
    assert_eq!(sender.handle_acknowledgement(0, &acknowledgement), Ok(1));
    for number in 100..104 {
        assert!(push(&mut sender, &mut told, Stream::LEGAL, number));
    }
    assert_eq!(sender.poll_full(), Some(Stream::LEGAL));
}

#[test]
fn alarms_still_raised_go_first_then_the_fresh_snapshot_then_the_backlog() {
    let mut sender = sender(Small::new(PAGES, 1), 1);
    let (mut scratch, mut told) = ([0; 64], Told::default());
    let event = |instance, phase| Event {
        code: Event::OVER_VOLTAGE,
        severity: 5,
        phase,
        instance,
        point: PointId::from_bits(0),
        value: None,
        limit: None,
    };
    push(&mut sender, &mut told, Stream::LEGAL, 1);
    let mut alarm = |sender: &mut Sender, instance, phase| {
        let event = event(instance, phase);
        sender.push_event(0, STAMP, &event, &mut scratch).unwrap()
    };
    let _ = alarm(&mut sender, 1, EventPhase::RAISED);
    let second = alarm(&mut sender, 2, EventPhase::RAISED);
    let _ = alarm(&mut sender, 1, EventPhase::CLEARED);
    let third = alarm(&mut sender, 3, EventPhase::RAISED);
    // The power goes: the alarms are found again among the records.
    let mut sender = self::sender(take_flash(&mut sender), 2);
    let mut out = [0; 128];
    sender.recover_alarms(&mut out).unwrap();
    sender.handle_reconnect();
    push(&mut sender, &mut told, Stream::TELEMETRY, 9);
    let fresh = sender
        .store()
        .next(Stream::TELEMETRY, None)
        .unwrap()
        .unwrap();
    assert!(sender.hurry(fresh));
    let mut order = Vec::new();
    while let Some(sent) = sender.poll_transmit(0, &mut out).unwrap() {
        order.push(sent.key);
    }
    assert_eq!(order[..3], [second, third, fresh]);
    assert_eq!(order.len(), 6);
    let streams: Vec<u8> = order[3..].iter().map(|key| key.stream.0).collect();
    assert_eq!(streams, [2, 2, 1]);
    let unique: BTreeSet<Key> = order.into_iter().collect();
    assert_eq!(unique.len(), 6, "none goes twice");
}

#[test]
fn damage_costs_its_record_and_none_behind_it() {
    let mut store = Store::open(Small::new(PAGES, 1), 0, LAYOUT).unwrap();
    let key = |seq| Key {
        stream: Stream::LEGAL,
        boot: 1,
        seq,
    };
    for seq in 1..=12 {
        store.append(key(seq), &[seq as u8; 40]).unwrap();
    }
    let whole = store.into_flash();
    for at in 0..512 {
        let mut flash = whole.clone();
        flash.bytes_mut()[at] ^= 0x10;
        let mut store = Store::open(flash, 0, LAYOUT).unwrap();
        let mut out = [0; 64];
        let good = (1..=12).filter(|seq| {
            store.read(key(*seq), &mut out) == Ok(Some(40)) && out[..40] == [*seq as u8; 40]
        });
        let good = good.count();
        let page_head = at % 256 < 16;
        assert!(
            good == 12 || good == 11 || page_head,
            "byte {at}: {good} left"
        );
        // Whatever was hit, the stream goes on.
        store.append(key(13), b"next").unwrap();
        assert_eq!(store.next(Stream::LEGAL, Some(key(12))), Ok(Some(key(13))));
    }
}

#[test]
fn an_unreadable_record_holds_nothing_up() {
    let mut sender = sender(Small::new(PAGES, 1), 1);
    let mut told = Told::default();
    for number in 0..3 {
        push(&mut sender, &mut told, Stream::LEGAL, number);
    }
    // A byte of the first record's body goes bad while the sender runs.
    let at = 16 + 20 + 2;
    sender.store().flash_mut().bytes_mut()[at] ^= 1;
    let mut out = [0; 128];
    let mut seqs = Vec::new();
    while let Some(sent) = sender.poll_transmit(0, &mut out).unwrap() {
        seqs.push(sent.key.seq);
    }
    assert_eq!((seqs, sender.unreadable()), (vec![2, 3], 1));
    let oldest = sender.oldest(&mut out).unwrap().map(|(key, _)| key.seq);
    assert_eq!(oldest, Some(2));
}

#[test]
fn flash_that_does_not_fit_is_refused() {
    let open = |pages, start, layout| Store::open(Small::new(pages, 1), start, layout).err();
    assert_eq!(open(20, 0, LAYOUT), Some(FlashStoreError::Layout));
    assert_eq!(open(21, 4, LAYOUT), Some(FlashStoreError::Layout));
    assert_eq!(
        open(99, 0, [0, 9, 9, 9, 9, 9]),
        Some(FlashStoreError::Layout)
    );
    assert_eq!(
        open(99, 0, [1, 2, 2, 2, 2, 2]),
        Some(FlashStoreError::Layout)
    );
    assert_eq!(open(30, 512, LAYOUT), None);
    let mut store = Store::open(Small::new(PAGES, 1), 0, LAYOUT).unwrap();
    let key = Key {
        stream: Stream::EVENT,
        boot: 1,
        seq: 1,
    };
    assert_eq!(store.append(key, &vec![7; Store::RECORD_MAX]), Ok(()));
    let capacity = Store::RECORD_MAX;
    let too_long = FlashStoreError::TooLong {
        len: capacity + 1,
        capacity,
    };
    assert_eq!(store.append(key, &vec![7; capacity + 1]), Err(too_long));
}

#[test]
fn other_words_of_flash() {
    fn go<const WORD: usize>() {
        let mut store: FlashStore<Flash<512, WORD>, 8> =
            FlashStore::open(Flash::new(4, 1), 0, [0, 2, 2, 0, 0, 0]).unwrap();
        for round in 0..40u32 {
            for stream in [Stream::LEGAL, Stream::EVENT] {
                let key = Key {
                    stream,
                    boot: 1,
                    seq: round,
                };
                let body = vec![round as u8; round as usize];
                store.append(key, &body).unwrap();
                store = FlashStore::open(store.into_flash(), 0, [0, 2, 2, 0, 0, 0]).unwrap();
                let mut out = [0; 64];
                assert_eq!(store.read(key, &mut out), Ok(Some(body.len())));
                assert_eq!(out[..body.len()], body);
                store.remove(key).unwrap();
                assert_eq!(store.usage(stream), Ok(Quota::NONE));
            }
        }
    }
    go::<1>();
    go::<2>();
    go::<8>();
    go::<16>();
    go::<32>();
}

#[test]
fn records_survive_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records");
    let open = || {
        let flash = FileFlash::open(&path, 8).unwrap();
        FlashStore::<_, 8>::open(flash, 0, [0, 2, 2, 0, 0, 2]).unwrap()
    };
    let key = |seq| Key {
        stream: Stream::LEDGER,
        boot: 3,
        seq,
    };
    let mut store = open();
    for seq in 1..=300 {
        store
            .append(key(seq), format!("movement {seq}").as_bytes())
            .unwrap();
        if seq > 10 {
            store.remove(key(seq - 10)).unwrap();
        }
    }
    drop(store);
    let mut store = open();
    let mut out = [0; 64];
    assert_eq!(store.usage(Stream::LEDGER).unwrap().records, 10);
    let len = store.read(key(300), &mut out).unwrap().unwrap();
    assert_eq!(&out[..len], b"movement 300");
    assert_eq!(store.read(key(290), &mut out), Ok(None));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 8 * 4096);
}
