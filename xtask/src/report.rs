//! What a job came to, and the table at the end.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

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

/// How a job that can't be run here begins its last line.
pub const SKIPPED: &str = "SKIPPED: ";

/// The jobs of one run with their times.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    /// Time saved by jobs that ran side by side.
    saved: Duration,
}

type Row = (&'static str, Verdict, Duration);

impl Report {
    /// Runs one job and prints its heading, verdict and time.
    pub fn job(&mut self, name: &'static str, run: impl FnOnce() -> anyhow::Result<Verdict>) {
        println!("\n==== {name}");
        let begin = Instant::now();
        let verdict = run().unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")));
        let row = (name, verdict, begin.elapsed());
        print_verdict(&row);
        self.rows.push(row);
    }

    /// Runs two rows of jobs side by side, each job as a process of `program`. An emulator keeps one core busy, so
    /// two of them take the time of one. What a job prints appears whole when it ends.
    pub fn side_by_side(&mut self, program: &Path, lanes: [&[&'static [&'static str]]; 2]) {
        let begin = Instant::now();
        let [left, right] = std::thread::scope(|scope| {
            lanes
                .map(|jobs| scope.spawn(move || lane(program, jobs)))
                .map(|lane| {
                    lane.join()
                        .expect("a lane catches the failures of its jobs")
                })
        });
        let first = self.rows.len();
        self.rows.extend(left);
        self.rows.extend(right);
        let apart: Duration = self.rows[first..].iter().map(|(_, _, time)| *time).sum();
        self.saved += apart.saturating_sub(begin.elapsed());
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
        let saved = self.saved.as_secs_f64();
        println!("{:<12} {:>6.0}", "side by side", -saved);
        println!("{:<12} {:>6.0}", "total", total.as_secs_f64() - saved);
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        failed
    }
}

/// The jobs of one lane, one after the other; a job is its name and its arguments.
fn lane(program: &Path, jobs: &[&'static [&'static str]]) -> Vec<Row> {
    let run = |job: &&'static [&'static str]| {
        let begin = Instant::now();
        let name = job.first().copied().unwrap_or_default();
        let (text, verdict) = match process(program, job) {
            Ok(ended) => ended,
            Err(error) => (String::new(), Verdict::Failed(format!("{error:#}"))),
        };
        let row = (name, verdict, begin.elapsed());
        println!("\n==== {name}\n{}", text.trim_end());
        print_verdict(&row);
        row
    };
    jobs.iter().map(run).collect()
}

/// What a job printed, and what it came to.
fn process(program: &Path, arguments: &[&str]) -> anyhow::Result<(String, Verdict)> {
    // One pipe for both streams would need more than the standard library: the shell joins them.
    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
        .arg(program)
        .args(arguments)
        .output()
        .with_context(|| program.display().to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    let verdict = if !output.status.success() {
        Verdict::Failed(last.to_owned())
    } else if let Some(why) = last.strip_prefix(SKIPPED) {
        Verdict::Skipped(why.to_owned())
    } else {
        Verdict::Passed
    };
    Ok((text, verdict))
}

fn print_verdict((name, verdict, time): &Row) {
    match verdict {
        Verdict::Passed => println!("==== {name}: passed in {:.0} s", time.as_secs_f64()),
        Verdict::Failed(why) => println!("==== {name}: FAILED: {why}"),
        Verdict::Skipped(why) => println!("==== {name}: {SKIPPED}{why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_side_by_side_keep_their_verdicts() {
        let mut report = Report::default();
        report.side_by_side(
            Path::new("sh"),
            [
                &[&["-c", "echo fine"], &["-c", "echo wrong >&2; exit 1"]],
                &[&["-c", "echo 'SKIPPED: no board'"]],
            ],
        );
        let verdicts: Vec<String> = report
            .rows
            .iter()
            .map(|(_, verdict, _)| format!("{verdict:?}"))
            .collect();
        assert_eq!(
            verdicts,
            ["Passed", "Failed(\"wrong\")", "Skipped(\"no board\")"]
        );
        assert_eq!(report.close(), 1);
    }
}
