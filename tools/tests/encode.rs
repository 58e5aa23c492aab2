//! Requests from words: every one is a whole frame that `decode` understands.

mod bench;

use bench::said;

#[test]
fn every_request_is_a_frame() {
    let address = "202611000001";
    let water = "11223344556677";
    for (words, control) in [
        (&["read", address, "forward active energy"][..], "11"),
        (&["read", address, "第四象限无功电能，费率3"], "11"),
        (&["follow-up", address, "03300801", "2"], "12"),
        (&["read-address"], "13"),
        (
            &[
                "write",
                address,
                "04000106",
                "hex:08",
                "--password",
                "04:111111",
            ],
            "14",
        ),
        (&["write-address", address], "15"),
        (&["time", "2026-11-21T06:00:00"], "08"),
        (&["freeze", address, "99", "1", "0", "0"], "16"),
        (&["rate", address, "9600"], "17"),
        (
            &["password", address, "04000C03", "02:000000", "02:654321"],
            "18",
        ),
        (&["clear-demand", address], "19"),
        (&["clear-meter", address, "--operator", "0000AB12"], "1A"),
        (&["clear-events", address, "FFFFFFFF"], "1B"),
        (
            &["control", address, "trip", "--until", "2026-11-21T07:00:00"],
            "1C",
        ),
        (&["output", address, "1"], "1D"),
        (&["read1997", address, "9010"], "01"),
        (&["read188", "10", water], "01"),
        (&["read188", "20", water, "D120", "--high-first"], "01"),
        (&["valve", "10", water, "close", "--serial", "7"], "04"),
    ] {
        let frame = said(&[&["encode", "--preamble", "4"], words].concat(), 0);
        assert!(frame.starts_with("FE FE FE FE 68 "), "{words:?}: {frame}");
        let text = said(&["decode", &frame], 0);
        assert!(
            text.contains(&format!("control: master asks {control} ")),
            "{words:?}: {text}"
        );
        assert!(!text.contains("not explained"), "{words:?}: {text}");
    }
}

#[test]
fn words_that_make_no_frame_are_refused() {
    for words in [
        &["read", "2026110000012", "00010000"][..],
        &["read", "1", "no such name"],
        &["rate", "1", "1234"],
        &["write", "1", "02010100", "230.15"],
        &["read188", "10", "1", "90"],
    ] {
        said(&[&["encode"], words].concat(), 2);
    }
}
