//! Bytes of the messages that were written down in `vectors/meter-proto/sizes.json`, beside what others make of the
//! same values. Fails where an aim is missed. `cargo xtask sizes` runs it.

use std::fmt::Write as _;

use meter_proto::device::DeviceId;
use meter_proto::message::{
    Acknowledgement, Command, CommandBody, CommandResult, Content, Event, EventPhase, Gap, Head,
    Heartbeat, Network, Position, PositionSource, Profile, Registration, SetDefinition, SetEntry,
    Status, Stream, StreamState,
};
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::Value;
use meter_proto::{cbor, compact, series};
use prost::Message as _;
use serde_json::{Value as Json, json};

mod peers;
#[path = "peers/sparkplug.rs"]
mod sparkplug;

const CASES: &str = include_str!("../../vectors/meter-proto/sizes.json");

/// One row of the table.
struct Row {
    what: &'static str,
    young: usize,
    worn: usize,
    /// Most bytes allowed, for both meters.
    aim: Option<usize>,
}

/// A young and a worn meter.
#[derive(Clone, Copy)]
struct Age {
    boot: u32,
    seq: u32,
}

fn compact_len(head: &Head, body: &impl Content) -> usize {
    compact::encode_as(head, body, &mut [0; 16_384]).expect("it fits")
}

fn cbor_len(head: &Head, body: &impl Content) -> usize {
    cbor::encode_as(head, body, &mut [0; 16_384]).expect("it fits")
}

fn stamp() -> Stamp {
    Stamp::from_seconds(peers::TIME, ClockQuality::LEGAL)
}

/// The names that formats without points give to the values.
fn names(case: &Json) -> Vec<String> {
    let values = case["values"].as_array().expect("a list of values");
    let name = |value: &Json| value["name"].as_str().expect("a name").to_owned();
    values.iter().map(name).collect()
}

/// The file and the constants of the measured images say the same.
fn check_values(case: &Json) {
    for (value, (point, mantissa, exponent)) in case["values"]
        .as_array()
        .expect("a list of values")
        .iter()
        .zip(peers::VALUES)
    {
        assert_eq!(value["point"], point, "{value}");
        assert_eq!(value["mantissa"], mantissa, "{value}");
        assert_eq!(value["exponent"], exponent, "{value}");
    }
    assert_eq!(case["values"].as_array().map(Vec::len), Some(20));
}

/// A decimal number as JSON and SenML write it.
fn decimal(mantissa: i64, exponent: i8) -> String {
    Value::new(mantissa, exponent).to_string()
}

fn json_objects(names: &[String]) -> String {
    let mut text = String::from("[");
    for (name, (point, mantissa, exponent)) in names.iter().zip(peers::VALUES) {
        let quantity = PointId::from_bits(point).quantity();
        let number = decimal(mantissa, exponent);
        let _ = write!(
            text,
            "{{\"id\":\"{name}\",\"type\":\"i64\",\"unit\":\"{}\",\"value\":{number},\"lat\":31.2304,\"lon\":121.4737,\"time\":\"2026-11-21T00:00:00Z\"}},",
            quantity.unit()
        );
    }
    text.pop();
    text.push(']');
    serde_json::from_str::<Json>(&text).expect("valid JSON");
    text
}

fn json_flat(names: &[String], age: Age) -> String {
    let mut text = format!(
        "{{\"time\":{},\"boot\":{},\"seq\":{}",
        peers::TIME,
        age.boot,
        age.seq
    );
    for (name, (_, mantissa, exponent)) in names.iter().zip(peers::VALUES) {
        let _ = write!(text, ",\"{name}\":{}", decimal(mantissa, exponent));
    }
    text.push('}');
    serde_json::from_str::<Json>(&text).expect("valid JSON");
    text
}

/// RFC 8428, base name and time in the first record.
fn senml_json(names: &[String]) -> String {
    let mut text = format!("[{{\"bn\":\"d645-202611000002/\",\"bt\":{},", peers::TIME);
    for (name, (point, mantissa, exponent)) in names.iter().zip(peers::VALUES) {
        let unit = PointId::from_bits(point).quantity().unit();
        let number = decimal(mantissa, exponent);
        let _ = write!(
            text,
            "\"n\":\"{name}\",\"u\":\"{unit}\",\"v\":{number}}},{{"
        );
    }
    text.truncate(text.len() - 2);
    text.push(']');
    serde_json::from_str::<Json>(&text).expect("valid JSON");
    text
}

