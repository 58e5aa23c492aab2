//! The firmware of `examples/firmware`: its story on two boards, and what each image takes.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::report::Verdict;
use crate::{elf, images, jobs, tool};

const M4: &str = "thumbv7em-none-eabihf";
/// The image in which no panic is ours.
const OURS: &str = "management-live";
/// An image with a panic of ours: it shows that the search for them finds one.
const PANICS: &str = "management-faulty";
/// Crates of others that may keep panics in [`OURS`], and what they do there. A panic that happens all the same becomes
/// a logged reset.
const BORROWED: [(&str, &str); 3] = [
    ("sequential-storage", "journal of records on flash"),
    ("embedded-storage-async", "its traits of flash"),
    ("ed25519-compact", "signatures of images"),
];

/// Two emulated cores and a host tool: reads, a sale, a trip, updates with the power cut, a hostile image. Then flash,
/// RAM and stack of each image.
///
/// # Errors
/// The tests could not be started, or an image not be read.
pub fn demo() -> anyhow::Result<Verdict> {
    if let Err(why) = tool::target(M4) {
        return Ok(Verdict::Skipped(why));
    }
    if let Err(why) = tool::program("qemu-system-arm", &["qemu-system-arm"]) {
        return Ok(Verdict::Skipped(why));
    }
    // The broker of the gateway; without it that part says that it was left out.
    for (name, package) in [
        ("mosquitto", "mosquitto"),
        ("mosquitto_sub", "mosquitto-clients"),
    ] {
        if let Err(why) = tool::program(name, &[package]) {
            println!("{why}");
        }
    }
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--bins"])
        .args([
            "--package",
            "meterkit-tools",
            "--package",
            "meterkit-gateway",
        ])
        .current_dir(tool::root())
        .status()
        .context("cargo build")?;
    anyhow::ensure!(built.success(), "command line or gateway do not build");
    let output = Command::new("cargo")
        .args(["test", "--quiet", "--locked", "--package", "meterkit-meter"])
        .args(["--test", "field", "--", "--nocapture", "--include-ignored"])
        .args(["--test-threads", "1"])
        .current_dir(tool::root())
        .env("METERKIT_SKIPS", jobs::skips())
        .env("METERKIT_PROGRAMS", programs())
        .output()
        .context("cargo test")?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{}", text.trim_end());
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        return Ok(Verdict::Failed("the story of the two boards failed".into()));
    }
    images::note("firmware-demo", &text)?;
    images::table(Some("firmware-demo"))?;
    borrowed_panics()
}

/// Where cargo leaves the programs of the workspace.
fn programs() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    tool::root().join(target).join("debug")
}

/// Looks where the panics of the management image come from.
fn borrowed_panics() -> anyhow::Result<Verdict> {
    if panics_by_crate(PANICS)?.1.is_empty() {
        return Ok(Verdict::Failed(format!(
            "the panic of {PANICS} was not found: places of panics are laid out in another way"
        )));
    }
    let (borrowed, ours) = panics_by_crate(OURS)?;
    if !ours.is_empty() {
        return Ok(Verdict::Failed(format!(
            "panics in {OURS}: {}",
            ours.join(", ")
        )));
    }
    println!("no panic of ours is linked into {OURS}; of others:");
    for ((name, what), number) in BORROWED.into_iter().zip(borrowed) {
        println!("  {name:<24} {number:>3} places  {what}");
    }
    Ok(Verdict::Passed)
}

/// How many places of panics each crate of [`BORROWED`] has in an image, and all other places as text.
fn panics_by_crate(name: &str) -> anyhow::Result<([usize; BORROWED.len()], Vec<String>)> {
    let file = image(name);
    let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let places = elf::panic_places(&bytes).with_context(|| format!("{name} has no sections"))?;
    let mut borrowed = [0; BORROWED.len()];
    let mut others = Vec::new();
    for place in places {
        match BORROWED
            .iter()
            .position(|(name, _)| is_of(&place.file, name))
        {
            Some(index) => borrowed[index] += 1,
            None => others.push(format!("{}:{}", place.file, place.line)),
        }
    }
    Ok((borrowed, others))
}

/// Whether a file lies in the folder of a version of a crate, as a registry or a vendor unpacks it.
fn is_of(file: &str, name: &str) -> bool {
    file.split('/').any(|folder| {
        let version = folder
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'));
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn image(name: &str) -> PathBuf {
    tool::root()
        .join("target/firmware")
        .join(M4)
        .join("release")
        .join(name)
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn a_file_belongs_to_the_crate_whose_folder_it_is_in() {
        let file = "/home/reader/.cargo/registry/src/index/sequential-storage-8.0.2/src/map.rs";
        assert!(is_of(file, "sequential-storage"));
        assert!(!is_of(file, "sequential"));
        assert!(!is_of("src/live/management.rs", "sequential-storage"));
        let file = "/checkout/sequential-storage-notes/src/lib.rs";
        assert!(!is_of(file, "sequential-storage"));
    }
}
