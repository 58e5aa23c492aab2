//! Both forms carry the same messages; the compact one is postcard's layout; damaged bytes are refused, never a panic.

mod generate;

use meter_proto::error::Error;
use meter_proto::message::{Body, Command, Ext, Head, Message, Snapshot};
use meter_proto::{cbor, compact, form};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use testkit::Rng;

const ROOM: usize = 8192;

fn compact_bytes(message: &Message) -> Vec<u8> {
    let mut out = vec![0; ROOM];
    let len = compact::encode(message, &mut out).unwrap();
    out.truncate(len);
    out
}

fn cbor_bytes(message: &Message) -> Vec<u8> {
    let mut out = vec![0; ROOM];
    let len = cbor::encode(message, &mut out).unwrap();
    out.truncate(len);
    out
}

/// What serde and postcard make of the same message, and what they read back from it.
fn by_postcard(message: &Message) -> Vec<u8> {
    fn body<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
        message: &Message,
        body: &T,
        out: &mut [u8],
    ) -> usize {
        let layout = (&message.head, body, &message.ext);
        let len = postcard::to_slice(&layout, out).unwrap().len();
        let (read, rest): ((Head, T, Ext), _) = postcard::take_from_bytes(&out[..len]).unwrap();
        assert!(rest.is_empty());
        assert_eq!((&read.0, &read.1, &read.2), layout);
        len
    }
    let mut out = vec![0; ROOM];
    let len = match &message.body {
        Body::Registration(it) => body(message, it, &mut out),
        Body::Welcome(it) => body(message, it, &mut out),
        Body::SetDefinition(it) => body(message, it, &mut out),
        Body::Snapshot(it) => body(message, it, &mut out),
        Body::SetSnapshot(it) => body(message, it, &mut out),
        Body::Event(it) => body(message, it, &mut out),
        Body::Acknowledgement(it) => body(message, it, &mut out),
        Body::Heartbeat(it) => body(message, it, &mut out),
        Body::Command(it) => body(message, it, &mut out),
        Body::CommandResult(it) => body(message, it, &mut out),
        Body::Profile(it) => body(message, it, &mut out),
        Body::ConfigRead(it) => body(message, it, &mut out),
        Body::ConfigWrite(it) => body(message, it, &mut out),
        Body::ConfigReport(it) => body(message, it, &mut out),
        Body::TimeRequest(it) => body(message, it, &mut out),
        Body::TimeAnswer(it) => body(message, it, &mut out),
        Body::FileOffer(it) => body(message, it, &mut out),
        Body::FileNeed(it) => body(message, it, &mut out),
        Body::FileBlock(it) => body(message, it, &mut out),
        Body::DemandResponse(it) => body(message, it, &mut out),
        Body::DemandStatus(it) => body(message, it, &mut out),
        Body::Ledger(it) => body(message, it, &mut out),
        Body::Topology(it) => body(message, it, &mut out),
        Body::Absence(it) => body(message, it, &mut out),
        Body::LegalBlock(it) => body(message, it, &mut out),
        other => panic!("kind {} is not compared", other.kind()),
    };
    let mut bytes = vec![compact::FIRST_BYTE, message.body.kind()];
    bytes.extend_from_slice(&out[..len]);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn compact_is_postcard_byte_for_byte(seed: u64) {
        let mut rng = Rng::new(seed);
        for kind in Body::KINDS {
            let message = generate::message(*kind, &mut rng);
            let bytes = compact_bytes(&message);
            prop_assert_eq!(&bytes, &by_postcard(&message));
            prop_assert_eq!(compact::decode(&bytes), Ok(message));
        }
    }

    #[test]
    fn cbor_and_compact_carry_the_same_message(seed: u64) {
        let mut rng = Rng::new(seed);
        for kind in Body::KINDS {
            let message = generate::message(*kind, &mut rng);
            let (small, wide) = (compact_bytes(&message), cbor_bytes(&message));
            let from_wide = form::decode(&wide);
            prop_assert_eq!(from_wide.as_ref(), Ok(&message));
            prop_assert_eq!(form::decode(&small), from_wide);
            prop_assert_eq!(compact::peek(&small).unwrap(), cbor::peek(&wide).unwrap());
        }
    }

    #[test]
    fn bytes_behind_the_message_and_small_buffers_are_refused(seed: u64) {
        let mut rng = Rng::new(seed);
        for kind in Body::KINDS {
            let message = generate::message(*kind, &mut rng);
            for mut bytes in [compact_bytes(&message), cbor_bytes(&message)] {
                let len = bytes.len();
                let mut tight = vec![0; len - 1];
                let form = if bytes[0] == compact::FIRST_BYTE { compact::encode } else { cbor::encode };
                prop_assert_eq!(form(&message, &mut tight), Err(Error::BufferFull { capacity: len - 1 }));
                bytes.push(0);
                prop_assert_eq!(form::decode(&bytes), Err(Error::TrailingBytes { position: len }));
            }
        }
    }

    #[test]
    fn mutated_bytes_never_panic_and_what_is_read_reads_again(seed: u64) {
        let mut rng = Rng::new(seed);
        for kind in Body::KINDS {
            let message = generate::message(*kind, &mut rng);
            for mut bytes in [compact_bytes(&message), cbor_bytes(&message)] {
                rng.mutate(&mut bytes);
                if let Ok(read) = form::decode(&bytes) {
                    let again = if bytes[0] == compact::FIRST_BYTE {
                        // One spelling only: what decodes is what encodes, except an unknown body's arguments.
                        let again = compact_bytes(&read);
                        if !matches!(&read.body, Body::Command(_)) {
                            prop_assert_eq!(&again, &bytes);
                        }
                        again
                    } else {
                        cbor_bytes(&read)
                    };
                    prop_assert_eq!(form::decode(&again), Ok(read));
                }
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(mut bytes: Vec<u8>) {
        let _ = form::decode(&bytes);
        for first in [0x21, 0xA8] {
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            let _ = form::decode(&bytes);
        }
    }
}

#[test]
fn a_cut_anywhere_is_refused() {
    let mut rng = Rng::new(5);
    for kind in Body::KINDS {
        let message = generate::message(*kind, &mut rng);
        for bytes in [compact_bytes(&message), cbor_bytes(&message)] {
            for len in 0..bytes.len() {
                assert!(
                    form::decode(&bytes[..len]).is_err(),
                    "kind {kind} cut at {len}"
                );
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_survived() {
    let mut rng = Rng::new(6);
    for kind in Body::KINDS {
        let message = generate::message(*kind, &mut rng);
        for bytes in [compact_bytes(&message), cbor_bytes(&message)] {
            for bit in 0..bytes.len().min(400) * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let _ = form::decode(&flipped);
            }
        }
    }
}

#[test]
fn an_unknown_kind_still_has_its_head() {
    let mut rng = Rng::new(7);
    let message = generate::message(23, &mut rng);
    let mut bytes = compact_bytes(&message);
    bytes[1] = 199;
    assert_eq!(form::decode(&bytes), Err(Error::UnknownKind { found: 199 }));
    assert_eq!(form::peek(&bytes), Ok((199, message.head)));
    let mut bytes = cbor_bytes(&message);
    bytes[2] = 0;
    assert_eq!(form::decode(&bytes), Err(Error::UnknownKind { found: 0 }));
    assert_eq!(form::peek(&bytes), Ok((0, message.head)));
    let mut bytes = compact_bytes(&message);
    bytes[1] = 99;
    assert_eq!(
        compact::decode_as::<Command>(&bytes).map(|_| ()),
        Err(Error::OtherKind {
            expected: 10,
            found: 99
        })
    );
}

#[test]
fn snapshots_stream_without_a_list_in_memory() {
    let mut rng = Rng::new(8);
    let mut message = generate::message(4, &mut rng);
    message.ext.clear();
    let Body::Snapshot(snapshot) = &message.body else {
        panic!("kind 4 is a snapshot")
    };
    let mut out = vec![0; ROOM];
    let mut writer =
        compact::SnapshotWriter::new(&message.head, snapshot.samples.len(), &mut out).unwrap();
    for sample in &snapshot.samples {
        writer.push(sample).unwrap();
    }
    let len = writer.finish().unwrap();
    assert_eq!(out[..len], compact_bytes(&message));
    let (head, samples) = compact::SnapshotReader::new(&out[..len]).unwrap();
    assert_eq!(head, message.head);
    assert_eq!(samples.collect::<Snapshot>(), *snapshot);
}

#[test]
fn cbor_refuses_what_it_does_not_allow() {
    let hex = |text: &str| hex::decode(text.replace(' ', "")).unwrap();
    // Absence, node 0, stream 0, boot 1, seq 0, time 0, clk 0.
    let good = hex("A8 00 17 01 00 02 00 03 01 04 00 05 00 06 00 07 A2 00 01 01 02");
    assert!(cbor::decode(&good).is_ok());
    // Keys may come in any order, unknown ones are passed over.
    let mixed = hex(
        "A9 18 7F 81 F6 07 A3 14 43 01 02 03 01 02 00 01 06 00 05 00 04 00 03 01 02 00 01 00 00 17",
    );
    assert_eq!(cbor::decode(&mixed), cbor::decode(&good));
    for (bytes, error) in [
        (
            "A9 00 17 01 00 02 00 03 01 04 00 05 00 06 00 07 A2 00 01 01 02 01 00",
            Error::DuplicateKey {
                position: 21,
                key: 1,
            },
        ),
        (
            "A8 00 17 01 00 02 00 03 01 04 00 05 00 06 00 07 BF 00 01 01 02 FF",
            Error::BadType { position: 16 },
        ),
        (
            "A8 00 17 01 00 02 00 03 18 01 04 00 05 00 06 00 07 A2 00 01 01 02",
            Error::BadNumber { position: 8 },
        ),
        (
            "A8 00 17 01 00 02 00 03 F9 3C 00 04 00 05 00 06 00 07 A2 00 01 01 02",
            Error::BadType { position: 8 },
        ),
        (
            "A8 00 17 01 00 02 00 03 C1 01 04 00 05 00 06 00 07 A2 00 01 01 02",
            Error::BadType { position: 8 },
        ),
        (
            "A9 00 17 01 00 02 00 03 01 04 00 05 00 06 00 07 A1 00 01 08",
            Error::Truncated { position: 20 },
        ),
        (
            "A7 00 17 01 00 02 00 03 01 04 00 05 00 06 00",
            Error::MissingKey { key: 7 },
        ),
        (
            "A8 00 17 01 00 02 00 03 1B 00 00 00 01 00 00 00 00 04 00 05 00 06 00 07 A2 00 01 01 02",
            Error::BadNumber { position: 17 },
        ),
        (
            "A1 00 81 81 81 81 81 81 81 00",
            Error::TooDeep { position: 7 },
        ),
        (
            "A1 00 9B FF FF FF FF FF FF FF FF",
            Error::Truncated { position: 11 },
        ),
        ("BF 00 17 FF", Error::UnknownForm { found: 0xBF }),
    ] {
        assert_eq!(form::decode(&hex(bytes)), Err(error), "{bytes}");
    }
}

#[test]
fn a_message_in_memory_is_as_large_as_the_documentation_says() {
    let size = size_of::<Message>();
    assert!(size <= 3300, "{size}");
    assert!(size_of::<Command>() <= 256);
    assert!(size_of::<Snapshot>() <= 1_600);
}

#[test]
fn a_three_phase_snapshot_of_twenty_values_stays_small() {
    use meter_proto::message::{Sample, SetSnapshot, Stream};
    use meter_proto::point::{Direction, Phase, PointId};
    use meter_proto::quantity::Quantity as Q;
    use meter_proto::time::{ClockQuality, Stamp};
    use meter_proto::value::{Quality, Value};
    let mut samples = heapless::Vec::new();
    let phases = [Phase::L1, Phase::L2, Phase::L3];
    let rows = [
        (Q::VOLTAGE, 2301, -1),
        (Q::CURRENT, 5123, -3),
        (Q::ACTIVE_POWER, 11_780, -1),
        (Q::POWER_FACTOR, 998, -3),
    ];
    for (quantity, mantissa, exponent) in rows {
        for phase in phases {
            let _ = samples.push(Sample::new(
                PointId::new(quantity).phase(phase),
                Value::new(mantissa, exponent),
            ));
        }
    }
    let energy = PointId::new(Q::ACTIVE_ENERGY);
    let totals = [
        (PointId::new(Q::ACTIVE_POWER), 35_340, -1),
        (PointId::new(Q::REACTIVE_POWER), 2_100, -1),
        (PointId::new(Q::APPARENT_POWER), 35_410, -1),
        (PointId::new(Q::POWER_FACTOR), 998, -3),
        (PointId::new(Q::FREQUENCY), 5_001, -2),
        (energy.direction(Direction::IMPORT), 12_345_678, 1),
        (energy.direction(Direction::EXPORT), 1_234, 1),
        (
            PointId::new(Q::REACTIVE_ENERGY).direction(Direction::IMPORT),
            345_678,
            1,
        ),
    ];
    for (point, mantissa, exponent) in totals {
        let _ = samples.push(Sample::new(point, Value::new(mantissa, exponent)));
    }
    assert_eq!(samples.len(), 20);
    let mantissas = samples
        .iter()
        .map(|sample: &Sample| sample.value.mantissa)
        .collect();
    let stamp = Stamp::from_seconds(1_795_219_200, ClockQuality::LEGAL);
    let head = Head {
        node: 0,
        stream: Stream::TELEMETRY,
        boot: 5_000,
        seq: 3_000_000,
        stamp,
    };
    let set = SetSnapshot {
        number: 1,
        quality: Quality::GOOD,
        mantissas,
        exceptions: heapless::Vec::new(),
    };
    let mut out = vec![0; ROOM];
    let whole = compact::encode_as(&head, &Snapshot { samples }, &mut out).unwrap();
    let small = compact::encode_as(&head, &set, &mut out).unwrap();
    let wide = cbor::encode_as(&head, &set, &mut out).unwrap();
    println!("self-describing {whole} B, set form {small} B, CBOR set form {wide} B");
    assert!(
        whole <= 122 && small <= 69 && wide <= 98,
        "{whole} {small} {wide}"
    );
}
