//! Our crates beside independent packages: the same frames, the same run, a ratio and no judgement.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::report::Verdict;
use crate::tool;

const PACKAGE: &str = "dlt645==3.2.0";
const CASES: &str = "vectors/dlt645/frames.json";

/// What a side printed: step, frames, nanoseconds for one.
type Times = Vec<(String, u32, f64)>;

/// Times a crate; `what` names it.
///
/// # Errors
/// No such bench, or one side gave a wrong result.
pub fn run(what: &str) -> anyhow::Result<Verdict> {
    ensure!(
        what == "dlt645",
        "there is no bench of {what}; there is one of dlt645"
    );
    let python = match python() {
        Ok(python) => python,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let mut cargo = Command::new("cargo");
    cargo.args([
        "bench",
        "--quiet",
        "--locked",
        "--package",
        "dlt645",
        "--bench",
        "frames",
    ]);
    let ours = times(&mut cargo)?;
    let mut script = Command::new(python);
    script.args(["dlt645/benches/frames.py", CASES]);
    let peers = times(&mut script)?;
    println!("one core each, least of several runs; peer: the Python package {PACKAGE}\n");
    println!(
        "{:<44} {:>7} {:>10} {:>10} {:>8}",
        "step", "frames", "ours ns", "peer ns", "ratio"
    );
    for (step, frames, nanoseconds) in &ours {
        let (_, same_frames, peer) = peers
            .iter()
            .find(|(name, ..)| name == step)
            .with_context(|| format!("the peer did not time {step}"))?;
        ensure!(
            frames == same_frames,
            "the peer took {same_frames} frames, not {frames}"
        );
        let about = match step.as_str() {
            "frame" => "decode and encode again",
            "value" => "line bytes to the value of an energy",
            other => other,
        };
        let ratio = peer / nanoseconds;
        println!("{about:<44} {frames:>7} {nanoseconds:>10.1} {peer:>10.1} {ratio:>8.0}");
    }
    Ok(Verdict::Passed)
}

fn times(command: &mut Command) -> anyhow::Result<Times> {
    let output = command
        .current_dir(tool::root())
        .output()
        .with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let mut times = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let [step, frames, nanoseconds] = line.split(' ').collect::<Vec<_>>()[..] {
            times.push((step.to_owned(), frames.parse()?, nanoseconds.parse()?));
        }
    }
    ensure!(!times.is_empty(), "{command:?} printed no times");
    Ok(times)
}

/// A Python with the package, made once below the target folder.
fn python() -> Result<PathBuf, tool::Missing> {
    let folder = tool::root().join("target/bench-python");
    let python = folder.join("bin/python");
    let quiet =
        |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let check = "import importlib.metadata as m; assert m.version('dlt645') == '3.2.0'";
    let has_package = || quiet(Command::new(&python).args(["-c", check]));
    if has_package() {
        return Ok(python);
    }
    let python3 = tool::program("python3", &["python3", "python3-venv"])?;
    if !quiet(Command::new(python3).args(["-m", "venv"]).arg(&folder)) {
        return Err("python3 cannot make a virtual environment".into());
    }
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        PACKAGE,
    ]);
    if quiet(&mut pip) && has_package() {
        Ok(python)
    } else {
        Err(format!("the Python package {PACKAGE} cannot be installed"))
    }
}
