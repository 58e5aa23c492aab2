//! The platform as a program.

use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Broker, ingest, history, billing, orders, alarms, API and page of a meter platform.
#[derive(Parser)]
#[command(name = "cloud", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Registers a device and writes its keys.
    Provision(ProvisionArguments),
    /// Prints the description of the API.
    Openapi,
}

#[derive(clap::Args)]
struct Serve {
    /// Folder of the databases and the root key.
    #[arg(
        long,
        env = "METERKIT_CLOUD_DIR",
        default_value = "meterkit-data/cloud"
    )]
    data_dir: PathBuf,
    /// Address of the page and the API; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Address of the broker; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:1883")]
    mqtt: SocketAddr,
    /// Runs the platform's clock this many times as fast as real time, from now on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: u32,
    /// Password of the user `admin`; drawn and printed at the first start if not given.
    #[arg(long, env = "METERKIT_ADMIN_PASSWORD", hide_env_values = true)]
    admin_password: Option<String>,
    /// Password of the listening MQTT account `reader`; without it the account does not exist.
    #[arg(long, env = "METERKIT_READER_PASSWORD", hide_env_values = true)]
    reader_password: Option<String>,
    /// Local time of the site in minutes ahead of UTC.
    #[arg(long, default_value_t = 480, allow_negative_numbers = true)]
    offset_minutes: i32,
}

#[derive(clap::Args)]
struct ProvisionArguments {
    /// Folder of the databases and the root key.
    #[arg(
        long,
        env = "METERKIT_CLOUD_DIR",
        default_value = "meterkit-data/cloud"
    )]
    data_dir: PathBuf,
    /// Identity: d645-…, c188-… or gw-….
    #[arg(long)]
    device: String,
    /// Name for people.
    #[arg(long)]
    name: Option<String>,
    /// Gateway that carries it.
    #[arg(long, requires = "node")]
    gateway: Option<String>,
    /// Its number at that gateway.
    #[arg(long, requires = "gateway", value_parser = clap::value_parser!(u16).range(1..))]
    node: Option<u16>,
    /// Customer number of a prepaid contract, 12 digits.
    #[arg(long)]
    customer: Option<String>,
    /// Overload limit in watts.
    #[arg(long)]
    power_limit_w: Option<i64>,
    /// Over-voltage limit in millivolts.
    #[arg(long)]
    voltage_limit_mv: Option<i64>,
    /// File to write, as meters and gateways read it; the keys go nowhere else. A gateway's password at the broker is
    /// in it and is printed too.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,mqtt5=warn"));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(log)
        .with(cloud::BrokerWarnings.with_filter(LevelFilter::WARN))
        .init();
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Provision(arguments)) => provision(arguments),
        Some(Command::Openapi) => {
            print!("{}", cloud::openapi());
            Ok(())
        }
        None => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(serve(arguments.serve)),
    }
}

async fn serve(arguments: Serve) -> anyhow::Result<()> {
    let config = cloud::Config {
        http: arguments.http,
        mqtt: arguments.mqtt,
        admin_password: arguments.admin_password,
        reader_password: arguments.reader_password,
        offset_minutes: arguments.offset_minutes,
        speed: arguments.speed,
        ..cloud::Config::new(arguments.data_dir)
    };
    let real = cloud::system_clock();
    let (begin, speed) = (real(), u64::from(arguments.speed));
    let clock = std::sync::Arc::new(move || begin + (real() - begin) * speed);
    let running = cloud::start(config, clock).await?;
    println!(
        "{}",
        serde_json::json!({
            "event": "ready",
            "http": format!("http://{}", running.http()),
            "mqtt": running.mqtt().to_string(),
            "admin_password": running.first_password(),
        })
    );
    stop_signal().await?;
    running.shutdown().await;
    Ok(())
}

/// Waits for Ctrl-C or the signal of a service manager.
async fn stop_signal() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn provision(arguments: ProvisionArguments) -> anyhow::Result<()> {
    let defaults = cloud::Provision::new(arguments.device);
    let wanted = cloud::Provision {
        name: arguments.name.unwrap_or(defaults.name),
        device: defaults.device,
        gateway: arguments.gateway.zip(arguments.node),
        customer: arguments.customer,
        power_limit_w: arguments.power_limit_w,
        voltage_limit_mv: arguments.voltage_limit_mv.or(defaults.voltage_limit_mv),
    };
    let provisioned = cloud::provision(&arguments.data_dir, &wanted)?;
    let mut text = serde_json::to_string_pretty(&provisioned)?;
    text.push('\n');
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(&arguments.out)?, text.as_bytes())?;
    println!(
        "{}",
        serde_json::json!({
            "event": "provisioned",
            "device": provisioned.device,
            "file": arguments.out,
            "mqtt_password": provisioned.mqtt_password,
        })
    );
    Ok(())
}
