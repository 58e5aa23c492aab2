//! The proof of accuracy: every load of the proof plan through the chain, beside the truth and beside a
//! double-precision model on the same samples (`docs/accuracy.md`).

mod front;
mod grid;
mod limits;
mod plot;
mod point;
mod table;

use std::time::Instant;

use crate::report::Verdict;
use crate::tool;

pub use grid::Grid;

/// Where the pictures of the documentation lie.
const IMAGES: &str = "docs/images";

/// Runs the sweep; `json` prints every point instead of the tables, `pictures` draws them.
///
/// # Errors
/// When a picture cannot be written; missed bounds are in the verdict.
pub fn run(grid: Grid, json: bool, pictures: bool) -> anyhow::Result<Verdict> {
    let begin = Instant::now();
    let outcomes = grid.run();
    let signal: f64 = outcomes.iter().map(point::Outcome::seconds).sum();
    if json {
        println!("{}", table::json(&outcomes));
    } else {
        print!("{}", table::markdown(&outcomes));
        println!(
            "\n{} points, {:.1} h of signal in {:.0} s",
            outcomes.len(),
            signal / 3600.0,
            begin.elapsed().as_secs_f64()
        );
    }
    if pictures {
        let folder = tool::root().join(IMAGES);
        std::fs::create_dir_all(&folder)?;
        plot::all(&folder, &outcomes)?;
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
