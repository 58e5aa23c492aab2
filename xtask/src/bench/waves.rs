//! `metrology`: worst errors of all windows on the same samples, and the time of a sample.

use std::process::Command;

use anyhow::Context;

use super::{Lines, cargo_bench, lines, python};
use crate::report::Verdict;
use crate::tool;

const PACKAGE: &str = "pqopen-lib";
const VERSION: &str = "0.10.5";
/// The line with the cost.
const TIME: &str = "nanoseconds";

/// Runs both sides.
///
/// # Errors
/// One side fails.
pub fn run() -> anyhow::Result<Verdict> {
    let python = match python(PACKAGE, VERSION) {
        Ok(python) => python,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let folder = tool::root().join("target/bench-waves");
    std::fs::create_dir_all(&folder)?;
    let ours = lines(
        cargo_bench("meterkit-metrology", "waves")
            .arg("--")
            .arg(&folder),
    )?;
    let mut script = Command::new(python);
    script.arg("metrology/benches/waves.py").arg(&folder);
    let peers = lines(&mut script)?;
    println!(
        "worst of all windows of 10 cycles in 20 s at 8 kHz, 24 bits; peer: the Python package {PACKAGE} {VERSION}\n"
    );
    println!(
        "{:<34} {:>10} {:>10} {:>10} {:>10} {:>9}",
        "wave", "U %", "I %", "P % of S", "Q1 % of S", "f mHz"
    );
    for (name, errors) in ours.iter().filter(|(name, _)| name != TIME) {
        row(&format!("{name}, ours"), errors)?;
        for (peer, errors) in &peers {
            if let Some(mode) = peer.strip_prefix(name.as_str()) {
                row(&format!("{name}, peer{mode}"), errors)?;
            }
        }
    }
    let time = |lines: &Lines| {
        let found = lines.iter().find(|(name, _)| name == TIME);
        found.and_then(|(_, numbers)| numbers.first().copied())
    };
    let ours = time(&ours).context("our side printed no time")?;
    let peer = time(&peers).context("the peer printed no time")?;
    println!(
        "\none sample of one voltage and one current: ours {ours:.1} ns, peer {peer:.1} ns (numpy, one core), ratio {:.1}",
        peer / ours
    );
    Ok(Verdict::Passed)
}

fn row(name: &str, errors: &[f64]) -> anyhow::Result<()> {
    let &[u, i, p, q, f] = errors else {
        anyhow::bail!("{name} has {} errors, not five", errors.len());
    };
    println!(
        "{name:<34} {:>10.5} {:>10.5} {:>10.5} {:>10.5} {:>9.3}",
        u * 100.0,
        i * 100.0,
        p * 100.0,
        q * 100.0,
        f * 1e3
    );
    Ok(())
}
