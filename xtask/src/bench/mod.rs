//! Our crates beside independent packages: the same input, the same run, a ratio and no judgement.

mod frames;
pub mod messages;
pub mod tariff;
mod waves;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::report::Verdict;
use crate::tool;

/// What a side printed: a name and numbers on each line.
type Lines = Vec<(String, Vec<f64>)>;

/// Runs a crate's bench; `what` names the crate.
///
/// # Errors
/// No such bench, or one side gave a wrong result.
pub fn run(what: &str) -> anyhow::Result<Verdict> {
    match what {
        "dlt645" => frames::run(),
        "meter-proto" => messages::run(),
        "metrology" => waves::run(),
        "tariff" => tariff::run(),
        _ => bail!(
            "there is no bench of {what}; there are those of dlt645, metrology, meter-proto and tariff"
        ),
    }
}

/// Runs one side and reads what it prints.
fn lines(command: &mut Command) -> anyhow::Result<Lines> {
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
    let mut lines = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split(' ');
        let (Some(name), Ok(numbers)) = (words.next(), words.map(str::parse).collect()) else {
            continue;
        };
        lines.push((name.to_owned(), numbers));
    }
    ensure!(!lines.is_empty(), "{command:?} printed no figures");
    Ok(lines)
}

/// Our side of a bench.
fn cargo_bench(package: &str, bench: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "--quiet", "--locked", "--package", package]);
    cargo.args(["--bench", bench]);
    cargo
}

/// A Python with the package, made once below the target folder.
fn python(package: &str, version: &str) -> Result<PathBuf, tool::Missing> {
    tool::program("python3", &["python3", "python3-venv"])?;
    let folder = tool::root().join("target/bench-python");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    testkit::python::with_package(&folder, package, version)
}
