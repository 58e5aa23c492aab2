//! Every case file of `vectors/security`, by the runner that `cargo xtask vectors` uses: both
//! always compare the same.

use std::collections::BTreeMap;
use std::path::Path;

#[path = "../../xtask/src/vectors/security/mod.rs"]
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

/// All cases held and none was skipped.
fn all(name: &str, count: usize) {
    assert_eq!(run(name), (count, BTreeMap::new()), "{name}");
}

/// All cases held, except for those that need a primitive which the crate does not offer.
fn all_but(name: &str, count: usize, skipped: &[(&str, usize)]) {
    let skipped = skipped
        .iter()
        .map(|(kind, count)| (format!("{name}: {kind}"), *count))
        .collect();
    assert_eq!(run(name), (count, skipped), "{name}");
}

#[test]
fn published_cipher_cases() {
    all("aes128_cmac", 55);
    all_but("aes_kw", 64, &[("AES-192", 2), ("AES-256", 3)]);
    all("nist_aes128_ccm", 120);
    all("nist_aes128_gcm", 90);
    all("sm4_ecb", 4);
    all("sp800_108_ctr_cmac_aes128", 16);
    all("wycheproof_aes_ccm", 91);
    all_but(
        "wycheproof_aes_gcm",
        32,
        &[("AES-192", 30), ("AES-256", 32)],
    );
    all("wycheproof_chacha20_poly1305", 160);
    all("wycheproof_sm4_ccm", 80);
    all("wycheproof_sm4_gcm", 51);
    all("wycheproof_ed25519", 76);
    all("wycheproof_ecdsa_p256_p1363", 70);
    all_but("dlms_gcm", 6, &[("AES-256", 2)]);
}

#[test]
fn own_formats() {
    all("v1_key_hierarchy", 6);
    all("v1_envelope", 49);
    all("v1_envelope_short", 24);
    all("v1_handshake", 19);
    all("dlt645_security_frames_sm4", 6);
    all("v1_fw_manifest", 15);
    all("v1_replay_window", 20);
    all("v1_counter_reserve", 8);
}
