//! Random and damaged bytes at every port: everything goes on, nothing is lost, each refusal is counted and shown.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use meter_proto::message::{Body, Message, Stream};
use meter_proto::topic::Topic;
use serde_json::Value;
use support::attack::{self, Frames};
use support::house::{ExtraLine, GATEWAY, METERS, WATER};
use support::program::Program;
use support::{House, free_port, liar, mqtt, until};
use testkit::cases;

/// Bad frames for each port.
const FRAMES: usize = 10_000;
/// Frames on one connection of the broker and of the platform's page.
const TOGETHER: usize = 10;
const SEED: u64 = 0x0BAD_5EED;

const LIAR: &str = "d645-202611000008";
const WATER_LIAR: &str = "c188-1020261100000009";

#[test]
fn ten_thousand_bad_frames_to_every_port() {
    let lines = [
        ExtraLine {
            port: free_port(),
            protocol: "dlt645",
            device: LIAR,
        },
        ExtraLine {
            port: free_port(),
            protocol: "cjt188",
            device: WATER_LIAR,
        },
    ];
    let liars = [
        liar::start(
            lines[0].port,
            Frames::new(SEED, electricity_frames("202611000008")),
        ),
        liar::start(
            lines[1].port,
            Frames::new(SEED + 1, water_frames("1020261100000009")),
        ),
    ];
    let mut house = House::new(&lines);
    house.start_all();
    until("the first records", 40, || house.records().count() > 20);
    let api = house.api();
    let before = counts(&api);

    let (http, broker) = (house.http, house.mqtt);
    let (meter, water) = (house.meter_ports[0], house.water_port);
    let password = house.mqtt_password.clone();
    let (raw, logins, own, foreign) = std::thread::scope(|scope| {
        scope.spawn(|| {
            attack::flood(
                meter,
                &mut Frames::new(SEED + 2, electricity_frames("202611000001")),
                FRAMES,
            )
        });
        scope.spawn(|| {
            attack::flood(
                water,
                &mut Frames::new(SEED + 3, water_frames("1020261100000004")),
                FRAMES,
            )
        });
        scope.spawn(|| page(http));
        let raw = scope.spawn(|| broker_garbage(broker));
        let junk = scope.spawn(|| broker_junk(broker, &password));
        let (raw, logins) = raw.join().unwrap();
        let (own, foreign) = junk.join().unwrap();
        (raw, logins, own, foreign)
    });
    let crowd: Vec<_> = (0..80).map(|_| attack::connect(meter)).collect();
    let meter = house.meters[0].as_ref().unwrap();
    until("connections turned away", 20, || {
        meter.fresh()["status"]["connections_refused"].as_u64() > Some(0)
    });
    drop(crowd);
    until("the liars' frames", 60, || {
        liars
            .iter()
            .map(|sent| sent.load(Ordering::Relaxed))
            .sum::<u64>()
            >= FRAMES as u64
    });

    // Everything runs, and the values of all honest meters go on.
    assert!(house.all_run());
    let sign = |id: &str| api.get(&format!("devices/{id}"))["last_seen"].as_u64();
    for id in METERS.into_iter().chain([WATER]) {
        let seen = sign(id);
        until("live values after the flood", 30, || sign(id) > seen);
    }

    // Each refusal was counted where people look.
    let meter = house.meters[0].as_ref().unwrap().fresh();
    let water = house.water.as_ref().unwrap().fresh();
    for status in [&meter, &water] {
        let refused = &status["status"]["refused"];
        let known = ["bad_frames", "not_understood", "requests"]
            .map(|name| refused[name].as_u64().unwrap());
        println!("{}: {refused}", status["status"]["id"]);
        assert!(
            known.iter().sum::<u64>() + refused["noise_bytes"].as_u64().unwrap() >= FRAMES as u64,
            "{refused}"
        );
        assert!(known[0] > 500, "{refused}");
    }
    let gateway = house.gateway.as_ref().unwrap().fresh();
    println!("gateway: {}", gateway["refusals"]);
    assert!(
        gateway["refusals"]["line: bad frame"].as_u64() > Some(500),
        "{gateway}"
    );
    for liar in [LIAR, WATER_LIAR] {
        assert!(
            gateway["devices"][liar]["timeouts"].as_u64() > Some(0),
            "{gateway}"
        );
    }
    let after = counts(&api);
    let grown: BTreeMap<_, _> = after
        .iter()
        .map(|(name, count)| (name.as_str(), count - before[name]))
        .collect();
    println!(
        "platform: {grown:?}; sent: {raw} broken, {logins} logins, {own} on own topics, {foreign} on others"
    );
    assert_eq!(grown["refused_logins"], logins);
    assert_eq!(
        grown["bad_topics"] + grown["bad_envelopes"] + grown["bad_messages"],
        own
    );
    assert_eq!(grown["refused_topics"], foreign);
    assert!(grown["refused_requests"] > 100, "{grown:?}");
    // What is no MQTT packet and no HTTP request: a connection each, of many frames.
    let connections = FRAMES as u64 / TOGETHER as u64;
    assert!(
        grown["broken_packets"] >= raw / TOGETHER as u64,
        "{grown:?} of {raw}"
    );
    assert!(grown["broken_requests"] >= connections / 2, "{grown:?}");

    // And nothing is lost.
    let ends = house.drain();
    let records = house.records();
    for (id, end) in METERS.into_iter().zip(&ends) {
        let sealed = records.sealed(id);
        let highest = support::records::check(id, &sealed, &house.keys(id));
        assert_eq!(highest, BTreeMap::from([house.ended[id]]), "{id}: {end}");
        println!("{id}: {} records, none missing", sealed.len());
    }
    assert!(house.all_run());
    for program in [house.cloud.take(), house.gateway.take(), house.water.take()]
        .into_iter()
        .flatten()
    {
        Program::interrupt(program);
    }
    house.assert_no_panic();
}

