//! The jobs that run cargo and other programs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::report::Verdict;
use crate::{images, tool};

/// Crates that run on a microcontroller, with the features that must build there.
const NO_STD: [(&str, &str); 11] = [
    ("serial-line", ""),
    ("dlt645", "meter-proto,embedded-io,embedded-io-async"),
    ("cjt188", "meter-proto,embedded-io,embedded-io-async"),
    (
        "meter-proto",
        "serde,embedded-storage,embedded-hal,embedded-io",
    ),
    ("meterkit-metrology", ""),
    ("meterkit-metrology", "embedded-hal"),
    ("meterkit-tariff", ""),
    ("meterkit-security", ""),
    (
        "meterkit-security",
        "gcm,chacha,sm4,fw-p256,dlt645,mock-engine",
    ),
    ("meterkit-meter", ""),
    ("dlt645", ""),
];

/// Crates with simulations of hours or of a million sequences.
const LONG: [&str; 2] = ["meterkit-metrology", "meterkit-tariff"];

/// Cortex-M0 and Cortex-M4F.
const TARGETS: [&str; 2] = ["thumbv6m-none-eabi", "thumbv7em-none-eabihf"];

fn shell() -> anyhow::Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(tool::root());
    Ok(shell)
}

/// The file in which tests note what they could not run; empty at the start of a run.
pub fn skip_list() -> anyhow::Result<PathBuf> {
    let folder = tool::root().join("target");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("skipped.txt");
    std::fs::write(&file, "")?;
    Ok(file)
}

/// The file of [`skip_list`].
pub fn skips() -> PathBuf {
    tool::root().join("target/skipped.txt")
}

/// Starts the stack; its page needs Node's packages and says so when they are missing.
pub fn demo(arguments: &[String]) -> anyhow::Result<()> {
    let web = tool::root().join("examples/cloud/web");
    if let Err(why) = tool::node_packages(&web) {
        println!("the page will be the plain one: {why}");
    }
    let status = Command::new("cargo")
        .args(["run", "--package", "meterkit-stack", "--bin", "stack", "--"])
        .args(arguments)
        .current_dir(tool::root())
        .status()
        .context("cargo run")?;
    // Ctrl-C reaches the stack as well; it has then stopped by itself.
    anyhow::ensure!(
        status.success() || status.code().is_none() || status.code() == Some(130),
        "the stack ended with {status}"
    );
    Ok(())
}

/// Formatting of all packages, those that stand apart included.
pub fn fmt() -> anyhow::Result<Verdict> {
    if let Err(why) = tool::component("rustfmt") {
        return Ok(Verdict::Skipped(why));
    }
    let shell = shell()?;
    cmd!(shell, "cargo fmt --all --check").run()?;
    for apart in ["fuzz", "examples/firmware", "xtask/mcu", "xtask/peers"] {
        cmd!(
            shell,
            "cargo fmt --check --manifest-path {apart}/Cargo.toml"
        )
        .run()?;
    }
    Ok(Verdict::Passed)
}

/// Clippy with warnings refused, over all packages, the two that stand apart included.
pub fn lint() -> anyhow::Result<Verdict> {
    if let Err(why) = tool::component("clippy") {
        return Ok(Verdict::Skipped(why));
    }
    let shell = shell()?;
    cmd!(
        shell,
        "cargo clippy --workspace --all-targets --locked -- -D warnings"
    )
    .run()?;
    cmd!(
        shell,
        "cargo clippy --manifest-path fuzz/Cargo.toml --all-targets -- -D warnings"
    )
    .run()?;
    let [m0, m4] = TARGETS;
    if let Err(why) = tool::target(m0).and_then(|()| tool::target(m4)) {
        println!("    the firmware was not looked at: {why}");
        return Ok(Verdict::Passed);
    }
    // Its own folder, because its linker settings are found from there.
    let _firmware = shell.push_dir("examples/firmware");
    cmd!(shell, "cargo clippy --release --target {m4} -- -D warnings").run()?;
    cmd!(
        shell,
        "cargo clippy --release --target {m0} --lib --bin metering -- -D warnings"
    )
    .run()?;
    let _measured = shell.push_dir(tool::root().join("xtask/mcu"));
    cmd!(
        shell,
        "cargo clippy --release --locked --target {m0} -- -D warnings"
    )
    .run()?;
    cmd!(
        shell,
        "cargo clippy --release --locked --target {m0} --features cases --bin cases -- -D warnings"
    )
    .run()?;
    Ok(Verdict::Passed)
}

