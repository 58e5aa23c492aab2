//! Recorded waves through the path of the program, beside their reference values.

use std::path::Path;

use meter::host::once::{OnceReading, play};
use serde_json::Value;

/// Records without a load to measure: instrument noise, faults, a machine that runs down, currents alone.
const NO_STEADY_LOAD: [&str; 3] = ["ev_leaf_off", "event_", "motor_"];

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
    for (place, phase) in (1..).zip(&reading.phase) {
        let (u, i) = (format!("u{place}"), format!("i{place}"));
        for (channel, ac, dc) in [
            (&u, phase.voltage_v, phase.voltage_dc_v),
            (&i, phase.current_a, phase.current_dc_a),
        ] {
            let (rms, rms_ac) = (
                number(&channels[channel]["rms"]),
                number(&channels[channel]["rms_ac"]),
            );
            compare(
                &format!("{channel} without its mean"),
                ac,
                rms_ac,
                rms_ac * 1e-3,
            );
            compare(channel, ac.hypot(dc), rms, rms * 1e-3);
        }
        let pair = &reference["pairs"][format!("{u}*{i}")];
        compare(
            "P",
            phase.active_w,
            number(&pair["p_w"]),
            number(&pair["s_va"]) * 1e-3,
        );
    }
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
    let mut played = 0;
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
        if NO_STEADY_LOAD.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let three_phase = name == "site_three_phase";
        let reading = if three_phase {
            play::<3>(&path, None).unwrap()
        } else {
            play::<1>(&path, None).unwrap()
        };
        wrong.extend(check(&folder, name, &reading));
        played += 1;
    }
    assert!(played >= 30, "only {played} records with a load");
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
