//! Golden files: bytes of every kind in both forms that this and every later release reads and writes again.
//!
//! New samples are added to the file by running this test once with `METER_PROTO_ADD_GOLDEN=1`; entries that stand in it
//! are never rewritten.

mod samples;

use meter_proto::message::{Body, Message};
use meter_proto::{cbor, compact, form};
use samples::{entries, entry, file, samples};
use serde_json::json;

fn written(message: &Message) -> (String, String) {
    let mut out = vec![0; 4096];
    let len = compact::encode(message, &mut out).unwrap();
    let small = hex::encode(&out[..len]);
    let len = cbor::encode(message, &mut out).unwrap();
    (small, hex::encode(&out[..len]))
}

#[test]
fn golden_files_decode_to_what_they_say_and_encode_again() {
    let mut entries = entries();
    if std::env::var_os("METER_PROTO_ADD_GOLDEN").is_some() {
        for (name, message) in samples() {
            if entry(&entries, name).is_none() {
                let (compact, cbor) = written(&message);
                entries.push(json!({"name": name, "kind": message.body.kind(), "compact": compact, "cbor": cbor}));
            }
        }
        std::fs::create_dir_all(file().parent().unwrap()).unwrap();
        std::fs::write(
            file(),
            serde_json::to_string_pretty(&entries).unwrap() + "\n",
        )
        .unwrap();
    }
    for entry in &entries {
        let name = entry["name"].as_str().unwrap();
        for kind in ["compact", "cbor"] {
            let bytes = hex::decode(entry[kind].as_str().unwrap()).unwrap();
            let message =
                form::decode(&bytes).unwrap_or_else(|error| panic!("{name}, {kind}: {error}"));
            assert_eq!(
                u64::from(message.body.kind()),
                entry["kind"].as_u64().unwrap(),
                "{name}"
            );
            let (small, wide) = written(&message);
            assert_eq!(entry["compact"], small, "{name}");
            assert_eq!(entry["cbor"], wide, "{name}");
            if let Some((_, sample)) = samples().into_iter().find(|(sample, _)| *sample == name) {
                assert_eq!(message, sample, "{name}, {kind}");
            }
        }
    }
    for (name, message) in samples() {
        assert!(
            entry(&entries, name).is_some(),
            "{name} (kind {}) has no golden bytes",
            message.body.kind()
        );
    }
    for kind in Body::KINDS {
        assert!(
            entries.iter().any(|entry| entry["kind"] == *kind),
            "kind {kind} has no golden bytes"
        );
    }
}
