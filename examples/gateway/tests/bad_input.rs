//! Random and damaged bytes from both sides: the gateway stays up, counts them and goes on with its work.

mod support;

use std::sync::{Arc, Mutex};

use meter_proto::message::{Acknowledgement, Head, Message, Stream};
use meter_proto::time::{ClockQuality, Stamp};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::{Broker, Cloud, MeterState, config, encode, serve_meter, until};

const COUNT: usize = 10_000;

/// Half random bytes, half copies of `good` with one to three bytes changed or cut off.
fn bad(good: &[Vec<u8>], seed: u8) -> Vec<Vec<u8>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let random = proptest::collection::vec(0_u8..=255, 0..80);
    let edits = (
        0..good.len(),
        proptest::collection::vec((0_usize..400, 0_u8..=255), 1..4),
        0_usize..300,
    );
    let mut draw = |index: usize| {
        if index.is_multiple_of(2) {
            return random.new_tree(&mut runner).unwrap().current();
        }
        let (which, edits, cut) = edits.new_tree(&mut runner).unwrap().current();
        let mut bytes = good[which].clone();
        for (at, value) in edits {
            let at = at % bytes.len();
            bytes[at] ^= value | 1;
        }
        if cut < bytes.len() / 2 {
            bytes.truncate(bytes.len() - cut);
        }
        bytes
    };
    (0..COUNT).map(&mut draw).collect()
}

fn frame(control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![
        0x68,
        0x01,
        0x00,
        0x00,
        0x11,
        0x26,
        0x20,
        0x68,
        control,
        data.len() as u8,
    ];
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    bytes.push(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
    bytes.push(0x16);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_on_the_line_and_on_the_down_topic() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let meter = Arc::new(Mutex::new(MeterState::default()));
    let mut config = config(
        dir.path(),
        broker.port,
        serve_meter(Arc::clone(&meter)).await,
    );
    config.lines[0].devices[0].poll_ms = 20;
    config.lines[0].devices[0].record_ms = 20;
    let cloud = Cloud::start(broker.port);
    let running = gateway::start(config, gateway::system_clock())
        .await
        .unwrap();
    until("live values", 10, || {
        !cloud.seen.lock().unwrap().committed.is_empty()
    })
    .await;

    let answers = [
        frame(0x91, &[0x00, 0xFF, 0x01, 0x02, 0x01, 0x23, 0xFF, 0xFF]),
        frame(0xD1, &[0x02]),
        frame(0xB1, &[0x01, 0x50, 0x4D, 0x0E, 0x21, 0x19, 0x00]),
    ];
    meter.lock().unwrap().garbage = bad(&answers, 1);
    let stamp = Stamp::from_seconds(0, ClockQuality::NETWORK);
    let ack = Acknowledgement {
        stream: Stream::LEGAL,
        boot: 1,
        contiguous: 5,
        gaps: Default::default(),
    };
    let plain = encode(&Message::new(Head::session(1, stamp), ack));
    let mut sealed = vec![
        0x11, 0x04, 0x00, 0x01, 0x20, 0x26, 0x11, 0x00, 0x01, 0x00, 0, 0, 0, 0, 0, 9,
    ];
    sealed.extend_from_slice(&[0xA5; 40]);
    let topic = Cloud::down_topic();
    let refused = || {
        running
            .status()
            .refusals
            .get("down: not opened")
            .copied()
            .unwrap_or(0)
    };
    let mut sent = 0;
    for part in bad(&[plain, sealed], 2).chunks(500) {
        part.iter()
            .for_each(|payload| cloud.raw(&topic, payload.clone()));
        sent += part.len() as u64;
        // A broker throws away what a slow subscriber leaves lying.
        until("every bad payload to be counted", 30, || refused() >= sent).await;
    }
    until("all bad frames to be sent", 60, || {
        meter.lock().unwrap().garbage.is_empty()
    })
    .await;
    assert_eq!(refused(), COUNT as u64);
    assert!(
        running.status().refusals["line: bad frame"] > 100,
        "{:?}",
        running.status().refusals
    );

    // And it works on.
    (0..20).for_each(|_| meter.lock().unwrap().make_record());
    until("records after the flood", 20, || cloud.legal().len() == 20).await;
    assert!(running.status().devices[support::METER].online);
    println!("{}", serde_json::to_string(&running.status()).unwrap());
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_nobody_understands_does_not_hold_up_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let meter = Arc::new(Mutex::new(MeterState::default()));
    {
        let mut meter = meter.lock().unwrap();
        (0..4).for_each(|_| meter.make_record());
        // A kind of a later version; then a stream that is not stored.
        meter.records.get_mut(&2).unwrap()[1] = 0xFE;
        let head = Head {
            node: 0,
            stream: Stream::DIAGNOSTIC,
            boot: 1,
            seq: 3,
            stamp: Stamp::from_seconds(1_800_000_000, ClockQuality::LEGAL),
        };
        let ack = Acknowledgement {
            stream: Stream::LEGAL,
            boot: 1,
            contiguous: 5,
            gaps: Default::default(),
        };
        meter.records.insert(3, encode(&Message::new(head, ack)));
    }
    let mut config = config(dir.path(), 1, serve_meter(Arc::clone(&meter)).await);
    config.lines[0].devices[0].record_ms = 20;
    let running = gateway::start(config, gateway::system_clock())
        .await
        .unwrap();
    until("the meter to be empty", 10, || {
        meter.lock().unwrap().records.is_empty()
    })
    .await;
    let status = running.status();
    assert_eq!(status.aside, 2);
    assert_eq!(status.waiting[&Stream::LEGAL.0], 2);
    assert_eq!(status.refusals["record: put aside"], 2);
    assert_eq!(status.refusals["record: not understood"], 2);
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meter_that_lost_its_memory_loses_no_record_more() {
    let dir = tempfile::tempdir().unwrap();
    let meter = Arc::new(Mutex::new(MeterState::default()));
    (0..3).for_each(|_| meter.lock().unwrap().make_record());
    let mut config = config(dir.path(), 1, serve_meter(Arc::clone(&meter)).await);
    config.lines[0].devices[0].record_ms = 20;
    let running = gateway::start(config, gateway::system_clock())
        .await
        .unwrap();
    let empty = || meter.lock().unwrap().records.is_empty();
    until("the first three", 10, empty).await;
    {
        let mut meter = meter.lock().unwrap();
        meter.next_seq = 0;
        (0..3).for_each(|_| meter.make_record());
        // The same names, other contents.
        for record in meter.records.values_mut() {
            let inside = record.len() - 5;
            record[inside] ^= 1;
        }
    }
    until("the other three", 10, empty).await;
    assert_eq!(running.status().waiting[&Stream::LEGAL.0], 6);
    assert_eq!(running.status().devices[support::METER].repeats, 0);
    running.shutdown().await;
}
