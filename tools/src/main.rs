//! `meterkit`: explains frames, reads and finds meters, plays one, and tests one against a conformance list.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use meterkit_tools::{conform, decode, encode, read, scan, serve, sign, update};

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
    Encode(encode::Args),
    Read(read::Args),
    Scan(scan::Args),
    Serve(serve::Args),
    Conform(conform::Args),
    Sign(sign::Args),
    Update(update::Args),
}

/// Anything that is neither an answer nor a finding: wrong arguments, ports that fail.
const TROUBLE: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Decode(args) => decode::run(&args),
        Command::Encode(args) => encode::run(&args),
        Command::Read(args) => read::run(&args).await,
        Command::Scan(args) => scan::run(&args).await,
        Command::Serve(args) => serve::run(&args).await,
        Command::Conform(args) => conform::run(&args).await,
        Command::Sign(args) => sign::run(&args),
        Command::Update(args) => update::run(&args).await,
    };
    done.unwrap_or_else(|err| {
        eprintln!("meterkit: {err:#}");
        ExitCode::from(TROUBLE)
    })
}
