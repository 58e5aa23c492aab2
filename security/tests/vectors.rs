//! Every case file of `vectors/security`, by the runner that `cargo xtask vectors` uses: both
//! always compare the same.

use std::collections::BTreeMap;
use std::path::Path;

#[path = "../../xtask/src/vectors/security.rs"]
mod runner;

#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: Vec<String>,
    skipped: BTreeMap<String, usize>,
}

/// Runs a file and returns how many cases held and which kinds were skipped.
fn run(name: &str) -> (usize, BTreeMap<String, usize>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/security")
        .join(name)
        .with_extension("json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    let outcome = runner::run(name, &cases);
    assert!(outcome.failed.is_empty(), "{:#?}", outcome.failed);
    (outcome.passed, outcome.skipped)
}

fn skips(kinds: &[(&str, usize)]) -> BTreeMap<String, usize> {
    kinds
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect()
}

#[test]
fn published_cipher_cases() {
    assert_eq!(run("aes128_cmac"), (55, skips(&[])));
    assert_eq!(run("nist_aes128_ccm"), (120, skips(&[])));
    assert_eq!(run("wycheproof_aes_ccm"), (91, skips(&[])));
    assert_eq!(run("sp800_108_ctr_cmac_aes128"), (16, skips(&[])));
}

#[test]
fn key_tree() {
    assert_eq!(
        run("v1_key_hierarchy"),
        (6, skips(&[("v1_key_hierarchy: key wrap", 6)]))
    );
}

#[test]
fn envelopes() {
    let (passed, skipped) = run("v1_envelope");
    assert_eq!(passed + skipped.values().sum::<usize>(), 49);
    assert_eq!(passed, 21);
    let (passed, skipped) = run("v1_envelope_short");
    assert_eq!(
        (passed, skipped),
        (20, skips(&[("v1_envelope_short: AES-128-GCM", 4)]))
    );
}

#[test]
fn freshness_and_numbers() {
    assert_eq!(run("v1_replay_window"), (20, skips(&[])));
    assert_eq!(run("v1_counter_reserve"), (8, skips(&[])));
}
