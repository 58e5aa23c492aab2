//! What must hold between fields holds for writers and readers; what the types compute from their fields.

mod samples;

use meter_proto::device::DeviceId;
use meter_proto::error::{Error, Rule};
use meter_proto::message::*;
use meter_proto::point::PointId;
use meter_proto::quantity::Quantity;
use meter_proto::value::{Quality, Value};
use meter_proto::{cbor, compact, json};
use samples::samples;
use serde::Serialize;

fn sample(name: &str) -> Message {
    let found = samples().into_iter().find(|(sample, _)| *sample == name);
    found.unwrap().1
}

/// Refused by all three writers, and by the reader of bytes that somebody else wrote.
fn broken<T: Serialize + Into<Body> + Clone>(head: Head, body: T, rule: Rule) {
    let message = Message::new(head, body.clone());
    let refused = Err(Error::Broken { rule });
    let mut out = vec![0; 8192];
    assert_eq!(compact::encode(&message, &mut out), refused);
    assert_eq!(cbor::encode(&message, &mut out), refused);
    let text = json::encode(&message, Default::default(), &mut out);
    assert_eq!(text, Err(Error::Broken { rule }));
    let kind = message.body.kind();
    let foreign = postcard::to_slice(&(&head, &body, Ext::new()), &mut out).unwrap();
    let bytes = [&[compact::FIRST_BYTE, kind], &*foreign].concat();
    assert_eq!(compact::decode(&bytes), Err(Error::Broken { rule }));
}

/// Changes one field of a sample; the body is of the given variant.
macro_rules! with {
    ($name:literal, $variant:ident, |$body:ident| $change:expr, $rule:ident) => {{
        let message = sample($name);
        let Body::$variant(mut $body) = message.body else {
            panic!($name)
        };
        $change;
        broken(message.head, $body, Rule::$rule);
    }};
}

#[test]
fn a_broken_rule_is_refused_by_writers_and_readers() {
    with!("profile", Profile, |body| body.count = 0, Count);
    with!("profile", Profile, |body| body.step_s = 0, Count);
    with!("profile", Profile, |body| body.runs[0].count = 0, Ranges);
    with!("profile", Profile, |body| body.runs[0].count = 4, Ranges);
    with!(
        "profile",
        Profile,
        |body| body.runs.push(body.runs[0]).unwrap(),
        Ranges
    );
    with!(
        "configuration read",
        ConfigRead,
        |body| body.keys.swap(0, 1),
        Order
    );
    with!(
        "configuration read",
        ConfigRead,
        |body| body.keys[1] = body.keys[0],
        Order
    );
    with!(
        "configuration write",
        ConfigWrite,
        |body| body.new_version = 3,
        Version
    );
    with!(
        "configuration write",
        ConfigWrite,
        |body| body.entries.clear(),
        Count
    );
    with!(
        "configuration write",
        ConfigWrite,
        |body| body.entries.swap(0, 1),
        Order
    );
    with!(
        "configuration report",
        ConfigReport,
        |body| body.total = 0,
        Count
    );
    with!(
        "time answer",
        TimeAnswer,
        |body| body.sent_us = body.received_us - 1,
        Order
    );
    with!("file offer", FileOffer, |body| body.size = 0, Size);
    with!(
        "file offer",
        FileOffer,
        |body| body.size = FILE_MAX + 1,
        Size
    );
    with!("file offer", FileOffer, |body| body.block_size = 255, Size);
    with!(
        "file offer",
        FileOffer,
        |body| body.sha256.truncate(31),
        Size
    );
    with!(
        "file need",
        FileNeed,
        |body| body.status = FileStatus::COMPLETE,
        Count
    );
    with!("file need", FileNeed, |body| body.ranges.clear(), Count);
    with!(
        "file need",
        FileNeed,
        |body| body.ranges[0].count = 62,
        Ranges
    );
    with!(
        "file need",
        FileNeed,
        |body| body.ranges[1].first = u32::MAX,
        Ranges
    );
    with!(
        "file need",
        FileNeed,
        |body| body.ranges[1].count = 65_473,
        Ranges
    );
    with!("file block", FileBlock, |body| body.data.clear(), Size);
    with!(
        "file block",
        FileBlock,
        |body| body.offset = FILE_MAX - 3,
        Size
    );
    with!("file block", FileBlock, |body| body.offset = u32::MAX, Size);
    with!(
        "demand response",
        DemandResponse,
        |body| body.intervals[1].duration_s = 0,
        Count
    );
    with!("ledger", Ledger, |body| body.count = 0, Count);
    for kind in [0, 26, 63, 128, 255] {
        let bad = Vendor::try_new(kind, heapless::Vec::new());
        assert_eq!(bad, Err(Rule::Reference.into()));
    }
}

