//! The firmware of `examples/firmware`: its story on two boards, and what each image takes.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::report::Verdict;
use crate::{elf, jobs, size, tool};

const M4: &str = "thumbv7em-none-eabihf";
/// Images of the story, and the name under which their stack stands in its text.
const IMAGES: [(&str, Option<&str>); 5] = [
    ("boot", None),
    ("metering-live", Some("metering:")),
    ("management-live", Some("management #")),
    ("management-faulty", None),
    ("management-hostile", None),
];
/// The image into which no panic may be linked.
const SEALED: &str = "metering-live";

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
    table(&text)
}

fn table(story: &str) -> anyhow::Result<Verdict> {
    println!(
        "\n{:<20} {:>8} {:>8} {:>8}  bytes",
        "image", "flash", "static", "stack"
    );
    for (name, stack) in IMAGES {
        let file = image(name);
        let flash = size::flash(&file)?;
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        let ram = elf::ram(&bytes).with_context(|| format!("{name} has no sections"))?;
        let stack = stack.and_then(|stack| worst(story, stack));
        let stack = stack.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        println!("{name:<20} {flash:>8} {ram:>8} {stack:>8}");
    }
    if size::may_panic(&image(SEALED))? {
        return Ok(Verdict::Failed(format!("a panic is linked into {SEALED}")));
    }
    println!("no panic is linked into {SEALED}");
    Ok(Verdict::Passed)
}

/// The largest number in front of "bytes" or "of" in the lines of a board.
fn worst(story: &str, board: &str) -> Option<u64> {
    let stacks = story
        .lines()
        .filter(|line| line.contains(board) && line.contains("stack"));
    let number = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "stack")?;
        // "… 20728 bytes of stack" or "# stack 35332 of …".
        let before = at.checked_sub(3).and_then(|at| words[at].parse().ok());
        before.or_else(|| words.get(at + 1)?.parse().ok())
    };
    stacks.filter_map(number).max()
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
    use super::worst;

    #[test]
    fn the_worst_stack_of_each_board_is_found() {
        let story = "metering: 12 sets, 4 movements of the contact, 20728 bytes of stack\n\
                     management # stack 35332 of 4194300 bytes\n\
                     management # stack 1 of 4194300 bytes\n";
        assert_eq!(worst(story, "metering:"), Some(20_728));
        assert_eq!(worst(story, "management #"), Some(35_332));
        assert_eq!(worst(story, "boot"), None);
    }
}
