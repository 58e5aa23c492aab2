//! A broker, a meter and a cloud, small enough to be seen through.
#![allow(dead_code)] // Each test uses its own part.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dlt645::{Address, Application, DataId, Err645, Operator, SecurityErr, Slave, Timing};
use meter_proto::compact;
use meter_proto::device::DeviceId;
use meter_proto::message::{
    Acknowledgement, Body, Command as Order, CommandResult, Head, LegalBlock, Message, Status,
    Stream,
};
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::topic::Topic;
use meter_proto::window::{Verdict, Window};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use security::counter::SendCounter;
use security::envelope::{Class, Direction};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::{Opener, Sealer};
use security::suite::Suite;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const GATEWAY: &str = "gw-202611000100";
pub const METER: &str = "d645-202611000001";
const SERIAL: [u8; 6] = [0x20, 0x26, 0x11, 0x00, 0x01, 0x00];

pub fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Mosquitto on a free port of the loopback; stopped when dropped.
pub struct Broker {
    child: Option<Child>,
    pub port: u16,
    config: PathBuf,
}

impl Broker {
    /// `None`, with the reason on the terminal, where Mosquitto is not installed.
    pub fn start(dir: &Path) -> Option<Self> {
        let port = free_port();
        let config = dir.join("mosquitto.conf");
        std::fs::write(
            &config,
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"),
        )
        .unwrap();
        let mut broker = Self {
            child: None,
            port,
            config,
        };
        if !broker.up() {
            println!("skipped: the program `mosquitto` cannot be started");
            return None;
        }
        Some(broker)
    }

