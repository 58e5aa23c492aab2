//! Recorded waves through the path of the program, beside their reference values.

use std::path::Path;

use meter::host::once::{OnceReading, play};
use meter::host::recording::Recording;
use metrology::Sample;
use serde_json::Value;

/// Whether a record is steady: rms of its first and second half agree within 0.1 %. Only then can the whole cycles that a
/// meter finds in it be compared with the whole record.
fn is_steady(samples: &[Sample<1>]) -> bool {
    let rms = |part: &[Sample<1>], channel: fn(&Sample<1>) -> i32| {
        let sum: f64 = part
            .iter()
            .map(|sample| f64::from(channel(sample)).powi(2))
            .sum();
        (sum / part.len() as f64).sqrt()
    };
    // Halves of as many samples as there are: records hold whole cycles up to a fraction of one in a hundred or more;
    // the short ones of eight cycles are cut at four.
    let (first, second) = samples.split_at(samples.len() / 2);
    let channels: [fn(&Sample<1>) -> i32; 2] = [|sample| sample.u[0], |sample| sample.i[0]];
    channels
        .iter()
        .all(|channel| (rms(first, *channel) / rms(second, *channel) - 1.0).abs() < 1e-3)
}

fn check(folder: &Path, name: &str, reading: &OnceReading) -> Vec<String> {
    let text = std::fs::read(folder.join(format!("{name}.ref.json"))).unwrap();
    let reference: Value = serde_json::from_slice(&text).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let mut wrong = Vec::new();
    let mut compare = |what: &str, ours: f64, theirs: f64, allowed: f64| {
        if (ours - theirs).abs() > allowed {
            wrong.push(format!("{name} {what}: {ours} for {theirs}"));
        }
    };
    let channels = &reference["channels"];
    let (u, i) = (
        number(&channels["u1"]["rms_ac"]),
        number(&channels["i1"]["rms_ac"]),
    );
    let pair = &reference["pairs"]["u1*i1"];
    let phase = &reading.phase[0];
    compare("Vrms", phase.voltage_v, u, u * 1e-3);
    compare("Irms", phase.current_a, i, i * 1e-3);
    compare(
        "P",
        phase.active_w,
        number(&pair["p_w"]),
        number(&pair["s_va"]) * 1e-3,
    );
    compare(
        "f",
        reading.frequency_hz.unwrap_or(0.0),
        number(&reference["frequency_hz"]),
        0.020,
    );
    wrong
}

#[test]
fn steady_records_read_as_their_references() {
    let Some(folder) = testkit::cases::shared_waveforms() else {
        return testkit::skip("the recorded waves are not beside the project");
    };
    let mut wrong = Vec::new();
    let mut steady = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".i32") else {
            continue;
        };
        let Ok(recording) = Recording::<1>::read(&path, None) else {
            continue;
        };
        // Appliances and chargers; the others are three-phase, noise or faults.
        if (name.starts_with("home_") || name.starts_with("ev_")) && is_steady(&recording.samples) {
            steady.push(name.to_owned());
            let reading = play::<1>(&path, None).unwrap();
            wrong.extend(check(&folder, name, &reading));
        }
    }
    println!("steady: {steady:?}");
    assert!(steady.len() >= 6, "only {steady:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_table_of_volts_and_amperes_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wave.csv");
    let mut text = String::from("t_s,u1_v,i1_a\n");
    for n in 0..8000 {
        let t = f64::from(n) / 8000.0;
        let angle = core::f64::consts::TAU * 50.0 * t;
        text += &format!(
            "{t:.9},{:.4},{:.6}\n",
            325.269 * angle.sin(),
            7.0711 * (angle - 0.6435).sin()
        );
    }
    std::fs::write(&path, text).unwrap();
    let reading = play::<1>(&path, None).unwrap();
    let phase = &reading.phase[0];
    assert!((phase.voltage_v - 230.0).abs() < 0.02, "{phase:?}");
    assert!((phase.current_a - 5.0).abs() < 0.001);
    assert!((phase.active_w - 920.0).abs() < 0.5);
    assert!((phase.reactive_var - 690.0).abs() < 0.5);
    assert!((reading.frequency_hz.unwrap() - 50.0).abs() < 0.001);
}
