//! Long or special runs that prove something of the `security` crate.

use xshell::{Shell, cmd};

use crate::report::Verdict;
use crate::tool;

fn shell() -> anyhow::Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(tool::root());
    Ok(shell)
}

/// Random cases beside OpenSSL, in an optimised build; the unit tests run 100,000 of them.
pub fn differential(cases: u64) -> anyhow::Result<Verdict> {
    if let Err(why) = tool::program("python3", &["python3", "python3-venv"]) {
        return Ok(Verdict::Skipped(why));
    }
    let shell = shell()?;
    cmd!(
        shell,
        "cargo test --release --locked --package meterkit-security --test differential -- --nocapture"
    )
    .env("METERKIT_CASES", cases.to_string())
    .run()?;
    Ok(Verdict::Passed)
}
