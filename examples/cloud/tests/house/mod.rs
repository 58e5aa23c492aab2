//! A platform in a scratch folder, and a gateway with meters behind it that speaks the real formats.
#![allow(dead_code)] // Each test uses its part.

use meter_proto::message::{
    Body, CommandBody, CommandResult, Head, LegalBlock, Message, Node, Protocol, Sample, Sealed,
    Snapshot, Status, Stream, Topology,
};
use meter_proto::point::{Direction as Flow, Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::topic::Topic;
use meter_proto::value::Value;
use meter_proto::{compact, form};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use security::counter::SendCounter;
use security::envelope::{Class, Direction};
use security::gate::{Conditions, OrderGate, PurseConditions, Verdict};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::{Opener, Sealer};
use security::order::{Kind, Moment, OrderAck, Outcome, PurseState, RelayFeedback};
use security::suite::Suite;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub const GATEWAY: &str = "gw-202611000100";
pub const PREPAID: &str = "d645-202611000001";
pub const THREE_PHASE: &str = "d645-202611000002";
pub const SOLAR: &str = "d645-202611000003";
pub const WATER: &str = "c188-1020261100000004";
pub const METERS: [&str; 4] = [PREPAID, THREE_PHASE, SOLAR, WATER];
pub const PASSWORD: &str = "only-for-this-test";
pub const READER: &str = "reader-of-this-test";
/// 2026-11-21T10:00 at +08:00.
pub const MORNING: u64 = 1_795_226_400_000;

pub const IMPORT: PointId = PointId::new(Quantity::ACTIVE_ENERGY).direction(Flow::IMPORT);
pub const POWER: PointId = PointId::new(Quantity::ACTIVE_POWER);
pub const BALANCE: PointId = PointId::new(Quantity::MONEY_BALANCE);
pub const STATUS_3: PointId = PointId::new(Quantity::STATE_WORD).channel(3);

pub fn voltage(phase: Phase) -> PointId {
    PointId::new(Quantity::VOLTAGE).phase(phase)
}

/// A clock that tests move.
#[derive(Clone)]
pub struct Hands(pub Arc<AtomicU64>);

impl Hands {
    pub fn at(time: u64) -> Self {
        Self(Arc::new(AtomicU64::new(time)))
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn set(&self, time: u64) {
        self.0.store(time, Ordering::SeqCst);
    }

    pub fn clock(&self) -> cloud::Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }
}

pub struct House {
    pub folder: tempfile::TempDir,
    pub hands: Hands,
    pub running: cloud::Running,
    pub provisioned: Vec<cloud::Provisioned>,
}

impl House {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_in(folder, Hands::at(MORNING)).await
    }

    pub async fn start_in(folder: tempfile::TempDir, hands: Hands) -> Self {
        let names = [
            "Flat 3-2, prepaid",
            "Workshop",
            "House with solar roof",
            "Cold water, cellar",
        ];
        let mut provisioned = Vec::new();
        for (device, name) in METERS.into_iter().zip(names) {
            let mut wanted = cloud::Provision {
                name: name.into(),
                ..cloud::Provision::new(device)
            };
            if device == PREPAID {
                wanted.customer = Some("000000202611".into());
                wanted.power_limit_w = Some(8_000);
            }
            provisioned.push(cloud::provision(folder.path(), &wanted).unwrap());
        }
        let gateway = cloud::Provision {
            name: "Gateway, cellar".into(),
            ..cloud::Provision::new(GATEWAY)
        };
        provisioned.push(cloud::provision(folder.path(), &gateway).unwrap());
        let config = cloud::Config {
            http: "127.0.0.1:0".parse().unwrap(),
            mqtt: "127.0.0.1:0".parse().unwrap(),
            admin_password: Some(PASSWORD.into()),
            reader_password: Some(READER.into()),
            resend_after_ms: 200,
            ..cloud::Config::new(folder.path())
        };
        let running = cloud::start(config, hands.clock()).await.unwrap();
        Self {
            folder,
            hands,
            running,
            provisioned,
        }
    }

    /// Stops the platform and starts it again on the same files.
    pub async fn restart(self) -> Self {
        self.running.shutdown().await;
        Self::start_in(self.folder, self.hands).await
    }

    pub fn keys(&self, device: &str) -> &cloud::Provisioned {
        self.provisioned
            .iter()
            .find(|one| one.device == device)
            .unwrap()
    }

    pub fn device_key(&self, device: &str, purpose: Purpose) -> DeviceKey {
        device_key(&self.provisioned, device, purpose)
    }

    pub fn platform(&self) -> &cloud::Platform {
        self.running.platform()
    }

    pub fn sealed_count(&self, device: &str) -> u64 {
        let counts = self.platform().history.sealed_counts().unwrap();
        counts
            .iter()
            .filter(|row| row.device == device)
            .map(|row| row.records)
            .sum()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.http())
    }
}

