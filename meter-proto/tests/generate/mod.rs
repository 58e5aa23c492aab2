//! Random messages of every kind from one seed; small and extreme numbers are frequent.

use meter_proto::device::DeviceId;
use meter_proto::message::*;
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::{Quality, Value};
use testkit::Rng;

fn number(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => rng.below(3),
        1 => u64::MAX - rng.below(3),
        _ => rng.next_u64() >> rng.below(64),
    }
}

fn quality(rng: &mut Rng) -> Quality {
    match rng.below(3) {
        0 => Quality::GOOD,
        1 => Quality::from_bits(1 << rng.between(1, 14)).unwrap(),
        _ => Quality::from_bits(rng.next_u32() as u16 & 0x7FFE).unwrap(),
    }
}

fn value(rng: &mut Rng) -> Value {
    let exponent = if rng.chance(800_000) {
        rng.between(-8, 8)
    } else {
        rng.between(-128, 127)
    };
    Value {
        mantissa: number(rng) as i64,
        exponent: exponent as i8,
        quality: quality(rng),
    }
}

fn option<T>(rng: &mut Rng, make: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.chance(500_000).then(|| make(rng))
}

fn list<T, const N: usize>(
    rng: &mut Rng,
    mut make: impl FnMut(&mut Rng) -> T,
) -> heapless::Vec<T, N> {
    let len = if rng.chance(100_000) {
        N as u64
    } else {
        rng.below(N as u64 / 2 + 1)
    };
    (0..len).map(|_| make(rng)).collect()
}

fn bytes<const N: usize>(rng: &mut Rng) -> heapless::Vec<u8, N> {
    list(rng, Rng::byte)
}

fn text<const N: usize>(rng: &mut Rng) -> heapless::String<N> {
    let mut text = heapless::String::new();
    for _ in 0..rng.below(N as u64 + 1) {
        let _ = text.push(*rng.pick(&['a', 'Z', '7', '-', '电', 'é']).unwrap());
    }
    text
}

fn device(rng: &mut Rng) -> DeviceId {
    let texts = [
        "d645-202611000001",
        "c188-1020261100000004",
        "eui-00158d0001020304",
        "mbus-2c2d123456781b16",
        "dlms-KFM1000123",
        "dlms-~00ff",
        "sn-4d4b-77",
        "uuid-00112233-4455-6677-8899-aabbccddeeff",
        "gw-202611000100",
    ];
    rng.pick(&texts).unwrap().parse().unwrap()
}

fn point(rng: &mut Rng) -> PointId {
    PointId::from_bits(number(rng))
}

fn stamp(rng: &mut Rng) -> Stamp {
    Stamp {
        time: number(rng),
        clk: rng.byte(),
    }
}

fn sealed(rng: &mut Rng) -> Sealed {
    Sealed {
        purpose: rng.byte(),
        envelope: bytes(rng),
    }
}

fn command_body(rng: &mut Rng) -> CommandBody {
    match rng.below(10) {
        0 => CommandBody::Relay {
            circuit: rng.byte(),
            closed: rng.chance(500_000),
        },
        1 => CommandBody::Limit {
            point: point(rng),
            value: value(rng),
            until: number(rng),
        },
        2 => CommandBody::Config {
            key: rng.next_u32() as u16,
            value: bytes(rng),
        },
        3 => CommandBody::Read {
            points: list(rng, point),
        },
        4 => CommandBody::Sealed(sealed(rng)),
        5 => CommandBody::Register,
        6 => CommandBody::Activate {
            file: number(rng) as u32,
            until: number(rng),
            trial_s: number(rng) as u32,
        },
        7 => CommandBody::Set {
            point: point(rng),
            value: value(rng),
        },
        8 => CommandBody::Account {
            account: number(rng) as u32,
        },
        _ => CommandBody::Unknown { code: 1000 },
    }
}

/// Ranges (first, count) that ascend without overlap below `end`, at most 8.
fn ranges(rng: &mut Rng, end: u64) -> std::vec::IntoIter<(u32, u32)> {
    let mut free = 0;
    let mut all = Vec::new();
    for _ in 0..rng.below(9) {
        let first = free + rng.below(end / 10 + 1);
        let count = 1 + rng.below(end / 10 + 1);
        free = first + count;
        if free <= end {
            all.push((first as u32, count as u32));
        }
    }
    all.into_iter()
}

fn keys<const N: usize>(rng: &mut Rng) -> heapless::Vec<ConfigKey, N> {
    let mut keys: Vec<u16> = (0..rng.below(N as u64 + 1))
        .map(|_| number(rng) as u16)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().map(ConfigKey).collect()
}

