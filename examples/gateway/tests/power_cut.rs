//! The outbox on disk against cuts at every byte, against a model, and against its quota.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gateway::outbox::{DiskStore, Origin};
use meter_proto::message::{Acknowledgement, Stream};
use meter_proto::outbox::{Key, Outbox, OutboxStore, Quota, Refused, Timing};
use proptest::prelude::*;

const SEGMENT: u64 = 256;
const ROOM: Quota = Quota {
    records: 10_000,
    bytes: 1 << 20,
};

fn open(dir: &Path) -> Outbox<DiskStore, 48> {
    let store = DiskStore::open(dir, SEGMENT, 1).unwrap();
    let boot = store.boot();
    Outbox::new(store, boot, Timing::default(), [ROOM; 6])
}

fn push(outbox: &mut Outbox<DiskStore, 48>, stream: Stream, bytes: &[u8]) -> Key {
    outbox
        .push_with(stream, &mut [0; 64], |_, out| {
            out[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        })
        .unwrap()
}

fn waiting(outbox: &mut Outbox<DiskStore, 48>, stream: Stream) -> BTreeMap<Key, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut after = None;
    while let Some(key) = outbox.store().next(stream, after).unwrap() {
        let mut out = [0; 64];
        let length = outbox.store().read(key, &mut out).unwrap().unwrap();
        found.insert(key, out[..length].to_vec());
        after = Some(key);
    }
    found
}

fn newest_segment(dir: &Path, stream: Stream) -> PathBuf {
    let entries = std::fs::read_dir(dir.join(format!("outbox/s{}", stream.0))).unwrap();
    entries.map(|entry| entry.unwrap().path()).max().unwrap()
}

#[test]
fn a_cut_at_every_byte_of_the_last_append_leaves_all_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut outbox = open(dir.path());
    push(&mut outbox, Stream::LEGAL, b"one");
    push(&mut outbox, Stream::LEGAL, b"two");
    let before = std::fs::read(newest_segment(dir.path(), Stream::LEGAL)).unwrap();
    push(&mut outbox, Stream::LEGAL, b"three");
    let path = newest_segment(dir.path(), Stream::LEGAL);
    let whole = std::fs::read(&path).unwrap();
    drop(outbox);
    for cut in before.len()..=whole.len() {
        for filling in [None, Some(0x00), Some(0xFF)] {
            let mut bytes = whole[..cut].to_vec();
            // A file system may have grown the file before it wrote the bytes.
            bytes.extend(
                filling
                    .iter()
                    .cycle()
                    .take(if filling.is_some() { 40 } else { 0 }),
            );
            std::fs::write(&path, &bytes).unwrap();
            let mut again = open(dir.path());
            let found: Vec<Vec<u8>> = waiting(&mut again, Stream::LEGAL).into_values().collect();
            let mut expected = vec![b"one".to_vec(), b"two".to_vec()];
            if cut == whole.len() {
                expected.push(b"three".to_vec());
            }
            assert_eq!(found, expected, "cut at {cut}, filled with {filling:?}");
            let key = push(&mut again, Stream::LEGAL, b"next");
            assert_eq!(
                waiting(&mut open(dir.path()), Stream::LEGAL).get(&key),
                Some(&b"next".to_vec())
            );
        }
    }
}

#[test]
fn a_changed_byte_costs_its_record_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut outbox = open(dir.path());
    let records = [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()];
    let mut ends = Vec::new();
    for record in &records {
        push(&mut outbox, Stream::EVENT, record);
        ends.push(outbox.store().bytes() as usize);
    }
    drop(outbox);
    let path = newest_segment(dir.path(), Stream::EVENT);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let hit = ends.iter().filter(|end| **end <= at).count();
        let mut again = open(dir.path());
        let found: Vec<Vec<u8>> = waiting(&mut again, Stream::EVENT).into_values().collect();
        let mut expected = records.to_vec();
        expected.remove(hit);
        assert_eq!(found, expected, "changed at {at}");
        // The last record may as well be one that a power cut tore.
        assert_eq!(again.store().damaged(), u32::from(hit < 2));
        // New records go behind what is left, and all are found again.
        push(&mut again, Stream::EVENT, b"next");
        assert_eq!(waiting(&mut open(dir.path()), Stream::EVENT).len(), 3);
    }
}

#[test]
fn a_full_stream_refuses_and_telemetry_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path(), SEGMENT, 1).unwrap();
    let boot = store.boot();
    let small = Quota {
        records: 1000,
        bytes: 1000,
    };
    let mut outbox: Outbox<DiskStore, 48> = Outbox::new(store, boot, Timing::default(), [small; 6]);
    let mut fill = |stream| {
        let mut stored = 0;
        for _ in 0..500 {
            match outbox.push_with(stream, &mut [0; 64], |_, _| Ok(20)) {
                Ok(_) => stored += 1,
                Err(Refused::Full) => break,
                Err(other) => panic!("{other}"),
            }
        }
        (stored, outbox.store().usage(stream).unwrap().records)
    };
    assert_eq!(fill(Stream::LEGAL), (50, 50));
    assert_eq!(fill(Stream::TELEMETRY), (500, 50));
    assert_eq!(outbox.dropped(), 450);
    outbox.store().tidy().unwrap();
    assert!(
        outbox.store().bytes() < 8_000,
        "{} bytes",
        outbox.store().bytes()
    );
}

