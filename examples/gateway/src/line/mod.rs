//! One task per line: connects, asks its devices in turn, takes over their records, passes commands on.

mod cjt188;
mod dlt645;
mod exchange;
mod update;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::dlt645::Timing;
use meter_proto::device::{DeviceId, Namespace};
use meter_proto::message::{CommandResult, Status};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use crate::config::{self, ConfigError, Device, Profile, Protocol, Transport, digits_to_bytes};
use crate::downlink::{Finished, Job, plain_result};
use crate::hub::Hub;
use crate::running::bad_text;
use crate::uplink::stopped;

/// Longest compact command that fits one frame of the line.
pub(crate) const COMMAND_MAX: usize = 180;

/// Wall time between two attempts to reach a line.
const RECONNECT: Duration = Duration::from_millis(500);
/// Wall time between two looks at devices that rest and commands that wait.
const REST_TICK: Duration = Duration::from_millis(100);
/// Wall time that a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// What is to be done on a device next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Live,
    Records,
}

/// One device of a line and when it is due.
#[derive(Debug)]
pub(crate) struct DeviceTask {
    /// Text form of its identity.
    pub name: String,
    pub node: u16,
    /// Bytes of the address, most significant first; the type stands apart for CJ/T 188.
    pub address: LineAddress,
    pub profile: Profile,
    poll_ms: u64,
    record_ms: u64,
    next_live: u64,
    next_records: u64,
    /// Wall time before which a silent device is left alone, so that it does not hold up the others.
    rest_until: Option<Instant>,
    pub state: dlt645::Words,
    /// Sum of the record that was not understood when it was last read.
    odd: Option<u32>,
}

/// The address on the line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LineAddress {
    Dlt645([u8; 6]),
    Cjt188 { meter_type: u8, address: [u8; 7] },
}

impl DeviceTask {
    pub fn new(
        settings: &Device,
        protocol: Protocol,
        id: DeviceId,
        node: u16,
    ) -> Result<Self, ConfigError> {
        let digits = settings.address.as_deref();
        let address = match protocol {
            Protocol::Dlt645 => {
                let own = id
                    .content()
                    .try_into()
                    .ok()
                    .filter(|_| id.namespace() == Namespace::Dlt645);
                let bytes = digits.map_or(own, digits_to_bytes::<6>);
                bytes.map(LineAddress::Dlt645)
            }
            Protocol::Cjt188 => {
                let own = id
                    .content()
                    .try_into()
                    .ok()
                    .filter(|_| id.namespace() == Namespace::Cjt188);
                let bytes: Option<[u8; 8]> = digits.map_or(own, config::hex_to_bytes::<8>);
                bytes.map(|[meter_type, a, b, c, d, e, f, g]| LineAddress::Cjt188 {
                    meter_type,
                    address: [a, b, c, d, e, f, g],
                })
            }
        };
        let shown = digits.unwrap_or(&settings.id);
        let address =
            address.ok_or_else(|| bad_text(shown, "the digits of an address on this line"))?;
        Ok(Self {
            name: id.to_string(),
            node,
            address,
            profile: settings.profile,
            poll_ms: settings.poll_ms.max(1),
            record_ms: if protocol == Protocol::Dlt645 {
                settings.record_ms
            } else {
                0
            },
            next_live: 0,
            next_records: 0,
            rest_until: None,
            state: dlt645::Words::default(),
            odd: None,
        })
    }

    /// Whether it is asked for records of its own.
    pub fn keeps_records(&self) -> bool {
        self.record_ms != 0
    }

    fn due(&self) -> (u64, Errand) {
        // Records first: what the metering core sealed waits for nothing.
        match self.record_ms {
            0 => (self.next_live, Errand::Live),
            _ if self.next_records <= self.next_live => (self.next_records, Errand::Records),
            _ => (self.next_live, Errand::Live),
        }
    }

    fn done(&mut self, errand: Errand, now: u64) {
        match errand {
            Errand::Live => self.next_live = next_after(self.poll_ms, now),
            Errand::Records => self.next_records = next_after(self.record_ms, now),
        }
    }
}

