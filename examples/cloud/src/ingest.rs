//! From a publication to committed records.
//!
//! ```text
//! topic ──> hop envelope (gateway, mdata, ext = topic) ──> compact message ──> values or sealed block (meter, data)
//!       ──> one commit for all messages that wait ──> broker acknowledges, kind 8 goes down, pages are told
//! ```
//! What cannot be opened is counted and not acknowledged. What opens and makes no sense is kept aside, counted and
//! acknowledged: a record that a gateway can never deliver must not stop those behind it.

mod committer;

use meter_proto::device::DeviceId;
use meter_proto::form;
use meter_proto::message::{
    Body, CommandResult, Event, EventPhase, Head, Message, Registration, Stream, StreamState,
    Welcome,
};
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::topic::Topic;
use meter_proto::value::Value;
use security::envelope::{Class, Header};
use security::key::{DeviceKeyId, Purpose};
use std::sync::Arc;

use crate::alarms;
use crate::broker::{Boxed, Intake};
use crate::history::{Entry, RecordKey, Sealed, Snapshot};
use crate::keys::key_id;
use crate::orders::Letter;
use crate::platform::{Change, Platform};
use crate::store::Device;

/// Takes publications, commits records.
pub struct Ingest {
    platform: Arc<Platform>,
    committer: committer::Committer,
}

/// What a publication turned out to be.
enum Taken {
    /// A record to commit.
    Record(Entry),
    /// Nothing to store; a message may go back.
    Session(Option<Letter>),
    /// Refused for good, and counted.
    Refused,
}

impl Ingest {
    /// Starts the committing task.
    pub fn start(platform: Arc<Platform>) -> Self {
        Self {
            committer: committer::Committer::start(Arc::clone(&platform)),
            platform,
        }
    }

    async fn take(&self, user: &str, topic: &str, payload: &[u8]) {
        let taken = {
            let (platform, user) = (Arc::clone(&self.platform), user.to_owned());
            let (topic, payload) = (topic.to_owned(), payload.to_vec());
            tokio::task::spawn_blocking(move || examine(&platform, &user, &topic, &payload)).await
        };
        match taken {
            Ok(Taken::Record(entry)) => self.committer.commit(entry).await,
            Ok(Taken::Session(Some(letter))) => {
                let platform = Arc::clone(&self.platform);
                // Not awaited: the client that we answer waits for this very publication to end.
                tokio::spawn(async move { platform.send(letter).await });
            }
            Ok(Taken::Session(None) | Taken::Refused) => {}
            Err(error) => tracing::error!(%error, "a publication could not be examined"),
        }
    }
}

impl Intake for Ingest {
    fn publish<'a>(&'a self, user: &'a str, topic: &'a str, payload: &'a [u8]) -> Boxed<'a, ()> {
        Box::pin(self.take(user, topic, payload))
    }

    fn presence(&self, user: &str, up: bool) {
        if up && self.platform.devices().contains_key(user) {
            self.platform.live.heard(user, (self.platform.clock)());
        }
        self.platform.tell(Change::Device(user.to_owned()));
    }
}

fn examine(platform: &Platform, user: &str, topic: &str, payload: &[u8]) -> Taken {
    let counters = &platform.counters;
    let refuse = |counter, text: String| {
        platform.refuse(counter, &format!("{topic}: {text}"));
        Taken::Refused
    };
    let (stream, device) = match Topic::parse(topic) {
        Some(Topic::Up { device, stream }) => (stream, device),
        Some(Topic::State { device }) => (Stream::SESSION, device),
        _ => {
            return refuse(
                &counters.bad_topics,
                "this is not a place to publish".into(),
            );
        }
    };
    let gateway = device.to_string();
    let Some(id) = key_id(&gateway).filter(|_| gateway == user) else {
        return refuse(
            &counters.bad_topics,
            "this place belongs to another device".into(),
        );
    };
    if !platform.devices().contains_key(&gateway) {
        return refuse(
            &counters.unknown_devices,
            "nobody registered this gateway".into(),
        );
    }
    // A broker speaks the will for a device that is gone; it can seal nothing, so it proves nothing but absence.
    if matches!(
        form::decode(payload),
        Ok(Message {
            body: Body::Absence(_),
            ..
        })
    ) && stream == Stream::SESSION
    {
        platform.tell(Change::Device(gateway));
        return Taken::Session(None);
    }
    let opened = platform.keys.open_from(
        id,
        Purpose::Mdata,
        &[Class::Data, Class::Event, Class::Acknowledge],
        topic.as_bytes(),
        payload,
    );
    let plain = match opened {
        Ok(plain) => plain,
        Err(error) => return refuse(&counters.bad_envelopes, error.to_string()),
    };
    let message = match form::decode(&plain) {
        Ok(message) => message,
        Err(error) => {
            // The gateway sealed it, so it really said that. With a readable head it is kept aside.
            return match meter_proto::compact::peek(&plain) {
                Ok((_, head)) if head.stream == stream && stream != Stream::SESSION => {
                    platform.refuse(&counters.bad_messages, &format!("{topic}: {error}"));
                    Taken::Record(aside(&gateway, &head, plain, &error.to_string()))
                }
                _ => refuse(&counters.bad_messages, error.to_string()),
            };
        }
    };
    if message.head.stream != stream {
        return refuse(
            &counters.bad_messages,
            "the head names another stream than the topic".into(),
        );
    }
    platform.live.heard(&gateway, (platform.clock)());
    if stream == Stream::SESSION {
        return Taken::Session(session(platform, &gateway, &message));
    }
    if message.head.seq == 0 {
        return refuse(&counters.bad_messages, "records are numbered from 1".into());
    }
    match record(platform, &gateway, &message) {
        Ok(entry) => Taken::Record(entry),
        Err(error) => {
            let counter = match &message.body {
                Body::LegalBlock(_) => &counters.bad_sealed_blocks,
                Body::CommandResult(_) => &counters.bad_answers,
                _ => &counters.bad_messages,
            };
            platform.refuse(counter, &format!("{topic}: {error}"));
            Taken::Record(aside(&gateway, &message.head, plain, &error.to_string()))
        }
    }
}