fn device_key(provisioned: &[cloud::Provisioned], device: &str, purpose: Purpose) -> DeviceKey {
    let id = cloud::keys::key_id(device).unwrap();
    let keys = provisioned.iter().find(|one| one.device == device).unwrap();
    DeviceKey::new(Secret::new(keys.key(purpose).unwrap()), id, purpose, 1)
}

/// Waits until something holds; tests fail by name when it never does.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never came true: {what}");
}

/// The purse of a meter with its gate, as a management core has it.
pub struct Purse {
    gate: OrderGate,
    sealer: Sealer,
    pub state: PurseState,
    pub executed: u32,
}

pub struct Gateway {
    client: AsyncClient,
    events: EventLoop,
    sealer: Sealer,
    opener: Opener,
    meters: Vec<(String, Option<Sealer>)>,
    pub purse: Purse,
    pub boot: u32,
    hands: Hands,
}

impl Gateway {
    pub async fn connect(house: &House) -> Self {
        let port = house.running.mqtt().port();
        Self::connect_to(port, &house.provisioned, house.hands.clone()).await
    }

    pub async fn connect_to(port: u16, provisioned: &[cloud::Provisioned], hands: Hands) -> Self {
        let own = provisioned
            .iter()
            .find(|one| one.device == GATEWAY)
            .unwrap();
        let password = own.mqtt_password.clone().unwrap();
        let mut options = MqttOptions::new(GATEWAY, "127.0.0.1", port);
        options
            .set_credentials(GATEWAY, password)
            .set_keep_alive(Duration::from_secs(5));
        let (client, events) = AsyncClient::new(options, 64);
        let device = GATEWAY.parse().unwrap();
        client
            .subscribe(Topic::Down { device }.text().as_str(), QoS::AtLeastOnce)
            .await
            .unwrap();
        let from = |device: &str, purpose| {
            let key = device_key(provisioned, device, purpose);
            // Each connection of a test seals above what any earlier one used.
            static LIMIT: AtomicU64 = AtomicU64::new(0);
            let mut counter =
                SendCounter::boot(LIMIT.fetch_add(100_000, Ordering::SeqCst), 100_000);
            counter.reservation().unwrap().confirm();
            Sealer::new(&key, Direction::FromDevice, Suite::Ccm16, counter)
        };
        let meters = METERS
            .into_iter()
            .map(|meter| {
                (
                    meter.to_owned(),
                    meter
                        .starts_with("d645")
                        .then(|| from(meter, Purpose::Data)),
                )
            })
            .collect();
        let mut gateway = Self {
            sealer: from(GATEWAY, Purpose::Mdata),
            opener: Opener::new(
                &device_key(provisioned, GATEWAY, Purpose::Ctrl),
                Direction::ToDevice,
                Suite::Ccm16,
            ),
            purse: Purse {
                gate: OrderGate::new(
                    &device_key(provisioned, PREPAID, Purpose::Purse),
                    Suite::Ccm16,
                ),
                sealer: from(PREPAID, Purpose::Purse),
                state: PurseState {
                    balance: 0,
                    count: 7,
                },
                executed: 0,
            },
            client,
            events,
            meters,
            boot: 1,
            hands,
        };
        let nodes = METERS.into_iter().zip(1..).map(|(meter, number)| Node {
            number,
            device: meter.parse().unwrap(),
            protocol: if meter == WATER {
                Protocol::CJT188
            } else {
                Protocol::DLT645
            },
            line: 1,
            last_seen: 0,
        });
        let topology = Topology {
            total: 4,
            nodes: nodes.collect(),
        };
        let message = Message::new(Head::session(1, gateway.stamp()), topology);
        let bytes = gateway.seal(Stream::SESSION, &message);
        gateway.publish(Stream::SESSION, bytes).await;
        gateway
    }

