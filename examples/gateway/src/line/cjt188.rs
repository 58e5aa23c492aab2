//! Water meters: the present data 901F.

use std::time::Instant;

use cjt188::{Address, Event, IdOrder, Master, MeterType, Reading, Refusals, Timing, ValueError};
use meter_proto::message::{Snapshot, Stream};
use tokio::net::TcpStream;

use super::exchange::{Drive, drive};
use super::{DeviceTask, LineAddress, Trouble};
use crate::convert;
use crate::hub::Hub;

enum Ended {
    Reading(MeterType, Result<Reading, ValueError>),
    Refused,
    Silent,
}

struct Asked<'m>(&'m mut Master, Option<Ended>);

impl Drive for Asked<'_> {
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

impl Asked<'_> {
    fn look(&mut self) {
        let Some(event) = self.0.poll_event() else {
            return;
        };
        self.1 = Some(match (event, event.reading()) {
            (Event::Data { meter_type, .. }, Some(reading)) => Ended::Reading(meter_type, reading),
            (Event::TimedOut { .. }, _) => Ended::Silent,
            _ => Ended::Refused,
        });
    }
}

/// Reads the present data and stores them as one snapshot.
pub(super) async fn read_live(
    hub: &Hub,
    port: &mut TcpStream,
    device: &mut DeviceTask,
    timing: Timing,
) -> Result<(), Trouble> {
    let LineAddress::Cjt188 {
        meter_type,
        mut address,
    } = device.address
    else {
        return Ok(());
    };
    address.reverse();
    let stamp = hub.stamp();
    let mut master = Master::new(timing, IdOrder::default());
    if master
        .read_present(0, MeterType(meter_type), Address::from_line(address))
        .is_err()
    {
        hub.board.refuse("line: question too long");
        return Ok(());
    }
    let mut asked = Asked(&mut master, None);
    let driven = drive(port, &mut asked, Instant::now()).await;
    let ended = asked.1;
    hub.refused_frames(total(&master.refusals()), master.ignored());
    if driven.is_err() {
        return Err(Trouble::LineDown);
    }
    let now = hub.clock.now();
    hub.board.device(&device.name, |status| {
        status.online = !matches!(ended, Some(Ended::Silent) | None);
        match ended {
            Some(Ended::Reading(..)) => status.answers += 1,
            Some(Ended::Refused) => status.refused += 1,
            Some(Ended::Silent) | None => status.timeouts += 1,
        }
        if status.online {
            status.last_seen_ms = now;
        }
    });
    match ended {
        Some(Ended::Reading(meter_type, Ok(reading))) => {
            let snapshot: Snapshot = convert::cjt188(meter_type, &reading).into_iter().collect();
            hub.record(Stream::TELEMETRY, device.node, stamp, snapshot);
            Ok(())
        }
        Some(Ended::Reading(_, Err(_))) => {
            hub.board.refuse("line: data of another length");
            Ok(())
        }
        Some(Ended::Refused) => Ok(()),
        Some(Ended::Silent) | None => Err(Trouble::Silent),
    }
}

fn total(refusals: &Refusals) -> u32 {
    let Refusals {
        length,
        checksum,
        end,
        truncated,
        ..
    } = *refusals;
    [length, checksum, end, truncated]
        .into_iter()
        .fold(0, u32::saturating_add)
}
