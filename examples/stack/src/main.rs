//! `cargo demo`: three electricity meters, a water meter, a gateway, a broker and the platform in one program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Meters, gateway, broker and platform in one program on embedded defaults.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Folder of everything that is kept; started again on it, the stack goes on
    #[arg(long, default_value = "meterkit-data")]
    data_dir: PathBuf,
    /// Address of the page; port 0 takes a free one, and 8080 too when it is taken
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Address of the broker; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    mqtt: SocketAddr,
    /// How many times faster than the wall time runs
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: u32,
    /// Password of the user `admin`; without it one is drawn at the first start and kept in the data folder
    #[arg(long, env = "METERKIT_ADMIN_PASSWORD")]
    admin_password: Option<String>,
    /// Password of the listening MQTT account `reader`; without it the account does not exist
    #[arg(long)]
    reader_password: Option<String>,
    /// Print what programs need as JSON lines
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(log)
        .with(cloud::BrokerWarnings.with_filter(LevelFilter::WARN))
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let json = arguments.json;
    let running = stack::start(stack::Options {
        data_dir: arguments.data_dir,
        http: arguments.http,
        mqtt: arguments.mqtt,
        speed: arguments.speed,
        admin_password: arguments.admin_password,
        reader_password: arguments.reader_password,
    })
    .await?;
    if json {
        println!("{}", running.ready());
    } else {
        println!("\n  open http://{}", running.http());
        println!("  sign in as admin with {}", running.password());
        println!("  meters answer DL/T 645 at {}", running.meters());
        println!("  Ctrl-C stops; started again, everything goes on from its files\n");
    }
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    if !json {
        println!("\nstopping");
    }
    running.shutdown().await
}
