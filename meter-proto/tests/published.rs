//! The published page is true: its examples are golden bytes, its tables are the crate's, and a reader that was written
//! from it alone reads every golden message.

mod samples;

use std::path::PathBuf;
use std::process::Command;

use meter_proto::device::DeviceId;
use meter_proto::form::Form;
use meter_proto::language::Language;
use meter_proto::message::{Body, Message, Stream};
use meter_proto::point::PointId;
use meter_proto::value::{Quality, Value};
use meter_proto::{fragment, json, link, series, topic};
use samples::{entries, entry, file, samples};
use serde_json::Value as Json;

fn page_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/meter-proto.md")
}

fn page() -> String {
    std::fs::read_to_string(page_path()).unwrap()
}

fn json_text(message: &Message) -> String {
    let mut out = vec![0; 65_536];
    json::encode(message, Language::English, &mut out)
        .unwrap()
        .to_owned()
}

/// Fenced blocks of the page that begin with `hex <form> <name>`; the part of a line behind `;` is for people.
#[test]
fn worked_examples_of_the_page_are_true() {
    let page = page();
    let golden = entries();
    let mut checked = 0;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```json ") {
            let block: String = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .collect();
            let (_, message) = samples()
                .into_iter()
                .find(|(sample, _)| *sample == name)
                .unwrap();
            assert_eq!(
                json::decode(block.as_bytes()),
                Ok(message.clone()),
                "{name}"
            );
            let shown: Json = serde_json::from_str(&block).unwrap();
            let written: Json = serde_json::from_str(&json_text(&message)).unwrap();
            assert_eq!(shown, written, "{name}");
            checked += 1;
            continue;
        }
        let Some(title) = line.strip_prefix("```hex ") else {
            continue;
        };
        let block: String = lines
            .by_ref()
            .take_while(|line| !line.starts_with("```"))
            .fold(String::new(), |all, line| {
                all + &line
                    .split(';')
                    .next()
                    .unwrap()
                    .replace(char::is_whitespace, "")
                    .to_lowercase()
            });
        let (form, name) = title.split_once(' ').unwrap();
        let expected = match form {
            "compact" | "cbor" => entry(&golden, name).unwrap()[form]
                .as_str()
                .unwrap()
                .to_owned(),
            "serial" => {
                let mut out = [0; 64];
                let header = link::serial::Header::new(0, 1, 0, 9);
                let len = link::serial::encode(header, &[0x11, 0x00, 0x22], &mut out).unwrap();
                hex::encode(&out[..len])
            }
            "series" => {
                let registers = [12_345_678, 12_345_690, 12_345_703, 12_345_715, 12_345_727];
                let mut out = [0; 64];
                let (coding, len) = series::encode(registers.iter().copied(), &mut out).unwrap();
                assert_eq!(Ok(coding), series::Coding::rice(2, 0));
                hex::encode(&out[..len])
            }
            "fragment" => {
                let mut all = String::new();
                let mut cutter = fragment::Fragmenter::new(7, b"hello", 10).unwrap();
                let mut out = [0; 10];
                while let Some(len) = cutter.next(&mut out).unwrap() {
                    all += &hex::encode(&out[..len]);
                }
                all
            }
            "transfer" => {
                let mut side: link::spi::Endpoint<64> = link::spi::Endpoint::new();
                hex::encode(side.begin())
            }
            other => panic!("no example of {other}"),
        };
        assert_eq!(block, expected, "{title}");
        checked += 1;
    }
    assert!(checked >= 30, "{checked} examples");
    let device: DeviceId = "gw-202611000100".parse().unwrap();
    let topic = topic::Topic::Up {
        device,
        stream: Stream::LEGAL,
    }
    .text();
    assert!(page.contains(topic.as_str()), "the page shows {topic}");
    for row in meter_proto::quantity::TABLE {
        let line = format!(
            "| {} | {} | {} | {} | {} |",
            row.quantity.id(),
            row.english,
            row.chinese,
            row.unit,
            row.dlms_unit
        );
        assert!(page.contains(&line), "the page lacks the row {line}");
    }
}

#[test]
fn the_table_of_kinds_is_that_of_the_code() {
    let page = page();
    for kind in Body::KINDS {
        let start = format!("| {kind} {}", Body::name(*kind));
        let row = page.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row {start}"));
        for (key, name) in Body::fields(*kind) {
            let field = format!(" {key} {name}: ");
            assert!(row.contains(&field), "{start} lacks{field}");
        }
        let keys = row.split([',', '|']).filter(|part| {
            part.trim_start()
                .starts_with(|first: char| first.is_ascii_digit())
                && part.contains(": ")
        });
        assert_eq!(keys.count(), Body::fields(*kind).len(), "{row}");
    }
}

