//! Long or special runs that prove something of the `security` crate.

use std::process::Command;

use anyhow::{Context, ensure};
use xshell::{Shell, cmd};

use crate::report::Verdict;
use crate::tool;

/// The ciphers in their portable form, as on a microcontroller, and without the wide instructions that an
/// old valgrind does not know.
const PORTABLE: &str = r#"--cfg aes_backend="soft" --cfg polyval_backend="soft" --cfg chacha20_backend="soft" --cfg poly1305_backend="soft""#;

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

/// Every suite and comparison on secrets that valgrind takes for undefined.
pub fn constant_time() -> anyhow::Result<Verdict> {
    if cfg!(not(target_arch = "x86_64")) {
        return Ok(Verdict::Skipped(
            "the requests to valgrind are written for x86-64".into(),
        ));
    }
    if let Err(why) = tool::program("valgrind", &["valgrind", "libc6-dbg"]) {
        return Ok(Verdict::Skipped(why));
    }
    let shell = shell()?;
    // A folder of its own: other flags would build the workspace anew each time.
    let folder = tool::root().join("target/taint");
    cmd!(
        shell,
        "cargo build --quiet --release --locked --package taint --target-dir {folder}"
    )
    .env("RUSTFLAGS", PORTABLE)
    .run()?;
    let log = folder.join("valgrind.log");
    cmd!(
        shell,
        "valgrind --quiet --error-limit=no --log-file={log} {folder}/release/taint"
    )
    .run()?;
    Ok(Verdict::Passed)
}

/// Tests of `security` that the interpreter runs, their loops shortened (`testkit::rounds`, `testkit::stride`): modes,
/// engines, envelopes, windows, logs, attestation, random sources, handshakes, lines, orders, hostile input. The crate has
/// no `unsafe` of its own; these reach what its dependencies have, while tests of many key changes or signatures take the
/// interpreter too long.
const INTERPRETED: [&str; 7] = [
    "modes", "watch", "session", "line", "orders", "hostile", "envelope",
];

/// The tests of `security` in an interpreter that knows undefined behaviour.
pub fn miri() -> anyhow::Result<Verdict> {
    let shell = shell()?;
    if cmd!(shell, "cargo +nightly miri --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        return Ok(Verdict::Skipped(
            "miri is missing (rustup toolchain install nightly --component miri)".into(),
        ));
    }
    let folder = tool::root().join("target/miri");
    let tests: Vec<&str> = INTERPRETED
        .iter()
        .flat_map(|test| ["--test", test])
        .collect();
    // proptest reads its settings from the environment.
    cmd!(
        shell,
        "cargo +nightly miri test --locked --package meterkit-security --all-features --target-dir {folder} {tests...}"
    )
    .env("MIRIFLAGS", "-Zmiri-disable-isolation")
    .run()?;
    Ok(Verdict::Passed)
}

/// The lock files beside the published advisories, or beside the copy of them in the folder that `METERKIT_ADVISORIES`
/// names.
pub fn advisories() -> anyhow::Result<Verdict> {
    let shell = shell()?;
    if cmd!(shell, "cargo audit --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        return Ok(Verdict::Skipped(
            "cargo-audit is missing (cargo install cargo-audit --locked)".into(),
        ));
    }
    let copy = std::env::var_os("METERKIT_ADVISORIES");
    for folder in [".", "fuzz", "examples/firmware", "xtask/mcu", "xtask/peers"] {
        let mut audit = Command::new("cargo");
        audit
            .args(["audit", "--deny", "warnings", "--file"])
            .arg(tool::root().join(folder).join("Cargo.lock"));
        if let Some(copy) = &copy {
            audit.args(["--no-fetch", "--stale", "--db"]).arg(copy);
        }
        let output = audit.output().context("cargo audit")?;
        let said = String::from_utf8_lossy(&output.stderr);
        print!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{said}");
        if said.contains("couldn't fetch advisory database") {
            return Ok(Verdict::Skipped(
                "the published advisories cannot be fetched here (METERKIT_ADVISORIES names a copy)"
                    .into(),
            ));
        }
        ensure!(output.status.success(), "advisories for {folder}");
    }
    Ok(Verdict::Passed)
}
