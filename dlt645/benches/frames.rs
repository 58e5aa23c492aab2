//! Frames of the case file: decoded and encoded again, and energy answers to their exact values. Prints nanoseconds
//! for one frame; `cargo xtask bench dlt645` runs it beside an independent package on the same frames.

use std::hint::black_box;
use std::time::{Duration, Instant};

use dlt645::{Decoder, Edition, FRAME_MAX, Message, Value};

/// A frame and the energy it answers with.
type Energy = (Vec<u8>, String);

/// The sound frames of the 2007 edition, and those of them that answer with one energy.
fn frames() -> (Vec<Vec<u8>>, Vec<Energy>) {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/dlt645/frames.json"))
            .expect("the case file is JSON");
    let mut all = Vec::new();
    let mut energies = Vec::new();
    for case in file["frames"].as_array().into_iter().flatten() {
        let sound = case["edition"] == "2007" && case["valid"] == true;
        let Some(text) = case["hex"].as_str().filter(|_| sound) else {
            continue;
        };
        let line = hex::decode(text).expect("the case file has hexadecimal frames");
        // One energy is the identifier and four bytes.
        let meaning = &case["meaning"];
        let di = meaning["di"].as_str().unwrap_or_default();
        let one = meaning["control"] == "91" && di.starts_with("00") && meaning["length"] == 8;
        if let Some(value) = meaning["values"][0]["value"].as_str().filter(|_| one) {
            energies.push((line.clone(), value.to_owned()));
        }
        all.push(line);
    }
    (all, energies)
}

/// Nanoseconds of one call, the least of several runs of about 50 ms.
fn nanoseconds(calls: usize, mut round: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..9 {
        let (begin, mut rounds) = (Instant::now(), 0_u32);
        while begin.elapsed() < Duration::from_millis(50) {
            for _ in 0..100 {
                round();
            }
            rounds += 100;
        }
        best = best.min(begin.elapsed().as_nanos() as f64 / f64::from(rounds) / calls as f64);
    }
    best
}

fn main() {
    let (all, energies) = frames();
    let mut decoder = Decoder::new();
    let mut again = |line: &[u8]| {
        let mut out = [0; FRAME_MAX];
        let len = decoder.feed(black_box(line)).frame?.encode(&mut out).ok()?;
        black_box(&out);
        line.ends_with(&out[..len]).then_some(())
    };
    for line in &all {
        assert!(again(line).is_some(), "{}", hex::encode_upper(line));
    }
    let frame = nanoseconds(all.len(), || {
        for line in &all {
            assert!(again(line).is_some());
        }
    });
    let mut decoder = Decoder::new();
    let mut number = |line: &[u8]| {
        let frame = decoder.feed(black_box(line)).frame?;
        match frame.message(Edition::V2007) {
            Ok(Message::ReadAnswer { id, data, .. }) => match id.value(data) {
                Ok(Value::Number(number)) => Some(number),
                _ => None,
            },
            _ => None,
        }
    };
    for (line, value) in &energies {
        assert_eq!(
            number(line).map(|number| number.to_string()).as_ref(),
            Some(value)
        );
    }
    let value = nanoseconds(energies.len(), || {
        for (line, _) in &energies {
            assert!(black_box(number(line)).is_some());
        }
    });
    println!("frame {} {frame:.1}", all.len());
    println!("value {} {value:.1}", energies.len());
}
