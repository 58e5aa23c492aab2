//! The way to the cloud: registration, then records from the outbox in sealed envelopes until they are acknowledged.
//!
//! Everything that is published carries a number of its own in its envelope; a record that is sent again is the same
//! record (stream, boot, seq) in a fresh envelope. A connection begins with registration and topology, then one fresh
//! snapshot, then the backlog: alarms first, oldest first within a stream.

mod mqtt;

use std::sync::Arc;
use std::time::Duration;

use meter_proto::compact;
use meter_proto::device::DeviceId;
use meter_proto::message::{
    Absence, Body, DeviceKind, Head, Heartbeat, Message, Network, Node, Registration, Stream,
    Topology,
};
use meter_proto::outbox::OutboxStore;
use meter_proto::topic::Topic;
use security::envelope::Class;
use tokio::sync::{mpsc, watch};

use crate::config::Mqtt;
use crate::downlink::{Downlink, Finished, Todo};
use crate::hub::{Hub, MESSAGE_MAX, encode};
use crate::outbox::STREAMS;
use crate::seal::HopSeal;
use mqtt::{Link, LinkEvent};

/// Wall time between two looks at what is late or due.
const TICK: Duration = Duration::from_millis(200);
/// Wall time to the next attempt after a connection ended; doubled up to the longest.
const BACKOFF: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// Nodes that one topology message names.
const NODES_PER_MESSAGE: usize = 24;

/// A device as the topology names it.
#[derive(Clone, Debug)]
pub(crate) struct NodeEntry {
    pub node: Node,
    pub id: String,
}

/// The task that talks to the broker.
pub(crate) struct Uplink {
    pub hub: Arc<Hub>,
    pub seal: HopSeal,
    pub device: DeviceId,
    pub mqtt: Mqtt,
    pub nodes: Vec<NodeEntry>,
    pub downlink: Downlink,
    pub finished: mpsc::Receiver<Finished>,
    pub heartbeat_ms: u64,
}

/// What belongs to one connection.
struct Session {
    number: u32,
    up: bool,
    next_heartbeat: u64,
}

enum Ended {
    Stop,
    /// Whether the broker had accepted the gateway before.
    Lost {
        accepted: bool,
    },
}

