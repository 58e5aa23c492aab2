//! Flash, RAM and worst stack of the images of `examples/firmware`, and that no panic is in those of the metering core.
//!
//! The stack is painted and measured by the images themselves in their stories; the jobs that run the stories note it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::{elf, size, tool};

/// The jobs that tell the stories.
const JOBS: [&str; 2] = ["emulate", "firmware-demo"];
/// Cortex-M0 and Cortex-M4F.
const M0: &str = "thumbv6m-none-eabi";
const M4: &str = "thumbv7em-none-eabihf";

/// One image: how the lines begin that tell its stack in a story, and whether no panic may be in it.
#[derive(Clone, Copy)]
struct Image {
    target: &'static str,
    name: &'static str,
    lines: &'static [&'static str],
    sealed: bool,
}

const fn image(target: &'static str, name: &'static str, lines: &'static [&'static str]) -> Image {
    Image {
        target,
        name,
        lines,
        sealed: false,
    }
}

/// No path to a panic is in an image of the metering core.
const fn sealed(target: &'static str, name: &'static str, lines: &'static [&'static str]) -> Image {
    Image {
        sealed: true,
        ..image(target, name, lines)
    }
}

const IMAGES: [Image; 9] = [
    sealed(
        M0,
        "metering",
        &["metering on microbit", "metering,arg=chip on microbit"],
    ),
    sealed(
        M4,
        "metering",
        &[
            "metering on mps2-an386",
            "metering,arg=chip on mps2-an386",
            "metering with link on mps2-an386",
        ],
    ),
    sealed(M4, "metering-three", &["metering-three on mps2-an386"]),
    image(M4, "management", &["management on mps2-an386"]),
    image(M4, "boot", &["management # boot:"]),
    sealed(M4, "metering-live", &["metering: "]),
    image(M4, "management-live", &["management # stack"]),
    image(M4, "management-faulty", &[]),
    image(M4, "management-hostile", &[]),
];

impl Image {
    fn file(&self) -> PathBuf {
        folder().join(self.target).join("release").join(self.name)
    }
}

fn folder() -> PathBuf {
    tool::root().join("target/firmware")
}

/// Where a job notes the worst stacks of its stories.
fn notes(job: &str) -> PathBuf {
    folder().join(format!("stacks-{job}.txt"))
}

/// Notes the worst stack of every image that the stories of a job tell of. Each job has its own file: they run side by
/// side.
///
/// # Errors
/// The file cannot be written.
pub fn note(job: &str, story: &str) -> anyhow::Result<()> {
    let text: String = stacks(story)
        .iter()
        .map(|((target, name), stack)| format!("{target} {name} {stack}\n"))
        .collect();
    std::fs::write(notes(job), text).with_context(|| notes(job).display().to_string())
}

type Stacks = BTreeMap<(String, String), u64>;

fn stacks(story: &str) -> Stacks {
    let worst = |image: &Image| {
        let lines = story.lines().filter(|line| {
            let mut heads = image.lines.iter();
            heads.any(|head| line.starts_with(head))
        });
        let stack = lines.filter_map(stack_of).max()?;
        Some(((image.target.to_owned(), image.name.to_owned()), stack))
    };
    IMAGES.iter().filter_map(worst).collect()
}

/// The number in "stack NUMBER of".
fn stack_of(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("stack ")?;
    let (number, _) = rest.split_once(" of ")?;
    number.parse().ok()
}

fn noted(jobs: &[&str]) -> Stacks {
    let texts = jobs
        .iter()
        .map(|job| std::fs::read_to_string(notes(job)).unwrap_or_default());
    let texts: Vec<String> = texts.collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let rows = lines.filter_map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        Some(((words.next()?, words.next()?), words.next()?.parse().ok()?))
    });
    rows.collect()
}

/// Prints flash, static RAM and the worst stack of the images whose stories `job` has just told, or, when both jobs have
/// told theirs, of all. What else lies in the folder may stem from an earlier source.
///
/// # Errors
/// An image cannot be read, or holds a panic although it must not.
pub fn table(job: Option<&str>) -> anyhow::Result<()> {
    let noted = job.map_or_else(|| noted(&JOBS), |job| noted(&[job]));
    println!(
        "\n{:<24} {:<20} {:>8} {:>8} {:>8}  bytes; stack: painted, worst of the stories",
        "target", "image", "flash", "static", "stack"
    );
    let mut panics = Vec::new();
    for image in IMAGES {
        let (file, Image { target, name, .. }) = (image.file(), image);
        let stack = noted.get(&(target.to_owned(), name.to_owned()));
        if job.is_some() && stack.is_none() {
            continue;
        }
        let flash = size::flash(&file)?;
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        let ram = elf::ram(&bytes).with_context(|| format!("{name} has no sections"))?;
        let stack = stack.map_or_else(|| "-".to_owned(), u64::to_string);
        println!("{target:<24} {name:<20} {flash:>8} {ram:>8} {stack:>8}");
        if image.sealed && size::may_panic(&file)? {
            panics.push(format!("{name} for {target}"));
        }
    }
    ensure!(
        panics.is_empty(),
        "a panic is linked into {}",
        panics.join(", ")
    );
    println!("no panic is linked into these images of the metering core");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{M0, M4, stacks};

    #[test]
    fn the_worst_stack_of_each_image_is_found() {
        let story = "metering: 12 sets, 4 movements of the contact, stack 20728 of 4194304 bytes\n\
                     management # stack 35332 of 4194300 bytes\n\
                     management # stack 1 of 4194300 bytes\n\
                     management # boot: stack 700 of 4194300 bytes\n\
                     metering on microbit # core 1 bytes, 2 sets in 3 ticks, stack 4 of 16384 bytes\n\
                     metering,arg=chip on microbit # core 1 bytes, stack 5 of 16384 bytes\n";
        let found: Vec<_> = stacks(story)
            .into_iter()
            .map(|((target, name), stack)| (target, name, stack))
            .collect();
        let row = |target: &str, name: &str, stack| (target.to_owned(), name.to_owned(), stack);
        assert_eq!(
            found,
            [
                row(M0, "metering", 5),
                row(M4, "boot", 700),
                row(M4, "management-live", 35_332),
                row(M4, "metering-live", 20_728),
            ]
        );
    }
}
