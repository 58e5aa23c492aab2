//! A platform, a gateway and meters, each as its own program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::api::Api;
use super::program::{Program, path, tail};
use super::records::Records;
use super::{free_port, until};

pub const GATEWAY: &str = "gw-202611000100";
pub const METERS: [&str; 2] = ["d645-202611000001", "d645-202611000002"];
pub const WATER: &str = "c188-1020261100000004";
pub const ADMIN_PASSWORD: &str = "of the test only";
pub const READER_PASSWORD: &str = "listens only";

/// Times real time for meters: with one legal block a second each makes so many blocks in a second.
pub const SPEED: u32 = 20;
/// A legal interval that does not end during a test, seconds.
pub const NEVER: u32 = 1_000_000;

/// A line beyond those of the house's own meters: where it is and who hangs on it.
pub struct ExtraLine {
    pub port: u16,
    pub protocol: &'static str,
    pub device: &'static str,
}

/// Everything of one test. Programs are killed and folders removed when it is dropped.
pub struct House {
    pub folder: tempfile::TempDir,
    pub http: u16,
    pub mqtt: u16,
    pub meter_ports: [u16; 2],
    pub water_port: u16,
    /// Password of the gateway at the broker.
    pub mqtt_password: String,
    pub cloud: Option<Program>,
    pub gateway: Option<Program>,
    pub meters: [Option<Program>; 2],
    pub water: Option<Program>,
    /// Meters that were stopped for [`House::drain`]: the newest block of each.
    pub ended: BTreeMap<&'static str, (u32, u32)>,
}

impl House {
    /// Registers everybody, writes configurations, and starts nothing yet.
    pub fn new(extra: &[ExtraLine]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut house = Self {
            http: free_port(),
            mqtt: free_port(),
            meter_ports: [free_port(), free_port()],
            water_port: free_port(),
            mqtt_password: String::new(),
            cloud: None,
            gateway: None,
            meters: [None, None],
            water: None,
            ended: BTreeMap::new(),
            folder,
        };
        for (id, node) in METERS
            .into_iter()
            .chain([WATER])
            .chain(extra.iter().map(|line| line.device))
            .zip(1..)
        {
            house.provision(id, Some(node));
        }
        let gateway = house.provision(GATEWAY, None);
        house.mqtt_password = gateway["mqtt_password"].as_str().unwrap().to_owned();
        house.write_gateway_config(extra);
        for index in 0..METERS.len() {
            house.write_meter_config(index, 1);
        }
        house
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.log"))
    }

    fn provision(&self, id: &str, node: Option<u16>) -> Value {
        let mut command = Command::new(path("cloud"));
        command
            .arg("provision")
            .arg("--data-dir")
            .arg(self.file("cloud"))
            .args(["--device", id]);
        command.arg("--out").arg(self.keys(id));
        if let Some(node) = node {
            command.args(["--gateway", GATEWAY, "--node", &node.to_string()]);
        }
        Program::answer("provision", &mut command, &self.log("provision"))
    }

    /// The file of a device's keys.
    pub fn keys(&self, id: &str) -> PathBuf {
        self.file(&format!("{id}.keys.json"))
    }

    fn write_gateway_config(&self, extra: &[ExtraLine]) {
        let line = |port: u16, protocol: &str, id: &str, answer_ms: u64| {
            let water = protocol == "cjt188";
            json!({
                "transport": { "tcp": format!("127.0.0.1:{port}") },
                "protocol": protocol,
                "devices": [{
                    "id": id,
                    "profile": if water { "water" } else { "plain" },
                    "poll_ms": 500,
                    "record_ms": if water { 0 } else { 100 },
                }],
                "answer_ms": answer_ms,
            })
        };
        let own = METERS
            .iter()
            .zip(self.meter_ports)
            .map(|(id, port)| line(port, "dlt645", id, 1_000));
        let water = [line(self.water_port, "cjt188", WATER, 1_000)];
        let extra = extra
            .iter()
            .map(|extra| line(extra.port, extra.protocol, extra.device, 100));
        let config = json!({
            "id": GATEWAY,
            "keys": self.keys(GATEWAY),
            "data_dir": self.file("gateway"),
            "mqtt": { "host": "127.0.0.1", "port": self.mqtt, "password": self.mqtt_password },
            "lines": own.chain(water).chain(extra).collect::<Vec<_>>(),
        });
        std::fs::write(self.file("gateway.json"), config.to_string()).unwrap();
    }

    /// Coarse samples and no waiting for the disk: a killed program loses nothing of what it wrote.
    pub fn write_meter_config(&self, index: usize, legal_interval_s: u32) {
        let config = json!({
            "id": METERS[index],
            "listen": format!("127.0.0.1:{}", self.meter_ports[index]),
            "sample_rate_hz": 1_000,
            "flush": false,
            "password": 876_543,
            "seed": index + 1,
            "legal_interval_s": legal_interval_s,
            "data_dir": self.file(METERS[index]),
        });
        std::fs::write(
            self.file(&format!("{}.json", METERS[index])),
            config.to_string(),
        )
        .unwrap();
    }

