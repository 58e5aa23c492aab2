//! A small node on a serial line: what `sender` sends, in frames, and the acknowledgements that come back.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use mcu::Port;
use meter_proto::compact::{self, SnapshotWriter};
use meter_proto::link::serial::{self, Header};
use meter_proto::message::{Acknowledgement, Event, EventPhase, Head, Sample, Stream};
use meter_proto::point::{Direction, Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::Value;

const POINTS: [(PointId, i8); 4] = [
    (
        PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT),
        1,
    ),
    (PointId::new(Quantity::VOLTAGE).phase(Phase::L1), -1),
    (PointId::new(Quantity::CURRENT).phase(Phase::L1), -3),
    (PointId::new(Quantity::ACTIVE_POWER), -1),
];

/// A register as the metrology would give it.
#[inline(never)]
fn measure(port: &mut Port) -> i64 {
    port.now() as i64
}

fn snapshot(head: &Head, port: &mut Port, out: &mut [u8]) -> Option<usize> {
    let mut writer = SnapshotWriter::new(head, POINTS.len(), out).ok()?;
    for (point, exponent) in POINTS {
        let value = Value::new(measure(port), exponent);
        writer.push(&Sample::new(point, value)).ok()?;
    }
    writer.finish().ok()
}

fn event(head: &Head, port: &mut Port, out: &mut [u8]) -> Option<usize> {
    let event = Event {
        code: Event::OVER_VOLTAGE,
        severity: 5,
        phase: EventPhase::RAISED,
        instance: head.seq,
        point: PointId::new(Quantity::VOLTAGE).phase(Phase::L1),
        value: Some(Value::new(measure(port), -1)),
        limit: None,
    };
    compact::encode_as(head, &event, out).ok()
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut receiver: serial::Receiver<64> = serial::Receiver::new();
    let (mut message, mut frame) = ([0; 96], [0; serial::frame_len(96)]);
    let mut acknowledged = 0;
    for seq in (1u32..).cycle() {
        let stamp = Stamp::from_seconds(port.now(), ClockQuality::LEGAL);
        let stream = if seq % 16 == 0 {
            Stream::EVENT
        } else {
            Stream::TELEMETRY
        };
        let head = Head {
            node: 0,
            stream,
            boot: 1,
            seq,
            stamp,
        };
        let len = if stream == Stream::EVENT {
            event(&head, &mut port, &mut message)
        } else {
            snapshot(&head, &mut port, &mut message)
        };
        let body = message.get(..len.unwrap_or(0)).unwrap_or_default();
        let header = Header::new(0, seq as u8, acknowledged, 1);
        if let Ok(len) = serial::encode(header, body, &mut frame) {
            port.send(frame.get(..len).unwrap_or_default());
        }
        while let Some(byte) = port.receive() {
            let Some((header, body)) = receiver.handle_byte(byte) else {
                continue;
            };
            acknowledged = header.seq;
            if let Ok((_, told)) = compact::decode_as::<Acknowledgement>(body) {
                port.show(told.contiguous as i32);
            }
        }
    }
    loop {
        cortex_m::asm::wfi();
    }
}
