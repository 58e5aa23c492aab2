//! Electricity meters: live values by blocks, unified records and commands through private identifiers.

use std::sync::Arc;
use std::time::Instant;

use dlt645::{Address, DataId, Event, Master, Operator, Refusals, SecurityErr, Timing};
use meter_proto::compact;
use meter_proto::message::{
    Acknowledgement, CommandResult, Head, Message, Sample, Snapshot, Status, Stream,
};
use tokio::net::TcpStream;

use super::exchange::{Drive, drive};
use super::{DeviceTask, LineAddress, Trouble};
use crate::config::Profile;
use crate::convert;
use crate::downlink::{Job, plain_result};
use crate::hub::{Hub, Taken, encode};
use crate::outbox::{Origin, STREAMS};

/// The oldest unacknowledged record of a meter.
const RECORD: DataId = DataId(0x0E4D_5001);
/// Acknowledges records.
const ACKNOWLEDGE: DataId = DataId(0x0E4D_5002);
/// Puts a command.
const COMMAND: DataId = DataId(0x0E4D_5003);

/// What is read of every meter, blocks where there are blocks.
const LIVE: [DataId; 7] = [
    DataId(0x0201_FF00),
    DataId(0x0202_FF00),
    DataId(0x0203_FF00),
    DataId(0x0206_FF00),
    DataId(0x0280_0002),
    DataId(0x0001_0000),
    DataId(0x0002_0000),
];
/// Remaining money of a prepaid meter.
const BALANCE: DataId = DataId(0x0090_0200);
/// Run state word 3: relay and supply.
const STATE_3: DataId = DataId(0x0400_0503);

/// Longest joined answer: a record of 600 bytes with room.
const ANSWER_MAX: usize = 1024;
/// Records taken in one visit, so that one meter with a backlog does not hold the others up for long.
const RECORDS_PER_VISIT: usize = 32;

/// State words as they were last read, to see what changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words {
    state_3: Option<u32>,
}

/// How a question ended.
pub(super) enum Answer {
    Data(Vec<u8>),
    /// The meter said no.
    Refused,
    SecurityRefused(SecurityErr),
}

struct Asked<'m, 'b>(&'m mut Master<'b>, Option<Ended>);

enum Ended {
    Answer(Answer),
    Silent,
    TooLong,
}

impl Drive for Asked<'_, '_> {
    fn transmit(&mut self) -> Option<&[u8]> {
        self.0.poll_transmit()
    }
    fn bytes(&mut self, now: u64, bytes: &[u8]) {
        self.0.handle_bytes(now, bytes);
        self.look();
    }
    fn timeout(&mut self, now: u64) {
        self.0.handle_timeout(now);
        self.look();
    }
    fn deadline(&self) -> Option<u64> {
        self.0.poll_timeout()
    }
    fn is_open(&self) -> bool {
        self.1.is_none()
    }
}

impl Asked<'_, '_> {
    fn look(&mut self) {
        let Some(event) = self.0.poll_event() else {
            return;
        };
        self.1 = Some(match event {
            Event::Data { data, .. } | Event::Security { data, .. } => {
                Ended::Answer(Answer::Data(data.to_vec()))
            }
            Event::Refused { .. } => Ended::Answer(Answer::Refused),
            Event::SecurityRefused(err) => Ended::Answer(Answer::SecurityRefused(err)),
            Event::TimedOut { .. } => Ended::Silent,
            Event::Address(_) | Event::Done { .. } => Ended::Answer(Answer::Data(Vec::new())),
            _ => Ended::TooLong,
        });
    }
}

pub(super) enum Question<'a> {
    Read(DataId),
    Security(DataId, &'a [u8]),
}

pub(super) async fn ask(
    hub: &Hub,
    port: &mut TcpStream,
    device: &DeviceTask,
    timing: Timing,
    question: Question<'_>,
) -> Result<Answer, Trouble> {
    let LineAddress::Dlt645(address) = device.address else {
        return Ok(Answer::Refused);
    };
    let address = Address::from_big_endian(address);
    let mut buffer = [0; ANSWER_MAX];
    let mut master = Master::new(&mut buffer, timing);
    let put = match question {
        Question::Read(id) => master.read(0, address, id),
        Question::Security(id, data) => master.security(0, address, id, Operator(0), data),
    };
    if put.is_err() {
        hub.board.refuse("line: question too long");
        return Ok(Answer::Refused);
    }
    let mut asked = Asked(&mut master, None);
    let driven = drive(port, &mut asked, Instant::now()).await;
    let ended = asked.1;
    let refusals = master.refusals();
    hub.refused_frames(total(&refusals), master.ignored());
    if driven.is_err() {
        return Err(Trouble::LineDown);
    }
    let now = hub.clock.now();
    hub.board.device(&device.name, |status| match ended {
        Some(Ended::Answer(Answer::Data(_))) => {
            (status.online, status.last_seen_ms) = (true, now);
            status.answers += 1;
        }
        Some(Ended::Answer(_)) => {
            (status.online, status.last_seen_ms) = (true, now);
            status.refused += 1;
        }
        Some(Ended::TooLong) => status.refused += 1,
        Some(Ended::Silent) | None => {
            status.online = false;
            status.timeouts += 1;
        }
    });
    match ended {
        Some(Ended::Answer(answer)) => Ok(answer),
        Some(Ended::TooLong) => {
            hub.board.refuse("line: answer too long");
            Ok(Answer::Refused)
        }
        Some(Ended::Silent) | None => Err(Trouble::Silent),
    }
}

fn total(refusals: &Refusals) -> u32 {
    let Refusals {
        start,
        length,
        checksum,
        end,
        truncated,
        ..
    } = *refusals;
    [start, length, checksum, end, truncated]
        .into_iter()
        .fold(0, u32::saturating_add)
}

