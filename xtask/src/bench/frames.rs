//! `dlt645`: frames decoded and encoded again, energies to their values.

use std::process::Command;

use anyhow::{Context, ensure};

use super::{cargo_bench, lines, python};
use crate::report::Verdict;

const PACKAGE: &str = "dlt645";
const VERSION: &str = "3.2.0";
const CASES: &str = "vectors/dlt645/frames.json";

/// Times both sides on the frames of the case file.
///
/// # Errors
/// One side gave a wrong result.
pub fn run() -> anyhow::Result<Verdict> {
    let python = match python(PACKAGE, VERSION) {
        Ok(python) => python,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let ours = lines(&mut cargo_bench("dlt645", "frames"))?;
    let mut script = Command::new(python);
    script.args(["dlt645/benches/frames.py", CASES]);
    let peers = lines(&mut script)?;
    println!(
        "one core each, least of several runs; peer: the Python package {PACKAGE} {VERSION}\n"
    );
    println!(
        "{:<44} {:>7} {:>10} {:>10} {:>8}",
        "step", "frames", "ours ns", "peer ns", "ratio"
    );
    for (step, numbers) in &ours {
        let found = peers.iter().find(|(name, _)| name == step);
        let (_, peer) = found.with_context(|| format!("the peer did not time {step}"))?;
        let ([frames, nanoseconds], [same_frames, peer]) = (&numbers[..], &peer[..]) else {
            anyhow::bail!("{step} has two numbers: frames and nanoseconds");
        };
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
