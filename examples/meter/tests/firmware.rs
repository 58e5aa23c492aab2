//! The firmware images in the emulator beside the same cores on the host: the same samples and the same DL/T 645 frames
//! must give the same registers, quantities, sealed blocks, stored records and answers, byte for byte.

// The shells of the images, compiled for the host.
#[allow(dead_code)]
#[path = "../../firmware/src/management.rs"]
mod management;
#[path = "../../firmware/src/metering.rs"]
mod metering;
#[allow(dead_code)]
#[path = "../../firmware/src/setup.rs"]
mod setup;
#[allow(dead_code)]
#[path = "../../firmware/src/wire.rs"]
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dlt645::DataId;
use meter::link::{CoreMaster, CoreSlave};
use meter::metering::{Keys, MeteringCore};
use meter::store::{FlashStore, RamFlash};
use meter::wave::{Load, Schedule, Shape, Synth};
use security::key::Purpose;

use metering::{Bench, Taker};

const M4: &str = "thumbv7em-none-eabihf";
const M0: &str = "thumbv6m-none-eabi";
/// The longest run of an emulator.
const PATIENCE: Duration = Duration::from_secs(60);

/// Input in memory, output as text.
struct Desk {
    input: std::io::Cursor<Vec<u8>>,
    text: String,
}

impl Desk {
    fn new(input: &[u8]) -> Self {
        Self { input: std::io::Cursor::new(input.to_vec()), text: String::new() }
    }
}

impl fmt::Write for Desk {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

impl Bench for Desk {
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut done = 0;
        while done < into.len() {
            match std::io::Read::read(&mut self.input, &mut into[done..]).unwrap() {
                0 => break,
                got => done += got,
            }
        }
        done
    }

    fn lap(&mut self) -> u32 {
        0
    }
}

type HostStore = FlashStore<RamFlash<{ setup::FLASH }>>;

fn new_store() -> HostStore {
    FlashStore::try_new(RamFlash::new(), 0..setup::FLASH as u32).unwrap()
}

fn start<const P: usize>(store: &mut HostStore) -> MeteringCore<P, &mut HostStore> {
    let (data, lctrl) = (setup::key(Purpose::Data), setup::key(Purpose::Lctrl));
    let keys = Keys { data: &data, lctrl: &lctrl };
    MeteringCore::start(setup::metering_config().unwrap(), &keys, store, setup::START_MS).unwrap()
}

/// What the metering image prints, from the host's own core.
fn metered_on_host<const P: usize>(samples: &[u8]) -> String {
    let mut desk = Desk::new(samples);
    let mut store = new_store();
    let mut core = start::<P>(&mut store);
    metering::run(&mut core, &mut desk, Taker::Bench).unwrap();
    metering::report(&mut core, &mut desk).unwrap();
    drop(core);
    metering::dump(&mut store, &metering::RECORDS, &mut desk).unwrap();
    desk.text
}

fn samples<const P: usize>(seconds: u32, loads: &[Load], seed: u32) -> Vec<u8> {
    let mut synth = Synth::<P>::new(setup::SAMPLE_RATE_HZ, loads, seed);
    let mut bytes = Vec::new();
    // Not a whole number of blocks: the last one is short.
    for _ in 0..seconds * setup::SAMPLE_RATE_HZ + 17 {
        let set = synth.next_sample();
        for count in set.u.iter().chain(&set.i) {
            bytes.extend(count.to_le_bytes());
        }
    }
    bytes
}

fn house() -> [Load; 4] {
    [
        Load::new(Shape::Resistive, 8_000).with_schedule(Schedule::Cycle { on_s: 3, off_s: 2 }),
        Load::new(Shape::Rectifier, 3_000),
        Load::new(Shape::Motor, 5_000),
        Load::new(Shape::Solar, 14_000).with_schedule(Schedule::Cycle { on_s: 2, off_s: 4 }),
    ]
}

fn firmware_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware")
}

