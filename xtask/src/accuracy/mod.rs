//! The proof of accuracy: every load of the proof plan through the chain, beside the truth and beside a
//! double-precision model on the same samples (`docs/accuracy.md`).

mod front;
mod grid;
mod limits;
pub(crate) mod plot;
mod point;
mod table;

use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::report::Verdict;
use crate::tool;

pub use grid::Grid;

/// The page about this proof, and its pictures.
const PAGE: &str = "docs/accuracy.md";
const IMAGES: &str = "docs/images";
/// What encloses the tables in the page.
const BEGIN: &str = "<!-- begin: cargo xtask accuracy --docs -->\n";
const END: &str = "<!-- end -->\n";

/// What to do with the outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tables on the terminal.
    Tables,
    /// Tables, and pictures below the target folder.
    Pictures,
    /// Every point as JSON on the terminal.
    Json,
    /// Tables and pictures into the documentation.
    Docs,
}

/// Runs the sweep.
///
/// # Errors
/// When a picture or the page cannot be written; missed bounds are in the verdict.
pub fn run(grid: Grid, output: Output) -> anyhow::Result<Verdict> {
    let begin = Instant::now();
    let outcomes = grid.run();
    let hours: f64 = outcomes.iter().map(point::Outcome::seconds).sum::<f64>() / 3600.0;
    let size = format!("{} points, {hours:.1} h of signal", outcomes.len());
    let seconds = begin.elapsed().as_secs_f64();
    if output == Output::Json {
        println!("{}", table::json(&outcomes));
    } else {
        print!("{}", table::markdown(&outcomes));
        println!("\n{size} in {seconds:.0} s");
    }
    let root = tool::root();
    match output {
        Output::Tables | Output::Json => {}
        Output::Pictures => {
            let folder = root.join("target/accuracy");
            pictures(&folder, &outcomes)?;
            println!("pictures: {}", folder.display());
        }
        Output::Docs => {
            pictures(&root.join(IMAGES), &outcomes)?;
            let tables = format!("{size}.\n\n{}", table::markdown(&outcomes));
            write_between_marks(&root.join(PAGE), &tables)?;
        }
    }
    let refused: Vec<_> = outcomes
        .iter()
        .filter_map(point::Outcome::refused)
        .collect();
    if refused.is_empty() {
        return Ok(Verdict::Passed);
    }
    for line in refused.iter().take(20) {
        eprintln!("    {line}");
    }
    Ok(Verdict::Failed(format!(
        "{} of {} points miss a bound",
        refused.len(),
        outcomes.len()
    )))
}

fn pictures(folder: &Path, outcomes: &[point::Outcome]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    plot::all(folder, outcomes)
}

/// Puts the tables between the marks of the page.
fn write_between_marks(page: &Path, tables: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let marked = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        marked.with_context(|| format!("{} has lost its marks", page.display()))?;
    std::fs::write(page, format!("{before}{BEGIN}\n{tables}\n{END}{after}"))?;
    Ok(())
}
