//! What all tasks share: the outbox, the clock, the numbers of the nodes, the status.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use meter_proto::compact;
use meter_proto::device::DeviceId;
use meter_proto::message::{Body, Event, EventPhase, Head, Message, Stream};
use meter_proto::outbox::{Key, Outbox, Quota, Refused, Timing};
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::Value;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::outbox::{DiskStore, Origin};
use crate::status::Board;
use crate::twin::TwinFile;

/// Longest compact message that a gateway makes or passes on.
pub(crate) const MESSAGE_MAX: usize = 2048;

/// Records that may be on their way at once: fewer than the 64 numbers that a receiver of envelopes remembers.
const IN_FLIGHT: usize = 48;

/// The outbox over the disk.
pub(crate) type DiskOutbox = Outbox<DiskStore, IN_FLIGHT>;

/// What became of a meter's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is stored under this name.
    Stored,
    /// It was taken over before; nothing was stored.
    Repeat,
}

pub(crate) struct Hub {
    pub clock: Clock,
    pub board: Board,
    /// Folder of the packages that meters can be ordered to use.
    pub images: PathBuf,
    /// Told whenever a record was stored.
    pub stored: Notify,
    outbox: Mutex<DiskOutbox>,
    silence: Mutex<Silence>,
    /// Streams whose last record was refused for want of room.
    full: Mutex<BTreeSet<Stream>>,
    started_ms: u64,
    started: Instant,
    boot: u32,
    /// Held as long as any task may write to the data folder.
    _lock: File,
}

impl Hub {
    pub fn new(
        clock: Clock,
        store: DiskStore,
        silence: Silence,
        images: PathBuf,
        lock: File,
    ) -> Self {
        let boot = store.boot();
        let kept = Quota {
            records: u32::MAX,
            bytes: 64 << 20,
        };
        let none = Quota {
            records: 0,
            bytes: 0,
        };
        let telemetry = Quota {
            records: u32::MAX,
            bytes: 16 << 20,
        };
        let outbox = Outbox::new(
            store,
            boot,
            Timing::default(),
            [none, kept, kept, telemetry, none, kept],
        );
        let started_ms = clock.now();
        let board = Board::default();
        board.with(|status| status.boot = boot);
        Self {
            clock,
            board,
            images,
            stored: Notify::new(),
            outbox: Mutex::new(outbox),
            silence: Mutex::new(silence),
            full: Mutex::default(),
            _lock: lock,
            started_ms,
            started: Instant::now(),
            boot,
        }
    }

    pub fn boot(&self) -> u32 {
        self.boot
    }

    pub fn uptime_s(&self) -> u32 {
        u32::try_from(self.clock.now().saturating_sub(self.started_ms) / 1000).unwrap_or(u32::MAX)
    }

    pub fn stamp(&self) -> Stamp {
        Stamp::from_millis(self.clock.now(), ClockQuality::SYNCHRONISED)
    }

