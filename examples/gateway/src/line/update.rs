//! Images of meters' firmware: carried in pieces, between the other errands of a line.
//!
//! The operator puts packages (`meterkit sign`) into the folder `images` of the data folder; the platform orders one into
//! use by the number of its offer (command `activate` to the meter's node). The meter itself keeps what has arrived, so a
//! gateway that starts again offers again and is asked for the rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dlt645::Timing;
use meter::update::{FILE, Package, REQUEST_MAX, UpdateSender};
use meter_proto::compact;
use meter_proto::message::{Command, CommandBody, FileStatus, FileTarget, Status};
use tokio::net::TcpStream;

use super::dlt645::{Answer, Question, ask};
use super::{DeviceTask, Trouble};
use crate::downlink::Job;
use crate::hub::Hub;

/// Requests in one visit, about ten blocks, to the end of the last: readings and records of the line wait no longer than for these.
const SLICE: usize = 48;
/// Longest file looked at: the largest image of the standard with its head.
const LONGEST: u64 = (16 << 20) + 4096;

/// An image that is ordered into use.
#[derive(Debug)]
pub(super) struct Order {
    file: u32,
    /// UTC second after which it does not begin; 0 without end.
    until: u64,
    package: Option<Arc<Vec<u8>>>,
}

/// How a visit ended.
pub(super) enum Carried {
    /// There is more to send at once.
    More,
    /// The meter has nothing to tell for now: it restarts, or tries the image.
    Wait,
    /// It is over: the status of the order, and with it that of the file.
    Over(Status, FileStatus),
}

impl Order {
    /// The order of a command, if it is one.
    pub fn of(job: &Job) -> Option<Self> {
        match compact::decode_as::<Command>(&job.message).ok()?.1.body {
            CommandBody::Activate { file, until, .. } => Some(Self {
                file,
                until,
                package: None,
            }),
            _ => None,
        }
    }

    /// Carries a piece of the image.
    pub async fn carry(
        &mut self,
        hub: &Hub,
        port: &mut TcpStream,
        device: &DeviceTask,
        timing: Timing,
    ) -> Result<Carried, Trouble> {
        let bytes = match &self.package {
            Some(package) => Arc::clone(package),
            None => {
                if self.until != 0 && hub.clock.now() / 1000 > self.until {
                    return Ok(Carried::Over(Status::EXPIRED, FileStatus::NEEDS));
                }
                let (folder, file) = (hub.images.clone(), self.file);
                let found = tokio::task::spawn_blocking(move || find(&folder, file)).await;
                let Some(package) = found.ok().flatten() else {
                    hub.board.refuse("image: not in the folder");
                    return Ok(Carried::Over(Status::BAD_ARGUMENT, FileStatus::NEEDS));
                };
                Arc::clone(self.package.insert(Arc::new(package)))
            }
        };
        // It was one when it was found.
        let Ok(package) = Package::parse(&bytes) else {
            return Ok(Carried::Over(Status::FAILED, FileStatus::NEEDS));
        };
        let mut sender = UpdateSender::new(&package);
        let begun = std::time::Instant::now();
        let mut request = [0; REQUEST_MAX];
        let mut counted = 0;
        let mut requests = 0;
        while requests < SLICE || !sender.is_between_messages() {
            requests += 1;
            let now = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let Some(length) = sender.poll_request(now, &mut request) else {
                return Ok(match sender.is_over() {
                    true => Carried::Over(ended(sender.status()), sender.status()),
                    false => Carried::Wait,
                });
            };
            let data = request.get(..length).unwrap_or_default();
            let sent = u64::from(sender.blocks_sent()) - counted;
            counted += sent;
            hub.board
                .device(&device.name, |status| status.image_blocks += sent);
            match ask(hub, port, device, timing, Question::Security(FILE, data)).await? {
                Answer::Data(answer) => {
                    if !sender.handle_answer(&answer) {
                        hub.board.refuse("image: not an answer");
                    }
                }
                // While an image has its trial the meter takes none.
                Answer::Refused | Answer::SecurityRefused(_) => return Ok(Carried::Wait),
            }
        }
        Ok(Carried::More)
    }
}

/// The end of an image as the status of its order.
const fn ended(status: FileStatus) -> Status {
    match status {
        FileStatus::ACTIVE => Status::DONE,
        FileStatus::REFUSED => Status::REFUSED,
        _ => Status::FAILED,
    }
}

/// The package of the folder whose offer has this number, for a management core.
fn find(folder: &Path, file: u32) -> Option<Vec<u8>> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "mfw"))
        .collect();
    names.sort();
    names.into_iter().find_map(|path| {
        let length = std::fs::metadata(&path).ok()?.len();
        let bytes = std::fs::read(&path).ok().filter(|_| length <= LONGEST)?;
        let offer = Package::parse(&bytes).ok()?.offer();
        let wanted = offer.number == file && offer.target == FileTarget::MANAGEMENT_CORE;
        wanted.then_some(bytes)
    })
}
