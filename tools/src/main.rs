//! `meterkit`: explains frames, reads and finds meters, plays one, and tests one against a conformance list.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use meterkit_tools::decode;

/// DL/T 645 and CJ/T 188 for people: explain frames, read and find meters, play one, test one.
#[derive(Debug, Parser)]
#[command(name = "meterkit", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Decode(decode::Args),
}

/// Anything that is neither an answer nor a finding: wrong arguments, ports that fail.
const TROUBLE: u8 = 2;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Decode(args) => decode::run(&args),
    };
    done.unwrap_or_else(|err| {
        eprintln!("meterkit: {err:#}");
        ExitCode::from(TROUBLE)
    })
}
