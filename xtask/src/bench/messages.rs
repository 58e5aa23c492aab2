//! The unified messages beside other formats: bytes, nanoseconds and instructions, all in one run.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::cargo_bench;
use crate::report::Verdict;
use crate::tool;

/// Step, peer, what ours may take of the peer's instructions at most, and how many times as fast it should be.
const AIMS: [(&str, &str, Option<f64>, Option<f64>); 8] = [
    ("encode", "postcard", None, Some(3.0)),
    ("encode", "minicbor", Some(0.6), None),
    ("encode", "prost", Some(0.6), None),
    ("decode", "postcard", None, Some(1.5)),
    ("decode", "minicbor", Some(0.5), None),
    ("decode", "prost", Some(0.5), None),
    ("encode set", "postcard", None, None),
    ("decode set", "postcard", None, None),
];

const OURS: &str = "ours";

/// A figure for each step and codec.
type Figures = BTreeMap<(String, String), f64>;

/// Prints the table of sizes.
///
/// # Errors
/// A build that failed, a missed aim.
pub fn sizes(json: bool) -> anyhow::Result<Verdict> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked", "--package", "meter-proto"]);
    cargo.args(["--bench", "sizes"]);
    if json {
        cargo.args(["--", "--json"]);
    }
    let status = cargo.current_dir(tool::root()).status().context("cargo")?;
    Ok(if status.success() {
        Verdict::Passed
    } else {
        Verdict::Failed("a message is larger than its aim".into())
    })
}

/// Times and counts the snapshot of 20 values. Instructions are judged, times are not: they belong to the machine.
///
/// # Errors
/// A build or run that failed.
pub fn run() -> anyhow::Result<Verdict> {
    let times = times()?;
    let counts = match tool::program("valgrind", &["valgrind"]) {
        Ok(_) => Some(counts()?),
        Err(why) => {
            println!("instructions were not counted: {why}");
            None
        }
    };
    println!(
        "a snapshot of 20 values; least of several runs, the codecs in turns; instructions of one call\n"
    );
    println!(
        "{:<11} {:<9} {:>8} {:>8} {:>7} {:>6} {:>9} {:>9} {:>7} {:>6}",
        "step", "peer", "ours ns", "peer ns", "faster", "aim", "ours", "peer", "share", "aim"
    );
    let mut missed = Vec::new();
    for (step, peer, share_aim, speed_aim) in AIMS {
        let of = |figures: &Figures, codec: &str| {
            let figure = figures.get(&(step.to_owned(), codec.to_owned()));
            figure
                .copied()
                .with_context(|| format!("no figure of {step}, {codec}"))
        };
        let text = |aim: Option<f64>| aim.map(|aim| aim.to_string()).unwrap_or_default();
        let (ours, theirs) = (of(&times, OURS)?, of(&times, peer)?);
        let speed_aim = text(speed_aim);
        print!(
            "{step:<11} {peer:<9} {ours:>8.1} {theirs:>8.1} {:>7.2} {speed_aim:>6}",
            theirs / ours
        );
        let Some(counts) = &counts else {
            println!();
            continue;
        };
        let (ours, theirs) = (of(counts, OURS)?, of(counts, peer)?);
        let share = ours / theirs;
        println!(
            " {ours:>9.0} {theirs:>9.0} {share:>7.2} {:>6}",
            text(share_aim)
        );
        if share_aim.is_some_and(|aim| share > aim) {
            missed.push(format!(
                "{step} takes {share:.2} of the instructions of {peer}"
            ));
        }
    }
    Ok(match (&counts, missed.is_empty()) {
        (None, _) => Verdict::Skipped("without valgrind no instructions were counted".into()),
        (_, true) => Verdict::Passed,
        (_, false) => Verdict::Failed(format!("above the aim: {}", missed.join(", "))),
    })
}

fn times() -> anyhow::Result<Figures> {
    let mut cargo = cargo_bench("meter-proto", "speed");
    let output = cargo
        .current_dir(tool::root())
        .output()
        .context("cargo bench")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let mut times = Figures::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let parts = line.rsplit_once(' ').and_then(|(name, time)| {
            let (step, codec) = name.split_once('/')?;
            Some(((step.to_owned(), codec.to_owned()), time.parse().ok()?))
        });
        let (name, time) = parts.with_context(|| format!("not a figure: {line}"))?;
        times.insert(name, time);
    }
    Ok(times)
}

/// Runs each step of each codec under callgrind, which counts inside the measured loop only.
fn counts() -> anyhow::Result<Figures> {
    let runner = "target.'cfg(all())'.runner = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=*speed::measured*']";
    let mut counts = Figures::new();
    for (step, peer, ..) in AIMS {
        for codec in [OURS, peer] {
            let name = (step.to_owned(), codec.to_owned());
            if counts.contains_key(&name) {
                continue;
            }
            let mut cargo = cargo_bench("meter-proto", "speed");
            cargo.current_dir(tool::root());
            cargo.args(["--config", runner, "--", "count", step, codec]);
            let output = cargo.output().context("cargo bench under valgrind")?;
            let errors = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                bail!("{}", errors.trim());
            }
            let text = String::from_utf8_lossy(&output.stdout);
            let number = |text: &str, mark: &str| -> Option<f64> {
                let rest = text.split_once(mark)?.1;
                rest.split_whitespace()
                    .next()?
                    .replace(',', "")
                    .parse()
                    .ok()
            };
            let collected = number(&errors, "Collected :").context("callgrind gave no count")?;
            let calls = number(&text, "calls ").context("the bench gave no number of calls")?;
            ensure!(collected > 0.0, "callgrind did not meet the measured loop");
            counts.insert(name, collected / calls);
        }
    }
    Ok(counts)
}
