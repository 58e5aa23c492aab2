//! Programs beside the boards: the command line, a gateway with a broker. `cargo xtask firmware-demo` builds them and says
//! where they are.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use meter_proto::compact;
use meter_proto::message::{Body, Message};
use security::envelope::Direction;
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::Opener;
use security::suite::Suite;

const GATEWAY: &str = "gw-202611000100";
const SERIAL: [u8; 6] = [0x20, 0x26, 0x11, 0x00, 0x01, 0x00];

/// The folder of the programs, if they were built.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("METERKIT_PROGRAMS");
    if folder.is_none() {
        testkit::skip("the command line and the gateway beside the boards: not built");
    }
    folder.map(PathBuf::from)
}

/// Runs `meterkit`; what it printed. It must end well.
pub fn meterkit(programs: &Path, arguments: &[&str]) -> String {
    let output = Command::new(programs.join("meterkit"))
        .args(arguments)
        .output()
        .expect("meterkit starts");
    let (text, trouble) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{arguments:?}\n{text}\n{trouble}");
    text
}

/// A program that is killed in the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A broker, a gateway at one meter, and somebody who hears what it publishes.
pub struct Site {
    heard: Receiver<String>,
    opener: Opener,
    _programs: Vec<Running>,
}

impl Site {
    /// `None` where the broker or its client is not installed.
    pub fn start(programs: &Path, folder: &Path, meter: &str, target: &str) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.unwrap().port();
        let file = |name: &str, text: String| {
            let file = folder.join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let settings = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
        let settings = file("mosquitto.conf", settings);
        let names = ["mosquitto", "/usr/sbin/mosquitto"];
        let start = |name: &&str| {
            let mut program = Command::new(name);
            program.arg("-c").arg(&settings).stderr(Stdio::null());
            program.stdout(Stdio::null()).spawn().ok()
        };
        let Some(broker) = names.iter().find_map(start).map(Running) else {
            testkit::skip("the gateway beside the boards: mosquitto is not installed");
            return None;
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "the broker is up"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut client = Command::new("mosquitto_sub");
        client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "m1/#"]);
        client.args(["-F", "%t %x"]).stdout(Stdio::piped());
        let Ok(mut client) = client.stderr(Stdio::null()).spawn() else {
            testkit::skip("the gateway beside the boards: mosquitto_sub is not installed");
            return None;
        };
        let (say, heard) = channel();
        let lines = BufReader::new(client.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .try_for_each(|line| say.send(line))
        });

        let key = "11".repeat(16);
        let keys = serde_json::json!({"epoch": 1, "keys": {"mdata": key, "ctrl": "22".repeat(16)}});
        file("keys.json", keys.to_string());
        let config = serde_json::json!({
            "id": GATEWAY, "keys": "keys.json", "data_dir": "data",
            "mqtt": {"host": "127.0.0.1", "port": port},
            "lines": [{
                "transport": {"tcp": target}, "protocol": "dlt645", "answer_ms": 3_000,
                "devices": [{"id": meter, "profile": "prepaid", "poll_ms": 500, "record_ms": 500}],
            }],
        });
        let config = file("gateway.json", config.to_string());
        let gateway = Command::new(programs.join("gateway"))
            .arg("--config")
            .arg(config)
            .stdout(Stdio::null())
            .spawn()
            .expect("the gateway starts");
        let key = DeviceKey::new(
            Secret::new([0x11; 16]),
            DeviceKeyId::gateway(SERIAL),
            Purpose::Mdata,
            1,
        );
        Some(Self {
            heard,
            opener: Opener::new(&key, Direction::FromDevice, Suite::Ccm16),
            _programs: vec![Running(gateway), Running(client), broker],
        })
    }

    /// What the gateway publishes, opened, until `done` finds in it what it wants.
    pub fn until<T>(&mut self, what: &str, mut done: impl FnMut(&Message) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(90);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = match self.heard.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("nobody published {what}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the subscriber ended"),
            };
            let (topic, payload) = line.split_once(' ').expect("topic and payload");
            let mut payload = hex::decode(payload).expect("hexadecimal digits");
            // The broker tells again what waits; repeats are refused, and the will is not sealed.
            let Ok(opened) = self.opener.open(topic.as_bytes(), &mut payload) else {
                continue;
            };
            let message = compact::decode(opened.plain).expect("a message");
            if let Some(found) = done(&message) {
                return found;
            }
        }
    }
}

/// The imported energy of a snapshot in hundredths of a kilowatt hour, if it is one of the meter.
pub fn import(message: &Message) -> Option<i64> {
    use meter_proto::point::{Direction, PointId};
    use meter_proto::quantity::Quantity;
    let Body::Snapshot(snapshot) = &message.body else {
        return None;
    };
    let point = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT);
    let value = snapshot.value(point)?;
    // In watt hours: a hundredth of a kilowatt hour is ten of them.
    let places = u32::try_from(value.exponent.checked_sub(1)?).ok()?;
    value.mantissa.checked_mul(10_i64.checked_pow(places)?)
}