fn counts(api: &support::api::Api) -> BTreeMap<String, u64> {
    let Value::Object(counts) = api.get("diagnostics")["counts"].take() else {
        panic!("no counts")
    };
    counts
        .into_iter()
        .map(|(name, count)| (name, count.as_u64().unwrap()))
        .collect()
}

fn electricity_frames(digits: &str) -> Vec<Vec<u8>> {
    let mut frames = attack::recorded("2007");
    let read = |id: [u8; 4]| attack::dlt645(digits, 0x11, &id);
    frames.extend([
        read([0x00, 0x00, 0x01, 0x00]),
        read([0x00, 0xFF, 0x01, 0x02]),
        // An answer, a write and a relay order with a wrong password, a private command with junk in it.
        attack::dlt645(
            digits,
            0x91,
            &[0x00, 0xFF, 0x01, 0x02, 0x01, 0x23, 0xFF, 0xFF],
        ),
        attack::dlt645(
            digits,
            0x14,
            &[0x01, 0x01, 0x00, 0x04, 2, 9, 9, 9, 1, 2, 3, 4, 1, 2, 3, 4],
        ),
        attack::dlt645(
            digits,
            0x1C,
            &[2, 9, 9, 9, 1, 2, 3, 4, 0x1A, 0, 1, 2, 3, 4, 5, 6],
        ),
        attack::dlt645(
            digits,
            0x03,
            &[
                0x03, 0x50, 0x4D, 0x0E, 1, 2, 3, 4, 0x21, 10, 0, 0, 0, 1, 2, 3,
            ],
        ),
    ]);
    frames
}

fn water_frames(digits: &str) -> Vec<Vec<u8>> {
    let mut frames = attack::recorded("cjt188");
    frames.extend([
        attack::cjt188(digits, 0x01, &[0x1F, 0x90, 0]),
        attack::cjt188(digits, 0x81, &[0x1F, 0x90, 0, 1, 2, 3, 4, 0x2C]),
    ]);
    frames
}

/// Garbage in front of a login, broken logins, packets beyond the limit, and wrong passwords: how many were only
/// broken, and how many well-formed logins there were among them.
fn broker_garbage(port: u16) -> (u64, u64) {
    let good = vec![
        mqtt::connect("x", "reader", "wrong"),
        mqtt::publish("m1/00/x/s", 1, b"?"),
        mqtt::subscribe("#", 2),
        mqtt::PINGREQ.to_vec(),
    ];
    let mut frames = Frames::new(SEED + 4, good);
    let (mut broken, mut logins) = (0, 0);
    for round in 0..FRAMES / 2 / TOGETHER {
        if round % 20 == 0 {
            let answer = attack::send(
                port,
                &mqtt::connect(&format!("guess-{round}"), GATEWAY, "guessed"),
            );
            // CONNACK: bad user name or password.
            assert_eq!(answer, [0x20, 2, 0, 4]);
            logins += 1;
        } else if round % 20 == 1 {
            // A length beyond everything that is allowed, then bytes until the other side has had enough.
            let mut bytes = vec![0x30, 0xFF, 0xFF, 0xFF, 0x7F];
            bytes.resize(200_000, 0xAA);
            attack::send(port, &bytes);
            broken += 1;
        } else {
            // The first byte is that of no CONNECT: nothing behind it is a login.
            let mut bytes = vec![0x30 | frames.rng().byte() & 0x0F];
            bytes.extend((0..TOGETHER).flat_map(|_| frames.bad()));
            attack::send(port, &bytes);
            broken += TOGETHER as u64;
        }
    }
    (broken, logins)
}