#[test]
fn the_examples_of_obis_are_true() {
    let page = page();
    let table = page.split("| point | OBIS |").nth(1).unwrap();
    let mut rows = 0;
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let groups: Vec<u8> = cells[1]
            .split(['-', ':', '.', '*'])
            .map(|group| group.parse().unwrap())
            .collect();
        let point = PointId::from_obis(groups.try_into().unwrap());
        assert_eq!(point.to_string(), cells[0]);
        assert!(point.foreign().is_none());
        rows += 1;
    }
    assert!(rows >= 4, "{rows}");
}

/// What the other reader found against the JSON form of what this crate found.
fn same(other: &Json, ours: &Json, place: &str) {
    match other {
        Json::Object(parts) if parts.contains_key("mantissa") => {
            let (number, marks) = match ours {
                Json::String(number) => (number, 0),
                ours => (
                    match &ours["number"] {
                        Json::String(number) => number,
                        other => panic!("{place}: {other}"),
                    },
                    marks(&ours["marks"]),
                ),
            };
            let value: Value = number.parse().unwrap();
            assert_eq!(parts["mantissa"], value.mantissa, "{place}");
            assert_eq!(parts["exponent"], value.exponent, "{place}");
            assert_eq!(parts["marks"], marks, "{place}");
        }
        Json::Object(parts) if parts.contains_key("namespace") => {
            let device: DeviceId = ours.as_str().unwrap().parse().unwrap();
            assert_eq!(parts["namespace"], device.namespace() as u8, "{place}");
            assert_eq!(parts["content"], hex::encode(device.content()), "{place}");
        }
        Json::Object(parts) => {
            for (name, part) in parts {
                same(part, &ours[name], &format!("{place}.{name}"));
            }
        }
        Json::Array(items) => {
            let ours = ours.as_array().unwrap();
            assert_eq!(items.len(), ours.len(), "{place}");
            for (item, our) in items.iter().zip(ours) {
                same(item, our, place);
            }
        }
        Json::Number(number) if ours.is_array() => {
            assert_eq!(*number, marks(ours).into(), "{place}")
        }
        Json::Number(number) if ours.is_string() => {
            assert_eq!(number.to_string(), ours.as_str().unwrap(), "{place}")
        }
        other => assert_eq!(other, ours, "{place}"),
    }
}

fn marks(names: &Json) -> u16 {
    let names = names.as_array().unwrap().iter();
    names.fold(0, |marks, name| {
        marks | Quality::of_name(name.as_str().unwrap()).unwrap().bits()
    })
}

#[test]
fn a_reader_written_from_the_page_alone_reads_every_golden_message() {
    let reader = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reader.py");
    let run = Command::new("python3")
        .arg(reader)
        .arg(page_path())
        .arg(file())
        .output();
    let Ok(run) = run else {
        testkit::skip("python3 is not installed");
        return;
    };
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success(),
        "{complaint}{}",
        String::from_utf8_lossy(&run.stdout)
    );
    let found: Vec<Json> = String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), entries().len());
    for (name, message) in samples() {
        let other = found.iter().find(|found| found["name"] == name).unwrap();
        let ours: Json = serde_json::from_str(&json_text(&message)).unwrap();
        assert_eq!(other["kind"], ours["kind"], "{name}");
        same(&other["head"], &ours, name);
        same(&other["body"], &ours["body"], name);
        let ext = if ours["ext"].is_null() {
            Json::from("")
        } else {
            ours["ext"].clone()
        };
        assert_eq!(other["ext"], ext, "{name}");
    }
}

#[test]
fn the_table_of_first_bytes_is_that_of_the_code() {
    let page = page();
    let table = page.split("| first byte | is |").nth(1).unwrap();
    let mut named = [None; 256];
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let bytes: Vec<usize> = row
            .split("0x")
            .skip(1)
            .take(if row.contains(" to 0x") { 2 } else { 1 })
            .map(|text| usize::from_str_radix(&text[..2], 16).unwrap())
            .collect();
        let words = [
            "security envelope",
            "compact form",
            "JSON form",
            "CBOR form",
        ];
        let word = words.into_iter().find(|word| row.contains(word));
        named[bytes[0]..=*bytes.last().unwrap()].fill(word);
    }
    for (first, word) in (0..=255u8).zip(named) {
        let of_code = Form::of(first).map(|form| match form {
            Form::Envelope { .. } => "security envelope",
            Form::Compact { .. } => "compact form",
            Form::Json => "JSON form",
            Form::Cbor => "CBOR form",
        });
        assert_eq!(of_code, word, "{first:02X}");
    }
}
