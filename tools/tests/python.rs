//! Interop with the Python package `dlt645` 3.2.0, for what it does right; `docs/interop.md` lists what it does not.

mod bench;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use bench::{Meter, said};

/// Made by the first test that asks.
fn python() -> Result<PathBuf, String> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    PYTHON
        .get_or_init(|| testkit::python::with_package(folder, "dlt645", "3.2.0"))
        .clone()
}

const CLIENT: &str = r#"
import json, sys
from datetime import datetime
from dlt645 import MeterClientService
client = MeterClientService.new_tcp_client("127.0.0.1", int(sys.argv[1]), 3.0)
client.set_address("010000112620")   # it sends the address as given: low byte first
def value(item):
    return None if item is None else item.value
print(json.dumps({
    "address": value(client.read_address()),
    "energy": value(client.read_00(0x00010000)),
    "tariff": value(client.read_00(0x00010400)),
    "voltage": value(client.read_02(0x02010100)),
    "current": value(client.read_02(0x02020200)),
    "power": value(client.read_02(0x02030200)),
    "frequency": value(client.read_02(0x02800002)),
    "date": value(client.read_04(0x04000101)),
    "missing": value(client.read_02(0x02800001)),
    "write": client.write_04(0x04000101, "26112207", "04000000") is not None,
    "written": value(client.read_04(0x04000101)),
    "rate": value(client.change_baud_rate(2400)),
    "freeze": client.freeze() is not None,
    "clear_events": client.clear_event("02000000") is not None,
    "broadcast": client.broadcast_time_sync(datetime(2026, 11, 21, 6, 0, 0)),
}))
"#;

#[test]
fn its_client_reads_and_writes_our_meter() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => return testkit::skip(&reason),
    };
    let meter = Meter::tcp(&[]);
    let port = meter.target.rsplit(':').next().unwrap();
    let run = Command::new(python)
        .args(["-c", CLIENT, port])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&run.stderr)));
    let read: serde_json::Value = serde_json::from_str(line).unwrap();
    let expected = serde_json::json!({
        "address": "010000112620",
        "energy": 12345.67,
        "tariff": 5308.66,
        "voltage": 230.1,
        "current": -4.5,
        "power": -1.0341,
        "frequency": 49.98,
        "date": "26112106",
        "missing": null,
        "written": "26112207",
        "rate": 2400,
        "broadcast": true,
        "freeze": true,
        "clear_events": true,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name} in {read}");
    }
}

const SERVER: &str = r#"
import sys, time
from dlt645 import MeterServerService
server = MeterServerService.new_tcp_server("127.0.0.1", int(sys.argv[1]), 30.0)
server.set_address(bytearray([0x01, 0, 0, 0x11, 0x26, 0x20]))
server.set_00(0x00010000, 1234.56)
server.set_00(0x00020100, 0.07)
server.set_02(0x02010100, 230.1)
server.set_02(0x02020100, -1.5)
server.set_02(0x02030000, 2.5)
server.set_02(0x02800002, 49.99)
server.server.start()
print("up", flush=True)
time.sleep(60)
"#;

/// Its server, ended with the value.
struct Server {
    child: Child,
    target: String,
}

impl Server {
    fn start(python: &Path) -> Self {
        // The package takes no port 0: a free one is looked for.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let mut child = Command::new(python)
            .args(["-u", "-c", SERVER, &port])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let up = lines.map_while(Result::ok).any(|line| line == "up");
        let target = format!("127.0.0.1:{port}");
        let server = Server { child, target };
        assert!(up, "the server did not start");
        for _ in 0..100 {
            if std::net::TcpStream::connect(&server.target).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn our_reader_reads_its_server_and_our_list_finds_its_faults() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => return testkit::skip(&reason),
    };
    let server = Server::start(&python);
    let text = said(
        &[
            "read",
            &server.target,
            "--address",
            "202611000001",
            "00010000",
            "00020100",
            "02010100",
            "02020100",
            "02030000",
            "02800002",
        ],
        0,
    );
    for value in [
        "1234.56 kWh",
        "0.07 kWh",
        "230.1 V",
        "-1.500 A",
        "2.5000 kW",
        "49.99 Hz",
    ] {
        assert!(text.contains(&format!(": {value}\n")), "{text}");
    }
    assert_eq!(said(&["scan", &server.target], 0), "202611000001\n");
    // The faults that docs/interop.md tells of.
    let report = said(
        &[
            "conform",
            &server.target,
            "--address",
            "202611000001",
            "--wait",
            "500",
        ],
        1,
    );
    let failed: Vec<&str> = report
        .lines()
        .filter_map(|line| line.strip_prefix("FAIL "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "timing.answer")
        .collect();
    assert_eq!(
        failed,
        [
            "read.wildcard",
            "read.abbreviated",
            "read.block",
            "refuse.unknown-identifier",
            "refuse.password-read",
            "silent.foreign-address",
            "silent.foreign-abbreviated",
            "silent.from-meter",
            "silent.unknown-function",
            "silent.broadcast-read",
        ],
        "{report}"
    );
}