/// Reads the live values and stores them as one snapshot; looks at the state word for events.
pub(super) async fn read_live(
    hub: &Hub,
    port: &mut TcpStream,
    device: &mut DeviceTask,
    timing: Timing,
) -> Result<(), Trouble> {
    let stamp = hub.stamp();
    let mut samples: Vec<Sample> = Vec::new();
    let balance = (device.profile == Profile::Prepaid).then_some(BALANCE);
    for id in LIVE.into_iter().chain(balance) {
        // A refusal means that this meter has no such item: the others are read all the same.
        if let Answer::Data(data) = ask(hub, port, device, timing, Question::Read(id)).await? {
            match convert::dlt645(id, &data) {
                Ok(converted) => samples.extend(converted),
                Err(_) => hub.board.refuse("line: data of another length"),
            }
        }
    }
    if let Answer::Data(data) = ask(hub, port, device, timing, Question::Read(STATE_3)).await? {
        match convert::dlt645_word(STATE_3, &data) {
            Some(word) => {
                samples.push(convert::state_word(3, word));
                let before = device.state.state_3.replace(word);
                // A meter that keeps records tells these itself, and sooner.
                let told = device.keeps_records();
                for change in convert::state_3_events(before, word).filter(|_| !told) {
                    let cause = Some((
                        convert::state_word(3, word).point,
                        convert::state_word(3, word).value,
                    ));
                    hub.event(
                        device.node,
                        change.code,
                        change.severity,
                        change.phase,
                        u32::from(device.node),
                        cause,
                    );
                }
            }
            None => hub.board.refuse("line: data of another length"),
        }
    }
    if !samples.is_empty() {
        let snapshot: Snapshot = samples.into_iter().collect();
        hub.record(Stream::TELEMETRY, device.node, stamp, snapshot);
    }
    Ok(())
}

/// Takes the meter's own records over: on the disk first, then acknowledged to the meter.
pub(super) async fn take_records(
    hub: &Arc<Hub>,
    port: &mut TcpStream,
    device: &mut DeviceTask,
    timing: Timing,
) -> Result<(), Trouble> {
    for _ in 0..RECORDS_PER_VISIT {
        let Answer::Data(bytes) = ask(hub, port, device, timing, Question::Read(RECORD)).await?
        else {
            return Ok(());
        };
        let Ok((_, head)) = compact::peek(&bytes) else {
            hub.board.refuse("record: not a message");
            return Ok(());
        };
        if head.seq == 0 {
            hub.board.refuse("record: without a number");
            return Ok(());
        }
        let origin = Origin {
            device: device.name.clone(),
            stream: head.stream.0,
            boot: head.boot,
            seq: head.seq,
            digest: Origin::digest_of(&bytes),
        };
        let safe = match compact::decode(&bytes) {
            Ok(message) if STREAMS.contains(&head.stream) => {
                device.odd = None;
                store_record(hub, device, origin, message).await
            }
            // The 8-bit sum of a frame lets some noise through: only what reads the same twice is what the meter says.
            _ if device.odd != Some(origin.digest) => {
                device.odd = Some(origin.digest);
                hub.board.refuse("record: not understood");
                continue;
            }
            _ => {
                let hub = Arc::clone(hub);
                on_disk(move || hub.put_aside(origin, &bytes)).await
            }
        };
        if !safe {
            return Ok(());
        }
        let Head {
            stream, boot, seq, ..
        } = head;
        // The meter offers its oldest record, so everything before it was acknowledged in its time.
        let ack = Acknowledgement {
            stream,
            boot,
            contiguous: seq,
            gaps: Default::default(),
        };
        let ack =
            encode(&Message::new(Head::session(hub.boot(), hub.stamp()), ack)).unwrap_or_default();
        match ask(
            hub,
            port,
            device,
            timing,
            Question::Security(ACKNOWLEDGE, &ack),
        )
        .await?
        {
            Answer::Data(_) => {}
            Answer::Refused | Answer::SecurityRefused(_) => {
                hub.board.refuse("record: acknowledgement refused");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the record is safe, be it now or since earlier.
async fn store_record(
    hub: &Arc<Hub>,
    device: &DeviceTask,
    origin: Origin,
    mut message: Message,
) -> bool {
    message.head.node = device.node;
    let taken = {
        let hub = Arc::clone(hub);
        on_disk(move || hub.take_over(origin, message)).await
    };
    match taken {
        Some(Taken::Stored) => hub.board.device(&device.name, |status| status.records += 1),
        Some(Taken::Repeat) => hub.board.device(&device.name, |status| status.repeats += 1),
        None => return false,
    }
    true
}

/// Work that waits for the disk, off the threads that wait for lines. Work that panicked did nothing.
async fn on_disk<R: Default + Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

/// Puts a command and returns its result.
pub(super) async fn command(
    hub: &Hub,
    port: &mut TcpStream,
    device: &DeviceTask,
    timing: Timing,
    job: &Job,
) -> Result<CommandResult, Trouble> {
    Ok(
        match ask(
            hub,
            port,
            device,
            timing,
            Question::Security(COMMAND, &job.message),
        )
        .await?
        {
            Answer::Data(data) => match compact::decode_as::<CommandResult>(&data) {
                Ok((_, result)) if result.id == job.id => result,
                Ok(_) | Err(_) => {
                    hub.board.refuse("command: not a result");
                    plain_result(job.id, Status::FAILED, hub)
                }
            },
            Answer::Refused => plain_result(job.id, Status::REFUSED, hub),
            Answer::SecurityRefused(err) => CommandResult {
                detail: u32::from(err.0),
                ..plain_result(job.id, Status::REFUSED, hub)
            },
        },
    )
}
