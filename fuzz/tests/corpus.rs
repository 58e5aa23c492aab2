//! The corpus and random input through every body, on the stable tool chain.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

type Body = fn(&[u8]);

const BODIES: &[(&str, Body)] = &[
    ("frame", meterkit_fuzz::frame),
    ("message", meterkit_fuzz::messages::message),
    ("message_text", meterkit_fuzz::messages::text),
    ("envelope", meterkit_fuzz::envelope),
    ("dlt645_answer", meterkit_fuzz::electricity::answer),
    ("dlt645_slave", meterkit_fuzz::electricity::slave),
    ("dlt645_master", meterkit_fuzz::electricity::master),
    ("metering_stored", meterkit_fuzz::metering::stored),
    ("metering_energy", meterkit_fuzz::metering::energy),
    ("metering_circuits", meterkit_fuzz::metering::circuits),
    ("front_end", meterkit_fuzz::front_end::drivers),
    ("conditions", meterkit_fuzz::conditions::monitor),
    ("quality", meterkit_fuzz::quality::machines),
    ("safety", meterkit_fuzz::conditions::machines),
    ("series", meterkit_fuzz::delivery::series),
    ("outbox", meterkit_fuzz::delivery::outbox),
    ("links", meterkit_fuzz::delivery::links),
    ("files", meterkit_fuzz::delivery::files),
    ("order", meterkit_fuzz::orders::order),
    ("handshake", meterkit_fuzz::orders::handshake),
    ("key_slot", meterkit_fuzz::keys::slot),
    ("element", meterkit_fuzz::keys::element),
    ("log", meterkit_fuzz::keys::log),
    ("face", meterkit_fuzz::face::writes),
    ("firmware", meterkit_fuzz::firmware::firmware),
    ("update", meterkit_fuzz::update::update),
    ("ocpi", meterkit_fuzz::tariff::ocpi),
    ("tables", meterkit_fuzz::tariff::tables),
    ("meter_state", meterkit_fuzz::tariff::meter_state),
    ("fee_control", meterkit_fuzz::tariff::fee_control),
    ("token", meterkit_fuzz::tariff::token),
    ("ledger", meterkit_fuzz::tariff::ledger),
];

/// Random inputs for each body; the engine's long runs are `cargo xtask fuzz --minutes N`.
const ROUNDS: u64 = 20_000;
/// Of a body that starts a whole meter each time.
const METERS: u64 = 4_000;

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a corpus for every body")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).expect("a readable seed"))
        .collect()
}

/// SplitMix64: enough to vary inputs, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1));
        match random.below(5) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            3 => bytes.insert(at.min(bytes.len()), random.next() as u8),
            _ => bytes.truncate(at),
        }
    }
}

#[test]
fn corpus_and_random_input_hold_every_body() {
    for &(name, body) in BODIES {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "no seeds for {name}");
        let run = |bytes: &[u8]| {
            if catch_unwind(AssertUnwindSafe(|| body(bytes))).is_err() {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                panic!("{name} fails on {hex}");
            }
        };
        for seed in &seeds {
            run(seed);
        }
        let mut random = Random(0x6D65_7465_726B_6974);
        let rounds = if name == "face" { METERS } else { ROUNDS };
        for round in 0..rounds {
            let mut bytes = if round % 4 == 0 {
                (0..random.below(300))
                    .map(|_| random.next() as u8)
                    .collect()
            } else {
                seeds[random.below(seeds.len())].clone()
            };
            mutate(&mut random, &mut bytes);
            run(&bytes);
        }
    }
}
