//! Case files: frames, bills, sealed messages with their expected meaning.

pub mod dlt645;
pub mod messages;
pub mod security;
pub mod tariff;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::report::Verdict;
use crate::tool;

/// What running a case file came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Cases that held.
    pub passed: usize,
    /// Cases that did not, each as `id: expected .., got ..`.
    pub failed: Vec<String>,
    /// Cases of kinds that are not built yet, counted by kind.
    pub skipped: BTreeMap<String, usize>,
}

impl Outcome {
    /// Adds the counts of another file.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        for (kind, count) in other.skipped {
            *self.skipped.entry(kind).or_default() += count;
        }
    }

    fn skip_all(kind: &str, count: usize) -> Self {
        Self {
            skipped: BTreeMap::from([(kind.to_owned(), count)]),
            ..Self::default()
        }
    }
}

/// Runs the files, or the project's own without any.
pub fn command(files: &[PathBuf], json_wanted: bool) -> anyhow::Result<()> {
    let own;
    let files = if files.is_empty() {
        own = case_files(&tool::root().join("vectors"))?;
        &own
    } else {
        files
    };
    let outcome = run_all(files, !json_wanted)?;
    if json_wanted {
        println!("{}", json(&outcome));
    }
    close(&outcome)
}

/// The project's own files, and those beside the checkout where there are any.
pub fn job() -> anyhow::Result<Verdict> {
    let mut files = case_files(&tool::root().join("vectors"))?;
    if let Some(folder) = tool::shared() {
        files.extend(case_files(&folder.join("vectors"))?);
    }
    let outcome = run_all(&files, true)?;
    close(&outcome)?;
    Ok(Verdict::Passed)
}

fn run_all(files: &[PathBuf], print: bool) -> anyhow::Result<Outcome> {
    let mut sum = Outcome::default();
    for file in files {
        let outcome = run_file(file).with_context(|| file.display().to_string())?;
        if print {
            let skipped: usize = outcome.skipped.values().sum();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            println!(
                "{name:<40} {:>5} passed {:>3} failed {skipped:>4} skipped",
                outcome.passed,
                outcome.failed.len()
            );
        }
        sum.add(outcome);
    }
    Ok(sum)
}

/// All JSON files below a folder, in order of their names.
fn case_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Tells the format of a file by its head and runs it.
fn run_file(file: &Path) -> anyhow::Result<Outcome> {
    let text = std::fs::read_to_string(file)?;
    let cases: Value = serde_json::from_str(&text)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let what = cases["about"]["what"].as_str().unwrap_or_default();
    if cases["format"]
        .as_str()
        .is_some_and(|format| format.starts_with("tariff-cases"))
    {
        return Ok(tariff::run(&cases));
    }
    if cases["frames"].is_array() && what.contains("DL/T 645") {
        return Ok(dlt645::run(&cases));
    }
    if cases["source"].is_string() && cases["cases"].is_array() {
        return Ok(security::run(&name, &cases));
    }
    if let Some(messages) = cases.as_array() {
        return Ok(messages::run(messages));
    }
    // Modbus, M-Bus and ZigBee readers come with the gateway's further drivers.
    let count = ["frames", "cases", "must_refuse", "wired", "wireless"]
        .iter()
        .filter_map(|list| cases[*list].as_array().map(Vec::len))
        .sum::<usize>()
        .max(1);
    Ok(Outcome::skip_all(&name, count))
}

/// The outcome for programs.
pub fn json(outcome: &Outcome) -> Value {
    serde_json::json!({
        "passed": outcome.passed,
        "failed": outcome.failed,
        "skipped": outcome.skipped,
    })
}

/// Prints failures, skips by kind and the closing line; an error if anything failed.
pub fn close(outcome: &Outcome) -> anyhow::Result<()> {
    for failure in &outcome.failed {
        println!("FAILED {failure}");
    }
    for (kind, count) in &outcome.skipped {
        println!("skipped {count:>4}  {kind}");
    }
    let skipped: usize = outcome.skipped.values().sum();
    println!(
        "{} passed, {} failed, {skipped} skipped",
        outcome.passed,
        outcome.failed.len()
    );
    if outcome.failed.is_empty() {
        Ok(())
    } else {
        bail!("{} cases failed", outcome.failed.len())
    }
}
