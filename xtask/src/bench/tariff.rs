//! `tariff`: a year of bills beside an independent program, charging sessions beside another, and months a second.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use super::{Lines, cargo_bench, lines, python};
use crate::report::Verdict;
use crate::tool;

const PACKAGE: &str = "nrel-pysam";
const VERSION: &str = "7.1.1.post1";
/// The other program counts in floating point: amounts of a month agree to this.
const FLOAT: f64 = 1e-9;
/// Amounts that differ by rule, with the reason; `docs/tariff.md` says more.
const EXPLAINED: [(&str, &str); 1] = [(
    "net-metering.left-in-the-banks",
    "ours pays out what each period's bank holds, the peer what one bank over all periods would hold",
)];

/// Both sides of the year; the reason where the peer cannot run.
fn year(meters: &[&str]) -> anyhow::Result<Result<(Lines, Lines), tool::Missing>> {
    let python = match python(PACKAGE, VERSION) {
        Ok(python) => python,
        Err(why) => return Ok(Err(why)),
    };
    let folder: PathBuf = tool::root().join("target/bench-tariff");
    std::fs::create_dir_all(&folder)?;
    let mut ours = cargo_bench("meterkit-tariff", "year");
    ours.args(["--features", "std", "--"])
        .arg(&folder)
        .args(meters);
    let ours = lines(&mut ours)?;
    let mut script = Command::new(python);
    script.arg("tariff/benches/year.py").arg(&folder);
    Ok(Ok((ours, lines(&mut script)?)))
}

fn numbers<'a>(lines: &'a Lines, name: &str) -> anyhow::Result<&'a [f64]> {
    let found = lines.iter().find(|(of, _)| of == name);
    let (_, numbers) = found.with_context(|| format!("nothing was printed for {name}"))?;
    Ok(numbers)
}

/// The greatest difference of two lists of months.
fn apart(a: &[f64], b: &[f64]) -> anyhow::Result<f64> {
    ensure!(a.len() == b.len(), "{} and {} months", a.len(), b.len());
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    Ok(apart.fold(0.0, f64::max))
}

/// Bills of a year and prices of charging sessions beside independent programs.
///
/// # Errors
/// An amount differs and no reason is known, or one side fails.
pub fn compare() -> anyhow::Result<Verdict> {
    let mut skipped = Vec::new();
    match year(&[])? {
        Err(why) => skipped.push(why),
        Ok((ours, peer)) => years_agree(&ours, &peer)?,
    }
    if let Err(why) = sessions()? {
        skipped.push(why);
    }
    Ok(match skipped.is_empty() {
        true => Verdict::Passed,
        false => Verdict::Skipped(skipped.join("; ")),
    })
}

fn years_agree(ours: &Lines, peer: &Lines) -> anyhow::Result<()> {
    println!(
        "a year of 8,760 hours, amounts of 12 months; peer: Utilityrate5 of the Python package {PACKAGE} {VERSION}\n"
    );
    println!("{:<36} {:>16}", "what", "apart at most");
    let mut differ = Vec::new();
    for (name, months) in ours {
        if name.starts_with("speed") {
            continue;
        }
        let apart = apart(months, numbers(peer, name)?)?;
        let explained = EXPLAINED.iter().find(|(of, _)| of == name);
        match explained {
            Some((_, why)) => println!("{name:<36} {apart:>16.5} {why}"),
            None => println!("{name:<36} {apart:>16.1e}"),
        }
        if explained.is_none() && apart > FLOAT {
            differ.push(name.as_str());
        }
    }
    let by_time = numbers(ours, "tiers-by-time.energy")?;
    let shared = numbers(peer, "tiers-in-proportion.energy")?;
    println!(
        "\nunder net metering the peer shares the tiers of a month out in proportion to its periods; ours fills them in \
         the order of time:\n{:.5} a month apart at most, {:.5} a year",
        apart(by_time, shared)?,
        (by_time.iter().sum::<f64>() - shared.iter().sum::<f64>()).abs()
    );
    ensure!(
        differ.is_empty(),
        "no reason is known for {}",
        differ.join(", ")
    );
    Ok(())
}

/// The sessions are priced by a package apart, which brings the other engine.
fn sessions() -> anyhow::Result<Result<(), tool::Missing>> {
    let mut peers = Command::new("cargo");
    peers.args(["run", "--quiet", "--release", "--locked", "--manifest-path"]);
    peers
        .arg("xtask/peers/Cargo.toml")
        .current_dir(tool::root());
    peers.env("CARGO_TARGET_DIR", tool::root().join("target/peers"));
    let fetched = Command::new("cargo")
        .args([
            "fetch",
            "--quiet",
            "--locked",
            "--manifest-path",
            "xtask/peers/Cargo.toml",
        ])
        .current_dir(tool::root())
        .output()?;
    if !fetched.status.success() {
        return Ok(Err("the packages of xtask/peers cannot be fetched".into()));
    }
    ensure!(
        peers.status().context("cargo run")?.success(),
        "charging sessions differ for no known reason"
    );
    Ok(Ok(()))
}

/// One million houses' January, and months a second on one core beside the peer.
///
/// # Errors
/// One side fails, or they price the month differently.
pub fn run() -> anyhow::Result<Verdict> {
    let (ours, peer) = match year(&["1000000"])? {
        Ok(sides) => sides,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let first = apart(
        numbers(&ours, "speed.january")?,
        numbers(&peer, "speed.january")?,
    )?;
    ensure!(first <= FLOAT, "the Januaries are {first} apart");
    let [our_rate] = *numbers(&ours, "speed.months-a-second")? else {
        anyhow::bail!("our side printed no rate");
    };
    let [peer_rate] = *numbers(&peer, "speed.months-a-second")? else {
        anyhow::bail!("the peer printed no rate");
    };
    println!(
        "a month of 744 hours: 2 periods, 3 tiers, demand in total and by period, fixed charge, minimum\n\
         one core: ours {our_rate:.0} months a second, {PACKAGE} {VERSION} {peer_rate:.0}, ratio {:.1}",
        our_rate / peer_rate
    );
    if let [meters, cores, seconds] = *numbers(&ours, "speed.all")? {
        println!(
            "{meters} meters on {cores} cores: {seconds:.0} s, {:.0} meters a second",
            meters / seconds
        );
    }
    Ok(Verdict::Passed)
}
