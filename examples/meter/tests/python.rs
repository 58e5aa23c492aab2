//! An independent reader, the Python package `dlt645` 3.2.0, reads the program over TCP.

use std::path::Path;
use std::process::Command;

use meter::host::{MeterConfig, start, system_clock};

const SCRIPT: &str = r#"
import json, sys
from dlt645 import MeterClientService
client = MeterClientService.new_tcp_client("127.0.0.1", int(sys.argv[1]), 5.0)
client.set_address("010000112620")   # this package sends the address as given: low byte first
def value(item):
    return None if item is None else item.value
print(json.dumps({
    "energy": value(client.read_00(0x00010000)),
    "voltage": value(client.read_02(0x02010100)),
    "current": value(client.read_02(0x02020100)),
    "power": value(client.read_02(0x02030000)),
    "frequency": value(client.read_02(0x02800002)),
}))
"#;

#[test]
fn an_independent_reader_reads_energy_voltage_current_and_power() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = match testkit::python::with_package(folder, "dlt645", "3.2.0") {
        Ok(python) => python,
        Err(reason) => return testkit::skip(&reason),
    };
    let meter = start(&MeterConfig::default(), system_clock()).unwrap();
    // The first values are there after a second.
    let enough = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while meter
        .status()
        .electricity
        .is_none_or(|values| values.active_mw < 1_000_000 || values.import_dwh < 4)
        && std::time::Instant::now() < enough
    {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let port = meter.addr().unwrap().port().to_string();
    let run = Command::new(python)
        .args(["-c", SCRIPT, &port])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&run.stderr)));
    let read: serde_json::Value = serde_json::from_str(line).unwrap();
    let number = |name: &str| {
        read[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} in {read}"))
    };
    // 220 V within half a percent, 5.0 A and a little standby current, their product, 50 Hz.
    assert!((number("voltage") - 220.0).abs() < 1.5, "{read}");
    assert!((number("current") - 5.02).abs() < 0.03, "{read}");
    assert!((number("power") - 1.106).abs() < 0.015, "{read}");
    assert!((number("frequency") - 50.0).abs() < 0.05, "{read}");
    assert!(number("energy") >= 0.0 && number("energy") < 0.1, "{read}");
    meter.shutdown();
}