    fn stamp(&self) -> Stamp {
        Stamp::from_millis(self.hands.now(), ClockQuality::SYNCHRONISED)
    }

    pub fn topic(stream: Stream) -> String {
        Topic::Up {
            device: GATEWAY.parse().unwrap(),
            stream,
        }
        .text()
        .to_string()
    }

    pub fn head(&self, meter: &str, stream: Stream, seq: u32) -> Head {
        let node = METERS.iter().position(|one| *one == meter).unwrap() as u16 + 1;
        Head {
            node,
            stream,
            boot: self.boot,
            seq,
            stamp: self.stamp(),
        }
    }

    pub fn seal_plain(&mut self, stream: Stream, plain: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; plain.len() + 64];
        let topic = Self::topic(stream);
        self.sealer
            .seal_from(Class::Data, topic.as_bytes(), plain, &mut buffer)
            .unwrap()
            .to_vec()
    }

    pub fn seal(&mut self, stream: Stream, message: &Message) -> Vec<u8> {
        let mut plain = [0; 2048];
        let length = compact::encode(message, &mut plain).unwrap();
        self.seal_plain(stream, &plain[..length])
    }

    /// Publishes and returns when the broker acknowledged.
    pub async fn publish(&mut self, stream: Stream, payload: Vec<u8>) {
        self.publish_to(Self::topic(stream), payload).await;
    }

    pub async fn publish_to(&mut self, topic: String, payload: Vec<u8>) {
        self.client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await
            .unwrap();
        while !matches!(self.poll().await, Packet::PubAck(_)) {}
    }

    async fn poll(&mut self) -> Packet {
        loop {
            let event = tokio::time::timeout(Duration::from_secs(10), self.events.poll());
            if let Event::Incoming(packet) = event
                .await
                .expect("the broker is silent")
                .expect("the connection holds")
            {
                return packet;
            }
        }
    }

    /// The next message on the down topic, opened.
    pub async fn received(&mut self) -> Message {
        loop {
            if let Packet::Publish(publish) = self.poll().await {
                let mut bytes = publish.payload.to_vec();
                let opened = self
                    .opener
                    .open(publish.topic.as_bytes(), &mut bytes)
                    .expect("sealed for us");
                return form::decode(opened.plain).unwrap();
            }
        }
    }

    /// Ordinary values.
    pub async fn telemetry(&mut self, meter: &str, seq: u32, values: &[(PointId, Value)]) {
        let head = self.head(meter, Stream::TELEMETRY, seq);
        let snapshot: Snapshot = values
            .iter()
            .map(|(point, value)| Sample::new(*point, *value))
            .collect();
        let bytes = self.seal(Stream::TELEMETRY, &Message::new(head, snapshot));
        self.publish(Stream::TELEMETRY, bytes).await;
    }

    /// A block sealed by the metering core, in the gateway's envelope.
    pub fn legal(
        &mut self,
        meter: &str,
        carrier_seq: u32,
        boot: u32,
        seq: u32,
        values: &[(PointId, Value)],
    ) -> Vec<u8> {
        let stamp = self.stamp();
        let inner: Snapshot = values
            .iter()
            .map(|(point, value)| Sample::new(*point, *value))
            .collect();
        let inner = Message::new(
            Head {
                node: 0,
                stream: Stream::LEGAL,
                boot,
                seq,
                stamp,
            },
            inner,
        );
        let mut plain = [0; 512];
        let length = compact::encode(&inner, &mut plain).unwrap();
        let sealer = self
            .meters
            .iter_mut()
            .find(|(name, _)| name == meter)
            .and_then(|(_, sealer)| sealer.as_mut());
        let mut room = [0; 600];
        let sealed = sealer
            .unwrap()
            .seal_from(Class::Data, &[], &plain[..length], &mut room)
            .unwrap();
        let envelope = heapless::Vec::from_slice(sealed).unwrap();
        let head = self.head(meter, Stream::LEGAL, carrier_seq);
        self.seal(Stream::LEGAL, &Message::new(head, LegalBlock { envelope }))
    }

    /// Does what the prepaid meter does with a sealed order, and returns the result to publish.
    pub fn obey(
        &mut self,
        command: &meter_proto::message::Command,
        seq: u32,
    ) -> (OrderAck, Message) {
        let CommandBody::Sealed(sealed) = &command.body else {
            panic!("orders are sealed")
        };
        let mut envelope = sealed.envelope.to_vec();
        let conditions = Conditions {
            port_allows: true,
            session_young: true,
            now: Moment::try_new(26, 11, 21, 10, 0, 0),
            hold_power: false,
            purse: Some(PurseConditions {
                state: self.purse.state,
                refunds: 0,
                customer: Some([0, 0, 0, 0x20, 0x26, 0x11]),
                max_amount: 1_000_000,
                hoarding_limit: 10_000_000,
            }),
        };
        let ack =
            match self
                .purse
                .gate
                .judge(&[], &mut envelope, &conditions, RelayFeedback::Closed)
            {
                Verdict::New(pending) => {
                    let order = pending.stored().unwrap();
                    assert_eq!(order.get().kind(), Kind::Recharge);
                    let recharge = *order.get().recharge().unwrap();
                    self.purse.state.balance += i64::from(recharge.amount);
                    self.purse.state.count = recharge.count;
                    self.purse.executed += 1;
                    self.purse.gate.finish(
                        order,
                        Outcome::Done,
                        RelayFeedback::Closed,
                        Some(self.purse.state),
                    )
                }
                Verdict::Repeated(ack) | Verdict::Refused(ack) => ack,
                Verdict::Dropped(refusal) => panic!("dropped: {refusal}"),
            };
        let mut room = [0; 128];
        let bytes = ack.encode();
        let sealed = self
            .purse
            .sealer
            .seal_from(
                Class::Acknowledge,
                &[],
                &bytes[..ack.encoded_len()],
                &mut room,
            )
            .unwrap();
        let result = CommandResult {
            id: command.id,
            status: Status::DONE,
            finished: self.stamp(),
            detail: 0,
            value: None,
            sealed: Some(Sealed {
                purpose: Purpose::Purse.number(),
                envelope: heapless::Vec::from_slice(sealed).unwrap(),
            }),
        };
        (
            ack,
            Message::new(self.head(PREPAID, Stream::LEDGER, seq), result),
        )
    }

    /// Waits for a command, skipping acknowledgements.
    pub async fn command(&mut self) -> meter_proto::message::Command {
        loop {
            if let Body::Command(command) = self.received().await.body {
                return command;
            }
        }
    }
}

