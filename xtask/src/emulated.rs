//! The cases of `vectors/security` on the emulated boards: the host writes them to a file, an image works
//! them off, the host compares.

mod questions;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::report::Verdict;
use crate::size::{CORES, build_bins};
use crate::tool;
use crate::vectors::security::Case;
use questions::{FILES, Question};

/// A request to the image and what must come back: the bytes, or nothing when it has to be refused.
struct Asked {
    name: String,
    request: Vec<u8>,
    expected: Option<Vec<u8>>,
}

/// All cases on every core.
pub fn run() -> anyhow::Result<Verdict> {
    if let Err(why) = tool::program("qemu-system-arm", &["qemu-system-arm"]) {
        return Ok(Verdict::Skipped(why));
    }
    for (triple, ..) in CORES {
        if let Err(why) = tool::target(triple) {
            return Ok(Verdict::Skipped(why));
        }
    }
    let asked = questions(&tool::root().join("vectors/security"))?;
    let mut wrong = String::new();
    for (triple, core, machine) in CORES {
        let folder = tool::root().join("target/mcu");
        build_bins(triple, &folder, &["--features", "cases", "--bin", "cases"])?;
        let images = folder.join(triple).join("release");
        let answers = answers(&images, machine, &asked)?;
        let mut failed = 0;
        for (asked, got) in asked.iter().zip(&answers) {
            if asked.expected != *got {
                failed += 1;
                let show = |bytes: &Option<Vec<u8>>| match bytes {
                    Some(bytes) => hex::encode(bytes),
                    None => "refused".to_owned(),
                };
                let (expected, got) = (show(&asked.expected), show(got));
                writeln!(
                    wrong,
                    "{core}, {}: expected {expected}, got {got}",
                    asked.name
                )?;
            }
        }
        println!(
            "{core:<11} {} questions of the case files, {failed} wrong",
            asked.len()
        );
    }
    if wrong.is_empty() {
        Ok(Verdict::Passed)
    } else {
        Ok(Verdict::Failed(wrong))
    }
}

fn questions(folder: &Path) -> anyhow::Result<Vec<Asked>> {
    let mut all = Vec::new();
    for (file, translate) in FILES {
        let path = folder.join(file).with_extension("json");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let cases: Value = serde_json::from_str(&text)?;
        let fields = cases["fields"].as_array().map(Vec::as_slice);
        let mut found = 0;
        for (row, case) in cases["cases"].as_array().into_iter().flatten().enumerate() {
            let case = Case {
                fields: fields.unwrap_or_default(),
                case,
            };
            let name = format!("{file} case {row}");
            let questions = translate(&case).map_err(|why| anyhow::anyhow!("{name}: {why}"))?;
            found += questions.len();
            for Question {
                kind,
                fields,
                expected,
            } in questions
            {
                let mut request = vec![kind];
                for field in fields {
                    request.extend(u16::try_from(field.len())?.to_le_bytes());
                    request.extend(field);
                }
                all.push(Asked {
                    name: format!("{name}, {}", char::from(kind)),
                    request,
                    expected,
                });
            }
        }
        ensure!(found > 0, "{file} asks nothing");
    }
    Ok(all)
}

/// Runs the image over all requests in its folder.
fn answers(images: &Path, machine: &str, asked: &[Asked]) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
    let mut requests = Vec::new();
    for Asked { request, .. } in asked {
        requests.extend(u16::try_from(request.len())?.to_le_bytes());
        requests.extend(request);
    }
    std::fs::write(images.join("requests.bin"), requests)?;
    let status = Command::new("qemu-system-arm")
        .args(["-M", machine, "-display", "none", "-monitor", "none"])
        .args(["-serial", "none", "-semihosting-config"])
        .args(["enable=on,target=native", "-kernel", "cases"])
        .current_dir(images)
        .status()
        .context("qemu-system-arm")?;
    ensure!(
        status.code() != Some(3),
        "something was left behind a refused message on {machine}"
    );
    ensure!(
        status.success(),
        "the image on {machine} ended with {status}"
    );
    let bytes = std::fs::read(images.join("answers.bin"))?;
    let mut rest = &bytes[..];
    let mut answers = Vec::new();
    while let [a, b, behind @ ..] = rest {
        let (answer, behind) = behind
            .split_at_checked(u16::from_le_bytes([*a, *b]).into())
            .context("an answer that was cut off")?;
        let (done, content) = answer.split_first().context("an empty answer")?;
        answers.push((*done == 1).then(|| content.to_vec()));
        rest = behind;
    }
    ensure!(
        answers.len() == asked.len(),
        "{} answers to {} requests on {machine}",
        answers.len(),
        asked.len()
    );
    Ok(answers)
}