#[test]
fn a_record_of_a_meter_is_taken_over_once_even_after_its_segment_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let origin = |seq| Origin {
        device: "d645-202611000001".into(),
        stream: 1,
        boot: 3,
        seq,
        digest: seq,
    };
    let mut outbox = open(dir.path());
    for seq in 1..=40 {
        assert!(!outbox.store().was_taken_over(&origin(seq)));
        outbox.store().set_origin(Some(origin(seq)));
        let key = push(&mut outbox, Stream::LEGAL, &[seq as u8; 30]);
        let ack = Acknowledgement {
            stream: Stream::LEGAL,
            boot: key.boot,
            contiguous: key.seq,
            gaps: Default::default(),
        };
        outbox.handle_acknowledgement(0, &ack).unwrap();
        outbox.store().tidy().unwrap();
    }
    assert!(
        outbox.store().bytes() < 1000,
        "acknowledged segments are deleted"
    );
    drop(outbox);
    let mut again = open(dir.path());
    for seq in 1..=40 {
        assert!(again.store().was_taken_over(&origin(seq)), "{seq}");
    }
    assert!(!again.store().was_taken_over(&origin(41)));
    assert!(!again.store().was_taken_over(&Origin {
        boot: 4,
        ..origin(1)
    }));
    // A meter that lost its memory numbers from 1 again: what it offers then is no repeat.
    assert!(!again.store().was_taken_over(&Origin {
        digest: 99,
        ..origin(1)
    }));
}

#[test]
fn what_lies_aside_stays_and_has_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let origin = |seq| Origin {
        device: "d645-202611000001".into(),
        stream: 1,
        boot: 3,
        seq,
        digest: seq,
    };
    let mut store = DiskStore::open(dir.path(), SEGMENT, 1).unwrap();
    let full = (1..).find(|seq| store.put_aside(origin(*seq), &[0xA5; 10_000]).is_err());
    assert_eq!(full, Some(105), "1 MiB");
    assert!(store.put_aside(origin(1), &[0xA5; 10_000]).is_ok());
    drop(store);
    let store = DiskStore::open(dir.path(), SEGMENT, 1).unwrap();
    assert_eq!(store.aside(), 104);
}

#[derive(Clone, Debug)]
enum Step {
    Push(u8, u8),
    Acknowledge(u8, u8),
    Restart,
    /// A cut in the middle of an append: half a record behind the last whole one, then a restart.
    Cut(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let stream = prop_oneof![Just(1_u8), Just(2), Just(5)];
    prop_oneof![
        6 => (stream.clone(), 0_u8..60).prop_map(|(stream, length)| Step::Push(stream, length)),
        3 => (stream.clone(), 0_u8..12).prop_map(|(stream, by)| Step::Acknowledge(stream, by)),
        1 => Just(Step::Restart),
        1 => (stream, 1_u8..60).prop_map(|(stream, bytes)| Step::Cut(stream, bytes)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens: what waits in the model waits on the disk, unchanged; no name is used twice.
    #[test]
    fn the_disk_agrees_with_a_model(steps in proptest::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut outbox = open(dir.path());
        let mut model: BTreeMap<Key, Vec<u8>> = BTreeMap::new();
        let mut used = std::collections::BTreeSet::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push(stream, length) => {
                    let bytes = vec![number as u8; usize::from(length)];
                    let key = push(&mut outbox, Stream(stream), &bytes);
                    prop_assert!(used.insert(key), "{key:?} twice");
                    model.insert(key, bytes);
                }
                Step::Acknowledge(stream, by) => {
                    let oldest = model.keys().find(|key| key.stream == Stream(stream)).copied();
                    let Some(oldest) = oldest else { continue };
                    let contiguous = oldest.seq + u32::from(by);
                    let ack = Acknowledgement {
                        stream: Stream(stream), boot: oldest.boot, contiguous, gaps: Default::default(),
                    };
                    outbox.handle_acknowledgement(0, &ack).unwrap();
                    outbox.store().tidy().unwrap();
                    outbox.store().flush().unwrap();
                    model.retain(|key, _| {
                        key.stream != Stream(stream) || key.boot != oldest.boot || key.seq > contiguous
                    });
                }
                Step::Restart => {
                    drop(outbox);
                    outbox = open(dir.path());
                }
                Step::Cut(stream, bytes) => {
                    drop(outbox);
                    let folder = dir.path().join(format!("outbox/s{stream}"));
                    if std::fs::read_dir(&folder).unwrap().next().is_some() {
                        let path = newest_segment(dir.path(), Stream(stream));
                        let mut whole = std::fs::read(&path).unwrap();
                        // A head that promises more than follows.
                        let torn = [[200, 0, 0, 0, 1, 2, 3, 4].as_slice(), &[0xAB; 60]].concat();
                        whole.extend_from_slice(&torn[..usize::from(bytes)]);
                        std::fs::write(&path, whole).unwrap();
                    }
                    outbox = open(dir.path());
                }
            }
            for stream in [1, 2, 5].map(Stream) {
                let found = waiting(&mut outbox, stream);
                let expected: BTreeMap<_, _> =
                    model.iter().filter(|(key, _)| key.stream == stream).map(|(k, v)| (*k, v.clone())).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
