//! What a job came to, and the table at the end.

use std::time::{Duration, Instant};

/// What a job came to.
#[derive(Debug)]
pub enum Verdict {
    /// Everything held.
    Passed,
    /// Something did not; the text says what.
    Failed(String),
    /// Could not be run here; the text says why.
    Skipped(String),
}

/// The jobs of one run with their times.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<(&'static str, Verdict, Duration)>,
}

impl Report {
    /// Runs one job and prints its heading, verdict and time.
    pub fn job(&mut self, name: &'static str, run: impl FnOnce() -> anyhow::Result<Verdict>) {
        println!("\n==== {name}");
        let begin = Instant::now();
        let verdict = match run() {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Failed(format!("{error:#}")),
        };
        let time = begin.elapsed();
        match &verdict {
            Verdict::Passed => println!("==== {name}: passed in {:.0} s", time.as_secs_f64()),
            Verdict::Failed(why) => println!("==== {name}: FAILED: {why}"),
            Verdict::Skipped(why) => println!("==== {name}: SKIPPED: {why}"),
        }
        self.rows.push((name, verdict, time));
    }

    /// Prints the table and the closing line; the number of failed jobs.
    pub fn close(self) -> usize {
        println!("\n{:<12} {:>6}  verdict", "job", "s");
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        let mut total = Duration::ZERO;
        for (name, verdict, time) in &self.rows {
            total += *time;
            let text = match verdict {
                Verdict::Passed => {
                    passed += 1;
                    "passed".to_owned()
                }
                Verdict::Failed(why) => {
                    failed += 1;
                    format!("FAILED  {why}")
                }
                Verdict::Skipped(why) => {
                    skipped += 1;
                    format!("skipped: {why}")
                }
            };
            println!("{name:<12} {:>6.0}  {text}", time.as_secs_f64());
        }
        println!("{:<12} {:>6.0}", "total", total.as_secs_f64());
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        failed
    }
}