#[test]
fn a_profile_gives_its_values_with_times_and_marks() {
    let message = sample("profile");
    let Body::Profile(profile) = &message.body else {
        panic!("kind 6")
    };
    let values: Result<Vec<Value>, Error> = profile.values().unwrap().collect();
    let values = values.unwrap();
    assert_eq!(values.len(), 5);
    assert_eq!(values[0], Value::new(12_345_678, 1));
    assert_eq!(values[2].quality, Quality::POWER_FAILED);
    assert_eq!(values[4], Value::new(12_345_727, 1));
    assert_eq!(profile.first_time(&message.head), 1_795_219_200 - 4 * 900);
    let empty = Profile::try_new(PointId::new(Quantity::VOLTAGE), 0, 900, [].into_iter());
    assert_eq!(empty, Err(Rule::Count.into()));
}

#[test]
fn a_set_profile_gives_its_columns() {
    let message = sample("profile of a set");
    let (Body::Profile(profile), Body::SetDefinition(set)) =
        (&message.body, sample("set definition").body)
    else {
        panic!("kinds 6 and 3")
    };
    assert!(profile.is_of_set());
    assert_eq!(
        profile.first_time(&message.head),
        1_795_219_200 - 7200 - 2 * 60
    );
    let columns: Vec<(PointId, i8, Vec<i64>)> = profile
        .columns(&set)
        .unwrap()
        .map(|column| {
            let (point, exponent, series) = column.unwrap();
            (point, exponent, series.map(Result::unwrap).collect())
        })
        .collect();
    assert_eq!(columns[0], (set.entries[0].point, 1, vec![5, 6, 7]));
    assert_eq!(
        columns[1],
        (set.entries[1].point, -1, vec![2301, 2299, 2302])
    );
    let mut other = set.clone();
    other.number = 2;
    assert!(profile.columns(&other).is_err());
    // Every cut of the data is noticed.
    for len in 0..profile.data.len() {
        let mut cut = profile.clone();
        cut.data.truncate(len);
        let whole = cut
            .columns(&set)
            .unwrap()
            .all(|column| column.is_ok_and(|(_, _, mut series)| series.all(|value| value.is_ok())));
        assert!(!whole, "cut at {len}");
    }
    let mut long = profile.clone();
    long.data.push(0).unwrap();
    assert!(long.columns(&set).unwrap().any(|column| column.is_err()));
}

#[test]
fn demand_response_starts_where_the_page_says_and_ends() {
    let Body::DemandResponse(event) = sample("demand response").body else {
        panic!("kind 20")
    };
    let device: DeviceId = "d645-202611000001".parse().unwrap();
    // 32-bit FNV-1a over 01, the six address bytes and the id.
    let mut hash = 0x811C_9DC5u32;
    let content = [1, 0x20, 0x26, 0x11, 0, 0, 1]
        .into_iter()
        .chain(500u64.to_le_bytes());
    for byte in content {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    let delay = event.delay_s(&device);
    assert_eq!(delay, hash % 301);
    let start = event.start + u64::from(delay);
    assert_eq!(event.value_at(start - 1, delay), None);
    assert_eq!(event.value_at(start, delay), Some(Value::new(5, 3)));
    assert_eq!(
        event.value_at(start + 1800, delay),
        Some(Value::new(-25, 2))
    );
    assert_eq!(event.value_at(start + 2700, delay), None);
    let widest = DemandResponse {
        randomise_s: u32::MAX,
        ..event
    };
    assert_eq!(widest.delay_s(&device), hash);
}

#[test]
fn alarm_settings_travel_as_values_of_their_keys() {
    let Body::ConfigWrite(write) = sample("configuration write").body else {
        panic!("kind 13")
    };
    let setting = write.entries[1].alarm_setting().unwrap();
    assert_eq!(setting.limit, Value::new(264, 0));
    assert_eq!(setting.delay_s, 60);
    assert_eq!(
        ConfigEntry::alarm(2, &setting).as_ref(),
        Ok(&write.entries[1])
    );
    assert_eq!(
        write.entries[0].alarm_setting(),
        Err(Rule::Reference.into())
    );
    for len in 0..write.entries[1].value.len() {
        let mut cut = write.entries[1].clone();
        cut.value.truncate(len);
        assert!(cut.alarm_setting().is_err(), "cut at {len}");
    }
}

#[test]
fn blocks_cover_the_file() {
    let Body::FileOffer(mut offer) = sample("file offer").body else {
        panic!("kind 17")
    };
    assert_eq!(offer.blocks(), 137);
    offer.size = 512;
    assert_eq!(offer.blocks(), 1);
    offer.size = FILE_MAX;
    offer.block_size = 256;
    assert_eq!(offer.blocks(), 65_536);
    offer.check().unwrap();
}