    /// Wall milliseconds since the start, for repeats.
    pub fn wall_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Works on the outbox under its lock. The log is consistent after every call, so a panic elsewhere poisons
    /// nothing.
    pub fn outbox<R>(&self, work: impl FnOnce(&mut DiskOutbox) -> R) -> R {
        work(&mut self.outbox.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores a record of the gateway's own making; returns whether it did. A refusal is counted.
    pub fn record(&self, stream: Stream, node: u16, stamp: Stamp, body: impl Into<Body>) -> bool {
        let mut message = Message::new(
            Head {
                node,
                ..Head::session(0, stamp)
            },
            body,
        );
        let done = self.outbox(|outbox| push(outbox, stream, &mut message));
        self.after(stream, &done);
        done.is_ok()
    }

    /// Stores a record that a meter offered, under the gateway's number, once. `None` when it is not safe.
    pub fn take_over(&self, origin: Origin, mut message: Message) -> Option<Taken> {
        let stream = Stream(origin.stream);
        let done = self.outbox(|outbox| {
            if outbox.store().was_taken_over(&origin) {
                return None;
            }
            outbox.store().set_origin(Some(origin));
            let done = push(outbox, stream, &mut message);
            outbox.store().set_origin(None);
            Some(done)
        });
        let Some(done) = done else {
            return Some(Taken::Repeat);
        };
        self.after(stream, &done);
        done.ok().map(|_| Taken::Stored)
    }

    /// Keeps a meter's record that is no message; returns whether it is safe.
    pub fn put_aside(&self, origin: Origin, record: &[u8]) -> bool {
        let kept = self.outbox(|outbox| outbox.store().put_aside(origin, record));
        match &kept {
            Ok(()) => self.board.refuse("record: put aside"),
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                self.board.refuse("record: no room aside");
            }
            Err(_) => self.board.refuse("disk"),
        }
        kept.is_ok()
    }

    /// Counts what a line refused during one exchange.
    pub fn refused_frames(&self, refused: u32, ignored: u32) {
        self.board.with(|status| {
            for (reason, count) in [
                ("line: bad frame", refused),
                ("line: frame not asked for", ignored),
            ] {
                if count != 0 {
                    *status.refusals.entry(reason).or_insert(0) += u64::from(count);
                }
            }
        });
    }

    fn after(&self, stream: Stream, done: &Result<Key, Refused<std::io::Error>>) {
        match done {
            Ok(_) => {
                self.stored.notify_one();
                self.fullness(stream, false);
            }
            Err(Refused::Full | Refused::Dropped) => {
                self.board.refuse("outbox full");
                self.fullness(stream, true);
            }
            Err(Refused::Message(_)) => self.board.refuse("message not encodable"),
            Err(Refused::Store(_)) => self.board.refuse("disk"),
            Err(_) => self.board.refuse("stream not stored"),
        }
    }

    /// Notes whether a stream takes records and stores an event when that changed.
    fn fullness(&self, stream: Stream, full: bool) {
        let changed = {
            let mut streams = self.full.lock().unwrap_or_else(PoisonError::into_inner);
            if full {
                streams.insert(stream)
            } else {
                streams.remove(&stream)
            }
        };
        // Full of events: there is no place left to say so but the heartbeat.
        if changed && stream != Stream::EVENT {
            let phase = if full {
                EventPhase::RAISED
            } else {
                EventPhase::CLEARED
            };
            self.event(0, Event::STORE_FULL, 5, phase, u32::from(stream.0), None);
        }
    }

    /// Whether a stream refuses records.
    pub fn is_full(&self) -> bool {
        !self
            .full
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// Notes whether a node answers and stores an event when that changed, across restarts.
    pub fn reachable(&self, node: u16, answers: bool) {
        let changed = self
            .silence
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .set(node, !answers);
        match changed {
            Ok(false) => {}
            Ok(true) => {
                let phase = if answers {
                    EventPhase::CLEARED
                } else {
                    EventPhase::RAISED
                };
                // One instance per node: it cannot be silent twice at once, and the number outlives restarts.
                self.event(node, Event::DEVICE_SILENT, 4, phase, u32::from(node), None);
            }
            Err(_) => self.board.refuse("disk"),
        }
    }

    /// Stores an event about a node.
    pub fn event(
        &self,
        node: u16,
        code: u16,
        severity: u8,
        phase: EventPhase,
        instance: u32,
        value: Option<(PointId, Value)>,
    ) {
        let point = value.map_or(PointId::from_bits(0), |(point, _)| point);
        let value = value.map(|(_, value)| value);
        let event = Event {
            code,
            severity,
            phase,
            instance,
            point,
            value,
            limit: None,
        };
        // A full stream of events is shown by the counter of refusals; there is nowhere else to put it.
        self.record(Stream::EVENT, node, self.stamp(), event);
    }
}

/// The nodes whose silence was raised and not cleared yet.
#[derive(Debug)]
pub(crate) struct Silence {
    file: TwinFile,
    nodes: BTreeSet<u16>,
}

impl Silence {
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        let (file, body) = TwinFile::open(dir, "silent")?;
        let body = body.unwrap_or_default();
        let nodes = body
            .as_chunks::<2>()
            .0
            .iter()
            .map(|node| u16::from_le_bytes(*node))
            .collect();
        Ok(Self { file, nodes })
    }

    /// Whether that is news.
    fn set(&mut self, node: u16, silent: bool) -> std::io::Result<bool> {
        let changed = if silent {
            self.nodes.insert(node)
        } else {
            self.nodes.remove(&node)
        };
        if changed {
            let bytes: Vec<u8> = self
                .nodes
                .iter()
                .flat_map(|node| node.to_le_bytes())
                .collect();
            self.file.store(&bytes)?;
        }
        Ok(changed)
    }
}

fn push(
    outbox: &mut DiskOutbox,
    stream: Stream,
    message: &mut Message,
) -> Result<Key, Refused<std::io::Error>> {
    outbox.push_with(stream, &mut [0; MESSAGE_MAX], |key, out| {
        message.head = Head {
            stream: key.stream,
            boot: key.boot,
            seq: key.seq,
            ..message.head
        };
        compact::encode(message, out)
    })
}

/// The compact form; `None` when the message is longer than any that a gateway handles.
pub(crate) fn encode(message: &Message) -> Option<Vec<u8>> {
    let mut bytes = vec![0; MESSAGE_MAX];
    let length = compact::encode(message, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Numbers of the devices in messages, kept for ever: a number is never given to another device.
pub(crate) fn node_numbers(
    dir: &Path,
    devices: &[DeviceId],
) -> std::io::Result<BTreeMap<DeviceId, u16>> {
    let (mut file, body) = TwinFile::open(dir, "nodes")?;
    let known: BTreeMap<String, u16> = body
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut numbers = known.clone();
    for device in devices {
        let next = numbers
            .values()
            .max()
            .map_or(1, |highest| highest.saturating_add(1));
        numbers.entry(device.to_string()).or_insert(next);
    }
    if numbers != known {
        file.store(&serde_json::to_vec(&numbers)?)?;
    }
    Ok(devices
        .iter()
        .filter_map(|device| Some((*device, *numbers.get(&device.to_string())?)))
        .collect())
}
