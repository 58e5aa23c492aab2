//! The demonstration in a headless browser.
//!
//! Starts the stack on free ports with an empty folder, lets a browser click through it as a
//! person would, stops it by an interrupt and starts it again on the same folder: it must go on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::report::Verdict;
use crate::tool;

/// Times real time: the prepaid meter runs empty in seconds instead of two minutes.
const SPEED: &str = "8";
const PASSWORD: &str = "only-for-the-browser-test";

/// Runs the whole scene; pictures go to `artefacts/`.
pub fn run() -> anyhow::Result<Verdict> {
    let root = tool::root();
    let scene = root.join("examples/stack/e2e");
    let chromium = match tool::program("chromium", &["chromium"]) {
        Ok(file) => file,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    for folder in [root.join("examples/cloud/web"), scene.clone()] {
        if let Err(why) = tool::node_packages(&folder) {
            return Ok(Verdict::Skipped(why));
        }
    }
    let built = Command::new("cargo")
        .args(["build", "--locked", "--package", "meterkit-stack", "--bins"])
        .status()?;
    anyhow::ensure!(built.success(), "the stack does not build");

    let artefacts = root.join("artefacts");
    std::fs::create_dir_all(&artefacts)?;
    let data = root.join("target/browser-test");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    for part in ["first", "again"] {
        let mut stack = Stack::start(&data)?;
        println!("    {part}: {}", stack.address);
        let seen = Command::new("node")
            .arg(scene.join("demo.mjs"))
            .args([part, &stack.address, PASSWORD])
            .arg(&artefacts)
            .env("CHROMIUM", &chromium)
            .status()
            .context("node")?;
        let ended = stack.interrupt();
        anyhow::ensure!(
            seen.success(),
            "the browser did not see what it should ({part})"
        );
        ended?;
    }
    Ok(Verdict::Passed)
}

struct Stack {
    child: Child,
    address: String,
}

impl Stack {
    /// Starts the program and waits for the address that it prints.
    fn start(data: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(tool::root().join("target/debug/stack"))
            .arg("--data-dir")
            .arg(data)
            .args(["--http", "127.0.0.1:0", "--speed", SPEED, "--json"])
            .args(["--admin-password", PASSWORD])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("target/debug/stack")?;
        let output = child.stdout.take().context("the stack's output")?;
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&line) else {
                continue;
            };
            if value["event"] == "ready"
                && let Some(address) = value["http"].as_str()
            {
                // The reader thread goes on so that the program never blocks on its output.
                std::thread::spawn(move || lines.iter().for_each(drop));
                return Ok(Self {
                    child,
                    address: address.to_owned(),
                });
            }
        }
        child.kill().ok();
        child.wait().ok();
        bail!("the stack printed no address within 30 s")
    }

    /// Ctrl-C, then a clean end within ten seconds.
    fn interrupt(&mut self) -> anyhow::Result<()> {
        let interrupted = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()?;
        anyhow::ensure!(interrupted.success(), "kill -INT failed");
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(
                    status.success(),
                    "after Ctrl-C the stack ended with {status}"
                );
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the stack did not stop within 10 s of Ctrl-C")
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