/// RFC 8428 with integer labels and decimal fractions.
fn senml_cbor(names: &[String]) -> Vec<u8> {
    let mut out = minicbor::Encoder::new(Vec::new());
    let mut write = || -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        out.array(20)?;
        for (at, (name, (point, mantissa, exponent))) in names.iter().zip(peers::VALUES).enumerate()
        {
            let unit = PointId::from_bits(point).quantity().unit();
            out.map(if at == 0 { 5 } else { 3 })?;
            if at == 0 {
                out.i8(-2)?.str("d645-202611000002/")?;
                out.i8(-3)?.u64(peers::TIME)?;
            }
            out.u8(0)?.str(name)?.u8(1)?.str(unit)?.u8(2)?;
            out.tag(minicbor::data::IanaTag::Decimal)?;
            out.array(2)?.i8(exponent)?.i64(mantissa)?;
        }
        Ok(())
    };
    write().expect("memory takes everything");
    out.into_writer()
}

/// A Sparkplug DATA message with names, stamps and double precision.
fn sparkplug_with_names(age: Age, names: &[String]) -> usize {
    /// Number of the data type Double.
    const DOUBLE: u32 = 10;
    let payload = sparkplug::metrics(age.seq, |at, mantissa, exponent| sparkplug::Metric {
        name: names.get(at as usize).cloned(),
        timestamp: Some(peers::TIME * 1000),
        datatype: Some(DOUBLE),
        value: Some(sparkplug::Number::Double(sparkplug::scaled(
            mantissa, exponent,
        ))),
        ..sparkplug::Metric::default()
    });
    payload.encoded_len()
}

/// The layout of the set of the same values.
fn entries() -> heapless::Vec<SetEntry, 128> {
    let entries = peers::VALUES.iter().map(|(point, _, exponent)| SetEntry {
        point: PointId::from_bits(*point),
        exponent: *exponent,
        modulus: 0,
    });
    entries.collect()
}

fn minicbor_arrays(age: Age) -> usize {
    let mut room = [0; 1_024];
    let mut rest = &mut room[..];
    minicbor::encode(peers::cbor::message(age.boot, age.seq), &mut rest).expect("it fits");
    1_024 - rest.len()
}

fn postcard_len(value: &impl serde::Serialize) -> usize {
    postcard::to_slice(value, &mut [0; 1_024])
        .expect("it fits")
        .len()
}

fn snapshots(rows: &mut Vec<Row>, names: &[String], [young, worn]: [Age; 2]) {
    let mut row = |what, aim, len: &dyn Fn(Age) -> usize| {
        let (young, worn) = (len(young), len(worn));
        rows.push(Row {
            what,
            young,
            worn,
            aim,
        });
    };
    let head = |age: Age| peers::head(age.boot, age.seq);
    let (whole, set) = (peers::snapshot(), peers::set_snapshot());
    row("JSON, one object per value", None, &|_| {
        json_objects(names).len()
    });
    row("SenML JSON", None, &|_| senml_json(names).len());
    row("Sparkplug DATA with names, f64 (prost)", None, &|age| {
        sparkplug_with_names(age, names)
    });
    row("SenML CBOR, decimal fractions", None, &|_| {
        senml_cbor(names).len()
    });
    row("JSON, flat names", None, &|age| json_flat(names, age).len());
    row("minicbor, points as arrays", None, &minicbor_arrays);
    row(
        "Sparkplug DATA, alias only, f32 and u64 (prost)",
        None,
        &|age| sparkplug::by_alias(age.seq).encoded_len(),
    );
    row(
        "serde + postcard, the same types, without version, kind, ext",
        None,
        &|age| postcard_len(&(head(age), &whole)),
    );
    row("meter-proto CBOR, self-describing", None, &|age| {
        cbor_len(&head(age), &whole)
    });
    row("meter-proto compact, self-describing", Some(122), &|age| {
        compact_len(&head(age), &whole)
    });
    row("meter-proto CBOR, set form", Some(98), &|age| {
        cbor_len(&head(age), &set)
    });
    row("meter-proto compact, set form", Some(69), &|age| {
        compact_len(&head(age), &set)
    });
}

