//! Starting, looking at and stopping a gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meter_proto::device::{DeviceId, Namespace};
use meter_proto::message::{Node, Protocol as NodeProtocol};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock::{Clock, ClockFn};
use crate::config::{Config, ConfigError, Keys, Protocol};
use crate::downlink::{Downlink, Memory};
use crate::hub::{Hub, Silence, node_numbers};
use crate::line::{self, DeviceTask};
use crate::outbox::{DiskStore, SEGMENT_BYTES, STREAMS};
use crate::seal::HopSeal;
use crate::status::Status;
use crate::uplink::{NodeEntry, Uplink};

/// Commands that may wait for one line.
const JOBS_PER_LINE: usize = 16;
/// Looks at the lock of the data folder, 50 ms apart.
const LOCK_TRIES: usize = 20;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration or the keys.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The folder of its data.
    #[error("the data folder cannot be used: {0}")]
    Disk(#[from] std::io::Error),
}

/// A gateway at work.
pub struct Running {
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl core::fmt::Debug for Running {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Running")
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl Running {
    /// A picture of the gateway now.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut status = self.hub.board.with(|status| status.clone());
        status.time_ms = self.hub.clock.now();
        self.hub.outbox(|outbox| {
            status.dropped = u64::from(outbox.dropped());
            let store = outbox.store();
            status.waiting = STREAMS
                .iter()
                .map(|stream| (stream.0, store.count(*stream)))
                .collect();
            status.outbox_bytes = store.bytes();
            status.damaged = store.damaged();
            status.aside = store.aside();
        });
        status
    }

    /// Stops all tasks and returns when the cursors are on the disk. Records that wait stay there.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that panicked has nothing left to stop.
            let _ = task.await;
        }
    }

    /// Ends all tasks where they stand, as a power cut would: nothing is flushed, nobody is told.
    pub fn kill(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Starts the gateway on the runtime of the caller.
///
/// The lines and the broker need not be there: they are tried again until they are.
///
/// # Errors
/// [`StartError::Config`] for identities, addresses or keys of a wrong form; [`StartError::Disk`].
pub async fn start(mut config: Config, clock: ClockFn) -> Result<Running, StartError> {
    let device = device_id(&config.id, &[Namespace::Gateway])?;
    let Some(serial) = device.dev6() else {
        return Err(bad_text(&config.id, "a gateway's identity").into());
    };
    let mut keys = Keys::load(&config.keys)?;
    if config.mqtt.password.is_none() {
        config.mqtt.password = keys.mqtt_password.take();
    }
    std::fs::create_dir_all(&config.data_dir)?;
    let lock = lock(&config.data_dir).await?;

    let clock = Clock::new(clock, config.speed);
    let first_boot = u32::try_from(clock.age_ms() / 1000).unwrap_or(u32::MAX / 2);
    let store = DiskStore::open(&config.data_dir, SEGMENT_BYTES, first_boot)?;
    let seal = HopSeal::open(&config.data_dir, serial, &keys, clock.age_ms())?;
    let memory = Memory::open(&config.data_dir)?;
    let silence = Silence::open(&config.data_dir)?;
    let images = config.data_dir.join("images");
    std::fs::create_dir_all(&images)?;
    let hub = Arc::new(Hub::new(clock, store, silence, images, lock));

    let devices = devices_of(&config)?;
    let numbers = node_numbers(
        &config.data_dir,
        &devices.iter().flatten().copied().collect::<Vec<_>>(),
    )?;
    let (stop, stopped) = watch::channel(false);
    let (finished_sender, finished) = mpsc::channel(64);
    let mut tasks = Vec::new();
    let mut lines = BTreeMap::new();
    let mut nodes = Vec::new();
    for (index, (line, ids)) in config.lines.iter().zip(&devices).enumerate() {
        let (jobs_sender, jobs) = mpsc::channel(JOBS_PER_LINE);
        let mut members = Vec::new();
        for (settings, id) in line.devices.iter().zip(ids) {
            let Some(node) = numbers.get(id).copied() else {
                continue;
            };
            members.push(DeviceTask::new(settings, line.protocol, *id, node)?);
            lines.insert(node, jobs_sender.clone());
            let protocol = match line.protocol {
                Protocol::Dlt645 => NodeProtocol::DLT645,
                Protocol::Cjt188 => NodeProtocol::CJT188,
            };
            let line = u8::try_from(index).unwrap_or(u8::MAX);
            let entry = Node {
                number: node,
                device: *id,
                protocol,
                line,
                last_seen: 0,
            };
            nodes.push(NodeEntry {
                node: entry,
                id: id.to_string(),
            });
            hub.board
                .device(&id.to_string(), |status| status.node = node);
        }
        let task = line::Line {
            hub: Arc::clone(&hub),
            settings: line.clone(),
            devices: members,
            jobs,
            open: Vec::new(),
            finished: finished_sender.clone(),
            stop: stopped.clone(),
        };
        tasks.push(tokio::spawn(task.run()));
    }
    let downlink = Downlink::new(Arc::clone(&hub), memory, lines);
    let uplink = Uplink {
        hub: Arc::clone(&hub),
        seal,
        device,
        mqtt: config.mqtt.clone(),
        nodes,
        downlink,
        finished,
        heartbeat_ms: config.heartbeat_ms.max(1000),
    };
    tasks.push(tokio::spawn(uplink.run(stopped)));
    Ok(Running { hub, stop, tasks })
}

/// Takes the data folder for this gateway alone. A predecessor that was just ended may need a moment to let go.
async fn lock(dir: &Path) -> std::io::Result<File> {
    let file = File::create(dir.join("lock"))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(std::io::Error::new(
        std::io::ErrorKind::ResourceBusy,
        "another gateway uses it",
    ))
}

fn devices_of(config: &Config) -> Result<Vec<Vec<DeviceId>>, ConfigError> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for line in &config.lines {
        let expected = match line.protocol {
            Protocol::Dlt645 => Namespace::Dlt645,
            Protocol::Cjt188 => Namespace::Cjt188,
        };
        let mut ids = Vec::new();
        for device in &line.devices {
            let id = device_id(&device.id, &[expected, Namespace::Serial, Namespace::Uuid])?;
            if !seen.insert(id) {
                return Err(ConfigError::Twice(device.id.clone()));
            }
            ids.push(id);
        }
        lines.push(ids);
    }
    Ok(lines)
}

fn device_id(text: &str, namespaces: &[Namespace]) -> Result<DeviceId, ConfigError> {
    let id: Result<DeviceId, _> = text.parse();
    id.ok()
        .filter(|id| namespaces.contains(&id.namespace()))
        .ok_or_else(|| bad_text(text, "an identity of this kind"))
}

pub(crate) fn bad_text(found: &str, expected: &'static str) -> ConfigError {
    ConfigError::BadText {
        found: found.to_owned(),
        expected,
    }
}
