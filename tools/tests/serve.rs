//! The program against itself: serve, read, scan, conform.

mod bench;

use bench::{Meter, said};

#[test]
fn values_blocks_and_long_records_are_read() {
    let meter = Meter::tcp(&["--set", "00010000=4242.42"]);
    let text = said(
        &[
            "read",
            &meter.target,
            "00010000",
            "0201FF00",
            "grid frequency",
        ],
        0,
    );
    assert!(
        text.contains("202611000001 00010000 forward active energy: 4242.42 kWh"),
        "{text}"
    );
    assert!(
        text.contains("02010300 voltage, phase C: 231.0 V"),
        "{text}"
    );
    assert!(text.contains("49.98 Hz"), "{text}");
    let json = said(&["read", &meter.target, "--json", "03300801"], 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["data"].as_str().unwrap().len(), 1026 * 3 - 1);
    let refused = said(&["read", &meter.target, "02800001"], 1);
    assert!(refused.contains("no requested data"), "{refused}");
}

#[test]
fn meters_are_found() {
    let meter = Meter::tcp(&["--address", "000000000317"]);
    assert_eq!(said(&["scan", &meter.target], 0), "000000000317\n");
    let found = said(
        &["scan", &meter.target, "--search", "--wait", "40", "--json"],
        0,
    );
    assert_eq!(found, "[\"000000000317\"]\n");
    let water = Meter::tcp(&["--protocol", "cjt188", "--address", "11223344556677"]);
    let found = said(&["scan", &water.target, "--protocol", "cjt188"], 0);
    assert_eq!(found, "10 11223344556677\n");
}

#[test]
fn water_is_read() {
    let meter = Meter::tcp(&["--protocol", "cjt188", "--address", "11223344556677"]);
    let text = said(&["read", &meter.target, "--protocol", "cjt188"], 0);
    assert!(text.contains("accumulated volume: 123.45 m3"), "{text}");
}

#[test]
fn a_good_meter_passes() {
    let meter = Meter::tcp(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    let text = said(
        &[
            "conform",
            &meter.target,
            "--wait",
            "300",
            "--junit",
            file.to_str().unwrap(),
        ],
        0,
    );
    assert!(text.contains("30 passed, 0 failed, 0 skipped"), "{text}");
    let xml = std::fs::read_to_string(file).unwrap();
    assert!(xml.contains("tests=\"30\" failures=\"0\""), "{xml}");
    let water = Meter::tcp(&["--protocol", "cjt188", "--address", "11223344556677"]);
    let text = said(
        &[
            "conform",
            &water.target,
            "--protocol",
            "cjt188",
            "--wait",
            "300",
        ],
        0,
    );
    assert!(text.contains("8 passed, 0 failed"), "{text}");
}

#[test]
fn a_serial_line_is_read() {
    let meter = Meter::start(&["--pty"]);
    let text = said(&["read", &meter.target, "--baud", "9600", "0001FF00"], 0);
    assert!(text.contains("tariff 4: 5308.66 kWh"), "{text}");
}
