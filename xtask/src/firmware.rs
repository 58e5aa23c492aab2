//! The firmware of `examples/firmware`: its story on two boards, and what each image takes.

use std::process::Command;

use anyhow::Context;

use crate::report::Verdict;
use crate::{images, jobs, tool};

const M4: &str = "thumbv7em-none-eabihf";
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
    let output = Command::new("cargo")
        .args(["test", "--quiet", "--locked", "--package", "meterkit-meter"])
        .args(["--test", "field", "--", "--nocapture", "--include-ignored"])
        .args(["--test-threads", "1"])
        .current_dir(tool::root())
        .env("METERKIT_SKIPS", jobs::skips())
        .output()
        .context("cargo test")?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{}", text.trim_end());
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        return Ok(Verdict::Failed("the story of the two boards failed".into()));
    }
    images::note("firmware-demo", &text)?;
    images::table(false)?;
    Ok(Verdict::Passed)
}