pub fn key_id(device: &str) -> DeviceKeyId {
    cloud::keys::key_id(device).unwrap()
}

/// A browser without a screen.
pub struct Person {
    agent: ureq::Agent,
    base: String,
    cookie: String,
    pub csrf: String,
}

pub struct Reply {
    pub status: u16,
    pub body: serde_json::Value,
    pub cookie: Option<String>,
}

impl Person {
    pub fn at(house: &House) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A request that is refused before its body was read ends the connection.
            .max_idle_connections(0)
            .build();
        Self {
            agent: config.into(),
            base: house.url(""),
            cookie: String::new(),
            csrf: String::new(),
        }
    }

    pub fn sign_in(house: &House) -> Self {
        let mut person = Self::at(house);
        let reply = person.post(
            "/api/v1/login",
            serde_json::json!({ "user": "admin", "password": PASSWORD }),
            &[],
        );
        assert_eq!(reply.status, 200, "{}", reply.body);
        person.cookie = reply.cookie.unwrap().split(';').next().unwrap().to_owned();
        person.csrf = reply.body["csrf"].as_str().unwrap().to_owned();
        person
    }

    fn reply(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Reply {
        let mut answer = answer.unwrap();
        let cookie = answer
            .headers()
            .get("set-cookie")
            .map(|value| value.to_str().unwrap().to_owned());
        let text = answer.body_mut().read_to_string().unwrap();
        Reply {
            status: answer.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)),
            cookie,
        }
    }

    pub fn get(&self, path: &str) -> Reply {
        Self::reply(
            self.agent
                .get(format!("{}{path}", self.base))
                .header("cookie", &self.cookie)
                .call(),
        )
    }

    pub fn post(&self, path: &str, body: serde_json::Value, headers: &[(&str, &str)]) -> Reply {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::reply(request.send_json(body))
    }

    /// A writing request as the page makes it.
    pub fn write(&self, path: &str, body: serde_json::Value, key: &str) -> Reply {
        let csrf = self.csrf.clone();
        self.post(
            path,
            body,
            &[("x-csrf-token", &csrf), ("idempotency-key", key)],
        )
    }
}