fn record_key(gateway: &str, head: &Head) -> RecordKey {
    RecordKey {
        device: gateway.to_owned(),
        stream: head.stream.0,
        boot: head.boot,
        seq: head.seq,
    }
}

fn aside(gateway: &str, head: &Head, plain: Vec<u8>, reason: &str) -> Entry {
    Entry {
        key: record_key(gateway, head),
        sealed: None,
        snapshots: Vec::new(),
        aside: Some((reason.to_owned(), plain)),
    }
}

/// Messages that are not stored: who is there, and who hangs where.
fn session(platform: &Platform, gateway: &str, message: &Message) -> Option<Letter> {
    match &message.body {
        Body::Registration(registration) => {
            place(platform, gateway, message.head.node, &registration.device);
            if message.head.node == 0 {
                for state in &registration.streams {
                    give_up(platform, gateway, state);
                }
                return welcome(platform, gateway, registration);
            }
        }
        Body::Topology(topology) => {
            for node in &topology.nodes {
                place(platform, gateway, node.number, &node.device);
            }
        }
        _ => {}
    }
    None
}

/// A gateway tells below which number it has nothing left: what never came is gone, here or there, and waiting for it
/// would stop what follows.
fn give_up(platform: &Platform, gateway: &str, state: &StreamState) {
    match platform.history.give_up(gateway, state) {
        Ok(0) => {}
        Ok(missing) => {
            let text = format!(
                "{gateway}: {missing} numbers of stream {} boot {} up to {} never came",
                state.stream.0, state.boot, state.floor
            );
            platform
                .counters
                .given_up
                .fetch_add(u64::from(missing), std::sync::atomic::Ordering::Relaxed);
            platform.refusals.keep((platform.clock)(), &text);
            platform.audit(gateway, "gave up", gateway, &text);
        }
        Err(error) => tracing::error!(%error, gateway, "what a gateway gave up cannot be stored"),
    }
}

fn welcome(platform: &Platform, gateway: &str, registration: &Registration) -> Option<Letter> {
    let welcome = Welcome {
        version: registration.version_max.min(meter_proto::compact::VERSION),
        session: registration.session,
        now: Stamp::from_millis((platform.clock)(), ClockQuality::SYNCHRONISED),
        config_version: registration.config_version,
        backlog_rate: 0,
        spread_s: 300,
    };
    match platform.welcome(gateway, welcome) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::error!(%error, gateway, "a welcome cannot be sealed");
            None
        }
    }
}

/// Notes at which number of which gateway a registered device hangs.
fn place(platform: &Platform, gateway: &str, node: u16, device: &DeviceId) {
    let name = device.to_string();
    let devices = platform.devices();
    let Some(known) = devices.get(&name) else {
        if node != 0 {
            platform.refuse(
                &platform.counters.unknown_devices,
                &format!("{gateway} reaches {name}, which nobody registered"),
            );
        }
        return;
    };
    if node != 0 && (known.node != Some(node) || known.gateway.as_deref() != Some(gateway)) {
        let placed = platform
            .store
            .set_node(&name, gateway, node)
            .and_then(|()| platform.refresh_devices());
        if let Err(error) = placed {
            tracing::error!(%error, "the place of a device cannot be stored");
        }
    }
}

