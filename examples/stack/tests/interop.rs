//! Mosquitto's own client listens to the embedded broker and sees what the gateway publishes.

mod support;

use std::process::{Command, Stdio};

use meter_proto::message::Stream;
use meter_proto::topic::Topic;
use support::House;
use support::house::{GATEWAY, READER_PASSWORD};

/// Messages to listen for: enough that session messages, readings and sealed blocks are among them.
const MESSAGES: usize = 40;
/// First byte of an envelope: 0x10 and suite 1.
const ENVELOPE: &str = "11";

#[test]
fn mosquitto_sub_sees_the_gateway() {
    let installed = Command::new("mosquitto_sub")
        .arg("--help")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if installed.is_err() {
        return testkit::skip(
            "mosquitto_sub cannot be started: the package mosquitto-clients is not installed",
        );
    }
    let mut house = House::new(&[]);
    house.start_all();
    // %t topic, %x payload in hexadecimal.
    let listened = listen(&house, "reader", READER_PASSWORD);
    assert!(
        listened.status.success(),
        "{}",
        String::from_utf8_lossy(&listened.stderr)
    );
    let text = String::from_utf8(listened.stdout).unwrap();
    let mut streams = std::collections::BTreeMap::new();
    for line in text.lines() {
        let (topic, payload) = line.split_once(' ').unwrap();
        let place =
            Topic::parse(topic).unwrap_or_else(|| panic!("{topic} is not a topic of the standard"));
        assert_eq!(place.device().unwrap().to_string(), GATEWAY);
        assert!(payload.starts_with(ENVELOPE), "{topic} carries {payload}");
        if let Topic::Up { stream, .. } = place {
            *streams.entry(stream.0).or_insert(0) += 1;
        }
    }
    println!("{} messages, by stream {streams:?}", text.lines().count());
    assert_eq!(text.lines().count(), MESSAGES);
    assert!(
        streams.contains_key(&Stream::LEGAL.0) && streams.contains_key(&Stream::TELEMETRY.0),
        "{streams:?}"
    );

    let refused = listen(&house, "reader", "a wrong password");
    assert!(
        !refused.status.success(),
        "a wrong password was good enough"
    );
    assert!(house.api().count("refused_logins") > 0);
    house.assert_no_panic();
}

fn listen(house: &House, user: &str, password: &str) -> std::process::Output {
    let mut command = Command::new("mosquitto_sub");
    command.args([
        "-h",
        "127.0.0.1",
        "-p",
        &house.mqtt.to_string(),
        "-u",
        user,
        "-P",
        password,
    ]);
    command.args([
        "-t",
        "m1/#",
        "-q",
        "1",
        "-F",
        "%t %x",
        "-C",
        &MESSAGES.to_string(),
        "-W",
        "60",
    ]);
    command.output().unwrap()
}