    pub fn start_cloud(&mut self) {
        let mut command = Command::new(path("cloud"));
        command.arg("--data-dir").arg(self.file("cloud"));
        command.args(["--http", &format!("127.0.0.1:{}", self.http)]);
        command.args(["--mqtt", &format!("127.0.0.1:{}", self.mqtt)]);
        command.args([
            "--admin-password",
            ADMIN_PASSWORD,
            "--reader-password",
            READER_PASSWORD,
        ]);
        let mut cloud = Program::start("cloud", &mut command, &self.log("cloud"));
        cloud.ready();
        self.cloud = Some(cloud);
    }

    pub fn start_gateway(&mut self) {
        let mut command = Command::new(path("gateway"));
        command
            .arg("--config")
            .arg(self.file("gateway.json"))
            .args(["--status-s", "1"]);
        let mut gateway = Program::start("gateway", &mut command, &self.log("gateway"));
        // Its first status is its sign of life.
        gateway.says("a first status", |_| true);
        self.gateway = Some(gateway);
    }

    pub fn start_meter(&mut self, index: usize) {
        let id = METERS[index];
        let mut command = Command::new(path("meter"));
        command
            .arg("--config")
            .arg(self.file(&format!("{id}.json")))
            .arg("--keys")
            .arg(self.keys(id));
        command.args(["--speed", &SPEED.to_string(), "--status-every", "1"]);
        let mut meter = Program::start(id, &mut command, &self.log(id));
        meter.ready();
        self.meters[index] = Some(meter);
    }

    pub fn start_water(&mut self) {
        let mut command = Command::new(path("meter"));
        command.args([
            "water",
            "--id",
            WATER,
            "--listen",
            &format!("127.0.0.1:{}", self.water_port),
        ]);
        command.args(["--speed", &SPEED.to_string(), "--status-every", "1"]);
        let mut water = Program::start(WATER, &mut command, &self.log(WATER));
        water.ready();
        self.water = Some(water);
    }

    pub fn start_all(&mut self) {
        self.start_cloud();
        for index in 0..METERS.len() {
            self.start_meter(index);
        }
        self.start_water();
        self.start_gateway();
    }

    /// The history as it is on the disk.
    pub fn records(&self) -> Records {
        Records::open(&self.file("cloud").join("history.db"))
    }

    pub fn api(&self) -> Api {
        Api::sign_in(self.http, ADMIN_PASSWORD)
    }

    /// Whether all programs run that were started.
    pub fn all_run(&mut self) -> bool {
        let House {
            cloud,
            gateway,
            meters,
            water,
            ..
        } = self;
        let all = meters.iter_mut().chain([cloud, gateway, water]);
        all.flatten().all(Program::is_running)
    }

    /// Stops the meters as their owner does, then starts them so that they make no further blocks and hand out those
    /// that wait. Returns, once everything has arrived, the last status of each meter before its end.
    pub fn drain(&mut self) -> Vec<Value> {
        let mut last = Vec::new();
        for (index, id) in METERS.into_iter().enumerate() {
            let status = self.meters[index]
                .take()
                .and_then(Program::interrupt)
                .unwrap();
            last.push(status["status"]["electricity"].clone());
            self.ended.insert(id, newest_block(&self.file(id)));
            self.write_meter_config(index, NEVER);
            self.start_meter(index);
        }
        for meter in self.meters.iter().flatten() {
            until("the meter's records to be taken", 40, || {
                meter.fresh()["status"]["electricity"]["waiting"] == json!([0, 0, 0])
            });
        }
        let gateway = self.gateway.as_ref().unwrap();
        until("the gateway's records to be taken", 40, || {
            gateway.fresh()["waiting"]["1"] == 0
        });
        last
    }

    /// A task that panics may leave its program running: the logs must not tell of one.
    pub fn assert_no_panic(&self) {
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("panicked at"), "{}: {text}", path.display());
            }
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["cloud", "gateway", METERS[0], METERS[1], WATER] {
                eprintln!("--- {name}\n{}", tail(&self.log(name)));
            }
            for program in [&self.gateway, &self.meters[0], &self.meters[1], &self.water]
                .into_iter()
                .flatten()
            {
                eprintln!("{:?}", program.last().map(|line| line.to_string()));
            }
        }
    }
}

/// The newest name that a metering core gave to a block, read from its stored states (keys 0010 to 0019): (boot,
/// number).
pub fn newest_block(folder: &Path) -> (u32, u32) {
    use meter::store::{MAX_RECORD, Store};
    let mut store = meter::host::files::FileStore::open(&folder.join("metering"), false).unwrap();
    let mut state = [0; MAX_RECORD];
    let mut newest = None;
    for key in 0x10..0x1A {
        if let Some(length) = store.read(key, &mut state).unwrap() {
            newest = newest.max(meter::metering::stored_name(&state[..length]));
        }
    }
    let (_, name) = newest.expect("a stored state");
    (name.boot, name.seq)
}
