//! The program against itself: serve, read, scan, conform.

mod bench;

use bench::{Meter, said};

/// All items but those on time: a machine that is busy with other things answers late.
const RULES: &str = "address,read,refuse,frame,silent,follow-up";

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
    let meter = Meter::tcp(&["--address", "000000000317", "--turnaround", "2"]);
    assert_eq!(said(&["scan", &meter.target], 0), "000000000317\n");
    let found = said(
        &["scan", &meter.target, "--search", "--wait", "60", "--json"],
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
fn the_older_edition_is_spoken() {
    let meter = Meter::tcp(&["--protocol", "1997"]);
    let line = ["read", &meter.target, "--protocol", "1997"];
    let text = said(&[&line[..], &["9010", "901F", "B61F", "C032"]].concat(), 0);
    assert!(
        text.contains("202611000001 9010 forward active energy: 12345.67 kWh"),
        "{text}"
    );
    assert!(text.contains("B613 voltage, phase C: 231 V"), "{text}");
    let refused = said(&[&line[..], &["9130"]].concat(), 1);
    assert!(
        refused.contains("ERR 02: b1 unknown identifier"),
        "{refused}"
    );
    let found = said(&["scan", &meter.target, "--protocol", "1997"], 0);
    assert_eq!(found, "202611000001\n");
    let text = said(
        &[
            "conform",
            &meter.target,
            "--protocol",
            "1997",
            "--wait",
            "500",
            "--only",
            RULES,
        ],
        0,
    );
    assert!(text.contains(" 0 failed, 0 skipped"), "{text}");
}

/// Two meters on one line, whose answers clash.
#[test]
fn several_meters_are_told_apart() {
    let meters = ["000000000317", "000000000417", "000000000305"]
        .map(|address| Meter::tcp(&["--address", address, "--turnaround", "2"]));
    let targets: Vec<String> = meters.iter().map(|meter| meter.target.clone()).collect();
    let line = bench::shared_line(targets);
    let found = said(
        &["scan", &line, "--search", "--below", "17", "--wait", "80"],
        0,
    );
    assert_eq!(found, "000000000317\n000000000417\n");
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
            "500",
            "--only",
            RULES,
            "--junit",
            file.to_str().unwrap(),
        ],
        0,
    );
    assert!(text.contains("28 passed, 0 failed, 0 skipped"), "{text}");
    let xml = std::fs::read_to_string(file).unwrap();
    assert!(xml.contains("tests=\"28\" failures=\"0\""), "{xml}");
    let water = Meter::tcp(&["--protocol", "cjt188", "--address", "11223344556677"]);
    let text = said(
        &[
            "conform",
            &water.target,
            "--protocol",
            "cjt188",
            "--wait",
            "500",
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

/// Raw requests made by `encode`, answers explained by `decode`.
#[test]
fn passwords_lock_and_orders_expire() {
    let meter = Meter::tcp(&["--turnaround", "0"]);
    let ask = |words: &[&str]| {
        let request = said(&[&["encode"], words].concat(), 0);
        said(&["decode", &bench::raw(&meter.target, &request)], 0)
    };
    let address = "202611000001";
    let order = |until: &str| {
        ask(&[
            "control",
            address,
            "trip",
            "--until",
            until,
            "--password",
            "04:000000",
        ])
    };
    assert!(order("2020-01-01T00:00:00").contains("b2 wrong password or not authorised"));
    assert!(order("2098-01-01T00:00:00").contains("meter answers 1C"));
    let text = said(&["read", &meter.target, "04000503"], 0);
    assert!(text.contains("b4 relay open"), "{text}");
    let write = |password: &str| {
        ask(&[
            "write",
            address,
            "04000101",
            "hex:06211126",
            "--password",
            password,
        ])
    };
    assert!(write("04:000000").contains("meter answers 14"));
    for _ in 0..3 {
        assert!(write("04:999999").contains("meter refuses 14"));
    }
    // Locked: the right password does not help either.
    assert!(write("04:000000").contains("meter refuses 14"));
}