/// Builds the images for `target`; the folder they are in, or `None` with the reason told.
fn images(target: &str, bins: &[&str]) -> Option<PathBuf> {
    // One build at a time: they share a folder.
    static BUILD: Mutex<()> = Mutex::new(());
    let _building = BUILD.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !present("qemu-system-arm", &["--version"]) {
        testkit::skip("the firmware images: qemu-system-arm is not installed");
        return None;
    }
    if !has_target(target) {
        testkit::skip(&format!("the firmware images: the Rust target {target} is not installed"));
        return None;
    }
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/firmware");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(firmware_folder());
    cargo.args(["build", "--quiet", "--locked", "--release", "--target", target, "--target-dir"]).arg(&out);
    for bin in bins {
        cargo.args(["--bin", bin]);
    }
    // What the test itself was built with is not for the images.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the images for {target} do not build");
    Some(out.join(target).join("release"))
}

fn present(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Whether the compiler has a core library for `target`.
fn has_target(target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(answer) = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output() else {
        return false;
    };
    let folder = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    std::fs::read_dir(folder).is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libcore-")))
    })
}

/// A run of the emulator that is ended when it takes too long.
struct Board(Option<Child>);

impl Board {
    fn start(machine: &str, image: &Path, folder: &Path, arguments: &str, serial: &str) -> Self {
        let child = Command::new("qemu-system-arm")
            .current_dir(folder)
            .args(["-M", machine, "-display", "none", "-monitor", "none", "-serial", serial])
            // Each instruction takes a nanosecond of the board's time, however fast the host is.
            .args(["-icount", "shift=0,sleep=off"])
            .arg("-semihosting-config")
            .arg(format!("enable=on,target=native,arg=image{arguments}"))
            .arg("-kernel")
            .arg(image)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        Self(Some(child))
    }

    /// What the image printed; its figures (lines with `#`) go to the test's own output.
    fn finish(mut self, what: &str) -> String {
        let child = self.0.take().expect("a board ends once");
        let id = child.id();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || send.send(child.wait_with_output()));
        let Output { status, stdout, stderr } = match receive.recv_timeout(PATIENCE) {
            Ok(output) => output.expect("the emulator can be waited for"),
            Err(_) => {
                let _ = Command::new("kill").arg(id.to_string()).status();
                panic!("{what}: no end after {PATIENCE:?}");
            }
        };
        let (text, noise) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{what}: {status}\n{text}\n{noise}");
        let (figures, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('#'));
        for figure in figures {
            println!("{what} {figure}");
        }
        lines.into_iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn same(what: &str, emulator: &str, host: &str) {
    for (number, (ours, theirs)) in (1..).zip(emulator.lines().zip(host.lines())) {
        assert_eq!(ours, theirs, "{what}, line {number}: emulator and host differ");
    }
    assert_eq!(emulator, host, "{what}: one of them says more");
}

fn metering_is_the_same<const P: usize>(target: &str, machine: &str, bin: &str, seconds: u32) {
    let Some(images) = images(target, &[bin]) else { return };
    let samples = samples::<P>(seconds, &house(), 0xC0FFEE);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("samples.bin"), &samples).unwrap();
    let what = format!("{bin} on {machine}");
    let board = Board::start(machine, &images.join(bin), folder.path(), "", "none");
    let host = metered_on_host::<P>(&samples);
    let emulator = board.finish(&what);
    same(&what, &emulator, &host);
    let blocks = host.lines().filter(|line| line.starts_with("block ")).count();
    assert!(blocks >= seconds as usize - 1, "{blocks} legal blocks in {seconds} s");
}

#[test]
fn cortex_m4_meters_one_phase_like_the_host() {
    metering_is_the_same::<1>(M4, "mps2-an386", "metering", 12);
}

#[test]
fn cortex_m4_meters_three_phases_like_the_host() {
    metering_is_the_same::<3>(M4, "mps2-an386", "metering-three", 12);
}

#[test]
fn cortex_m0_meters_one_phase_like_the_host() {
    metering_is_the_same::<1>(M0, "microbit", "metering", 12);
}
