//! One message or more of every kind: what the golden files and the published page show.
#![allow(dead_code)] // Not every test reads the golden file.

mod services;

use std::path::PathBuf;

use meter_proto::device::DeviceId;
use meter_proto::message::*;
use meter_proto::point::{Direction, Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::{Quality, Value};
use serde_json::Value as Json;

fn vec<T, const N: usize>(items: impl IntoIterator<Item = T>) -> heapless::Vec<T, N> {
    items.into_iter().collect()
}

fn head(stream: Stream, node: u16, seq: u32) -> Head {
    Head {
        node,
        stream,
        boot: 5,
        seq,
        stamp: Stamp::from_seconds(1_795_219_200, ClockQuality::LEGAL),
    }
}

const IMPORT: PointId = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT);
const U1: PointId = PointId::new(Quantity::VOLTAGE).phase(Phase::L1);

/// The messages with their names.
pub fn samples() -> Vec<(&'static str, Message)> {
    first().into_iter().chain(services::samples()).collect()
}

fn first() -> Vec<(&'static str, Message)> {
    let meter: DeviceId = "d645-202611000001".parse().unwrap();
    let mut registration =
        Registration::new("gw-202611000100".parse().unwrap(), DeviceKind::GATEWAY, 2);
    registration.network = Network::LAN;
    registration.name = "Hall 1".try_into().unwrap();
    registration.model = "GW1".try_into().unwrap();
    registration.hardware = "A".try_into().unwrap();
    registration.management_firmware = "0.1.0".try_into().unwrap();
    registration.capabilities = 0b11_0000;
    registration.config_version = 3;
    registration.local_offset_s = 28_800;
    registration.sets = vec([0x1234_5678]);
    registration.streams = vec([StreamState {
        stream: Stream::LEGAL,
        boot: 4,
        floor: 100,
        last: 120,
    }]);
    registration.position = Some(Position {
        latitude: 312_304_000,
        longitude: 1_214_737_000,
        altitude_dm: 40,
        accuracy_m: 10,
        source: PositionSource::CONFIGURED,
    });
    let entries = [
        SetEntry {
            point: IMPORT,
            exponent: 1,
            modulus: 100_000_000,
        },
        SetEntry {
            point: U1,
            exponent: -1,
            modulus: 0,
        },
    ];
    let command = |body| Command {
        id: 77,
        issuer: 9,
        not_before: 1_795_219_200,
        expires: 1_795_219_260,
        priority: 1,
        body,
    };
    let result = CommandResult {
        id: 77,
        status: Status::DONE,
        finished: Stamp::from_seconds(1_795_219_203, ClockQuality::LEGAL),
        detail: 0,
        value: None,
        sealed: None,
    };
    let session = head(Stream::SESSION, 0, 0);
    vec![
        ("registration", Message::new(session, registration)),
        (
            "welcome",
            Message::new(
                session,
                Welcome {
                    version: 1,
                    session: 2,
                    now: Stamp::from_millis(1_795_219_200_123, ClockQuality::SYNCHRONISED),
                    config_version: 3,
                    backlog_rate: 20,
                    spread_s: 300,
                },
            ),
        ),
        (
            "set definition",
            Message::new(session, SetDefinition::new(1, 900, vec(entries))),
        ),
        (
            "snapshot",
            Message::new(
                head(Stream::TELEMETRY, 1, 3),
                Snapshot {
                    samples: vec([
                        Sample::new(IMPORT, Value::new(12_345_678, 1)),
                        Sample::new(U1, Value::new(2301, -1)),
                        Sample::new(
                            PointId::new(Quantity::CURRENT).phase(Phase::L1),
                            Value::new(-5_000, -3).with_quality(Quality::ESTIMATED),
                        ),
                    ]),
                },
            ),
        ),
        (
            "snapshot with rare values",
            Message::new(
                head(Stream::TELEMETRY, 0, 4),
                Snapshot {
                    samples: vec([
                        Sample::new(PointId::new(Quantity::HEAT_ENERGY), Value::new(1, 9)),
                        Sample::new(
                            IMPORT.tariff(2),
                            Value::missing(-8)
                                .with_quality(Quality::MISSING.with(Quality::POWER_FAILED)),
                        ),
                        Sample::new(PointId::obis([1, 0, 1, 8, 0, 255]), Value::new(i64::MIN, 0)),
                        Sample::new(PointId::data_id(0x0203_0000), Value::new(i64::MAX, -7)),
                    ]),
                },
            ),
        ),
        (
            "set snapshot",
            Message::new(
                head(Stream::TELEMETRY, 0, 5),
                SetSnapshot {
                    number: 1,
                    quality: Quality::GOOD,
                    mantissas: vec([12_345_679, 2298]),
                    exceptions: vec([SetException {
                        column: 1,
                        quality: Quality::QUESTIONABLE,
                    }]),
                },
            ),
        ),
        (
            "event",
            Message::new(
                head(Stream::EVENT, 1, 1),
                Event {
                    code: Event::OVER_VOLTAGE,
                    severity: 5,
                    phase: EventPhase::RAISED,
                    instance: 12,
                    point: U1,
                    value: Some(Value::new(2651, -1)),
                    limit: Some(Value::new(264, 0)),
                },
            ),
        ),
        (
            "acknowledgement",
            Message::new(
                session,
                Acknowledgement {
                    stream: Stream::LEGAL,
                    boot: 5,
                    contiguous: 40,
                    gaps: vec([
                        Gap {
                            first: 41,
                            last: 42,
                        },
                        Gap {
                            first: 51,
                            last: 51,
                        },
                    ]),
                },
            ),
        ),
        (
            "acknowledgement without gaps",
            Message::new(
                session,
                Acknowledgement {
                    stream: Stream::EVENT,
                    boot: 5,
                    contiguous: 7,
                    gaps: vec([]),
                },
            ),
        ),
        (
            "heartbeat",
            Message::new(
                session,
                Heartbeat {
                    uptime_s: 3600,
                    signal_dbm: -71,
                    waiting: 2,
                    config_version: 3,
                    flags: 1,
                },
            ),
        ),
        (
            "command relay",
            Message::new(
                session,
                command(CommandBody::Relay {
                    circuit: 0,
                    closed: true,
                }),
            ),
        ),
        (
            "command limit",
            Message::new(
                session,
                command(CommandBody::Limit {
                    point: PointId::new(Quantity::ACTIVE_POWER),
                    value: Value::new(5, 3),
                    until: 1_795_222_800,
                }),
            ),
        ),
        (
            "command configuration",
            Message::new(
                session,
                command(CommandBody::Config {
                    key: 7,
                    value: vec([1, 2]),
                }),
            ),
        ),
        (
            "command read",
            Message::new(
                session,
                command(CommandBody::Read {
                    points: vec([IMPORT, U1]),
                }),
            ),
        ),
        (
            "command sealed",
            Message::new(
                session,
                command(CommandBody::Sealed(Sealed {
                    purpose: 11,
                    envelope: vec([0x11, 0xAA, 0xBB]),
                })),
            ),
        ),
        (
            "command register",
            Message::new(session, command(CommandBody::Register)),
        ),
        (
            "command result",
            Message::new(head(Stream::LEDGER, 1, 6), result.clone()),
        ),
        (
            "command result with value and seal",
            Message::new(
                head(Stream::LEDGER, 1, 7),
                CommandResult {
                    value: Some(Value::new(100, 0)),
                    sealed: Some(Sealed {
                        purpose: 11,
                        envelope: vec([0x11, 0xCC]),
                    }),
                    ..result
                },
            ),
        ),
        (
            "topology",
            Message::new(
                session,
                Topology {
                    total: 1,
                    nodes: vec([Node {
                        number: 1,
                        device: meter,
                        protocol: Protocol::DLT645,
                        line: 1,
                        last_seen: 1_795_219_100,
                    }]),
                },
            ),
        ),
        (
            "absence",
            Message::new(
                session,
                Absence {
                    boot: 5,
                    session: 2,
                },
            ),
        ),
        (
            "legal block",
            Message::new(
                head(Stream::LEGAL, 1, 41),
                LegalBlock {
                    envelope: vec([0x11, 0x00, 0x20, 0x26]),
                },
            ),
        ),
        (
            "absence with additions",
            Message {
                ext: vec([9, 1, 0xFF]),
                ..Message::new(
                    session,
                    Absence {
                        boot: 5,
                        session: 2,
                    },
                )
            },
        ),
    ]
}

/// The golden file.
pub fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/meter-proto/messages-v1.json")
}

/// Its entries.
pub fn entries() -> Vec<Json> {
    let text = std::fs::read_to_string(file()).unwrap_or_else(|_| "[]".into());
    serde_json::from_str(&text).unwrap()
}

/// The entry of this name.
pub fn entry<'a>(entries: &'a [Json], name: &str) -> Option<&'a Json> {
    entries.iter().find(|entry| entry["name"] == name)
}