/// Everything that tests may want to start; what is missing is noted by the test that wanted it.
fn prepare() {
    let wanted: [(&str, &[&str]); 5] = [
        ("cc", &["gcc", "libc6-dev"]),
        ("python3", &["python3", "python3-venv"]),
        ("mosquitto", &["mosquitto"]),
        ("mosquitto_sub", &["mosquitto-clients"]),
        ("qemu-system-arm", &["qemu-system-arm"]),
    ];
    for (name, packages) in wanted {
        if let Err(why) = tool::program(name, packages) {
            println!("    {why}");
        }
    }
    for target in TARGETS {
        if let Err(why) = tool::target(target) {
            println!("    {why}");
        }
    }
    if let Err(why) = tool::node_packages(&tool::root().join("examples/cloud/web")) {
        println!("    {why}");
    }
}

/// All tests but the whole-system ones, those of the C interface and those on emulated boards, which are jobs of their own.
pub fn unit() -> anyhow::Result<Verdict> {
    prepare();
    let shell = shell()?;
    let skips = skips();
    cmd!(
        shell,
        "cargo test --workspace --exclude meterkit-stack --exclude meterkit-ffi --locked --no-fail-fast"
    )
    .env("METERKIT_SKIPS", skips)
    .run()?;
    Ok(Verdict::Passed)
}

/// The tests of the C interface.
pub fn ffi() -> anyhow::Result<Verdict> {
    prepare();
    let shell = shell()?;
    // Of the whole workspace, so that the crates are those of the other tests and are not built again.
    cmd!(
        shell,
        "cargo test --workspace --exclude meterkit-stack --locked --test c_interface"
    )
    .env("METERKIT_SKIPS", skips())
    .run()?;
    Ok(Verdict::Passed)
}

/// The microcontroller crates build without the standard library.
pub fn no_std() -> anyhow::Result<Verdict> {
    let shell = shell()?;
    for target in TARGETS {
        if let Err(why) = tool::target(target) {
            return Ok(Verdict::Skipped(why));
        }
        for (package, features) in NO_STD {
            cmd!(
                shell,
                "cargo check --quiet --locked --package {package} --no-default-features --features {features} --target {target}"
            )
            .run()?;
        }
    }
    Ok(Verdict::Passed)
}

/// Corpus and random input on the stable tool chain, or libFuzzer for some minutes.
pub fn fuzz(minutes: Option<u64>) -> anyhow::Result<Verdict> {
    let shell = shell()?;
    cmd!(shell, "cargo test --manifest-path fuzz/Cargo.toml").run()?;
    let Some(minutes) = minutes else {
        return Ok(Verdict::Passed);
    };
    if cmd!(shell, "cargo fuzz --version")
        .quiet()
        .ignore_stdout()
        .run()
        .is_err()
    {
        return Ok(Verdict::Skipped(
            "corpus and random input passed; cargo-fuzz is missing (cargo install cargo-fuzz --locked)".into(),
        ));
    }
    let seconds = (minutes * 60).to_string();
    let targets = cmd!(shell, "cargo +nightly fuzz list").read()?;
    for target in targets.lines() {
        cmd!(
            shell,
            "cargo +nightly fuzz run --features libfuzzer {target} -- -max_total_time={seconds}"
        )
        .run()?;
    }
    Ok(Verdict::Passed)
}

/// The long simulations: tests that are marked as ignored, with the overflow checks of the test profile.
pub fn long() -> anyhow::Result<Verdict> {
    let shell = shell()?;
    for package in LONG {
        cmd!(
            shell,
            "cargo test --locked --package {package} -- --ignored --nocapture"
        )
        .env("METERKIT_SKIPS", skips())
        .run()?;
    }
    Ok(Verdict::Passed)
}

/// The firmware images beside the host, on the same samples.
pub fn emulate() -> anyhow::Result<Verdict> {
    for target in TARGETS {
        if let Err(why) = tool::target(target) {
            return Ok(Verdict::Skipped(why));
        }
    }
    if let Err(why) = tool::program("qemu-system-arm", &["qemu-system-arm"]) {
        return Ok(Verdict::Skipped(why));
    }
    let shell = shell()?;
    let skips = skips();
    let output = cmd!(
        shell,
        "cargo test --locked --package meterkit-meter --test firmware -- --nocapture --include-ignored"
    )
    .env("METERKIT_SKIPS", skips)
    .ignore_status()
    .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{}", text.trim_end());
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        return Ok(Verdict::Failed("emulator and host differ".into()));
    }
    images::note("emulate", &text)?;
    images::table(Some("emulate"))?;
    Ok(Verdict::Passed)
}

/// The tests that start whole programs.
pub fn system() -> anyhow::Result<Verdict> {
    prepare();
    let shell = shell()?;
    let skips = skips();
    // The programs that the tests start and kill.
    cmd!(
        shell,
        "cargo build --locked --package meterkit-meter --package meterkit-gateway --package meterkit-cloud --package meterkit-stack --bins"
    )
    .run()?;
    cmd!(
        shell,
        "cargo test --locked --package meterkit-stack -- --nocapture --test-threads=1"
    )
    .env("METERKIT_SKIPS", skips)
    .run()?;
    Ok(Verdict::Passed)
}
