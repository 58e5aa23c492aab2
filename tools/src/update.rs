//! `meterkit update`: a signed image to the management core of a meter, as far as the meter does not have it.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dlt645::{Address, DataId, Event, Master, Operator, ShellError};
use indicatif::{ProgressBar, ProgressStyle};
use meter::update::{FILE, Package, REQUEST_MAX, UpdateSender};
use meter_proto::message::FileStatus;

use crate::port::{self, Port, Sleep, millis};

/// Carries a signed image to a meter; what has arrived survives a break on either side. Without a file it tells the
/// software that the meter runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    port: port::Line,
    /// The package that `meterkit sign` wrote.
    package: Option<PathBuf>,
    /// Address of the meter; whoever is alone on the line by default.
    #[arg(long, short)]
    address: Option<Address>,
    /// Seconds without an answer, or without progress, after which it is given up. A meter that restarts into a new
    /// image is silent for a while.
    #[arg(long, default_value_t = 120)]
    patience: u64,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Software of the device, 32 characters.
const SOFTWARE: DataId = DataId(0x0480_0001);

type Client<'b> = dlt645::asynch::Client<'b, Port, Sleep, fn() -> u64>;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Status(FileStatus),
    /// The meter refuses the requests themselves.
    NotTaken,
    Silent,
}

impl End {
    const fn text(self) -> &'static str {
        match self {
            Self::Status(FileStatus::ACTIVE) => "in use",
            Self::Status(FileStatus::REFUSED) => {
                "refused: not for this meter, too old, or too large"
            }
            Self::Status(FileStatus::BAD_CONTENT) => "thrown away: hash or signature is wrong",
            Self::Status(FileStatus::FELL_BACK) => "did not work: the meter went back",
            Self::Status(FileStatus::COMPLETE) => {
                "complete, but the meter did not come back with it"
            }
            Self::Status(_) => "not finished: the same command goes on where it was",
            Self::NotTaken => "the meter takes no images",
            Self::Silent => "no answer",
        }
    }
}

/// Runs the command: success if the image is in use at the end.
///
/// # Errors
/// Ports that fail, files that are no package.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bytes = match &args.package {
        Some(file) => std::fs::read(file).with_context(|| file.display().to_string())?,
        None => return software(args).await,
    };
    let package = Package::parse(&bytes)?;
    let mut carrier = Carrier {
        args,
        sender: UpdateSender::new(&package),
        blocks: package.offer().blocks(),
        address: args.address,
        heard_ms: millis(),
        moved_ms: millis(),
        refused: false,
    };
    let progress = Progress::new(u64::from(carrier.blocks));
    let end = carrier.carry(&progress).await?;
    progress.done();
    let sent = carrier.sender.blocks_sent();
    if args.json {
        let row = serde_json::json!({
            "address": carrier.address.map(|address| address.to_string()),
            "end": end.text(),
            "in_use": end == End::Status(FileStatus::ACTIVE),
            "blocks": carrier.blocks,
            "blocks_sent": sent,
        });
        println!("{row:#}");
    } else {
        println!("{} ({sent} of {} blocks sent)", end.text(), carrier.blocks);
    }
    Ok(if end == End::Status(FileStatus::ACTIVE) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn software(args: &Args) -> anyhow::Result<ExitCode> {
    let port = args.port.open().await?;
    let mut buffer = [0; 256];
    let master = Master::new(&mut buffer, args.port.timing());
    let mut client = Client::new(port, Sleep, millis, master);
    let address = args.address.unwrap_or(Address::WILDCARD);
    let (address, data) = match client.read(address, SOFTWARE).await? {
        Event::Data { address, data, .. } => (address, data.to_vec()),
        Event::Refused { .. } => bail!("the meter does not tell its software"),
        _ => bail!("no answer"),
    };
    // Texts go low byte first.
    let text: String = data.iter().rev().map(|byte| char::from(*byte)).collect();
    let text = text.trim();
    if args.json {
        let row = serde_json::json!({"address": address.to_string(), "software": text});
        println!("{row:#}");
    } else {
        println!("{address} {text}");
    }
    Ok(ExitCode::SUCCESS)
}

/// One image on its way.
struct Carrier<'a> {
    args: &'a Args,
    sender: UpdateSender<'a>,
    blocks: u32,
    /// Found out with the first answer.
    address: Option<Address>,
    heard_ms: u64,
    /// When a block went out or the status changed.
    moved_ms: u64,
    /// The last answer was a refusal of the request.
    refused: bool,
}