fn day(rows: &mut Vec<Row>, case: &Json, [young, worn]: [Age; 2]) {
    let registers = case["registers"]["mantissas"].as_array().expect("a list");
    let registers: Vec<i64> = registers.iter().filter_map(Json::as_i64).collect();
    assert_eq!(registers.len(), 96);
    let point = PointId::from_bits(case["registers"]["point"].as_u64().expect("a point"));
    let exponent = case["registers"]["exponent"].as_i64().expect("an exponent") as i8;
    let profile = Profile::try_new(point, exponent, 900, registers.iter().copied()).expect("a day");
    let back: Vec<i64> = series::Decoder::new(profile.codec, 96, &profile.data)
        .and_then(Iterator::collect)
        .expect("it reads back");
    assert_eq!(back, registers);
    let mut both = |what, aim, young, worn| {
        rows.push(Row {
            what,
            young,
            worn,
            aim,
        })
    };
    let mut plain = |what, len| both(what, None, len, len);
    let text: Vec<String> = registers
        .iter()
        .map(|mantissa| decimal(*mantissa, exponent - 3))
        .collect();
    let mut senml = format!(
        "[{{\"bn\":\"d645-202611000002/wh_in\",\"bt\":{},\"bu\":\"kWh\",",
        peers::TIME
    );
    for (age, value) in (0..96).rev().zip(&text) {
        let _ = write!(senml, "\"v\":{value},\"t\":{}}},{{", -900 * age);
    }
    senml.truncate(senml.len() - 2);
    senml.push(']');
    serde_json::from_str::<Json>(&senml).expect("valid JSON");
    plain("96 registers: SenML JSON, a record each", senml.len());
    plain("96 registers: JSON array", text.join(",").len() + 2);
    let mut cbor = minicbor::Encoder::new(Vec::new());
    let written = cbor.array(96).and_then(|cbor| {
        registers
            .iter()
            .try_fold(cbor, |cbor, register| cbor.i64(*register))
    });
    assert!(written.is_ok());
    plain(
        "96 registers: CBOR array of integers",
        cbor.into_writer().len(),
    );
    plain("96 registers: serde + postcard", postcard_len(&registers));
    let varints = |coding| {
        let mut out = [0; 1_024];
        let mut encoder = series::Encoder::new(coding, &mut out).expect("it fits");
        registers
            .iter()
            .for_each(|register| encoder.push(*register).expect("it fits"));
        encoder.finish().expect("it fits")
    };
    plain(
        "96 registers: varints of differences (codec 1)",
        varints(series::Coding::DELTA),
    );
    plain(
        "96 registers: data of the profile alone",
        profile.data.len(),
    );
    let head = |age: Age| Head {
        stream: Stream::LEGAL,
        ..peers::head(age.boot, age.seq)
    };
    both(
        "profile of a day, complete",
        Some(96),
        compact_len(&head(young), &profile),
        compact_len(&head(worn), &profile),
    );
    both(
        "profile of a day, CBOR",
        None,
        cbor_len(&head(young), &profile),
        cbor_len(&head(worn), &profile),
    );
}

