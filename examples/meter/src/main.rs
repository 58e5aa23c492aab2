//! A simulated meter as a program: `meter` for electricity, `meter water` for water.
//!
//! Prints one line of JSON when it is ready (address, serial port) and one with its counts every minute and at the end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use meter::host::{
    KeyFile, MeterConfig, Running, StartError, WaterConfig, fast_clock, log, once, start,
    start_water,
};

/// A simulated electricity meter with two cores, read over DL/T 645.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    electricity: ElectricityArguments,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Read the log of a metering core over the DL/T 645 line, check it by its key, and print a JSON object for each line.
    Log(LogArguments),
    /// A simulated water meter, read over CJ/T 188.
    Water {
        /// Identity, c188- and 16 digits.
        #[arg(long, default_value = "c188-1020261100000004")]
        id: String,
        /// Litres an hour while water flows.
        #[arg(long, default_value_t = 900)]
        flow: u32,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct LogArguments {
    /// Where the meter answers, host:port.
    target: String,
    /// Its identity, d645- and 12 digits.
    #[arg(long, default_value = "d645-202611000001")]
    id: String,
    /// Keys by purpose, as the platform hands them out (JSON).
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

#[derive(Args)]
struct Common {
    /// TCP address to answer on; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Answer on a pseudo-terminal and print its path.
    #[arg(long)]
    pty: bool,
    /// Folder for registers, purse and records; without it they live in memory.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Time runs so many times as fast.
    #[arg(long, default_value_t = 1, value_name = "N")]
    speed: u32,
    /// Seconds between two status lines; 0 prints none.
    #[arg(long, default_value_t = 60, value_name = "S")]
    status_every: u64,
}

#[derive(Args)]
struct ElectricityArguments {
    /// Configuration file (JSON); flags win over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Identity, d645- and 12 digits.
    #[arg(long)]
    id: Option<String>,
    /// 1 or 3.
    #[arg(long)]
    phases: Option<u8>,
    /// Play a recording (.json with .i32, or .csv) instead of synthetic loads.
    #[arg(long, value_name = "FILE")]
    waveform: Option<PathBuf>,
    /// Samples per second of a table without a time column.
    #[arg(long, value_name = "HZ")]
    rate: Option<f64>,
    /// Play the recording once, print what was read as JSON, and end.
    #[arg(long, requires = "waveform")]
    once: bool,
    /// Keys by purpose, as the platform hands them out (JSON).
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Seed of noise and small movements.
    #[arg(long)]
    seed: Option<u32>,
    /// Seconds between two legal blocks.
    #[arg(long, value_name = "S")]
    legal_interval: Option<u32>,
}

impl ElectricityArguments {
    fn config(self, common: &Common) -> Result<MeterConfig, StartError> {
        let mut config = self
            .config
            .as_deref()
            .map_or_else(|| Ok(MeterConfig::default()), MeterConfig::read)?;
        config.id = self.id.unwrap_or(config.id);
        config.phases = self.phases.unwrap_or(config.phases);
        config.waveform = self.waveform.or(config.waveform);
        config.waveform_rate_hz = self.rate.or(config.waveform_rate_hz);
        config.seed = self.seed.unwrap_or(config.seed);
        config.legal_interval_s = self.legal_interval.unwrap_or(config.legal_interval_s);
        config.data_dir = common.data_dir.clone().or(config.data_dir);
        config.pty |= common.pty;
        config.listen = match (&common.listen, common.pty) {
            (Some(listen), _) => Some(listen.clone()),
            (None, true) => None,
            (None, false) => config.listen,
        };
        if let Some(path) = self.keys {
            config.keys = Some(KeyFile::read(&path)?);
        }
        Ok(config)
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Log(arguments)) => show_log(arguments).map_err(|error| error.to_string()),
        _ => run(cli).map_err(|error| error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("meter: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show_log(arguments: LogArguments) -> Result<(), log::ReadLogError> {
    let keys = arguments.keys.as_deref().map(KeyFile::read).transpose()?;
    for shown in log::read(&arguments.target, &arguments.id, keys)? {
        println!("{shown}");
    }
    Ok(())
}

fn run(cli: Cli) -> Result<(), StartError> {
    if let Some(Command::Water { id, flow, common }) = cli.command {
        let config = WaterConfig {
            id,
            flow_l_h: flow,
            pty: common.pty,
            listen: common
                .listen
                .clone()
                .or_else(|| (!common.pty).then(|| "127.0.0.1:0".into())),
            data_dir: common.data_dir.clone(),
            ..WaterConfig::default()
        };
        let running = start_water(&config, fast_clock(common.speed))?;
        return serve(&config.id, running, common.status_every);
    }
    let play_once = cli.electricity.once;
    let config = cli.electricity.config(&cli.common)?;
    if let (true, Some(path)) = (play_once, &config.waveform) {
        let reading = match config.phases {
            1 => once::play::<1>(path, config.waveform_rate_hz)?,
            3 => once::play::<3>(path, config.waveform_rate_hz)?,
            other => {
                return Err(StartError::Config(format!(
                    "a meter has 1 or 3 phases, not {other}"
                )));
            }
        };
        println!("{}", line(&reading));
        return Ok(());
    }
    let running = start(&config, fast_clock(cli.common.speed))?;
    serve(&config.id, running, cli.common.status_every)
}

fn line(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Runs until Ctrl-C or SIGTERM.
fn serve(id: &str, running: Running, status_every: u64) -> Result<(), StartError> {
    let ready = serde_json::json!({
        "event": "ready",
        "id": id,
        "listen": running.addr().map(|addr| addr.to_string()),
        "pty": running.pty(),
    });
    println!("{ready}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Socket)?;
    let status = || {
        println!(
            "{}",
            serde_json::json!({ "event": "status", "status": running.status() })
        )
    };
    runtime
        .block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            let mut every = tokio::time::interval(Duration::from_secs(status_every.max(1)));
            every.tick().await;
            loop {
                tokio::select! {
                    _ = every.tick() => if status_every > 0 { status() },
                    end = tokio::signal::ctrl_c() => return end,
                    _ = terminate.recv() => return Ok(()),
                }
            }
        })
        .map_err(StartError::Socket)?;
    status();
    running.shutdown();
    Ok(())
}
