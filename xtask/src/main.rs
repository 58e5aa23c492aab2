//! One command behind every job.
fn main() {}