fn others(rows: &mut Vec<Row>, [young, worn]: [Age; 2]) {
    let mut row = |what, len: &dyn Fn(Age) -> usize| {
        let (young, worn) = (len(young), len(worn));
        rows.push(Row {
            what,
            young,
            worn,
            aim: None,
        });
    };
    let session = |age: Age| Head::session(age.boot, stamp());
    let event_head = |age: Age| Head {
        stream: Stream::EVENT,
        ..peers::head(age.boot, age.seq)
    };
    let bare = Event {
        code: Event::OUTAGE,
        severity: 6,
        phase: EventPhase::RAISED,
        instance: 12,
        point: PointId::from_bits(0),
        value: None,
        limit: None,
    };
    let full = Event {
        code: Event::OVER_VOLTAGE,
        point: PointId::from_bits(0x81),
        value: Some(Value::new(2651, -1)),
        limit: Some(Value::new(2640, -1)),
        ..bare
    };
    row("event with value and limit", &|age| {
        compact_len(&event_head(age), &full)
    });
    row("bare event", &|age| compact_len(&event_head(age), &bare));
    let acknowledgement = |age: Age, gaps: &[(u32, u32)]| {
        let gap = |(first, last): &(u32, u32)| Gap {
            first: age.seq + first,
            last: age.seq + last,
        };
        let told = Acknowledgement {
            stream: Stream::LEGAL,
            boot: age.boot,
            contiguous: age.seq,
            gaps: gaps.iter().map(gap).collect(),
        };
        compact_len(&session(age), &told)
    };
    row("acknowledgement", &|age| acknowledgement(age, &[]));
    row("acknowledgement with three gaps", &|age| {
        acknowledgement(age, &[(2, 2), (5, 6), (9, 9)])
    });
    let heartbeat = Heartbeat {
        uptime_s: 86_400,
        signal_dbm: -87,
        waiting: 3,
        config_version: 12,
        flags: 0,
    };
    row("heartbeat", &|age| compact_len(&session(age), &heartbeat));
    let command = Command {
        id: 0x0001_0000_002A,
        issuer: 7,
        not_before: 0,
        expires: peers::TIME + 60,
        priority: 1,
        body: CommandBody::Relay {
            circuit: 0,
            closed: false,
        },
    };
    row("relay command", &|age| compact_len(&session(age), &command));
    let result = CommandResult {
        id: command.id,
        status: Status::DONE,
        finished: stamp(),
        detail: 0,
        value: None,
        sealed: None,
    };
    row("its result", &|age| {
        let head = Head {
            stream: Stream::LEDGER,
            ..peers::head(age.boot, age.seq)
        };
        compact_len(&head, &result)
    });
    let device: DeviceId = "d645-202611000002".parse().expect("a device");
    row(
        "registration with four sets, five streams and a position",
        &|age| {
            let state = |stream| StreamState {
                stream,
                boot: age.boot,
                floor: age.seq - 1,
                last: age.seq,
            };
            let mut registration = Registration::new(
                device,
                meter_proto::message::DeviceKind::ELECTRICITY_METER,
                5,
            );
            registration.network = Network::NB_IOT;
            registration.sets = [0x1234_5678, 0x9ABC_DEF0, 0x0F1E_2D3C, 0x4B5A_6978]
                .into_iter()
                .collect();
            registration.streams = Stream::ALL[1..]
                .iter()
                .map(|stream| state(*stream))
                .collect();
            registration.position = Some(Position {
                latitude: 312_304_000,
                longitude: 1_214_737_000,
                altitude_dm: 40,
                accuracy_m: 10,
                source: PositionSource(0),
            });
            compact_len(&session(age), &registration)
        },
    );
    let set = SetDefinition::new(1, 900, entries());
    row("definition of the set of 20 values", &|age| {
        compact_len(&session(age), &set)
    });
}

fn main() {
    let case: Json = serde_json::from_str(CASES).expect("the file is JSON");
    check_values(&case);
    let names = names(&case);
    let age = |name: &str| {
        let number = |field: &str| {
            case[name][field]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
        };
        Age {
            boot: number("boot").expect("a boot"),
            seq: number("seq").expect("a number"),
        }
    };
    let ages = [age("young"), age("worn")];
    let mut rows = Vec::new();
    snapshots(&mut rows, &names, ages);
    day(&mut rows, &case, ages);
    others(&mut rows, ages);

    if std::env::args().any(|word| word == "--json") {
        let rows: Vec<Json> = rows
            .iter()
            .map(
                |Row {
                     what,
                     young,
                     worn,
                     aim,
                 }| json!({ "what": what, "young": young, "worn": worn, "aim": aim }),
            )
            .collect();
        println!(
            "{}",
            serde_json::to_string_pretty(&rows).expect("plain values")
        );
    } else {
        println!("{:<62} {:>6} {:>6} {:>5}", "bytes", "young", "worn", "aim");
        for Row {
            what,
            young,
            worn,
            aim,
        } in &rows
        {
            let aim = aim.map(|aim| aim.to_string()).unwrap_or_default();
            println!("{what:<62} {young:>6} {worn:>6} {aim:>5}");
        }
    }
    let missed = |row: &&Row| row.aim.is_some_and(|aim| row.young.max(row.worn) > aim);
    let missed: Vec<_> = rows.iter().filter(missed).map(|row| row.what).collect();
    if !missed.is_empty() {
        eprintln!("above the aim: {}", missed.join(", "));
        std::process::exit(1);
    }
}