/// The next multiple of `every` after `now`, so that readings of all devices fall on the same grid.
fn next_after(every: u64, now: u64) -> u64 {
    (now / every).saturating_add(1).saturating_mul(every)
}

/// Why a visit to a device ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The device does not answer.
    Silent,
    /// The line itself is gone.
    LineDown,
}

/// A command that waits for its device.
#[derive(Debug)]
pub(crate) struct OpenJob {
    job: Job,
    /// Wall time before which the device is not asked again.
    not_before: Instant,
    /// Whether the device may have taken it already.
    asked: bool,
    /// An image to be carried; any other command goes to the device as it is.
    image: Option<update::Order>,
}

impl OpenJob {
    fn new(job: Job) -> Self {
        Self {
            image: update::Order::of(&job),
            job,
            not_before: Instant::now(),
            asked: false,
        }
    }
}

/// The task of one line.
pub(crate) struct Line {
    pub hub: Arc<Hub>,
    pub settings: config::Line,
    pub devices: Vec<DeviceTask>,
    pub jobs: mpsc::Receiver<Job>,
    /// Commands that no device has answered yet.
    pub open: Vec<OpenJob>,
    pub finished: mpsc::Sender<Finished>,
    pub stop: watch::Receiver<bool>,
}

impl Line {
    /// Works until the gateway stops.
    pub async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.work() => {}
            () = stopped(&mut stop) => {}
        }
    }

    async fn work(&mut self) {
        loop {
            let Transport::Tcp(address) = &self.settings.transport;
            match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(port)) => {
                    // Requests are small and each is waited for.
                    let _ = port.set_nodelay(true);
                    self.serve(port).await;
                }
                Ok(Err(_)) | Err(_) => self.hub.board.refuse("line: no connection"),
            }
            self.collect_jobs();
            self.drop_late_jobs().await;
            for device in &self.devices {
                self.hub
                    .board
                    .device(&device.name, |status| status.online = false);
                self.hub.reachable(device.node, false);
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn serve(&mut self, mut port: TcpStream) {
        loop {
            self.collect_jobs();
            self.drop_late_jobs().await;
            if self.run_open_jobs(&mut port).await == Err(Trouble::LineDown) {
                return;
            }
            let wall = Instant::now();
            let awake = |device: &DeviceTask| device.rest_until.is_none_or(|until| until <= wall);
            let next = self
                .devices
                .iter()
                .enumerate()
                .filter(|(_, device)| awake(device));
            let next = next
                .map(|(index, device)| (device.due(), index))
                .min_by_key(|((at, _), index)| (*at, *index));
            // While a device rests or a command waits, look again soon.
            let soon = async {
                match next.is_none() || !self.open.is_empty() {
                    true => tokio::time::sleep(REST_TICK).await,
                    false => core::future::pending().await,
                }
            };
            let due = async {
                match next {
                    Some(((due, _), _)) => self.hub.clock.wait_until(due).await,
                    None => core::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                job = self.jobs.recv() => match job {
                    Some(job) => self.open.push(OpenJob::new(job)),
                    None => return,
                },
                () = due => {
                    let Some(((_, errand), index)) = next else { continue };
                    if self.visit(&mut port, index, errand).await == Err(Trouble::LineDown) {
                        return;
                    }
                }
                () = soon => {}
            }
        }
    }

    fn collect_jobs(&mut self) {
        while let Ok(job) = self.jobs.try_recv() {
            self.open.push(OpenJob::new(job));
        }
    }

    async fn drop_late_jobs(&mut self) {
        let now = self.hub.clock.now() / 1000;
        let (late, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|open| now >= open.job.expires);
        self.open = open;
        let late: Vec<OpenJob> = late;
        for open in late {
            // Once asked, nobody knows what the device did.
            let status = if open.asked {
                Status::FAILED
            } else {
                Status::EXPIRED
            };
            self.conclude(open.job.node, plain_result(open.job.id, status, &self.hub))
                .await;
        }
    }

    async fn conclude(&self, node: u16, result: CommandResult) {
        // The receiver goes only when the gateway stops; the command is then still written down as running.
        let _ = self.finished.send(Finished { node, result }).await;
    }

    /// Puts each open command to its device. Devices know the ids of commands, so that asking again does nothing
    /// twice.
    async fn run_open_jobs(&mut self, port: &mut TcpStream) -> Result<(), Trouble> {
        let (hub, timing) = (Arc::clone(&self.hub), self.timing());
        let mut ended = Ok(());
        for mut open in std::mem::take(&mut self.open) {
            let device = self
                .devices
                .iter_mut()
                .find(|device| device.node == open.job.node);
            let Some(device) = device.filter(|_| open.not_before <= Instant::now()) else {
                self.open.push(open);
                continue;
            };
            let answer = match device.address {
                LineAddress::Dlt645(_) => match &mut open.image {
                    None => dlt645::command(&hub, port, device, timing, &open.job).await,
                    Some(image) => {
                        let carried = image.carry(&hub, port, device, timing).await;
                        let pause = match carried {
                            Ok(update::Carried::Over(status, file)) => {
                                let result = CommandResult {
                                    detail: u32::from(file.0),
                                    ..plain_result(open.job.id, status, &hub)
                                };
                                self.conclude(open.job.node, result).await;
                                continue;
                            }
                            Ok(update::Carried::More) => Duration::ZERO,
                            Ok(update::Carried::Wait) => RECONNECT,
                            Err(trouble) => {
                                if trouble == Trouble::LineDown {
                                    ended = Err(trouble);
                                }
                                RECONNECT
                            }
                        };
                        open.asked = true;
                        open.not_before = Instant::now() + pause;
                        self.open.push(open);
                        continue;
                    }
                },
                LineAddress::Cjt188 { .. } => {
                    Ok(plain_result(open.job.id, Status::UNKNOWN_BODY, &hub))
                }
            };
            match answer {
                Ok(result) => self.conclude(open.job.node, result).await,
                Err(trouble) => {
                    ended = ended.and(if trouble == Trouble::LineDown {
                        Err(trouble)
                    } else {
                        Ok(())
                    });
                    open.asked = true;
                    open.not_before = Instant::now() + RECONNECT;
                    self.open.push(open);
                }
            }
        }
        ended
    }

    fn timing(&self) -> Timing {
        Timing {
            answer_ms: u32::try_from(self.settings.answer_ms).unwrap_or(u32::MAX),
            gap_ms: u32::try_from(self.settings.answer_ms).unwrap_or(u32::MAX),
            tries: self.settings.retries.saturating_add(1),
            ..Timing::tcp()
        }
    }

    async fn visit(
        &mut self,
        port: &mut TcpStream,
        index: usize,
        errand: Errand,
    ) -> Result<(), Trouble> {
        let (hub, timing) = (Arc::clone(&self.hub), self.timing());
        let Some(device) = self.devices.get_mut(index) else {
            return Ok(());
        };
        let done = match (device.address, errand) {
            (LineAddress::Dlt645(_), Errand::Live) => {
                dlt645::read_live(&hub, port, device, timing).await
            }
            (LineAddress::Dlt645(_), Errand::Records) => {
                dlt645::take_records(&hub, port, device, timing).await
            }
            (LineAddress::Cjt188 { .. }, Errand::Live) => {
                cjt188::read_live(&hub, port, device, timing).await
            }
            // Water meters keep no records of this kind.
            (LineAddress::Cjt188 { .. }, Errand::Records) => Ok(()),
        };
        device.done(errand, hub.clock.now());
        device.rest_until = None;
        match done {
            Err(Trouble::Silent) => {
                device.rest_until = Some(Instant::now() + Duration::from_secs(1));
                hub.reachable(device.node, false);
            }
            Ok(()) if hub.board.device(&device.name, |status| status.online) => {
                hub.reachable(device.node, true)
            }
            _ => {}
        }
        done
    }
}
