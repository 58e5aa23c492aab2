//! JSON loses nothing: every message reads back to itself, and other readers of JSON see the same.

mod generate;

use meter_proto::error::Error;
use meter_proto::json;
use meter_proto::language::Language;
use meter_proto::message::{Body, Message};
use proptest::prelude::*;
use testkit::Rng;

fn text(message: &Message, language: Language) -> String {
    let mut out = vec![0; 65_536];
    json::encode(message, language, &mut out)
        .unwrap()
        .to_owned()
}

fn kinds() -> impl Iterator<Item = u8> {
    Body::KINDS.iter().copied().chain([64, 127])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_message_reads_back(seed: u64) {
        let mut rng = Rng::new(seed);
        for kind in kinds() {
            let message = generate::message(kind, &mut rng);
            for language in [Language::English, Language::Chinese] {
                let text = text(&message, language);
                prop_assert_eq!(json::decode(text.as_bytes()), Ok(message.clone()), "{}", text);
                // Another reader and writer of JSON in between changes nothing either.
                let foreign: serde_json::Value = serde_json::from_str(&text).unwrap();
                for again in [foreign.to_string(), serde_json::to_string_pretty(&foreign).unwrap()] {
                    prop_assert_eq!(json::decode(again.as_bytes()), Ok(message.clone()));
                }
            }
        }
    }

    #[test]
    fn damaged_text_never_panics(seed: u64) {
        let mut rng = Rng::new(seed);
        for kind in kinds() {
            let message = generate::message(kind, &mut rng);
            let mut bytes = text(&message, Language::English).into_bytes();
            rng.mutate(&mut bytes);
            if let Ok(read) = json::decode(&bytes) {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
                prop_assert_eq!(json::decode(text(&read, Language::Chinese).as_bytes()), Ok(read));
            }
        }
    }
}

#[test]
fn a_cut_or_a_small_buffer_is_refused() {
    let mut rng = Rng::new(3);
    for kind in kinds() {
        let message = generate::message(kind, &mut rng);
        let text = text(&message, Language::English);
        for len in (0..text.len()).step_by(1 + text.len() / 400) {
            assert!(json::decode(&text.as_bytes()[..len]).is_err(), "{text}");
        }
        let capacity = text.len() - 1;
        let mut tight = vec![0; capacity];
        assert_eq!(
            json::encode(&message, Language::English, &mut tight),
            Err(Error::BufferFull { capacity })
        );
    }
}

#[test]
fn by_hand_in_any_order_with_unknown_names() {
    let message = r#" { "body" : {"session": "2", "boot": 5, "colour": ["red", {"x": null}]},
        "stamp": {"clk": 4, "time": 1795219200}, "seq": 0, "boot": 5, "stream": 0, "node": 0, "kind": 23 } "#;
    let message = json::decode(message.as_bytes()).unwrap();
    assert_eq!(
        text(&message, Language::English),
        concat!(
            r#"{"kind":23,"message":"absence","node":0,"stream":0,"boot":5,"seq":0,"#,
            r#""stamp":{"time":1795219200,"clk":4,"utc":"2026-11-21T00:00:00Z"},"body":{"boot":5,"session":2}}"#
        )
    );
    for (bad, error) in [
        (r#"{"kind":23}"#, Error::MissingKey { key: 1 }),
        (
            r#"{"kind":23,"kind":23}"#,
            Error::DuplicateName { position: 11 },
        ),
        (r#"{"kind":256}"#, Error::BadNumber { position: 8 }),
        (r#"{"kind":23.0}"#, Error::BadNumber { position: 8 }),
        (r#"{"kind":[23]}"#, Error::BadNumber { position: 8 }),
        (r#"{"kind":23} {"#, Error::TrailingBytes { position: 12 }),
        ("[23]", Error::UnknownForm { found: b'[' }),
    ] {
        assert_eq!(json::decode(bad.as_bytes()), Err(error), "{bad}");
    }
}
