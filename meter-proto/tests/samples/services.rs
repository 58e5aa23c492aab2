//! Profiles, configuration, time, files, demand response, ledger, and a maker's kind.

use meter_proto::message::*;
use meter_proto::point::PointId;
use meter_proto::quantity::Quantity;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::{Quality, Value};

use super::{IMPORT, U1, head, vec};

pub fn samples() -> Vec<(&'static str, Message)> {
    let session = head(Stream::SESSION, 0, 0);
    let command = |body| {
        Message::new(
            session,
            Command {
                id: 78,
                issuer: 9,
                not_before: 1_795_219_200,
                expires: 1_795_219_260,
                priority: 1,
                body,
            },
        )
    };
    vec![
        (
            "command activate",
            command(CommandBody::Activate {
                file: 9,
                until: 1_795_222_800,
                trial_s: 600,
            }),
        ),
        (
            "command set",
            command(CommandBody::Set {
                point: PointId::new(Quantity::DIMMING_LEVEL).channel(2),
                value: Value::new(40, 0),
            }),
        ),
        (
            "command account",
            command(CommandBody::Account { account: 0 }),
        ),
        (
            "profile",
            Message::new(head(Stream::LEGAL, 0, 42), {
                let register = [12_345_678, 12_345_690, 12_345_703, 12_345_715, 12_345_727];
                let mut profile = Profile::try_new(IMPORT, 1, 900, register.into_iter()).unwrap();
                profile.runs = vec([QualityRun {
                    first: 2,
                    count: 1,
                    quality: Quality::POWER_FAILED,
                }]);
                profile
            }),
        ),
        (
            "profile of a set",
            Message::new(head(Stream::TELEMETRY, 0, 43), {
                let mut profile = Profile::of_set(1, 60, 3);
                profile.push_column([5, 6, 7].into_iter()).unwrap();
                profile.push_column([2301, 2299, 2302].into_iter()).unwrap();
                profile.age_s = 7200;
                profile
            }),
        ),
        (
            "configuration read",
            Message::new(
                session,
                ConfigRead {
                    keys: vec([ConfigKey::REPORT_INTERVAL, ConfigKey::alarm(2)]),
                },
            ),
        ),
        (
            "configuration write",
            Message::new(
                session,
                ConfigWrite {
                    base_version: 3,
                    new_version: 4,
                    activate_at: 1_795_222_800,
                    entries: vec([
                        ConfigEntry {
                            key: ConfigKey::REPORT_INTERVAL,
                            value: vec([0x84, 0x07]),
                        },
                        ConfigEntry::alarm(
                            2,
                            &AlarmSetting {
                                point: U1,
                                code: Event::OVER_VOLTAGE,
                                below: 0,
                                limit: Value::new(264, 0),
                                hysteresis: Value::new(5, 0),
                                delay_s: 60,
                                severity: 5,
                                target: 1,
                            },
                        )
                        .unwrap(),
                    ]),
                },
            ),
        ),
        (
            "configuration report",
            Message::new(
                session,
                ConfigReport {
                    version: 3,
                    waiting_version: 4,
                    total: 2,
                    entries: vec([ConfigEntry {
                        key: ConfigKey::SERVER,
                        value: vec(*b"\x09m.test:80"),
                    }]),
                    refused: vec([RefusedKey {
                        key: ConfigKey(0x8001),
                        reason: ConfigRefusal::UNKNOWN_KEY,
                    }]),
                },
            ),
        ),
        (
            "time request",
            Message::new(
                session,
                TimeRequest {
                    origin_us: 1_000_000,
                },
            ),
        ),
        (
            "time answer",
            Message::new(
                session,
                TimeAnswer {
                    origin_us: 1_000_000,
                    received_us: 1_795_219_200_000_100,
                    sent_us: 1_795_219_200_000_350,
                    uncertainty_us: 2_000,
                    quality: ClockQuality::SYNCHRONISED,
                },
            ),
        ),
        (
            "file offer",
            Message::new(
                session,
                FileOffer {
                    number: 9,
                    file_kind: FileKind::FIRMWARE,
                    target: FileTarget::MANAGEMENT_CORE,
                    version: "0.2.0".try_into().unwrap(),
                    size: 70_000,
                    block_size: 512,
                    sha256: (0..32).collect(),
                    manifest: vec([0x4D, 0x46, 0x57, 0x31]),
                    signature: vec([0x61, 0x0A]),
                    activation: Activation::BY_COMMAND,
                },
            ),
        ),
        (
            "file need",
            Message::new(
                session,
                FileNeed {
                    number: 9,
                    status: FileStatus::NEEDS,
                    ranges: vec([
                        BlockRange { first: 3, count: 1 },
                        BlockRange {
                            first: 64,
                            count: 73,
                        },
                    ]),
                },
            ),
        ),
        (
            "file need, complete",
            Message::new(
                session,
                FileNeed {
                    number: 9,
                    status: FileStatus::COMPLETE,
                    ranges: vec([]),
                },
            ),
        ),
        (
            "file block",
            Message::new(
                session,
                FileBlock {
                    number: 9,
                    offset: 1536,
                    data: vec([1, 2, 3, 4]),
                },
            ),
        ),
        (
            "demand response",
            Message::new(
                session,
                DemandResponse {
                    id: 500,
                    version: 1,
                    demand_kind: DemandKind::LIMIT,
                    primacy: 2,
                    start: 1_795_222_800,
                    randomise_s: 300,
                    intervals: vec([
                        DemandInterval {
                            duration_s: 1800,
                            value: Value::new(5, 3),
                        },
                        DemandInterval {
                            duration_s: 900,
                            value: Value::new(-25, 2),
                        },
                    ]),
                },
            ),
        ),
        (
            "demand response cancelled",
            Message::new(
                session,
                DemandResponse {
                    id: 500,
                    version: 2,
                    demand_kind: DemandKind::LIMIT,
                    primacy: 2,
                    start: 1_795_222_800,
                    randomise_s: 0,
                    intervals: vec([]),
                },
            ),
        ),
        (
            "demand status",
            Message::new(
                head(Stream::LEDGER, 0, 8),
                DemandStatus {
                    id: 500,
                    version: 1,
                    state: DemandState::OPTED_OUT,
                    reason: 3,
                    since: Stamp::from_seconds(1_795_219_190, ClockQuality::LEGAL),
                },
            ),
        ),
        (
            "ledger",
            Message::new(
                head(Stream::LEDGER, 1, 9),
                Ledger {
                    account: 0,
                    count: 17,
                    order: 77,
                    batch: 4,
                    movement: MovementKind::SALE,
                    reason: 0,
                    operator: 0x0100_0009,
                    currency: 156,
                    amount: Value::new(10_000, -2),
                    balance: Value::new(8_766, -2),
                    booked: Stamp::from_seconds(1_795_219_195, ClockQuality::LEGAL),
                },
            ),
        ),
        (
            "vendor",
            Message::new(
                head(Stream::DIAGNOSTIC, 0, 2),
                Vendor::try_new(100, vec([0xCA, 0xFE])).unwrap(),
            ),
        ),
    ]
}
