//! What `decode` says: against texts that people read once, and against the vectors of the project.

use std::path::{Path, PathBuf};
use std::process::Command;

use meterkit_tools::decode::{Reading, explain, text};
use meterkit_tools::hex_text;
use meterkit_tools::lang::Lang;

/// Name of the golden text and the capture.
const CASES: &[(&str, &str)] = &[
    (
        "energy",
        "FE FE 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16",
    ),
    (
        "refusal",
        "68 01 72 00 72 00 00 68 D1 01 35 BC 16 68 01 72 00 72 00 00 68 C3 02 3B 33 E8 16",
    ),
    (
        "trip",
        "68 98 99 21 00 00 00 68 1C 10 35 33 33 33 63 63 63 63 4D 33 33 33 33 33 33 33 5A 16",
    ),
    (
        "edition-1997",
        "6812907856341268810643C333333433E016 68AAAAAAAAAAAA68010243C3D516",
    ),
    (
        "water",
        "FEFE 68 10 26 13 06 07 00 33 78 81 16 1F 90 04 00 68 00 00 2C 00 00 00 00 2C \
         00 00 00 00 00 00 00 00 00 73 16",
    ),
    (
        "status-and-event",
        "68 01 72 00 72 00 00 68 91 06 36 38 33 37 4B 43 B2 16 \
         68 01 72 00 72 00 00 68 91 10 34 33 44 36 3C 3B 3A 39 38 57 33 53 3A 39 38 57 38 16",
    ),
    (
        "long-answer",
        "68 01 72 00 72 00 00 68 B1 14 34 3B 63 36 33 34 35 36 37 38 39 3A 3B 3C 3D 3E 3F 40 41 42 2A 16",
    ),
    (
        "broken",
        "00 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 55 16 \
         FE 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16 68 12 90",
    ),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// With `METERKIT_BLESS` set the texts are written instead of compared.
#[test]
fn texts_in_both_languages() {
    for (name, hex) in CASES {
        let capture = hex_text::parse(hex).unwrap();
        for (lang, suffix) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
            let said = text(&explain(&capture, Reading::Auto, lang), lang);
            let file = golden(&format!("{name}.{suffix}.txt"));
            if std::env::var_os("METERKIT_BLESS").is_some() {
                std::fs::write(&file, &said).unwrap();
            }
            let expected = std::fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(said, expected, "{}", file.display());
        }
    }
}

#[test]
fn every_byte_of_every_vector_is_explained() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/dlt645/frames.json");
    let vectors = std::fs::read_to_string(file).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&vectors).unwrap();
    let mut count = 0;
    for vector in vectors["frames"].as_array().unwrap() {
        let hex = vector["hex"].as_str().unwrap();
        let capture = hex_text::parse(hex).unwrap();
        let reading = match vector["edition"].as_str().unwrap() {
            "2007" => Reading::V2007,
            "1997" => Reading::V1997,
            _ => Reading::Cjt188,
        };
        for lang in [Lang::En, Lang::Zh] {
            let stretches = explain(&capture, reading, lang);
            let mut at = 0;
            for part in stretches.iter().flat_map(|stretch| &stretch.parts) {
                assert_eq!(part.offset, at, "{hex}");
                assert!(!part.meaning.is_empty(), "{hex} at {at}");
                at += part.line.len();
            }
            assert_eq!(at, capture.len(), "{hex}");
            let fault = stretches.iter().find_map(|stretch| stretch.fault.as_ref());
            match vector["layer"].as_str() {
                Some("link") => {
                    let rule = vector["fault"].as_str().unwrap();
                    let nothing = stretches.iter().all(|part| part.protocol.is_empty());
                    assert!(
                        fault.is_some_and(|fault| fault.rule == rule) || nothing && rule == "start",
                        "{hex}: {fault:?}"
                    );
                }
                Some(_) => {}
                None => assert_eq!(fault, None, "{hex}"),
            }
        }
        count += 1;
    }
    assert!(count >= 117);
}

/// Frames with any byte changed, cut and glued: nothing panics and no byte is left out or told twice.
#[test]
fn spoilt_captures_are_explained_too() {
    let mut rng = testkit::Rng::new(645);
    let frames: Vec<Vec<u8>> = CASES
        .iter()
        .map(|(_, hex)| hex_text::parse(hex).unwrap())
        .collect();
    for _ in 0..3000 {
        let mut capture = Vec::new();
        for _ in 0..=rng.below(3) {
            let frame = &frames[rng.below(frames.len() as u64) as usize];
            let from = rng.below(8).saturating_sub(5) as usize;
            capture.extend_from_slice(&frame[from..]);
        }
        for _ in 0..rng.below(4) {
            let at = rng.below(capture.len() as u64) as usize;
            capture[at] = rng.byte();
        }
        for reading in [Reading::Auto, Reading::V1997, Reading::Cjt188] {
            let stretches = explain(&capture, reading, Lang::Zh);
            let told: Vec<u8> = stretches
                .iter()
                .flat_map(|stretch| stretch.parts.iter().flat_map(|part| part.line.clone()))
                .collect();
            assert_eq!(told, capture);
        }
    }
    // A long one without any frame does not take long.
    let stretches = explain(&[0x68; 20_000], Reading::Auto, Lang::En);
    assert_eq!(stretches.len(), 1);
}

#[test]
fn the_program_says_so_in_its_exit_code() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_meterkit"))
            .args(arguments)
            .output()
            .unwrap()
    };
    let good = run(&["decode", "--json", CASES[0].1]);
    assert_eq!(good.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!(json[1]["values"][0]["value"], "1234.56 kWh");
    assert_eq!(json[1]["parts"][5]["plain"], "00 00 01 00");
    let broken = run(&["decode", CASES[7].1]);
    assert_eq!(broken.status.code(), Some(1));
    let said = String::from_utf8(broken.stdout).unwrap();
    assert!(said.contains("expected 54, found 55"), "{said}");
    let wrong = run(&["decode", "68 XX"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("character 3"), "{said}");
}

#[test]
fn every_golden_message_is_explained_in_both_languages() {
    use meterkit_tools::decode::message;
    let golden = testkit::cases::load("meter-proto/messages-v1.json");
    for entry in golden.as_array().unwrap() {
        for form in ["compact", "cbor"] {
            let bytes = hex_text::parse(entry[form].as_str().unwrap()).unwrap();
            assert!(message::is_message(&bytes));
            for lang in [Lang::En, Lang::Zh] {
                let shown = message::explain(&bytes, lang).unwrap().unwrap();
                assert_eq!(shown["kind"], entry["kind"], "{}", entry["name"]);
                assert!(shown["body"].is_object());
            }
        }
    }
}

#[test]
fn a_message_is_told_from_a_frame() {
    let run = |hex: &str| {
        let run = Command::new(env!("CARGO_BIN_EXE_meterkit"))
            .args(["decode", hex])
            .output()
            .unwrap();
        (run.status.success(), String::from_utf8(run.stdout).unwrap())
    };
    let (good, text) = run("21 17 00 00 05 00 80 be 83 d8 06 04 05 02 00");
    assert!(good && text.contains("\"message\": \"absence\""), "{text}");
    let (good, text) = run("21 17 00 00 05 00 80 be 83 d8 06 04 05 02");
    assert!(!good && text.is_empty(), "{text}");
    let frame = "68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16";
    let (good, text) = run(&format!("21 {frame}"));
    assert!(good && text.contains("123456"), "{text}");
}
