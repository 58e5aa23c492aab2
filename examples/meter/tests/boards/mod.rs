//! The firmware images, built, and boards in the emulator that run them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

pub const M4: &str = "thumbv7em-none-eabihf";
pub const M0: &str = "thumbv6m-none-eabi";
/// The longest run of an emulator.
pub const PATIENCE: Duration = Duration::from_secs(180);

fn firmware_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware")
}

/// Builds the images for `target`; the folder they are in, or `None` with the reason told.
pub fn images(target: &str) -> Option<PathBuf> {
    // One build at a time: they share a folder.
    static BUILD: Mutex<()> = Mutex::new(());
    let _building = BUILD
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if !present("qemu-system-arm", &["--version"]) {
        testkit::skip("the firmware images: qemu-system-arm is not installed");
        return None;
    }
    if !has_target(target) {
        testkit::skip(&format!(
            "the firmware images: the Rust target {target} is not installed"
        ));
        return None;
    }
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/firmware");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(firmware_folder());
    cargo
        .args([
            "build",
            "--quiet",
            "--release",
            "--target",
            target,
            "--target-dir",
        ])
        .arg(&out);
    // The management core is built for the larger board only.
    if target == M0 {
        cargo.args(["--bin", "metering"]);
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
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// Whether the compiler has a core library for `target`.
fn has_target(target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(answer) = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .output()
    else {
        return false;
    };
    let folder = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    std::fs::read_dir(folder).is_ok_and(|mut files| {
        files.any(|file| {
            file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

/// A run of the emulator that is ended when it takes too long.
pub struct Board(Option<Child>);

impl Board {
    /// A board on which each instruction takes a nanosecond of its time, however fast the host is.
    pub fn start(
        machine: &str,
        image: &Path,
        folder: &Path,
        arguments: &str,
        serial: &str,
    ) -> Self {
        let exact = ["-icount", "shift=0,sleep=off"];
        Self::run(machine, image, folder, arguments, &[serial], &exact)
    }

    /// A board by the clock on the wall.
    pub fn live(image: &Path, folder: &Path, arguments: &str, serials: &[&str]) -> Self {
        Self::run("mps2-an386", image, folder, arguments, serials, &[])
    }

    fn run(
        machine: &str,
        image: &Path,
        folder: &Path,
        arguments: &str,
        serials: &[&str],
        more: &[&str],
    ) -> Self {
        let child = Command::new("qemu-system-arm")
            .current_dir(folder)
            .args(["-M", machine, "-display", "none", "-monitor", "none"])
            .args(serials.iter().flat_map(|serial| ["-serial", *serial]))
            .args(more)
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

    /// Cuts the power: nothing is ended in order.
    pub fn kill(mut self) -> String {
        let mut child = self.0.take().expect("a board ends once");
        child.kill().expect("the emulator can be killed");
        let output = child
            .wait_with_output()
            .expect("the emulator can be waited for");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What the image printed; its figures (lines with `#`) go to the test's own output.
    pub fn finish(mut self, what: &str) -> String {
        let child = self.0.take().expect("a board ends once");
        let id = child.id();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || send.send(child.wait_with_output()));
        let Output {
            status,
            stdout,
            stderr,
        } = match receive.recv_timeout(PATIENCE) {
            Ok(output) => output.expect("the emulator can be waited for"),
            Err(_) => {
                let _ = Command::new("kill").arg(id.to_string()).status();
                panic!("{what}: no end after {PATIENCE:?}");
            }
        };
        let (text, noise) = (
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr),
        );
        assert!(status.success(), "{what}: {status}\n{text}\n{noise}");
        let (figures, lines): (Vec<_>, Vec<_>) =
            text.lines().partition(|line| line.starts_with('#'));
        for figure in figures {
            println!("{what} {}", readable(figure));
        }
        lines.into_iter().map(|line| format!("{line}\n")).collect()
    }
}

/// The figures of a metering image in words: it writes numbers only.
fn readable(figure: &str) -> String {
    let number = |word: &str| {
        let bytes = hex::decode(word).ok()?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    let words = figure.strip_prefix("# core ").map(|rest| rest.split(' '));
    let numbers: Vec<u64> = words.into_iter().flatten().map_while(number).collect();
    match numbers[..] {
        [core, sets, ticks, used, there] => format!(
            "# core {core} bytes, {sets} sets in {ticks} ticks, stack {used} of {there} bytes"
        ),
        _ => figure.to_owned(),
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
