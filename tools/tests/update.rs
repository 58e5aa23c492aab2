//! Images: signed, carried, resumed, refused.

mod bench;
#[path = "../../examples/meter/tests/boards/line_board.rs"]
mod line_board;
#[path = "../../examples/meter/tests/boards/updatable.rs"]
mod updatable;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bench::said;
use updatable::{HARDWARE, LEGAL, SIGNER, package};

const IMAGE: usize = 24 * 1024;

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn what_is_signed_is_taken_and_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let good = [package(1, IMAGE), package(2, IMAGE)];
    let key: String = SIGNER.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = write(folder.path(), "key", key.as_bytes());
    let program = write(
        folder.path(),
        "program",
        &good[1][meter::update::PACKAGE_HEAD..],
    );
    let out = folder.path().join("new.mfw").to_str().unwrap().to_owned();
    let hardware = HARDWARE.to_string();
    let legal = std::str::from_utf8(&LEGAL).unwrap();
    let mut arguments = vec!["sign", "--key", &key, &program, "--out", &out];
    arguments.extend(["--hardware", &hardware, "--legal", legal]);
    arguments.extend(["--counter", "2", "--release", "1.2.0", "--build", "2"]);
    said(&arguments, 0);
    assert_eq!(
        std::fs::read(&out).unwrap(),
        good[1],
        "the same bytes as another signer makes"
    );
    let shown = said(&["sign", "--key", &key, "--show-key"], 0);
    assert!(shown.contains("public key"), "{shown}");

    let (meter, seen) = line_board::serve(good, true, Duration::ZERO);
    let meter = meter.to_string();
    assert_eq!(said(&["update", &meter], 0), "202611000001 1.1.0 build 1\n");
    let text = said(&["update", &meter, &out], 0);
    assert_eq!(text, "in use (48 of 48 blocks sent)\n");
    assert_eq!((seen.running(), seen.starts()), (2, 2));
    assert_eq!(said(&["update", &meter], 0), "202611000001 1.2.0 build 2\n");
    // Once more: nothing is sent.
    let text = said(&["update", &meter, &out, "--json"], 0);
    let row: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&row["in_use"], &row["blocks_sent"]),
        (&true.into(), &0.into())
    );
}

#[test]
fn a_program_that_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let good = [package(1, IMAGE), package(2, IMAGE)];
    let new = write(folder.path(), "new.mfw", &good[1]);
    let (meter, seen) = line_board::serve(good, true, Duration::from_millis(5));
    let meter = meter.to_string();
    let mut first = Command::new(env!("CARGO_BIN_EXE_meterkit"))
        .args(["update", &meter, &new])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while seen.whole() < (IMAGE / 3) as u32 {
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(first.try_wait().unwrap(), None, "it carries");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let whole = seen.whole();
    let text = said(&["update", &meter, &new, "--json"], 0);
    let row: serde_json::Value = serde_json::from_str(&text).unwrap();
    let sent = row["blocks_sent"].as_u64().unwrap();
    // What was whole is not sent again.
    assert!(
        sent <= 48 - u64::from(whole / 512),
        "{sent} after {whole} bytes"
    );
    assert_eq!(seen.running(), 2);
}

#[test]
fn what_is_no_good_is_told_and_the_old_image_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let good = [package(1, IMAGE), package(2, IMAGE)];
    let mut forged = good[1].clone();
    *forged.last_mut().unwrap() ^= 1;
    let forged = write(folder.path(), "forged.mfw", &forged);
    let new = write(folder.path(), "new.mfw", &good[1]);
    let large = write(folder.path(), "large.mfw", &package(3, 2 * IMAGE));
    let (meter, seen) = line_board::serve(good, false, Duration::ZERO);
    let meter = meter.to_string();
    let ends = [
        (
            &large,
            "refused: not for this meter, too old, or too large (0 of 96",
        ),
        (&forged, "thrown away: hash or signature is wrong (48 of 48"),
        (&new, "did not work: the meter went back (48 of 48"),
        (&new, "did not work: the meter went back (0 of 48"),
    ];
    for (file, end) in ends {
        let text = said(&["update", &meter, file], 1);
        assert!(text.starts_with(end), "{text}");
        assert_eq!(seen.running(), 1);
    }
    // Half a package is none.
    let bytes = std::fs::read(&new).unwrap();
    let cut = write(folder.path(), "cut.mfw", &bytes[..bytes.len() / 2]);
    said(&["update", &meter, &cut], 2);
}

#[test]
fn a_meter_that_takes_no_images_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let new = write(folder.path(), "new.mfw", &package(2, 1024));
    let meter = bench::Meter::tcp(&[]);
    let text = said(
        &[
            "update",
            &meter.target,
            &new,
            "--patience",
            "1",
            "--wait",
            "300",
        ],
        1,
    );
    assert!(
        text.starts_with("the meter takes no images") || text.starts_with("no answer"),
        "{text}"
    );
}