/// Turns a numbered message into what is committed.
fn record(platform: &Platform, gateway: &str, message: &Message) -> anyhow::Result<Entry> {
    let head = &message.head;
    let mut entry = Entry {
        key: record_key(gateway, head),
        sealed: None,
        snapshots: Vec::new(),
        aside: None,
    };
    match &message.body {
        Body::LegalBlock(block) => {
            let (sealed, snapshot) = legal_block(platform, &block.envelope)?;
            entry.sealed = Some(sealed);
            entry.snapshots.push(snapshot);
        }
        Body::Snapshot(snapshot) => {
            let device = device_of(platform, gateway, head)?;
            entry.snapshots.push(Snapshot {
                device: device.id,
                time: head.stamp.millis(),
                sealed: false,
                values: values(snapshot),
            });
        }
        Body::Event(event) => {
            happened(platform, &device_of(platform, gateway, head)?, head, event)?
        }
        Body::CommandResult(result) => {
            answered(platform, &device_of(platform, gateway, head)?, result)?
        }
        // Numbered copies of session messages; what they say is taken, the number is remembered.
        Body::Registration(_) | Body::Topology(_) => drop(session(platform, gateway, message)),
        Body::Heartbeat(_) => {}
        other => anyhow::bail!("kind {} is not a record this platform stores", other.kind()),
    }
    Ok(entry)
}

fn device_of(platform: &Platform, gateway: &str, head: &Head) -> anyhow::Result<Device> {
    platform.device_at(gateway, head.node).ok_or_else(|| {
        platform
            .counters
            .unknown_devices
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        anyhow::anyhow!("nobody knows which device is number {}", head.node)
    })
}

fn values(snapshot: &meter_proto::message::Snapshot) -> Vec<(PointId, Value)> {
    snapshot
        .samples
        .iter()
        .map(|sample| (sample.point, sample.value))
        .collect()
}

/// Opens the block of a metering core. The address under its seal says whose it is, whatever the carrier says.
fn legal_block(platform: &Platform, envelope: &[u8]) -> anyhow::Result<(Sealed, Snapshot)> {
    let header = Header::parse(envelope)?;
    let id = DeviceKeyId::meter(header.address);
    let device = DeviceId::dlt645(header.address)?.to_string();
    anyhow::ensure!(
        platform.devices().contains_key(&device),
        "nobody registered {device}"
    );
    let plain = platform
        .keys
        .open_from(id, Purpose::Data, &[Class::Data], &[], envelope)?;
    let message = form::decode(&plain)?;
    let head = message.head;
    anyhow::ensure!(
        head.stream == Stream::LEGAL && head.seq != 0,
        "a sealed block belongs to stream 1 and has a number"
    );
    let Body::Snapshot(snapshot) = &message.body else {
        anyhow::bail!(
            "a sealed block holds a snapshot, not kind {}",
            message.body.kind()
        );
    };
    let time = head.stamp.millis();
    let key = RecordKey {
        device: device.clone(),
        stream: head.stream.0,
        boot: head.boot,
        seq: head.seq,
    };
    Ok((
        Sealed {
            key,
            time,
            bytes: envelope.to_vec(),
        },
        Snapshot {
            device,
            time,
            sealed: true,
            values: values(snapshot),
        },
    ))
}

fn answered(platform: &Platform, device: &Device, result: &CommandResult) -> anyhow::Result<()> {
    // Before the commit: if the program dies between, the answer comes again and finds its order ended.
    platform.answer(device, result)
}

fn happened(
    platform: &Platform,
    device: &Device,
    head: &Head,
    event: &Event,
) -> anyhow::Result<()> {
    let text = |value: Option<Value>| {
        value.map(|value| {
            let (value, unit) =
                crate::view::scaled(event.point.quantity(), value, &platform.config.currency);
            format!("{value} {unit}").trim_end().to_owned()
        })
    };
    let time = head.stamp.millis();
    let raise = event.phase != EventPhase::CLEARED;
    let code = alarms::event_code(event.code);
    if alarms::watched(device, event.code) {
        // A rule over the values watches this; raising it here too would show everything twice.
        let words = if raise { "began" } else { "ended" };
        platform.audit(&device.id, "event", &device.id, &format!("{code} {words}"));
        return Ok(());
    }
    alarms::reported(
        platform,
        &device.id,
        code.as_ref(),
        event.severity,
        raise,
        time,
        text(event.value),
        text(event.limit),
    )?;
    if event.phase == EventPhase::PULSE {
        alarms::reported(
            platform,
            &device.id,
            code.as_ref(),
            event.severity,
            false,
            time,
            None,
            None,
        )?;
    }
    Ok(())
}