fn entries(rng: &mut Rng) -> heapless::Vec<ConfigEntry, 24> {
    let keys: heapless::Vec<ConfigKey, 24> = keys(rng);
    keys.into_iter()
        .map(|key| ConfigEntry {
            key,
            value: bytes(rng),
        })
        .collect()
}

/// A profile of a register with holes; the data is a real series.
fn profile(rng: &mut Rng) -> Profile {
    let mut register = number(rng) as i64 >> 3;
    let values: Vec<i64> = (0..=rng.below(96))
        .map(|_| {
            register += rng.below(100) as i64;
            register
        })
        .collect();
    let step_s = (number(rng) as u32).max(1);
    let mut profile =
        Profile::try_new(point(rng), rng.byte() as i8, step_s, values.iter().copied()).unwrap();
    profile.age_s = number(rng) as u32;
    profile.runs = ranges(rng, values.len() as u64)
        .map(|(first, count)| QualityRun {
            first: first as u16,
            count: count as u16,
            quality: quality(rng),
        })
        .collect();
    profile
}

/// A body of this kind.
pub fn body(kind: u8, rng: &mut Rng) -> Body {
    match kind {
        1 => {
            let mut registration = Registration::new(
                device(rng),
                DeviceKind(number(rng) as u16),
                number(rng) as u32,
            );
            registration.network = Network(number(rng) as u16);
            registration.name = text(rng);
            registration.model = text(rng);
            registration.hardware = text(rng);
            registration.metering_firmware = text(rng);
            registration.management_firmware = text(rng);
            registration.capabilities = number(rng);
            registration.largest_message = number(rng) as u32;
            registration.config_version = number(rng) as u32;
            registration.local_offset_s = number(rng) as i32;
            registration.sets = list(rng, |rng| number(rng) as u32);
            registration.streams = list(rng, |rng| StreamState {
                stream: Stream(rng.byte()),
                boot: number(rng) as u32,
                floor: number(rng) as u32,
                last: number(rng) as u32,
            });
            registration.position = option(rng, |rng| Position {
                latitude: number(rng) as i32,
                longitude: number(rng) as i32,
                altitude_dm: number(rng) as i32,
                accuracy_m: number(rng) as u32,
                source: PositionSource(rng.byte()),
            });
            registration.into()
        }
        2 => Welcome {
            version: rng.byte(),
            session: number(rng) as u32,
            now: stamp(rng),
            config_version: number(rng) as u32,
            backlog_rate: number(rng) as u16,
            spread_s: number(rng) as u16,
        }
        .into(),
        3 => {
            let entries = list(rng, |rng| SetEntry {
                point: point(rng),
                exponent: rng.byte() as i8,
                modulus: number(rng),
            });
            SetDefinition::new(number(rng) as u16, number(rng) as u32, entries).into()
        }
        4 => Snapshot {
            samples: list(rng, |rng| Sample::new(point(rng), value(rng))),
        }
        .into(),
        5 => SetSnapshot {
            number: number(rng) as u16,
            quality: quality(rng),
            mantissas: list(rng, |rng| number(rng) as i64),
            exceptions: list(rng, |rng| SetException {
                column: number(rng) as u16,
                quality: quality(rng),
            }),
        }
        .into(),
        7 => Event {
            code: number(rng) as u16,
            severity: rng.byte(),
            phase: EventPhase(rng.byte()),
            instance: number(rng) as u32,
            point: point(rng),
            value: option(rng, value),
            limit: option(rng, value),
        }
        .into(),
        8 => Acknowledgement {
            stream: Stream(rng.byte()),
            boot: number(rng) as u32,
            contiguous: number(rng) as u32,
            gaps: list(rng, |rng| Gap {
                first: number(rng) as u32,
                last: number(rng) as u32,
            }),
        }
        .into(),
        9 => Heartbeat {
            uptime_s: number(rng) as u32,
            signal_dbm: rng.byte() as i8,
            waiting: number(rng) as u32,
            config_version: number(rng) as u32,
            flags: number(rng) as u32,
        }
        .into(),
        10 => Command {
            id: number(rng),
            issuer: number(rng) as u32,
            not_before: number(rng),
            expires: number(rng),
            priority: rng.byte(),
            body: command_body(rng),
        }
        .into(),
        11 => CommandResult {
            id: number(rng),
            status: Status(rng.byte()),
            finished: stamp(rng),
            detail: number(rng) as u32,
            value: option(rng, value),
            sealed: option(rng, sealed),
        }
        .into(),
        22 => Topology {
            total: number(rng) as u16,
            nodes: list(rng, |rng| Node {
                number: number(rng) as u16,
                device: device(rng),
                protocol: Protocol(number(rng) as u16),
                line: rng.byte(),
                last_seen: number(rng),
            }),
        }
        .into(),
        23 => Absence {
            boot: number(rng) as u32,
            session: number(rng) as u32,
        }
        .into(),
        25 => LegalBlock {
            envelope: bytes(rng),
        }
        .into(),
        6 => profile(rng).into(),
        12 => ConfigRead { keys: keys(rng) }.into(),
        13 => {
            let base_version = number(rng) as u32 >> 1;
            let mut entries = entries(rng);
            if entries.is_empty() {
                let _ = entries.push(ConfigEntry {
                    key: ConfigKey::NAME,
                    value: bytes(rng),
                });
            }
            ConfigWrite {
                base_version,
                new_version: base_version + 1,
                activate_at: number(rng),
                entries,
            }
            .into()
        }
        14 => ConfigReport {
            version: number(rng) as u32,
            waiting_version: number(rng) as u32,
            total: u16::MAX - rng.below(1000) as u16,
            entries: entries(rng),
            refused: list(rng, |rng| RefusedKey {
                key: ConfigKey(number(rng) as u16),
                reason: ConfigRefusal(rng.byte()),
            }),
        }
        .into(),
        15 => TimeRequest {
            origin_us: number(rng),
        }
        .into(),
        16 => {
            let received_us = number(rng) >> 1;
            TimeAnswer {
                origin_us: number(rng),
                received_us,
                sent_us: received_us + rng.below(5_000),
                uncertainty_us: number(rng) as u32,
                quality: ClockQuality(rng.byte()),
            }
            .into()
        }
        17 => FileOffer {
            number: number(rng) as u32,
            file_kind: FileKind(number(rng) as u16),
            target: FileTarget(rng.byte()),
            version: text(rng),
            size: 1 + (number(rng) % u64::from(FILE_MAX)) as u32,
            block_size: *rng.pick(&[256, 512, 1024]).unwrap(),
            sha256: (0..32).map(|_| rng.byte()).collect(),
            manifest: bytes(rng),
            signature: bytes(rng),
            activation: Activation(rng.byte()),
        }
        .into(),
        18 => {
            let ranges: heapless::Vec<BlockRange, 8> = ranges(rng, 65_536)
                .map(|(first, count)| BlockRange { first, count })
                .collect();
            FileNeed {
                number: number(rng) as u32,
                status: FileStatus(if ranges.is_empty() {
                    1 + rng.byte() % 255
                } else {
                    0
                }),
                ranges,
            }
            .into()
        }
        19 => FileBlock {
            number: number(rng) as u32,
            offset: (number(rng) % u64::from(FILE_MAX - 1024)) as u32,
            data: {
                let mut data = bytes(rng);
                if data.is_empty() {
                    let _ = data.push(1);
                }
                data
            },
        }
        .into(),
        20 => DemandResponse {
            id: number(rng),
            version: number(rng) as u32,
            demand_kind: DemandKind(rng.byte()),
            primacy: rng.byte(),
            start: number(rng),
            randomise_s: number(rng) as u32,
            intervals: list(rng, |rng| DemandInterval {
                duration_s: (number(rng) as u32).max(1),
                value: value(rng),
            }),
        }
        .into(),
        21 => DemandStatus {
            id: number(rng),
            version: number(rng) as u32,
            state: DemandState(rng.byte()),
            reason: number(rng) as u16,
            since: stamp(rng),
        }
        .into(),
        24 => Ledger {
            account: number(rng) as u32,
            count: (number(rng) as u32).max(1),
            order: number(rng),
            batch: number(rng) as u32,
            movement: MovementKind(rng.byte()),
            reason: number(rng) as u16,
            operator: number(rng) as u32,
            currency: number(rng) as u16,
            amount: value(rng),
            balance: value(rng),
            booked: stamp(rng),
        }
        .into(),
        64..=127 => Vendor::try_new(kind, bytes(rng)).unwrap().into(),
        other => panic!("no generator for kind {other}"),
    }
}

/// A chain of (type, length, bytes).
fn additions(rng: &mut Rng) -> Ext {
    let mut ext = Ext::new();
    loop {
        let value: heapless::Vec<u8, 20> = bytes(rng);
        if ext.len() + 2 + value.len() > ext.capacity() {
            return ext;
        }
        ext.extend([rng.byte(), value.len() as u8]);
        ext.extend(value);
    }
}

/// A message of this kind.
pub fn message(kind: u8, rng: &mut Rng) -> Message {
    let head = Head {
        node: number(rng) as u16,
        stream: Stream(rng.byte()),
        boot: number(rng) as u32,
        seq: number(rng) as u32,
        stamp: stamp(rng),
    };
    let body = body(kind, rng);
    Message {
        head,
        body,
        ext: if rng.chance(200_000) {
            additions(rng)
        } else {
            Ext::new()
        },
    }
}
