//! The program: runs one gateway from a configuration file and prints its status as JSON lines.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Reads meters, stores their records, forwards them over MQTT.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Configuration as JSON.
    #[arg(long)]
    config: PathBuf,
    /// How many times faster than the wall clock time runs.
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// UTC milliseconds at which the clock starts, for runs that can be repeated; the machine's time when absent.
    #[arg(long)]
    epoch: Option<u64>,
    /// Seconds between two lines of status.
    #[arg(long, default_value_t = 10)]
    status_s: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let mut config = gateway::Config::load(&arguments.config)?;
    let clock = match (arguments.speed, arguments.epoch) {
        (0 | 1, None) => gateway::system_clock(),
        (speed, epoch) => gateway::accelerated_clock(epoch, speed),
    };
    config.speed = arguments.speed;
    let running = gateway::start(config, clock).await?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut every = tokio::time::interval(Duration::from_secs(arguments.status_s.max(1)));
    loop {
        tokio::select! {
            _ = every.tick() => println!("{}", serde_json::to_string(&running.status())?),
            _ = tokio::signal::ctrl_c() => break,
            _ = terminate.recv() => break,
        }
    }
    let last = running.status();
    running.shutdown().await;
    println!("{}", serde_json::to_string(&last)?);
    Ok(())
}