impl Carrier<'_> {
    async fn carry(&mut self, progress: &Progress) -> anyhow::Result<End> {
        loop {
            let port = match self.args.port.open().await {
                Ok(port) => port,
                // The first time nothing is lost by saying so; later the meter or its converter may be restarting.
                Err(error) if self.address.is_none() || self.late() => return Err(error),
                Err(_) => {
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                    continue;
                }
            };
            match self.on_port(port, progress).await {
                Ok(end) => return Ok(end),
                Err(error) if self.late() => return Err(error),
                Err(error) => {
                    progress.say(&format!("{error:#}: the line is opened again"));
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                }
            }
        }
    }

    fn late(&self) -> bool {
        let patience_ms = self.args.patience.saturating_mul(1_000);
        let latest = self.heard_ms.min(self.moved_ms);
        millis().saturating_sub(latest) > patience_ms
    }

    /// Until it is over, or the port fails.
    async fn on_port(&mut self, port: Port, progress: &Progress) -> anyhow::Result<End> {
        let mut buffer = [0; 512];
        let master = Master::new(&mut buffer, self.args.port.timing());
        let mut client = Client::new(port, Sleep, millis, master);
        let address = match self.address {
            Some(address) => address,
            None => match client.read_address().await? {
                Event::Address(address) => address,
                _ => return Ok(End::Silent),
            },
        };
        self.address = Some(address);
        let mut request = [0; REQUEST_MAX];
        loop {
            if self.late() {
                return Ok(match self.sender.status() {
                    _ if self.refused => End::NotTaken,
                    FileStatus::NEEDS if self.heard_ms <= self.moved_ms => End::Silent,
                    status => End::Status(status),
                });
            }
            let Some(length) = self.sender.poll_request(millis(), &mut request) else {
                let Some(due) = self.sender.poll_timeout() else {
                    return Ok(End::Status(self.sender.status()));
                };
                let wait = due.saturating_sub(millis());
                tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
                continue;
            };
            let data = request.get(..length).unwrap_or_default();
            let answer = client.security(address, FILE, Operator::default(), data);
            let before = (self.sender.status(), self.sender.blocks_sent());
            match answer.await {
                Ok(Event::Security { data, .. }) => {
                    self.heard_ms = millis();
                    self.refused = false;
                    self.sender.handle_answer(data);
                }
                Ok(Event::Done { .. }) => {
                    self.heard_ms = millis();
                    self.refused = false;
                }
                // During the trial of an image a meter takes no other.
                Ok(Event::SecurityRefused(_) | Event::Refused { .. }) => {
                    self.heard_ms = millis();
                    self.refused = true;
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                }
                // It restarts, or the frame was lost: what is missing is asked for.
                Ok(_) | Err(ShellError::NoAnswer) => {}
                Err(error) => bail!("{error}"),
            }
            if (self.sender.status(), self.sender.blocks_sent()) != before {
                self.moved_ms = millis();
            }
            progress.step(self.sender.status(), self.sender.blocks_sent());
        }
    }
}

/// A bar on a terminal, a line every hundred blocks elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    last: std::cell::Cell<(FileStatus, u32)>,
}

impl Progress {
    fn new(blocks: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(blocks);
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            last: (FileStatus::NEEDS, 0).into(),
        }
    }

    fn step(&self, status: FileStatus, blocks: u32) {
        let (before, shown) = self.last.get();
        if let Some(bar) = &self.bar {
            bar.set_position(blocks.into());
        } else if blocks / 100 != shown / 100 {
            eprintln!("{blocks} blocks sent");
        }
        if status != before && status == FileStatus::COMPLETE {
            self.say("complete: the meter restarts for the trial");
        }
        self.last.set((status, blocks));
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
