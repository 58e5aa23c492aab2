//! Tests that cannot run on a machine, told aloud.

use std::io::Write;

/// Prints that a test was skipped and why, and notes it in the file named by `METERKIT_SKIPS`, whose lines
/// `cargo xtask test` prints at the end of the run.
pub fn skip(reason: &str) {
    eprintln!("SKIPPED: {reason}");
    if let Some(file) = std::env::var_os("METERKIT_SKIPS") {
        let noted = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .and_then(|mut list| writeln!(list, "{reason}"));
        if let Err(error) = noted {
            eprintln!("the list of skipped tests: {error}");
        }
    }
}
