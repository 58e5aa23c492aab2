//! One program: started, read, killed or asked to end.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, Once};
use std::thread::JoinHandle;

use serde_json::Value;

use super::wait;

/// Seconds that a program may take for a start or an end; generous, because the machine may be busy.
const PATIENCE_S: u64 = 30;

/// Where the program `name` is, built if it is missing or older than this test.
pub fn path(name: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    let test = std::env::current_exe().unwrap();
    // target/PROFILE/deps/TEST
    let folder = test.parent().and_then(Path::parent).unwrap().to_owned();
    BUILD.call_once(|| {
        let age = |path: &Path| path.metadata().and_then(|meta| meta.modified());
        let newest = age(&test).unwrap();
        let good = |name: &str| age(&folder.join(name)).is_ok_and(|built| built >= newest);
        if ["meter", "gateway", "cloud"].into_iter().all(good) {
            return;
        }
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "-p",
            "meterkit-meter",
            "-p",
            "meterkit-gateway",
            "-p",
            "meterkit-cloud",
            "--bins",
        ]);
        build.arg("--target-dir").arg(folder.parent().unwrap());
        build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        // What describes the package of this test would look like a change to build scripts that read it.
        let of_this_package = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ];
        for (name, _) in std::env::vars_os() {
            if name
                .to_str()
                .is_some_and(|name| of_this_package.iter().any(|part| name.starts_with(part)))
            {
                build.env_remove(name);
            }
        }
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(
            build.status().unwrap().success(),
            "the programs cannot be built"
        );
    });
    folder.join(name)
}

/// A running program. Killed when dropped.
pub struct Program {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts `command`; what it says for people goes to the end of `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        command.env("RUST_BACKTRACE", "0");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let lines = Arc::default();
        let output = child.stdout.take().unwrap();
        let reader = {
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || read(output, &lines))
        };
        Self {
            name: name.to_owned(),
            child,
            lines,
            reader: Some(reader),
        }
    }

    /// Runs `command` to its end and returns the JSON line that it prints.
    pub fn answer(name: &str, command: &mut Command, log: &Path) -> Value {
        let mut program = Self::start(name, command, log);
        let status = program.child.wait().unwrap();
        program.read_rest();
        assert!(
            status.success(),
            "{name} ended with {status}: {}",
            tail(log)
        );
        program
            .last()
            .unwrap_or_else(|| panic!("{name} printed nothing"))
    }

    /// Waits for the line that says it is ready.
    pub fn ready(&mut self) -> Value {
        self.says("that it is ready", |line| line["event"] == "ready")
    }

    /// Waits for a line that fits.
    pub fn says(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let name = self.name.clone();
        wait(&format!("{name} to say {what}"), PATIENCE_S, || {
            assert!(self.is_running(), "{name} ended instead of serving");
            self.first(&fits)
        })
    }

    /// The first line that fits.
    pub fn first(&self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        self.lines
            .lock()
            .unwrap()
            .iter()
            .find(|line| fits(line))
            .cloned()
    }

    /// The last line so far.
    pub fn last(&self) -> Option<Value> {
        self.lines.lock().unwrap().last().cloned()
    }

    /// How many lines it printed so far.
    pub fn line_count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// Waits for a line that was begun after this call and returns it: one more than the one that may be under way.
    pub fn fresh(&self) -> Value {
        let seen = self.line_count();
        wait(
            &format!("a status line of {}", self.name),
            PATIENCE_S,
            || {
                let lines = self.lines.lock().unwrap();
                lines.get(seen + 1).cloned()
            },
        )
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL; returns its last line.
    pub fn kill(mut self) -> Option<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read_rest();
        self.last()
    }

    /// Ctrl-C; returns its last line.
    pub fn interrupt(mut self) -> Option<Value> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let name = self.name.clone();
        let status: ExitStatus = wait(&format!("{name} to end"), PATIENCE_S, || {
            self.child.try_wait().unwrap()
        });
        assert!(status.success(), "{name} ended with {status}");
        self.read_rest();
        self.last()
    }

    fn read_rest(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: ChildStdout, lines: &Mutex<Vec<Value>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        // A killed program may leave half a line.
        if let Ok(value) = serde_json::from_str(&line) {
            lines.lock().unwrap().push(value);
        }
    }
}

/// The end of a log.
pub fn tail(log: &Path) -> String {
    let mut lines: Vec<String> = File::open(log)
        .map(|file| BufReader::new(file).lines().map_while(Result::ok).collect())
        .unwrap_or_default();
    lines.drain(..lines.len().saturating_sub(20));
    lines.join("\n")
}
