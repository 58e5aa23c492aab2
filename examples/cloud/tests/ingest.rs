//! Records: committed before they are acknowledged, each once, and nothing bad stops the rest.

mod house;

use house::{GATEWAY, Gateway, House, IMPORT, PREPAID, Person, SOLAR, THREE_PHASE, until};
use meter_proto::message::{
    Body, DeviceKind, Event, EventPhase, Head, Message, Registration, Stream, StreamState,
};
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_block_is_stored_once_however_often_it_comes() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    for seq in 1..=20 {
        let values = [(IMPORT, Value::new(10_000 + i64::from(seq), -1))];
        let block = gateway.legal(PREPAID, seq, 3, seq, &values);
        gateway.publish(Stream::LEGAL, block.clone()).await;
        // The broker acknowledged, so it is on disk now.
        assert_eq!(house.sealed_count(PREPAID), u64::from(seq));
        gateway.publish(Stream::LEGAL, block).await;
    }
    // The same blocks under new numbers of another carrier's boot.
    gateway.boot = 2;
    let again = gateway.legal(PREPAID, 1, 3, 7, &[(IMPORT, Value::new(10_007, -1))]);
    gateway.publish(Stream::LEGAL, again).await;
    assert_eq!(house.sealed_count(PREPAID), 20);
    let counts = house.platform().counters.read();
    assert_eq!((counts.sealed_blocks, counts.repeats), (21, 20));

    let house = house.restart().await;
    assert_eq!(house.sealed_count(PREPAID), 20);
    let present = house.platform().live.present(PREPAID);
    assert_eq!(
        present.values[&IMPORT].value,
        Value::new(10_020, -1),
        "live values come back from the history"
    );
    assert!(present.values[&IMPORT].sealed);
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_name_what_is_missing() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    for seq in [1, 2, 4] {
        gateway
            .telemetry(THREE_PHASE, seq, &[(house::POWER, Value::new(1_500, 0))])
            .await;
    }
    loop {
        if let Body::Acknowledgement(told) = gateway.received().await.body
            && told.covers(1, 4) == told.gaps.is_empty()
            && told.contiguous == 2
            && !told.gaps.is_empty()
        {
            assert_eq!(told.stream, Stream::TELEMETRY);
            assert_eq!((told.gaps[0].first, told.gaps[0].last), (3, 3));
            break;
        }
    }
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_counted_and_stops_nothing() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    // Noise, a moved topic, a cut envelope, a changed bit.
    let good = gateway.legal(SOLAR, 1, 1, 1, &[(IMPORT, Value::new(5, -1))]);
    gateway
        .publish(Stream::LEGAL, b"not an envelope".to_vec())
        .await;
    gateway.publish(Stream::LEGAL, Vec::new()).await;
    gateway.publish(Stream::EVENT, good.clone()).await;
    gateway
        .publish(Stream::LEGAL, good[..good.len() - 1].to_vec())
        .await;
    let mut changed = good.clone();
    changed[40] ^= 1;
    gateway.publish(Stream::LEGAL, changed).await;
    assert_eq!(house.platform().counters.read().bad_envelopes, 5);
    // Sealed nonsense is kept aside and acknowledged, so that it does not block what follows.
    let head = gateway.head(SOLAR, Stream::LEGAL, 2);
    let forged = meter_proto::message::LegalBlock {
        envelope: heapless::Vec::from_slice(&[0x11; 60]).unwrap(),
    };
    let forged = gateway.seal(Stream::LEGAL, &Message::new(head, forged));
    gateway.publish(Stream::LEGAL, forged).await;
    gateway.publish(Stream::LEGAL, good).await;
    assert_eq!(house.sealed_count(SOLAR), 1);
    let counts = house.platform().counters.read();
    assert_eq!((counts.bad_sealed_blocks, counts.records), (1, 2));
    // The page shows it.
    let person = Person::sign_in(&house);
    let shown = person.get("/api/v1/diagnostics").body;
    assert_eq!(shown["counts"]["bad_envelopes"], 5);
    assert!(shown["refusals"].as_array().unwrap().len() >= 6);
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_stay_in_their_own_place() {
    let house = House::start().await;
    let port = house.running.mqtt().port();
    let login = |name: &str, password: &str| {
        let mut options = rumqttc::MqttOptions::new(format!("test-{name}"), "127.0.0.1", port);
        options.set_credentials(name, password);
        rumqttc::AsyncClient::new(options, 8)
    };
    // A wrong password.
    let (_client, mut events) = login(GATEWAY, "wrong");
    assert!(events.poll().await.is_err());
    until("the refused login is counted", || {
        house.platform().counters.read().refused_logins >= 1
    })
    .await;
    // The reader hears what a gateway publishes, and may not speak.
    let (reader, mut events) = login("reader", house::READER);
    reader
        .subscribe("m1/#", rumqttc::QoS::AtMostOnce)
        .await
        .unwrap();
    while !matches!(
        events.poll().await.unwrap(),
        rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_))
    ) {}
    let mut gateway = Gateway::connect(&house).await;
    gateway
        .telemetry(THREE_PHASE, 1, &[(house::POWER, Value::new(1, 0))])
        .await;
    let topic = Gateway::topic(Stream::TELEMETRY);
    loop {
        let event = tokio::time::timeout(std::time::Duration::from_secs(5), events.poll())
            .await
            .unwrap()
            .unwrap();
        if let rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish)) = event
            && publish.topic == topic
        {
            break;
        }
    }
    let before = house.platform().counters.read().refused_topics;
    reader
        .publish(&topic, rumqttc::QoS::AtMostOnce, false, "x")
        .await
        .unwrap();
    for _ in 0..3 {
        let _ = tokio::time::timeout(std::time::Duration::from_millis(200), events.poll()).await;
    }
    until("the refused publication is counted", || {
        house.platform().counters.read().refused_topics > before
    })
    .await;
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_lost_its_memory_loses_no_record_more() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    for seq in 1..=3 {
        let values = [(IMPORT, Value::new(10_000 + i64::from(seq), -1))];
        let block = gateway.legal(PREPAID, seq, 3, seq, &values);
        gateway.publish(Stream::LEGAL, block).await;
        gateway.telemetry(THREE_PHASE, seq, &values).await;
    }
    // The gateway numbers from 1 again in the same boot; the blocks that it carries are new.
    house.hands.set(house::MORNING + 60_000);
    for seq in 1..=3 {
        let values = [(IMPORT, Value::new(10_010 + i64::from(seq), -1))];
        let block = gateway.legal(PREPAID, seq, 3, 3 + seq, &values);
        gateway.publish(Stream::LEGAL, block.clone()).await;
        gateway.publish(Stream::LEGAL, block).await;
        gateway.telemetry(THREE_PHASE, seq, &values).await;
    }
    assert_eq!(house.sealed_count(PREPAID), 6);
    let history = &house.platform().history;
    let series = |device| {
        let all = history.series(device, IMPORT, 0, u64::MAX / 2, u64::MAX);
        all.unwrap().len()
    };
    assert_eq!(
        (series(PREPAID), series(THREE_PHASE)),
        (2, 2),
        "two moments each"
    );
    assert_eq!(house.platform().counters.read().reused_names, 6);
    // A metering core that numbers from 1 again: what it sealed is kept, and said.
    let block = gateway.legal(PREPAID, 4, 3, 1, &[(IMPORT, Value::new(7, -1))]);
    gateway.publish(Stream::LEGAL, block).await;
    assert_eq!(house.sealed_count(PREPAID), 6);
    assert_eq!(house.platform().counters.read().reused_names, 7);
    let refusals = house.platform().refusals.latest();
    assert!(
        refusals
            .iter()
            .any(|line| line.text.contains("both are kept")),
        "{refusals:?}"
    );
    let file = house.folder.path().join(cloud::HISTORY_FILE);
    let aside: u32 = rusqlite::Connection::open(file)
        .unwrap()
        .query_row("SELECT count(*) FROM aside", [], |row| row.get(0))
        .unwrap();
    assert_eq!(aside, 1);
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gateway_gave_up_holds_nothing_up() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    let far = gateway.legal(PREPAID, 20_001, 3, 1, &[(IMPORT, Value::new(1, 0))]);
    gateway.publish(Stream::LEGAL, far.clone()).await;
    assert_eq!(house.sealed_count(PREPAID), 0, "too far ahead of nothing");
    let mut registration = Registration::new(GATEWAY.parse().unwrap(), DeviceKind::GATEWAY, 1);
    let held = StreamState {
        stream: Stream::LEGAL,
        boot: 1,
        floor: 20_000,
        last: 20_001,
    };
    registration.streams.push(held).unwrap();
    let stamp = Stamp::from_millis(house.hands.now(), ClockQuality::SYNCHRONISED);
    let message = Message::new(Head::session(1, stamp), registration);
    let bytes = gateway.seal(Stream::SESSION, &message);
    gateway.publish(Stream::SESSION, bytes).await;
    gateway.publish(Stream::LEGAL, far).await;
    assert_eq!(house.sealed_count(PREPAID), 1);
    assert_eq!(house.platform().counters.read().given_up, 20_000);
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_again_raises_nothing_again() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    let mut sent = Vec::new();
    for (seq, phase) in [(1, EventPhase::RAISED), (2, EventPhase::CLEARED)] {
        house.hands.set(house::MORNING + u64::from(seq) * 1_000);
        let event = Event {
            code: Event::OUTAGE,
            severity: 4,
            phase,
            instance: 1,
            point: PointId::from_bits(0),
            value: None,
            limit: None,
        };
        let head = gateway.head(SOLAR, Stream::EVENT, seq);
        let bytes = gateway.seal(Stream::EVENT, &Message::new(head, event));
        gateway.publish(Stream::EVENT, bytes.clone()).await;
        sent.push(bytes);
    }
    // The acknowledgement of the first was lost.
    gateway.publish(Stream::EVENT, sent.swap_remove(0)).await;
    let person = Person::sign_in(&house);
    let shown = person.get("/api/v1/alarms").body.to_string();
    assert_eq!(shown.matches("\"outage\"").count(), 1, "{shown}");
    assert!(!shown.contains("\"cleared\":null"), "{shown}");
    house.running.shutdown().await;
}