/// Returns when the gateway stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender lives as long as the gateway; without it there is nobody left to serve either.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Uplink {
    /// Connects, sends and receives until `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut backoff = BACKOFF;
        for number in 1.. {
            match self.connection(number, &mut stop).await {
                Ended::Stop => break,
                Ended::Lost { accepted: true } => backoff = BACKOFF,
                Ended::Lost { accepted: false } => backoff = (backoff * 2).min(BACKOFF_MAX),
            }
            // Gateways that lost the same broker must not come back in step.
            let spread = Duration::from_millis(u64::from((self.device.hash32() ^ number) % 250));
            tokio::select! {
                () = self.offline(backoff + spread) => {}
                () = stopped(&mut stop) => break,
            }
        }
        if self.hub.outbox(|outbox| outbox.store().flush()).is_err() {
            self.hub.board.refuse("disk");
        }
    }

    /// Commands that are running may finish while there is no connection.
    async fn offline(&mut self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                Some(done) = self.finished.recv() => self.downlink.finish(done),
            }
        }
    }

    async fn connection(&mut self, number: u32, stop: &mut watch::Receiver<bool>) -> Ended {
        let state = Topic::State {
            device: self.device,
        };
        let absence = Absence {
            boot: self.hub.boot(),
            session: number,
        };
        // The broker speaks the will long after later numbers were used, so it is not sealed; it proves nothing but
        // that a connection ended.
        let will = self.session_message(absence);
        let mut link = Link::open(&self.mqtt, &self.device.to_string(), &state, will.clone());
        let mut session = Session {
            number,
            up: false,
            next_heartbeat: self.hub.clock.now().saturating_add(self.heartbeat_ms),
        };
        let mut tick = tokio::time::interval(TICK);
        loop {
            let hub = Arc::clone(&self.hub);
            tokio::select! {
                event = link.next() => match event {
                    LinkEvent::Up => self.begin(&link, &mut session),
                    LinkEvent::Message { topic, payload } => self.receive(&link, &mut session, &topic, &payload),
                    LinkEvent::Down(reason) => {
                        tracing::info!(%reason, "no connection to the broker");
                        self.hub.board.with(|status| status.connected = false);
                        return Ended::Lost { accepted: session.up };
                    }
                },
                Some(done) = self.finished.recv() => self.downlink.finish(done),
                () = hub.stored.notified() => {}
                _ = tick.tick() => self.tick(&link, &mut session),
                () = stopped(stop) => {
                    if session.up {
                        link.publish(&state, will);
                    }
                    link.close().await;
                    return Ended::Stop;
                }
            }
            if session.up {
                self.fill(&link);
            }
        }
    }

    fn begin(&mut self, link: &Link, session: &mut Session) {
        session.up = true;
        self.hub.board.with(|status| {
            status.connected = true;
            status.connects += 1;
        });
        // The subscription goes first, so that no answer to what follows is missed.
        link.subscribe(&Topic::Down {
            device: self.device,
        });
        self.hub.outbox(|outbox| outbox.handle_reconnect());
        self.announce(link, session.number);
        self.send_fresh_snapshot(link);
    }

    fn announce(&mut self, link: &Link, session: u32) {
        let mut registration = Registration::new(self.device, DeviceKind::GATEWAY, session);
        registration.network = Network::LAN;
        registration.management_firmware = env!("CARGO_PKG_VERSION").try_into().unwrap_or_default();
        registration.largest_message = 1024;
        registration.streams = self.hub.outbox(|outbox| {
            let held = STREAMS.iter().flat_map(|stream| {
                outbox
                    .store()
                    .boots(*stream)
                    .into_iter()
                    .map(|boot| (*stream, boot))
            });
            let held: Vec<_> = held.collect();
            // The newest are what a receiver asks for first; a message has room for eight.
            let states = held
                .into_iter()
                .rev()
                .filter_map(|(stream, boot)| outbox.stream_state(stream, boot).ok().flatten());
            states.take(8).collect()
        });
        let message = self.session_message(registration);
        self.publish(
            link,
            &Topic::State {
                device: self.device,
            },
            Class::Data,
            &message,
        );
        self.publish_topology(link);
    }

    fn publish_topology(&mut self, link: &Link) {
        let total = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        let seen = self.hub.board.with(|status| {
            let seen = self.nodes.iter().map(|entry| {
                status
                    .devices
                    .get(&entry.id)
                    .map_or(0, |d| d.last_seen_ms / 1000)
            });
            seen.collect::<Vec<_>>()
        });
        let nodes: Vec<Node> = self
            .nodes
            .iter()
            .zip(seen)
            .map(|(entry, last_seen)| Node {
                last_seen,
                ..entry.node
            })
            .collect();
        for part in nodes.chunks(NODES_PER_MESSAGE) {
            let topology = Topology {
                total,
                nodes: part.iter().copied().collect(),
            };
            let message = self.session_message(topology);
            let topic = Topic::Up {
                device: self.device,
                stream: Stream::SESSION,
            };
            self.publish(link, &topic, Class::Data, &message);
        }
    }

    fn tick(&mut self, link: &Link, session: &mut Session) {
        self.downlink.start_due();
        if self.hub.outbox(|outbox| outbox.store().flush()).is_err() {
            self.hub.board.refuse("disk");
        }
        let now = self.hub.clock.now();
        if session.up && now >= session.next_heartbeat {
            session.next_heartbeat = now.saturating_add(self.heartbeat_ms);
            let waiting = self.hub.outbox(|outbox| {
                STREAMS
                    .iter()
                    .map(|stream| outbox.store().count(*stream))
                    .sum::<usize>()
            });
            let heartbeat = Heartbeat {
                uptime_s: self.hub.uptime_s(),
                signal_dbm: 0,
                waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
                config_version: 0,
                flags: u32::from(self.hub.is_full()) << 2,
            };
            let topic = Topic::Up {
                device: self.device,
                stream: Stream::SESSION,
            };
            let message = self.session_message(heartbeat);
            self.publish(link, &topic, Class::Data, &message);
            // What a damaged place swallowed never comes: the receiver hears in time from where on to wait.
            match self.hub.outbox(|outbox| outbox.store().damaged()) {
                0 => self.publish_topology(link),
                _ => self.announce(link, session.number),
            }
        }
    }

    /// Live values come back at once after an outage, however long the backlog is. The record is sent again in its
    /// turn and dropped as a repeat.
    fn send_fresh_snapshot(&mut self, link: &Link) {
        let mut message = vec![0; MESSAGE_MAX];
        let newest = self.hub.outbox(|outbox| {
            let key = outbox.store().newest(Stream::TELEMETRY)?;
            outbox.store().read(key, &mut message).ok().flatten()
        });
        if let Some(message) = newest.and_then(|length| message.get(..length)) {
            let topic = Topic::Up {
                device: self.device,
                stream: Stream::TELEMETRY,
            };
            self.publish(link, &topic, Class::Data, message);
        }
    }

    /// Sends what is due until the window is full.
    fn fill(&mut self, link: &Link) {
        let mut message = vec![0; MESSAGE_MAX];
        loop {
            let now = self.hub.wall_ms();
            let due = match self
                .hub
                .outbox(|outbox| outbox.poll_transmit(now, &mut message))
            {
                Ok(Some(due)) => due,
                Ok(None) => return,
                Err(_) => return self.hub.board.refuse("disk"),
            };
            let stream = due.key.stream;
            let class = if stream == Stream::EVENT {
                Class::Event
            } else {
                Class::Data
            };
            let topic = Topic::Up {
                device: self.device,
                stream,
            };
            // What the connection does not take now is repeated when its time has run out.
            if !self.publish(
                link,
                &topic,
                class,
                message.get(..due.len).unwrap_or_default(),
            ) {
                return;
            }
        }
    }

    fn publish(&mut self, link: &Link, topic: &Topic, class: Class, message: &[u8]) -> bool {
        let Some(payload) = self.sealed(topic, class, message) else {
            return false;
        };
        let taken = link.publish(topic, payload);
        if taken {
            self.hub.board.with(|status| status.published += 1);
        }
        taken
    }

    fn sealed(&mut self, topic: &Topic, class: Class, message: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.seal.seal(class, &topic.text(), message);
        if let Err(error) = &sealed {
            tracing::error!(%error, "nothing can be sealed");
            self.hub.board.refuse("not sealed");
        }
        sealed.ok()
    }

    fn session_message(&self, body: impl Into<Body>) -> Vec<u8> {
        let head = Head::session(self.hub.boot(), self.hub.stamp());
        encode(&Message::new(head, body)).unwrap_or_default()
    }

    fn receive(&mut self, link: &Link, session: &mut Session, topic: &str, payload: &[u8]) {
        let board = &self.hub.board;
        if Topic::parse(topic)
            != Some(Topic::Down {
                device: self.device,
            })
        {
            return board.refuse("down: other topic");
        }
        let received = match self.seal.open_down(topic, payload) {
            Ok(received) => received,
            Err(security::link::OpenError::Replayed { .. }) => {
                return board.refuse("down: replayed");
            }
            Err(_) => return board.refuse("down: not opened"),
        };
        let Ok(message) = compact::decode(&received.plain) else {
            return board.refuse("down: not a message");
        };
        let (head, class) = (message.head, received.class);
        match message.body {
            Body::Acknowledgement(ack) => {
                let now = self.hub.wall_ms();
                let done = self.hub.outbox(|outbox| {
                    let count = outbox.handle_acknowledgement(now, &ack)?;
                    outbox.store().tidy().map(|()| count)
                });
                match done {
                    Ok(count) => board.with(|status| status.acknowledged += u64::from(count)),
                    Err(_) => board.refuse("disk"),
                }
            }
            Body::Command(command) if class == Class::Command => {
                match self.downlink.command(head.node, command) {
                    Todo::Nothing => {}
                    Todo::Announce => self.announce(link, session.number),
                }
            }
            Body::Command(_) => board.refuse("down: command in another class"),
            // The policy of a welcome has nothing to change here yet: window and resends bound the rate.
            Body::Welcome(_) => {}
            _ => board.refuse("down: unexpected kind"),
        }
    }
}