    pub fn up(&mut self) -> bool {
        let names = ["mosquitto", "/usr/sbin/mosquitto"];
        let start = |name: &&str| {
            Command::new(name)
                .arg("-c")
                .arg(&self.config)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        };
        self.child = names.iter().find_map(start);
        let until = Instant::now() + Duration::from_secs(5);
        while self.child.is_some() && Instant::now() < until {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.down();
    }
}

/// What a simulated meter holds; shared with the test.
#[derive(Default)]
pub struct MeterState {
    /// Unacknowledged records of stream 1, by number.
    pub records: BTreeMap<u32, Vec<u8>>,
    pub next_seq: u32,
    /// Ids of the commands that were carried out, each time they were.
    pub carried_out: Vec<u64>,
    pub results: BTreeMap<u64, Vec<u8>>,
    /// Answers that are not sent at all.
    pub mute: bool,
    /// Bytes put on the line before each answer.
    pub garbage: Vec<Vec<u8>>,
}

impl MeterState {
    pub fn make_record(&mut self) {
        self.next_seq += 1;
        let seq = self.next_seq;
        let stamp = Stamp::from_seconds(1_800_000_000 + u64::from(seq), ClockQuality::LEGAL);
        let head = Head {
            node: 0,
            stream: Stream::LEGAL,
            boot: 1,
            seq,
            stamp,
        };
        // Stands for the envelope of the metering core, which nobody here can open.
        let envelope = seq.to_be_bytes().repeat(20).as_slice().try_into().unwrap();
        self.records
            .insert(seq, encode(&Message::new(head, LegalBlock { envelope })));
    }
}

pub fn encode(message: &Message) -> Vec<u8> {
    let mut bytes = vec![0; 2048];
    let length = compact::encode(message, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

struct App(Arc<Mutex<MeterState>>);

impl Application for App {
    fn address(&self) -> Address {
        Address::from_big_endian([0x20, 0x26, 0x11, 0, 0, 0x01])
    }

    fn read(&mut self, id: DataId, _rest: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        let state = self.0.lock().unwrap();
        let data: Vec<u8> = match id.0 {
            0x0E4D_5001 => state
                .records
                .first_key_value()
                .ok_or(Err645::NO_DATA)?
                .1
                .clone(),
            0x0201_FF00 => vec![0x01, 0x23, 0xFF, 0xFF, 0xFF, 0xFF],
            0x0202_FF00 => vec![0x34, 0x12, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            0x0001_0000 => vec![0x78, 0x56, 0x34, 0x12],
            0x0280_0002 => vec![0x98, 0x49],
            0x0400_0503 => vec![0x00, 0x00],
            _ => return Err(Err645::NO_DATA),
        };
        out[..data.len()].copy_from_slice(&data);
        Ok(data.len())
    }

    fn security(
        &mut self,
        id: DataId,
        _: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        let mut state = self.0.lock().unwrap();
        match id.0 {
            0x0E4D_5002 => {
                let (_, ack) =
                    compact::decode_as::<Acknowledgement>(data).map_err(|_| SecurityErr::OTHER)?;
                state.records.retain(|seq, _| !ack.covers(1, *seq));
                Ok(0)
            }
            0x0E4D_5003 => {
                let (_, order) =
                    compact::decode_as::<Order>(data).map_err(|_| SecurityErr::OTHER)?;
                if !state.results.contains_key(&order.id) {
                    state.carried_out.push(order.id);
                    let finished = Stamp::from_seconds(1_800_000_000, ClockQuality::LEGAL);
                    let result = CommandResult {
                        id: order.id,
                        status: Status::DONE,
                        finished,
                        detail: 0,
                        value: None,
                        sealed: None,
                    };
                    state.results.insert(
                        order.id,
                        encode(&Message::new(Head::session(1, finished), result)),
                    );
                }
                let bytes = &state.results[&order.id];
                out[..bytes.len()].copy_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => Err(SecurityErr::OTHER),
        }
    }
}

/// Serves a meter on TCP until the runtime ends.
pub async fn serve_meter(state: Arc<Mutex<MeterState>>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut port, _) = listener.accept().await.unwrap();
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                let mut buffer = [0; 1100];
                let mut slave = Slave::new(&mut buffer, Timing::tcp());
                let mut app = App(Arc::clone(&state));
                let mut bytes = [0; 512];
                while let Ok(length @ 1..) = port.read(&mut bytes).await {
                    let mut rest = &bytes[..length];
                    while !rest.is_empty() {
                        let used = slave.handle_bytes(0, rest, &mut app);
                        rest = &rest[used..];
                        let Some(answer) = slave.poll_transmit() else {
                            continue;
                        };
                        let (mute, garbage) = {
                            let mut state = state.lock().unwrap();
                            let count = state.garbage.len().min(50);
                            (state.mute, state.garbage.drain(..count).collect::<Vec<_>>())
                        };
                        if mute {
                            continue;
                        }
                        let sent = [garbage.concat().as_slice(), answer].concat();
                        if port.write_all(&sent).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

pub fn keys() -> (DeviceKey, DeviceKey) {
    let key = |byte, purpose| {
        DeviceKey::new(
            Secret::new([byte; 16]),
            DeviceKeyId::gateway(SERIAL),
            purpose,
            1,
        )
    };
    (key(0x11, Purpose::Mdata), key(0x22, Purpose::Ctrl))
}

pub fn config(dir: &Path, broker: u16, meter: SocketAddr) -> gateway::Config {
    std::fs::write(
        dir.join("keys.json"),
        format!(
            r#"{{"device":"gw-202611000100","epoch":1,"keys":{{"mdata":"{}","ctrl":"{}"}}}}"#,
            "11".repeat(16),
            "22".repeat(16)
        ),
    )
    .unwrap();
    serde_json::from_value(serde_json::json!({
        "id": GATEWAY,
        "keys": dir.join("keys.json"),
        "data_dir": dir.join("data"),
        "mqtt": { "host": "127.0.0.1", "port": broker },
        "lines": [{
            "transport": { "tcp": meter },
            "protocol": "dlt645",
            "answer_ms": 200,
            "devices": [{ "id": METER, "poll_ms": 200, "record_ms": 50 }]
        }]
    }))
    .unwrap()
}

/// What the cloud side has seen.
#[derive(Default)]
pub struct Seen {
    /// How often each record arrived, by its name.
    pub arrivals: BTreeMap<(u8, u32, u32), usize>,
    /// The records in the order in which they were committed.
    pub committed: Vec<Message>,
    pub session: Vec<Message>,
    pub absences: usize,
    pub refused: usize,
}

/// A subscriber that commits, then acknowledges. Lives through restarts of the broker.
#[derive(Clone)]
pub struct Cloud {
    pub seen: Arc<Mutex<Seen>>,
    sealer: Arc<Mutex<Sealer>>,
    client: Arc<Mutex<Option<AsyncClient>>>,
    /// While false, records are thrown away unacknowledged.
    pub listening: Arc<std::sync::atomic::AtomicBool>,
}

fn device() -> DeviceId {
    GATEWAY.parse().unwrap()
}

impl Cloud {
    pub fn start(port: u16) -> Self {
        let (mdata, ctrl) = keys();
        let cloud = Self {
            seen: Arc::default(),
            sealer: Arc::new(Mutex::new(Sealer::new(
                &ctrl,
                Direction::ToDevice,
                Suite::Ccm16,
                SendCounter::session(),
            ))),
            client: Arc::default(),
            listening: Arc::new(true.into()),
        };
        let mut opener = Opener::new(&mdata, Direction::FromDevice, Suite::Ccm16);
        let mut windows: BTreeMap<u8, Window<4>> = BTreeMap::new();
        let this = cloud.clone();
        tokio::spawn(async move {
            loop {
                let mut options = MqttOptions::new("cloud", "127.0.0.1", port);
                options.set_max_packet_size(16 << 10, 16 << 10);
                let (client, mut events) = AsyncClient::new(options, 4096);
                *this.client.lock().unwrap() = Some(client.clone());
                client
                    .try_subscribe("m1/+/+/u/#", QoS::AtLeastOnce)
                    .unwrap();
                client.try_subscribe("m1/+/+/s", QoS::AtLeastOnce).unwrap();
                while let Ok(event) = events.poll().await {
                    if let Event::Incoming(Incoming::Publish(p)) = event {
                        this.receive(&mut opener, &mut windows, &p.topic, &p.payload);
                    }
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        cloud
    }

    fn receive(
        &self,
        opener: &mut Opener,
        windows: &mut BTreeMap<u8, Window<4>>,
        topic: &str,
        payload: &[u8],
    ) {
        let mut seen = self.seen.lock().unwrap();
        if matches!(
            compact::decode(payload),
            Ok(Message {
                body: Body::Absence(_),
                ..
            })
        ) {
            seen.absences += 1;
            return;
        }
        let mut bytes = payload.to_vec();
        let Ok(opened) = opener.open(topic.as_bytes(), &mut bytes) else {
            seen.refused += 1;
            return;
        };
        let message = compact::decode(opened.plain).unwrap();
        let Head {
            stream, boot, seq, ..
        } = message.head;
        if stream == Stream::SESSION {
            return seen.session.push(message);
        }
        assert_eq!(
            Topic::parse(topic),
            Some(Topic::Up {
                device: device(),
                stream
            })
        );
        assert_eq!(opened.header.class == Class::Event, stream == Stream::EVENT);
        if !self.listening.load(std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        let arrivals = seen.arrivals.entry((stream.0, boot, seq)).or_insert(0);
        *arrivals += 1;
        // The map is the unique key of a database, which decides where the window is too short.
        let is_new = *arrivals == 1;
        let window = windows
            .entry(stream.0)
            .or_insert_with(|| Window::new(stream));
        let verdict = window.commit(boot, seq);
        if verdict == Verdict::TooFar {
            seen.arrivals.remove(&(stream.0, boot, seq));
            return;
        }
        assert!(
            verdict != Verdict::New || is_new,
            "the window forgot a record"
        );
        if is_new {
            seen.committed.push(message);
        }
        let ack = window.acknowledgement(boot);
        let ack = ack.unwrap_or_else(|| Window::<4>::acknowledge_one(stream, boot, seq));
        drop(seen);
        let stamp = Stamp::from_seconds(0, ClockQuality::NETWORK);
        self.down(
            Class::Acknowledge,
            &Message::new(Head::session(1, stamp), ack),
        );
    }

    /// Seals and publishes a message on the down topic.
    pub fn down(&self, class: Class, message: &Message) {
        let topic = Topic::Down { device: device() }.text();
        let mut buffer = vec![0; 4096];
        let mut sealer = self.sealer.lock().unwrap();
        let sealed = sealer
            .seal_from(class, topic.as_bytes(), &encode(message), &mut buffer)
            .unwrap()
            .to_vec();
        self.raw(&topic, sealed);
    }

    /// Publishes any bytes.
    pub fn raw(&self, topic: &str, payload: Vec<u8>) {
        if let Some(client) = &*self.client.lock().unwrap() {
            let _ = client.try_publish(topic, QoS::AtLeastOnce, false, payload);
        }
    }

    pub fn down_topic() -> String {
        Topic::Down { device: device() }.text().to_string()
    }

    /// The envelopes of all committed legal blocks, by the number inside.
    pub fn legal(&self) -> BTreeMap<u32, usize> {
        let mut counts = BTreeMap::new();
        for message in &self.seen.lock().unwrap().committed {
            if let Body::LegalBlock(block) = &message.body {
                *counts
                    .entry(u32::from_be_bytes(block.envelope[..4].try_into().unwrap()))
                    .or_insert(0) += 1;
            }
        }
        counts
    }

    /// Command, status and detail of all results.
    pub fn details(&self) -> Vec<(u64, Status, u32)> {
        let seen = self.seen.lock().unwrap();
        let results = seen
            .committed
            .iter()
            .filter_map(|message| match &message.body {
                Body::CommandResult(result) => Some((result.id, result.status, result.detail)),
                _ => None,
            });
        results.collect()
    }

    pub fn results(&self) -> Vec<(u64, Status)> {
        let seen = self.seen.lock().unwrap();
        let results = seen
            .committed
            .iter()
            .filter_map(|message| match &message.body {
                Body::CommandResult(result) => Some((result.id, result.status)),
                _ => None,
            });
        results.collect()
    }
}

/// Waits until `done` or fails the test with `what`.
pub async fn until(what: &str, seconds: u64, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !done() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