/// Junk from somebody who has the gateway's own password: how many messages on its own topics, how many
/// publications and subscriptions elsewhere.
fn broker_junk(port: u16, password: &str) -> (u64, u64) {
    let envelopes = cases::load("security/v1_envelope.json");
    let messages = cases::load("meter-proto/messages-v1.json");
    let hex = |row: &Value, name: &str| cases::hex(row[name].as_str().unwrap());
    let mut payloads: Vec<Vec<u8>> = cases::cases(&envelopes)
        .iter()
        .map(|row| hex(row, "message"))
        .collect();
    for form in ["compact", "cbor"] {
        payloads.extend(cases::cases(&messages).iter().map(|row| hex(row, form)));
    }
    let mut frames = Frames::new(SEED + 5, payloads);
    let device: meter_proto::device::DeviceId = GATEWAY.parse().unwrap();
    let other: meter_proto::device::DeviceId = "gw-202611000999".parse().unwrap();
    let up = |device, stream| Topic::Up { device, stream }.text().to_string();
    let streams = [
        Stream::SESSION,
        Stream::LEGAL,
        Stream::EVENT,
        Stream::TELEMETRY,
        Stream::LEDGER,
        Stream(77),
    ];
    let mut places: Vec<String> = streams
        .into_iter()
        .map(|stream| up(device, stream))
        .collect();
    places.push(format!("{}/more", places[0]));
    let forbidden = [
        up(other, Stream::LEGAL),
        Topic::Down { device }.text().to_string(),
        Topic::Down { device: other }.text().to_string(),
        "m1".into(),
        "$SYS/broker".into(),
    ];
    let (mut own, mut foreign) = (0, 0);
    for round in 0..FRAMES / 2 / (10 * TOGETHER) {
        let mut bytes = mqtt::connect(&format!("junk-{round}"), GATEWAY, password);
        for number in 0..10 * TOGETHER {
            let payload = frames.bad();
            let packet = number as u16 + 1;
            match number % 10 {
                8 => {
                    let place = frames.rng().pick(&forbidden).unwrap();
                    bytes.extend(mqtt::publish(place, packet, &payload));
                    foreign += 1;
                }
                9 => {
                    bytes.extend(mqtt::subscribe(
                        ["m1/#", "#", "m1/+/+/d"][number / 10 % 3],
                        packet,
                    ));
                    foreign += 1;
                }
                _ => {
                    let place = frames.rng().pick(&places).unwrap();
                    bytes.extend(mqtt::publish(place, packet, &payload));
                    own += u64::from(!(*place == places[0] && is_absence(&payload)));
                }
            }
        }
        bytes.extend(mqtt::DISCONNECT);
        let answer = attack::send(port, &bytes);
        assert_eq!(
            answer.get(..4),
            Some(&[0x20, 2, 0, 0][..]),
            "the login was good"
        );
    }
    (own, foreign)
}

/// A will is spoken by the broker and cannot be sealed: in the session stream it is taken, and proves nothing.
fn is_absence(payload: &[u8]) -> bool {
    matches!(
        meter_proto::form::decode(payload),
        Ok(Message {
            body: Body::Absence(_),
            ..
        })
    )
}

/// Broken requests, requests for what is not there, and requests without a session.
fn page(port: u16) {
    let request = |text: &str| text.replace('\n', "\r\n").into_bytes();
    let good = vec![
        request("GET /api/v1/devices HTTP/1.1\nHost: x\nConnection: close\n\n"),
        request("GET /web/../../root.key HTTP/1.1\nHost: x\nConnection: close\n\n"),
        request(
            "POST /api/v1/login HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 9\nConnection: close\n\n{\"user\":1",
        ),
        request(
            "POST /api/v1/logout HTTP/1.1\nHost: x\nCookie: meterkit_session=00ff\nConnection: close\n\n",
        ),
    ];
    for bytes in &good {
        let answer = attack::ask(port, bytes);
        assert!(
            answer.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let mut frames = Frames::new(SEED + 6, good.clone());
    for round in 0..FRAMES / TOGETHER {
        if round % 5 == 0 {
            attack::ask(port, &good[if round % 2 == 0 { 0 } else { 3 }]);
        }
        let bytes: Vec<u8> = (0..TOGETHER).flat_map(|_| frames.bad()).collect();
        attack::send(port, &bytes);
    }
}
